# cython: language_level=3, freethreading_compatible=True
# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The bridge to the C core. It translates: takes arguments, borrows bytes, calls C without
the GIL, raises or returns. What each call means is in encoding.py and in ctok.h."""

cimport cython
from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_ND, PyBUF_SIMPLE, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
)
from cpython.list cimport PyList_New
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stddef cimport ptrdiff_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

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
    const char* PyUnicode_AsUTF8(object text) except NULL
    PyObject* PyBytes_FromStringAndSize(const char* data, Py_ssize_t size)
    char* PyBytes_AS_STRING(PyObject* data)
    int _PyBytes_Resize(PyObject** data, Py_ssize_t size) except -1

cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #define CTOK_HAS_GIL 0
    #else
    #define CTOK_HAS_GIL 1
    #endif
    """
    bint CTOK_HAS_GIL

cdef extern from "_idarray.h":
    int ctok_int_type(const char* format, ptrdiff_t item_size)
    size_t ctok_ids_from_array(const void* items, int kind, size_t n, uint32_t* ids)

cdef extern from "_pylong.h":
    int64_t ctok_small_int(PyObject* item)
    int ctok_row_start() except -1
    int ctok_fill_list(object list, const uint32_t* ids, size_t n, uint32_t max_id) except -1
    size_t ctok_read_ints(PyObject** items, size_t n, uint32_t* ids)

__version__ = CTOK_VERSION.decode()
UNICODE_VERSION = CTOK_UNICODE_VERSION.decode()
FINGERPRINT_LEN = CTOK_FINGERPRINT_LEN

# Buffers above this many bytes are given back after the call that needed them.
cdef size_t KEEP_BYTES = 1 << 22

# Room made for the bytes of an id, to begin with.
cdef size_t BYTES_PER_ID = 8

# Of so many characters an id is rarely made, to begin with.
cdef size_t UNITS_PER_ID = 8

# Calls with fewer ids or bytes keep the GIL: they are over in microseconds, and to get it back
# from a busy thread may take milliseconds.
cdef size_t MANY = 2048


# ---- ready-made ints ------------------------------------------------------------------

ctok_row_start()


cdef list ids_to_list(const uint32_t* ids, size_t n, uint32_t max_id):
    """A list of ids none of which is above max_id."""
    cdef list out = PyList_New(<Py_ssize_t>n)

    ctok_fill_list(out, ids, n, max_id)
    return out


# ---- errors ---------------------------------------------------------------------------

cdef object failure(const ctok_error* err):
    """The exception for a failed call. Those that need more context are made by the caller."""
    message = err.message.decode("utf-8", "replace")
    if err.code == CTOK_E_MEMORY:
        return MemoryError(message)
    if err.code == CTOK_E_LIMIT:
        return ctok_errors.LimitError(message)
    if err.code == CTOK_E_DUPLICATE:
        return ctok_errors.InvalidRanksError(message, token_id=err.id)
    if err.code == CTOK_E_ID:
        return ctok_errors.UnknownTokenIdError(message, token_id=err.id, index=err.position)
    return ctok_errors.ValidationError(message)


cdef Py_ssize_t character_at(str text, ctok_bytes view, size_t position) except -1:
    """The character of a text in which a byte of its UTF-8 is."""
    n_chars = len((<const char*>view.ptr)[:min(position, view.len)].decode("utf-8", "ignore"))
    from . import surrogates
    return surrogates.place(text, n_chars)


cdef object text_failure(str text, ctok_bytes view, const ctok_error* err):
    """The exception for a text that cannot be split or whose bytes are no tokens."""
    cdef size_t at = min(err.position, view.len)
    offset = character_at(text, view, at)
    if err.code == CTOK_E_SPLIT:
        message = err.message.decode("utf-8", "replace")
        return ctok_errors.SplitError(f"{message} (character {offset})", offset=offset)
    byte = (<const char*>view.ptr)[at:at + 1]
    return ctok_errors.MissingRankError(
        f"byte {byte!r} at character {offset} is no token and merges into none",
        piece=byte, offset=offset,
    )


cdef object pattern_failure(str pattern, const ctok_error* err):
    offset = len(pattern.encode()[:err.position].decode("utf-8", "replace"))
    message = err.message.decode("utf-8", "replace")
    return ctok_errors.InvalidPatternError(
        f"pattern: {message} (character {offset})", pattern=pattern, offset=offset
    )


cdef str as_text(object text):
    """A text that is str or a subclass of it: `str` in a signature would refuse the latter."""
    if not isinstance(text, str):
        raise ctok_errors.TextTypeError(f"text is {type(text).__name__}, str expected", value=text)
    return <str>text


# ---- splitters ------------------------------------------------------------------------

cdef dict CPUS = {
    "best": CTOK_CPU_BEST,
    "portable": CTOK_CPU_PORTABLE,
    "neon": CTOK_CPU_NEON,
    "avx2": CTOK_CPU_AVX2,
    "avx512": CTOK_CPU_AVX512,
}


def cpu():
    """The vector code in use: what CTOK_CPU names, but no more than this machine can run."""
    cdef int wanted = cpu_wanted()
    cdef int best = ctok_cpu_best()
    for name, tier in CPUS.items():
        if tier == (best if wanted == CTOK_CPU_BEST or wanted > best else wanted):
            return name


cdef int cpu_wanted() except -1:
    name = config.cpu()
    if name not in CPUS:
        raise ctok_errors.ValidationError(
            f"CTOK_CPU is {name!r}, one of {', '.join(CPUS)} expected")
    return CPUS[name]


cdef int make_splitter(str pattern, str engine, ctok_splitter* out) except -1:
    """Compiles with the engine asked for; for None with vector code or the automaton if they
    can, else PCRE2."""
    cdef bytes utf8 = pattern.encode()
    cdef ctok_bytes view
    cdef ctok_error err
    cdef ctok_status status
    cdef ctok_cpu tier

    memset(out, 0, sizeof(ctok_splitter))
    memset(&err, 0, sizeof(err))
    if engine not in (None, "automaton", "pcre2"):
        raise ctok_errors.ValidationError(
            f"engine {engine!r}: 'automaton', 'pcre2' or None expected")
    if engine != "pcre2":
        view.ptr = <const uint8_t*><const char*>utf8
        view.len = len(utf8)
        tier = <ctok_cpu>(cpu_wanted() if engine is None else CTOK_CPU_PORTABLE)
        status = ctok_splitter_compile(out, view, tier, NULL, &err)
        if status == CTOK_OK:
            return 0
        if status == CTOK_E_PATTERN or (status == CTOK_E_UNSUPPORTED and engine == "automaton"):
            raise pattern_failure(pattern, &err)
        if status != CTOK_E_UNSUPPORTED:
            raise failure(&err)
    from . import pcre2
    compiled = pcre2.compile(pattern)
    out[0] = (<ctok_splitter*><uintptr_t>compiled.take())[0]
    return 0


