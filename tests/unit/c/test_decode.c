/* Ids to bytes. */
#include "check.h"

static ctok_model *model;

static void test_bytes_of_ids_are_joined(void)
{
    const uint32_t ids[] = {'x', 256, 1000, 'y'};
    uint8_t out[64];
    size_t len;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, ctok_decode(model, ids, 4, out, sizeof out, &len, &err),
                 &err);
    CHECK(bytes_equal(bytes_of("xab<|end|>y"), (ctok_bytes){out, len}));
}

static void test_no_ids_are_no_bytes(void)
{
    size_t len = 7;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, ctok_decode(model, NULL, 0, NULL, 0, &len, &err), &err);
    CHECK_EQ(0, len);
}

static void test_lack_of_room_reports_the_size_and_writes_nothing_beyond(void)
{
    const uint32_t ids[] = {'x', 256, 1000, 'y'};
    uint8_t out[16];
    size_t len;
    ctok_error err = {0};

    for (size_t cap = 0; cap < 11; cap++) {
        memset(out, 0xAA, sizeof out);
        CHECK_EQ(CTOK_E_SPACE, ctok_decode(model, ids, 4, out, cap, &len, &err));
        CHECK_EQ(11, len);
        for (size_t i = cap; i < sizeof out; i++) {
            CHECK_EQ(0xAA, out[i]);
        }
    }
    memset(out, 0xAA, sizeof out);
    CHECK_STATUS(CTOK_OK, ctok_decode(model, ids, 4, out, 11, &len, &err), &err);
    CHECK_EQ(0xAA, out[11]);
}

static void test_bound_is_enough_for_any_ids(void)
{
    const uint32_t longest[] = {1000, 1000, 1000};
    size_t len;
    size_t bound = ctok_decode_bound(model, 3);
    uint8_t *out = malloc(bound);
    ctok_error err = {0};

    REQUIRE(out != NULL);
    CHECK(bound >= 21);
    CHECK_STATUS(CTOK_OK, ctok_decode(model, longest, 3, out, bound, &len, &err), &err);
    CHECK_EQ(21, len);
    free(out);
}

static void test_unknown_id_is_named_with_its_index(void)
{
    const uint32_t unknown[] = {257, 999, 1001, UINT32_MAX};
    uint8_t out[16];
    size_t len;

    for (size_t i = 0; i < 4; i++) {
        uint32_t ids[] = {'x', 'y', 0, 'z'};
        ctok_error err = {0};

        ids[2] = unknown[i];
        CHECK_EQ(CTOK_E_ID, ctok_decode(model, ids, 4, out, sizeof out, &len, &err));
        CHECK_EQ(CTOK_E_ID, err.code);
        CHECK_EQ(unknown[i], err.id);
        CHECK_EQ(2, err.position);
    }
}

static void test_every_id_decodes_to_its_token(void)
{
    for (uint32_t id = 0; id < 256; id++) {
        uint8_t byte;
        size_t len;
        ctok_error err = {0};

        CHECK_STATUS(CTOK_OK, ctok_decode(model, &id, 1, &byte, 1, &len, &err), &err);
        CHECK(len == 1 && byte == id);
    }
}

/* Blocks of ids, and the last bytes of the output, where copies must be exact. */
static void test_any_number_of_ids_fits_into_exactly_its_bytes(void)
{
    for (size_t n = 0; n < 200; n++) {
        uint32_t ids[200];
        uint8_t *out;
        size_t len = 0;
        size_t again = 0;
        ctok_error err = {0};

        for (size_t i = 0; i < n; i++) {
            ids[i] = i % 7 == 0 ? 1000 : i % 3 == 0 ? 256 : 'a' + (uint32_t)(i % 26);
        }
        CHECK_STATUS(CTOK_OK, ctok_decode_len(model, ids, n, &len, &err), &err);
        out = malloc(len + 1); /* of its own, so that a sanitizer sees what is beyond */
        REQUIRE(out != NULL);
        CHECK_STATUS(CTOK_OK, ctok_decode(model, ids, n, out, len, &again, &err), &err);
        CHECK_EQ(len, again);
        for (size_t i = 0, at = 0; i < n; i++) {
            ctok_bytes token;

            CHECK_EQ(CTOK_OK, ctok_model_token(model, ids[i], &token));
            CHECK(bytes_equal(token, (ctok_bytes){out + at, token.len}));
            at += token.len;
        }
        if (len > 0) {
            CHECK_EQ(CTOK_E_SPACE,
                     ctok_decode(model, ids, n, out, len - 1, &again, &err));
            CHECK_EQ(len, again);
        }
        free(out);
    }
}

static void test_unknown_id_has_no_length(void)
{
    const uint32_t ids[] = {'x', 'y', 999};
    size_t len = 7;
    ctok_error err = {0};

    CHECK_EQ(CTOK_E_ID, ctok_decode_len(model, ids, 3, &len, &err));
    CHECK_EQ(0, len);
    CHECK_EQ(2, err.position);
}

int main(void)
{
    const char *tokens[] = {"ab", NULL};
    const char *specials[] = {"<|end|>", NULL};
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, tokens, specials, NULL, NULL, &err), &err);
    REQUIRE(model != NULL);
    test_bytes_of_ids_are_joined();
    test_no_ids_are_no_bytes();
    test_lack_of_room_reports_the_size_and_writes_nothing_beyond();
    test_bound_is_enough_for_any_ids();
    test_unknown_id_is_named_with_its_index();
    test_every_id_decodes_to_its_token();
    test_any_number_of_ids_fits_into_exactly_its_bytes();
    test_unknown_id_has_no_length();
    ctok_model_free(model);
    return CHECK_RESULT();
}
