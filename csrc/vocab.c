#include "vocab.h"

#include "mem.h"

void vocab_free(vocab *v, const ctok_allocator *alloc)
{
    mem_free(alloc, v->blob, v->n_blob, 1);
    mem_free(alloc, v->starts, v->cap_symbols + 1, sizeof *v->starts);
    mem_free(alloc, v->ids, v->cap_symbols, sizeof *v->ids);
    mem_free(alloc, v->slots, v->n_slots, sizeof *v->slots);
    mem_free(alloc, v->spans, v->n_spans, sizeof *v->spans);
    idmap_free(&v->by_id, alloc);
    memset(v, 0, sizeof *v);
}

static uint64_t vocab_load(const uint8_t *ptr, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, ptr, len);
    return word;
}

static uint64_t vocab_mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 29);
}

uint64_t vocab_hash(const uint8_t *ptr, size_t len)
{
    uint64_t h = len * UINT64_C(0xD6E8FEB86659FD93);

    while (len > 8) {
        h = vocab_mix(h, vocab_load(ptr, 8));
        ptr += 8;
        len -= 8;
    }
    h = vocab_mix(h, vocab_load(ptr, len));
    return h ^ (h >> 32);
}

ctok_status vocab_index_new(vocab *v, size_t n, const ctok_allocator *alloc,
                            ctok_error *err)
{
    void *memory = NULL;
    size_t n_slots = 512;

    while (n_slots < 2 * n) {
        n_slots *= 2;
    }
    TRY(mem_new(alloc, &memory, n_slots, sizeof *v->slots, err));
    memset(memory, 0xFF, n_slots * sizeof *v->slots);
    v->slots = memory;
    v->n_slots = n_slots;
    return CTOK_OK;
}

static bool vocab_equal(const vocab *v, uint32_t symbol, const uint8_t *ptr, size_t len)
{
    ctok_bytes token = vocab_bytes(v, symbol);
    return token.len == len && memcmp(token.ptr, ptr, len) == 0;
}

uint32_t vocab_index_add(vocab *v, uint32_t symbol)
{
    ctok_bytes token = vocab_bytes(v, symbol);
    size_t i = vocab_slot(v, vocab_hash(token.ptr, token.len));

    while (v->slots[i] != VOCAB_NONE) {
        if (vocab_equal(v, v->slots[i], token.ptr, token.len)) {
            return v->slots[i];
        }
        i = (i + 1) & (v->n_slots - 1);
    }
    v->slots[i] = symbol;
    return VOCAB_NONE;
}

uint32_t vocab_find_hashed(const vocab *v, uint64_t hash, const uint8_t *ptr,
                           size_t len)
{
    size_t i = vocab_slot(v, hash);

    while (v->slots[i] != VOCAB_NONE) {
        if (vocab_equal(v, v->slots[i], ptr, len)) {
            return v->slots[i];
        }
        i = (i + 1) & (v->n_slots - 1);
    }
    return VOCAB_NONE;
}

uint32_t vocab_find(const vocab *v, const uint8_t *ptr, size_t len)
{
    if (len > v->max_len || len == 0) {
        return VOCAB_NONE;
    }
    return vocab_find_hashed(v, vocab_hash(ptr, len), ptr, len);
}

size_t vocab_size_in_memory(const vocab *v)
{
    return v->n_blob + (v->cap_symbols + 1) * sizeof *v->starts +
           v->cap_symbols * sizeof *v->ids + v->n_slots * sizeof *v->slots +
           v->n_spans * sizeof *v->spans + idmap_bytes(&v->by_id);
}
