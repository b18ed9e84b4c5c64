/* borders.h - what may merge across the border of two bytes, and so which two are sure to merge.
 *
 * Let a model be proper (bpe_long.c). Then two bytes merge, whatever else is in the piece, when they
 * do so before anything can merge across the borders beside them:
 *
 *     piece    h   e   l   l   o
 *     rank       258 417 297 5439     at which the two bytes merge
 *     least      258 417 297  804     of all pairs that meet there, such as l and ow
 *     sure       he      ll           258 < 417;  297 < 417, 297 < 804
 *
 * For until then both bytes are symbols by themselves, and the pair is there; the clock of the ranks
 * arrives at it first. That it merges earlier makes no difference: nothing else in the piece has
 * touched the two before, and what takes their symbol has a higher rank than they.
 *
 * The two bytes of a character are sure by the argument of chars.h as well, of whatever rank, where
 * nothing but whole characters merges across the borders beside them.
 *
 * Half of the merges of an english word are sure at its beginning. */
#ifndef CTOK_BORDERS_H
#define CTOK_BORDERS_H

#include "pairs.h"
#include "vocab.h"

/* What pairs_two.border consists of. 0, of models that are not proper, says that nothing is known. */
#define BORDER_LEAST (((uint32_t)1 << 30) - 1) /* the least rank across, or all ones */
#define BORDER_CHARACTER ((uint32_t)1 << 30)   /* the two are a character and merge */
#define BORDER_SAFE ((uint32_t)1 << 31)        /* only whole characters merge across */

/* Beyond the ends of a piece. */
#define BORDER_END (BORDER_SAFE | BORDER_LEAST)

/* Finds the borders of a proper model's pairs of bytes. */
void borders_find(pairs *table, const vocab *tokens);

/* Whether two bytes are sure to merge, between two borders. */
static BASE_INLINE bool border_is_sure(pairs_two two, uint32_t before, uint32_t behind)
{
    return two.rank != PAIRS_NONE && ((two.rank < (before & BORDER_LEAST) &&
                                       two.rank < (behind & BORDER_LEAST)) ||
                                      ((two.border & BORDER_CHARACTER) != 0 &&
                                       (before & behind & BORDER_SAFE) != 0));
}

#endif