def parse_class(bytes pattern not None, size_t position, bint ignore_case=False):
    """The code points of the class at `position` of a pattern, and where it ends."""
    cdef ctok_class cls
    cdef ctok_bytes view
    cdef ctok_error err
    cdef size_t end = 0
    cdef size_t i

    memset(&err, 0, sizeof(err))
    view.ptr = <const uint8_t*><const char*>pattern
    view.len = len(pattern)
    if ctok_class_parse(&cls, view, position, ignore_case, &end, NULL, &err) != CTOK_OK:
        raise pattern_failure(pattern.decode("utf-8", "replace"), &err)
    try:
        return [(cls.ranges[i][0], cls.ranges[i][1]) for i in range(cls.n_ranges)], end
    finally:
        ctok_class_free(&cls)


cdef class Splitter:
    """A pattern on its own: text to pieces."""
    cdef ctok_splitter splitter
    cdef readonly str pattern

    def __cinit__(self, str pattern not None, str engine=None):
        self.pattern = pattern
        make_splitter(pattern, engine, &self.splitter)

    def __dealloc__(self):
        ctok_splitter_free(&self.splitter)

    @property
    def engine(self):
        return self.splitter.name.decode()

    def split(self, text):
        """The pieces of a text, in order."""
        cdef Scratch scratch = Scratch(0)
        cdef void* state = NULL
        cdef ctok_bytes view
        cdef list pieces = []

        scratch.view(as_text(text), &view)
        if self.splitter.state_new != NULL:
            state = self.splitter.state_new(self.splitter.self)
            if state == NULL:
                raise MemoryError()
        try:
            split_all(&self.splitter, state, text, view, pieces)
        finally:
            if state != NULL:
                self.splitter.state_free(self.splitter.self, state)
        return pieces


cdef int split_all(const ctok_splitter* splitter, void* state, str text, ctok_bytes view,
                   list pieces) except -1:
    cdef ctok_split_cursor cursor
    cdef ctok_split_block block
    cdef ctok_error err
    cdef ctok_status status
    cdef uint32_t i, start
    cdef const char* base

    memset(&cursor, 0, sizeof(cursor))
    memset(&err, 0, sizeof(err))
    while True:
        with nogil:
            status = splitter.next(splitter.self, state, view, &cursor, &block, &err)
        if status == CTOK_E_SPLIT:
            raise text_failure(text, view, &err)
        if status != CTOK_OK:
            raise failure(&err)
        if block.n_pieces == 0:
            return 0
        base = <const char*>view.ptr + block.start
        start = 0
        for i in range(block.n_pieces):
            pieces.append(PyUnicode_DecodeUTF8(base + start, block.ends[i] - start, "strict"))
            start = block.ends[i]


# ---- scratch --------------------------------------------------------------------------

cdef struct Units:
    const char* data
    size_t size  # of one, in bytes; 0: ASCII, which is UTF-8 already
    size_t n


cdef void units_of(str text, Units* out) noexcept:
    """A str as Python keeps it."""
    out.data = <const char*>PyUnicode_DATA(text)
    out.size = 0 if PyUnicode_IS_COMPACT_ASCII(text) else <size_t>PyUnicode_KIND(text)
    out.n = <size_t>PyUnicode_GET_LENGTH(text)


cdef Units part_of(const Units* units, size_t start, size_t end) noexcept nogil:
    cdef Units part
    part.data = units.data + start * (units.size if units.size > 0 else 1)
    part.size = units.size
    part.n = end - start
    return part


cdef class Scratch:
    """What one call at a time needs: the C scratch, the text as UTF-8, the ids."""
    cdef ctok_scratch* ptr
    cdef uint8_t* text
    cdef size_t text_cap
    cdef uint32_t* ids
    cdef size_t ids_cap
    cdef size_t n_surrogates

    def __cinit__(self, size_t cache_bytes):
        if ctok_scratch_new(&self.ptr, cache_bytes, NULL, NULL) != CTOK_OK:
            raise MemoryError()

    def __dealloc__(self):
        ctok_scratch_free(self.ptr)
        free(self.text)
        free(self.ids)

    cdef int view(self, str text, ctok_bytes* out) except -1:
        """Borrows the text: in place when ASCII, else as UTF-8 until the next call."""
        cdef Units units
        units_of(text, &units)
        if not self.view_units(&units, out):
            raise MemoryError()
        return 0

    cdef bint view_units(self, const Units* units, ctok_bytes* out) noexcept nogil:
        """The same for part of a text; False when out of memory."""
        self.n_surrogates = 0
        out.ptr = <const uint8_t*>units.data
        out.len = units.n
        if units.size == 0:
            return True
        if not self.has_room(ctok_utf8_bound(units.size, units.n)):
            return False
        out.ptr = self.text
        out.len = ctok_utf8_from_units(units.data, units.size, units.n, self.text,
                                       &self.n_surrogates)
        return True

    cdef bint has_room(self, size_t n) noexcept nogil:
        """Makes room for n bytes of text; what was there is lost."""
        if n > self.text_cap:
            free(self.text)
            self.text = <uint8_t*>malloc(n)
            self.text_cap = n if self.text != NULL else 0
        return n <= self.text_cap

    cdef int room(self, size_t n) except -1:
        """Makes room for n ids."""
        cdef uint32_t* grown

        if n > self.ids_cap:
            grown = <uint32_t*>realloc(self.ids, n * sizeof(uint32_t))
            if grown == NULL:
                raise MemoryError()
            self.ids = grown
            self.ids_cap = n
        return 0

    cdef void trim(self) noexcept:
        if self.text_cap > KEEP_BYTES:
            free(self.text)
            self.text = NULL
            self.text_cap = 0
        if self.ids_cap * sizeof(uint32_t) > KEEP_BYTES:
            free(self.ids)
            self.ids = NULL
            self.ids_cap = 0


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


