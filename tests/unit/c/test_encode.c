/* Text to ids: the options, the output, and merging against its definition. */
#include "naive.h"

#define ROOM 8192

typedef struct fixture {
    ctok_model *model;
    ctok_scratch *scratch;
    uint32_t ids[ROOM];
    ctok_range ranges[ROOM];
    ctok_output out;
    ctok_error err;
} fixture;

static void fixture_new(fixture *f, const char *const *tokens,
                        const char *const *specials, const char *pattern)
{
    memset(f, 0, sizeof *f);
    CHECK_STATUS(CTOK_OK,
                 model_new(&f->model, tokens, specials, pattern, NULL, &f->err),
                 &f->err);
    REQUIRE(f->model != NULL);
    CHECK_STATUS(CTOK_OK,
                 ctok_scratch_new(&f->scratch, CTOK_CACHE_DEFAULT, NULL, &f->err),
                 &f->err);
    f->out = (ctok_output){f->ids, f->ranges, ROOM, 0, 0};
}

static void fixture_free(fixture *f)
{
    ctok_scratch_free(f->scratch);
    ctok_model_free(f->model);
}

static ctok_status encode(fixture *f, const char *text,
                          const ctok_encode_options *options)
{
    return ctok_encode(f->model, f->scratch, bytes_of(text), options, &f->out, &f->err);
}

static void check_ids(const fixture *f, const uint32_t *expected, size_t n)
{
    CHECK_EQ(n, f->out.n);
    for (size_t i = 0; i < n && i < f->out.n; i++) {
        CHECK_EQ(expected[i], f->ids[i]);
    }
}

static const char *const WORDS[] = {"ab", "abc", " c", " ca", NULL};
static const char *const SPECIALS[] = {"<|a|>", "<|b|>", "<|a|>c", NULL};
static const char PATTERN[] = " ?[a-z]+|[^a-z]";

static void test_pieces_are_merged_in_order(void)
{
    const uint32_t expected[] = {257, 258, 256}; /* " c" "ab": ab has the better rank */
    fixture f;

    fixture_new(&f, WORDS, NULL, PATTERN);
    CHECK_STATUS(CTOK_OK, encode(&f, "abc cab", NULL), &f.err);
    check_ids(&f, expected, 3);
    CHECK_EQ(7, f.out.consumed);
    CHECK(f.ranges[1].start == 3 && f.ranges[1].end == 5);
    CHECK_STATUS(CTOK_OK, encode(&f, "", NULL), &f.err);
    CHECK_EQ(0, f.out.n);
    fixture_free(&f);
}

static void test_specials_are_matched_only_where_allowed(void)
{
    const uint64_t both = 3;
    const uint64_t all = 7;
    const uint32_t expected[] = {'x', 1000, 'c', 1001};
    const uint32_t longest[] = {'x', 1002, 1001};
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    fixture f;

    fixture_new(&f, WORDS, SPECIALS, PATTERN);
    options.allowed = &both;
    CHECK_STATUS(CTOK_OK, encode(&f, "x<|a|>c<|b|>", &options), &f.err);
    check_ids(&f, expected, 4);
    CHECK(f.ranges[1].start == 1 && f.ranges[1].end == 6);
    options.allowed = &all;
    CHECK_STATUS(CTOK_OK, encode(&f, "x<|a|>c<|b|>", &options), &f.err);
    check_ids(&f, longest, 3);
    CHECK_STATUS(CTOK_OK, encode(&f, "<|a|>", NULL), &f.err);
    CHECK_EQ(5, f.out.n);
    fixture_free(&f);
}

static void test_disallowed_special_is_named_with_its_place(void)
{
    const uint64_t second = 2;
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    fixture f;

    fixture_new(&f, WORDS, SPECIALS, PATTERN);
    options.disallowed = &second;
    CHECK_EQ(CTOK_E_SPECIAL, encode(&f, "x<|a|> <|b|>", &options));
    CHECK_EQ(1, f.err.id);
    CHECK_EQ(7, f.err.position);
    CHECK_STATUS(CTOK_OK, encode(&f, "x<|a|> <|b|", &options), &f.err);
    fixture_free(&f);
}

