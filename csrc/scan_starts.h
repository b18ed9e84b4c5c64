/* scan_starts.h - from class masks to piece starts, for any instruction set.
 *
 * Bit i of a mask speaks of byte i of the block; bit 0 is a piece start. Shifting left
 * asks about the byte before, shifting right about the byte after. With cl100k's pattern:
 *
 *     text      d o n ' t   s t o p ! \n \n     x        (two blanks before x)
 *     letters   1 1 1   1   1 1 1 1             1
 *     starts    1     1   1         1       1 1          last: the blank before x takes it
 *                     |   |         |       |
 *                     |   |         |       blanks after the newlines, but for the last
 *                     |   |         punctuation, and it takes the newlines
 *                     |   a blank takes the word behind it
 *                     a quote takes s t d m ll ve re
 *
 * All bytes of a character are in the same masks, so what asks for "another class before"
 * is true at first bytes only. Where characters are counted, last bytes are found by the leads.
 */
#ifndef CTOK_SCAN_STARTS_H
#define CTOK_SCAN_STARTS_H

#include "scan.h"

typedef struct scan_masks {
    uint64_t letters;
    uint64_t capitals; /* of these; looked at where the shape is cased */
    uint64_t uncased;  /* of these, not ASCII */
    uint64_t han;      /* no letters, where the shape splits them */
    uint64_t digits;
    uint64_t spaces; /* all white space */
    uint64_t newlines;
    uint64_t blanks; /* ' ' */
    uint64_t quotes; /* ' */
    uint64_t slashes;
    uint64_t beyond;  /* bytes that are not ASCII */
    uint64_t lead[3]; /* first bytes of characters of 2, 3 and 4 bytes */
    uint64_t here;    /* bytes that are there at all */
    uint64_t known;   /* places where it is known whether a piece starts */
    uint64_t seen; /* bytes whose classes are known; all behind the end of the text */
} scan_masks;

static BASE_INLINE unsigned scan_count(uint64_t mask)
{
#if defined(__GNUC__) || defined(__clang__)
    return (unsigned)__builtin_popcountll(mask);
#else
    unsigned n = 0;
    for (; mask != 0; mask &= mask - 1) {
        n++;
    }
    return n;
#endif
}

/* Writes the places of all bits, from base on, and returns how many. Sixteen at a time, more than
 * there may be, for there is room for 64 and a branch for each costs more. */
static BASE_INLINE size_t scan_emit(uint64_t starts, uint32_t base, uint32_t *ends)
{
    const uint64_t top = (uint64_t)1 << 63; /* the lowest of no bits is undefined */
    unsigned n = scan_count(starts);
    unsigned i;

    for (i = 0; i < n; i += 16) {
        unsigned k;

        for (k = 0; k < 16; k++) {
            ends[i + k] = base + base_lowest(starts | top);
            starts &= starts - 1;
        }
    }
    return n;
}

/* All places before the first of a mask; all when it has none. */
static BASE_INLINE uint64_t scan_before(uint64_t mask)
{
    return ~mask & (mask - 1);
}

/* From the first bytes of characters to their last. */
static BASE_INLINE uint64_t scan_to_last(const scan_masks *m, uint64_t firsts)
{
    return (firsts & ~m->beyond) | (firsts & m->lead[0]) << 1 |
           (firsts & m->lead[1]) << 2 | (firsts & m->lead[2]) << 3;
}

static BASE_INLINE uint64_t scan_to_first(const scan_masks *m, uint64_t lasts)
{
    return (lasts & ~m->beyond) | (lasts >> 1 & m->lead[0]) |
           (lasts >> 2 & m->lead[1]) | (lasts >> 3 & m->lead[2]);
}

/* How long a contraction at a quote is (2 or 3 bytes), or 0. */
static BASE_INLINE unsigned scan_contraction(const uint8_t *quote, bool fold)
{
    uint8_t bit = fold ? 0x20 : 0;
    uint8_t first = quote[1] | bit;
    uint8_t second = quote[2] | bit;

    if (first == 's' || first == 'd' || first == 'm' || first == 't') {
        return 2;
    }
    if ((first == 'l' && second == 'l') || (first == 'v' && second == 'e') ||
        (first == 'r' && second == 'e')) {
        return 3;
    }
    return 0;
}

