#include "split.h"

#include "automaton.h"
#include "cpu.h"
#include "error.h"
#include "known.h"
#include "mem.h"
#include "pattern.h"
#include "utf8.h"

/* ---- none ------------------------------------------------------------------- */

static ctok_status split_none_next(const void *self, void *state, ctok_bytes text,
                                   ctok_split_cursor *cursor, ctok_split_block *block,
                                   ctok_error *err)
{
    size_t len = text.len - cursor->position;

    (void)self;
    (void)state;
    block->start = cursor->position;
    block->n_pieces = 0;
    if (len > INT32_MAX) {
        return error_set(err, CTOK_E_LIMIT,
                         "a piece of %zu bytes: at most %d are supported", len,
                         INT32_MAX);
    }
    if (len > 0) {
        block->ends[block->n_pieces++] = (uint32_t)len;
        cursor->position = text.len;
    }
    return CTOK_OK;
}

ctok_splitter split_none(void)
{
    ctok_splitter none = {"none", NULL, split_none_next, NULL, NULL, NULL};
    return none;
}

/* ---- compiled patterns ------------------------------------------------------ */

/* No block spans more than this, so that ends fit 32 bits with a piece of 2^31 to come. */
#define SPLIT_MAX_SPAN ((size_t)1 << 31)

/* The vector code begins only where it can get somewhere: this byte and the next are ASCII. */
static bool split_can_scan(ctok_bytes text, size_t at)
{
    return at + 1 < text.len && (text.ptr[at] | text.ptr[at + 1]) < 0x80;
}

/* One piece by the automaton. False when nothing matches: *end is then behind the character
 * that is skipped. */
static ctok_status split_one(const automaton *a, ctok_bytes text, size_t at,
                             ctok_split_cursor *cursor, size_t *end, bool *matched,
                             ctok_error *err)
{
    size_t reached;

    *end = automaton_match(a, text, at, &reached);
    *matched = *end > at;
    if (!*matched) {
        const uint8_t *next = text.ptr + at;
        utf8_next(&next);
        *end = (size_t)(next - text.ptr);
    }
    if (reached > *end) {
        cursor->work += reached - *end;
        if (cursor->work / AUTOMATON_WORK_PER_BYTE > text.len + AUTOMATON_WORK_FREE) {
            return error_set_at(
                err, CTOK_E_SPLIT, at,
                "the pattern looks too far ahead, again and again, up to "
                "byte %zu of the text",
                at);
        }
    }
    if (*end - at > INT32_MAX) {
        return error_set_at(err, CTOK_E_LIMIT, at,
                            "a piece of %zu bytes: at most %d are supported", *end - at,
                            INT32_MAX);
    }
    return CTOK_OK;
}

static ctok_status split_next(const void *self, void *state, ctok_bytes text,
                              ctok_split_cursor *cursor, ctok_split_block *block,
                              ctok_error *err)
{
    const automaton *a = self;
    size_t at = cursor->position;
    uint32_t n = 0;

    (void)state;
    block->start = at;
    while (at < text.len && n < CTOK_BLOCK_PIECES &&
           at - block->start < SPLIT_MAX_SPAN) {
        size_t end;
        bool matched;

        if (a->scan != NULL && CTOK_BLOCK_PIECES - n >= 63 &&
            split_can_scan(text, at)) {
            uint32_t base = (uint32_t)(at - block->start);
            size_t n_found =
                a->scan(&a->shape, text.ptr + at, text.len - at, block->ends + n);
            size_t i;

            for (i = 0; i < n_found; i++) {
                block->ends[n + i] += base;
            }
            if (n_found > 0) {
                n += (uint32_t)n_found;
                at = block->start + block->ends[n - 1];
                continue;
            }
        }
        TRY(split_one(a, text, at, cursor, &end, &matched, err));
        if (!matched && n > 0) {
            break; /* a gap ends the block; it is skipped again at the next call */
        }
        at = end;
        if (matched) {
            block->ends[n++] = (uint32_t)(end - block->start);
        } else {
            block->start = end;
        }
    }
    block->n_pieces = n;
    cursor->position = at;
    return CTOK_OK;
}

static void split_free(void *self)
{
    automaton_free(self);
}

ctok_status ctok_splitter_compile(ctok_splitter *out, ctok_bytes text, ctok_cpu cpu,
                                  const ctok_allocator *alloc, ctok_error *err)
{
    ctok_allocator own = mem_allocator(alloc);
    const scan_shape *shape;
    automaton *a = NULL;
    pattern p;
    ctok_status status;

    memset(out, 0, sizeof *out);
    status = pattern_parse(&p, text, &own, err);
    if (status == CTOK_OK) {
        status = automaton_new(&a, &p, err);
    }
    if (status == CTOK_OK) {
        shape = known_shape(&p);
        if (shape != NULL) {
            a->scan = cpu_scanner(cpu);
            a->shape = *shape;
        }
        out->name = a->scan != NULL ? "vector" : "automaton";
        out->self = a;
        out->next = split_next;
        out->free = split_free;
    }
    pattern_free(&p);
    return status;
}

void ctok_splitter_free(ctok_splitter *splitter)
{
    if (splitter != NULL) {
        if (splitter->free != NULL) {
            splitter->free(splitter->self);
        }
        memset(splitter, 0, sizeof *splitter);
    }
}
