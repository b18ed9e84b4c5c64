/* _hugepages.h - memory that is asked for in large pages. */
#ifndef CTOK_HUGEPAGES_H
#define CTOK_HUGEPAGES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

/* More memory than this comes in new pages, one fault for each 4 KB that is written: for the ids
 * of 10 MB of text a tenth of the time. */
#define HUGEPAGES_SIZE ((size_t)2 << 20)

/* Asks for huge pages, where the platform has them, for all pages that memory just allocated is in. */
static inline void ctok_ask_huge_pages(void *memory, size_t n)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)memory & ~(page - 1);

    if (n >= HUGEPAGES_SIZE) {
        (void)madvise((void *)start, (uintptr_t)memory + n - start, MADV_HUGEPAGE);
    }
#else
    (void)memory;
    (void)n;
#endif
}

/* Room for n ids, to be freed; NULL when out of memory. With what malloc puts before it much room is a
 * multiple of a huge page, for then Linux lets new pages begin with one. */
static inline uint32_t *ctok_new_ids(size_t n)
{
    size_t n_bytes = n * sizeof(uint32_t);
    void *ids;

    if (n > (SIZE_MAX - 2 * HUGEPAGES_SIZE) / sizeof(uint32_t)) {
        return NULL;
    }
    if (n_bytes >= HUGEPAGES_SIZE) {
        n_bytes = ((n_bytes + 32 + HUGEPAGES_SIZE - 1) & ~(HUGEPAGES_SIZE - 1)) - 32;
    }
    ids = malloc(n_bytes);
    if (ids != NULL) {
        ctok_ask_huge_pages(ids, n_bytes);
    }
    return ids;
}

#endif
