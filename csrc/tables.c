/* tables.c - from numbered tokens to what encoding and decoding look up. */
#include "tables.h"

#include "borders.h"
#include "derive.h"
#include "error.h"

/* Asks for where tables_add_pair will put a merge. */
static void tables_ask_pair(const draft_model *f, size_t i)
{
    const draft_merge *merge = &f->b->merges[i];
    uint32_t left = f->symbols[idmap_find(&f->by_id, merge->left)];
    uint32_t right = f->symbols[idmap_find(&f->by_id, merge->right)];

    BASE_PREFETCH(pairs_at(&f->model->table, pairs_key(left, right)));
}

static ctok_status tables_add_pair(draft_model *f, size_t i, ctok_error *err)
{
    ctok_model *model = f->model;
    const draft_merge *merge = &f->b->merges[i];
    uint32_t left = f->symbols[idmap_find(&f->by_id, merge->left)];
    uint32_t right = f->symbols[idmap_find(&f->by_id, merge->right)];
    uint32_t merged = f->symbols[idmap_find(&f->by_id, merge->merged)];
    uint32_t rank = f->rank_is_symbol ? merged : (uint32_t)i;

    if (left == VOCAB_NONE || right == VOCAB_NONE) {
        return error_set_at(err, CTOK_E_ARGUMENT, i, "merge %zu has an empty half", i);
    }
    if (!f->rank_is_symbol) {
        model->table.merged[i] = merged;
    }
    if ((f->formed[left] != PAIRS_NONE && f->formed[left] >= rank) ||
        (f->formed[right] != PAIRS_NONE && f->formed[right] >= rank)) {
        model->is_proper = false;
    }
    return pairs_add(&model->table, left, right, rank, &model->alloc, err);
}

static ctok_status tables_pairs(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    ctok_model *model = f->model;
    void *memory = NULL;
    size_t i;

    TRY(pairs_new(&model->table,
                  b->n_merges > 0 ? b->n_merges : model->tokens.n_symbols,
                  model->tokens.n_symbols, &model->alloc, err));
    if (b->n_merges == 0) {
        return derive_merges(&model->table, &model->tokens, &model->is_proper,
                             &model->alloc, err);
    }
    model->is_proper = true;
    if (!f->rank_is_symbol) {
        TRY(mem_new(&model->alloc, &memory, b->n_merges, sizeof *model->table.merged,
                    err));
        model->table.merged = memory;
        model->table.n_ranks = b->n_merges;
    }
    TRY(mem_new(&b->alloc, &memory, model->tokens.n_symbols, sizeof *f->formed, err));
    f->formed = memory;
    f->n_formed = model->tokens.n_symbols;
    memset(f->formed, 0xFF, model->tokens.n_symbols * sizeof *f->formed);
    /* The last rank that makes each symbol, before any is asked for: a half that some later
     * merge makes too is not proper. */
    for (i = 0; i < b->n_merges; i++) {
        uint32_t merged = f->symbols[idmap_find(&f->by_id, b->merges[i].merged)];
        if (merged == VOCAB_NONE) {
            return error_set_at(err, CTOK_E_ARGUMENT, i, "merge %zu makes nothing", i);
        }
        f->formed[merged] = f->rank_is_symbol ? merged : (uint32_t)i;
    }
    for (i = 0; i < b->n_merges; i++) {
        if (i + DRAFT_AHEAD < b->n_merges) {
            tables_ask_pair(f, i + DRAFT_AHEAD);
        }
        TRY(tables_add_pair(f, i, err));
    }
    return CTOK_OK;
}

/* Moves short tokens from the index of all to where whole pieces are found, by their keys. Each
 * is added when its bucket, asked for some tokens ago, has arrived. */
static ctok_status tables_words(draft_model *f, ctok_error *err)
{
    ctok_model *model = f->model;
    const vocab *v = &model->tokens;
    uint32_t n = model->whole_piece ? (uint32_t)v->n_symbols : 0;
    key keys[DRAFT_AHEAD];
    uint32_t symbols[DRAFT_AHEAD];
    uint32_t n_seen = 0;
    size_t n_short = 0;
    uint32_t i;

    for (i = 0; i < n; i++) {
        n_short += vocab_bytes(v, i).len <= KEY_BYTES;
    }
    TRY(words_new(&model->words, n_short, &model->alloc, err));
    for (i = 0; i < n; i++) {
        ctok_bytes token = vocab_bytes(v, i);
        key k;

        if (token.len > KEY_BYTES || vocab_id(v, i) == VOCAB_NONE) {
            continue;
        }
        k = key_of(token.ptr, token.len); /* VOCAB_BEHIND bytes are behind all */
        BASE_PREFETCH(words_at(&model->words, key_hash(k)));
        if (n_seen >= DRAFT_AHEAD) {
            words_add(&model->words, keys[n_seen % DRAFT_AHEAD],
                      symbols[n_seen % DRAFT_AHEAD]);
        }
        keys[n_seen % DRAFT_AHEAD] = k;
        symbols[n_seen++ % DRAFT_AHEAD] = i;
    }
    for (i = n_seen < DRAFT_AHEAD ? 0 : n_seen - DRAFT_AHEAD; i < n_seen; i++) {
        words_add(&model->words, keys[i % DRAFT_AHEAD], symbols[i % DRAFT_AHEAD]);
    }
    return n == 0 ? CTOK_OK
                  : vocab_index_longer(&model->tokens, KEY_BYTES, &model->alloc, err);
}

