#include "split.h"

#include "automaton.h"
#include "cpu.h"
#include "cut.h"
#include "error.h"
#include "known.h"
#include "mem.h"
#include "pattern.h"
#include "utf8.h"

/* Bytes that may be looked at in vain, so that no text takes longer than linear time. Real
 * patterns look about twice; but \([^)]*\) looks at all that follows each "(" that is never
 * closed. So half a second may pass in vain. */
#define SPLIT_WORK_PER_BYTE 16
#define SPLIT_WORK_FREE (1u << 28)

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
    ctok_splitter none = {"none", NULL, split_none_next, NULL, NULL, NULL, NULL};
    return none;
}

/* ---- compiled patterns ------------------------------------------------------ */

typedef struct split_compiled {
    ctok_allocator alloc;
    automaton *automaton;
    bool is_known;      /* the pattern is one of a family */
    scan_family family; /* which one */
    scan_function scan; /* vector code for this pattern, or NULL */
    scan_classes classes;
} split_compiled;

/* Where vector code settles nothing, the automaton finds so many pieces before that is tried
 * again; twice as many each time that it was in vain. */
#define SPLIT_FEW 2

/* Adds pieces by the automaton: enough of them, or few more. It may start inside the first. */
static ctok_status split_run(const split_compiled *s, ctok_bytes text, size_t from,
                             ctok_split_cursor *cursor, ctok_split_block *block,
                             uint32_t enough, uint32_t *n_found, ctok_error *err)
{
    automaton_output out = {.base = block->start,
                            .ends = block->ends + block->n_pieces,
                            .cap = CTOK_BLOCK_PIECES - block->n_pieces,
                            .enough = enough,
                            .work = cursor->work,
                            .max_work = SPLIT_WORK_FREE +
                                        (uint64_t)text.len * SPLIT_WORK_PER_BYTE};

    *n_found = automaton_run(s->automaton, text, from, &out);
    cursor->work = out.work;
    if (out.work > out.max_work) {
        return error_set_at(err, CTOK_E_SPLIT, from,
                            "the pattern looks too far ahead, again and again");
    }
    if (*n_found + block->n_pieces == 0 &&
        out.reached - block->start >= AUTOMATON_MAX_PIECE) {
        return error_set_at(err, CTOK_E_LIMIT, block->start,
                            "no piece of at most %zu bytes at byte %zu of the text",
                            AUTOMATON_MAX_PIECE, block->start);
    }
    return CTOK_OK;
}

static ctok_status split_next(const void *self, void *state, ctok_bytes text,
                              ctok_split_cursor *cursor, ctok_split_block *block,
                              ctok_error *err)
{
    const split_compiled *s = self;
    size_t at = cursor->position;
    uint32_t patience = SPLIT_FEW;

    (void)state;
    block->n_pieces = 0;
    block->start = at;
    while (at < text.len && at - block->start < AUTOMATON_MAX_PIECE) {
        uint32_t room = CTOK_BLOCK_PIECES - block->n_pieces;
        uint32_t enough = room;
        uint32_t n_found = 0;
        size_t from = at;

        if (s->scan != NULL) {
            if (room < SCAN_ROOM) {
                break;
            }
            n_found = (uint32_t)s->scan(&s->classes, text, &from, block->start,
                                        block->ends + block->n_pieces, room);
            if (n_found > 0) {
                patience = SPLIT_FEW;
            } else {
                enough = patience < room ? patience : room;
                patience *= 2;
            }
        }
        if (n_found == 0 && room > 0) {
            TRY(split_run(s, text, from, cursor, block, enough, &n_found, err));
        }
        if (n_found > 0) {
            block->n_pieces += n_found;
            at = block->start + block->ends[block->n_pieces - 1];
        } else if (block->n_pieces > 0) {
            break; /* full, or a gap, which is skipped by the next call */
        } else {
            const uint8_t *behind = text.ptr + at;
            utf8_next(&behind);
            at = automaton_skip(s->automaton, text, (size_t)(behind - text.ptr));
            block->start = at;
        }
    }
    cursor->position = at;
    return CTOK_OK;
}

