#include "cache.h"

#include "mem.h"

/* Small enough that a scratch used for one short text costs little. */
#define CACHE_START 1024
/* Grows to so many times its size. */
#define CACHE_STEP 8
/* Of all that a cache may take, words have 4 parts of 9. */
#define CACHE_WORD_PARTS 4
#define CACHE_PARTS 9
/* More could not be reached. */
#define CACHE_MAX_WORDS ((size_t)1 << 31)

/* An empty table of n words, with memory for cap. */
static ctok_status cache_new_words(cache *c, size_t n, size_t cap,
                                   const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;
    void *words = NULL;

    TRY(mem_new_lines(alloc, &memory, &words, cap, sizeof *c->words, err));
    c->memory = memory;
    c->words = words;
    c->n_words = n;
    c->cap_words = cap;
    return CTOK_OK;
}

static size_t cache_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

ctok_status cache_new(cache *out, size_t n_bytes, const ctok_allocator *alloc,
                      ctok_error *err)
{
    size_t n_word_bytes = n_bytes / CACHE_PARTS * CACHE_WORD_PARTS;
    size_t n_words;
    ctok_status status;

    memset(out, 0, sizeof *out);
    out->max_words = cache_least(n_word_bytes / sizeof *out->words, CACHE_MAX_WORDS);
    out->max_words -= out->max_words % 2;
    if (out->max_words == 0) {
        return CTOK_OK;
    }
    n_words = cache_least(CACHE_START, out->max_words);
    TRY(cache_new_words(out, n_words, n_words, alloc, err));
    status = phrases_new(&out->phrases, n_bytes - n_word_bytes, alloc, err);
    if (status != CTOK_OK) {
        cache_free(out, alloc);
    }
    return status;
}

void cache_free(cache *c, const ctok_allocator *alloc)
{
    mem_free_lines(alloc, c->memory, c->cap_words, sizeof *c->words);
    phrases_free(&c->phrases, alloc);
    memset(c, 0, sizeof *c);
}

void cache_clear(cache *c)
{
    if (c->words != NULL) {
        memset(c->words, 0, c->n_words * sizeof *c->words);
    }
    phrases_clear(&c->phrases);
}

/* Makes room for eight times as many words. New memory comes zeroed, which takes time for each
 * byte, but not before it is touched: so the last step is made in memory that the one before got.
 *
 *     1,024    8,192    65,536 . . . . . . .    189,326
 *
 * Places keep their order, so going down nothing is overwritten that has not moved yet. */
static void cache_grow_words(cache *c, const ctok_allocator *alloc)
{
    const cache old = *c;
    size_t n = cache_least(CACHE_STEP * old.n_words, old.max_words);
    size_t i;

    c->n_added = 0;
    if (n <= old.cap_words) {
        c->n_words = n;
    } else if (cache_new_words(c, n, CACHE_STEP * n < old.max_words ? n : old.max_words,
                               alloc, NULL) != CTOK_OK) {
        return;
    }
    for (i = old.n_words; i > 0; i -= 2) {
        cache_word two[2]; /* each is at its place, or at the one beside */
        size_t k;

        memcpy(two, old.words + i - 2, sizeof two);
        memset(old.words + i - 2, 0, sizeof two);
        for (k = 0; k < 2; k++) {
            cache_word *word = cache_word_at(c, key_hash(cache_word_key(&two[k])));

            if (cache_word_n(&two[k]) != 0) {
                *(cache_word_n(word) == 0 ? word : cache_word_beside(word)) = two[k];
            }
        }
    }
    if (c->memory != old.memory) {
        mem_free_lines(alloc, old.memory, old.cap_words, sizeof *old.words);
    }
}

void cache_grow(cache *c, const ctok_allocator *alloc)
{
    if (c->n_added > c->n_words / 4 && c->n_words < c->max_words) {
        cache_grow_words(c, alloc);
    }
    phrases_grow(&c->phrases, alloc);
}

/* A merged word that loses its place becomes a phrase, unless it is one. */
static void cache_keep(cache *c, const cache_word *word)
{
    key k = cache_word_key(word);
    uint32_t hash = phrases_hash(key_hash(k));
    uint32_t ids[CACHE_WORD_IDS + PHRASES_BEHIND] = {0};
    uint8_t bytes[sizeof(key)];
    ctok_bytes piece = {bytes, 0};

    memcpy(ids, word->ids, sizeof word->ids);
    memcpy(bytes, &k, sizeof bytes);
    piece.len = bytes[KEY_BYTES];
    if (phrases_look(&c->phrases, hash, piece) == NULL) {
        phrases_add(&c->phrases, hash, piece, ids, cache_word_n(word));
    }
}

static BASE_INLINE void cache_put(cache *c, cache_word *word, key k,
                                  const uint32_t *ids, uint32_t n)
{
    word->key.low = k.low;
    word->key.high = k.high | (uint64_t)n << KEY_SPARE;
    memcpy(word->ids, ids, sizeof word->ids);
    c->n_added++;
}

/* cache_put where a merged word is. By itself, so that all others need not save registers for its
 * calls. */
static BASE_NOINLINE void cache_put_over(cache *c, cache_word *word, key k,
                                         const uint32_t *ids, uint32_t n)
{
    cache_keep(c, word);
    cache_put(c, word, k, ids, n);
}

void cache_add_word(cache *c, key k, uint64_t hash, const uint32_t *ids, uint32_t n)
{
    cache_word *word;
    cache_word *beside;
    uint32_t n_here;
    uint32_t n_there;

    if (c->words == NULL) {
        return;
    }
    word = cache_word_at(c, hash);
    beside = cache_word_beside(word);
    n_here = cache_word_n(word);
    n_there = cache_word_n(beside);
    /* What was merged is dearer than what one look at the vocabulary finds again. */
    if (BASE_UNLIKELY(n_here > 1 && n_there > 1)) {
        cache_put_over(c, beside, k, ids, n);
    } else {
        cache_put(c, n_here > (n_there > 1) ? beside : word, k, ids, n);
    }
}

void cache_prefer(cache *c, const cache_word *word)
{
    cache_word *two = c->words + ((word - c->words) & ~(ptrdiff_t)1);
    cache_word first = two[0];

    two[0] = two[1];
    two[1] = first;
}
