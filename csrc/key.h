/* key.h - a short piece as 16 bytes, so that comparing two is comparing two numbers.
 *
 *     'H' 'e' 'l' 'l' 'o'  0 ... 0  5      15 bytes, zero behind the piece, its length
 */
#ifndef CTOK_KEY_H
#define CTOK_KEY_H

#include "base.h"

#define KEY_BYTES 15

typedef struct key {
    uint64_t low;
    uint64_t high;
} key;

/* Where in high the length is: four bits, and above them four that are zero. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define KEY_LENGTH 0
#else
#define KEY_LENGTH 56
#endif
#define KEY_SPARE (KEY_LENGTH + 4)

/* 16 ones and 16 zeros: from 16 - n on it begins with n ones. */
static const uint8_t key_window[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* The key of a piece that goes from -back to 0, of 1 to KEY_BYTES bytes, behind which as many may be read as
 * a key has. The mask is read in halves: as one of 16 bytes a compiler may load it into a vector, store
 * that, and load it again by halves, which makes ordinary text 12 % slower. */
static BASE_INLINE key key_of_back(const uint8_t *piece, ptrdiff_t back)
{
    const uint8_t *mask = key_window + 16 + back;
    key k;
    uint64_t low, high;

    memcpy(&k, piece, sizeof k);
    memcpy(&low, mask, sizeof low);
    memcpy(&high, mask + sizeof low, sizeof high);
    k.low &= low;
    k.high &= high;
    k.high -= (uint64_t)back << KEY_LENGTH;
    return k;
}

static BASE_INLINE key key_of(const uint8_t *piece, size_t len)
{
    return key_of_back(piece, -(ptrdiff_t)len);
}

static BASE_INLINE bool key_equal(key a, key b)
{
    return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
}

/* The bytes of a piece, and zeros behind them. */
static BASE_INLINE void key_bytes(key k, uint8_t out[KEY_BYTES + 1])
{
    memcpy(out, &k, sizeof k);
    out[KEY_BYTES] = 0;
}

/* Whether no byte begins a character of three bytes or four: has its upper three bits set. */
static BASE_INLINE bool key_is_narrow(key k)
{
    uint64_t wide =
        (k.low & k.low << 1 & k.low << 2) | (k.high & k.high << 1 & k.high << 2);

    return (wide & UINT64_C(0x8080808080808080)) == 0;
}

/* Good in its high bits only: no byte reaches lower ones than its own. */
static BASE_INLINE uint64_t key_hash(key k)
{
    return k.low * UINT64_C(0x9E3779B97F4A7C15) + k.high * UINT64_C(0xC2B2AE3D27D4EB4F);
}

#endif
