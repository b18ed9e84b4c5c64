#include "pairs.h"

#include "mem.h"

/* Buckets of which two fifths of the places are taken: one in fifty goes on in the next. */
static ctok_status pairs_buckets_new(pairs *p, size_t n_pairs,
                                     const ctok_allocator *alloc, ctok_error *err)
{
    void *buckets = NULL;
    size_t n = 256;

    while (n * PAIRS_PER_BUCKET < 2 * n_pairs) {
        n *= 2;
    }
    TRY(mem_new_lines(alloc, &p->memory, &buckets, n, sizeof *p->buckets, err));
    memset(buckets, 0xFF, n * sizeof *p->buckets);
    p->buckets = buckets;
    p->n_buckets = n;
    for (p->shift = 32; n > 1; n /= 2) {
        p->shift--;
    }
    return CTOK_OK;
}

ctok_status pairs_new(pairs *out, size_t n_pairs, size_t n_symbols,
                      const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;
    size_t i;

    memset(out, 0, sizeof *out);
    TRY(mem_new(alloc, &memory, 65536, sizeof *out->bytes, err));
    out->bytes = memory;
    for (i = 0; i < 65536; i++) {
        out->bytes[i].rank = PAIRS_NONE;
    }
    TRY(mem_new(alloc, &memory, n_symbols, sizeof *out->sides, err));
    out->sides = memory;
    out->n_symbols = n_symbols;
    return pairs_buckets_new(out, n_pairs, alloc, err);
}

void pairs_free(pairs *p, const ctok_allocator *alloc)
{
    mem_free_lines(alloc, p->memory, p->n_buckets, sizeof *p->buckets);
    mem_free(alloc, p->bytes, 65536, sizeof *p->bytes);
    mem_free(alloc, p->sides, p->n_symbols, sizeof *p->sides);
    mem_free(alloc, p->merged, p->n_ranks, sizeof *p->merged);
    memset(p, 0, sizeof *p);
}

/* Says by the order of its last two whether a full bucket is over. */
static void pairs_say(uint64_t *entries, bool is_over)
{
    uint64_t *two = entries + PAIRS_PER_BUCKET - 2;

    if (two[1] != PAIRS_EMPTY && pairs_is_over(entries) != is_over) {
        uint64_t first = two[0];

        two[0] = two[1];
        two[1] = first;
    }
}

static void pairs_put(pairs *p, uint64_t entry)
{
    uint64_t pair = pairs_key(pairs_left(entry), pairs_right(entry));
    size_t i = (size_t)(pairs_at(p, pair) - p->buckets);

    for (;; i = (i + 1) & (p->n_buckets - 1)) {
        uint64_t *e = p->buckets[i].entries;
        size_t k;

        for (k = 0; k < PAIRS_PER_BUCKET; k++) {
            if (e[k] == PAIRS_EMPTY) {
                e[k] = entry;
                pairs_say(e, false);
                return;
            }
        }
        pairs_say(e, true);
    }
}

static ctok_status pairs_grow(pairs *p, const ctok_allocator *alloc, ctok_error *err)
{
    pairs old = *p;
    size_t i;

    TRY(pairs_buckets_new(p, 2 * old.n_pairs, alloc, err));
    for (i = 0; i < old.n_buckets * PAIRS_PER_BUCKET; i++) {
        uint64_t entry =
            old.buckets[i / PAIRS_PER_BUCKET].entries[i % PAIRS_PER_BUCKET];
        if (entry != PAIRS_EMPTY) {
            pairs_put(p, entry);
        }
    }
    mem_free_lines(alloc, old.memory, old.n_buckets, sizeof *old.buckets);
    return CTOK_OK;
}

ctok_status pairs_add(pairs *p, uint32_t left, uint32_t right, uint32_t rank,
                      const ctok_allocator *alloc, ctok_error *err)
{
    if (pairs_rank(p, left, right) != PAIRS_NONE) {
        return CTOK_OK;
    }
    p->sides[left] |= PAIRS_LEFT;
    p->sides[right] |= PAIRS_RIGHT;
    if ((left | right) < 256) {
        p->bytes[left << 8 | right].rank = rank;
    } else {
        if (2 * (p->n_pairs + 1) > p->n_buckets * PAIRS_PER_BUCKET) {
            TRY(pairs_grow(p, alloc, err));
        }
        pairs_put(p, pairs_key(left, right) | rank);
    }
    p->n_pairs++;
    return CTOK_OK;
}

