# The threads that run batches, for one call only. All but the caller's own know nothing of Python
# and never wait for the GIL, whoever else has it meanwhile; the caller's takes it between two
# batches, to see whether somebody wants to interrupt it, and to make lists of what is finished
# while others encode. It waits for those that work, not for those that have not begun when nothing
# is left.
#
#     thread 0   [ 0  1  2  3  4  5 ]  6  7     own share, then what thread 1 has left: 15, 14, ...
#     thread 1   [ 8  9 10 11 ] 12 13 14 15

cdef struct Share:
    size_t next  # the first batch that nobody has
    size_t end   # behind the last one


cdef struct Crew:
    PyObject** batches  # those of the shares, one behind the other
    PyObject* finished  # the last one that was run; it knows the one before. Without those listed
    Share* shares
    size_t n
    PyThread_type_lock lock  # of the shares and of what is finished


cdef struct Worker:  # a thread that is not the caller's
    Crew* crew
    size_t number  # of its share
    PyObject* scratch
    PyThread_type_lock begun  # taken when it begins, or by the caller, who does not wait for that
    PyThread_type_lock busy  # free when it is done


cdef PyObject* take_batch(Crew* crew, size_t number, bint is_own) noexcept nogil:
    """A batch from the front of one's own share, or from the back of another one; NULL: there are
    none left."""
    cdef Share* share = &crew.shares[number]
    cdef PyObject* found = NULL

    PyThread_acquire_lock(crew.lock, WAIT_LOCK)
    if share.next < share.end and is_own:
        found = crew.batches[share.next]
        share.next += 1
    elif share.next < share.end:
        share.end -= 1
        found = crew.batches[share.end]
    PyThread_release_lock(crew.lock)
    return found


cdef void finish_batch(Crew* crew, PyObject* batch) noexcept nogil:
    PyThread_acquire_lock(crew.lock, WAIT_LOCK)
    (<Batch>batch).finished_before = crew.finished
    crew.finished = batch
    PyThread_release_lock(crew.lock)


cdef bint run_one(Crew* crew, size_t number, PyObject* scratch) noexcept nogil:
    """Runs a batch of one's own share, or one that another has left. False when there are none."""
    cdef PyObject* batch
    cdef size_t i

    for i in range(crew.n):
        batch = take_batch(crew, (number + i) % crew.n, i == 0)
        if batch != NULL:
            (<Batch>batch).run(<Scratch>scratch, i == 0)
            finish_batch(crew, batch)
            return True
    return False


cdef void run_all_that_is_left(void* argument) noexcept nogil:
    cdef Worker* worker = <Worker*>argument

    if not PyThread_acquire_lock(worker.begun, NOWAIT_LOCK):
        free_worker(worker)  # the crew may be gone
        return
    while run_one(worker.crew, worker.number, worker.scratch):
        pass
    PyThread_release_lock(worker.busy)


cdef PyObject* take_finished(Crew* crew) noexcept nogil:
    """The last of what was finished since the last time; it knows the one before."""
    cdef PyObject* batch

    PyThread_acquire_lock(crew.lock, WAIT_LOCK)
    batch = crew.finished
    crew.finished = NULL
    PyThread_release_lock(crew.lock)
    return batch


cdef bint make_lists_of(PyObject* batch) except -1:
    """Of a batch and of those finished before it. False when one has not found all its ids."""
    cdef bint are_whole = True

    while batch != NULL and are_whole:
        are_whole = (<Batch>batch).make_lists()
        batch = (<Batch>batch).finished_before
    return are_whole


