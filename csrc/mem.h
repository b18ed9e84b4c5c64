/* mem.h - memory through the caller's allocator. Knows sizes, not contents. */
#ifndef CTOK_MEM_H
#define CTOK_MEM_H

#include "base.h"

/* The allocator to use for what the caller gave: itself, or the heap for NULL. */
ctok_allocator mem_allocator(const ctok_allocator *alloc);

/* Resizes an array of n items of item_size bytes in place of *ptr, checked against
 * overflow. On failure *ptr is untouched. */
ctok_status mem_resize(const ctok_allocator *alloc, void **ptr, size_t old_n,
                       size_t new_n, size_t item_size, ctok_error *err);

/* A zeroed array. */
ctok_status mem_new(const ctok_allocator *alloc, void **out, size_t n, size_t item_size,
                    ctok_error *err);

/* A zeroed array whose items begin on cache lines if their size divides or is a multiple
 * of one. *memory, which may be before the first item, is what mem_free_lines wants. */
ctok_status mem_new_lines(const ctok_allocator *alloc, void **memory, void **items,
                          size_t n, size_t item_size, ctok_error *err);
void mem_free_lines(const ctok_allocator *alloc, void *memory, size_t n,
                    size_t item_size);

/* Frees what mem_new or mem_resize gave; NULL is fine. The size may not overflow: it
 * was allocated. */
void mem_free(const ctok_allocator *alloc, void *ptr, size_t n, size_t item_size);

/* Makes room for at least need items, growing by half again so that appending is
 * amortized O(1). */
ctok_status mem_reserve(const ctok_allocator *alloc, void **ptr, size_t *cap,
                        size_t need, size_t item_size, ctok_error *err);

#endif
