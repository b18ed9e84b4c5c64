#include "words.h"

#include "mem.h"

ctok_status words_new(words *out, size_t n, const ctok_allocator *alloc,
                      ctok_error *err)
{
    void *buckets = NULL;
    size_t n_buckets = n * 5 / 9 + 1; /* three fifths full: one in six overflows */

    memset(out, 0, sizeof *out);
    TRY(mem_new_lines(alloc, &out->memory, &buckets, n_buckets, sizeof *out->buckets,
                      err));
    out->buckets = buckets;
    out->n_buckets = n_buckets;
    return CTOK_OK;
}

void words_free(words *w, const ctok_allocator *alloc)
{
    mem_free_lines(alloc, w->memory, w->n_buckets, sizeof *w->buckets);
    memset(w, 0, sizeof *w);
}

void words_add(words *w, key k, uint32_t symbol)
{
    size_t at = (size_t)(words_at(w, key_hash(k)) - w->buckets);

    for (;; at = at + 1 == w->n_buckets ? 0 : at + 1) {
        words_bucket *b = &w->buckets[at];
        size_t i;

        for (i = 0; i < WORDS_PER_BUCKET; i++) {
            if (b->keys[i].high == 0) {
                b->keys[i] = k;
                b->symbols[i] = symbol;
                return;
            }
        }
        b->is_over = 1;
    }
}

size_t words_size_in_memory(const words *w)
{
    return w->n_buckets * sizeof *w->buckets;
}

void words_sections(words *w, sections *s)
{
    section_number(s, &w->n_buckets);
    SECTION(s, w->buckets, w->n_buckets);
}

bool words_are_sound(const words *w, size_t n_symbols, sections *s)
{
    size_t n_over = 0;
    uint32_t is_bad = 0;
    size_t i;

    if (w->n_buckets == 0 || w->n_buckets > UINT32_MAX) {
        return false;
    }
    for (i = 0; i < w->n_buckets;) {
        size_t end = SECTION_REACH(s, w->buckets, i, w->n_buckets);

        for (; i < end; i++) {
            const words_bucket *b = &w->buckets[i];
            size_t k;

            n_over += b->is_over != 0;
            for (k = 0; k < WORDS_PER_BUCKET; k++) {
                is_bad |= b->symbols[k] >= n_symbols; /* 0 where there is no key */
            }
        }
    }
    return is_bad == 0 && 2 * n_over <= w->n_buckets;
}