static ctok_status tables_specials(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    ctok_model *model = f->model;
    uint8_t *blob = model->tokens.blob + model->tokens.starts[model->tokens.n_symbols];
    void *memory = NULL;
    uint32_t *starts;
    size_t i;

    if (b->n_specials == 0) {
        return CTOK_OK;
    }
    TRY(mem_new(&model->alloc, &memory, b->n_specials + 1, sizeof *starts, err));
    starts = memory;
    memcpy(blob, b->special_blob, b->n_special_blob);
    memcpy(starts + 1, b->special_ends, b->n_specials * sizeof *starts);
    TRY(special_index(&model->specials, blob, starts, b->n_specials, &model->alloc,
                      err));
    TRY(mem_new(&model->alloc, &memory, b->n_specials, sizeof *model->special_ids,
                err));
    model->special_ids = memory;
    for (i = 0; i < b->n_specials; i++) {
        uint32_t id = b->special_ids[i];
        model->special_ids[i] = id;
        model->tokens.max_len = starts[i + 1] - starts[i] > model->tokens.max_len
                                    ? starts[i + 1] - starts[i]
                                    : model->tokens.max_len;
    }
    return CTOK_OK;
}

/* number counts the tokens and specials: the index of the span where ids are scattered. */
static ctok_status tables_span(draft_model *f, uint32_t id, size_t number,
                               vocab_span span, ctok_error *err)
{
    vocab *v = &f->model->tokens;
    vocab_span other = vocab_span_of(v, id);

    if (other.len != VOCAB_NONE && other.start >= v->starts[v->n_symbols]) {
        return CTOK_OK; /* a special before it has this id */
    }
    if (other.len != VOCAB_NONE && !draft_allows_duplicates(f->b)) {
        ctok_bytes first = {v->blob + other.start, other.len};
        ctok_bytes second = {v->blob + span.start, span.len};
        if (err != NULL) {
            error_set(err, CTOK_E_DUPLICATE, "id %u is given to both '%s' and '%s'", id,
                      draft_show(first).text, draft_show(second).text);
            err->id = id;
        }
        return CTOK_E_DUPLICATE;
    }
    f->model->is_ambiguous |= other.len != VOCAB_NONE && other.len != span.len;
    if (v->by_id.slots == NULL) {
        v->spans[id] = span;
    } else {
        v->spans[number] = span;
        idmap_set(&v->by_id, id, (uint32_t)number);
    }
    return CTOK_OK;
}

/* From ids to bytes, for tokens and specials alike. Of several tokens with one id the last
 * counts, of several specials the first: o200k_harmony has two with one id, and tiktoken
 * decodes it to the first. */
static ctok_status tables_spans(draft_model *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    ctok_model *model = f->model;
    vocab *v = &model->tokens;
    uint32_t special_start = v->starts[v->n_symbols];
    void *memory = NULL;
    uint32_t max_id = 0;
    size_t i;

    for (i = 0; i < b->n_drafts; i++) {
        max_id = b->ids[i] > max_id ? b->ids[i] : max_id;
    }
    for (i = 0; i < b->n_specials; i++) {
        max_id = b->special_ids[i] > max_id ? b->special_ids[i] : max_id;
    }
    v->max_id = max_id;
    v->n_spans = b->n_drafts + b->n_specials;
    if (idmap_is_dense(max_id, v->n_spans)) {
        v->n_spans = (size_t)max_id + 1;
    } else {
        TRY(idmap_new(&v->by_id, max_id, v->n_spans, &model->alloc, err));
    }
    TRY(mem_new(&model->alloc, &memory, v->n_spans, sizeof *v->spans, err));
    v->spans = memory;
    memset(v->spans, 0xFF, v->n_spans * sizeof *v->spans); /* no id known yet */
    for (i = 0; i < b->n_drafts; i++) {
        vocab_span span = {0, 0};
        if (f->symbols[i] != VOCAB_NONE) {
            span.start = v->starts[f->symbols[i]];
            span.len = v->starts[f->symbols[i] + 1] - span.start;
        }
        TRY(tables_span(f, b->ids[i], i, span, err));
    }
    for (i = 0; i < b->n_specials; i++) {
        vocab_span span;
        span.start = special_start + model->specials.starts[i];
        span.len = model->specials.starts[i + 1] - model->specials.starts[i];
        TRY(tables_span(f, b->special_ids[i], b->n_drafts + i, span, err));
    }
    return CTOK_OK;
}

ctok_status tables_fill(draft_model *f, ctok_error *err)
{
    ctok_model *model = f->model;

    TRY(tables_pairs(f, err));
    TRY(tables_words(f, err));
    if (model->is_proper) {
        borders_find(&model->table, &model->tokens);
        TRY(chars_new(&model->chars, &model->tokens, &model->table, &model->alloc,
                      err));
    }
    TRY(tables_specials(f, err));
    return tables_spans(f, err);
}
