/* bpe_avx512.c - sixteen short pieces merged at once, one a lane.
 *
 * The flat algorithm of bpe.c stood on its side: rows are positions, columns are pieces.
 * Each round every piece merges its best pair, so the sixteen waits for the pair table
 * overlap.
 *
 *     position   0 1 2 3 4        lane 0   h e l l o     keys: row by row, the minimum of a
 *                                 lane 1   t h e .  .    column is that piece's best pair
 *     symbols    h e l l o                 ...
 *                t h e . .
 */
#include "bpe.h"
#include "cpu.h"

#if CPU_HAS_X86

#include <immintrin.h>

/* Without optimization GCC's gathers and scatters are macros that convert signs. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

#define BPE_LANES 16
/* Sixteen take 4 us whether there are sixteen or not; one alone takes 0.45 us. */
#define BPE_LANES_WORTH 10
#define BPE_AVX512                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,bmi,bmi2")))
#define BPE_ROW_BITS 4

typedef struct bpe_lanes {
    uint32_t symbols[BPE_MANY_BYTES][BPE_LANES];
    uint32_t keys[BPE_MANY_BYTES][BPE_LANES];
} bpe_lanes;

/* Ranks of sixteen pairs of which at least one half is no single byte; lanes that are not
 * asked or do not merge get PAIRS_NONE. */
BPE_AVX512 static BASE_INLINE __m512i bpe_ranks(const pairs *table, __m512i left,
                                                __m512i right, __mmask16 asked)
{
    const __m512i none = _mm512_set1_epi32(-1);
    __m512i hash = _mm512_mullo_epi32(
        _mm512_xor_si512(_mm512_mullo_epi32(left, _mm512_set1_epi32((int)PAIRS_MIX_1)),
                         right),
        _mm512_set1_epi32((int)PAIRS_MIX_2));
    __m512i bit = _mm512_srlv_epi32(hash, _mm512_set1_epi32((int)table->shift - 3));
    __m512i words = _mm512_mask_i32gather_epi32(none, asked, _mm512_srli_epi32(bit, 5),
                                                (const void *)table->bits, 4);
    __m512i mine = _mm512_sllv_epi32(_mm512_set1_epi32(1),
                                     _mm512_and_si512(bit, _mm512_set1_epi32(31)));
    __mmask16 maybe = _mm512_mask_test_epi32_mask(asked, words, mine);
    __m512i slot = _mm512_srlv_epi32(hash, _mm512_set1_epi32((int)table->shift));
    __m512i ranks = none;
    __m512i key_low;
    __m512i key_high;

    if (maybe == 0) {
        return none;
    }
    key_low = _mm512_or_si512(
        _mm512_slli_epi64(_mm512_cvtepu32_epi64(_mm512_castsi512_si256(left)),
                          VOCAB_SYMBOL_BITS),
        _mm512_cvtepu32_epi64(_mm512_castsi512_si256(right)));
    key_high = _mm512_or_si512(
        _mm512_slli_epi64(_mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(left, 1)),
                          VOCAB_SYMBOL_BITS),
        _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(right, 1)));
    while (maybe != 0) {
        __mmask8 maybe_low = (__mmask8)maybe;
        __mmask8 maybe_high = (__mmask8)(maybe >> 8);
        __m512i low =
            _mm512_mask_i32gather_epi64(none, maybe_low, _mm512_castsi512_si256(slot),
                                        (const void *)table->slots, 8);
        __m512i high = _mm512_mask_i32gather_epi64(none, maybe_high,
                                                   _mm512_extracti64x4_epi64(slot, 1),
                                                   (const void *)table->slots, 8);
        __mmask8 hit_low = _mm512_mask_cmpeq_epi64_mask(
            maybe_low, _mm512_srli_epi64(low, VOCAB_SYMBOL_BITS), key_low);
        __mmask8 hit_high = _mm512_mask_cmpeq_epi64_mask(
            maybe_high, _mm512_srli_epi64(high, VOCAB_SYMBOL_BITS), key_high);
        __mmask16 hit = (__mmask16)(hit_low | (unsigned)hit_high << 8);
        __mmask16 end =
            (__mmask16)(_mm512_mask_cmpeq_epi64_mask(maybe_low, low, none) |
                        (unsigned)_mm512_mask_cmpeq_epi64_mask(maybe_high, high, none)
                            << 8);
        __m512i found =
            _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(low)),
                               _mm512_cvtepi64_epi32(high), 1);

        ranks = _mm512_mask_and_epi32(ranks, hit, found,
                                      _mm512_set1_epi32((1 << VOCAB_SYMBOL_BITS) - 1));
        maybe &= (__mmask16) ~(hit | end);
        slot = _mm512_and_si512(_mm512_add_epi32(slot, _mm512_set1_epi32(1)),
                                _mm512_set1_epi32((int)(table->n_slots - 1)));
    }
    return ranks;
}

