#include "vocab.h"

#include "mem.h"

void vocab_free(vocab *v, const ctok_allocator *alloc)
{
    mem_free(alloc, v->blob, v->n_blob, 1);
    mem_free(alloc, v->starts, v->cap_symbols + 1, sizeof *v->starts);
    mem_free(alloc, v->ids, v->n_ids, sizeof *v->ids);
    mem_free(alloc, v->slots, v->n_slots, sizeof *v->slots);
    mem_free(alloc, v->spans, v->n_spans, sizeof *v->spans);
    idmap_free(&v->by_id, alloc);
    memset(v, 0, sizeof *v);
}

static uint64_t vocab_load(const uint8_t *ptr)
{
    uint64_t word;
    memcpy(&word, ptr, sizeof word);
    return word;
}

/* Less than 16 bytes as two words, without a loop: what is loaded twice does no harm. */
static void vocab_load_few(const uint8_t *ptr, size_t len, uint64_t words[2])
{
    uint32_t front;
    uint32_t back;

    if (len >= 8) {
        words[0] = vocab_load(ptr);
        words[1] = vocab_load(ptr + len - 8);
        return;
    }
    words[0] = words[1] = 0;
    if (len >= 4) {
        memcpy(&front, ptr, sizeof front);
        memcpy(&back, ptr + len - 4, sizeof back);
        words[0] = (uint64_t)front << 32 | back;
    } else if (len > 0) {
        words[0] = (uint64_t)ptr[0] << 16 | (uint64_t)ptr[len / 2] << 8 | ptr[len - 1];
    }
}

static uint64_t vocab_mix(uint64_t h, const uint64_t words[2])
{
    uint64_t second = words[1] * UINT64_C(0xC2B2AE3D27D4EB4F); /* xxHash's and */

    h ^= words[0] ^ (second << 32 | second >> 32);
    h *= UINT64_C(0x9E3779B97F4A7C15); /* Fibonacci hashing's */
    return h ^ (h >> 29);
}

