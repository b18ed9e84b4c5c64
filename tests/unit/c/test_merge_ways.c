/* All ways of merging agree: flat, heap, windows, and many pieces at once from bytes and from
 * characters, on random vocabularies and random pieces of few letters, so that everything
 * meets everything. */
#include "check.h"

#include "../../../csrc/bpe.h"
#include "../../../csrc/cpu.h"
#include "../../../csrc/mem.h"
#include "../../../csrc/model.h"

#define N_LETTERS 4
#define N_CHARACTERS 5
/* What vocabularies and pieces are made of: letters, or the bytes of characters of three bytes or
 * two, of which tokens take halves and wholes. Zero is a byte like any other. */
typedef struct test_script {
    uint8_t letters[N_LETTERS];
    const char *characters[N_CHARACTERS];
} test_script;

static const test_script scripts[] = {
    {{'a', 'b', 'c', 0}, {"a", "b", "c", "d", "aa"}},
    {{0xE4, 0xBA, 0xBB, 'a'},
     {"a", "\xE4\xBA\xBA", "\xE4\xBA\xBB", "\xE4\xBB\xBA", "\xE4\xBB\xBB"}},
    {{0xC3, 0xA9, 0xA8, 'a'}, {"a", "\xC3\xA9", "\xC3\xA8", "a\xC3\xA9", "\xC3\xA8"}}};
#define N_SCRIPTS (sizeof scripts / sizeof scripts[0])
static const test_script *script = scripts;

#define LONG_PIECE 3000

static uint32_t seed = 12345;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* Adds the 256 bytes, whose ids are their values. */
static void add_bytes(ctok_builder *builder)
{
    static uint8_t blob[256];
    static uint32_t ends[256];
    static uint32_t ids[256];
    ctok_bytes view = {blob, sizeof blob};
    uint32_t i;

    for (i = 0; i < 256; i++) {
        blob[i] = (uint8_t)i;
        ends[i] = i + 1;
        ids[i] = i;
    }
    CHECK(ctok_builder_add_tokens(builder, view, ends, ids, 256, NULL) == CTOK_OK);
}

/* Tokens of random letters: their ranks have no order to speak of, so merges need not outrank
 * their halves, and some tokens are out of reach. */
static void add_random_tokens(ctok_builder *builder, uint32_t n)
{
    static uint8_t blob[1 << 14];
    static uint32_t ends[1024];
    static uint32_t ids[1024];
    ctok_bytes view = {blob, 0};
    bool is_whole = next_random(2) == 0;
    uint32_t i;

    for (i = 0; i < n; i++) {
        uint32_t len = 2 + next_random(7);
        uint32_t j;

        for (j = 0; j < len; j++) {
            const char *one = script->characters[next_random(N_CHARACTERS)];

            if (is_whole && strlen(one) <= len - j) {
                memcpy(blob + view.len, one, strlen(one));
                view.len += strlen(one);
                j += (uint32_t)strlen(one) - 1;
            } else if (!is_whole) {
                blob[view.len++] = script->letters[next_random(N_LETTERS)];
            }
        }
        ends[i] = (uint32_t)view.len;
        ids[i] = 256 + i;
    }
    CHECK(ctok_builder_add_tokens(builder, view, ends, ids, n, NULL) == CTOK_OK);
}