/* Runs of digits are cut from the left into groups. */
static BASE_INLINE uint64_t scan_digit_starts(const scan_shape *shape,
                                              const scan_masks *m)
{
    uint64_t digits = m->digits;
    uint64_t starts = digits & ~(digits << 1);
    uint64_t group = starts;

    switch (shape->max_digits) {
    case 0: /* a blank takes the number behind it */
        return starts & ~(m->blanks << 1);
    case 1:
        return digits;
    default: /* 3: the only other group size there is */
        do { /* once, mostly, also for no digits: a branch for that costs more */
            group = group << 3 & digits & digits << 1 & digits << 2;
            starts |= group;
        } while (BASE_UNLIKELY(group != 0));
        return starts;
    }
}

/* Where white space goes on behind the last newline of its run. tails is all white space
 * that is no newline; a stretch of it that ends in a newline, or nobody knows where, is out. */
static BASE_INLINE uint64_t scan_after_newlines(uint64_t tails, uint64_t newlines,
                                                uint64_t known)
{
    uint64_t starts = tails & newlines << 1;
    /* Adding at the start of a run carries to the place behind it; out of the block too. */
    uint64_t sum = tails + starts;
    uint64_t ends = sum & ~tails;
    uint64_t left = starts;

    if (BASE_LIKELY((ends & (newlines | ~known)) == 0 && sum >= tails)) {
        return starts;
    }
    while (left != 0) {
        unsigned at = base_lowest(left);
        uint64_t end = (tails + ((uint64_t)1 << at)) & ~tails;

        if ((end & known & ~newlines) == 0) {
            starts &= ~((uint64_t)1 << at);
        }
        left &= left - 1;
    }
    return starts;
}

/* Mends starts where a quote begins a contraction. *known shrinks where it cannot be told. */
static BASE_INLINE uint64_t scan_quotes(const scan_shape *shape, const scan_masks *m,
                                        const uint8_t *bytes, uint64_t starts,
                                        uint64_t *known)
{
    /* Before a letter, or before nobody knows what. */
    uint64_t quotes = m->quotes & starts & (m->letters >> 1 | ~(m->seen >> 1));
    unsigned done = 65; /* where the last contraction ended */

    if (shape->suffix_quote) {
        quotes &= m->letters << 1;
    }
    for (; BASE_UNLIKELY(quotes != 0); quotes &= quotes - 1) {
        unsigned at = base_lowest(quotes);
        unsigned len;

        if (at + 3 >= 64 || (m->seen >> (at + 3) & 1) == 0) {
            /* The bytes it may need are not all here; nor is it a start for certain when it
             * may end a word. */
            *known &= ((uint64_t)1 << at << (shape->suffix_quote ? 0 : 1)) - 1;
            return starts;
        }
        if (shape->suffix_quote && at == done) {
            continue; /* behind a contraction, not behind a word */
        }
        len = scan_contraction(bytes + at, shape->fold_quote);
        if (len == 0) {
            continue;
        }
        done = at + len;
        /* Nothing starts inside; a letter behind it does. */
        starts &= ~((((uint64_t)1 << (len - 1)) - 1) << (at + 1));
        starts |= m->letters & (uint64_t)1 << done;
        if (shape->suffix_quote) {
            starts &= ~((uint64_t)1 << at);
        }
    }
    return starts;
}

/* Capitals behind a small letter start a piece. One behind a letter without case does
 * or not, as what comes later decides: *known ends there. */
static BASE_INLINE uint64_t scan_cased_starts(const scan_masks *m, uint64_t letters,
                                              uint64_t *known)
{
    *known &= scan_before(m->capitals & m->uncased << 1);
    return m->capitals & (letters & ~m->capitals & ~m->uncased) << 1;
}

/* All but the last of a mask. */
static BASE_INLINE uint64_t scan_but_last(uint64_t mask)
{
    return mask == 0 ? 0 : mask ^ (uint64_t)1 << base_highest(mask);
}

/* A character inside of a piece, from which it goes on as it does from its start. */
typedef struct scan_inside {
    size_t at; /* the byte of the block; 0: there is none */
    bool
        is_open; /* so as far as masks settle: behind a letter without case, it depends on what stood
                   * before whether a capital starts a piece */
} scan_inside;

