/* Splitting by the automaton: the pieces that backtracking finds, in linear time, at every
 * place where a block, a gap or the text ends. */
#include "automaton.h"
#include "check.h"
#include "pattern.h"

#define MAX_PIECES 4096

typedef struct pieces {
    size_t n;
    ctok_range at[MAX_PIECES];
    uint64_t work;
} pieces;

/* The text is copied to a block of its own, so that a sanitizer sees every byte read
 * beyond it. */
static ctok_status split(const ctok_splitter *splitter, ctok_bytes text, pieces *out,
                         ctok_error *err)
{
    uint8_t *copy = malloc(text.len > 0 ? text.len : 1);
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block block;
    ctok_status status;

    REQUIRE(copy != NULL);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    text.ptr = copy;
    out->n = 0;
    while ((status = splitter->next(splitter->self, NULL, text, &cursor, &block,
                                    err)) == CTOK_OK &&
           block.n_pieces > 0) {
        size_t start = block.start;
        for (uint32_t i = 0; i < block.n_pieces; i++) {
            CHECK(block.start + block.ends[i] > start);
            if (out->n < MAX_PIECES) {
                out->at[out->n++] = (ctok_range){start, block.start + block.ends[i]};
            }
            start = block.start + block.ends[i];
        }
        CHECK(cursor.position >= start);
    }
    out->work = cursor.work;
    free(copy);
    return status;
}

static ctok_splitter compiled(const char *pattern)
{
    ctok_splitter splitter;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK,
                 ctok_splitter_compile(&splitter, bytes_of(pattern), CTOK_CPU_PORTABLE,
                                       NULL, &err),
                 &err);
    REQUIRE(splitter.next != NULL);
    return splitter;
}

/* ---- by example ---------------------------------------------------------------- */

/* Pieces are given with '|' between them and gaps in brackets: "ab|c[  ]d". */
static void check_pieces(int line, const char *pattern, const char *expected)
{
    static pieces found;
    ctok_splitter splitter = compiled(pattern);
    ctok_error err = {0};
    char text[256];
    char actual[1024];
    size_t n_text = 0;
    size_t n = 0;
    size_t after = 0;

    for (const char *c = expected; *c != '\0'; c++) {
        if (strchr("|[]", *c) == NULL) {
            text[n_text++] = *c;
        }
    }
    CHECK_STATUS(
        CTOK_OK,
        split(&splitter, (ctok_bytes){(const uint8_t *)text, n_text}, &found, &err),
        &err);
    found.at[found.n] = (ctok_range){n_text, n_text};
    for (size_t i = 0; i <= found.n; i++) {
        int gap = (int)(found.at[i].start - after);
        int len = (int)(found.at[i].end - found.at[i].start);
        n += (size_t)snprintf(actual + n, sizeof actual - n, "%s%.*s%s%.*s",
                              gap > 0                ? "["
                              : i > 0 && i < found.n ? "|"
                                                     : "",
                              gap, text + after, gap > 0 ? "]" : "", len,
                              text + found.at[i].start);
        after = found.at[i].end;
    }
    if (strcmp(expected, actual) != 0) {
        fprintf(stderr, "%s:%d: %s: expected %s, got %s\n", __FILE__, line, pattern,
                expected, actual);
        check_failures++;
    }
    ctok_splitter_free(&splitter);
}

#define SPLITS(pattern, expected) check_pieces(__LINE__, pattern, expected)

#define GPT2                                                                           \
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|"        \
    "\\s+(?!\\S)|\\s"
#define CL100K                                                                         \
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+|"              \
    " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s"
#define LLAMA3                                                                         \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"          \
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static void test_real_patterns(void)
{
    SPLITS(GPT2, "Hello|,| world|'s|   | x|  ");
    SPLITS(GPT2, "don|'t| I|'|LL| 1234567");
    SPLITS(CL100K, "I|'LL| say|  | |123|4|!\n\n|  \n| x");
    SPLITS(CL100K,
           "it|'\xC5\xBF| \xE4\xBD\xA0\xE5\xA5\xBD|\xE3\x80\x82\xE4\xB8\x96|\t\t");
    SPLITS(LLAMA3, "a|\n\n \n|   | b|  \n\n|c|  ");
}

