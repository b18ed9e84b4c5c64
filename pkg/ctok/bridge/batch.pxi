# Many texts at once: batches, and where their ids go. Who runs them is in crew.pxi.

# A text is not cut for less than this many characters.
cdef size_t MIN_PART = 1 << 14


@cython.final
cdef class Output:
    """Where a thread puts the ids of its share, one batch behind the other."""
    cdef uint32_t* ids
    cdef size_t n
    cdef size_t cap

    def __cinit__(self, size_t cap):
        self.cap = cap
        self.ids = ctok_new_ids(cap)
        if self.ids == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.ids)


cdef size_t ids_expected(const Units* text) noexcept nogil:
    """How many ids a text has at most, as a rule: one for three characters of ASCII, three for two
    others, of which there are as many as among eight."""
    cdef size_t step = text.n // 8 + 1
    cdef size_t n_seen = (text.n + step - 1) // step
    cdef size_t n_others = others_among(text, n_seen, step) if text.size > 0 else 0

    return text.n // 3 + (3 * text.n * n_others // (2 * n_seen) if n_others > 0 else 0) + 8


@cython.final
cdef class Batch:
    """Texts, or parts of long ones, encoded one after the other by whichever thread calls run."""
    cdef Codec codec
    cdef SpecialSets sets
    cdef list texts        # one for each part
    cdef size_t first      # the number of the first text
    cdef bint is_continued  # the first part goes on with the last text of the batch before
    cdef Units* parts
    cdef size_t n_parts
    cdef size_t parts_cap
    cdef size_t n_units
    cdef size_t n_at_once   # ids that there must be room for before a part is encoded
    cdef size_t n_done
    cdef Output output  # of its share
    cdef Room room      # in there, or its own
    cdef size_t* counts  # of ids, by part; NULL until it is run, or without memory
    cdef PyObject* finished_before  # the batch that was run before it, or NULL
    cdef list lists  # of ids, by part, that the collector does not have; None until they are made
    cdef ctok_status status
    cdef ctok_error err

    def __cinit__(self, Codec codec not None, SpecialSets sets not None, size_t first,
                  bint is_continued):
        self.codec = codec
        self.sets = sets
        self.texts = []
        self.first = first
        self.is_continued = is_continued

    def __dealloc__(self):
        free(self.parts)
        drop_room(&self.room)
        free(self.counts)

    cdef int add(self, object text, const Units* units, size_t start, size_t end) except -1:
        """Takes units from start to end of a text."""
        cdef Units* grown
        cdef size_t cap

        if self.n_parts == self.parts_cap:
            cap = 2 * self.parts_cap + 16
            grown = <Units*>realloc(self.parts, cap * sizeof(Units))
            if grown == NULL:
                raise MemoryError()
            self.parts = grown
            self.parts_cap = cap
        self.parts[self.n_parts] = part_of(units, start, end)
        self.room.n_expected += ids_expected(&self.parts[self.n_parts])
        self.n_at_once = max(
            self.n_at_once, self.codec.ids_bound(&self.parts[self.n_parts], UNITS_PER_PART))
        self.n_parts += 1
        self.n_units += end - start
        self.texts.append(text)
        return 0

    cdef void run(self, Scratch scratch, bint is_own) noexcept nogil:
        """Encodes all texts: to the end of the output, if this is the thread whose share it is and
        there is room, else to memory of the batch's own. Raises nothing: see check."""
        cdef size_t n_before
        cdef size_t i

        self.counts = <size_t*>calloc(self.n_parts + 1, sizeof(size_t))
        if self.counts == NULL:
            return
        if is_own:
            self.room.ids = self.output.ids + self.output.n
            self.room.cap = self.output.cap - self.output.n
        for i in range(self.n_parts):
            n_before = self.room.n
            self.status = self.codec.encode_units(
                &self.parts[i], self.sets, scratch, &self.room, &self.err)
            if self.status != CTOK_OK:
                break
            self.counts[i] = self.room.n - n_before
            self.n_done += 1
        if is_own and not self.room.is_own:
            self.output.n += self.room.n

    def check(self):
        """Raises what run met."""
        if self.counts == NULL or self.status == CTOK_E_MEMORY:
            raise MemoryError()
        if self.status != CTOK_OK:
            try:
                # On its own, the whole text fails at its first wrong place.
                self.codec.encode_list(<str>self.texts[self.n_done], self.sets)
                raise failure(&self.err)
            except Exception as error:
                error.add_note(f"in text {self.first + self.n_done} of the batch")
                raise

    cdef bint make_lists(self) except -1:
        """Makes lists of its ids, for join_lists, not for Python's collector. False if not all were
        found."""
        cdef const uint32_t* ids = self.room.ids
        cdef list lists = []
        cdef list made
        cdef size_t i

        if self.n_done < self.n_parts:
            return False
        for i in range(self.n_parts):
            made = ctok_new_list(ids, self.counts[i], self.codec.info.max_id)
            PyObject_GC_UnTrack(<PyObject*>made)
            lists.append(made)
            ids += self.counts[i]
        self.lists = lists
        return True

    def add_lengths_to(self, list out not None):
        """Appends how many ids each text has."""
        cdef size_t i
        for i in range(self.n_parts):
            if i == 0 and self.is_continued:
                out[len(out) - 1] += self.counts[i]
            else:
                out.append(self.counts[i])


