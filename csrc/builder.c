/* builder.c - from what a format knows to a model.
 *
 * Drafts are kept as they come. Finishing numbers the tokens anew (see vocab.h), checks
 * that nothing is there twice, and fills the tables:
 *
 *     drafts (bytes, id)  ->  symbols in merge order  ->  vocab, pair table, specials
 */
#include "base.h"
#include "bpe.h"
#include "cpu.h"
#include "derive.h"
#include "error.h"
#include "mem.h"
#include "model.h"
#include "split.h"

typedef struct builder_merge {
    uint32_t left;
    uint32_t right;
    uint32_t merged;
} builder_merge;

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
    builder_merge *merges;
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

/* mem_reserve for a typed pointer: C has no void ** that fits them all. */
#define BUILDER_RESERVE(b, array, cap, need, err)                                      \
    do {                                                                               \
        void *reserved_ = (array);                                                     \
        ctok_status reserve_status_ = mem_reserve(&(b)->alloc, &reserved_, &(cap),     \
                                                  (need), sizeof *(array), err);       \
        (array) = reserved_;                                                           \
        if (reserve_status_ != CTOK_OK) {                                              \
            return reserve_status_;                                                    \
        }                                                                              \
    } while (0)

/* ---- filling ---------------------------------------------------------------- */

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
    BUILDER_RESERVE(b, b->blob, b->blob_cap, b->n_blob + blob.len, err);
    BUILDER_RESERVE(b, b->ends, b->ends_cap, b->n_drafts + n_tokens, err);
    BUILDER_RESERVE(b, b->ids, b->ids_cap, b->n_drafts + n_tokens, err);
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
    BUILDER_RESERVE(b, b->merges, b->merges_cap, b->n_merges + n_merges, err);
    for (i = 0; i < n_merges; i++) {
        builder_merge *merge = &b->merges[b->n_merges + i];
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
    BUILDER_RESERVE(b, b->special_blob, b->special_blob_cap,
                    b->n_special_blob + text.len, err);
    BUILDER_RESERVE(b, b->special_ends, b->special_ends_cap, b->n_specials + 1, err);
    BUILDER_RESERVE(b, b->special_ids, b->special_ids_cap, b->n_specials + 1, err);
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

/* ---- symbols ---------------------------------------------------------------- */

/* What finishing needs besides the model. */
typedef struct builder_finish {
    ctok_builder *b;
    ctok_model *model;
    uint32_t *symbols; /* by draft; VOCAB_NONE: not numbered yet */
    size_t symbols_cap;
    idmap by_id;      /* id -> draft */
    uint32_t *formed; /* by symbol: the last rank that makes it */
    size_t n_formed;
    bool rank_is_symbol;
} builder_finish;

static ctok_bytes builder_draft(const ctok_builder *b, uint32_t draft)
{
    uint32_t start = draft == 0 ? 0 : b->ends[draft - 1];
    ctok_bytes bytes = {b->blob + start, b->ends[draft] - start};
    return bytes;
}

static bool builder_allows_duplicates(const ctok_builder *b)
{
    return (b->flags & CTOK_BUILD_ALLOW_DUPLICATES) != 0;
}

/* Printable bytes of a token for a message. */
typedef struct builder_text {
    char text[64];
} builder_text;

static builder_text builder_show(ctok_bytes token)
{
    static const char hex[] = "0123456789abcdef";
    builder_text shown;
    size_t n = 0;
    size_t i;

    for (i = 0; i < token.len && n + 8 < sizeof shown.text; i++) {
        uint8_t byte = token.ptr[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '\\') {
            shown.text[n++] = (char)byte;
        } else {
            shown.text[n++] = '\\';
            shown.text[n++] = 'x';
            shown.text[n++] = hex[byte >> 4];
            shown.text[n++] = hex[byte & 15];
        }
    }
    if (i < token.len) {
        memcpy(shown.text + n, "...", 3);
        n += 3;
    }
    shown.text[n] = '\0';
    return shown;
}

/* Tables are filled in an order that is none in memory: places are asked for so many steps before
 * they are used. */
#define BUILDER_AHEAD 16u

/* Asks for where builder_number will look a draft up. */
static void builder_ask_slot(const builder_finish *f, uint32_t draft)
{
    const vocab *v = &f->model->tokens;
    ctok_bytes token = builder_draft(f->b, draft);

    BASE_PREFETCH(&v->slots[vocab_slot(v, vocab_hash(token.ptr, token.len))]);
}

/* Gives a draft its symbol. Single bytes have theirs already; a token that is there
 * twice shares the first one's. */
static ctok_status builder_number(builder_finish *f, uint32_t draft, ctok_error *err)
{
    vocab *v = &f->model->tokens;
    ctok_bytes token = builder_draft(f->b, draft);
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
        if (builder_allows_duplicates(f->b)) {
            return CTOK_OK;
        }
        if (err != NULL) {
            error_set(err, CTOK_E_DUPLICATE,
                      "token '%s' is there twice, with ids %u and %u",
                      builder_show(token).text, v->ids[same], f->b->ids[draft]);
            err->id = f->b->ids[draft];
        }
        return CTOK_E_DUPLICATE;
    }
    f->symbols[draft] = symbol;
    v->ids[symbol] = f->b->ids[draft];
    v->max_len = token.len > v->max_len ? (uint32_t)token.len : v->max_len;
    return CTOK_OK;
}

