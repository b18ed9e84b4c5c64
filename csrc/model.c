#include "model.h"

#include "error.h"
#include "mem.h"

void ctok_model_free(ctok_model *model)
{
    ctok_allocator alloc;

    if (model == NULL) {
        return;
    }
    alloc = model->alloc;
    if (!model->is_borrowed) {
        mem_free(&alloc, model->special_ids, model->specials.n,
                 sizeof *model->special_ids);
        pairs_free(&model->table, &alloc);
        chars_free(&model->chars, &alloc);
        words_free(&model->words, &alloc);
        vocab_free(&model->tokens, &alloc);
    }
    special_free(&model->specials, &alloc);
    ctok_splitter_free(&model->splitter);
    mem_free(&alloc, model, 1, sizeof *model);
}

ctok_status model_no_places(ctok_error *err)
{
    return error_set(err, CTOK_E_UNSUPPORTED,
                     "tokens of different lengths share an id: which bytes of a text "
                     "an id stands for is not known");
}

void ctok_model_describe(const ctok_model *model, ctok_model_info *info)
{
    size_t i;

    memset(info, 0, sizeof *info);
    info->n_tokens = model->tokens.n_symbols;
    for (i = 0; i < model->tokens.n_ids; i++) {
        info->n_tokens -= model->tokens.ids[i] == VOCAB_NONE;
    }
    info->n_specials = model->specials.n;
    info->n_merges = model->table.n_pairs;
    info->n_bytes =
        sizeof *model + vocab_size_in_memory(&model->tokens) +
        pairs_size_in_memory(&model->table) + words_size_in_memory(&model->words) +
        chars_size_in_memory(&model->chars) + special_size_in_memory(&model->specials);
    info->max_id = model->tokens.max_id;
    info->max_token_len = model->tokens.max_len;
    info->is_proper = model->is_proper;
    info->splitter = model->splitter.name;
}

ctok_status ctok_model_token(const ctok_model *model, uint32_t id, ctok_bytes *out)
{
    vocab_span span = vocab_span_of(&model->tokens, id);

    out->ptr = NULL;
    out->len = 0;
    if (span.len == VOCAB_NONE) {
        return CTOK_E_ID;
    }
    out->ptr = model->tokens.blob + span.start;
    out->len = span.len;
    return CTOK_OK;
}

/* The symbol of a token, or of a byte that is none; else VOCAB_NONE. */
static uint32_t model_symbol(const ctok_model *model, ctok_bytes token)
{
    if (token.len == 1) {
        return token.ptr[0];
    }
    if (model->whole_piece && token.len <= KEY_BYTES && token.len > 0) {
        uint8_t bytes[sizeof(key)] = {0};
        key k;

        memcpy(bytes, token.ptr, token.len);
        k = key_of(bytes, token.len);
        return words_find(&model->words, k, key_hash(k));
    }
    return vocab_find(&model->tokens, token.ptr, token.len);
}

ctok_status ctok_model_find(const ctok_model *model, ctok_bytes token, uint32_t *id)
{
    uint32_t symbol = model_symbol(model, token);

    *id = vocab_id(&model->tokens, symbol);
    return *id == VOCAB_NONE ? CTOK_E_RANK : CTOK_OK;
}

ctok_status ctok_model_merge(const ctok_model *model, ctok_bytes left, ctok_bytes right,
                             uint32_t *rank, ctok_bytes *merged)
{
    uint32_t left_symbol = model_symbol(model, left);
    uint32_t right_symbol = model_symbol(model, right);

    merged->ptr = NULL;
    merged->len = 0;
    *rank = PAIRS_NONE;
    if (left_symbol != VOCAB_NONE && right_symbol != VOCAB_NONE) {
        *rank = pairs_rank(&model->table, left_symbol, right_symbol);
    }
    if (*rank == PAIRS_NONE) {
        return CTOK_E_RANK;
    }
    *merged = vocab_bytes(&model->tokens, pairs_merged(&model->table, *rank));
    return CTOK_OK;
}
