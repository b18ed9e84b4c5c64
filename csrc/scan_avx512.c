/* scan_avx512.c - 64 bytes classified by compares that yield masks at once. */
#include "cpu.h"

#if CPU_HAS_X86

#include "scan_wide.h"

#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("avx512f,avx512bw,bmi,bmi2,popcnt")))
#define SCAN(name) scan_avx512_##name

/* Bytes from first to first + n - 1. */
SCAN_TARGET static BASE_INLINE uint64_t avx512_range(__m512i c, uint8_t first,
                                                     uint8_t n)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(c, _mm512_set1_epi8((char)first)),
                                  _mm512_set1_epi8((char)n));
}

SCAN_TARGET static BASE_INLINE uint64_t avx512_equal(__m512i c, char value)
{
    return _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8(value));
}

SCAN_TARGET static BASE_INLINE void SCAN(ascii)(const uint8_t *bytes, scan_masks *m)
{
    __m512i c = _mm512_loadu_si512(bytes);

    m->letters = avx512_range(_mm512_or_si512(c, _mm512_set1_epi8(0x20)), 'a', 26);
    m->capitals = m->letters & ~_mm512_test_epi8_mask(c, _mm512_set1_epi8(0x20));
    m->digits = avx512_range(c, '0', 10);
    m->blanks = avx512_equal(c, ' ');
    m->spaces = m->blanks | avx512_range(c, '\t', 5);
    m->newlines = avx512_equal(c, '\n') | avx512_equal(c, '\r');
    m->quotes = avx512_equal(c, '\'');
    m->slashes = avx512_equal(c, '/');
    m->beyond = _mm512_movepi8_mask(c);
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(leads)(const uint8_t *bytes, scan_masks *m)
{
    __m512i c = _mm512_loadu_si512(bytes);

    m->lead[0] = avx512_range(c, 0xC0, 0x20);
    m->lead[1] = avx512_range(c, 0xE0, 0x10);
    m->lead[2] = avx512_range(c, 0xF0, 0x10);
    return avx512_range(c, 0xE5, 5) |
           (avx512_equal(c, (char)0xE4) & avx512_range(c, 0xB8, 0x08) >> 1);
}

#include "scan_loop.h"

#endif
