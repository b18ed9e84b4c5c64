/* How much stack a call takes, whatever the text: threads do not get much everywhere. */
#define _POSIX_C_SOURCE 200809L /* for pthread_attr_setstack */
#include "check.h"
#include "known_patterns.h"

#include <pthread.h>

/* What ctok.h promises, also of a compiler that does not optimize. Sanitizers take what they like. */
#define MAX_STACK ((size_t)120 << 10)
#define STACK ((size_t)1 << 20)
#define MARK 0xA5
#define TEXT_LEN ((size_t)40000)

static const char *const TOKENS[] = {"ab", "abc", " c", " ca", "aa", "aaaa", NULL};

typedef struct job {
    const ctok_model *model;
    ctok_scratch *scratch;
    ctok_bytes text;
} job;

static void *work(void *argument)
{
    const job *self = argument;
    uint32_t *ids = malloc((TEXT_LEN + 64) * sizeof *ids);
    uint8_t *bytes = malloc(TEXT_LEN + 64);
    ctok_output out = {ids, NULL, TEXT_LEN + 64, 0, 0};
    ctok_output count = {0};
    ctok_head head;
    size_t len = 0;
    ctok_error err = {0};

    REQUIRE(ids != NULL && bytes != NULL);
    CHECK_STATUS(
        CTOK_OK,
        ctok_encode(self->model, self->scratch, self->text, NULL, &count, &err), &err);
    CHECK_STATUS(CTOK_OK,
                 ctok_encode(self->model, self->scratch, self->text, NULL, &out, &err),
                 &err);
    CHECK_EQ(count.n, out.n);
    CHECK_STATUS(
        CTOK_OK,
        ctok_truncate(self->model, self->scratch, self->text, out.n / 2, &head, &err),
        &err);
    CHECK_STATUS(CTOK_OK,
                 ctok_decode(self->model, ids, out.n, bytes, TEXT_LEN + 64, &len, &err),
                 &err);
    CHECK(bytes_equal(self->text, (ctok_bytes){bytes, len}));
    free(ids);
    free(bytes);
    return NULL;
}

/* The stack that a job took; it grows down. */
static size_t stack_of(job *self)
{
    uint8_t *stack = aligned_alloc(4096, STACK);
    size_t unused = 0;
    pthread_attr_t attributes;
    pthread_t thread;

    REQUIRE(stack != NULL);
    memset(stack, MARK, STACK);
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstack(&attributes, stack, STACK) == 0);
    REQUIRE(pthread_create(&thread, &attributes, work, self) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    REQUIRE(pthread_attr_destroy(&attributes) == 0);
    while (unused < STACK && stack[unused] == MARK) {
        unused++;
    }
    free(stack);
    return STACK - unused;
}

/* Text with many pieces to be merged, one long piece, or long characters. */
static void fill(uint8_t *text, size_t kind)
{
    static const char *const units[][4] = {
        {"abcab ", "cabca", "b c\n", " 12"},
        {"ab", "c", "abca", "aa"},
        {"\xE6\xBC\xA2", "\xD0\xB4", "a", "\xE5\xAD\x97"}};
    uint64_t random = kind + 1;
    size_t at = 0;

    while (at < TEXT_LEN) {
        const char *unit = units[kind][check_random(&random) >> 62];
        size_t len = strlen(unit);

        if (at + len > TEXT_LEN) {
            unit = "a";
            len = 1;
        }
        memcpy(text + at, unit, len);
        at += len;
    }
}

int main(void)
{
    static uint8_t text[TEXT_LEN];
    ctok_cpu tiers[CHECK_MAX_TIERS];
    size_t n_tiers = check_tiers(tiers);
    size_t most = 0;
    ctok_error err = {0};

    for (size_t t = 0; t < n_tiers; t++) {
        check_cpu = tiers[t];
        for (size_t i = 0; i < N_KNOWN_PATTERNS; i++) {
            job self = {NULL, NULL, {text, TEXT_LEN}};
            ctok_model *model;

            CHECK_STATUS(CTOK_OK,
                         model_new(&model, TOKENS, NULL, known_patterns[i], NULL, &err),
                         &err);
            REQUIRE(model != NULL);
            self.model = model;
            for (size_t kind = 0; kind < 3; kind++) {
                size_t used;

                fill(text, kind);
                CHECK_STATUS(CTOK_OK,
                             ctok_scratch_new(&self.scratch, 1 << 20, NULL, &err),
                             &err);
                used = stack_of(&self);
                most = used > most ? used : most;
                ctok_scratch_free(self.scratch);
            }
            ctok_model_free(model);
        }
    }
    printf("%zu bytes of stack\n", most);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(most <= MAX_STACK);
#endif
    return CHECK_RESULT();
}
