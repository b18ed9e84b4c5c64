/* Images: the model read is the model written; what is damaged is refused; and what was made up
 * cannot make a call misbehave. */
#include "check.h"
#include "images.h"

static const uint8_t FINGERPRINT[CTOK_FINGERPRINT_LEN] = "the definition of this model";
static const char *const TOKENS[] = {"ab", "abc", "aa", "aaaa", " c", "\xC3\xA9", NULL};
static const char *const SPECIALS[] = {"<|a|>", "<|bcd|>", NULL};
static const char PATTERN[] = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++"
                              "| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s";
static const char TEXT[] = "abc's aaaaaaaaaaaaaa \xC3\xA9t\xC3\xA9 12 <|a|> <|bcd|>  \n"
                           " ab\xE4\xBA\xBA c abcabcabc <|b|> \xF0\x9F\x98\x80 ......";

static ctok_model *sample_model(const char *pattern)
{
    ctok_model *model = NULL;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, TOKENS, SPECIALS, pattern, NULL, &err),
                 &err);
    REQUIRE(model != NULL);
    return model;
}

static ctok_model *read_image(const image *from)
{
    const ctok_image_options options = {.fingerprint = FINGERPRINT};
    ctok_model *model = NULL;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK,
                 ctok_model_from_image(&model, image_view(from), &options, NULL, &err),
                 &err);
    REQUIRE(model != NULL);
    return model;
}

typedef struct ids {
    ctok_status status;
    size_t n;
    uint32_t of[512];
    ctok_range ranges[512];
} ids;

static ids encode(const ctok_model *model, ctok_bytes text)
{
    const uint64_t allowed = 3;
    ctok_encode_options options = {.allowed = &allowed};
    ctok_scratch *scratch = NULL;
    static ids out;
    ctok_output output = {out.of, out.ranges, 512, 0, 0};

    memset(&out, 0, sizeof out);
    REQUIRE(ctok_scratch_new(&scratch, 1 << 12, NULL, NULL) == CTOK_OK);
    out.status = ctok_encode(model, scratch, text, &options, &output, NULL);
    out.n = output.n;
    ctok_scratch_free(scratch);
    return out;
}

/* ---- there and back ----------------------------------------------------------- */

static void check_same(const ctok_model *expected, const ctok_model *actual)
{
    ctok_bytes long_run = {(const uint8_t *)TEXT + 6, 14};
    ctok_model_info a;
    ctok_model_info b;
    ids x = encode(expected, bytes_of(TEXT));
    ids y = encode(actual, bytes_of(TEXT));

    CHECK(x.status == CTOK_OK && memcmp(&x, &y, sizeof x) == 0);
    x = encode(expected, long_run);
    y = encode(actual, long_run);
    CHECK(memcmp(&x, &y, sizeof x) == 0);
    ctok_model_describe(expected, &a);
    ctok_model_describe(actual, &b);
    CHECK(a.n_tokens == b.n_tokens && a.n_specials == b.n_specials);
    CHECK(a.n_merges == b.n_merges && a.max_id == b.max_id);
    CHECK(a.max_token_len == b.max_token_len && a.is_proper == b.is_proper);
    CHECK(strcmp(a.splitter, b.splitter) == 0);
    for (uint32_t id = 0; id <= a.max_id + 1; id++) {
        ctok_bytes token;
        ctok_bytes same;
        uint32_t found = 0;
        uint32_t also = 0;

        CHECK_EQ(ctok_model_token(expected, id, &token),
                 ctok_model_token(actual, id, &same));
        CHECK(bytes_equal(token, same));
        CHECK_EQ(ctok_model_find(expected, token, &found),
                 ctok_model_find(actual, token, &also));
        CHECK_EQ(found, also);
    }
}

static void test_model_read_is_the_model_written(void)
{
    static const char *const patterns[] = {PATTERN, "[a-z]+|.", NULL};

    for (size_t i = 0; i < 3; i++) {
        ctok_model *model = sample_model(patterns[i]);
        image written = image_of(model, FINGERPRINT);
        ctok_model *again = read_image(&written);
        image rewritten = image_of(again, FINGERPRINT);

        check_same(model, again);
        CHECK(bytes_equal(image_view(&written), image_view(&rewritten)));
        ctok_model_free(again);
        ctok_model_free(model);
        free(written.bytes);
        free(rewritten.bytes);
    }
}

