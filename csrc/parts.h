/* parts.h - building the machine of a pattern out of parts. Knows states, not syntax.
 *
 * A part is the states [first, end), entered at start and left by the jump at end - 1, which
 * leads nowhere yet. Being contiguous it can be copied by adding an offset.
 *
 *     a+      first            end          CHAR a -> FORK -> JUMP -> ?
 *             CHAR  FORK  JUMP                 ^-------'
 *
 * All functions that add states fail with CTOK_E_UNSUPPORTED at PATTERN_MAX_STATES. */
#ifndef CTOK_PARTS_H
#define CTOK_PARTS_H

#include "pattern.h"

typedef struct part {
    uint32_t first;
    uint32_t end;
    uint32_t start;
    bool may_be_empty;
} part;

/* One character of a set. Takes the set over, success or not. */
ctok_status part_char(pattern *p, ctok_class *set, part *out, ctok_error *err);

/* No character, but the next one is in the set, or with negated not, and at the end of the
 * text at_end decides. Takes the set over, success or not. */
ctok_status part_guard(pattern *p, ctok_class *set, bool negated, bool at_end,
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
ctok_status part_repeated(pattern *p, part *unit, const part_repeat *repeat,
                          ctok_error *err);

/* Alternatives under construction, and the parts so far of the last of them. */
typedef struct part_choice {
    uint32_t first; /* its states */
    uint32_t start; /* where it is entered */
    uint32_t fork;  /* whose other side is the next alternative, or PATTERN_NONE */
    uint32_t exits; /* jumps that end alternatives, chained by their other field */
    bool may_be_empty;
    bool has_tail;
    part tail;
} part_choice;

part_choice part_choice_new(const pattern *p);

/* Appends to the alternative the part made last. */
void part_choice_append(pattern *p, part_choice *choice, const part *next);

/* Ends the alternative, where another one follows. */
ctok_status part_choice_or(pattern *p, part_choice *choice, ctok_error *err);

/* Ends the alternative and the choice, which is now a part. */
ctok_status part_choice_end(pattern *p, part_choice *choice, part *out,
                            ctok_error *err);

/* Leads from the whole to the match. */
ctok_status part_finish(pattern *p, const part *whole, ctok_error *err);

#endif
