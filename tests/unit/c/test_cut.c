/* Places where a text may be cut: the pieces of both halves are those of the whole, for every
 * known pattern, at every such place of texts made to break it. */
#include "check.h"
#include "known_patterns.h"

#define MAX_PIECES 400

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % n;
}

/* What patterns treat unlike what is beside it. */
static const char *const UNITS[] = {
    "a",
    "B",
    "s",
    "S",
    "'",
    "'s",
    "'re",
    "'LL",
    "l",
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\v",
    "1",
    "23",
    "4567",
    "/",
    "!",
    ".",
    "<",
    "\x1C",
    "\x7F",
    "\xC2\xA0",         /* no-break space */
    "\xC2\x85",         /* next line */
    "\xE3\x80\x80",     /* ideographic space */
    "\xE2\x80\xA8",     /* line separator */
    "\xE2\x80\x99",     /* curly apostrophe */
    "\xC3\xA9",         /* e with acute */
    "\xC3\x89",         /* E with acute */
    "\xC7\x85",         /* title case */
    "\xCA\xB0",         /* modifier letter */
    "\xC5\xBF",         /* long s, equal to s when case does not count */
    "\xCC\x81",         /* combining mark */
    "\xE0\xA4\xBE",     /* spacing mark */
    "\xD7\x90",         /* alef */
    "\xE6\xBC\xA2",     /* ideograph */
    "\xE3\x80\x87",     /* ideographic zero: Han, a number */
    "\xE3\x80\x85",     /* iteration mark: Han, a letter */
    "\xE2\xBA\x80",     /* radical: Han, a symbol */
    "\xE3\x81\x82",     /* hiragana */
    "\xC2\xB2",         /* superscript two */
    "\xD9\xA3",         /* arabic digit */
    "\xF0\x9F\x98\x80", /* emoji */
};
#define N_UNITS (sizeof UNITS / sizeof UNITS[0])

static size_t make_text(uint8_t *out, size_t cap)
{
    size_t n = 1 + draw(24);
    size_t few = 2 + draw(N_UNITS - 2);
    size_t from = draw(N_UNITS);
    size_t len = 0;

    while (n-- > 0) {
        const char *unit = UNITS[(from + draw((uint32_t)few)) % N_UNITS];
        size_t unit_len = strlen(unit);

        if (len + unit_len > cap) {
            break;
        }
        memcpy(out + len, unit, unit_len);
        len += unit_len;
    }
    return len;
}

/* The ends of the pieces of text, shifted by from. */
static size_t ends_of(const ctok_splitter *splitter, ctok_bytes text, size_t from,
                      size_t *ends)
{
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block block;
    size_t n = 0;

    do {
        REQUIRE(splitter->next(splitter->self, NULL, text, &cursor, &block, NULL) ==
                CTOK_OK);
        for (uint32_t i = 0; i < block.n_pieces; i++) {
            REQUIRE(n < MAX_PIECES);
            ends[n++] = from + block.start + block.ends[i];
        }
    } while (block.n_pieces > 0);
    return n;
}

static size_t check_cuts(const ctok_splitter *splitter, ctok_bytes text)
{
    size_t whole[MAX_PIECES];
    size_t parts[2 * MAX_PIECES];
    size_t n_whole = ends_of(splitter, text, 0, whole);
    size_t n_cuts = 0;

    for (size_t at = splitter->cut(splitter->self, text, text.len); at > 0;
         at = splitter->cut(splitter->self, text, at - 1)) {
        ctok_bytes left = {text.ptr, at};
        ctok_bytes right = {text.ptr + at, text.len - at};
        size_t n = ends_of(splitter, left, 0, parts);

        n += ends_of(splitter, right, at, parts + n);
        CHECK_EQ(n_whole, n);
        CHECK(n == n_whole && memcmp(whole, parts, n * sizeof *parts) == 0);
        n_cuts++;
    }
    return n_cuts;
}

