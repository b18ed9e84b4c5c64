#if defined(__linux__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "mem.h"

#include "error.h"

#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Large tables are looked into at random: with huge pages the processor finds the places ten
 * times as often without walking its page tables. They must be asked for before first use, and
 * come zeroed. */
#define MEM_HUGE ((size_t)2 << 20)

#if defined(__linux__) && defined(MADV_HUGEPAGE)

static size_t mem_pages(size_t size)
{
    return (size + MEM_HUGE - 1) & ~(MEM_HUGE - 1);
}

static void *mem_map(size_t size)
{
    size_t len = mem_pages(size) + MEM_HUGE; /* to find a huge page's border in */
    uint8_t *start;
    uint8_t *memory;

    if (len < size) {
        return NULL;
    }
    start = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    memory = (uint8_t *)mem_pages((uintptr_t)start);
    if (memory > start) {
        munmap(start, (size_t)(memory - start));
    }
    munmap(memory + mem_pages(size), (size_t)(start + MEM_HUGE - memory));
    (void)madvise(memory, mem_pages(size), MADV_HUGEPAGE);
    return memory;
}

static void mem_unmap(void *memory, size_t size)
{
    munmap(memory, mem_pages(size));
}

#else

static void *mem_map(size_t size)
{
    return calloc(1, size);
}

static void mem_unmap(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

#endif

static bool mem_is_large(size_t size)
{
    return size >= MEM_HUGE;
}

static void *mem_heap_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *moved;

    (void)ctx;
    if (!mem_is_large(old_size) && !mem_is_large(new_size)) {
        if (new_size == 0) {
            free(ptr);
            return NULL;
        }
        return realloc(ptr, new_size);
    }
    moved = mem_is_large(new_size) ? mem_map(new_size)
            : new_size > 0         ? malloc(new_size)
                                   : NULL;
    if (moved == NULL && new_size > 0) {
        return NULL;
    }
    if (moved != NULL && ptr != NULL) {
        memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
    }
    if (mem_is_large(old_size)) {
        mem_unmap(ptr, old_size);
    } else {
        free(ptr);
    }
    return moved;
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
    if (*out != NULL &&
        (alloc->resize != mem_heap_resize || !mem_is_large(n * item_size))) {
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
