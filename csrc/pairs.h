/* pairs.h - the pair table: which two symbols merge, how early, into what.
 *
 *     (left, right) -> rank        rank -> merged symbol
 *
 * An entry is one word, left << 42 | right << 21 | rank: what is left of it after
 * taking the pair away is the rank when it is the pair's, and greater than any when not. All
 * four of a bucket are asked:
 *
 *     a bucket      he|r|12  ll|o|40  th|e|3  -          for ll|o
 *     taken away    large    40       large   large      the rank is 40
 *
 * For two single bytes, the most frequent question, there is an array. Lower ranks merge first.
 */
#ifndef CTOK_PAIRS_H
#define CTOK_PAIRS_H

#include "base.h"
#include "vocab.h"

#define PAIRS_NONE UINT32_MAX /* no merge; greater than every rank */
#define PAIRS_EMPTY UINT64_MAX

#define PAIRS_PER_BUCKET 4

/* Filled from the front. Where all are taken the last two are in order, unless the bucket is over: pairs
 * that belong to it are in the next one. */
typedef struct pairs_bucket {
    uint64_t entries[PAIRS_PER_BUCKET];
} pairs_bucket;

/* Two bytes side by side. */
typedef struct pairs_two {
    uint32_t rank;   /* at which they merge, or PAIRS_NONE */
    uint32_t border; /* what merges across the border between them; see borders.h */
} pairs_two;

typedef struct pairs {
    pairs_bucket *buckets;
    size_t n_buckets; /* a power of two */
    unsigned shift;   /* 32 - log2(n_buckets) */
    void *memory;     /* the allocation that the buckets are in */
    size_t n_pairs;
    pairs_two *bytes; /* [left << 8 | right] */
    uint8_t *sides; /* by symbol: PAIRS_LEFT and PAIRS_RIGHT, where it is in any pair */
    size_t n_symbols;
    uint32_t *merged; /* by rank; NULL where rank and merged symbol are the same */
    size_t n_ranks;
} pairs;

enum { PAIRS_LEFT = 1, PAIRS_RIGHT = 2 };

/* An empty table with room for n_pairs of symbols less than n_symbols. */
ctok_status pairs_new(pairs *out, size_t n_pairs, size_t n_symbols,
                      const ctok_allocator *alloc, ctok_error *err);
void pairs_free(pairs *p, const ctok_allocator *alloc);

/* Adds a pair, growing the table when it is half full. A pair already there keeps its rank. */
ctok_status pairs_add(pairs *p, uint32_t left, uint32_t right, uint32_t rank,
                      const ctok_allocator *alloc, ctok_error *err);

/* Two symbols, of which one is no byte, as in an entry. */
static BASE_INLINE uint64_t pairs_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << (2 * VOCAB_SYMBOL_BITS) | (uint64_t)right
                                                           << VOCAB_SYMBOL_BITS;
}

/* What an entry says. */
static BASE_INLINE uint32_t pairs_left(uint64_t entry)
{
    return (uint32_t)(entry >> (2 * VOCAB_SYMBOL_BITS));
}

static BASE_INLINE uint32_t pairs_right(uint64_t entry)
{
    return (uint32_t)(entry >> VOCAB_SYMBOL_BITS) & VOCAB_SYMBOL_MASK;
}

static BASE_INLINE uint32_t pairs_rank_in(uint64_t entry)
{
    return (uint32_t)entry & VOCAB_SYMBOL_MASK;
}

/* Where a pair is, if it is anywhere. */
static BASE_INLINE const pairs_bucket *pairs_at(const pairs *p, uint64_t pair)
{
    /* 32 bits are enough for 2^22 buckets. */
    uint64_t hash = (pair ^ pair >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return p->buckets + ((uint32_t)(hash >> 32) >> p->shift);
}

static BASE_INLINE bool pairs_is_over(const uint64_t *entries)
{
    return entries[PAIRS_PER_BUCKET - 1] < entries[PAIRS_PER_BUCKET - 2];
}

/* The entries of the bucket behind one. */
static BASE_INLINE const uint64_t *pairs_behind(const pairs *p, const uint64_t *entries)
{
    entries += PAIRS_PER_BUCKET;
    return entries == (p->buckets + p->n_buckets)->entries ? p->buckets->entries
                                                           : entries;
}

/* The rank of a pair, or PAIRS_NONE. */
static BASE_INLINE uint32_t pairs_find(const pairs *p, const pairs_bucket *bucket,
                                       uint64_t pair)
{
    const uint64_t *e = bucket->entries;

    for (;;) {
        uint32_t rank = PAIRS_NONE;
        size_t i;

        for (i = 0; i < PAIRS_PER_BUCKET; i++) {
            uint64_t left = e[i] ^ pair;
            rank = left >> VOCAB_SYMBOL_BITS == 0 ? (uint32_t)left : rank;
        }
        if (BASE_LIKELY(!pairs_is_over(e) || rank != PAIRS_NONE)) {
            return rank;
        }
        e = pairs_behind(p, e);
    }
}

/* Whether it pays to look two symbols up, by their sides: both are in some pair, on their side. */
static BASE_INLINE bool pairs_may_merge(uint8_t left, uint8_t right)
{
    return (left & right >> 1 & PAIRS_LEFT) != 0;
}

/* The rank at which two symbols merge, or PAIRS_NONE. */
static BASE_INLINE uint32_t pairs_rank(const pairs *p, uint32_t left, uint32_t right)
{
    uint64_t pair = pairs_key(left, right);

    if ((left | right) < 256) {
        return p->bytes[left << 8 | right].rank;
    }
    return pairs_find(p, pairs_at(p, pair), pair);
}

/* What a merge of this rank makes. */
static inline uint32_t pairs_merged(const pairs *p, uint32_t rank)
{
    return p->merged == NULL ? rank : p->merged[rank];
}

/* Whether a merge of this rank makes one of so many symbols; an image may say anything. */
static BASE_INLINE bool pairs_has_rank(const pairs *p, uint32_t rank, size_t n_symbols)
{
    return p->merged == NULL ? rank < n_symbols
                             : rank < p->n_ranks && p->merged[rank] < n_symbols;
}

size_t pairs_size_in_memory(const pairs *p);

void pairs_sections(pairs *p, sections *s);

/* Whether all pairs are of symbols of v and make symbols of v, as long as both halves
 * together, and no look-up leaves the tables or goes on forever. lengths: vocab_lengths. */
bool pairs_are_sound(const pairs *p, const vocab *v, const uint8_t *lengths,
                     sections *s);

#endif