size_t pairs_size_in_memory(const pairs *p)
{
    return p->n_buckets * sizeof *p->buckets + 65536 * sizeof *p->bytes +
           p->n_symbols * sizeof *p->sides +
           (p->merged == NULL ? 0 : p->n_ranks * sizeof *p->merged);
}

void pairs_sections(pairs *p, sections *s)
{
    size_t shift = p->shift;

    section_number(s, &p->n_pairs);
    section_number(s, &p->n_buckets);
    section_number(s, &shift);
    section_number(s, &p->n_ranks);
    section_number(s, &p->n_symbols);
    SECTION(s, p->buckets, p->n_buckets);
    SECTION(s, p->bytes, 65536);
    SECTION(s, p->sides, p->n_symbols);
    SECTION(s, p->merged, p->n_ranks);
    if (s->is_reading) {
        p->shift = shift < 32 ? (unsigned)shift : 0;
    }
}

/* Whether a pair makes a symbol as long as its halves together; where it does not, merging loses
 * count of the bytes that are done. */
static bool pairs_makes(const pairs *p, const vocab *v, const uint8_t *lengths,
                        uint32_t left, uint32_t right, uint32_t rank)
{
    const uint32_t *starts = v->starts;
    uint32_t n = (uint32_t)v->n_symbols;
    uint32_t merged;

    if (left >= n || right >= n || !pairs_has_rank(p, rank, n)) {
        return false;
    }
    merged = pairs_merged(p, rank);
    if (lengths[merged] != VOCAB_LONG) {
        return lengths[merged] == lengths[left] + lengths[right];
    }
    return starts[merged + 1] - starts[merged] ==
           starts[left + 1] - starts[left] + starts[right + 1] - starts[right];
}

/* Half of the places are empty, and which half is anybody's guess: the others are collected
 * first, without a branch, so that the processor need not guess. Buckets are filled from the
 * front: where one is not, an empty place is among the collected and makes nothing. */
#define PAIRS_SOME 64

static bool pairs_buckets_are_sound(const pairs *p, const vocab *v,
                                    const uint8_t *lengths, sections *s)
{
    uint64_t some[PAIRS_SOME * PAIRS_PER_BUCKET];
    size_t n_full = 0;
    size_t at = 0;

    while (at < p->n_buckets) {
        size_t end = SECTION_REACH(s, p->buckets, at, p->n_buckets);
        size_t n = 0;
        size_t i;

        for (end = end - at < PAIRS_SOME ? end : at + PAIRS_SOME; at < end; at++) {
            const uint64_t *e = p->buckets[at].entries;

            memcpy(some + n, e, sizeof p->buckets[at]);
            for (i = 0; i < PAIRS_PER_BUCKET; i++) {
                n += e[i] != PAIRS_EMPTY;
            }
            n_full += e[PAIRS_PER_BUCKET - 1] != PAIRS_EMPTY;
        }
        for (i = 0; i < n; i++) {
            if (!pairs_makes(p, v, lengths, pairs_left(some[i]), pairs_right(some[i]),
                             pairs_rank_in(some[i]))) {
                return false;
            }
        }
    }
    return 2 * n_full <= p->n_buckets;
}

bool pairs_are_sound(const pairs *p, const vocab *v, const uint8_t *lengths,
                     sections *s)
{
    uint32_t i;

    if (p->shift == 0 || p->n_buckets != (size_t)1 << (32 - p->shift) ||
        p->n_ranks > CTOK_MAX_TOKENS || p->n_symbols != v->n_symbols ||
        !pairs_buckets_are_sound(p, v, lengths, s)) {
        return false;
    }
    for (i = 0; i < 65536; i++) {
        if (p->bytes[i].rank != PAIRS_NONE &&
            !pairs_makes(p, v, lengths, i >> 8, i & 255, p->bytes[i].rank)) {
            return false;
        }
    }
    return true;
}
