/* transcode.c - from the strings of language runtimes to UTF-8, mending surrogates the way
 * tiktoken does: by way of UTF-16, with U+FFFD for what is left alone. */
#include "base.h"

#define TRANSCODE_REPLACEMENT 0xFFFDu

size_t ctok_utf8_bound(size_t unit_size, size_t n_units)
{
    size_t per_unit = unit_size == 1 ? 2 : unit_size == 2 ? 3 : 4;
    size_t bound;

    return base_mul_overflows(n_units, per_unit, &bound) ? SIZE_MAX : bound;
}

static size_t transcode_latin1(const uint8_t *units, size_t n_units, uint8_t *out)
{
    uint8_t *next = out;
    size_t i = 0;

    while (i < n_units) {
        uint64_t eight;

        if (n_units - i >= sizeof eight) {
            memcpy(&eight, units + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                memcpy(next, &eight, sizeof eight);
                next += sizeof eight;
                i += sizeof eight;
                continue;
            }
        }
        if (units[i] < 0x80) {
            *next++ = units[i++];
        } else {
            *next++ = (uint8_t)(0xC0 | units[i] >> 6);
            *next++ = (uint8_t)(0x80 | (units[i++] & 0x3F));
        }
    }
    return (size_t)(next - out);
}

static uint32_t transcode_unit(const void *units, size_t unit_size, size_t i)
{
    return unit_size == 2 ? ((const uint16_t *)units)[i] : ((const uint32_t *)units)[i];
}

static bool transcode_is_surrogate(uint32_t unit)
{
    return (unit & 0xFFFFF800u) == 0xD800u;
}

/* The character at *i, whose unit is a surrogate or out of range; moves *i behind it. */
static uint32_t transcode_mend(const void *units, size_t unit_size, size_t n_units,
                               size_t *i, size_t *n_surrogates)
{
    uint32_t unit = transcode_unit(units, unit_size, (*i)++);
    uint32_t low;

    if (!transcode_is_surrogate(unit)) {
        return TRANSCODE_REPLACEMENT;
    }
    ++*n_surrogates;
    if (unit >= 0xDC00 || *i >= n_units) {
        return TRANSCODE_REPLACEMENT;
    }
    low = transcode_unit(units, unit_size, *i);
    if ((low & 0xFFFFFC00u) != 0xDC00u) {
        return TRANSCODE_REPLACEMENT;
    }
    ++*i;
    ++*n_surrogates;
    return 0x10000u + ((unit & 0x3FFu) << 10 | (low & 0x3FFu));
}

static size_t transcode_wide(const void *units, size_t unit_size, size_t n_units,
                             uint8_t *out, size_t *n_surrogates)
{
    uint8_t *next = out;
    size_t i = 0;

    while (i < n_units) {
        uint32_t c = transcode_unit(units, unit_size, i);

        if (BASE_UNLIKELY(transcode_is_surrogate(c) || c > 0x10FFFF)) {
            c = transcode_mend(units, unit_size, n_units, &i, n_surrogates);
        } else {
            i++;
        }
        if (c < 0x80) {
            *next++ = (uint8_t)c;
        } else if (c < 0x800) {
            *next++ = (uint8_t)(0xC0 | c >> 6);
            *next++ = (uint8_t)(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            *next++ = (uint8_t)(0xE0 | c >> 12);
            *next++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
            *next++ = (uint8_t)(0x80 | (c & 0x3F));
        } else {
            *next++ = (uint8_t)(0xF0 | c >> 18);
            *next++ = (uint8_t)(0x80 | (c >> 12 & 0x3F));
            *next++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
            *next++ = (uint8_t)(0x80 | (c & 0x3F));
        }
    }
    return (size_t)(next - out);
}

size_t ctok_utf8_from_units(const void *units, size_t unit_size, size_t n_units,
                            uint8_t *out, size_t *n_surrogates)
{
    size_t count = 0;
    size_t len;

    if (unit_size == 1) {
        len = transcode_latin1(units, n_units, out);
    } else {
        len = transcode_wide(units, unit_size, n_units, out, &count);
    }
    if (n_surrogates != NULL) {
        *n_surrogates = count;
    }
    return len;
}
