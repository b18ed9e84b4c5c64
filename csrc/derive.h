/* derive.h - the merges that follow from ranks.
 *
 * tiktoken's vocabularies list tokens, not merges: two neighbours merge when their bytes
 * together are a token, at that token's rank. Of the many ways to cut a token in two
 * only one can ever occur while merging: the last two parts when the token's own bytes
 * are encoded. For whatever happens around a stretch of text that becomes the token,
 * inside of it the merges are the same, in the same order, as when it stands alone.
 */
#ifndef CTOK_DERIVE_H
#define CTOK_DERIVE_H

#include "base.h"
#include "bpe.h"

/* Fills table with the merges of all symbols from 256 up, whose order is the rank order.
 * *is_proper is false when some merge does not outrank its halves. */
ctok_status derive_merges(pairs *table, const vocab *tokens, bool *is_proper,
                          const ctok_allocator *alloc, ctok_error *err);

#endif
