#include "class.h"

#include "class_item.h"
#include "error.h"

/* One open bracket: "left op items", where items is what was read since the operator. */
typedef struct class_frame {
    ctok_class items;
    ctok_class left;
    cpset_op op; /* 0: none yet */
    bool is_negated;
    size_t position;
} class_frame;

typedef struct class_parser {
    class_reader in;
    bool has_inverse;
    class_frame *frames;
    size_t n_frames;
    size_t cap_frames;
} class_parser;

static bool class_is_pair(const class_parser *p, uint8_t byte)
{
    return class_peek(&p->in, 0) == byte && class_peek(&p->in, 1) == byte;
}

static ctok_status class_unclosed(const class_parser *p)
{
    return error_set_at(p->in.err, CTOK_E_PATTERN, p->frames[p->n_frames - 1].position,
                        "this class is not closed");
}

/* Opens a bracket: '[' and '^', and what counts only here, leading hyphens or one ']'. */
static ctok_status class_open(class_parser *p)
{
    void *frames = p->frames;
    class_frame *frame;
    size_t n_hyphens = 0;

    if (p->n_frames == CLASS_MAX_DEPTH) {
        return error_set_at(p->in.err, CTOK_E_LIMIT, p->in.at,
                            "classes nest at most %d deep", CLASS_MAX_DEPTH);
    }
    TRY(mem_reserve(&p->in.alloc, &frames, &p->cap_frames, p->n_frames + 1,
                    sizeof *frame, p->in.err));
    p->frames = frames;
    frame = &p->frames[p->n_frames++];
    *frame = (class_frame){.items = cpset_empty(&p->in.alloc),
                           .left = cpset_empty(&p->in.alloc),
                           .position = p->in.at};
    p->in.at++;
    if (class_peek(&p->in, 0) == '^') {
        frame->is_negated = true;
        p->in.at++;
    }
    while (class_peek(&p->in, 0) == '-') {
        TRY(cpset_add(&frame->items, '-', '-', p->in.err));
        n_hyphens++;
        p->in.at++;
    }
    if (n_hyphens == 0 && class_peek(&p->in, 0) == ']') {
        TRY(cpset_add(&frame->items, ']', ']', p->in.err));
        p->in.at++;
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
    if (p->in.ignore_case) {
        TRY(cpset_fold(&frame->left, p->in.err));
        TRY(cpset_fold(&frame->items, p->in.err));
    }
    TRY(cpset_combine(&frame->left, frame->op, &frame->items, p->in.err));
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
    TRY(class_finish(&p->in, &frame->items, frame->is_negated));
    p->n_frames--;
    if (p->n_frames == 0) {
        *out = frame->items;
    } else {
        status = cpset_combine(&frame[-1].items, CPSET_UNION, &frame->items, p->in.err);
        ctok_class_free(&frame->items);
    }
    ctok_class_free(&frame->left);
    p->in.at++;
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
    ctok_class set = cpset_empty(&p->in.alloc);
    bool negate = class_peek(&p->in, 2) == '^';
    const uint8_t *name = p->in.pattern.ptr + p->in.at + 2 + negate;
    size_t left = p->in.pattern.len - p->in.at;
    size_t i;

    *found = false;
    if (class_peek(&p->in, 1) != ':') {
        return CTOK_OK;
    }
    for (i = 0; i < sizeof table / sizeof *table; i++) {
        size_t len = strlen(table[i].name);
        if (left >= 4u + negate + len && memcmp(name, table[i].name, len) == 0 &&
            name[len] == ':' && name[len + 1] == ']') {
            *found = true;
            p->in.at += 4u + negate + len;
            break;
        }
    }
    for (size_t k = 0; *found && k < table[i].n_ranges; k++) {
        TRY_TO(done, cpset_add(&set, table[i].ranges[k][0], table[i].ranges[k][1],
                               p->in.err));
    }
    if (*found) {
        TRY_TO(done, class_finish(&p->in, &set, negate));
        TRY_TO(done, cpset_combine(&p->frames[p->n_frames - 1].items, CPSET_UNION, &set,
                                   p->in.err));
    }
done:
    ctok_class_free(&set);
    return status;
}

/* The end of a range; at is behind its hyphen. An unescaped bracket there makes the
 * reference's two parsers disagree about where the class ends. */
static ctok_status class_read_range_end(class_reader *p, uint32_t *last)
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
    size_t position = p->in.at;
    class_item item;
    uint32_t last;

    TRY_TO(done, class_read_item(&p->in, &item));
    last = item.literal;
    if (item.kind != CLASS_NESTED && class_peek(&p->in, 0) == '-' &&
        p->in.at + 1 < p->in.pattern.len && class_peek(&p->in, 1) != ']' &&
        class_peek(&p->in, 1) != '-') {
        if (item.kind != CLASS_LITERAL) {
            status = error_set_at(p->in.err, CTOK_E_PATTERN, position,
                                  "a range starts with a character, not with a class");
            goto done;
        }
        p->in.at++;
        TRY_TO(done, class_read_range_end(&p->in, &last));
        if (last < item.literal) {
            status = error_set_at(p->in.err, CTOK_E_PATTERN, position,
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
                               p->in.err));
    } else {
        TRY_TO(done, cpset_combine(&p->frames[p->n_frames - 1].items, CPSET_UNION,
                                   &item.set, p->in.err));
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
        if (class_at_end(&p->in)) {
            return class_unclosed(p);
        }
        if (class_is_pair(p, '&') || class_is_pair(p, '-') || class_is_pair(p, '~')) {
            uint8_t byte = class_peek(&p->in, 0);
            p->in.at += 2;
            TRY(class_push_operator(p, byte == '&'   ? CPSET_INTERSECTION
                                       : byte == '-' ? CPSET_DIFFERENCE
                                                     : CPSET_SYMMETRIC_DIFFERENCE));
        } else if (class_peek(&p->in, 0) == '[') {
            TRY(class_read_posix(p, &is_posix));
            if (!is_posix) {
                TRY(class_open(p));
            }
        } else if (class_peek(&p->in, 0) == ']') {
            TRY(class_close(p, out));
        } else {
            TRY(class_read_member(p));
        }
    }
    return CTOK_OK;
}

/* A class outside of brackets: an escape, a dot or a plain character. */
static ctok_status class_read_single(class_reader *p, ctok_class *out)
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
        if (!item.is_escaped) {
            TRY_TO(done, class_finish(p, &item.set, false));
        }
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
    class_parser p = {.in = {.pattern = pattern,
                             .at = position,
                             .ignore_case = ignore_case != 0,
                             .alloc = mem_allocator(alloc),
                             .err = err}};

    *out = cpset_empty(&p.in.alloc);
    if (position >= pattern.len) {
        return error_set_at(err, CTOK_E_PATTERN, position,
                            "the pattern ends where a class is expected");
    }
    if (class_peek(&p.in, 0) == '[') {
        status = class_read_brackets(&p, out);
    } else {
        status = class_read_single(&p.in, out);
    }
    while (p.n_frames > 0) {
        p.n_frames--;
        ctok_class_free(&p.frames[p.n_frames].items);
        ctok_class_free(&p.frames[p.n_frames].left);
    }
    mem_free(&p.in.alloc, p.frames, p.cap_frames, sizeof *p.frames);
    *end = p.in.at;
    return status;
}
