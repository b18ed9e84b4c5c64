# Text to ids: as a list, an array, with ranges.

cdef frozenset NO_SPECIALS = frozenset()


cdef class SpecialSets:
    """Which specials are allowed and which are refused, as the core wants them."""
    cdef bytes allowed_bits
    cdef bytes disallowed_bits
    cdef readonly tuple foreign
    cdef ctok_encode_options options

    def __cinit__(self, bytes allowed, bytes disallowed, tuple foreign=()):
        memset(&self.options, 0, sizeof(self.options))
        self.allowed_bits = allowed
        self.disallowed_bits = disallowed
        self.foreign = foreign
        if allowed is not None:
            self.options.allowed = <const uint64_t*><const char*>allowed
        if disallowed is not None:
            self.options.disallowed = <const uint64_t*><const char*>disallowed
        self.options.text_is_utf8 = 1


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

    cdef size_t ids_bound(self, const Units* text, size_t n) noexcept nogil:
        """Ids enough for n units of a text, or for all if it has no more: as many as bytes."""
        n = min(n, text.n)
        if text.size > 0:
            n = ctok_utf8_bound(text.size, n)
        return ctok_encode_bound(self.model, n)

    cdef int encode_into(self, str text, const Units* units, SpecialSets sets, Scratch scratch,
                         ctok_output* out) except -1:
        """Encodes a str at once."""
        cdef ctok_status status
        cdef ctok_bytes view
        cdef ctok_error err

        for foreign in sets.foreign:
            if foreign in text:
                raise self._disallowed(None, text.index(foreign), foreign)
        if not scratch.view_units(units, &view):
            raise MemoryError()
        if view.len < MANY:
            status = ctok_encode(self.model, scratch.ptr, view, &sets.options, out, &err)
        else:
            with nogil:
                status = ctok_encode(self.model, scratch.ptr, view, &sets.options, out, &err)
        if status != CTOK_OK:
            raise self.encode_failure(text, view, &err)
        return 0

    cdef ctok_status encode_units(self, const Units* text, SpecialSets sets, Scratch scratch,
                                  Room* room, ctok_error* err) noexcept nogil:
        """Encodes a text part by part; the ids go behind those that the room has. Of what is left
        as many are expected as there were so far, and a few more."""
        cdef ctok_status status
        cdef ctok_output out
        cdef ctok_bytes view
        cdef Units part
        cdef size_t end
        cdef size_t n_later = 0
        cdef size_t n_before = room.n
        cdef size_t start = 0

        while start < text.n:
            end = part_end(self, text, start, scratch)
            part = part_of(text, start, end)
            if not scratch.view_units(&part, &view):
                return CTOK_E_MEMORY
            if start > 0:
                n_later = <size_t>(1.03 * (room.n - n_before) / start * (text.n - end))
            if not make_room(room, ctok_encode_bound(self.model, view.len), n_later):
                return CTOK_E_MEMORY
            out = output_to(room)
            status = ctok_encode(self.model, scratch.ptr, view, &sets.options, &out, err)
            if status != CTOK_OK:
                return status
            room.n += out.n
            start = end
        return CTOK_OK

    cdef int encode_whole(self, str text, const Units* units, SpecialSets sets, Scratch scratch,
                          Room* room) except -1:
        """Encodes a str into a room without ids."""
        cdef ctok_status status
        cdef ctok_output out
        cdef ctok_error err

        if units.n > UNITS_PER_PART and not sets.foreign:
            with nogil:
                status = self.encode_units(units, sets, scratch, room, &err)
            if status == CTOK_OK:
                return 0
            room.n = 0  # all of it again, to say where in the text
        if not make_room(room, self.ids_bound(units, units.n), 0):
            raise MemoryError()
        out = output_to(room)
        self.encode_into(text, units, sets, scratch, &out)
        room.n = out.n
        return 0

    cdef list encode_list(self, str text, SpecialSets sets):
        cdef Scratch scratch = self.pool.borrow()
        cdef Units units
        cdef Room room

        units_of(text, &units)
        memset(&room, 0, sizeof(room))
        try:
            scratch.lend(self.ids_bound(&units, UNITS_PER_PART), &room)
            self.encode_whole(text, &units, sets, scratch, &room)
            return ctok_new_list(room.ids, room.n, self.info.max_id)
        finally:
            drop_room(&room)
            self.pool.give_back(scratch)

    cdef IdBuffer encode_buffer(self, str text, SpecialSets sets):
        cdef Scratch scratch = self.pool.borrow()
        cdef Units units
        cdef Room room
        cdef size_t bound

        units_of(text, &units)
        memset(&room, 0, sizeof(room))
        try:
            bound = self.ids_bound(&units, UNITS_PER_PART)
            if bound <= COPIED or units.n > UNITS_PER_PART:
                scratch.lend(bound, &room)
            self.encode_whole(text, &units, sets, scratch, &room)
            return take_room(&room)
        finally:
            drop_room(&room)
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
        cdef Units units

        memset(&out, 0, sizeof(out))
        units_of(words, &units)
        out.cap = self.ids_bound(&units, units.n)
        out.ids = <uint32_t*>malloc(out.cap * sizeof(uint32_t))
        out.ranges = <ctok_range*>malloc(out.cap * sizeof(ctok_range))
        try:
            if out.ids == NULL or out.ranges == NULL:
                raise MemoryError()
            self.encode_into(words, &units, sets, scratch, &out)
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
