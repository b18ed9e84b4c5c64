/* bpe_many_avx2.c - four entries of the pair table compared at once, and sure merges found eight bytes at
 * a time. */
#include "cpu.h"

#if CPU_HAS_X86

#include "borders.h"
#include "bpe_many.h"

#include <immintrin.h>

#define MANY_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

/* What is left of the four of a bucket without the pair; all ones for those that are not the
 * pair's. So all four have in common the rank, or all ones when none is:
 *
 *     a bucket      he|r|12  ll|o|40  th|e|3  -          for ll|o
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

        if (BASE_LIKELY(!pairs_is_over(e) || rank != PAIRS_NONE)) {
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
    if (BASE_UNLIKELY(pairs_is_over(first) | pairs_is_over(second))) {
        many_answer_plain(table, m); /* one may have to look into the next bucket */
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

/* All ones in the lanes of a mask. */
MANY_AVX2 static BASE_INLINE __m256i many_lanes(uint32_t mask)
{
    const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);

    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)mask), bits),
                              bits);
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
    uint16_t at[KEY_BYTES + 1];
    size_t i;

    _mm_storeu_si128((void *)at, _mm_unpacklo_epi8(right, left));
    _mm_storeu_si128((void *)(at + 8), _mm_unpackhi_epi8(right, left));
    for (i = 0; i < KEY_BYTES; i++) {
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
    /* No two beside each other. */
    uint32_t sure = marked & ~(marked << 1);
    uint32_t alive = (((uint32_t)1 << row->n) - 1) & ~(sure << 1);
    uint32_t n_low = (uint32_t)_mm_popcnt_u32(alive & 0xFF);
    uint32_t n = n_low + (uint32_t)_mm_popcnt_u32(alive >> 8);
    uint32_t merged = _pext_u32(sure, alive);

    if (BASE_UNLIKELY(sure != marked)) { /* only an image that was made up says so */
        low_sure = many_lanes(sure & 0xFF);
        high_sure = many_lanes(sure >> 8);
    }
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
    pairs_two twos[BPE_MANY][KEY_BYTES + 1];
    size_t i;

    /* All looks, then all vectors, for the sake of the store queue again. */
    for (i = 0; i < n; i++) {
        many_look(table, pieces[i]->row, twos[i]);
    }
    for (i = 0; i < n; i++) {
        near[i] = many_bytes_one(table, pieces[i], twos[i]);
    }
}

/* Eight symbols at a time, always all of them: no branch. */
MANY_AVX2 static inline void many_end_avx2(bpe_row *row, size_t cap)
{
    const __m256i nobody = _mm256_set1_epi32((int)MANY_NOBODY);
    uint32_t *symbols = row->symbols;
    uint64_t there = _bzhi_u64(~(uint64_t)0, (uint32_t)row->n);
    size_t n = 0;
    size_t i;

    for (i = 0; i < cap; i += 8) {
        __m256i eight = _mm256_loadu_si256((const void *)(symbols + i));
        __m256i is_gone = _mm256_cmpeq_epi32(eight, nobody);
        uint32_t gone = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(is_gone));
        uint32_t left = (uint32_t)(there >> i) & 0xFF & ~gone;

        _mm256_storeu_si256((void *)(symbols + n),
                            _mm256_permutevar8x32_epi32(eight, many_front(left)));
        n += (size_t)_mm_popcnt_u32(left);
    }
    row->n = n;
}

MANY_AVX2 void bpe_many_avx2(const pairs *table, bpe_row *rows, size_t n)
{
    static const many_code code = {many_find_avx2, many_answer_avx2, many_end_avx2,
                                   many_bytes_avx2};
    many_all(table, &code, rows, n);
}

#endif
