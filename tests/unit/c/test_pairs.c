/* The pair table: it has what was added and nothing else, also where buckets are over, whoever asks. */
#include "../../../csrc/bpe.h"
#include "../../../csrc/cpu.h"
#include "../../../csrc/mem.h"
#include "check.h"

/* Pair number i: two symbols, of which no other pair has both, and its rank, which is the symbol that it
 * makes. Every third goes on: to the right, or to the left. */
#define N_PAIRS 18000
#define FIRST_RANK 30000
#define N_SYMBOLS (FIRST_RANK + 3 * N_PAIRS)

enum { BEHIND = 256, BEFORE = 257, NOBODY = 258 };

static uint32_t left_of(uint32_t i)
{
    return 300 + i % 5000;
}

static uint32_t right_of(uint32_t i)
{
    return 6000 + (i * 7919 + i / 5000 * 13) % 20000;
}

static uint32_t rank_of(uint32_t i)
{
    return FIRST_RANK + i;
}

static bool goes_right(uint32_t i)
{
    return i % 3 == 0;
}

static bool goes_left(uint32_t i)
{
    return i % 3 == 1;
}

static pairs table_of(uint32_t n)
{
    ctok_allocator alloc = mem_allocator(NULL);
    pairs table;
    uint32_t i;

    REQUIRE(pairs_new(&table, 100, N_SYMBOLS, &alloc, NULL) == CTOK_OK); /* it grows */
    for (i = 0; i < n; i++) {
        uint32_t rank = rank_of(i);

        CHECK(pairs_add(&table, left_of(i), right_of(i), rank, &alloc, NULL) ==
              CTOK_OK);
        if (goes_right(i)) {
            CHECK(pairs_add(&table, rank, BEHIND, rank + N_PAIRS, &alloc, NULL) ==
                  CTOK_OK);
        } else if (goes_left(i)) {
            CHECK(pairs_add(&table, BEFORE, rank, rank + N_PAIRS, &alloc, NULL) ==
                  CTOK_OK);
        }
    }
    return table;
}

static void test_all_are_there_and_no_others(const pairs *table, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        CHECK_EQ(rank_of(i), pairs_rank(table, left_of(i), right_of(i)));
        CHECK_EQ(PAIRS_NONE, pairs_rank(table, NOBODY, right_of(i)));
        CHECK_EQ(PAIRS_NONE, pairs_rank(table, left_of(i), NOBODY));
        CHECK_EQ(goes_right(i) ? rank_of(i) + N_PAIRS : PAIRS_NONE,
                 pairs_rank(table, rank_of(i), BEHIND));
    }
}

/* A bucket is over when an entry went past it, and only then. */
static void test_over_is_what_sent_entries_on(const pairs *table, bool is_large)
{
    uint8_t *passed = calloc(table->n_buckets, 1);
    size_t n_full = 0;
    size_t n_over = 0;
    size_t i;

    REQUIRE(passed != NULL);
    for (i = 0; i < table->n_buckets * PAIRS_PER_BUCKET; i++) {
        size_t bucket = i / PAIRS_PER_BUCKET;
        uint64_t entry = table->buckets[bucket].entries[i % PAIRS_PER_BUCKET];
        uint64_t pair = pairs_key(pairs_left(entry), pairs_right(entry));
        size_t at;

        if (entry == PAIRS_EMPTY) {
            continue;
        }
        for (at = (size_t)(pairs_at(table, pair) - table->buckets); at != bucket;
             at = (at + 1) % table->n_buckets) {
            passed[at] = 1;
        }
    }
    for (i = 0; i < table->n_buckets; i++) {
        const uint64_t *entries = table->buckets[i].entries;

        CHECK_EQ(passed[i], pairs_is_over(entries));
        n_full += entries[PAIRS_PER_BUCKET - 1] != PAIRS_EMPTY;
        n_over += pairs_is_over(entries);
    }
    if (is_large) {
        CHECK(n_over > 100 && n_full > 2 * n_over);
    }
    free(passed);
}

/* A row of three: symbols, and what may merge. */
static bpe_row row_of(uint32_t first, uint32_t second, uint32_t third, uint64_t near)
{
    bpe_row row;

    memset(&row, 0, sizeof row);
    row.symbols[0] = first;
    row.symbols[1] = second;
    row.symbols[2] = third;
    row.n = 3;
    row.near = near;
    return row;
}

/* Whether a merged row is this one symbol, or has it at a place and one more. */
static void check_row(const bpe_row *row, bool is_one, uint32_t symbol, size_t at)
{
    CHECK_EQ(is_one ? 1 : 2, row->n);
    CHECK_EQ(symbol, row->symbols[is_one ? 0 : at]);
}

/* What is found at first, and what is found after a merge, on either side. */
static void test_merging_finds_them(const pairs *table, uint32_t n, ctok_cpu tier)
{
    bpe_many merge = cpu_merger(tier);
    uint32_t i;
    uint32_t k;

    for (i = 0; i + BPE_MANY <= n; i += BPE_MANY) {
        bpe_row right[BPE_MANY];
        bpe_row left[BPE_MANY];

        for (k = 0; k < BPE_MANY; k++) {
            right[k] = row_of(left_of(i + k), right_of(i + k), BEHIND, 3);
            left[k] = row_of(BEFORE, left_of(i + k), right_of(i + k), 3);
        }
        merge(table, right, BPE_MANY);
        merge(table, left, BPE_MANY);
        for (k = 0; k < BPE_MANY; k++) {
            uint32_t rank = rank_of(i + k);
            bool is_right = goes_right(i + k);
            bool is_left = goes_left(i + k);

            check_row(&right[k], is_right, is_right ? rank + N_PAIRS : rank, 0);
            check_row(&left[k], is_left, is_left ? rank + N_PAIRS : rank, 1);
        }
    }
}

int main(void)
{
    const uint32_t sizes[] = {1, 4, 50, 3000, N_PAIRS};
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ctok_allocator alloc = mem_allocator(NULL);
        pairs table = table_of(sizes[i]);

        test_all_are_there_and_no_others(&table, sizes[i]);
        test_over_is_what_sent_entries_on(&table, sizes[i] == N_PAIRS);
        test_merging_finds_them(&table, sizes[i], CTOK_CPU_PORTABLE);
        test_merging_finds_them(&table, sizes[i], CTOK_CPU_BEST);
        pairs_free(&table, &alloc);
    }
    return CHECK_RESULT();
}