/* A new draft with the bytes of two others, for a merge whose result was not given. */
static ctok_status builder_concatenate(ctok_builder *b, uint32_t left, uint32_t right,
                                       uint32_t id, ctok_error *err)
{
    size_t left_len = builder_draft(b, left).len;
    size_t right_len = builder_draft(b, right).len;

    if (b->n_drafts >= CTOK_MAX_TOKENS || left_len + right_len > CTOK_MAX_TOKEN_LEN ||
        left_len + right_len > INT32_MAX - b->n_blob) {
        return error_set(err, CTOK_E_LIMIT,
                         "id %u: merging %zu and %zu bytes exceeds a limit", id,
                         left_len, right_len);
    }
    BUILDER_RESERVE(b, b->blob, b->blob_cap, b->n_blob + left_len + right_len, err);
    BUILDER_RESERVE(b, b->ends, b->ends_cap, b->n_drafts + 1, err);
    BUILDER_RESERVE(b, b->ids, b->ids_cap, b->n_drafts + 1, err);
    memcpy(b->blob + b->n_blob, builder_draft(b, left).ptr, left_len);
    memcpy(b->blob + b->n_blob + left_len, builder_draft(b, right).ptr, right_len);
    b->n_blob += left_len + right_len;
    b->ends[b->n_drafts] = (uint32_t)b->n_blob;
    b->ids[b->n_drafts] = id;
    b->n_drafts++;
    return CTOK_OK;
}

static ctok_status builder_map_ids(builder_finish *f, ctok_error *err)
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
        if (other != IDMAP_NONE && !builder_allows_duplicates(b)) {
            if (err != NULL) {
                error_set_at(err, CTOK_E_DUPLICATE, i,
                             "id %u is given to both '%s' and '%s'", b->ids[i],
                             builder_show(builder_draft(b, other)).text,
                             builder_show(builder_draft(b, (uint32_t)i)).text);
                err->id = b->ids[i];
            }
            return CTOK_E_DUPLICATE;
        }
        idmap_set(&f->by_id, b->ids[i], (uint32_t)i);
    }
    return CTOK_OK;
}

/* Makes the drafts that only merges name, and checks those that are given too. */
static ctok_status builder_expand_merges(builder_finish *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    size_t i;

    for (i = 0; i < b->n_merges; i++) {
        const builder_merge merge = b->merges[i];
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
            TRY(builder_concatenate(b, left, right, merge.merged, err));
            continue;
        }
        l = builder_draft(b, left);
        r = builder_draft(b, right);
        m = builder_draft(b, merged);
        if (m.len != l.len + r.len || memcmp(m.ptr, l.ptr, l.len) != 0 ||
            memcmp(m.ptr + l.len, r.ptr, r.len) != 0) {
            return error_set_at(
                err, CTOK_E_ARGUMENT, i, "merge %zu: '%s' is not '%s' followed by '%s'",
                i, builder_show(m).text, builder_show(l).text, builder_show(r).text);
        }
    }
    return CTOK_OK;
}

