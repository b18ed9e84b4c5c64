#include "mem.h"

#include "error.h"

#include <stdlib.h>

static void *mem_heap_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

ctok_allocator mem_allocator(const ctok_allocator *alloc)
{
    ctok_allocator heap = {mem_heap_resize, NULL};
    return alloc != NULL ? *alloc : heap;
}

ctok_status mem_resize(const ctok_allocator *alloc, void **ptr, size_t old_n,
                       size_t new_n, size_t item_size, ctok_error *err)
{
    size_t size;
    void *moved;

    if (base_mul_overflows(new_n, item_size, &size)) {
        return error_set(err, CTOK_E_LIMIT,
                         "%zu items of %zu bytes do not fit in memory", new_n,
                         item_size);
    }
    moved = alloc->resize(alloc->ctx, *ptr, old_n * item_size, size);
    if (moved == NULL && size != 0) {
        return error_set(err, CTOK_E_MEMORY, "out of memory: %zu bytes wanted", size);
    }
    *ptr = moved;
    return CTOK_OK;
}

ctok_status mem_new(const ctok_allocator *alloc, void **out, size_t n, size_t item_size,
                    ctok_error *err)
{
    *out = NULL;
    TRY(mem_resize(alloc, out, 0, n, item_size, err));
    if (*out != NULL) {
        memset(*out, 0, n * item_size);
    }
    return CTOK_OK;
}

void mem_free(const ctok_allocator *alloc, void *ptr, size_t n, size_t item_size)
{
    if (ptr != NULL) {
        alloc->resize(alloc->ctx, ptr, n * item_size, 0);
    }
}

ctok_status mem_reserve(const ctok_allocator *alloc, void **ptr, size_t *cap,
                        size_t need, size_t item_size, ctok_error *err)
{
    size_t grown = *cap + *cap / 2;

    if (need <= *cap) {
        return CTOK_OK;
    }
    if (grown < need) {
        grown = need < 16 ? 16 : need;
    }
    TRY(mem_resize(alloc, ptr, *cap, grown, item_size, err));
    *cap = grown;
    return CTOK_OK;
}
