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

/* By merging. out has room for as many ids as the piece has bytes. */
static ctok_status encode_merge(const encode_call *call, ctok_bytes piece,
                                uint32_t *out, size_t *n_out)
{
    const vocab *v = &call->model->tokens;
    bpe view = model_bpe(call->model);
    size_t n = 0;
    size_t i;

    *n_out = 0;
    TRY(bpe_merge(&view, &call->scratch->work, piece, out, &n, call->err));
    for (i = 0; i < n; i++) {
        uint32_t id = v->ids[out[i]];
        if (BASE_UNLIKELY(id == VOCAB_NONE)) {
            /* Ids were written over symbols up to here: merge again to find the place. */
            TRY(bpe_merge(&view, &call->scratch->work, piece, out, &n, call->err));
            return encode_missing(call, piece, out, n);
        }
        out[i] = id;
    }
    *n_out = n;
    return CTOK_OK;
}

/* By phrase cache, vocabulary or merging; what it finds out is remembered. */
static ctok_status encode_piece(const encode_call *call, ctok_bytes piece,
                                cache_key key, uint32_t *out, size_t *n_out)
{
    const ctok_model *model = call->model;
    const vocab *v = &model->tokens;
    cache *words = &call->scratch->words;
    uint64_t hash = 0;

    if (piece.len <= v->max_len || piece.len <= CACHE_PHRASE_BYTES) {
        hash = vocab_hash(piece.ptr, piece.len);
    }
    if (words->words.entries != NULL && piece.len <= CACHE_PHRASE_BYTES) {
        const cache_phrase *phrase = cache_phrase_at(words, hash);
        if (cache_phrase_is(phrase, hash, piece)) {
            *n_out = phrase->n;
            memcpy(out, phrase->ids, phrase->n * sizeof *out);
            return CTOK_OK;
        }
    }
    *n_out = 1;
    out[0] = VOCAB_NONE;
    if (model->whole_piece && piece.len <= v->max_len) {
        uint32_t symbol = vocab_find_hashed(v, hash, piece.ptr, piece.len);
        out[0] = symbol == VOCAB_NONE ? VOCAB_NONE : v->ids[symbol];
    }
    if (out[0] == VOCAB_NONE) {
        TRY(encode_merge(call, piece, out, n_out));
    }
    cache_add(words, key, hash, piece, out, *n_out);
    return CTOK_OK;
}

/* ---- one block -------------------------------------------------------------- */

/* Where the cache would have each piece of a block. Asking for all of them before looking at
 * the first hides most of the time that memory takes. */
typedef struct encode_probes {
    cache_key keys[CTOK_BLOCK_PIECES];
    const cache_word *words[CTOK_BLOCK_PIECES];
} encode_probes;

/* What a piece that is too long for a word, or met with no cache, is compared with: it is
 * equal to no key, for every key has a length. */
static const cache_word encode_no_word = {{0, 0}, {0}, 0};
static const cache_key encode_no_key = {~(uint64_t)0, ~(uint64_t)0};

static void encode_probe(const encode_call *call, const uint8_t *start,
                         const ctok_split_block *block, encode_probes *probes)
{
    const uint8_t *end = call->text.ptr + call->text.len;
    const cache *words = &call->scratch->words;
    bool is_on = words->words.entries != NULL;
    uint32_t from = 0;
    uint32_t i;

    for (i = 0; i < block->n_pieces; i++) {
        size_t len = block->ends[i] - from;

        if (BASE_LIKELY(len <= CACHE_WORD_BYTES && is_on)) {
            probes->keys[i] = cache_key_of(start + from, len, end);
            probes->words[i] = cache_word_at(words, probes->keys[i]);
            BASE_PREFETCH(probes->words[i]);
        } else {
            probes->keys[i] = encode_no_key;
            probes->words[i] = &encode_no_word;
        }
        from = block->ends[i];
    }
}

/* Ids of all pieces of a block. out has room for the block's bytes and ENCODE_SLACK. */
static ctok_status encode_block(const encode_call *call, const uint8_t *start,
                                const ctok_split_block *block, uint32_t *out,
                                size_t *n_out)
{
    encode_probes probes;
    uint32_t *next = out;
    uint32_t from = 0;
    uint32_t i;

    encode_probe(call, start, block, &probes);
    for (i = 0; i < block->n_pieces; i++) {
        const cache_word *word = probes.words[i];
        size_t n = word->n;

        if (BASE_LIKELY(cache_word_is(word, probes.keys[i]))) {
            memcpy(next, word->ids, ENCODE_SLACK * sizeof *next);
        } else {
            ctok_bytes piece = {start + from, block->ends[i] - from};
            TRY(encode_piece(call, piece, probes.keys[i], next, &n));
        }
        from = block->ends[i];
        next += n;
    }
    *n_out = (size_t)(next - out);
    cache_grow(&call->scratch->words, &call->scratch->alloc);
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
    cache_key key = encode_no_key;
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
    TRY(scratch_attach(scratch, model, err));
    TRY(encode_room(&call, piece.len, &room));
    if (piece.len <= CACHE_WORD_BYTES) {
        key = cache_key_of(piece.ptr, piece.len, piece.ptr + piece.len);
    }
    TRY(encode_piece(&call, piece, key, room, &n));
    encode_emit(&call, room, n, 0, piece.len);
    return encode_finish(&call);
}
