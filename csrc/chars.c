#include "chars.h"

#include "borders.h"
#include "mem.h"

/* The four bytes from p on, the first one highest, with zeros for those from end on. There are four
 * before end. */
static BASE_INLINE uint32_t chars_load(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *four = p < end - 4 ? p : end - 4;
    uint32_t word = (uint32_t)four[0] << 24 | (uint32_t)four[1] << 16 |
                    (uint32_t)four[2] << 8 | four[3];

    return word << 8 * (p - four);
}

/* Which characters are first in a word, and their numbers: of two bytes, and of three.
 *
 *     E4 BA BA     0100  111010  111010     number 0100111010111010
 *
 * Spelled too long or half of a pair they are as good as any: all that counts is which bytes stand at
 * their borders. */
static BASE_INLINE bool chars_is_two(uint32_t word)
{
    return (word & 0xE0C00000) == 0xC0800000;
}

static BASE_INLINE bool chars_is_three(uint32_t word)
{
    return (word & 0xF0C0C000) == 0xE0808000;
}

static BASE_INLINE uint32_t chars_two(uint32_t word)
{
    return CHARS_OF_THREE + ((word >> 18 & 0x7C0) | (word >> 16 & 0x3F));
}

static BASE_INLINE uint32_t chars_three(uint32_t word)
{
    return (word >> 12 & 0xF000) | (word >> 10 & 0xFC0) | (word >> 8 & 0x3F);
}

/* What the bytes of a character become by themselves,
 * up to the last merge that would make it one symbol. */
static BASE_INLINE size_t chars_parts(const pairs *table, const uint8_t *p, size_t n,
                                      uint32_t *out)
{
    uint32_t front = n == 3 ? table->bytes[p[0] << 8 | p[1]].rank : PAIRS_NONE;
    uint32_t back = n == 3 ? table->bytes[p[1] << 8 | p[2]].rank : PAIRS_NONE;

    if (front < back) {
        out[0] = pairs_merged(table, front);
        out[1] = p[2];
        return 2;
    }
    out[0] = p[0];
    if (back != PAIRS_NONE) {
        out[1] = pairs_merged(table, back);
        return 2;
    }
    out[1] = p[1];
    out[2] = p[n - 1];
    return n;
}

/* The rank of the last merge that makes a character one symbol, by itself, or PAIRS_NONE. */
static uint32_t chars_rank(const pairs *table, const uint8_t *p, size_t n)
{
    uint32_t parts[3] = {p[0], p[1], 0};
    size_t n_parts = n == 2 ? 2 : chars_parts(table, p, n, parts);

    return n_parts == 2 ? pairs_rank(table, parts[0], parts[1]) : PAIRS_NONE;
}

/* ---- building --------------------------------------------------------------- */

ctok_status chars_new(chars *out, const vocab *tokens, const pairs *table,
                      const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;
    uint32_t symbol;

    memset(out, 0, sizeof *out);
    TRY(mem_new(alloc, &memory, CHARS_N, sizeof *out->merges, err));
    out->merges = memory;
    memset(out->merges, 0xFF, CHARS_N * sizeof *out->merges); /* CHARS_NONE */
    for (symbol = 256; symbol < tokens->n_symbols; symbol++) {
        ctok_bytes bytes = vocab_bytes(tokens, symbol);
        uint8_t four[4] = {0};
        uint32_t word;
        uint32_t rank;

        if (bytes.len > 3) {
            continue;
        }
        memcpy(four, bytes.ptr, bytes.len);
        word = chars_load(four, four + sizeof four);
        if (!(bytes.len == 2 ? chars_is_two(word) : chars_is_three(word))) {
            continue;
        }
        rank = chars_rank(table, bytes.ptr, bytes.len);
        if (rank != PAIRS_NONE && pairs_merged(table, rank) == symbol) {
            out->merges[bytes.len == 2 ? chars_two(word) : chars_three(word)] =
                rank | (uint32_t)table->sides[symbol] << CHARS_SIDES;
        }
    }
    return CTOK_OK;
}

void chars_free(chars *c, const ctok_allocator *alloc)
{
    mem_free(alloc, c->merges, CHARS_N, sizeof *c->merges);
    memset(c, 0, sizeof *c);
}

size_t chars_size_in_memory(const chars *c)
{
    return c->merges == NULL ? 0 : CHARS_N * sizeof *c->merges;
}

/* ---- use -------------------------------------------------------------------- */

/* On the way through a piece. */
typedef struct chars_walk {
    const uint8_t *p;
    uint32_t before; /* the border at p */
    uint8_t left;    /* the sides of the last symbol; 0: nothing merges with it */
    uint32_t *out;
    uint64_t near;
    size_t n;
} chars_walk;

