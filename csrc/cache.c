#include "cache.h"

#include "mem.h"

/* clang-format off */
#define CACHE_F 0xFF
const uint8_t cache_masks[CACHE_MAX_PIECE + 1][16] = {
    {0},
    {CACHE_F},
    {CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F,
     CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F,
     CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F,
     CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F,
     CACHE_F, CACHE_F, CACHE_F, CACHE_F},
    {CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F,
     CACHE_F, CACHE_F, CACHE_F, CACHE_F, CACHE_F},
};
/* clang-format on */

ctok_status cache_new(cache *out, size_t n_bytes, const ctok_allocator *alloc,
                      ctok_error *err)
{
    void *memory = NULL;
    size_t n_entries = 1;

    memset(out, 0, sizeof *out);
    if (n_bytes < 2 * sizeof *out->entries) {
        return CTOK_OK;
    }
    out->shift = 64;
    while (n_entries <= n_bytes / sizeof *out->entries / 2) {
        n_entries *= 2;
        out->shift--;
    }
    TRY(mem_new(alloc, &memory, n_entries, sizeof *out->entries, err));
    out->entries = memory;
    out->n_entries = n_entries;
    return CTOK_OK;
}

void cache_free(cache *c, const ctok_allocator *alloc)
{
    mem_free(alloc, c->entries, c->n_entries, sizeof *c->entries);
    memset(c, 0, sizeof *c);
}

void cache_clear(cache *c)
{
    if (c->entries != NULL) {
        memset(c->entries, 0, c->n_entries * sizeof *c->entries);
    }
}