/* Reserves the vocabulary at its final size and numbers the single bytes. */
static ctok_status builder_start_vocab(builder_finish *f, ctok_error *err)
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

/* Sorts drafts by id: least significant byte first, stable. order and spare hold n. */
static void builder_sort(const uint32_t *ids, uint32_t *order, uint32_t *spare,
                         size_t n)
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

static ctok_status builder_number_by_rank(builder_finish *f, ctok_error *err)
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
    builder_sort(b->ids, order, order + b->n_drafts, b->n_drafts);
    for (i = 0; i < b->n_drafts; i++) {
        if (i + BUILDER_AHEAD < b->n_drafts) {
            builder_ask_slot(f, order[i + BUILDER_AHEAD]);
        }
        TRY_TO(done, builder_number(f, order[i], err));
    }
done:
    mem_free(&b->alloc, memory, 2 * b->n_drafts, sizeof *order);
    return status;
}

static ctok_status builder_number_by_merge(builder_finish *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    vocab *v = &f->model->tokens;
    size_t i;

    f->rank_is_symbol = true;
    for (i = 0; i < b->n_merges; i++) {
        uint32_t draft = idmap_find(&f->by_id, b->merges[i].merged);

        if (i + BUILDER_AHEAD < b->n_merges) {
            uint32_t later = b->merges[i + BUILDER_AHEAD].merged;
            builder_ask_slot(f, idmap_find(&f->by_id, later));
        }
        if (f->symbols[draft] == VOCAB_NONE) {
            TRY(builder_number(f, draft, err));
        }
        f->rank_is_symbol = f->rank_is_symbol && f->symbols[draft] == 256 + i &&
                            v->n_symbols == 257 + i;
    }
    for (i = 0; i < b->n_drafts; i++) {
        if (f->symbols[i] == VOCAB_NONE) {
            TRY(builder_number(f, (uint32_t)i, err));
        }
    }
    return CTOK_OK;
}

static ctok_status builder_number_all(builder_finish *f, ctok_error *err)
{
    ctok_builder *b = f->b;
    void *memory = NULL;

    TRY(mem_new(&b->alloc, &memory, b->n_drafts, sizeof *f->symbols, err));
    f->symbols = memory;
    f->symbols_cap = b->n_drafts;
    if (b->n_drafts > 0) {
        memset(f->symbols, 0xFF, b->n_drafts * sizeof *f->symbols);
    }
    return b->n_merges == 0 ? builder_number_by_rank(f, err)
                            : builder_number_by_merge(f, err);
}

/* ---- tables ----------------------------------------------------------------- */

/* Asks for where builder_add_pair will put a merge. */
static void builder_ask_pair(const builder_finish *f, size_t i)
{
    const builder_merge *merge = &f->b->merges[i];
    uint32_t left = f->symbols[idmap_find(&f->by_id, merge->left)];
    uint32_t right = f->symbols[idmap_find(&f->by_id, merge->right)];

    BASE_PREFETCH(pairs_at(&f->model->table, pairs_key(left, right)));
}

static ctok_status builder_add_pair(builder_finish *f, size_t i, ctok_error *err)
{
    ctok_model *model = f->model;
    const builder_merge *merge = &f->b->merges[i];
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

static ctok_status builder_fill_pairs(builder_finish *f, ctok_error *err)
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
        if (i + BUILDER_AHEAD < b->n_merges) {
            builder_ask_pair(f, i + BUILDER_AHEAD);
        }
        TRY(builder_add_pair(f, i, err));
    }
    return CTOK_OK;
}

