/* truncate.c - the beginning of a text that has few enough ids.
 *
 * The first ids of the text say where that ends; but cut off there, the text may split into other
 * pieces, even into more. So what was cut is counted again, from a place on that is the end of a
 * piece in any case (cut.c):
 *
 *     text, 7 ids    The| cat| sat| on| the| m|at
 *     max_ids 6      The| cat| sat| on| the| m        counted again: " m"
 *                                         ^ place
 */
#include "base.h"
#include "block.h"
#include "error.h"
#include "mem.h"
#include "utf8.h"

/* About as many as an id has: pieces are counted in portions of what is left to find. */
#define TRUNCATE_BYTES_PER_ID 5

/* So often one id less is tried, which is enough as a rule. Then more are given up at once, twice as
 * many each time up to an eighth of what is left, so that some dozens of tries are all. */
#define TRUNCATE_TRIES 16

typedef struct truncate_call {
    const ctok_model *model;
    ctok_scratch *scratch;
    ctok_bytes text;
    ctok_error *err;
} truncate_call;

/* What was found of a beginning. */
typedef enum truncate_result {
    TRUNCATE_FITS,
    TRUNCATE_IS_MORE,
    TRUNCATE_IS_ENDLESS /* to split it takes too long, unlike the whole text */
} truncate_result;

/* The first ids of the text, and the block with the last of them. */
typedef struct truncate_ids {
    size_t n;
    size_t end;      /* of the bytes that they stand for */
    size_t n_before; /* ids before the block */
    ctok_split_block block;
    uint32_t counts[CTOK_BLOCK_PIECES]; /* of its pieces */
} truncate_ids;

/* Adds what one piece has, up to max_ids. It may be all of a long text, so it is not counted before
 * its ids are found. */
static ctok_status truncate_piece(const truncate_call *call, uint32_t number,
                                  const ctok_split_block *piece, size_t max_ids,
                                  truncate_ids *out)
{
    ctok_scratch *scratch = call->scratch;
    size_t end = piece->start + piece->ends[0];
    size_t n_left = max_ids - out->n;
    void *ids = scratch->ids;
    size_t n;
    size_t i;
    ctok_status status =
        mem_reserve(&scratch->alloc, &ids, &scratch->ids_cap,
                    piece->ends[0] + BLOCK_SLACK, sizeof *scratch->ids, call->err);

    scratch->ids = ids;
    TRY(status);
    TRY(block_encode(call->model, scratch, call->text, piece->start, piece,
                     scratch->ids, &n, call->err));
    out->counts[number] = (uint32_t)n;
    out->n += n < n_left ? n : n_left;
    out->end = n <= n_left ? end : piece->start;
    for (i = 0; n > n_left && i < n_left; i++) {
        out->end = vocab_id_end(&call->model->tokens, scratch->ids[i], out->end, end);
    }
    return CTOK_OK;
}

/* After the last id of a block: what comes then may all be text that the pattern drops. */
static ctok_status truncate_rest(const truncate_call *call, ctok_split_cursor cursor,
                                 truncate_ids *out)
{
    const ctok_splitter *splitter = &call->model->splitter;
    ctok_split_block block;

    TRY(splitter->next(splitter->self, call->scratch->split_state, call->text, &cursor,
                       &block, call->err));
    if (block.n_pieces == 0) {
        out->end = call->text.len;
    }
    return CTOK_OK;
}

/* Pieces of a block, number `from` and as many more as may have n_ids ids: it is not known yet,
 * and what they have beyond that is found in vain. Mostly that is all of it, else it is
 * made in room. A piece that is likely to have more alone comes alone. */
