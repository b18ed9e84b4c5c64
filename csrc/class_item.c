#include "class_item.h"

#include "class_names.h"
#include "error.h"
#include "utf8.h"

/* ---- characters -------------------------------------------------------------- */

ctok_status class_read_char(class_reader *p, uint32_t *c)
{
    const uint8_t *ptr = p->pattern.ptr + p->at;

    if (class_at_end(p)) {
        return error_set_at(p->err, CTOK_E_PATTERN, p->at,
                            "the pattern ends where a character is expected");
    }
    if (utf8_check(ptr, p->pattern.ptr + p->pattern.len) == 0) {
        return error_set_at(p->err, CTOK_E_UTF8, p->at,
                            "the pattern is not UTF-8 at byte %zu", p->at);
    }
    *c = utf8_next(&ptr);
    p->at = (size_t)(ptr - p->pattern.ptr);
    return CTOK_OK;
}

static int class_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number behind \x, \u or \U: n_digits digits, or up to eight in braces. */
static ctok_status class_read_hex(class_reader *p, size_t start, size_t n_digits,
                                  uint32_t *c)
{
    bool in_braces = class_peek(p, 0) == '{';
    size_t n = 0;

    *c = 0;
    p->at += in_braces;
    while (n < (in_braces ? 8 : n_digits) && class_hex_digit(class_peek(p, 0)) >= 0) {
        *c = *c << 4 | (uint32_t)class_hex_digit(class_peek(p, 0));
        p->at++;
        n++;
    }
    if (in_braces ? n == 0 || class_peek(p, 0) != '}' : n < n_digits) {
        return error_set_at(p->err, CTOK_E_PATTERN, start,
                            "a hexadecimal escape needs %zu digits, or one to eight in "
                            "braces",
                            n_digits);
    }
    p->at += in_braces;
    if (!uchar_is_scalar(*c)) {
        return error_set_at(p->err, CTOK_E_PATTERN, start, "U+%04X is not a character",
                            (unsigned)*c);
    }
    return CTOK_OK;
}

/* Escapes that stand for one character; false when it is none of them. */
static bool class_control(uint8_t letter, uint32_t *c)
{
    static const char letters[] = "abfnrtve";
    static const uint8_t values[] = {7, 8, 12, 10, 13, 9, 11, 27};
    const char *found = letter == 0 ? NULL : strchr(letters, letter);

    if (found != NULL) {
        *c = values[found - letters];
    }
    return found != NULL;
}

/* ---- properties -------------------------------------------------------------- */

/* Copies the name of \pN or \p{name} and moves behind it. */
static ctok_status class_read_name(class_reader *p, size_t start,
                                   char name[CLASS_MAX_NAME], bool *invert)
{
    bool in_braces = class_peek(p, 0) == '{';
    bool has_caret = in_braces && class_peek(p, 1) == '^';
    size_t first = p->at + in_braces + has_caret;
    size_t len = 1;

    *invert ^= has_caret;
    if (in_braces) {
        len = 0;
        while (first + len < p->pattern.len && p->pattern.ptr[first + len] != '}') {
            len++;
        }
    }
    if (first + len + in_braces > p->pattern.len) {
        return error_set_at(p->err, CTOK_E_PATTERN, start,
                            "the name of a property is not complete");
    }
    for (size_t i = 0; i < len && i < CLASS_MAX_NAME - 1; i++) {
        uint8_t c = p->pattern.ptr[first + i];
        if (c < 0x20 || c > 0x7E) {
            return error_set_at(p->err, CTOK_E_PATTERN, first + i,
                                "names of properties are printable ASCII");
        }
        name[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    if (len >= CLASS_MAX_NAME) {
        return error_set_at(p->err, CTOK_E_PATTERN, start,
                            "no name of a property is longer than %d bytes",
                            CLASS_MAX_NAME - 1);
    }
    name[len] = '\0';
    p->at = first + len + in_braces;
    return CTOK_OK;
}

ctok_status class_finish(const class_reader *p, ctok_class *set, bool negate)
{
    if (p->ignore_case) {
        TRY(cpset_fold(set, p->err));
    }
    return negate ? cpset_negate(set, p->err) : CTOK_OK;
}

/* \p or \P; at is behind the letter. */
static ctok_status class_read_property(class_reader *p, size_t start, bool invert,
                                       class_item *item)
{
    char name[CLASS_MAX_NAME];
    bool in_braces = class_peek(p, 0) == '{';
    bool known = false;
    bool complement = false;

    item->kind = CLASS_SET;
    TRY(class_read_name(p, start, name, &invert));
    if (in_braces) {
        TRY(class_names_borrowed(&item->set, name, &known, &complement, p->err));
    }
    if (!known) {
        TRY(class_names_property(&item->set, name, start, &invert, p->err));
        return class_finish(p, &item->set, invert);
    }
    /* \p{word} is \w to the reference. The others become brackets: in them, those with a
     * '^' are nested, and of these cntrl names no property, which matters below. */
    invert ^= complement;
    if (strcmp(name, "word") != 0 && (complement || invert)) {
        item->kind = CLASS_NESTED;
        item->is_inverse = invert && strcmp(name, "cntrl") != 0;
    }
    return class_finish(p, &item->set, invert);
}

/* ---- escapes ----------------------------------------------------------------- */

ctok_status class_read_escape(class_reader *p, bool in_brackets, class_item *item)
{
    size_t start = p->at;
    uint8_t letter = class_peek(p, 1);

    if (p->pattern.len - start < 2) {
        return error_set_at(p->err, CTOK_E_PATTERN, start,
                            "the pattern ends in a backslash");
    }
    p->at += 2;
    item->kind = CLASS_LITERAL;
    switch (letter) {
    case 'x':
        return class_read_hex(p, start, 2, &item->literal);
    case 'u':
        return class_read_hex(p, start, 4, &item->literal);
    case 'U':
        return class_read_hex(p, start, 8, &item->literal);
    case 'p':
    case 'P':
        return class_read_property(p, start, letter == 'P', item);
    case 'd':
    case 's':
    case 'w':
    case 'D':
    case 'S':
    case 'W':
    case 'h':
    case 'H':
        item->kind = (letter | 0x20) == 'h' ? CLASS_NESTED : CLASS_SET;
        TRY(class_names_letter(&item->set, letter | 0x20, p->err));
        return (letter & 0x20) != 0 ? CTOK_OK : cpset_negate(&item->set, p->err);
    default:
        break;
    }
    if ((in_brackets || letter != 'b') && class_control(letter, &item->literal)) {
        return CTOK_OK;
    }
    if (!in_brackets && (letter == '<' || letter == '>')) {
        return error_set_at(p->err, CTOK_E_PATTERN, start,
                            "\\%c is a place, not a class", letter);
    }
    if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
        (letter >= '0' && letter <= '9')) {
        if (!in_brackets || strchr("kAzBKGR", letter) == NULL) {
            return error_set_at(p->err, CTOK_E_PATTERN, start,
                                "\\%c is no character or class", letter);
        }
        item->literal = letter;
        return CTOK_OK;
    }
    p->at = start + 1;
    item->is_escaped = true;
    return class_read_char(p, &item->literal);
}

ctok_status class_read_item(class_reader *p, class_item *item)
{
    *item = (class_item){.kind = CLASS_LITERAL, .set = cpset_empty(&p->alloc)};
    if (class_peek(p, 0) == '\\') {
        return class_read_escape(p, true, item);
    }
    return class_read_char(p, &item->literal);
}
