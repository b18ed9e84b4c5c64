/* block.h - ids of a block of pieces: caches, vocabulary, merging. Knows nothing of specials
 * and segments. */
#ifndef CTOK_BLOCK_H
#define CTOK_BLOCK_H

#include "model.h"
#include "scratch.h"

/* Ids are copied in fours, and eights, whatever their number: room behind the last one. */
#define BLOCK_SLACK PHRASES_BEHIND

/* Ids of all pieces of a block, which starts at text.ptr + start. out has room for as many
 * ids as the block has bytes, and BLOCK_SLACK. The error's position is one in the text. */
ctok_status block_encode(const ctok_model *model, ctok_scratch *scratch,
                         ctok_bytes text, size_t start, const ctok_split_block *block,
                         uint32_t *out, size_t *n_out, ctok_error *err);

/* How many ids each piece of a block has: counts has room for all. */
ctok_status block_count(const ctok_model *model, ctok_scratch *scratch, ctok_bytes text,
                        size_t start, const ctok_split_block *block, uint32_t *counts,
                        ctok_error *err);

#endif