/* Where a block without a start may be passed over to. Such characters are
 *
 *     letters       of a word; but where contractions end words, none behind a quote
 *     digits, Han   where a piece is as many as there are
 *     punctuation   with more behind it: the last of it may be a word's; but where it takes slashes, none
 *                   behind a newline
 *     white space   of a piece that is nothing else: the last newline where these are pieces, for there
 *                   it may end; else what has more behind it
 */
static BASE_INLINE scan_inside scan_inside_of(const scan_shape *shape,
                                              const scan_masks *m)
{
    uint64_t known = m->known & m->here;
    uint64_t firsts = ~m->beyond | m->lead[0] | m->lead[1] | m->lead[2];
    uint64_t letters = m->letters & known;
    uint64_t han = shape->splits_han ? m->han & known : 0;
    uint64_t digits = shape->max_digits == 0 ? m->digits & known : 0;
    uint64_t punct = known & ~(m->letters | m->digits | m->spaces | han);
    uint64_t spaces = m->spaces & scan_before(~(m->spaces & known));
    uint64_t newlines = shape->newline_pieces ? m->newlines & spaces : 0;
    uint64_t inside;
    scan_inside out = {0, false};

    if (shape->suffix_quote) {
        letters &= scan_before(m->quotes);
    }
    if (shape->punct_slashes) {
        punct &= scan_before(m->slashes & m->newlines << 1);
    }
    inside = (letters | han | digits) & firsts;
    inside |= scan_but_last(punct & firsts);
    inside |= newlines != 0 ? newlines : scan_but_last(spaces & firsts);
    if (inside != 0) {
        out.at = base_highest(inside);
        out.is_open = shape->is_cased && (m->uncased >> out.at & 1) != 0;
    }
    return out;
}

/* The piece starts that are certain, but for bit 0, which is one; known shrinks to where they are. is_wide:
 * there are characters that are not ASCII. */
static BASE_INLINE uint64_t scan_starts(const scan_shape *shape, scan_masks *m,
                                        const uint8_t *bytes, bool is_wide)
{
    uint64_t known = m->known;
    uint64_t sure = known & m->here;
    uint64_t letters = m->letters & sure;
    uint64_t spaces = m->spaces & sure;
    uint64_t han = shape->splits_han ? m->han & sure : 0;
    uint64_t punct = sure & ~(letters | m->digits | spaces | han);
    uint64_t punct_starts = punct & ~(punct << 1) & ~(m->blanks << 1);
    uint64_t letter_starts = letters & ~(letters << 1);
    uint64_t taken = 0; /* newlines, and slashes behind one, that punctuation takes */
    uint64_t newlines = m->newlines;
    uint64_t tails;
    uint64_t last; /* the last byte of the white space right before something else */
    uint64_t starts;

    if (shape->punct_newlines) {
        /* From a newline behind punctuation on, to the end of its run: adding there carries so far. */
        uint64_t runs = shape->punct_slashes ? newlines | m->slashes : newlines;
        uint64_t first = newlines & punct << 1;

        taken = (runs & ~(runs + first)) | first;
    }
    if (shape->punct_slashes) {
        /* Other punctuation behind a slash that was taken starts a piece: it is past those. */
        punct_starts = (punct_starts | (punct & taken << 1)) & ~taken;
    }
    spaces &= ~taken;
    newlines &= ~taken;
    tails = shape->newline_pieces ? spaces & ~newlines : spaces;
    last = tails & ~(m->spaces >> 1) & known >> 1;
    starts = (spaces & ~(spaces << 1)) | (is_wide ? scan_to_first(m, last) : last) |
             scan_digit_starts(shape, m) | punct_starts | (han & ~(han << 1));
    if (shape->newline_pieces) {
        starts |= scan_after_newlines(tails, newlines, known);
    }
    if (shape->any_prefix) {
        /* Punctuation of a single character, with no blank of its own. */
        uint64_t single =
            (is_wide ? scan_to_last(m, punct_starts) : punct_starts) & ~(punct >> 1);
        starts |= letter_starts & ~((last | single) << 1);
    } else {
        starts |= letter_starts & ~(m->blanks << 1);
    }
    if (shape->is_cased) {
        starts |= scan_cased_starts(m, letters, &known);
    }
    starts |= 1;
    if (shape->has_quotes) {
        starts = scan_quotes(shape, m, bytes, starts, &known);
    }
    m->known = known;
    return (starts | ~m->here) & known & ~(uint64_t)1;
}

#endif
