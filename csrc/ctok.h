/* ctok.h - exact tokenization for language models, as one small C11 library.
 *
 * The manual, read top to bottom. A first program is in csrc/README.md.
 *
 * Three lives
 *   ctok_builder  filled once: tokens, merges, specials, a splitter
 *   ctok_model    made by the builder; never changes; any number of threads may
 *                 read one at the same time
 *   ctok_scratch  what a call has to write (caches, work arrays); belongs to one
 *                 thread at a time, works with any model, grows to what it needs
 *
 * Words
 *   token   vocabulary bytes          id      the number of a token
 *   rank    merge priority            piece   what a splitter yields
 *   text    what the caller gave: UTF-8, no terminator, NUL is a character
 *
 * Ownership
 *   What arrives through **out is the caller's and is freed with the type's _free,
 *   which accepts NULL. What is returned as a pointer or a ctok_bytes is borrowed from
 *   the object it came from and lives as long as that. Output arrays are the caller's.
 *
 * Errors
 *   Every call that can fail returns a ctok_status; zero is success. Where there is
 *   more to tell, the last argument is an optional place for it, which success leaves
 *   as it was; NULL means "not interested". On failure nothing half-made is left behind. The library never prints, never aborts,
 *   never reads a file, a clock, the locale or the environment, and has no globals
 *   that change.
 *
 * Threads
 *   Calls on different builders or scratches are independent. See "Three lives". A call with
 *   a scratch takes up to 120 KB of stack, however long the text and its pieces are.
 */
#ifndef CTOK_H
#define CTOK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CTOK_VERSION "0.1.0"

/* The Unicode version of the class tables, that of the reference implementations. */
#define CTOK_UNICODE_VERSION "16.0.0"

/* ---- status and error ------------------------------------------------------- */

typedef enum ctok_status {
    CTOK_OK = 0,
    CTOK_E_MEMORY,      /* the allocator returned NULL */
    CTOK_E_SPACE,       /* the output array is too small; the size needed is reported */
    CTOK_E_LIMIT,       /* a published limit was exceeded */
    CTOK_E_ARGUMENT,    /* a value that makes no sense: the caller's mistake */
    CTOK_E_UTF8,        /* the text is not UTF-8 at error.position */
    CTOK_E_DUPLICATE,   /* a token, an id or a special was given twice */
    CTOK_E_ID,          /* error.id is not the id of any token */
    CTOK_E_RANK,        /* bytes at error.position have no token and merge into none */
    CTOK_E_SPECIAL,     /* a disallowed special (number error.id) is in the text */
    CTOK_E_PATTERN,     /* the pattern is malformed at error.position */
    CTOK_E_UNSUPPORTED, /* well-formed, but this engine cannot do it exactly */
    CTOK_E_SPLIT,       /* a splitter gave up: its limits were reached */
    CTOK_E_IMAGE        /* bytes that are no whole image of this version and machine */
} ctok_status;

typedef struct ctok_error {
    ctok_status code;
    uint32_t id;       /* the token or special meant, where there is one */
    size_t position;   /* byte offset into the text or pattern, where there is one */
    char message[240]; /* names the thing and the place; always terminated */
} ctok_error;

/* A short constant name such as "CTOK_E_SPACE". Never NULL. */
const char *ctok_status_name(ctok_status status);

/* ---- small values ----------------------------------------------------------- */

/* Borrowed bytes. {NULL, 0} is the empty string. */
typedef struct ctok_bytes {
    const uint8_t *ptr;
    size_t len;
} ctok_bytes;

/* Bytes [start, end) of a text. */
typedef struct ctok_range {
    size_t start;
    size_t end;
} ctok_range;

/* One function does all allocation: resize(ctx, NULL, 0, n) allocates, resize(ctx, p,
 * old, n) moves, resize(ctx, p, old, 0) frees and returns NULL. It returns NULL when
 * out of memory and then leaves p as it was. Pass NULL for the C library's heap. The
 * allocator is copied; ctx must outlive every object made with it. */
typedef struct ctok_allocator {
    void *(*resize)(void *ctx, void *ptr, size_t old_size, size_t new_size);
    void *ctx;
} ctok_allocator;

