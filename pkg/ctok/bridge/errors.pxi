# What a call of the core failed with, as an exception.

cdef str message_of(const ctok_error* err):
    return (<const char*>err.message).decode("utf-8", "replace")


cdef object failure(const ctok_error* err):
    """The exception for a failed call. Those that need more context are made by the caller."""
    message = message_of(err)
    if err.code == CTOK_E_MEMORY:
        return MemoryError(message)
    if err.code == CTOK_E_LIMIT:
        return ctok_errors.LimitError(message)
    if err.code == CTOK_E_DUPLICATE:
        return ctok_errors.InvalidRanksError(message, token_id=err.id)
    if err.code == CTOK_E_ID:
        return ctok_errors.UnknownTokenIdError(message, token_id=err.id, index=err.position)
    return ctok_errors.ValidationError(message)


cdef object not_built():
    return ctok_errors.ValidationError(
        "this encoding has no tokens yet: a class derived from Encoding calls "
        "super().__init__(...) before anything else")


cdef object text_failure(str text, ctok_bytes view, const ctok_error* err):
    """The exception for a text that cannot be split or whose bytes are no tokens."""
    cdef size_t at = min(err.position, view.len)
    offset = character_at(text, view, at)
    if err.code == CTOK_E_SPLIT:
        message = message_of(err)
        return ctok_errors.SplitError(f"{message} (character {offset})", offset=offset)
    byte = (<const char*>view.ptr)[at:at + 1]
    return ctok_errors.MissingRankError(
        f"byte {byte!r} at character {offset} is no token and merges into none",
        piece=byte, offset=offset,
    )


cdef const char* handler_of(object errors) except NULL:
    """The name of an error handler, for as long as the object lives."""
    cdef const char* name
    cdef Py_ssize_t n

    if not isinstance(errors, str):
        raise TypeError(f"errors is {type(errors).__name__}, str expected")
    name = PyUnicode_AsUTF8AndSize(errors, &n)
    if strlen(name) != <size_t>n:
        raise ValueError("embedded null character")
    return name


cdef object pattern_failure(str pattern, const ctok_error* err):
    offset = len(pattern.encode()[:err.position].decode("utf-8", "replace"))
    message = message_of(err)
    return ctok_errors.InvalidPatternError(
        f"pattern: {message} (character {offset})", pattern=pattern, offset=offset
    )


cdef str as_text(object text):
    """A text that is str or a subclass of it: `str` in the signature of a def, or of a cdef that
    is given an object, would refuse the latter."""
    if not isinstance(text, str):
        raise ctok_errors.TextTypeError(f"text is {type(text).__name__}, str expected", value=text)
    return <str>text
