/* instructions.c - fixed work whose instructions callgrind counts (instructions.py).
 *
 *     instructions portable|avx2 VOCABULARY (KIND TEXTS)...
 *
 * Each pair is one call of `measured`, which callgrind is told to count, and prints one line:
 * the kind, the bytes that went in, what came out (ids or bytes). Files are lists of strings, in the
 * machine's byte order:
 *
 *     u32 n   u32 ends[n]   the strings, one after the other
 *
 * A vocabulary is its pattern, then the tokens by id. */
#include "ctok.h"

#include "cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct strings {
    uint32_t n;
    uint32_t *ends;
    uint8_t *bytes;
} strings;

typedef struct job {
    const ctok_model *model;
    ctok_scratch *scratch;
    transcode_function transcode;
    strings texts;
    uint32_t *ids; /* of the last texts that were encoded, one after the other */
    size_t n_ids;
    uint8_t *out; /* bytes */
    size_t out_cap;
    size_t made; /* ids or bytes */
} job;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* Memory for n items, for as long as the process lives. */
static void *room(size_t n, size_t item_size)
{
    void *memory = calloc(n + 1, item_size);

    if (memory == NULL) {
        stop("memory", "there is none");
    }
    return memory;
}

static ctok_bytes string(strings list, uint32_t i)
{
    uint32_t start = i == 0 ? 0 : list.ends[i - 1];

    return (ctok_bytes){list.bytes + start, list.ends[i] - start};
}

static strings read_strings(const char *path)
{
    strings list = {0};
    FILE *file = fopen(path, "rb");
    size_t n_bytes;

    if (file == NULL || fread(&list.n, sizeof list.n, 1, file) != 1 || list.n == 0) {
        stop(path, "no list of strings");
    }
    list.ends = room(list.n, sizeof *list.ends);
    if (fread(list.ends, sizeof *list.ends, list.n, file) != list.n) {
        stop(path, "the ends of its strings are missing");
    }
    n_bytes = list.ends[list.n - 1];
    list.bytes = room(n_bytes, 1);
    if (fread(list.bytes, 1, n_bytes, file) != n_bytes) {
        stop(path, "strings are missing");
    }
    fclose(file);
    return list;
}

static ctok_model *build(strings vocabulary, ctok_cpu cpu)
{
    uint32_t n_tokens = vocabulary.n - 1;
    uint32_t *ids = room(n_tokens, sizeof *ids);
    uint32_t *ends = room(n_tokens, sizeof *ends);
    ctok_bytes pattern = string(vocabulary, 0);
    ctok_bytes blob = {vocabulary.bytes + pattern.len, 0};
    ctok_splitter splitter;
    ctok_builder *builder;
    ctok_model *model;
    ctok_error err = {0};

    for (uint32_t i = 0; i < n_tokens; i++) {
        ids[i] = i;
        ends[i] = vocabulary.ends[i + 1] - vocabulary.ends[0];
    }
    blob.len = n_tokens == 0 ? 0 : ends[n_tokens - 1];
    if (ctok_splitter_compile(&splitter, pattern, cpu, NULL, &err) != CTOK_OK ||
        ctok_builder_new(&builder, NULL, &err) != CTOK_OK ||
        ctok_builder_set_splitter(builder, &splitter, &err) != CTOK_OK ||
        ctok_builder_add_tokens(builder, blob, ends, ids, n_tokens, &err) != CTOK_OK) {
        stop("vocabulary", err.message);
    }
    ctok_builder_set_cpu(builder, cpu);
    if (ctok_builder_finish(&model, builder, &err) != CTOK_OK) {
        stop("vocabulary", err.message);
    }
    ctok_builder_free(builder);
    return model;
}

/* ---- the work --------------------------------------------------------------------- */

/* With room for ids, or counting. */
static size_t encode_all(job *j, uint32_t *ids, size_t cap)
{
    ctok_encode_options options = {.text_is_utf8 = 1};
    ctok_error err;
    size_t n = 0;

    for (uint32_t i = 0; i < j->texts.n; i++) {
        ctok_output output = {.ids = ids == NULL ? NULL : ids + n, .cap = cap - n};

        if (ctok_encode(j->model, j->scratch, string(j->texts, i), &options, &output,
                        &err) != CTOK_OK) {
            stop("encode", err.message);
        }
        n += output.n;
    }
    return n;
}

