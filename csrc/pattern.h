/* pattern.h - the syntax of a splitting pattern, in tiktoken's dialect (fancy-regex). Knows
 * how patterns are written; what they do is the machine's part.
 *
 * The subset: ordered alternation, groups, classes, literals, ? * + {n,m} greedy and lazy,
 * possessive or atomic for a single class, lookahead at one character, $. In it no step
 * needs more than the next character to be decided, so a table can run it.
 */
#ifndef CTOK_PATTERN_H
#define CTOK_PATTERN_H

#include "machine.h"

#define PATTERN_MAX_DEPTH 64
#define PATTERN_MAX_REPEAT 1000

/* Parses a pattern. CTOK_E_PATTERN when it is malformed, CTOK_E_UNSUPPORTED when it is outside
 * of the subset; the error says where. Free it in any case. */
ctok_status pattern_parse(machine *out, ctok_bytes text, const ctok_allocator *alloc,
                          ctok_error *err);

#endif
