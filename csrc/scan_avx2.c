/* scan_avx2.c - 64 bytes classified as two halves of 32. */
#include "cpu.h"
#include "scan_starts.h"

#if CPU_HAS_X86

#include <immintrin.h>

#define SCAN_AVX2 __attribute__((target("avx2,bmi,bmi2")))

typedef struct scan_halves {
    __m256i low;
    __m256i high;
} scan_halves;

SCAN_AVX2 static BASE_INLINE uint64_t scan_mask(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

SCAN_AVX2 static BASE_INLINE uint64_t scan_equal(scan_halves c, char value)
{
    __m256i v = _mm256_set1_epi8(value);
    return scan_mask(_mm256_cmpeq_epi8(c.low, v), _mm256_cmpeq_epi8(c.high, v));
}

/* Bytes from first to first + n - 1; a byte less than n is one whose minimum with n - 1 is
 * itself. */
SCAN_AVX2 static BASE_INLINE uint64_t scan_range(scan_halves c, char first, char n)
{
    __m256i base = _mm256_set1_epi8(first);
    __m256i most = _mm256_set1_epi8((char)(n - 1));
    __m256i low = _mm256_sub_epi8(c.low, base);
    __m256i high = _mm256_sub_epi8(c.high, base);
    return scan_mask(_mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low),
                     _mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high));
}

SCAN_AVX2 size_t scan_avx2(const scan_shape *shape, const uint8_t *text, size_t len,
                           uint32_t *ends)
{
    uint8_t padded[64] = {0};
    const uint8_t *from = text;
    scan_halves c;
    scan_masks m;

    if (len < 64) {
        memcpy(padded, text, len);
        from = padded;
    }
    c.low = _mm256_loadu_si256((const __m256i *)(const void *)from);
    c.high = _mm256_loadu_si256((const __m256i *)(const void *)(from + 32));
    m.capitals = scan_range(c, 'A', 26);
    m.letters = m.capitals | scan_range(c, 'a', 26);
    m.digits = scan_range(c, '0', 10);
    m.blanks = scan_equal(c, ' ');
    m.spaces = m.blanks | scan_range(c, '\t', 5);
    m.newlines = scan_equal(c, '\n') | scan_equal(c, '\r');
    m.quotes = scan_equal(c, '\'');
    m.slashes = scan_equal(c, '/');
    m.beyond = scan_mask(c.low, c.high);
    if (len < 64) {
        m.beyond |= ~(uint64_t)0 << len;
    }
    return scan_emit(scan_starts(shape, &m, text), ends);
}

#endif
