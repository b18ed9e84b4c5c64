/* Images whose parts hold to their rules and contradict each other: refused, or harmless. */
#include "check.h"
#include "images.h"

static const uint8_t FINGERPRINT[CTOK_FINGERPRINT_LEN] = "of this model";

/* Which array is that of ids. */
#define IDS_ARRAY 2

/* What the table of byte pairs says of the border between two bytes: 8 bytes a pair, these behind the
 * rank. */
#define N_BYTE_PAIRS 65536

static uint8_t *borders_of(const image *written)
{
    for (size_t i = 0; i < image_n_arrays(written); i++) {
        image_array array = image_array_of(written, i);

        if (array.n_items == N_BYTE_PAIRS) {
            return array.items + 4;
        }
    }
    REQUIRE(false);
    return NULL;
}

/* How many bytes tokens have together. */
static size_t bytes_of_ids(const ctok_model *model, const uint32_t *of, size_t n)
{
    size_t n_bytes = 0;

    for (size_t i = 0; i < n; i++) {
        ctok_bytes token = {NULL, 0};

        REQUIRE(ctok_model_token(model, of[i], &token) == CTOK_OK);
        n_bytes += token.len;
    }
    return n_bytes;
}

static void encode_pieces_of(const ctok_model *model, const char *letters)
{
    static uint8_t text[600];
    static uint32_t of[600];
    ctok_scratch *scratch = NULL;
    uint32_t seed = 7;

    REQUIRE(ctok_scratch_new(&scratch, 0, NULL, NULL) == CTOK_OK);
    for (size_t len = 1; len < sizeof text; len++) {
        /* At the end of memory of its own, so that no byte is read behind it. */
        uint8_t *piece = malloc(len);
        ctok_output out = {of, NULL, len, 0, 0};
        ctok_status status;

        REQUIRE(piece != NULL);
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            piece[i] = (uint8_t)letters[(seed >> 16) % strlen(letters)];
        }
        status =
            ctok_encode_piece(model, scratch, (ctok_bytes){piece, len}, &out, NULL);
        CHECK(status == CTOK_OK || status == CTOK_E_RANK);
        CHECK(out.n <= len);
        CHECK(status != CTOK_OK || bytes_of_ids(model, of, out.n) == len);
        free(piece);
    }
    ctok_scratch_free(scratch);
}

/* Each border is said to be the surest of all, so those beside each other contradict. No symbol may
 * stand for bytes that another one has, too. */
static void encode_without_borders_of(const ctok_model *model)
{
    image written = image_of(model, FINGERPRINT);
    uint8_t *borders = borders_of(&written);
    ctok_model *loaded;

    for (size_t i = 0; i < N_BYTE_PAIRS; i++) {
        memset(borders + 8 * i, 0xFF, 4);
    }
    image_sum_again(&written);
    loaded = image_read(&written, FINGERPRINT);
    encode_pieces_of(loaded, "abcd");
    ctok_model_free(loaded);
    free(written.bytes);
}

static void test_borders_that_contradict_each_other_are_harmless(void)
{
    static const char *const tokens[] = {"ab", "bc", "cd", "da",
                                         "ac", "bd", "ca", NULL};
    ctok_model *model = NULL;

    REQUIRE(model_new(&model, tokens, NULL, NULL, NULL, NULL) == CTOK_OK);
    encode_without_borders_of(model);
    ctok_model_free(model);
}

/* The same where the rank of a merge is not what it makes: the last one makes again what the first did. */
static void test_borders_of_merges_that_contradict_each_other_are_harmless(void)
{
    static const char pairs[] = "cabdacdacdbcabca";
    ctok_builder *builder = NULL;
    ctok_model *model = NULL;

    REQUIRE(ctok_builder_new(&builder, NULL, NULL) == CTOK_OK);
    REQUIRE(add_all_bytes(builder, NULL) == CTOK_OK);
    REQUIRE(ctok_builder_set_flags(builder, CTOK_BUILD_ALLOW_DUPLICATES, NULL) ==
            CTOK_OK);
    for (uint32_t i = 0; pairs[2 * i] != '\0'; i++) {
        uint32_t left = (uint8_t)pairs[2 * i];
        uint32_t right = (uint8_t)pairs[2 * i + 1];
        uint32_t merged = 256 + i % 7;

        REQUIRE(ctok_builder_add_merges(builder, &left, &right, &merged, 1, NULL) ==
                CTOK_OK);
    }
    REQUIRE(ctok_builder_finish(&model, builder, NULL) == CTOK_OK);
    encode_without_borders_of(model);
    ctok_model_free(model);
    ctok_builder_free(builder);
}

