#include "bpe.h"

#include "error.h"
#include "mem.h"

/* ---- flat ------------------------------------------------------------------- */

/* Keys order the pairs: by rank, then from left to right. A pair lies at its left symbol.
 *
 *     at        0   1   2   3   4            0   1   2   3   4
 *     symbols   h   e   l   l   o            h   e   ll  .   o
 *     keys      he  -   ll  lo  .     ->     he  -   llo .   .
 *     next      1   2   3   4   5            1   2   4   .   5
 *
 * Nothing moves: a symbol that was merged into its left neighbour is skipped by next, and its key
 * is that of no pair. */
#define BPE_POSITION_BITS 7
#define BPE_NO_KEY UINT32_MAX

static BASE_INLINE uint32_t bpe_key(const pairs *table, uint32_t left, uint32_t right,
                                    size_t at)
{
    uint32_t rank = pairs_rank(table, left, right);
    return rank == PAIRS_NONE ? BPE_NO_KEY : rank << BPE_POSITION_BITS | (uint32_t)at;
}

size_t bpe_flat(const pairs *table, const uint8_t *piece, size_t len, uint32_t *out)
{
    uint32_t keys[BPE_FLAT_MAX];
    uint8_t next[BPE_FLAT_MAX];
    uint8_t previous[BPE_FLAT_MAX + 1];
    size_t n = 0;
    size_t i;

    assert(len <= BPE_FLAT_MAX);
    for (i = 0; i < len; i++) {
        uint32_t rank = i + 1 < len
                            ? table->bytes[(size_t)piece[i] << 8 | piece[i + 1]].rank
                            : PAIRS_NONE;
        keys[i] =
            rank == PAIRS_NONE ? BPE_NO_KEY : rank << BPE_POSITION_BITS | (uint32_t)i;
        out[i] = piece[i];
        next[i] = (uint8_t)(i + 1);
        previous[i + 1] = (uint8_t)i;
    }
    for (;;) {
        uint32_t best = BPE_NO_KEY;
        size_t at;
        size_t after;

        for (i = 0; i < len; i++) {
            best = keys[i] < best ? keys[i] : best;
        }
        if (best == BPE_NO_KEY) {
            break;
        }
        at = best & ((1u << BPE_POSITION_BITS) - 1);
        after = next[next[at]];
        out[at] = pairs_merged(table, best >> BPE_POSITION_BITS);
        keys[next[at]] = BPE_NO_KEY;
        next[at] = (uint8_t)after;
        previous[after] = (uint8_t)at;
        keys[at] = after < len ? bpe_key(table, out[at], out[after], at) : BPE_NO_KEY;
        if (at > 0) {
            keys[previous[at]] =
                bpe_key(table, out[previous[at]], out[at], previous[at]);
        }
    }
    for (i = 0; i < len; i = next[i]) {
        out[n++] = out[i];
    }
    return n;
}

/* ---- heap ------------------------------------------------------------------- */

/* Entries are rank << 32 | position, so the smallest is the lowest rank, then the leftmost.
 * An entry is stale when the position has another rank by now. */
static void bpe_sift_up(uint64_t *heap, size_t i)
{
    uint64_t entry = heap[i];

    while (i > 0 && heap[(i - 1) / 2] > entry) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = entry;
}

static void bpe_sift_down(uint64_t *heap, size_t n, size_t i)
{
    uint64_t entry = heap[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= n) {
            break;
        }
        if (child + 1 < n && heap[child + 1] < heap[child]) {
            child++;
        }
        if (heap[child] >= entry) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = entry;
}

typedef struct bpe_list {
    uint32_t *symbols; /* by position; dead positions keep rubbish */
    uint32_t *next;    /* position of the next symbol; the length at the end */
    uint32_t *previous;
    uint32_t *ranks; /* of the pair that starts here */
    uint64_t *heap;
    size_t n_heap;
    uint32_t len;
} bpe_list;

static void bpe_rerank(const pairs *table, bpe_list *list, uint32_t at)
{
    uint32_t next = list->next[at];
    uint32_t rank = PAIRS_NONE;

    if (next < list->len) {
        rank = pairs_rank(table, list->symbols[at], list->symbols[next]);
    }
    list->ranks[at] = rank;
    if (rank != PAIRS_NONE) {
        list->heap[list->n_heap] = (uint64_t)rank << 32 | at;
        bpe_sift_up(list->heap, list->n_heap++);
    }
}

