/* uchar.h - the Unicode Character Database, as far as patterns can ask for it: named sets
 * of code points and simple case folding. Knows names and ranges, not pattern syntax.
 *
 * The tables are in uchar_data.c, written by tools/unicode_tables.py. A set is a run of
 * varints, alternately how far the next range is from the last and how long it is:
 *
 *     a-z A-Z   ->  65 25 6 25
 *
 * Surrogates are in no set: text has none. */
#ifndef CTOK_UCHAR_H
#define CTOK_UCHAR_H

#include "base.h"

#define UCHAR_MAX 0x10FFFFu
#define UCHAR_SURROGATE_FIRST 0xD800u
#define UCHAR_SURROGATE_LAST 0xDFFFu

/* True for a code point that text can have. */
static inline bool uchar_is_scalar(uint32_t c)
{
    return c <= UCHAR_MAX && (c < UCHAR_SURROGATE_FIRST || c > UCHAR_SURROGATE_LAST);
}

/* What a name can be the name of. */
typedef enum uchar_kind {
    UCHAR_BINARY,            /* a property that a character has or not */
    UCHAR_CATEGORY,          /* a value of General_Category, Any, Assigned or ASCII */
    UCHAR_SCRIPT,            /* a value of Script */
    UCHAR_SCRIPT_EXTENSIONS, /* a value of Script_Extensions */
    UCHAR_VALUED,            /* a property with values; first_set is their uchar_kind */
    UCHAR_NO_DATA            /* the values of a property that is not in the tables */
} uchar_kind;

typedef struct uchar_name {
    uint16_t text; /* offset into the pool, which ends each name with a NUL */
    uint16_t first_set;
    uint8_t n_sets; /* the meaning is the union of so many neighbouring sets */
    uint8_t kind;
} uchar_name;

typedef struct uchar_set {
    uint32_t start; /* offset into uchar_ranges */
    uint32_t n_ranges;
} uchar_set;

/* Names sorted by kind, then by text. */
extern const uint16_t uchar_n_names;
extern const uchar_name uchar_names[];
extern const char uchar_name_pool[];
extern const uchar_set uchar_sets[];
extern const uint8_t uchar_ranges[];

/* For each orbit: the distance of its first member from the last orbit's first member, the
 * distances between its members, 0. */
extern const uint32_t uchar_n_orbits;
extern const uint8_t uchar_orbits[];

/* Drops what does not count in a name: case, blanks, '_', '-', a leading "is". out has room
 * for len bytes. Returns the length; 0 finds nothing. */
size_t uchar_normalize(const char *name, size_t len, char *out);

/* Looks a normalized name up; NULL when there is none of that kind. */
const uchar_name *uchar_find(uchar_kind kind, const char *name, size_t len);

/* The ranges of one set, in order. */
typedef struct uchar_range_iter {
    const uint8_t *at;
    uint32_t n_left;
    uint32_t after; /* the code point behind the last range */
} uchar_range_iter;

uchar_range_iter uchar_set_ranges(uint32_t set);
bool uchar_next_range(uchar_range_iter *iter, uint32_t *first, uint32_t *last);

/* Characters that are the same when case does not count; each is in at most one orbit. */
#define UCHAR_MAX_ORBIT 4

typedef struct uchar_orbit_iter {
    const uint8_t *at;
    uint32_t n_left;
    uint32_t first; /* of the last orbit */
} uchar_orbit_iter;

uchar_orbit_iter uchar_all_orbits(void);

/* The members of the next orbit in ascending order, and how many; 0 at the end. */
size_t uchar_next_orbit(uchar_orbit_iter *iter, uint32_t members[UCHAR_MAX_ORBIT]);

#endif
