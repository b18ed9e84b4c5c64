"""Writes the C source of the module ``ctok._pcre2``: ``python _pcre2_build.py OUT.c``.

The build calls it; the installed package does not contain it.
"""

from __future__ import annotations

import sys

from cffi import FFI

# The parts of ctok.h and _pcre2_engine.h that Python needs; the compiler checks them
# against the headers.
DECLARATIONS = """
    #define CTOK_BLOCK_PIECES ...
    #define CTOK_OK 0
    #define CTOK_E_MEMORY ...
    #define CTOK_E_LIMIT ...
    #define CTOK_E_PATTERN ...
    #define CTOK_E_SPLIT ...
    #define CTOK_PCRE2_NO_JIT ...
    #define CTOK_PCRE2_FIXED_LOOKBEHIND ...

    typedef struct ctok_error {
        size_t position;
        char message[240];
        ...;
    } ctok_error;
    typedef struct ctok_split_block {
        size_t start;
        uint32_t n_pieces;
        uint32_t ends[...];
    } ctok_split_block;
    typedef struct ctok_split_cursor {
        size_t position;
        uint64_t work;
    } ctok_split_cursor;
    typedef struct ctok_splitter { ...; } ctok_splitter;

    int ctok_pcre2_compile(ctok_splitter *out, const uint8_t *pattern, size_t len,
                           uint32_t flags, ctok_error *err);
    void ctok_pcre2_free(ctok_splitter *splitter);
    int ctok_pcre2_has_jit(const ctok_splitter *splitter);
    void *ctok_pcre2_state_new(const ctok_splitter *splitter);
    void ctok_pcre2_state_free(const ctok_splitter *splitter, void *state);
    int ctok_pcre2_next(const ctok_splitter *splitter, void *state, const uint8_t *text,
                        size_t len, ctok_split_cursor *cursor, ctok_split_block *block,
                        ctok_error *err);
    void ctok_pcre2_versions(char version[64], char unicode[64]);
"""


def builder() -> FFI:
    """The cffi builder, ready to emit C."""
    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    ffi.set_source("ctok._pcre2", '#include "_pcre2_engine.h"')
    return ffi


if __name__ == "__main__":
    builder().emit_c_code(sys.argv[1])
