/* No byte is read behind an input, none written behind an output: each ends where a page
 * that may not be touched begins. */
#define _DEFAULT_SOURCE
#include "check.h"
#include "known_patterns.h"

#include <sys/mman.h>
#include <unistd.h>

#define MAX_LEN 700

typedef struct guarded {
    uint8_t *start;
    size_t len;
    size_t page;
} guarded;

/* Memory whose last byte touches a forbidden page. */
static guarded guarded_new(size_t len)
{
    guarded g;
    int status;

    g.page = (size_t)sysconf(_SC_PAGESIZE);
    g.len = (len + g.page - 1) / g.page * g.page;
    g.start = mmap(NULL, g.len + g.page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(g.start != MAP_FAILED);
    status = mprotect(g.start + g.len, g.page, PROT_NONE);
    REQUIRE(status == 0);
    return g;
}

static void guarded_free(guarded *g)
{
    munmap(g->start, g->len + g->page);
}

/* The last n bytes before the forbidden page. */
static void *guarded_last(const guarded *g, size_t n)
{
    REQUIRE(n <= g->len);
    return g->start + g->len - n;
}

static const char *const TOKENS[] = {"ab", "abc", " c", "aa", "aaaa", "  ", NULL};
static const char *const SPECIALS[] = {"<|a|>", "<|ab|>", NULL};
static const char PATTERN[] = "'(?i:s|ll)| ?\\p{L}+| ?\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+"
                              "|\\s+(?!\\S)|\\s+";
/* Texts end in the middle of these at every length. */
static const char *const UNITS[] = {
    "a",
    "abc cab ",
    "   ",
    "it's '",
    "<|a|>",
    "x<|a",
    "1234 ",
    "\xC3\xA9 ",
    "\xE6\xBC\xA2\xE5\xAD\x97",
    "\xF0\x9F\x98\x80",
    "\r\n",
    NULL,
};

static size_t fill(uint8_t *text, size_t len, const char *unit)
{
    size_t n_unit = strlen(unit);
    size_t n = 0;

    for (; n + n_unit <= len; n += n_unit) {
        memcpy(text + n, unit, n_unit);
    }
    for (; n < len; n++) {
        text[n] = 'a';
    }
    return len;
}

static void test_text_is_not_read_beyond_its_end(const ctok_model *model)
{
    guarded input = guarded_new(MAX_LEN);
    guarded ids = guarded_new(MAX_LEN * 4);
    guarded bytes = guarded_new(MAX_LEN);
    const uint64_t allowed = 3;
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    ctok_scratch *scratch;
    ctok_error err = {0};

    options.allowed = &allowed;
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&scratch, CTOK_CACHE_DEFAULT, NULL, &err),
                 &err);
    for (size_t u = 0; UNITS[u] != NULL; u++) {
        for (size_t len = 0; len <= MAX_LEN; len += len < 140 ? 1 : 37) {
            uint8_t *text = guarded_last(&input, len);
            ctok_bytes view = {text, fill(text, len, UNITS[u])};
            ctok_output counted = {NULL, NULL, 0, 0, 0};
            ctok_output out = {NULL, NULL, 0, 0, 0};
            size_t n_bytes;

            CHECK_EQ(len, ctok_utf8_valid(view));
            CHECK_STATUS(CTOK_OK,
                         ctok_encode(model, scratch, view, &options, &counted, &err),
                         &err);
            /* Exactly as much room as is needed, up to the forbidden page. */
            out.ids = guarded_last(&ids, counted.n * sizeof *out.ids);
            out.cap = counted.n;
            CHECK_STATUS(CTOK_OK,
                         ctok_encode(model, scratch, view, &options, &out, &err), &err);
            CHECK_STATUS(CTOK_OK,
                         ctok_decode(model, out.ids, out.n, guarded_last(&bytes, len),
                                     len, &n_bytes, &err),
                         &err);
            CHECK(bytes_equal(view, (ctok_bytes){guarded_last(&bytes, len), n_bytes}));
        }
    }
    ctok_scratch_free(scratch);
    guarded_free(&bytes);
    guarded_free(&ids);
    guarded_free(&input);
}