/* Puts a symbol with these sides, that may merge with what is beside it. */
static BASE_INLINE void chars_put(chars_walk *w, uint32_t symbol, uint8_t right)
{
    w->near |= (uint64_t)pairs_may_merge(w->left, right) << w->n >> 1;
    w->left = right;
    w->out[w->n++] = symbol;
}

/* Puts one byte. */
static BASE_INLINE void chars_put_byte(chars_walk *w, const pairs *table, uint32_t word)
{
    chars_put(w, word >> 24, table->sides[word >> 24]);
    w->before = table->bytes[word >> 16].border;
    w->p++;
}

/* Puts one byte, or two that are sure to merge. */
static BASE_INLINE void chars_put_bytes(chars_walk *w, const pairs *table,
                                        uint32_t word, const uint8_t *end)
{
    pairs_two two = table->bytes[word >> 16];
    uint32_t behind = table->bytes[word >> 8 & 0xFFFF].border;
    uint32_t symbol;

    if (end - w->p == 1 || !border_is_sure(two, w->before, behind)) {
        chars_put_byte(w, table, word);
        return;
    }
    symbol = pairs_merged(table, two.rank);
    chars_put(w, symbol, table->sides[symbol]);
    w->before = behind;
    w->p += 2;
}

/* The rank from which on something may merge across a border of a character that is in parts. */
static BASE_INLINE uint32_t chars_limit(uint32_t border)
{
    return (border | (0 - (border >> 31))) & BORDER_LEAST;
}

/* Puts a character of n bytes, which ends at the border behind, as a symbol, or closed in; false where
 * neither is sure. */
static BASE_INLINE bool chars_put_whole(chars_walk *w, const pairs *table,
                                        uint32_t merge, uint32_t behind, size_t n_bytes)
{
    uint32_t rank = merge & CHARS_RANK;
    uint32_t left = chars_limit(w->before);
    uint32_t right = chars_limit(behind);
    uint32_t limit = left < right ? left : right;

    if (BASE_LIKELY(rank < limit)) {
        chars_put(w, pairs_merged(table, rank), (uint8_t)(merge >> CHARS_SIDES));
    } else if (merge == CHARS_NONE && limit == BORDER_LEAST) {
        w->n += chars_parts(table, w->p, n_bytes, w->out + w->n);
        w->left = 0;
    } else {
        return false;
    }
    w->before = behind;
    w->p += n_bytes;
    return true;
}

size_t chars_start(const chars *c, const pairs *table, ctok_bytes piece, uint32_t *out,
                   size_t max, uint64_t *near)
{
    const pairs known = *table; /* a copy, which no symbol written can change */
    const uint32_t *merges = c->merges;
    const uint8_t *end = piece.ptr + piece.len;
    chars_walk w = {piece.ptr, BORDER_END, 0, out, 0, 0};
    uint8_t few[8] = {0};

    if (BASE_UNLIKELY(piece.len < 4)) { /* what is before them is shifted away */
        memcpy(few + 4, piece.ptr, piece.len);
        w.p = few + 4;
        end = w.p + piece.len;
    }
    /* Behind the end are zeros: a border no less strict than BORDER_END. */
    while (w.p < end && w.n + 3 <= max) {
        uint32_t word = chars_load(w.p, end);

        /* Of ASCII no two at once: whether they are sure nobody foresees, and rows of both kinds of
         * symbols are asked about more slowly. */
        if (word >> 31 == 0) {
            chars_put_byte(&w, &known, word);
            continue;
        }
        if (chars_is_three(word) && merges != NULL) {
            uint32_t behind = known.bytes[word & 0xFFFF].border;

            if (chars_put_whole(&w, &known, merges[chars_three(word)], behind, 3)) {
                continue;
            }
        } else if (chars_is_two(word) && merges != NULL) {
            uint32_t behind = known.bytes[word >> 8 & 0xFFFF].border;

            if (chars_put_whole(&w, &known, merges[chars_two(word)], behind, 2)) {
                continue;
            }
        }
        chars_put_bytes(&w, &known, word, end);
    }
    *near = w.near;
    return w.p < end ? 0 : w.n;
}

void chars_sections(chars *c, sections *s)
{
    size_t n = c->merges == NULL ? 0 : CHARS_N;

    section_number(s, &n);
    SECTION(s, c->merges, n);
    s->is_bad = s->is_bad || (n != 0 && n != CHARS_N);
}

bool chars_are_sound(const chars *c, const pairs *table, const uint8_t *lengths,
                     size_t n_symbols)
{
    size_t i;

    for (i = 0; c->merges != NULL && i < CHARS_N; i++) {
        uint32_t rank = c->merges[i] & CHARS_RANK;
        uint8_t length = i < CHARS_OF_THREE ? 3 : 2;

        if (c->merges[i] != CHARS_NONE &&
            (!pairs_has_rank(table, rank, n_symbols) ||
             lengths[pairs_merged(table, rank)] != length)) {
            return false;
        }
    }
    return true;
}
