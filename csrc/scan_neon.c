/* scan_neon.c - 64 bytes classified as four vectors of 16. */
#include "cpu.h"

#if CPU_HAS_NEON

#include "scan_wide.h"

#include <arm_neon.h>

#define SCAN_TARGET
#define SCAN(name) scan_neon_##name

typedef struct neon_quarters {
    uint8x16_t part[4];
} neon_quarters;

/* One bit a byte: each byte keeps the bit of its place among eight, then neighbours are
 * added until eight bytes have become one. */
static BASE_INLINE uint64_t neon_mask(const neon_quarters *is)
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                       1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t place = vld1q_u8(places);
    uint8x16_t low =
        vpaddq_u8(vandq_u8(is->part[0], place), vandq_u8(is->part[1], place));
    uint8x16_t high =
        vpaddq_u8(vandq_u8(is->part[2], place), vandq_u8(is->part[3], place));
    uint8x16_t sum = vpaddq_u8(low, high);

    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

static BASE_INLINE uint64_t neon_range(const neon_quarters *c, uint8_t first, uint8_t n)
{
    neon_quarters is;
    int i;

    for (i = 0; i < 4; i++) {
        is.part[i] = vcltq_u8(vsubq_u8(c->part[i], vdupq_n_u8(first)), vdupq_n_u8(n));
    }
    return neon_mask(&is);
}

static BASE_INLINE neon_quarters neon_load(const uint8_t *bytes)
{
    neon_quarters c;
    int i;

    for (i = 0; i < 4; i++) {
        c.part[i] = vld1q_u8(bytes + 16 * i);
    }
    return c;
}

static BASE_INLINE void SCAN(ascii)(const uint8_t *bytes, scan_masks *m)
{
    neon_quarters c = neon_load(bytes);

    m->capitals = neon_range(&c, 'A', 26);
    m->letters = m->capitals | neon_range(&c, 'a', 26);
    m->digits = neon_range(&c, '0', 10);
    m->blanks = neon_range(&c, ' ', 1);
    m->spaces = m->blanks | neon_range(&c, '\t', 5);
    m->newlines = neon_range(&c, '\n', 1) | neon_range(&c, '\r', 1);
    m->quotes = neon_range(&c, '\'', 1);
    m->slashes = neon_range(&c, '/', 1);
    m->beyond = neon_range(&c, 0x80, 0x80);
}

static BASE_INLINE uint64_t SCAN(leads)(const uint8_t *bytes, scan_masks *m)
{
    neon_quarters c = neon_load(bytes);

    m->lead[0] = neon_range(&c, 0xC0, 0x20);
    m->lead[1] = neon_range(&c, 0xE0, 0x10);
    m->lead[2] = neon_range(&c, 0xF0, 0x10);
    return neon_range(&c, 0xE5, 5) |
           (neon_range(&c, 0xE4, 1) & neon_range(&c, 0xB8, 0x08) >> 1);
}

#include "scan_loop.h"

#endif
