#include "pattern.h"

#include "error.h"
#include "machine.h"

typedef struct pattern_flags {
    bool ignore_case;
    bool dot_all;
    bool multi_line;
} pattern_flags;

typedef struct pattern_group {
    part_choice choice;
    pattern_flags flags; /* with has_flags, those that come back behind the group */
    bool has_flags;      /* (?i:..); a plain group lets (?i) in it live on, as the */
    size_t position;     /* reference does */
} pattern_group;

typedef struct pattern_parser {
    machine *p;
    ctok_bytes text;
    size_t at;
    pattern_flags flags;
    pattern_group groups[PATTERN_MAX_DEPTH];
    size_t depth;
    ctok_error *err;
} pattern_parser;

static ctok_status pattern_bad(const pattern_parser *s, size_t at, const char *what)
{
    return error_set_at(s->err, CTOK_E_PATTERN, at, "%s", what);
}

static ctok_status pattern_cannot(const pattern_parser *s, size_t at, const char *what)
{
    return error_set_at(s->err, CTOK_E_UNSUPPORTED, at,
                        "%s is more than the automaton can do", what);
}

/* Says where, if parts could not be put together. */
static ctok_status pattern_here(const pattern_parser *s, ctok_status status)
{
    if (status == CTOK_E_UNSUPPORTED && s->err != NULL) {
        s->err->position = s->at;
    }
    return status;
}

/* The byte so many places ahead; 0, which is in no pattern, behind the end. */
static uint8_t pattern_peek(const pattern_parser *s, size_t ahead)
{
    return ahead < s->text.len - s->at ? s->text.ptr[s->at + ahead] : 0;
}

/* ---- atoms ------------------------------------------------------------------ */

/* Reads one class or character into *cls, which is the caller's to free or keep if all went
 * well. With *is_end it is a place instead: the end of the text, or before what is in *cls. */
static ctok_status pattern_one(pattern_parser *s, ctok_class *cls, bool *is_end)
{
    static const uint8_t any[] = "\\O";
    size_t at = s->at;
    uint8_t first = s->text.ptr[at];
    uint8_t second = at + 1 < s->text.len ? s->text.ptr[at + 1] : 0;

    *cls = cpset_empty(&s->p->alloc);
    *is_end = first == '$' || (first == '\\' && second == 'z');
    if (*is_end) {
        s->at += first == '$' ? 1 : 2;
        return first == '$' && s->flags.multi_line ? cpset_add(cls, '\n', '\n', s->err)
                                                   : CTOK_OK;
    }
    if (first == '^') {
        return pattern_cannot(s, at, "^");
    }
    if (first == '?' || first == '*' || first == '+') {
        return pattern_bad(s, at, "a quantifier with nothing to repeat");
    }
    if (first == '(' || first == ')' || first == '|') {
        return pattern_cannot(s, at, "a group here");
    }
    if (first == '\\' && ((second >= '0' && second <= '9') ||
                          (second != 0 && strchr("AZbB<>KGRkg", second) != NULL))) {
        return pattern_cannot(s, at, "an escape that stands for a place or a group");
    }
    if (first == '.' && s->flags.dot_all) {
        s->at++;
        return ctok_class_parse(cls, (ctok_bytes){any, 2}, 0, 0, &at, &s->p->alloc,
                                s->err);
    }
    return ctok_class_parse(cls, s->text, at, s->flags.ignore_case, &s->at,
                            &s->p->alloc, s->err);
}

static ctok_status pattern_atom(pattern_parser *s, part *out)
{
    ctok_class cls;
    bool is_end;

    TRY(pattern_one(s, &cls, &is_end));
    return pattern_here(s, is_end ? part_guard(s->p, &cls, false, true, out, s->err)
                                  : part_char(s->p, &cls, out, s->err));
}

/* (?=X) and (?!X), s->at behind the = or !. X is one class or the end of the text, or a
 * choice of such: what comes next is in the union of all, or not. */
static ctok_status pattern_look(pattern_parser *s, bool negated, part *out)
{
    ctok_status status = CTOK_OK;
    ctok_class all = cpset_empty(&s->p->alloc);
    ctok_class one = cpset_empty(&s->p->alloc);
    size_t start = s->at;
    bool has_end = false;
    bool is_end;

    for (;; s->at++) {
        if (s->at == s->text.len) {
            status = pattern_bad(s, start, "a group that does not end");
            goto done;
        }
        TRY_TO(done, pattern_one(s, &one, &is_end));
        TRY_TO(done, cpset_combine(&all, CPSET_UNION, &one, s->err));
        ctok_class_free(&one);
        has_end = has_end || is_end;
        if (pattern_peek(s, 0) != '|') {
            break;
        }
    }
    if (pattern_peek(s, 0) != ')') {
        status = pattern_cannot(s, start, "a lookahead at more than one character");
        goto done;
    }
    s->at++;
    /* "Not X" holds at the end when X has no end. */
    status = pattern_here(
        s, part_guard(s->p, &all, negated, has_end != negated, out, s->err));
    all = cpset_empty(&s->p->alloc);
done:
    ctok_class_free(&one);
    ctok_class_free(&all);
    return status;
}

