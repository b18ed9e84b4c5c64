/* error.h - filling a ctok_error. Knows the struct, not the meanings. */
#ifndef CTOK_ERROR_H
#define CTOK_ERROR_H

#include "base.h"

/* Stores code and a formatted message (cut to fit) and returns code, so that a failure is
 * one line: return error_set(err, CTOK_E_LIMIT, ...). position and id become 0. */
ctok_status error_set(ctok_error *err, ctok_status code, const char *format, ...)
    BASE_PRINTF(3, 4);

/* The same with a byte offset. */
ctok_status error_set_at(ctok_error *err, ctok_status code, size_t position,
                         const char *format, ...) BASE_PRINTF(4, 5);

#endif
