/* phrases.h - what longer pieces became, and those of many ids: the half of the word cache whose
 * entries have different sizes.
 *
 * Records lie one behind the other in a log; an index says where. Both are one allocation.
 *
 *     index   buckets of four:   tag|at  tag|at  tag|at  0       the newest first
 *     log     | hash len n ids.. piece.. | hash len n ids.. piece.. |  <- end
 *
 * at counts words of 4 bytes and is never 0. The tag, what else of a hash there is room for,
 * saves looks at records of other pieces.
 *
 * The log has eight parts. When the last has no room left, the table becomes larger; at its limit one
 * of them, any, is forgotten and written anew, so no record is ever written over that the index
 * still knows. The oldest would be worse: of a text that comes again, and has a little more than
 * there is room for, everything would be forgotten just before it comes.
 */
#ifndef CTOK_PHRASES_H
#define CTOK_PHRASES_H

#include "base.h"

#define PHRASES_MAX_BYTES 1024 /* lines of dashes, and of blanks */
#define PHRASES_MAX_IDS 128
#define PHRASES_MAX_BUCKETS ((size_t)1 << 24)
#define PHRASES_WAYS 4
#define PHRASES_PARTS 8
/* Words that may be read behind ids, of a record or to be remembered. */
#define PHRASES_BEHIND 8
/* Words of log for each bucket, which has two records then, of 260 languages. */
#define PHRASES_LOG_WORDS 28
/* What a bucket takes, with its part of the log. */
#define PHRASES_BUCKET_BYTES ((size_t)4 * (PHRASES_WAYS + PHRASES_LOG_WORDS))

typedef struct phrases_record {
    uint32_t hash;
    uint16_t len;
    uint16_t n;
    uint32_t ids[]; /* n, and behind them the piece */
} phrases_record;

typedef struct phrases {
    uint32_t *index; /* on a cache line; NULL: switched off */
    uint32_t *log;
    void *memory; /* the allocation that both are in */
    size_t n_buckets;
    size_t max_buckets;
    size_t ends[PHRASES_PARTS]; /* where the records of each part end */
    unsigned part;              /* that is written to */
    unsigned n_parts;           /* that have been written */
    bool is_full;               /* the part: a record had no room */
    uint32_t random;
    uint32_t n_at; /* a power of two above all places in the log; divides tags */
} phrases;

/* An empty table of so many bytes at most, as a cache is; less than two buckets switch it off. */
ctok_status phrases_new(phrases *out, size_t n_bytes, const ctok_allocator *alloc,
                        ctok_error *err);
void phrases_free(phrases *p, const ctok_allocator *alloc);
void phrases_clear(phrases *p);

/* The record of a piece, or NULL, in one step; of a table that is switched off, NULL. */
const phrases_record *phrases_look(const phrases *p, uint32_t hash, ctok_bytes piece);

/* Remembers what a piece became. Behind ids PHRASES_BEHIND words may be read. Returns where its ids are
 * until phrases_grow, or NULL: there was no room, or it is too long. */
const uint32_t *phrases_add(phrases *p, uint32_t hash, ctok_bytes piece,
                            const uint32_t *ids, size_t n);

/* Makes room where there was none. Where memory is short the table stays as it is. */
void phrases_grow(phrases *p, const ctok_allocator *alloc);

/* What the table makes of a hash that is good in its high bits or its low. */
static BASE_INLINE uint32_t phrases_hash(uint64_t hash)
{
    return (uint32_t)(hash * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

/* The tag is what base_place leaves of the hash, behind the point. */
static BASE_INLINE uint32_t *phrases_bucket(const phrases *p, uint32_t hash)
{
    return p->index + PHRASES_WAYS * base_place(hash, p->n_buckets);
}

static BASE_INLINE uint32_t phrases_tag(const phrases *p, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * p->n_buckets) & (0 - p->n_at);
}

static BASE_INLINE const phrases_record *phrases_at(const phrases *p, size_t at)
{
    return (const phrases_record *)(p->log + at);
}

/* The entries of a bucket that have the tag, as bits. */
static BASE_INLINE uint32_t phrases_matches(const phrases *p, const uint32_t *bucket,
                                            uint32_t tag)
{
    uint32_t matches = 0;
    uint32_t i;

    for (i = 0; i < PHRASES_WAYS; i++) {
        matches |= (uint32_t)((bucket[i] ^ tag) - 1 < p->n_at - 1) << i;
    }
    return matches;
}

/* Three steps to a phrase, for several at a time: ask for its bucket, ask for the record that the
 * bucket gives, look. A table that is switched off may not be asked. */
static BASE_INLINE void phrases_ask(const phrases *p, uint32_t hash)
{
    BASE_PREFETCH(phrases_bucket(p, hash));
}

/* Where the record may be, or 0. */
static BASE_INLINE uint32_t phrases_ask_record(const phrases *p, uint32_t hash)
{
    const uint32_t *bucket = phrases_bucket(p, hash);
    uint32_t tag = phrases_tag(p, hash);
    uint32_t matches = phrases_matches(p, bucket, tag);
    uint32_t at;

    if (matches == 0) {
        return 0;
    }
    at = bucket[base_lowest(matches)] ^ tag;
    BASE_PREFETCH(p->log + at);
    BASE_PREFETCH(p->log + at + 15);
    return at;
}

static BASE_INLINE bool phrases_is(const phrases_record *record, uint32_t hash,
                                   ctok_bytes piece)
{
    return record->hash == hash && record->len == piece.len &&
           memcmp(record->ids + record->n, piece.ptr, piece.len) == 0;
}

/* The record of a piece, or NULL; at is what phrases_ask_record gave. */
static BASE_INLINE const phrases_record *phrases_find(const phrases *p, uint32_t at,
                                                      uint32_t hash, ctok_bytes piece)
{
    if (at == 0) {
        return NULL;
    }
    if (BASE_LIKELY(phrases_is(phrases_at(p, at), hash, piece))) {
        return phrases_at(p, at);
    }
    return phrases_look(p, hash, piece); /* another with its tag */
}

#endif