static void test_merges_and_scattered_ids_come_back(void)
{
    const uint32_t left[] = {'a', 4000000000u, 'a'};
    const uint32_t right[] = {'b', 'c', 'b'};
    const uint32_t merged[] = {4000000000u, 70000, 300};
    ctok_builder *builder = NULL;
    ctok_model *model = NULL;
    ctok_model *again;
    ctok_error err = {0};
    image written;
    ids x;
    ids y;

    REQUIRE(ctok_builder_new(&builder, NULL, NULL) == CTOK_OK);
    REQUIRE(add_all_bytes(builder, NULL) == CTOK_OK);
    REQUIRE(ctok_builder_set_flags(
                builder, CTOK_BUILD_ALLOW_DUPLICATES | CTOK_BUILD_NO_WHOLE_PIECE,
                NULL) == CTOK_OK);
    REQUIRE(ctok_builder_add_merges(builder, left, right, merged, 3, NULL) == CTOK_OK);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&model, builder, &err), &err);
    ctok_builder_free(builder);
    REQUIRE(model != NULL);
    written = image_of(model, FINGERPRINT);
    again = read_image(&written);
    x = encode(model, bytes_of("abcab"));
    y = encode(again, bytes_of("abcab"));
    CHECK(x.status == CTOK_OK && x.n == 2 && memcmp(&x, &y, sizeof x) == 0);
    ctok_model_free(again);
    ctok_model_free(model);
    free(written.bytes);
}

static void test_a_buffer_that_is_too_small_is_told_the_size(void)
{
    ctok_model *model = sample_model(PATTERN);
    uint8_t byte = 7;
    size_t len = 0;

    CHECK_EQ(CTOK_E_SPACE,
             ctok_model_image_write(model, FINGERPRINT, &byte, 1, &len, NULL));
    CHECK_EQ(ctok_model_image_size(model), len);
    CHECK_EQ(7, byte);
    ctok_model_free(model);
}

/* ---- splitters from outside ----------------------------------------------------- */

static int n_freed;

static void count_free(void *self)
{
    (void)self;
    n_freed++;
}

static ctok_status one_piece(const void *self, void *state, ctok_bytes text,
                             ctok_split_cursor *cursor, ctok_split_block *block,
                             ctok_error *err)
{
    (void)self;
    (void)state;
    (void)err;
    block->start = cursor->position;
    block->n_pieces = cursor->position < text.len;
    block->ends[0] = (uint32_t)(text.len - cursor->position);
    cursor->position = text.len;
    return CTOK_OK;
}

static void test_splitter_from_outside_is_given_again(void)
{
    ctok_splitter outside = {.name = "outside", .next = one_piece, .free = count_free};
    ctok_splitter again = outside;
    ctok_splitter unused = outside;
    ctok_image_options options = {.splitter = &again};
    ctok_builder *builder = NULL;
    ctok_model *model = NULL;
    ctok_model *loaded = NULL;
    image written;

    n_freed = 0;
    REQUIRE(ctok_builder_new(&builder, NULL, NULL) == CTOK_OK);
    REQUIRE(add_all_bytes(builder, NULL) == CTOK_OK);
    REQUIRE(ctok_builder_set_splitter(builder, &outside, NULL) == CTOK_OK);
    REQUIRE(ctok_builder_finish(&model, builder, NULL) == CTOK_OK);
    ctok_builder_free(builder);
    written = image_of(model, FINGERPRINT);
    CHECK_EQ(CTOK_E_UNSUPPORTED,
             ctok_model_from_image(&loaded, image_view(&written), NULL, NULL, NULL));
    CHECK(loaded == NULL);
    REQUIRE(ctok_model_from_image(&loaded, image_view(&written), &options, NULL,
                                  NULL) == CTOK_OK);
    CHECK(again.next == NULL);
    CHECK_EQ(2, encode(loaded, bytes_of("ab")).n);
    ctok_model_free(loaded);
    ctok_model_free(model);
    CHECK_EQ(2, n_freed);
    written.bytes[0] ^= 1;
    options.splitter = &unused;
    CHECK_EQ(CTOK_E_IMAGE, ctok_model_from_image(&loaded, image_view(&written),
                                                 &options, NULL, NULL));
    CHECK_EQ(3, n_freed);
    free(written.bytes);
}

