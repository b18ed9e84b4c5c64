/* encode.c - text to ids.
 *
 *     text  ->  specials cut it into segments  ->  the splitter cuts these into blocks of
 *     pieces  ->  block.h: ids
 */
#include "base.h"
#include "block.h"
#include "error.h"
#include "mem.h"
#include "model.h"
#include "scratch.h"
#include "special.h"

typedef struct encode_call {
    const ctok_model *model;
    ctok_scratch *scratch;
    ctok_bytes text;
    const ctok_encode_options *options;
    ctok_output *out;
    ctok_error *err;
    bool is_done;     /* max_ids were made */
    bool counts_only; /* to the end of the text */
} encode_call;

/* ---- output ----------------------------------------------------------------- */

/* Where number i of n ids ends: what they all stand for goes from start, which is that of this one,
 * to end. Specials come alone; of two that share an id, it has the length of one. */
static size_t encode_id_end(const encode_call *call, const uint32_t *ids, size_t i,
                            size_t n, size_t start, size_t end)
{
    return i + 1 == n ? end : vocab_id_end(&call->model->tokens, ids[i], start, end);
}

/* Books n ids that stand for the bytes from start on: stores them if they are not in
 * place and fit, fills ranges, and stops at max_ids. */
static void encode_emit(encode_call *call, const uint32_t *ids, size_t n, size_t start,
                        size_t end)
{
    ctok_output *out = call->out;
    size_t max = call->options->max_ids;
    size_t n_fit = out->n < out->cap ? out->cap - out->n : 0;
    size_t n_all = n;
    size_t i;

    if (max != 0 && n >= max - out->n) {
        size_t done = start;

        n = max - out->n;
        for (i = 0; i < n; i++) {
            done = encode_id_end(call, ids, i, n_all, done, end);
        }
        end = done;
        call->is_done = true;
    }
    n_fit = n < n_fit ? n : n_fit;
    if (out->ids != NULL && n_fit > 0 && ids != out->ids + out->n) {
        memcpy(out->ids + out->n, ids, n_fit * sizeof *ids);
    }
    for (i = 0; out->ranges != NULL && i < n_fit; i++) {
        out->ranges[out->n + i].start = start;
        start = encode_id_end(call, ids, i, n_all, start, end);
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

/* ---- blocks ----------------------------------------------------------------- */

static ctok_status encode_block_ids(encode_call *call, size_t at,
                                    const ctok_split_block *block)
{
    size_t block_len = block->ends[block->n_pieces - 1];
    uint32_t *room = NULL;
    size_t n = 0;

    TRY(encode_room(call, block_len + BLOCK_SLACK, &room));
    TRY(block_encode(call->model, call->scratch, call->text, at, block, room, &n,
                     call->err));
    encode_emit(call, room, n, at, at + block_len);
    return CTOK_OK;
}

static ctok_status encode_block_count(encode_call *call, size_t at,
                                      const ctok_split_block *block)
{
    uint32_t counts[CTOK_BLOCK_PIECES];
    uint32_t n = 0; /* no more than bytes */
    uint32_t i;

    TRY(block_count(call->model, call->scratch, call->text, at, block, counts,
                    call->err));
    for (i = 0; i < block->n_pieces; i++) {
        n += counts[i];
    }
    call->out->n += n;
    return CTOK_OK;
}

/* ---- segments --------------------------------------------------------------- */

/* Text between specials. The splitter sees nothing outside of it. */
static ctok_status encode_segment(encode_call *call, size_t start, size_t end)
{
    const ctok_splitter *splitter = &call->model->splitter;
    ctok_bytes segment = {call->text.ptr + start, end - start};
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block block;

    while (!call->is_done && cursor.position < segment.len) {
        ctok_status status = splitter->next(splitter->self, call->scratch->split_state,
                                            segment, &cursor, &block, call->err);
        if (status != CTOK_OK) {
            if (call->err != NULL) {
                call->err->position += start;
            }
            return status;
        }
        if (block.n_pieces == 0) {
            break;
        }
        if (call->counts_only) {
            TRY(encode_block_count(call, start + block.start, &block));
        } else {
            TRY(encode_block_ids(call, start + block.start, &block));
        }
    }
    if (!call->is_done) {
        call->out->consumed = end;
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

    if ((out->ids != NULL || out->ranges != NULL) && out->n > out->cap) {
        return error_set(call->err, CTOK_E_SPACE, "%zu ids do not fit into %zu", out->n,
                         out->cap);
    }
    return CTOK_OK;
}

/* ---- public ----------------------------------------------------------------- */

size_t ctok_encode_bound(const ctok_model *model, size_t text_len)
{
    (void)model; /* no model makes more ids than bytes */
    return text_len <= SIZE_MAX - BLOCK_SLACK ? text_len + BLOCK_SLACK : SIZE_MAX;
}

ctok_status ctok_encode(const ctok_model *model, ctok_scratch *scratch, ctok_bytes text,
                        const ctok_encode_options *options, ctok_output *out,
                        ctok_error *err)
{
    static const ctok_encode_options defaults = CTOK_ENCODE_OPTIONS_INIT;
    encode_call call = {model, scratch, text, options, out, err, false, false};
    ctok_status status;

    out->n = 0;
    out->consumed = 0;
    if (options == NULL) {
        call.options = &defaults;
    }
    call.counts_only =
        out->ids == NULL && out->ranges == NULL && call.options->max_ids == 0;
    TRY(encode_check(&call));
    if (BASE_UNLIKELY(model->is_ambiguous) &&
        (out->ranges != NULL || call.options->max_ids > 0)) {
        return model_no_places(err);
    }
    TRY(scratch_attach(scratch, model, err));
    status = encode_segments(&call);
    scratch_trim(scratch, text.len);
    TRY(status);
    return encode_finish(&call);
}

ctok_status ctok_encode_piece(const ctok_model *model, ctok_scratch *scratch,
                              ctok_bytes piece, ctok_output *out, ctok_error *err)
{
    static const ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    encode_call call = {model, scratch, piece, &options, out, err, false, false};
    ctok_split_block block = {0, 1, {0}};
    ctok_status status;

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
    status = encode_block_ids(&call, 0, &block);
    scratch_trim(scratch, piece.len);
    TRY(status);
    return encode_finish(&call);
}
