/* A block goes through its tables piece by piece, but table by table: all places in the word
 * cache are asked for before the first is looked at, then those that it lacks go to the
 * vocabulary together, and so on. That hides most of the time that memory takes. Each piece
 * has a slot for its ids, so the order is kept:
 *
 *     pieces      The | cat | sat | on | thematte
 *     word cache  hit   hit   -     hit  -
 *     words                   hit        -
 *     phrases                            -
 *     merging                            5 ids
 *     slots       1     1     1     1    -> 5 ids     copied out one after the other
 *
 * Who only counts needs no slots of hits: their numbers of ids go straight to the caller.
 */
#include "block.h"

#include "error.h"
#include "mem.h"

typedef struct block_call {
    const ctok_model *model;
    ctok_scratch *scratch;
    ctok_bytes text;
    const uint8_t *start;
    const ctok_split_block *block;
    ctok_error *err;
} block_call;

/* A piece on its way through the tables. */
typedef struct block_miss {
    ctok_bytes piece;
    uint64_t hash;   /* of its key, or of its bytes when it is too long for one */
    uint32_t number; /* of its key and slot */
    uint32_t at;     /* where its phrase may be */
} block_miss;

typedef struct block_slot {
    uint32_t ids[CACHE_WORD_IDS]; /* or, when there are more, a pointer to them */
} block_slot;

typedef struct block_work {
    key keys[CTOK_BLOCK_PIECES];
    const cache_word *words[CTOK_BLOCK_PIECES];
    block_slot slots[CTOK_BLOCK_PIECES];
    uint32_t *n_ids; /* of each piece */
    /* What is not at its place in the word cache; later, what is not beside it either. */
    uint16_t missed[CTOK_BLOCK_PIECES];
    uint32_t n_missed;
    /* The same: short pieces at the front, long ones at the end, until block_find_words. */
    block_miss misses[CTOK_BLOCK_PIECES];
    uint32_t n_misses;
    uint32_t n_long; /* at the end */
    size_t n_aside;
} block_work;

/* The place of pieces that the cache cannot have, and their key: no piece of length 0 has bytes. */
static const _Alignas(64) cache_word block_no_words[2];
static const key block_no_key = {1, 0};

/* ---- hits ------------------------------------------------------------------- */

/* Pieces that begin at last or behind it are read from a copy; NULL: there are none. */
static BASE_INLINE void block_probe_all(const block_call *call, block_work *work,
                                        const uint8_t *last, const uint8_t *copy)
{
    /* A copy, which no key written can change. */
    const cache known = call->scratch->cache;
    bool is_on = known.words != NULL;
    const uint8_t *start = call->start;
    const uint32_t *ends = call->block->ends;
    uint32_t n = call->block->n_pieces;
    uint32_t from = 0;
    uint32_t i;

    for (i = 0; i < n; i++) {
        ptrdiff_t back = (ptrdiff_t)from - (ptrdiff_t)ends[i];

        if (BASE_LIKELY(back >= -KEY_BYTES)) {
            const uint8_t *piece = start + from;
            bool is_last = last != NULL && piece >= last;
            key k = key_of_back(is_last ? copy + (piece - last) : piece, back);

            work->keys[i] = k;
            work->words[i] =
                is_on ? cache_word_at(&known, key_hash(k)) : block_no_words;
            BASE_PREFETCH(work->words[i]);
        } else {
            work->keys[i] = block_no_key;
            work->words[i] = block_no_words;
        }
        from = ends[i];
    }
}

/* Asks for the places of all pieces in the word cache. Keys are read whole: at the end of the text
 * from a copy of its last bytes with zeros behind. */
static void block_probe(const block_call *call, block_work *work)
{
    const uint8_t *end = call->text.ptr + call->text.len;
    const uint8_t *block_end =
        call->start + call->block->ends[call->block->n_pieces - 1];

    if (BASE_LIKELY((size_t)(end - block_end) >= sizeof(key))) {
        block_probe_all(call, work, NULL, NULL);
    } else {
        uint8_t copy[2 * sizeof(key)] = {0};
        size_t n = call->text.len < sizeof(key) ? call->text.len : sizeof(key);

        memcpy(copy, end - n, n);
        block_probe_all(call, work, end - n, copy);
    }
}

