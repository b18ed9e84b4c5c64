/* bpe_long.c - long pieces of proper models in linear time.
 *
 * A model is proper when every merge outranks the merges that made its halves. Merging then
 * runs through the ranks like a clock: at time r all merges of lower rank are done,
 * everywhere. From that follows what this file rests on:
 *
 *     A row of tokens is the encoding of its bytes if and only if each two
 *     neighbours are the encoding of theirs.
 *
 * Only "if" needs a reason. Suppose each two neighbours are, and yet some merge crosses a
 * border; take the first such, at time r, and of those the leftmost, between tokens
 * t and u. Until r nothing crossed, so the parts of t and of u at time r are the same as
 * when t u is encoded alone, where this pair does not merge. Only a run a a a a of the
 * pair (a, a) that reaches over borders could be paired off differently: it does so only if
 * it starts left of t and an odd part of it remains there, but then it crosses at that
 * border further left, against the choice of the leftmost.
 *
 * So windows are encoded on their own and joined: around the border a few tokens of both
 * sides are encoded once more, more and more of them, until the first and the last token come
 * out as they were. All neighbours are then known to be right.
 *
 *     done    ... th|ere|fo|r      window   e|,| and| ...
 *     region             [fo|r   e|,]   ->   [fore|,]     first token changed: grow
 *     region        [ere|fo|r   e|,| and]  -> [ere|fore|,| and]   ends are the same: joined
 */
#include "bpe.h"

#include "error.h"
#include "mem.h"
#include "utf8.h"

/* Bytes of a window: a row of bpe_many, with the room that chars_start wants. */
#define BPE_WINDOW (BPE_MANY_SYMBOLS - 4)

/* Bytes of regions per byte of the piece before the heap is the better way, for
 * vocabularies made so that a change at the end reaches far back. */
#define BPE_JOIN_BUDGET 16

typedef struct bpe_join {
    const bpe *model;
    bpe_work *work;
    ctok_bytes piece;
    uint32_t *out; /* the encoding of the piece up to done */
    size_t n_out;  /* its symbols */
    size_t done;   /* its bytes */
    size_t budget; /* bytes that regions may still have */
} bpe_join;

static size_t bpe_token_len(const bpe_join *join, uint32_t symbol)
{
    return vocab_bytes(join->model->tokens, symbol).len;
}

/* Encodes part of the piece into work->region. */
static ctok_status bpe_region(bpe_join *join, size_t start, size_t end, size_t *n,
                              ctok_error *err)
{
    ctok_bytes part = {join->piece.ptr + start, end - start};
    void *region = join->work->region;
    ctok_status status;

    if (join->budget < part.len) {
        return CTOK_E_LIMIT;
    }
    join->budget -= part.len;
    status = mem_reserve(&join->work->alloc, &region, &join->work->region_cap, part.len,
                         sizeof *join->work->region, err);
    join->work->region = region;
    TRY(status);
    if (part.len <= BPE_FLAT_MAX) {
        *n = bpe_flat(join->model->table, part.ptr, part.len, join->work->region);
        return CTOK_OK;
    }
    return bpe_heap(join->model->table, join->work, part, join->work->region, n, err);
}

/* Appends a window's symbols, mending the border. */
static ctok_status bpe_append(bpe_join *join, const uint32_t *window, size_t n_window,
                              size_t window_len, ctok_error *err)
{
    size_t n_left = 0;
    size_t n_right = 0;
    size_t start = join->done;
    size_t end = join->done;
    size_t n_region = 0;
    size_t want_left = 1;
    size_t want_right = 1;
    bool joined = join->n_out == 0;

    while (!joined) {
        bool left_holds;
        bool right_holds;

        while (n_left < want_left && n_left < join->n_out) {
            n_left++;
            start -= bpe_token_len(join, join->out[join->n_out - n_left]);
        }
        while (n_right < want_right && n_right < n_window) {
            end += bpe_token_len(join, window[n_right]);
            n_right++;
        }
        TRY(bpe_region(join, start, end, &n_region, err));
        left_holds = n_left == join->n_out ||
                     join->work->region[0] == join->out[join->n_out - n_left];
        right_holds = n_right == n_window ||
                      join->work->region[n_region - 1] == window[n_right - 1];
        want_left = left_holds ? want_left : 2 * n_left;
        want_right = right_holds ? want_right : 2 * n_right;
        joined = left_holds && right_holds;
    }
    /* There is room: symbols never outnumber bytes. */
    join->n_out -= n_left;
    if (n_region > 0) {
        memcpy(join->out + join->n_out, join->work->region,
               n_region * sizeof *join->out);
        join->n_out += n_region;
    }
    memcpy(join->out + join->n_out, window + n_right,
           (n_window - n_right) * sizeof *window);
    join->n_out += n_window - n_right;
    join->done += window_len;
    return CTOK_OK;
}

