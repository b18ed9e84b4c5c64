/* scan_avx512.c - 64 bytes classified by compares that yield masks at once, and masks turned into places
 * by an instruction made for it (VBMI2). */
#include "cpu.h"

#if CPU_HAS_X86

#include "scan_wide.h"

#include <immintrin.h>

#define SCAN_TARGET                                                                    \
    __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt")))
#define SCAN(name) scan_avx512_##name

typedef __m512i SCAN(bytes);

SCAN_TARGET static BASE_INLINE SCAN(bytes) SCAN(load)(const uint8_t *bytes)
{
    return _mm512_loadu_si512(bytes);
}

/* A mask where arithmetic needs it. The compiler would leave it in a register for masks, and move it anew
 * for every use. */
static BASE_INLINE uint64_t avx512_mask(__mmask64 some)
{
    uint64_t mask = some;

    __asm__("" : "+r"(mask));
    return mask;
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(range)(SCAN(bytes) c, uint8_t first,
                                                    uint8_t n)
{
    __m512i from_first = _mm512_sub_epi8(c, _mm512_set1_epi8((char)first));
    return avx512_mask(_mm512_cmplt_epu8_mask(from_first, _mm512_set1_epi8((char)n)));
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(equal)(SCAN(bytes) c, uint8_t value)
{
    return avx512_mask(_mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8((char)value)));
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(beyond)(SCAN(bytes) c)
{
    return _mm512_movepi8_mask(c);
}

/* Sixteen of the places, in 32 bits. */
SCAN_TARGET static BASE_INLINE void avx512_put(__m128i places, uint32_t base,
                                               uint32_t *ends)
{
    _mm512_storeu_si512(ends, _mm512_add_epi32(_mm512_cvtepu8_epi32(places),
                                               _mm512_set1_epi32((int)base)));
}

/* Of all places, those whose bits are set move to the front. In most blocks that is no more than sixteen:
 *
 *     places   0 1 2 3 4 ... 63     bits   0 1 0 0 1 ...     front   1 4 ...
 */
SCAN_TARGET static BASE_INLINE size_t SCAN(emit)(uint64_t starts, uint32_t base,
                                                 uint32_t *ends)
{
    static const _Alignas(64) uint8_t places[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
        32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
        48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i front = _mm512_maskz_compress_epi8(starts, _mm512_load_si512(places));
    unsigned n = scan_count(starts);

    avx512_put(_mm512_castsi512_si128(front), base, ends);
    if (BASE_UNLIKELY(n > 16)) {
        avx512_put(_mm512_extracti32x4_epi32(front, 1), base, ends + 16);
        avx512_put(_mm512_extracti32x4_epi32(front, 2), base, ends + 32);
        avx512_put(_mm512_extracti32x4_epi32(front, 3), base, ends + 48);
    }
    return n;
}

#include "scan_loop.h"

#endif