cdef IdBuffer take_ids(uint32_t* ids, size_t n):
    """Wraps malloc'ed ids, giving back what is not used."""
    cdef IdBuffer buffer = IdBuffer.__new__(IdBuffer)
    cdef uint32_t* shrunk = <uint32_t*>realloc(ids, (n if n > 0 else 1) * sizeof(uint32_t))

    buffer.ids = shrunk if shrunk != NULL else ids
    buffer.n = <Py_ssize_t>n
    return buffer


cdef object asarray = None


cdef object numpy_array(IdBuffer buffer):
    global asarray
    if asarray is None:
        from numpy import asarray
    return asarray(buffer)


# ---- special tokens -------------------------------------------------------------------

cdef class SpecialSets:
    """Which specials are allowed and which are refused, as the core wants them."""
    cdef bytes allowed_bits
    cdef bytes disallowed_bits
    cdef readonly tuple foreign
    cdef const uint64_t* allowed
    cdef const uint64_t* disallowed

    def __cinit__(self, bytes allowed, bytes disallowed, tuple foreign=()):
        self.allowed_bits = allowed
        self.disallowed_bits = disallowed
        self.foreign = foreign
        self.allowed = <const uint64_t*><const char*>allowed if allowed is not None else NULL
        self.disallowed = (
            <const uint64_t*><const char*>disallowed if disallowed is not None else NULL
        )


# ---- ids from Python ------------------------------------------------------------------

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
        value = item.__index__()
    except (AttributeError, TypeError):
        raise ctok_errors.InvalidTokenIdError(
            f"id {item!r} is {type(item).__name__}, an integer expected", value=item) from None
    if not 0 <= value <= 0xFFFFFFFF:
        raise ctok_errors.TokenIdRangeError(
            f"id {value} is outside 0 to 4294967295", token_id=value)
    return value


# ---- the codec ------------------------------------------------------------------------

cdef frozenset NO_SPECIALS = frozenset()


cdef ctok_model* model_of_image(const Py_buffer* image, bytes fingerprint, pattern,
                                engine) except? NULL:
    """The model of an image; NULL when it is no image of that."""
    cdef ctok_image_options options
    cdef ctok_splitter splitter
    cdef ctok_model* model = NULL
    cdef ctok_bytes view
    cdef ctok_error err
    cdef ctok_status status

    memset(&err, 0, sizeof(err))
    memset(&options, 0, sizeof(options))
    view.ptr = <const uint8_t*>image.buf
    view.len = <size_t>image.len
    options.fingerprint = <const uint8_t*><const char*>fingerprint
    options.cpu = <ctok_cpu>(cpu_wanted() if engine is None else CTOK_CPU_PORTABLE)
    with nogil:
        status = ctok_model_from_image(&model, view, &options, NULL, &err)
    if status == CTOK_E_UNSUPPORTED:  # PCRE2 split it
        make_splitter(pattern, engine, &splitter)
        options.splitter = &splitter
        with nogil:
            status = ctok_model_from_image(&model, view, &options, NULL, &err)
    if status not in (CTOK_OK, CTOK_E_IMAGE):
        raise failure(&err)
    return model