/* To merge many pieces at once finds a symbol without an id, to merge one finds ids. */
static void test_row_whose_symbol_has_no_id_ends_no_group(void)
{
    static const uint32_t sure = 0x3FFFFFFF;
    static const uint32_t none = UINT32_MAX;
    static const uint32_t zero = 0;
    const uint32_t last_id = 1000; /* far from its symbol, so ids are an array */
    ctok_builder *builder = NULL;
    ctok_scratch *scratch = NULL;
    ctok_splitter splitter;
    ctok_model *model = NULL;
    ctok_model *loaded;
    static char text[30000];
    static uint32_t of[30000];
    ctok_output out = {of, NULL, sizeof of / sizeof *of, 0, 0};
    image written;
    image_array ids;
    uint8_t *borders;
    size_t len = 0;

    REQUIRE(ctok_splitter_compile(&splitter, bytes_of("[^ ]+| "), CTOK_CPU_BEST, NULL,
                                  NULL) == CTOK_OK);
    REQUIRE(ctok_builder_new(&builder, NULL, NULL) == CTOK_OK);
    REQUIRE(add_all_bytes(builder, NULL) == CTOK_OK);
    REQUIRE(add_token(builder, "ab", last_id, NULL) == CTOK_OK);
    REQUIRE(add_token(builder, "bc", last_id + 1, NULL) == CTOK_OK);
    REQUIRE(ctok_builder_set_splitter(builder, &splitter, NULL) == CTOK_OK);
    REQUIRE(ctok_builder_finish(&model, builder, NULL) == CTOK_OK);
    written = image_of(model, FINGERPRINT);
    borders = borders_of(&written);
    memcpy(borders + 8 * ('a' << 8 | 'b'), &sure, sizeof sure);
    memcpy(borders + 8 * ('q' << 8 | 'a'), &zero, sizeof zero);
    ids = image_array_of(&written, IDS_ARRAY);
    REQUIRE(ids.n_items == 258);
    memcpy(ids.items + 4 * 257, &none, sizeof none);
    image_sum_again(&written);
    loaded = image_read(&written, FINGERPRINT);
    for (int i = 0; i < 3000; i++) {
        len +=
            (size_t)sprintf(text + len, "qabc%c%c ", 'g' + i % 10, 'g' + i / 10 % 10);
    }
    REQUIRE(ctok_scratch_new(&scratch, 0, NULL, NULL) == CTOK_OK);
    CHECK(ctok_encode(loaded, scratch, bytes_of(text), NULL, &out, NULL) !=
          CTOK_E_SPACE);
    ctok_scratch_free(scratch);
    ctok_model_free(loaded);
    ctok_model_free(model);
    ctok_builder_free(builder);
    free(written.bytes);
}

/* A vocabulary whose symbols are their own ids has few ids in its image, and no symbol above the
 * largest id. Here are the numbers that say so, where image.c puts them. */
#define N_IDS 4
#define MAX_ID 8

static ctok_status status_with(const image *written, size_t number, uint64_t value,
                               bool in_array)
{
    image made_up = image_copy(written->bytes, written->len);
    ctok_model *loaded = NULL;
    ctok_status status;

    memcpy(made_up.bytes + IMAGE_NUMBERS_AT + number * sizeof value, &value,
           sizeof value);
    if (in_array) {
        memcpy(made_up.bytes + image_array_at(&made_up, IDS_ARRAY) + 8, &value,
               sizeof value);
    }
    image_sum_again(&made_up);
    status = ctok_model_from_image(&loaded, image_view(&made_up), NULL, NULL, NULL);
    ctok_model_free(loaded);
    free(made_up.bytes);
    return status;
}

static void test_ids_that_contradict_the_symbols_are_refused(void)
{
    static const char *const tokens[] = {"ab", "abc", "aa", "aaaa", NULL};
    const uint64_t n_symbols = 256 + 4;
    ctok_model *model = NULL;
    image written;

    REQUIRE(model_new(&model, tokens, NULL, NULL, NULL, NULL) == CTOK_OK);
    written = image_of(model, FINGERPRINT);
    CHECK_EQ(CTOK_OK, status_with(&written, N_IDS, 1, true));
    CHECK_EQ(CTOK_E_IMAGE, status_with(&written, N_IDS, 0, true));
    CHECK_EQ(CTOK_E_IMAGE, status_with(&written, N_IDS, n_symbols + 1, true));
    CHECK_EQ(CTOK_E_IMAGE, status_with(&written, N_IDS, 2, false));
    CHECK_EQ(CTOK_OK, status_with(&written, MAX_ID, n_symbols - 1, false));
    CHECK_EQ(CTOK_E_IMAGE, status_with(&written, MAX_ID, n_symbols - 2, false));
    ctok_model_free(model);
    free(written.bytes);
}

int main(void)
{
    test_borders_that_contradict_each_other_are_harmless();
    test_borders_of_merges_that_contradict_each_other_are_harmless();
    test_row_whose_symbol_has_no_id_ends_no_group();
    test_ids_that_contradict_the_symbols_are_refused();
    return CHECK_RESULT();
}
