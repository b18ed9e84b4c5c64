/* Every n-th allocation fails: the call says so, nothing leaks, nothing half-made stays. */
#include "check.h"

static const char *const TOKENS[] = {"ab", "abc", "aa", "aaaa", " c", NULL};
static const char *const SPECIALS[] = {"<|a|>", "<|b|>", NULL};
static const char PATTERN[] =
    "'(?i:s|t)|[^\\s\\p{L}]?\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s+";

/* A long piece, short words, blanks, digits and specials: every path that takes memory. */
static size_t sample_text(char *text, size_t cap)
{
    size_t n = 0;

    memset(text, 'a', 3000);
    n = 3000;
    n +=
        (size_t)snprintf(text + n, cap - n, " abc's 1234   <|a|>\xC3\xA9<|b|> abc abc");
    return n;
}

static ctok_status encode_and_decode(const ctok_model *model, ctok_scratch *scratch,
                                     ctok_error *err)
{
    static char text[4096];
    static uint32_t ids[8192];
    static ctok_range ranges[8192];
    static uint8_t bytes[4096];
    const uint64_t allowed = 3;
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    ctok_output out = {ids, ranges, 8192, 0, 0};
    size_t len = 0;
    ctok_status status;
    ctok_bytes view = {(const uint8_t *)text, sample_text(text, sizeof text)};

    options.allowed = &allowed;
    status = ctok_encode(model, scratch, view, &options, &out, err);
    if (status != CTOK_OK) {
        return status;
    }
    /* Whatever failed on the way, ids that are returned are right. */
    CHECK_STATUS(CTOK_OK,
                 ctok_decode(model, ids, out.n, bytes, sizeof bytes, &len, err), err);
    CHECK(bytes_equal(view, (ctok_bytes){bytes, len}));
    out = (ctok_output){NULL, NULL, 0, 0, 0};
    return ctok_encode(model, scratch, view, &options, &out, err);
}

static ctok_status whole_life(const ctok_allocator *alloc, ctok_error *err)
{
    ctok_model *model = NULL;
    ctok_scratch *scratch = NULL;
    ctok_status status = model_new(&model, TOKENS, SPECIALS, PATTERN, alloc, err);

    if (status == CTOK_OK) {
        status = ctok_scratch_new(&scratch, CTOK_CACHE_DEFAULT, alloc, err);
    } else {
        CHECK(model == NULL);
    }
    if (status == CTOK_OK) {
        status = encode_and_decode(model, scratch, err);
    } else {
        CHECK(scratch == NULL);
    }
    ctok_scratch_free(scratch);
    ctok_model_free(model);
    return status;
}

static ctok_status life_of_merges(const ctok_allocator *alloc, ctok_error *err)
{
    const uint32_t left[] = {'a', 300};
    const uint32_t right[] = {'b', 'c'};
    const uint32_t merged[] = {300, 301};
    ctok_builder *builder = NULL;
    ctok_model *model = NULL;
    ctok_status status = ctok_builder_new(&builder, alloc, err);

    if (status == CTOK_OK) {
        status = add_all_bytes(builder, err);
    }
    if (status == CTOK_OK) {
        status = ctok_builder_add_merges(builder, left, right, merged, 2, err);
    }
    if (status == CTOK_OK) {
        status = ctok_builder_finish(&model, builder, err);
    }
    ctok_builder_free(builder);
    ctok_model_free(model);
    return status;
}

static ctok_status life_of_a_class(const ctok_allocator *alloc, ctok_error *err)
{
    ctok_class cls = {0};
    size_t end;
    ctok_status status = ctok_class_parse(&cls, bytes_of("[\\p{L}\\d&&[^\\p{Han}a-z]]"),
                                          0, 1, &end, alloc, err);

    ctok_class_free(&cls);
    return status;
}

static void fail_each(ctok_status (*life)(const ctok_allocator *, ctok_error *),
                      bool fail_after, size_t at_least)
{
    failing_alloc counter = {0};
    ctok_allocator alloc = failing_allocator(&counter);
    ctok_error err = {0};
    size_t n_refused = 0;

    CHECK_STATUS(CTOK_OK, life(&alloc, &err), &err);
    CHECK_EQ(0, counter.n_live);
    CHECK_EQ(0, counter.live_bytes);
    CHECK(counter.n_requests >= at_least);
    for (size_t n = 1; n <= counter.n_requests; n++) {
        failing_alloc failing = {0};
        ctok_status status;

        failing.fail_at = n;
        failing.fail_after = fail_after;
        alloc = failing_allocator(&failing);
        memset(&err, 0, sizeof err);
        status = life(&alloc, &err);
        /* A cache that cannot grow is no failure; all else is, and says what it is. */
        CHECK(failing.failed);
        CHECK(status == CTOK_OK || status == CTOK_E_MEMORY);
        if (status != CTOK_OK) {
            CHECK_EQ(CTOK_E_MEMORY, err.code);
            CHECK(err.message[0] != '\0');
            n_refused++;
        }
        CHECK_EQ(0, failing.n_live);
        CHECK_EQ(0, failing.live_bytes);
    }
    CHECK(n_refused > 0);
}

/* What a long piece takes to be merged, in whatever way and call, is given back. */
static void test_a_long_piece_leaves_no_memory_behind(void)
{
    static const char *const improper[] = {"abc", "ab", "aa", NULL};
    static uint8_t piece[1 << 20];
    static uint32_t ids[(1 << 20) + 64];
    const ctok_bytes text = {piece, sizeof piece};
    const char *const *const tokens[] = {TOKENS, improper};

    for (size_t i = 0; i < sizeof piece; i++) {
        piece[i] = (uint8_t)"abcaabb"[i % 7];
    }
    for (size_t i = 0; i < 2; i++) {
        failing_alloc counting = {0};
        ctok_allocator alloc = failing_allocator(&counting);
        ctok_model *model = NULL;
        ctok_scratch *scratch = NULL;
        ctok_output count = {NULL, NULL, 0, 0, 0};
        ctok_output out = {ids, NULL, sizeof ids / sizeof *ids, 0, 0};
        ctok_head head;
        size_t before;

        REQUIRE(model_new(&model, tokens[i], NULL, ".+", NULL, NULL) == CTOK_OK);
        REQUIRE(ctok_scratch_new(&scratch, 0, &alloc, NULL) == CTOK_OK);
        before = counting.live_bytes;
        CHECK_EQ(CTOK_OK, ctok_encode(model, scratch, text, NULL, &count, NULL));
        CHECK(counting.live_bytes < before + (6 << 20));
        CHECK_EQ(CTOK_OK, ctok_encode_piece(model, scratch, text, &out, NULL));
        CHECK(counting.live_bytes < before + (6 << 20));
        CHECK_EQ(count.n, out.n);
        CHECK_EQ(CTOK_OK, ctok_truncate(model, scratch, text, 1000, &head, NULL));
        CHECK(counting.live_bytes < before + (6 << 20));
        ctok_scratch_free(scratch);
        ctok_model_free(model);
        CHECK_EQ(0, counting.live_bytes);
    }
}

int main(void)
{
    test_a_long_piece_leaves_no_memory_behind();
    for (int fail_after = 0; fail_after <= 1; fail_after++) {
        fail_each(whole_life, fail_after, 10);
        fail_each(life_of_merges, fail_after, 5);
        fail_each(life_of_a_class, fail_after, 1);
    }
    return CHECK_RESULT();
}
