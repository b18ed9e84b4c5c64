/* vocab.h - the tokens: bytes to symbol, symbol to bytes and id, id to bytes.
 * Knows nothing of merging.
 *
 * Inside the core tokens are numbered anew, as symbols, so that numbers are small and
 * dense and their order is the merge order:
 *
 *     symbol   0 .. 255            256 ..                      ..          n_symbols
 *              the single bytes    what merges make, best first   the rest
 *
 * A byte that is no token has a symbol all the same (merging needs one) but no id.
 */
#ifndef CTOK_VOCAB_H
#define CTOK_VOCAB_H

#include "base.h"
#include "idmap.h"

#define VOCAB_NONE UINT32_MAX
/* Symbols and ranks share one 64-bit word with room for two symbols and a rank. */
#define VOCAB_SYMBOL_BITS 21
#define VOCAB_SYMBOL_MASK (((uint32_t)1 << VOCAB_SYMBOL_BITS) - 1)
_Static_assert(CTOK_MAX_TOKENS + 256 < VOCAB_SYMBOL_MASK, "symbols have too few bits");
/* Bytes of the blob that may be read behind a token. */
#define VOCAB_BEHIND 16

/* Where the bytes of an id are. */
typedef struct vocab_span {
    uint32_t start;
    uint32_t len; /* VOCAB_NONE: no such id */
} vocab_span;

typedef struct vocab {
    uint8_t *blob; /* all tokens in symbol order, then the specials, then VOCAB_BEHIND
                    * bytes of 0 so that a decoder may copy so many at a time */
    size_t n_blob;
    uint32_t *starts; /* n_symbols + 1 */
    uint32_t *ids;    /* by symbol; VOCAB_NONE for a byte that is no token */
    size_t n_ids;     /* at least 1; from here on a symbol's id is its own number */
    size_t n_symbols;
    size_t cap_symbols; /* what starts was allocated for */
    uint32_t *slots;    /* hash table: a symbol, and on top of it some of its hash;
                          * VOCAB_NONE is empty; see vocab_index_longer */
    size_t n_slots;
    vocab_span
        *spans; /* by id; where ids are scattered, by the index that by_id gives */
    size_t n_spans;
    idmap by_id; /* empty unless ids are scattered */
    uint32_t max_id;
    uint32_t max_len;
} vocab;

void vocab_free(vocab *v, const ctok_allocator *alloc);

/* A hash of bytes; good in its low and its high bits. */
uint64_t vocab_hash(const uint8_t *ptr, size_t len);

/* The slot where looking for a hash begins. */
static BASE_INLINE size_t vocab_slot(const vocab *v, uint64_t hash)
{
    return (size_t)hash & (v->n_slots - 1);
}

/* Makes an empty hash table for n symbols. */
ctok_status vocab_index_new(vocab *v, size_t n, const ctok_allocator *alloc,
                            ctok_error *err);

/* Adds a symbol, whose bytes are in place. Returns the symbol that already has these
 * bytes, or VOCAB_NONE. */
uint32_t vocab_index_add(vocab *v, uint32_t symbol);

/* From now on only tokens of more than so many bytes are found. */
ctok_status vocab_index_longer(vocab *v, size_t len, const ctok_allocator *alloc,
                               ctok_error *err);

/* The symbol with these bytes, or VOCAB_NONE. */
uint32_t vocab_find(const vocab *v, const uint8_t *ptr, size_t len);

/* The same when the hash is known. */
uint32_t vocab_find_hashed(const vocab *v, uint64_t hash, const uint8_t *ptr,
                           size_t len);

static inline ctok_bytes vocab_bytes(const vocab *v, uint32_t symbol)
{
    ctok_bytes bytes;
    bytes.ptr = v->blob + v->starts[symbol];
    bytes.len = v->starts[symbol + 1] - v->starts[symbol];
    return bytes;
}

/* The id of a symbol, or VOCAB_NONE; of VOCAB_NONE too. Most vocabularies number all but the single
 * bytes as we do: those have 1 KB of ids. */
static BASE_INLINE uint32_t vocab_id(const vocab *v, uint32_t symbol)
{
    /* Masks, for compilers make a branch of anything else, that nobody foresees. */
    uint32_t renumbered = 0 - (uint32_t)(symbol < v->n_ids);

    return (v->ids[symbol & renumbered] & renumbered) | (symbol & ~renumbered);
}

/* Where the bytes of an id (token or special) are; len is VOCAB_NONE when unknown. */
static inline vocab_span vocab_span_of(const vocab *v, uint32_t id)
{
    const vocab_span unknown = {0, VOCAB_NONE};
    size_t index = id;

    if (BASE_UNLIKELY(v->by_id.slots != NULL)) {
        index = idmap_find(&v->by_id, id);
    }
    return index < v->n_spans ? v->spans[index] : unknown;
}

/* Where the bytes of a token's id end that starts at start, if ids tell that (model.h). */
static inline size_t vocab_id_end(const vocab *v, uint32_t id, size_t start, size_t end)
{
    size_t len = vocab_span_of(v, id).len;
    return len < end - start ? start + len : end;
}

size_t vocab_size_in_memory(const vocab *v);

void vocab_sections(vocab *v, sections *s);

/* The length of each symbol in a byte, VOCAB_LONG for more: a table so small that it stays in the
 * cache while all pairs are held against it. */
#define VOCAB_LONG 255
void vocab_lengths(const vocab *v, uint8_t *lengths);

/* Whether the tables hold what the builder promises, as far as memory and time depend on it:
 * whatever is asked then, no look-up leaves them or goes on forever, the tokens lie inside
 * the blob, single bytes have one byte, and no symbol has an id above max_id. */
bool vocab_is_sound(const vocab *v, sections *s);

#endif
