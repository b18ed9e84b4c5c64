/* scratch.h - what a call writes that is not its output. */
#ifndef CTOK_SCRATCH_H
#define CTOK_SCRATCH_H

#include "base.h"
#include "bpe.h"
#include "cache.h"

struct ctok_scratch {
    ctok_allocator alloc;
    const ctok_model
        *model; /* whose pieces are cached and whose splitter state this is */
    void *split_state;
    cache cache;
    bpe_work work;
    uint32_t
        *ids; /* a block's ids, when the output has no room to write them in place */
    size_t ids_cap;
    uint32_t *aside; /* ids of a block's pieces that the cache had no room for */
    size_t aside_cap;
};

/* Makes the scratch ready for a model: at first use, and after another model. */
ctok_status scratch_attach(ctok_scratch *scratch, const ctok_model *model,
                           ctok_error *err);

/* Merging takes up to 40 bytes for each of a piece: what pieces of so many need is kept. */
#define SCRATCH_PIECE ((size_t)1 << 16)

/* Frees what longer pieces needed. */
void scratch_give_back(ctok_scratch *scratch);

/* The same at the end of a call, for texts that may have had one. */
static inline void scratch_trim(ctok_scratch *scratch, size_t text_len)
{
    if (BASE_UNLIKELY(text_len > SCRATCH_PIECE)) {
        scratch_give_back(scratch);
    }
}

#endif
