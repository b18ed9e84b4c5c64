/* cache.h - the word cache: what pieces became when they were met before.
 *
 * Nine of ten pieces of ordinary text are short, have few ids, and were seen a moment ago. Two
 * tables, both direct-mapped and lossy: a piece has one place, the latest keeps it.
 *
 *     words     up to 15 bytes and 3 ids, 32 bytes an entry: a hit is one 16-byte compare and
 *               one 16-byte copy
 *
 *       key (key.h)      ids  13225  -  -      n  1
 *
 *     phrases   up to 52 bytes and 16 ids, 128 bytes an entry: what does not fit above
 *
 * Both start small and grow while new pieces keep coming, up to the limit.
 */
#ifndef CTOK_CACHE_H
#define CTOK_CACHE_H

#include "key.h"

#define CACHE_WORD_IDS 3
#define CACHE_PHRASE_BYTES 52
#define CACHE_PHRASE_IDS 16

typedef struct cache_word {
    key key; /* all zero: empty, for no piece has length 0 */
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
    void *entries;    /* on a cache line; NULL: switched off */
    void *memory;     /* the allocation that they are in */
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

/* Where a word is, if it is anywhere. hash is its key_hash. */
static BASE_INLINE cache_word *cache_word_at(const cache *c, uint64_t hash)
{
    return (cache_word *)c->words.entries + (hash >> c->words.shift);
}

/* The other place: words that would be overwritten move there. It is on the same cache line. */
static BASE_INLINE cache_word *cache_word_beside(const cache_word *word)
{
    return (cache_word *)((uintptr_t)word ^ sizeof *word);
}

/* Where a piece with this hash is, if it is anywhere. */
static BASE_INLINE cache_phrase *cache_phrase_at(const cache *c, uint64_t hash)
{
    return (cache_phrase *)c->phrases.entries +
           (hash * UINT64_C(0x9E3779B97F4A7C15) >> c->phrases.shift);
}

static BASE_INLINE bool cache_phrase_is(const cache_phrase *entry, uint64_t hash,
                                        ctok_bytes piece)
{
    return entry->hash == hash && entry->len == piece.len &&
           memcmp(entry->piece, piece.ptr, piece.len) == 0;
}

/* Remember what a piece became, where the cache is on and a phrase fits. */
void cache_add_word(cache *c, key k, uint64_t hash, const uint32_t *ids, uint32_t n);
void cache_add_phrase(cache *c, uint64_t hash, ctok_bytes piece, const uint32_t *ids,
                      size_t n);

#endif
