# Where the ids of texts go: room that is lent, or of its own once that is full.

# Memory above so many bytes goes back to the system after the call that needed it. So does what is
# smaller, with glibc, unless it is 128 KB at most.
cdef size_t KEEP_BYTES = 1 << 22
cdef size_t KEPT_ANYWAY = 1 << 17

cdef struct Room:
    uint32_t* ids
    size_t n
    size_t cap
    size_t n_expected  # how many there will be, as a rule at most
    bint is_own        # to be freed with drop_room; lent otherwise
    bint is_for_count  # no ids are wanted but their number


cdef bint make_room(Room* room, size_t n_more, size_t n_later) noexcept nogil:
    """Has room for more ids behind those that are there. If that must be made it is its own, for
    more that come later, for all that are expected, and for half as many more than it was. False
    when out of memory."""
    cdef size_t cap = room.n + n_more + n_later
    cdef uint32_t* grown

    if room.is_for_count or room.n + n_more <= room.cap:
        return True
    cap = max(cap, room.cap + room.cap // 2 if room.is_own else room.n_expected)
    if KEPT_ANYWAY < cap * sizeof(uint32_t) <= KEEP_BYTES:
        ctok_keep_memory(cap * sizeof(uint32_t))
    if room.is_own:
        grown = <uint32_t*>realloc(room.ids, cap * sizeof(uint32_t))
        if grown != NULL:
            ctok_ask_huge_pages(grown, cap * sizeof(uint32_t))
    else:
        grown = ctok_new_ids(cap)
        if grown != NULL and room.n > 0:
            memcpy(grown, room.ids, room.n * sizeof(uint32_t))
    if grown == NULL:
        return False
    room.ids = grown
    room.cap = cap
    room.is_own = True
    return True


cdef ctok_output output_to(const Room* room) noexcept nogil:
    """Where the core puts ids: behind those that are there."""
    cdef ctok_output out

    memset(&out, 0, sizeof(out))
    if not room.is_for_count:
        out.ids = room.ids + room.n
        out.cap = room.cap - room.n
    return out


cdef void drop_room(Room* room) noexcept nogil:
    if room.is_own:
        free(room.ids)
    memset(room, 0, sizeof(room[0]))