def join_lists(list batches not None):
    """A list of ids for each text, of batches that were run as lists. Python's collector has them
    from here on: before, it would have looked at every id whenever 700 lists were new (2,000 from
    Python 3.13 on), which takes as long as to find them on two threads."""
    cdef list joined = []
    cdef Batch batch

    for batch in batches:
        if batch.is_continued:
            (<list>joined[len(joined) - 1]).extend(batch.lists.pop(0))
        joined.extend(batch.lists)
        batch.lists = None
    for ids in joined:
        PyObject_GC_Track(<PyObject*>ids)
    return joined


def join_batches(list batches not None):
    """All ids in one buffer: behind those of the first share, if its output has room. The batches
    have none any more."""
    cdef Batch batch
    cdef Output first = (<Batch>batches[0]).output
    cdef Room joined
    cdef size_t n = 0
    cdef bint has_room = True  # and nobody is moved over ids of those behind

    for batch in batches:
        if batch.output is first and not batch.room.is_own and batch.room.n > 0:
            has_room &= n <= <size_t>(batch.room.ids - first.ids)
        n += batch.room.n
    has_room &= n <= first.cap
    memset(&joined, 0, sizeof(joined))
    if has_room:
        joined.ids = first.ids
        joined.cap = first.cap
        joined.is_own = True
        first.ids = NULL
    elif not make_room(&joined, n, 0):
        raise MemoryError()
    try:
        for batch in batches:
            if joined.ids + joined.n != batch.room.ids and batch.room.n > 0:
                memmove(joined.ids + joined.n, batch.room.ids, batch.room.n * sizeof(uint32_t))
            joined.n += batch.room.n
            drop_room(&batch.room)
        return take_room(&joined)
    finally:
        drop_room(&joined)


def count_chars(list texts not None):
    """How many characters the texts have together. TextTypeError for what is none."""
    cdef size_t total = 0
    cdef size_t i

    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ctok_errors.TextTypeError(
                f"text {i} is {type(text).__name__}, str expected", value=text)
        total += <size_t>PyUnicode_GET_LENGTH(text)
    return total


def plan_batches(Codec codec not None, SpecialSets sets not None, list texts not None,
                 size_t n_chars, size_t n_batches):
    """Batches of about equal size, at most n_batches and at least one, in order, of texts that were
    counted. Long ones are cut where that changes no id."""
    cdef size_t i, start, end, room, share
    cdef Units units
    cdef Batch batch = Batch(codec, sets, 0, False)
    cdef list batches = [batch]
    cdef Scratch scratch = codec.pool.borrow()

    try:
        for text in texts if sets.foreign else ():
            for foreign in sets.foreign:
                if foreign in text:
                    raise codec._disallowed(None, text.index(foreign), foreign)
        share = n_chars // max(n_batches, 1) + 1
        for i, text in enumerate(texts):
            units_of(<str>text, &units)
            start = 0
            while True:
                if batch.n_units >= share and <size_t>len(batches) < n_batches:
                    batch = Batch(codec, sets, i, start > 0)
                    batches.append(batch)
                room = share - batch.n_units if share > batch.n_units else 0
                end = 0
                if (<size_t>len(batches) < n_batches and room >= MIN_PART
                        and units.n - start >= room + MIN_PART):
                    end = cut_between(codec, &units, start, start + room, scratch)
                if end <= start:
                    batch.add(text, &units, start, units.n)
                    break
                batch.add(text, &units, start, end)
                start = end
                batch.n_units = share  # full, as far as it can be
    finally:
        codec.pool.give_back(scratch)
    return batches
