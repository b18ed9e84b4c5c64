/* The builder and what a finished model says about itself. */
#include "check.h"

static void test_empty_builder_makes_a_model_without_tokens(void)
{
    ctok_builder *builder;
    ctok_model *model;
    ctok_model_info info;
    ctok_error err = {0};
    uint32_t id;

    CHECK_STATUS(CTOK_OK, ctok_builder_new(&builder, NULL, &err), &err);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&model, builder, &err), &err);
    ctok_builder_free(builder);
    ctok_model_describe(model, &info);
    CHECK_EQ(0, info.n_tokens);
    CHECK_EQ(0, info.n_specials);
    CHECK_EQ(CTOK_E_RANK, ctok_model_find(model, bytes_of("a"), &id));
    ctok_model_free(model);
}

static void test_model_describes_itself(void)
{
    const char *tokens[] = {"ab", "abc", NULL};
    const char *specials[] = {"<|end|>", NULL};
    ctok_model *model;
    ctok_model_info info;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, tokens, specials, NULL, NULL, &err), &err);
    REQUIRE(model != NULL);
    ctok_model_describe(model, &info);
    CHECK_EQ(258, info.n_tokens);
    CHECK_EQ(1, info.n_specials);
    CHECK_EQ(1000, info.max_id);
    CHECK_EQ(7, info.max_token_len);
    CHECK(info.n_bytes > 258 && info.n_bytes < 1u << 20);
    CHECK(info.is_proper);
    CHECK(strcmp("none", info.splitter) == 0);
    ctok_model_free(model);
}

static void test_tokens_and_specials_are_found_by_id(void)
{
    const char *tokens[] = {"ab", NULL};
    const char *specials[] = {"<|end|>", NULL};
    ctok_model *model;
    ctok_bytes token;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, tokens, specials, NULL, NULL, &err), &err);
    REQUIRE(model != NULL);
    CHECK_EQ(CTOK_OK, ctok_model_token(model, 256, &token));
    CHECK(bytes_equal(bytes_of("ab"), token));
    CHECK_EQ(CTOK_OK, ctok_model_token(model, 1000, &token));
    CHECK(bytes_equal(bytes_of("<|end|>"), token));
    CHECK_EQ(CTOK_OK, ctok_model_token(model, 0, &token));
    CHECK(token.len == 1 && token.ptr[0] == 0);
    for (uint32_t id = 257; id < 1000; id++) {
        CHECK_EQ(CTOK_E_ID, ctok_model_token(model, id, &token));
        CHECK(token.ptr == NULL && token.len == 0);
    }
    CHECK_EQ(CTOK_E_ID, ctok_model_token(model, 1001, &token));
    CHECK_EQ(CTOK_E_ID, ctok_model_token(model, UINT32_MAX, &token));
    ctok_model_free(model);
}

static void test_only_whole_tokens_are_found_by_bytes(void)
{
    const char *tokens[] = {"ab", "abc", NULL};
    const char *specials[] = {"<|end|>", NULL};
    ctok_model *model;
    uint32_t id = 7;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, tokens, specials, NULL, NULL, &err), &err);
    REQUIRE(model != NULL);
    CHECK_EQ(CTOK_OK, ctok_model_find(model, bytes_of("abc"), &id));
    CHECK_EQ(257, id);
    CHECK_EQ(CTOK_E_RANK, ctok_model_find(model, bytes_of("abcd"), &id));
    CHECK_EQ(CTOK_E_RANK, ctok_model_find(model, bytes_of("bc"), &id));
    CHECK_EQ(CTOK_E_RANK, ctok_model_find(model, bytes_of("<|end|>"), &id));
    CHECK_EQ(CTOK_E_RANK, ctok_model_find(model, (ctok_bytes){NULL, 0}, &id));
    ctok_model_free(model);
}

static void test_merges_are_told(void)
{
    const char *tokens[] = {"ab", "abc", NULL};
    ctok_model *model;
    ctok_bytes merged;
    uint32_t first;
    uint32_t second;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, tokens, NULL, NULL, NULL, &err), &err);
    REQUIRE(model != NULL);
    CHECK_EQ(CTOK_OK,
             ctok_model_merge(model, bytes_of("a"), bytes_of("b"), &first, &merged));
    CHECK(bytes_equal(bytes_of("ab"), merged));
    CHECK_EQ(CTOK_OK,
             ctok_model_merge(model, bytes_of("ab"), bytes_of("c"), &second, &merged));
    CHECK(first < second);
    CHECK_EQ(CTOK_E_RANK,
             ctok_model_merge(model, bytes_of("b"), bytes_of("c"), &first, &merged));
    ctok_model_free(model);
}

