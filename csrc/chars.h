/* chars.h - what merging may start from, instead of from bytes: whole characters, and sure merges.
 *
 * Merging a Chinese piece begins with two merges in each character, which lead to what was clear
 * from the start. They may be left out, exactly, where nothing else can happen. Let the model
 * be proper (bpe_long.c), and a character stand between two others in a piece:
 *
 *     ... xx | E4 BA BA | yy ...           xx E4 and BA yy: the bytes at its borders
 *
 * Let it become one symbol by itself, at rank r. So it does here when each of its borders is
 *
 *     late   all pairs that meet there have ranks above r, or
 *     safe   all symbols in which the two bytes stand side by side are whole characters.
 *
 * For suppose that a merge crosses a border before, the first one that does so. Then that border is
 * not late. If it is safe, then the merge makes whole characters; so what it takes on this side is
 * whole characters too, and nothing but bytes of this one: all of them, one symbol by now. That
 * the symbol is made earlier makes no difference: in a proper model whatever takes it comes later.
 *
 * By the same argument a character that by itself does not become one symbol stays what it becomes by
 * itself where both borders are safe or in no pair: they are never crossed, they are closed.
 *
 * So it depends on the two byte pairs alone. Not safe are those that stand, at the first
 * byte of a character, in a symbol that is not whole characters: 39 to 207 in real vocabularies. What
 * is neither one nor closed has sure merges still (borders.h). */
#ifndef CTOK_CHARS_H
#define CTOK_CHARS_H

#include "base.h"
#include "pairs.h"
#include "vocab.h"

/* Characters of three bytes have their code points as numbers, those of two bytes come behind. */
#define CHARS_OF_THREE 0x10000
#define CHARS_N (CHARS_OF_THREE + 0x800)

/* Of a character: the rank of the merge that makes it one symbol, and on top of that the sides of
 * the symbol (pairs.h), so that nobody has to ask for them. */
#define CHARS_SIDES 30
#define CHARS_RANK (((uint32_t)1 << CHARS_SIDES) - 1)
#define CHARS_NONE UINT32_MAX

typedef struct chars {
    uint32_t *merges; /* by number; CHARS_NONE: it becomes none; NULL: none is known */
} chars;

/* Finds the characters of a proper model's vocabulary. Its borders are known. */
ctok_status chars_new(chars *out, const vocab *tokens, const pairs *table,
                      const ctok_allocator *alloc, ctok_error *err);
void chars_free(chars *c, const ctok_allocator *alloc);

/* What merging a piece may start from: the symbols of such characters and of others' bytes that
 * are sure to merge, and all other bytes. Returns their number, at most the piece's bytes, or 0 when
 * it may be more than max, which is at most 64. Bit i of near: i and what follows it may merge. */
size_t chars_start(const chars *c, const pairs *table, ctok_bytes piece, uint32_t *out,
                   size_t max, uint64_t *near);

size_t chars_size_in_memory(const chars *c);

void chars_sections(chars *c, sections *s);

/* Whether every character's merge makes a symbol as long as the character. lengths:
 * vocab_lengths. */
bool chars_are_sound(const chars *c, const pairs *table, const uint8_t *lengths,
                     size_t n_symbols);

#endif
