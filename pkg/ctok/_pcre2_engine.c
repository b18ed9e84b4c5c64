/* _pcre2_engine.c - see _pcre2_engine.h.
 *
 * One match climbs a ladder until it is decided, and is never cut short silently:
 *
 *     machine code on 32 KiB of the thread's stack
 *     machine code on a stack of its own, up to ENGINE_JIT_STACK
 *     the interpreter, on up to ENGINE_HEAP_KIB of heap
 *     CTOK_E_SPLIT, with the position and the limit that was met
 *
 * Time is bounded the same way. PCRE2 counts steps (roughly: backtracking points) per
 * starting position and says only whether a limit was met, so a match first gets a
 * small limit; where that does not do, the starts are tried one by one under rising
 * limits and every limit granted is charged to cursor->work. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "_pcre2_engine.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A megabyte of one letter needs about 16 bytes of stack per repeat of a group. The
 * memory is reserved, not used, until a match needs it. */
#define ENGINE_JIT_STACK ((size_t)64 << 20)
#define ENGINE_JIT_STACK_START ((size_t)32 << 10)

/* The interpreter takes some 150 bytes per backtracking point: room for 3.5 million. */
#define ENGINE_HEAP_KIB ((uint32_t)512 << 10)

/* Heap frames kept between texts. */
#define ENGINE_HEAP_KEPT ((PCRE2_SIZE)1 << 20)

/* Starting positions tried at once, under the first of the limits below; doubled while
 * nothing is found, because the interpreter looks for a first character beyond them. */
#define ENGINE_WINDOW ((size_t)256)

/* Steps granted to one starting position: the first suits ordinary text, each next one
 * is so many times the one before, and the last is what a long run of spaces needs (its
 * length, a few times over) plus what is fair for short texts. */
#define ENGINE_STEPS_FIRST 1000u
#define ENGINE_STEPS_FACTOR 8u
#define ENGINE_STEPS_LAST ((uint64_t)10000000)
#define ENGINE_STEPS_PER_BYTE 8u

/* Steps granted to all of one text beyond ENGINE_STEPS_FIRST per start. A quadratic
 * pattern gets through 60,000 bytes of its worst text; the rest is refused. */
#define ENGINE_WORK ((uint64_t)1 << 31)
#define ENGINE_WORK_PER_BYTE 64u

typedef struct engine {
    pcre2_code *code;
    bool has_jit;
} engine;

typedef struct engine_state {
    pcre2_match_context *context;
    pcre2_match_data *match;
    pcre2_jit_stack *jit_stack; /* NULL until a match needs it */
} engine_state;

/* One text being split: what does not change between its matches. */
typedef struct engine_run {
    const engine *self;
    engine_state *state;
    ctok_bytes text;
    ctok_split_cursor *cursor;
    ctok_error *err;
} engine_run;

