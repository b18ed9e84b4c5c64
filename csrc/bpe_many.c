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
 * Keys are those of bpe_flat, rank and place in one number, and symbols that are gone are
 * bits that are gone from a mask.
 */
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

typedef struct many_piece {
    uint32_t
        keys[BPE_MANY_SYMBOLS + 1]; /* of the pair at each place; the last: nobody's */
    bpe_row *row;
    uint64_t alive;    /* the places that have a symbol */
    uint64_t pairs[2]; /* asked for: the pair at and before the last merge */
    const pairs_bucket *buckets[2];
    uint32_t places[2]; /* whose keys they are */
} many_piece;

/* pairs_find, or one that gives the same. */
typedef uint32_t many_find(const pairs *table, const pairs_bucket *bucket,
                           uint64_t pair);

/* Finds which symbols to start from may merge at all, and asks for their buckets. Bytes have
 * an array of their own, which is as near as what would be asked here. */
static BASE_INLINE void many_ask(const pairs *table, bpe_row *row)
{
    const uint32_t *symbols = row->symbols;
    uint64_t open = 0;
    uint32_t all = 0;
    uint8_t left;
    size_t i;

    for (i = 0; i < row->n; i++) {
        all |= symbols[i];
    }
    row->open &= ((uint64_t)1 << (row->n - 1)) - 1;
    if (all < 256) {
        return;
    }
    left = table->sides[symbols[0]];
    for (i = 0; i + 1 < row->n; i++) {
        uint8_t right = table->sides[symbols[i + 1]];

        open |= (uint64_t)pairs_may_merge(left, right) << i;
        left = right;
    }
    row->open &= open;
    for (open = row->open; open != 0; open &= open - 1) {
        i = base_lowest(open);
        if ((symbols[i] | symbols[i + 1]) >= 256) {
            BASE_PREFETCH(pairs_at(table, pairs_key(symbols[i], symbols[i + 1])));
        }
    }
}

static BASE_INLINE void many_start(const pairs *table, many_find *find, many_piece *m,
                                   bpe_row *row, size_t cap)
{
    const uint32_t *symbols = row->symbols;
    uint64_t open;
    size_t i;

    m->row = row;
    for (i = 0; i < cap; i++) {
        m->keys[i] = MANY_NO_KEY;
    }
    for (open = row->open; open != 0; open &= open - 1) {
        uint64_t pair;
        uint32_t rank;

        i = base_lowest(open);
        pair = pairs_key(symbols[i], symbols[i + 1]);
        rank = (symbols[i] | symbols[i + 1]) < 256
                   ? table->bytes[symbols[i] << 8 | symbols[i + 1]]
                   : find(table, pairs_at(table, pair), pair);
        m->keys[i] = rank << MANY_PLACE_BITS | (uint32_t)i;
    }
    m->alive = ~(uint64_t)0 >> (64 - row->n);
    m->pairs[0] = m->pairs[1] = PAIRS_NO_KEY;
    m->buckets[0] = m->buckets[1] = table->buckets;
    m->places[0] = m->places[1] = BPE_MANY_SYMBOLS;
}

static BASE_INLINE uint32_t many_least(const many_piece *m, size_t cap)
{
    uint32_t least = MANY_NO_KEY;
    size_t i;

    for (i = 0; i < cap; i++) {
        least = m->keys[i] < least ? m->keys[i] : least;
    }
    return least;
}

/* The answers that a turn asked for. */
static BASE_INLINE void many_answer(const pairs *table, many_find *find, many_piece *m)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        uint32_t rank = find(table, m->buckets[i], m->pairs[i]);
        m->keys[m->places[i]] = rank << MANY_PLACE_BITS | m->places[i];
    }
    m->keys[BPE_MANY_SYMBOLS] = MANY_NO_KEY;
}

