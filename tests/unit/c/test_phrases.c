/* The phrase cache: it gives what was put in or nothing, stays within its limit, and keeps most of a
 * text that comes again. */
#include "../../../csrc/mem.h"
#include "../../../csrc/phrases.h"
#include "check.h"

/* Phrase number i: its bytes and ids follow from it, so any answer can be checked. */
typedef struct phrase {
    uint8_t bytes[PHRASES_MAX_BYTES + 1];
    uint32_t ids[PHRASES_MAX_IDS + 1];
    size_t len;
    size_t n;
    uint32_t hash;
} phrase;

static phrase phrase_new(uint32_t i, size_t len, size_t n)
{
    phrase made = {{0}, {0}, len, n, i * 2654435761u};
    size_t k;

    memcpy(made.bytes, &i, sizeof i);
    for (k = sizeof i; k < len; k++) {
        made.bytes[k] = (uint8_t)(i + k);
    }
    for (k = 0; k < n; k++) {
        made.ids[k] = i ^ (uint32_t)(k << 24);
    }
    return made;
}

static bool add(phrases *p, const phrase *made, const ctok_allocator *alloc)
{
    ctok_bytes piece = {made->bytes, made->len};
    const uint32_t *ids = phrases_add(p, made->hash, piece, made->ids, made->n);

    if (ids != NULL) {
        CHECK(memcmp(ids, made->ids, made->n * sizeof *ids) == 0);
        return true;
    }
    phrases_grow(p, alloc);
    return false;
}

/* Whether it is there; what is there is right. */
static bool find(const phrases *p, const phrase *made)
{
    ctok_bytes piece = {made->bytes, made->len};
    uint32_t at = phrases_ask_record(p, made->hash);
    const phrases_record *record = phrases_find(p, at, made->hash, piece);

    if (record != NULL) {
        CHECK_EQ(made->n, record->n);
        CHECK(memcmp(record->ids, made->ids, made->n * sizeof *made->ids) == 0);
        /* What the output may read behind them is there as well. */
        uint32_t behind[PHRASES_BEHIND];
        memcpy(behind, record->ids + record->n, sizeof behind);
        CHECK(behind[0] != 0 || made->bytes[0] == 0);
    }
    return record != NULL;
}

/* Whether all that the index knows are records of the log as it is: what is not could be bytes of
 * a text that look like one. */
static bool index_is_true(const phrases *p)
{
    size_t n_log = p->n_buckets * PHRASES_LOG_WORDS;
    bool *is_record = calloc(n_log, sizeof *is_record);
    bool is_true = true;

    REQUIRE(is_record != NULL);
    for (unsigned part = 0; part < p->n_parts; part++) {
        size_t at = n_log / PHRASES_PARTS * part;
        size_t end = n_log / PHRASES_PARTS * (part + 1);

        for (at += part == 0; at < p->ends[part];) {
            const phrases_record *record = phrases_at(p, at);
            is_record[at] = true;
            at += sizeof *record / 4 + record->n + ((size_t)record->len + 3) / 4;
            /* What may be read and written behind it is nobody else's. */
            is_true = is_true && at + PHRASES_BEHIND <= end;
        }
    }
    for (size_t i = 0; i < p->n_buckets * PHRASES_WAYS; i++) {
        size_t at = p->index[i] & (p->n_at - 1);
        is_true = is_true && (at == 0 || (at < n_log && is_record[at]));
    }
    free(is_record);
    return is_true;
}

static void test_answers_are_right_within_the_limit(void)
{
    const size_t limits[] = {256, 1000, 5000, 100000, 1000000};
    uint64_t random = 1;

    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        failing_alloc heap = {0};
        ctok_allocator alloc = failing_allocator(&heap);
        ctok_error err;
        phrases p;
        size_t n_found = 0;

        CHECK_STATUS(CTOK_OK, phrases_new(&p, limits[l], &alloc, &err), &err);
        for (uint32_t round = 0; round < 40000; round++) {
            uint32_t i = (uint32_t)(check_random(&random) % (1 + round / 4));
            phrase made = phrase_new(i, 4 + i % 40, 1 + i % 12);

            if (find(&p, &made)) {
                n_found++;
            } else if (add(&p, &made, &alloc)) {
                CHECK(find(&p, &made));
            }
            CHECK(heap.live_bytes <= limits[l] + PHRASES_BUCKET_BYTES);
            CHECK(round % 64 != 0 || index_is_true(&p));
            if (round == 30000) {
                phrases_clear(&p);
                CHECK(!find(&p, &made));
            }
        }
        CHECK(n_found > 0 || limits[l] < 5000);
        phrases_free(&p, &alloc);
        CHECK_EQ(0, heap.n_live);
    }
}

