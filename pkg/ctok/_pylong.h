/* _pylong.h - small Python ints without a call. Reading an int through the public API costs
 * more than decoding its token. */
#ifndef CTOK_PYLONG_H
#define CTOK_PYLONG_H

#include <Python.h>
#include <stdint.h>

/* The value of an exact int from 0 to 2^30 - 1, or -1 for anything else. */
static inline int64_t ctok_small_int(PyObject *object)
{
    if (!PyLong_CheckExact(object)) {
        return -1;
    }
#if PY_VERSION_HEX >= 0x030C0000
    if (PyUnstable_Long_IsCompact((PyLongObject *)object)) {
        return (int64_t)PyUnstable_Long_CompactValue((PyLongObject *)object);
    }
    return -1;
#else
    switch (Py_SIZE(object)) {
    case 0:
        return 0;
    case 1:
        return (int64_t)((PyLongObject *)object)->ob_digit[0];
    default:
        return -1;
    }
#endif
}

#endif
