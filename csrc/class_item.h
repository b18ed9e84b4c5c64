/* class_item.h - what a class of a pattern is made of: characters and escapes. Knows no brackets. */
#ifndef CTOK_CLASS_ITEM_H
#define CTOK_CLASS_ITEM_H

#include "cpset.h"

/* What a backslash or a plain character stands for. */
typedef enum class_kind {
    CLASS_LITERAL, /* one character, which can start or end a range */
    CLASS_SET,     /* \d, \p{L} */
    CLASS_NESTED   /* \h, \p{graph}: as if it were written in brackets of its own */
} class_kind;

typedef struct class_item {
    class_kind kind;
    uint32_t literal;
    bool is_escaped; /* a literal behind a backslash: outside of brackets only itself */
    bool
        is_inverse; /* nested, and made by taking characters away: see class_read_property */
    ctok_class set; /* empty for a literal */
} class_item;

/* Where reading is. */
typedef struct class_reader {
    ctok_bytes pattern;
    size_t at;
    bool ignore_case;
    ctok_allocator alloc;
    ctok_error *err;
} class_reader;

/* The byte so many places ahead, or 0, which nothing here looks for. */
static inline uint8_t class_peek(const class_reader *p, size_t ahead)
{
    return ahead < p->pattern.len - p->at ? p->pattern.ptr[p->at + ahead] : 0;
}

static inline bool class_at_end(const class_reader *p)
{
    return p->at >= p->pattern.len;
}

ctok_status class_read_char(class_reader *p, uint32_t *c);

/* One escape; at is at its backslash. In brackets some letters that mean places elsewhere
 * are themselves. */
ctok_status class_read_escape(class_reader *p, bool in_brackets, class_item *item);

/* One character or escape, to be freed by the caller whatever happens. */
ctok_status class_read_item(class_reader *p, class_item *item);

/* Folding comes before negation: (?i)\P{Lu} has no letter with a capital. */
ctok_status class_finish(const class_reader *p, ctok_class *set, bool negate);

#endif
