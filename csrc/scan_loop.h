/* scan_loop.h - the loop of every scanner, from blocks to ends. A file that includes it defines
 * before
 *
 *     SCAN_TARGET      what lets functions use its instructions
 *     SCAN(name)       the name with the instruction set in it
 *     SCAN(bytes)      the type of the 64 bytes of a block
 *     SCAN(load)()     them
 *     SCAN(equal)()    where those are that are one
 *     SCAN(range)()    where those are that are from first to first + n - 1
 *     SCAN(beyond)()   where those are that are not ASCII
 *     SCAN(emit)()     what scan_emit does
 *
 * and gets one scanner for each family, in which all that the shape decides is decided by the
 * compiler. */
#include "scan_wide.h"

#include "scan_letters.h"

/* The masks of a block, but for what is not ASCII. */
SCAN_TARGET static BASE_INLINE scan_masks SCAN(masks)(SCAN(bytes) c)
{
    const uint64_t all = ~(uint64_t)0;
    scan_masks m = {.here = all, .known = all, .seen = all};

    m.capitals = SCAN(range)(c, 'A', 26);
    m.letters = m.capitals | SCAN(range)(c, 'a', 26);
    m.digits = SCAN(range)(c, '0', 10);
    m.blanks = SCAN(equal)(c, ' ');
    m.spaces = m.blanks | SCAN(range)(c, '\t', 5);
    m.newlines = SCAN(equal)(c, '\n') | SCAN(equal)(c, '\r');
    m.quotes = SCAN(equal)(c, '\'');
    m.slashes = SCAN(equal)(c, '/');
    m.beyond = SCAN(beyond)(c);
    return m;
}

/* The end of a text ends a piece for certain, but white space before it is the automaton's:
 * patterns differ there. */
SCAN_TARGET static BASE_INLINE void SCAN(end)(scan_masks *m, size_t len)
{
    if ((m->spaces >> (len - 1) & 1) != 0) {
        m->known &= m->here;
        m->seen &= m->here;
    }
}

/* The piece starts of any block but the first, as far as they are certain. Where there are none, *inside
 * is where to go on. */
SCAN_TARGET static BASE_INLINE uint64_t SCAN(block)(const scan_shape *shape,
                                                    const scan_classes *classes,
                                                    const uint8_t *bytes, size_t len,
                                                    scan_inside *inside)
{
    uint8_t padded[64];
    SCAN(bytes) c;
    scan_masks m;
    uint64_t starts;

    if (BASE_UNLIKELY(len < 64)) {
        memset(padded, 0, sizeof padded);
        memcpy(padded, bytes, len);
        bytes = padded;
    }
    c = SCAN(load)(bytes);
    m = SCAN(masks)(c);
    if (BASE_UNLIKELY(len < 64)) {
        m.here = ((uint64_t)1 << len) - 1;
        m.known = m.here << 1 | 1;
    }
    if (BASE_UNLIKELY(m.beyond != 0)) {
        scan_leads leads;
        SCAN(leads)(c, bytes, &m, &leads);
        scan_wide(shape, classes, bytes, &leads, &m);
    }
    if (BASE_UNLIKELY(len < 64)) {
        SCAN(end)(&m, len);
    }
    starts = BASE_LIKELY(m.beyond == 0) ? scan_starts(shape, &m, bytes, false)
                                        : scan_starts(shape, &m, bytes, true);
    if (BASE_UNLIKELY(starts == 0)) {
        *inside = scan_inside_of(shape, &m);
    }
    return starts;
}

/* Whether what comes is a whole block of ASCII, and there is room for its ends. */
SCAN_TARGET static BASE_INLINE bool SCAN(is_plain)(ctok_bytes text, size_t at,
                                                   size_t room)
{
    return text.len - at >= 64 && room >= SCAN_ROOM &&
           SCAN(beyond)(SCAN(load)(text.ptr + at)) == 0;
}

/* What SCAN(loop) does, as long as blocks are whole, ASCII, and have a start: most are, and a loop with
 * nothing else in it keeps what it needs in registers. */
SCAN_TARGET static BASE_INLINE size_t SCAN(plain)(const scan_shape *shape,
                                                  ctok_bytes text, size_t *from,
                                                  size_t base, uint32_t *ends,
                                                  size_t cap)
{
    size_t at = *from;
    size_t n = 0;

    while (SCAN(is_plain)(text, at, cap - n)) {
        scan_masks m = SCAN(masks)(SCAN(load)(text.ptr + at));
        uint64_t starts = scan_starts(shape, &m, text.ptr + at, false);

        if (BASE_UNLIKELY(starts == 0)) {
            break;
        }
        n += SCAN(emit)(starts, (uint32_t)(at - base), ends + n);
        /* Not from ends: the next block need not wait for that. */
        at += base_highest(starts);
    }
    *from = at;
    return n;
}

/* The starts of the next block that has some, which is at *at then; passes over those that have none. No
 * starts: where the masks settle none any more. */
SCAN_TARGET static BASE_INLINE uint64_t SCAN(next)(const scan_shape *shape,
                                                   const scan_classes *classes,
                                                   ctok_bytes text, size_t *at,
                                                   size_t *from, size_t base)
{
    while (*at < text.len) {
        scan_inside inside;
        uint64_t starts =
            SCAN(block)(shape, classes, text.ptr + *at, text.len - *at, &inside);

        if (starts != 0) {
            return starts;
        }
        *at += inside.at;
        if (inside.at == 0 || *at - base > SCAN_FAR) {
            return 0;
        }
        *from = inside.is_open ? *from : *at;
    }
    return 0;
}

SCAN_TARGET static BASE_INLINE size_t SCAN(loop)(const scan_shape *shape,
                                                 const scan_classes *classes,
                                                 ctok_bytes text, size_t *from,
                                                 size_t base, uint32_t *ends,
                                                 size_t cap)
{
    size_t at = *from;
    size_t n = 0;

    for (;;) {
        uint64_t starts;

        n += SCAN(plain)(shape, text, &at, base, ends + n, cap - n);
        if (cap - n < SCAN_ROOM) {
            return n;
        }
        starts = SCAN(next)(shape, classes, text, &at, from, base);
        if (starts == 0) {
            return n;
        }
        n += SCAN(emit)(starts, (uint32_t)(at - base), ends + n);
        at += base_highest(starts);
    }
}

#define SCAN_DEFINE(name, FAMILY)                                                      \
    SCAN_TARGET static size_t SCAN(name)(const scan_classes *classes, ctok_bytes text, \
                                         size_t *from, size_t base, uint32_t *ends,    \
                                         size_t cap)                                   \
    {                                                                                  \
        static const scan_shape shape = SCAN_SHAPE_##FAMILY;                           \
        return SCAN(loop)(&shape, classes, text, from, base, ends, cap);               \
    }

SCAN_DEFINE(gpt2, GPT2)
SCAN_DEFINE(cl100k, CL100K)
SCAN_DEFINE(qwen2, QWEN2)
SCAN_DEFINE(o200k, O200K)
SCAN_DEFINE(tekken, TEKKEN)
SCAN_DEFINE(kimi, KIMI)

scan_function SCAN(of)(scan_family family)
{
    static const scan_function scanners[SCAN_N_FAMILIES] = {
        SCAN(gpt2), SCAN(cl100k), SCAN(qwen2), SCAN(o200k), SCAN(tekken), SCAN(kimi)};

    return scanners[family];
}

#undef SCAN_DEFINE
#undef SCAN_TARGET
#undef SCAN
