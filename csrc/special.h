/* special.h - finding special tokens in a text. The leftmost is found, of several that
 * start there the longest. Knows nothing of ids. */
#ifndef CTOK_SPECIAL_H
#define CTOK_SPECIAL_H

#include "base.h"
#include "section.h"

typedef struct special {
    const uint8_t *blob; /* borrowed: the texts, by number */
    uint32_t *starts;    /* n + 1, into blob */
    size_t n;
    uint32_t *slots; /* hash table of numbers; UINT32_MAX is empty */
    size_t n_slots;
    uint32_t *lens; /* the different lengths, longest first */
    size_t n_lens;
    uint8_t is_first[256]; /* bytes that a special starts with */
    size_t n_firsts;
    size_t prefix_len; /* bytes that all specials begin with */
} special;

/* Indexes n texts, none empty. blob stays where it is; starts becomes the index's own, success
 * or not. CTOK_E_DUPLICATE when a text is there twice. */
ctok_status special_index(special *out, const uint8_t *blob, uint32_t *starts, size_t n,
                          const ctok_allocator *alloc, ctok_error *err);
void special_free(special *s, const ctok_allocator *alloc);

/* The first special of the set that starts at or after from; false when there is none. */
bool special_next(const special *s, ctok_bytes text, size_t from, const uint64_t *set,
                  size_t *start, uint32_t *number);

/* Whether a special of whatever set starts before a place and ends behind it. */
bool special_covers(const special *s, ctok_bytes text, size_t at);

static inline size_t special_len(const special *s, uint32_t number)
{
    return s->starts[number + 1] - s->starts[number];
}

size_t special_size_in_memory(const special *s);

/* The texts. The index is made anew: it is small, and then it is right. */
void special_sections(special *s, sections *to);

/* Indexes texts that were read: checks that they are in the n_blob bytes of blob and copies
 * their starts. CTOK_E_IMAGE when they are not, or when one is empty or there twice. */
ctok_status special_index_read(special *out, const special *read, const uint8_t *blob,
                               size_t n_blob, const ctok_allocator *alloc,
                               ctok_error *err);

#endif
