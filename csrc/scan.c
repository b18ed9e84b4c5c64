#include "scan.h"

/* The letters of an alphabet are told apart by one character of each class. A letter that is none
 * of these characters', such as that of U+017F, which equals s when case does not count, stays
 * unsure. */
void scan_classes_init(scan_classes *out, scan_family family, const alphabet *letters)
{
    static const scan_shape shapes[SCAN_N_FAMILIES] = {
        SCAN_SHAPE_GPT2,  SCAN_SHAPE_CL100K, SCAN_SHAPE_QWEN2,
        SCAN_SHAPE_O200K, SCAN_SHAPE_TEKKEN, SCAN_SHAPE_KIMI};
    static const struct {
        uint8_t utf8[4];
        uint8_t class;
    } samples[] = {
        {"\xC2\xA1", SCAN_OTHER},       /* inverted exclamation mark */
        {"\xC2\xA0", SCAN_SPACE},       /* no-break space */
        {"\xC3\xA9", SCAN_SMALL},       /* e with acute */
        {"\xC3\x89", SCAN_CAPITAL},     /* E with acute */
        {"\xC7\x85", SCAN_CAPITAL},     /* Dz with caron, title case */
        {"\xD7\x90", SCAN_UNCASED},     /* alef */
        {"\xCA\xB0", SCAN_UNCASED},     /* modifier letter small h */
        {"\xCC\x80", SCAN_MARK},        /* combining grave accent */
        {"\xE4\xBA\xBA", SCAN_UNCASED}, /* the ideograph of man */
    };
    const scan_shape *shape = &shapes[family];
    size_t i;

    out->letters = letters;
    memset(out->of, SCAN_UNSURE, sizeof out->of);
    for (i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const uint8_t *at = samples[i].utf8;
        uint8_t class = samples[i].class;

        if (class == SCAN_MARK && !shape->is_cased) {
            continue; /* as good as punctuation there */
        }
        out->of[alphabet_next(letters, &at)] = class;
    }
    if (shape->splits_han) {
        const uint8_t *at = samples[i - 1].utf8;
        out->of[alphabet_next(letters, &at)] = SCAN_HAN;
    }
}
