/* cut.c - the two rules by which a place is safe, for all families:
 *
 *     letter  | space, punctuation, an ASCII digit; no apostrophe   word| and   x|=1   end|\n
 *         A run of letters (and of marks, where they belong to words) is ended by it: no
 *         alternative goes on from a letter to such a character, but for 's and the like.
 *         So a piece ends here in any case.
 *     newline | no white space, no slash                         \n|The
 *         Only runs of white space and what punctuation takes behind it have newlines in
 *         them; neither goes on with such a character (a slash may follow there, in some
 *         families). Not for gpt2, whose white space leaves its last character to what follows.
 *
 * The half before the place has its end there and the half behind it its start, where the
 * whole text has characters that no alternative reaches and no lookahead sees: lookaheads
 * ask what follows white space only, and behind a newline they ask in vain, for the
 * alternative for newlines comes first and takes them all.
 */
#include "cut.h"

#include "utf8.h"

static bool cut_is_ascii_letter(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}

/* What the pattern takes the character at p for, which is not ASCII. */
static scan_class cut_class(const scan_classes *classes, const uint8_t *p)
{
    return (scan_class)classes->of[alphabet_next(classes->letters, &p)];
}

static bool cut_is_letter(const scan_classes *classes, const uint8_t *p)
{
    if (*p < 0x80) {
        return cut_is_ascii_letter(*p);
    }
    switch (cut_class(classes, p)) {
    case SCAN_SMALL:
    case SCAN_CAPITAL:
    case SCAN_UNCASED:
    case SCAN_HAN:
        return true;
    default:
        return false;
    }
}

static bool cut_ends_letters(const scan_classes *classes, const uint8_t *p)
{
    if (*p < 0x80) {
        return *p != '\'' && !cut_is_ascii_letter(*p);
    }
    switch (cut_class(classes, p)) {
    case SCAN_OTHER:
    case SCAN_SPACE:
        return true;
    default:
        return false;
    }
}

static bool cut_is_safe(const scan_classes *classes, scan_family family,
                        const uint8_t *p)
{
    const uint8_t *before = p - 1;

    if (*before == '\n') {
        return family != SCAN_GPT2 && *p != '/' &&
               (*p < 0x80 ? *p > ' ' : cut_is_letter(classes, p));
    }
    if (!cut_ends_letters(classes, p)) {
        return false;
    }
    while (utf8_is_tail(*before)) {
        before--;
    }
    return cut_is_letter(classes, before);
}

size_t cut_before(const scan_classes *classes, scan_family family, ctok_bytes text,
                  size_t at)
{
    size_t p;

    for (p = at < text.len ? at : text.len - (text.len > 0); p > 0; p--) {
        if (!utf8_is_tail(text.ptr[p]) && cut_is_safe(classes, family, text.ptr + p)) {
            return p;
        }
    }
    return 0;
}
