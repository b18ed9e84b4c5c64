/* builder.c - from what a format knows to a model.
 *
 * Drafts are kept as they come. Finishing numbers the tokens anew (see vocab.h), checks
 * that nothing is there twice, and fills the tables:
 *
 *     drafts (bytes, id)  ->  symbols in merge order  ->  vocab, pair table, specials
 */
#include "cpu.h"
#include "draft.h"
#include "error.h"
#include "number.h"
#include "split.h"
#include "tables.h"

ctok_status ctok_builder_new(ctok_builder **out, const ctok_allocator *alloc,
                             ctok_error *err)
{
    ctok_allocator own = mem_allocator(alloc);
    void *memory = NULL;

    *out = NULL;
    TRY(mem_new(&own, &memory, 1, sizeof **out, err));
    *out = memory;
    (*out)->alloc = own;
    return CTOK_OK;
}

void ctok_builder_free(ctok_builder *b)
{
    if (b == NULL) {
        return;
    }
    mem_free(&b->alloc, b->blob, b->blob_cap, 1);
    mem_free(&b->alloc, b->ends, b->ends_cap, sizeof *b->ends);
    mem_free(&b->alloc, b->ids, b->ids_cap, sizeof *b->ids);
    mem_free(&b->alloc, b->merges, b->merges_cap, sizeof *b->merges);
    mem_free(&b->alloc, b->special_blob, b->special_blob_cap, 1);
    mem_free(&b->alloc, b->special_ends, b->special_ends_cap, sizeof *b->special_ends);
    mem_free(&b->alloc, b->special_ids, b->special_ids_cap, sizeof *b->special_ids);
    ctok_splitter_free(&b->splitter);
    b->alloc.resize(b->alloc.ctx, b, sizeof *b, 0);
}

ctok_status ctok_builder_add_tokens(ctok_builder *b, ctok_bytes blob,
                                    const uint32_t *ends, const uint32_t *ids,
                                    size_t n_tokens, ctok_error *err)
{
    uint32_t start = 0;
    size_t i;

    if (n_tokens > CTOK_MAX_TOKENS - b->n_drafts) {
        return error_set(err, CTOK_E_LIMIT, "%zu tokens, at most %zu are supported",
                         b->n_drafts + n_tokens, CTOK_MAX_TOKENS);
    }
    if (blob.len > INT32_MAX - b->n_blob) {
        return error_set(err, CTOK_E_LIMIT, "tokens of more than 2 GiB in all");
    }
    for (i = 0; i < n_tokens; i++) {
        if (ends[i] < start || ends[i] > blob.len) {
            return error_set_at(
                err, CTOK_E_ARGUMENT, i,
                "token %zu ends at byte %u of %zu, having started at %u", i, ends[i],
                blob.len, start);
        }
        if (ends[i] - start > CTOK_MAX_TOKEN_LEN) {
            return error_set_at(err, CTOK_E_LIMIT, i,
                                "token %zu has %u bytes, at most %zu", i,
                                ends[i] - start, CTOK_MAX_TOKEN_LEN);
        }
        if (ids[i] == VOCAB_NONE) {
            return error_set_at(err, CTOK_E_LIMIT, i, "token %zu: id %u is reserved", i,
                                ids[i]);
        }
        start = ends[i];
    }
    DRAFT_RESERVE(b, b->blob, b->blob_cap, b->n_blob + blob.len, err);
    DRAFT_RESERVE(b, b->ends, b->ends_cap, b->n_drafts + n_tokens, err);
    DRAFT_RESERVE(b, b->ids, b->ids_cap, b->n_drafts + n_tokens, err);
    for (i = 0; i < n_tokens; i++) {
        b->ends[b->n_drafts + i] = (uint32_t)b->n_blob + ends[i];
        b->ids[b->n_drafts + i] = ids[i];
    }
    if (start > 0) {
        memcpy(b->blob + b->n_blob, blob.ptr, start);
    }
    b->n_drafts += n_tokens;
    b->n_blob += start;
    return CTOK_OK;
}

ctok_status ctok_builder_add_merges(ctok_builder *b, const uint32_t *left,
                                    const uint32_t *right, const uint32_t *merged,
                                    size_t n_merges, ctok_error *err)
{
    size_t i;

    if (n_merges > CTOK_MAX_TOKENS - b->n_merges) {
        return error_set(err, CTOK_E_LIMIT, "%zu merges, at most %zu are supported",
                         b->n_merges + n_merges, CTOK_MAX_TOKENS);
    }
    DRAFT_RESERVE(b, b->merges, b->merges_cap, b->n_merges + n_merges, err);
    for (i = 0; i < n_merges; i++) {
        draft_merge *merge = &b->merges[b->n_merges + i];
        merge->left = left[i];
        merge->right = right[i];
        merge->merged = merged[i];
    }
    b->n_merges += n_merges;
    return CTOK_OK;
}

