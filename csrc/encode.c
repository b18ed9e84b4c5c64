/* encode.c - text to ids.
 *
 *     text  ->  specials cut it into segments  ->  the splitter cuts these into blocks of
 *     pieces  ->  word cache, vocabulary, merging: ids
 */
#include "base.h"
#include "bpe.h"
#include "cache.h"
#include "error.h"
#include "mem.h"
#include "model.h"
#include "scratch.h"
#include "special.h"

/* A hit copies CACHE_WORD_IDS + 1 ids whatever their number: room behind the last one. */
#define ENCODE_SLACK (CACHE_WORD_IDS + 1)

typedef struct encode_call {
    const ctok_model *model;
    ctok_scratch *scratch;
    ctok_bytes text;
    const ctok_encode_options *options;
    ctok_output *out;
    ctok_error *err;
    bool is_done; /* max_ids were made */
} encode_call;

/* ---- one piece -------------------------------------------------------------- */

static ctok_status encode_missing(const encode_call *call, ctok_bytes piece,
                                  const uint32_t *symbols, size_t n)
{
    const vocab *v = &call->model->tokens;
    size_t offset = (size_t)(piece.ptr - call->text.ptr);
    size_t i;

    for (i = 0; i < n && v->ids[symbols[i]] != VOCAB_NONE; i++) {
        offset += vocab_bytes(v, symbols[i]).len;
    }
    return error_set_at(call->err, CTOK_E_RANK, offset,
                        "byte 0x%02x at offset %zu is no token and merges into none",
                        call->text.ptr[offset], offset);
}

/* Symbols to ids, in place. False when a byte has none. */
static bool encode_ids(const ctok_model *model, uint32_t *symbols, size_t n)
{
    const uint32_t *ids = model->tokens.ids;
    uint32_t bad = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        symbols[i] = ids[symbols[i]];
        bad |= symbols[i] == VOCAB_NONE;
    }
    return bad == 0;
}

/* By merging. out has room for as many ids as the piece has bytes. */
static ctok_status encode_merge(const encode_call *call, ctok_bytes piece,
                                uint32_t *out, size_t *n_out)
{
    bpe view = model_bpe(call->model);
    size_t n = 0;

    *n_out = 0;
    TRY(bpe_merge(&view, &call->scratch->work, piece, out, &n, call->err));
    if (BASE_UNLIKELY(!encode_ids(call->model, out, n))) {
        /* Ids were written over the symbols: merge again to find the place. */
        TRY(bpe_merge(&view, &call->scratch->work, piece, out, &n, call->err));
        return encode_missing(call, piece, out, n);
    }
    *n_out = n;
    return CTOK_OK;
}

/* A piece that the word cache does not have, on its way through the other tables. */
typedef struct encode_miss {
    ctok_bytes piece;
    cache_key key;
    uint64_t hash;
    uint32_t number; /* of the piece in its block */
} encode_miss;

static encode_miss encode_miss_of(ctok_bytes piece, cache_key key, uint32_t number)
{
    encode_miss miss = {piece, key, 0, number};
    miss.hash = vocab_hash(piece.ptr, piece.len);
    return miss;
}

/* By phrase cache or vocabulary; 0 when it is in neither. ids has room for a phrase. */
static size_t encode_look_up(const encode_call *call, const encode_miss *miss,
                             uint32_t *ids)
{
    const ctok_model *model = call->model;
    const vocab *v = &model->tokens;
    const cache *words = &call->scratch->words;
    ctok_bytes piece = miss->piece;

    if (words->words.entries != NULL && piece.len <= CACHE_PHRASE_BYTES) {
        const cache_phrase *phrase = cache_phrase_at(words, miss->hash);
        if (cache_phrase_is(phrase, miss->hash, piece)) {
            memcpy(ids, phrase->ids, sizeof phrase->ids);
            return phrase->n;
        }
    }
    if (model->whole_piece && piece.len <= v->max_len) {
        uint32_t symbol = vocab_find_hashed(v, miss->hash, piece.ptr, piece.len);
        if (symbol != VOCAB_NONE && v->ids[symbol] != VOCAB_NONE) {
            ids[0] = v->ids[symbol];
            return 1;
        }
    }
    return 0;
}

