#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static void error_fill(ctok_error *err, ctok_status code, size_t position,
                       const char *format, va_list args)
{
    if (err == NULL) {
        return;
    }
    err->code = code;
    err->id = 0;
    err->position = position;
    if (vsnprintf(err->message, sizeof err->message, format, args) < 0) {
        err->message[0] = '\0';
    }
}

ctok_status error_set(ctok_error *err, ctok_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_fill(err, code, 0, format, args);
    va_end(args);
    return code;
}

ctok_status error_set_at(ctok_error *err, ctok_status code, size_t position,
                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_fill(err, code, position, format, args);
    va_end(args);
    return code;
}

const char *ctok_status_name(ctok_status status)
{
    switch (status) {
    case CTOK_OK:
        return "CTOK_OK";
    case CTOK_E_MEMORY:
        return "CTOK_E_MEMORY";
    case CTOK_E_SPACE:
        return "CTOK_E_SPACE";
    case CTOK_E_LIMIT:
        return "CTOK_E_LIMIT";
    case CTOK_E_ARGUMENT:
        return "CTOK_E_ARGUMENT";
    case CTOK_E_UTF8:
        return "CTOK_E_UTF8";
    case CTOK_E_DUPLICATE:
        return "CTOK_E_DUPLICATE";
    case CTOK_E_ID:
        return "CTOK_E_ID";
    case CTOK_E_RANK:
        return "CTOK_E_RANK";
    case CTOK_E_SPECIAL:
        return "CTOK_E_SPECIAL";
    case CTOK_E_PATTERN:
        return "CTOK_E_PATTERN";
    case CTOK_E_UNSUPPORTED:
        return "CTOK_E_UNSUPPORTED";
    case CTOK_E_SPLIT:
        return "CTOK_E_SPLIT";
    case CTOK_E_IMAGE:
        return "CTOK_E_IMAGE";
    }
    return "unknown status";
}
