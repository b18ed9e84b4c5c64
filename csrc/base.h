/* base.h - what every file needs: the public header, compiler differences, checked
 * arithmetic, early return. Knows nothing of tokenizing. */
#ifndef CTOK_BASE_H
#define CTOK_BASE_H

#include "ctok.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Return early on failure; TRY_TO jumps to the one clean-up exit, where a local
 * named status holds the code. */
#define TRY(call)                                                                      \
    do {                                                                               \
        ctok_status try_status_ = (call);                                              \
        if (try_status_ != CTOK_OK) {                                                  \
            return try_status_;                                                        \
        }                                                                              \
    } while (0)
#define TRY_TO(label, call)                                                            \
    do {                                                                               \
        status = (call);                                                               \
        if (status != CTOK_OK) {                                                       \
            goto label;                                                                \
        }                                                                              \
    } while (0)

#if defined(__GNUC__) || defined(__clang__)
#define BASE_LIKELY(x) __builtin_expect(!!(x), 1)
#define BASE_UNLIKELY(x) __builtin_expect(!!(x), 0)
#if defined(__MINGW32__) && !defined(__clang__) /* there printf is an older one's */
#define BASE_PRINTF(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#else
#define BASE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#endif
#define BASE_PREFETCH(p) __builtin_prefetch(p)
#define BASE_INLINE inline __attribute__((always_inline))
#define BASE_NOINLINE __attribute__((noinline))
#else
#define BASE_LIKELY(x) (x)
#define BASE_UNLIKELY(x) (x)
#define BASE_PRINTF(fmt, args)
#define BASE_PREFETCH(p) ((void)(p))
#define BASE_INLINE inline
#define BASE_NOINLINE
#endif

/* Sizes that come from input go through this: true when the result does not fit. */
static inline bool base_mul_overflows(size_t a, size_t b, size_t *out)
{
    *out = a * b;
    return a != 0 && *out / a != b;
}

/* A place among n for a hash, taken as a fraction of 2^32; n need not be a power of two. */
static BASE_INLINE size_t base_place(uint32_t hash, size_t n)
{
    return (size_t)((uint64_t)hash * n >> 32);
}

/* The place of a mask's lowest bit, and of its highest; the mask is not 0. */
static BASE_INLINE unsigned base_lowest(uint64_t mask)
{
#if defined(__GNUC__) || defined(__clang__)
    return (unsigned)__builtin_ctzll(mask);
#else
    unsigned n = 0;
    for (; (mask & 1) == 0; mask >>= 1) {
        n++;
    }
    return n;
#endif
}

static BASE_INLINE unsigned base_highest(uint64_t mask)
{
#if defined(__GNUC__) || defined(__clang__)
    return 63 - (unsigned)__builtin_clzll(mask);
#else
    unsigned n = 0;
    for (; mask > 1; mask >>= 1) {
        n++;
    }
    return n;
#endif
}

#endif
