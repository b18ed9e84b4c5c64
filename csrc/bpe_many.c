/* bpe_many.c - short pieces merged side by side.
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
#include "borders.h"
#include "bpe.h"
#include "cpu.h"

#if CPU_HAS_X86
#include <immintrin.h>
#endif

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
 * ask whether there is a neighbour. */
#define MANY_END BPE_MANY_SYMBOLS
#define MANY_FRONT (BPE_MANY_SYMBOLS + 1)
#define MANY_NOBODY (((uint32_t)1 << VOCAB_SYMBOL_BITS) - 1)

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

/* What there is vector code for. */
typedef struct many_code {
    /* pairs_find, or one that gives the same. */
    uint32_t (*find)(const pairs *table, const pairs_bucket *bucket, uint64_t pair);
    /* The keys that a turn asked for. */
    void (*answer)(const pairs *table, many_piece *m);
    /* Starts from bytes; see many_bytes_plain. */
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

/* Starts pieces of BPE_ROW_BYTES bytes at most, with all their sure merges made:
 *
 *     bytes     h   e   l   l   o          symbols   he  ll  o
 *     ranks       258 417 297 5439         keys      ?   ?   -
 *     sure        x       x                near      x   x
 *
 * Bit i of near: the pair at place i is one that the table has to be asked for. Of all others that
 * there still are the rank is known. */
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

/* Which symbols to start from may merge at all. Starts a row that has its symbols, but for the keys of
 * these. */
static BASE_INLINE uint64_t many_symbols(const pairs *table, many_piece *m, size_t cap)
{
    const bpe_row *row = m->row;
    uint8_t left = table->sides[row->symbols[0]];
    uint64_t may = 0;
    size_t i;

    for (i = 0; i < cap; i++) {
        m->keys[i] = MANY_NO_KEY;
    }
    for (i = 0; i + 1 < row->n; i++) {
        uint8_t right = table->sides[row->symbols[i + 1]];

        may |= (uint64_t)pairs_may_merge(left, right) << i;
        left = right;
    }
    many_link(m, row->n, cap);
    return may & row->open;
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

static void many_answer_plain(const pairs *table, many_piece *m)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        uint32_t rank = pairs_find(table, m->buckets[i], m->pairs[i]);
        m->keys[m->places[i]] = many_key(rank, m->places[i]);
    }
}

/* Moves what is left to the front. */
static BASE_INLINE void many_end(const many_piece *m)
{
    uint32_t *symbols = m->row->symbols;
    uint32_t place;
    size_t n = 0;

    for (place = 0; place != MANY_END; place = m->next[place]) {
        symbols[n++] = symbols[place];
    }
    m->row->n = n;
}

/* Merges started pieces of at most cap symbols. */
static BASE_INLINE void many_turns(const pairs *table, const many_code *code,
                                   many_piece **pieces, size_t n, size_t cap)
{
    size_t i;

    while (n > 0) {
        for (i = 0; i < n;) {
            many_piece *m = pieces[i];

            if (BASE_LIKELY(many_turn(table, m, cap))) {
                i++;
            } else {
                many_end(m);
                pieces[i] = pieces[--n];
            }
        }
        /* All turns, then all answers: keys are written one by one and read many at once,
         * for which they have to have left the processor's store queue. */
        for (i = 0; i < n; i++) {
            code->answer(table, pieces[i]);
        }
    }
}

/* ---- all -------------------------------------------------------------------- */

typedef struct many_group {
    many_piece *pieces[BPE_MANY];
    size_t n;
} many_group;