/* Tokens that are found as whole pieces, by their keys. Each is added when its bucket, asked
 * for some tokens ago, has arrived. */
static ctok_status builder_fill_words(builder_finish *f, ctok_error *err)
{
    ctok_model *model = f->model;
    const vocab *v = &model->tokens;
    uint32_t n = model->whole_piece ? (uint32_t)v->n_symbols : 0;
    key keys[BUILDER_AHEAD];
    uint32_t ids[BUILDER_AHEAD];
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

        if (token.len > KEY_BYTES || v->ids[i] == VOCAB_NONE) {
            continue;
        }
        k = key_of(token.ptr, token.len, v->blob + v->n_blob);
        BASE_PREFETCH(words_at(&model->words, key_hash(k)));
        if (n_seen >= BUILDER_AHEAD) {
            words_add(&model->words, keys[n_seen % BUILDER_AHEAD],
                      ids[n_seen % BUILDER_AHEAD]);
        }
        keys[n_seen % BUILDER_AHEAD] = k;
        ids[n_seen++ % BUILDER_AHEAD] = v->ids[i];
    }
    for (i = n_seen < BUILDER_AHEAD ? 0 : n_seen - BUILDER_AHEAD; i < n_seen; i++) {
        words_add(&model->words, keys[i % BUILDER_AHEAD], ids[i % BUILDER_AHEAD]);
    }
    return CTOK_OK;
}

static ctok_status builder_fill_specials(builder_finish *f, ctok_error *err)
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
static ctok_status builder_span(builder_finish *f, uint32_t id, size_t number,
                                vocab_span span, ctok_error *err)
{
    vocab *v = &f->model->tokens;
    vocab_span other = vocab_span_of(v, id);

    if (other.len != VOCAB_NONE && other.start >= v->starts[v->n_symbols]) {
        return CTOK_OK; /* a special before it has this id */
    }
    if (other.len != VOCAB_NONE && !builder_allows_duplicates(f->b)) {
        ctok_bytes first = {v->blob + other.start, other.len};
        ctok_bytes second = {v->blob + span.start, span.len};
        if (err != NULL) {
            error_set(err, CTOK_E_DUPLICATE, "id %u is given to both '%s' and '%s'", id,
                      builder_show(first).text, builder_show(second).text);
            err->id = id;
        }
        return CTOK_E_DUPLICATE;
    }
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
static ctok_status builder_fill_spans(builder_finish *f, ctok_error *err)
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
        TRY(builder_span(f, b->ids[i], i, span, err));
    }
    for (i = 0; i < b->n_specials; i++) {
        vocab_span span;
        span.start = special_start + model->specials.starts[i];
        span.len = model->specials.starts[i + 1] - model->specials.starts[i];
        TRY(builder_span(f, b->special_ids[i], b->n_drafts + i, span, err));
    }
    return CTOK_OK;
}

ctok_status ctok_builder_finish(ctok_model **out, ctok_builder *b, ctok_error *err)
{
    ctok_status status = CTOK_OK;
    builder_finish f;
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
    TRY_TO(done, builder_map_ids(&f, err));
    TRY_TO(done, builder_expand_merges(&f, err));
    TRY_TO(done, builder_start_vocab(&f, err));
    TRY_TO(done, builder_number_all(&f, err));
    TRY_TO(done, builder_fill_pairs(&f, err));
    TRY_TO(done, builder_fill_words(&f, err));
    if (f.model->is_proper) {
        TRY_TO(done, chars_new(&f.model->chars, &f.model->tokens, &f.model->table,
                               &f.model->alloc, err));
    }
    TRY_TO(done, builder_fill_specials(&f, err));
    TRY_TO(done, builder_fill_spans(&f, err));
    *out = f.model;
    f.model = NULL;
done:
    mem_free(&b->alloc, f.formed, f.n_formed, sizeof *f.formed);
    mem_free(&b->alloc, f.symbols, f.symbols_cap, sizeof *f.symbols);
    idmap_free(&f.by_id, &b->alloc);
    ctok_model_free(f.model);
    return status;
}
