#include "pattern.h"

#include "error.h"
#include "mem.h"

/* ---- fragments -------------------------------------------------------------- */

/* Part of the machine: states [first, end), entered at start, left by the jump at end - 1, which
 * leads nowhere yet. Being contiguous it can be copied by adding an offset.
 *
 *     a+      first            end          CHAR a -> FORK -> JUMP -> ?
 *             CHAR  FORK  JUMP                 ^-------'
 */
typedef struct pattern_part {
    uint32_t first;
    uint32_t end;
    uint32_t start;
    bool may_be_empty;
} pattern_part;

typedef struct pattern_group {
    uint32_t first;    /* its states */
    uint32_t fork;     /* the fork whose other side is the next alternative, or NONE */
    uint32_t exits;    /* jumps that end alternatives, chained by their other field */
    uint32_t start;    /* where the group is entered */
    bool may_be_empty; /* any alternative may */
    pattern_part tail; /* the current alternative */
    bool has_tail;
    bool has_flags;   /* (?i:..): the flags before it come back behind it, as they do */
    bool ignore_case; /* not behind a plain group, though it may have changed them */
    bool dot_all;
    bool multi_line;
    size_t position;
} pattern_group;

typedef struct pattern_parser {
    pattern *p;
    ctok_bytes text;
    size_t at;
    pattern_group groups[PATTERN_MAX_DEPTH];
    size_t depth;
    bool ignore_case;
    bool dot_all;
    bool multi_line;
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

static ctok_status pattern_add(pattern_parser *s, pattern_kind kind, uint32_t next,
                               uint32_t other, uint32_t *index)
{
    pattern *p = s->p;
    pattern_state state = {(uint8_t)kind, 0, 0, 0, next, other};
    void *states = p->states;
    ctok_status status;

    if (p->n_states >= PATTERN_MAX_STATES) {
        return pattern_cannot(s, s->at, "a pattern of this size");
    }
    status = mem_reserve(&p->alloc, &states, &p->states_cap, p->n_states + 1,
                         sizeof state, s->err);
    p->states = states;
    TRY(status);
    *index = (uint32_t)p->n_states;
    p->states[p->n_states++] = state;
    return CTOK_OK;
}

/* Ends a part with its jump. */
static ctok_status pattern_close(pattern_parser *s, pattern_part *part)
{
    uint32_t jump = 0;

    TRY(pattern_add(s, PATTERN_JUMP, PATTERN_NONE, PATTERN_NONE, &jump));
    part->end = jump + 1;
    return CTOK_OK;
}

static void pattern_link(pattern_parser *s, const pattern_part *part, uint32_t next)
{
    s->p->states[part->end - 1].next = next;
}

/* A copy of a part behind all other states. */
static ctok_status pattern_copy(pattern_parser *s, const pattern_part *part,
                                pattern_part *copy)
{
    uint32_t offset = (uint32_t)s->p->n_states - part->first;
    uint32_t i;

    for (i = part->first; i < part->end; i++) {
        pattern_state state = s->p->states[i];
        uint32_t index = 0;

        TRY(pattern_add(s, PATTERN_JUMP, 0, 0, &index));
        state.next = state.next == PATTERN_NONE ? PATTERN_NONE : state.next + offset;
        state.other = state.other == PATTERN_NONE ? PATTERN_NONE : state.other + offset;
        s->p->states[index] = state;
    }
    *copy = *part;
    copy->first += offset;
    copy->end += offset;
    copy->start += offset;
    s->p->states[copy->end - 1].next = PATTERN_NONE;
    return CTOK_OK;
}

/* ---- sets ------------------------------------------------------------------- */

/* Takes over a set, sharing an equal one. */
static ctok_status pattern_keep_set(pattern_parser *s, ctok_class *set, uint8_t *index)
{
    pattern *p = s->p;

    for (size_t i = 0; i < p->n_sets; i++) {
        if (cpset_equal(&p->sets[i], set)) {
            ctok_class_free(set);
            *index = (uint8_t)i;
            return CTOK_OK;
        }
    }
    if (p->n_sets == ALPHABET_MAX_SETS) {
        ctok_class_free(set);
        return pattern_cannot(s, s->at, "a pattern with so many classes");
    }
    p->sets[p->n_sets] = *set;
    *index = (uint8_t)p->n_sets++;
    return CTOK_OK;
}

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
        return first == '$' && s->multi_line ? cpset_add(cls, '\n', '\n', s->err)
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
    if (first == '.' && s->dot_all) {
        s->at++;
        return ctok_class_parse(cls, (ctok_bytes){any, 2}, 0, 0, &at, &s->p->alloc,
                                s->err);
    }
    return ctok_class_parse(cls, s->text, at, s->ignore_case, &s->at, &s->p->alloc,
                            s->err);
}

