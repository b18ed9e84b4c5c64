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
/* And of one of a run whose tokens are long: some of the longest. */
#define BPE_RUN (8 * BPE_WINDOW)

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

/* ---- joining ---------------------------------------------------------------- */

static size_t bpe_token_len(const bpe_join *join, uint32_t symbol)
{
    return vocab_bytes(join->model->tokens, symbol).len;
}

/* Encodes part of the piece. */
static ctok_status bpe_part(const bpe_join *join, ctok_bytes part, uint32_t *out,
                            size_t *n, ctok_error *err)
{
    const bpe *model = join->model;
    bpe_row row;
    key k = {0, 0}; /* without the length, which a row does not want */

    if (part.len > BPE_FLAT_MAX) {
        return bpe_heap(model->table, join->work, part, out, n, err);
    }
    if (part.len <= KEY_BYTES) {
        memcpy(&k, part.ptr, part.len);
    }
    if (bpe_row_start(&row, model->chars, model->table, part, k)) {
        model->merge_many(model->table, &row, 1);
        memcpy(out, row.symbols, row.n * sizeof *out);
        *n = row.n;
    } else {
        *n = bpe_flat(model->table, part.ptr, part.len, out);
    }
    return CTOK_OK;
}

/* The same into work->region, as long as the budget lasts. */
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
    return bpe_part(join, part, join->work->region, n, err);
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

/* ---- runs ------------------------------------------------------------------- */

/* How many bytes from a place on repeat what is period bytes before them; of more than most, most. */
static size_t bpe_periodic(ctok_bytes piece, size_t at, size_t period, size_t most)
{
    const uint8_t *p = piece.ptr + at;
    size_t left = piece.len - at < most ? piece.len - at : most;
    size_t n = 0;

    while (left - n >= 64 && memcmp(p + n, p + n - period, 64) == 0) {
        n += 64;
    }
    while (n < left && p[n] == p[n - period]) {
        n++;
    }
    return n;
}

/* Tokens of what a run repeats, or its bytes: one character ("\xf0\x9f\x98\x80" has four), or two
 * like CR LF. */
#define BPE_REPEAT_TOKENS 4
/* Tokens behind them that the end of a window may have left. */
#define BPE_REPEAT_BEHIND 4

/* Whether a row of tokens is the same as the one behind it. */
static bool bpe_is_twice(const uint32_t *symbols, size_t row)
{
    return memcmp(symbols, symbols + row, row * sizeof *symbols) == 0;
}

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
    if (!bpe_is_twice(last - row, row)) {
        return false;
    }
    for (i = 0; i < row; i++) {
        len += bpe_token_len(join, last[i]);
    }
    for (i = n_out; i < join->n_out; i++) {
        done -= bpe_token_len(join, join->out[i]);
    }
    n = bpe_periodic(join->piece, done, len, SIZE_MAX) / len;
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

/* ---- windows ---------------------------------------------------------------- */

/* What comes next: a window, or a run of at least two. */
typedef struct bpe_next {
    size_t len;    /* bytes of the window, or of the first of the run */
    size_t period; /* of the run; 0: no run */
} bpe_next;

/* The period of what repeats the bytes before a place, for a window at least; 0 when nothing does. */
static size_t bpe_period(ctok_bytes piece, size_t at)
{
    size_t period;

    for (period = 1; period <= BPE_REPEAT_TOKENS; period++) {
        if (bpe_periodic(piece, at, period, BPE_WINDOW) == BPE_WINDOW) {
            return period;
        }
    }
    return 0;
}

/* Characters stay whole. A window ends before a run that would go on behind it. */
static bpe_next bpe_next_at(ctok_bytes piece, size_t at)
{
    const uint8_t *p = piece.ptr + at;
    bpe_next out = {BPE_WINDOW, 0};
    size_t start;

    if (piece.len - at <= BPE_WINDOW) {
        out.len = piece.len - at;
        return out;
    }
    while (out.len > BPE_WINDOW - 4 && utf8_is_tail(p[out.len])) {
        out.len--;
    }
    out.period = bpe_period(piece, at + out.len);
    if (out.period == 0) {
        return out;
    }
    start = out.len;
    while (start > 0 && p[start - 1] == p[start - 1 + out.period]) {
        start--;
    }
    while (start < out.len && utf8_is_tail(p[start])) {
        start++;
    }
    return start == 0 ? out : (bpe_next){start, 0};
}

/* Appends windows up to the next run. */
static ctok_status bpe_append_windows(bpe_join *join, ctok_error *err)
{
    const bpe *model = join->model;
    bpe_row rows[BPE_MANY];
    size_t lens[BPE_MANY];
    size_t at = join->done;
    size_t n = 0;
    size_t i;

    for (; n < BPE_MANY && at < join->piece.len; at += lens[n++]) {
        bpe_next next = bpe_next_at(join->piece, at);
        ctok_bytes window = {join->piece.ptr + at, next.len};

        if (next.period != 0) {
            break;
        }
        lens[n] = window.len;
        (void)bpe_row_begin(&rows[n], model->chars, model->table, window); /* it fits */
    }
    model->merge_many(model->table, rows, n);
    at = join->done;
    for (i = 0; i < n; i++) {
        ctok_bytes left = {join->piece.ptr + join->done, 0};

        at += lens[i];
        if (at <= join->done) {
            continue; /* a run went beyond this window, */
        }
        left.len = at - join->done;
        if (left.len < lens[i]) { /* or to a place in it */
            TRY(bpe_part(join, left, rows[i].symbols, &rows[i].n, err));
        }
        TRY(bpe_append(join, rows[i].symbols, rows[i].n, left.len, err));
        bpe_repeat(join);
    }
    return CTOK_OK;
}

/* Whether tokens begin with the same row twice. */
static bool bpe_is_repeated(const uint32_t *symbols, size_t n)
{
    size_t row;

    for (row = 1; row <= BPE_REPEAT_TOKENS && 2 * row <= n; row++) {
        if (bpe_is_twice(symbols, row)) {
            return true;
        }
    }
    return false;
}

/* Appends the first window of a run; where that is too short for two of its tokens, one of BPE_RUN. */
static ctok_status bpe_append_run(bpe_join *join, bpe_next run, ctok_error *err)
{
    ctok_bytes window = {join->piece.ptr + join->done, run.len};
    uint32_t symbols[BPE_RUN];
    size_t n = 0;

    TRY(bpe_part(join, window, symbols, &n, err));
    if (!bpe_is_repeated(symbols, n)) {
        window.len += bpe_periodic(join->piece, join->done + run.len, run.period,
                                   BPE_RUN - run.len);
        TRY(bpe_part(join, window, symbols, &n, err));
    }
    TRY(bpe_append(join, symbols, n, window.len, err));
    bpe_repeat(join);
    return CTOK_OK;
}

ctok_status bpe_window(const bpe *model, bpe_work *work, ctok_bytes piece,
                       uint32_t *out, size_t *n_out, ctok_error *err)
{
    bpe_join join = {model, work, piece, out, 0, 0, 0};

    join.budget = BPE_JOIN_BUDGET * piece.len;
    while (join.done < piece.len) {
        bpe_next next = bpe_next_at(piece, join.done);

        TRY(next.period == 0 ? bpe_append_windows(&join, err)
                             : bpe_append_run(&join, next, err));
    }
    *n_out = join.n_out;
    return CTOK_OK;
}
