/* Classes: what their syntax means, where it is wrong, and the sets below it. */
#include "check.h"
#include "class.h"

/* "41-5A 61" as the class has it; long ones end in "..". */
static const char *ranges_of(const char *pattern, int ignore_case)
{
    static char text[400];
    ctok_class cls;
    ctok_error err;
    size_t end = 0;
    size_t n = 0;
    ctok_status status =
        ctok_class_parse(&cls, bytes_of(pattern), 0, ignore_case, &end, NULL, &err);

    if (status != CTOK_OK) {
        CHECK(cls.ranges == NULL);
        snprintf(text, sizeof text, "%s at %zu: %s", ctok_status_name(status),
                 err.position, err.message);
        return text;
    }
    text[0] = '\0';
    for (size_t i = 0; i < cls.n_ranges && n < sizeof text - 32; i++) {
        unsigned first = cls.ranges[i][0];
        unsigned last = cls.ranges[i][1];
        n += (size_t)snprintf(text + n, sizeof text - n, i == 0 ? "%X" : " %X", first);
        if (first != last) {
            n += (size_t)snprintf(text + n, sizeof text - n, "-%X", last);
        }
        if (i == 7 && cls.n_ranges > 8) {
            snprintf(text + n, sizeof text - n, " ..");
            break;
        }
    }
    if (end != strlen(pattern)) {
        snprintf(text, sizeof text, "ends at %zu", end);
    }
    ctok_class_free(&cls);
    return text;
}

static void check_class(int line, const char *expected, const char *pattern,
                        int ignore_case)
{
    const char *actual = ranges_of(pattern, ignore_case);

    if (strncmp(expected, actual, strlen(expected)) != 0 ||
        (strncmp(expected, "CTOK_", 5) != 0 && strcmp(expected, actual) != 0)) {
        fprintf(stderr, "%s:%d: %s: expected %s, got %s\n", __FILE__, line, pattern,
                expected, actual);
        check_failures++;
    }
}

