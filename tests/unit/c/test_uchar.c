/* The Unicode tables: well formed, complete, and found by their names. What is in them is
 * compared with other people's tables in tests/unit/test_unicode_tables.py. */
#include "check.h"
#include "uchar.h"

static void test_sets_are_sorted_disjoint_and_free_of_surrogates(void)
{
    for (uint16_t i = 0; i < uchar_n_names; i++) {
        const uchar_name *name = &uchar_names[i];

        for (uint32_t set = name->first_set;
             name->kind != UCHAR_VALUED && set < name->first_set + name->n_sets;
             set++) {
            uchar_range_iter iter = uchar_set_ranges(set);
            uint32_t first;
            uint32_t last;
            uint32_t after = 0;
            bool is_first = true;

            while (uchar_next_range(&iter, &first, &last)) {
                CHECK(is_first || first > after || first == 0xE000);
                CHECK(first <= last && last <= UCHAR_MAX);
                CHECK(last < 0xD800 || first > 0xDFFF);
                after = last + 1;
                is_first = false;
            }
        }
    }
}

static void test_every_character_has_one_category(void)
{
    static const char *const leaves[] = {"lu", "ll", "lt", "lm", "lo", "mn", "mc", "me",
                                         "nd", "nl", "no", "pc", "pd", "ps", "pe", "pi",
                                         "pf", "po", "sm", "sc", "sk", "so", "zs", "zl",
                                         "zp", "cc", "cf", "cs", "co", "cn"};
    uint8_t *count = calloc(0x110000, 1);
    size_t n_wrong = 0;

    REQUIRE(count != NULL);
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        const uchar_name *name = uchar_find(UCHAR_CATEGORY, leaves[i], 2);
        uchar_range_iter iter;
        uint32_t first;
        uint32_t last;

        REQUIRE(name != NULL);
        CHECK_EQ(1, name->n_sets);
        iter = uchar_set_ranges(name->first_set);
        while (uchar_next_range(&iter, &first, &last)) {
            for (uint32_t c = first; c <= last; c++) {
                count[c]++;
            }
        }
    }
    for (uint32_t c = 0; c < 0x110000; c++) {
        n_wrong += count[c] != uchar_is_scalar(c);
    }
    CHECK_EQ(0, n_wrong);
    free(count);
}

static void test_every_name_is_found_as_its_own_kind(void)
{
    for (uint16_t i = 0; i < uchar_n_names; i++) {
        const uchar_name *name = &uchar_names[i];
        const char *text = uchar_name_pool + name->text;

        CHECK(uchar_find((uchar_kind)name->kind, text, strlen(text)) == name);
        CHECK(uchar_find((uchar_kind)name->kind, text, strlen(text) - 1) != name);
    }
    CHECK(uchar_find(UCHAR_SCRIPT, "", 0) == NULL);
    CHECK(uchar_find(UCHAR_SCRIPT, "hang", 4) != uchar_find(UCHAR_SCRIPT, "han", 3));
    CHECK(uchar_find(UCHAR_BINARY, "han", 3) == NULL);
}

static void test_what_does_not_count_in_a_name_is_dropped(void)
{
    char out[16];

    CHECK_EQ(10, uchar_normalize("Is_White-SPACE", 14, out));
    CHECK(memcmp(out, "whitespace", 10) == 0);
    CHECK_EQ(1, uchar_normalize("L", 1, out));
    CHECK_EQ(0, uchar_normalize("is", 2, out));
    CHECK_EQ(0, uchar_normalize("isc", 3, out)); /* ISO_Comment, not C */
}

static void test_no_character_is_in_two_orbits(void)
{
    uint8_t *seen = calloc(0x110000, 1);
    uchar_orbit_iter iter = uchar_all_orbits();
    uint32_t members[UCHAR_MAX_ORBIT];
    bool has_kelvin = false;
    size_t n;

    REQUIRE(seen != NULL);
    while ((n = uchar_next_orbit(&iter, members)) != 0) {
        CHECK(n >= 2 && n <= UCHAR_MAX_ORBIT);
        for (size_t i = 0; i < n; i++) {
            CHECK(uchar_is_scalar(members[i]));
            CHECK_EQ(0, seen[members[i]]);
            seen[members[i]] = 1;
        }
        has_kelvin = has_kelvin || (n == 3 && members[0] == 'K' && members[1] == 'k' &&
                                    members[2] == 0x212A);
    }
    CHECK(has_kelvin);
    free(seen);
}

int main(void)
{
    test_sets_are_sorted_disjoint_and_free_of_surrogates();
    test_every_character_has_one_category();
    test_every_name_is_found_as_its_own_kind();
    test_what_does_not_count_in_a_name_is_dropped();
    test_no_character_is_in_two_orbits();
    return CHECK_RESULT();
}