static const ctok_split_block *truncate_part(const ctok_split_block *block,
                                             uint32_t from, size_t n_ids,
                                             ctok_split_block *room)
{
    size_t n_bytes = TRUNCATE_BYTES_PER_ID * n_ids;
    uint32_t start = from == 0 ? 0 : block->ends[from - 1];
    uint32_t n = 0;

    if (from == 0 && block->n_pieces <= n_ids &&
        block->ends[block->n_pieces - 1] <= n_bytes) {
        return block;
    }
    do {
        room->ends[n] = block->ends[from + n] - start;
        n++;
    } while (from + n < block->n_pieces && n < n_ids && room->ends[n - 1] < n_bytes &&
             block->ends[from + n] - block->ends[from + n - 1] <= n_bytes);
    room->start = block->start + start;
    room->n_pieces = n;
    return room;
}

/* Adds what the pieces of a part have, up to max_ids. */
static ctok_status truncate_add(const truncate_call *call, uint32_t from,
                                const ctok_split_block *part, size_t max_ids,
                                truncate_ids *out)
{
    const uint32_t *counts = out->counts + from;
    size_t start = part->start;
    size_t all = 0;
    ctok_split_block piece;
    uint32_t i;

    if (part->n_pieces == 1) {
        return truncate_piece(call, from, part, max_ids, out);
    }
    TRY(block_count(call->model, call->scratch, call->text, part->start, part,
                    out->counts + from, call->err));
    for (i = 0; i < part->n_pieces; i++) {
        all += counts[i];
    }
    if (all <= max_ids - out->n) {
        out->n += all;
        out->end = part->start + part->ends[part->n_pieces - 1];
        return CTOK_OK;
    }
    for (i = 0; out->n < max_ids && counts[i] <= max_ids - out->n; i++) {
        out->n += counts[i];
        start = part->start + part->ends[i];
    }
    out->end = start;
    if (out->n == max_ids) {
        return CTOK_OK;
    }
    piece.start = start;
    piece.n_pieces = 1;
    piece.ends[0] = (uint32_t)(part->start + part->ends[i] - start);
    return truncate_piece(call, from + i, &piece, max_ids, out);
}

/* The first max_ids ids, or all. */
static ctok_status truncate_first(const truncate_call *call, size_t max_ids,
                                  truncate_ids *out)
{
    const ctok_splitter *splitter = &call->model->splitter;
    ctok_split_block *block = &out->block;
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block room;
    const ctok_split_block *part;
    uint32_t from;

    out->n = 0;
    out->end = 0;
    for (;;) {
        TRY(splitter->next(splitter->self, call->scratch->split_state, call->text,
                           &cursor, block, call->err));
        if (block->n_pieces == 0) {
            out->end = call->text.len;
            return CTOK_OK;
        }
        out->n_before = out->n;
        for (from = 0; from < block->n_pieces; from += part->n_pieces) {
            part = truncate_part(block, from, max_ids - out->n, &room);
            TRY(truncate_add(call, from, part, max_ids, out));
            if (out->n == max_ids) {
                bool is_last =
                    out->end == block->start + block->ends[block->n_pieces - 1];
                return is_last ? truncate_rest(call, cursor, out) : CTOK_OK;
            }
        }
    }
}

/* A place before len where a piece ends whatever follows len, and how many of the first ids
 * are before it; 0 when none is known in their last block. */
static size_t truncate_place(const truncate_call *call, const truncate_ids *first,
                             size_t len, size_t *n)
{
    const ctok_splitter *splitter = &call->model->splitter;
    const ctok_split_block *block = &first->block;
    ctok_bytes cut = {call->text.ptr + block->start, len - block->start};
    size_t place = 0;
    uint32_t i;

    if (splitter->cut != NULL && len > block->start) {
        place = splitter->cut(splitter->self, cut, cut.len - 1);
    }
    *n = first->n_before;
    for (i = 0; i < block->n_pieces && block->ends[i] <= place; i++) {
        *n += first->counts[i];
        if (block->ends[i] == place) {
            return block->start + place;
        }
    }
    *n = 0;
    return 0;
}

