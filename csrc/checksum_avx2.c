/* checksum_avx2.c - the same sums, four words at a time: as fast as memory. */
#include "checksum.h"
#include "cpu.h"

#if CPU_HAS_X86

#include <immintrin.h>

#define CHECKSUM_TARGET __attribute__((target("avx2")))

/* Half of a checksum: four of the eight words. */
typedef struct checksum_half {
    __m256i sums;
    __m256i products;
    __m256i orders;
} checksum_half;

CHECKSUM_TARGET static BASE_INLINE checksum_half checksum_load(const checksum *sum,
                                                               size_t at)
{
    checksum_half half;

    half.sums = _mm256_loadu_si256((const __m256i *)(sum->sums + at));
    half.products = _mm256_loadu_si256((const __m256i *)(sum->products + at));
    half.orders = _mm256_loadu_si256((const __m256i *)(sum->orders + at));
    return half;
}

CHECKSUM_TARGET static BASE_INLINE void checksum_store(checksum *sum, size_t at,
                                                       checksum_half half)
{
    _mm256_storeu_si256((__m256i *)(sum->sums + at), half.sums);
    _mm256_storeu_si256((__m256i *)(sum->products + at), half.products);
    _mm256_storeu_si256((__m256i *)(sum->orders + at), half.orders);
}

CHECKSUM_TARGET static BASE_INLINE checksum_half checksum_four(checksum_half half,
                                                               const uint8_t *words)
{
    __m256i w = _mm256_loadu_si256((const __m256i *)words);
    __m256i mixed = _mm256_xor_si256(w, _mm256_set1_epi64x((int64_t)CHECKSUM_MIX));
    __m256i product = _mm256_mul_epu32(mixed, _mm256_srli_epi64(mixed, 32));

    half.sums = _mm256_add_epi64(half.sums, w);
    half.products = _mm256_add_epi64(half.products, product);
    half.orders = _mm256_add_epi64(half.orders, half.products);
    return half;
}

#define CHECKSUM_ADD(line)                                                             \
    do {                                                                               \
        const uint8_t *line_ = (line);                                                 \
        /* Not into the nearest cache, where the block before is still looked at. */   \
        _mm_prefetch((const char *)((uintptr_t)line_ + CHECKSUM_BLOCK), _MM_HINT_T1);  \
        low = checksum_four(low, line_);                                               \
        high = checksum_four(high, line_ + CHECKSUM_LINE / 2);                         \
    } while (0)

CHECKSUM_TARGET void checksum_avx2(checksum *sum, const uint8_t *lines, size_t n_lines)
{
    const size_t quarter = n_lines / 4 * CHECKSUM_LINE;
    checksum_half low = checksum_load(sum, 0);
    checksum_half high = checksum_load(sum, CHECKSUM_WORDS / 2);
    size_t at;

    for (at = 0; at < quarter; at += CHECKSUM_LINE) {
        CHECKSUM_ADD(lines + at);
        CHECKSUM_ADD(lines + at + quarter);
        CHECKSUM_ADD(lines + at + 2 * quarter);
        CHECKSUM_ADD(lines + at + 3 * quarter);
    }
    for (at = 4 * quarter; at < n_lines * CHECKSUM_LINE; at += CHECKSUM_LINE) {
        CHECKSUM_ADD(lines + at);
    }
    checksum_store(sum, 0, low);
    checksum_store(sum, CHECKSUM_WORDS / 2, high);
}

#endif
