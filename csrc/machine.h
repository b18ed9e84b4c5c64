/* machine.h - the machine of a pattern, and the parts that it is built from. Knows states,
 * not syntax; running it is automaton.h's part.
 *
 * A machine says what a pattern does, step by step, in order of preference: an NFA whose
 * steps are sets of code points.
 *
 * A part is the states [first, end), entered at start and left by the jump at end - 1, which
 * leads nowhere yet. Being contiguous it can be copied by adding an offset.
 *
 *     a+      first            end          CHAR a -> FORK -> JUMP -> ?
 *             CHAR  FORK  JUMP                 ^-------'
 *
 * All functions that add states fail with CTOK_E_UNSUPPORTED at MACHINE_MAX_STATES. */
#ifndef CTOK_MACHINE_H
#define CTOK_MACHINE_H

#include "alphabet.h"
#include "cpset.h"

#define MACHINE_NONE UINT32_MAX
#define MACHINE_MAX_STATES 4096

typedef enum machine_kind {
    MACHINE_JUMP,  /* go on at next */
    MACHINE_FORK,  /* try next, then other */
    MACHINE_CHAR,  /* one character of the set, then next */
    MACHINE_GUARD, /* go on at next if the next character (or the end) is as wanted */
    MACHINE_MATCH
} machine_kind;

typedef struct machine_state {
    uint8_t kind;
    uint8_t negated; /* guard: the next character is not in the set */
    uint8_t at_end;  /* guard: the end of the text will do */
    uint8_t set;     /* char, guard */
    uint32_t next;
    uint32_t other;
} machine_state;

typedef struct machine {
    ctok_allocator alloc;
    ctok_class sets[ALPHABET_MAX_SETS];
    size_t n_sets;
    machine_state *states;
    size_t n_states;
    size_t states_cap;
    uint32_t start;
} machine;

void machine_free(machine *p);

/* A hash of all that decides what the pattern matches; equal for patterns that differ only
 * in how they are written down. */
uint64_t machine_hash(const machine *p);

/* ---- parts ------------------------------------------------------------------ */

typedef struct part {
    uint32_t first;
    uint32_t end;
    uint32_t start;
    bool may_be_empty;
} part;

/* One character of a set. Takes the set over, success or not. */
ctok_status part_char(machine *p, ctok_class *set, part *out, ctok_error *err);

/* No character, but the next one is in the set, or with negated not, and at the end of the
 * text at_end decides. Takes the set over, success or not. */
ctok_status part_guard(machine *p, ctok_class *set, bool negated, bool at_end,
                       part *out, ctok_error *err);

typedef enum part_greed { PART_GREEDY, PART_LAZY, PART_POSSESSIVE } part_greed;

typedef struct part_repeat {
    uint32_t least;
    uint32_t most; /* PART_ENDLESS: as often as you like */
    part_greed greed;
} part_repeat;

#define PART_ENDLESS UINT32_MAX

/* Replaces the part made last by its repetition. CTOK_E_UNSUPPORTED for a possessive one of
 * anything but a character, and for several of what may be empty. */
ctok_status part_repeated(machine *p, part *unit, const part_repeat *repeat,
                          ctok_error *err);

/* Alternatives under construction, and the parts so far of the last of them. */
typedef struct part_choice {
    uint32_t first; /* its states */
    uint32_t start; /* where it is entered */
    uint32_t fork;  /* whose other side is the next alternative, or MACHINE_NONE */
    uint32_t exits; /* jumps that end alternatives, chained by their other field */
    bool may_be_empty;
    bool has_tail;
    part tail;
} part_choice;

part_choice part_choice_new(const machine *p);

/* Appends to the alternative the part made last. */
void part_choice_append(machine *p, part_choice *choice, const part *next);

/* Ends the alternative, where another one follows. */
ctok_status part_choice_or(machine *p, part_choice *choice, ctok_error *err);

/* Ends the alternative and the choice, which is now a part. */
ctok_status part_choice_end(machine *p, part_choice *choice, part *out,
                            ctok_error *err);

/* Leads from the whole to the match. */
ctok_status part_finish(machine *p, const part *whole, ctok_error *err);

#endif
