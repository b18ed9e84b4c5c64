/* Sixteen threads share one model, each with a scratch of its own: for ThreadSanitizer,
 * and equal results without it. */
#include "check.h"

#include <pthread.h>

#define N_THREADS 16
#define N_TEXTS 200
#define TEXT_LEN 300

static const char *const TOKENS[] = {"ab",  "abc", "bc",   " c",
                                     " ca", "aa",  "aaaa", NULL};
static const char *const SPECIALS[] = {"<|a|>", "<|b|>", NULL};

typedef struct worker {
    pthread_t thread;
    const ctok_model *model;
    uint64_t digest; /* of all ids */
    size_t n_failures;
} worker;

static void *work(void *argument)
{
    worker *self = argument;
    const uint64_t allowed = 1;
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    ctok_scratch *scratch = NULL;
    uint64_t random = 99;
    uint32_t ids[4 * TEXT_LEN];
    uint8_t bytes[4 * TEXT_LEN];
    ctok_error err = {0};

    options.allowed = &allowed;
    self->n_failures += ctok_scratch_new(&scratch, 1 << 14, NULL, &err) != CTOK_OK;
    for (size_t i = 0; i < N_TEXTS; i++) {
        char text[TEXT_LEN + 1];
        ctok_output out = {ids, NULL, 4 * TEXT_LEN, 0, 0};
        size_t len = 0;

        for (size_t k = 0; k < TEXT_LEN; k++) {
            text[k] = "abc abc<|>"[check_random(&random) % 10];
        }
        memcpy(text + check_random(&random) % (TEXT_LEN - 5), "<|a|>", 5);
        text[TEXT_LEN] = '\0';
        self->n_failures += ctok_encode(self->model, scratch, bytes_of(text), &options,
                                        &out, &err) != CTOK_OK;
        self->n_failures += ctok_decode(self->model, ids, out.n, bytes, sizeof bytes,
                                        &len, &err) != CTOK_OK;
        self->n_failures += !bytes_equal(bytes_of(text), (ctok_bytes){bytes, len});
        for (size_t k = 0; k < out.n; k++) {
            self->digest = (self->digest ^ ids[k]) * 0x100000001B3ULL;
        }
    }
    ctok_scratch_free(scratch);
    return NULL;
}

int main(void)
{
    static worker workers[N_THREADS];
    ctok_model *model;
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK,
                 model_new(&model, TOKENS, SPECIALS, " ?\\p{L}+|[^\\p{L}]", NULL, &err),
                 &err);
    REQUIRE(model != NULL);
    for (size_t i = 0; i < N_THREADS; i++) {
        workers[i].model = model;
        REQUIRE(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        REQUIRE(pthread_join(workers[i].thread, NULL) == 0);
        CHECK_EQ(0, workers[i].n_failures);
        CHECK_EQ(workers[0].digest, workers[i].digest);
    }
    CHECK(workers[0].digest != 0);
    ctok_model_free(model);
    return CHECK_RESULT();
}