/* ---- splitting -------------------------------------------------------------- */

/* Pieces are yielded in blocks of touching pieces: piece i of a block is
 * text[start + ends[i-1], start + ends[i]), where ends[-1] is 0.
 *
 *     text    Hello, world   (gap)   again
 *     block   start=0 ends=5,6,12    start=17 ends=5
 *
 * Text that the pattern does not cover lies between blocks and is dropped, as
 * the reference does. */
#define CTOK_BLOCK_PIECES 512

typedef struct ctok_split_block {
    size_t start;
    uint32_t n_pieces;
    uint32_t ends[CTOK_BLOCK_PIECES];
} ctok_split_block;

/* Where a splitter is in its text. Starts from {0}. */
typedef struct ctok_split_cursor {
    size_t position; /* all text before this byte is done */
    uint64_t work;   /* steps spent beyond the pieces found; bounds the total time */
} ctok_split_cursor;

/* A splitter as the core sees it; engines are interchangeable. All functions may be
 * called by many threads at once, each with a state of its own.
 *
 * next: fill *block with the next pieces of text at cursor->position and move the
 *     cursor past them; block->n_pieces == 0 means the text is done. The text is
 *     valid UTF-8 and the same for every call with one cursor. The end of the text is
 *     the end as the pattern sees it. No piece is empty.
 * state_new, state_free: what one scratch needs to run it; both may be NULL when the
 *     engine needs none.
 * free: releases self; may be NULL.
 * cut: see ctok_encode_cut, but for specials; NULL when no place is known to be safe. */
typedef struct ctok_splitter {
    const char *name; /* "vector", "automaton", "pcre2", "none"; a constant */
    void *self;
    ctok_status (*next)(const void *self, void *state, ctok_bytes text,
                        ctok_split_cursor *cursor, ctok_split_block *block,
                        ctok_error *err);
    void *(*state_new)(const void *self);
    void (*state_free)(const void *self, void *state);
    void (*free)(void *self);
    size_t (*cut)(const void *self, ctok_bytes text, size_t at);
} ctok_splitter;

/* The vector code to use. Results never depend on it. */
typedef enum ctok_cpu {
    CTOK_CPU_BEST = 0, /* the best this machine can run */
    CTOK_CPU_PORTABLE,
    CTOK_CPU_NEON,
    CTOK_CPU_AVX2,
    CTOK_CPU_AVX512 /* with VBMI2, which the first processors with AVX-512 lack */
} ctok_cpu;

/* What is used where this is wanted: itself, or the best here if this machine lacks it. */
ctok_cpu ctok_cpu_used(ctok_cpu wanted);

/* Compiles a pattern into the automaton: linear time, no backtracking, own Unicode
 * tables. The syntax is that of tiktoken's patterns (fancy-regex). CTOK_E_PATTERN when it is
 * malformed; CTOK_E_UNSUPPORTED when it is outside the automaton's subset (then
 * plug in another engine). Where the pattern is a well-known one vector code helps. On success the
 * caller owns *out and passes it to a builder or to ctok_splitter_free. */
ctok_status ctok_splitter_compile(ctok_splitter *out, ctok_bytes pattern, ctok_cpu cpu,
                                  const ctok_allocator *alloc, ctok_error *err);

/* Calls splitter->free and clears the struct. NULL and a cleared struct are fine. */
void ctok_splitter_free(ctok_splitter *splitter);

/* ---- builder ---------------------------------------------------------------- */

typedef struct ctok_builder ctok_builder;
typedef struct ctok_model ctok_model;

/* The published limits: beyond them CTOK_E_LIMIT. Longer tokens are a mistake or an attack; the
 * longest known have 256 bytes. All tokens together have at most 2 GiB, with the specials 4; an id
 * is less than UINT32_MAX; a piece has less than 2 GiB. */
#define CTOK_MAX_TOKENS (((size_t)1 << 21) - 1024)
#define CTOK_MAX_TOKEN_LEN ((size_t)1 << 16)

/* An empty builder. CTOK_E_MEMORY, and *out is NULL, when there is no memory for it. */
ctok_status ctok_builder_new(ctok_builder **out, const ctok_allocator *alloc,
                             ctok_error *err);

