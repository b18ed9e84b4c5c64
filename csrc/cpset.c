#include "cpset.h"

#include "error.h"

void ctok_class_free(ctok_class *cls)
{
    if (cls != NULL && cls->ranges != NULL) {
        mem_free(&cls->alloc, cls->ranges, cls->cap_ranges, sizeof *cls->ranges);
        cls->ranges = NULL;
        cls->n_ranges = 0;
        cls->cap_ranges = 0;
    }
}

static ctok_status cpset_reserve(ctok_class *set, size_t n, ctok_error *err)
{
    void *ranges = set->ranges;

    TRY(mem_reserve(&set->alloc, &ranges, &set->cap_ranges, n, sizeof *set->ranges,
                    err));
    set->ranges = ranges;
    return CTOK_OK;
}

/* The first range that ends at c or later; n_ranges when none does. */
static size_t cpset_find(const ctok_class *set, uint32_t c)
{
    size_t low = 0;
    size_t high = set->n_ranges;

    /* Classes are mostly written in ascending order. */
    if (high == 0 || set->ranges[high - 1][1] < c) {
        return high;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->ranges[middle][1] < c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Adds a range without surrogates: ranges [from, to) that overlap or touch it become one
 * with it. */
static ctok_status cpset_insert(ctok_class *set, uint32_t first, uint32_t last,
                                ctok_error *err)
{
    size_t from = cpset_find(set, first == 0 ? 0 : first - 1);
    size_t to = from;

    while (to < set->n_ranges && set->ranges[to][0] <= last + 1) {
        to++;
    }
    if (to == from) {
        TRY(cpset_reserve(set, set->n_ranges + 1, err));
    } else {
        first = set->ranges[from][0] < first ? set->ranges[from][0] : first;
        last = set->ranges[to - 1][1] > last ? set->ranges[to - 1][1] : last;
    }
    memmove(set->ranges + from + 1, set->ranges + to,
            (set->n_ranges - to) * sizeof *set->ranges);
    set->n_ranges = set->n_ranges + 1 - (to - from);
    set->ranges[from][0] = first;
    set->ranges[from][1] = last;
    return CTOK_OK;
}

ctok_status cpset_add(ctok_class *set, uint32_t first, uint32_t last, ctok_error *err)
{
    assert(first <= last && last <= UCHAR_MAX);
    if (first < UCHAR_SURROGATE_FIRST) {
        TRY(cpset_insert(
            set, first, last < UCHAR_SURROGATE_FIRST ? last : UCHAR_SURROGATE_FIRST - 1,
            err));
    }
    if (last > UCHAR_SURROGATE_LAST) {
        TRY(cpset_insert(
            set, first > UCHAR_SURROGATE_LAST ? first : UCHAR_SURROGATE_LAST + 1, last,
            err));
    }
    return CTOK_OK;
}

/* Sweeps over the places where membership changes. Of these there are at most as many as
 * both sets have ends, and those of the surrogates, which bounds the ranges made. */
ctok_status cpset_combine(ctok_class *set, cpset_op op, const ctok_class *other,
                          ctok_error *err)
{
    ctok_class out = cpset_empty(&set->alloc);
    uint32_t at = 0;
    size_t i = 0;
    size_t k = 0;

    TRY(cpset_reserve(&out, set->n_ranges + other->n_ranges + 2, err));
    while (at <= UCHAR_MAX) {
        bool in_set;
        bool in_other;
        uint32_t end = UCHAR_MAX + 1;
        uint32_t edge;

        while (i < set->n_ranges && set->ranges[i][1] < at) {
            i++;
        }
        while (k < other->n_ranges && other->ranges[k][1] < at) {
            k++;
        }
        in_set = i < set->n_ranges && set->ranges[i][0] <= at;
        in_other = k < other->n_ranges && other->ranges[k][0] <= at;
        if (i < set->n_ranges) {
            edge = in_set ? set->ranges[i][1] + 1 : set->ranges[i][0];
            end = edge < end ? edge : end;
        }
        if (k < other->n_ranges) {
            edge = in_other ? other->ranges[k][1] + 1 : other->ranges[k][0];
            end = edge < end ? edge : end;
        }
        if ((unsigned)op >> (in_set ? !in_other : 2 + !in_other) & 1) {
            /* Room was reserved, so this cannot fail. */
            (void)cpset_add(&out, at, end - 1, NULL);
        }
        at = end;
    }
    ctok_class_free(set);
    *set = out;
    return CTOK_OK;
}

ctok_status cpset_add_unicode(ctok_class *set, uint32_t first_set, uint32_t n_sets,
                              ctok_error *err)
{
    ctok_status status = CTOK_OK;
    ctok_class one = cpset_empty(&set->alloc);
    uint32_t first;
    uint32_t last;

    for (uint32_t i = first_set; i < first_set + n_sets; i++) {
        uchar_range_iter iter = uchar_set_ranges(i);
        one.n_ranges = 0;
        while (uchar_next_range(&iter, &first, &last)) {
            TRY_TO(done, cpset_add(&one, first, last, err));
        }
        TRY_TO(done, cpset_combine(set, CPSET_UNION, &one, err));
    }
done:
    ctok_class_free(&one);
    return status;
}

ctok_status cpset_fold(ctok_class *set, ctok_error *err)
{
    ctok_status status = CTOK_OK;
    ctok_class added = cpset_empty(&set->alloc);
    uchar_orbit_iter iter = uchar_all_orbits();
    uint32_t members[UCHAR_MAX_ORBIT];
    size_t n;

    while ((n = uchar_next_orbit(&iter, members)) != 0) {
        size_t n_inside = 0;
        for (size_t i = 0; i < n; i++) {
            n_inside += cpset_contains(set, members[i]);
        }
        for (size_t i = 0; n_inside > 0 && n_inside < n && i < n; i++) {
            TRY_TO(done, cpset_add(&added, members[i], members[i], err));
        }
    }
    if (added.n_ranges > 0) {
        TRY_TO(done, cpset_combine(set, CPSET_UNION, &added, err));
    }
done:
    ctok_class_free(&added);
    return status;
}

bool cpset_contains(const ctok_class *set, uint32_t c)
{
    size_t i = cpset_find(set, c);

    return i < set->n_ranges && set->ranges[i][0] <= c;
}

bool cpset_equal(const ctok_class *a, const ctok_class *b)
{
    return a->n_ranges == b->n_ranges &&
           (a->n_ranges == 0 ||
            memcmp(a->ranges, b->ranges, a->n_ranges * sizeof *a->ranges) == 0);
}