static void test_order_of_alternatives_decides(void)
{
    SPLITS("a|ab", "a[b]a[b]");
    SPLITS("ab|a", "ab|ab|a");
    SPLITS("a??b|a", "ab|ab|a");
    SPLITS("a+?", "a|a|a");
    SPLITS("a{2,3}", "aaa|aa");
    SPLITS("a{2,3}?", "aa|aa[a]");
    SPLITS("(?:ab){2}|a", "abab|a[b]");
}

static void test_possessive_repeats_give_nothing_back(void)
{
    SPLITS("a++a|b", "[aaa]b");
    SPLITS("a?+a|b", "aa[a]b");
    SPLITS("a{1,2}+a|a", "aaa|a");
    SPLITS("(?>a*)ab|b", "[aa]b");
}

static void test_lookahead_sees_one_character_or_the_end(void)
{
    SPLITS("a(?=b)|b", "a|b[a]");
    SPLITS("a(?!b)|b", "[a]b|a");
    SPLITS("a(?=b|$)|b", "a|b|a|b[aa]a");
    SPLITS("a$", "[a]a");
    SPLITS("a+(?!b)", "a[ab]aa");
}

static void test_flags_last_as_long_as_in_the_reference(void)
{
    SPLITS("(?i:a)b", "Ab|ab[AB]");
    SPLITS("(a(?i)b)c", "aBC|abc[A]");
    SPLITS("(?:a(?i)b)c", "aBc[aBC]");
    SPLITS("a.b", "axb[a\nb]");
    SPLITS("(?s)a.b", "axb|a\nb");
}

static void test_text_that_nothing_matches_is_left_out(void)
{
    SPLITS("a", "[bb]a|a[b]a[c]");
    SPLITS("a*", "aa[b]a[bb]");
    SPLITS("|a", "[aaa]");
    SPLITS("\\p{N}{1,3}", "[a\xC3\xA9]123|4[\xE4\xB8\xAD]5");
    SPLITS("b", "[\xF0\x9F\x98\x80\xF0\x9F\x98\x80]");
    SPLITS("", "[ab]");
    SPLITS("a", "");
}

/* ---- against backtracking -------------------------------------------------------- */

typedef struct thread {
    uint32_t state;
    size_t at;
} thread;

#define MAX_TEXT 40

static bool accepts(const machine *p, const machine_state *state, ctok_bytes text,
                    size_t at)
{
    const uint8_t *next = text.ptr + at;

    if (at == text.len) {
        return state->at_end;
    }
    return cpset_contains(&p->sets[state->set], utf8_next(&next)) != state->negated;
}

/* Where the match at start ends, or SIZE_MAX: tries one way after the other. A place that
 * was reached once need not be tried again. */
static size_t backtrack(const machine *p, ctok_bytes text, size_t start)
{
    static thread stack[2 * MACHINE_MAX_STATES * (MAX_TEXT + 1)];
    static uint8_t seen[MACHINE_MAX_STATES][MAX_TEXT + 1];
    size_t n = 0;

    memset(seen, 0, p->n_states * sizeof seen[0]);
    stack[n++] = (thread){p->start, start};
    while (n > 0) {
        thread t = stack[--n];
        const machine_state *state = &p->states[t.state];
        const uint8_t *next = text.ptr + t.at;

        if (seen[t.state][t.at]++) {
            continue;
        }
        switch ((machine_kind)state->kind) {
        case MACHINE_MATCH:
            return t.at;
        case MACHINE_FORK:
            stack[n++] = (thread){state->other, t.at};
            stack[n++] = (thread){state->next, t.at};
            break;
        case MACHINE_JUMP:
            stack[n++] = (thread){state->next, t.at};
            break;
        case MACHINE_GUARD:
            if (accepts(p, state, text, t.at)) {
                stack[n++] = (thread){state->next, t.at};
            }
            break;
        case MACHINE_CHAR:
            if (t.at < text.len && accepts(p, state, text, t.at)) {
                utf8_next(&next);
                stack[n++] = (thread){state->next, (size_t)(next - text.ptr)};
            }
            break;
        }
    }
    return SIZE_MAX;
}

