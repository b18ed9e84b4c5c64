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
static BASE_INLINE uint64_t scan_whole(const scan_masks *m)
{
    uint64_t end = (uint64_t)1 << 63;
    uint64_t cut = (m->lead[0] & end) | (m->lead[1] & (end | end >> 1)) |
                   (m->lead[2] & (end | end >> 1 | end >> 2));
    return scan_before(cut);
}

/* The first bytes of characters that need no look-up, by their class; of ideographs, SCAN_HAN, for
 * all shapes. */
typedef struct scan_leads {
    uint64_t of[SCAN_N_CLASSES];
} scan_leads;

static BASE_INLINE void scan_wide(const scan_shape *shape, const scan_classes *classes,
                                  const uint8_t *bytes, const scan_leads *leads,
                                  scan_masks *m)
{
    uint64_t in[SCAN_N_CLASSES] = {0};
    uint64_t known = m->known & scan_whole(m);
    uint64_t left = (m->lead[0] | m->lead[1] | m->lead[2]) & known;
    uint64_t small = leads->of[SCAN_SMALL] & left;
    uint64_t capital = leads->of[SCAN_CAPITAL] & left;
    uint64_t uncased = leads->of[SCAN_UNCASED] & left;
    uint64_t han = leads->of[SCAN_HAN] & left;

    left &= ~(small | capital | uncased | han);
    in[SCAN_SMALL] = small | small << 1; /* all have two bytes */
    in[SCAN_CAPITAL] = capital | capital << 1;
    in[SCAN_UNCASED] = uncased | uncased << 1 | (uncased & m->lead[1]) << 2;
    in[shape->splits_han ? SCAN_HAN : SCAN_UNCASED] |= han | han << 1 | han << 2;
    for (; left != 0; left &= left - 1) {
        unsigned at = base_lowest(left);
        unsigned n = bytes[at] < 0xE0 ? 2 : bytes[at] < 0xF0 ? 3 : 4;
        scan_class class = scan_class_at(classes, bytes + at, n);

        if (BASE_UNLIKELY(class == SCAN_UNSURE)) {
            known &= ((uint64_t)1 << at) - 1;
            break;
        }
        in[class] |= (((uint64_t)1 << n) - 1) << at;
    }
    m->letters |= in[SCAN_SMALL] | in[SCAN_CAPITAL] | in[SCAN_UNCASED];
    m->spaces |= in[SCAN_SPACE];
    m->han = in[SCAN_HAN];
    if (shape->is_cased) {
        /* A mark behind a letter is one more of these; others are unsure. */
        uint64_t marks = in[SCAN_MARK];
        uint64_t orphans = marks & ~(marks << 1) & ~(m->letters << 1);

        known &= scan_before(orphans);
        m->letters |= marks;
        m->uncased = in[SCAN_UNCASED] | marks;
        m->capitals |= in[SCAN_CAPITAL];
    }
    m->seen &= scan_before(m->here & ~known);
    m->known = known;
}

#endif