/* Merges of what earlier merges made. */
static void add_random_merges(ctok_builder *builder, uint32_t n)
{
    static uint32_t left[1024];
    static uint32_t right[1024];
    static uint32_t merged[1024];
    static uint32_t lens[2048];
    uint32_t first = next_random(4);
    uint32_t run = script->letters[0]; /* one letter, 1, 2, 4, ... 128 times */
    uint32_t i;

    for (i = 0; i < 256; i++) {
        lens[i] = 1;
    }
    for (i = 0; i < n; i++) {
        /* Some characters, what leads to them and what is none, behind a few that may get in their
         * way: there is something to start from. */
        const uint32_t whole[2][5][2] = {{{0xE4, 0xBA},
                                          {256 + first, 0xBA},
                                          {256 + first, 0xBB},
                                          {0xBB, 0xBA},
                                          {0xE4, 259 + first}},
                                         {{0xC3, 0xA9},
                                          {0xC3, 0xA8},
                                          {0xC3, 'a'},
                                          {256 + first, 'a'},
                                          {257 + first, 256 + first}}};
        uint32_t *halves[2] = {left, right};
        bool is_run = i >= first + 5 && next_random(8) == 0;
        int h;

        for (h = 0; h < 2; h++) {
            if (is_run) {
                halves[h][i] = run;
                continue;
            }
            if (script != scripts && i >= first && i < first + 5) {
                halves[h][i] = whole[script - scripts - 1][i - first][h];
                continue;
            }
            uint32_t half = i == 0 ? 0 : 256 + next_random(i);
            if (i == 0 || next_random(3) == 0 || lens[half] > 20) {
                half = script->letters[next_random(N_LETTERS)];
            }
            halves[h][i] = half;
        }
        merged[i] = 256 + i;
        lens[256 + i] = lens[left[i]] + lens[right[i]];
        if (is_run) {
            run =
                lens[256 + i] < 128 ? 256 + i : script->letters[next_random(N_LETTERS)];
        }
    }
    CHECK(ctok_builder_add_merges(builder, left, right, merged, n, NULL) == CTOK_OK);
}

static ctok_model *random_model(bool by_merges)
{
    ctok_builder *builder;
    ctok_model *model = NULL;
    /* Few merges leave much to start from; many fill buckets of the table. */
    const uint32_t at_most[] = {8, 60, 400};
    uint32_t n = 4 + next_random(at_most[next_random(3)]);

    CHECK(ctok_builder_new(&builder, NULL, NULL) == CTOK_OK);
    CHECK(ctok_builder_set_flags(builder, CTOK_BUILD_ALLOW_DUPLICATES, NULL) ==
          CTOK_OK);
    add_bytes(builder);
    if (by_merges) {
        add_random_merges(builder, n);
    } else {
        add_random_tokens(builder, n);
    }
    CHECK(ctok_builder_finish(&model, builder, NULL) == CTOK_OK);
    ctok_builder_free(builder);
    return model;
}

/* Runs of a letter or of some, which end anywhere in a window. */
static void fill_runs(uint8_t *piece, size_t len)
{
    while (len > 0) {
        size_t n = 1 + next_random(next_random(2) == 0 ? 4 : 600);
        size_t period = 1 + next_random(next_random(2) == 0 ? 1 : 5);
        size_t i;

        n = n < len ? n : len;
        for (i = 0; i < n; i++) {
            piece[i] = i < period ? script->letters[next_random(N_LETTERS)]
                                  : piece[i - period];
        }
        piece += n;
        len -= n;
    }
}

/* Any letters; or, mostly, whole characters where there are such. */
static void fill(uint8_t *piece, size_t len)
{
    size_t i = 0;
    size_t period = next_random(4) == 0 ? 1 + next_random(6) : 0;
    bool is_whole = script != scripts && next_random(4) != 0;

    while (i < len) {
        const char *one = script->characters[next_random(N_CHARACTERS)];

        if (is_whole && strlen(one) <= len - i) {
            memcpy(piece + i, one, strlen(one));
            i += strlen(one);
        } else {
            piece[i] = !is_whole && period != 0 && i >= period
                           ? piece[i - period]
                           : script->letters[next_random(N_LETTERS)];
            i++;
        }
    }
}

static size_t n_from_characters; /* pieces that began with fewer symbols than bytes */
static size_t n_from_bytes;      /* pieces that began as bytes */

