/* number.c - tokens numbered anew, as symbols:
 *
 *     drafts (bytes, id)  ->  single bytes, then what merges make, best first, then the rest
 *
 * Without merges the order of the ids is the order of merging.
 */
#include "number.h"

#include "error.h"

static ctok_status number_map_ids(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    uint32_t max_id = 0;
    size_t i;

    for (i = 0; i < b->n_drafts; i++) {
        max_id = b->ids[i] > max_id ? b->ids[i] : max_id;
    }
    for (i = 0; i < b->n_merges; i++) {
        if (b->merges[i].merged == VOCAB_NONE) {
            return error_set_at(err, CTOK_E_LIMIT, i, "merge %zu: id %u is reserved", i,
                                b->merges[i].merged);
        }
        max_id = b->merges[i].merged > max_id ? b->merges[i].merged : max_id;
    }
    TRY(idmap_new(&f->by_id, max_id, b->n_drafts + b->n_merges, &b->alloc, err));
    for (i = 0; i < b->n_drafts; i++) {
        uint32_t other = idmap_find(&f->by_id, b->ids[i]);
        if (other != IDMAP_NONE && !draft_allows_duplicates(b)) {
            if (err != NULL) {
                error_set_at(err, CTOK_E_DUPLICATE, i,
                             "id %u is given to both '%s' and '%s'", b->ids[i],
                             draft_show(draft_bytes(b, other)).text,
                             draft_show(draft_bytes(b, (uint32_t)i)).text);
                err->id = b->ids[i];
            }
            return CTOK_E_DUPLICATE;
        }
        idmap_set(&f->by_id, b->ids[i], (uint32_t)i);
    }
    return CTOK_OK;
}

/* Makes the drafts that only merges name, and checks those that are given too. */
static ctok_status number_expand_merges(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    size_t i;

    for (i = 0; i < b->n_merges; i++) {
        const draft_merge merge = b->merges[i];
        uint32_t left = idmap_find(&f->by_id, merge.left);
        uint32_t right = idmap_find(&f->by_id, merge.right);
        uint32_t merged = idmap_find(&f->by_id, merge.merged);
        ctok_bytes l;
        ctok_bytes r;
        ctok_bytes m;

        if (left == IDMAP_NONE || right == IDMAP_NONE) {
            return error_set_at(err, CTOK_E_ID, i, "merge %zu: id %u is not a token", i,
                                left == IDMAP_NONE ? merge.left : merge.right);
        }
        if (merged == IDMAP_NONE) {
            idmap_set(&f->by_id, merge.merged, (uint32_t)b->n_drafts);
            TRY(draft_concatenate(b, left, right, merge.merged, err));
            continue;
        }
        l = draft_bytes(b, left);
        r = draft_bytes(b, right);
        m = draft_bytes(b, merged);
        if (m.len != l.len + r.len || memcmp(m.ptr, l.ptr, l.len) != 0 ||
            memcmp(m.ptr + l.len, r.ptr, r.len) != 0) {
            return error_set_at(
                err, CTOK_E_ARGUMENT, i, "merge %zu: '%s' is not '%s' followed by '%s'",
                i, draft_show(m).text, draft_show(l).text, draft_show(r).text);
        }
    }
    return CTOK_OK;
}

/* Reserves the vocabulary at its final size and numbers the single bytes. */
static ctok_status number_start_vocab(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    ctok_allocator *alloc = &f->model->alloc;
    vocab *v = &f->model->tokens;
    size_t n_max = 256 + b->n_drafts;
    void *memory = NULL;
    uint32_t i;

    v->n_blob = 256 + b->n_blob + b->n_special_blob + VOCAB_BEHIND;
    TRY(mem_new(alloc, &memory, v->n_blob, 1, err));
    v->blob = memory;
    v->cap_symbols = n_max;
    v->n_symbols = 256;
    TRY(mem_new(alloc, &memory, n_max + 1, sizeof *v->starts, err));
    v->starts = memory;
    TRY(mem_new(alloc, &memory, n_max, sizeof *v->ids, err));
    v->ids = memory;
    v->n_ids = n_max;
    memset(v->ids, 0xFF, n_max * sizeof *v->ids);
    TRY(vocab_index_new(v, n_max, alloc, err));
    for (i = 0; i < 256; i++) {
        v->blob[i] = (uint8_t)i;
        v->starts[i] = i;
    }
    v->starts[256] = 256;
    v->max_len = 1;
    for (i = 0; i < 256; i++) {
        vocab_index_add(v, i);
    }
    return CTOK_OK;
}

/* Asks for where number_draft will look a draft up. */
static void number_ask_slot(const draft_model *f, uint32_t draft)
{
    const vocab *v = &f->model->tokens;
    ctok_bytes token = draft_bytes(f->b, draft);

    BASE_PREFETCH(&v->slots[vocab_slot(v, vocab_hash(token.ptr, token.len))]);
}

/* Gives a draft its symbol. Single bytes have theirs already; a token that is there
 * twice shares the first one's. */
