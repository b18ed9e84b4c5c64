/* automaton.h - a pattern as one table, run over text in linear time.
 *
 * A state of the automaton is what the machine of pattern.h could be doing, as an ordered list:
 * first what the pattern would rather do. The alphabet is not code points but the few
 * classes that the pattern tells apart, and the end of the text. An entry of the table
 * says where to go on, and whether a match ended before the character:
 *
 *     pattern  \p{L}+|\s+(?!\S)|\s      classes  L: letters  S: white space  -: other
 *
 *              L        S        -       end
 *     start    letters  space    dead    dead
 *     letters  letters  dead!    dead!   dead!      ! a match ended here
 *     space    dead!    spaces!  dead!   dead!      one blank is \s; two are \s+(?!\S),
 *     spaces   dead     spaces!  dead    dead!      of which the last but one was the end
 *
 * The last match seen before the dead state is the one that a backtracking engine finds.
 */
#ifndef CTOK_AUTOMATON_H
#define CTOK_AUTOMATON_H

#include "base.h"
#include "pattern.h"
#include "scan.h"

/* Steps of text looked at behind a match and looked at again by the next: real patterns need
 * about two a byte. The rest of the allowance lets short texts do anything. */
#define AUTOMATON_WORK_PER_BYTE 16
#define AUTOMATON_WORK_FREE (1u << 20)

typedef struct automaton {
    ctok_allocator alloc;
    uint16_t
        *table; /* [state + class]: next state << 1 | match; states are row offsets */
    size_t n_table;
    uint16_t start;
    uint16_t end_class;
    uint8_t ascii[128]; /* class by byte */
    uint16_t *blocks;   /* by code point >> 7: which of the pages */
    uint8_t *pages;     /* [page << 7 | low bits]: class */
    size_t n_pages;
    scan_function scan; /* vector code for this pattern, or NULL */
    scan_shape shape;
} automaton;

/* Compiles a parsed pattern. CTOK_E_UNSUPPORTED when the table would be too large. */
ctok_status automaton_new(automaton **out, const pattern *p, ctok_error *err);
void automaton_free(automaton *a);

/* The end of the match that starts at text.ptr[from], or from when there is none or it is
 * empty. *reached is how far it had to look. */
size_t automaton_match(const automaton *a, ctok_bytes text, size_t from,
                       size_t *reached);

#endif
