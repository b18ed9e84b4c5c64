/* chars.h - the characters from which merging may start, instead of from their bytes.
 *
 * Merging a Chinese piece begins with two merges in each character, which lead to what was clear
 * from the start. They may be left out, exactly, where nothing else can happen. Let the model be
 * proper (bpe_long.c), and a character stand between two others in a piece:
 *
 *     ... xx | E4 BA BA | yy ...           xx E4 and BA yy: the bytes at its borders
 *
 * The first merge across a border joins a symbol that ends there with one that begins
 * there, and makes a symbol in which both bytes stand side by side. If all such symbols
 * are whole characters, so are the two; then the one on this side holds the character,
 * which therefore has become one symbol before, by itself, for no border was crossed until
 * then. That it does so earlier makes no difference: in a proper model whatever takes it
 * comes later anyway. And a character that by itself does not become one symbol stays what
 * it becomes by itself: its borders are never crossed, they are closed.
 *
 * So it depends on the two byte pairs alone. Not safe (borders.h) are those that stand, at the first
 * byte of a character, in a symbol that is not whole characters: some dozens in real vocabularies. */
#ifndef CTOK_CHARS_H
#define CTOK_CHARS_H

#include "base.h"
#include "pairs.h"
#include "vocab.h"

#define CHARS_PAGE_BITS 6
#define CHARS_N_BLOCKS (0x10000 >> CHARS_PAGE_BITS)
#define CHARS_NONE UINT32_MAX

typedef struct chars {
    uint16_t
        *blocks; /* by code point >> CHARS_PAGE_BITS: its page; NULL: there are none */
    uint32_t
        *pages; /* symbols by page and the rest of the code point; page 0 has none */
    size_t n_pages;
    size_t cap_pages;
} chars;

/* Finds the characters of a proper model's vocabulary. Its borders are known. */
ctok_status chars_new(chars *out, const vocab *tokens, const pairs *table,
                      const ctok_allocator *alloc, ctok_error *err);
void chars_free(chars *c, const ctok_allocator *alloc);

/* What merging a piece may start from: the symbols of such characters, and the bytes of all
 * others. Returns their number, at most the piece's bytes, or 0 when it is more than max,
 * which is at most 64. Bit i of open: i and what follows it may merge. */
size_t chars_start(const chars *c, const pairs *table, ctok_bytes piece, uint32_t *out,
                   size_t max, uint64_t *open);

size_t chars_size_in_memory(const chars *c);

void chars_sections(chars *c, sections *s);

/* Whether every character's symbol is one and as long as the character. lengths: vocab_lengths. */
bool chars_are_sound(const chars *c, const uint8_t *lengths, size_t n_symbols);

#endif