/* Whether what comes behind a place changes nothing before it. */
static bool truncate_may_cut(const truncate_call *call, size_t at)
{
    const ctok_splitter *splitter = &call->model->splitter;
    ctok_bytes around;
    size_t from = at;

    do {
        if (from == 0) {
            return false;
        }
        from--;
    } while (utf8_is_tail(call->text.ptr[from]));
    around.ptr = call->text.ptr + from;
    around.len = call->text.len - from;
    return splitter->cut != NULL && at < call->text.len &&
           splitter->cut(splitter->self, around, at - from) == at - from;
}

/* Cuts behind the first `limit` ids; *found is whether what is left has at most max_ids. */
static ctok_status truncate_at(const truncate_call *call, size_t limit, size_t max_ids,
                               ctok_head *out, truncate_result *found)
{
    const ctok_encode_options options = {.text_is_utf8 = 1};
    const ctok_bytes text = call->text;
    ctok_output again = {NULL, NULL, 0, 0, 0};
    truncate_ids first;
    ctok_bytes rest;
    ctok_status status;
    size_t place;
    size_t n;

    TRY(truncate_first(call, limit, &first));
    out->len = first.end;
    out->n_ids = first.n;
    *found = first.n <= max_ids ? TRUNCATE_FITS : TRUNCATE_IS_MORE;
    if (first.n <= max_ids &&
        (first.end == text.len || truncate_may_cut(call, first.end))) {
        return CTOK_OK;
    }
    while (out->len > 0 && out->len < text.len && utf8_is_tail(text.ptr[out->len])) {
        out->len--;
    }
    place = truncate_place(call, &first, out->len, &n);
    rest.ptr = text.ptr + place;
    rest.len = out->len - place;
    status = ctok_encode(call->model, call->scratch, rest, &options, &again, call->err);
    out->n_ids = n + again.n;
    *found = status == CTOK_E_SPLIT                       ? TRUNCATE_IS_ENDLESS
             : status == CTOK_OK && out->n_ids <= max_ids ? TRUNCATE_FITS
                                                          : TRUNCATE_IS_MORE;
    /* A rank may be missing now: what was cut off made a token of the bytes before it. */
    return status == CTOK_E_RANK || status == CTOK_E_SPLIT ? CTOK_OK : status;
}

/* How many ids to try next, when so many of the text had more, cut off there. */
static size_t truncate_less(size_t limit, size_t n_tries, const ctok_head *cut,
                            size_t max_ids)
{
    const size_t eighth = limit / 8 + 1;
    size_t step = 1;
    double share = 1;

    if (n_tries >= TRUNCATE_TRIES) {
        step =
            n_tries < TRUNCATE_TRIES + 32 ? step << (n_tries - TRUNCATE_TRIES) : eighth;
        step = step < eighth ? step : eighth;
        share = cut->n_ids > max_ids ? (double)max_ids / (double)cut->n_ids : 0.5;
    }
    return (size_t)(share * (double)(limit - step));
}

ctok_status ctok_truncate(const ctok_model *model, ctok_scratch *scratch,
                          ctok_bytes text, size_t max_ids, ctok_head *out,
                          ctok_error *err)
{
    const truncate_call call = {model, scratch, text, err};
    size_t limit = max_ids > 0 ? max_ids : 1;
    size_t n_tries = 0;
    ctok_status status = CTOK_OK;
    truncate_result found = TRUNCATE_IS_MORE;

    *out = (ctok_head){0, 0};
    if (model->is_ambiguous) {
        return model_no_places(err);
    }
    TRY(scratch_attach(scratch, model, err));
    while (found != TRUNCATE_FITS && limit > 0 && status == CTOK_OK) {
        status = truncate_at(&call, limit, max_ids, out, &found);
        n_tries++;
        limit = found == TRUNCATE_IS_ENDLESS
                    ? limit / 2
                    : truncate_less(limit, n_tries, out, max_ids);
    }
    if (found != TRUNCATE_FITS) {
        out->len = 0;
        out->n_ids = 0;
    }
    scratch_trim(scratch, text.len);
    return status;
}
