/* decode.c - ids to bytes. */
#include "base.h"
#include "error.h"
#include "model.h"

static ctok_status decode_unknown(const uint32_t *ids, size_t at, ctok_error *err)
{
    error_set_at(err, CTOK_E_ID, at, "id %u at index %zu is not a token", ids[at], at);
    if (err != NULL) {
        err->id = ids[at];
    }
    return CTOK_E_ID;
}

size_t ctok_decode_bound(const ctok_model *model, size_t n_ids)
{
    size_t bound;

    if (base_mul_overflows(n_ids, model->tokens.max_len, &bound)) {
        return SIZE_MAX;
    }
    return bound;
}

ctok_status ctok_decode_len(const ctok_model *model, const uint32_t *ids, size_t n_ids,
                            size_t *len, ctok_error *err)
{
    const vocab v = model->tokens;
    uint64_t total = 0;
    size_t i;

    *len = 0;
    for (i = 0; i < n_ids; i++) {
        vocab_span span = vocab_span_of(&v, ids[i]);
        if (BASE_UNLIKELY(span.len == VOCAB_NONE)) {
            return decode_unknown(ids, i, err);
        }
        total += span.len;
    }
    *len = (size_t)total;
    return CTOK_OK;
}

/* Ids go through in blocks: first where their bytes are, which memory is slow to tell, then the
 * bytes. Tokens are short, so each is copied as DECODE_STEP bytes whatever its length,
 * and the next one writes over what was too much:
 *
 *     blob    ..hello..       .. world..
 *     out     hello?????  ->  hello world????
 *
 * The blob has so many bytes behind its last token, and so must out have; where it has not,
 * and for longer tokens, the copy is exact. */
#define DECODE_BLOCK 64
#define DECODE_STEP 16

/* Copies tokens, whose bytes fit into room; returns their end. */
static uint8_t *decode_block(const uint8_t *blob, const vocab_span *spans, size_t n,
                             uint8_t *next, bool has_slack)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (BASE_LIKELY(spans[i].len <= DECODE_STEP && has_slack)) {
            memcpy(next, blob + spans[i].start, DECODE_STEP);
        } else {
            memcpy(next, blob + spans[i].start, spans[i].len);
        }
        next += spans[i].len;
    }
    return next;
}

ctok_status ctok_decode(const ctok_model *model, const uint32_t *ids, size_t n_ids,
                        uint8_t *out, size_t cap, size_t *len, ctok_error *err)
{
    const vocab v = model->tokens; /* a copy, which no byte written can change */
    uint8_t *next = out;
    size_t done = 0;

    while (done < n_ids) {
        vocab_span spans[DECODE_BLOCK];
        size_t n = n_ids - done < DECODE_BLOCK ? n_ids - done : DECODE_BLOCK;
        size_t room = cap - (size_t)(next - out);
        uint64_t total = 0;
        uint32_t all_bits =
            0; /* of their lengths: the highest is that of an unknown id */
        size_t i;

        for (i = 0; i < n; i++) {
            spans[i] = vocab_span_of(&v, ids[done + i]);
            BASE_PREFETCH(v.blob + spans[i].start);
            all_bits |= spans[i].len;
            total += spans[i].len;
        }
        if (BASE_UNLIKELY(all_bits >> 31 != 0 || total > room)) {
            TRY(ctok_decode_len(model, ids, n_ids, len, err));
            return error_set(err, CTOK_E_SPACE, "%zu bytes do not fit into %zu", *len,
                             cap);
        }
        next = decode_block(v.blob, spans, n, next, room - total >= DECODE_STEP);
        done += n;
    }
    *len = (size_t)(next - out);
    return CTOK_OK;
}
