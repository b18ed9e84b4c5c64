/* model.h - the finished model, as the calls that use it see it. */
#ifndef CTOK_MODEL_H
#define CTOK_MODEL_H

#include "base.h"
#include "bpe.h"
#include "chars.h"
#include "pairs.h"
#include "special.h"
#include "vocab.h"
#include "words.h"

struct ctok_model {
    ctok_allocator alloc;
    bool
        is_borrowed; /* the tables are an image's; the index of the specials is its own */
    vocab tokens;
    /* Tokens of different lengths share an id: ids tell no places then. */
    bool is_ambiguous;
    pairs table;
    bool is_proper;
    chars chars; /* none when the model is not proper */
    bool whole_piece;
    /* Empty when a whole piece is not looked up; else what is here is not in the index of tokens. */
    words words;
    bpe_many merge_many;
    special specials;
    uint32_t *special_ids;
    ctok_splitter splitter;
};

/* Refuses to tell which bytes of a text ids stand for, when the model is ambiguous. */
ctok_status model_no_places(ctok_error *err);

static inline bpe model_bpe(const ctok_model *model)
{
    bpe view = {&model->tokens, &model->table, &model->chars, model->merge_many,
                model->is_proper};
    return view;
}

#endif