/* Fills the slots of words that the cache has, and lists the others. Who only counts has no use for
 * slots. */
static BASE_INLINE void block_check(const block_call *call, block_work *work,
                                    bool has_slots)
{
    uint32_t *n_ids = work->n_ids;
    uint32_t n = 0;
    uint32_t i;

    for (i = 0; i < call->block->n_pieces; i++) {
        const cache_word *word = work->words[i];

        if (has_slots) {
            memcpy(&work->slots[i], word->ids, sizeof work->slots[i]);
        }
        n_ids[i] = cache_word_n(word);
        work->missed[n] = (uint16_t)i;
        n += !cache_word_is(word, work->keys[i]);
    }
    work->n_missed = n;
}

/* The same for those that are not at their place. No branch: which of them are beside it nobody
 * foresees, and the vocabulary is asked for all. One that is beside it changes places: soon all
 * that come often are where they are looked for first. */
static void block_check_beside(const block_call *call, block_work *work)
{
    const words *known = &call->model->words;
    const cache_word *found = NULL;
    uint32_t n = 0;
    uint32_t i;

    for (i = 0; i < work->n_missed; i++) {
        uint16_t number = work->missed[i];
        const cache_word *other = cache_word_beside(work->words[number]);
        key k = work->keys[number];
        bool is_there = cache_word_is(other, k);

        BASE_PREFETCH(words_at(known, key_hash(k)));
        memcpy(&work->slots[number], other->ids, sizeof work->slots[number]);
        work->n_ids[number] = cache_word_n(other);
        found = is_there ? other : found;
        work->missed[n] = number;
        n += !is_there;
    }
    work->n_missed = n;
    if (found != NULL) {
        cache_prefer(&call->scratch->cache, found);
    }
}

/* ---- misses ----------------------------------------------------------------- */

/* Sorts misses by length, so that nobody behind here has to guess it; by arithmetic, for nor can
 * anybody here. */
static void block_sort(const block_call *call, block_work *work)
{
    const uint32_t *ends = call->block->ends;
    uint32_t n = 0;
    uint32_t n_long = 0;
    uint32_t i;

    for (i = 0; i < work->n_missed; i++) {
        uint32_t number = work->missed[i];
        uint32_t from = number == 0 ? 0 : ends[number - 1];
        uint32_t len = ends[number] - from;
        uint32_t is_long = len > KEY_BYTES;
        uint32_t at = is_long * (CTOK_BLOCK_PIECES - 1 - n_long - n) + n;
        block_miss *miss = &work->misses[at];

        miss->number = number;
        miss->hash = key_hash(work->keys[number]); /* of a long piece: for nothing */
        miss->piece.ptr = call->start + from;
        miss->piece.len = len;
        n_long += is_long;
        n += 1 - is_long;
    }
    work->n_misses = n;
    work->n_long = n_long;
}

/* Fills a slot with ids that stay where they are until the output, with BLOCK_SLACK more behind
 * them that may be read. */
static void block_fill(block_work *work, uint32_t number, const uint32_t *ids, size_t n)
{
    block_slot *slot = &work->slots[number];

    work->n_ids[number] = (uint32_t)n;
    if (n <= CACHE_WORD_IDS) {
        memcpy(slot->ids, ids, n * sizeof *ids);
    } else {
        memcpy(slot->ids, &ids, sizeof ids);
    }
}

/* The same for a miss, that the word cache may remember. */
static void block_settle(const block_call *call, block_work *work,
                         const block_miss *miss, const uint32_t *ids, size_t n)
{
    block_fill(work, miss->number, ids, n);
    if (n <= CACHE_WORD_IDS && miss->piece.len <= KEY_BYTES) {
        cache_add_word(&call->scratch->cache, work->keys[miss->number], miss->hash,
                       work->slots[miss->number].ids, (uint32_t)n);
    }
}

