/* bpe.h - byte pair encoding of one piece: bytes in, symbols out.
 *
 * Definition: start from the single bytes; while some neighbours merge, merge the pair of lowest
 * rank, of those the leftmost. Four ways to the same result:
 *
 *   many    up to BPE_MANY short pieces, taking turns (bpe_many.h)
 *   flat    up to BPE_FLAT_MAX symbols: an array scanned for its minimum
 *   heap    any length, any model: linked list and heap, O(n log n)
 *   window  long pieces of proper models: windows joined left to right (bpe_long.c)
 */
#ifndef CTOK_BPE_H
#define CTOK_BPE_H

#include "base.h"
#include "chars.h"
#include "key.h"
#include "pairs.h"
#include "vocab.h"

/* Above this the quadratic scan loses to a heap. */
#define BPE_FLAT_MAX 128

/* Work memory of the heap; grows to two words and three half-words a byte. */
typedef struct bpe_work {
    ctok_allocator alloc;
    uint64_t *heap;
    size_t heap_cap;
    uint32_t *
        links; /* next, previous and rank of each position, one array after the other */
    size_t links_cap;
    uint32_t *region; /* symbols of a region being joined */
    size_t region_cap;
} bpe_work;

void bpe_work_free(bpe_work *work);

/* Symbols of a piece of at most BPE_FLAT_MAX bytes; out has room for len. */
size_t bpe_flat(const pairs *table, const uint8_t *piece, size_t len, uint32_t *out);

/* Pieces that bpe_many takes: so many, each of so many symbols to start from, or of a key's bytes. */
#define BPE_MANY 32
#define BPE_MANY_SYMBOLS 64

typedef struct bpe_row {
    uint32_t
        symbols[BPE_MANY_SYMBOLS + 2]; /* to start from; then of the result, and two of
                                             * work */
    size_t n;                          /* of symbols, or of bytes; not 0 */
    uint64_t near; /* bit i: symbols i and i + 1 may merge (chars.h) */
    bool has_bytes;
    /* To start from instead, where has_bytes is set; zeros behind them. */
    uint8_t bytes[KEY_BYTES + 1];
} bpe_row;

/* Begins a row with a piece's characters. False when it is too long for one. */
bool bpe_row_begin(bpe_row *row, const chars *c, const pairs *table, ctok_bytes piece);

/* Begins a row: with the bytes of a short piece of small characters, whose key this is, else with
 * characters. */
static BASE_INLINE bool bpe_row_start(bpe_row *row, const chars *c, const pairs *table,
                                      ctok_bytes piece, key k)
{
    if (piece.len > KEY_BYTES || !key_is_narrow(k)) {
        return bpe_row_begin(row, c, table, piece);
    }
    row->has_bytes = true;
    row->n = piece.len;
    key_bytes(k, row->bytes);
    return true;
}

/* Merges n pieces at once. */
typedef void (*bpe_many)(const pairs *table, bpe_row *rows, size_t n);
void bpe_many_portable(const pairs *table, bpe_row *rows, size_t n);
void bpe_many_avx2(const pairs *table, bpe_row *rows, size_t n);

typedef struct bpe {
    const vocab *tokens;
    const pairs *table;
    const chars *chars;
    bpe_many merge_many;
    bool is_proper; /* see bpe_long.c */
} bpe;

/* Symbols of a piece of less than 2^31 bytes. */
ctok_status bpe_heap(const pairs *table, bpe_work *work, ctok_bytes piece,
                     uint32_t *out, size_t *n_out, ctok_error *err);

/* The same for long pieces of a proper model; CTOK_E_LIMIT without a message when joining
 * does not pay and the heap should be used. */
ctok_status bpe_window(const bpe *model, bpe_work *work, ctok_bytes piece,
                       uint32_t *out, size_t *n_out, ctok_error *err);

/* Symbols of any piece by the way that suits it. */
ctok_status bpe_merge(const bpe *model, bpe_work *work, ctok_bytes piece, uint32_t *out,
                      size_t *n_out, ctok_error *err);

#endif
