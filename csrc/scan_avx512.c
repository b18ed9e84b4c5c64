/* scan_avx512.c - 64 bytes classified by compares that yield masks at once. */
#include "cpu.h"
#include "scan_starts.h"

#if CPU_HAS_X86

#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,bmi,bmi2"))) size_t
scan_avx512(const scan_shape *shape, const uint8_t *text, size_t len, uint32_t *ends)
{
    __mmask64 here = len >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << len) - 1;
    __m512i c = _mm512_maskz_loadu_epi8(here, text); /* masked-off bytes are not read */
    __m512i small = _mm512_or_si512(c, _mm512_set1_epi8(0x20));
    __m512i from_tab = _mm512_sub_epi8(c, _mm512_set1_epi8('\t'));
    scan_masks m;

    m.letters = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(small, _mm512_set1_epi8('a')),
                                       _mm512_set1_epi8(26));
    m.capitals = m.letters & ~_mm512_test_epi8_mask(c, _mm512_set1_epi8(0x20));
    m.digits = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(c, _mm512_set1_epi8('0')),
                                      _mm512_set1_epi8(10));
    m.blanks = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8(' '));
    m.spaces = m.blanks | _mm512_cmplt_epu8_mask(from_tab, _mm512_set1_epi8(5));
    m.newlines = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('\n')) |
                 _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('\r'));
    m.quotes = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('\''));
    m.slashes = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('/'));
    m.beyond = _mm512_movepi8_mask(c) | ~here;
    return scan_emit(scan_starts(shape, &m, text), ends);
}

#endif
