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
        ctok_model *again = image_read(&written, FINGERPRINT);
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
    again = image_read(&written, FINGERPRINT);
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
    test_every_allocation_may_fail();
    test_the_version_belongs_to_this_layout();
    return CHECK_RESULT();
}