/* How many bytes from a place on repeat what is period bytes before them. */
static size_t bpe_periodic(const bpe_join *join, size_t at, size_t period)
{
    const uint8_t *p = join->piece.ptr + at;
    const uint8_t *end = join->piece.ptr + join->piece.len;

    while (end - p >= 64 && memcmp(p, p - period, 64) == 0) {
        p += 64;
    }
    while (p < end && *p == *(p - period)) {
        p++;
    }
    return (size_t)(p - join->piece.ptr) - at;
}

/* Tokens that one character of a run may have ("\xf0\x9f\x98\x80" has four bytes). */
#define BPE_REPEAT_TOKENS 4
/* Tokens behind them that the end of a window may have left. */
#define BPE_REPEAT_BEHIND 4

/* When the last tokens but n_behind are twice the same row: as many more of it as the text has, in
 * place of what is behind. False when that does not reach beyond what is done. */
static bool bpe_repeat_row(bpe_join *join, size_t row, size_t n_behind)
{
    size_t n_out = join->n_out - n_behind;
    size_t done = join->done;
    size_t len = 0;
    uint32_t *last;
    size_t n;
    size_t i;

    if (2 * row + n_behind > join->n_out) {
        return false;
    }
    last = join->out + n_out - row;
    for (i = 0; i < row; i++) {
        if (last[i] != *(last + i - row)) {
            return false;
        }
        len += bpe_token_len(join, last[i]);
    }
    for (i = n_out; i < join->n_out; i++) {
        done -= bpe_token_len(join, join->out[i]);
    }
    n = bpe_periodic(join, done, len) / len;
    if (done + n * len <= join->done) {
        return false;
    }
    for (i = 0; i < n * row; i++) {
        last[row + i] = last[i];
    }
    join->done = done + n * len;
    join->n_out = n_out + n * row;
    return true;
}

/* Runs ("aaaa", "\r\n\r\n", one character again and again): when two tokens side by side, or
 * two rows, are the same, this one is right behind itself, and so are as many more as the text has.
 * A window may end inside one of them:
 *
 *     window    128 blanks | 128 blanks | 32 | 8 | 4           more blanks
 *     repeat    128 blanks | 128 blanks | 128 blanks | ...      up to where less than 128 are left
 */
static void bpe_repeat(bpe_join *join)
{
    size_t n_behind;
    size_t row;

    for (row = 1; row <= BPE_REPEAT_TOKENS; row++) {
        if (bpe_repeat_row(join, row, 0)) {
            return;
        }
    }
    for (n_behind = 1; n_behind <= BPE_REPEAT_BEHIND; n_behind++) {
        if (bpe_repeat_row(join, 1, n_behind)) {
            return;
        }
    }
}

/* The bytes of the window at a place; characters stay whole. */
static size_t bpe_window_len(ctok_bytes piece, size_t at)
{
    size_t len = BPE_WINDOW;

    if (piece.len - at <= len) {
        return piece.len - at;
    }
    while (len > BPE_WINDOW - 4 && utf8_is_tail(piece.ptr[at + len])) {
        len--;
    }
    return len;
}

ctok_status bpe_window(const bpe *model, bpe_work *work, ctok_bytes piece,
                       uint32_t *out, size_t *n_out, ctok_error *err)
{
    bpe_join join = {model, work, piece, out, 0, 0, 0};
    bpe_row rows[BPE_MANY];
    size_t lens[BPE_MANY];

    join.budget = BPE_JOIN_BUDGET * piece.len;
    while (join.done < piece.len) {
        size_t at = join.done;
        size_t n = 0;
        size_t i;

        for (; n < BPE_MANY && at < piece.len; at += lens[n++]) {
            ctok_bytes window = {piece.ptr + at, bpe_window_len(piece, at)};

            lens[n] = window.len;
            bpe_row_begin(&rows[n], model->chars, model->table, window);
        }
        model->merge_many(model->table, rows, n);
        at = join.done;
        for (i = 0; i < n; i++) {
            ctok_bytes left = {piece.ptr + join.done, 0};

            at += lens[i];
            if (at <= join.done) {
                continue; /* a run went beyond this window, */
            }
            left.len = at - join.done;
            if (left.len < lens[i]) { /* or to a place in it */
                rows[i].n = bpe_flat(model->table, left.ptr, left.len, rows[i].symbols);
            }
            TRY(bpe_append(&join, rows[i].symbols, rows[i].n, left.len, err));
            bpe_repeat(&join);
        }
    }
    *n_out = join.n_out;
    return CTOK_OK;
}