static ctok_status engine_fail(ctok_error *err, ctok_status code, size_t position,
                               const char *format, ...)
{
    va_list args;

    if (err != NULL) {
        err->code = code;
        err->id = 0;
        err->position = position;
        va_start(args, format);
        (void)vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return code;
}

/* ---- state ------------------------------------------------------------------ */

static void engine_state_free(const void *self, void *state)
{
    engine_state *s = state;

    (void)self;
    if (s != NULL) {
        pcre2_match_context_free(s->context);
        pcre2_match_data_free(s->match);
        pcre2_jit_stack_free(s->jit_stack);
        free(s);
    }
}

static void *engine_state_new(const void *self)
{
    engine_state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    s->context = pcre2_match_context_create(NULL);
    s->match = pcre2_match_data_create(1, NULL);
    if (s->context == NULL || s->match == NULL) {
        engine_state_free(self, s);
        return NULL;
    }
    (void)pcre2_set_heap_limit(s->context, ENGINE_HEAP_KIB);
    (void)pcre2_set_depth_limit(s->context, UINT32_MAX); /* the heap limit bounds it */
    return s;
}

/* Gives back what a hard text made the state grow to. */
static void engine_state_shrink(engine_state *s)
{
    pcre2_match_data *fresh;

    if (s->jit_stack != NULL) {
        pcre2_jit_stack_assign(s->context, NULL, NULL);
        pcre2_jit_stack_free(s->jit_stack);
        s->jit_stack = NULL;
    }
    if (pcre2_get_match_data_heapframes_size(s->match) > ENGINE_HEAP_KEPT) {
        fresh = pcre2_match_data_create(1, NULL);
        if (fresh != NULL) {
            pcre2_match_data_free(s->match);
            s->match = fresh;
        }
    }
}

/* ---- one match -------------------------------------------------------------- */

/* Looks for a match that starts in [from, last_start], granting each start so many
 * steps. Returns PCRE2's answer. */
static int engine_try(const engine_run *run, size_t from, size_t last_start,
                      uint32_t steps)
{
    engine_state *s = run->state;
    const pcre2_code *code = run->self->code;
    PCRE2_SPTR text = run->text.ptr;
    size_t len = run->text.len;
    int answer;

    (void)pcre2_set_match_limit(s->context, steps);
    (void)pcre2_set_offset_limit(s->context, last_start);
    if (run->self->has_jit) {
        answer = pcre2_jit_match(code, text, len, from, PCRE2_NO_UTF_CHECK, s->match,
                                 s->context);
        if (answer == PCRE2_ERROR_JIT_STACKLIMIT && s->jit_stack == NULL) {
            s->jit_stack =
                pcre2_jit_stack_create(ENGINE_JIT_STACK_START, ENGINE_JIT_STACK, NULL);
            if (s->jit_stack != NULL) {
                pcre2_jit_stack_assign(s->context, NULL, s->jit_stack);
                answer = pcre2_jit_match(code, text, len, from, PCRE2_NO_UTF_CHECK,
                                         s->match, s->context);
            }
        }
        if (answer != PCRE2_ERROR_JIT_STACKLIMIT) {
            return answer;
        }
    }
    return pcre2_match(code, text, len, from,
                       PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT |
                           (from == last_start ? PCRE2_ANCHORED : 0u),
                       s->match, s->context);
}

static uint64_t engine_steps_last(size_t text_len)
{
    uint64_t steps = ENGINE_STEPS_LAST + (uint64_t)text_len * ENGINE_STEPS_PER_BYTE;

    return steps < UINT32_MAX ? steps : UINT32_MAX;
}

static uint64_t engine_work_last(size_t text_len)
{
    return ENGINE_WORK + (uint64_t)text_len * ENGINE_WORK_PER_BYTE;
}

/* The match that starts at one position, under rising limits. All but the first count
 * as spent: at least an ENGINE_STEPS_FACTOR-th of them was. */
static int engine_try_hard(const engine_run *run, size_t at)
{
    const uint64_t last = engine_steps_last(run->text.len);
    uint64_t steps = ENGINE_STEPS_FIRST;
    int answer = engine_try(run, at, at, (uint32_t)steps);

    while (answer == PCRE2_ERROR_MATCHLIMIT && steps < last &&
           run->cursor->work <= engine_work_last(run->text.len)) {
        steps *= ENGINE_STEPS_FACTOR;
        steps = steps < last ? steps : last;
        run->cursor->work += steps;
        answer = engine_try(run, at, at, (uint32_t)steps);
    }
    return answer;
}

static size_t engine_next_char(ctok_bytes text, size_t at)
{
    at++;
    while (at < text.len && (text.ptr[at] & 0xC0u) == 0x80u) {
        at++;
    }
    return at;
}

static ctok_status engine_give_up(const engine_run *run, size_t at, int answer)
{
    char reason[120];

    switch (answer) {
    case PCRE2_ERROR_MATCHLIMIT:
        return engine_fail(
            run->err, CTOK_E_SPLIT, at,
            "the pattern backtracks without bound: more than %llu steps for one match "
            "or %llu for the text",
            (unsigned long long)engine_steps_last(run->text.len),
            (unsigned long long)engine_work_last(run->text.len));
    case PCRE2_ERROR_HEAPLIMIT:
        return engine_fail(run->err, CTOK_E_SPLIT, at,
                           "the pattern backtracks too deeply: more than %lu MiB for "
                           "one match",
                           (unsigned long)(ENGINE_HEAP_KIB >> 10));
    case PCRE2_ERROR_NOMEMORY:
        return engine_fail(run->err, CTOK_E_MEMORY, at,
                           "out of memory matching the pattern");
    default:
        if (pcre2_get_error_message(answer, (PCRE2_UCHAR *)reason, sizeof reason) < 0) {
            reason[0] = '\0';
        }
        return engine_fail(run->err, CTOK_E_SPLIT, at, "PCRE2 error %d matching: %s",
                           answer, reason);
    }
}

/* The first match at or behind *from; *found is false when there is none. */
static ctok_status engine_find(const engine_run *run, size_t from, bool *found,
                               ctok_range *match)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(run->state->match);
    size_t window = ENGINE_WINDOW;
    size_t window_end; /* the first start not tried */
    int answer;

    *found = false;
    while (from <= run->text.len) {
        window_end = run->text.len - from < window ? run->text.len + 1 : from + window;
        answer = engine_try(run, from, window_end - 1, ENGINE_STEPS_FIRST);
        if (answer == PCRE2_ERROR_NOMATCH) {
            from = engine_next_char(run->text, window_end - 1);
            window *= 2;
        } else if (answer == PCRE2_ERROR_MATCHLIMIT && window > ENGINE_WINDOW) {
            window = ENGINE_WINDOW;
            continue;
        } else if (answer == PCRE2_ERROR_MATCHLIMIT) {
            answer = PCRE2_ERROR_NOMATCH;
            while (answer == PCRE2_ERROR_NOMATCH && from < window_end) {
                answer = engine_try_hard(run, from);
                if (answer == PCRE2_ERROR_NOMATCH) {
                    from = engine_next_char(run->text, from);
                }
            }
        }
        if (answer >= 0) {
            match->start = ends[0];
            match->end = ends[1];
            *found = true;
            return CTOK_OK;
        }
        if (answer != PCRE2_ERROR_NOMATCH) {
            return engine_give_up(run, from, answer);
        }
    }
    return CTOK_OK;
}

