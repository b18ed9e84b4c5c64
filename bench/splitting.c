/* splitting.c - what splitting alone costs: runs a splitter over a text and counts pieces.
 *
 * Built with csrc/ and a static PCRE2 into a library that measures/splitting.py loads. The
 * engines are those of the core, any other ctok_splitter by its address, and PCRE2 as a plain
 * user calls it: UTF, UCP, JIT, no check of the text, one pcre2_jit_match a piece. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "ctok.h"

#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define NO_PIECES ((size_t)-1) /* it failed */

static size_t drain(const ctok_splitter *splitter, ctok_bytes text)
{
    ctok_split_cursor cursor = {0};
    ctok_split_block block;
    ctok_error err;
    size_t n = 0;
    void *state = NULL;

    if (splitter->state_new != NULL) {
        state = splitter->state_new(splitter->self);
        if (state == NULL) {
            return NO_PIECES;
        }
    }
    for (;;) {
        if (splitter->next(splitter->self, state, text, &cursor, &block, &err) !=
            CTOK_OK) {
            n = NO_PIECES;
            break;
        }
        if (block.n_pieces == 0) {
            break;
        }
        n += block.n_pieces;
    }
    if (state != NULL) {
        splitter->state_free(splitter->self, state);
    }
    return n;
}

/* The core's own engine for a pattern; NULL when it has none. Freed by the process. */
EXPORT ctok_splitter *bench_core_new(const char *pattern, size_t len, int cpu);
EXPORT ctok_splitter *bench_core_new(const char *pattern, size_t len, int cpu)
{
    ctok_splitter *splitter = calloc(1, sizeof *splitter);
    ctok_bytes view = {(const uint8_t *)pattern, len};
    ctok_error err;

    if (splitter != NULL &&
        ctok_splitter_compile(splitter, view, (ctok_cpu)cpu, NULL, &err) != CTOK_OK) {
        free(splitter);
        return NULL;
    }
    return splitter;
}

EXPORT const char *bench_name(const ctok_splitter *splitter);
EXPORT const char *bench_name(const ctok_splitter *splitter)
{
    return splitter->name;
}

EXPORT size_t bench_drain(const ctok_splitter *splitter, const char *text, size_t len);
EXPORT size_t bench_drain(const ctok_splitter *splitter, const char *text, size_t len)
{
    ctok_bytes view = {(const uint8_t *)text, len};

    return drain(splitter, view);
}

/* The pattern as it is, in PCRE2; NULL when PCRE2 refuses it or has no JIT. */
EXPORT void *bench_pcre2_new(const char *pattern, size_t len);
EXPORT void *bench_pcre2_new(const char *pattern, size_t len)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, len,
                                         PCRE2_UTF | PCRE2_UCP, &code, &offset, NULL);

    if (compiled != NULL && pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) != 0) {
        pcre2_code_free(compiled);
        return NULL;
    }
    return compiled;
}

EXPORT size_t bench_pcre2_drain(const void *compiled, const char *text, size_t len);
EXPORT size_t bench_pcre2_drain(const void *compiled, const char *text, size_t len)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(compiled, NULL);
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
    PCRE2_SIZE at = 0;
    size_t n = 0;

    while (at < len) {
        int found = pcre2_jit_match(compiled, (PCRE2_SPTR)text, len, at,
                                    PCRE2_NO_UTF_CHECK, match, NULL);

        if (found < 0 || ends[1] == at) {
            n = found == PCRE2_ERROR_NOMATCH ? n : NO_PIECES;
            break;
        }
        at = ends[1];
        n++;
    }
    pcre2_match_data_free(match);
    return n;
}
