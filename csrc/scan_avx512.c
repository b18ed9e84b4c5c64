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

SCAN_TARGET static BASE_INLINE uint64_t SCAN(range)(SCAN(bytes) c, uint8_t first,
                                                    uint8_t n)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(c, _mm512_set1_epi8((char)first)),
                                  _mm512_set1_epi8((char)n));
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(equal)(SCAN(bytes) c, uint8_t value)
{
    return _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8((char)value));
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(beyond)(SCAN(bytes) c)
{
    return _mm512_movepi8_mask(c);
}

#include "scan_loop.h"

#endif