static void backtrack_all(const machine *p, ctok_bytes text, pieces *out)
{
    size_t at = 0;

    out->n = 0;
    while (at < text.len) {
        size_t end = backtrack(p, text, at);
        const uint8_t *next = text.ptr + at;

        if (end == SIZE_MAX || end == at) {
            utf8_next(&next);
            at = (size_t)(next - text.ptr);
        } else {
            out->at[out->n++] = (ctok_range){at, end};
            at = end;
        }
    }
}

/* The pieces when the automaton is asked for a few at a time, with room for more or not. */
static void run_in_parts(const automaton *a, ctok_bytes text, uint32_t cap,
                         uint32_t enough, pieces *out)
{
    size_t at = 0;

    out->n = 0;
    while (at < text.len) {
        uint32_t ends[64];
        automaton_output run = {.base = at,
                                .ends = ends,
                                .cap = cap,
                                .enough = enough,
                                .max_work = UINT64_MAX};
        uint32_t n = automaton_run(a, text, at, &run);
        CHECK(n <= cap);
        size_t start = at;

        for (uint32_t i = 0; i < n; i++) {
            out->at[out->n++] = (ctok_range){at, start + ends[i]};
            at = start + ends[i];
        }
        if (n == 0) {
            const uint8_t *next = text.ptr + at;
            utf8_next(&next);
            at = automaton_skip(a, text, (size_t)(next - text.ptr));
        }
    }
}

static bool same_pieces(const pieces *a, const pieces *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n * sizeof a->at[0]) == 0;
}

/* A random pattern of the subset. */
static void random_pattern(uint64_t *state, char *out, size_t cap)
{
    static const char *const atoms[] = {
        "a",      "b",     "\\s",      " ",         "[ab]",       "[^a]",    "\\p{L}",
        "\\S",    "(?=b)", "(?!a)",    "(?!\\s)",   "$",          "(?=a|$)", "\xC3\xA9",
        "\\p{N}", ".",     "(?:ab|b)", "(?:a|\\s)", "(?:b\\s?|a)"};
    static const char *const repeats[] = {"",   "",   "",   "?",  "*",     "+",
                                          "??", "+?", "++", "?+", "{1,2}", "{2,3}+"};
    size_t n = 0;
    uint64_t n_parts = 1 + check_random(state) % 6;

    out[0] = '\0';
    for (uint64_t i = 0; i < n_parts; i++) {
        size_t atom = (size_t)(check_random(state) % (sizeof atoms / sizeof *atoms));
        size_t repeat =
            (size_t)(check_random(state) % (sizeof repeats / sizeof *repeats));
        bool is_look = strncmp(atoms[atom], "(?=", 3) == 0 ||
                       strncmp(atoms[atom], "(?!", 3) == 0 || atoms[atom][0] == '$';
        n += (size_t)snprintf(out + n, cap - n, "%s%s%s", atoms[atom],
                              is_look ? "" : repeats[repeat],
                              check_random(state) % 3 == 0 ? "|" : "");
    }
}