cdef class Codec:
    """A model with what its calls need. encoding.Encoding gives it its manners."""
    cdef ctok_model* model
    cdef Py_buffer image  # whose bytes are the model's tables, if it was not built
    cdef ctok_model_info info
    cdef size_t cache_bytes
    cdef Scratch spare  # the scratch of the last call, where the GIL guards it
    cdef list pool      # all others that are not in use
    cdef SpecialSets refuse_all
    cdef SpecialSets allow_all
    cdef SpecialSets ordinary
    cdef object __weakref__

    def __cinit__(self, *args, **kwargs):
        self.cache_bytes = CTOK_CACHE_DEFAULT
        self.pool = []

    def __dealloc__(self):
        # The scratches hold splitter states of this model, and the model's tables may be those of
        # the image.
        self.free_scratches()
        ctok_model_free(self.model)
        PyBuffer_Release(&self.image)

    def _build(self, bytes blob not None, const uint32_t[::1] ends, const uint32_t[::1] ids,
               merges, specials, pattern, engine, bint whole_piece, bint allow_duplicates):
        """Fills and finishes a builder. merges: None or three uint32 arrays; specials:
        (bytes, id) pairs; pattern: None for no splitting."""
        cdef ctok_builder* builder = NULL
        cdef ctok_splitter splitter
        cdef ctok_error err
        cdef ctok_bytes view
        cdef const uint32_t[::1] left, right, merged
        cdef size_t n = <size_t>ids.shape[0]
        cdef uint32_t flags = 0

        if self.model != NULL:
            raise ctok_errors.ValidationError("an encoding is built once")
        if ends.shape[0] != ids.shape[0]:
            raise ctok_errors.ValidationError(f"{ends.shape[0]} token ends for {ids.shape[0]} ids")
        memset(&err, 0, sizeof(err))
        if ctok_builder_new(&builder, NULL, &err) != CTOK_OK:
            raise failure(&err)
        try:
            view.ptr = <const uint8_t*><const char*>blob
            view.len = len(blob)
            if n > 0 and ctok_builder_add_tokens(builder, view, &ends[0], &ids[0], n,
                                                 &err) != CTOK_OK:
                raise failure(&err)
            if merges is not None:
                left, right, merged = merges
                if not left.shape[0] == right.shape[0] == merged.shape[0]:
                    raise ctok_errors.ValidationError("merges of unequal length")
                if left.shape[0] > 0 and ctok_builder_add_merges(
                    builder, &left[0], &right[0], &merged[0], <size_t>left.shape[0], &err
                ) != CTOK_OK:
                    raise failure(&err)
            for text, token_id in specials:
                view.ptr = <const uint8_t*><const char*>text
                view.len = len(text)
                if ctok_builder_add_special(builder, view, token_id, &err) != CTOK_OK:
                    raise failure(&err)
            if pattern is not None:
                make_splitter(pattern, engine, &splitter)
                if ctok_builder_set_splitter(builder, &splitter, &err) != CTOK_OK:
                    ctok_splitter_free(&splitter)
                    raise failure(&err)
            if allow_duplicates:
                flags |= CTOK_BUILD_ALLOW_DUPLICATES
            if not whole_piece:
                flags |= CTOK_BUILD_NO_WHOLE_PIECE
            if ctok_builder_set_flags(builder, flags, &err) != CTOK_OK:
                raise failure(&err)
            ctok_builder_set_cpu(
                builder, <ctok_cpu>(cpu_wanted() if engine is None else CTOK_CPU_PORTABLE))
            with nogil:
                ctok_builder_finish(&self.model, builder, &err)
            if self.model == NULL:
                raise failure(&err)
        finally:
            ctok_builder_free(builder)
        self.describe()

    def _image(self, bytes fingerprint not None):
        """The model as bytes for _from_image."""
        cdef size_t n = ctok_model_image_size(self.model)
        cdef bytes out = bytes(n)
        cdef uint8_t* start = <uint8_t*><char*>out
        cdef const uint8_t* key = <const uint8_t*><const char*>fingerprint
        cdef ctok_error err
        cdef ctok_status status

        assert len(fingerprint) == FINGERPRINT_LEN
        memset(&err, 0, sizeof(err))
        with nogil:
            status = ctok_model_image_write(self.model, key, start, n, &n, &err)
        if status != CTOK_OK:
            raise failure(&err)
        return out

    def _from_image(self, image, bytes fingerprint not None, pattern, engine):
        """Takes the model in an image, whose memory is held as long as this lives; in place of one
        just built, as long as nobody else knows this codec. False when it is no image of
        that."""
        cdef Py_buffer held
        cdef ctok_model* model = NULL

        assert len(fingerprint) == FINGERPRINT_LEN
        PyObject_GetBuffer(image, &held, PyBUF_SIMPLE)
        try:
            model = model_of_image(&held, fingerprint, pattern, engine)
        except BaseException:
            PyBuffer_Release(&held)
            raise
        if model == NULL:
            PyBuffer_Release(&held)
            return False
        ctok_model_free(self.model)
        PyBuffer_Release(&self.image)
        self.model = model
        self.image = held
        self.describe()
        return True

    cdef int describe(self) except -1:
        ctok_model_describe(self.model, &self.info)
        words = (self.info.n_specials + 63) // 64
        self.ordinary = SpecialSets(None, None)
        self.refuse_all = SpecialSets(None, b"\xff" * (8 * words) if words else None)
        return 0

    # ---- facts ----

    @property
    def _info(self):
        """What the core says of the model."""
        info = dict(self.info)
        info["splitter"] = self.info.splitter.decode() if self.info.splitter != NULL else "none"
        return info

    def _token_bytes(self, uint32_t token_id):
        """The bytes of an id, or None."""
        cdef ctok_bytes token
        if ctok_model_token(self.model, token_id, &token) != CTOK_OK:
            return None
        return (<const char*>token.ptr)[:token.len]

    def _find(self, bytes token not None):
        """The id of a token, specials excluded, or None."""
        cdef ctok_bytes view
        cdef uint32_t token_id
        view.ptr = <const uint8_t*><const char*>token
        view.len = len(token)
        if ctok_model_find(self.model, view, &token_id) != CTOK_OK:
            return None
        return token_id

    def _merge(self, bytes left not None, bytes right not None):
        """(rank, merged bytes) of two tokens that merge, or None."""
        cdef ctok_bytes left_view, right_view, merged
        cdef uint32_t rank
        left_view.ptr = <const uint8_t*><const char*>left
        left_view.len = len(left)
        right_view.ptr = <const uint8_t*><const char*>right
        right_view.len = len(right)
        if ctok_model_merge(self.model, left_view, right_view, &rank, &merged) != CTOK_OK:
            return None
        return rank, (<const char*>merged.ptr)[:merged.len]

    # ---- pool ----

    cdef Scratch borrow(self):
        cdef Scratch scratch
        if CTOK_HAS_GIL and self.spare is not None:
            scratch = self.spare
            self.spare = None
            return scratch
        # pop and append of a list are atomic, with the GIL and without.
        try:
            return <Scratch>self.pool.pop()
        except IndexError:
            return Scratch(self.cache_bytes)

    cdef void give_back(self, Scratch scratch) noexcept:
        scratch.trim()
        if CTOK_HAS_GIL and self.spare is None:
            self.spare = scratch
        else:
            self.pool.append(scratch)

    cdef void free_scratches(self) noexcept:
        cdef Scratch scratch

        if self.pool is None:  # an encoding that is being taken apart
            self.pool = []
        self.pool.append(self.spare)
        self.spare = None
        while self.pool:
            try:
                scratch = <Scratch>self.pool.pop()
            except IndexError:  # another thread took the last one
                return
            if scratch is not None:
                ctok_scratch_free(scratch.ptr)
                scratch.ptr = NULL

    def cache_clear(self):
        """Forgets all cached words and gives their memory back. Results do not change.

        An encoding has one cache of at most 12 MiB for as many calls as ever ran at the same
        time. Calls that run now keep theirs.

        >>> import ctok
        >>> enc = ctok.get_encoding("gpt2")
        >>> ids = enc.encode("hello world")
        >>> enc.cache_clear()
        >>> enc.encode("hello world") == ids
        True
        """
        self.free_scratches()

    # ---- encode ----

    cdef SpecialSets sets(self, allowed, disallowed):
        """The sets for tiktoken's two arguments; known ones without a look at their members."""
        cdef bint refuses_rest = type(disallowed) is str and disallowed == "all"

        if allowed is NO_SPECIALS or (isinstance(allowed, (set, frozenset)) and not allowed):
            if refuses_rest:
                return self.refuse_all
            if not disallowed:
                return self.ordinary
        elif type(allowed) is str and allowed == "all" and (refuses_rest or not disallowed):
            if self.allow_all is None:
                self.allow_all = self._special_sets("all", ())
            return self.allow_all
        return self._special_sets(allowed, disallowed)

    def _special_sets(self, allowed, disallowed):
        raise NotImplementedError  # Encoding knows its specials by name

    cdef object encode_failure(self, str text, ctok_bytes view, const ctok_error* err):
        if err.code == CTOK_E_SPECIAL:
            return self._disallowed(err.id, character_at(text, view, err.position))
        if err.code in (CTOK_E_RANK, CTOK_E_SPLIT):
            return text_failure(text, view, err)
        return failure(err)

    cdef int encode_into(self, str text, SpecialSets sets, Scratch scratch, size_t limit,
                         ctok_output* out) except -1:
        """Encodes into out, up to limit ids (0: all)."""
        cdef ctok_bytes view
        cdef ctok_encode_options options
        cdef ctok_error err
        cdef ctok_status status

        for foreign in sets.foreign:
            if foreign in text:
                raise self._disallowed(None, text.index(foreign), foreign)
        scratch.view(text, &view)
        options.allowed = sets.allowed
        options.disallowed = sets.disallowed
        options.max_ids = limit
        options.text_is_utf8 = 1
        if view.len < MANY:
            status = ctok_encode(self.model, scratch.ptr, view, &options, out, &err)
        else:
            with nogil:
                status = ctok_encode(self.model, scratch.ptr, view, &options, out, &err)
        if status != CTOK_OK:
            raise self.encode_failure(text, view, &err)
        return 0

    cdef size_t ids_bound(self, str text):
        """Ids enough for a text: as many as bytes. A character has at most 4."""
        cdef size_t n = <size_t>PyUnicode_GET_LENGTH(text)
        if not PyUnicode_IS_COMPACT_ASCII(text):
            n = ctok_utf8_bound(<size_t>PyUnicode_KIND(text), n)
        return ctok_encode_bound(self.model, n)

    cdef list encode_list(self, str text, SpecialSets sets):
        cdef Scratch scratch = self.borrow()
        cdef ctok_output out

        memset(&out, 0, sizeof(out))
        try:
            out.cap = self.ids_bound(text)
            scratch.room(out.cap)
            out.ids = scratch.ids
            self.encode_into(text, sets, scratch, 0, &out)
            return ids_to_list(out.ids, out.n, self.info.max_id)
        finally:
            self.give_back(scratch)

    cdef IdBuffer encode_buffer(self, str text, SpecialSets sets):
        cdef Scratch scratch = self.borrow()
        cdef ctok_output out

        memset(&out, 0, sizeof(out))
        try:
            out.cap = self.ids_bound(text)
            out.ids = <uint32_t*>malloc(out.cap * sizeof(uint32_t))
            if out.ids == NULL:
                raise MemoryError()
            try:
                self.encode_into(text, sets, scratch, 0, &out)
            except BaseException:
                free(out.ids)
                raise
            return take_ids(out.ids, out.n)
        finally:
            self.give_back(scratch)

    def encode(self, text, *, allowed_special=NO_SPECIALS, disallowed_special="all"):
        """The ids of a text.

        Args:
            text: what to encode. Surrogates that form a pair become its character, others
                U+FFFD.
            allowed_special: special tokens that become their id where they stand in the
                text; "all", or a set of their texts.
            disallowed_special: special tokens that are an error in the text; "all" (those
                that are not allowed), or a collection of their texts. What is neither
                allowed nor disallowed is text like any other.

        Returns:
            The ids; those of the reference implementation for every text.

        Raises:
            DisallowedSpecialError: (a ValueError) the text has a disallowed special token.
            TextTypeError: (a TypeError) text is not str.
            MissingRankError: (a KeyError) the vocabulary cannot express a byte of it.
            SplitError: (a RuntimeError) the pattern would backtrack without bound.

        >>> import ctok
        >>> enc = ctok.get_encoding("o200k_base")
        >>> enc.encode("hello world")
        [24912, 2375]
        >>> enc.encode("<|endoftext|>", allowed_special="all")
        [199999]
        >>> enc.encode("<|endoftext|>", disallowed_special=())
        [27, 91, 419, 1440, 919, 91, 29]
        >>> enc.encode("<|endoftext|>")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        ctok.errors.DisallowedSpecialError: the text has the special token '<|endoftext|>' ...
        """
        return self.encode_list(as_text(text), self.sets(allowed_special, disallowed_special))

    def encode_ordinary(self, text):
        """The ids of a text in which special tokens are text like any other.

        Args:
            text: what to encode.

        Returns:
            The ids, the same as ``encode(text, disallowed_special=())``.

        Raises:
            TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").encode_ordinary("hello world")
        [31373, 995]
        """
        return self.encode_list(as_text(text), self.ordinary)

    def encode_ordinary_to_buffer(self, text):
        """The ids of a text as an object with the buffer protocol, for those who have no numpy.

        Special tokens in the text are text like any other.

        Args:
            text: what to encode.

        Returns:
            A read-only buffer of uint32 in memory of its own, for ``memoryview``,
            ``array.array`` or ``numpy.frombuffer``.

        Raises:
            TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.

        >>> import ctok
        >>> buffer = ctok.get_encoding("gpt2").encode_ordinary_to_buffer("hello world")
        >>> memoryview(buffer).tolist()
        [31373, 995]
        """
        return self.encode_buffer(as_text(text), self.ordinary)

    def encode_to_numpy(self, text, *, allowed_special=NO_SPECIALS, disallowed_special="all"):
        """Ids as an array, without a copy.

        Args:
            text: what to encode; surrogates are mended as in :meth:`encode`.
            allowed_special, disallowed_special: as in :meth:`encode`.

        Returns:
            uint32[n], read-only.

        Raises:
            DisallowedSpecialError, TextTypeError, MissingRankError, SplitError: as in
                :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").encode_to_numpy("hello world")
        array([31373,   995], dtype=uint32)
        """
        return numpy_array(
            self.encode_buffer(as_text(text), self.sets(allowed_special, disallowed_special)))

    def encode_ordinary_to_numpy(self, text):
        """Ids as an array, special tokens in the text being ordinary text.

        Args:
            text: what to encode.

        Returns:
            uint32[n], read-only.

        Raises:
            TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.
        """
        return numpy_array(self.encode_buffer(as_text(text), self.ordinary))

    # ---- count ----

    def count(self, text, *, allowed_special=NO_SPECIALS, disallowed_special=()):
        """How many ids a text has, without making them into Python objects.

        Args:
            text: what to count.
            allowed_special, disallowed_special: as in :meth:`encode`, but by default special
                tokens are ordinary text.

        Raises:
            TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("o200k_base").count("How many tokens is this?")
        6
        """
        cdef ctok_output out
        self.count_into(as_text(text), self.sets(allowed_special, disallowed_special), 0, &out)
        return out.n

    def _count_to(self, text, size_t limit):
        """(ids, bytes done): how many ids the text has, specials being ordinary text, counting
        no further than limit, and how many bytes of UTF-8 these stand for."""
        cdef str words = as_text(text)
        cdef Scratch scratch = self.borrow()
        cdef Units units
        cdef ctok_output out
        cdef size_t near = UNITS_PER_ID * limit + MANY
        cdef size_t end

        memset(&out, 0, sizeof(out))
        units_of(words, &units)
        try:
            # What is not ASCII is made UTF-8 first: of a long text no more than it takes.
            while units.size > 0 and near < units.n:
                end = self.cut_before(&units, near, scratch)
                if end > 0:
                    self.encode_into(words[:end], self.ordinary, scratch, limit, &out)
                    if out.n >= limit:
                        return out.n, out.consumed
                near *= 4
            self.encode_into(words, self.ordinary, scratch, limit, &out)
            return out.n, out.consumed
        finally:
            self.give_back(scratch)

    cdef size_t cut_before(self, const Units* text, size_t at, Scratch scratch) noexcept:
        """The last place at or before a place inside of the text where it may be cut without a
        change to its ids; 0 when none is known. Looks at no more of the text than it must."""
        cdef size_t margin = self.info.max_token_len
        cdef size_t back = 1024
        cdef size_t end = min(text.n, at + margin + 1)
        cdef size_t start, place, i
        cdef size_t n_surrogates = 0
        cdef Units before, behind
        cdef ctok_bytes view

        while True:
            start = at - back - margin if at > back + margin else 0
            before = part_of(text, start, at)
            behind = part_of(text, at, end)
            view.ptr = <const uint8_t*>before.data
            view.len = end - start
            place = at - start
            if text.size > 0:
                if not scratch.has_room(ctok_utf8_bound(text.size, end - start)):
                    return 0
                view.ptr = scratch.text
                place = ctok_utf8_from_units(before.data, text.size, before.n, scratch.text,
                                             &n_surrogates)
                if n_surrogates > 0:
                    return 0  # not one character for each unit
                view.len = place + ctok_utf8_from_units(
                    behind.data, text.size, behind.n, scratch.text + place, &n_surrogates)
                if n_surrogates > 0:
                    return 0
            place = ctok_encode_cut(self.model, view, place)
            if place > 0 and (start == 0 or place >= margin):
                for i in range(place):
                    start += (view.ptr[i] & 0xC0) != 0x80
                return start
            if start == 0:
                return 0
            back *= 16

    cdef int count_into(self, str text, SpecialSets sets, size_t limit,
                        ctok_output* out) except -1:
        cdef Scratch scratch = self.borrow()

        memset(out, 0, sizeof(ctok_output))
        try:
            return self.encode_into(text, sets, scratch, limit, out)
        finally:
            self.give_back(scratch)

    def _encode_ranges(self, text, SpecialSets sets not None):
        """(ids, byte ranges, character ranges, surrogates): lists of the same length."""
        cdef str words = as_text(text)
        cdef Scratch scratch = self.borrow()
        cdef ctok_output out

        memset(&out, 0, sizeof(out))
        out.cap = self.ids_bound(words)
        out.ids = <uint32_t*>malloc(out.cap * sizeof(uint32_t))
        out.ranges = <ctok_range*>malloc(out.cap * sizeof(ctok_range))
        try:
            if out.ids == NULL or out.ranges == NULL:
                raise MemoryError()
            self.encode_into(words, sets, scratch, 0, &out)
            byte_ranges = [(out.ranges[i].start, out.ranges[i].end) for i in range(out.n)]
            return (
                [out.ids[i] for i in range(out.n)],
                byte_ranges,
                character_ranges(words, scratch, &out, byte_ranges),
                scratch.n_surrogates,
            )
        finally:
            free(out.ids)
            free(out.ranges)
            self.give_back(scratch)

    def _encode_piece(self, bytes piece not None):
        """The ids of bytes that are one piece."""
        cdef Scratch scratch = self.borrow()
        cdef ctok_bytes view
        cdef ctok_output out
        cdef ctok_error err
        cdef ctok_status status

        memset(&out, 0, sizeof(out))
        view.ptr = <const uint8_t*><const char*>piece
        view.len = len(piece)
        try:
            scratch.room(view.len + 1)
            out.ids = scratch.ids
            out.cap = view.len + 1
            with nogil:
                status = ctok_encode_piece(self.model, scratch.ptr, view, &out, &err)
            if status != CTOK_OK:
                raise self.encode_failure("", view, &err)
            return [out.ids[i] for i in range(out.n)]
        finally:
            self.give_back(scratch)

    # ---- decode ----

    def decode_bytes(self, tokens):
        """The bytes of ids, one after the other.

        Args:
            tokens: the ids: a sequence of integers, or an array of them.

        Returns:
            The bytes, which need not be UTF-8.

        Raises:
            UnknownTokenIdError: (a KeyError) no token has one of the ids.
            InvalidTokenIdError: (a TypeError) one of them is no integer.
            TokenIdRangeError: (an OverflowError) one is negative or needs more than 32 bits.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_bytes([31373, 127])
        b'hello\xc3'
        """
        cdef Scratch scratch = self.borrow()
        cdef Ids ids

        ids.is_held = False
        try:
            gather(tokens, scratch, &ids)
            return self.bytes_of(&ids)
        finally:
            if ids.is_held:
                PyBuffer_Release(&ids.buffer)
            self.give_back(scratch)

    def decode(self, tokens, str errors="replace"):
        """The text of ids.

        Args:
            tokens: the ids: a sequence of integers, or an array of them.
            errors: what to do about bytes that are not UTF-8, as in :meth:`bytes.decode`:
                "replace" them by U+FFFD, "ignore" them, or be "strict".

        Returns:
            The text.

        Raises:
            UnicodeDecodeError: with errors="strict", the bytes are not UTF-8.
            UnknownTokenIdError, InvalidTokenIdError, TokenIdRangeError: as in
                :meth:`decode_bytes`.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode([31373, 995])
        'hello world'
        """
        cdef const char* handler = PyUnicode_AsUTF8(errors)
        cdef Scratch scratch = self.borrow()
        cdef Ids ids

        ids.is_held = False
        try:
            gather(tokens, scratch, &ids)
            return self.text_of(&ids, scratch, handler)
        finally:
            if ids.is_held:
                PyBuffer_Release(&ids.buffer)
            self.give_back(scratch)

    cdef ctok_status decode_to(self, const Ids* ids, uint8_t* out, size_t cap, size_t* length,
                               ctok_error* err):
        cdef ctok_status status
        if ids.n < MANY:
            return ctok_decode(self.model, ids.ids, ids.n, out, cap, length, err)
        with nogil:
            status = ctok_decode(self.model, ids.ids, ids.n, out, cap, length, err)
        return status

    cdef bytes bytes_of(self, const Ids* ids):
        """Written into a bytes object that is first too long, mostly, and then cut."""
        cdef ctok_error err
        cdef ctok_status status = CTOK_E_SPACE
        cdef size_t need = BYTES_PER_ID * ids.n + 64
        cdef PyObject* out = NULL

        while status == CTOK_E_SPACE:
            Py_XDECREF(out)
            out = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>need)
            if out == NULL:
                raise MemoryError()
            status = self.decode_to(ids, <uint8_t*>PyBytes_AS_STRING(out), need, &need, &err)
        if status != CTOK_OK:
            Py_XDECREF(out)
            raise failure(&err)
        _PyBytes_Resize(&out, <Py_ssize_t>need)
        done = <bytes>out
        Py_DECREF(<object>out)
        return done

    cdef str text_of(self, const Ids* ids, Scratch scratch, const char* handler):
        cdef ctok_error err
        cdef ctok_status status = CTOK_E_SPACE
        cdef size_t need = BYTES_PER_ID * ids.n + 64

        while status == CTOK_E_SPACE:
            if not scratch.has_room(need):
                raise MemoryError()
            status = self.decode_to(ids, scratch.text, scratch.text_cap, &need, &err)
        if status != CTOK_OK:
            raise failure(&err)
        return PyUnicode_DecodeUTF8(<const char*>scratch.text, <Py_ssize_t>need, handler)

    def decode_stream(self, str errors="replace"):
        """A decoder for ids that arrive one at a time; each costs the same however many came
        before.

        Args:
            errors: what to do about bytes that are not UTF-8, as in :meth:`decode`.

        Returns:
            A :class:`DecodeStream`: ``push(id)`` gives the text that is complete with this
            id, ``flush()`` what is left at the end.

        >>> import ctok
        >>> enc = ctok.get_encoding("gpt2")
        >>> stream = enc.decode_stream()
        >>> [stream.push(token_id) for token_id in enc.encode("héllo 🦜")]
        ['h', 'é', 'llo', ' ', '', '🦜']
        >>> stream.flush()
        ''
        """
        return DecodeStream(self, errors)