/* ---- one block -------------------------------------------------------------- */

/* A block goes through its tables piece by piece, but table by table: all places in the word
 * cache are asked for before the first is looked at, then those that it lacks are looked
 * up together, and those that no table has are merged together. That hides most of the
 * time that memory takes. Each piece has a slot for its ids, so the order is kept:
 *
 *     pieces    The| cat| sat| on| thematte
 *     slots     1    1    1    1   3 aside        copied out one after the other
 */
typedef struct encode_slot {
    uint32_t ids[CACHE_WORD_IDS]; /* or, when n is more, where they are aside */
    uint32_t n;
} encode_slot;

typedef struct encode_block_work {
    encode_slot slots[CTOK_BLOCK_PIECES];
    cache_key keys[CTOK_BLOCK_PIECES];
    const cache_word *words[CTOK_BLOCK_PIECES];
    encode_miss misses[CTOK_BLOCK_PIECES];
    uint32_t n_misses;
    size_t n_aside;
} encode_block_work;

/* What a piece that is too long for a word, or met with no cache, is compared with: it is
 * equal to no key, for every key has a length. */
static const cache_word encode_no_word = {{0, 0}, {0}, 0};
static const cache_key encode_no_key = {~(uint64_t)0, ~(uint64_t)0};

static void encode_probe(const encode_call *call, const uint8_t *start,
                         const ctok_split_block *block, encode_block_work *work)
{
    const uint8_t *end = call->text.ptr + call->text.len;
    const cache *words = &call->scratch->words;
    bool is_on = words->words.entries != NULL;
    uint32_t from = 0;
    uint32_t i;

    for (i = 0; i < block->n_pieces; i++) {
        size_t len = block->ends[i] - from;

        if (BASE_LIKELY(len <= CACHE_WORD_BYTES && is_on)) {
            work->keys[i] = cache_key_of(start + from, len, end);
            work->words[i] = cache_word_at(words, work->keys[i]);
            BASE_PREFETCH(work->words[i]);
        } else {
            work->keys[i] = encode_no_key;
            work->words[i] = &encode_no_word;
        }
        from = block->ends[i];
    }
}

/* Fills the slots of words that the cache has, and lists the others. */
static void encode_hits(const encode_call *call, const uint8_t *start,
                        const ctok_split_block *block, encode_block_work *work)
{
    const ctok_model *model = call->model;
    const cache *words = &call->scratch->words;
    uint32_t n_misses = 0;
    uint32_t i;

    for (i = 0; i < block->n_pieces; i++) {
        const cache_word *word = work->words[i];

        memcpy(&work->slots[i], word->ids, sizeof work->slots[i]);
        if (BASE_UNLIKELY(!cache_word_is(word, work->keys[i]))) {
            uint32_t from = i == 0 ? 0 : block->ends[i - 1];
            ctok_bytes piece = {start + from, block->ends[i] - from};
            encode_miss *miss = &work->misses[n_misses++];

            *miss = encode_miss_of(piece, work->keys[i], i);
            BASE_PREFETCH(
                &model->tokens.slots[miss->hash & (model->tokens.n_slots - 1)]);
            if (words->phrases.entries != NULL && piece.len <= CACHE_PHRASE_BYTES) {
                BASE_PREFETCH(cache_phrase_at(words, miss->hash));
            }
        }
    }
    work->n_misses = n_misses;
}

/* Puts the ids of a miss into its slot, or aside, where there is room. */
static void encode_settle(const encode_call *call, encode_block_work *work,
                          const encode_miss *miss, const uint32_t *ids, size_t n)
{
    encode_slot *slot = &work->slots[miss->number];

    slot->n = (uint32_t)n;
    if (n <= CACHE_WORD_IDS) {
        memcpy(slot->ids, ids, n * sizeof *ids);
        return;
    }
    slot->ids[0] = (uint32_t)work->n_aside;
    memmove(call->scratch->aside + work->n_aside, ids, n * sizeof *ids);
    work->n_aside += n;
}