static void test_pattern_is_not_read_beyond_its_end(void)
{
    guarded input = guarded_new(sizeof PATTERN);
    size_t n = sizeof PATTERN - 1;

    /* Cut anywhere, most of these are malformed: they must be refused, not read on. */
    for (size_t len = 0; len <= n; len++) {
        uint8_t *pattern = guarded_last(&input, len);
        ctok_splitter splitter = {0};
        ctok_error err = {0};

        memcpy(pattern, PATTERN, len);
        if (ctok_splitter_compile(&splitter, (ctok_bytes){pattern, len}, CTOK_CPU_BEST,
                                  NULL, &err) != CTOK_OK) {
            CHECK(err.position <= len);
        }
        ctok_splitter_free(&splitter);
    }
    guarded_free(&input);
}

static void test_code_units_are_not_read_beyond_their_end(void)
{
    static const size_t sizes[] = {1, 2, 4};
    guarded input = guarded_new(MAX_LEN * 4);
    guarded output = guarded_new(MAX_LEN * 4);

    for (size_t s = 0; s < 3; s++) {
        for (size_t n = 0; n <= 100; n++) {
            uint8_t *units = guarded_last(&input, n * sizes[s]);
            size_t bound = ctok_utf8_bound(sizes[s], n);
            size_t n_surrogates;
            size_t len;

            memset(units, 0xD8, n * sizes[s]); /* U+00D8, lone U+D8D8, beyond Unicode */
            len = ctok_utf8_from_units(units, sizes[s], n, guarded_last(&output, bound),
                                       &n_surrogates);
            CHECK(len <= bound);
            CHECK_EQ(n * (s == 0 ? 2 : 3), len);
        }
    }
    guarded_free(&output);
    guarded_free(&input);
}

static void test_tokens_are_not_read_beyond_their_end(void)
{
    guarded input = guarded_new(16);
    guarded numbers = guarded_new(16);
    uint8_t *blob = guarded_last(&input, 5);
    uint32_t *ends = guarded_last(&numbers, 2 * sizeof *ends);
    ctok_builder *builder;
    ctok_model *model = NULL;
    ctok_error err = {0};
    uint32_t id;

    memcpy(blob, "ababc", 5);
    ends[0] = 2;
    ends[1] = 5;
    CHECK_STATUS(CTOK_OK, ctok_builder_new(&builder, NULL, &err), &err);
    CHECK_STATUS(
        CTOK_OK,
        ctok_builder_add_tokens(builder, (ctok_bytes){blob, 5}, ends, ends, 2, &err),
        &err);
    CHECK_STATUS(CTOK_OK,
                 ctok_builder_add_special(builder, (ctok_bytes){blob, 5}, 9, &err),
                 &err);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&model, builder, &err), &err);
    ctok_builder_free(builder);
    REQUIRE(model != NULL);
    CHECK_EQ(CTOK_OK, ctok_model_find(model, (ctok_bytes){blob + 2, 3}, &id));
    CHECK_EQ(5, id);
    ctok_model_free(model);
    guarded_free(&numbers);
    guarded_free(&input);
}

static void test_texts_of(const char *pattern)
{
    ctok_model *model;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, TOKENS, SPECIALS, pattern, NULL, &err),
                 &err);
    REQUIRE(model != NULL);
    test_text_is_not_read_beyond_its_end(model);
    ctok_model_free(model);
}

int main(void)
{
    ctok_cpu tiers[CHECK_MAX_TIERS];
    size_t n_tiers = check_tiers(tiers);

    for (size_t t = 0; t < n_tiers; t++) {
        check_cpu = tiers[t];
        test_texts_of(NULL);
        test_texts_of(PATTERN);
        for (size_t i = 0; i < N_KNOWN_PATTERNS; i++) { /* vector code reads ahead */
            test_texts_of(known_patterns[i]);
        }
    }
    test_pattern_is_not_read_beyond_its_end();
    test_code_units_are_not_read_beyond_their_end();
    test_tokens_are_not_read_beyond_their_end();
    return CHECK_RESULT();
}
