/* scan.h - vector splitting for the families of patterns that matter most.
 *
 * The patterns of gpt2, cl100k, llama3, qwen2, o200k and their like are one shape with a few
 * switches. For ASCII text their piece starts follow from 64-byte class masks by bit
 * algebra (scan_starts.h), several pieces at a time. Everything else, and whatever the masks
 * do not settle, is left to the automaton, piece by piece: it is the truth that this must
 * equal.
 *
 * What makes it simple: at a piece start a pattern has no memory. So a block begins at a known
 * start, all its starts but the last become pieces, and the last one begins the next block.
 */
#ifndef CTOK_SCAN_H
#define CTOK_SCAN_H

#include "base.h"

/* One switch for each way in which the patterns differ. */
typedef struct scan_shape {
    bool any_prefix;     /* [^\r\n\p{L}\p{N}]?\p{L}+   else  ?\p{L}+ */
    bool is_cased;       /* o200k: a capital after a small letter starts a piece */
    bool has_quotes;     /* 's 't 'd 'm 'll 've 're */
    bool suffix_quote;   /* o200k: they end the word   else they stand alone */
    bool fold_quote;     /* (?i:'s|...) */
    bool punct_newlines; /* ?[^\s\p{L}\p{N}]+[\r\n]* */
    bool punct_slashes;  /* ...[\r\n/]* */
    bool newline_pieces; /* \s*[\r\n]+ */
    unsigned max_digits; /* \p{N}{1,n}   0:  ?\p{N}+ */
} scan_shape;

/* Piece ends in text[position, len), which starts with a piece: fills at most 63, relative
 * to position; returns their number, 0 when the masks settle none. */
typedef size_t (*scan_function)(const scan_shape *shape, const uint8_t *text,
                                size_t len, uint32_t *ends);

size_t scan_avx2(const scan_shape *shape, const uint8_t *text, size_t len,
                 uint32_t *ends);
size_t scan_avx512(const scan_shape *shape, const uint8_t *text, size_t len,
                   uint32_t *ends);
size_t scan_neon(const scan_shape *shape, const uint8_t *text, size_t len,
                 uint32_t *ends);

/* The same from masks made byte by byte: what the others are tested against. */
size_t scan_portable(const scan_shape *shape, const uint8_t *text, size_t len,
                     uint32_t *ends);

#endif
