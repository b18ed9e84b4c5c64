# cython: language_level=3, freethreading_compatible=True
# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The bridge to the C core. It translates: takes arguments, borrows bytes, calls C without
the GIL, raises or returns. What each call means is in encoding.py and in ctok.h."""

cimport cython
from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_ND, PyBUF_SIMPLE, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
)
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stddef cimport ptrdiff_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove, memset, strlen

from ._ctok cimport *

from . import config
from . import late

ctok_errors = late.Module("errors")

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    str PyUnicode_DecodeUTF8Stateful(const char* s, Py_ssize_t size, const char* errors,
                                     Py_ssize_t* consumed)
    bint PySequence_Check(object o)
    PyObject** PySequence_Fast_ITEMS(object items)
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    PyObject* PyBytes_FromStringAndSize(const char* data, Py_ssize_t size)
    char* PyBytes_AS_STRING(PyObject* data)
    int _PyBytes_Resize(PyObject** data, Py_ssize_t size) except -1
    object PyNumber_Index(object o)
    void PyObject_GC_Track(PyObject* o)
    void PyObject_GC_UnTrack(PyObject* o)

cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #define CTOK_HAS_GIL 0
    #else
    #define CTOK_HAS_GIL 1
    #endif
    """
    bint CTOK_HAS_GIL

cdef extern from *:
    """
    /* tuple.__new__(kind, *arguments), without Python's own detour, which takes twice as long. */
    #define CTOK_TUPLE_NEW(kind, arguments) \\
        PyTuple_Type.tp_new((PyTypeObject *)(kind), arguments, NULL)
    """
    object CTOK_TUPLE_NEW(type kind, tuple arguments)

cdef extern from "pythread.h" nogil:
    ctypedef void* PyThread_type_lock
    int WAIT_LOCK
    int NOWAIT_LOCK
    unsigned long PYTHREAD_INVALID_THREAD_ID
    unsigned long PyThread_start_new_thread(void (*run)(void*) noexcept nogil, void* arg)
    PyThread_type_lock PyThread_allocate_lock()
    void PyThread_free_lock(PyThread_type_lock lock)
    int PyThread_acquire_lock(PyThread_type_lock lock, int wait)
    void PyThread_release_lock(PyThread_type_lock lock)

cdef extern from "_idarray.h":
    int ctok_int_type(const char* format, ptrdiff_t item_size)
    size_t ctok_ids_from_array(const void* items, int kind, size_t n, uint32_t* ids)

cdef extern from "_hugepages.h":
    void ctok_ask_huge_pages(void* memory, size_t n) noexcept nogil
    uint32_t* ctok_new_ids(size_t n) noexcept nogil
    void ctok_keep_memory(size_t n) noexcept nogil

cdef extern from "_ndarray.h":
    ctypedef struct ctok_ndarrays:
        void* make
    bint ctok_ndarrays_of(object capsule, ctok_ndarrays* out)
    object ctok_ndarray(const ctok_ndarrays* numpy, uint32_t* ids, Py_ssize_t n, object base)

cdef extern from "_pylong.h":
    int64_t ctok_small_int(PyObject* item)
    int ctok_row_start() except -1
    list ctok_new_list(const uint32_t* ids, size_t n, uint32_t max_id)
    size_t ctok_read_ints(PyObject** items, size_t n, uint32_t* ids)

__version__ = CTOK_VERSION.decode()
UNICODE_VERSION = CTOK_UNICODE_VERSION.decode()
FINGERPRINT_LEN = CTOK_FINGERPRINT_LEN

# Calls with fewer ids or bytes keep the GIL: they are over in microseconds, and to get it back
# from a busy thread may take milliseconds.
cdef size_t MANY = 2048

# So few ids are copied into memory of their size: to give back what was not used takes longer.
cdef size_t COPIED = 4096

# One module in parts, so that a call from one to another costs what it does in C.
include "bridge/errors.pxi"
include "bridge/room.pxi"
include "bridge/scratch.pxi"
include "bridge/ids.pxi"
include "bridge/splitter.pxi"
include "bridge/model.pxi"
include "bridge/places.pxi"
include "bridge/encode.pxi"
include "bridge/count.pxi"
include "bridge/decode.pxi"
include "bridge/batch.pxi"
include "bridge/crew.pxi"
