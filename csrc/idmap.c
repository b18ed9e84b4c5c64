#include "idmap.h"

#include "mem.h"

/* Up to this many holes per id an array costs less than a hash table. */
#define IDMAP_HOLES 8
#define IDMAP_SMALL 65536
#define IDMAP_EMPTY UINT64_MAX

static size_t idmap_slot(const idmap *map, uint32_t id)
{
    return (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (map->n_slots - 1);
}

bool idmap_is_dense(uint32_t max_id, size_t n_ids)
{
    return max_id / IDMAP_HOLES <= n_ids || max_id < IDMAP_SMALL;
}

ctok_status idmap_new(idmap *out, uint32_t max_id, size_t n_ids,
                      const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;

    memset(out, 0, sizeof *out);
    if (idmap_is_dense(max_id, n_ids)) {
        TRY(mem_new(alloc, &memory, (size_t)max_id + 1, sizeof *out->dense, err));
        out->dense = memory;
        out->n_dense = (size_t)max_id + 1;
        memset(out->dense, 0xFF, out->n_dense * sizeof *out->dense);
        return CTOK_OK;
    }
    out->n_slots = 16;
    while (out->n_slots < 2 * n_ids) {
        out->n_slots *= 2;
    }
    TRY(mem_new(alloc, &memory, out->n_slots, sizeof *out->slots, err));
    out->slots = memory;
    memset(out->slots, 0xFF, out->n_slots * sizeof *out->slots);
    return CTOK_OK;
}

void idmap_free(idmap *map, const ctok_allocator *alloc)
{
    mem_free(alloc, map->dense, map->n_dense, sizeof *map->dense);
    mem_free(alloc, map->slots, map->n_slots, sizeof *map->slots);
    memset(map, 0, sizeof *map);
}

void idmap_set(idmap *map, uint32_t id, uint32_t index)
{
    size_t i;

    if (map->dense != NULL) {
        map->dense[id] = index;
        return;
    }
    for (i = idmap_slot(map, id); map->slots[i] != IDMAP_EMPTY;
         i = (i + 1) & (map->n_slots - 1)) {
        if ((uint32_t)(map->slots[i] >> 32) == id) {
            break;
        }
    }
    map->slots[i] = (uint64_t)id << 32 | index;
}

uint32_t idmap_find_sparse(const idmap *map, uint32_t id)
{
    size_t i;

    for (i = idmap_slot(map, id); map->slots[i] != IDMAP_EMPTY;
         i = (i + 1) & (map->n_slots - 1)) {
        if ((uint32_t)(map->slots[i] >> 32) == id) {
            return (uint32_t)map->slots[i];
        }
    }
    return IDMAP_NONE;
}

size_t idmap_bytes(const idmap *map)
{
    return map->n_dense * sizeof *map->dense + map->n_slots * sizeof *map->slots;
}

void idmap_sections(idmap *map, sections *s)
{
    section_number(s, &map->n_dense);
    section_number(s, &map->n_slots);
    SECTION(s, map->dense, map->n_dense);
    SECTION(s, map->slots, map->n_slots);
}

bool idmap_is_sound(const idmap *map, size_t n_indexes, sections *s)
{
    uint32_t n = n_indexes < IDMAP_NONE ? (uint32_t)n_indexes : IDMAP_NONE;
    uint32_t is_bad = (map->n_slots & (map->n_slots - 1)) != 0;
    size_t n_used = 0;
    size_t i;

    for (i = 0; i < map->n_dense;) {
        size_t end = SECTION_REACH(s, map->dense, i, map->n_dense);

        for (; i < end; i++) {
            is_bad |= (map->dense[i] >= n) & (map->dense[i] != IDMAP_NONE);
        }
    }
    for (i = 0; i < map->n_slots;) {
        size_t end = SECTION_REACH(s, map->slots, i, map->n_slots);

        for (; i < end; i++) {
            bool is_used = map->slots[i] != IDMAP_EMPTY;
            n_used += is_used;
            is_bad |= is_used & ((uint32_t)map->slots[i] >= n);
        }
    }
    return is_bad == 0 && 2 * n_used <= map->n_slots;
}
