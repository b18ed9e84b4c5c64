/* check.h - what the C tests share: checks that say what failed where, an allocator that
 * counts and fails on demand, and a model in one call. Not part of the library. */
#ifndef CHECK_H
#define CHECK_H

#include "ctok.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test goes on after a failed check; main returns CHECK_RESULT(). */
static int check_failures;

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            check_failures++;                                                          \
            fprintf(stderr, "%s:%d: %s: not true: %s\n", __FILE__, __LINE__, __func__, \
                    #condition);                                                       \
        }                                                                              \
    } while (0)

#define CHECK_EQ(expected, actual)                                                     \
    do {                                                                               \
        unsigned long long check_e_ = (unsigned long long)(expected);                  \
        unsigned long long check_a_ = (unsigned long long)(actual);                    \
        if (check_e_ != check_a_) {                                                    \
            check_failures++;                                                          \
            fprintf(stderr, "%s:%d: %s: %s is %llu, expected %llu\n", __FILE__,        \
                    __LINE__, __func__, #actual, check_a_, check_e_);                  \
        }                                                                              \
    } while (0)

/* The call's status, and the message behind it when it is another one. */
#define CHECK_STATUS(expected, call, err)                                              \
    do {                                                                               \
        ctok_status check_s_ = (call);                                                 \
        if (check_s_ != (expected)) {                                                  \
            check_failures++;                                                          \
            fprintf(stderr, "%s:%d: %s: %s is %s (%s), expected %s\n", __FILE__,       \
                    __LINE__, __func__, #call, ctok_status_name(check_s_),             \
                    (err)->message, ctok_status_name(expected));                       \
        }                                                                              \
    } while (0)

/* Without this the rest of the test makes no sense. */
#define REQUIRE(condition)                                                             \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: %s: required: %s\n", __FILE__, __LINE__, __func__, \
                    #condition);                                                       \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

#define CHECK_RESULT() (check_failures == 0 ? 0 : 1)

/* ---- an allocator that counts, and fails the n-th request -------------------- */

/* fail_at 0 never fails; n fails request number n and, with fail_after, all later
 * ones. The sizes that the library claims to free are held against those it asked for. */
typedef struct failing_alloc {
    size_t n_requests;
    size_t n_live;
    size_t live_bytes;
    size_t fail_at;
    bool fail_after;
    bool failed; /* a request was refused */
} failing_alloc;

static inline void *failing_resize(void *ctx, void *ptr, size_t old_size,
                                   size_t new_size)
{
    failing_alloc *self = ctx;
    void *moved;

    if (new_size == 0) {
        if (ptr != NULL) {
            CHECK(self->live_bytes >= old_size);
            self->n_live--;
            self->live_bytes -= old_size;
            free(ptr);
        }
        return NULL;
    }
    self->n_requests++;
    if (self->fail_at != 0 &&
        (self->n_requests == self->fail_at ||
         (self->fail_after && self->n_requests > self->fail_at))) {
        self->failed = true;
        return NULL;
    }
    moved = realloc(ptr, new_size);
    REQUIRE(moved != NULL);
    if (ptr == NULL) {
        CHECK_EQ(0, old_size);
        self->n_live++;
    }
    self->live_bytes += new_size - old_size;
    return moved;
}

static inline ctok_allocator failing_allocator(failing_alloc *self)
{
    return (ctok_allocator){failing_resize, self};
}

/* ---- small values ------------------------------------------------------------ */

static inline ctok_bytes bytes_of(const char *text)
{
    return (ctok_bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(ctok_bytes a, ctok_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* A fixed sequence of random numbers (xorshift64*); the state must not be 0. */
static inline uint64_t check_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DULL;
}

/* ---- models ------------------------------------------------------------------- */

static inline ctok_status add_token(ctok_builder *builder, const char *token,
                                    uint32_t id, ctok_error *err)
{
    ctok_bytes blob = bytes_of(token);
    uint32_t end = (uint32_t)blob.len;

    return ctok_builder_add_tokens(builder, blob, &end, &id, 1, err);
}

/* All 256 bytes as tokens, byte b with id b. */
static inline ctok_status add_all_bytes(ctok_builder *builder, ctok_error *err)
{
    uint8_t bytes[256];
    uint32_t ends[256];
    uint32_t ids[256];

    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        ends[i] = i + 1;
        ids[i] = i;
    }
    return ctok_builder_add_tokens(builder, (ctok_bytes){bytes, 256}, ends, ids, 256,
                                   err);
}

#define CHECK_MAX_TIERS ((size_t)4)

/* The portable code, then the vector codes that this processor has. What it lacks is said, for it is
 * not tested then. */
static inline size_t check_tiers(ctok_cpu tiers[CHECK_MAX_TIERS])
{
    static const ctok_cpu all[CHECK_MAX_TIERS] = {CTOK_CPU_PORTABLE, CTOK_CPU_NEON,
                                                  CTOK_CPU_AVX2, CTOK_CPU_AVX512};
    static const char *const names[CHECK_MAX_TIERS] = {"portable", "neon", "avx2",
                                                       "avx512"};
    size_t n = 0;
    size_t i;

    for (i = 0; i < CHECK_MAX_TIERS; i++) {
        if (ctok_cpu_used(all[i]) == all[i]) {
            tiers[n++] = all[i];
        } else {
            printf("not tested, for this processor has none: %s\n", names[i]);
        }
    }
    return n;
}

/* The vector code that models are made with: tests that look at memory try several. */
static ctok_cpu check_cpu = CTOK_CPU_BEST;

/* A model of all bytes, the given tokens (ids from 256 in order), the given specials
 * (ids from 1000) and a pattern; NULL ends a list, a NULL pattern means one piece. Every
 * allocation goes through alloc. */
static inline ctok_status model_new(ctok_model **out, const char *const *tokens,
                                    const char *const *specials, const char *pattern,
                                    const ctok_allocator *alloc, ctok_error *err)
{
    ctok_builder *builder = NULL;
    ctok_splitter splitter = {0};
    ctok_status status;
    uint32_t n;

    *out = NULL;
    status = ctok_builder_new(&builder, alloc, err);
    if (status == CTOK_OK) {
        status = add_all_bytes(builder, err);
    }
    for (n = 0; status == CTOK_OK && tokens != NULL && tokens[n] != NULL; n++) {
        status = add_token(builder, tokens[n], 256 + n, err);
    }
    for (n = 0; status == CTOK_OK && specials != NULL && specials[n] != NULL; n++) {
        status =
            ctok_builder_add_special(builder, bytes_of(specials[n]), 1000 + n, err);
    }
    if (status == CTOK_OK && pattern != NULL) {
        status =
            ctok_splitter_compile(&splitter, bytes_of(pattern), check_cpu, alloc, err);
        if (status == CTOK_OK) {
            status = ctok_builder_set_splitter(builder, &splitter, err);
        }
    }
    if (status == CTOK_OK) {
        status = ctok_builder_finish(out, builder, err);
    }
    ctok_builder_free(builder);
    return status;
}

#endif
