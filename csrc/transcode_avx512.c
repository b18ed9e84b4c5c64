/* transcode_avx512.c - UTF-8 from code units: each one's in a lane of its own, and then all bytes that count moved
 * together by one instruction (VBMI2):
 *
 *     units     a       é        漢            b
 *     lanes     61...   C3 A9..  E6 BC A2 .    62...
 *     some      1000    1100     1110          1000
 *     out       61 C3 A9 E6 BC A2 62
 *
 * What the bytes of a lane are depends on how many bits its character has, and so stands in two tables.
 * The last units of a text are loaded, and what becomes of them is stored, under masks.
 */
#include "cpu.h"
#include "transcode.h"

#if CPU_HAS_X86

#include <immintrin.h>

#define TRANSCODE_TARGET                                                               \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512vbmi,avx512vbmi2,bmi2,"     \
                          "popcnt")))

/* Where to write, and where the room ends. */
typedef struct transcode_room {
    uint8_t *next;
    uint8_t *end;
} transcode_room;

/* Writes the first n bytes, and maybe others behind them. */
TRANSCODE_TARGET static BASE_INLINE void transcode_put(transcode_room *out,
                                                       __m512i bytes, size_t n)
{
    if (BASE_LIKELY(out->end - out->next >= 64)) {
        _mm512_storeu_si512(out->next, bytes);
    } else {
        _mm512_mask_storeu_epi8(out->next, _bzhi_u64(~(uint64_t)0, (uint32_t)n), bytes);
    }
    out->next += n;
}

/* Writes some of the bytes. */
TRANSCODE_TARGET static BASE_INLINE void transcode_put_some(transcode_room *out,
                                                            __m512i bytes,
                                                            __mmask64 some)
{
    transcode_put(out, _mm512_maskz_compress_epi8(some, bytes),
                  (size_t)_mm_popcnt_u64(some));
}

/* 32 characters below U+0800, of which those in here are there. */
TRANSCODE_TARGET static BASE_INLINE void transcode_twos(transcode_room *out, __m512i c,
                                                        __mmask32 here)
{
    __mmask32 is_2 = _mm512_cmpgt_epu16_mask(c, _mm512_set1_epi16(0x7F));
    __m512i last = _mm512_and_si512(c, _mm512_set1_epi16(0x3F));
    __m512i two = _mm512_or_si512(_mm512_srli_epi16(c, 6), _mm512_slli_epi16(last, 8));
    __m512i counts = _mm512_maskz_set1_epi16(here, 0x00FF);

    two = _mm512_or_si512(two, _mm512_set1_epi16((short)0x80C0));
    counts = _mm512_mask_mov_epi16(counts, is_2, _mm512_set1_epi16(-1));
    transcode_put_some(out, _mm512_mask_mov_epi16(c, is_2, two),
                       _mm512_movepi8_mask(counts));
}

/* By how many of 32 bits are zeros before a character's first one: it has one byte with up to 7 bits,
 * two with 11, three with 16, four with 21. */
#define TRANSCODE_TABLE(one, two, three, four)                                         \
    {one,  0,    0,    0,    0,    0,     0,     0,     0,     0,     0,               \
     four, four, four, four, four, three, three, three, three, three, two,             \
     two,  two,  two,  one,  one,  one,   one,   one,   one,   one}

/* Where in the character the eight bits begin that each byte is made of. */
static const _Alignas(64) uint32_t transcode_shifts[32] = TRANSCODE_TABLE(0, 0x06,
                                                                          0x060C,
                                                                          0x060C12);
/* What marks each byte as one of so many. All but the first have their highest bit set. */
static const _Alignas(64) uint32_t transcode_marks[32] = TRANSCODE_TABLE(0, 0x80C0,
                                                                         0x8080E0,
                                                                         0x808080F0);

TRANSCODE_TARGET static BASE_INLINE __m512i transcode_of(const uint32_t table[32],
                                                         __m512i index)
{
    return _mm512_permutex2var_epi32(_mm512_load_si512(table), index,
                                     _mm512_load_si512(table + 16));
}

/* 16 characters, none of them a surrogate or beyond Unicode, of which those in here are there. */
TRANSCODE_TARGET static BASE_INLINE void transcode_sixteen(transcode_room *out,
                                                           __m512i c, __mmask16 here)
{
    const __m512i upper = _mm512_set1_epi64(0x2020202000000000); /* of two lanes */
    __m512i zeros = _mm512_lzcnt_epi32(c);                       /* 32 is taken as 0 */
    __m512i shifts = _mm512_or_si512(transcode_of(transcode_shifts, zeros), upper);
    __m512i marks = transcode_of(transcode_marks, zeros);
    __m512i bits = _mm512_multishift_epi64_epi8(shifts, c);
    __m512i bytes =
        _mm512_or_si512(_mm512_and_si512(bits, _mm512_set1_epi32(0x3F3F3FFF)), marks);
    __m512i counts = _mm512_maskz_or_epi32(here, marks, _mm512_set1_epi32(0x80));

    transcode_put_some(out, bytes, _mm512_movepi8_mask(counts));
}

