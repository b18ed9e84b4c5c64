/* The word cache: it gives what was put in or nothing, and keeps what it has when it grows. */
#include "../../../csrc/cache.h"
#include "../../../csrc/mem.h"
#include "check.h"

/* Word number i: its key and ids follow from it, so any answer can be checked. */
static key word_key(uint32_t i)
{
    uint8_t bytes[KEY_BYTES + 1] = {0};

    memcpy(bytes, &i, sizeof i);
    return key_of(bytes, 4 + i % (KEY_BYTES - 3));
}

static void word_ids(uint32_t i, uint32_t ids[CACHE_WORD_IDS])
{
    for (uint32_t k = 0; k < CACHE_WORD_IDS; k++) {
        ids[k] = i ^ k << 28;
    }
}

static void add(cache *c, uint32_t i)
{
    uint32_t ids[CACHE_WORD_IDS];

    word_ids(i, ids);
    cache_add_word(c, word_key(i), key_hash(word_key(i)), ids, 1 + i % CACHE_WORD_IDS);
}

/* Whether it is there; what is there is right. */
static bool find(const cache *c, uint32_t i)
{
    const cache_word *word = cache_word_at(c, key_hash(word_key(i)));
    uint32_t ids[CACHE_WORD_IDS];

    if (!cache_word_is(word, word_key(i))) {
        word = cache_word_beside(word);
    }
    if (!cache_word_is(word, word_key(i))) {
        return false;
    }
    word_ids(i, ids);
    CHECK(memcmp(ids, word->ids, sizeof ids) == 0);
    CHECK_EQ(1 + i % CACHE_WORD_IDS, cache_word_n(word));
    CHECK(key_equal(word_key(i), cache_word_key(word)));
    return true;
}

static size_t n_found(const cache *c, uint32_t n_added)
{
    size_t n = 0;

    for (uint32_t i = 0; i < n_added; i++) {
        n += find(c, i);
    }
    return n;
}

/* Whether every word is where it is looked for. */
static bool places_are_right(const cache *c)
{
    for (size_t i = 0; i < c->n_words; i++) {
        const cache_word *word = &c->words[i];
        const cache_word *place = cache_word_at(c, key_hash(cache_word_key(word)));

        if (cache_word_n(word) != 0 && word != place &&
            word != cache_word_beside(place)) {
            return false;
        }
    }
    return true;
}

static void test_words_are_kept_when_it_grows(void)
{
    const size_t limits[] = {100000, 1000000, CTOK_CACHE_DEFAULT, (size_t)40 << 20};

    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        failing_alloc heap = {0};
        ctok_allocator alloc = failing_allocator(&heap);
        ctok_error err;
        cache c;

        CHECK_STATUS(CTOK_OK, cache_new(&c, limits[l], &alloc, &err), &err);
        for (uint32_t i = 0; i < 400000 && c.n_words < c.max_words; i++) {
            size_t n_words = c.n_words;

            add(&c, i);
            CHECK(find(&c, i));
            if (c.n_added > n_words / 4) {
                size_t n_before = n_found(&c, i + 1);

                cache_grow(&c, &alloc);
                CHECK_EQ(8 * n_words < c.max_words ? 8 * n_words : c.max_words,
                         c.n_words);
                /* Three of one line may be too many for their new one. */
                CHECK(n_found(&c, i + 1) + n_before / 40 >= n_before);
                CHECK(places_are_right(&c));
                CHECK_EQ(0, c.n_added);
            } else {
                cache_grow(&c, &alloc);
                CHECK_EQ(n_words, c.n_words);
            }
            CHECK(heap.live_bytes <= limits[l] + 256);
        }
        CHECK_EQ(c.max_words, c.n_words);
        cache_clear(&c);
        CHECK_EQ(0, n_found(&c, 1000));
        cache_free(&c, &alloc);
        CHECK_EQ(0, heap.n_live);
    }
}

static void test_memory_is_given_back_before_the_last_step(void)
{
    failing_alloc heap = {0};
    ctok_allocator alloc = failing_allocator(&heap);
    ctok_error err;
    cache c;

    CHECK_STATUS(CTOK_OK, cache_new(&c, CTOK_CACHE_DEFAULT, &alloc, &err), &err);
    for (uint32_t i = 0; c.cap_words < c.max_words; i++) {
        add(&c, i);
        cache_grow(&c, &alloc);
    }
    CHECK(c.n_words < c.cap_words);
    cache_free(&c, &alloc);
    CHECK_EQ(0, heap.live_bytes);
}

static void test_without_memory_it_stays_as_it_is(void)
{
    failing_alloc heap = {0};
    ctok_allocator alloc = failing_allocator(&heap);
    ctok_error err;
    cache c;

    CHECK_STATUS(CTOK_OK, cache_new(&c, CTOK_CACHE_DEFAULT, &alloc, &err), &err);
    heap.fail_at = heap.n_requests + 1;
    heap.fail_after = true;
    for (uint32_t i = 0; i < 2000; i++) {
        add(&c, i);
        CHECK(find(&c, i));
        cache_grow(&c, &alloc);
    }
    CHECK(heap.failed);
    CHECK_EQ(1024, c.n_words);
    CHECK(places_are_right(&c));
    heap.fail_at = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        add(&c, i);
        cache_grow(&c, &alloc);
    }
    CHECK(c.n_words > 1024);
    cache_free(&c, &alloc);
    CHECK_EQ(0, heap.n_live);
}

/* Which words have a place and the one beside it. */
static bool are_there(const cache *c, uint64_t hash, uint32_t first, uint32_t second)
{
    const cache_word *word = cache_word_at(c, hash);

    return cache_word_is(word, word_key(first)) &&
           cache_word_is(cache_word_beside(word), word_key(second));
}

