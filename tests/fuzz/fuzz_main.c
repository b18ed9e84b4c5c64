/* fuzz_main.c - runs a fuzz target without a fuzzer: replays a folder of inputs, then
 * mutates them for a while, the same way every time.
 *
 *     fuzz_encode CORPUS [MUTATIONS [SEED]]
 *
 * A target crashes by abort() or under a sanitizer. The input that was running is then on disk
 * as crash-<target> in the working folder. With libFuzzer leave this file out:
 *     clang -fsanitize=fuzzer,address -Icsrc tests/fuzz/fuzz_encode.c csrc/ctok_all.c
 */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_INPUTS 1024
#define MAX_LEN 4096
#define MAX_SECONDS 10 /* unless a number of mutations was asked for */
#define DEFAULT_MUTATIONS 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    uint8_t *data;
    size_t len;
} input;

static input inputs[MAX_INPUTS];
static size_t n_inputs;
static uint8_t current[MAX_LEN];
static size_t current_len;
static char crash_name[256] = "crash-input";

/* Only calls that are safe in a signal handler. */
static void save_current(int signal_number)
{
    FILE *file = fopen(crash_name, "wb");

    if (file != NULL) {
        fwrite(current, 1, current_len, file);
        fclose(file);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DULL;
}

static size_t random_below(uint64_t *state, size_t n)
{
    return n == 0 ? 0 : (size_t)(random_next(state) % n);
}

static void load(const char *folder, const char *name)
{
    char path[1024];
    FILE *file;
    input *in = &inputs[n_inputs];

    if (name[0] == '.' || n_inputs == MAX_INPUTS) {
        return;
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    in->data = malloc(MAX_LEN);
    if (file == NULL || in->data == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    in->len = fread(in->data, 1, MAX_LEN, file);
    fclose(file);
    n_inputs++;
}

static int compare_inputs(const void *a, const void *b)
{
    const input *left = a;
    const input *right = b;
    size_t n = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->data, right->data, n);

    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

static void load_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (dir == NULL) {
        fprintf(stderr, "%s: no such folder\n", folder);
        exit(2);
    }
    while ((entry = readdir(dir)) != NULL) {
        load(folder, entry->d_name);
    }
    closedir(dir);
    /* The order of a folder is not the same everywhere. */
    qsort(inputs, n_inputs, sizeof *inputs, compare_inputs);
}

/* Opens a gap of n bytes at a place, or closes one. */
static void insert_gap(size_t at, size_t n)
{
    n = n > MAX_LEN - current_len ? MAX_LEN - current_len : n;
    memmove(current + at + n, current + at, current_len - at);
    memset(current + at, 'a', n);
    current_len += n;
}

static void remove_bytes(size_t at, size_t n)
{
    n = n > current_len - at ? current_len - at : n;
    memmove(current + at, current + at + n, current_len - at - n);
    current_len -= n;
}

static void mutate(uint64_t *state)
{
    static const char *const words[] = {
        "\xF0\x9F\x98\x80",
        "\xC3\xA9",
        "\xED\xA0\x80",
        "\xFF\xFE",
        "<|a|>",
        "\r\n",
        "   ",
        "'s",
        "\\p{L}",
        "[^\\s]",
        "(?i:",
        "{1,3}",
        "+",
        "*",
        "?",
        "|",
        "(?!\\S)",
        "\xCC\x81",
        "\xE1\xA0\x8E",
        "\xC2\x85",
        "&&[^\\p{Han}]",
        "\\p{Lu}",
        "$",
    };
    const input *other = &inputs[random_below(state, n_inputs)];
    size_t at = random_below(state, current_len + 1);
    size_t n;

    switch (random_below(state, 7)) {
    case 0:
        if (current_len > 0) {
            current[at % current_len] ^= (uint8_t)(1u << random_below(state, 8));
        }
        break;
    case 1:
        if (current_len > 0) {
            current[at % current_len] = (uint8_t)random_next(state);
        }
        break;
    case 2:
        remove_bytes(at, 1 + random_below(state, 16));
        break;
    case 3: /* a word that means something */
        n = random_below(state, sizeof words / sizeof *words);
        insert_gap(at, strlen(words[n]));
        if (at + strlen(words[n]) <= current_len) {
            memcpy(current + at, words[n], strlen(words[n]));
        }
        break;
    case 4: /* one byte many times */
        n = 1 + random_below(state, 200);
        insert_gap(at, n);
        memset(current + at, (int)random_below(state, 256),
               n < current_len - at ? n : current_len - at);
        break;
    case 5: /* part of another input */
        n = random_below(state, other->len + 1);
        insert_gap(at, n);
        memcpy(current + at, other->data, n < current_len - at ? n : current_len - at);
        break;
    default: /* a part of itself again */
        n = random_below(state, current_len - at + 1);
        insert_gap(at, n);
        break;
    }
}

static void run(void)
{
    /* A copy of the exact size, so that reading beyond it is noticed. */
    uint8_t *copy = malloc(current_len == 0 ? 1 : current_len);

    if (copy == NULL) {
        exit(2);
    }
    memcpy(copy, current, current_len);
    LLVMFuzzerTestOneInput(copy, current_len);
    free(copy);
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    unsigned long mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : DEFAULT_MUTATIONS;
    uint64_t state = argc > 3 ? strtoull(argv[3], NULL, 10) | 1 : 0x9E3779B97F4A7C15ULL;
    time_t start = time(NULL);
    unsigned long done;

    if (argc < 2) {
        fprintf(stderr, "usage: %s CORPUS [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    snprintf(crash_name, sizeof crash_name, "crash-%s",
             name == NULL ? argv[0] : name + 1);
    signal(SIGSEGV, save_current);
    signal(SIGABRT, save_current);
    load_folder(argv[1]);
    for (size_t i = 0; i < n_inputs; i++) {
        current_len = inputs[i].len;
        memcpy(current, inputs[i].data, current_len);
        run();
    }
    for (done = 0; n_inputs > 0 && done < mutations; done++) {
        size_t rounds = 1 + random_below(&state, 6);
        const input *from = &inputs[random_below(&state, n_inputs)];

        if (argc == 2 && done % 64 == 0 && time(NULL) - start > MAX_SECONDS) {
            break;
        }
        current_len = from->len;
        memcpy(current, from->data, current_len);
        while (rounds-- > 0) {
            mutate(&state);
        }
        run();
    }
    printf("%s: %zu inputs, %lu mutations\n", name == NULL ? argv[0] : name + 1,
           n_inputs, done);
    for (size_t i = 0; i < n_inputs; i++) {
        free(inputs[i].data);
    }
    return n_inputs == 0;
}
