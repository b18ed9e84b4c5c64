/* Any bytes as text: refused at the first byte that is not UTF-8, or encoded to ids that stand
 * for exactly these bytes, whatever pattern, specials, vector code or limit. */
#include "fuzz.h"

static const char *const PATTERNS[] = {
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| "
    "?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s",
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+"
    "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}"
    "\\p{M}]+"
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}"
    "\\p{M}]+"
    "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}"
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};
#define N_PATTERNS (sizeof PATTERNS / sizeof *PATTERNS)
#define N_MODELS (2 * N_PATTERNS)

static const char *const TOKENS[] = {"  ",   "    ", "aa", "aaaa", "aaaaaaaa",
                                     "th",   "the",  " a", " t",   " the",
                                     "\r\n", "\n\n", "==", "====", "\xC3\xA9"};

static ctok_model *models[N_MODELS];
static ctok_scratch *scratches[N_MODELS];

static void make_model(size_t number)
{
    ctok_builder *builder = NULL;
    ctok_splitter splitter = {0};
    ctok_cpu cpu = number % 2 == 0 ? CTOK_CPU_BEST : CTOK_CPU_PORTABLE;
    ctok_error err = {0};

    PROMISE(ctok_builder_new(&builder, NULL, &err) == CTOK_OK);
    fuzz_add_all_bytes(builder);
    for (uint32_t i = 0; i < sizeof TOKENS / sizeof *TOKENS; i++) {
        uint32_t end = (uint32_t)strlen(TOKENS[i]);
        uint32_t id = 256 + i;

        PROMISE(ctok_builder_add_tokens(builder, fuzz_bytes(TOKENS[i]), &end, &id, 1,
                                        &err) == CTOK_OK);
    }
    PROMISE(ctok_builder_add_special(builder, fuzz_bytes("<|a|>"), 1000, &err) ==
            CTOK_OK);
    PROMISE(ctok_builder_add_special(builder, fuzz_bytes("<|a|>b"), 1001, &err) ==
            CTOK_OK);
    PROMISE(ctok_splitter_compile(&splitter, fuzz_bytes(PATTERNS[number / 2]), cpu,
                                  NULL, &err) == CTOK_OK);
    PROMISE(ctok_builder_set_splitter(builder, &splitter, &err) == CTOK_OK);
    PROMISE(ctok_builder_finish(&models[number], builder, &err) == CTOK_OK);
    PROMISE(ctok_scratch_new(&scratches[number], 1 << 12, NULL, &err) == CTOK_OK);
    ctok_builder_free(builder);
}

/* The first ids of a text are the same whatever the limit. */
static void check_limit(size_t number, ctok_bytes text, size_t limit)
{
    uint32_t ids[16];
    uint32_t first[16] = {0};
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    ctok_output all = {ids, NULL, 16, 0, 0};
    ctok_output some = {first, NULL, 16, 0, 0};
    ctok_status status =
        ctok_encode(models[number], scratches[number], text, NULL, &all, NULL);

    options.max_ids = limit;
    if (status != CTOK_OK && status != CTOK_E_SPACE) {
        return;
    }
    PROMISE(ctok_encode(models[number], scratches[number], text, &options, &some,
                        NULL) == CTOK_OK);
    PROMISE(some.n == (all.n < limit ? all.n : limit));
    if (status == CTOK_OK) {
        PROMISE(memcmp(ids, first, some.n * sizeof *ids) == 0);
    }
}

/* Vector code and portable code make the same ids. */
static void check_twins(size_t number, ctok_bytes text)
{
    size_t cap = ctok_encode_bound(models[number], text.len);
    uint32_t *ids = malloc(2 * cap * sizeof *ids);
    ctok_output vector = {ids, NULL, cap, 0, 0};
    ctok_output portable = {ids == NULL ? NULL : ids + cap, NULL, cap, 0, 0};

    PROMISE(ids != NULL);
    PROMISE(ctok_encode(models[number], scratches[number], text, NULL, &vector, NULL) ==
            ctok_encode(models[number + 1], scratches[number + 1], text, NULL,
                        &portable, NULL));
    PROMISE(vector.n == portable.n);
    PROMISE(memcmp(ids, ids + cap, vector.n * sizeof *ids) == 0);
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t both = 3;
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    ctok_bytes text = {data + 1, size - 1};
    size_t number;

    if (models[N_MODELS - 1] == NULL) {
        for (size_t i = 0; i < N_MODELS; i++) {
            make_model(i);
        }
    }
    if (size == 0) {
        return 0;
    }
    number = data[0] % N_MODELS;
    options.allowed = &both;
    fuzz_check_encoding(models[number], scratches[number], text, NULL, 1);
    fuzz_check_encoding(models[number], scratches[number], text, &options, 1);
    check_limit(number, text, 1 + data[0] % 16);
    check_twins(number - number % 2, text);
    return 0;
}