static void bpe_list_merge(const pairs *table, bpe_list *list, uint32_t at)
{
    uint32_t gone = list->next[at];
    uint32_t after = list->next[gone];

    list->symbols[at] = pairs_merged(table, list->ranks[at]);
    list->ranks[gone] = PAIRS_NONE;
    list->next[at] = after;
    if (after < list->len) {
        list->previous[after] = at;
    }
    bpe_rerank(table, list, at);
    if (at > 0) {
        bpe_rerank(table, list, list->previous[at]);
    }
}

static ctok_status bpe_list_start(const pairs *table, bpe_work *work, ctok_bytes piece,
                                  uint32_t *out, bpe_list *list, ctok_error *err)
{
    void *heap = work->heap;
    void *links = work->links;
    ctok_status status;
    uint32_t i;

    /* n - 1 entries at first and two for each of at most n - 1 merges, one of them
     * having just been popped. */
    status = mem_reserve(&work->alloc, &heap, &work->heap_cap, 2 * piece.len,
                         sizeof *work->heap, err);
    work->heap = heap;
    if (status == CTOK_OK) {
        status = mem_reserve(&work->alloc, &links, &work->links_cap, 3 * piece.len,
                             sizeof *work->links, err);
        work->links = links;
    }
    TRY(status);
    list->len = (uint32_t)piece.len;
    list->symbols = out;
    list->next = work->links;
    list->previous = work->links + piece.len;
    list->ranks = work->links + 2 * piece.len;
    list->heap = work->heap;
    list->n_heap = 0;
    for (i = 0; i < list->len; i++) {
        out[i] = piece.ptr[i];
        list->next[i] = i + 1;
        list->previous[i] = i - 1; /* wraps for 0, which is never followed */
        list->ranks[i] = PAIRS_NONE;
    }
    for (i = 0; i + 1 < list->len; i++) {
        uint32_t rank = table->bytes[(size_t)piece.ptr[i] << 8 | piece.ptr[i + 1]].rank;
        list->ranks[i] = rank;
        if (rank != PAIRS_NONE) {
            list->heap[list->n_heap++] = (uint64_t)rank << 32 | i;
        }
    }
    for (i = (uint32_t)(list->n_heap / 2); i-- > 0;) {
        bpe_sift_down(list->heap, list->n_heap, i);
    }
    return CTOK_OK;
}

ctok_status bpe_heap(const pairs *table, bpe_work *work, ctok_bytes piece,
                     uint32_t *out, size_t *n_out, ctok_error *err)
{
    bpe_list list;
    uint32_t at;
    size_t n = 0;

    *n_out = 0;
    if (piece.len == 0) {
        return CTOK_OK;
    }
    if (piece.len > INT32_MAX) {
        return error_set(err, CTOK_E_LIMIT,
                         "a piece of %zu bytes: at most %d are supported", piece.len,
                         INT32_MAX);
    }
    TRY(bpe_list_start(table, work, piece, out, &list, err));
    while (list.n_heap > 0) {
        uint64_t entry = list.heap[0];

        list.heap[0] = list.heap[--list.n_heap];
        bpe_sift_down(list.heap, list.n_heap, 0);
        at = (uint32_t)entry;
        if (list.ranks[at] == (uint32_t)(entry >> 32)) {
            bpe_list_merge(table, &list, at);
        }
    }
    for (at = 0; at < list.len; at = list.next[at]) {
        out[n++] = out[at];
    }
    *n_out = n;
    return CTOK_OK;
}

/* ---- many ------------------------------------------------------------------- */

bool bpe_row_begin(bpe_row *row, const chars *c, const pairs *table, ctok_bytes piece)
{
    row->has_bytes = false;
    row->n = chars_start(c, table, piece, row->symbols, BPE_MANY_SYMBOLS, &row->near);
    return row->n > 0;
}

/* ---- choice ----------------------------------------------------------------- */

ctok_status bpe_merge(const bpe *model, bpe_work *work, ctok_bytes piece, uint32_t *out,
                      size_t *n_out, ctok_error *err)
{
    if (piece.len <= BPE_FLAT_MAX) {
        *n_out = bpe_flat(model->table, piece.ptr, piece.len, out);
        return CTOK_OK;
    }
    if (model->is_proper) {
        ctok_status status = bpe_window(model, work, piece, out, n_out, err);
        if (status != CTOK_E_LIMIT) {
            return status;
        }
    }
    return bpe_heap(model->table, work, piece, out, n_out, err);
}

void bpe_work_free(bpe_work *work)
{
    mem_free(&work->alloc, work->heap, work->heap_cap, sizeof *work->heap);
    mem_free(&work->alloc, work->links, work->links_cap, sizeof *work->links);
    mem_free(&work->alloc, work->region, work->region_cap, sizeof *work->region);
    work->heap = NULL;
    work->links = NULL;
    work->region = NULL;
    work->heap_cap = work->links_cap = work->region_cap = 0;
}
