# Many texts at once: batches for threads that take them from a queue.

# A text is not cut for less than this many characters.
cdef size_t MIN_PART = 1 << 14


@cython.final
cdef class Output:
    """Memory in which batches that follow each other put their ids, one behind the other."""
    cdef uint32_t* ids
    cdef size_t n
    cdef size_t cap

    def __cinit__(self, size_t n_units):
        """With room for texts of so many characters, of which three are an id, as a rule."""
        self.cap = n_units // 3 + 64
        self.ids = ctok_new_ids(self.cap)
        if self.ids == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.ids)

    cdef bint has_room(self, size_t n) noexcept nogil:
        """Makes room for n ids more; False when out of memory."""
        cdef size_t need = self.n + n
        cdef uint32_t* grown

        if need <= self.cap:
            return True
        need = max(need, self.cap + self.cap // 2)
        grown = <uint32_t*>realloc(self.ids, need * sizeof(uint32_t))
        if grown == NULL:
            return False
        ctok_ask_huge_pages(grown, need * sizeof(uint32_t))
        self.ids = grown
        self.cap = need
        return True

    cdef IdBuffer take(self):
        """What is in it. It is empty then."""
        cdef uint32_t* ids = self.ids
        cdef size_t n = self.n

        self.ids = NULL
        self.n = self.cap = 0
        return take_ids(ids, n)


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
    cdef readonly size_t n_units
    cdef size_t n_done
    cdef Output output  # None until it is run, and of one that had no memory for it
    cdef size_t start  # of its ids in there
    cdef size_t* counts  # of ids, by part
    cdef ctok_error err
    cdef bint failed
    cdef bint out_of_memory

    def __cinit__(self, Codec codec not None, SpecialSets sets not None, size_t first,
                  bint is_continued):
        self.codec = codec
        self.sets = sets
        self.texts = []
        self.first = first
        self.is_continued = is_continued

    def __dealloc__(self):
        free(self.parts)
        free(self.counts)

    cdef int add(self, str text, const Units* units, size_t start, size_t end) except -1:
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
        self.n_parts += 1
        self.n_units += end - start
        self.texts.append(text)
        return 0

    def run(self, Scratch scratch not None, Output output not None):
        """Encodes all texts without the GIL, to the end of an output. Raises nothing: see check."""
        self.output = output
        self.start = output.n
        self.counts = <size_t*>malloc((self.n_parts + 1) * sizeof(size_t))
        self.out_of_memory = self.counts == NULL
        with nogil:
            if not self.out_of_memory:
                self.run_all(scratch, output)

    cdef void run_all(self, Scratch scratch, Output output) noexcept nogil:
        cdef ctok_encode_options options
        cdef ctok_output out
        cdef ctok_bytes view
        cdef Units part
        cdef size_t i, start, end

        memset(&out, 0, sizeof(out))
        options.allowed = self.sets.allowed
        options.disallowed = self.sets.disallowed
        options.max_ids = 0
        options.text_is_utf8 = 1
        for i in range(self.n_parts):
            self.counts[i] = 0
            start = 0
            while start < self.parts[i].n:
                end = part_end(self.codec, &self.parts[i], start, scratch)
                part = part_of(&self.parts[i], start, end)
                if not scratch.view_units(&part, &view) or not output.has_room(
                        ctok_encode_bound(self.codec.model, view.len)):
                    self.out_of_memory = True
                    return
                out.ids = output.ids + output.n
                out.cap = output.cap - output.n
                if ctok_encode(self.codec.model, scratch.ptr, view, &options, &out,
                               &self.err) != CTOK_OK:
                    self.failed = True
                    return
                self.counts[i] += out.n
                output.n += out.n
                start = end
            self.n_done += 1

    def check(self):
        """Raises what run met."""
        if self.output is None or self.out_of_memory:
            raise MemoryError()
        if self.failed:
            try:
                # On its own, the whole text fails at its first wrong place.
                self.codec.encode_list(self.texts[self.n_done], self.sets)
                raise failure(&self.err)
            except Exception as error:
                error.add_note(f"in text {self.first + self.n_done} of the batch")
                raise

    def add_lists_to(self, list out not None):
        """Appends the ids of each text as a list."""
        cdef size_t i
        cdef const uint32_t* ids = self.output.ids + self.start

        for i in range(self.n_parts):
            found = ctok_new_list(ids, self.counts[i], self.codec.info.max_id)
            if i == 0 and self.is_continued:
                (<list>out[len(out) - 1]).extend(found)
            else:
                out.append(found)
            ids += self.counts[i]

    def add_lengths_to(self, list out not None):
        """Appends how many ids each text has."""
        cdef size_t i
        for i in range(self.n_parts):
            if i == 0 and self.is_continued:
                out[len(out) - 1] += self.counts[i]
            else:
                out.append(self.counts[i])


def join_batches(list batches not None):
    """All ids in one buffer, for which the first batch gives its memory."""
    cdef Batch batch
    cdef Output output = None
    cdef Output first = (<Batch>batches[0]).output
    cdef list outputs = []
    cdef size_t n = 0

    for batch in batches:
        if batch.output is not output:
            output = batch.output
            outputs.append(output)
            n += output.n
    if not first.has_room(n - first.n):
        raise MemoryError()
    for output in outputs:
        if output is not first and output.n > 0:
            memcpy(first.ids + first.n, output.ids, output.n * sizeof(uint32_t))
            first.n += output.n
    return first.take()


def borrow_scratches(Codec codec not None, size_t n):
    """One for each thread; the same to the same, call after call, as long as nobody else calls."""
    return [codec.pool.borrow() for _ in range(n)]


def give_back_scratches(Codec codec not None, list scratches not None):
    if scratches:
        codec.pool.give_back(scratches[0])
    for scratch in scratches[:0:-1]:
        codec.pool.give_back(scratch)


def plan_batches(Codec codec not None, SpecialSets sets not None, list texts not None,
                 size_t n_batches):
    """Batches of about equal size in characters, at most n_batches and at least one; in order.
    Long texts are cut where that changes no id."""
    cdef size_t i, start, end, room, share
    cdef size_t total = 0
    cdef Units units
    cdef Batch batch = Batch(codec, sets, 0, False)
    cdef list batches = [batch]
    cdef Scratch scratch = codec.pool.borrow()

    try:
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise ctok_errors.TextTypeError(
                    f"text {i} is {type(text).__name__}, str expected", value=text)
            for foreign in sets.foreign:
                if foreign in text:
                    raise codec._disallowed(None, text.index(foreign), foreign)
            total += <size_t>PyUnicode_GET_LENGTH(text)
        share = total // max(n_batches, 1) + 1
        for i, text in enumerate(texts):
            units_of(text, &units)
            start = 0
            while True:
                if batch.n_units >= share and <size_t>len(batches) < n_batches:
                    batch = Batch(codec, sets, i, start > 0)
                    batches.append(batch)
                room = share - batch.n_units if share > batch.n_units else 0
                end = 0
                if (<size_t>len(batches) < n_batches and room >= MIN_PART
                        and units.n - start >= room + MIN_PART):
                    end = cut_before(codec, &units, start + room, scratch)
                if end <= start:
                    batch.add(text, &units, start, units.n)
                    break
                batch.add(text, &units, start, end)
                start = end
                batch.n_units = share  # full, as far as it can be
    finally:
        codec.pool.give_back(scratch)
    return batches
