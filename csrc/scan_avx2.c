/* scan_avx2.c - 64 bytes classified as two halves of 32. */
#include "cpu.h"

#if CPU_HAS_X86

#include "scan_wide.h"

#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define SCAN(name) scan_avx2_##name

typedef struct avx2_halves {
    __m256i low;
    __m256i high;
} avx2_halves;

SCAN_TARGET static BASE_INLINE avx2_halves avx2_load(const uint8_t *bytes)
{
    avx2_halves c = {_mm256_loadu_si256((const __m256i *)(const void *)bytes),
                     _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32))};
    return c;
}

SCAN_TARGET static BASE_INLINE uint64_t avx2_mask(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

SCAN_TARGET static BASE_INLINE uint64_t avx2_equal(avx2_halves c, char value)
{
    __m256i v = _mm256_set1_epi8(value);
    return avx2_mask(_mm256_cmpeq_epi8(c.low, v), _mm256_cmpeq_epi8(c.high, v));
}

/* Bytes from first to first + n - 1; a byte less than n is one whose minimum with n - 1 is
 * itself. */
SCAN_TARGET static BASE_INLINE uint64_t avx2_range(avx2_halves c, uint8_t first,
                                                   uint8_t n)
{
    __m256i base = _mm256_set1_epi8((char)first);
    __m256i most = _mm256_set1_epi8((char)(n - 1));
    __m256i low = _mm256_sub_epi8(c.low, base);
    __m256i high = _mm256_sub_epi8(c.high, base);
    return avx2_mask(_mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low),
                     _mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high));
}

SCAN_TARGET static BASE_INLINE void SCAN(ascii)(const uint8_t *bytes, scan_masks *m)
{
    avx2_halves c = avx2_load(bytes);

    m->capitals = avx2_range(c, 'A', 26);
    m->letters = m->capitals | avx2_range(c, 'a', 26);
    m->digits = avx2_range(c, '0', 10);
    m->blanks = avx2_equal(c, ' ');
    m->spaces = m->blanks | avx2_range(c, '\t', 5);
    m->newlines = avx2_equal(c, '\n') | avx2_equal(c, '\r');
    m->quotes = avx2_equal(c, '\'');
    m->slashes = avx2_equal(c, '/');
    m->beyond = avx2_mask(c.low, c.high);
}

SCAN_TARGET static BASE_INLINE uint64_t SCAN(leads)(const uint8_t *bytes, scan_masks *m)
{
    avx2_halves c = avx2_load(bytes);

    m->lead[0] = avx2_range(c, 0xC0, 0x20);
    m->lead[1] = avx2_range(c, 0xE0, 0x10);
    m->lead[2] = avx2_range(c, 0xF0, 0x10);
    return avx2_range(c, 0xE5, 5) |
           (avx2_equal(c, (char)0xE4) & avx2_range(c, 0xB8, 0x08) >> 1);
}

#include "scan_loop.h"

#endif