/* ---- the splitter ----------------------------------------------------------- */

static ctok_status engine_next(const void *self, void *state, ctok_bytes text,
                               ctok_split_cursor *cursor, ctok_split_block *block,
                               ctok_error *err)
{
    const engine_run run = {self, state, text, cursor, err};
    size_t at = cursor->position;
    size_t end = at; /* of the last piece in the block */
    ctok_range match;
    bool found;

    block->start = at;
    block->n_pieces = 0;
    if (state == NULL) {
        return engine_fail(err, CTOK_E_MEMORY, at, "out of memory for the PCRE2 state");
    }
    while (block->n_pieces < CTOK_BLOCK_PIECES && at < text.len) {
        ctok_status status = engine_find(&run, at, &found, &match);

        if (status != CTOK_OK) {
            return status;
        }
        if (!found) {
            at = text.len;
            break;
        }
        if (match.start == match.end) {
            /* An empty match is no piece; the search goes on one character later. */
            at = match.end < text.len ? engine_next_char(text, match.end) : text.len;
            continue;
        }
        if (block->n_pieces == 0) {
            block->start = match.start;
        } else if (match.start != end || match.end - block->start > UINT32_MAX) {
            /* Does not touch, or does not fit: the next block begins with it. */
            at = match.start;
            break;
        }
        if (match.end - block->start > UINT32_MAX) {
            return engine_fail(err, CTOK_E_LIMIT, match.start,
                               "the piece at byte %zu is longer than 4 GiB",
                               match.start);
        }
        end = match.end;
        at = end;
        block->ends[block->n_pieces++] = (uint32_t)(end - block->start);
    }
    cursor->position = at;
    if (block->n_pieces == 0) {
        engine_state_shrink(state);
    }
    return CTOK_OK;
}

