/* scan_starts.h - from class masks to piece starts, for any instruction set.
 *
 * Bit i of a mask speaks of byte i of the block; bit 0 is a piece start. Shifting left
 * asks about the byte before, shifting right about the byte after. With cl100k's pattern:
 *
 *     text      d o n ' t   s t o p ! \n \n     x        (two blanks before x)
 *     letters   1 1 1   1   1 1 1 1             1
 *     starts    1     1   1         1         1 1        last: the blank before x takes it
 *                     |   |         |         |
 *                     |   |         |         blanks after the newlines, but for the last
 *                     |   |         punctuation, and it takes the newlines
 *                     |   a blank takes the word behind it
 *                     a quote takes s t d m ll ve re
 */
#ifndef CTOK_SCAN_STARTS_H
#define CTOK_SCAN_STARTS_H

#include "scan.h"

typedef struct scan_masks {
    uint64_t letters;
    uint64_t capitals;
    uint64_t digits;
    uint64_t spaces; /* all white space */
    uint64_t newlines;
    uint64_t blanks; /* ' ' */
    uint64_t quotes; /* ' */
    uint64_t slashes;
    uint64_t beyond; /* bytes that are not ASCII, and those behind the text */
} scan_masks;

static BASE_INLINE unsigned scan_lowest(uint64_t mask)
{
#if defined(__GNUC__) || defined(__clang__)
    return (unsigned)__builtin_ctzll(mask);
#else
    unsigned n = 0;
    while ((mask >> n & 1) == 0) {
        n++;
    }
    return n;
#endif
}

/* How long a contraction at a quote is (2 or 3 bytes), or 0. There are two bytes behind it. */
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
        while (group != 0) {
            group = group << 3 & digits & digits << 1 & digits << 2;
            starts |= group;
        }
        return starts;
    }
}

/* Where white space goes on behind the last newline of its run. tails is all white space
 * that is no newline; a stretch of it that ends in a newline, or nobody knows where, is out. */
static BASE_INLINE uint64_t scan_after_newlines(uint64_t tails, uint64_t newlines,
                                                uint64_t known)
{
    uint64_t starts = tails & newlines << 1;
    uint64_t left = starts;

    while (left != 0) {
        unsigned at = scan_lowest(left);
        /* Adding at the start of a run carries to the place behind it. */
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
                                        const uint8_t *text, uint64_t starts,
                                        uint64_t *known)
{
    /* Before a letter, or before nobody knows what. */
    uint64_t quotes = m->quotes & starts & (m->letters >> 1 | ~(*known >> 1));
    unsigned done = 65; /* where the last contraction ended */

    if (shape->suffix_quote) {
        quotes &= m->letters << 1;
    }
    for (; quotes != 0; quotes &= quotes - 1) {
        unsigned at = scan_lowest(quotes);
        unsigned len;

        if (at + 3 >= 64 || (*known >> (at + 3) & 1) == 0) {
            /* The bytes it may need are not all here; nor is it a start for certain when it
             * may end a word. */
            *known &= ((uint64_t)1 << at << (shape->suffix_quote ? 0 : 1)) - 1;
            return starts;
        }
        if (shape->suffix_quote && at == done) {
            continue; /* behind a contraction, not behind a word */
        }
        len = scan_contraction(text + at, shape->fold_quote);
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

/* The piece starts that are certain, bit 0 among them. */
static BASE_INLINE uint64_t scan_starts(const scan_shape *shape, const scan_masks *m,
                                        const uint8_t *text)
{
    uint64_t known = m->beyond == 0 ? ~(uint64_t)0 : (m->beyond & (~m->beyond + 1)) - 1;
    uint64_t letters = m->letters & known;
    uint64_t spaces = m->spaces & known;
    uint64_t punct = known & ~(letters | m->digits | spaces);
    uint64_t punct_starts = punct & ~(punct << 1) & ~(m->blanks << 1);
    uint64_t letter_starts = letters & ~(letters << 1);
    uint64_t taken = 0; /* newlines that punctuation takes */
    uint64_t newlines = m->newlines;
    uint64_t tails;
    uint64_t last; /* white space right before something else */
    uint64_t starts;

    if (shape->punct_slashes) {
        /* Newline, slash: whether the slash is taken too depends on what came before. */
        uint64_t unsure = m->slashes & newlines << 1;
        if (unsure != 0) {
            known &= (unsure & (~unsure + 1)) - 1;
        }
    }
    if (shape->punct_newlines) {
        taken = newlines & ~(newlines + (newlines & punct << 1));
    }
    spaces &= ~taken;
    newlines &= ~taken;
    tails = shape->newline_pieces ? spaces & ~newlines : spaces;
    last = tails & ~(m->spaces >> 1) & known >> 1;
    starts =
        (spaces & ~(spaces << 1)) | last | scan_digit_starts(shape, m) | punct_starts;
    if (shape->newline_pieces) {
        starts |= scan_after_newlines(tails, newlines, known);
    }
    if (shape->any_prefix) {
        uint64_t single = punct_starts & ~(punct >> 1);
        starts |= letter_starts & ~((last | single) << 1);
    } else {
        starts |= letter_starts & ~(m->blanks << 1);
    }
    if (shape->is_cased) {
        starts |= m->capitals & (letters & ~m->capitals) << 1;
    }
    starts |= 1;
    if (shape->has_quotes) {
        starts = scan_quotes(shape, m, text, starts, &known);
    }
    return starts & known;
}

/* Writes the ends of all pieces but the last, which the block may cut. */
static BASE_INLINE size_t scan_emit(uint64_t starts, uint32_t *ends)
{
    size_t n = 0;

    for (starts &= ~(uint64_t)1; starts != 0; starts &= starts - 1) {
        ends[n++] = scan_lowest(starts);
    }
    return n;
}

#endif
