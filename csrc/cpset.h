/* cpset.h - sets of code points, the ctok_class of the public header: adding, combining,
 * folding. Knows ranges, not the syntax that describes them.
 *
 * A set is a sorted array of ranges that neither overlap nor touch. It never has a
 * surrogate, so that a set and its complement are the characters of text. */
#ifndef CTOK_CPSET_H
#define CTOK_CPSET_H

#include "mem.h"
#include "uchar.h"

/* An empty set; holds no memory yet. */
static inline ctok_class cpset_empty(const ctok_allocator *alloc)
{
    return (ctok_class){NULL, 0, 0, *alloc};
}

ctok_status cpset_add(ctok_class *set, uint32_t first, uint32_t last, ctok_error *err);

/* Which characters of two sets are kept: a truth table, where bit 0 stands for those in
 * both, bit 1 for those in the first only, bit 2 for those in the second only and bit 3
 * for those in neither. */
typedef enum cpset_op {
    CPSET_INTERSECTION = 1,
    CPSET_DIFFERENCE = 2,
    CPSET_SYMMETRIC_DIFFERENCE = 6,
    CPSET_UNION = 7,
    CPSET_COMPLEMENT = 12 /* of the first set */
} cpset_op;

/* set becomes "set op other". On failure it is as it was. */
ctok_status cpset_combine(ctok_class *set, cpset_op op, const ctok_class *other,
                          ctok_error *err);

static inline ctok_status cpset_negate(ctok_class *set, ctok_error *err)
{
    return cpset_combine(set, CPSET_COMPLEMENT, set, err);
}

/* Adds n_sets neighbouring sets of the Unicode tables. */
ctok_status cpset_add_unicode(ctok_class *set, uint32_t first_set, uint32_t n_sets,
                              ctok_error *err);

/* Adds what differs from a member in case only. */
ctok_status cpset_fold(ctok_class *set, ctok_error *err);

bool cpset_contains(const ctok_class *set, uint32_t c);
bool cpset_equal(const ctok_class *a, const ctok_class *b);

#endif