/* ---- repeats ---------------------------------------------------------------- */

static bool pattern_number(pattern_parser *s, uint32_t *value)
{
    size_t start = s->at;

    *value = 0;
    for (; pattern_peek(s, 0) >= '0' && pattern_peek(s, 0) <= '9'; s->at++) {
        if (*value <= PATTERN_MAX_REPEAT) {
            *value = *value * 10 + (pattern_peek(s, 0) - (uint32_t)'0');
        }
    }
    return s->at > start;
}

/* {n} {n,} {n,m} {,m}. What only looks like it is text: *found is false and s->at where it
 * was. */
static ctok_status pattern_braces(pattern_parser *s, part_repeat *repeat, bool *found)
{
    size_t start = s->at++;
    bool has_least = pattern_number(s, &repeat->least);
    bool has_comma = pattern_peek(s, 0) == ',';

    repeat->most = repeat->least;
    if (has_comma) {
        s->at++;
        if (!pattern_number(s, &repeat->most)) {
            repeat->most = PART_ENDLESS;
        }
    }
    *found = (has_least || has_comma) && pattern_peek(s, 0) == '}';
    if (!*found) {
        s->at = start;
        return CTOK_OK;
    }
    s->at++;
    if (repeat->least > PATTERN_MAX_REPEAT ||
        (repeat->most > PATTERN_MAX_REPEAT && repeat->most != PART_ENDLESS)) {
        return pattern_cannot(s, start, "a repetition of this size");
    }
    if (repeat->most < repeat->least) {
        return pattern_cannot(s, start,
                              "a repetition whose most is less than its least");
    }
    return CTOK_OK;
}

/* The quantifier at s->at, if there is one. */
static ctok_status pattern_quantifier(pattern_parser *s, part_repeat *repeat,
                                      bool *found)
{
    uint8_t c = pattern_peek(s, 0);

    *found = c == '?' || c == '*' || c == '+';
    if (c == '{') {
        TRY(pattern_braces(s, repeat, found));
    } else if (*found) {
        repeat->least = c == '+';
        repeat->most = c == '?' ? 1 : PART_ENDLESS;
        s->at++;
    }
    repeat->greed = PART_GREEDY;
    if (*found && (pattern_peek(s, 0) == '?' || pattern_peek(s, 0) == '+')) {
        repeat->greed = pattern_peek(s, 0) == '?' ? PART_LAZY : PART_POSSESSIVE;
        s->at++;
    }
    return CTOK_OK;
}

/* Behind what cannot be repeated: flags and lookaheads. */
static ctok_status pattern_no_quantifier(pattern_parser *s)
{
    size_t start = s->at;
    part_repeat repeat;
    bool found;

    TRY(pattern_quantifier(s, &repeat, &found));
    return found ? pattern_bad(s, start, "a quantifier with nothing to repeat")
                 : CTOK_OK;
}

/* (?>X), s->at behind the >, where X is one class, repeated or not: the same as repeating it
 * possessively. */
static ctok_status pattern_atomic(pattern_parser *s, part *out)
{
    size_t start = s->at;
    part_repeat repeat;
    bool found;

    if (s->at == s->text.len) {
        return pattern_bad(s, start, "a group that does not end");
    }
    TRY(pattern_atom(s, out));
    TRY(pattern_quantifier(s, &repeat, &found));
    if (pattern_peek(s, 0) != ')' || repeat.greed == PART_LAZY) {
        return pattern_cannot(s, start, "an atomic group of more than one class");
    }
    s->at++;
    repeat.greed = PART_POSSESSIVE;
    return found ? pattern_here(s, part_repeated(s->p, out, &repeat, s->err)) : CTOK_OK;
}

/* ---- groups ----------------------------------------------------------------- */

static pattern_group *pattern_top(pattern_parser *s)
{
    return &s->groups[s->depth - 1];
}

static ctok_status pattern_open(pattern_parser *s, size_t position)
{
    if (s->depth == PATTERN_MAX_DEPTH) {
        return pattern_cannot(s, position, "nesting this deep");
    }
    s->groups[s->depth++] =
        (pattern_group){.choice = part_choice_new(s->p), .position = position};
    return CTOK_OK;
}

/* Ends a group and makes it a part. */
static ctok_status pattern_close(pattern_parser *s, part *out)
{
    pattern_group *group = pattern_top(s);

    if (group->has_flags) {
        s->flags = group->flags;
    }
    s->depth--;
    return pattern_here(s, part_choice_end(s->p, &group->choice, out, s->err));
}

