/* bpe_many.h - short pieces merged side by side, but for what there is vector code for.
 *
 * One piece alone is slow because each merge waits for the last: the least key, the symbol
 * that it makes, two answers from a table far away. So pieces take turns. A turn
 * is one merge; it ends by asking memory for the two buckets that the next turn looks into,
 * which have arrived when all others had theirs:
 *
 *     h e l l o      merge l l, ask for (e, ll) and (ll, o)
 *     w o r l d      merge l d, ask for (r, ld)
 *     h e ll . o     answers: key of (ll, o); merge it, ask for (e, llo)
 *     ...
 *
 * Keys are those of bpe_flat, rank and place in one number; so are the links to both sides.
 *
 * What costs most are branches that nobody foresees, some twenty cycles each: where a row ends, which
 * of two ways a byte goes. So a row of bytes begins with all its sure merges at once
 * (borders.h), by vectors, and all first questions of all rows are one long list.
 */
#ifndef CTOK_BPE_MANY_H
#define CTOK_BPE_MANY_H

#include "bpe.h"

/* The key of a pair is its rank and its place in one number, so that the least is the pair
 * that merges next. */
#define MANY_PLACE_BITS 6
#define MANY_NO_KEY UINT32_MAX
/* Keys of pairs are below. A rank that is none, shifted, is above. */
#define MANY_KEYS ((uint32_t)1 << (VOCAB_SYMBOL_BITS + MANY_PLACE_BITS))

/* Pieces of at most so many symbols have shorter rows of keys to look through. */
#define MANY_SHORT 16
#define MANY_MIDDLE 32

/* The places behind the last symbol and before the first. Their symbol is in no pair, so nobody has to
 * ask whether there is a neighbour. It stands where a symbol is gone as well. */
#define MANY_END BPE_MANY_SYMBOLS
#define MANY_FRONT (BPE_MANY_SYMBOLS + 1)
#define MANY_NOBODY VOCAB_SYMBOL_MASK

#define MANY_PLACES (BPE_MANY_SYMBOLS + 2)

typedef struct many_piece {
    uint32_t
        keys[MANY_PLACES]; /* of the pair at each place; of the last two: nobody's */
    uint8_t next[MANY_PLACES]; /* places, as in bpe_flat */
    uint8_t previous[MANY_PLACES];
    bpe_row *row;
    uint64_t pairs[2]; /* asked for: the pair at and before the last merge */
    const pairs_bucket *buckets[2];
    uint32_t places[2]; /* whose keys they are */
} many_piece;

/* A pair of symbols to start from, whose bucket is on its way. */
typedef struct many_question {
    uint64_t pair;
    const pairs_bucket *bucket;
    uint32_t *key; /* to be written */
    uint32_t place;
} many_question;

#define MANY_QUESTIONS 256

typedef struct many_questions {
    many_question of[MANY_QUESTIONS + BPE_MANY_SYMBOLS];
    size_t n;
} many_questions;

/* What there is vector code for, with the same results. */
typedef struct many_code {
    /* pairs_find. */
    uint32_t (*find)(const pairs *table, const pairs_bucket *bucket, uint64_t pair);
    /* The keys that a turn asked for. */
    void (*answer)(const pairs *table, many_piece *m);
    /* Moves what is left of a merged row of at most cap symbols to the front: what merged into its
     * left neighbour is MANY_NOBODY. */
    void (*end)(bpe_row *row, size_t cap);
    /* Starts pieces of KEY_BYTES bytes at most, with all their sure merges made:
     *
     *     bytes     h   e   l   l   o          symbols   he  ll  o
     *     ranks       258 417 297 5439         keys      ?   ?   -
     *     sure        x       x                near      x   x
     *
     * Bit i of near: the pair at place i is one that the table has to be asked for. Of all others
     * that there still are the rank is known. */
    void (*bytes)(const pairs *table, many_piece *const *pieces, size_t n,
                  uint32_t *near);
} many_code;

