/* transcode_avx2.c - UTF-8 from code units, a vector at a time.
 *
 * A vector of ASCII is packed. In any other, the UTF-8 of each unit is made in a lane of its
 * own, whatever its length, and then stored whole, each behind the bytes that count of the one
 * before it, over what was too much:
 *
 *     units     a       é        漢            b
 *     lanes     61...   C3 A9..  E6 BC A2 .    62...
 *     lengths   1       2        3             1
 *     out       61 C3 A9 E6 BC A2 62 . . .
 *
 * The last lane of a vector writes some bytes too far: units must follow whose bytes have that
 * room. So the last units are left to the plain code, as are surrogates and what is beyond
 * Unicode.
 */
#include "cpu.h"
#include "transcode.h"

#if CPU_HAS_X86

#include <immintrin.h>

#define TRANSCODE_TARGET __attribute__((target("avx2")))

TRANSCODE_TARGET static BASE_INLINE __m256i transcode_load(const void *units)
{
    return _mm256_loadu_si256((const __m256i *)units);
}

/* Eight characters, none of them a surrogate or beyond Unicode. */
TRANSCODE_TARGET static BASE_INLINE uint8_t *transcode_eight(__m256i c, uint8_t *next)
{
    const __m256i six = _mm256_set1_epi32(0x3F);
    __m256i is_2 = _mm256_cmpgt_epi32(c, _mm256_set1_epi32(0x7F));
    __m256i is_3 = _mm256_cmpgt_epi32(c, _mm256_set1_epi32(0x7FF));
    __m256i is_4 = _mm256_cmpgt_epi32(c, _mm256_set1_epi32(0xFFFF));
    /* The last six bits of c, those before, those before them; then what is left. */
    __m256i last = _mm256_and_si256(c, six);
    __m256i third = _mm256_and_si256(_mm256_srli_epi32(c, 6), six);
    __m256i second = _mm256_and_si256(_mm256_srli_epi32(c, 12), six);
    __m256i two = _mm256_or_si256(_mm256_srli_epi32(c, 6), _mm256_slli_epi32(last, 8));
    __m256i three = _mm256_or_si256(
        _mm256_srli_epi32(c, 12),
        _mm256_or_si256(_mm256_slli_epi32(third, 8), _mm256_slli_epi32(last, 16)));
    __m256i four = _mm256_or_si256(
        _mm256_or_si256(_mm256_srli_epi32(c, 18), _mm256_slli_epi32(second, 8)),
        _mm256_or_si256(_mm256_slli_epi32(third, 16), _mm256_slli_epi32(last, 24)));
    __m256i bytes = c;
    __m256i lengths = _mm256_set1_epi32(1);
    uint32_t lane[8];
    uint32_t length[8];
    int i;

    two = _mm256_or_si256(two, _mm256_set1_epi32(0x80C0));
    three = _mm256_or_si256(three, _mm256_set1_epi32(0x8080E0));
    four = _mm256_or_si256(four, _mm256_set1_epi32((int)0x808080F0));
    bytes = _mm256_blendv_epi8(bytes, two, is_2);
    bytes = _mm256_blendv_epi8(bytes, three, is_3);
    bytes = _mm256_blendv_epi8(bytes, four, is_4);
    lengths = _mm256_sub_epi32(lengths, _mm256_add_epi32(is_2, is_3));
    lengths = _mm256_sub_epi32(lengths, is_4);
    _mm256_storeu_si256((__m256i *)(void *)lane, bytes);
    _mm256_storeu_si256((__m256i *)(void *)length, lengths);
    for (i = 0; i < 8; i++) {
        memcpy(next, &lane[i], 4);
        next += length[i];
    }
    return next;
}

/* Eight characters of three bytes each. Writes 4 bytes too far. */
TRANSCODE_TARGET static BASE_INLINE uint8_t *transcode_threes(__m256i c, uint8_t *next)
{
    const __m256i join = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    const __m256i six = _mm256_set1_epi32(0x3F);
    __m256i last = _mm256_slli_epi32(_mm256_and_si256(c, six), 16);
    __m256i third =
        _mm256_slli_epi32(_mm256_and_si256(_mm256_srli_epi32(c, 6), six), 8);
    __m256i bytes =
        _mm256_or_si256(_mm256_srli_epi32(c, 12), _mm256_or_si256(third, last));

    bytes = _mm256_or_si256(bytes, _mm256_set1_epi32(0x8080E0));
    bytes = _mm256_shuffle_epi8(bytes, join);
    _mm_storeu_si128((__m128i *)(void *)next, _mm256_castsi256_si128(bytes));
    _mm_storeu_si128((__m128i *)(void *)(next + 12),
                     _mm256_extracti128_si256(bytes, 1));
    return next + 24;
}

/* ---- units of 1 byte -------------------------------------------------------- */

/* Letters that are not ASCII are few in such text: what is before the first one is copied, and
 * then that one, or the ASCII unit behind the vector when there is none. */
