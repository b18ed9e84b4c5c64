/* idmap.h - from ids to indexes. Ids are usually 0..n with few holes, then it is an array;
 * when they are scattered over 32 bits it is a hash table. Knows nothing of tokens. */
#ifndef CTOK_IDMAP_H
#define CTOK_IDMAP_H

#include "base.h"
#include "section.h"

#define IDMAP_NONE UINT32_MAX

typedef struct idmap {
    uint32_t *dense; /* index by id, or NULL when sparse */
    size_t n_dense;
    uint64_t *slots; /* sparse: id << 32 | index, open addressing */
    size_t n_slots;  /* a power of two */
} idmap;

/* Whether ids up to max_id are dense enough for an array by id. */
bool idmap_is_dense(uint32_t max_id, size_t n_ids);

/* An empty map for ids up to max_id; n_ids is how many will be added. */
ctok_status idmap_new(idmap *out, uint32_t max_id, size_t n_ids,
                      const ctok_allocator *alloc, ctok_error *err);
void idmap_free(idmap *map, const ctok_allocator *alloc);

/* Sets the index of id, replacing an earlier one. At most n_ids different ids. */
void idmap_set(idmap *map, uint32_t id, uint32_t index);

uint32_t idmap_find_sparse(const idmap *map, uint32_t id);

/* The index of id, or IDMAP_NONE. */
static inline uint32_t idmap_find(const idmap *map, uint32_t id)
{
    if (BASE_LIKELY(id < map->n_dense)) {
        return map->dense[id];
    }
    return map->slots == NULL ? IDMAP_NONE : idmap_find_sparse(map, id);
}

size_t idmap_bytes(const idmap *map);

void idmap_sections(idmap *map, sections *s);

/* Whether no look-up leaves the tables, goes on forever, or finds an index that is not less
 * than n_indexes. */
bool idmap_is_sound(const idmap *map, size_t n_indexes, sections *s);

#endif