TRANSCODE_TARGET static void transcode_avx512_1(const uint8_t *units, size_t n_units,
                                                transcode_room *out)
{
    size_t i;

    for (i = 0; i < n_units; i += 64) {
        size_t n = n_units - i < 64 ? n_units - i : 64;
        __mmask64 here = _bzhi_u64(~(uint64_t)0, (uint32_t)n);
        __m512i c = _mm512_maskz_loadu_epi8(here, units + i);

        if (_mm512_movepi8_mask(c) == 0) {
            transcode_put(out, c, n);
        } else {
            transcode_twos(out, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(c)),
                           (__mmask32)here);
            transcode_twos(out, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(c, 1)),
                           (__mmask32)(here >> 32));
        }
    }
}

/* As many times 64 units as are ASCII; returns how many units. */
TRANSCODE_TARGET static BASE_INLINE size_t transcode_ascii(const uint16_t *units,
                                                           size_t n_units,
                                                           transcode_room *out)
{
    size_t i;

    for (i = 0; n_units - i >= 64; i += 64) {
        __m512i a = _mm512_loadu_si512(units + i);
        __m512i b = _mm512_loadu_si512(units + i + 32);
        __m512i bytes = _mm512_castsi256_si512(_mm512_cvtepi16_epi8(a));

        if (_mm512_test_epi16_mask(_mm512_or_si512(a, b),
                                   _mm512_set1_epi16((short)0xFF80)) != 0) {
            break;
        }
        bytes = _mm512_inserti64x4(bytes, _mm512_cvtepi16_epi8(b), 1);
        transcode_put(out, bytes, 64);
    }
    return i;
}

TRANSCODE_TARGET static void transcode_avx512_2(const uint16_t *units, size_t n_units,
                                                transcode_room *out,
                                                size_t *n_surrogates)
{
    const __m512i top = _mm512_set1_epi16((short)0xF800);
    size_t i = transcode_ascii(units, n_units, out);

    while (i < n_units) {
        size_t n = n_units - i < 32 ? n_units - i : 32;
        __mmask32 here = _bzhi_u32(~(uint32_t)0, (uint32_t)n);
        __m512i c = _mm512_maskz_loadu_epi16(here, units + i);

        if (_mm512_test_epi16_mask(c, _mm512_set1_epi16((short)0xFF80)) == 0) {
            transcode_put(out, _mm512_castsi256_si512(_mm512_cvtepi16_epi8(c)), n);
        } else if (_mm512_test_epi16_mask(c, top) == 0) {
            transcode_twos(out, c, here);
        } else if (BASE_LIKELY(_mm512_cmpeq_epi16_mask(
                                   _mm512_and_si512(c, top),
                                   _mm512_set1_epi16((short)0xD800)) == 0)) {
            transcode_sixteen(out, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(c)),
                              (__mmask16)here);
            transcode_sixteen(out,
                              _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(c, 1)),
                              (__mmask16)(here >> 16));
        } else {
            out->next +=
                transcode_character(units, 2, n_units, &i, out->next, n_surrogates);
            continue;
        }
        i += n;
        i += transcode_ascii(units + i, n_units - i, out);
    }
}

TRANSCODE_TARGET static void transcode_avx512_4(const uint32_t *units, size_t n_units,
                                                transcode_room *out,
                                                size_t *n_surrogates)
{
    size_t i = 0;

    while (i < n_units) {
        size_t n = n_units - i < 16 ? n_units - i : 16;
        __mmask16 here = (__mmask16)_bzhi_u32(0xFFFF, (uint32_t)n);
        __m512i c = _mm512_maskz_loadu_epi32(here, units + i);

        if (_mm512_test_epi32_mask(c, _mm512_set1_epi32(~0x7F)) == 0) {
            transcode_put(out, _mm512_castsi128_si512(_mm512_cvtepi32_epi8(c)), n);
        } else if (BASE_LIKELY((_mm512_cmpeq_epi32_mask(_mm512_srli_epi32(c, 11),
                                                        _mm512_set1_epi32(0x1B)) |
                                _mm512_cmpgt_epu32_mask(
                                    c, _mm512_set1_epi32(0x10FFFF))) == 0)) {
            transcode_sixteen(out, c, here);
        } else {
            out->next +=
                transcode_character(units, 4, n_units, &i, out->next, n_surrogates);
            continue;
        }
        i += n;
    }
}

size_t transcode_avx512(const void *units, size_t unit_size, size_t n_units,
                        uint8_t *out, size_t *n_surrogates)
{
    transcode_room room = {out, out + ctok_utf8_bound(unit_size, n_units)};

    *n_surrogates = 0;
    if (unit_size == 1) {
        transcode_avx512_1(units, n_units, &room);
    } else if (unit_size == 2) {
        transcode_avx512_2(units, n_units, &room, n_surrogates);
    } else {
        transcode_avx512_4(units, n_units, &room, n_surrogates);
    }
    return (size_t)(room.next - out);
}

#undef TRANSCODE_TARGET

#endif
