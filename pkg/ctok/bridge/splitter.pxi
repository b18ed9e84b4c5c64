# Patterns: which engine splits by them, their classes, splitting on its own.

cdef dict CPUS = {
    "best": CTOK_CPU_BEST,
    "portable": CTOK_CPU_PORTABLE,
    "neon": CTOK_CPU_NEON,
    "avx2": CTOK_CPU_AVX2,
    "avx512": CTOK_CPU_AVX512,
}


def cpu():
    """The vector code in use: what CTOK_CPU names, or the best here if this machine lacks that."""
    cdef int used = ctok_cpu_used(<ctok_cpu>cpu_wanted())
    return next(name for name, tier in CPUS.items() if tier == used)


cdef int cpu_wanted() except -1:
    name = config.cpu()
    if name not in CPUS:
        raise ctok_errors.ValidationError(
            f"CTOK_CPU is {name!r}, one of {', '.join(CPUS)} expected")
    return CPUS[name]


cdef int make_splitter(str pattern, object engine, ctok_splitter* out) except -1:
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

    def __cinit__(self, pattern not None, engine=None):
        self.pattern = as_text(pattern)
        make_splitter(self.pattern, engine, &self.splitter)

    def __dealloc__(self):
        ctok_splitter_free(&self.splitter)

    @property
    def engine(self):
        return self.splitter.name.decode()

    def split(self, text):
        """The pieces of a text, in order."""
        cdef str words = as_text(text)
        cdef Scratch scratch = Scratch(0)
        cdef void* state = NULL
        cdef ctok_bytes view
        cdef list pieces = []

        scratch.view(words, &view)
        if self.splitter.state_new != NULL:
            state = self.splitter.state_new(self.splitter.self)
            if state == NULL:
                raise MemoryError()
        try:
            split_all(&self.splitter, state, words, view, pieces)
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