/* The vocabulary's short tokens. What is none moves to the front; so in all that follows. */
static void block_find_words(const block_call *call, block_work *work)
{
    const ctok_model *model = call->model;
    const phrases *known = &call->scratch->cache.phrases;
    bool is_on = known->index != NULL;
    uint32_t n_left = 0;
    uint32_t i;

    for (i = 0; i < work->n_misses; i++) {
        block_miss miss = work->misses[i];
        uint32_t symbol = words_find(&model->words, work->keys[miss.number], miss.hash);
        uint32_t id = vocab_id(&model->tokens, symbol);

        if (BASE_LIKELY(id != VOCAB_NONE)) {
            block_settle(call, work, &miss, &id, 1);
            continue;
        }
        if (is_on) {
            phrases_ask(known, phrases_hash(miss.hash));
        }
        work->misses[n_left++] = miss;
    }
    for (i = CTOK_BLOCK_PIECES - work->n_long; i < CTOK_BLOCK_PIECES; i++) {
        block_miss miss = work->misses[i];

        miss.hash = vocab_hash(miss.piece.ptr, miss.piece.len);
        BASE_PREFETCH(&model->tokens.slots[vocab_slot(&model->tokens, miss.hash)]);
        if (is_on) {
            phrases_ask(known, phrases_hash(miss.hash));
        }
        work->misses[n_left++] = miss;
    }
    work->n_misses = n_left;
}

/* The phrase cache, and the vocabulary's long tokens. */
static void block_find_phrases(const block_call *call, block_work *work)
{
    const ctok_model *model = call->model;
    const vocab *v = &model->tokens;
    const phrases *known = &call->scratch->cache.phrases;
    bool is_on = known->index != NULL;
    uint32_t n_left = 0;
    uint32_t i;

    for (i = 0; i < work->n_misses; i++) {
        block_miss *miss = &work->misses[i];
        miss->at = is_on ? phrases_ask_record(known, phrases_hash(miss->hash)) : 0;
    }
    for (i = 0; i < work->n_misses; i++) {
        block_miss miss = work->misses[i];
        ctok_bytes piece = miss.piece;
        const phrases_record *phrase =
            phrases_find(known, miss.at, phrases_hash(miss.hash), piece);

        if (phrase != NULL) {
            block_settle(call, work, &miss, phrase->ids, phrase->n);
            continue;
        }
        if (piece.len > KEY_BYTES && piece.len <= v->max_len && model->whole_piece) {
            uint32_t symbol = vocab_find_hashed(v, miss.hash, piece.ptr, piece.len);
            uint32_t id = vocab_id(v, symbol);

            if (id != VOCAB_NONE) {
                block_settle(call, work, &miss, &id, 1);
                continue;
            }
        }
        work->misses[n_left++] = miss;
    }
    work->n_misses = n_left;
}

/* ---- merging ---------------------------------------------------------------- */

static ctok_status block_missing(const block_call *call, ctok_bytes piece,
                                 const uint32_t *symbols, size_t n)
{
    const vocab *v = &call->model->tokens;
    size_t offset = (size_t)(piece.ptr - call->text.ptr);
    size_t i;

    for (i = 0; i < n && vocab_id(v, symbols[i]) != VOCAB_NONE; i++) {
        offset += vocab_bytes(v, symbols[i]).len;
    }
    return error_set_at(call->err, CTOK_E_RANK, offset,
                        "byte 0x%02x at offset %zu is no token and merges into none",
                        call->text.ptr[offset], offset);
}

/* Symbols to ids, in place. False when a byte has none. */
static bool block_ids(const ctok_model *model, uint32_t *symbols, size_t n)
{
    const vocab tokens = model->tokens; /* a copy, which no id written can change */
    uint32_t bad = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        symbols[i] = vocab_id(&tokens, symbols[i]);
        bad |= symbols[i] == VOCAB_NONE;
    }
    return bad == 0;
}

/* Remembers what a miss became: as a word, as a phrase, or until the output. */
static void block_made(const block_call *call, block_work *work, const block_miss *miss,
                       const uint32_t *ids, size_t n)
{
    ctok_scratch *scratch = call->scratch;

    if (n > CACHE_WORD_IDS || miss->piece.len > KEY_BYTES) {
        const uint32_t *kept = phrases_add(
            &scratch->cache.phrases, phrases_hash(miss->hash), miss->piece, ids, n);
        if (kept == NULL) {
            kept = memmove(scratch->aside + work->n_aside, ids, n * sizeof *ids);
            work->n_aside += n;
        }
        ids = kept;
    }
    block_settle(call, work, miss, ids, n);
}

