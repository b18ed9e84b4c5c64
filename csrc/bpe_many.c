/* bpe_many.c - the plain twin of bpe_many_avx2.c. */
#include "bpe_many.h"

#include "borders.h"

static void many_bytes_plain(const pairs *table, many_piece *const *pieces, size_t n,
                             uint32_t *near)
{
    size_t k;

    for (k = 0; k < n; k++) {
        many_piece *m = pieces[k];
        bpe_row *row = m->row;
        const pairs_two end = {PAIRS_NONE, BORDER_END};
        uint32_t before = BORDER_END;
        uint32_t beside = 0;
        bool was_sure = false;
        size_t n_bytes = row->n;
        size_t n_symbols = 0;
        size_t i;

        memset(m->keys, 0xFF, MANY_SHORT * sizeof *m->keys);
        for (i = 0; i < n_bytes; i++) {
            const uint8_t *at = &row->bytes[i];
            bool has_pair = i + 1 < n_bytes;
            pairs_two two = has_pair ? table->bytes[at[0] << 8 | at[1]] : end;
            pairs_two behind = i + 2 < n_bytes ? table->bytes[at[1] << 8 | at[2]] : end;
            bool is_sure = border_is_sure(two, before, behind.border);

            before = two.border;
            if (was_sure) { /* this byte is the right half */
                was_sure = false;
                continue;
            }
            row->symbols[n_symbols] = is_sure ? pairs_merged(table, two.rank) : at[0];
            if (is_sure) {
                beside |= (uint32_t)3 << n_symbols >> 1;
            } else if (has_pair) {
                m->keys[n_symbols] = many_key(two.rank, (uint32_t)n_symbols);
            }
            n_symbols++;
            was_sure = is_sure;
        }
        m->keys[n_symbols - 1] = MANY_NO_KEY;
        near[k] = beside & (((uint32_t)1 << (n_symbols - 1)) - 1);
        many_link(m, n_symbols, MANY_SHORT);
    }
}

static void many_end_plain(bpe_row *row, size_t cap)
{
    uint32_t *symbols = row->symbols;
    size_t n = 0;
    size_t i;

    (void)cap;
    for (i = 0; i < row->n; i++) {
        symbols[n] = symbols[i];
        n += symbols[n] != MANY_NOBODY;
    }
    row->n = n;
}

void bpe_many_portable(const pairs *table, bpe_row *rows, size_t n)
{
    static const many_code code = {pairs_find, many_answer_plain, many_end_plain,
                                   many_bytes_plain};
    many_all(table, &code, rows, n);
}