/* ---- atoms ------------------------------------------------------------------ */

static ctok_status pattern_char_part(pattern_parser *s, uint8_t set, pattern_part *part)
{
    uint32_t index = 0;

    TRY(pattern_add(s, PATTERN_CHAR, (uint32_t)s->p->n_states + 1, PATTERN_NONE,
                    &index));
    s->p->states[index].set = set;
    part->first = index;
    part->start = index;
    part->may_be_empty = false;
    return pattern_close(s, part);
}

static ctok_status pattern_guard_part(pattern_parser *s, uint8_t set, bool negated,
                                      bool at_end, pattern_part *part)
{
    uint32_t index = 0;

    TRY(pattern_add(s, PATTERN_GUARD, (uint32_t)s->p->n_states + 1, PATTERN_NONE,
                    &index));
    s->p->states[index].set = set;
    s->p->states[index].negated = negated;
    s->p->states[index].at_end = at_end;
    part->first = index;
    part->start = index;
    part->may_be_empty = true;
    return pattern_close(s, part);
}

static ctok_status pattern_atom(pattern_parser *s, pattern_part *part)
{
    ctok_class cls;
    uint8_t set = 0;
    bool is_end;

    TRY(pattern_one(s, &cls, &is_end));
    TRY(pattern_keep_set(s, &cls, &set));
    return is_end ? pattern_guard_part(s, set, false, true, part)
                  : pattern_char_part(s, set, part);
}

/* (?=X) and (?!X), s->at behind the = or !. X is one class or the end of the text, or a
 * choice of such: all that comes next is in the union, or not. */
static ctok_status pattern_look(pattern_parser *s, bool negated, pattern_part *part)
{
    ctok_status status = CTOK_OK;
    ctok_class all = cpset_empty(&s->p->alloc);
    ctok_class one = cpset_empty(&s->p->alloc);
    size_t start = s->at;
    bool with_end = false;
    bool is_end;
    uint8_t set = 0;

    do {
        if (s->at >= s->text.len) {
            status = pattern_bad(s, start, "a group that does not end");
            goto done;
        }
        TRY_TO(done, pattern_one(s, &one, &is_end));
        TRY_TO(done, cpset_combine(&all, CPSET_UNION, &one, s->err));
        ctok_class_free(&one);
        with_end = with_end || is_end;
    } while (s->at < s->text.len && s->text.ptr[s->at] == '|' && s->at++ > 0);
    if (s->at >= s->text.len || s->text.ptr[s->at] != ')') {
        status = pattern_cannot(s, start, "a lookahead at more than one character");
        goto done;
    }
    s->at++;
    status = pattern_keep_set(s, &all, &set);
    all = cpset_empty(&s->p->alloc);
    if (status == CTOK_OK) {
        /* "Not X" holds at the end when X has no end. */
        status = pattern_guard_part(s, set, negated, with_end != negated, part);
    }
done:
    ctok_class_free(&one);
    ctok_class_free(&all);
    return status;
}

/* ---- repeats ---------------------------------------------------------------- */

typedef struct pattern_repeat {
    unsigned least;
    unsigned most; /* UINT_MAX: no end */
    char kind;     /* '+' possessive, '?' lazy, ' ' greedy */
} pattern_repeat;

static bool pattern_number(pattern_parser *s, unsigned *value)
{
    size_t start = s->at;
    unsigned n = 0;

    while (s->at < s->text.len && s->text.ptr[s->at] >= '0' &&
           s->text.ptr[s->at] <= '9') {
        n = n > PATTERN_MAX_REPEAT ? n : n * 10 + (s->text.ptr[s->at] - '0');
        s->at++;
    }
    *value = n;
    return s->at > start;
}