/* Merges a miss of any length, straight to where its ids are kept aside. */
static ctok_status block_merge_one(const block_call *call, block_work *work,
                                   const block_miss *miss)
{
    uint32_t *ids = call->scratch->aside + work->n_aside;
    bpe view = model_bpe(call->model);
    bpe_work *merging = &call->scratch->work;
    size_t n = 0;

    TRY(bpe_merge(&view, merging, miss->piece, ids, &n, call->err));
    if (BASE_UNLIKELY(!block_ids(call->model, ids, n))) {
        /* Ids were written over the symbols: merge again to find the place. */
        TRY(bpe_merge(&view, merging, miss->piece, ids, &n, call->err));
        return block_missing(call, miss->piece, ids, n);
    }
    block_made(call, work, miss, ids, n);
    return CTOK_OK;
}

/* Another miss of a piece that is in a group. */
typedef struct block_twin {
    uint16_t number;
    uint8_t row;
} block_twin;

/* Misses that are merged together. */
typedef struct block_group {
    bpe_row rows[BPE_MANY];
    const block_miss *misses[BPE_MANY];
    uint8_t places[256]; /* by a hash: which row may have a piece */
    block_twin twins[CTOK_BLOCK_PIECES];
    size_t n;
    size_t n_twins;
} block_group;

static ctok_status block_merge_group(const block_call *call, block_work *work,
                                     block_group *group)
{
    size_t i;

    call->model->merge_many(&call->model->table, group->rows, group->n);
    for (i = 0; i < group->n; i++) {
        const block_miss *miss = group->misses[i];
        bpe_row *row = &group->rows[i];

        if (BASE_UNLIKELY(!block_ids(call->model, row->symbols, row->n))) {
            /* It says what is missing; not in an image that was made up and has it both ways. */
            TRY(block_merge_one(call, work, miss));
            continue;
        }
        block_made(call, work, miss, row->symbols, row->n);
    }
    for (i = 0; i < group->n_twins; i++) {
        const block_twin *twin = &group->twins[i];
        uint32_t number = group->misses[twin->row]->number;

        work->slots[twin->number] = work->slots[number];
        work->n_ids[twin->number] = work->n_ids[number];
    }
    group->n = group->n_twins = 0;
    return CTOK_OK;
}

/* Whether the same short piece was made since this block began. */
static bool block_was_made(const block_call *call, block_work *work,
                           const block_miss *miss)
{
    const cache *known = &call->scratch->cache;
    key k = work->keys[miss->number];
    const cache_word *word = cache_word_at(known, miss->hash);
    const phrases_record *phrase;

    word = cache_word_is(word, k) ? word : cache_word_beside(word);
    if (cache_word_is(word, k)) {
        block_fill(work, miss->number, word->ids, cache_word_n(word));
        return true;
    }
    phrase = phrases_look(&known->phrases, phrases_hash(miss->hash), miss->piece);
    if (phrase != NULL) {
        block_fill(work, miss->number, phrase->ids, phrase->n);
    }
    return phrase != NULL;
}

/* Whether a row of a group, if there is one, has the same short piece. */
static bool block_is_in_row(const block_work *work, const block_group *group,
                            size_t row, const block_miss *miss)
{
    return row < group->n &&
           key_equal(work->keys[group->misses[row]->number], work->keys[miss->number]);
}

/* Merges what no table had. New words like to come several times at once: one of them is merged. (Few
 * long pieces come twice in a block.) */
