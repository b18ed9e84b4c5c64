/* naive.h - merging by its definition, to hold the core against: join the two neighbours
 * whose union is the token of the lowest id, the leftmost first, until none is left. */
#ifndef NAIVE_H
#define NAIVE_H

#include "check.h"

#define NAIVE_MAX 4096

/* The ids of a piece of up to NAIVE_MAX bytes, for a model whose ids are ranks. CTOK_E_RANK when
 * a byte is no token and merges into none. */
static inline ctok_status naive_encode_piece(const ctok_model *model, ctok_bytes piece,
                                             uint32_t *ids, size_t *n_ids)
{
    size_t ends[NAIVE_MAX];
    size_t n = piece.len;

    REQUIRE(piece.len <= NAIVE_MAX);
    *n_ids = 1;
    if (ctok_model_find(model, piece, ids) == CTOK_OK) {
        return CTOK_OK;
    }
    for (size_t i = 0; i < n; i++) {
        ends[i] = i + 1;
    }
    for (;;) {
        size_t best = SIZE_MAX;
        uint32_t best_id = UINT32_MAX;

        for (size_t i = 0; i + 1 < n; i++) {
            size_t start = i == 0 ? 0 : ends[i - 1];
            ctok_bytes both = {piece.ptr + start, ends[i + 1] - start};
            uint32_t id;

            if (ctok_model_find(model, both, &id) == CTOK_OK && id < best_id) {
                best = i;
                best_id = id;
            }
        }
        if (best == SIZE_MAX) {
            break;
        }
        memmove(&ends[best], &ends[best + 1], (n - best - 1) * sizeof *ends);
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        ctok_bytes part = {piece.ptr + start, ends[i] - start};

        if (ctok_model_find(model, part, &ids[i]) != CTOK_OK) {
            return CTOK_E_RANK;
        }
    }
    *n_ids = n;
    return CTOK_OK;
}

#endif
