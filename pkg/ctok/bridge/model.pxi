# A model in the core: from a builder or from an image, and what can be asked of it.

cdef inline const uint32_t* numbers(bytes table) noexcept:
    """The uint32 numbers that bytes hold."""
    return <const uint32_t*><const char*>table


cdef Py_ssize_t n_numbers(bytes table) except -1:
    if len(table) % 4 != 0:
        raise ctok_errors.ValidationError(f"{len(table)} bytes hold no whole uint32 numbers")
    return len(table) // 4


def has_empty_token(bytes ends not None):
    """Whether one of the tokens that end there has no bytes."""
    cdef const uint32_t* end = numbers(ends)
    cdef uint32_t start = 0
    cdef Py_ssize_t i

    for i in range(n_numbers(ends)):
        if end[i] == start:
            return True
        start = end[i]
    return False


cdef ctok_model* model_of_image(const Py_buffer* image, bytes fingerprint, pattern, engine,
                                size_t n_specials) except? NULL:
    """The model of an image; NULL when it is no image of that."""
    cdef ctok_image_options options
    cdef ctok_model_info info
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
    if model != NULL:
        ctok_model_describe(model, &info)
        if info.n_specials != n_specials:  # sets of them would be too short
            ctok_model_free(model)
            return NULL
    return model


@cython.no_gc_clear
cdef class Model:
    """A finished model, built or from an image: what it holds and what it knows.

    No cycle goes through its fields, and none is cleared before __dealloc__ uses it.
    """
    cdef ctok_model* model
    cdef Py_buffer image  # whose bytes are the model's tables, if it was not built
    cdef ctok_model_info info
    cdef Pool pool
    cdef bint is_claimed
    cdef object __weakref__

    def __cinit__(self, *args, **kwargs):
        self.pool = Pool(config.cache_bytes(CTOK_CACHE_DEFAULT))

    def __dealloc__(self):
        # The scratches hold splitter states of this model, and the model's tables may be those of
        # the image.
        if self.pool is not None:
            self.pool.clear()
        ctok_model_free(self.model)
        PyBuffer_Release(&self.image)

    def _claim(self):
        """To be called before anything of it is filled, which happens once: other threads may be
        using what is there. ValidationError the second time."""
        if self.is_claimed:
            raise ctok_errors.ValidationError(
                "this encoding was built already, or refused, and does not change: "
                "make another one")
        self.is_claimed = True

    def _build(self, bytes blob not None, bytes ends not None, bytes ids not None,
               merges, specials, pattern, engine, bint whole_piece, bint allow_duplicates):
        """Fills and finishes a builder, after _claim. ends, ids: uint32 numbers; merges: None or
        three such; specials: (bytes, id) pairs; pattern: None for no splitting."""
        cdef ctok_builder* builder = NULL
        cdef ctok_splitter splitter
        cdef ctok_error err
        cdef ctok_bytes view
        cdef bytes left, right, merged
        cdef uint32_t flags = 0

        if n_numbers(ends) != n_numbers(ids):
            raise ctok_errors.ValidationError(
                f"{n_numbers(ends)} token ends for {n_numbers(ids)} ids")
        memset(&err, 0, sizeof(err))
        if ctok_builder_new(&builder, NULL, &err) != CTOK_OK:
            raise failure(&err)
        try:
            view.ptr = <const uint8_t*><const char*>blob
            view.len = len(blob)
            if ctok_builder_add_tokens(builder, view, numbers(ends), numbers(ids),
                                       <size_t>n_numbers(ids), &err) != CTOK_OK:
                raise failure(&err)
            if merges is not None:
                left, right, merged = merges
                if not n_numbers(left) == n_numbers(right) == n_numbers(merged):
                    raise ctok_errors.ValidationError("merges of unequal length")
                if ctok_builder_add_merges(
                    builder, numbers(left), numbers(right), numbers(merged),
                    <size_t>n_numbers(left), &err
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
        cdef size_t n
        cdef PyObject* made
        cdef uint8_t* start
        cdef const uint8_t* key = <const uint8_t*><const char*>fingerprint
        cdef ctok_error err
        cdef ctok_status status

        self.check_built()
        assert len(fingerprint) == FINGERPRINT_LEN
        n = ctok_model_image_size(self.model)
        made = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>n)
        if made == NULL:
            raise MemoryError()
        out = <bytes>made
        Py_DECREF(out)
        start = <uint8_t*>PyBytes_AS_STRING(made)
        ctok_ask_huge_pages(start, n)
        memset(&err, 0, sizeof(err))
        with nogil:
            status = ctok_model_image_write(self.model, key, start, n, &n, &err)
        if status != CTOK_OK:
            raise failure(&err)
        return out

    def _from_image(self, image, bytes fingerprint not None, pattern, engine, size_t n_specials):
        """Takes the model in an image, whose memory is held as long as this lives. False when it is
        no image of that."""
        cdef Py_buffer held
        cdef ctok_model* model = NULL

        assert len(fingerprint) == FINGERPRINT_LEN
        PyObject_GetBuffer(image, &held, PyBUF_SIMPLE)
        try:
            model = model_of_image(&held, fingerprint, pattern, engine, n_specials)
        except BaseException:
            PyBuffer_Release(&held)
            raise
        if model == NULL:
            PyBuffer_Release(&held)
            return False
        self.model = model
        self.image = held
        self.describe()
        return True

    cdef int describe(self) except -1:
        """For a model that is new."""
        ctok_model_describe(self.model, &self.info)
        self.pool.is_open = True
        return 0

    cdef int check_built(self) except -1:
        """ValidationError while there is no model yet."""
        if self.model == NULL:
            raise not_built()
        return 0

    @property
    def _info(self):
        """What the core says of the model."""
        self.check_built()
        info = dict(self.info)
        info["cache_bytes"] = self.pool.cache_bytes
        info["splitter"] = self.info.splitter.decode() if self.info.splitter != NULL else "none"
        return info

    def _token_bytes(self, uint32_t token_id):
        """The bytes of an id, or None."""
        cdef ctok_bytes token
        self.check_built()
        if ctok_model_token(self.model, token_id, &token) != CTOK_OK:
            return None
        return (<const char*>token.ptr)[:token.len]

    def _find(self, bytes token not None):
        """The id of a token, specials excluded, or None."""
        cdef ctok_bytes view
        cdef uint32_t token_id
        self.check_built()
        view.ptr = <const uint8_t*><const char*>token
        view.len = len(token)
        if ctok_model_find(self.model, view, &token_id) != CTOK_OK:
            return None
        return token_id

    def _merge(self, bytes left not None, bytes right not None):
        """(rank, merged bytes) of two tokens that merge, or None."""
        cdef ctok_bytes left_view, right_view, merged
        cdef uint32_t rank
        self.check_built()
        left_view.ptr = <const uint8_t*><const char*>left
        left_view.len = len(left)
        right_view.ptr = <const uint8_t*><const char*>right
        right_view.len = len(right)
        if ctok_model_merge(self.model, left_view, right_view, &rank, &merged) != CTOK_OK:
            return None
        return rank, (<const char*>merged.ptr)[:merged.len]

    def cache_clear(self):
        """Forgets all cached words and gives their memory back. Results do not change.

        An encoding has one cache of at most 13 MiB, or what ``CTOK_CACHE_BYTES`` said when it
        was made, for as many calls as ever ran at the same time. Calls that run now keep theirs.

        >>> import ctok
        >>> enc = ctok.get_encoding("gpt2")
        >>> ids = enc.encode("hello world")
        >>> enc.cache_clear()
        >>> enc.encode("hello world") == ids
        True
        """
        self.pool.clear()