static BASE_INLINE void many_start(const pairs *table, const many_code *code,
                                   many_questions *asked, many_group *g, size_t cap)
{
    size_t i;

    for (i = 0; i < g->n; i++) {
        many_piece *m = g->pieces[i];
        many_ask(table, code, asked, m, many_symbols(table, m, cap));
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
    many_turns(table, code, groups[0].pieces, groups[0].n + bytes.n, MANY_SHORT);
    many_turns(table, code, groups[1].pieces, groups[1].n, MANY_MIDDLE);
    many_turns(table, code, groups[2].pieces, groups[2].n, BPE_MANY_SYMBOLS);
}

void bpe_many_portable(const pairs *table, bpe_row *rows, size_t n)
{
    static const many_code code = {pairs_find, many_answer_plain, many_bytes_plain};
    many_all(table, &code, rows, n);
}

#if CPU_HAS_X86

#define MANY_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

/* What is left of the four of a bucket without the pair; all ones for those that are not the
 * pair's. So all four have in common the rank, or all ones when none is:
 *
 *     a bucket      h|e|12   l|l|40   t|h|3   -          for l|l
 *     taken away    large    40       large   large
 *     or            ~0       40       ~0      ~0         and: 40
 */
MANY_AVX2 static BASE_INLINE __m256i many_rests(const uint64_t *entries, uint64_t pair)
{
    __m256i left = _mm256_xor_si256(_mm256_loadu_si256((const void *)entries),
                                    _mm256_set1_epi64x((long long)pair));
    __m256i is_large = _mm256_cmpgt_epi64(_mm256_srli_epi64(left, VOCAB_SYMBOL_BITS),
                                          _mm256_setzero_si256());

    return _mm256_or_si256(left, is_large);
}

MANY_AVX2 static inline uint32_t many_find_avx2(const pairs *p,
                                                const pairs_bucket *bucket,
                                                uint64_t pair)
{
    const uint64_t *e = bucket->entries;

    for (;;) {
        __m256i all = many_rests(e, pair);
        __m128i two = _mm_and_si128(_mm256_castsi256_si128(all),
                                    _mm256_extracti128_si256(all, 1));
        uint32_t rank = (uint32_t)_mm_cvtsi128_si32(
            _mm_and_si128(two, _mm_unpackhi_epi64(two, two)));

        if (BASE_LIKELY(e[PAIRS_PER_BUCKET - 1] == PAIRS_EMPTY || rank != PAIRS_NONE)) {
            return rank;
        }
        e = pairs_behind(p, e);
    }
}

/* Both buckets at once. */
MANY_AVX2 static inline void many_answer_avx2(const pairs *table, many_piece *m)
{
    const uint64_t *first = m->buckets[0]->entries;
    const uint64_t *second = m->buckets[1]->entries;
    __m256i a = many_rests(first, m->pairs[0]);
    __m256i b = many_rests(second, m->pairs[1]);
    __m256i both =
        _mm256_and_si256(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    __m128i ranks =
        _mm_and_si128(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));

    m->keys[m->places[0]] = many_key((uint32_t)_mm_cvtsi128_si32(ranks), m->places[0]);
    m->keys[m->places[1]] =
        many_key((uint32_t)_mm_extract_epi32(ranks, 2), m->places[1]);
    if (BASE_UNLIKELY(first[PAIRS_PER_BUCKET - 1] != PAIRS_EMPTY ||
                      second[PAIRS_PER_BUCKET - 1] != PAIRS_EMPTY)) {
        many_answer_plain(table, m); /* one may go on in the next bucket */
    }
}

/* The numbers at even places of both, in order; then those at odd places. */
MANY_AVX2 static BASE_INLINE __m256i many_even(__m256i a, __m256i b)
{
    return _mm256_permute4x64_epi64(
        _mm256_castps_si256(
            _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88)),
        0xD8);
}

MANY_AVX2 static BASE_INLINE __m256i many_odd(__m256i a, __m256i b)
{
    return _mm256_permute4x64_epi64(
        _mm256_castps_si256(
            _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xDD)),
        0xD8);
}

/* Half of a row of bytes, in vectors of eight. */
typedef struct many_half {
    __m256i ranks;
    __m256i borders;
    __m256i in; /* ones where two bytes stand */
} many_half;

MANY_AVX2 static BASE_INLINE many_half many_load(const pairs_two *twos, __m256i in)
{
    __m256i low = _mm256_loadu_si256((const void *)twos);
    __m256i high = _mm256_loadu_si256((const void *)(twos + 4));
    many_half half;

    half.ranks = many_even(low, high);
    half.borders =
        _mm256_blendv_epi8(_mm256_set1_epi32((int)BORDER_END), many_odd(low, high), in);
    half.in = in;
    return half;
}

/* border_is_sure for eight: ones where it is so. */
MANY_AVX2 static BASE_INLINE __m256i many_sure(const many_half *half, __m256i before,
                                               __m256i behind)
{
    const __m256i least = _mm256_set1_epi32((int)BORDER_LEAST);
    __m256i is_first = _mm256_and_si256(
        _mm256_cmpgt_epi32(_mm256_and_si256(before, least), half->ranks),
        _mm256_cmpgt_epi32(_mm256_and_si256(behind, least), half->ranks));
    /* What is safe, a character beside that bit, and no rank are sign bits. */
    __m256i is_whole = _mm256_and_si256(_mm256_and_si256(before, behind),
                                        _mm256_slli_epi32(half->borders, 1));
    __m256i sure =
        _mm256_andnot_si256(half->ranks, _mm256_or_si256(is_first, is_whole));

    return _mm256_srai_epi32(_mm256_and_si256(sure, half->in), 31);
}

/* Which lanes to take so that those of a mask come first, in order. */
MANY_AVX2 static BASE_INLINE __m256i many_front(uint32_t mask)
{
    uint64_t bytes = _pdep_u64(mask, UINT64_C(0x0101010101010101)) * 0xFF;
    uint64_t lanes = _pext_u64(UINT64_C(0x0706050403020100), bytes);

    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)lanes));
}

