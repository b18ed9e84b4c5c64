/* words.h - the symbols of the vocabulary's short tokens by their keys: read only, shared by
 * all threads.
 *
 * A bucket is one cache line, so an answer costs one access to memory. It has room for three
 * tokens; what does not fit goes to the next bucket that has room, and those on the
 * way there are over.
 *
 *     key  key  key  symbol symbol symbol  is_over
 */
#ifndef CTOK_WORDS_H
#define CTOK_WORDS_H

#include "key.h"
#include "section.h"

#define WORDS_PER_BUCKET 3
#define WORDS_NONE UINT32_MAX

typedef struct words_bucket {
    key keys[WORDS_PER_BUCKET]; /* all zero: empty, for no piece has length 0 */
    uint32_t symbols[WORDS_PER_BUCKET];
    uint32_t is_over; /* some that belong here are behind it */
} words_bucket;

typedef struct words {
    words_bucket *buckets;
    size_t n_buckets;
    void *memory; /* the allocation that the buckets are in */
} words;

/* An empty table for n tokens. */
ctok_status words_new(words *out, size_t n, const ctok_allocator *alloc,
                      ctok_error *err);
void words_free(words *w, const ctok_allocator *alloc);

/* Adds a token that is not in the table. */
void words_add(words *w, key k, uint32_t symbol);

/* Where a token is, if it is anywhere. hash is its key_hash, of which the high half is good. */
static BASE_INLINE const words_bucket *words_at(const words *w, uint64_t hash)
{
    return w->buckets + base_place((uint32_t)(hash >> 32), w->n_buckets);
}

/* The symbol of a token, or WORDS_NONE. */
static BASE_INLINE uint32_t words_find(const words *w, key k, uint64_t hash)
{
    const words_bucket *b = words_at(w, hash);

    for (;;) {
        size_t i;

        for (i = 0; i < WORDS_PER_BUCKET; i++) {
            if (key_equal(b->keys[i], k)) {
                return b->symbols[i];
            }
        }
        if (BASE_LIKELY(!b->is_over)) {
            return WORDS_NONE;
        }
        b = b + 1 == w->buckets + w->n_buckets ? w->buckets : b + 1;
    }
}

size_t words_size_in_memory(const words *w);

void words_sections(words *w, sections *s);

/* Whether every look-up ends, and finds one of n_symbols. */
bool words_are_sound(const words *w, size_t n_symbols, sections *s);

#endif