static void test_text_that_is_not_utf8_is_refused_with_its_place(void)
{
    static const struct {
        const char *text;
        size_t position;
    } cases[] = {
        {"\x80", 0},
        {"ab\xFF", 2},
        {"a\xC3", 1},
        {"\xC0\x80", 0},
        {"\xED\xA0\x80", 0},
        {"\xE2\x82", 0},
        {"\xF4\x90\x80\x80", 0},
        {"\xF0\x80\x80\x80", 0},
    };
    fixture f;

    fixture_new(&f, WORDS, NULL, PATTERN);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_EQ(CTOK_E_UTF8, encode(&f, cases[i].text, NULL));
        CHECK_EQ(cases[i].position, f.err.position);
    }
    fixture_free(&f);
}

static void test_max_ids_gives_exactly_the_first_ids(void)
{
    const char text[] = "abc cab<|a|>ab abc !ab";
    const uint64_t allowed = 1;
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    uint32_t all[64];
    ctok_range ranges[64];
    size_t n;
    fixture f;

    fixture_new(&f, WORDS, SPECIALS, PATTERN);
    options.allowed = &allowed;
    CHECK_STATUS(CTOK_OK, encode(&f, text, &options), &f.err);
    n = f.out.n;
    REQUIRE(n < 64);
    memcpy(all, f.ids, n * sizeof *all);
    memcpy(ranges, f.ranges, n * sizeof *ranges);
    for (size_t limit = 1; limit <= n + 1; limit++) {
        options.max_ids = limit;
        CHECK_STATUS(CTOK_OK, encode(&f, text, &options), &f.err);
        check_ids(&f, all, limit < n ? limit : n);
        if (limit <= n) {
            CHECK_EQ(ranges[limit - 1].end, f.out.consumed);
        }
    }
    CHECK_EQ(strlen(text), f.out.consumed);
    fixture_free(&f);
}

static void test_lack_of_room_reports_the_number_and_writes_nothing_beyond(void)
{
    const char text[] = "abc cab, abc";
    size_t n;
    fixture f;

    fixture_new(&f, WORDS, NULL, PATTERN);
    CHECK_STATUS(CTOK_OK, encode(&f, text, NULL), &f.err);
    n = f.out.n;
    for (size_t cap = 0; cap < n; cap++) {
        memset(f.ids, 0xAA, sizeof f.ids);
        memset(f.ranges, 0xAA, sizeof f.ranges);
        f.out.cap = cap;
        CHECK_EQ(CTOK_E_SPACE, encode(&f, text, NULL));
        CHECK_EQ(n, f.out.n);
        CHECK_EQ(0xAAAAAAAA, f.ids[cap]);
        CHECK_EQ((size_t)-1 / 3 * 2, f.ranges[cap].start);
        f.out.ids = NULL;
        CHECK_EQ(CTOK_E_SPACE, encode(&f, text, NULL));
        CHECK_EQ((size_t)-1 / 3 * 2, f.ranges[cap].start);
        f.out.ids = f.ids;
    }
    f.out.cap = n;
    CHECK_STATUS(CTOK_OK, encode(&f, text, NULL), &f.err);
    fixture_free(&f);
}

static void test_counting_needs_no_room(void)
{
    fixture f;

    fixture_new(&f, WORDS, NULL, PATTERN);
    f.out = (ctok_output){NULL, NULL, 0, 0, 0};
    CHECK_STATUS(CTOK_OK, encode(&f, "abc cab", NULL), &f.err);
    CHECK_EQ(3, f.out.n);
    CHECK_EQ(7, f.out.consumed);
    fixture_free(&f);
}

static void test_byte_without_rank_is_named_with_its_place(void)
{
    ctok_builder *builder;
    ctok_model *model = NULL;
    ctok_scratch *scratch;
    uint32_t ids[64];
    ctok_output out = {ids, NULL, 64, 0, 0};
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, ctok_builder_new(&builder, NULL, &err), &err);
    CHECK_STATUS(CTOK_OK, add_token(builder, "a", 0, &err), &err);
    CHECK_STATUS(CTOK_OK, add_token(builder, "ab", 1, &err), &err);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&model, builder, &err), &err);
    ctok_builder_free(builder);
    REQUIRE(model != NULL);
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&scratch, 0, NULL, &err), &err);
    CHECK_EQ(CTOK_E_RANK,
             ctok_encode(model, scratch, bytes_of("aabba"), NULL, &out, &err));
    CHECK_EQ(3, err.position);
    CHECK_STATUS(CTOK_OK,
                 ctok_encode(model, scratch, bytes_of("aab"), NULL, &out, &err), &err);
    CHECK_EQ(2, out.n);
    ctok_scratch_free(scratch);
    ctok_model_free(model);
}