/* Flags behind "(?": on to ':' (a group of their own, *opens) or ')' (for the rest). */
static ctok_status pattern_read_flags(pattern_parser *s, bool *opens)
{
    size_t start = s->at;
    bool on = true;

    for (; s->at < s->text.len; s->at++) {
        switch (s->text.ptr[s->at]) {
        case 'i':
            s->flags.ignore_case = on;
            break;
        case 's':
            s->flags.dot_all = on;
            break;
        case 'm':
            s->flags.multi_line = on;
            break;
        case 'u':
            if (!on) {
                return pattern_bad(s, s->at, "Unicode cannot be switched off");
            }
            break;
        case '-':
            if (!on) {
                return pattern_bad(s, s->at, "a second hyphen among flags");
            }
            on = false;
            break;
        case ':':
        case ')':
            *opens = s->text.ptr[s->at] == ':';
            if (s->at == start + !on && !(*opens && on)) {
                return pattern_bad(s, s->at, "no flags where flags are expected");
            }
            s->at++;
            return CTOK_OK;
        default:
            return pattern_cannot(s, s->at, "this flag or group");
        }
    }
    return pattern_bad(s, start, "a group that does not end");
}

/* At "(". What is not a group of alternatives comes back as a part. */
static ctok_status pattern_open_any(pattern_parser *s, part *out, bool *is_part)
{
    size_t start = s->at++;
    uint8_t second = pattern_peek(s, 1);
    pattern_flags before = s->flags;
    bool opens = true;

    *is_part = false;
    if (pattern_peek(s, 0) == '*') {
        return pattern_cannot(s, start, "a verb");
    }
    if (pattern_peek(s, 0) != '?') {
        return pattern_open(s, start);
    }
    if (second == '=' || second == '!' || second == '>') {
        s->at += 2;
        *is_part = true;
        if (second == '>') {
            return pattern_atomic(s, out);
        }
        TRY(pattern_look(s, second == '!', out));
        return pattern_no_quantifier(s);
    }
    s->at++;
    TRY(pattern_read_flags(s, &opens));
    if (!opens) {
        return pattern_no_quantifier(s);
    }
    TRY(pattern_open(s, start));
    pattern_top(s)->has_flags = true;
    pattern_top(s)->flags = before;
    return CTOK_OK;
}

/* ---- the whole -------------------------------------------------------------- */

/* The quantifier of a part, if any, and then its place in the group. */
static ctok_status pattern_append(pattern_parser *s, part *next)
{
    part_repeat repeat;
    bool found;

    TRY(pattern_quantifier(s, &repeat, &found));
    if (found) {
        TRY(pattern_here(s, part_repeated(s->p, next, &repeat, s->err)));
        if (pattern_peek(s, 0) == '{' ||
            (repeat.greed == PART_LAZY && pattern_peek(s, 0) == '+')) {
            return pattern_cannot(s, s->at, "repeating a repetition");
        }
    }
    part_choice_append(s->p, &pattern_top(s)->choice, next);
    return CTOK_OK;
}

/* One step of the parse: an alternative, a group's begin or end, or an atom. */
static ctok_status pattern_step(pattern_parser *s)
{
    part next = {0};
    bool is_part = true;

    switch (s->text.ptr[s->at]) {
    case '|':
        s->at++;
        return pattern_here(s, part_choice_or(s->p, &pattern_top(s)->choice, s->err));
    case '(':
        TRY(pattern_open_any(s, &next, &is_part));
        break;
    case ')':
        if (s->depth == 1) {
            return pattern_bad(s, s->at, "a closing bracket that nothing opened");
        }
        s->at++;
        TRY(pattern_close(s, &next));
        break;
    default:
        TRY(pattern_atom(s, &next));
        break;
    }
    return is_part ? pattern_append(s, &next) : CTOK_OK;
}

ctok_status pattern_parse(machine *out, ctok_bytes text, const ctok_allocator *alloc,
                          ctok_error *err)
{
    pattern_parser s = {.p = out, .text = text, .err = err};
    part whole;

    memset(out, 0, sizeof *out);
    out->alloc = *alloc;
    if (text.len > 0 &&
        (ctok_utf8_valid(text) < text.len || memchr(text.ptr, 0, text.len) != NULL)) {
        return pattern_cannot(&s, 0, "a pattern with NUL or bytes that are not UTF-8");
    }
    TRY(pattern_open(&s, 0));
    while (s.at < text.len) {
        TRY(pattern_step(&s));
    }
    if (s.depth > 1) {
        return pattern_bad(&s, pattern_top(&s)->position, "a group that does not end");
    }
    TRY(pattern_close(&s, &whole));
    return pattern_here(&s, part_finish(out, &whole, err));
}
