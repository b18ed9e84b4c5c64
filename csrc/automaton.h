/* automaton.h - a pattern as one table, run over text in linear time.
 *
 * A state is what the machine of a pattern could be doing, as an ordered list: first what
 * the pattern would rather do. An entry of the table says where a letter (alphabet.h)
 * leads, and whether a match ends before it:
 *
 *     pattern  \p{L}+|\s+(?!\S)|\s       letters  L: \p{L}   S: \s   -: other
 *
 *              L        S        -       end
 *     start    word     space    dead    dead
 *     word     word!    dead!    dead!   dead!      ! a match ends here
 *     space    dead!    spaces!  dead!   dead!      one blank is \s; of more, \s+(?!\S)
 *     spaces   dead     spaces!  dead    dead!      has all but the last
 *
 * The last match marked before the dead state is the one that a backtracking engine finds.
 * Where it ends right at the dead state, the letter begins the next piece: the row is
 * patched to go on with that, so that a text runs through the table without a stop.
 *
 *     word     word!    space|   dead!   dead!      | a piece ends here
 *
 * Only "spaces" followed by L or - has to go back, by one character here. */
#ifndef CTOK_AUTOMATON_H
#define CTOK_AUTOMATON_H

#include "alphabet.h"
#include "machine.h"

/* Entries of the table: the letters and the end of the text, for every state. */
#define AUTOMATON_MAX_TABLE ((size_t)UINT16_MAX + 1)

/* What an entry does before the text moves on. */
enum {
    AUTOMATON_CUT = 1,  /* a piece ends here, and the letter was taken into the next */
    AUTOMATON_MARK = 2, /* a match ends here; the piece may still grow */
    AUTOMATON_STOP = 4  /* nothing goes on from here */
};

typedef struct automaton {
    ctok_allocator alloc;
    uint16_t
        *next; /* [state + letter]: a state, which is the number of its row's entry */
    uint8_t *actions; /* [state + letter] */
    size_t n_next;    /* entries of the table */
    size_t cap_next;
    size_t cap_actions;
    uint16_t start;
    uint16_t end_letter;
    alphabet letters;
    bool is_borrowed; /* the tables are an image's */
} automaton;

/* Compiles a machine. CTOK_E_UNSUPPORTED when the table would be too large. */
ctok_status automaton_new(automaton **out, const machine *p, ctok_error *err);
void automaton_free(automaton *a);

/* An automaton without tables, to be filled from an image. */
ctok_status automaton_blank(automaton **out, const ctok_allocator *alloc,
                            ctok_error *err);
void automaton_sections(automaton *a, sections *s);

/* Whether running it on any UTF-8 stays inside the tables and the text, and gets on. */
bool automaton_is_sound(const automaton *a);

/* So far behind the base pieces are looked for. */
#define AUTOMATON_MAX_PIECE ((size_t)INT32_MAX)

/* Where pieces go to. */
typedef struct automaton_output {
    size_t base;    /* ends are relative to this byte of the text */
    uint32_t *ends; /* room for cap */
    uint32_t cap;
    uint32_t enough;   /* stop soon after so many pieces; at most cap */
    uint64_t work;     /* grows by the bytes that were looked at in vain */
    uint64_t max_work; /* stops soon after work exceeds this */
    size_t reached;    /* how far the text was looked at */
} automaton_output;

/* Finds the pieces that follow each other from text.ptr[start] and returns their number. None
 * means that no match starts there, or none that is found within AUTOMATON_MAX_PIECE bytes
 * of the base. */
uint32_t automaton_run(const automaton *a, ctok_bytes text, size_t start,
                       automaton_output *out);

/* The first byte from start on, of a character with which a match can begin. */
size_t automaton_skip(const automaton *a, ctok_bytes text, size_t start);

#endif
