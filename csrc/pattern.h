/* pattern.h - a splitting pattern as a small machine: from text to an NFA whose steps are sets
 * of code points. Knows syntax; running it is automaton.h's part.
 *
 * The subset: ordered alternation, groups, classes, literals, ? * + {n,m} greedy and lazy,
 * possessive or atomic for a single class, lookahead at one character, $. In it no step
 * needs more than the next character to be decided, so a table can run it.
 */
#ifndef CTOK_PATTERN_H
#define CTOK_PATTERN_H

#include "alphabet.h"
#include "cpset.h"

#define PATTERN_NONE UINT32_MAX
#define PATTERN_MAX_STATES 4096
#define PATTERN_MAX_DEPTH 64
#define PATTERN_MAX_REPEAT 1000

typedef enum pattern_kind {
    PATTERN_JUMP,  /* go on at next */
    PATTERN_FORK,  /* try next, then other */
    PATTERN_CHAR,  /* one character of the set, then next */
    PATTERN_GUARD, /* go on at next if the next character (or the end) is as wanted */
    PATTERN_MATCH
} pattern_kind;

typedef struct pattern_state {
    uint8_t kind;
    uint8_t negated; /* guard: the next character is not in the set */
    uint8_t at_end;  /* guard: the end of the text will do */
    uint8_t set;     /* char, guard */
    uint32_t next;
    uint32_t other;
} pattern_state;

typedef struct pattern {
    ctok_allocator alloc;
    ctok_class sets[ALPHABET_MAX_SETS];
    size_t n_sets;
    pattern_state *states;
    size_t n_states;
    size_t states_cap;
    uint32_t start;
} pattern;

/* Parses a pattern. CTOK_E_PATTERN when it is malformed, CTOK_E_UNSUPPORTED when it is outside
 * of the subset; the error says where. Free it in any case. */
ctok_status pattern_parse(pattern *out, ctok_bytes text, const ctok_allocator *alloc,
                          ctok_error *err);
void pattern_free(pattern *p);

/* A hash of all that decides what the pattern matches; equal for patterns that differ only
 * in how they are written down. */
uint64_t pattern_hash(const pattern *p);

#endif