/* Looks all misses up; those that no table has move to the front, and n_misses is how many. */
static void encode_look_up_all(const encode_call *call, encode_block_work *work)
{
    uint32_t n_left = 0;
    uint32_t i;

    for (i = 0; i < work->n_misses; i++) {
        encode_miss miss = work->misses[i];
        uint32_t ids[CACHE_PHRASE_IDS];
        size_t n = encode_look_up(call, &miss, ids);

        if (n == 0) {
            work->misses[n_left++] = miss;
            continue;
        }
        encode_settle(call, work, &miss, ids, n);
        if (n == 1) {
            cache_add(&call->scratch->words, miss.key, miss.hash, miss.piece, ids, n);
        }
    }
    work->n_misses = n_left;
}

/* Merges a miss of any length, straight to where its ids are kept aside. */
static ctok_status encode_merge_one(const encode_call *call, encode_block_work *work,
                                    const encode_miss *miss)
{
    uint32_t *ids = call->scratch->aside + work->n_aside;
    size_t n = 0;

    TRY(encode_merge(call, miss->piece, ids, &n));
    encode_settle(call, work, miss, ids, n);
    cache_add(&call->scratch->words, miss->key, miss->hash, miss->piece, ids, n);
    return CTOK_OK;
}

#define ENCODE_MANY 16

/* Merges up to ENCODE_MANY short misses together. */
static ctok_status encode_merge_some(const encode_call *call, encode_block_work *work,
                                     const encode_miss *const *misses, size_t n)
{
    ctok_bytes pieces[ENCODE_MANY] = {{NULL, 0}};
    uint32_t symbols[ENCODE_MANY][BPE_MANY_BYTES];
    uint8_t n_symbols[ENCODE_MANY];
    size_t i;

    for (i = 0; i < n; i++) {
        pieces[i] = misses[i]->piece;
    }
    call->model->merge_many(&call->model->table, pieces, n, symbols, n_symbols);
    for (i = 0; i < n; i++) {
        if (BASE_UNLIKELY(!encode_ids(call->model, symbols[i], n_symbols[i]))) {
            return encode_merge_one(call, work,
                                    misses[i]); /* it says what is missing */
        }
        encode_settle(call, work, misses[i], symbols[i], n_symbols[i]);
        cache_add(&call->scratch->words, misses[i]->key, misses[i]->hash,
                  misses[i]->piece, symbols[i], n_symbols[i]);
    }
    return CTOK_OK;
}

/* Merges what no table had. */
static ctok_status encode_merge_all(const encode_call *call, encode_block_work *work)
{
    const encode_miss *group[ENCODE_MANY];
    size_t n = 0;
    uint32_t i;

    for (i = 0; i < work->n_misses; i++) {
        const encode_miss *miss = &work->misses[i];

        if (miss->piece.len > BPE_MANY_BYTES) {
            TRY(encode_merge_one(call, work, miss));
            continue;
        }
        group[n++] = miss;
        if (n == ENCODE_MANY) {
            TRY(encode_merge_some(call, work, group, n));
            n = 0;
        }
    }
    return encode_merge_some(call, work, group, n);
}

static ctok_status encode_misses(const encode_call *call, encode_block_work *work,
                                 size_t block_len)
{
    ctok_scratch *scratch = call->scratch;
    void *aside = scratch->aside;
    ctok_status status;

    /* Ids never outnumber bytes; a phrase is copied whole. */
    status =
        mem_reserve(&scratch->alloc, &aside, &scratch->aside_cap,
                    block_len + CACHE_PHRASE_IDS, sizeof *scratch->aside, call->err);
    scratch->aside = aside;
    TRY(status);
    encode_look_up_all(call, work);
    TRY(encode_merge_all(call, work));
    cache_grow(&scratch->words, &scratch->alloc);
    return CTOK_OK;
}

