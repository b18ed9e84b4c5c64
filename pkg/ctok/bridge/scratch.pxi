# A str as the core reads it, and the memory that a call writes besides its result.

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


cdef uint32_t unit_at(const Units* units, size_t i) noexcept nogil:
    """Its number: of a character, or of a surrogate."""
    if units.size <= 1:
        return (<const uint8_t*>units.data)[i]
    if units.size == 2:
        return (<const uint16_t*>units.data)[i]
    return (<const uint32_t*>units.data)[i]


cdef size_t others_among(const Units* text, size_t n, size_t step) noexcept nogil:
    """How many of n of its units, the first and others so far apart, are not ASCII."""
    cdef size_t n_others = 0
    cdef size_t i

    for i in range(n):
        n_others += unit_at(text, i * step) >= 128
    return n_others


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

    cdef bint view_beginning(self, const Units* units, size_t n, ctok_bytes* out) except -1:
        """The same for n units of a text, or all if it has no more or cannot be cut there; whether
        that is a part."""
        cdef Units part

        if n < units.n:
            part = part_of(units, 0, n)
            if self.view_units(&part, out) and self.n_surrogates == 0:
                return True
        if not self.view_units(units, out):
            raise MemoryError()
        return False

    cdef bint has_room(self, size_t n) noexcept nogil:
        """Makes room for n bytes of text; what was there is lost."""
        if n > self.text_cap:
            free(self.text)
            self.text = <uint8_t*>malloc(n)
            self.text_cap = n if self.text != NULL else 0
        return n <= self.text_cap

    cdef int room(self, size_t n) except -1:
        """Makes room for n ids; what was there is lost."""
        if n > self.ids_cap:
            free(self.ids)
            self.ids = ctok_new_ids(n)
            self.ids_cap = n if self.ids != NULL else 0
        if n > self.ids_cap:
            raise MemoryError()
        return 0

    cdef int lend(self, size_t n, Room* out) except -1:
        """Lends room for n ids."""
        self.room(n)
        out.ids = self.ids
        out.cap = self.ids_cap
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
@cython.no_gc
cdef class Pool:
    """The scratches of one model that no call uses now. They lead nowhere, so no cycle does."""
    cdef Scratch spare  # that of the last call, where the GIL guards it
    cdef list others
    cdef size_t cache_bytes
    cdef bint is_open  # there is a model to use them with

    def __cinit__(self, size_t cache_bytes):
        self.others = []
        self.cache_bytes = cache_bytes

    cdef Scratch borrow(self):
        cdef Scratch scratch
        if CTOK_HAS_GIL and self.spare is not None:
            scratch = self.spare
            self.spare = None
            return scratch
        # pop and append of a list are atomic, with the GIL and without.
        try:
            return <Scratch>self.others.pop()
        except IndexError:
            if not self.is_open:
                raise not_built() from None
            return Scratch(self.cache_bytes)

    cdef void give_back(self, Scratch scratch) noexcept:
        scratch.trim()
        if CTOK_HAS_GIL and self.spare is None:
            self.spare = scratch
        else:
            self.others.append(scratch)

    cdef void clear(self) noexcept:
        """Frees them all; what is lent out now comes back later."""
        self.spare = None
        self.others.clear()