/* Frees a builder and what it was given. NULL is fine. */
void ctok_builder_free(ctok_builder *builder);

/* Many tokens at once: token i is blob[ends[i-1], ends[i]) with id ids[i]. The bytes
 * are copied. Ids may have holes and come in any order. */
ctok_status ctok_builder_add_tokens(ctok_builder *builder, ctok_bytes blob,
                                    const uint32_t *ends, const uint32_t *ids,
                                    size_t n_tokens, ctok_error *err);

/* Merges in rank order, best first: left and right become merged, all given by id.
 * An id in merged[] that has no token yet gets the bytes of its two halves. Without
 * any call to this the merges follow from the tokens, whose ids are then their ranks
 * (tiktoken's "mergeable ranks"). */
ctok_status ctok_builder_add_merges(ctok_builder *builder, const uint32_t *left,
                                    const uint32_t *right, const uint32_t *merged,
                                    size_t n_merges, ctok_error *err);

/* A special is matched in the text before splitting, where the caller allows it. Its number is
 * the count of specials added before it. */
ctok_status ctok_builder_add_special(ctok_builder *builder, ctok_bytes text,
                                     uint32_t id, ctok_error *err);

/* Takes ownership of *splitter, which is empty then; CTOK_E_ARGUMENT, and it stays the caller's,
 * when it has no next. One that was set before is freed. Without one a text is one piece. */
ctok_status ctok_builder_set_splitter(ctok_builder *builder, ctok_splitter *splitter,
                                      ctok_error *err);

enum {
    /* A token or id given twice is no error: the first one encodes, the last one decodes.
     * Specials need no leave to share an id: each encodes to it, the first one decodes. */
    CTOK_BUILD_ALLOW_DUPLICATES = 1u << 0,
    /* A piece that is a token is merged like any other (Hugging Face's BPE without
     * ignore_merges). By default it is that token at once. */
    CTOK_BUILD_NO_WHOLE_PIECE = 1u << 1
};

/* How to build, instead of the flags set before. CTOK_E_ARGUMENT for one that does not exist. */
ctok_status ctok_builder_set_flags(ctok_builder *builder, uint32_t flags,
                                   ctok_error *err);

/* The vector code that the model uses beside its splitter's; the best one by default. */
void ctok_builder_set_cpu(ctok_builder *builder, ctok_cpu cpu);

/* Consumes the builder's contents, success or not; free the builder afterwards. */
ctok_status ctok_builder_finish(ctok_model **out, ctok_builder *builder,
                                ctok_error *err);

/* ---- model ------------------------------------------------------------------ */

/* Frees a model, and its splitter, that no call uses and no scratch serves. NULL is fine. */
void ctok_model_free(ctok_model *model);

typedef struct ctok_model_info {
    size_t n_tokens; /* without specials */
    size_t n_specials;
    size_t n_merges;        /* entries of the pair table */
    size_t n_bytes;         /* memory held */
    uint32_t max_id;        /* the largest id of any token or special */
    uint32_t max_token_len; /* bytes in the longest token or special */
    int is_proper; /* every merge outranks its halves: long pieces take linear time */
    const char *splitter; /* the engine's name */
} ctok_model_info;

/* Fills *info. What splitter points to lives as long as the model. */
void ctok_model_describe(const ctok_model *model, ctok_model_info *info);

/* The bytes of an id (token or special); {NULL, 0} and CTOK_E_ID for an unknown one. */
ctok_status ctok_model_token(const ctok_model *model, uint32_t id, ctok_bytes *out);

/* The id of a token, specials excluded; CTOK_E_RANK when there is none. */
ctok_status ctok_model_find(const ctok_model *model, ctok_bytes token, uint32_t *id);

/* What two tokens merge into; CTOK_E_RANK when they do not. Lower ranks merge first; a rank is
 * good for comparing, not an id. Every single byte counts as a token here. */
ctok_status ctok_model_merge(const ctok_model *model, ctok_bytes left, ctok_bytes right,
                             uint32_t *rank, ctok_bytes *merged);

/* ---- image ------------------------------------------------------------------ */

