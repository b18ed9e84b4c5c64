/* _pylong.h - Python ints by the thousand, without a call for each.
 *
 * A list of ids needs an int object for each place, and making one takes longer than finding
 * the id. So there is a row of ready-made ints, one behind the other:
 *
 *     row      | 0 | 1 | 2 | 3 | ...          each ROW_STEP bytes
 *     list     [  ., ., . ]                    places point into the row
 *
 * From an id to its int is a multiplication, and from such an int back to its id a
 * subtraction: neither looks at the object. Ints are made a page at a time, when a list first
 * wants one of them, so that only what comes up takes memory. They are byte for byte what
 * CPython itself makes, and live for ever.
 *
 * Nobody counts the references that lists get. Where Python has immortal ints these are such; before,
 * each int starts with 2^62 references, from which lists that go take theirs: at 10^9 a second that lasts
 * for 146 years. So ints are first looked at when a list goes; they are asked for when it is filled.
 */
#ifndef CTOK_PYLONG_H
#define CTOK_PYLONG_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROW_MAX ((size_t)1 << 20)
#define ROW_STEP sizeof(PyLongObject)
#define ROW_PAGE ((size_t)128) /* ints that are made together: a page of memory */
#define ROW_IS_IMMORTAL (PY_VERSION_HEX >= 0x030C0000)
#define ROW_REFERENCES (PY_SSIZE_T_MAX / 2 + 1)

/* The row relies on CPython's layout: one digit of 30 bits at the end of the object. And on counts of
 * 64 bits, where they count. */
#if !defined(PYPY_VERSION) && !defined(Py_TRACE_REFS) && PYLONG_BITS_IN_DIGIT == 30 && \
    (ROW_IS_IMMORTAL || SIZEOF_SIZE_T == 8)
#define ROW_IS_POSSIBLE 1
#else
#define ROW_IS_POSSIBLE 0
#endif

static char
    *row_ints; /* room for ROW_MAX; the system gives memory where it is written */
static uint8_t row_made[ROW_MAX / ROW_PAGE]; /* by page: its ints are there */

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

#if ROW_IS_POSSIBLE
#if PY_VERSION_HEX >= 0x030C0000
#define ROW_DIGIT offsetof(PyLongObject, long_value.ob_digit)
#else
#define ROW_DIGIT offsetof(PyLongObject, ob_digit)
#endif

static PyObject *row_zero; /* made by CPython: what the others are like */
static PyObject *row_one_digit;

/* Int number i of the row: a copy of what CPython made, with a digit of its own and the
 * reference count of a small int, which is immortal where ints can be. Never another one then, not
 * for a moment: another thread may be using what is written here again. */
static void row_make(size_t i)
{
    char *made = row_ints + i * ROW_STEP;
    const char *like = (const char *)(i == 0 ? row_zero : row_one_digit);
    uint32_t digit = (uint32_t)i;

    memcpy(made, row_zero, sizeof(PyObject));
    memcpy(made + sizeof(PyObject), like + sizeof(PyObject),
           ROW_DIGIT - sizeof(PyObject));
    memcpy(made + ROW_DIGIT, &digit, sizeof digit);
    if (!ROW_IS_IMMORTAL) {
        Py_SET_REFCNT((PyObject *)made, ROW_REFERENCES);
    }
}

/* Threads without the GIL may both make a page: ints are immortal then, and the bytes are the
 * same. */
static void row_make_page(size_t page)
{
    size_t i;

    for (i = page * ROW_PAGE; i < (page + 1) * ROW_PAGE; i++) {
        row_make(i);
    }
#ifdef Py_GIL_DISABLED
    __atomic_store_n(&row_made[page], 1, __ATOMIC_RELEASE);
#else
    row_made[page] = 1;
#endif
}

static inline bool row_has_page(size_t page)
{
#ifdef Py_GIL_DISABLED
    return __atomic_load_n(&row_made[page], __ATOMIC_ACQUIRE) != 0;
#else
    return row_made[page] != 0;
#endif
}

static bool row_is_as_made(size_t i)
{
    PyObject *made = (PyObject *)(row_ints + i * ROW_STEP);
    return PyLong_CheckExact(made) && PyLong_AsLong(made) == (long)i;
}
#endif

/* Sees to it that there is a row; where there cannot be one all works too, more slowly. For one
 * thread, before all else. -1 with an exception. */
static inline int ctok_row_start(void)
{
#if ROW_IS_POSSIBLE
    row_zero = PyLong_FromLong(0);
    row_one_digit = PyLong_FromSize_t(ROW_MAX);
    if (row_zero == NULL || row_one_digit == NULL) {
        return -1;
    }
    row_ints = malloc(ROW_MAX * ROW_STEP);
    if (row_ints != NULL) {
        row_make_page(0);
        row_make_page(ROW_MAX / ROW_PAGE - 1);
        if (!row_is_as_made(0) || !row_is_as_made(1) || !row_is_as_made(ROW_MAX - 1)) {
            free(row_ints);
            row_ints = NULL;
        }
    }
#endif
    return 0;
}

/* Fills a new list with n ids, none above max_id. -1 with an exception. */
static inline int ctok_fill_list(PyObject *list, const uint32_t *ids, size_t n,
                                 uint32_t max_id)
{
    PyObject **items = ((PyListObject *)list)->ob_item;
    char *row = row_ints;
    size_t i;

    if (row == NULL || max_id >= ROW_MAX) {
        for (i = 0; i < n; i++) {
            items[i] = PyLong_FromUnsignedLong(ids[i]);
            if (items[i] == NULL) {
                return -1;
            }
        }
        return 0;
    }
    for (i = 0; i < n; i++) {
        PyObject *item = (PyObject *)(row + ids[i] * ROW_STEP);
#if ROW_IS_POSSIBLE
        if (!row_has_page(ids[i] / ROW_PAGE)) {
            row_make_page(ids[i] / ROW_PAGE);
        }
#endif
#if defined(__GNUC__) || defined(__clang__)
        __builtin_prefetch(item, !ROW_IS_IMMORTAL); /* 1: it will be written to */
#endif
        items[i] = item;
    }
    return 0;
}

/* Reads ids from ints; returns how many, less than n where one is no small int. */
static inline size_t ctok_read_ints(PyObject *const *items, size_t n, uint32_t *ids)
{
    uintptr_t row = (uintptr_t)row_ints;
    size_t row_len = row_ints == NULL ? 0 : ROW_MAX * ROW_STEP;
    size_t i;

    for (i = 0; i < n; i++) {
        uintptr_t distance = (uintptr_t)items[i] - row;
        int64_t value;

        if (distance < row_len) {
            ids[i] = (uint32_t)(distance / ROW_STEP);
            continue;
        }
        value = ctok_small_int(items[i]);
        if (value < 0) {
            return i;
        }
        ids[i] = (uint32_t)value;
    }
    return n;
}

#endif
