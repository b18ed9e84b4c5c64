/* scan_neon.c - 64 bytes classified as four vectors of 16. */
#include "cpu.h"

#if CPU_HAS_NEON

#include "scan_wide.h"

#include <arm_neon.h>

#define SCAN_TARGET
#define SCAN(name) scan_neon_##name

typedef struct SCAN(bytes) {
    uint8x16_t part[4];
} SCAN(bytes);

/* One bit a byte: each byte keeps the bit of its place among eight, then neighbours are
 * added until eight bytes have become one. */
static BASE_INLINE uint64_t neon_mask(const SCAN(bytes) * is)
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

static BASE_INLINE uint64_t SCAN(range)(SCAN(bytes) c, uint8_t first, uint8_t n)
{
    SCAN(bytes) is;
    int i;

    for (i = 0; i < 4; i++) {
        is.part[i] = vcltq_u8(vsubq_u8(c.part[i], vdupq_n_u8(first)), vdupq_n_u8(n));
    }
    return neon_mask(&is);
}

static BASE_INLINE SCAN(bytes) SCAN(load)(const uint8_t *bytes)
{
    SCAN(bytes) c;
    int i;

    for (i = 0; i < 4; i++) {
        c.part[i] = vld1q_u8(bytes + 16 * i);
    }
    return c;
}

static BASE_INLINE uint64_t SCAN(equal)(SCAN(bytes) c, uint8_t value)
{
    return SCAN(range)(c, value, 1);
}

static BASE_INLINE uint64_t SCAN(beyond)(SCAN(bytes) c)
{
    return SCAN(range)(c, 0x80, 0x80);
}

static BASE_INLINE size_t SCAN(emit)(uint64_t starts, uint32_t base, uint32_t *ends)
{
    return scan_emit(starts, base, ends);
}

#include "scan_loop.h"

#endif
