/* pairs.h - the pair table: which two symbols merge, how early, into what.
 *
 *     (left, right) -> rank        rank -> merged symbol
 *
 * An entry is one word, left << 42 | right << 21 | rank, so a probe is one compare. For two
 * single bytes, the most frequent question, there is an array. Most other questions are
 * answered "no": a bitmap with a bit for each pair's hash says so without the table,
 * whose megabytes are not near the processor. Lower ranks merge first.
 */
#ifndef CTOK_PAIRS_H
#define CTOK_PAIRS_H

#include "base.h"
#include "vocab.h"

#define PAIRS_NONE UINT32_MAX /* no merge; greater than every rank */
#define PAIRS_EMPTY UINT64_MAX

typedef struct pairs {
    uint64_t *slots;
    size_t n_slots; /* a power of two */
    unsigned shift; /* 32 - log2(n_slots) */
    uint32_t *bits; /* 8 for each slot */
    size_t n_pairs;
    uint32_t *bytes;  /* [left << 8 | right]: rank or PAIRS_NONE */
    uint32_t *merged; /* by rank; NULL where rank and merged symbol are the same */
    size_t n_ranks;
} pairs;

/* An empty table with room for n_pairs. */
ctok_status pairs_new(pairs *out, size_t n_pairs, const ctok_allocator *alloc,
                      ctok_error *err);
void pairs_free(pairs *p, const ctok_allocator *alloc);

/* Adds a pair, growing the table when it is half full. A pair already there keeps its rank. */
ctok_status pairs_add(pairs *p, uint32_t left, uint32_t right, uint32_t rank,
                      const ctok_allocator *alloc, ctok_error *err);

/* 32 bits are enough for 2^22 slots, and vector code multiplies them 16 at a time. */
#define PAIRS_MIX_1 0x9E3779B1u
#define PAIRS_MIX_2 0x85EBCA77u

static BASE_INLINE uint32_t pairs_hash(uint32_t left, uint32_t right)
{
    return (left * PAIRS_MIX_1 ^ right) * PAIRS_MIX_2;
}

/* The rank at which two symbols merge, or PAIRS_NONE. */
static BASE_INLINE uint32_t pairs_rank(const pairs *p, uint32_t left, uint32_t right)
{
    uint64_t key = (uint64_t)left << VOCAB_SYMBOL_BITS | right;
    uint32_t hash = pairs_hash(left, right);
    uint32_t bit = hash >> (p->shift - 3);
    size_t i;

    if ((left | right) < 256) {
        return p->bytes[left << 8 | right];
    }
    if ((p->bits[bit / 32] >> (bit % 32) & 1) == 0) {
        return PAIRS_NONE;
    }
    for (i = hash >> p->shift;; i = (i + 1) & (p->n_slots - 1)) {
        uint64_t entry = p->slots[i];
        if (entry >> VOCAB_SYMBOL_BITS == key) {
            return (uint32_t)entry & ((1u << VOCAB_SYMBOL_BITS) - 1);
        }
        if (entry == PAIRS_EMPTY) {
            return PAIRS_NONE;
        }
    }
}

/* What a merge of this rank makes. */
static inline uint32_t pairs_merged(const pairs *p, uint32_t rank)
{
    return p->merged == NULL ? rank : p->merged[rank];
}

size_t pairs_size_in_memory(const pairs *p);

#endif
