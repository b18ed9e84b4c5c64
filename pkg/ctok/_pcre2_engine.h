/* _pcre2_engine.h - PCRE2 as a ctok_splitter, for patterns that the automaton refuses.
 *
 * Knows PCRE2 and the splitter interface; knows neither our Unicode tables nor the
 * dialect of tiktoken's patterns: it is given patterns that were rewritten so that
 * PCRE2's own tables decide nothing (see dialect.py). */
#ifndef CTOK_PCRE2_ENGINE_H
#define CTOK_PCRE2_ENGINE_H

#include "ctok.h"

/* Leave the JIT compiler alone; the interpreter runs everything. */
#define CTOK_PCRE2_NO_JIT (1u << 0)

/* Refuse lookbehinds with a branch that has not one length: see dialect.py. */
#define CTOK_PCRE2_FIXED_LOOKBEHIND (1u << 1)

/* Compiles a rewritten pattern. CTOK_E_PATTERN or CTOK_E_LIMIT with the byte offset in
 * error.position. On success the caller owns *out: see ctok_splitter in ctok.h. */
ctok_status ctok_pcre2_compile(ctok_splitter *out, const uint8_t *pattern, size_t len,
                               uint32_t flags, ctok_error *err);

/* What ctok_splitter_free does, for those who do not link the core. */
void ctok_pcre2_free(ctok_splitter *splitter);

/* Whether the pattern runs as machine code. */
int ctok_pcre2_has_jit(const ctok_splitter *splitter);

/* The same as calling through the struct, which cffi does slowly. */
void *ctok_pcre2_state_new(const ctok_splitter *splitter);
void ctok_pcre2_state_free(const ctok_splitter *splitter, void *state);
ctok_status ctok_pcre2_next(const ctok_splitter *splitter, void *state,
                            const uint8_t *text, size_t len, ctok_split_cursor *cursor,
                            ctok_split_block *block, ctok_error *err);

/* What was linked: "10.47 2025-10-21" and "16.0.0". */
void ctok_pcre2_versions(char version[64], char unicode[64]);

#endif