ctok_status ctok_builder_add_special(ctok_builder *b, ctok_bytes text, uint32_t id,
                                     ctok_error *err)
{
    if (text.len == 0) {
        return error_set(err, CTOK_E_ARGUMENT, "special %zu is empty", b->n_specials);
    }
    if (text.len > CTOK_MAX_TOKEN_LEN || b->n_specials >= CTOK_MAX_TOKENS ||
        b->n_special_blob > INT32_MAX) {
        return error_set(
            err, CTOK_E_LIMIT,
            "special %zu has %zu bytes: at most %zu bytes each, %zu specials",
            b->n_specials, text.len, CTOK_MAX_TOKEN_LEN, CTOK_MAX_TOKENS);
    }
    if (id == VOCAB_NONE) {
        return error_set(err, CTOK_E_LIMIT, "special %zu: id %u is reserved",
                         b->n_specials, id);
    }
    DRAFT_RESERVE(b, b->special_blob, b->special_blob_cap, b->n_special_blob + text.len,
                  err);
    DRAFT_RESERVE(b, b->special_ends, b->special_ends_cap, b->n_specials + 1, err);
    DRAFT_RESERVE(b, b->special_ids, b->special_ids_cap, b->n_specials + 1, err);
    memcpy(b->special_blob + b->n_special_blob, text.ptr, text.len);
    b->n_special_blob += text.len;
    b->special_ends[b->n_specials] = (uint32_t)b->n_special_blob;
    b->special_ids[b->n_specials] = id;
    b->n_specials++;
    return CTOK_OK;
}

ctok_status ctok_builder_set_splitter(ctok_builder *b, ctok_splitter *splitter,
                                      ctok_error *err)
{
    if (splitter->next == NULL) {
        return error_set(err, CTOK_E_ARGUMENT, "a splitter without a next function");
    }
    ctok_splitter_free(&b->splitter);
    b->splitter = *splitter;
    memset(splitter, 0, sizeof *splitter);
    return CTOK_OK;
}

ctok_status ctok_builder_set_flags(ctok_builder *b, uint32_t flags, ctok_error *err)
{
    if ((flags &
         ~(uint32_t)(CTOK_BUILD_ALLOW_DUPLICATES | CTOK_BUILD_NO_WHOLE_PIECE)) != 0) {
        return error_set(err, CTOK_E_ARGUMENT, "unknown build flags %#x", flags);
    }
    b->flags = flags;
    return CTOK_OK;
}

void ctok_builder_set_cpu(ctok_builder *b, ctok_cpu cpu)
{
    b->cpu = cpu;
}

ctok_status ctok_builder_finish(ctok_model **out, ctok_builder *b, ctok_error *err)
{
    ctok_status status = CTOK_OK;
    draft_model f;
    void *memory = NULL;

    *out = NULL;
    memset(&f, 0, sizeof f);
    f.b = b;
    TRY(mem_new(&b->alloc, &memory, 1, sizeof *f.model, err));
    f.model = memory;
    f.model->alloc = b->alloc;
    f.model->whole_piece = (b->flags & CTOK_BUILD_NO_WHOLE_PIECE) == 0;
    f.model->merge_many = cpu_merger(b->cpu);
    f.model->splitter = b->splitter.next != NULL ? b->splitter : split_none();
    memset(&b->splitter, 0, sizeof b->splitter);
    if ((uint64_t)b->n_blob + b->n_special_blob > UINT32_MAX - 256 - VOCAB_BEHIND) {
        status = error_set(err, CTOK_E_LIMIT,
                           "tokens and specials have more than 4 GiB together");
        goto done;
    }
    TRY_TO(done, number_tokens(&f, err));
    TRY_TO(done, tables_fill(&f, err));
    *out = f.model;
    f.model = NULL;
done:
    mem_free(&b->alloc, f.formed, f.n_formed, sizeof *f.formed);
    mem_free(&b->alloc, f.symbols, f.symbols_cap, sizeof *f.symbols);
    idmap_free(&f.by_id, &b->alloc);
    ctok_model_free(f.model);
    return status;
}
