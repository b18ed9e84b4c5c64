/* Patterns: what is in the automaton's subset, what is refused, and where. */
#include "check.h"
#include "pattern.h"

/* The status and the place of what is wrong; 0 where nothing is. */
static void check_pattern(int line, ctok_status expected, size_t position,
                          const char *text)
{
    ctok_allocator heap = mem_allocator(NULL);
    ctok_error err = {0};
    machine p;
    ctok_status status = pattern_parse(&p, bytes_of(text), &heap, &err);

    if (status != expected || err.position != position) {
        fprintf(stderr, "%s:%d: %s: expected %s at %zu, got %s at %zu: %s\n", __FILE__,
                line, text, ctok_status_name(expected), position,
                ctok_status_name(status), err.position, err.message);
        check_failures++;
    }
    machine_free(&p);
}

#define GOOD(text) check_pattern(__LINE__, CTOK_OK, 0, text)
#define BAD_AT(position, text) check_pattern(__LINE__, CTOK_E_PATTERN, position, text)
#define BEYOND_AT(position, text)                                                      \
    check_pattern(__LINE__, CTOK_E_UNSUPPORTED, position, text)

static void test_the_subset_is_accepted(void)
{
    GOOD("");
    GOOD("a|b||c");
    GOOD("(a)(?:b)(?i:c)(?i-s:d)(?-i:e)");
    GOOD("(?i)a(?s).(?-s).");
    GOOD("a?b*c+d{2}e{2,}f{2,3}g{,3}");
    GOOD("a??b*?c+?d{2}?e{2,}?f{2,3}?");
    GOOD("a?+b*+c++d{2}+e{2,}+f{2,3}+");
    GOOD("(?:ab|c)+(?:de){2,3}");
    GOOD("(?>a)(?>\\s+)(?>[bc]{1,3})");
    GOOD("a(?=b)|a(?!\\s)|a(?=[b-d]|$)|a(?!b|\\z)");
    GOOD("$|\\z|(?m:$)");
    GOOD("a{|b}|]|{x}|a{,|a{1");
}

static void test_what_needs_more_than_a_table_is_refused_by_place(void)
{
    BEYOND_AT(1, "a^");
    BEYOND_AT(0, "\\Aa");
    BEYOND_AT(1, "a\\b");
    BEYOND_AT(1, "a\\Z");
    BEYOND_AT(3, "(a)\\1");
    BEYOND_AT(0, "\\K");
    BEYOND_AT(2, "(?<=a)b");
    BEYOND_AT(2, "(?<name>a)");
    BEYOND_AT(2, "(?P<name>a)");
    BEYOND_AT(2, "(?#note)a");
    BEYOND_AT(2, "(?x)a");
    BEYOND_AT(0, "(*FAIL)");
    BEYOND_AT(4, "a(?=bc)");
    BEYOND_AT(4, "a(?=b+)");
    BEYOND_AT(4, "a(?=(b))");
    BEYOND_AT(3, "(?>ab)");
    BEYOND_AT(3, "(?>a+?)");
    BEYOND_AT(10, "(?:ab|c)++");
    BEYOND_AT(5, "(a?)*");
    BEYOND_AT(7, "(a|b?)+");
    BEYOND_AT(1, "a{1001}");
    BEYOND_AT(1, "a{3,2}");
    BEYOND_AT(4, "a{2}{3}");
    BEYOND_AT(3, "a+?+");
    BEYOND_AT(0, "a\xFF");
}

static void test_mistakes_are_found_where_they_are(void)
{
    BAD_AT(0, "(a");
    BAD_AT(1, "a)");
    BAD_AT(0, "*a");
    BAD_AT(2, "a|+");
    BAD_AT(2, "a**");
    BAD_AT(3, "a++*");
    BAD_AT(4, "(?i)*");
    BAD_AT(5, "(?=a)?");
    BAD_AT(5, "(?!a){2}");
    BAD_AT(2, "(?)");
    BAD_AT(3, "(?-)");
    BAD_AT(4, "(?i--s:a)");
    BAD_AT(3, "(?-u:a)");
    BAD_AT(1, "a[b");
    BAD_AT(1, "a\\");
    BAD_AT(2, "(?");
    BAD_AT(3, "(?=");
}

static uint64_t hash_of(const char *text)
{
    ctok_allocator heap = mem_allocator(NULL);
    machine p;
    uint64_t hash;

    REQUIRE(pattern_parse(&p, bytes_of(text), &heap, NULL) == CTOK_OK);
    hash = machine_hash(&p);
    machine_free(&p);
    return hash;
}

static void test_the_way_of_writing_does_not_change_the_hash(void)
{
    CHECK_EQ(hash_of("\\s+(?!\\S)|[a-c]"), hash_of("[\\s]+(?!\\P{White_Space})|[cba]"));
    CHECK_EQ(hash_of("(?i)k"), hash_of("[kK\\x{212A}]"));
    CHECK(hash_of("a+") != hash_of("a++"));
    CHECK(hash_of("a+") != hash_of("a+?"));
    CHECK(hash_of("ab|c") != hash_of("c|ab"));
    CHECK(hash_of("a(?=b)") != hash_of("a(?!b)"));
    CHECK(hash_of("[ab]") != hash_of("[ac]"));
}

static void test_groups_nest_as_deep_as_the_limit_says(void)
{
    char deep[2 * PATTERN_MAX_DEPTH + 2];
    size_t n = PATTERN_MAX_DEPTH - 1; /* the whole pattern is the first */

    memset(deep, '(', n);
    deep[n] = 'a';
    memset(deep + n + 1, ')', n);
    deep[2 * n + 1] = '\0';
    GOOD(deep);
    memset(deep, '(', n + 1);
    deep[n + 1] = '\0';
    BEYOND_AT(n, deep);
}

static void test_nothing_leaks_when_memory_runs_out(void)
{
    static const char text[] =
        "(?i:'s|'t)|[^\\s\\p{L}]?+\\p{L}{2,9}+|(ab(?:c|d)){2,3}|\\s+(?!\\S|$)|(?>\\d+)";
    size_t n_requests = 0;

    for (size_t n = 0; n == 0 || n <= n_requests; n++) {
        failing_alloc failing = {.fail_at = n};
        ctok_allocator alloc = failing_allocator(&failing);
        ctok_error err;
        machine p;

        CHECK_STATUS(n == 0 ? CTOK_OK : CTOK_E_MEMORY,
                     pattern_parse(&p, bytes_of(text), &alloc, &err), &err);
        machine_free(&p);
        CHECK_EQ(0, failing.n_live);
        n_requests = n == 0 ? failing.n_requests : n_requests;
    }
    CHECK(n_requests > 20);
}

int main(void)
{
    test_the_subset_is_accepted();
    test_what_needs_more_than_a_table_is_refused_by_place();
    test_mistakes_are_found_where_they_are();
    test_the_way_of_writing_does_not_change_the_hash();
    test_groups_nest_as_deep_as_the_limit_says();
    test_nothing_leaks_when_memory_runs_out();
    return CHECK_RESULT();
}