/* A model as one block of bytes, to be written to a file once and mapped by every process
 * after: nothing is built then, nothing copied, and the pages are shared. It has no addresses in it
 * and suits every processor of the same byte order and the same version of the layout. */

#define CTOK_IMAGE_ALIGN 64 /* where an image may start */
#define CTOK_FINGERPRINT_LEN 32

/* Bytes of the model's image. */
size_t ctok_model_image_size(const ctok_model *model);

/* Writes the image. *len is the number of bytes written, or with CTOK_E_SPACE the number
 * needed. fingerprint is CTOK_FINGERPRINT_LEN bytes of the caller's that tell this model's
 * definition from all others, say a hash of it. A splitter from outside is not in the image. */
ctok_status ctok_model_image_write(const ctok_model *model, const uint8_t *fingerprint,
                                   uint8_t *out, size_t cap, size_t *len,
                                   ctok_error *err);

typedef struct ctok_image_options {
    const uint8_t *fingerprint; /* what the image must be of; NULL: anything */
    ctok_splitter *splitter; /* taken over, success or not; NULL: that of the image */
    ctok_cpu cpu;
} ctok_image_options;
#define CTOK_IMAGE_OPTIONS_INIT {0}

/* The model in an image, which must lie still and unchanged until the model is freed; it may
 * be read-only. Every byte is checked first: CTOK_E_IMAGE when it is not what was written, and
 * even bytes made up with care cannot make a call misbehave. CTOK_E_UNSUPPORTED when
 * the model's splitter came from outside and is not given again. options may be NULL. */
ctok_status ctok_model_from_image(ctok_model **out, ctok_bytes image,
                                  const ctok_image_options *options,
                                  const ctok_allocator *alloc, ctok_error *err);

/* ---- scratch ---------------------------------------------------------------- */

typedef struct ctok_scratch ctok_scratch;

/* A scratch serves one model at a time: when used with another its caches are emptied
 * first. cache_bytes bounds its word cache, which starts small and grows with use: 0 switches it
 * off, CTOK_CACHE_DEFAULT is a good size. The cache never changes a result. */
#define CTOK_CACHE_DEFAULT ((size_t)13 << 20)

/* A scratch for any model. CTOK_E_MEMORY, and *out is NULL, when there is no memory for it. */
ctok_status ctok_scratch_new(ctok_scratch **out, size_t cache_bytes,
                             const ctok_allocator *alloc, ctok_error *err);

/* Frees a scratch, before the model that it served last. NULL is fine. */
void ctok_scratch_free(ctok_scratch *scratch);

/* Must be called before the model last used with this scratch is freed, unless the
 * scratch itself is freed first. */
void ctok_scratch_detach(ctok_scratch *scratch);

/* ---- encode ----------------------------------------------------------------- */

/* Sets of specials are bitsets by special number; (n_specials + 63) / 64 words. */
typedef struct ctok_encode_options {
    const uint64_t *allowed;    /* these become their id; NULL: none */
    const uint64_t *disallowed; /* these fail with CTOK_E_SPECIAL; NULL: none */
    size_t max_ids;             /* stop once this many ids are made; 0: no limit */
    int text_is_utf8;           /* the caller vouches for it; skips the check */
} ctok_encode_options;
#define CTOK_ENCODE_OPTIONS_INIT {0}

typedef struct ctok_output {
    uint32_t *ids;      /* cap entries, or NULL to count only */
    ctok_range *ranges; /* cap entries: the bytes each id stands for; or NULL */
    size_t cap;
    size_t n;        /* ids made; with CTOK_E_SPACE the number needed */
    size_t consumed; /* text bytes done: less than all when max_ids stopped it */
} ctok_output;

/* Ids enough for any text of so many bytes. */
size_t ctok_encode_bound(const ctok_model *model, size_t text_len);

/* Encodes text. With max_ids the last piece may be left incomplete: exactly the first
 * max_ids ids of the whole text are returned. CTOK_E_UNSUPPORTED where max_ids or ranges are asked
 * for and tokens of different lengths share an id. */
ctok_status ctok_encode(const ctok_model *model, ctok_scratch *scratch, ctok_bytes text,
                        const ctok_encode_options *options, ctok_output *out,
                        ctok_error *err);

