/* images.h - images for tests: written, changed, and made to look whole again. Not part of the
 * library. What it knows of the layout is what a stranger could read in csrc/image.c. */
#ifndef IMAGES_H
#define IMAGES_H

#include "ctok.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE_SUM_AT 24
#define IMAGE_FINGERPRINT_AT 32
#define IMAGE_NUMBERS_AT 80 /* behind how many numbers and how many arrays there are */

typedef struct image {
    uint8_t *bytes; /* aligned as an image must be */
    size_t len;
} image;

static inline image image_copy(const uint8_t *bytes, size_t len)
{
    size_t room = (len / CTOK_IMAGE_ALIGN + 1) * CTOK_IMAGE_ALIGN;
    image copy = {aligned_alloc(CTOK_IMAGE_ALIGN, room), len};

    if (copy.bytes == NULL) {
        abort();
    }
    memcpy(copy.bytes, bytes, len);
    return copy;
}

static inline image image_of(const ctok_model *model, const uint8_t *fingerprint)
{
    size_t len = ctok_model_image_size(model);
    image made = {aligned_alloc(CTOK_IMAGE_ALIGN, len), len};

    if (made.bytes == NULL ||
        ctok_model_image_write(model, fingerprint, made.bytes, made.len, &len, NULL) !=
            CTOK_OK ||
        len != made.len) {
        abort();
    }
    return made;
}

static inline ctok_bytes image_view(const image *i)
{
    return (ctok_bytes){i->bytes, i->len};
}

/* The model of an image that must be taken. */
static inline ctok_model *image_read(const image *from, const uint8_t *fingerprint)
{
    const ctok_image_options options = {.fingerprint = fingerprint};
    ctok_model *model = NULL;

    if (ctok_model_from_image(&model, image_view(from), &options, NULL, NULL) !=
        CTOK_OK) {
        abort();
    }
    return model;
}

static inline uint64_t image_word(const image *i, size_t at)
{
    uint64_t word;

    memcpy(&word, i->bytes + at, sizeof word);
    return word;
}

static inline size_t image_n_numbers(const image *i)
{
    return (size_t)image_word(i, IMAGE_NUMBERS_AT - 16);
}

static inline size_t image_n_arrays(const image *i)
{
    return (size_t)image_word(i, IMAGE_NUMBERS_AT - 8);
}

typedef struct image_array {
    uint8_t *items;
    size_t n_items;
    size_t item_size; /* bytes */
} image_array;

/* Where array number k is described: three words. */
static inline size_t image_array_at(const image *i, size_t k)
{
    return IMAGE_NUMBERS_AT + 8 * image_n_numbers(i) + 24 * k;
}

static inline image_array image_array_of(const image *i, size_t k)
{
    size_t at = image_array_at(i, k);

    return (image_array){i->bytes + image_word(i, at), (size_t)image_word(i, at + 8),
                         (size_t)image_word(i, at + 16)};
}

static inline uint64_t image_turn(uint64_t value, uint64_t word)
{
    value = (value ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return value << 29 | value >> 35;
}

/* One line of 64 bytes into the sums, products and orders of its words. */
static inline void image_add_line(uint64_t sums[3][8], const uint8_t *line)
{
    for (size_t k = 0; k < 8; k++) {
        uint64_t word;

        memcpy(&word, line + 8 * k, 8);
        sums[0][k] += word;
        word ^= UINT64_C(0x9E3779B97F4A7C15);
        sums[1][k] += (word & UINT32_MAX) * (word >> 32);
        sums[2][k] += sums[1][k];
    }
}

/* The sum that belongs to the bytes: so that a changed image is looked at further. */
static inline void image_sum_again(image *i)
{
    uint64_t sums[3][8] = {{0}};
    uint64_t value = 0;
    size_t n_lines = i->len / 64;

    memset(i->bytes + IMAGE_SUM_AT, 0, sizeof value);
    image_add_line(sums, i->bytes);
    for (size_t from = 1; from < n_lines; from = from / 256 * 256 + 256) {
        size_t end =
            from / 256 * 256 + 256 < n_lines ? from / 256 * 256 + 256 : n_lines;
        size_t quarter = (end - from) / 4;

        for (size_t k = 0; k < 4 * quarter; k++) {
            size_t line = from + k % 4 * quarter + k / 4;
            image_add_line(sums, i->bytes + 64 * line);
        }
        for (size_t line = from + 4 * quarter; line < end; line++) {
            image_add_line(sums, i->bytes + 64 * line);
        }
    }
    for (size_t k = 0; k < 8; k++) {
        for (size_t j = 0; j < 3; j++) {
            value = image_turn(value, sums[j][k]);
        }
    }
    memcpy(i->bytes + IMAGE_SUM_AT, &value, sizeof value);
}

#endif