static void engine_free(void *self)
{
    engine *e = self;

    if (e != NULL) {
        pcre2_code_free(e->code);
        free(e);
    }
}

static ctok_status engine_compile(engine *e, const uint8_t *pattern, size_t len,
                                  uint32_t flags, ctok_error *err)
{
    /* The dialect says everything else: a dot is any character, \N none but LF. The
     * automatic possessives of 10.47 lose matches: [a-z]+(?>(?:9)?)[a-z] finds nothing
     * in "ab" with them. So do the letters that its JIT looks for first: (?:abc.{2}|xyz)\b
     * finds no "xyz", x?US[0-9]{0,3}\b no "US" (PCRE2Project/pcre2#874). */
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL |
                             PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
                             PCRE2_USE_OFFSET_LIMIT | PCRE2_NO_AUTO_POSSESS |
                             PCRE2_NO_START_OPTIMIZE;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    char reason[160];
    PCRE2_SIZE offset = 0;
    int code = 0;

    if (context == NULL) {
        return engine_fail(err, CTOK_E_MEMORY, 0,
                           "out of memory compiling the pattern");
    }
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    if ((flags & CTOK_PCRE2_FIXED_LOOKBEHIND) != 0) {
        (void)pcre2_set_max_varlookbehind(context, 0);
    }
    e->code = pcre2_compile(pattern, len, options, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (e->code == NULL) {
        if (pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason) < 0) {
            reason[0] = '\0';
        }
        return engine_fail(err,
                           code == PCRE2_ERROR_HEAP_FAILED ? CTOK_E_MEMORY
                           : code == PCRE2_ERROR_PATTERN_TOO_LARGE ||
                                   code == PCRE2_ERROR_PATTERN_TOO_COMPLICATED
                               ? CTOK_E_LIMIT
                               : CTOK_E_PATTERN,
                           offset, "%s", reason);
    }
    /* Where the kernel forbids writable code this fails, and the interpreter serves. */
    e->has_jit = (flags & CTOK_PCRE2_NO_JIT) == 0 &&
                 pcre2_jit_compile(e->code, PCRE2_JIT_COMPLETE) == 0;
    return CTOK_OK;
}

ctok_status ctok_pcre2_compile(ctok_splitter *out, const uint8_t *pattern, size_t len,
                               uint32_t flags, ctok_error *err)
{
    engine *e = calloc(1, sizeof *e);
    ctok_status status;

    memset(out, 0, sizeof *out);
    if (e == NULL) {
        return engine_fail(err, CTOK_E_MEMORY, 0,
                           "out of memory compiling the pattern");
    }
    status = engine_compile(e, pattern, len, flags, err);
    if (status != CTOK_OK) {
        engine_free(e);
        return status;
    }
    out->name = "pcre2";
    out->self = e;
    out->next = engine_next;
    out->state_new = engine_state_new;
    out->state_free = engine_state_free;
    out->free = engine_free;
    return CTOK_OK;
}

void ctok_pcre2_free(ctok_splitter *splitter)
{
    if (splitter != NULL) {
        engine_free(splitter->self);
        memset(splitter, 0, sizeof *splitter);
    }
}

int ctok_pcre2_has_jit(const ctok_splitter *splitter)
{
    return ((const engine *)splitter->self)->has_jit;
}

void *ctok_pcre2_state_new(const ctok_splitter *splitter)
{
    return engine_state_new(splitter->self);
}

void ctok_pcre2_state_free(const ctok_splitter *splitter, void *state)
{
    engine_state_free(splitter->self, state);
}

ctok_status ctok_pcre2_next(const ctok_splitter *splitter, void *state,
                            const uint8_t *text, size_t len, ctok_split_cursor *cursor,
                            ctok_split_block *block, ctok_error *err)
{
    const ctok_bytes view = {text, len};

    return engine_next(splitter->self, state, view, cursor, block, err);
}

void ctok_pcre2_versions(char version[64], char unicode[64])
{
    (void)pcre2_config(PCRE2_CONFIG_VERSION, version);
    (void)pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, unicode);
}