/* Ids of all pieces of a block. out has room for the block's bytes and ENCODE_SLACK. */
static ctok_status encode_block(const encode_call *call, const uint8_t *start,
                                const ctok_split_block *block, uint32_t *out,
                                size_t *n_out)
{
    encode_block_work work;
    uint32_t *next = out;
    uint32_t i;

    work.n_aside = 0;
    encode_probe(call, start, block, &work);
    encode_hits(call, start, block, &work);
    if (work.n_misses > 0) {
        TRY(encode_misses(call, &work, block->ends[block->n_pieces - 1]));
    }
    for (i = 0; i < block->n_pieces; i++) {
        const encode_slot *slot = &work.slots[i];

        if (BASE_LIKELY(slot->n <= CACHE_WORD_IDS)) {
            memcpy(next, slot->ids, ENCODE_SLACK * sizeof *next);
        } else {
            memcpy(next, call->scratch->aside + slot->ids[0], slot->n * sizeof *next);
        }
        next += slot->n;
    }
    *n_out = (size_t)(next - out);
    return CTOK_OK;
}

/* ---- output ----------------------------------------------------------------- */

static size_t encode_id_len(const ctok_model *model, uint32_t id)
{
    return vocab_span_of(&model->tokens, id).len;
}

/* Books n ids that stand for the bytes from start on: stores them if they are not in
 * place and fit, fills ranges, and stops at max_ids. */
static void encode_emit(encode_call *call, const uint32_t *ids, size_t n, size_t start,
                        size_t end)
{
    ctok_output *out = call->out;
    size_t max = call->options->max_ids;
    size_t n_fit = out->n < out->cap ? out->cap - out->n : 0;
    size_t i;

    if (max != 0 && n >= max - out->n) {
        n = max - out->n;
        end = start;
        for (i = 0; i < n; i++) {
            end += encode_id_len(call->model, ids[i]);
        }
        call->is_done = true;
    }
    n_fit = n < n_fit ? n : n_fit;
    if (out->ids != NULL && n_fit > 0 && ids != out->ids + out->n) {
        memcpy(out->ids + out->n, ids, n_fit * sizeof *ids);
    }
    for (i = 0; out->ranges != NULL && i < n_fit; i++) {
        out->ranges[out->n + i].start = start;
        start += encode_id_len(call->model, ids[i]);
        out->ranges[out->n + i].end = start;
    }
    out->n += n;
    out->consumed = end;
}

/* Where to write up to n ids: into the output itself when they are sure to fit. */
static ctok_status encode_room(encode_call *call, size_t n, uint32_t **room)
{
    ctok_output *out = call->out;
    ctok_scratch *scratch = call->scratch;
    void *ids = scratch->ids;
    ctok_status status;

    if (out->ids != NULL && out->n <= out->cap && out->cap - out->n >= n) {
        *room = out->ids + out->n;
        return CTOK_OK;
    }
    status = mem_reserve(&scratch->alloc, &ids, &scratch->ids_cap, n,
                         sizeof *scratch->ids, call->err);
    scratch->ids = ids;
    *room = scratch->ids;
    return status;
}

/* ---- segments --------------------------------------------------------------- */

/* Text between specials. The splitter sees nothing outside of it. */
static ctok_status encode_segment(encode_call *call, size_t start, size_t end)
{
    const ctok_splitter *splitter = &call->model->splitter;
    ctok_bytes segment = {call->text.ptr + start, end - start};
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block block;

    while (!call->is_done) {
        size_t block_len;
        size_t at;
        uint32_t *room = NULL;
        size_t n = 0;
        ctok_status status = splitter->next(splitter->self, call->scratch->split_state,
                                            segment, &cursor, &block, call->err);
        if (status != CTOK_OK) {
            if (call->err != NULL) {
                call->err->position += start;
            }
            return status;
        }
        if (block.n_pieces == 0) {
            call->out->consumed = end;
            return CTOK_OK;
        }
        block_len = block.ends[block.n_pieces - 1];
        at = start + block.start;
        TRY(encode_room(call, block_len + ENCODE_SLACK, &room));
        TRY(encode_block(call, call->text.ptr + at, &block, room, &n));
        encode_emit(call, room, n, at, at + block_len);
    }
    return CTOK_OK;
}