/* {n} {n,} {n,m} {,m}. What only looks like it is text: *found is false and s->at where it
 * was. */
static ctok_status pattern_braces(pattern_parser *s, pattern_repeat *repeat,
                                  bool *found)
{
    size_t start = s->at++;
    bool has_least = pattern_number(s, &repeat->least);
    bool has_comma = s->at < s->text.len && s->text.ptr[s->at] == ',';

    repeat->most = repeat->least;
    if (has_comma) {
        s->at++;
        if (!pattern_number(s, &repeat->most)) {
            repeat->most = UINT32_MAX;
        }
    }
    *found =
        (has_least || has_comma) && s->at < s->text.len && s->text.ptr[s->at] == '}';
    s->at = *found ? s->at + 1 : start;
    if (*found && (repeat->least > PATTERN_MAX_REPEAT ||
                   (repeat->most != UINT32_MAX && repeat->most > PATTERN_MAX_REPEAT))) {
        return pattern_cannot(s, start, "a repetition of this size");
    }
    if (*found && repeat->most < repeat->least) {
        return pattern_cannot(s, start,
                              "a repetition whose most is less than its least");
    }
    return CTOK_OK;
}

/* The quantifier at s->at, if there is one. */
static ctok_status pattern_quantifier(pattern_parser *s, pattern_repeat *repeat,
                                      bool *found)
{
    uint8_t c = s->at < s->text.len ? s->text.ptr[s->at] : 0;

    *found = c == '?' || c == '*' || c == '+';
    if (c == '{') {
        TRY(pattern_braces(s, repeat, found));
    } else if (*found) {
        repeat->least = c == '+';
        repeat->most = c == '?' ? 1 : UINT32_MAX;
        s->at++;
    }
    repeat->kind = ' ';
    if (*found && s->at < s->text.len &&
        (s->text.ptr[s->at] == '+' || s->text.ptr[s->at] == '?')) {
        repeat->kind = (char)s->text.ptr[s->at++];
    }
    return CTOK_OK;
}

/* A fork into a part or past it. */
static ctok_status pattern_fork(pattern_parser *s, char kind, uint32_t into,
                                uint32_t past, uint32_t *fork)
{
    return kind == '?' ? pattern_add(s, PATTERN_FORK, past, into, fork)
                       : pattern_add(s, PATTERN_FORK, into, past, fork);
}

/* The way past a repeated part: for possessive repeats only where it could not go on. */
static ctok_status pattern_past(pattern_parser *s, const pattern_part *part,
                                const pattern_repeat *repeat, uint32_t *past)
{
    uint8_t set = s->p->states[part->start].set;

    if (repeat->kind != '+') {
        return pattern_add(s, PATTERN_JUMP, PATTERN_NONE, PATTERN_NONE, past);
    }
    TRY(pattern_add(s, PATTERN_GUARD, PATTERN_NONE, PATTERN_NONE, past));
    s->p->states[*past].set = set;
    s->p->states[*past].negated = 1;
    s->p->states[*past].at_end = 1;
    return CTOK_OK;
}

/* Replaces a part by its repetition: the least number of copies one after the other, then
 * optional ones or a loop.
 *
 *     X{1,3}     X -> FORK -> X -> FORK -> X -> JUMP
 *                       `------------`---------> (past)
 */