static ctok_status number_draft(draft_model *f, uint32_t draft, ctok_error *err)
{
    vocab *v = &f->model->tokens;
    ctok_bytes token = draft_bytes(f->b, draft);
    uint32_t symbol = (uint32_t)v->n_symbols;
    uint32_t same = VOCAB_NONE;

    if (token.len == 0) {
        return CTOK_OK; /* it decodes to nothing and never encodes */
    }
    if (token.len == 1) {
        symbol = token.ptr[0];
        same = v->ids[symbol] == VOCAB_NONE ? VOCAB_NONE : symbol;
    } else {
        memcpy(v->blob + v->starts[symbol], token.ptr, token.len);
        v->starts[symbol + 1] = v->starts[symbol] + (uint32_t)token.len;
        same = vocab_index_add(v, symbol);
        v->n_symbols += same == VOCAB_NONE;
    }
    if (same != VOCAB_NONE) {
        f->symbols[draft] = same;
        if (draft_allows_duplicates(f->b)) {
            return CTOK_OK;
        }
        if (err != NULL) {
            error_set(err, CTOK_E_DUPLICATE,
                      "token '%s' is there twice, with ids %u and %u",
                      draft_show(token).text, v->ids[same], f->b->ids[draft]);
            err->id = f->b->ids[draft];
        }
        return CTOK_E_DUPLICATE;
    }
    f->symbols[draft] = symbol;
    v->ids[symbol] = f->b->ids[draft];
    v->max_len = token.len > v->max_len ? (uint32_t)token.len : v->max_len;
    return CTOK_OK;
}

/* Sorts drafts by id: least significant byte first, stable. order and spare hold n. */
static void number_sort(const uint32_t *ids, uint32_t *order, uint32_t *spare, size_t n)
{
    unsigned shift;
    size_t i;

    for (shift = 0; shift < 32; shift += 8) {
        size_t counts[257] = {0};
        uint32_t *swap = order;

        for (i = 0; i < n; i++) {
            counts[(ids[order[i]] >> shift & 255) + 1]++;
        }
        for (i = 0; i < 256; i++) {
            counts[i + 1] += counts[i];
        }
        for (i = 0; i < n; i++) {
            spare[counts[ids[order[i]] >> shift & 255]++] = order[i];
        }
        order = spare;
        spare = swap;
    }
}

static ctok_status number_by_rank(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    ctok_status status = CTOK_OK;
    void *memory = NULL;
    uint32_t *order;
    size_t i;

    TRY(mem_new(&b->alloc, &memory, 2 * b->n_drafts, sizeof *order, err));
    order = memory;
    for (i = 0; i < b->n_drafts; i++) {
        order[i] = (uint32_t)i;
    }
    number_sort(b->ids, order, order + b->n_drafts, b->n_drafts);
    for (i = 0; i < b->n_drafts; i++) {
        if (i + DRAFT_AHEAD < b->n_drafts) {
            number_ask_slot(f, order[i + DRAFT_AHEAD]);
        }
        TRY_TO(done, number_draft(f, order[i], err));
    }
done:
    mem_free(&b->alloc, memory, 2 * b->n_drafts, sizeof *order);
    return status;
}

static ctok_status number_by_merge(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    vocab *v = &f->model->tokens;
    size_t i;

    f->rank_is_symbol = true;
    for (i = 0; i < b->n_merges; i++) {
        uint32_t draft = idmap_find(&f->by_id, b->merges[i].merged);

        if (i + DRAFT_AHEAD < b->n_merges) {
            uint32_t later = b->merges[i + DRAFT_AHEAD].merged;
            number_ask_slot(f, idmap_find(&f->by_id, later));
        }
        if (f->symbols[draft] == VOCAB_NONE) {
            TRY(number_draft(f, draft, err));
        }
        f->rank_is_symbol = f->rank_is_symbol && f->symbols[draft] == 256 + i &&
                            v->n_symbols == 257 + i;
    }
    for (i = 0; i < b->n_drafts; i++) {
        if (f->symbols[i] == VOCAB_NONE) {
            TRY(number_draft(f, (uint32_t)i, err));
        }
    }
    return CTOK_OK;
}

static ctok_status number_all(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    void *memory = NULL;

    TRY(mem_new(&b->alloc, &memory, b->n_drafts, sizeof *f->symbols, err));
    f->symbols = memory;
    f->symbols_cap = b->n_drafts;
    if (b->n_drafts > 0) {
        memset(f->symbols, 0xFF, b->n_drafts * sizeof *f->symbols);
    }
    return b->n_merges == 0 ? number_by_rank(f, err) : number_by_merge(f, err);
}

/* Keeps no more ids than have to be looked up. */
static ctok_status number_shrink_ids(vocab *v, const ctok_allocator *alloc,
                                     ctok_error *err)
{
    void *ids = v->ids;
    size_t n = v->n_symbols;

    while (n > 1 && v->ids[n - 1] == n - 1) {
        n--;
    }
    TRY(mem_resize(alloc, &ids, v->n_ids, n, sizeof *v->ids, err));
    v->ids = ids;
    v->n_ids = n;
    return CTOK_OK;
}

ctok_status number_tokens(draft_model *f, ctok_error *err)
{
    TRY(number_map_ids(f, err));
    TRY(number_expand_merges(f, err));
    TRY(number_start_vocab(f, err));
    TRY(number_all(f, err));
    return number_shrink_ids(&f->model->tokens, &f->model->alloc, err);
}
