#include "pairs.h"

#include "mem.h"

static ctok_status pairs_slots_new(pairs *p, size_t n_slots,
                                   const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;
    void *bits = NULL;
    ctok_status status;

    TRY(mem_new(alloc, &memory, n_slots, sizeof *p->slots, err));
    status = mem_new(alloc, &bits, n_slots / 4, sizeof *p->bits, err);
    if (status != CTOK_OK) {
        mem_free(alloc, memory, n_slots, sizeof *p->slots);
        return status;
    }
    memset(memory, 0xFF, n_slots * sizeof *p->slots);
    p->slots = memory;
    p->bits = bits;
    p->n_slots = n_slots;
    p->shift = 32;
    while (n_slots > 1) {
        n_slots /= 2;
        p->shift--;
    }
    return CTOK_OK;
}

ctok_status pairs_new(pairs *out, size_t n_pairs, const ctok_allocator *alloc,
                      ctok_error *err)
{
    void *memory = NULL;
    size_t n_slots = 1024;

    memset(out, 0, sizeof *out);
    while (n_slots < 2 * n_pairs) {
        n_slots *= 2;
    }
    TRY(mem_new(alloc, &memory, 65536, sizeof *out->bytes, err));
    out->bytes = memory;
    memset(out->bytes, 0xFF, 65536 * sizeof *out->bytes);
    return pairs_slots_new(out, n_slots, alloc, err);
}

void pairs_free(pairs *p, const ctok_allocator *alloc)
{
    mem_free(alloc, p->slots, p->n_slots, sizeof *p->slots);
    mem_free(alloc, p->bits, p->n_slots / 4, sizeof *p->bits);
    mem_free(alloc, p->bytes, 65536, sizeof *p->bytes);
    mem_free(alloc, p->merged, p->n_ranks, sizeof *p->merged);
    memset(p, 0, sizeof *p);
}

static void pairs_put(pairs *p, uint64_t entry)
{
    const uint32_t mask = (1u << VOCAB_SYMBOL_BITS) - 1;
    uint32_t left = (uint32_t)(entry >> (2 * VOCAB_SYMBOL_BITS));
    uint32_t right = (uint32_t)(entry >> VOCAB_SYMBOL_BITS) & mask;
    uint32_t hash = pairs_hash(left, right);
    uint32_t bit = hash >> (p->shift - 3);
    size_t i = hash >> p->shift;

    p->bits[bit / 32] |= (uint32_t)1 << (bit % 32);
    while (p->slots[i] != PAIRS_EMPTY) {
        i = (i + 1) & (p->n_slots - 1);
    }
    p->slots[i] = entry;
}

static ctok_status pairs_grow(pairs *p, const ctok_allocator *alloc, ctok_error *err)
{
    pairs old = *p;
    size_t i;

    TRY(pairs_slots_new(p, 2 * old.n_slots, alloc, err));
    for (i = 0; i < old.n_slots; i++) {
        if (old.slots[i] != PAIRS_EMPTY) {
            pairs_put(p, old.slots[i]);
        }
    }
    mem_free(alloc, old.slots, old.n_slots, sizeof *old.slots);
    mem_free(alloc, old.bits, old.n_slots / 4, sizeof *old.bits);
    return CTOK_OK;
}

ctok_status pairs_add(pairs *p, uint32_t left, uint32_t right, uint32_t rank,
                      const ctok_allocator *alloc, ctok_error *err)
{
    if (pairs_rank(p, left, right) != PAIRS_NONE) {
        return CTOK_OK;
    }
    if ((left | right) < 256) {
        p->bytes[left << 8 | right] = rank;
    } else {
        if (2 * (p->n_pairs + 1) > p->n_slots) {
            TRY(pairs_grow(p, alloc, err));
        }
        pairs_put(p, (uint64_t)left << (2 * VOCAB_SYMBOL_BITS) |
                         (uint64_t)right << VOCAB_SYMBOL_BITS | rank);
    }
    p->n_pairs++;
    return CTOK_OK;
}

size_t pairs_size_in_memory(const pairs *p)
{
    return p->n_slots * (sizeof *p->slots + 1) + 65536 * sizeof *p->bytes +
           (p->merged == NULL ? 0 : p->n_ranks * sizeof *p->merged);
}
