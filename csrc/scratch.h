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

#endif
