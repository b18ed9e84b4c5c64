#include "borders.h"

#include "utf8.h"

/* Marks what stands side by side in a symbol that is not whole characters. */
static void borders_mark(pairs *table, ctok_bytes symbol)
{
    size_t i;

    for (i = 1; i < symbol.len; i++) {
        table->bytes[(size_t)symbol.ptr[i - 1] << 8 | symbol.ptr[i]].border &=
            ~BORDER_SAFE;
    }
}

static void borders_lower(pairs *table, uint32_t left, uint32_t right, uint32_t rank)
{
    uint32_t *border = &table->bytes[left << 8 | right].border;

    if (rank < (*border & BORDER_LEAST)) {
        *border = (*border & ~BORDER_LEAST) | rank;
    }
}

void borders_find(pairs *table, const vocab *tokens)
{
    const uint32_t *starts = tokens->starts;
    const uint8_t *blob = tokens->blob;
    uint32_t symbol;
    uint32_t i;

    for (i = 0; i < 65536; i++) {
        pairs_two *two = &table->bytes[i];
        bool is_tail = utf8_is_tail((uint8_t)i);

        two->border = is_tail ? BORDER_LEAST : BORDER_END;
        if (two->rank != PAIRS_NONE) {
            bool is_character = is_tail && i >= 0xC200 && i < 0xE000;

            two->border |= is_character ? BORDER_CHARACTER : 0;
            borders_lower(table, i >> 8, i & 0xFF, two->rank);
        }
    }
    for (symbol = 256; symbol < tokens->n_symbols; symbol++) {
        ctok_bytes bytes = vocab_bytes(tokens, symbol);

        if (ctok_utf8_valid(bytes) < bytes.len) {
            borders_mark(table, bytes);
        }
    }
    for (i = 0; i < table->n_buckets * PAIRS_PER_BUCKET; i++) {
        uint64_t entry =
            table->buckets[i / PAIRS_PER_BUCKET].entries[i % PAIRS_PER_BUCKET];

        if (entry != PAIRS_EMPTY) {
            borders_lower(table, blob[starts[pairs_left(entry) + 1] - 1],
                          blob[starts[pairs_right(entry)]], pairs_rank_in(entry));
        }
    }
}
