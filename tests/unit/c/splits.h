/* splits.h - a pattern's splitter, and where its pieces end, for tests that compare two of them. */
#ifndef SPLITS_H
#define SPLITS_H

#include "check.h"

static ctok_splitter splits_by(const char *pattern, ctok_cpu cpu)
{
    ctok_bytes text = {(const uint8_t *)pattern, strlen(pattern)};
    ctok_splitter splitter;

    REQUIRE(ctok_splitter_compile(&splitter, text, cpu, NULL, NULL) == CTOK_OK);
    return splitter;
}

/* Writes all ends to where there is room for them and returns how many there are. */
static size_t splits_of(const ctok_splitter *splitter, ctok_bytes text, uint32_t *ends)
{
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block block;
    size_t n = 0;
    uint32_t i;

    do {
        REQUIRE(splitter->next(splitter->self, NULL, text, &cursor, &block, NULL) ==
                CTOK_OK);
        for (i = 0; i < block.n_pieces; i++) {
            ends[n++] = (uint32_t)(block.start + block.ends[i]);
        }
    } while (block.n_pieces > 0);
    return n;
}

#endif
