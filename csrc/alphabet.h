/* alphabet.h - the characters that a pattern tells apart. Knows sets of code points, not
 * what they are for.
 *
 * Two code points that are in the same sets are one letter to a table. A pattern has about
 * ten such letters; each gets a number, and every code point the number of its letter:
 *
 *     sets      \p{L} \s       letter 0: in none, 1: in \p{L}, 2: in \s
 *     ascii     0 0 0 .. 2 .. 1 1 1     by byte
 *     blocks    3 1 4 ..                by code point >> 7: the page
 *     pages     0 1 1 1 0 ..            by page << 7 | code point & 127 */
#ifndef CTOK_ALPHABET_H
#define CTOK_ALPHABET_H

#include "mem.h"
#include "section.h"
#include "utf8.h"

#define ALPHABET_PAGE_BITS 7
#define ALPHABET_PAGE (1u << ALPHABET_PAGE_BITS)
#define ALPHABET_N_BLOCKS (0x110000u >> ALPHABET_PAGE_BITS)

/* Membership of a letter in all sets is one word. Real patterns have about ten sets. */
#define ALPHABET_MAX_SETS 64
#define ALPHABET_MAX_LETTERS 255

typedef struct alphabet {
    uint8_t ascii[128];
    uint16_t *blocks;
    uint8_t *pages;
    size_t n_pages;
    size_t cap_pages;
    uint64_t members[ALPHABET_MAX_LETTERS]; /* by letter; bit i: it is in set i */
    size_t n_letters;
} alphabet;

/* Finds the letters of at most ALPHABET_MAX_SETS sets. CTOK_E_UNSUPPORTED when they are
 * more than ALPHABET_MAX_LETTERS. Free it in any case. */
ctok_status alphabet_init(alphabet *a, const ctok_class *sets, size_t n_sets,
                          const ctok_allocator *alloc, ctok_error *err);
void alphabet_free(alphabet *a, const ctok_allocator *alloc);

/* What finding letters needs: not what sets they are in. */
void alphabet_sections(alphabet *a, sections *s);

/* Whether every character has one of the letters. */
bool alphabet_is_sound(const alphabet *a);

/* The letter of the character at *at, which is not ASCII; *at moves behind it. */
static inline uint32_t alphabet_next(const alphabet *a, const uint8_t **at)
{
    uint32_t c = utf8_next(at);

    return a->pages[(size_t)a->blocks[c >> ALPHABET_PAGE_BITS] << ALPHABET_PAGE_BITS |
                    (c & (ALPHABET_PAGE - 1))];
}

#endif