def run_batches(Codec codec not None, list batches not None, size_t n_threads, bint as_lists):
    """Encodes batches in so many threads, of which this is one. Who cannot be started leaves its
    share to others. With as_lists this one, the only one that can, makes lists of what is finished
    before it takes another batch, and of the rest at the end; none any more when a batch failed."""
    cdef list scratches = [codec.pool.borrow() for _ in range(n_threads)]
    cdef Crew crew
    cdef Worker** others = <Worker**>calloc(n_threads, sizeof(Worker*))  # without number 0
    cdef PyObject* own = <PyObject*>scratches[0]
    cdef bint is_left = True
    cdef size_t n_started = 1
    cdef size_t i

    crew.n = n_threads
    crew.batches = PySequence_Fast_ITEMS(batches)
    crew.finished = NULL
    crew.shares = <Share*>calloc(n_threads, sizeof(Share))
    crew.lock = PyThread_allocate_lock()
    try:
        if others == NULL or crew.shares == NULL or crew.lock == NULL:
            raise MemoryError()
        plan_shares(&crew, batches)
        while n_started < n_threads:
            others[n_started] = start_worker(&crew, n_started, scratches[n_started])
            if others[n_started] == NULL:
                break
            n_started += 1
        while is_left:
            with nogil:
                is_left = run_one(&crew, 0, own)
            PyErr_CheckSignals()
            if as_lists:
                as_lists = make_lists_of(take_finished(&crew))
    finally:
        if n_started > 1:
            drop_batches(&crew)
        for i in range(1, n_started):
            wait_for_worker(others[i])
        for i in range(n_threads):  # so that each thread gets the same the next time
            codec.pool.give_back(scratches[0 if i == 0 else n_threads - i])
        if crew.lock != NULL:
            PyThread_free_lock(crew.lock)
        free(crew.shares)
        free(others)
    if as_lists:
        make_lists_of(crew.finished)


cdef Worker* start_worker(Crew* crew, size_t number, Scratch scratch) noexcept:
    """NULL where the system lacks anything."""
    cdef Worker* worker = <Worker*>malloc(sizeof(Worker))

    if worker == NULL:
        return NULL
    worker.crew = crew
    worker.number = number
    worker.scratch = <PyObject*>scratch
    worker.begun = PyThread_allocate_lock()
    worker.busy = PyThread_allocate_lock()
    if worker.begun != NULL and worker.busy != NULL:
        PyThread_acquire_lock(worker.busy, WAIT_LOCK)
        if PyThread_start_new_thread(run_all_that_is_left, worker) != PYTHREAD_INVALID_THREAD_ID:
            return worker
    free_worker(worker)
    return NULL


cdef void free_worker(Worker* worker) noexcept nogil:
    if worker.begun != NULL:
        PyThread_free_lock(worker.begun)
    if worker.busy != NULL:
        PyThread_free_lock(worker.busy)
    free(worker)


cdef void drop_batches(Crew* crew) noexcept:
    """Leaves nothing to be taken. If there is anything nobody wants it any more: an interrupt."""
    cdef size_t i

    PyThread_acquire_lock(crew.lock, WAIT_LOCK)
    for i in range(crew.n):
        crew.shares[i].end = crew.shares[i].next
    PyThread_release_lock(crew.lock)


cdef void wait_for_worker(Worker* worker) noexcept:
    """Until it is done; not if it has not begun: where processors are busy or asleep that may take
    longer than a small batch. Then it frees itself."""
    if PyThread_acquire_lock(worker.begun, NOWAIT_LOCK):
        return
    with nogil:
        PyThread_acquire_lock(worker.busy, WAIT_LOCK)
        PyThread_release_lock(worker.busy)
    free_worker(worker)


cdef int plan_shares(Crew* crew, list batches) except -1:
    """Neighbours for the same thread: what stands together is alike, and its words are in the
    thread's cache. So they are in the next call, if that has the same texts.

    The output of a share has room for what its batches have as a rule, and for as much more as
    texts ask for before it is known how little they need; the first for all, that may be wanted in
    one array."""
    cdef size_t n = <size_t>len(batches)
    cdef size_t n_more = 0
    cdef size_t n_expected = 0
    cdef Share* share
    cdef Batch batch
    cdef Output output
    cdef size_t i

    for batch in batches:
        n_expected += batch.room.n_expected
        n_more = max(n_more, batch.n_at_once)
    for i in range(crew.n):
        share = &crew.shares[i]
        share.next = n * i // crew.n
        share.end = n * (i + 1) // crew.n
        if i > 0:
            n_expected = 0
            for batch in batches[share.next:share.end]:
                n_expected += batch.room.n_expected
        output = Output(n_expected + n_more)
        for batch in batches[share.next:share.end]:
            batch.output = output
    return 0