static BASE_INLINE uint32_t many_key(uint32_t rank, uint32_t place)
{
    return rank << MANY_PLACE_BITS | place;
}

/* ---- to start from ---------------------------------------------------------- */

/* Links everybody to both sides, for rows of at most cap symbols. */
static BASE_INLINE void many_link(many_piece *m, size_t n, size_t cap)
{
    static const uint8_t places[MANY_PLACES] = {
        MANY_FRONT, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
        16,         17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
        33,         34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
        50,         51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64};

    memcpy(m->previous, places, cap);
    memcpy(m->next, places + 2, cap);
    m->next[n - 1] = MANY_END;
    m->row->symbols[MANY_END] = m->row->symbols[MANY_FRONT] = MANY_NOBODY;
    m->row->n = n;
}

static BASE_INLINE void many_answers(const pairs *table, const many_code *code,
                                     many_questions *asked)
{
    size_t i;

    for (i = 0; i < asked->n; i++) {
        const many_question *q = &asked->of[i];
        *q->key = many_key(code->find(table, q->bucket, q->pair), q->place);
    }
    asked->n = 0;
}

/* Asks for the keys of the places in near. Of two bytes, there is an array, which is
 * as near as what would be asked here. */
static BASE_INLINE void many_ask(const pairs *table, const many_code *code,
                                 many_questions *asked, many_piece *m, uint64_t near)
{
    const uint32_t *symbols = m->row->symbols;

    for (; near != 0; near &= near - 1) {
        uint32_t place = base_lowest(near);
        uint32_t left = symbols[place];
        uint32_t right = symbols[place + 1];
        many_question *q = &asked->of[asked->n];

        if ((left | right) < 256) {
            m->keys[place] = many_key(table->bytes[left << 8 | right].rank, place);
            continue;
        }
        q->pair = pairs_key(left, right);
        q->bucket = pairs_at(table, q->pair);
        q->key = &m->keys[place];
        q->place = place;
        asked->n++;
        BASE_PREFETCH(q->bucket);
    }
    if (asked->n >= MANY_QUESTIONS) {
        many_answers(table, code, asked);
    }
}

/* ---- turns ------------------------------------------------------------------ */

static BASE_INLINE uint32_t many_least(const many_piece *m, size_t cap)
{
    uint32_t least = MANY_NO_KEY;
    size_t i;

    for (i = 0; i < cap; i++) {
        least = m->keys[i] < least ? m->keys[i] : least;
    }
    return least;
}

/* One turn of a piece. False when nothing merges any more. */
static BASE_INLINE bool many_turn(const pairs *table, many_piece *m, size_t cap)
{
    uint32_t *symbols = m->row->symbols;
    uint32_t key = many_least(m, cap);
    uint32_t at;
    uint32_t symbol;
    uint32_t gone;
    uint32_t after;
    uint32_t before;

    if (key >= MANY_KEYS) {
        return false;
    }
    at = key & ((1u << MANY_PLACE_BITS) - 1);
    symbol = pairs_merged(table, key >> MANY_PLACE_BITS);
    before = m->previous[at];
    gone = m->next[at];
    after = m->next[gone];
    m->keys[gone] = MANY_NO_KEY;
    m->next[at] = (uint8_t)after;
    m->previous[after] = (uint8_t)at;
    symbols[at] = symbol;
    symbols[gone] = MANY_NOBODY;
    m->pairs[0] = pairs_key(symbol, symbols[after]);
    m->pairs[1] = pairs_key(symbols[before], symbol);
    m->places[0] = at;
    m->places[1] = before;
    m->buckets[0] = pairs_at(table, m->pairs[0]);
    m->buckets[1] = pairs_at(table, m->pairs[1]);
    BASE_PREFETCH(m->buckets[0]);
    BASE_PREFETCH(m->buckets[1]);
    return true;
}

