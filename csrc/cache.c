#include "cache.h"

#include "mem.h"

/* Small enough that a scratch used for one short text costs little. */
#define CACHE_START_WORDS 1024
#define CACHE_START_PHRASES 128

static ctok_status cache_table_new(cache_table *table, size_t n_entries, size_t size,
                                   const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;

    TRY(mem_new_lines(alloc, &memory, &table->entries, n_entries, size, err));
    table->memory = memory;
    table->n_entries = n_entries;
    table->n_added = 0;
    for (table->shift = 64; n_entries > 1; n_entries /= 2) {
        table->shift--;
    }
    return CTOK_OK;
}

/* The largest power of two of entries that a budget allows; 0 when it does not allow two. */
static size_t cache_max(size_t n_bytes, size_t size)
{
    size_t n = 1;

    while (n <= n_bytes / size / 2) {
        n *= 2;
    }
    return n < 2 ? 0 : n;
}

static size_t cache_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

ctok_status cache_new(cache *out, size_t n_bytes, const ctok_allocator *alloc,
                      ctok_error *err)
{
    ctok_status status;

    memset(out, 0, sizeof *out);
    out->words.max_entries = cache_max(n_bytes / 3 * 2, sizeof(cache_word));
    out->phrases.max_entries = cache_max(n_bytes / 3, sizeof(cache_phrase));
    if (out->words.max_entries == 0 || out->phrases.max_entries == 0) {
        return CTOK_OK;
    }
    TRY(cache_table_new(&out->words,
                        cache_least(CACHE_START_WORDS, out->words.max_entries),
                        sizeof(cache_word), alloc, err));
    status = cache_table_new(&out->phrases,
                             cache_least(CACHE_START_PHRASES, out->phrases.max_entries),
                             sizeof(cache_phrase), alloc, err);
    if (status != CTOK_OK) {
        cache_free(out, alloc);
    }
    return status;
}

void cache_free(cache *c, const ctok_allocator *alloc)
{
    mem_free_lines(alloc, c->words.memory, c->words.n_entries, sizeof(cache_word));
    mem_free_lines(alloc, c->phrases.memory, c->phrases.n_entries,
                   sizeof(cache_phrase));
    memset(c, 0, sizeof *c);
}

void cache_clear(cache *c)
{
    if (c->words.entries != NULL) {
        memset(c->words.entries, 0, c->words.n_entries * sizeof(cache_word));
        memset(c->phrases.entries, 0, c->phrases.n_entries * sizeof(cache_phrase));
    }
}

/* Whether so much came in that a table deserves four times the size. */
static bool cache_wants_more(const cache_table *table)
{
    return table->n_added > table->n_entries / 4 &&
           table->n_entries < table->max_entries;
}

void cache_grow(cache *c, const ctok_allocator *alloc)
{
    cache old = *c;
    size_t i;

    if (cache_wants_more(&old.words) &&
        cache_table_new(&c->words,
                        cache_least(4 * old.words.n_entries, old.words.max_entries),
                        sizeof(cache_word), alloc, NULL) == CTOK_OK) {
        const cache_word *words = old.words.entries;
        for (i = 0; i < old.words.n_entries; i++) {
            if (words[i].n != 0) {
                *cache_word_at(c, key_hash(words[i].key)) = words[i];
            }
        }
        mem_free_lines(alloc, old.words.memory, old.words.n_entries,
                       sizeof(cache_word));
    }
    if (cache_wants_more(&old.phrases) &&
        cache_table_new(&c->phrases,
                        cache_least(4 * old.phrases.n_entries, old.phrases.max_entries),
                        sizeof(cache_phrase), alloc, NULL) == CTOK_OK) {
        const cache_phrase *phrases = old.phrases.entries;
        for (i = 0; i < old.phrases.n_entries; i++) {
            if (phrases[i].len != 0) {
                *cache_phrase_at(c, phrases[i].hash) = phrases[i];
            }
        }
        mem_free_lines(alloc, old.phrases.memory, old.phrases.n_entries,
                       sizeof(cache_phrase));
    }
}

void cache_add_word(cache *c, key k, uint64_t hash, const uint32_t *ids, uint32_t n)
{
    cache_word *word;
    cache_word *beside;

    if (c->words.entries == NULL) {
        return;
    }
    word = cache_word_at(c, hash);
    beside = cache_word_beside(word);
    /* What was merged is dearer than what one look at the vocabulary finds again. */
    if (word->n > 1 || beside->n <= 1) {
        *beside = *word;
    }
    word->key = k;
    memcpy(word->ids, ids, sizeof word->ids);
    word->n = n;
    c->words.n_added++;
}

void cache_add_phrase(cache *c, uint64_t hash, ctok_bytes piece, const uint32_t *ids,
                      size_t n)
{
    cache_phrase *phrase;

    if (c->phrases.entries == NULL || piece.len > CACHE_PHRASE_BYTES ||
        n > CACHE_PHRASE_IDS) {
        return;
    }
    phrase = cache_phrase_at(c, hash);
    phrase->hash = hash;
    phrase->len = (uint16_t)piece.len;
    phrase->n = (uint16_t)n;
    memcpy(phrase->piece, piece.ptr, piece.len);
    memcpy(phrase->ids, ids, n * sizeof *ids);
    c->phrases.n_added++;
}
