/* scan.h - vector splitting for the families of patterns that matter most.
 *
 * The patterns of gpt2, cl100k, llama3, qwen2, o200k and their like are one shape with a few
 * switches. Their piece starts follow from 64-byte class masks by bit algebra
 * (scan_starts.h), a dozen pieces at a time. Whatever the masks do not settle is left to
 * the automaton, piece by piece: it is the truth that this must equal.
 *
 * What makes it simple: at a piece start a pattern has no memory. So a block begins at a known
 * start, all its starts but the last become pieces, and the last one begins the next block.
 */
#ifndef CTOK_SCAN_H
#define CTOK_SCAN_H

#include "alphabet.h"
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
    bool splits_han;     /* Kimi: \p{Han}+ */
    unsigned max_digits; /* \p{N}{1,n}   0:  ?\p{N}+ */
} scan_shape;

/* A family is all patterns of one shape; each has code of its own. */
typedef enum scan_family {
    SCAN_GPT2,
    SCAN_CL100K,
    SCAN_QWEN2,
    SCAN_O200K,
    SCAN_TEKKEN,
    SCAN_KIMI,
    SCAN_N_FAMILIES
} scan_family;

/* The members in the order of scan_shape's. */
#define SCAN_SHAPE_GPT2                                                                \
    {false, false, true, false, false, false, false, false, false, 0}
#define SCAN_SHAPE_CL100K {true, false, true, false, true, true, false, true, false, 3}
#define SCAN_SHAPE_QWEN2 {true, false, true, false, true, true, false, true, false, 1}
#define SCAN_SHAPE_O200K {true, true, true, true, true, true, true, true, false, 3}
#define SCAN_SHAPE_TEKKEN {true, true, false, false, false, true, true, true, false, 1}
#define SCAN_SHAPE_KIMI {true, true, true, true, true, true, false, true, true, 3}

/* What a character that is not ASCII is to the masks. */
typedef enum scan_class {
    SCAN_UNSURE, /* a number, and whatever a pattern names on its own: the automaton's */
    SCAN_OTHER,  /* punctuation, and what counts as that */
    SCAN_SPACE,
    SCAN_SMALL,   /* letters: small ones, */
    SCAN_CAPITAL, /* capital and title case ones, */
    SCAN_UNCASED, /* and those that are neither */
    SCAN_MARK,    /* where marks are parts of words */
    SCAN_HAN,     /* where these are pieces of their own */
    SCAN_N_CLASSES
} scan_class;

/* The class of a character is that of the letter that the pattern's alphabet gives it. */
typedef struct scan_classes {
    const alphabet *letters;
    uint8_t of[ALPHABET_MAX_LETTERS + 1];
} scan_classes;

void scan_classes_init(scan_classes *out, scan_family family, const alphabet *letters);

/* Finds pieces that follow each other from *from, which starts one. Writes their ends, relative to
 * base, to ends, which has room for cap; stops when fewer than SCAN_ROOM are left, or
 * where the masks settle none. Returns their number; when it is 0, *from is now a place in the piece
 * from which it goes on as from its start. */
typedef size_t (*scan_function)(const scan_classes *classes, ctok_bytes text,
                                size_t *from, size_t base, uint32_t *ends, size_t cap);

#define SCAN_ROOM 64
/* A piece that goes on for so long is the automaton's, which has a limit. */
#define SCAN_FAR ((size_t)1 << 30)

/* The scanner of a family, by instruction set. */
scan_function scan_avx2_of(scan_family family);
scan_function scan_avx512_of(scan_family family);
scan_function scan_neon_of(scan_family family);

#endif
