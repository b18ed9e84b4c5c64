/* images.h - images for tests: written, changed, and made to look whole again. Not part of the
 * library. What it knows of the layout is what a stranger could read in csrc/image.c. */
#ifndef IMAGES_H
#define IMAGES_H

#include "ctok.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE_HASH_AT 24
#define IMAGE_HASHED_FROM 32

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

static inline uint64_t image_mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return sum << 29 | sum >> 35;
}

/* The hash that belongs to the bytes: so that a changed image is looked at further. */
static inline void image_rehash(image *i)
{
    uint64_t sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    size_t n_words = (i->len - IMAGE_HASHED_FROM) / 8;
    uint64_t hash = 8 * n_words;

    for (size_t k = 0; k < n_words; k++) {
        uint64_t word;

        memcpy(&word, i->bytes + IMAGE_HASHED_FROM + 8 * k, 8);
        sums[k % 8] = image_mix(sums[k % 8], word);
    }
    for (size_t k = 0; k < 8; k++) {
        hash = image_mix(hash, sums[k]);
    }
    memcpy(i->bytes + IMAGE_HASH_AT, &hash, sizeof hash);
}

#endif
