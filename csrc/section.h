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
 * besides that says whether its tables are sound. The image's sum is made on the way, so that
 * memory is read once: such a function first reaches for a few items and then looks at them.
 *
 *     for (i = 0; i < map->n_dense;) {
 *         size_t end = SECTION_REACH(s, map->dense, i, map->n_dense);
 *
 *         for (; i < end; i++) {
 */
#ifndef CTOK_SECTION_H
#define CTOK_SECTION_H

#include "base.h"
#include "checksum.h"

#define SECTION_MAX 32

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
    /* reading: the lines of the image, and what of them is in the sum */
    ctok_bytes lines;
    size_t n_summed;
    checksum sum;
    checksum_function add;
} sections;

void section_number(sections *s, size_t *number);

/* A number that may be greater than the size of anything. */
void section_id(sections *s, uint32_t *id);

/* n_items is known from a number before. An array of none is NULL. */
void section_array(sections *s, void **items, size_t n_items, size_t item_size);

/* An array that is part of its object: reading copies it. */
void section_inline(sections *s, void *items, size_t n_items, size_t item_size);

/* Sums the image as far as the block with item i of an array; returns the end of the items in that
 * block, whose memory is near then. Arrays are best gone through in their order. */
size_t section_reach(sections *s, const void *items, size_t i, size_t n_items,
                     size_t item_size);
#define SECTION_REACH(s, array, i, n_items)                                            \
    section_reach(s, array, i, n_items, sizeof *(array))

/* Sums the rest of the image. */
void section_reach_end(sections *s);

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