/* The keys that a turn asked for. */
static inline void many_answer_plain(const pairs *table, many_piece *m)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        uint32_t rank = pairs_find(table, m->buckets[i], m->pairs[i]);
        m->keys[m->places[i]] = many_key(rank, m->places[i]);
    }
}

typedef struct many_group {
    many_piece *pieces[BPE_MANY];
    size_t n;
} many_group;

/* A turn of each piece, which has at most cap symbols. Who is at its end leaves. */
static BASE_INLINE void many_turns(const pairs *table, const many_code *code,
                                   many_group *g, size_t cap)
{
    size_t i;

    for (i = 0; i < g->n;) {
        many_piece *m = g->pieces[i];

        if (BASE_LIKELY(many_turn(table, m, cap))) {
            i++;
        } else {
            code->end(m->row, cap);
            g->pieces[i] = g->pieces[--g->n];
        }
    }
}

/* The keys that the turns asked for. */
static BASE_INLINE void many_turn_answers(const pairs *table, const many_code *code,
                                          const many_group *g)
{
    size_t i;

    for (i = 0; i < g->n; i++) {
        code->answer(table, g->pieces[i]);
    }
}

/* Merges started pieces, by length. All turns, then all answers: keys are written one by one and read
 * many at once, for which they have to have left the processor's store queue. */
static BASE_INLINE void many_merge(const pairs *table, const many_code *code,
                                   many_group groups[3])
{
    while (groups[0].n + groups[1].n + groups[2].n > 0) {
        many_turns(table, code, &groups[0], MANY_SHORT);
        many_turns(table, code, &groups[1], MANY_MIDDLE);
        many_turns(table, code, &groups[2], BPE_MANY_SYMBOLS);
        many_turn_answers(table, code, &groups[0]);
        many_turn_answers(table, code, &groups[1]);
        many_turn_answers(table, code, &groups[2]);
    }
}

/* ---- all -------------------------------------------------------------------- */

/* Starts rows of at most cap symbols that have these. */
static BASE_INLINE void many_start(const pairs *table, const many_code *code,
                                   many_questions *asked, many_group *g, size_t cap)
{
    size_t i;

    for (i = 0; i < g->n; i++) {
        many_piece *m = g->pieces[i];

        memset(m->keys, 0xFF, cap * sizeof *m->keys); /* MANY_NO_KEY */
        many_link(m, m->row->n, cap);
        many_ask(table, code, asked, m, m->row->near);
    }
}

static BASE_INLINE void many_all(const pairs *table, const many_code *code,
                                 bpe_row *rows, size_t n)
{
    many_piece work[BPE_MANY];
    many_questions asked;
    many_group bytes;     /* of bytes */
    many_group groups[3]; /* of symbols, by length */
    uint32_t near[BPE_MANY];
    size_t i;

    bytes.n = groups[0].n = groups[1].n = groups[2].n = asked.n = 0;
    for (i = 0; i < n; i++) {
        size_t length = (size_t)(rows[i].n > MANY_SHORT) + (rows[i].n > MANY_MIDDLE);
        many_group *g = rows[i].has_bytes ? &bytes : &groups[length];

        work[i].row = &rows[i];
        g->pieces[g->n++] = &work[i];
    }
    code->bytes(table, bytes.pieces, bytes.n, near);
    for (i = 0; i < bytes.n; i++) {
        many_ask(table, code, &asked, bytes.pieces[i], near[i]);
    }
    many_start(table, code, &asked, &groups[0], MANY_SHORT);
    many_start(table, code, &asked, &groups[1], MANY_MIDDLE);
    many_start(table, code, &asked, &groups[2], BPE_MANY_SYMBOLS);
    many_answers(table, code, &asked);
    memcpy(groups[0].pieces + groups[0].n, bytes.pieces,
           bytes.n * sizeof *bytes.pieces);
    groups[0].n += bytes.n;
    many_merge(table, code, groups);
}

#endif
