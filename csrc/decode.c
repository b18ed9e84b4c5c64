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

/* Total length; the first unknown id fails. */
static ctok_status decode_len(const vocab *v, const uint32_t *ids, size_t n_ids,
                              size_t *len, ctok_error *err)
{
    size_t i;

    *len = 0;
    for (i = 0; i < n_ids; i++) {
        vocab_span span = vocab_span_of(v, ids[i]);
        if (span.len == VOCAB_NONE) {
            return decode_unknown(ids, i, err);
        }
        *len += span.len;
    }
    return CTOK_OK;
}

ctok_status ctok_decode(const ctok_model *model, const uint32_t *ids, size_t n_ids,
                        uint8_t *out, size_t cap, size_t *len, ctok_error *err)
{
    const vocab *v = &model->tokens;
    uint8_t *next = out;
    size_t i;

    *len = 0;
    for (i = 0; i < n_ids; i++) {
        vocab_span span = vocab_span_of(v, ids[i]);
        size_t room = cap - (size_t)(next - out);

        if (BASE_UNLIKELY(span.len > room || span.len == VOCAB_NONE)) {
            break;
        }
        if (BASE_LIKELY(span.len <= 16 && room >= 16)) {
            memcpy(next, v->blob + span.start,
                   16); /* the blob has 16 bytes behind it */
        } else {
            memcpy(next, v->blob + span.start, span.len);
        }
        next += span.len;
    }
    if (i == n_ids) {
        *len = (size_t)(next - out);
        return CTOK_OK;
    }
    TRY(decode_len(v, ids, n_ids, len, err));
    return error_set(err, CTOK_E_SPACE, "%zu bytes do not fit into %zu", *len, cap);
}
