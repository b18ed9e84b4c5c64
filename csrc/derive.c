#include "derive.h"

#include "mem.h"

/* A token that lower ranks do not bring down to two parts: either no merge makes it (then it
 * only ever is a whole piece), or merges of higher rank do. All its cuts into two
 * symbols go in; those that cannot occur do no harm. */
static ctok_status derive_all_cuts(pairs *table, const vocab *tokens,
                                   const bool *has_len, uint32_t symbol,
                                   bool *is_proper, const ctok_allocator *alloc,
                                   ctok_error *err)
{
    ctok_bytes token = vocab_bytes(tokens, symbol);
    size_t cut;

    for (cut = 1; cut < token.len; cut++) {
        uint32_t left = token.ptr[0];
        uint32_t right = token.ptr[token.len - 1];

        if (!has_len[cut] || !has_len[token.len - cut]) {
            continue; /* to look it up would mean to hash all its bytes */
        }
        if (cut > 1) {
            left = vocab_find(tokens, token.ptr, cut);
        }
        if (left == VOCAB_NONE) {
            continue;
        }
        if (token.len - cut > 1) {
            right = vocab_find(tokens, token.ptr + cut, token.len - cut);
        }
        if (right == VOCAB_NONE) {
            continue;
        }
        if (left > symbol || right > symbol) {
            *is_proper = false;
        }
        TRY(pairs_add(table, left, right, symbol, alloc, err));
    }
    return CTOK_OK;
}

static ctok_status derive_one(pairs *table, const vocab *tokens, const bool *has_len,
                              bpe_work *work, uint32_t *parts, uint32_t symbol,
                              bool *is_proper, ctok_error *err)
{
    ctok_bytes token = vocab_bytes(tokens, symbol);
    size_t n = 0;

    if (token.len <= BPE_FLAT_MAX) {
        n = bpe_flat(table, token.ptr, token.len, parts);
    } else {
        TRY(bpe_heap(table, work, token, parts, &n, err));
    }
    if (n == 2) {
        return pairs_add(table, parts[0], parts[1], symbol, &work->alloc, err);
    }
    return derive_all_cuts(table, tokens, has_len, symbol, is_proper, &work->alloc,
                           err);
}

ctok_status derive_merges(pairs *table, const vocab *tokens, bool *is_proper,
                          const ctok_allocator *alloc, ctok_error *err)
{
    ctok_status status = CTOK_OK;
    bpe_work work;
    void *parts = NULL;
    void *has_len = NULL; /* by length: whether there are tokens of it */
    size_t n_lens = (size_t)tokens->max_len + 1;
    size_t n_parts = tokens->max_len < BPE_FLAT_MAX ? BPE_FLAT_MAX : tokens->max_len;
    uint32_t symbol;

    memset(&work, 0, sizeof work);
    work.alloc = *alloc;
    *is_proper = true;
    TRY_TO(done, mem_new(alloc, &parts, n_parts, sizeof(uint32_t), err));
    TRY_TO(done, mem_new(alloc, &has_len, n_lens, sizeof(bool), err));
    memset(has_len, 0, n_lens * sizeof(bool));
    for (symbol = 0; symbol < tokens->n_symbols; symbol++) {
        ((bool *)has_len)[vocab_bytes(tokens, symbol).len] = true;
    }
    for (symbol = 256; symbol < tokens->n_symbols; symbol++) {
        TRY_TO(done, derive_one(table, tokens, has_len, &work, parts, symbol, is_proper,
                                err));
    }
done:
    mem_free(alloc, has_len, n_lens, sizeof(bool));
    mem_free(alloc, parts, n_parts, sizeof(uint32_t));
    bpe_work_free(&work);
    return status;
}