static void test_random_patterns_split_as_backtracking_does(void)
{
    static const char *const chars[] = {"a",
                                        "b",
                                        " ",
                                        "a",
                                        "\n",
                                        "1",
                                        "\xC3\xA9",
                                        "\xE4\xB8\xAD",
                                        "aaaaaaaaaaaaaaaaaaa"};
    static pieces expected;
    static pieces actual;
    ctok_allocator heap = mem_allocator(NULL);
    uint64_t state = 42;
    size_t n_compiled = 0;

    for (int round = 0; round < 1200; round++) {
        char text[256];
        ctok_error err;
        machine p;
        automaton *a = NULL;
        ctok_splitter splitter;

        random_pattern(&state, text, sizeof text);
        if (pattern_parse(&p, bytes_of(text), &heap, &err) != CTOK_OK) {
            CHECK_EQ(CTOK_E_UNSUPPORTED, err.code);
            machine_free(&p);
            continue;
        }
        n_compiled++;
        CHECK_STATUS(CTOK_OK, automaton_new(&a, &p, &err), &err);
        splitter = compiled(text);
        for (int i = 0; i < 20; i++) {
            char sample[MAX_TEXT + 20] = "";
            uint32_t few = 1 + (uint32_t)(i % 8);
            ctok_bytes view;

            while (strlen(sample) < MAX_TEXT - 20 && check_random(&state) % 16 != 0) {
                strcat(sample,
                       chars[check_random(&state) % (sizeof chars / sizeof *chars)]);
            }
            view = bytes_of(sample);
            backtrack_all(&p, view, &expected);
            CHECK_STATUS(CTOK_OK, split(&splitter, view, &actual, &err), &err);
            if (!same_pieces(&expected, &actual)) {
                fprintf(stderr, "pattern %s, text '%s'\n", text, sample);
                CHECK(same_pieces(&expected, &actual));
            }
            run_in_parts(a, view, few, few, &actual);
            CHECK(same_pieces(&expected, &actual));
            run_in_parts(a, view, 64, few, &actual);
            CHECK(same_pieces(&expected, &actual));
        }
        ctok_splitter_free(&splitter);
        automaton_free(a);
        machine_free(&p);
    }
    CHECK(n_compiled > 600);
}

/* ---- blocks ----------------------------------------------------------------------- */

static void test_pieces_are_the_same_wherever_a_block_ends(void)
{
    static pieces whole;
    static char text[3 * CTOK_BLOCK_PIECES + 64];
    ctok_splitter splitter = compiled("[^\\s]|\\s+(?!\\S)|\\s");
    ctok_error err;

    /* Blanks and a gapless run of pieces shift against the end of the block. */
    for (size_t shift = CTOK_BLOCK_PIECES - 4; shift < CTOK_BLOCK_PIECES + 4; shift++) {
        size_t len = 2 * CTOK_BLOCK_PIECES + 40;
        memset(text, 'x', len);
        memset(text + shift, ' ', 5);
        CHECK_STATUS(
            CTOK_OK,
            split(&splitter, (ctok_bytes){(const uint8_t *)text, len}, &whole, &err),
            &err);
        CHECK_EQ(len - 3, whole.n); /* five blanks are a piece of four and one of one */
        CHECK_EQ(shift, whole.at[shift].start);
        CHECK_EQ(shift + 4, whole.at[shift].end);
        CHECK_EQ(shift + 5, whole.at[shift + 1].end);
        CHECK_EQ(len, whole.at[whole.n - 1].end);
    }
    /* And the text itself ends there. */
    for (size_t len = CTOK_BLOCK_PIECES - 2; len < CTOK_BLOCK_PIECES + 3; len++) {
        ctok_split_cursor cursor = {0, 0};
        ctok_split_block *block = malloc(sizeof *block);

        REQUIRE(block != NULL);
        memset(text, 'x', len);
        CHECK_STATUS(CTOK_OK,
                     splitter.next(splitter.self, NULL,
                                   (ctok_bytes){(const uint8_t *)text, len}, &cursor,
                                   block, &err),
                     &err);
        CHECK_EQ(len < CTOK_BLOCK_PIECES ? len : CTOK_BLOCK_PIECES, block->n_pieces);
        CHECK_EQ(block->n_pieces, cursor.position);
        free(block);
    }
    ctok_splitter_free(&splitter);
}

/* ---- time --------------------------------------------------------------------------- */

