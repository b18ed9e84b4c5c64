#include "words.h"

#include "mem.h"

ctok_status words_new(words *out, size_t n, const ctok_allocator *alloc,
                      ctok_error *err)
{
    void *buckets = NULL;
    size_t n_buckets = 1;

    memset(out, 0, sizeof *out);
    /* Half full: one bucket in fifteen overflows. There is always room for one more. */
    while (n_buckets * WORDS_PER_BUCKET < 2 * n + 2) {
        n_buckets *= 2;
    }
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

void words_add(words *w, key k, uint32_t id)
{
    size_t at = (size_t)(words_at(w, key_hash(k)) - w->buckets);

    for (;; at = (at + 1) & (w->n_buckets - 1)) {
        words_bucket *b = &w->buckets[at];
        size_t i;

        for (i = 0; i < WORDS_PER_BUCKET; i++) {
            if (b->keys[i].high == 0) {
                b->keys[i] = k;
                b->ids[i] = id;
                return;
            }
        }
        b->is_full = 1;
    }
}

size_t words_size_in_memory(const words *w)
{
    return w->n_buckets * sizeof *w->buckets;
}