/* A splitter of our own: single bytes, blanks dropped, and no further than a '!'. */
static ctok_status letters_next(const void *self, void *state, ctok_bytes text,
                                ctok_split_cursor *cursor, ctok_split_block *block,
                                ctok_error *err)
{
    size_t at = cursor->position;

    (void)self;
    (void)state;
    while (at < text.len && text.ptr[at] == ' ') {
        at++;
    }
    block->start = at;
    block->n_pieces = 0;
    if (at < text.len && text.ptr[at] == '!') {
        err->code = CTOK_E_SPLIT;
        err->position = at;
        return CTOK_E_SPLIT;
    }
    if (at < text.len) {
        block->ends[block->n_pieces++] = 1;
        at++;
    }
    cursor->position = at;
    return CTOK_OK;
}

static void test_splitters_can_be_plugged_in(void)
{
    const uint64_t allowed = 1;
    const uint32_t expected[] = {'a', 'b', 1000, 'c'};
    ctok_splitter splitter = {"letters", NULL, letters_next, NULL, NULL, NULL, NULL};
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    ctok_builder *builder;
    ctok_model_info info;
    fixture f;

    memset(&f, 0, sizeof f);
    CHECK_STATUS(CTOK_OK, ctok_builder_new(&builder, NULL, &f.err), &f.err);
    CHECK_STATUS(CTOK_OK, add_all_bytes(builder, &f.err), &f.err);
    CHECK_STATUS(CTOK_OK, add_token(builder, "ab", 256, &f.err), &f.err);
    CHECK_STATUS(CTOK_OK,
                 ctok_builder_add_special(builder, bytes_of("<|a|>"), 1000, &f.err),
                 &f.err);
    CHECK_STATUS(CTOK_OK, ctok_builder_set_splitter(builder, &splitter, &f.err),
                 &f.err);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&f.model, builder, &f.err), &f.err);
    ctok_builder_free(builder);
    REQUIRE(f.model != NULL);
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&f.scratch, 0, NULL, &f.err), &f.err);
    f.out = (ctok_output){f.ids, f.ranges, ROOM, 0, 0};
    options.allowed = &allowed;
    ctok_model_describe(f.model, &info);
    CHECK(strcmp("letters", info.splitter) == 0);
    CHECK_STATUS(CTOK_OK, encode(&f, "ab  <|a|> c ", &options), &f.err);
    check_ids(&f, expected, 4);
    CHECK(f.ranges[3].start == 10 && f.ranges[3].end == 11);
    CHECK_EQ(12, f.out.consumed);
    /* Where a splitter gives up is a place in the text, not in what it was given of it. */
    CHECK_EQ(CTOK_E_SPLIT, encode(&f, "ab<|a|>c !", &options));
    CHECK_EQ(9, f.err.position);
    fixture_free(&f);
}

static void test_piece_need_not_be_utf8(void)
{
    const uint8_t piece[] = {0xFF, 'a', 'b', 0xC3};
    const uint32_t expected[] = {0xFF, 256, 0xC3};
    fixture f;

    fixture_new(&f, WORDS, NULL, PATTERN);
    CHECK_STATUS(
        CTOK_OK,
        ctok_encode_piece(f.model, f.scratch, (ctok_bytes){piece, 4}, &f.out, &f.err),
        &f.err);
    check_ids(&f, expected, 3);
    fixture_free(&f);
}