/* rank << 4 | row, or all ones for no pair. */
BPE_AVX512 static BASE_INLINE __m512i bpe_row_keys(__m512i ranks, __m512i rows)
{
    const __m512i none = _mm512_set1_epi32(-1);
    __mmask16 some = _mm512_cmpneq_epi32_mask(ranks, none);

    return _mm512_mask_or_epi32(none, some, _mm512_slli_epi32(ranks, BPE_ROW_BITS),
                                rows);
}

BPE_AVX512 static BASE_INLINE void bpe_load_lanes(const pairs *table, bpe_lanes *lanes,
                                                  const uint8_t (*rows)[BPE_MANY_BYTES],
                                                  __m512i lens, unsigned longest)
{
    const __m512i lane =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i offsets = _mm512_slli_epi32(lane, 4);
    unsigned p;

    for (p = 0; p < longest; p++) {
        /* Two neighbouring bytes of each piece; behind the last there is padding. */
        __m512i two =
            _mm512_i32gather_epi32(offsets, (const void *)(&rows[0][0] + p), 1);
        __m512i left = _mm512_and_si512(two, _mm512_set1_epi32(0xFF));
        __m512i right =
            _mm512_and_si512(_mm512_srli_epi32(two, 8), _mm512_set1_epi32(0xFF));
        __mmask16 is_pair =
            _mm512_cmpgt_epi32_mask(lens, _mm512_set1_epi32((int)p + 1));
        __m512i ranks = _mm512_mask_i32gather_epi32(
            _mm512_set1_epi32(-1), is_pair,
            _mm512_or_si512(_mm512_slli_epi32(left, 8), right),
            (const void *)table->bytes, 4);

        _mm512_store_si512(lanes->symbols[p], left);
        _mm512_store_si512(lanes->keys[p],
                           bpe_row_keys(ranks, _mm512_set1_epi32((int)p)));
    }
}

BPE_AVX512 static BASE_INLINE __m512i bpe_lowest_bit(__m512i x)
{
    __m512i lowest = _mm512_and_si512(x, _mm512_sub_epi32(_mm512_setzero_si512(), x));
    return _mm512_sub_epi32(_mm512_set1_epi32(31), _mm512_lzcnt_epi32(lowest));
}