cdef list character_ranges(str text, Scratch scratch, const ctok_output* out, list byte_ranges):
    """Byte ranges as character ranges. A token that holds part of a character counts it
    wholly. Starts never fall, so one walk over the text does for all."""
    cdef const uint8_t* utf8 = scratch.text
    cdef size_t at = 0      # byte that was walked to
    cdef size_t n_chars = 0  # characters that start before it
    cdef size_t i, end, start_char, end_char
    cdef list ranges

    if PyUnicode_IS_COMPACT_ASCII(text):
        return list(byte_ranges)
    ranges = []
    for i in range(out.n):
        while at < out.ranges[i].start:
            n_chars += (utf8[at] & 0xC0) != 0x80
            at += 1
        # A start inside a character belongs to the character that began before it.
        start_char = n_chars if (utf8[at] & 0xC0) != 0x80 else n_chars - 1
        end = at
        end_char = n_chars
        while end < out.ranges[i].end:
            end_char += (utf8[end] & 0xC0) != 0x80
            end += 1
        ranges.append((start_char, end_char))
    return ranges


# ---- batches --------------------------------------------------------------------------

# A text is not cut for less than this many characters.
cdef size_t MIN_PART = 1 << 14


@cython.final
cdef class Batch:
    """Texts, or parts of long ones, encoded one after the other by whichever thread calls run."""
    cdef Codec codec
    cdef SpecialSets sets
    cdef list texts        # one for each part
    cdef size_t first      # the number of the first text
    cdef bint is_continued  # the first part goes on with the last text of the batch before
    cdef Units* parts
    cdef size_t n_parts
    cdef size_t parts_cap
    cdef size_t n_units
    cdef size_t n_done
    cdef uint32_t* ids
    cdef size_t n_ids
    cdef size_t cap
    cdef size_t* counts
    cdef ctok_error err
    cdef bint failed
    cdef bint out_of_memory

    def __cinit__(self, Codec codec not None, SpecialSets sets not None, size_t first,
                  bint is_continued):
        self.codec = codec
        self.sets = sets
        self.texts = []
        self.first = first
        self.is_continued = is_continued

    def __dealloc__(self):
        free(self.parts)
        free(self.counts)
        free(self.ids)

    cdef int add(self, str text, const Units* units, size_t start, size_t end) except -1:
        """Takes units from start to end of a text."""
        cdef Units* grown
        cdef size_t cap

        if self.n_parts == self.parts_cap:
            cap = 2 * self.parts_cap + 16
            grown = <Units*>realloc(self.parts, cap * sizeof(Units))
            if grown == NULL:
                raise MemoryError()
            self.parts = grown
            self.parts_cap = cap
        self.parts[self.n_parts] = part_of(units, start, end)
        self.n_parts += 1
        self.n_units += end - start
        self.texts.append(text)
        return 0

    def run(self):
        """Encodes all texts without the GIL. Raises nothing: see check."""
        cdef Scratch scratch = self.codec.borrow()
        self.cap = self.n_units // 3 + 64
        self.ids = <uint32_t*>malloc(self.cap * sizeof(uint32_t))
        self.counts = <size_t*>malloc((self.n_parts + 1) * sizeof(size_t))
        self.out_of_memory = self.ids == NULL or self.counts == NULL
        with nogil:
            if not self.out_of_memory:
                self.run_all(scratch)
        self.codec.give_back(scratch)

    cdef void run_all(self, Scratch scratch) noexcept nogil:
        cdef ctok_encode_options options
        cdef ctok_output out
        cdef ctok_bytes view
        cdef size_t i, need
        cdef uint32_t* grown

        memset(&out, 0, sizeof(out))
        options.allowed = self.sets.allowed
        options.disallowed = self.sets.disallowed
        options.max_ids = 0
        options.text_is_utf8 = 1
        for i in range(self.n_parts):
            if not scratch.view_units(&self.parts[i], &view):
                self.out_of_memory = True
                return
            need = self.n_ids + ctok_encode_bound(self.codec.model, view.len)
            if need > self.cap:
                need = max(need, self.cap + self.cap // 2)
                grown = <uint32_t*>realloc(self.ids, need * sizeof(uint32_t))
                if grown == NULL:
                    self.out_of_memory = True
                    return
                self.ids = grown
                self.cap = need
            out.ids = self.ids + self.n_ids
            out.cap = self.cap - self.n_ids
            if ctok_encode(self.codec.model, scratch.ptr, view, &options, &out,
                           &self.err) != CTOK_OK:
                self.failed = True
                return
            self.counts[i] = out.n
            self.n_ids += out.n
            self.n_done += 1

    def check(self):
        """Raises what run met."""
        if self.out_of_memory:
            raise MemoryError()
        if self.failed:
            try:
                # On its own, the whole text fails at its first wrong place.
                self.codec.encode_list(self.texts[self.n_done], self.sets)
                raise failure(&self.err)
            except Exception as error:
                error.add_note(f"in text {self.first + self.n_done} of the batch")
                raise

    def add_lists_to(self, list out not None):
        """Appends the ids of each text as a list."""
        cdef size_t i
        cdef size_t start = 0

        for i in range(self.n_parts):
            ids = ids_to_list(self.ids + start, self.counts[i], self.codec.info.max_id)
            if i == 0 and self.is_continued:
                (<list>out[len(out) - 1]).extend(ids)
            else:
                out.append(ids)
            start += self.counts[i]

    def add_lengths_to(self, list out not None):
        """Appends how many ids each text has."""
        cdef size_t i
        for i in range(self.n_parts):
            if i == 0 and self.is_continued:
                out[len(out) - 1] += self.counts[i]
            else:
                out.append(self.counts[i])


def join_batches(list batches not None):
    """All ids in one buffer; the batches are empty afterwards."""
    cdef Batch batch
    cdef Batch first = batches[0]
    cdef uint32_t* ids
    cdef size_t n = 0

    for batch in batches:
        n += batch.n_ids
    if n > first.cap:
        ids = <uint32_t*>realloc(first.ids, n * sizeof(uint32_t))
        if ids == NULL:
            raise MemoryError()
        first.ids = ids
        first.cap = n
    n = first.n_ids
    for batch in batches[1:]:
        memcpy(first.ids + n, batch.ids, batch.n_ids * sizeof(uint32_t))
        n += batch.n_ids
        free(batch.ids)
        batch.ids = NULL
        batch.n_ids = 0
    ids = first.ids
    first.ids = NULL
    first.n_ids = 0
    return take_ids(ids, n)


def plan_batches(Codec codec not None, SpecialSets sets not None, list texts not None,
                 size_t n_batches):
    """Batches of about equal size in characters, at most n_batches and at least one; in order.
    Long texts are cut where that changes no id."""
    cdef size_t i, start, end, room, share
    cdef size_t total = 0
    cdef Units units
    cdef Batch batch = Batch(codec, sets, 0, False)
    cdef list batches = [batch]
    cdef Scratch scratch = codec.borrow()

    try:
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise ctok_errors.TextTypeError(
                    f"text {i} is {type(text).__name__}, str expected", value=text)
            for foreign in sets.foreign:
                if foreign in text:
                    raise codec._disallowed(None, text.index(foreign), foreign)
            total += <size_t>PyUnicode_GET_LENGTH(text)
        share = total // max(n_batches, 1) + 1
        for i, text in enumerate(texts):
            units_of(text, &units)
            start = 0
            while True:
                if batch.n_units >= share and <size_t>len(batches) < n_batches:
                    batch = Batch(codec, sets, i, start > 0)
                    batches.append(batch)
                room = share - batch.n_units if share > batch.n_units else 0
                end = 0
                if (<size_t>len(batches) < n_batches and room >= MIN_PART
                        and units.n - start >= room + MIN_PART):
                    end = codec.cut_before(&units, start + room, scratch)
                if end <= start:
                    batch.add(text, &units, start, units.n)
                    break
                batch.add(text, &units, start, end)
                start = end
                batch.n_units = share  # full, as far as it can be
    finally:
        codec.give_back(scratch)
    return batches


# ---- streaming decode -----------------------------------------------------------------

cdef class DecodeStream:
    """Ids one at a time to text: see :meth:`ctok.Encoding.decode_stream`, which makes it.

    Bytes of a character that is not complete are held back until it is. Belongs to one thread
    at a time.
    """
    cdef Codec codec
    cdef bytes handler
    cdef bytes held

    def __cinit__(self, Codec codec not None, str errors="replace"):
        self.codec = codec
        self.handler = errors.encode()
        self.held = b""

    def push(self, token_id):
        """The text that is complete with this id; "" while a character is not.

        Raises:
            UnknownTokenIdError: (a KeyError) no token has this id; what is held back stays.
        """
        cdef ctok_bytes token
        cdef int64_t value = ctok_small_int(<PyObject*>token_id)
        cdef Py_ssize_t consumed = 0
        cdef bytes data
        cdef str text

        if value < 0:
            value = token_id_of(token_id)
        if ctok_model_token(self.codec.model, <uint32_t>value, &token) != CTOK_OK:
            raise ctok_errors.UnknownTokenIdError(f"id {value} is not a token", token_id=value)
        if not self.held:
            text = PyUnicode_DecodeUTF8Stateful(<const char*>token.ptr, <Py_ssize_t>token.len,
                                                self.handler, &consumed)
            if consumed < <Py_ssize_t>token.len:
                self.held = (<const char*>token.ptr)[consumed:token.len]
            return text
        data = self.held + (<const char*>token.ptr)[:token.len]
        text = PyUnicode_DecodeUTF8Stateful(data, len(data), self.handler, &consumed)
        self.held = data[consumed:]
        return text

    def flush(self):
        """What is held back, which no id will complete any more; the stream can be used again."""
        data = self.held
        self.held = b""
        return data.decode("utf-8", self.handler.decode())
