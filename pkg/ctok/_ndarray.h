/* _ndarray.h - numpy arrays over memory of ours, made by numpy's C API.
 *
 * numpy.asarray of an object with the buffer protocol takes three times as long, and a short text
 * takes less than that. numpy's headers are not needed: it has a table of its functions in a
 * capsule, and their places, types and flags are its ABI, the same from 1.7 to 2 (numpy's
 * __multiarray_api.h; others, as pybind11, rely on it too). Where its ABI has another version the
 * caller does without.
 */
#ifndef CTOK_NDARRAY_H
#define CTOK_NDARRAY_H

#include <Python.h>
#include <stdint.h>

enum {
    NDARRAY_VERSION = 0, /* places in the table */
    NDARRAY_TYPE = 2,
    NDARRAY_DTYPE_OF = 45,
    NDARRAY_NEW = 94,
    NDARRAY_SET_BASE = 282,
    NDARRAY_UINT = 6,           /* numpy's number of C's unsigned int */
    NDARRAY_FLAGS = 0x1 | 0x100 /* contiguous, aligned; not writeable */
};

typedef struct ctok_ndarrays {
    PyTypeObject *type;
    PyObject *(*dtype_of)(int number);
    PyObject *(*make)(PyTypeObject *type, PyObject *dtype, int n_dims,
                      const Py_ssize_t *shape, const Py_ssize_t *strides, void *data,
                      int flags, PyObject *like);
    int (*set_base)(PyObject *array, PyObject *base);
} ctok_ndarrays;

/* Reads numpy's capsule. 0: it is none of a known version. */
static inline int ctok_ndarrays_of(PyObject *capsule, ctok_ndarrays *out)
{
    void **table =
        PyCapsule_CheckExact(capsule) ? PyCapsule_GetPointer(capsule, NULL) : NULL;
    unsigned major;

    if (table == NULL || sizeof(unsigned) != sizeof(uint32_t)) {
        PyErr_Clear();
        return 0;
    }
    major = ((unsigned (*)(void))table[NDARRAY_VERSION])() >> 24;
    if (major != 1 && major != 2) {
        return 0;
    }
    out->type = table[NDARRAY_TYPE];
    out->dtype_of = (PyObject * (*)(int)) table[NDARRAY_DTYPE_OF];
    out->set_base = (int (*)(PyObject *, PyObject *))table[NDARRAY_SET_BASE];
    out->make = (PyObject * (*)(PyTypeObject *, PyObject *, int, const Py_ssize_t *,
                                const Py_ssize_t *, void *, int, PyObject *))
        table[NDARRAY_NEW];
    return 1;
}

/* uint32[n] over ids that live as long as base, read-only; NULL with an exception. */
static inline PyObject *ctok_ndarray(const ctok_ndarrays *numpy, uint32_t *ids,
                                     Py_ssize_t n, PyObject *base)
{
    PyObject *dtype = numpy->dtype_of(NDARRAY_UINT);
    PyObject *array;

    if (dtype == NULL) {
        return NULL;
    }
    array = numpy->make(numpy->type, dtype, 1, &n, NULL, ids, NDARRAY_FLAGS, NULL);
    if (array == NULL) {
        return NULL;
    }
    Py_INCREF(base); /* which set_base takes, also when it fails */
    if (numpy->set_base(array, base) != 0) {
        Py_DECREF(array);
        return NULL;
    }
    return array;
}

#endif
