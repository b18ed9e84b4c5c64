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
 * wants one of them, so that only what comes up takes memory. Once a quarter of a vocabulary's
 * pages are there they are put into huge pages, where addresses are translated sooner, and the others
 * follow: no id is asked whether its page is there any more. Ints are byte for byte what CPython itself
 * makes, and live for ever.
 *
 * Nobody counts the references that lists get. Where Python has immortal ints these are such; before,
 * each int starts with 2^62 references, from which lists that go take theirs: at 10^9 a second that lasts
 * for 146 years. So ints are first looked at when a list goes; they are asked for when it is filled,
 * to be in the processor's second cache, for a list has more of them than the first holds.
 *
 * The list itself gets its places as the list type's own functions give them to it, but not zeroed.
 */
#ifndef CTOK_PYLONG_H
#define CTOK_PYLONG_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_hugepages.h"

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

/* Threads without the GIL may make the same page: its ints are immortal then, and the bytes are the same.
 * What says that ints are there is written after them. */
#ifdef Py_GIL_DISABLED
#define ROW_READ(known) __atomic_load_n(&(known), __ATOMIC_ACQUIRE)
#define ROW_WRITE(known, value) __atomic_store_n(&(known), value, __ATOMIC_RELEASE)
#else
#define ROW_READ(known) (known)
#define ROW_WRITE(known, value) ((known) = (value))
#endif

static char
    *row_ints; /* room for ROW_MAX; the system gives memory where it is written */
static uint8_t row_made[ROW_MAX / ROW_PAGE]; /* by page: its ints are there */
static size_t row_n_made;                    /* pages; without the GIL about so many */
static size_t row_n_ready;                   /* this many first pages are all there */

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

static void row_make_page(size_t page)
{
    size_t i;

    for (i = page * ROW_PAGE; i < (page + 1) * ROW_PAGE; i++) {
        row_make(i);
    }
    ROW_WRITE(row_made[page], 1);
    ROW_WRITE(row_n_made, ROW_READ(row_n_made) + 1);
}

/* Makes the page of an id that is not above max_id, or all pages to max_id. */
static void row_want(uint32_t id, uint32_t max_id)
{
    size_t n = max_id / ROW_PAGE + 1;
    size_t page;

    row_make_page(id / ROW_PAGE);
    if (ROW_READ(row_n_made) < n / 4) {
        return;
    }
    ctok_join_pages(row_ints, n * ROW_PAGE * ROW_STEP);
    for (page = 0; page < n; page++) {
        if (!ROW_READ(row_made[page])) {
            row_make_page(page);
        }
    }
    ROW_WRITE(row_n_ready, n);
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
    row_ints = ctok_new_aligned(ROW_MAX * ROW_STEP);
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

#if ROW_IS_POSSIBLE
/* A list of n places that nobody has written to: to be filled before anything else happens. Without the GIL
 * lists keep their places in another way. */
static inline PyObject *row_new_list(size_t n)
{
#ifdef Py_GIL_DISABLED
    return PyList_New((Py_ssize_t)n);
#else
    PyObject *list = PyList_New(0);
    PyObject **items;

    if (list == NULL || n == 0) {
        return list;
    }
    items = PyMem_New(PyObject *, n);
    if (items == NULL) {
        Py_DECREF(list);
        return PyErr_NoMemory();
    }
    ((PyListObject *)list)->ob_item = items;
    ((PyListObject *)list)->allocated = (Py_ssize_t)n;
    Py_SET_SIZE((PyVarObject *)list, (Py_ssize_t)n);
    return list;
#endif
}

/* The int of an id, which is there, or soon will be. It is asked for. */
static inline PyObject *row_int(uint32_t id)
{
    PyObject *item = (PyObject *)(row_ints + id * ROW_STEP);

#if defined(__GNUC__) || defined(__clang__)
    /* 1: it will be written to; 2: the second cache */
    __builtin_prefetch(item, !ROW_IS_IMMORTAL, 2);
    /* GCC 15 and later make vectors of a loop with this in it, and drop the prefetch, unless there is
     * something that they do not know. */
    __asm__ volatile("");
#endif
    return item;
}

static PyObject *row_list(const uint32_t *ids, size_t n, uint32_t max_id)
{
    PyObject *list = row_new_list(n);
    const uint32_t *end = ids + n;
    PyObject **items;

    if (list == NULL) {
        return NULL;
    }
    items = ((PyListObject *)list)->ob_item;
    for (; max_id / ROW_PAGE >= ROW_READ(row_n_ready) && ids < end; ids++) {
        *items++ = row_int(*ids);
        if (!ROW_READ(row_made[*ids / ROW_PAGE])) {
            row_want(*ids, max_id);
        }
    }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 8
#endif
    for (; ids < end; ids++) {
        *items++ = row_int(*ids);
    }
    return list;
}
#endif

/* A new list of n ids, none above max_id. NULL with an exception. */
static PyObject *ctok_new_list(const uint32_t *ids, size_t n, uint32_t max_id)
{
    PyObject *list;
    size_t i;

#if ROW_IS_POSSIBLE
    if (row_ints != NULL && max_id < ROW_MAX) {
        return row_list(ids, n, max_id);
    }
#endif
    list = PyList_New((Py_ssize_t)n);
    for (i = 0; list != NULL && i < n; i++) {
        PyObject *item = PyLong_FromUnsignedLong(ids[i]);

        if (item == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
        }
    }
    return list;
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