/* Merges until no lane has a pair left; alive has a bit for each row that holds a symbol. */
BPE_AVX512 static BASE_INLINE __m512i bpe_merge_lanes(const pairs *table,
                                                      bpe_lanes *lanes, __m512i alive,
                                                      unsigned longest)
{
    const __m512i none = _mm512_set1_epi32(-1);
    const __m512i one = _mm512_set1_epi32(1);
    const __m512i lane =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    for (;;) {
        __m512i best = _mm512_load_si512(lanes->keys[0]);
        __m512i at;
        __m512i merged;
        __m512i up_to;
        __m512i next;
        __m512i after;
        __m512i before;
        __m512i place;
        __mmask16 active;
        __mmask16 has_after;
        __mmask16 has_before;
        unsigned p;

        for (p = 1; p < longest; p++) {
            best = _mm512_min_epu32(best, _mm512_load_si512(lanes->keys[p]));
        }
        active = _mm512_cmpneq_epi32_mask(best, none);
        if (active == 0) {
            return alive;
        }
        at = _mm512_and_si512(best, _mm512_set1_epi32(BPE_MANY_BYTES - 1));
        merged = _mm512_srli_epi32(best, BPE_ROW_BITS);
        if (table->merged != NULL) {
            merged = _mm512_mask_i32gather_epi32(none, active, merged,
                                                 (const void *)table->merged, 4);
        }
        /* The right half disappears; who are the neighbours then? */
        up_to = _mm512_sub_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(2), at), one);
        next = bpe_lowest_bit(_mm512_andnot_si512(up_to, alive));
        alive = _mm512_mask_andnot_epi32(alive, active, _mm512_sllv_epi32(one, next),
                                         alive);
        after = _mm512_andnot_si512(up_to, alive);
        has_after = _mm512_mask_test_epi32_mask(active, after, after);
        after = bpe_lowest_bit(after);
        before = _mm512_and_si512(alive, _mm512_srli_epi32(up_to, 1));
        has_before = _mm512_mask_test_epi32_mask(active, before, before);
        before = _mm512_sub_epi32(_mm512_set1_epi32(31), _mm512_lzcnt_epi32(before));

        place = _mm512_add_epi32(_mm512_slli_epi32(at, 4), lane);
        _mm512_mask_i32scatter_epi32(lanes->symbols, active, place, merged, 4);
        _mm512_mask_i32scatter_epi32(lanes->keys, active,
                                     _mm512_add_epi32(_mm512_slli_epi32(next, 4), lane),
                                     none, 4);
        {
            __m512i after_place = _mm512_add_epi32(_mm512_slli_epi32(after, 4), lane);
            __m512i right = _mm512_mask_i32gather_epi32(none, has_after, after_place,
                                                        lanes->symbols, 4);
            __m512i ranks = bpe_ranks(table, merged, right, has_after);
            _mm512_mask_i32scatter_epi32(lanes->keys, active, place,
                                         bpe_row_keys(ranks, at), 4);
        }
        {
            __m512i before_place = _mm512_add_epi32(_mm512_slli_epi32(before, 4), lane);
            __m512i left = _mm512_mask_i32gather_epi32(none, has_before, before_place,
                                                       lanes->symbols, 4);
            __m512i ranks = bpe_ranks(table, left, merged, has_before);
            _mm512_mask_i32scatter_epi32(lanes->keys, has_before, before_place,
                                         bpe_row_keys(ranks, before), 4);
        }
    }
}

BPE_AVX512 void bpe_many_avx512(const pairs *table, const ctok_bytes *pieces, size_t n,
                                uint32_t (*out)[BPE_MANY_BYTES], uint8_t *n_out)
{
    /* Four bytes of padding: the last row is read with two bytes and gathers take four. */
    uint8_t rows[BPE_LANES + 1][BPE_MANY_BYTES];
    uint32_t lens[BPE_LANES] = {0};
    _Alignas(64) bpe_lanes lanes;
    _Alignas(64) uint32_t alive[BPE_LANES];
    size_t done;

    for (done = 0; done < n; done += BPE_LANES) {
        size_t n_here = n - done < BPE_LANES ? n - done : BPE_LANES;
        unsigned longest = 1;
        __m512i len;
        __m512i bits;
        size_t i;

        if (n_here < BPE_LANES_WORTH) {
            bpe_many_portable(table, pieces + done, n_here, out + done, n_out + done);
            return;
        }
        memset(rows, 0, sizeof rows);
        for (i = 0; i < BPE_LANES; i++) {
            lens[i] = i < n_here ? (uint32_t)pieces[done + i].len : 0;
            if (i < n_here) {
                memcpy(rows[i], pieces[done + i].ptr, lens[i]);
            }
            longest = lens[i] > longest ? lens[i] : longest;
        }
        len = _mm512_loadu_si512(lens);
        bits = _mm512_sub_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), len),
                                _mm512_set1_epi32(1));
        bpe_load_lanes(table, &lanes, (const uint8_t (*)[BPE_MANY_BYTES])rows, len,
                       longest);
        bits = bpe_merge_lanes(table, &lanes, bits, longest);
        _mm512_store_si512(alive, bits);
        for (i = 0; i < n_here; i++) {
            uint8_t n_symbols = 0;
            uint32_t left = alive[i];

            for (; left != 0; left &= left - 1) {
                out[done + i][n_symbols++] = lanes.symbols[__builtin_ctz(left)][i];
            }
            n_out[done + i] = n_symbols;
        }
    }
}

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#endif
