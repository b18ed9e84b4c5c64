/* cache.h - the word cache: what pieces became when they were met before.
 *
 * Nine of ten pieces of ordinary text are short, have few ids, and were seen a moment ago: words,
 * up to 15 bytes and 4 ids, 32 bytes an entry. A hit is one 16-byte compare and one 16-byte copy.
 *
 *     key (key.h), and in its spare bits how many ids      ids  13225  -  -  -
 *
 * The table is lossy: a word has one place, and one beside it, on the same cache line. Who comes first
 * has the place, for what comes often comes early; the others share the one beside, and those that
 * are looked up there change places by and by (cache_prefer). All other pieces are phrases
 * (phrases.h), and so is a word of several ids that has lost its place. Both start small and grow while
 * new pieces keep coming, up to the limit.
 */
#ifndef CTOK_CACHE_H
#define CTOK_CACHE_H

#include "key.h"
#include "phrases.h"

#define CACHE_WORD_IDS 4

typedef struct cache_word {
    key key; /* all zero: empty, for no piece has length 0 */
    uint32_t ids[CACHE_WORD_IDS];
} cache_word;

typedef struct cache {
    cache_word *words; /* on a cache line; NULL: switched off */
    void *memory;      /* the allocation that they are in */
    size_t n_words;    /* even; so are the others */
    size_t cap_words;  /* that there is memory for */
    size_t max_words;
    size_t n_added; /* since it last grew */
    phrases phrases;
} cache;

/* An empty cache of n_bytes at most, and a few cache lines; while it grows, what it had is there
 * besides. 0 switches it off. */
ctok_status cache_new(cache *out, size_t n_bytes, const ctok_allocator *alloc,
                      ctok_error *err);
void cache_free(cache *c, const ctok_allocator *alloc);
void cache_clear(cache *c);

/* Makes room for more words when many were overwritten; between blocks, for places change. Where
 * memory is short it stays as it is. */
void cache_grow(cache *c, const ctok_allocator *alloc);

/* Where a word is, if it is anywhere. hash is its key_hash, of which the high half is good. */
static BASE_INLINE cache_word *cache_word_at(const cache *c, uint64_t hash)
{
    return c->words + base_place((uint32_t)(hash >> 32), c->n_words);
}

/* The other place, on the same cache line. */
static BASE_INLINE cache_word *cache_word_beside(const cache_word *word)
{
    return (cache_word *)((uintptr_t)word ^ sizeof *word);
}

/* Of an entry's key: how many ids. */
#define CACHE_N_BITS ((uint64_t)0xF << KEY_SPARE)

static BASE_INLINE bool cache_word_is(const cache_word *word, key k)
{
    return ((word->key.low ^ k.low) | ((word->key.high ^ k.high) & ~CACHE_N_BITS)) == 0;
}

/* How many ids a word has; 0: there is none. */
static BASE_INLINE uint32_t cache_word_n(const cache_word *word)
{
    return (uint32_t)(word->key.high >> KEY_SPARE) & 0xF;
}

static inline key cache_word_key(const cache_word *word)
{
    key k = {word->key.low, word->key.high & ~CACHE_N_BITS};
    return k;
}

/* Remembers what a word became: n of CACHE_WORD_IDS ids, which are all read. No phrase moves. */
void cache_add_word(cache *c, key k, uint64_t hash, const uint32_t *ids, uint32_t n);

/* Lets a word change places with the one beside it. */
void cache_prefer(cache *c, const cache_word *word);

#endif