/* ---- refusals ----------------------------------------------------------------- */

static ctok_status status_of(const uint8_t *bytes, size_t len)
{
    const ctok_image_options options = {.fingerprint = FINGERPRINT};
    image exact = image_copy(bytes, len);
    ctok_model *model = NULL;
    ctok_error err = {0};
    ctok_status status =
        ctok_model_from_image(&model, image_view(&exact), &options, NULL, &err);

    CHECK((status == CTOK_OK) == (model != NULL));
    CHECK(status == CTOK_OK || (err.code == status && err.message[0] != '\0'));
    ctok_model_free(model);
    free(exact.bytes);
    return status;
}

static void test_no_part_of_an_image_is_one(void)
{
    ctok_model *model = sample_model(PATTERN);
    image written = image_of(model, FINGERPRINT);
    size_t step = 1;

    for (size_t len = 0; len < written.len; len += step) {
        step = len < 4096 || written.len - len < 4096 ? 1 : 509;
        CHECK_EQ(CTOK_E_IMAGE, status_of(written.bytes, len));
    }
    CHECK_EQ(CTOK_OK, status_of(written.bytes, written.len));
    ctok_model_free(model);
    free(written.bytes);
}

static void test_an_image_with_any_byte_changed_is_refused(void)
{
    ctok_model *model = sample_model(PATTERN);
    image written = image_of(model, FINGERPRINT);

    /* All of the head; a sum that misses one place misses those like it. */
    for (size_t at = 0; at < written.len; at += at < 2048 ? 1 : 251) {
        written.bytes[at] ^= (uint8_t)(1 << at % 8);
        CHECK_EQ(CTOK_E_IMAGE, status_of(written.bytes, written.len));
        written.bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    ctok_model_free(model);
    free(written.bytes);
}

static void test_an_image_of_another_definition_is_refused(void)
{
    static const uint8_t other[CTOK_FINGERPRINT_LEN] = "another definition";
    ctok_model *model = sample_model(PATTERN);
    image written = image_of(model, other);
    ctok_model *loaded = NULL;

    CHECK_EQ(CTOK_E_IMAGE, status_of(written.bytes, written.len));
    CHECK_EQ(CTOK_OK,
             ctok_model_from_image(&loaded, image_view(&written), NULL, NULL, NULL));
    ctok_model_free(loaded);
    ctok_model_free(model);
    free(written.bytes);
}

static void test_an_image_that_is_not_aligned_is_refused(void)
{
    ctok_model *model = sample_model(PATTERN);
    image written = image_of(model, FINGERPRINT);
    ctok_bytes view = {written.bytes + 8, written.len - 8};
    ctok_model *loaded = NULL;

    CHECK_EQ(CTOK_E_ARGUMENT, ctok_model_from_image(&loaded, view, NULL, NULL, NULL));
    ctok_model_free(model);
    free(written.bytes);
}

/* ---- made up -------------------------------------------------------------------- */

/* Uses a model in every way; ids may be any, but memory and time are kept. */
static void use(const ctok_model *model)
{
    static char run[300];
    uint8_t bytes[4096];
    size_t len = 0;
    ids x = encode(model, bytes_of(TEXT));

    CHECK(x.n <= strlen(TEXT) || x.status != CTOK_OK);
    if (x.status == CTOK_OK) {
        (void)ctok_decode(model, x.of, x.n, bytes, sizeof bytes, &len, NULL);
    }
    memset(run, 'a', sizeof run - 1);
    (void)encode(model, bytes_of(run));
    for (uint32_t id = 0; id < 1010; id++) {
        ctok_bytes token;
        uint32_t rank;

        if (ctok_model_token(model, id, &token) == CTOK_OK) {
            (void)ctok_model_find(model, token, &rank);
            (void)ctok_model_merge(model, token, token, &rank, &token);
        }
    }
}

/* Bytes are changed in turn, with a sum that fits, and the model used if it is taken: all at the
 * front, where sizes are, then each seventh, which comes by every byte of an item, and where
 * nothing but the same repeats a few. */
static void test_made_up_images_are_refused_or_harmless(void)
{
    ctok_model *model = sample_model(PATTERN);
    image written = image_of(model, FINGERPRINT);
    size_t n_refused = 0;
    size_t n_taken = 0;
    size_t same =
        0; /* bytes since the last that was not as the one of the item before */

    for (size_t at = IMAGE_FINGERPRINT_AT + CTOK_FINGERPRINT_LEN; at < written.len;
         at++) {
        const uint8_t byte = written.bytes[at];
        const uint8_t made_up[] = {(uint8_t)(byte ^ 0xFF), (uint8_t)(byte + 1)};
        ctok_model *loaded = NULL;

        same = byte == written.bytes[at - 8] ? same + 1 : 0;
        if (at > 2048 && at % (same > 64 ? 1009 : 7) != 0) {
            continue;
        }
        written.bytes[at] = made_up[at / 4 % 2];
        image_sum_again(&written);
        if (ctok_model_from_image(&loaded, image_view(&written), NULL, NULL, NULL) ==
            CTOK_OK) {
            n_taken++;
            use(loaded);
            ctok_model_free(loaded);
        } else {
            n_refused++;
        }
        written.bytes[at] = byte;
    }
    CHECK(n_taken > 500 && n_refused > 500);
    ctok_model_free(model);
    free(written.bytes);
}

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
    loaded = read_image(&written);
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
    loaded = read_image(&written);
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
    ctok_model *model = NULL;
    image written;
    const uint64_t n_symbols = 256 + 6;

    REQUIRE(model_new(&model, TOKENS, NULL, PATTERN, NULL, NULL) == CTOK_OK);
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

/* ---- memory ------------------------------------------------------------------- */

static void test_every_allocation_may_fail(void)
{
    ctok_model *model = sample_model(PATTERN);
    image written = image_of(model, FINGERPRINT);
    ctok_status status = CTOK_E_MEMORY;
    size_t n;

    for (n = 1; status != CTOK_OK; n++) {
        failing_alloc failing = {.fail_at = n};
        ctok_allocator alloc = failing_allocator(&failing);
        ctok_model *loaded = NULL;
        ctok_error err = {0};

        status =
            ctok_model_from_image(&loaded, image_view(&written), NULL, &alloc, &err);
        CHECK(status == CTOK_OK || (status == CTOK_E_MEMORY && loaded == NULL));
        if (status == CTOK_OK) {
            /* Nothing of the tables was copied. */
            CHECK(failing.live_bytes < 8192);
            check_same(model, loaded);
        }
        ctok_model_free(loaded);
        CHECK_EQ(0, failing.n_live);
        CHECK_EQ(0, failing.live_bytes);
        REQUIRE(n < 100);
    }
    CHECK(n > 5);
    ctok_model_free(model);
    free(written.bytes);
}

/* ---- version ------------------------------------------------------------------ */

/* The bytes of an image decide what older and newer builds make of it. When this fails and the
 * change is meant: count IMAGE_VERSION in csrc/image.c up, then put both numbers here. */
static void test_the_version_belongs_to_this_layout(void)
{
    const uint32_t version = 11;
    const uint64_t sum = UINT64_C(0x37FA883674F68340);
    const uint32_t one = 1;
    ctok_model *model = sample_model(PATTERN);
    image written = image_of(model, FINGERPRINT);
    uint32_t found_version;
    uint64_t found_sum;

    memcpy(&found_version, written.bytes + 12, sizeof found_version);
    memcpy(&found_sum, written.bytes + IMAGE_SUM_AT, sizeof found_sum);
    CHECK_EQ(version, found_version);
    if (*(const uint8_t *)&one == 1) { /* the other byte order has another sum */
        CHECK_EQ(sum, found_sum);
    }
    ctok_model_free(model);
    free(written.bytes);
}

int main(void)
{
    test_model_read_is_the_model_written();
    test_merges_and_scattered_ids_come_back();
    test_a_buffer_that_is_too_small_is_told_the_size();
    test_splitter_from_outside_is_given_again();
    test_no_part_of_an_image_is_one();
    test_an_image_with_any_byte_changed_is_refused();
    test_an_image_of_another_definition_is_refused();
    test_an_image_that_is_not_aligned_is_refused();
    test_made_up_images_are_refused_or_harmless();
    test_borders_that_contradict_each_other_are_harmless();
    test_borders_of_merges_that_contradict_each_other_are_harmless();
    test_row_whose_symbol_has_no_id_ends_no_group();
    test_ids_that_contradict_the_symbols_are_refused();
    test_every_allocation_may_fail();
    test_the_version_belongs_to_this_layout();
    return CHECK_RESULT();
}
