#include "section.h"

static void section_note_number(sections *s, uint64_t number)
{
    assert(s->n_numbers < SECTION_MAX);
    s->numbers[s->n_numbers++] = number;
}

/* The next number, of at most so much; 0 when there is none. */
static uint64_t section_next_number(sections *s, uint64_t most)
{
    s->is_bad =
        s->is_bad || s->n_numbers == s->last_number || s->numbers[s->n_numbers] > most;
    return s->is_bad ? 0 : s->numbers[s->n_numbers++];
}

void section_number(sections *s, size_t *number)
{
    if (s->is_reading) {
        *number = (size_t)section_next_number(s, SIZE_MAX / 2);
    } else {
        section_note_number(s, *number);
    }
}

void section_id(sections *s, uint32_t *id)
{
    if (s->is_reading) {
        *id = (uint32_t)section_next_number(s, UINT32_MAX);
    } else {
        section_note_number(s, *id);
    }
}

/* The next array, which has so many items of this size; NULL when it has not. */
static const void *section_next(sections *s, size_t n_items, size_t item_size)
{
    const section *next = &s->arrays[s->n_arrays];

    s->is_bad = s->is_bad || s->n_arrays == s->last_array || next->n_items != n_items ||
                next->item_size != item_size;
    if (s->is_bad) {
        return NULL;
    }
    s->n_arrays++;
    return n_items == 0 ? NULL : next->items;
}

static void section_note(sections *s, const void *items, size_t n_items,
                         size_t item_size)
{
    section *next = &s->arrays[s->n_arrays++];

    assert(s->n_arrays <= SECTION_MAX);
    next->items = items;
    next->n_items = n_items;
    next->item_size = (uint32_t)item_size;
}

void section_array(sections *s, void **items, size_t n_items, size_t item_size)
{
    if (s->is_reading) {
        /* Tables are not written to once they are whole, so const ends here. */
        *items = (void *)section_next(s, n_items, item_size);
    } else {
        section_note(s, *items, n_items, item_size);
    }
}

void section_inline(sections *s, void *items, size_t n_items, size_t item_size)
{
    const void *from;

    if (!s->is_reading) {
        section_note(s, items, n_items, item_size);
        return;
    }
    from = section_next(s, n_items, item_size);
    if (from != NULL) {
        memcpy(items, from, n_items * item_size);
    }
}

static size_t section_block_end(size_t at)
{
    return (at / CHECKSUM_BLOCK + 1) * CHECKSUM_BLOCK;
}

static void section_sum_block(sections *s)
{
    size_t end = section_block_end(s->n_summed);

    end = end < s->lines.len ? end : s->lines.len;
    s->add(&s->sum, s->lines.ptr + s->n_summed, (end - s->n_summed) / CHECKSUM_LINE);
    s->n_summed = end;
}

size_t section_reach(sections *s, const void *items, size_t i, size_t n_items,
                     size_t item_size)
{
    size_t start = (size_t)((const uint8_t *)items - s->lines.ptr);
    size_t end = (section_block_end(start + i * item_size) - start) / item_size;

    assert(CHECKSUM_LINE % item_size == 0 && end > i);
    while (s->n_summed <= start + i * item_size) {
        section_sum_block(s);
    }
    return end < n_items ? end : n_items;
}

void section_reach_end(sections *s)
{
    while (s->n_summed < s->lines.len) {
        section_sum_block(s);
    }
}