static void encode(job *j)
{
    j->n_ids = encode_all(j, j->ids, j->out_cap);
    j->made = j->n_ids;
}

static void count(job *j)
{
    j->made = encode_all(j, NULL, 0);
}

static void decode(job *j)
{
    ctok_error err;

    if (ctok_decode(j->model, j->ids, j->n_ids, j->out, j->out_cap, &j->made, &err) !=
        CTOK_OK) {
        stop("decode", err.message);
    }
}

static void transcode_all(job *j, size_t unit_size)
{
    size_t n_surrogates = 0;

    j->made = 0;
    for (uint32_t i = 0; i < j->texts.n; i++) {
        ctok_bytes units = string(j->texts, i);

        if (ctok_utf8_bound(unit_size, units.len / unit_size) > j->out_cap) {
            stop("transcode", "a text is too long");
        }
        j->made += j->transcode(units.ptr, unit_size, units.len / unit_size, j->out,
                                &n_surrogates);
    }
}

static void ucs2(job *j)
{
    transcode_all(j, 2);
}

static void ucs4(job *j)
{
    transcode_all(j, 4);
}

static const struct {
    const char *name;
    void (*work)(job *);
} kinds[] = {
    {"cold", encode},                     /* with a new scratch */
    {"warm", encode},                     /* with that of the work before */
    {"count", count}, {"decode", decode}, /* the ids that were made last */
    {"ucs2", ucs2},   {"ucs4", ucs4},
};

/* What callgrind counts is what is done in here, and nothing of what prepares it. The store
 * keeps the call from becoming a jump, which callgrind would take for the end. */
__attribute__((noinline)) void measured(void (*work)(job *), job *j);
__attribute__((noinline)) void measured(void (*work)(job *), job *j)
{
    static volatile int n_done;

    work(j);
    n_done++;
}

static void run(const char *kind, job *j)
{
    const size_t n_kinds = sizeof kinds / sizeof kinds[0];
    size_t n_bytes = j->texts.ends[j->texts.n - 1];
    size_t k = 0;

    while (k < n_kinds && strcmp(kinds[k].name, kind) != 0) {
        k++;
    }
    if (k == n_kinds) {
        stop(kind, "no such kind of work");
    }
    if (strcmp(kind, "cold") == 0) {
        ctok_scratch_free(j->scratch);
        if (ctok_scratch_new(&j->scratch, CTOK_CACHE_DEFAULT, NULL, NULL) != CTOK_OK) {
            stop("scratch", "no memory");
        }
    }
    measured(kinds[k].work, j);
    printf("%s %zu %zu\n", kind, n_bytes, j->made);
}

static ctok_cpu tier(const char *name)
{
    if (strcmp(name, "portable") == 0) {
        return CTOK_CPU_PORTABLE;
    }
    if (strcmp(name, "avx2") != 0) {
        stop(name, "no such tier: portable, avx2");
    }
    if (ctok_cpu_used(CTOK_CPU_BEST) < CTOK_CPU_AVX2) {
        stop(name, "this machine cannot run it");
    }
    return CTOK_CPU_AVX2;
}

int main(int argc, char **argv)
{
    job j = {0};
    ctok_cpu cpu;

    if (argc < 3 || argc % 2 == 0) {
        stop("usage", "instructions portable|avx2 VOCABULARY (KIND TEXTS)...");
    }
    cpu = tier(argv[1]);
    j.model = build(read_strings(argv[2]), cpu);
    j.transcode = cpu_transcoder(cpu);
    j.out_cap = (size_t)4 << 20;
    j.out = room(j.out_cap, 1);
    j.ids = room(j.out_cap, sizeof *j.ids);
    for (int i = 3; i < argc; i += 2) {
        j.texts = read_strings(argv[i + 1]);
        run(argv[i], &j);
    }
    return 0;
}
