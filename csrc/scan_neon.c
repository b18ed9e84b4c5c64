/* scan_neon.c - 64 bytes classified as four vectors of 16. */
#include "cpu.h"
#include "scan_starts.h"

#if CPU_HAS_NEON

#include <arm_neon.h>

typedef struct scan_quarters {
    uint8x16_t part[4];
} scan_quarters;

/* One bit a byte: each byte keeps the bit of its place among eight, then neighbours are
 * added until eight bytes have become one. */
static BASE_INLINE uint64_t scan_mask(const scan_quarters *is)
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

static BASE_INLINE uint64_t scan_range(const scan_quarters *c, uint8_t first, uint8_t n)
{
    scan_quarters is;
    int i;

    for (i = 0; i < 4; i++) {
        is.part[i] = vcltq_u8(vsubq_u8(c->part[i], vdupq_n_u8(first)), vdupq_n_u8(n));
    }
    return scan_mask(&is);
}

size_t scan_neon(const scan_shape *shape, const uint8_t *text, size_t len,
                 uint32_t *ends)
{
    uint8_t padded[64] = {0};
    const uint8_t *from = text;
    scan_quarters c;
    scan_masks m;
    int i;

    if (len < 64) {
        memcpy(padded, text, len);
        from = padded;
    }
    for (i = 0; i < 4; i++) {
        c.part[i] = vld1q_u8(from + 16 * i);
    }
    m.capitals = scan_range(&c, 'A', 26);
    m.letters = m.capitals | scan_range(&c, 'a', 26);
    m.digits = scan_range(&c, '0', 10);
    m.blanks = scan_range(&c, ' ', 1);
    m.spaces = m.blanks | scan_range(&c, '\t', 5);
    m.newlines = scan_range(&c, '\n', 1) | scan_range(&c, '\r', 1);
    m.quotes = scan_range(&c, '\'', 1);
    m.slashes = scan_range(&c, '/', 1);
    m.beyond = scan_range(&c, 0x80, 0x80);
    if (len < 64) {
        m.beyond |= ~(uint64_t)0 << len;
    }
    return scan_emit(scan_starts(shape, &m, text), ends);
}

#endif