static ctok_status pattern_repeat_part(pattern_parser *s, pattern_part *part,
                                       const pattern_repeat *repeat)
{
    pattern_part unit = *part; /* stays unlinked until it has been copied */
    pattern_part whole = *part;
    pattern_part copy;
    unsigned n;
    uint32_t fork = 0;
    uint32_t past = 0;
    uint32_t end = 0;
    uint32_t forks =
        PATTERN_NONE; /* chained by their past side until the end is known */
    uint32_t n_copies = repeat->most == UINT32_MAX
                            ? (repeat->least == 0 ? 1 : repeat->least)
                            : repeat->most;
    uint32_t first_of_copies;

    if (repeat->kind == '+' && s->p->states[unit.start].kind != PATTERN_CHAR) {
        return pattern_cannot(s, s->at, "a possessive group");
    }
    if (repeat->kind == '+' && unit.end - unit.first != 2) {
        return pattern_cannot(s, s->at, "a possessive group");
    }
    if (unit.may_be_empty && repeat->most > 1) {
        return pattern_cannot(s, s->at, "repeating what may be empty");
    }
    whole.may_be_empty = unit.may_be_empty || repeat->least == 0;
    if (repeat->most == 0) {
        TRY(pattern_add(s, PATTERN_JUMP, PATTERN_NONE, PATTERN_NONE, &end));
        whole.start = end;
        whole.end = end + 1;
        *part = whole;
        return CTOK_OK;
    }
    /* Copies first, while the unit's jump is still open; then the wiring. */
    first_of_copies = (uint32_t)s->p->n_states;
    for (n = 1; n < n_copies; n++) {
        TRY(pattern_copy(s, &unit, &copy));
    }
    copy = unit;
    for (n = 0; n < n_copies; n++) {
        pattern_part next = unit;

        if (n > 0) {
            uint32_t offset =
                first_of_copies + (n - 1) * (unit.end - unit.first) - unit.first;
            next.first += offset;
            next.end += offset;
            next.start += offset;
        }
        if (n < repeat->least) {
            if (n > 0) {
                pattern_link(s, &copy, next.start);
            }
        } else {
            TRY(pattern_past(s, &next, repeat, &past));
            TRY(pattern_fork(s, repeat->kind, next.start, past, &fork));
            s->p->states[past].other = forks;
            forks = past;
            if (n > 0) {
                pattern_link(s, &copy, fork);
            } else {
                whole.start = fork;
            }
        }
        copy = next;
    }
    if (repeat->most == UINT32_MAX) {
        uint32_t loop = 0;

        TRY(pattern_past(s, &copy, repeat, &past));
        TRY(pattern_fork(s, repeat->kind, copy.start, past, &loop));
        pattern_link(s, &copy, loop);
        s->p->states[past].other = forks;
        forks = past;
    }
    TRY(pattern_add(s, PATTERN_JUMP, PATTERN_NONE, PATTERN_NONE, &end));
    if (repeat->most != UINT32_MAX) {
        pattern_link(s, &copy, end);
    }
    while (forks != PATTERN_NONE) {
        uint32_t after = s->p->states[forks].other;
        s->p->states[forks].next = end;
        s->p->states[forks].other = PATTERN_NONE;
        forks = after;
    }
    whole.end = end + 1;
    *part = whole;
    return CTOK_OK;
}

/* ---- groups ----------------------------------------------------------------- */

static pattern_group *pattern_top(pattern_parser *s)
{
    return &s->groups[s->depth - 1];
}

static ctok_status pattern_open(pattern_parser *s, size_t position)
{
    pattern_group *group;

    if (s->depth == PATTERN_MAX_DEPTH) {
        return pattern_cannot(s, position, "nesting this deep");
    }
    group = &s->groups[s->depth++];
    memset(group, 0, sizeof *group);
    group->first = (uint32_t)s->p->n_states;
    group->fork = PATTERN_NONE;
    group->exits = PATTERN_NONE;
    group->start = PATTERN_NONE;
    group->position = position;
    return CTOK_OK;
}

/* Ends an alternative. When another follows, a fork goes before it. */
static ctok_status pattern_end_alternative(pattern_parser *s, bool another_follows)
{
    pattern_group *group = pattern_top(s);
    uint32_t start;
    uint32_t jump = 0;

    if (!group->has_tail) {
        pattern_part empty;
        TRY(pattern_add(s, PATTERN_JUMP, PATTERN_NONE, PATTERN_NONE, &jump));
        empty.first = jump;
        empty.start = jump;
        empty.end = jump + 1;
        empty.may_be_empty = true;
        group->tail = empty;
    }
    start = group->tail.start;
    group->may_be_empty = group->may_be_empty || group->tail.may_be_empty;
    s->p->states[group->tail.end - 1].other = group->exits;
    group->exits = group->tail.end - 1;
    group->has_tail = false;
    if (another_follows) {
        TRY(pattern_add(s, PATTERN_FORK, start, PATTERN_NONE, &jump));
        start = jump;
    }
    if (group->fork != PATTERN_NONE) {
        s->p->states[group->fork].other = start;
    } else {
        group->start = start;
    }
    group->fork = another_follows ? start : PATTERN_NONE;
    return CTOK_OK;
}

