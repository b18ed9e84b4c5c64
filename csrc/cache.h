/* cache.h - the word cache: what pieces became when they were met before.
 *
 * Nine of ten pieces of ordinary text are short, have few ids, and were seen a moment ago. Two
 * tables, both direct-mapped and lossy: a piece has one place, the latest keeps it.
 *
 *     words     up to 15 bytes and 3 ids, 32 bytes an entry: a hit is one 16-byte compare and
 *               one 16-byte copy
 *
 *       key  'H' 'e' 'l' 'l' 'o'  0 ... 0  5      ids  13225  -  -      n  1
 *            15 bytes, zero behind the piece, its length
 *
 *     phrases   up to 52 bytes and 16 ids, 128 bytes an entry: what does not fit above
 *
 * Both start small and grow while new pieces keep coming, up to the limit.
 */
#ifndef CTOK_CACHE_H
#define CTOK_CACHE_H

#include "base.h"

#define CACHE_WORD_BYTES 15
#define CACHE_WORD_IDS 3
#define CACHE_PHRASE_BYTES 52
#define CACHE_PHRASE_IDS 16

typedef struct cache_key {
    uint64_t low;
    uint64_t high;
} cache_key;

typedef struct cache_word {
    cache_key key; /* all zero: empty, for no piece has length 0 */
    uint32_t ids[CACHE_WORD_IDS];
    uint32_t n;
} cache_word;

typedef struct cache_phrase {
    uint64_t hash;
    uint16_t len; /* 0: empty */
    uint16_t n;
    uint8_t piece[CACHE_PHRASE_BYTES];
    uint32_t ids[CACHE_PHRASE_IDS];
} cache_phrase;

typedef struct cache_table {
    void *entries;    /* NULL: switched off */
    size_t n_entries; /* a power of two */
    size_t max_entries;
    size_t n_added; /* since it last grew */
    unsigned shift; /* 64 - log2(n_entries) */
} cache_table;

typedef struct cache {
    cache_table words;
    cache_table phrases;
} cache;

/* An empty cache that never takes more than n_bytes; 0 switches it off. */
ctok_status cache_new(cache *out, size_t n_bytes, const ctok_allocator *alloc,
                      ctok_error *err);
void cache_free(cache *c, const ctok_allocator *alloc);
void cache_clear(cache *c);

/* Grows a table that is being overwritten; between blocks, for places change. A table that
 * cannot grow stays as it is. */
void cache_grow(cache *c, const ctok_allocator *alloc);

extern const uint8_t cache_masks[CACHE_WORD_BYTES + 1][16];

/* The key of a piece of 1 to 15 bytes. Reads no byte at or behind end. */
static BASE_INLINE cache_key cache_key_of(const uint8_t *piece, size_t len,
                                          const uint8_t *end)
{
    cache_key key;
    cache_key mask;

    if (BASE_LIKELY((size_t)(end - piece) >= sizeof key)) {
        memcpy(&key, piece, sizeof key);
        memcpy(&mask, cache_masks[len], sizeof mask);
        key.low &= mask.low;
        key.high &= mask.high;
    } else {
        uint8_t bytes[16] = {0};
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

static BASE_INLINE uint64_t cache_mix(uint64_t low, uint64_t high)
{
    uint64_t h =
        low * UINT64_C(0x9E3779B97F4A7C15) + high * UINT64_C(0xC2B2AE3D27D4EB4F);
    return h ^ h << 23;
}

/* Where a word is, if it is anywhere. */
static BASE_INLINE cache_word *cache_word_at(const cache *c, cache_key key)
{
    return (cache_word *)c->words.entries +
           (cache_mix(key.low, key.high) >> c->words.shift);
}

static BASE_INLINE bool cache_word_is(const cache_word *entry, cache_key key)
{
    return ((entry->key.low ^ key.low) | (entry->key.high ^ key.high)) == 0;
}

/* Where a piece with this hash (vocab_hash) is, if it is anywhere. */
static BASE_INLINE cache_phrase *cache_phrase_at(const cache *c, uint64_t hash)
{
    return (cache_phrase *)c->phrases.entries +
           (cache_mix(hash, 0) >> c->phrases.shift);
}

static BASE_INLINE bool cache_phrase_is(const cache_phrase *entry, uint64_t hash,
                                        ctok_bytes piece)
{
    return entry->hash == hash && entry->len == piece.len &&
           memcmp(entry->piece, piece.ptr, piece.len) == 0;
}

/* Remembers what a piece became, where it fits. key is that of a piece of up to
 * CACHE_WORD_BYTES, hash is its vocab_hash. */
void cache_add(cache *c, cache_key key, uint64_t hash, ctok_bytes piece,
               const uint32_t *ids, size_t n);

#endif
