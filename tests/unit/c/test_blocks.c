/* Blocks of pieces: never more than fit, never a piece lost, wherever the text ends. */
#include "check.h"

/* What a careless splitter would write over. */
typedef struct guarded_block {
    ctok_split_block block;
    uint32_t guard;
} guarded_block;

/* Counts the pieces of a text of n bytes, each of which is one. */
static size_t count_pieces(const ctok_splitter *splitter, const uint8_t *text, size_t n)
{
    ctok_split_cursor cursor = {0, 0};
    ctok_bytes view;
    guarded_block w;
    size_t total = 0;

    view.ptr = text;
    view.len = n;
    do {
        w.guard = 0x5A5A5A5A;
        CHECK(splitter->next(splitter->self, NULL, view, &cursor, &w.block, NULL) ==
              CTOK_OK);
        CHECK_EQ(0x5A5A5A5A, w.guard);
        CHECK(w.block.n_pieces <= CTOK_BLOCK_PIECES);
        total += w.block.n_pieces;
    } while (w.block.n_pieces > 0 && check_failures == 0);
    return total;
}

int main(void)
{
    static const char pattern[] =
        "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|"
        "\\s+(?!\\S)|\\s";
    static uint8_t text[1100];
    ctok_cpu tiers[CHECK_MAX_TIERS];
    size_t n_tiers = check_tiers(tiers);
    size_t i;
    size_t n;

    for (i = 0; i < sizeof text; i++) {
        text[i] = i % 2 == 0 ? '!' : 'a';
    }
    for (i = 0; i < n_tiers; i++) {
        ctok_bytes view;
        ctok_splitter splitter;

        view.ptr = (const uint8_t *)pattern;
        view.len = sizeof pattern - 1;
        CHECK(ctok_splitter_compile(&splitter, view, tiers[i], NULL, NULL) == CTOK_OK);
        for (n = 0; n <= 1100; n++) {
            CHECK_EQ(n, count_pieces(&splitter, text, n));
        }
        ctok_splitter_free(&splitter);
    }
    return CHECK_RESULT();
}
