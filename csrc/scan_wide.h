/* scan_wide.h - puts the characters of a block that are not ASCII into its masks.
 *
 *     text     "  c  a  f  C3 A9  E2 80 94  E4 BA BA  "          café — 人
 *     lead[0]              1
 *     lead[1]                     1         1
 *     letters     1  1  1  1  1             1  1  1
 *     (other)  1                  1  1  1             1
 */
#ifndef CTOK_SCAN_WIDE_H
#define CTOK_SCAN_WIDE_H

#include "scan_starts.h"

/* The class of a character of n bytes. */
static BASE_INLINE scan_class scan_class_at(const scan_classes *classes,
                                            const uint8_t *p, unsigned n)
{
    const alphabet *a = classes->letters;
    uint32_t c;

    if (n == 2) {
        c = (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    } else if (n == 3) {
        c = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 |
            (p[2] & 0x3F);
    } else {
        c = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
            (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
    }
    return (scan_class)classes
        ->of[a->pages[(size_t)a->blocks[c >> ALPHABET_PAGE_BITS] << ALPHABET_PAGE_BITS |
                      (c & (ALPHABET_PAGE - 1))]];
}

/* Characters that the block cuts, and all behind them, are unknown. */
static BASE_INLINE uint64_t scan_uncut(const scan_masks *m)
{
    uint64_t end = (uint64_t)1 << 63;
    uint64_t cut = (m->lead[0] & end) | (m->lead[1] & (end | end >> 1)) |
                   (m->lead[2] & (end | end >> 1 | end >> 2));
    return scan_before(cut);
}

/* From the first bytes of characters to all of them. */
static BASE_INLINE uint64_t scan_whole(const scan_masks *m, uint64_t firsts)
{
    return firsts | firsts << 1 | (firsts & ~m->lead[0]) << 2 |
           (firsts & m->lead[2]) << 3;
}

/* The first bytes of characters, by their class. */
typedef struct scan_leads {
    uint64_t of[SCAN_N_CLASSES];
} scan_leads;

/* Some leads are known already; of ideographs as SCAN_HAN, for all shapes. */
static BASE_INLINE void scan_wide(const scan_shape *shape, const scan_classes *classes,
                                  const uint8_t *bytes, scan_leads *leads,
                                  scan_masks *m)
{
    uint64_t *of = leads->of;
    uint64_t known = m->known & scan_uncut(m);
    uint64_t left = (m->lead[0] | m->lead[1] | m->lead[2]) & known;

    left &= ~(of[SCAN_OTHER] | of[SCAN_SMALL] | of[SCAN_CAPITAL] | of[SCAN_UNCASED] |
              of[SCAN_HAN]);
    for (; left != 0; left &= left - 1) {
        unsigned at = base_lowest(left);
        unsigned n = bytes[at] < 0xE0 ? 2 : bytes[at] < 0xF0 ? 3 : 4;

        of[scan_class_at(classes, bytes + at, n)] |= (uint64_t)1 << at;
    }
    known &= scan_before(of[SCAN_UNSURE]);
    if (shape->splits_han) {
        m->han = scan_whole(m, of[SCAN_HAN]);
    } else {
        of[SCAN_UNCASED] |= of[SCAN_HAN];
    }
    m->letters |= scan_whole(m, of[SCAN_SMALL] | of[SCAN_CAPITAL] | of[SCAN_UNCASED]);
    m->spaces |= scan_whole(m, of[SCAN_SPACE]);
    if (shape->is_cased) {
        /* A mark behind a letter is one more of these; others are unsure. */
        uint64_t marks = scan_whole(m, of[SCAN_MARK]);
        uint64_t orphans = marks & ~(marks << 1) & ~(m->letters << 1);

        known &= scan_before(orphans);
        m->letters |= marks;
        m->uncased = scan_whole(m, of[SCAN_UNCASED]) | marks;
        m->capitals |= scan_whole(m, of[SCAN_CAPITAL]);
    }
    m->seen &= scan_before(m->here & ~known);
    m->known = known;
}

#endif