static void test_scratch_serves_models_in_turn(void)
{
    const char *first_words[] = {"ab", NULL};
    const char *second_words[] = {"bc", NULL};
    const uint32_t first_ids[] = {256, 'c'};
    const uint32_t second_ids[] = {'a', 256};
    fixture f;
    ctok_model *first;
    ctok_model *second;

    fixture_new(&f, first_words, NULL, PATTERN);
    first = f.model;
    CHECK_STATUS(CTOK_OK, model_new(&second, second_words, NULL, PATTERN, NULL, &f.err),
                 &f.err);
    REQUIRE(second != NULL);
    for (int i = 0; i < 4; i++) {
        f.model = i % 2 == 0 ? first : second;
        CHECK_STATUS(CTOK_OK, encode(&f, "abc", NULL), &f.err);
        check_ids(&f, i % 2 == 0 ? first_ids : second_ids, 2);
    }
    ctok_scratch_detach(f.scratch);
    ctok_model_free(second);
    f.model = first;
    CHECK_STATUS(CTOK_OK, encode(&f, "abc", NULL), &f.err);
    check_ids(&f, first_ids, 2);
    fixture_free(&f);
}

/* A model of random tokens over three letters; all bytes are tokens, ranks are random. */
static ctok_model *random_model(uint64_t *random)
{
    ctok_builder *builder = NULL;
    ctok_model *model = NULL;
    ctok_error err = {0};
    uint32_t ids[256 + 64];
    uint8_t bytes[256];
    uint32_t ends[256];

    for (uint32_t i = 0; i < 256 + 64; i++) {
        uint32_t j = (uint32_t)(check_random(random) % (i + 1));

        ids[i] = ids[j];
        ids[j] = 3 * i;
    }
    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        ends[i] = i + 1;
    }
    REQUIRE(ctok_builder_new(&builder, NULL, &err) == CTOK_OK);
    REQUIRE(ctok_builder_set_flags(builder, CTOK_BUILD_ALLOW_DUPLICATES, &err) ==
            CTOK_OK);
    REQUIRE(ctok_builder_add_tokens(builder, (ctok_bytes){bytes, 256}, ends, ids, 256,
                                    &err) == CTOK_OK);
    for (uint32_t i = 0; i < 64; i++) {
        char token[8] = {0};
        size_t len = 2 + (size_t)(check_random(random) % 5);

        for (size_t k = 0; k < len; k++) {
            token[k] = (char)('a' + check_random(random) % 3);
        }
        REQUIRE(add_token(builder, token, ids[256 + i], &err) == CTOK_OK);
    }
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&model, builder, &err), &err);
    ctok_builder_free(builder);
    REQUIRE(model != NULL);
    return model;
}

static void test_merging_equals_its_definition_for_lengths_to_600(void)
{
    static uint32_t expected[NAIVE_MAX];
    uint64_t random = 20240601;
    fixture f;

    memset(&f, 0, sizeof f);
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&f.scratch, 0, NULL, &f.err), &f.err);
    f.out = (ctok_output){f.ids, f.ranges, ROOM, 0, 0};
    for (size_t len = 1; len <= 600; len++) {
        uint8_t text[600];
        size_t n = 0;

        if (len % 20 == 1) {
            ctok_scratch_detach(f.scratch);
            ctok_model_free(f.model);
            f.model = random_model(&random);
        }
        for (size_t i = 0; i < len; i++) {
            text[i] = (uint8_t)('a' + check_random(&random) % (1 + len % 3));
        }
        CHECK_EQ(CTOK_OK,
                 naive_encode_piece(f.model, (ctok_bytes){text, len}, expected, &n));
        CHECK_STATUS(CTOK_OK,
                     ctok_encode_piece(f.model, f.scratch, (ctok_bytes){text, len},
                                       &f.out, &f.err),
                     &f.err);
        check_ids(&f, expected, n);
        CHECK_EQ(len, f.ranges[f.out.n - 1].end);
    }
    fixture_free(&f);
}

