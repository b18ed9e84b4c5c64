#include "phrases.h"

#include "mem.h"

/* Small enough that a scratch used for one short text costs little. */
#define PHRASES_START 128

/* Where a part of the log begins, and the one before it ends. Place 0 is nobody's. */
static size_t phrases_start(size_t n_buckets, unsigned part)
{
    return part == 0 ? 1 : n_buckets * PHRASES_LOG_WORDS / PHRASES_PARTS * part;
}

/* Turns to a part of the log, which has nothing now. */
static void phrases_open(phrases *p, unsigned part)
{
    p->part = part;
    p->ends[part] = phrases_start(p->n_buckets, part);
    p->is_full = false;
}

/* The same for the first, all others being unused. */
static void phrases_begin(phrases *p)
{
    p->n_parts = 1;
    phrases_open(p, 0);
}

static ctok_status phrases_make(phrases *p, size_t n_buckets,
                                const ctok_allocator *alloc, ctok_error *err)
{
    size_t max_buckets = p->max_buckets;
    void *memory = NULL;
    void *index = NULL;

    TRY(mem_new_lines(alloc, &memory, &index, n_buckets, PHRASES_BUCKET_BYTES, err));
    memset(p, 0, sizeof *p);
    p->max_buckets = max_buckets;
    p->n_buckets = n_buckets;
    p->memory = memory;
    p->index = index;
    p->log = p->index + n_buckets * PHRASES_WAYS;
    for (p->n_at = 1; p->n_at < n_buckets * PHRASES_LOG_WORDS; p->n_at *= 2) {
    }
    phrases_begin(p);
    return CTOK_OK;
}

ctok_status phrases_new(phrases *out, size_t n_bytes, const ctok_allocator *alloc,
                        ctok_error *err)
{
    size_t n = n_bytes / PHRASES_BUCKET_BYTES;

    memset(out, 0, sizeof *out);
    out->max_buckets = n < PHRASES_MAX_BUCKETS ? n : PHRASES_MAX_BUCKETS;
    if (n < 2) {
        return CTOK_OK;
    }
    return phrases_make(out, n < PHRASES_START ? n : PHRASES_START, alloc, err);
}

void phrases_free(phrases *p, const ctok_allocator *alloc)
{
    mem_free_lines(alloc, p->memory, p->n_buckets, PHRASES_BUCKET_BYTES);
    memset(p, 0, sizeof *p);
}

void phrases_clear(phrases *p)
{
    if (p->index != NULL) {
        memset(p->index, 0, p->n_buckets * PHRASES_WAYS * sizeof *p->index);
        phrases_begin(p);
    }
}

static size_t phrases_size(size_t len, size_t n)
{
    return sizeof(phrases_record) / 4 + n + (len + 3) / 4;
}

/* Puts a record into the index; the oldest of a full bucket goes. */
static void phrases_index(phrases *p, uint32_t hash, size_t at)
{
    uint32_t *bucket = phrases_bucket(p, hash);

    memmove(bucket + 1, bucket, (PHRASES_WAYS - 1) * sizeof *bucket);
    bucket[0] = phrases_tag(p, hash) | (uint32_t)at;
}

/* Whether the part that is open has room, and behind it what may be read. */
static bool phrases_fits(const phrases *p, size_t size)
{
    return p->ends[p->part] + size + PHRASES_BEHIND <=
           phrases_start(p->n_buckets, p->part + 1);
}

const uint32_t *phrases_add(phrases *p, uint32_t hash, ctok_bytes piece,
                            const uint32_t *ids, size_t n)
{
    size_t size = phrases_size(piece.len, n);
    phrases_record *record;
    size_t at;
    size_t i;

    if (p->index == NULL || piece.len > PHRASES_MAX_BYTES || n > PHRASES_MAX_IDS ||
        1 + size + PHRASES_BEHIND > phrases_start(p->max_buckets, 1)) {
        return NULL;
    }
    if (!phrases_fits(p, size) && p->n_parts < PHRASES_PARTS) {
        phrases_open(p, p->n_parts++);
    }
    if (!phrases_fits(p, size)) {
        p->is_full = true;
        return NULL;
    }
    at = p->ends[p->part];
    record = (phrases_record *)(p->log + at);
    record->hash = hash;
    record->len = (uint16_t)piece.len;
    record->n = (uint16_t)n;
    /* So many at once, for how many there are nobody foresees. */
    for (i = 0; i < n; i += PHRASES_BEHIND) {
        memcpy(record->ids + i, ids + i, PHRASES_BEHIND * sizeof *ids);
    }
    memcpy(record->ids + n, piece.ptr, piece.len);
    phrases_index(p, hash, at);
    p->ends[p->part] = at + size;
    return record->ids;
}

const phrases_record *phrases_look(const phrases *p, uint32_t hash, ctok_bytes piece)
{
    const uint32_t *bucket;
    uint32_t matches;
    uint32_t tag;

    if (p->index == NULL) {
        return NULL;
    }
    bucket = phrases_bucket(p, hash);
    tag = phrases_tag(p, hash);
    matches = phrases_matches(p, bucket, tag);
    for (; matches != 0; matches &= matches - 1) {
        const phrases_record *record =
            phrases_at(p, bucket[base_lowest(matches)] ^ tag);
        if (phrases_is(record, hash, piece)) {
            return record;
        }
    }
    return NULL;
}

/* Makes the table 32 times as large, with all that it has. */
static void phrases_enlarge(phrases *p, const ctok_allocator *alloc)
{
    phrases old = *p;
    size_t n_buckets =
        32 * old.n_buckets < old.max_buckets ? 32 * old.n_buckets : old.max_buckets;
    unsigned part;

    if (phrases_make(p, n_buckets, alloc, NULL) != CTOK_OK) {
        p->max_buckets = p->n_buckets; /* not asked for again */
        return;
    }
    for (part = 0; part < old.n_parts; part++) {
        size_t at = phrases_start(old.n_buckets, part);

        while (at < old.ends[part]) {
            const phrases_record *record = phrases_at(&old, at);
            ctok_bytes piece = {(const uint8_t *)(record->ids + record->n),
                                record->len};

            phrases_add(p, record->hash, piece, record->ids, record->n);
            at += phrases_size(record->len, record->n);
        }
    }
    phrases_free(&old, alloc);
}

/* Forgets a part of the log, any but the one that is full. */
static void phrases_forget(phrases *p)
{
    unsigned part;
    uint32_t start;
    uint32_t n;
    size_t i;

    p->random = p->random * 1664525 + 1013904223; /* Numerical Recipes, ranqd1 */
    part = (p->part + 1 + (p->random >> 16) % (PHRASES_PARTS - 1)) % PHRASES_PARTS;
    start = (uint32_t)phrases_start(p->n_buckets, part);
    n = (uint32_t)p->ends[part] - start;
    for (i = 0; i < p->n_buckets * PHRASES_WAYS; i++) {
        uint32_t at = p->index[i] & (p->n_at - 1);
        p->index[i] = at - start < n ? 0 : p->index[i];
    }
    phrases_open(p, part);
}

void phrases_grow(phrases *p, const ctok_allocator *alloc)
{
    if (p->is_full && p->n_buckets < p->max_buckets) {
        phrases_enlarge(p, alloc);
    } else if (p->is_full) {
        phrases_forget(p);
    }
}
