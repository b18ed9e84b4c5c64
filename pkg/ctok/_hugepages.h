/* _hugepages.h - memory that is asked for in large pages. */
#ifndef CTOK_HUGEPAGES_H
#define CTOK_HUGEPAGES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

/* More memory than this comes in new pages, one fault for each 4 KB that is written: for the ids
 * of 10 MB of text a tenth of the time. */
#define HUGEPAGES_SIZE ((size_t)2 << 20)

/* Asks for huge pages, where the platform has them, for those 2 MB that are wholly in memory just
 * allocated. What lies around them is as it was. */
static inline void ctok_ask_huge_pages(void *memory, size_t n)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    uintptr_t start = ((uintptr_t)memory + HUGEPAGES_SIZE - 1) & ~(HUGEPAGES_SIZE - 1);
    uintptr_t end = ((uintptr_t)memory + n) & ~(HUGEPAGES_SIZE - 1);

    if (start < end) {
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
    }
#else
    (void)memory;
    (void)n;
#endif
}

/* Room for n ids, to be freed; NULL when out of memory. Where it has huge pages it begins with one: there
 * would be up to 511 small ones before the first. */
static inline uint32_t *ctok_new_ids(size_t n)
{
    size_t n_bytes = n * sizeof(uint32_t);
    void *ids;

    if (n > (SIZE_MAX - HUGEPAGES_SIZE) / sizeof(uint32_t)) {
        return NULL;
    }
    if (n_bytes < HUGEPAGES_SIZE) {
        return malloc(n_bytes);
    }
    n_bytes = (n_bytes + HUGEPAGES_SIZE - 1) & ~(HUGEPAGES_SIZE - 1);
#if defined(__linux__)
    ids = aligned_alloc(HUGEPAGES_SIZE, n_bytes);
#else
    ids = malloc(n_bytes);
#endif
    if (ids != NULL) {
        ctok_ask_huge_pages(ids, n_bytes);
    }
    return ids;
}

#endif