static void test_merges_given_as_a_list_make_their_tokens(void)
{
    /* a b -> ab (300), ab c -> abc (301); the bytes of 300 and 301 follow from these. */
    const uint32_t left[] = {'a', 300};
    const uint32_t right[] = {'b', 'c'};
    const uint32_t merged[] = {300, 301};
    ctok_builder *builder;
    ctok_model *model = NULL;
    ctok_bytes token;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, ctok_builder_new(&builder, NULL, &err), &err);
    CHECK_STATUS(CTOK_OK, add_all_bytes(builder, &err), &err);
    CHECK_STATUS(CTOK_OK,
                 ctok_builder_add_merges(builder, left, right, merged, 2, &err), &err);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&model, builder, &err), &err);
    ctok_builder_free(builder);
    REQUIRE(model != NULL);
    CHECK_EQ(CTOK_OK, ctok_model_token(model, 301, &token));
    CHECK(bytes_equal(bytes_of("abc"), token));
    ctok_model_free(model);
}

/* Finishing a builder of two tokens (and a special, where its text is given). */
static ctok_status finish_with(const char *first, uint32_t first_id, const char *second,
                               uint32_t second_id, const char *special,
                               uint32_t special_id, uint32_t flags, ctok_error *err)
{
    ctok_builder *builder = NULL;
    ctok_model *model = NULL;
    ctok_status status;

    REQUIRE(ctok_builder_new(&builder, NULL, err) == CTOK_OK);
    REQUIRE(add_token(builder, first, first_id, err) == CTOK_OK);
    REQUIRE(add_token(builder, second, second_id, err) == CTOK_OK);
    if (special != NULL) {
        REQUIRE(ctok_builder_add_special(builder, bytes_of(special), special_id, err) ==
                CTOK_OK);
    }
    CHECK_STATUS(CTOK_OK, ctok_builder_set_flags(builder, flags, err), err);
    status = ctok_builder_finish(&model, builder, err);
    CHECK((status == CTOK_OK) == (model != NULL));
    ctok_model_free(model);
    ctok_builder_free(builder);
    return status;
}

static void test_what_is_there_twice_is_named(void)
{
    ctok_error err = {0};
    uint32_t lenient = CTOK_BUILD_ALLOW_DUPLICATES;

    CHECK_EQ(CTOK_E_DUPLICATE, finish_with("ab", 5, "ab", 6, NULL, 0, 0, &err));
    CHECK(strstr(err.message, "ab") != NULL);
    CHECK_EQ(CTOK_E_DUPLICATE, finish_with("ab", 5, "cd", 5, NULL, 0, 0, &err));
    CHECK(strstr(err.message, "ab") != NULL && strstr(err.message, "cd") != NULL);
    CHECK_EQ(5, err.id);
    CHECK_EQ(CTOK_E_DUPLICATE, finish_with("ab", 5, "cd", 6, "<s>", 6, 0, &err));
    CHECK(strstr(err.message, "cd") != NULL && strstr(err.message, "<s>") != NULL);
    CHECK_EQ(CTOK_OK, finish_with("ab", 5, "ab", 6, NULL, 0, lenient, &err));
    CHECK_EQ(CTOK_OK, finish_with("ab", 5, "cd", 5, NULL, 0, lenient, &err));
    CHECK_EQ(CTOK_OK, finish_with("ab", 5, "cd", 6, "<s>", 6, lenient, &err));
}

static void test_specials_share_an_id_and_the_first_decodes(void)
{
    ctok_error err = {0};
    ctok_builder *builder;
    ctok_model *model = NULL;
    ctok_bytes token;

    REQUIRE(ctok_builder_new(&builder, NULL, &err) == CTOK_OK);
    REQUIRE(add_token(builder, "ab", 5, &err) == CTOK_OK);
    REQUIRE(ctok_builder_add_special(builder, bytes_of("<s>"), 6, &err) == CTOK_OK);
    REQUIRE(ctok_builder_add_special(builder, bytes_of("<t>"), 6, &err) == CTOK_OK);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&model, builder, &err), &err);
    CHECK_STATUS(CTOK_OK, ctok_model_token(model, 6, &token), &err);
    CHECK(token.len == 3 && memcmp(token.ptr, "<s>", 3) == 0);
    ctok_model_free(model);
    ctok_builder_free(builder);
}

static void test_arguments_that_make_no_sense_are_refused(void)
{
    const uint32_t backwards[] = {2, 1};
    const uint32_t beyond[] = {1, 9};
    const uint32_t ids[] = {0, 1};
    const uint32_t none = UINT32_MAX;
    const uint32_t one = 1;
    ctok_splitter empty = {0};
    ctok_builder *builder;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, ctok_builder_new(&builder, NULL, &err), &err);
    CHECK_EQ(CTOK_E_ARGUMENT, ctok_builder_add_tokens(builder, bytes_of("abc"),
                                                      backwards, ids, 2, &err));
    CHECK_EQ(1, err.position);
    CHECK_EQ(CTOK_E_ARGUMENT,
             ctok_builder_add_tokens(builder, bytes_of("abc"), beyond, ids, 2, &err));
    CHECK_EQ(CTOK_E_LIMIT,
             ctok_builder_add_tokens(builder, bytes_of("a"), &one, &none, 1, &err));
    CHECK_EQ(CTOK_E_ARGUMENT, ctok_builder_add_special(builder, bytes_of(""), 1, &err));
    CHECK_EQ(CTOK_E_ARGUMENT, ctok_builder_set_splitter(builder, &empty, &err));
    CHECK_EQ(CTOK_E_ARGUMENT, ctok_builder_set_flags(builder, 1u << 31, &err));
    ctok_builder_free(builder);
}

