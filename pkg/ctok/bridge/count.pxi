# How many ids a text has, and the beginning of it that has few enough.

# How far the characters of some ids reach, to begin with, and to find a place to cut.
cdef size_t UNITS_PER_ID = 6
cdef size_t NEAR_UNITS = 64


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
        cdef ctok_output out
        self.count_into(as_text(text), self.sets(allowed_special, disallowed_special), 0, &out)
        return out.n

    def _truncate(self, text, max_tokens):
        """(text, ids) of the beginning of a text that has so few ids on its own."""
        cdef str words = as_text(text)
        cdef size_t max_ids = min(max_tokens, 4 * len(words))  # no id has less than a byte
        cdef size_t near = UNITS_PER_ID * max_ids + NEAR_UNITS
        cdef bint is_part = True
        cdef Scratch scratch = self.pool.borrow()
        cdef size_t n_chars
        cdef Units units
        cdef ctok_bytes view
        cdef ctok_head head
        cdef ctok_error err
        cdef ctok_status status

        units_of(words, &units)
        try:
            # What is not ASCII is made UTF-8 first: of a long text no more than it takes.
            while is_part:
                is_part = scratch.view_beginning(&units, near, &view)
                if max_ids < MANY:
                    status = ctok_truncate(self.model, scratch.ptr, view, max_ids, &head, &err)
                else:
                    with nogil:
                        status = ctok_truncate(self.model, scratch.ptr, view, max_ids, &head,
                                               &err)
                if is_part and status == CTOK_OK and self.is_decided(view, head.seen):
                    break
                near *= 4
            if status != CTOK_OK:
                raise self.encode_failure(words, view, &err)
            if head.len == view.len and not is_part:
                return words, head.n_ids
            if scratch.n_surrogates > 0:
                return words[:character_at(words, view, head.len)], head.n_ids
            n_chars = characters_in(view.ptr, head.len)
            if n_chars < head.len:
                return words[:n_chars], head.n_ids
            # ASCII is quicker copied from what was made of the text than from the text.
            return PyUnicode_DecodeUTF8(<const char*>view.ptr, <Py_ssize_t>n_chars,
                                        NULL), head.n_ids
        finally:
            self.pool.give_back(scratch)

    cdef bint is_decided(self, ctok_bytes part, size_t end) noexcept:
        """Whether the bytes before end have the ids that they have in the whole text: a place to
        cut comes behind them."""
        if end == part.len:
            return False
        while end > 0 and (part.ptr[end] & 0xC0) == 0x80:
            end -= 1
        part.ptr += end
        part.len -= end
        return ctok_encode_cut(self.model, part, part.len - 1) > 0

    cdef int count_into(self, str text, SpecialSets sets, size_t limit,
                        ctok_output* out) except -1:
        cdef Scratch scratch = self.pool.borrow()

        memset(out, 0, sizeof(ctok_output))
        try:
            return self.encode_into(text, sets, scratch, limit, out)
        finally:
            self.pool.give_back(scratch)