/* Begins a row; returns whether the piece is short enough for one. */
static bool start(const ctok_model *model, ctok_bytes piece, bpe_row *row)
{
    if (piece.len > KEY_BYTES || next_random(4) == 0) {
        bool fits = bpe_row_begin(row, &model->chars, &model->table, piece);

        n_from_characters += fits && row->n < piece.len;
        return fits;
    }
    memset(row->bytes, 0, sizeof row->bytes);
    memcpy(row->bytes, piece.ptr, piece.len);
    row->has_bytes = true;
    row->n = piece.len;
    n_from_bytes++;
    return true;
}

static void check_short(const ctok_model *model, bpe_work *work)
{
    static uint8_t text[BPE_MANY][BPE_FLAT_MAX];
    static bpe_row many[BPE_MANY];
    static uint32_t flat[BPE_FLAT_MAX];
    static uint32_t heap[BPE_FLAT_MAX];
    ctok_bytes pieces[BPE_MANY];
    ctok_cpu tier = next_random(2) == 0 ? CTOK_CPU_BEST : CTOK_CPU_PORTABLE;
    size_t n = next_random(BPE_MANY + 1);
    size_t i = 0;

    while (i < n) {
        size_t len = 1 + next_random(next_random(2) == 0 ? 16 : BPE_FLAT_MAX);

        pieces[i].ptr = text[i];
        pieces[i].len = len;
        fill(text[i], len);
        i += start(model, pieces[i], &many[i]); /* else too long: another one */
    }
    cpu_merger(tier)(&model->table, many, n);
    for (i = 0; i < n; i++) {
        size_t n_flat = bpe_flat(&model->table, pieces[i].ptr, pieces[i].len, flat);
        size_t n_heap = 0;

        CHECK(bpe_heap(&model->table, work, pieces[i], heap, &n_heap, NULL) == CTOK_OK);
        CHECK_EQ(n_heap, n_flat);
        CHECK_EQ(n_heap, many[i].n);
        CHECK(memcmp(heap, flat, n_heap * sizeof *heap) == 0);
        CHECK(memcmp(heap, many[i].symbols, n_heap * sizeof *heap) == 0);
    }
}

static void check_long(const ctok_model *model, bpe_work *work)
{
    static uint8_t text[LONG_PIECE];
    static uint32_t window[LONG_PIECE];
    static uint32_t heap[LONG_PIECE];
    ctok_bytes piece = {text, 1 + next_random(LONG_PIECE)};
    bpe view = model_bpe(model);
    size_t n_window = 0;
    size_t n_heap = 0;
    ctok_status status;

    if (next_random(3) == 0) {
        fill_runs(text, piece.len);
    } else {
        fill(text, piece.len);
    }
    CHECK(bpe_heap(&model->table, work, piece, heap, &n_heap, NULL) == CTOK_OK);
    if (!model->is_proper) {
        return;
    }
    status = bpe_window(&view, work, piece, window, &n_window, NULL);
    if (status != CTOK_E_LIMIT) { /* it may give up, but not be wrong */
        CHECK(status == CTOK_OK);
        CHECK_EQ(n_heap, n_window);
        CHECK(memcmp(heap, window, n_heap * sizeof *heap) == 0);
    }
}

int main(void)
{
    bpe_work work;
    size_t n_proper = 0;
    int round;
    int i;

    memset(&work, 0, sizeof work);
    work.alloc = mem_allocator(NULL);
    for (round = 0; round < 240 && check_failures == 0; round++) {
        ctok_model *model;

        script = &scripts[(size_t)round / 3 % N_SCRIPTS];
        model = random_model(round % 3 != 0);

        n_proper += model->is_proper;
        for (i = 0; i < 30 && check_failures == 0; i++) {
            check_short(model, &work);
            check_long(model, &work);
        }
        ctok_model_free(model);
    }

    CHECK(n_proper > 40 && n_proper < 240); /* both kinds were tried */
    CHECK(n_from_characters > 1000 && n_from_bytes > 1000);
    bpe_work_free(&work);
    return CHECK_RESULT();
}
