# Places in a text: where it may be cut, and what byte is which character.

# So many characters at a time become UTF-8 and then ids: both fit into a processor's cache. Twice
# as many, or more, where there is no place to cut among so many before the end.
cdef size_t UNITS_PER_PART = 65536
cdef size_t UNITS_BEFORE_CUT = 1024

cdef size_t characters_in(const uint8_t* utf8, size_t n) noexcept nogil:
    """How many characters start in n bytes."""
    cdef size_t n_chars = 0
    cdef size_t i

    for i in range(n):
        n_chars += (utf8[i] & 0xC0) != 0x80
    return n_chars


cdef size_t cut_between(Model model, const Units* text, size_t after, size_t at,
                        Scratch scratch) noexcept nogil:
    """The last place after one and at or before another one, inside of the text, where it may be
    cut without a change to its ids; none when it is not after. Looks at no more of the text than
    it must."""
    cdef size_t margin = model.info.max_token_len
    cdef size_t back = UNITS_BEFORE_CUT
    cdef size_t end = min(text.n, at + margin + 1)
    cdef size_t start, place
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
        place = ctok_encode_cut(model.model, view, place)
        if place > 0 and (start == 0 or place >= margin):
            return start + characters_in(view.ptr, place)
        if start <= after:
            return 0
        back *= 16


cdef size_t part_end(Model model, const Units* text, size_t start,
                     Scratch scratch) noexcept nogil:
    """Where to end the part of a text that is encoded next: what is long is cut, where that changes
    no id."""
    cdef size_t n = UNITS_PER_PART
    cdef size_t end

    while n < text.n - start:
        end = cut_between(model, text, start + n - UNITS_BEFORE_CUT, start + n, scratch)
        if end > start:
            return end
        n *= 2
    return text.n


cdef Py_ssize_t character_at(str text, ctok_bytes view, size_t position) except -1:
    """The character of a text in which a byte of its UTF-8 is."""
    cdef size_t n_chars = characters_in(view.ptr, min(position, view.len))

    if n_chars > 0 and position < view.len and (view.ptr[position] & 0xC0) == 0x80:
        n_chars -= 1  # inside of it
    from . import surrogates
    return surrogates.place(text, n_chars)


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
