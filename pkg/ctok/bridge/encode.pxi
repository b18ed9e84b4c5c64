# Text to ids: as a list, an array, with ranges.

cdef frozenset NO_SPECIALS = frozenset()


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


@cython.no_gc_clear
cdef class Encoder(Model):
    """A model that encodes."""
    cdef SpecialSets refuse_all
    cdef SpecialSets allow_all
    cdef SpecialSets ordinary

    cdef int describe(self) except -1:
        Model.describe(self)
        words = (self.info.n_specials + 63) // 64
        self.ordinary = SpecialSets(None, None)
        self.refuse_all = SpecialSets(None, b"\xff" * (8 * words) if words else None)
        return 0

    cdef SpecialSets sets(self, allowed, disallowed):
        """The sets for tiktoken's two arguments; known ones without a look at their members."""
        cdef bint refuses_rest = type(disallowed) is str and disallowed == "all"

        if allowed is NO_SPECIALS or (isinstance(allowed, (set, frozenset)) and not allowed):
            if refuses_rest:
                return self.refuse_all
            if not disallowed:
                return self.ordinary
        elif type(allowed) is str and allowed == "all" and (refuses_rest or not disallowed):
            with cython.critical_section(self):
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

    cdef ctok_status encode_view(self, ctok_bytes view, SpecialSets sets, Scratch scratch,
                                 ctok_output* out, ctok_error* err) noexcept:
        """Encodes into out."""
        cdef ctok_encode_options options
        cdef ctok_status status

        options.allowed = sets.allowed
        options.disallowed = sets.disallowed
        options.max_ids = 0
        options.text_is_utf8 = 1
        if view.len < MANY:
            return ctok_encode(self.model, scratch.ptr, view, &options, out, err)
        with nogil:
            status = ctok_encode(self.model, scratch.ptr, view, &options, out, err)
        return status

    cdef int encode_into(self, str text, SpecialSets sets, Scratch scratch,
                         ctok_output* out) except -1:
        """The same for a str."""
        cdef ctok_bytes view
        cdef ctok_error err

        for foreign in sets.foreign:
            if foreign in text:
                raise self._disallowed(None, text.index(foreign), foreign)
        scratch.view(text, &view)
        if self.encode_view(view, sets, scratch, out, &err) != CTOK_OK:
            raise self.encode_failure(text, view, &err)
        return 0

    cdef int encode_whole(self, str text, SpecialSets sets, Scratch scratch,
                          ctok_output* out) except -1:
        """All of it, part by part."""
        cdef Units units, part
        cdef ctok_bytes view
        cdef ctok_output found
        cdef ctok_error err
        cdef size_t start = 0
        cdef size_t end

        units_of(text, &units)
        while True:
            end = part_end(self, &units, start, scratch)
            if end == units.n and start == 0 or sets.foreign:
                break
            part = part_of(&units, start, end)
            if not scratch.view_units(&part, &view):
                raise MemoryError()
            memset(&found, 0, sizeof(found))
            found.ids = out.ids + out.n
            found.cap = out.cap - out.n
            if self.encode_view(view, sets, scratch, &found, &err) != CTOK_OK:
                out.n = 0  # all of it again, to say where in the text
                break
            out.n += found.n
            start = end
            if end == units.n:
                return 0
        return self.encode_into(text, sets, scratch, out)

    cdef size_t ids_bound(self, str text):
        """Ids enough for a text: as many as bytes. A character has at most 4."""
        cdef size_t n = <size_t>PyUnicode_GET_LENGTH(text)
        if not PyUnicode_IS_COMPACT_ASCII(text):
            n = ctok_utf8_bound(<size_t>PyUnicode_KIND(text), n)
        return ctok_encode_bound(self.model, n)

    cdef list encode_list(self, str text, SpecialSets sets):
        cdef Scratch scratch = self.pool.borrow()
        cdef ctok_output out

        memset(&out, 0, sizeof(out))
        try:
            out.cap = self.ids_bound(text)
            scratch.room(out.cap)
            out.ids = scratch.ids
            self.encode_whole(text, sets, scratch, &out)
            return ctok_new_list(out.ids, out.n, self.info.max_id)
        finally:
            self.pool.give_back(scratch)

    cdef IdBuffer encode_buffer(self, str text, SpecialSets sets):
        cdef Scratch scratch = self.pool.borrow()
        cdef ctok_output out

        memset(&out, 0, sizeof(out))
        try:
            out.cap = self.ids_bound(text)
            if out.cap <= COPIED:
                scratch.room(out.cap)
                out.ids = scratch.ids
                self.encode_whole(text, sets, scratch, &out)
                return copy_ids(out.ids, out.n)
            out.ids = ctok_new_ids(out.cap)
            if out.ids == NULL:
                raise MemoryError()
            try:
                self.encode_whole(text, sets, scratch, &out)
            except BaseException:
                free(out.ids)
                raise
            return take_ids(out.ids, out.n)
        finally:
            self.pool.give_back(scratch)

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
        """Ids as an array.

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

        >>> import ctok
        >>> ctok.get_encoding("gpt2").encode_ordinary_to_numpy("hello world")
        array([31373,   995], dtype=uint32)
        """
        return numpy_array(self.encode_buffer(as_text(text), self.ordinary))

    def _encode_ranges(self, text, SpecialSets sets not None):
        """(ids, byte ranges, character ranges, surrogates): lists of the same length."""
        cdef str words = as_text(text)
        cdef Scratch scratch = self.pool.borrow()
        cdef ctok_output out

        memset(&out, 0, sizeof(out))
        out.cap = self.ids_bound(words)
        out.ids = <uint32_t*>malloc(out.cap * sizeof(uint32_t))
        out.ranges = <ctok_range*>malloc(out.cap * sizeof(ctok_range))
        try:
            if out.ids == NULL or out.ranges == NULL:
                raise MemoryError()
            self.encode_into(words, sets, scratch, &out)
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
            self.pool.give_back(scratch)

    def _encode_piece(self, bytes piece not None):
        """The ids of bytes that are one piece."""
        cdef Scratch scratch = self.pool.borrow()
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
            self.pool.give_back(scratch)
