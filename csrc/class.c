#include "class.h"

#include "error.h"
#include "utf8.h"

/* What a backslash or a plain character stands for. */
typedef enum class_kind {
    CLASS_LITERAL, /* one character, which can start or end a range */
    CLASS_SET,     /* \d, \p{L} */
    CLASS_NESTED   /* \h, \p{graph}: as if it were written in brackets of its own */
} class_kind;

typedef struct class_item {
    class_kind kind;
    uint32_t literal;
    bool
        is_inverse; /* nested, and made by taking characters away: see class_open_item */
    ctok_class set; /* empty for a literal */
} class_item;

/* One open bracket: "left op items", where items is what was read since the operator. */
typedef struct class_frame {
    ctok_class items;
    ctok_class left;
    cpset_op op; /* 0: none yet */
    bool is_negated;
    size_t position;
} class_frame;

typedef struct class_parser {
    ctok_bytes pattern;
    size_t at;
    bool ignore_case;
    bool has_inverse;
    class_frame *frames;
    size_t n_frames;
    size_t cap_frames;
    ctok_allocator alloc;
    ctok_error *err;
} class_parser;

/* The byte so many places ahead, or 0, which nothing here looks for. */
static uint8_t class_peek(const class_parser *p, size_t ahead)
{
    return ahead < p->pattern.len - p->at ? p->pattern.ptr[p->at + ahead] : 0;
}

static bool class_at_end(const class_parser *p)
{
    return p->at >= p->pattern.len;
}

static bool class_is_pair(const class_parser *p, uint8_t byte)
{
    return class_peek(p, 0) == byte && class_peek(p, 1) == byte;
}

/* ---- characters and escapes -------------------------------------------------- */

