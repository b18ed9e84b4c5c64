#include "draft.h"

#include "error.h"

draft_text draft_show(ctok_bytes token)
{
    static const char hex[] = "0123456789abcdef";
    draft_text shown;
    size_t n = 0;
    size_t i;

    for (i = 0; i < token.len && n + 8 < sizeof shown.text; i++) {
        uint8_t byte = token.ptr[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '\\') {
            shown.text[n++] = (char)byte;
        } else {
            shown.text[n++] = '\\';
            shown.text[n++] = 'x';
            shown.text[n++] = hex[byte >> 4];
            shown.text[n++] = hex[byte & 15];
        }
    }
    if (i < token.len) {
        memcpy(shown.text + n, "...", 3);
        n += 3;
    }
    shown.text[n] = '\0';
    return shown;
}

ctok_status draft_concatenate(ctok_builder *b, uint32_t left, uint32_t right,
                              uint32_t id, ctok_error *err)
{
    size_t left_len = draft_bytes(b, left).len;
    size_t right_len = draft_bytes(b, right).len;

    if (b->n_drafts >= CTOK_MAX_TOKENS || left_len + right_len > CTOK_MAX_TOKEN_LEN ||
        left_len + right_len > INT32_MAX - b->n_blob) {
        return error_set(err, CTOK_E_LIMIT,
                         "id %u: merging %zu and %zu bytes exceeds a limit", id,
                         left_len, right_len);
    }
    DRAFT_RESERVE(b, b->blob, b->blob_cap, b->n_blob + left_len + right_len, err);
    DRAFT_RESERVE(b, b->ends, b->ends_cap, b->n_drafts + 1, err);
    DRAFT_RESERVE(b, b->ids, b->ids_cap, b->n_drafts + 1, err);
    memcpy(b->blob + b->n_blob, draft_bytes(b, left).ptr, left_len);
    memcpy(b->blob + b->n_blob + left_len, draft_bytes(b, right).ptr, right_len);
    b->n_blob += left_len + right_len;
    b->ends[b->n_drafts] = (uint32_t)b->n_blob;
    b->ids[b->n_drafts] = id;
    b->n_drafts++;
    return CTOK_OK;
}