static void test_pieces_of_one_hash_are_told_apart(void)
{
    ctok_allocator alloc = mem_allocator(NULL);
    ctok_error err;
    phrases p;

    CHECK_STATUS(CTOK_OK, phrases_new(&p, 100000, &alloc, &err), &err);
    for (uint32_t i = 0; i < 6; i++) {
        phrase made = phrase_new(i, 20, 5);
        made.hash = 12345;
        CHECK(!find(&p, &made));
        CHECK(add(&p, &made, &alloc));
    }
    /* The bucket has room for the latest. */
    for (uint32_t i = 0; i < 6; i++) {
        phrase made = phrase_new(i, 20, 5);
        made.hash = 12345;
        CHECK_EQ(i + PHRASES_WAYS >= 6, find(&p, &made));
    }
    phrases_free(&p, &alloc);
}

static void test_a_text_that_has_no_room_is_not_forgotten_as_a_whole(void)
{
    ctok_allocator alloc = mem_allocator(NULL);
    const size_t limit = 200000;
    const uint32_t n =
        (uint32_t)(limit * 5 / 4 / 52); /* a quarter more than its room */
    ctok_error err;
    phrases p;
    size_t n_found = 0;

    CHECK_STATUS(CTOK_OK, phrases_new(&p, limit, &alloc, &err), &err);
    for (int pass = 0; pass < 6; pass++) {
        for (uint32_t i = 0; i < n; i++) {
            phrase made = phrase_new(i, 20, 5); /* 8, 20 and 20 bytes, and 4 of index */
            bool found = find(&p, &made);

            n_found += found && pass > 0;
            if (!found) {
                add(&p, &made, &alloc);
            }
        }
    }
    CHECK(n_found > n); /* a fifth; of the oldest none would be left */
    phrases_free(&p, &alloc);
}

static void test_what_is_too_long_is_refused(void)
{
    ctok_allocator alloc = mem_allocator(NULL);
    ctok_error err;
    phrases p;
    phrase longest = phrase_new(1, PHRASES_MAX_BYTES, PHRASES_MAX_IDS);
    phrase too_long = phrase_new(2, PHRASES_MAX_BYTES + 1, 4);
    phrase too_many = phrase_new(3, PHRASES_MAX_BYTES, PHRASES_MAX_IDS + 1);
    phrase small = phrase_new(4, 16, 4);

    CHECK_STATUS(CTOK_OK, phrases_new(&p, 1000000, &alloc, &err), &err);
    CHECK(!add(&p, &too_long, &alloc));
    CHECK(!add(&p, &too_many, &alloc));
    while (!add(&p, &longest, &alloc)) { /* it grows until there is room */
        REQUIRE(p.n_buckets < p.max_buckets);
    }
    CHECK(find(&p, &longest));
    phrases_free(&p, &alloc);

    /* What can never have room pushes nothing out. */
    CHECK_STATUS(CTOK_OK, phrases_new(&p, 2000, &alloc, &err), &err);
    CHECK(add(&p, &small, &alloc));
    for (int i = 0; i < 100; i++) {
        CHECK(!add(&p, &longest, &alloc));
    }
    CHECK(find(&p, &small));
    phrases_free(&p, &alloc);
}

static void test_without_memory_it_stays_as_it_is(void)
{
    failing_alloc heap = {0};
    ctok_allocator alloc = failing_allocator(&heap);
    ctok_error err;
    phrases p;
    size_t n_buckets;
    size_t n_added = 0;

    CHECK_STATUS(CTOK_OK, phrases_new(&p, 1000000, &alloc, &err), &err);
    n_buckets = p.n_buckets;
    heap.fail_at = heap.n_requests + 1;
    heap.fail_after = true;
    for (uint32_t i = 0; i < 3000; i++) {
        phrase made = phrase_new(i, 20, 5);
        if (add(&p, &made, &alloc)) {
            n_added++;
            CHECK(find(&p, &made));
        }
    }
    CHECK_EQ(n_buckets, p.n_buckets);
    CHECK(n_added > 2900);
    phrases_free(&p, &alloc);
    CHECK_EQ(0, heap.n_live);
}

int main(void)
{
    test_answers_are_right_within_the_limit();
    test_pieces_of_one_hash_are_told_apart();
    test_a_text_that_has_no_room_is_not_forgotten_as_a_whole();
    test_what_is_too_long_is_refused();
    test_without_memory_it_stays_as_it_is();
    return CHECK_RESULT();
}
