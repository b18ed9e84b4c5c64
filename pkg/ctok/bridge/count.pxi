# How many ids a text has, and the beginning of it that has few enough.

# How far the characters of some ids reach, as a rule: those of ASCII, others, and to find a place
# to cut.
cdef size_t ASCII_PER_ID = 5
cdef double OTHERS_PER_ID = 1.5
cdef size_t NEAR_UNITS = 64


cdef size_t units_near(const Units* text, size_t n_ids) noexcept nogil:
    """About as many units of a text as n_ids stand for, by what its first ones are."""
    cdef size_t n_seen = min(text.n, NEAR_UNITS)
    cdef double others, reach

    if n_ids >= text.n:
        return text.n
    if text.size == 0:
        return ASCII_PER_ID * n_ids + NEAR_UNITS
    others = <double>others_among(text, n_seen, 1) / <double>n_seen
    reach = <double>n_ids * (ASCII_PER_ID * (1 - others) + OTHERS_PER_ID * others)
    return <size_t>reach + NEAR_UNITS


cdef class Counter(Encoder):
    """A model that counts."""

    def count(self, text, *, allowed_special=NO_SPECIALS, disallowed_special=()):
        """How many ids a text has, without making them into Python objects.

        Args:
            text: what to count.
            allowed_special, disallowed_special: as in :meth:`encode`, but by default special
                tokens are ordinary text.

        Returns:
            The number of ids that :meth:`encode` would give.

        Raises:
            TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("o200k_base").count("How many tokens is this?")
        6
        """
        cdef str words = as_text(text)
        cdef SpecialSets sets = self.sets(allowed_special, disallowed_special)
        cdef Scratch scratch = self.pool.borrow()
        cdef Units units
        cdef Room room

        units_of(words, &units)
        memset(&room, 0, sizeof(room))
        room.is_for_count = True
        try:
            self.encode_whole(words, &units, sets, scratch, &room)
        finally:
            self.pool.give_back(scratch)
        return room.n

    def _fits(self, text, max_tokens):
        """Whether a text has so few ids."""
        cdef str words = as_text(text)
        cdef Scratch scratch
        cdef ctok_bytes view
        cdef ctok_head head

        max_tokens = PyNumber_Index(max_tokens)
        if max_tokens < 0:
            return False
        scratch = self.pool.borrow()
        try:
            return self.find_head(words, max_tokens, scratch, &view, &head)
        finally:
            self.pool.give_back(scratch)

    def _truncate(self, text, max_tokens, kind):
        """The beginning of a text that has so few ids on its own, how many it has, and whether that
        is not all, as a tuple of a kind."""
        cdef str words = as_text(text)
        cdef Scratch scratch
        cdef ctok_bytes view
        cdef ctok_head head

        max_tokens = PyNumber_Index(max_tokens)
        if max_tokens < 0:
            raise ctok_errors.ValidationError(
                f"max_tokens is {max_tokens}, 0 or more expected")
        scratch = self.pool.borrow()
        try:
            if self.find_head(words, max_tokens, scratch, &view, &head):
                return CTOK_TUPLE_NEW(kind, ((words, head.n_ids, False),))
            if scratch.n_surrogates > 0:
                words = words[:character_at(words, view, head.len)]
            else:
                words = PyUnicode_DecodeUTF8(<const char*>view.ptr, <Py_ssize_t>head.len, NULL)
            return CTOK_TUPLE_NEW(kind, ((words, head.n_ids, True),))
        finally:
            self.pool.give_back(scratch)

    cdef bint find_head(self, str words, max_tokens, Scratch scratch, ctok_bytes* view,
                        ctok_head* head) except -1:
        """Finds that in what the scratch makes of the text. Whether it is all of the text."""
        cdef size_t max_ids = min(max_tokens, 4 * len(words))  # no id has less than a byte
        cdef size_t near
        cdef double more
        cdef bint is_part
        cdef Units units
        cdef ctok_error err
        cdef ctok_status status

        units_of(words, &units)
        near = units_near(&units, max_ids)
        while True:
            is_part = self.view_near(&units, near, scratch, view)
            if view.len < MANY:
                status = ctok_truncate(self.model, scratch.ptr, view[0], max_ids, head, &err)
            else:
                with nogil:
                    status = ctok_truncate(self.model, scratch.ptr, view[0], max_ids, head, &err)
            if not is_part:
                break
            if status != CTOK_OK:
                near = units.n  # which fails too, and says where in all of the text
            elif head.len < view.len:
                return False
            else:  # as much more as it had too few ids, and some
                more = <double>near * <double>(max_ids - head.n_ids) / <double>(head.n_ids + 1)
                near += <size_t>min(more, <double>units.n) + near // 4 + NEAR_UNITS
        if status != CTOK_OK:
            raise self.encode_failure(words, view[0], &err)
        return head.len == view.len

    cdef bint view_near(self, const Units* units, size_t n, Scratch scratch,
                        ctok_bytes* view) except -1:
        """Views some n units of a text, or more, up to a place where it may be cut; all of it where
        no such place is known. Whether that is a part."""
        while scratch.view_beginning(units, n, view):
            view.len = ctok_encode_cut(self.model, view[0], view.len - 1)
            if view.len > 0:
                return True
            n *= 16
        return False
