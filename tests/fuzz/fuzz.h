/* fuzz.h - what the targets share. Not part of the library. */
#ifndef FUZZ_H
#define FUZZ_H

#include "ctok.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the run: a fuzzer takes an abort for a crash. */
#define PROMISE(condition)                                                             \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
            abort();                                                                   \
        }                                                                              \
    } while (0)

static inline ctok_bytes fuzz_bytes(const char *text)
{
    return (ctok_bytes){(const uint8_t *)text, strlen(text)};
}

/* Adds one token for each of the 256 bytes: byte b has id b. */
static inline void fuzz_add_all_bytes(ctok_builder *builder)
{
    uint8_t bytes[256];
    uint32_t ends[256];
    uint32_t ids[256];

    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        ends[i] = i + 1;
        ids[i] = i;
    }
    PROMISE(ctok_builder_add_tokens(builder, (ctok_bytes){bytes, 256}, ends, ids, 256,
                                    NULL) == CTOK_OK);
}

/* What every encoding of a text must be: ids that decode to the bytes of their ranges, in
 * order, inside the text; and the same count when nothing is stored. */
static inline void fuzz_check_encoding(const ctok_model *model, ctok_scratch *scratch,
                                       ctok_bytes text,
                                       const ctok_encode_options *options,
                                       int covers_all)
{
    size_t cap = ctok_encode_bound(model, text.len);
    uint32_t *ids = malloc(cap * sizeof *ids);
    ctok_range *ranges = malloc(cap * sizeof *ranges);
    ctok_output out = {ids, ranges, cap, 0, 0};
    ctok_output counted = {NULL, NULL, 0, 0, 0};
    ctok_error err = {0};
    size_t at = 0;
    ctok_status status;

    PROMISE(ids != NULL && ranges != NULL);
    status = ctok_encode(model, scratch, text, options, &out, &err);
    PROMISE(status == ctok_encode(model, scratch, text, options, &counted, NULL));
    if (status == CTOK_OK) {
        PROMISE(out.n <= cap && out.n == counted.n && out.consumed == text.len);
        for (size_t i = 0; i < out.n; i++) {
            ctok_bytes token;

            PROMISE(ctok_model_token(model, ids[i], &token) == CTOK_OK);
            PROMISE(ranges[i].start >= at && ranges[i].end <= text.len);
            PROMISE(ranges[i].start == at || !covers_all);
            PROMISE(token.len == ranges[i].end - ranges[i].start && token.len > 0);
            PROMISE(memcmp(token.ptr, text.ptr + ranges[i].start, token.len) == 0);
            at = ranges[i].end;
        }
        PROMISE(at == text.len || !covers_all);
    } else {
        PROMISE(err.code == status && err.message[0] != '\0');
        PROMISE(err.position <= text.len);
    }
    free(ranges);
    free(ids);
}

#endif
