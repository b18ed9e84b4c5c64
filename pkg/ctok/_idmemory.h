/* _idmemory.h - memory for the ids of a call. */
#ifndef CTOK_IDMEMORY_H
#define CTOK_IDMEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Above this many bytes memory comes in new pages, one fault for each 4 KB that is written: for
 * the ids of 10 MB of text a tenth of the time. Huge pages are asked for instead, where the
 * platform has them. They are 2 MB: what lies around them is as it was. */
#define IDMEMORY_HUGE ((size_t)2 << 20)

/* Room for n ids, to be freed; NULL when out of memory. */
static inline uint32_t *ctok_new_ids(size_t n)
{
    uint32_t *ids = n <= SIZE_MAX / sizeof *ids ? malloc(n * sizeof *ids) : NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    uintptr_t start = ((uintptr_t)ids + IDMEMORY_HUGE - 1) & ~(IDMEMORY_HUGE - 1);
    uintptr_t end = ((uintptr_t)ids + n * sizeof *ids) & ~(IDMEMORY_HUGE - 1);

    if (ids != NULL && start < end) {
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
    }
#endif
    return ids;
}

#endif