static ctok_status encode_segments(encode_call *call)
{
    const ctok_model *model = call->model;
    size_t start = 0;
    size_t at;
    uint32_t number;

    while (!call->is_done && special_next(&model->specials, call->text, start,
                                          call->options->allowed, &at, &number)) {
        size_t end = at + special_len(&model->specials, number);

        TRY(encode_segment(call, start, at));
        if (!call->is_done) {
            encode_emit(call, &model->special_ids[number], 1, at, end);
        }
        start = end;
    }
    return call->is_done ? CTOK_OK : encode_segment(call, start, call->text.len);
}

static ctok_status encode_check(const encode_call *call)
{
    const special *specials = &call->model->specials;
    size_t at;
    uint32_t number;

    if (!call->options->text_is_utf8) {
        at = ctok_utf8_valid(call->text);
        if (at < call->text.len) {
            return error_set_at(call->err, CTOK_E_UTF8, at,
                                "byte 0x%02x at offset %zu is not UTF-8",
                                call->text.ptr[at], at);
        }
    }
    if (special_next(specials, call->text, 0, call->options->disallowed, &at,
                     &number)) {
        size_t len = special_len(specials, number);

        error_set_at(call->err, CTOK_E_SPECIAL, at,
                     "special token '%.*s' at offset %zu", (int)(len < 100 ? len : 100),
                     call->text.ptr + at, at);
        if (call->err != NULL) {
            call->err->id = number;
        }
        return CTOK_E_SPECIAL;
    }
    return CTOK_OK;
}

static ctok_status encode_finish(const encode_call *call)
{
    const ctok_output *out = call->out;

    if (out->ids != NULL && out->n > out->cap) {
        return error_set(call->err, CTOK_E_SPACE, "%zu ids do not fit into %zu", out->n,
                         out->cap);
    }
    return CTOK_OK;
}

/* ---- public ----------------------------------------------------------------- */

size_t ctok_encode_bound(const ctok_model *model, size_t text_len)
{
    (void)model; /* no model makes more ids than bytes */
    return text_len + ENCODE_SLACK;
}

ctok_status ctok_encode(const ctok_model *model, ctok_scratch *scratch, ctok_bytes text,
                        const ctok_encode_options *options, ctok_output *out,
                        ctok_error *err)
{
    static const ctok_encode_options defaults = CTOK_ENCODE_OPTIONS_INIT;
    encode_call call = {model, scratch, text, options, out, err, false};

    out->n = 0;
    out->consumed = 0;
    if (options == NULL) {
        call.options = &defaults;
    }
    TRY(encode_check(&call));
    TRY(scratch_attach(scratch, model, err));
    TRY(encode_segments(&call));
    return encode_finish(&call);
}

ctok_status ctok_encode_piece(const ctok_model *model, ctok_scratch *scratch,
                              ctok_bytes piece, ctok_output *out, ctok_error *err)
{
    static const ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    encode_call call = {model, scratch, piece, &options, out, err, false};
    ctok_split_block block = {0, 1, {0}};
    uint32_t *room = NULL;
    size_t n = 0;

    out->n = 0;
    out->consumed = 0;
    if (piece.len > INT32_MAX) {
        return error_set(err, CTOK_E_LIMIT,
                         "a piece of %zu bytes: at most %d are supported", piece.len,
                         INT32_MAX);
    }
    if (piece.len == 0) {
        return CTOK_OK;
    }
    block.ends[0] = (uint32_t)piece.len;
    TRY(scratch_attach(scratch, model, err));
    TRY(encode_room(&call, piece.len + ENCODE_SLACK, &room));
    TRY(encode_block(&call, piece.ptr, &block, room, &n));
    encode_emit(&call, room, n, 0, piece.len);
    return encode_finish(&call);
}