static void check_cache_of(size_t n_bytes)
{
    static uint32_t expected[ROOM];
    uint64_t random = 7;
    fixture f;
    ctok_scratch *plain;

    memset(&f, 0, sizeof f);
    f.out = (ctok_output){f.ids, f.ranges, ROOM, 0, 0};
    CHECK_STATUS(CTOK_OK, model_new(&f.model, WORDS, NULL, PATTERN, NULL, &f.err),
                 &f.err);
    REQUIRE(f.model != NULL);
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&plain, 0, NULL, &f.err), &f.err);
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&f.scratch, n_bytes, NULL, &f.err), &f.err);
    for (int round = 0; round < 300; round++) {
        char text[1024];
        size_t n;
        ctok_scratch *cached = f.scratch;

        for (size_t i = 0; i < sizeof text - 1; i++) {
            text[i] = " abcde!"[check_random(&random) % 7];
        }
        text[sizeof text - 1] = '\0';
        f.scratch = plain;
        CHECK_STATUS(CTOK_OK, encode(&f, text, NULL), &f.err);
        n = f.out.n;
        memcpy(expected, f.ids, n * sizeof *expected);
        f.scratch = cached;
        for (int pass = 0; pass < 2; pass++) {
            /* Either meets words first that the other finds in the cache. */
            bool counts = (pass + round) % 2 == 0;

            f.out.ids = counts ? NULL : f.ids;
            f.out.ranges = counts ? NULL : f.ranges;
            CHECK_STATUS(CTOK_OK, encode(&f, text, NULL), &f.err);
            CHECK_EQ(n, f.out.n);
            CHECK_EQ(strlen(text), f.out.consumed);
            if (!counts) {
                check_ids(&f, expected, n);
            }
        }
        f.out.ids = f.ids;
        f.out.ranges = f.ranges;
    }
    ctok_scratch_free(plain);
    fixture_free(&f);
}

static void test_cache_never_changes_a_result(void)
{
    /* So small that words, or phrases, push each other out; or grow. */
    const size_t sizes[] = {1, 200, 1000, 4096, 100000, CTOK_CACHE_DEFAULT};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_cache_of(sizes[i]);
    }
}

/* A block in which every piece is new, and half of them are too long for a key: in turns, short ones
 * first, long ones first. */
static void test_blocks_of_new_pieces_only(void)
{
    static uint32_t expected[ROOM];
    uint64_t random = 11;
    fixture f;

    fixture_new(&f, WORDS, NULL, PATTERN);
    for (int order = 0; order < 3; order++) {
        char text[ROOM];
        size_t starts[CTOK_BLOCK_PIECES + 1];
        size_t n_bytes = 0;
        size_t n = 0;

        for (size_t i = 0; i < CTOK_BLOCK_PIECES; i++) {
            const bool is_long[] = {i % 2 == 0, i < CTOK_BLOCK_PIECES / 2,
                                    i >= CTOK_BLOCK_PIECES / 2};
            size_t len = is_long[order] ? 18 : 7;

            starts[i] = n_bytes;
            text[n_bytes++] = ' ';
            while (n_bytes < starts[i] + len) {
                text[n_bytes++] = "abcde"[check_random(&random) % 5];
            }
        }
        text[n_bytes] = '\0';
        starts[CTOK_BLOCK_PIECES] = n_bytes;
        for (size_t i = 0; i < CTOK_BLOCK_PIECES; i++) {
            ctok_bytes piece = {(const uint8_t *)text + starts[i],
                                starts[i + 1] - starts[i]};

            CHECK_STATUS(CTOK_OK,
                         ctok_encode(f.model, f.scratch, piece, NULL, &f.out, &f.err),
                         &f.err);
            memcpy(expected + n, f.ids, f.out.n * sizeof *expected);
            n += f.out.n;
        }
        ctok_scratch_free(f.scratch);
        CHECK_STATUS(CTOK_OK,
                     ctok_scratch_new(&f.scratch, CTOK_CACHE_DEFAULT, NULL, &f.err),
                     &f.err);
        CHECK_STATUS(CTOK_OK, encode(&f, text, NULL), &f.err);
        check_ids(&f, expected, n);
    }
    fixture_free(&f);
}

int main(void)
{
    test_pieces_are_merged_in_order();
    test_specials_are_matched_only_where_allowed();
    test_disallowed_special_is_named_with_its_place();
    test_text_that_is_not_utf8_is_refused_with_its_place();
    test_max_ids_gives_exactly_the_first_ids();
    test_lack_of_room_reports_the_number_and_writes_nothing_beyond();
    test_counting_needs_no_room();
    test_byte_without_rank_is_named_with_its_place();
    test_splitters_can_be_plugged_in();
    test_piece_need_not_be_utf8();
    test_scratch_serves_models_in_turn();
    test_merging_equals_its_definition_for_lengths_to_600();
    test_cache_never_changes_a_result();
    test_blocks_of_new_pieces_only();
    return CHECK_RESULT();
}
