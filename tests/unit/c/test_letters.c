/* Vector code and the automaton agree about every character, standing in a row of itself: some classes
 * are told by bytes alone. */
#include "known_patterns.h"
#include "splits.h"

#include "../../../csrc/utf8.h"

#define N_REPEATS 24 /* more than fit in a block of 64 bytes */
/* Each character to here; then, of long ranges of few classes, one of 97. */
#define FULL 0x20000

static size_t put(const char *text, uint8_t *out)
{
    memcpy(out, text, strlen(text));
    return strlen(text);
}

/* A row of the character in the middle of a block, with letters behind it and between; and a row that
 * is longer than a block. */
static size_t make_text(uint32_t c, uint8_t *out)
{
    size_t len = put("ab ", out);
    int i;

    for (i = 0; i < 8; i++) {
        len += utf8_encode(c, out + len);
    }
    len += put("a ", out + len);
    for (i = 0; i < 4; i++) {
        len += utf8_encode(c, out + len);
        len += put("b", out + len);
    }
    len += put(" ", out + len);
    for (i = 0; i < N_REPEATS; i++) {
        len += utf8_encode(c, out + len);
    }
    return len + put("a B's 1", out + len);
}

int main(void)
{
    static uint8_t bytes[32 + 4 * (12 + N_REPEATS)];
    static uint32_t expected[CTOK_BLOCK_PIECES];
    static uint32_t found[CTOK_BLOCK_PIECES];
    ctok_cpu tiers[CHECK_MAX_TIERS];
    size_t n_tiers = check_tiers(tiers);
    size_t i;
    size_t k;
    uint32_t c;

    for (i = 0; i < N_KNOWN_PATTERNS; i++) {
        ctok_splitter by_tier[CHECK_MAX_TIERS];

        for (k = 0; k < n_tiers; k++) {
            by_tier[k] = splits_by(known_patterns[i], tiers[k]);
        }
        for (c = 0x80; c < 0x110000 && check_failures == 0; c += c < FULL ? 1 : 97) {
            ctok_bytes text = {bytes, 0};
            size_t n;

            if (c >= 0xD800 && c < 0xE000) {
                continue;
            }
            text.len = make_text(c, bytes);
            n = splits_of(&by_tier[0], text, expected);
            for (k = 1; k < n_tiers; k++) {
                CHECK_EQ(n, splits_of(&by_tier[k], text, found));
                CHECK(memcmp(expected, found, n * sizeof *found) == 0);
                if (check_failures != 0) {
                    printf("pattern %zu, U+%04X\n", i, (unsigned)c);
                }
            }
        }
        for (k = 0; k < n_tiers; k++) {
            ctok_splitter_free(&by_tier[k]);
        }
    }
    return CHECK_RESULT();
}
