/* transcode.c - from the strings of language runtimes to UTF-8, mending surrogates the way
 * tiktoken does: by way of UTF-16, with U+FFFD for what is left alone. */
#include "transcode.h"

#include "utf8.h"

#define TRANSCODE_REPLACEMENT 0xFFFDu

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

size_t transcode_character(const void *units, size_t unit_size, size_t n_units,
                           size_t *i, uint8_t *out, size_t *n_surrogates)
{
    uint32_t c = transcode_unit(units, unit_size, *i);

    if (BASE_UNLIKELY(transcode_is_surrogate(c) || c > 0x10FFFF)) {
        c = transcode_mend(units, unit_size, n_units, i, n_surrogates);
    } else {
        ++*i;
    }
    return utf8_encode(c, out);
}

size_t transcode_plain(const void *units, size_t unit_size, size_t n_units,
                       uint8_t *out, size_t *n_surrogates)
{
    uint8_t *next = out;
    size_t i = 0;

    *n_surrogates = 0;
    if (unit_size == 1) {
        return transcode_latin1(units, n_units, out);
    }
    while (i < n_units) {
        next += transcode_character(units, unit_size, n_units, &i, next, n_surrogates);
    }
    return (size_t)(next - out);
}