static void test_merge_of_ids_that_do_not_exist_is_refused(void)
{
    const uint32_t left[] = {'a', 777};
    const uint32_t right[] = {'b', 'c'};
    const uint32_t merged[] = {300, 301};
    ctok_builder *builder;
    ctok_model *model = NULL;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, ctok_builder_new(&builder, NULL, &err), &err);
    CHECK_STATUS(CTOK_OK, add_all_bytes(builder, &err), &err);
    CHECK_STATUS(CTOK_OK,
                 ctok_builder_add_merges(builder, left, right, merged, 2, &err), &err);
    CHECK(ctok_builder_finish(&model, builder, &err) != CTOK_OK);
    CHECK(model == NULL);
    CHECK(strstr(err.message, "777") != NULL);
    ctok_builder_free(builder);
}

static void test_details_of_an_error_are_optional(void)
{
    ctok_builder *builder;
    ctok_model *model = NULL;

    CHECK_EQ(CTOK_OK, ctok_builder_new(&builder, NULL, NULL));
    CHECK_EQ(CTOK_E_ARGUMENT, ctok_builder_add_special(builder, bytes_of(""), 1, NULL));
    CHECK_EQ(CTOK_OK, add_token(builder, "ab", 1, NULL));
    CHECK_EQ(CTOK_OK, add_token(builder, "ab", 2, NULL));
    CHECK_EQ(CTOK_E_DUPLICATE, ctok_builder_finish(&model, builder, NULL));
    ctok_builder_free(builder);
}

static void test_nothing_is_freed_without_complaint(void)
{
    ctok_splitter empty = {0};

    ctok_builder_free(NULL);
    ctok_model_free(NULL);
    ctok_scratch_free(NULL);
    ctok_splitter_free(NULL);
    ctok_splitter_free(&empty);
}

static void test_statuses_have_names(void)
{
    CHECK(strcmp("CTOK_OK", ctok_status_name(CTOK_OK)) == 0);
    CHECK(strcmp("CTOK_E_SPLIT", ctok_status_name(CTOK_E_SPLIT)) == 0);
    CHECK(ctok_status_name((ctok_status)999) != NULL);
}

/* Slots of the index keep a part of a hash: others that have the same one are told apart by their
 * bytes. */
static void test_long_tokens_are_told_apart_by_all_of_their_bytes(void)
{
    enum { N_TOKENS = 2000, LEN = 20 };
    static char texts[N_TOKENS][LEN + 1];
    static const char *tokens[N_TOKENS + 1];
    uint64_t random = 5;
    ctok_model *model;
    ctok_error err = {0};
    uint32_t id;

    for (size_t i = 0; i < N_TOKENS; i++) {
        for (size_t k = 0; k < LEN; k++) {
            texts[i][k] = (char)('a' + check_random(&random) % 26);
        }
        tokens[i] = texts[i];
    }
    CHECK_STATUS(CTOK_OK, model_new(&model, tokens, NULL, NULL, NULL, &err), &err);
    REQUIRE(model != NULL);
    for (size_t i = 0; i < N_TOKENS; i++) {
        CHECK_EQ(CTOK_OK, ctok_model_find(model, bytes_of(texts[i]), &id));
        CHECK_EQ(256 + i, id);
    }
    for (size_t i = 0; i < 100000; i++) {
        char *other = texts[i % N_TOKENS];

        other[check_random(&random) % LEN] = (char)('A' + check_random(&random) % 26);
        CHECK_EQ(CTOK_E_RANK, ctok_model_find(model, bytes_of(other), &id));
    }
    ctok_model_free(model);
}

int main(void)
{
    test_empty_builder_makes_a_model_without_tokens();
    test_model_describes_itself();
    test_tokens_and_specials_are_found_by_id();
    test_only_whole_tokens_are_found_by_bytes();
    test_long_tokens_are_told_apart_by_all_of_their_bytes();
    test_merges_are_told();
    test_merges_given_as_a_list_make_their_tokens();
    test_what_is_there_twice_is_named();
    test_specials_share_an_id_and_the_first_decodes();
    test_arguments_that_make_no_sense_are_refused();
    test_merge_of_ids_that_do_not_exist_is_refused();
    test_details_of_an_error_are_optional();
    test_nothing_is_freed_without_complaint();
    test_statuses_have_names();
    return CHECK_RESULT();
}
