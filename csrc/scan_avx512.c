/* scan_avx512.c - 64 bytes classified by compares that yield masks at once. */
#include "cpu.h"

#if CPU_HAS_X86

#include "scan_wide.h"

#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("avx512f,avx512bw,bmi,bmi2,popcnt")))
#define SCAN(name) scan_avx512_##name

typedef __m512i SCAN(bytes);

SCAN_TARGET static BASE_INLINE SCAN(bytes) SCAN(load)(const uint8_t *bytes)
{
    return _mm512_loadu_si512(bytes);
}

/* Bytes from first to first + n - 1. */
SCAN_TARGET static BASE_INLINE uint64_t SCAN(range)(SCAN(bytes) c, uint8_t first,
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
    SCAN(bytes) c = SCAN(load)(bytes);

    m->letters = SCAN(range)(_mm512_or_si512(c, _mm512_set1_epi8(0x20)), 'a', 26);
    m->capitals = m->letters & ~_mm512_test_epi8_mask(c, _mm512_set1_epi8(0x20));
    m->digits = SCAN(range)(c, '0', 10);
    m->blanks = avx512_equal(c, ' ');
    m->spaces = m->blanks | SCAN(range)(c, '\t', 5);
    m->newlines = avx512_equal(c, '\n') | avx512_equal(c, '\r');
    m->quotes = avx512_equal(c, '\'');
    m->slashes = avx512_equal(c, '/');
    m->beyond = _mm512_movepi8_mask(c);
}

#include "scan_loop.h"

#endif
