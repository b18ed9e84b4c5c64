# Ids out to Python, as a list or an array, and in from there.

ctok_row_start()


@cython.final
cdef class IdBuffer:
    """uint32 ids in memory of their own, readable through the buffer protocol."""
    cdef uint32_t* ids
    cdef Py_ssize_t n
    cdef Py_ssize_t shape[1]
    cdef Py_ssize_t strides[1]

    def __dealloc__(self):
        free(self.ids)

    def __len__(self):
        return self.n

    def __getbuffer__(self, Py_buffer* view, int flags):
        if flags & 1:
            raise BufferError("ids are read-only")
        self.shape[0] = self.n
        self.strides[0] = sizeof(uint32_t)
        view.obj = self
        view.buf = self.ids
        view.len = self.n * <Py_ssize_t>sizeof(uint32_t)
        view.itemsize = sizeof(uint32_t)
        view.readonly = 1
        view.ndim = 1
        view.format = "I"
        view.shape = self.shape
        view.strides = self.strides
        view.suboffsets = NULL
        view.internal = NULL


cdef IdBuffer buffer_of(uint32_t* ids, size_t n):
    """Wraps malloc'ed ids."""
    cdef IdBuffer buffer = IdBuffer.__new__(IdBuffer)

    buffer.ids = ids
    buffer.n = <Py_ssize_t>n
    return buffer


cdef IdBuffer copy_ids(const uint32_t* ids, size_t n):
    """The same for a copy of ids."""
    cdef uint32_t* copy = ctok_new_ids(max(n, <size_t>1))

    if copy == NULL:
        raise MemoryError()
    memcpy(copy, ids, n * sizeof(uint32_t))
    return buffer_of(copy, n)


cdef IdBuffer take_room(Room* room):
    """The same for the ids of a room: its own memory, without what is left over."""
    cdef size_t n_bytes = max(room.n, <size_t>1) * sizeof(uint32_t)
    cdef IdBuffer buffer

    if not room.is_own:
        return copy_ids(room.ids, room.n)
    buffer = buffer_of(room.ids, room.n)
    room.ids = <uint32_t*>realloc(room.ids, n_bytes)
    if room.ids != NULL:
        buffer.ids = room.ids
    room.is_own = False
    return buffer


cdef ctok_ndarrays ndarrays
cdef object asarray = None  # numpy's, once it is imported


cdef object numpy_array(IdBuffer buffer):
    """uint32[n] over the memory of a buffer."""
    global asarray
    if asarray is None:
        from numpy import asarray as found

        ctok_ndarrays_of(numpy_api(), &ndarrays)
        asarray = found  # last: another thread may see it at once
    if ndarrays.make == NULL:
        return asarray(buffer)
    return ctok_ndarray(&ndarrays, buffer.ids, buffer.n, buffer)


cdef object numpy_api():
    """The capsule with numpy's functions, or None."""
    try:
        from numpy._core import _multiarray_umath
    except ImportError:
        try:
            from numpy.core import _multiarray_umath  # before 2
        except ImportError:
            return None
    return getattr(_multiarray_umath, "_ARRAY_API", None)


cdef struct Ids:
    const uint32_t* ids  # in the scratch, or in the array that the caller gave
    size_t n
    Py_buffer buffer
    bint is_held


cdef int gather(tokens, Scratch scratch, Ids* out) except -1:
    """The ids of a list, a tuple, an array or another sequence. Who calls lets go of
    out.buffer where it is held."""
    if type(tokens) is not list and type(tokens) is not tuple:
        if PyObject_CheckBuffer(tokens) and gather_array(tokens, scratch, out):
            return 0
        tokens = list_of(tokens)
    with cython.critical_section(tokens):
        gather_items(tokens, scratch, out)
    return 0


cdef bint gather_array(tokens, Scratch scratch, Ids* out) except -1:
    """False when it is not a row of integers as C has them."""
    cdef int kind
    cdef size_t done

    try:
        PyObject_GetBuffer(tokens, &out.buffer, PyBUF_FORMAT | PyBUF_ND)
    except (BufferError, ValueError):
        return False  # strided
    out.is_held = True
    kind = ctok_int_type(out.buffer.format, out.buffer.itemsize)
    if out.buffer.ndim != 1 or kind == 0:
        return False
    out.n = <size_t>out.buffer.shape[0]
    if kind == 4 and (<uintptr_t>out.buffer.buf) % sizeof(uint32_t) == 0:
        out.ids = <const uint32_t*>out.buffer.buf
        return True
    scratch.room(out.n)
    out.ids = scratch.ids
    done = ctok_ids_from_array(out.buffer.buf, kind, out.n, scratch.ids)
    if done < out.n:
        token_id_of(memoryview(tokens)[done])  # raises
        raise RuntimeError("ids changed while they were read")
    return True


cdef int gather_items(tokens, Scratch scratch, Ids* out) except -1:
    cdef size_t n = <size_t>len(tokens)
    cdef size_t done = 0

    scratch.room(n)
    while True:
        done += ctok_read_ints(PySequence_Fast_ITEMS(tokens) + done, n - done,
                               scratch.ids + done)
        if done == n:
            break
        scratch.ids[done] = <uint32_t>token_id_of(tokens[done])
        done += 1
        if <size_t>len(tokens) != n:
            raise RuntimeError("ids changed while they were read")
    out.ids = scratch.ids
    out.n = n
    return 0


cdef list list_of(tokens):
    """Of what has elements by number, or an array of any library. What can only be iterated
    over (sets, dicts, generators) is no sequence of ids."""
    cdef bint has_tolist = hasattr(tokens, "tolist")

    if isinstance(tokens, str) or not (has_tolist or PySequence_Check(tokens)):
        raise ctok_errors.InvalidTokenIdError(
            f"tokens is {type(tokens).__name__}, a sequence of integers expected", value=tokens)
    # tolist is quicker, but makes True of numpy's bool, which is no integer.
    is_bool = getattr(getattr(tokens, "dtype", None), "kind", "") == "b"
    items = tokens.tolist() if has_tolist and not is_bool else list(tokens)
    if type(items) is not list:
        raise ctok_errors.InvalidTokenIdError(
            "tokens is one number, a sequence expected", value=tokens)
    return items


cdef int64_t token_id_of(item) except -1:
    """An id from any integer: numpy's, bool, big ones; a typed error for the rest."""
    try:
        value = PyNumber_Index(item)
    except TypeError:
        raise ctok_errors.InvalidTokenIdError(
            f"id {item!r} is {type(item).__name__}, an integer expected", value=item) from None
    if not 0 <= value <= 0xFFFFFFFF:
        raise ctok_errors.TokenIdRangeError(
            f"id {value} is outside 0 to 4294967295", token_id=value)
    return value