/* Bytes looked at in vain for n bytes of one kind of text. */
static uint64_t work_of(const char *pattern, const char *unit, size_t n,
                        ctok_status expected)
{
    static pieces found;
    ctok_splitter splitter = compiled(pattern);
    ctok_error err = {0};
    uint8_t *text = malloc(n);
    uint64_t work;

    REQUIRE(text != NULL);
    for (size_t i = 0; i < n; i++) {
        text[i] = (uint8_t)unit[i % strlen(unit)];
    }
    CHECK_STATUS(expected, split(&splitter, (ctok_bytes){text, n}, &found, &err), &err);
    if (expected != CTOK_OK) {
        CHECK(err.position < n);
        CHECK(strstr(err.message, "too far ahead") != NULL);
    }
    work = found.work;
    free(text);
    ctok_splitter_free(&splitter);
    return work;
}

static void test_real_patterns_look_at_most_twice(void)
{
    static const char *const real[] = {GPT2, CL100K, LLAMA3};
    static const char *const units[] = {
        "a",    " ",  "\n",  "\r\n", "1",   "'",  "=",     " \n",
        "\n  ", "a ", "  a", "'l",   "!\n", "A'", "\t\n ", "\n                    x"};
    const size_t n = 200000;

    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
            CHECK(work_of(real[i], units[k], n, CTOK_OK) <= 2 * n);
        }
    }
}

static void test_a_pattern_that_looks_ahead_for_ever_is_stopped(void)
{
    const size_t n = 400000;
    uint64_t work = work_of("a+b|a", "a", n, CTOK_E_SPLIT);

    CHECK(work > 16 * n);
    CHECK(work < 20 * n + (1 << 28));
    work_of("a+b", "a", n, CTOK_E_SPLIT); /* the same without a piece */
    work_of("a+b|a", "a", 20000, CTOK_OK);
}

/* ---- memory ------------------------------------------------------------------------- */

static void test_nothing_leaks_when_memory_runs_out(void)
{
    size_t n_requests = 0;

    for (size_t n = 0; n == 0 || n <= n_requests; n++) {
        failing_alloc failing = {.fail_at = n};
        ctok_allocator alloc = failing_allocator(&failing);
        ctok_splitter splitter;
        ctok_error err;

        CHECK_STATUS(n == 0 ? CTOK_OK : CTOK_E_MEMORY,
                     ctok_splitter_compile(&splitter, bytes_of(LLAMA3),
                                           CTOK_CPU_PORTABLE, &alloc, &err),
                     &err);
        CHECK((splitter.next != NULL) == (n == 0));
        ctok_splitter_free(&splitter);
        CHECK_EQ(0, failing.n_live);
        n_requests = n == 0 ? failing.n_requests : n_requests;
    }
    CHECK(n_requests > 20);
}

static void test_a_pattern_that_needs_too_large_a_table_is_refused(void)
{
    ctok_splitter splitter;
    ctok_error err;

    /* Every character may or may not be the first of the last sixteen. */
    CHECK_STATUS(CTOK_E_UNSUPPORTED,
                 ctok_splitter_compile(&splitter, bytes_of("(?:a|b)*?a(?:a|b){16}c"),
                                       CTOK_CPU_PORTABLE, NULL, &err),
                 &err);
    CHECK(splitter.next == NULL);
}

int main(void)
{
    test_real_patterns();
    test_order_of_alternatives_decides();
    test_possessive_repeats_give_nothing_back();
    test_lookahead_sees_one_character_or_the_end();
    test_flags_last_as_long_as_in_the_reference();
    test_text_that_nothing_matches_is_left_out();
    test_random_patterns_split_as_backtracking_does();
    test_pieces_are_the_same_wherever_a_block_ends();
    test_real_patterns_look_at_most_twice();
    test_a_pattern_that_looks_ahead_for_ever_is_stopped();
    test_nothing_leaks_when_memory_runs_out();
    test_a_pattern_that_needs_too_large_a_table_is_refused();
    return CHECK_RESULT();
}
