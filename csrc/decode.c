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

/* Tokens are short, so each is copied as VOCAB_BEHIND bytes whatever its length, and the next
 * one writes over what was too much:
 *
 *     blob    ..hello..       .. world..
 *     out     hello?????  ->  hello world????
 *
 * The blob has so many bytes behind its last token, and so must out have; where it has not,
 * and for longer tokens, the copy is exact. Nothing waits for anything but the place where the next
 * token goes, so the processor looks many tokens up at once. */
ctok_status ctok_decode(const ctok_model *model, const uint32_t *ids, size_t n_ids,
                        uint8_t *out, size_t cap, size_t *len, ctok_error *err)
{
    const vocab v = model->tokens; /* a copy, which no byte written can change */
    size_t done = 0;
    size_t i;

    for (i = 0; i < n_ids; i++) {
        vocab_span span = vocab_span_of(&v, ids[i]);
        size_t room = cap - done;

        if (BASE_LIKELY(span.len <= VOCAB_BEHIND && room >= VOCAB_BEHIND)) {
            memcpy(out + done, v.blob + span.start, VOCAB_BEHIND);
        } else if (span.len != VOCAB_NONE && span.len <= room) {
            memcpy(out + done, v.blob + span.start, span.len);
        } else {
            /* An unknown id, or too little room: then the caller learns how much it needs. */
            TRY(ctok_decode_len(model, ids, n_ids, len, err));
            return error_set(err, CTOK_E_SPACE, "%zu bytes do not fit into %zu", *len,
                             cap);
        }
        done += span.len;
    }
    *len = done;
    return CTOK_OK;
}
