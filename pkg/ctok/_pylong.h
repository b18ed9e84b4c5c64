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

/* Fills a new list with ready-made ints. They lie scattered over megabytes, and taking a
 * reference writes to them: asking for them some places ahead hides the wait. Every id
 * is less than n_ready. */
#define CTOK_LIST_AHEAD 16

static inline void ctok_fill_list(PyObject *list, const uint32_t *ids, size_t n,
                                  PyObject *const *ready)
{
    PyObject **items = ((PyListObject *)list)->ob_item;
    size_t i;

    for (i = 0; i < n; i++) {
        PyObject *item = ready[ids[i]];
#if defined(__GNUC__) || defined(__clang__)
        if (i + CTOK_LIST_AHEAD < n) {
            __builtin_prefetch(ready[ids[i + CTOK_LIST_AHEAD]], 1);
        }
#endif
        Py_INCREF(item);
        items[i] = item;
    }
}

#endif