static ctok_status class_read_char(class_parser *p, uint32_t *c)
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
static ctok_status class_read_hex(class_parser *p, size_t start, size_t n_digits,
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

/* ---- named sets -------------------------------------------------------------- */

static ctok_status class_add_named(ctok_class *set, uchar_kind kind, const char *name,
                                   ctok_error *err)
{
    const uchar_name *found = uchar_find(kind, name, strlen(name));

    assert(found != NULL);
    return cpset_add_unicode(set, found->first_set, found->n_sets, err);
}

/* \w is what Unicode calls alphabetic, marks, decimal digits, connectors and joiners. */
static ctok_status class_add_word(ctok_class *set, ctok_error *err)
{
    TRY(class_add_named(set, UCHAR_BINARY, "alphabetic", err));
    TRY(class_add_named(set, UCHAR_CATEGORY, "m", err));
    TRY(class_add_named(set, UCHAR_CATEGORY, "nd", err));
    TRY(class_add_named(set, UCHAR_CATEGORY, "pc", err));
    return class_add_named(set, UCHAR_BINARY, "joincontrol", err);
}

/* \s \d \w \h, by their small letter. */
static ctok_status class_add_letter(ctok_class *set, uint8_t letter, ctok_error *err)
{
    switch (letter) {
    case 's':
        return class_add_named(set, UCHAR_BINARY, "whitespace", err);
    case 'd':
        return class_add_named(set, UCHAR_CATEGORY, "nd", err);
    case 'w':
        return class_add_word(set, err);
    default:
        return class_add_named(set, UCHAR_BINARY, "asciihexdigit", err);
    }
}

/* The names that the reference borrows from POSIX, spelt exactly like this, in any case.
 * graph and print are complements: *invert is set. *known is false for other names. */
static ctok_status class_add_borrowed(ctok_class *set, const char *name, bool *known,
                                      bool *invert, ctok_error *err)
{
    *known = true;
    *invert = false;
    if (strcmp(name, "alnum") == 0) {
        TRY(class_add_named(set, UCHAR_BINARY, "alphabetic", err));
        return class_add_named(set, UCHAR_CATEGORY, "nd", err);
    }
    if (strcmp(name, "blank") == 0) {
        TRY(cpset_add(set, '\t', '\t', err));
        return class_add_named(set, UCHAR_CATEGORY, "zs", err);
    }
    if (strcmp(name, "cntrl") == 0) {
        TRY(cpset_add(set, 0, 0x1F, err));
        return cpset_add(set, 0x7F, 0x9F, err);
    }
    if (strcmp(name, "word") == 0) {
        return class_add_word(set, err);
    }
    *invert = true;
    if (strcmp(name, "graph") == 0) {
        TRY(class_add_named(set, UCHAR_BINARY, "whitespace", err));
        return class_add_named(set, UCHAR_CATEGORY, "c", err);
    }
    if (strcmp(name, "print") == 0) {
        TRY(cpset_add(set, '\t', '\r', err));
        return class_add_named(set, UCHAR_CATEGORY, "c", err);
    }
    *known = false;
    *invert = false;
    return CTOK_OK;
}

/* "name" alone: a property, a category or a script, in this order. cf, sc and lc are also
 * short names of properties with values, and mean the categories here. */
static const uchar_name *class_find_bare(const char *name, size_t len)
{
    static const uchar_kind kinds[] = {UCHAR_BINARY, UCHAR_CATEGORY, UCHAR_SCRIPT};
    const uchar_name *found = NULL;

    for (size_t i = 0; found == NULL && i < sizeof kinds / sizeof *kinds; i++) {
        found = uchar_find(kinds[i], name, len);
    }
    return found;
}

/* The set of the text between the braces of \p{..}, without the leading '^'; *invert is
 * flipped by "!=". */
static ctok_status class_add_property(ctok_class *set, const char *text, size_t start,
                                      bool *invert, ctok_error *err)
{
    char name[CLASS_MAX_NAME];
    size_t name_len = strcspn(text, ":=");
    const char *value = NULL;
    const char *not_equal = strstr(text, "!=");
    const char *colon = strchr(text, ':');
    const uchar_name *found;
    uchar_kind kind;
    size_t len;

    if (not_equal != NULL) {
        name_len = (size_t)(not_equal - text);
        value = not_equal + 2;
        *invert = !*invert;
    } else if (text[name_len] != '\0') {
        /* A colon counts before an equals sign, wherever they are. */
        name_len = colon != NULL ? (size_t)(colon - text) : name_len;
        value = text + name_len + 1;
    }
    len = uchar_normalize(text, name_len, name);
    if (value == NULL) {
        found = class_find_bare(name, len);
    } else {
        found = uchar_find(UCHAR_VALUED, name, len);
        if (found != NULL) {
            kind = (uchar_kind)found->first_set;
            if (kind == UCHAR_NO_DATA) {
                return error_set_at(err, CTOK_E_UNSUPPORTED, start,
                                    "the property %.*s is not supported", (int)name_len,
                                    text);
            }
            len = uchar_normalize(value, strlen(value), name);
            found = uchar_find(kind, name, len);
        }
    }
    if (found == NULL) {
        return error_set_at(err, CTOK_E_PATTERN, start, "no Unicode property is '%s'",
                            text);
    }
    return cpset_add_unicode(set, found->first_set, found->n_sets, err);
}

/* Copies the name of \pN or \p{name} and moves behind it. */
static ctok_status class_read_name(class_parser *p, size_t start,
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

/* Folding comes before negation: (?i)\P{Lu} has no letter with a capital. */
static ctok_status class_finish(const class_parser *p, ctok_class *set, bool negate)
{
    if (p->ignore_case) {
        TRY(cpset_fold(set, p->err));
    }
    return negate ? cpset_negate(set, p->err) : CTOK_OK;
}

/* \p or \P; at is behind the letter. */
static ctok_status class_read_property(class_parser *p, size_t start, bool invert,
                                       class_item *item)
{
    char name[CLASS_MAX_NAME];
    bool in_braces = class_peek(p, 0) == '{';
    bool known = false;
    bool complement = false;

    item->kind = CLASS_SET;
    TRY(class_read_name(p, start, name, &invert));
    if (in_braces) {
        TRY(class_add_borrowed(&item->set, name, &known, &complement, p->err));
    }
    if (!known) {
        TRY(class_add_property(&item->set, name, start, &invert, p->err));
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

/* One escape; at is at its backslash. In brackets some letters that mean places elsewhere
 * are themselves. */
static ctok_status class_read_escape(class_parser *p, bool in_brackets,
                                     class_item *item)
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
        TRY(class_add_letter(&item->set, letter | 0x20, p->err));
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
    return class_read_char(p, &item->literal);
}

/* ---- brackets ---------------------------------------------------------------- */

static ctok_status class_unclosed(const class_parser *p)
{
    return error_set_at(p->err, CTOK_E_PATTERN, p->frames[p->n_frames - 1].position,
                        "this class is not closed");
}

/* Opens a bracket: '[' and '^', and what counts only here, leading hyphens or one ']'. */
static ctok_status class_open(class_parser *p)
{
    void *frames = p->frames;
    class_frame *frame;
    size_t n_hyphens = 0;

    if (p->n_frames == CLASS_MAX_DEPTH) {
        return error_set_at(p->err, CTOK_E_LIMIT, p->at, "classes nest at most %d deep",
                            CLASS_MAX_DEPTH);
    }
    TRY(mem_reserve(&p->alloc, &frames, &p->cap_frames, p->n_frames + 1, sizeof *frame,
                    p->err));
    p->frames = frames;
    frame = &p->frames[p->n_frames++];
    *frame = (class_frame){.items = cpset_empty(&p->alloc),
                           .left = cpset_empty(&p->alloc),
                           .position = p->at};
    p->at++;
    if (class_peek(p, 0) == '^') {
        frame->is_negated = true;
        p->at++;
    }
    while (class_peek(p, 0) == '-') {
        TRY(cpset_add(&frame->items, '-', '-', p->err));
        n_hyphens++;
        p->at++;
    }
    if (n_hyphens == 0 && class_peek(p, 0) == ']') {
        TRY(cpset_add(&frame->items, ']', ']', p->err));
        p->at++;
    }
    return CTOK_OK;
}

/* Carries out the operator read before items, if any; the result is items. All operators
 * bind alike and group to the left, looser than juxtaposition. */
static ctok_status class_apply(const class_parser *p, class_frame *frame)
{
    ctok_class right;

    if (frame->op == 0) {
        return CTOK_OK;
    }
    if (p->ignore_case) {
        TRY(cpset_fold(&frame->left, p->err));
        TRY(cpset_fold(&frame->items, p->err));
    }
    TRY(cpset_combine(&frame->left, frame->op, &frame->items, p->err));
    right = frame->items;
    frame->items = frame->left;
    frame->left = right;
    frame->op = 0;
    return CTOK_OK;
}

static ctok_status class_push_operator(class_parser *p, cpset_op op)
{
    class_frame *frame = &p->frames[p->n_frames - 1];
    ctok_class emptied;

    TRY(class_apply(p, frame));
    emptied = frame->left;
    emptied.n_ranges = 0;
    frame->left = frame->items;
    frame->items = emptied;
    frame->op = op;
    return CTOK_OK;
}

/* Closes a bracket. The last one is the whole class and goes to *out. */
static ctok_status class_close(class_parser *p, ctok_class *out)
{
    ctok_status status = CTOK_OK;
    class_frame *frame = &p->frames[p->n_frames - 1];

    TRY(class_apply(p, frame));
    TRY(class_finish(p, &frame->items, frame->is_negated));
    p->n_frames--;
    if (p->n_frames == 0) {
        *out = frame->items;
    } else {
        status = cpset_combine(&frame[-1].items, CPSET_UNION, &frame->items, p->err);
        ctok_class_free(&frame->items);
    }
    ctok_class_free(&frame->left);
    p->at++;
    return status;
}

/* [:name:] or [:^name:] inside brackets. Anything that only looks like it is left alone and
 * read as a nested class. */
static ctok_status class_read_posix(class_parser *p, bool *found)
{
    static const struct {
        char name[7];
        uint8_t n_ranges;
        uint8_t ranges[4][2];
    } table[] = {
        {"alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
        {"ascii", 1, {{0, 0x7F}}},
        {"blank", 2, {{'\t', '\t'}, {' ', ' '}}},
        {"cntrl", 2, {{0, 0x1F}, {0x7F, 0x7F}}},
        {"digit", 1, {{'0', '9'}}},
        {"graph", 1, {{'!', '~'}}},
        {"lower", 1, {{'a', 'z'}}},
        {"print", 1, {{' ', '~'}}},
        {"punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
        {"space", 2, {{'\t', '\r'}, {' ', ' '}}},
        {"upper", 1, {{'A', 'Z'}}},
        {"word", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"xdigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
    };
    ctok_status status = CTOK_OK;
    ctok_class set = cpset_empty(&p->alloc);
    bool negate = class_peek(p, 2) == '^';
    const uint8_t *name = p->pattern.ptr + p->at + 2 + negate;
    size_t left = p->pattern.len - p->at;
    size_t i;

    *found = false;
    if (class_peek(p, 1) != ':') {
        return CTOK_OK;
    }
    for (i = 0; i < sizeof table / sizeof *table; i++) {
        size_t len = strlen(table[i].name);
        if (left >= 4u + negate + len && memcmp(name, table[i].name, len) == 0 &&
            name[len] == ':' && name[len + 1] == ']') {
            *found = true;
            p->at += 4u + negate + len;
            break;
        }
    }
    for (size_t k = 0; *found && k < table[i].n_ranges; k++) {
        TRY_TO(done,
               cpset_add(&set, table[i].ranges[k][0], table[i].ranges[k][1], p->err));
    }
    if (*found) {
        TRY_TO(done, class_finish(p, &set, negate));
        TRY_TO(done, cpset_combine(&p->frames[p->n_frames - 1].items, CPSET_UNION, &set,
                                   p->err));
    }
done:
    ctok_class_free(&set);
    return status;
}

/* One character or escape, to be freed by the caller whatever happens. */
static ctok_status class_read_item(class_parser *p, class_item *item)
{
    *item = (class_item){.kind = CLASS_LITERAL, .set = cpset_empty(&p->alloc)};
    if (class_peek(p, 0) == '\\') {
        return class_read_escape(p, true, item);
    }
    return class_read_char(p, &item->literal);
}

/* The end of a range; at is behind its hyphen. An unescaped bracket there makes the
 * reference's two parsers disagree about where the class ends. */
static ctok_status class_read_range_end(class_parser *p, uint32_t *last)
{
    ctok_status status;
    size_t position = p->at;
    class_item item;

    if (class_peek(p, 0) == '[') {
        return error_set_at(p->err, CTOK_E_PATTERN, position,
                            "write \\[ for a bracket that ends a range");
    }
    status = class_read_item(p, &item);
    if (status == CTOK_OK && item.kind != CLASS_LITERAL) {
        status = error_set_at(p->err, CTOK_E_PATTERN, position,
                              "a range ends with a character, not with a class");
    }
    *last = item.literal;
    ctok_class_free(&item.set);
    return status;
}

/* A character, an escape or a range, added to the innermost bracket. */
static ctok_status class_read_member(class_parser *p)
{
    ctok_status status = CTOK_OK;
    size_t position = p->at;
    class_item item;
    uint32_t last;

    TRY_TO(done, class_read_item(p, &item));
    last = item.literal;
    if (item.kind != CLASS_NESTED && class_peek(p, 0) == '-' &&
        p->at + 1 < p->pattern.len && class_peek(p, 1) != ']' &&
        class_peek(p, 1) != '-') {
        if (item.kind != CLASS_LITERAL) {
            status = error_set_at(p->err, CTOK_E_PATTERN, position,
                                  "a range starts with a character, not with a class");
            goto done;
        }
        p->at++;
        TRY_TO(done, class_read_range_end(p, &last));
        if (last < item.literal) {
            status = error_set_at(p->err, CTOK_E_PATTERN, position,
                                  "the range ends before it starts");
            goto done;
        }
    }
    if (item.is_inverse) {
        /* The reference intersects the second and later ones with what came before. */
        if (p->has_inverse) {
            TRY_TO(done, class_push_operator(p, CPSET_INTERSECTION));
        }
        p->has_inverse = true;
    }
    if (item.kind == CLASS_LITERAL) {
        TRY_TO(done, cpset_add(&p->frames[p->n_frames - 1].items, item.literal, last,
                               p->err));
    } else {
        TRY_TO(done, cpset_combine(&p->frames[p->n_frames - 1].items, CPSET_UNION,
                                   &item.set, p->err));
    }
done:
    ctok_class_free(&item.set);
    return status;
}

static ctok_status class_read_brackets(class_parser *p, ctok_class *out)
{
    bool is_posix;

    TRY(class_open(p));
    while (p->n_frames > 0) {
        if (class_at_end(p)) {
            return class_unclosed(p);
        }
        if (class_is_pair(p, '&') || class_is_pair(p, '-') || class_is_pair(p, '~')) {
            uint8_t byte = class_peek(p, 0);
            p->at += 2;
            TRY(class_push_operator(p, byte == '&'   ? CPSET_INTERSECTION
                                       : byte == '-' ? CPSET_DIFFERENCE
                                                     : CPSET_SYMMETRIC_DIFFERENCE));
        } else if (class_peek(p, 0) == '[') {
            TRY(class_read_posix(p, &is_posix));
            if (!is_posix) {
                TRY(class_open(p));
            }
        } else if (class_peek(p, 0) == ']') {
            TRY(class_close(p, out));
        } else {
            TRY(class_read_member(p));
        }
    }
    return CTOK_OK;
}

/* A class outside of brackets: an escape, a dot or a plain character. */
static ctok_status class_read_single(class_parser *p, ctok_class *out)
{
    ctok_status status = CTOK_OK;
    class_item item = {.kind = CLASS_LITERAL, .set = cpset_empty(&p->alloc)};
    uint8_t second = class_peek(p, 1);

    if (class_peek(p, 0) == '.' ||
        (class_peek(p, 0) == '\\' && (second == 'N' || second == 'O'))) {
        item.kind = CLASS_SET;
        if (second != 'O' || class_peek(p, 0) == '.') {
            TRY_TO(done, cpset_add(&item.set, '\n', '\n', p->err));
        }
        TRY_TO(done, cpset_negate(&item.set, p->err));
        p->at += class_peek(p, 0) == '.' ? 1 : 2;
    } else if (class_peek(p, 0) == '\\') {
        TRY_TO(done, class_read_escape(p, false, &item));
    } else {
        TRY_TO(done, class_read_char(p, &item.literal));
    }
    if (item.kind == CLASS_LITERAL) {
        TRY_TO(done, cpset_add(&item.set, item.literal, item.literal, p->err));
        TRY_TO(done, class_finish(p, &item.set, false));
    }
done:
    if (status == CTOK_OK) {
        *out = item.set;
    } else {
        ctok_class_free(&item.set);
    }
    return status;
}

ctok_status ctok_class_parse(ctok_class *out, ctok_bytes pattern, size_t position,
                             int ignore_case, size_t *end, const ctok_allocator *alloc,
                             ctok_error *err)
{
    ctok_status status;
    class_parser p = {.pattern = pattern,
                      .at = position,
                      .ignore_case = ignore_case != 0,
                      .alloc = mem_allocator(alloc),
                      .err = err};

    *out = cpset_empty(&p.alloc);
    if (position >= pattern.len) {
        return error_set_at(err, CTOK_E_PATTERN, position,
                            "the pattern ends where a class is expected");
    }
    if (class_peek(&p, 0) == '[') {
        status = class_read_brackets(&p, out);
    } else {
        status = class_read_single(&p, out);
    }
    while (p.n_frames > 0) {
        p.n_frames--;
        ctok_class_free(&p.frames[p.n_frames].items);
        ctok_class_free(&p.frames[p.n_frames].left);
    }
    mem_free(&p.alloc, p.frames, p.cap_frames, sizeof *p.frames);
    *end = p.at;
    return status;
}