/* Writes eight symbols and keys, of which those of a mask count, for places from n on. */
MANY_AVX2 static BASE_INLINE void many_put(many_piece *m, uint32_t n, __m256i symbols,
                                           __m256i ranks, uint32_t mask)
{
    const __m256i places = _mm256_add_epi32(_mm256_set1_epi32((int)n),
                                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256i front = many_front(mask);
    __m256i keys = _mm256_or_si256(
        _mm256_slli_epi32(_mm256_permutevar8x32_epi32(ranks, front), MANY_PLACE_BITS),
        places);

    _mm256_storeu_si256((void *)(m->row->symbols + n),
                        _mm256_permutevar8x32_epi32(symbols, front));
    _mm256_storeu_si256((void *)(m->keys + n), keys);
}

/* What the table has for each two bytes. One look after the other: gathers are slow on many
 * processors that had to be made safe. */
MANY_AVX2 static BASE_INLINE void many_look(const pairs *table, const bpe_row *row,
                                            pairs_two *out)
{
    __m128i left = _mm_loadu_si128((const void *)row->bytes);
    __m128i right = _mm_srli_si128(left, 1);
    uint16_t at[BPE_ROW_BYTES + 1];
    size_t i;

    _mm_storeu_si128((void *)at, _mm_unpacklo_epi8(right, left));
    _mm_storeu_si128((void *)(at + 8), _mm_unpackhi_epi8(right, left));
    for (i = 0; i < BPE_ROW_BYTES; i++) {
        out[i] = table->bytes[at[i]];
    }
}

MANY_AVX2 static BASE_INLINE uint32_t many_bytes_one(const pairs *table, many_piece *m,
                                                     const pairs_two *twos)
{
    const __m256i end = _mm256_set1_epi32((int)BORDER_END);
    const __m256i down = _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6);
    const __m256i up = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    bpe_row *row = m->row;
    __m128i bytes = _mm_loadu_si128((const void *)row->bytes);
    __m256i low_bytes = _mm256_cvtepu8_epi32(bytes);
    __m256i high_bytes = _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8));
    __m256i n_pairs = _mm256_set1_epi32((int)row->n - 1);
    many_half low = many_load(twos, _mm256_cmpgt_epi32(n_pairs, places));
    many_half high = many_load(
        twos + 8,
        _mm256_cmpgt_epi32(_mm256_sub_epi32(n_pairs, _mm256_set1_epi32(8)), places));
    __m256i low_down = _mm256_permutevar8x32_epi32(low.borders, down);
    __m256i low_up = _mm256_permutevar8x32_epi32(low.borders, up);
    __m256i high_down = _mm256_permutevar8x32_epi32(high.borders, down);
    __m256i high_up = _mm256_permutevar8x32_epi32(high.borders, up);
    __m256i low_sure = many_sure(&low, _mm256_blend_epi32(low_down, end, 0x01),
                                 _mm256_blend_epi32(low_up, high_up, 0x80));
    __m256i high_sure =
        many_sure(&high, _mm256_blend_epi32(high_down, low_down, 0x01), high_up);
    uint32_t marked = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low_sure)) |
                      (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(high_sure)) << 8;
    /* No two beside each other; but an image that was made up may say so. */
    uint32_t sure = marked & ~(marked << 1);
    uint32_t alive = (((uint32_t)1 << row->n) - 1) & ~(sure << 1);
    uint32_t n_low = (uint32_t)_mm_popcnt_u32(alive & 0xFF);
    uint32_t n = n_low + (uint32_t)_mm_popcnt_u32(alive >> 8);
    uint32_t merged = _pext_u32(marked, alive);

    many_put(m, 0, _mm256_blendv_epi8(low_bytes, low.ranks, low_sure), low.ranks,
             alive & 0xFF);
    many_put(m, n_low, _mm256_blendv_epi8(high_bytes, high.ranks, high_sure),
             high.ranks, alive >> 8);
    memset(m->keys + n - 1, 0xFF, MANY_SHORT * sizeof *m->keys);
    many_link(m, n, MANY_SHORT);
    if (BASE_UNLIKELY(table->merged != NULL)) {
        uint32_t left;

        for (left = merged; left != 0; left &= left - 1) {
            uint32_t *symbol = &row->symbols[base_lowest(left)];
            *symbol = table->merged[*symbol];
        }
    }
    return (merged | merged >> 1) & (((uint32_t)1 << (n - 1)) - 1);
}

MANY_AVX2 static inline void many_bytes_avx2(const pairs *table,
                                             many_piece *const *pieces, size_t n,
                                             uint32_t *near)
{
    pairs_two twos[BPE_MANY][BPE_ROW_BYTES + 1];
    size_t i;

    /* All looks, then all vectors, for the sake of the store queue again. */
    for (i = 0; i < n; i++) {
        many_look(table, pieces[i]->row, twos[i]);
    }
    for (i = 0; i < n; i++) {
        near[i] = many_bytes_one(table, pieces[i], twos[i]);
    }
}

MANY_AVX2 void bpe_many_avx2(const pairs *table, bpe_row *rows, size_t n)
{
    static const many_code code = {many_find_avx2, many_answer_avx2, many_bytes_avx2};
    many_all(table, &code, rows, n);
}

#endif
