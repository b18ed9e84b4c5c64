#include "special.h"

#include "error.h"
#include "mem.h"
#include "vocab.h"

static const uint8_t *special_text(const special *s, uint32_t number)
{
    return s->blob + s->starts[number];
}

static void special_add_len(special *s, uint32_t len)
{
    size_t i = 0;
    size_t j;

    while (i < s->n_lens && s->lens[i] > len) {
        i++;
    }
    if (i < s->n_lens && s->lens[i] == len) {
        return;
    }
    for (j = s->n_lens++; j > i; j--) {
        s->lens[j] = s->lens[j - 1];
    }
    s->lens[i] = len;
}

static void special_narrow_prefix(special *s, uint32_t number)
{
    const uint8_t *first = special_text(s, 0);
    const uint8_t *text = special_text(s, number);
    size_t len = special_len(s, number);
    size_t common = 0;

    while (common < s->prefix_len && common < len && first[common] == text[common]) {
        common++;
    }
    s->prefix_len = common;
}

/* The slot of a text: its own, or the empty one where it belongs. */
static size_t special_slot(const special *s, const uint8_t *text, size_t len)
{
    size_t i = (size_t)vocab_hash(text, len) & (s->n_slots - 1);

    while (s->slots[i] != UINT32_MAX &&
           (special_len(s, s->slots[i]) != len ||
            memcmp(special_text(s, s->slots[i]), text, len) != 0)) {
        i = (i + 1) & (s->n_slots - 1);
    }
    return i;
}

ctok_status special_index(special *out, const uint8_t *blob, uint32_t *starts, size_t n,
                          const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;
    uint32_t number;

    memset(out, 0, sizeof *out);
    out->blob = blob;
    out->starts = starts;
    out->n = n;
    if (n == 0) {
        return CTOK_OK;
    }
    out->n_slots = 16;
    while (out->n_slots < 2 * n) {
        out->n_slots *= 2;
    }
    TRY(mem_new(alloc, &memory, out->n_slots, sizeof *out->slots, err));
    out->slots = memory;
    memset(out->slots, 0xFF, out->n_slots * sizeof *out->slots);
    TRY(mem_new(alloc, &memory, n, sizeof *out->lens, err));
    out->lens = memory;
    out->prefix_len = special_len(out, 0);
    for (number = 0; number < n; number++) {
        const uint8_t *text = special_text(out, number);
        size_t len = special_len(out, number);
        size_t slot = special_slot(out, text, len);

        if (out->slots[slot] != UINT32_MAX) {
            return error_set(err, CTOK_E_DUPLICATE,
                             "special %u: same text as special %u: %.*s", number,
                             out->slots[slot], (int)(len < 100 ? len : 100), text);
        }
        out->slots[slot] = number;
        special_add_len(out, (uint32_t)len);
        special_narrow_prefix(out, number);
        out->n_firsts += out->is_first[text[0]] == 0;
        out->is_first[text[0]] = 1;
    }
    return CTOK_OK;
}

void special_free(special *s, const ctok_allocator *alloc)
{
    mem_free(alloc, s->slots, s->n_slots, sizeof *s->slots);
    mem_free(alloc, s->lens, s->n, sizeof *s->lens);
    mem_free(alloc, s->starts, s->n + 1, sizeof *s->starts);
    memset(s, 0, sizeof *s);
}

/* The next byte that a special starts with, or NULL. Nearly always there is only one such
 * byte ('<'), and memchr is as fast as memory. */
static const uint8_t *special_candidate(const special *s, const uint8_t *p,
                                        const uint8_t *end)
{
    if (s->n_firsts == 1) {
        return memchr(p, special_text(s, 0)[0], (size_t)(end - p));
    }
    while (p < end && !s->is_first[*p]) {
        p++;
    }
    return p < end ? p : NULL;
}

static bool special_is_in(const uint64_t *set, uint32_t number)
{
    return (set[number / 64] >> (number % 64) & 1) != 0;
}

bool special_next(const special *s, ctok_bytes text, size_t from, const uint64_t *set,
                  size_t *start, uint32_t *number)
{
    const uint8_t *p = text.ptr + from;
    const uint8_t *end = text.ptr + text.len;
    size_t i;

    if (s->n == 0 || set == NULL || from >= text.len) {
        return false;
    }
    for (; (p = special_candidate(s, p, end)) != NULL; p++) {
        size_t left = (size_t)(end - p);

        if (left < s->prefix_len || memcmp(p, special_text(s, 0), s->prefix_len) != 0) {
            continue;
        }
        for (i = 0; i < s->n_lens; i++) {
            size_t slot;

            if (s->lens[i] > left) {
                continue;
            }
            slot = special_slot(s, p, s->lens[i]);
            if (s->slots[slot] != UINT32_MAX && special_is_in(set, s->slots[slot])) {
                *start = (size_t)(p - text.ptr);
                *number = s->slots[slot];
                return true;
            }
        }
    }
    return false;
}

bool special_covers(const special *s, ctok_bytes text, size_t at)
{
    size_t longest = s->n == 0 ? 0 : s->lens[0];
    size_t start = at < longest ? 0 : at - longest + 1;

    for (; start < at; start++) {
        size_t i;

        for (i = 0; s->is_first[text.ptr[start]] && i < s->n_lens; i++) {
            size_t len = s->lens[i];

            if (len > at - start && len <= text.len - start &&
                s->slots[special_slot(s, text.ptr + start, len)] != UINT32_MAX) {
                return true;
            }
        }
    }
    return false;
}

size_t special_size_in_memory(const special *s)
{
    return s->n_slots * sizeof *s->slots + s->n * sizeof *s->lens +
           (s->n == 0 ? 0 : (s->n + 1) * sizeof *s->starts);
}

void special_sections(special *s, sections *to)
{
    section_number(to, &s->n);
    SECTION(to, s->starts, s->n == 0 ? 0 : s->n + 1);
}

ctok_status special_index_read(special *out, const special *read, const uint8_t *blob,
                               size_t n_blob, const ctok_allocator *alloc,
                               ctok_error *err)
{
    void *memory = NULL;
    ctok_status status;
    size_t i;

    memset(out, 0, sizeof *out);
    if (read->n == 0) {
        return CTOK_OK;
    }
    for (i = 0; i < read->n; i++) {
        if (read->starts[i] >= read->starts[i + 1]) {
            return error_set(err, CTOK_E_IMAGE, "image: special %zu is empty", i);
        }
    }
    if (read->starts[0] != 0 || read->starts[read->n] > n_blob) {
        return error_set(err, CTOK_E_IMAGE, "image: specials of %u bytes, %zu expected",
                         read->starts[read->n], n_blob);
    }
    TRY(mem_new(alloc, &memory, read->n + 1, sizeof *read->starts, err));
    memcpy(memory, read->starts, (read->n + 1) * sizeof *read->starts);
    status = special_index(out, blob, memory, read->n, alloc, err);
    if (status == CTOK_E_DUPLICATE) {
        return error_set(err, CTOK_E_IMAGE, "image: a special is there twice");
    }
    return status;
}
