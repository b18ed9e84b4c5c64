/* Checksums: the same with vectors, and another one whenever something is wrong. */
#include "../../../csrc/cpu.h"
#include "check.h"

#define N_LINES 600 /* more than two blocks */
#define N_BYTES (N_LINES * (size_t)CHECKSUM_LINE)

static uint8_t lines[N_BYTES];

/* Long stretches of zeros and small numbers among others: as in tables. */
static void fill_lines(void)
{
    uint64_t state = 1;

    for (size_t i = 0; i < N_BYTES; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        lines[i] = i / 4096 % 2 == 0 ? (uint8_t)(state >> 56) : (uint8_t)(i % 8 == 0);
    }
}

static uint64_t value_of(checksum_function add, size_t n_lines)
{
    checksum sum = {0};

    add(&sum, lines, n_lines);
    return checksum_value(&sum);
}

static void test_every_processor_sums_the_same(void)
{
    const checksum_function best = cpu_summer(CTOK_CPU_BEST);

    for (size_t n = 0; n <= N_LINES; n++) {
        CHECK_EQ(value_of(checksum_plain, n), value_of(best, n));
    }
}

static void test_portions_are_added_one_after_the_other(void)
{
    const checksum_function best = cpu_summer(CTOK_CPU_BEST);
    checksum plain = {0};
    checksum with_vectors = {0};
    size_t at = 0;

    for (size_t n = 1; at + n <= N_LINES; at += n, n += 3) {
        checksum_plain(&plain, lines + at * CHECKSUM_LINE, n);
        best(&with_vectors, lines + at * CHECKSUM_LINE, n);
    }
    CHECK(memcmp(&plain, &with_vectors, sizeof plain) == 0);
}

static void test_any_bit_that_is_another_one_shows(void)
{
    const uint64_t whole = value_of(checksum_plain, N_LINES);

    for (size_t bit = 0; bit < 8 * N_BYTES; bit += bit < 8 * 64 ? 1 : 1009) {
        lines[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(whole != value_of(checksum_plain, N_LINES));
        lines[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* The same bit in two words of a lane: what a sum of words alone may miss. */
static void test_two_bits_that_are_others_show(void)
{
    const uint64_t whole = value_of(checksum_plain, N_LINES);

    for (size_t line = 1; line < N_LINES; line++) {
        for (size_t at = 0; at < CHECKSUM_LINE; at += 7) {
            lines[at] ^= 0x80;
            lines[line * CHECKSUM_LINE + at] ^= 0x80;
            CHECK(whole != value_of(checksum_plain, N_LINES));
            lines[at] ^= 0x80;
            lines[line * CHECKSUM_LINE + at] ^= 0x80;
        }
    }
}

static void swap(size_t a, size_t b, size_t len)
{
    uint8_t kept[4096];

    memcpy(kept, lines + a, len);
    memmove(lines + a, lines + b, len);
    memcpy(lines + b, kept, len);
}

static void test_lines_and_pages_that_changed_places_show(void)
{
    const uint64_t whole = value_of(checksum_plain, N_LINES);

    for (size_t line = 1; line < 64; line++) { /* the first page has no two alike */
        swap(0, line * CHECKSUM_LINE, CHECKSUM_LINE);
        CHECK(whole != value_of(checksum_plain, N_LINES));
        swap(0, line * CHECKSUM_LINE, CHECKSUM_LINE);
    }
    for (size_t page = 1; page < N_BYTES / 4096; page++) {
        swap(0, page * 4096, 4096);
        CHECK(whole != value_of(checksum_plain, N_LINES));
        swap(0, page * 4096, 4096);
    }
}

static void test_lines_of_zeros_count(void)
{
    memset(lines, 0, sizeof lines);
    for (size_t n = 0; n < N_LINES; n++) {
        CHECK(value_of(checksum_plain, n) != value_of(checksum_plain, n + 1));
    }
}

int main(void)
{
    fill_lines();
    test_every_processor_sums_the_same();
    test_portions_are_added_one_after_the_other();
    test_any_bit_that_is_another_one_shows();
    test_two_bits_that_are_others_show();
    test_lines_and_pages_that_changed_places_show();
    test_lines_of_zeros_count();
    return CHECK_RESULT();
}