/* The last place at or before `at` where the text may be cut in two: the ids of the parts,
 * encoded on their own with the same options, are those of the whole. 0 when none is known,
 * as for most patterns but the well-known ones. A place depends on the characters around it
 * only (on as many bytes as the longest special has): so text may be part of a longer one, if
 * it has so much on both sides of the place. It is valid UTF-8; no character is cut at its ends. */
size_t ctok_encode_cut(const ctok_model *model, ctok_bytes text, size_t at);

typedef struct ctok_head {
    size_t len;   /* bytes; no character is cut in two */
    size_t n_ids; /* that they have on their own */
} ctok_head;

/* The beginning of a text that has at most max_ids ids when it is encoded on its own: what the
 * first max_ids ids stand for, or less, where that has more once it is cut off. The text is
 * valid UTF-8; specials in it are ordinary text. If it is what a longer text has before a place of
 * ctok_encode_cut, and the result is not all of it, then that is the longer text's as well.
 * CTOK_E_UNSUPPORTED when tokens of different lengths share an id. */
ctok_status ctok_truncate(const ctok_model *model, ctok_scratch *scratch,
                          ctok_bytes text, size_t max_ids, ctok_head *out,
                          ctok_error *err);

/* One piece, no splitting, no specials, no need to be UTF-8. */
ctok_status ctok_encode_piece(const ctok_model *model, ctok_scratch *scratch,
                              ctok_bytes piece, ctok_output *out, ctok_error *err);

/* ---- decode ----------------------------------------------------------------- */

/* Bytes enough for any n_ids ids. */
size_t ctok_decode_bound(const ctok_model *model, size_t n_ids);

/* The bytes that ids decode to, exactly. CTOK_E_ID names the first unknown id; its index is
 * error.position. */
ctok_status ctok_decode_len(const ctok_model *model, const uint32_t *ids, size_t n_ids,
                            size_t *len, ctok_error *err);

/* The bytes of ids, one after the other. *len is the number written, or with
 * CTOK_E_SPACE the number needed. CTOK_E_ID as in ctok_decode_len. What lies in out beyond
 * the bytes written may have been written over. */
ctok_status ctok_decode(const ctok_model *model, const uint32_t *ids, size_t n_ids,
                        uint8_t *out, size_t cap, size_t *len, ctok_error *err);

/* ---- Unicode ---------------------------------------------------------------- */

/* One class of a pattern as code points. */
typedef struct ctok_class {
    uint32_t (
        *ranges)[2]; /* sorted, disjoint, not touching; first and last code point */
    size_t n_ranges;
    size_t cap_ranges;
    ctok_allocator alloc;
} ctok_class;

/* Reads a class ([...], \p{..}, \s and so on), for engines that bring their own matcher but must agree
 * with our tables. position is that of its first byte, *end that after its last. CTOK_E_PATTERN
 * when it is malformed. On success the caller frees *out. */
ctok_status ctok_class_parse(ctok_class *out, ctok_bytes pattern, size_t position,
                             int ignore_case, size_t *end, const ctok_allocator *alloc,
                             ctok_error *err);

/* Frees the ranges and clears the struct. A cleared one is fine. */
void ctok_class_free(ctok_class *cls);

/* The offset of the first byte that is not UTF-8, or len. Surrogates are not. */
size_t ctok_utf8_valid(ctok_bytes text);

/* UTF-8 from code units of 1 (Latin-1), 2 (UTF-16 or UCS-2) or 4 bytes (UTF-32), as language
 * runtimes keep their strings. A surrogate pair becomes its character, a lone surrogate
 * (or a unit beyond U+10FFFF) becomes U+FFFD. *n_surrogates, if not NULL, is the number of
 * units that were surrogates. out has room for
 * ctok_utf8_bound(unit_size, n_units). Returns the bytes written. */
size_t ctok_utf8_bound(size_t unit_size, size_t n_units);
size_t ctok_utf8_from_units(const void *units, size_t unit_size, size_t n_units,
                            uint8_t *out, size_t *n_surrogates);

#ifdef __cplusplus
}
#endif
#endif
