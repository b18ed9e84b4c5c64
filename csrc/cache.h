/* cache.h - the word cache: pieces of up to 15 bytes that became up to 3 ids.
 *
 * Nine of ten pieces of ordinary text are such, and most of them were seen a moment ago. The
 * cache is direct-mapped and lossy: a piece has one place, the latest one keeps it. A hit is
 * one 16-byte compare and one 16-byte copy.
 *
 *     key  'H' 'e' 'l' 'l' 'o'  0 ... 0  5      ids  13225  -  -      n  1
 *          15 bytes, zero behind the piece, its length
 */
#ifndef CTOK_CACHE_H
#define CTOK_CACHE_H

#include "base.h"

#define CACHE_MAX_PIECE 15
#define CACHE_MAX_IDS 3

typedef struct cache_key {
    uint64_t low;
    uint64_t high;
} cache_key;

typedef struct cache_entry {
    cache_key key; /* all zero: empty, for no piece has length 0 */
    uint32_t ids[CACHE_MAX_IDS];
    uint32_t n;
} cache_entry;

typedef struct cache {
    cache_entry *entries; /* NULL: switched off */
    size_t n_entries;     /* a power of two */
    unsigned shift;
} cache;

/* The largest cache of at most so many bytes; off when that is none. */
ctok_status cache_new(cache *out, size_t n_bytes, const ctok_allocator *alloc,
                      ctok_error *err);
void cache_free(cache *c, const ctok_allocator *alloc);
void cache_clear(cache *c);

extern const uint8_t cache_masks[CACHE_MAX_PIECE + 1][16];

/* The key of a piece of 1 to 15 bytes. Reads no byte at or behind end. */
static inline cache_key cache_key_of(const uint8_t *piece, size_t len,
                                     const uint8_t *end)
{
    cache_key key;
    cache_key mask;
    uint8_t bytes[16] = {0};

    if (BASE_LIKELY((size_t)(end - piece) >= sizeof bytes)) {
        memcpy(&key, piece, sizeof key);
        memcpy(&mask, cache_masks[len], sizeof mask);
        key.low &= mask.low;
        key.high &= mask.high;
    } else {
        memcpy(bytes, piece, len);
        memcpy(&key, bytes, sizeof key);
    }
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    key.high |= (uint64_t)len;
#else
    key.high |= (uint64_t)len << 56;
#endif
    return key;
}

/* Where a key is, if it is anywhere. */
static inline cache_entry *cache_at(const cache *c, cache_key key)
{
    uint64_t h = key.low * UINT64_C(0x9E3779B97F4A7C15) +
                 key.high * UINT64_C(0xC2B2AE3D27D4EB4F);
    return &c->entries[(h ^ h << 23) >> c->shift];
}

static inline bool cache_is(const cache_entry *entry, cache_key key)
{
    return ((entry->key.low ^ key.low) | (entry->key.high ^ key.high)) == 0;
}

#endif