/* Ends a group and makes it a part. */
static ctok_status pattern_end_group(pattern_parser *s, pattern_part *part)
{
    pattern_group *group = pattern_top(s);
    uint32_t exit_jump;
    uint32_t at;

    TRY(pattern_end_alternative(s, false));
    part->first = group->first;
    part->start = group->start;
    part->may_be_empty = group->may_be_empty;
    TRY(pattern_close(s, part));
    exit_jump = part->end - 1;
    for (at = group->exits; at != PATTERN_NONE;) {
        uint32_t after = s->p->states[at].other;
        s->p->states[at].other = PATTERN_NONE;
        s->p->states[at].next = exit_jump;
        at = after;
    }
    if (group->has_flags) {
        s->ignore_case = group->ignore_case;
        s->dot_all = group->dot_all;
        s->multi_line = group->multi_line;
    }
    s->depth--;
    return CTOK_OK;
}

static void pattern_append(pattern_parser *s, const pattern_part *part)
{
    pattern_group *group = pattern_top(s);

    if (!group->has_tail) {
        group->tail = *part;
        group->has_tail = true;
        return;
    }
    pattern_link(s, &group->tail, part->start);
    group->tail.end = part->end;
    group->tail.may_be_empty = group->tail.may_be_empty && part->may_be_empty;
}