TRANSCODE_TARGET static size_t transcode_avx2_1(const uint8_t *units, size_t n_units,
                                                uint8_t **out)
{
    uint8_t *next = *out;
    size_t i = 0;

    while (n_units - i > 16) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(units + i));
        uint32_t mask = (uint32_t)_mm_movemask_epi8(c);
        unsigned n_ascii = (unsigned)__builtin_ctz(mask | 0x10000);
        unsigned unit = units[i + n_ascii];
        unsigned is_2 = unit >> 7;
        uint16_t bytes =
            (uint16_t)(is_2 != 0 ? 0x80C0 | unit >> 6 | (unit & 0x3F) << 8 : unit);

        _mm_storeu_si128((__m128i *)(void *)next, c);
        memcpy(next + n_ascii, &bytes, 2);
        next += n_ascii + 1 + is_2;
        i += n_ascii + 1;
    }
    *out = next;
    return i;
}

/* ---- units of 2 bytes ------------------------------------------------------- */

TRANSCODE_TARGET static size_t transcode_avx2_2(const uint16_t *units, size_t n_units,
                                                uint8_t **out, size_t *n_surrogates)
{
    uint8_t *next = *out;
    size_t i = 0;

    while (n_units - i >= 18) { /* 16 here, and 6 bytes of room behind them */
        __m256i c = transcode_load(units + i);
        __m256i top = _mm256_and_si256(c, _mm256_set1_epi16((short)0xF800));
        __m128i low = _mm256_castsi256_si128(c);
        __m128i high = _mm256_extracti128_si256(c, 1);

        if (_mm256_testz_si256(c, _mm256_set1_epi16((short)0xFF80))) {
            _mm_storeu_si128((__m128i *)(void *)next, _mm_packus_epi16(low, high));
            next += 16;
            i += 16;
            continue;
        }
        top = _mm256_cmpeq_epi16(top, _mm256_set1_epi16((short)0xD800));
        if (BASE_UNLIKELY(!_mm256_testz_si256(top, top))) {
            next += transcode_character(units, 2, n_units, &i, next, n_surrogates);
            continue;
        }
        top = _mm256_min_epu16(c, _mm256_set1_epi16(0x800));
        top = _mm256_cmpeq_epi16(top, _mm256_set1_epi16(0x800));
        if (_mm256_movemask_epi8(top) == -1) {
            next = transcode_threes(_mm256_cvtepu16_epi32(low), next);
            next = transcode_threes(_mm256_cvtepu16_epi32(high), next);
        } else {
            next = transcode_eight(_mm256_cvtepu16_epi32(low), next);
            next = transcode_eight(_mm256_cvtepu16_epi32(high), next);
        }
        i += 16;
    }
    *out = next;
    return i;
}

/* ---- units of 4 bytes ------------------------------------------------------- */

TRANSCODE_TARGET static size_t transcode_avx2_4(const uint32_t *units, size_t n_units,
                                                uint8_t **out, size_t *n_surrogates)
{
    uint8_t *next = *out;
    const __m256i bytes =
        _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0,
                         4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m256i most = _mm256_set1_epi32(0x10FFFF);
    size_t i = 0;

    while (n_units - i > 8) {
        __m256i c = transcode_load(units + i);
        __m256i wrong;

        if (_mm256_testz_si256(c, _mm256_set1_epi32(~0x7F))) {
            uint64_t packed;

            c = _mm256_shuffle_epi8(c, bytes);
            packed = (uint32_t)_mm256_extract_epi32(c, 0) |
                     (uint64_t)(uint32_t)_mm256_extract_epi32(c, 4) << 32;
            memcpy(next, &packed, sizeof packed);
            next += 8;
            i += 8;
            continue;
        }
        wrong = _mm256_cmpeq_epi32(_mm256_srli_epi32(c, 11), _mm256_set1_epi32(0x1B));
        wrong =
            _mm256_or_si256(wrong, _mm256_xor_si256(_mm256_max_epu32(c, most), most));
        if (BASE_UNLIKELY(!_mm256_testz_si256(wrong, wrong))) {
            next += transcode_character(units, 4, n_units, &i, next, n_surrogates);
            continue;
        }
        next = transcode_eight(c, next);
        i += 8;
    }
    *out = next;
    return i;
}

size_t transcode_avx2(const void *units, size_t unit_size, size_t n_units, uint8_t *out,
                      size_t *n_surrogates)
{
    uint8_t *next = out;
    size_t in_rest = 0;
    size_t done;

    *n_surrogates = 0;
    if (unit_size == 1) {
        done = transcode_avx2_1(units, n_units, &next);
    } else if (unit_size == 2) {
        done = transcode_avx2_2(units, n_units, &next, n_surrogates);
    } else {
        done = transcode_avx2_4(units, n_units, &next, n_surrogates);
    }
    next += transcode_plain((const uint8_t *)units + done * unit_size, unit_size,
                            n_units - done, next, &in_rest);
    *n_surrogates += in_rest;
    return (size_t)(next - out);
}

#undef TRANSCODE_TARGET

#endif