/* One turn of a piece. False when nothing merges any more. */
static BASE_INLINE bool many_turn(const pairs *table, many_piece *m, size_t cap)
{
    uint32_t *symbols = m->row->symbols;
    uint32_t key = many_least(m, cap);
    uint32_t at;
    uint32_t symbol;
    uint32_t right;
    uint32_t left;
    uint64_t behind;
    uint64_t before;
    uint64_t no_right; /* all ones when nobody is there */
    uint64_t no_left;

    if (key >= MANY_KEYS) {
        return false;
    }
    at = key & ((1u << MANY_PLACE_BITS) - 1);
    symbol = pairs_merged(table, key >> MANY_PLACE_BITS);
    before = m->alive & (((uint64_t)1 << at) - 1);
    behind = m->alive & ~before & ~((uint64_t)1 << at);
    m->alive &= ~(behind & (~behind + 1)); /* the right half is gone */
    m->keys[base_lowest(behind)] = MANY_NO_KEY;
    behind &= behind - 1;
    symbols[at] = symbol;
    /* With masks, for nobody could foresee branches: a neighbour that is not there is looked up
     * as any, and not asked for. */
    no_right = (uint64_t)0 - (behind == 0);
    no_left = (uint64_t)0 - (before == 0);
    right = symbols[base_lowest(behind | (no_right & (uint64_t)1 << at))];
    left = base_highest(before | 1);
    m->pairs[0] = (pairs_key(symbol, right) & ~no_right) | (PAIRS_NO_KEY & no_right);
    m->pairs[1] =
        (pairs_key(symbols[left], symbol) & ~no_left) | (PAIRS_NO_KEY & no_left);
    m->places[0] = at;
    m->places[1] = left | (BPE_MANY_SYMBOLS & (uint32_t)no_left);
    m->buckets[0] = pairs_at(table, m->pairs[0]);
    m->buckets[1] = pairs_at(table, m->pairs[1]);
    BASE_PREFETCH(m->buckets[0]);
    BASE_PREFETCH(m->buckets[1]);
    return true;
}

/* Moves what is left to the front. */
static BASE_INLINE void many_end(const many_piece *m)
{
    uint32_t *symbols = m->row->symbols;
    uint64_t left;
    size_t n = 0;

    for (left = m->alive; left != 0; left &= left - 1) {
        symbols[n++] = symbols[base_lowest(left)];
    }
    m->row->n = n;
}

/* Pieces of at most cap symbols. */
static BASE_INLINE void many_merge(const pairs *table, many_find *find,
                                   bpe_row *const *rows, size_t n, size_t cap)
{
    many_piece work[BPE_MANY];
    many_piece *turns[BPE_MANY];
    size_t i;

    for (i = 0; i < n; i++) {
        many_start(table, find, &work[i], rows[i], cap);
        turns[i] = &work[i];
    }
    while (n > 0) {
        /* All answers, then all turns: keys are written one by one and read many at once,
         * for which they have to have left the processor's store queue. */
        for (i = 0; i < n; i++) {
            many_answer(table, find, turns[i]);
        }
        for (i = 0; i < n;) {
            many_piece *m = turns[i];

            if (BASE_LIKELY(many_turn(table, m, cap))) {
                i++;
            } else {
                many_end(m);
                turns[i] = turns[--n];
            }
        }
    }
}

static BASE_INLINE void many_all(const pairs *table, many_find *find, bpe_row *rows,
                                 size_t n)
{
    bpe_row *of[3][BPE_MANY];
    size_t n_of[3] = {0, 0, 0};
    size_t i;

    for (i = 0; i < n; i++) {
        size_t length = (size_t)(rows[i].n > MANY_SHORT) + (rows[i].n > MANY_MIDDLE);

        of[length][n_of[length]++] = &rows[i];
        many_ask(table, &rows[i]);
    }
    many_merge(table, find, of[0], n_of[0], MANY_SHORT);
    many_merge(table, find, of[1], n_of[1], MANY_MIDDLE);
    many_merge(table, find, of[2], n_of[2], BPE_MANY_SYMBOLS);
}

void bpe_many_portable(const pairs *table, bpe_row *rows, size_t n)
{
    many_all(table, pairs_find, rows, n);
}

#if CPU_HAS_X86

#define MANY_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))

/* pairs_find for the four of a bucket at once. Those that are not the pair's become all ones,
 * and so does what all four have in common when none is:
 *
 *     a bucket      h|e|12   l|l|40   t|h|3   -          for l|l
 *     taken away    large    40       large   large
 *     or            ~0       40       ~0      ~0         and: 40
 */
MANY_AVX2 static inline uint32_t many_find_avx2(const pairs *p,
                                                const pairs_bucket *bucket,
                                                uint64_t pair)
{
    const __m256i wanted = _mm256_set1_epi64x((long long)pair);
    const uint64_t *e = bucket->entries;

    for (;;) {
        __m256i left = _mm256_xor_si256(_mm256_loadu_si256((const void *)e), wanted);
        __m256i is_large = _mm256_cmpgt_epi64(
            _mm256_srli_epi64(left, VOCAB_SYMBOL_BITS), _mm256_setzero_si256());
        __m256i all = _mm256_or_si256(left, is_large);
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

MANY_AVX2 void bpe_many_avx2(const pairs *table, bpe_row *rows, size_t n)
{
    many_all(table, many_find_avx2, rows, n);
}

#endif
