/* scan_avx2.c - 64 bytes classified as two halves of 32. */
#include "cpu.h"

#if CPU_HAS_X86

#include "scan_wide.h"

#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define SCAN(name) scan_avx2_##name

typedef struct SCAN(bytes) {
    __m256i low;
    __m256i high;
} SCAN(bytes);

SCAN_TARGET static BASE_INLINE SCAN(bytes) SCAN(load)(const uint8_t *bytes)
{
    SCAN(bytes)
    c = {_mm256_loadu_si256((const __m256i *)(const void *)bytes),
         _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32))};
    return c;
}

SCAN_TARGET static BASE_INLINE uint64_t avx2_mask(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(equal)(SCAN(bytes) c, uint8_t value)
{
    __m256i v = _mm256_set1_epi8((char)value);
    return avx2_mask(_mm256_cmpeq_epi8(c.low, v), _mm256_cmpeq_epi8(c.high, v));
}

/* A byte less than n is one whose minimum with n - 1 is itself. */
SCAN_TARGET static BASE_INLINE uint64_t SCAN(range)(SCAN(bytes) c, uint8_t first,
                                                    uint8_t n)
{
    __m256i base = _mm256_set1_epi8((char)first);
    __m256i most = _mm256_set1_epi8((char)(n - 1));
    __m256i low = _mm256_sub_epi8(c.low, base);
    __m256i high = _mm256_sub_epi8(c.high, base);
    return avx2_mask(_mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low),
                     _mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high));
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(beyond)(SCAN(bytes) c)
{
    return avx2_mask(c.low, c.high);
}

SCAN_TARGET static BASE_INLINE size_t SCAN(emit)(uint64_t starts, uint32_t base,
                                                 uint32_t *ends)
{
    return scan_emit(starts, base, ends);
}

#include "scan_loop.h"

#endif
