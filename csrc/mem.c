#if defined(__linux__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "mem.h"

#include "error.h"

#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define MEM_HUGE ((size_t)2 << 20)

/* Large tables are looked into at random: with huge pages the processor finds the places ten
 * times as often without walking its page tables. They must be asked for before first use. */
static void *mem_heap_large(size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    size_t rounded = (size + MEM_HUGE - 1) & ~(MEM_HUGE - 1);
    void *memory = rounded < size ? NULL : aligned_alloc(MEM_HUGE, rounded);

    if (memory != NULL) {
        (void)madvise(memory, rounded, MADV_HUGEPAGE);
    }
    return memory;
#else
    return malloc(size);
#endif
}

static void *mem_heap_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    if (ptr == NULL && new_size >= MEM_HUGE) {
        return mem_heap_large(new_size);
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

#define MEM_LINE ((size_t)64)

ctok_status mem_new_lines(const ctok_allocator *alloc, void **memory, void **items,
                          size_t n, size_t item_size, ctok_error *err)
{
    size_t more = (MEM_LINE + item_size - 1) / item_size; /* items to move up by */

    TRY(mem_new(alloc, memory, n + more, item_size, err));
    *items = (void *)(((uintptr_t)*memory + MEM_LINE - 1) & ~(uintptr_t)(MEM_LINE - 1));
    return CTOK_OK;
}

void mem_free_lines(const ctok_allocator *alloc, void *memory, size_t n,
                    size_t item_size)
{
    mem_free(alloc, memory, n + (MEM_LINE + item_size - 1) / item_size, item_size);
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
