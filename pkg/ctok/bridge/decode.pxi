# Ids to bytes and text: many at once, or one at a time as they arrive.

# Room made for the bytes of an id, to begin with.
cdef size_t BYTES_PER_ID = 8


cdef class Codec(Counter):
    """A model that encodes, counts and decodes. encoding.Encoding gives it its manners."""

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
        cdef Scratch scratch = self.pool.borrow()
        cdef Ids ids

        ids.is_held = False
        try:
            gather(tokens, scratch, &ids)
            return self.bytes_of(&ids)
        finally:
            if ids.is_held:
                PyBuffer_Release(&ids.buffer)
            self.pool.give_back(scratch)

    def decode(self, tokens, errors="replace"):
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
        cdef const char* handler = handler_of(errors)
        cdef Scratch scratch = self.pool.borrow()
        cdef Ids ids

        ids.is_held = False
        try:
            gather(tokens, scratch, &ids)
            return self.text_of(&ids, scratch, handler)
        finally:
            if ids.is_held:
                PyBuffer_Release(&ids.buffer)
            self.pool.give_back(scratch)

    def decode_tokens_bytes(self, tokens):
        """The bytes of each id.

        Args:
            tokens: the ids: anything that gives integers one after the other.

        Returns:
            A list of bytes, as long as tokens.

        Raises:
            UnknownTokenIdError, InvalidTokenIdError, TokenIdRangeError: as in
                :meth:`decode_bytes`.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_tokens_bytes([31373, 995])
        [b'hello', b' world']
        """
        cdef Scratch scratch = self.pool.borrow()
        cdef list parts = []
        cdef ctok_bytes token
        cdef ctok_error err
        cdef size_t i, length
        cdef Ids ids

        ids.is_held = False
        try:
            if type(tokens) is not list and not PyObject_CheckBuffer(tokens):
                tokens = list(tokens)  # unlike decode, this takes whatever can be iterated over
            gather(tokens, scratch, &ids)
            if ctok_decode_len(self.model, ids.ids, ids.n, &length, &err) != CTOK_OK:
                raise failure(&err)
            for i in range(ids.n):
                if ctok_model_token(self.model, ids.ids[i], &token) != CTOK_OK:
                    raise RuntimeError("ids changed while they were read")
                parts.append((<const char*>token.ptr)[:token.len])
            return parts
        finally:
            if ids.is_held:
                PyBuffer_Release(&ids.buffer)
            self.pool.give_back(scratch)

    def decode_with_offsets(self, tokens):
        """The text, and for each id the character at which it starts.

        An id that starts inside a character has the index of that character.

        Args:
            tokens: the ids: anything that gives integers one after the other.

        Returns:
            The text, and a list of indices into it, as long as tokens.

        Raises:
            UnicodeDecodeError: the ids are not valid UTF-8 together.
            UnknownTokenIdError, InvalidTokenIdError, TokenIdRangeError: as in
                :meth:`decode_bytes`.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_with_offsets([31373, 995])
        ('hello world', [0, 5])
        """
        cdef list parts = self.decode_tokens_bytes(tokens)
        cdef list starts = []
        cdef size_t n_chars = 0
        cdef bytes part
        cdef const uint8_t* data

        for part in parts:
            data = <const uint8_t*><const char*>part
            # A bytes object ends in a zero, which is inside of nothing.
            starts.append(n_chars - 1 if n_chars > 0 and (data[0] & 0xC0) == 0x80 else n_chars)
            n_chars += characters_in(data, <size_t>len(part))
        return b"".join(parts).decode("utf-8", "strict"), starts

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

    def decode_stream(self, errors="replace"):
        """A decoder for ids that arrive one at a time; each costs the same however many came
        before.

        Args:
            errors: what to do about bytes that are not UTF-8, as in :meth:`decode`.

        Returns:
            A :class:`DecodeStream`: ``push(id)`` gives the text that is complete with this
            id, ``flush()`` what is left at the end.

        Raises:
            TypeError: errors is not str.

        >>> import ctok
        >>> enc = ctok.get_encoding("gpt2")
        >>> stream = enc.decode_stream()
        >>> [stream.push(token_id) for token_id in enc.encode("héllo 🦜")]
        ['h', 'é', 'llo', ' ', '', '🦜']
        >>> stream.flush()
        ''
        """
        return DecodeStream(self, errors)


cdef class DecodeStream:
    """Ids one at a time to text: see :meth:`ctok.Encoding.decode_stream`, which makes it.

    Bytes of a character that is not complete are held back until it is. Belongs to one thread
    at a time.
    """
    cdef Model codec
    cdef bytes handler
    cdef bytes held

    def __cinit__(self, Model codec not None, errors="replace"):
        codec.check_built()
        self.codec = codec
        self.handler = handler_of(errors)
        self.held = b""

    def push(self, token_id):
        """Takes the next id.

        Args:
            token_id: an integer.

        Returns:
            The text that is complete with it; "" while a character is not.

        Raises:
            UnknownTokenIdError: (a KeyError) no token has this id; what is held back stays.
            InvalidTokenIdError, TokenIdRangeError: as in :meth:`Encoding.decode`.
            UnicodeDecodeError: with errors="strict", bytes that are not UTF-8.

        >>> import ctok
        >>> stream = ctok.get_encoding("gpt2").decode_stream()
        >>> stream.push(2634), stream.push(127), stream.push(102)
        ('é', '', 'é')
        """
        cdef ctok_bytes token
        cdef int64_t value = ctok_small_int(<PyObject*>token_id)
        # CPython 3.11.2 leaves it alone when all is ASCII (gh-99612): then all is consumed.
        cdef Py_ssize_t consumed
        cdef bytes data
        cdef str text

        if value < 0:
            value = token_id_of(token_id)
        if ctok_model_token(self.codec.model, <uint32_t>value, &token) != CTOK_OK:
            raise ctok_errors.UnknownTokenIdError(f"id {value} is not a token", token_id=value)
        if not self.held:
            consumed = <Py_ssize_t>token.len
            text = PyUnicode_DecodeUTF8Stateful(<const char*>token.ptr, <Py_ssize_t>token.len,
                                                self.handler, &consumed)
            if consumed < <Py_ssize_t>token.len:
                self.held = (<const char*>token.ptr)[consumed:token.len]
            return text
        data = self.held + (<const char*>token.ptr)[:token.len]
        consumed = len(data)
        text = PyUnicode_DecodeUTF8Stateful(data, len(data), self.handler, &consumed)
        self.held = data[consumed:]
        return text

    def flush(self):
        """Ends the stream, which can be used again.

        Returns:
            What is held back and no id will complete any more, as `errors` says.

        Raises:
            UnicodeDecodeError: with errors="strict", when there is any.

        >>> import ctok
        >>> stream = ctok.get_encoding("gpt2").decode_stream()
        >>> stream.push(127), stream.flush()
        ('', '\ufffd')
        """
        data = self.held
        self.held = b""
        return data.decode("utf-8", self.handler.decode())