#define IS(expected, pattern) check_class(__LINE__, expected, pattern, 0)
#define FOLDED(expected, pattern) check_class(__LINE__, expected, pattern, 1)
#define BAD_AT(position, pattern)                                                      \
    check_class(__LINE__, "CTOK_E_PATTERN at " #position ":", pattern, 0)

static void test_brackets(void)
{
    IS("61-63", "[abc]");
    IS("61-63", "[a-c]");
    IS("2D 61", "[a-]");
    IS("2D 61", "[-a]");
    IS("2D 61", "[--a]");
    IS("5D 61", "[]a]");
    IS("0-5C 5E-60 62-D7FF E000-10FFFF", "[^]a]");
    IS("0-D7FF E000-10FFFF", "[^]a&&]");
    IS("5B 61-62", "[a\\[b]");
    IS("2D 61 63", "[a\\-c]");
    IS("61-64", "[a[b[c]]d]");
    IS("26 61", "[a&]");
    IS("7E", "[~]");
    IS("D7FF E000", "[\\x{D7FF}-\\x{E000}]");
    IS("24 28-29 2E 3F 5E 7B-7D", "[.$(){}|^?]");
    IS("", "[a&&b]");
}

static void test_operators_bind_alike_and_to_the_left(void)
{
    IS("62-64", "[a-d--a]");
    IS("63-64", "[a-d&&c-z]");
    IS("61-62 65", "[a-d~~c-e]");
    IS("62-64", "[a-z&&a-d--a]");
    IS("61", "[a-c--b--c]");
    IS("61 63", "[a-b--b~~c]");
}

static void test_escapes(void)
{
    IS("7-D 1B", "[\\a\\b\\t\\n\\v\\f\\r\\e]");
    IS("41", "\\x41");
    IS("1F600", "\\x{1F600}");
    IS("E9", "\\u00E9");
    IS("1F600", "\\U0001F600");
    IS("41-42 4B 52 6B 7A", "[\\A\\B\\k\\z\\K\\R]");
    IS("30-39 41-46 61-66", "\\h");
    IS("E9", "\\\xC3\xA9");
    IS("A", "\\n");
    IS("0-9 B-D7FF E000-10FFFF", ".");
    IS("0-9 B-D7FF E000-10FFFF", "\\N");
    IS("0-D7FF E000-10FFFF", "\\O");
}

static void test_white_space_is_that_of_unicode(void)
{
    IS("9-D 20 85 A0 1680 2000-200A 2028-2029 202F ..", "\\s");
    IS("9-D 20 85 A0 1680 2000-200A 2028-2029 202F ..", "\\p{White_Space}");
    IS("", "[\\s&&\\x{180E}\\x1C-\\x1F\\x{200B}]");
    IS("205F 3000", "[\\s--\\x00-\\x{2030}]");
}

static void test_properties(void)
{
    IS("", "[\\p{L}--\\p{Letter}]");
    IS("", "[\\pL~~\\p{gc=L}]");
    IS("", "[\\pL~~\\p{General_Category: letter}]");
    IS("", "[\\PL~~\\p{gc!=L}]");
    IS("", "[\\PL~~\\p{^L}]");
    IS("", "[\\pL~~\\P{^L}]");
    IS("", "[\\p{LC}~~\\p{Lu}\\p{Ll}\\p{Lt}]");
    IS("", "[\\p{Greek}~~\\p{sc=Grek}]");
    IS("", "[\\p{Is_Greek}~~\\p{script:GREEK}]");
    IS("", "[\\p{Han}&&\\x{3002}]");         /* a script, not */
    IS("3002", "[\\p{scx=Han}&&\\x{3002}]"); /* the scripts that use it */
    IS("", "[\\p{Any}--\\x00-\\x{10FFFF}]");
    IS("0-7F", "\\p{ASCII}");
    IS("", "\\p{Cs}");
    IS("30-39 41-5A 61-7A", "[\\p{alnum}&&\\x00-\\x7F]");
    IS("30-39 41-5A 5F 61-7A", "[\\w&&\\p{ASCII}]");
    IS("200C-200D", "[\\w&&\\p{Cf}]");
}

static void test_posix_classes_are_ascii(void)
{
    IS("41-5A 61-7A", "[[:alpha:]]");
    IS("0-60 7B-D7FF E000-10FFFF", "[[:^lower:]]");
    IS("21-2F 3A-40 5B-60 7B-7E", "[[:punct:]]");
    IS("3A 65 6C 6F 72 77", "[[:loower:]]");
    IS("61", "[[:xdigit:]&&a]");
}

static void test_case_folds_before_it_is_negated(void)
{
    FOLDED("4B 6B 212A", "k");
    FOLDED("53 73 17F", "[s]");
    FOLDED("3A3 3C2-3C3", "\\x{3C3}");
    FOLDED("0-4A 4C-6A 6C-2129 212B-D7FF E000-10FFFF", "[^k]");
    FOLDED("41 61", "[\\p{Lu}&&a]");
    FOLDED("", "[a--A]");
    IS("61", "[a--A]");
    FOLDED("", "[\\P{Lu}&&\\p{Ll}&&a]");
}

static void test_mistakes_are_found_where_they_are(void)
{
    BAD_AT(0, "[a");
    BAD_AT(0, "[a[b]");
    BAD_AT(2, "[a[b");
    BAD_AT(0, "[");
    BAD_AT(0, "[^");
    BAD_AT(1, "[c-a]");
    BAD_AT(3, "[a-\\d]");
    BAD_AT(1, "[\\d-z]");
    BAD_AT(3, "[!-[]]");
    BAD_AT(1, "[\\p{Elvish}]");
    BAD_AT(0, "\\p{L");
    BAD_AT(0, "\\p");
    BAD_AT(0, "\\p{gc=Greek}");
    BAD_AT(0, "\\p{Hexadecimal_Digit_Of_A_Very_Long_Name_That_Does_Not_Exist_At_All}");
    BAD_AT(3, "\\p{\xC3\xA9}");
    BAD_AT(0, "\\x4");
    BAD_AT(0, "\\x{110000}");
    BAD_AT(0, "\\x{D800}");
    BAD_AT(0, "\\x{}");
    BAD_AT(0, "\\Q");
    BAD_AT(0, "\\b");
    BAD_AT(1, "[\\1]");
    BAD_AT(0, "\\");
    BAD_AT(0, "");
    check_class(__LINE__, "CTOK_E_UNSUPPORTED at 0:", "\\p{Age=3.0}", 0);
    check_class(__LINE__, "CTOK_E_UTF8 at 1:", "[\xFF]", 0);
}

static void test_brackets_nest_as_deep_as_the_limit_says(void)
{
    char deep[2 * CLASS_MAX_DEPTH + 8];

    memset(deep, '[', CLASS_MAX_DEPTH);
    deep[CLASS_MAX_DEPTH] = 'a';
    memset(deep + CLASS_MAX_DEPTH + 1, ']', CLASS_MAX_DEPTH);
    deep[2 * CLASS_MAX_DEPTH + 1] = '\0';
    IS("61", deep);
    memset(deep, '[', CLASS_MAX_DEPTH + 1);
    deep[CLASS_MAX_DEPTH + 1] = '\0';
    check_class(__LINE__, "CTOK_E_LIMIT at 250:", deep, 0);
}

static void test_sets_obey_their_truth_tables(void)
{
    static const cpset_op ops[] = {CPSET_INTERSECTION, CPSET_DIFFERENCE,
                                   CPSET_SYMMETRIC_DIFFERENCE, CPSET_UNION,
                                   CPSET_COMPLEMENT};
    ctok_allocator heap = mem_allocator(NULL);
    uint64_t state = 7;

    for (int round = 0; round < 4000; round++) {
        cpset_op op = ops[round % 5];
        ctok_class a = cpset_empty(&heap);
        ctok_class b = cpset_empty(&heap);
        uint8_t in_a[256] = {0};
        uint8_t in_b[256] = {0};
        uint64_t n = check_random(&state) % 12;

        /* Around the surrogates, where a set has a hole of its own. */
        for (uint64_t i = 0; i < n; i++) {
            uint32_t first = (uint32_t)(check_random(&state) % 256);
            uint32_t last = first + (uint32_t)(check_random(&state) % 9);
            last = last > 255 ? 255 : last;
            uint32_t shift = 0xD780;
            ctok_class *set = i % 2 == 0 ? &a : &b;
            memset((i % 2 == 0 ? in_a : in_b) + first, 1, last - first + 1);
            CHECK_EQ(CTOK_OK, cpset_add(set, shift + first, shift + last, NULL));
        }
        CHECK_EQ(CTOK_OK, cpset_combine(&a, op, &b, NULL));
        for (uint32_t i = 0; i < 256; i++) {
            unsigned row = in_a[i] ? !in_b[i] : 2u + !in_b[i];
            bool expected = uchar_is_scalar(0xD780 + i) && ((unsigned)op >> row & 1);
            CHECK_EQ(expected, cpset_contains(&a, 0xD780 + i));
        }
        for (size_t i = 1; i < a.n_ranges; i++) {
            CHECK(a.ranges[i - 1][1] + 1 < a.ranges[i][0]);
        }
        ctok_class_free(&a);
        ctok_class_free(&b);
    }
}

static void test_nothing_leaks_when_memory_runs_out(void)
{
    static const char pattern[] = "[\\w[^\\p{Lu}&&[:alpha:]]--x-z\\P{alnum}\\P{blank}]";
    size_t n_requests = 0;

    for (size_t n = 0; n == 0 || n <= n_requests; n++) {
        failing_alloc failing = {.fail_at = n};
        ctok_allocator alloc = failing_allocator(&failing);
        ctok_class cls;
        ctok_error err;
        size_t end;
        ctok_status status =
            ctok_class_parse(&cls, bytes_of(pattern), 0, 1, &end, &alloc, &err);

        CHECK_STATUS(n == 0 ? CTOK_OK : CTOK_E_MEMORY, status, &err);
        ctok_class_free(&cls);
        CHECK_EQ(0, failing.n_live);
        n_requests = n == 0 ? failing.n_requests : n_requests;
    }
    CHECK(n_requests > 20);
}

int main(void)
{
    test_brackets();
    test_operators_bind_alike_and_to_the_left();
    test_escapes();
    test_white_space_is_that_of_unicode();
    test_properties();
    test_posix_classes_are_ascii();
    test_case_folds_before_it_is_negated();
    test_mistakes_are_found_where_they_are();
    test_brackets_nest_as_deep_as_the_limit_says();
    test_sets_obey_their_truth_tables();
    test_nothing_leaks_when_memory_runs_out();
    return CHECK_RESULT();
}