/* Flags behind "(?": on to ':' (a group of their own, *opens) or ')' (for the rest). */
static ctok_status pattern_flags(pattern_parser *s, bool *opens)
{
    size_t start = s->at;
    bool on = true;

    for (; s->at < s->text.len; s->at++) {
        switch (s->text.ptr[s->at]) {
        case 'i':
            s->ignore_case = on;
            break;
        case 's':
            s->dot_all = on;
            break;
        case 'm':
            s->multi_line = on;
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

/* (?>X), s->at behind the >, where X is one class, repeated or not: the same as repeating it
 * possessively. */
static ctok_status pattern_atomic(pattern_parser *s, pattern_part *part)
{
    size_t start = s->at;
    pattern_repeat repeat;
    bool found;

    if (s->at >= s->text.len) {
        return pattern_bad(s, start, "a group that does not end");
    }
    TRY(pattern_atom(s, part));
    TRY(pattern_quantifier(s, &repeat, &found));
    if (s->at >= s->text.len || s->text.ptr[s->at] != ')' || repeat.kind == '?') {
        return pattern_cannot(s, start, "an atomic group of more than one class");
    }
    s->at++;
    repeat.kind = '+';
    return found ? pattern_repeat_part(s, part, &repeat) : CTOK_OK;
}

/* Behind what cannot be repeated: flags and lookaheads. */
static ctok_status pattern_no_quantifier(pattern_parser *s)
{
    size_t start = s->at;
    pattern_repeat repeat;
    bool found;

    TRY(pattern_quantifier(s, &repeat, &found));
    return found ? pattern_bad(s, start, "a quantifier with nothing to repeat")
                 : CTOK_OK;
}

/* At "(". What is not a group of alternatives comes back as a part. */
static ctok_status pattern_open_any(pattern_parser *s, pattern_part *part,
                                    bool *is_part)
{
    size_t start = s->at++;
    uint8_t first = s->at < s->text.len ? s->text.ptr[s->at] : 0;
    uint8_t second = s->at + 1 < s->text.len ? s->text.ptr[s->at + 1] : 0;
    bool ignore_case = s->ignore_case;
    bool dot_all = s->dot_all;
    bool multi_line = s->multi_line;
    bool opens = true;

    *is_part = false;
    if (first == '*') {
        return pattern_cannot(s, start, "a verb");
    }
    if (first != '?') {
        return pattern_open(s, start);
    }
    if (second == '=' || second == '!') {
        s->at += 2;
        *is_part = true;
        TRY(pattern_look(s, second == '!', part));
        return pattern_no_quantifier(s);
    }
    if (second == '>') {
        s->at += 2;
        *is_part = true;
        return pattern_atomic(s, part);
    }
    s->at++;
    TRY(pattern_flags(s, &opens));
    if (opens) {
        TRY(pattern_open(s, start));
        pattern_top(s)->has_flags = true;
        pattern_top(s)->ignore_case = ignore_case;
        pattern_top(s)->dot_all = dot_all;
        pattern_top(s)->multi_line = multi_line;
        return CTOK_OK;
    }
    return pattern_no_quantifier(s);
}

/* ---- the whole -------------------------------------------------------------- */

/* One step of the parse: an alternative, a group's begin or end, or an atom. */
static ctok_status pattern_step(pattern_parser *s)
{
    pattern_part part = {0};
    pattern_repeat repeat = {0};
    bool is_part = true;
    bool found;

    switch (s->text.ptr[s->at]) {
    case '|':
        s->at++;
        return pattern_end_alternative(s, true);
    case '(':
        TRY(pattern_open_any(s, &part, &is_part));
        break;
    case ')':
        if (s->depth == 1) {
            return pattern_bad(s, s->at, "a closing bracket that nothing opened");
        }
        s->at++;
        TRY(pattern_end_group(s, &part));
        break;
    default:
        TRY(pattern_atom(s, &part));
        break;
    }
    if (!is_part) {
        return CTOK_OK;
    }
    TRY(pattern_quantifier(s, &repeat, &found));
    if (found) {
        TRY(pattern_repeat_part(s, &part, &repeat));
        if (s->at < s->text.len &&
            (s->text.ptr[s->at] == '{' ||
             (repeat.kind == '?' && s->text.ptr[s->at] == '+'))) {
            return pattern_cannot(s, s->at, "repeating a repetition");
        }
    }
    pattern_append(s, &part);
    return CTOK_OK;
}

ctok_status pattern_parse(pattern *out, ctok_bytes text, const ctok_allocator *alloc,
                          ctok_error *err)
{
    pattern_parser s;
    pattern_part whole = {0};
    uint32_t match = 0;

    memset(out, 0, sizeof *out);
    out->alloc = *alloc;
    memset(&s, 0, sizeof s);
    s.p = out;
    s.text = text;
    s.err = err;
    if (ctok_utf8_valid(text) < text.len || memchr(text.ptr, 0, text.len) != NULL) {
        return pattern_cannot(&s, 0, "a pattern with NUL or bytes that are not UTF-8");
    }
    TRY(pattern_open(&s, 0));
    while (s.at < text.len) {
        TRY(pattern_step(&s));
    }
    if (s.depth > 1) {
        return pattern_bad(&s, pattern_top(&s)->position, "a group that does not end");
    }
    TRY(pattern_end_group(&s, &whole));
    TRY(pattern_add(&s, PATTERN_MATCH, PATTERN_NONE, PATTERN_NONE, &match));
    pattern_link(&s, &whole, match);
    out->start = whole.start;
    return CTOK_OK;
}

void pattern_free(pattern *p)
{
    size_t i;

    for (i = 0; i < p->n_sets; i++) {
        ctok_class_free(&p->sets[i]);
    }
    mem_free(&p->alloc, p->states, p->states_cap, sizeof *p->states);
    memset(p, 0, sizeof *p);
}

static uint64_t pattern_mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

uint64_t pattern_hash(const pattern *p)
{
    uint64_t h = p->start;
    size_t i;
    size_t j;

    for (i = 0; i < p->n_sets; i++) {
        h = pattern_mix(h, p->sets[i].n_ranges);
        for (j = 0; j < p->sets[i].n_ranges; j++) {
            h = pattern_mix(h, (uint64_t)p->sets[i].ranges[j][0] << 32 |
                                   p->sets[i].ranges[j][1]);
        }
    }
    for (i = 0; i < p->n_states; i++) {
        const pattern_state *state = &p->states[i];
        h = pattern_mix(h, (uint64_t)state->kind << 24 |
                               (uint64_t)state->negated << 16 |
                               (uint64_t)state->at_end << 8 | state->set);
        h = pattern_mix(h, (uint64_t)state->next << 32 | state->other);
    }
    return h;
}