static void test_who_comes_first_stays(void)
{
    ctok_allocator alloc = mem_allocator(NULL);
    const uint32_t ids[CACHE_WORD_IDS] = {1, 2, 3, 4};
    uint64_t hash = UINT64_C(5) << 32;
    ctok_error err;
    cache c;

    CHECK_STATUS(CTOK_OK, cache_new(&c, CTOK_CACHE_DEFAULT, &alloc, &err), &err);
    cache_add_word(&c, word_key(0), hash, ids, 1);
    cache_add_word(&c, word_key(1), hash, ids, 1);
    cache_add_word(&c, word_key(2), hash, ids, 1);
    CHECK(are_there(&c, hash, 0, 2));
    cache_add_word(&c, word_key(3), hash, ids, 4); /* merged */
    /* Word 3 stays, for word 0 is found again sooner. */
    cache_add_word(&c, word_key(4), hash, ids, 1);
    CHECK(are_there(&c, hash, 4, 3));
    cache_prefer(&c, cache_word_beside(cache_word_at(&c, hash)));
    CHECK(are_there(&c, hash, 3, 4));
    cache_prefer(&c, cache_word_beside(cache_word_at(&c, hash)));
    CHECK(are_there(&c, hash, 4, 3));
    cache_free(&c, &alloc);
}

static void test_a_piece_of_ones_is_not_taken_for_another(void)
{
    ctok_allocator alloc = mem_allocator(NULL);
    const uint32_t ids[CACHE_WORD_IDS] = {1, 2, 3, 4};
    uint8_t bytes[2 * sizeof(key)];
    ctok_error err;
    cache c;

    memset(bytes, 0xFF, sizeof bytes);
    CHECK_STATUS(CTOK_OK, cache_new(&c, CTOK_CACHE_DEFAULT, &alloc, &err), &err);
    for (uint32_t n = 1; n <= CACHE_WORD_IDS; n++) {
        for (size_t len = 1; len <= KEY_BYTES; len++) {
            key k = key_of(bytes, len);
            const cache_word *word = cache_word_at(&c, key_hash(k));

            cache_add_word(&c, k, key_hash(k), ids, n);
            word = cache_word_is(word, k) ? word : cache_word_beside(word);
            CHECK_EQ(n, cache_word_n(word));
            for (size_t other = 1; other <= KEY_BYTES; other++) {
                CHECK_EQ(other == len, cache_word_is(word, key_of(bytes, other)));
            }
            cache_clear(&c);
        }
    }
    cache_free(&c, &alloc);
}

static const phrases_record *phrase_of(const cache *c, uint32_t i)
{
    key k = word_key(i);
    uint32_t hash = phrases_hash(key_hash(k));
    ctok_bytes piece = {(const uint8_t *)&k, 4 + i % (KEY_BYTES - 3)};

    return phrases_look(&c->phrases, hash, piece);
}

static void test_what_was_merged_and_is_lost_becomes_a_phrase(void)
{
    ctok_allocator alloc = mem_allocator(NULL);
    const uint32_t ids[CACHE_WORD_IDS] = {7, 8, 9, 10};
    uint64_t hash = UINT64_C(5) << 32;
    const phrases_record *phrase;
    ctok_error err;
    size_t end;
    cache c;

    CHECK_STATUS(CTOK_OK, cache_new(&c, CTOK_CACHE_DEFAULT, &alloc, &err), &err);
    for (uint32_t i = 0; i < 4; i++) {
        cache_add_word(&c, word_key(i), hash, ids, i == 1 ? 1 : 2 + i % 2);
    }
    CHECK(are_there(&c, hash, 0, 3));
    CHECK(phrase_of(&c, 1) == NULL); /* one look at the vocabulary finds it again */
    phrase = phrase_of(&c, 2);
    CHECK(phrase != NULL);
    if (phrase != NULL) {
        CHECK_EQ(2, phrase->n);
        CHECK(memcmp(ids, phrase->ids, 2 * sizeof *ids) == 0);
    }
    CHECK(phrase_of(&c, 0) == NULL);
    CHECK(phrase_of(&c, 3) == NULL);
    end = c.phrases.ends[0];
    for (uint32_t i = 0; i < 3; i++) {
        cache_add_word(&c, word_key(2), hash, ids, 2);
        cache_add_word(&c, word_key(3), hash, ids, 3);
    }
    CHECK(phrase_of(&c, 0) == NULL && phrase_of(&c, 3) != NULL);
    /* Once, in words of 4 bytes: two, its ids, its bytes. */
    CHECK_EQ(end + (2 + 3 + 2), c.phrases.ends[0]);
    cache_free(&c, &alloc);
}

static void test_no_room_switches_it_off(void)
{
    ctok_allocator alloc = mem_allocator(NULL);
    ctok_error err;
    cache c;

    CHECK_STATUS(CTOK_OK, cache_new(&c, 0, &alloc, &err), &err);
    CHECK(c.words == NULL);
    add(&c, 1);
    cache_grow(&c, &alloc);
    cache_clear(&c);
    cache_free(&c, &alloc);
}

int main(void)
{
    test_words_are_kept_when_it_grows();
    test_memory_is_given_back_before_the_last_step();
    test_without_memory_it_stays_as_it_is();
    test_who_comes_first_stays();
    test_a_piece_of_ones_is_not_taken_for_another();
    test_what_was_merged_and_is_lost_becomes_a_phrase();
    test_no_room_switches_it_off();
    return CHECK_RESULT();
}
