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
#define HUGEPAGES_COLLAPSE 25 /* MADV_COLLAPSE, which C libraries may not know yet */

/* n, or the next larger number that is so many huge pages. */
static inline size_t ctok_to_huge_pages(size_t n)
{
    return (n + HUGEPAGES_SIZE - 1) & ~(HUGEPAGES_SIZE - 1);
}

/* Asks for huge pages, where the platform has them, for those 2 MB that are wholly in memory just
 * allocated. What lies around them is as it was. */
static inline void ctok_ask_huge_pages(void *memory, size_t n)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    uintptr_t start = ctok_to_huge_pages((uintptr_t)memory);
    uintptr_t end = ((uintptr_t)memory + n) & ~(HUGEPAGES_SIZE - 1);

    if (start < end) {
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
    }
#else
    (void)memory;
    (void)n;
#endif
}

/* Memory of so many bytes or some more, to be freed, that begins where a huge page would: there could be up to
 * 511 small ones before the first. NULL when out of memory. */
static inline void *ctok_new_aligned(size_t n)
{
#if defined(__linux__)
    return aligned_alloc(HUGEPAGES_SIZE, ctok_to_huge_pages(n));
#else
    return malloc(n);
#endif
}

/* Room for n ids, to be freed; NULL when out of memory. */
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
    ids = ctok_new_aligned(n_bytes);
    if (ids != NULL) {
        ctok_ask_huge_pages(ids, ctok_to_huge_pages(n_bytes));
    }
    return ids;
}

/* Has the first n bytes of what ctok_new_aligned gave in huge pages, where the platform can: what is in small ones
 * is moved (Linux 6.1 and later), what is in none gets one as soon as it is written to. */
static inline void ctok_join_pages(void *memory, size_t n)
{
    ctok_ask_huge_pages(memory, ctok_to_huge_pages(n));
#if defined(__linux__)
    (void)madvise(memory, ctok_to_huge_pages(n), HUGEPAGES_COLLAPSE);
#endif
}

/* Has glibc keep so much memory when it is freed. It would give it back to the system, and take new pages the
 * next time (a tenth of the time to encode 1 MB), until as much was freed once (mallopt(3),
 * M_MMAP_THRESHOLD; 32 MB at most). Nothing is written to it here, so it has no pages; it is volatile,
 * or compilers would leave both calls out. */
static inline void ctok_keep_memory(size_t n)
{
#if defined(__GLIBC__)
    /* See ctok_new_aligned. */
    size_t more = n < HUGEPAGES_SIZE ? 0 : 2 * HUGEPAGES_SIZE;
    void *volatile memory = malloc(n + more);

    free(memory);
#else
    (void)n;
#endif
}

#endif
