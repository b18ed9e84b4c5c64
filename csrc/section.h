/* section.h - what an object consists of, told once, for writing it down and for finding it
 * again. Knows numbers and arrays, not what they mean.
 *
 * A module with tables goes through them in one function, which serves both ways:
 *
 *     void idmap_sections(idmap *map, sections *s)
 *     {
 *         section_number(s, &map->n_dense);
 *         SECTION(s, map->dense, map->n_dense);
 *
 *     writing   the number and the place of the array are noted, nothing changes
 *     reading   the number is set, and the array points to where it lies in the image
 *
 * What was read is of the right size and inside the image, no more: each module has a function
 * besides that says whether its tables are sound.
 */
#ifndef CTOK_SECTION_H
#define CTOK_SECTION_H

#include "base.h"

#define SECTION_MAX 32

/* Bytes between asking for a table's memory and reading it, where one is gone through from end
 * to end. Its pages lie scattered, and at the end of each the processor stops to ask by itself. */
#define SECTION_AHEAD 4096

typedef struct section {
    const void *items;
    uint64_t n_items;
    uint32_t item_size;
} section;

typedef struct sections {
    bool is_reading;
    bool is_bad; /* reading: something was not as expected; all is zero from then on */
    uint64_t numbers[SECTION_MAX];
    section arrays[SECTION_MAX];
    size_t n_numbers; /* so many were gone through */
    size_t n_arrays;
    size_t last_number; /* reading: so many there are */
    size_t last_array;
} sections;

void section_number(sections *s, size_t *number);

/* n_items is known from a number before. An array of none is NULL. */
void section_array(sections *s, void **items, size_t n_items, size_t item_size);

/* An array that is part of its object: reading copies it. */
void section_inline(sections *s, void *items, size_t n_items, size_t item_size);

/* section_array for a typed pointer: C has no void ** that fits them all. Writing does not even
 * store what was there: other threads read it. */
#define SECTION(s, array, n_items)                                                     \
    do {                                                                               \
        void *section_items_ = (array);                                                \
        section_array(s, &section_items_, n_items, sizeof *(array));                   \
        if ((s)->is_reading) {                                                         \
            (array) = section_items_;                                                  \
        }                                                                              \
    } while (0)

#endif