static size_t split_cut(const void *self, ctok_bytes text, size_t at)
{
    const split_compiled *s = self;
    return cut_before(&s->classes, s->family, text, at);
}

static void split_free(void *self)
{
    split_compiled *s = self;
    ctok_allocator alloc = s->alloc;

    automaton_free(s->automaton);
    mem_free(&alloc, s, 1, sizeof *s);
}

/* The splitter of what has its automaton and its family. */
static ctok_splitter split_ready(split_compiled *s, ctok_cpu cpu)
{
    if (s->is_known) {
        s->scan = cpu_scanner(cpu, s->family);
        scan_classes_init(&s->classes, s->family, &s->automaton->letters);
    }
    return (ctok_splitter){.name = s->scan != NULL ? "vector" : "automaton",
                           .self = s,
                           .next = split_next,
                           .free = split_free,
                           .cut = s->is_known ? split_cut : NULL};
}

ctok_status ctok_splitter_compile(ctok_splitter *out, ctok_bytes text, ctok_cpu cpu,
                                  const ctok_allocator *alloc, ctok_error *err)
{
    ctok_allocator own = mem_allocator(alloc);
    split_compiled *s;
    machine p = {0};
    ctok_status status;
    void *memory;

    memset(out, 0, sizeof *out);
    TRY(mem_new(&own, &memory, 1, sizeof *s, err));
    s = memory;
    s->alloc = own;
    TRY_TO(done, pattern_parse(&p, text, &own, err));
    TRY_TO(done, automaton_new(&s->automaton, &p, err));
    s->is_known = known_family(&p, &s->family);
    *out = split_ready(s, cpu);
    s = NULL;
done:
    if (s != NULL) {
        split_free(s);
    }
    machine_free(&p);
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

/* ---- images ----------------------------------------------------------------- */

/* What an image says of the splitter; from SPLIT_KNOWN on it is that of a family. */
enum { SPLIT_NONE, SPLIT_OTHER, SPLIT_UNKNOWN, SPLIT_KNOWN };

void split_write(const ctok_splitter *splitter, sections *s)
{
    const split_compiled *compiled = splitter->self;
    size_t kind = SPLIT_OTHER;

    if (splitter->next == split_none_next) {
        kind = SPLIT_NONE;
    } else if (splitter->next == split_next) {
        kind =
            compiled->is_known ? SPLIT_KNOWN + (size_t)compiled->family : SPLIT_UNKNOWN;
    }
    section_number(s, &kind);
    if (kind >= SPLIT_UNKNOWN) {
        automaton_sections(compiled->automaton, s);
    }
}

ctok_status split_read(ctok_splitter *out, sections *s, ctok_cpu cpu,
                       const ctok_allocator *alloc, ctok_error *err)
{
    split_compiled *compiled;
    void *memory = NULL;
    size_t kind = SPLIT_NONE;
    ctok_status status;

    memset(out, 0, sizeof *out);
    section_number(s, &kind);
    if (kind == SPLIT_NONE) {
        *out = split_none();
        return CTOK_OK;
    }
    if (kind == SPLIT_OTHER) {
        return error_set(err, CTOK_E_UNSUPPORTED,
                         "the splitter of this image's model came from outside: it is "
                         "needed again");
    }
    TRY(mem_new(alloc, &memory, 1, sizeof *compiled, err));
    compiled = memory;
    compiled->alloc = *alloc;
    TRY_TO(done, automaton_blank(&compiled->automaton, alloc, err));
    automaton_sections(compiled->automaton, s);
    if (s->is_bad || kind >= SPLIT_KNOWN + (size_t)SCAN_N_FAMILIES ||
        !automaton_is_sound(compiled->automaton)) {
        status = error_set(err, CTOK_E_IMAGE, "image: no sound splitter");
        goto done;
    }
    compiled->is_known = kind >= SPLIT_KNOWN;
    compiled->family =
        compiled->is_known ? (scan_family)(kind - SPLIT_KNOWN) : SCAN_GPT2;
    *out = split_ready(compiled, cpu);
    compiled = NULL;
done:
    if (compiled != NULL) {
        split_free(compiled);
    }
    return status;
}