uint64_t vocab_hash(const uint8_t *ptr, size_t len)
{
    uint64_t h = len * UINT64_C(0xD6E8FEB86659FD93);
    uint64_t words[2];

    if (len < 16) {
        vocab_load_few(ptr, len, words);
    } else {
        for (; len > 16; ptr += 16, len -= 16) {
            words[0] = vocab_load(ptr);
            words[1] = vocab_load(ptr + 8);
            h = vocab_mix(h, words);
        }
        words[0] = vocab_load(ptr + len - 16); /* some of it for the second time */
        words[1] = vocab_load(ptr + len - 8);
    }
    h = vocab_mix(h, words);
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

/* What a slot has of a hash. */
static uint32_t vocab_tag(uint64_t hash)
{
    return (uint32_t)(hash >> 32) & ~VOCAB_SYMBOL_MASK;
}

/* Whether a slot's symbol has these bytes. A wrong one is told by its tag, nearly always, and its bytes
 * stay where they are. */
static bool vocab_is(const vocab *v, uint32_t slot, uint32_t tag, const uint8_t *ptr,
                     size_t len)
{
    ctok_bytes token;

    if ((slot ^ tag) > VOCAB_SYMBOL_MASK) {
        return false;
    }
    token = vocab_bytes(v, slot ^ tag);
    return token.len == len && memcmp(token.ptr, ptr, len) == 0;
}

/* The slot that has these bytes, or the empty one where looking for them ends. */
static size_t vocab_look(const vocab *v, uint64_t hash, const uint8_t *ptr, size_t len)
{
    uint32_t tag = vocab_tag(hash);
    size_t i = vocab_slot(v, hash);

    while (v->slots[i] != VOCAB_NONE && !vocab_is(v, v->slots[i], tag, ptr, len)) {
        i = (i + 1) & (v->n_slots - 1);
    }
    return i;
}

/* The symbol in a slot, or VOCAB_NONE. */
static uint32_t vocab_in(const vocab *v, size_t i)
{
    uint32_t slot = v->slots[i];
    return slot == VOCAB_NONE ? VOCAB_NONE : slot & VOCAB_SYMBOL_MASK;
}

uint32_t vocab_index_add(vocab *v, uint32_t symbol)
{
    ctok_bytes token = vocab_bytes(v, symbol);
    uint64_t hash = vocab_hash(token.ptr, token.len);
    size_t i = vocab_look(v, hash, token.ptr, token.len);
    uint32_t same = vocab_in(v, i);

    if (same == VOCAB_NONE) {
        v->slots[i] = vocab_tag(hash) | symbol;
    }
    return same;
}

ctok_status vocab_index_longer(vocab *v, size_t len, const ctok_allocator *alloc,
                               ctok_error *err)
{
    vocab old = *v;
    size_t n = 0;
    uint32_t i;

    for (i = 0; i < v->n_symbols; i++) {
        n += vocab_bytes(v, i).len > len;
    }
    TRY(vocab_index_new(v, n, alloc, err));
    mem_free(alloc, old.slots, old.n_slots, sizeof *old.slots);
    for (i = 0; i < v->n_symbols; i++) {
        if (vocab_bytes(v, i).len > len) {
            vocab_index_add(v, i);
        }
    }
    return CTOK_OK;
}

uint32_t vocab_find_hashed(const vocab *v, uint64_t hash, const uint8_t *ptr,
                           size_t len)
{
    return vocab_in(v, vocab_look(v, hash, ptr, len));
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
           v->n_ids * sizeof *v->ids + v->n_slots * sizeof *v->slots +
           v->n_spans * sizeof *v->spans + idmap_bytes(&v->by_id);
}

void vocab_sections(vocab *v, sections *s)
{
    size_t max_len = v->max_len;

    section_number(s, &v->n_blob);
    section_number(s, &v->n_ids);
    section_number(s, &v->n_symbols);
    section_number(s, &v->n_slots);
    section_number(s, &v->n_spans);
    section_id(s, &v->max_id);
    section_number(s, &max_len);
    SECTION(s, v->blob, v->n_blob);
    SECTION(s, v->starts, v->n_symbols + 1);
    SECTION(s, v->ids, v->n_ids);
    SECTION(s, v->slots, v->n_slots);
    SECTION(s, v->spans, v->n_spans);
    idmap_sections(&v->by_id, s);
    if (s->is_reading) {
        v->cap_symbols = v->n_symbols;
        v->max_len = (uint32_t)max_len;
    }
}

void vocab_lengths(const vocab *v, uint8_t *lengths)
{
    size_t i;

    for (i = 0; i < v->n_symbols; i++) {
        uint32_t length = v->starts[i + 1] - v->starts[i];
        lengths[i] = (uint8_t)(length < VOCAB_LONG ? length : VOCAB_LONG);
    }
}

static bool vocab_symbols_are_sound(const vocab *v, sections *s)
{
    const uint32_t n = (uint32_t)v->n_symbols;
    const uint32_t max_id = v->max_id;
    const uint32_t *starts = v->starts;
    uint32_t is_bad = starts[n] > v->n_blob - VOCAB_BEHIND;
    size_t n_used = 0;
    size_t i;

    for (i = 0; i <= 256; i++) {
        is_bad |= starts[i] != i;
    }
    while (i <= n) {
        size_t end = SECTION_REACH(s, starts, i, v->n_symbols + 1);

        for (; i < end; i++) {
            is_bad |= starts[i - 1] > starts[i];
        }
    }
    for (i = 0; i < v->n_ids;) {
        size_t end = SECTION_REACH(s, v->ids, i, v->n_ids);

        for (; i < end; i++) {
            is_bad |= (v->ids[i] > max_id) & (v->ids[i] != VOCAB_NONE);
        }
    }
    for (i = 0; i < v->n_slots;) {
        size_t end = SECTION_REACH(s, v->slots, i, v->n_slots);
        uint32_t n_here = 0;

        for (; i < end; i++) {
            is_bad |=
                ((v->slots[i] & VOCAB_SYMBOL_MASK) >= n) & (v->slots[i] != VOCAB_NONE);
            n_here += v->slots[i] != VOCAB_NONE;
        }
        n_used += n_here;
    }
    return is_bad == 0 && 2 * n_used <= v->n_slots;
}

static bool vocab_spans_are_sound(const vocab *v, sections *s)
{
    uint32_t is_bad = 0;
    size_t i;

    for (i = 0; i < v->n_spans;) {
        size_t stop = SECTION_REACH(s, v->spans, i, v->n_spans);

        for (; i < stop; i++) {
            uint64_t end = (uint64_t)v->spans[i].start + v->spans[i].len;
            is_bad |=
                (v->spans[i].len != VOCAB_NONE) &
                ((v->spans[i].len > v->max_len) | (end > v->n_blob - VOCAB_BEHIND));
        }
    }
    return is_bad == 0 && idmap_is_sound(&v->by_id, v->n_spans, s);
}

bool vocab_is_sound(const vocab *v, sections *s)
{
    bool sizes_are_sound =
        v->n_symbols >= 256 && v->n_symbols <= CTOK_MAX_TOKENS + 256 && v->n_ids > 0 &&
        v->n_ids <= v->n_symbols && v->max_len > 0 &&
        (v->n_ids == v->n_symbols || v->n_symbols - 1 <= v->max_id) &&
        v->n_blob >= 256 + VOCAB_BEHIND && v->n_blob <= UINT32_MAX && v->n_slots > 0 &&
        (v->n_slots & (v->n_slots - 1)) == 0 && v->max_len <= CTOK_MAX_TOKEN_LEN;
    return sizes_are_sound && vocab_symbols_are_sound(v, s) &&
           vocab_spans_are_sound(v, s);
}