static ctok_status block_merge_all(const block_call *call, block_work *work)
{
    bool is_on = call->scratch->cache.words != NULL;
    bool has_made = false; /* anything since this block began */
    block_group group;
    uint32_t i;

    group.n = group.n_twins = 0;
    memset(group.places, 0, sizeof group.places);
    for (i = 0; i < work->n_misses; i++) {
        const block_miss *miss = &work->misses[i];
        bool is_short = miss->piece.len <= KEY_BYTES;
        uint8_t *place = &group.places[phrases_hash(miss->hash) % sizeof group.places];

        if (is_short && is_on && has_made && block_was_made(call, work, miss)) {
            continue;
        }
        if (is_short && block_is_in_row(work, &group, *place, miss)) {
            group.twins[group.n_twins++] = (block_twin){(uint16_t)miss->number, *place};
            continue;
        }
        if (!bpe_row_start(&group.rows[group.n], &call->model->chars,
                           &call->model->table, miss->piece,
                           work->keys[miss->number])) {
            TRY(block_merge_one(call, work, miss));
            has_made = true;
            continue;
        }
        *place = (uint8_t)group.n;
        group.misses[group.n++] = miss;
        if (group.n == BPE_MANY) {
            TRY(block_merge_group(call, work, &group));
            has_made = true;
        }
    }
    return block_merge_group(call, work, &group);
}

static ctok_status block_misses(const block_call *call, block_work *work)
{
    ctok_scratch *scratch = call->scratch;
    void *aside = scratch->aside;
    ctok_status status;

    /* Ids never outnumber bytes. */
    status = mem_reserve(&scratch->alloc, &aside, &scratch->aside_cap,
                         call->block->ends[call->block->n_pieces - 1] + BLOCK_SLACK,
                         sizeof *scratch->aside, call->err);
    scratch->aside = aside;
    TRY(status);
    block_sort(call, work);
    block_find_words(call, work);
    if (work->n_misses > 0) {
        block_find_phrases(call, work);
        TRY(block_merge_all(call, work));
    }
    return CTOK_OK;
}

/* Fills the slots of what the first look did not find. */
static ctok_status block_resolve(const block_call *call, block_work *work)
{
    block_check_beside(call, work);
    return work->n_missed > 0 ? block_misses(call, work) : CTOK_OK;
}

/* ---- output ----------------------------------------------------------------- */

static size_t block_emit(const block_work *work, uint32_t n_pieces, uint32_t *out)
{
    const block_slot *slot = work->slots;
    const uint32_t *n_ids = work->n_ids;
    uint32_t *next = out;

    for (; slot < work->slots + n_pieces; slot++) {
        uint32_t n = *n_ids++;

        if (BASE_LIKELY(n <= CACHE_WORD_IDS)) {
            memcpy(next, slot->ids, sizeof slot->ids);
        } else {
            const uint32_t *ids;
            uint32_t k;

            memcpy(&ids, slot->ids, sizeof ids);
            for (k = 0; k < n; k += BLOCK_SLACK) {
                memcpy(next + k, ids + k, BLOCK_SLACK * sizeof *next);
            }
        }
        next += n;
    }
    return (size_t)(next - out);
}

/* ---- public ----------------------------------------------------------------- */

ctok_status block_encode(const ctok_model *model, ctok_scratch *scratch,
                         ctok_bytes text, size_t start, const ctok_split_block *block,
                         uint32_t *out, size_t *n_out, ctok_error *err)
{
    block_call call = {model, scratch, text, text.ptr + start, block, err};
    uint32_t n_ids[CTOK_BLOCK_PIECES];
    block_work work;

    *n_out = 0;
    work.n_ids = n_ids;
    work.n_aside = 0;
    block_probe(&call, &work);
    block_check(&call, &work, true);
    TRY(block_resolve(&call, &work));
    *n_out = block_emit(&work, block->n_pieces, out);
    cache_grow(&scratch->cache, &scratch->alloc); /* which may move phrases' ids */
    return CTOK_OK;
}

ctok_status block_count(const ctok_model *model, ctok_scratch *scratch, ctok_bytes text,
                        size_t start, const ctok_split_block *block, uint32_t *counts,
                        ctok_error *err)
{
    block_call call = {model, scratch, text, text.ptr + start, block, err};
    block_work work;

    work.n_ids = counts;
    work.n_aside = 0;
    block_probe(&call, &work);
    block_check(&call, &work, false);
    TRY(block_resolve(&call, &work));
    cache_grow(&scratch->cache, &scratch->alloc);
    return CTOK_OK;
}
