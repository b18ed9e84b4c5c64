/* Any bytes as a pattern: refused with a place inside it, or compiled to a splitter whose
 * pieces are whole characters, in order, inside the text, and the same for vector code and
 * portable code. The input is a pattern, a zero byte, and a text. */
#include "fuzz.h"

#define MAX_PIECES 8192

/* All pieces, as alternating starts and ends; the number of these. */
static size_t split(const ctok_splitter *splitter, ctok_bytes text, size_t *bounds)
{
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block block;
    ctok_error err = {0};
    void *state = NULL;
    size_t n = 0;
    size_t at = 0;

    if (splitter->state_new != NULL) {
        state = splitter->state_new(splitter->self);
        PROMISE(state != NULL);
    }
    for (;;) {
        ctok_status status =
            splitter->next(splitter->self, state, text, &cursor, &block, &err);

        if (status != CTOK_OK) {
            PROMISE(status == CTOK_E_SPLIT && err.code == CTOK_E_SPLIT);
            n = SIZE_MAX;
            break;
        }
        if (block.n_pieces == 0) {
            break;
        }
        PROMISE(block.n_pieces <= CTOK_BLOCK_PIECES && block.start >= at);
        at = block.start;
        for (uint32_t i = 0; i < block.n_pieces; i++) {
            size_t end = block.start + block.ends[i];

            PROMISE(end > at && end <= text.len && n + 2 <= 2 * MAX_PIECES);
            PROMISE(end == text.len || (text.ptr[end] & 0xC0) != 0x80);
            PROMISE((text.ptr[at] & 0xC0) != 0x80);
            bounds[n++] = at;
            bounds[n++] = end;
            at = end;
        }
    }
    if (state != NULL) {
        splitter->state_free(splitter->self, state);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static size_t vector_bounds[2 * MAX_PIECES];
    static size_t portable_bounds[2 * MAX_PIECES];
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
    ctok_bytes pattern = {data, zero == NULL ? size : (size_t)(zero - data)};
    ctok_bytes text = {data, size};
    ctok_splitter vector = {0};
    ctok_splitter portable = {0};
    ctok_error err = {0};
    ctok_status status =
        ctok_splitter_compile(&vector, pattern, CTOK_CPU_BEST, NULL, &err);

    if (zero != NULL) {
        text.ptr = zero + 1;
        text.len = size - pattern.len - 1;
    }
    text.len = ctok_utf8_valid(text);
    PROMISE(status ==
            ctok_splitter_compile(&portable, pattern, CTOK_CPU_PORTABLE, NULL, NULL));
    if (status == CTOK_OK) {
        size_t n = split(&vector, text, vector_bounds);

        PROMISE(n == split(&portable, text, portable_bounds));
        PROMISE(n == SIZE_MAX ||
                memcmp(vector_bounds, portable_bounds, n * sizeof(size_t)) == 0);
    } else {
        PROMISE(status == CTOK_E_PATTERN || status == CTOK_E_UNSUPPORTED ||
                status == CTOK_E_LIMIT);
        PROMISE(err.code == status && err.message[0] != '\0' &&
                err.position <= pattern.len);
        PROMISE(vector.self == NULL && portable.self == NULL);
    }
    ctok_splitter_free(&vector);
    ctok_splitter_free(&portable);
    return 0;
}
