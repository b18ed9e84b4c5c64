/* scan_letters.h - characters that are known by their bytes, all of a block at once.
 *
 * Most letters that are not ASCII are in long rows of one class, which two or three comparisons tell, and so is
 * most punctuation:
 *
 *     D0 80..AF                 Cyrillic, capital        D0 B0..BF, D1 80..9F    small
 *     CE 91..A1, CE A3..AB      Greek, capital           CE AC..BF, CF 80..8E    small
 *     D7 90..AA                 Hebrew                   D8 A0..BF, D9 80..8A    Arabic
 *     E4 B8 80..E9 BF BF        ideographs               EA B0 80..ED 9D BF      Hangul
 *     E3 81 81..BF, E3 82 80..96, E3 82 A1..BF, E3 83 80..BA, E3 83 BC..BF       kana
 *     E2 80 90..A7              dashes, quotes           E3 80 81..83, E3 80 88..A0    、。「」
 *
 * All else is looked up (scan_wide.h). But for ideographs only the letters of one script are looked for in a block,
 * that of its first character: texts mix few. tests/unit/c/test_letters.c holds every code point against
 * the automaton.
 *
 * Included by scan_loop.h. */

/* Less of a block is looked up faster. */
#define SCAN_MANY_SHORT 4 /* characters of two bytes */
#define SCAN_MANY_LONG 6  /* of three */

/* The places of a byte that a byte from first to first + n - 1 follows. */
SCAN_TARGET static BASE_INLINE uint64_t SCAN(two)(SCAN(bytes) c, uint8_t lead,
                                                  uint8_t first, uint8_t n)
{
    return SCAN(equal)(c, lead) & SCAN(range)(c, first, n) >> 1;
}

SCAN_TARGET static BASE_INLINE void SCAN(short_letters)(SCAN(bytes) c, uint8_t lead,
                                                        scan_leads *out)
{
    switch (lead) {
    case 0xCE:
    case 0xCF:
        out->of[SCAN_CAPITAL] =
            SCAN(two)(c, 0xCE, 0x91, 0x11) | SCAN(two)(c, 0xCE, 0xA3, 0x09);
        out->of[SCAN_SMALL] =
            SCAN(two)(c, 0xCE, 0xAC, 0x14) | SCAN(two)(c, 0xCF, 0x80, 0x0F);
        break;
    case 0xD0:
    case 0xD1:
        out->of[SCAN_CAPITAL] = SCAN(two)(c, 0xD0, 0x80, 0x30);
        out->of[SCAN_SMALL] =
            SCAN(two)(c, 0xD0, 0xB0, 0x10) | SCAN(two)(c, 0xD1, 0x80, 0x20);
        break;
    case 0xD7:
        out->of[SCAN_UNCASED] = SCAN(two)(c, 0xD7, 0x90, 0x1B);
        break;
    case 0xD8:
    case 0xD9:
        out->of[SCAN_UNCASED] =
            SCAN(two)(c, 0xD8, 0xA0, 0x20) | SCAN(two)(c, 0xD9, 0x80, 0x0B);
        break;
    default:
        break;
    }
}

SCAN_TARGET static BASE_INLINE void SCAN(long_letters)(SCAN(bytes) c, scan_leads *out)
{
    uint64_t hangul = SCAN(range)(c, 0xEB, 2) | SCAN(two)(c, 0xEA, 0xB0, 0x10) |
                      SCAN(two)(c, 0xED, 0x80, 0x1E);
    uint64_t kana = SCAN(equal)(c, 0xE3);
    uint64_t none = SCAN(equal)(c, 0x80) >> 2;
    uint64_t small = (SCAN(range)(c, 0x80, 0x17) | SCAN(range)(c, 0xA1, 0x1F)) >> 2;
    uint64_t dot = SCAN(equal)(c, 0xBB) >> 2;

    out->of[SCAN_UNCASED] = hangul | (kana & SCAN(equal)(c, 0x81) >> 1 & ~none) |
                            (kana & SCAN(equal)(c, 0x82) >> 1 & small) |
                            (kana & SCAN(equal)(c, 0x83) >> 1 & ~dot);
}

/* Dashes and quotes, and what stands beside ideographs. Of all three bytes the second is 80, which is rare
 * in other scripts. */
SCAN_TARGET static BASE_INLINE uint64_t SCAN(punctuation)(SCAN(bytes) c, uint64_t leads)
{
    uint64_t some = leads & SCAN(equal)(c, 0x80) >> 1;
    uint64_t dashes;
    uint64_t beside;

    if (some == 0) {
        return 0;
    }
    dashes = SCAN(equal)(c, 0xE2) & SCAN(range)(c, 0x90, 0x18) >> 2;
    beside = (SCAN(range)(c, 0x81, 3) | SCAN(range)(c, 0x88, 0x19)) >> 2;
    return some & (dashes | (SCAN(equal)(c, 0xE3) & beside));
}

/* Finds the first bytes of characters, and of those that need no look-up. */
SCAN_TARGET static BASE_INLINE void SCAN(leads)(SCAN(bytes) c, const uint8_t *bytes,
                                                scan_masks *m, scan_leads *out)
{
    uint64_t left;
    uint8_t lead;

    memset(out, 0, sizeof *out);
    m->lead[0] = SCAN(range)(c, 0xC0, 0x20);
    m->lead[1] = SCAN(range)(c, 0xE0, 0x10);
    m->lead[2] = SCAN(range)(c, 0xF0, 0x10);
    out->of[SCAN_HAN] = SCAN(range)(c, 0xE5, 5) | SCAN(two)(c, 0xE4, 0xB8, 0x08);
    out->of[SCAN_OTHER] = SCAN(punctuation)(c, m->lead[1]);
    left = (m->lead[0] | m->lead[1]) & ~(out->of[SCAN_HAN] | out->of[SCAN_OTHER]);
    if (scan_count(left) < SCAN_MANY_SHORT) {
        return;
    }
    lead = bytes[base_lowest(left)];
    if (lead < 0xE0) {
        SCAN(short_letters)(c, lead, out);
    } else if (lead >= 0xE3 && scan_count(left) >= SCAN_MANY_LONG) {
        SCAN(long_letters)(c, out);
    }
}