static void test_pieces_of_halves_are_those_of_the_whole(void)
{
    for (size_t i = 0; i < N_KNOWN_PATTERNS; i++) {
        ctok_splitter splitter = {0};
        size_t n_cuts = 0;

        REQUIRE(ctok_splitter_compile(&splitter, bytes_of(known_patterns[i]),
                                      CTOK_CPU_PORTABLE, NULL, NULL) == CTOK_OK);
        REQUIRE(splitter.cut != NULL);
        for (int round = 0; round < 40000 && check_failures == 0; round++) {
            uint8_t bytes[128];
            ctok_bytes text = {bytes, make_text(bytes, sizeof bytes)};

            n_cuts += check_cuts(&splitter, text);
            if (check_failures > 0) {
                fprintf(stderr, "pattern %zu: %.*s\n", i, (int)text.len, bytes);
            }
        }
        CHECK(n_cuts > 20000);
        ctok_splitter_free(&splitter);
    }
}

static void test_unknown_pattern_has_no_place(void)
{
    ctok_splitter splitter = {0};
    ctok_model *model = NULL;
    ctok_error err = {0};

    CHECK_EQ(CTOK_OK, ctok_splitter_compile(&splitter, bytes_of("\\w+|\\W+"),
                                            CTOK_CPU_BEST, NULL, &err));
    CHECK(splitter.cut == NULL);
    ctok_splitter_free(&splitter);
    CHECK_STATUS(CTOK_OK, model_new(&model, NULL, NULL, NULL, NULL, &err), &err);
    CHECK_EQ(0, ctok_encode_cut(model, bytes_of("a b c"), 3));
    ctok_model_free(model);
}

static void test_no_special_is_cut(void)
{
    static const char *const specials[] = {"<|end of text|>", "a b", NULL};
    ctok_model *model = NULL;
    ctok_error err = {0};
    ctok_bytes text = bytes_of("one <|end of text|> a b c");

    CHECK_STATUS(CTOK_OK,
                 model_new(&model, NULL, specials, known_patterns[6], NULL, &err),
                 &err);
    REQUIRE(model != NULL);
    CHECK_EQ(23, ctok_encode_cut(model, text, text.len)); /* b| c */
    CHECK_EQ(3, ctok_encode_cut(model, text, 22));        /* one| */
    CHECK_EQ(0, ctok_encode_cut(model, text, 2));
    CHECK_EQ(0, ctok_encode_cut(model, bytes_of(""), 5));
    ctok_model_free(model);
}

/* Where every byte is an id, max_ids of them have so many bytes, but for half a character. */
static void check_beginnings(const ctok_model *model, ctok_scratch *scratch,
                             ctok_bytes text)
{
    for (size_t max_ids = 0; max_ids <= text.len + 1; max_ids++) {
        size_t len = max_ids < text.len ? max_ids : text.len;
        ctok_head head;
        ctok_error err = {0};

        while (len > 0 && len < text.len && (text.ptr[len] & 0xC0) == 0x80) {
            len--;
        }
        CHECK_STATUS(CTOK_OK, ctok_truncate(model, scratch, text, max_ids, &head, &err),
                     &err);
        CHECK_EQ(len, head.len);
        CHECK_EQ(len, head.n_ids);
    }
}

static void test_beginning_has_as_many_bytes_as_ids_where_these_are_bytes(void)
{
    for (size_t i = 0; i <= N_KNOWN_PATTERNS; i++) {
        const char *pattern = i < N_KNOWN_PATTERNS ? known_patterns[i] : "\\w+|\\W";
        ctok_model *model = NULL;
        ctok_scratch *scratch = NULL;
        ctok_error err = {0};

        CHECK_STATUS(CTOK_OK, model_new(&model, NULL, NULL, pattern, NULL, &err), &err);
        CHECK_STATUS(CTOK_OK, ctok_scratch_new(&scratch, 4096, NULL, &err), &err);
        for (int round = 0; round < 300 && check_failures == 0; round++) {
            uint8_t bytes[128];
            uint8_t *exact; /* so that a sanitizer sees the end */
            ctok_bytes text = {bytes, make_text(bytes, sizeof bytes)};

            exact = malloc(text.len);
            REQUIRE(exact != NULL);
            memcpy(exact, bytes, text.len);
            text.ptr = exact;
            check_beginnings(model, scratch, text);
            free(exact);
        }
        ctok_scratch_free(scratch);
        ctok_model_free(model);
    }
}

int main(void)
{
    test_beginning_has_as_many_bytes_as_ids_where_these_are_bytes();
    test_pieces_of_halves_are_those_of_the_whole();
    test_unknown_pattern_has_no_place();
    test_no_special_is_cut();
    return CHECK_RESULT();
}
