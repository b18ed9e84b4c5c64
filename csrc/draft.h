/* draft.h - what a builder was told, and what finishing it needs: drafts of tokens, merges and
 * specials. Knows nothing of how they become tables. */
#ifndef CTOK_DRAFT_H
#define CTOK_DRAFT_H

#include "idmap.h"
#include "mem.h"
#include "model.h"

typedef struct draft_merge {
    uint32_t left;
    uint32_t right;
    uint32_t merged;
} draft_merge;

struct ctok_builder {
    ctok_allocator alloc;
    uint8_t *blob; /* the bytes of the draft tokens */
    size_t n_blob;
    size_t blob_cap;
    uint32_t *ends; /* by draft: where its bytes end */
    size_t ends_cap;
    uint32_t *ids; /* by draft */
    size_t ids_cap;
    size_t n_drafts;
    draft_merge *merges;
    size_t n_merges;
    size_t merges_cap;
    uint8_t *special_blob;
    size_t n_special_blob;
    size_t special_blob_cap;
    uint32_t *special_ends;
    size_t special_ends_cap;
    uint32_t *special_ids;
    size_t special_ids_cap;
    size_t n_specials;
    ctok_splitter splitter;
    uint32_t flags;
    ctok_cpu cpu;
};

/* What finishing needs besides the model. */
typedef struct draft_model {
    ctok_builder *b;
    ctok_model *model;
    uint32_t *symbols; /* by draft; VOCAB_NONE: not numbered yet */
    size_t symbols_cap;
    idmap by_id;      /* id -> draft */
    uint32_t *formed; /* by symbol: the last rank that makes it */
    size_t n_formed;
    bool rank_is_symbol;
} draft_model;

/* mem_reserve for a typed pointer: C has no void ** that fits them all. */
#define DRAFT_RESERVE(b, array, cap, need, err)                                        \
    do {                                                                               \
        void *reserved_ = (array);                                                     \
        ctok_status reserve_status_ = mem_reserve(&(b)->alloc, &reserved_, &(cap),     \
                                                  (need), sizeof *(array), err);       \
        (array) = reserved_;                                                           \
        if (reserve_status_ != CTOK_OK) {                                              \
            return reserve_status_;                                                    \
        }                                                                              \
    } while (0)

/* Tables are filled in an order that is none in memory: places are asked for so many steps before
 * they are used. */
#define DRAFT_AHEAD 16u

/* The bytes of a draft. */
static inline ctok_bytes draft_bytes(const ctok_builder *b, uint32_t draft)
{
    uint32_t start = draft == 0 ? 0 : b->ends[draft - 1];
    ctok_bytes bytes = {b->blob + start, b->ends[draft] - start};
    return bytes;
}

static inline bool draft_allows_duplicates(const ctok_builder *b)
{
    return (b->flags & CTOK_BUILD_ALLOW_DUPLICATES) != 0;
}

/* Printable bytes of a token for a message. */
typedef struct draft_text {
    char text[64];
} draft_text;

draft_text draft_show(ctok_bytes token);

/* A new draft with the bytes of two others, for a merge whose result was not given. */
ctok_status draft_concatenate(ctok_builder *b, uint32_t left, uint32_t right,
                              uint32_t id, ctok_error *err);

#endif
