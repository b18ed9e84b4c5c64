#include "scratch.h"

#include "error.h"
#include "mem.h"
#include "model.h"

ctok_status ctok_scratch_new(ctok_scratch **out, size_t cache_bytes,
                             const ctok_allocator *alloc, ctok_error *err)
{
    ctok_allocator own = mem_allocator(alloc);
    ctok_scratch *scratch = NULL;
    void *memory = NULL;
    ctok_status status;

    *out = NULL;
    TRY(mem_new(&own, &memory, 1, sizeof *scratch, err));
    scratch = memory;
    scratch->alloc = own;
    scratch->work.alloc = own;
    status = cache_new(&scratch->cache, cache_bytes, &own, err);
    if (status != CTOK_OK) {
        ctok_scratch_free(scratch);
        return status;
    }
    *out = scratch;
    return CTOK_OK;
}

void ctok_scratch_detach(ctok_scratch *scratch)
{
    if (scratch->split_state != NULL) {
        const ctok_splitter *splitter = &scratch->model->splitter;
        splitter->state_free(splitter->self, scratch->split_state);
    }
    scratch->split_state = NULL;
    scratch->model = NULL;
}

void ctok_scratch_free(ctok_scratch *scratch)
{
    ctok_allocator alloc;

    if (scratch == NULL) {
        return;
    }
    alloc = scratch->alloc;
    ctok_scratch_detach(scratch);
    cache_free(&scratch->cache, &alloc);
    bpe_work_free(&scratch->work);
    mem_free(&alloc, scratch->ids, scratch->ids_cap, sizeof *scratch->ids);
    mem_free(&alloc, scratch->aside, scratch->aside_cap, sizeof *scratch->aside);
    mem_free(&alloc, scratch, 1, sizeof *scratch);
}

static void scratch_shrink(const ctok_allocator *alloc, uint32_t **items, size_t *cap)
{
    if (*cap > SCRATCH_PIECE) {
        mem_free(alloc, *items, *cap, sizeof **items);
        *items = NULL;
        *cap = 0;
    }
}

void scratch_give_back(ctok_scratch *scratch)
{
    const bpe_work *work = &scratch->work;

    scratch_shrink(&scratch->alloc, &scratch->ids, &scratch->ids_cap);
    scratch_shrink(&scratch->alloc, &scratch->aside, &scratch->aside_cap);
    if (work->heap_cap + work->links_cap + work->region_cap > 6 * SCRATCH_PIECE) {
        bpe_work_free(&scratch->work);
    }
}

ctok_status scratch_attach(ctok_scratch *scratch, const ctok_model *model,
                           ctok_error *err)
{
    const ctok_splitter *splitter = &model->splitter;

    if (scratch->model == model) {
        return CTOK_OK;
    }
    ctok_scratch_detach(scratch);
    cache_clear(&scratch->cache);
    if (splitter->state_new != NULL) {
        scratch->split_state = splitter->state_new(splitter->self);
        if (scratch->split_state == NULL) {
            return error_set(err, CTOK_E_MEMORY, "out of memory for the %s splitter",
                             splitter->name);
        }
    }
    scratch->model = model;
    return CTOK_OK;
}
