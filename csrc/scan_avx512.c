/* scan_avx512.c - 64 bytes classified by compares that yield masks at once, and masks turned into places
 * by instructions made for it. */
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

/* Sixteen places at a time, of which those whose bits are set move to the front:
 *
 *     places   16 17 18 19 20 ...     bits   0 1 0 0 1 ...     written   17 20 ...
 */
SCAN_TARGET static BASE_INLINE size_t SCAN(emit)(uint64_t starts, uint32_t base,
                                                 uint32_t *ends)
{
    __m512i places = _mm512_add_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        _mm512_set1_epi32((int)base));
    size_t n = 0;
    int i;

    for (i = 0; i < 4; i++) {
        __mmask16 some = (__mmask16)(starts >> 16 * i);

        _mm512_storeu_si512(ends + n, _mm512_maskz_compress_epi32(some, places));
        n += (size_t)_mm_popcnt_u32(some);
        places = _mm512_add_epi32(places, _mm512_set1_epi32(16));
    }
    return n;
}

#include "scan_loop.h"

#endif
