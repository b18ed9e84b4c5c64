/* units.c - the strings of language runtimes as UTF-8, the fastest way there is. */
#include "base.h"
#include "cpu.h"

size_t ctok_utf8_bound(size_t unit_size, size_t n_units)
{
    size_t per_unit = unit_size == 1 ? 2 : unit_size == 2 ? 3 : 4;
    size_t bound;

    return base_mul_overflows(n_units, per_unit, &bound) ? SIZE_MAX : bound;
}

size_t ctok_utf8_from_units(const void *units, size_t unit_size, size_t n_units,
                            uint8_t *out, size_t *n_surrogates)
{
    size_t unused;

    return cpu_transcoder(CTOK_CPU_BEST)(units, unit_size, n_units, out,
                                         n_surrogates != NULL ? n_surrogates : &unused);
}
