/* Vector code and the automaton agree on every text of a few characters of what patterns tell apart, and of
 * long runs of them: all such texts stand in one, each once, wherever blocks happen to begin and end in it. */
#include "known_patterns.h"
#include "splits.h"

#define MAX_ORDER 8

/* A de Bruijn sequence: of all words of `order` symbols each stands in it once. It is the words that are
 * no repetition and whose rotations all come later, one behind the other, in order (Fredricksen,
 * Kessler and Maiorana). */
typedef struct sequence {
    const char *const *symbols;
    size_t n_symbols;
    size_t order;
    size_t word[MAX_ORDER + 1];
    uint8_t *text;
    size_t len;
    size_t cap;
} sequence;

static void sequence_put(sequence *s, const char *symbol)
{
    REQUIRE(s->len + strlen(symbol) <= s->cap);
    memcpy(s->text + s->len, symbol, strlen(symbol));
    s->len += strlen(symbol);
}

static void sequence_write(sequence *s, size_t at, size_t period)
{
    size_t i;

    if (at > s->order) {
        for (i = 1; s->order % period == 0 && i <= period; i++) {
            sequence_put(s, s->symbols[s->word[i]]);
        }
        return;
    }
    s->word[at] = s->word[at - period];
    sequence_write(s, at + 1, period);
    for (i = s->word[at - period] + 1; i < s->n_symbols; i++) {
        s->word[at] = i;
        sequence_write(s, at + 1, at);
    }
}

/* Where the two lists differ first; n when they do not. */
static size_t first_difference(const uint32_t *a, const uint32_t *b, size_t n)
{
    size_t i = 0;

    while (i < n && a[i] == b[i]) {
        i++;
    }
    return i;
}

static ctok_cpu tiers[CHECK_MAX_TIERS];
static size_t n_tiers;

static void check_symbols(const char *const *symbols, size_t n_symbols, size_t order)
{
    sequence s = {symbols, n_symbols, order, {0}, NULL, 0, 0};
    uint32_t *expected;
    uint32_t *found;
    size_t i;
    size_t k;

    for (i = 0; i < n_symbols; i++) {
        s.cap = strlen(symbols[i]) > s.cap ? strlen(symbols[i]) : s.cap;
    }
    for (i = 0; i < order; i++) {
        s.cap *= n_symbols;
    }
    s.text = malloc(s.cap);
    expected = malloc(s.cap * sizeof *expected);
    found = malloc(s.cap * sizeof *found);
    REQUIRE(s.text != NULL && expected != NULL && found != NULL);
    sequence_write(&s, 1, 1);
    for (i = 0; i < N_KNOWN_PATTERNS; i++) {
        ctok_splitter truth = splits_by(known_patterns[i], tiers[0]);
        ctok_bytes text = {s.text, s.len};
        size_t n = splits_of(&truth, text, expected);

        for (k = 1; k < n_tiers; k++) {
            ctok_splitter vector = splits_by(known_patterns[i], tiers[k]);

            CHECK_EQ(n, splits_of(&vector, text, found));
            CHECK_EQ(n, first_difference(expected, found, n));
            ctok_splitter_free(&vector);
        }
        ctok_splitter_free(&truth);
    }
    free(s.text);
    free(expected);
    free(found);
}

/* Longer than a block. */
#define TEN(c) c c c c c c c c c c
#define RUN(c) TEN(c) TEN(c) TEN(c) TEN(c) TEN(c) TEN(c) TEN(c)

int main(void)
{
    /* clang-format off */
    static const char *const lines[] = {"a", " ", "\n", "/", "."};
    static const char *const words[] = {"a", "s", "B", " ", "'", ".", "1"};
    static const char *const others[] = {
        "a", "B", " ", "\n", "/", "'",
        "\xC3\xA9",         /* small */
        "\xC3\x89",         /* capital */
        "\xE4\xBA\xBA",     /* Han */
        "\xD7\x90",         /* without case */
        "\xCC\x81",         /* mark */
        "\xE2\x80\x94",     /* punctuation */
        "\xE3\x80\x80",     /* white space */
    };
    static const char *const runs[] = {
        "a", "\n", "/", ".", RUN("a"), RUN("A"), RUN("\n"), RUN("/"), RUN("."), RUN(" "),
        RUN("\xE4\xBA\xBA"), RUN("\xE2\x80\x94"), RUN("\xD7\x90"),
    };
    /* clang-format on */

    n_tiers = check_tiers(tiers);
    check_symbols(lines, sizeof lines / sizeof lines[0], 8);
    check_symbols(words, sizeof words / sizeof words[0], 6);
    check_symbols(others, sizeof others / sizeof others[0], 5);
    check_symbols(runs, sizeof runs / sizeof runs[0], 3);
    return CHECK_RESULT();
}
