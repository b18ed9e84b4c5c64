/* The lines of tests/regressions.txt whose encoding is spelled out there; the file's head says
 * how. The path may be given as an argument. */
#include "check.h"

#define MAX_LINE 16384
#define MAX_ENCODINGS 32

typedef struct named_model {
    char name[64];
    ctok_model *model;
} named_model;

static named_model models[MAX_ENCODINGS];
static size_t n_models;

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Replaces escapes by their bytes, in place. */
static ctok_bytes unescape(char *field)
{
    char *out = field;

    for (const char *in = field; *in != '\0'; in++) {
        if (*in != '\\') {
            *out++ = *in;
        } else if (*++in == 'x') {
            *out++ = (char)(hex_digit(in[1]) << 4 | hex_digit(in[2]));
            in += 2;
        } else {
            *out++ = *in;
            out[-1] = *in == 't' ? '\t' : *in == 'n' ? '\n' : *in;
        }
    }
    return (ctok_bytes){(const uint8_t *)field, (size_t)(out - field)};
}

/* Cuts text at a separator; the next part goes to *rest, NULL at the end. */
static char *cut(char *text, char separator, char **rest)
{
    char *at = text == NULL ? NULL : strchr(text, separator);

    *rest = at == NULL ? NULL : at + 1;
    if (at != NULL) {
        *at = '\0';
    }
    return text;
}

static void add_encoding(char *fields)
{
    char *rest;
    char *name = cut(fields, '\t', &rest);
    char *pattern = cut(rest, '\t', &rest);
    char *tokens = cut(rest, '\t', &rest);
    char *specials = rest;
    ctok_builder *builder = NULL;
    ctok_splitter splitter = {0};
    ctok_error err = {0};
    uint32_t id = 256;

    REQUIRE(n_models < MAX_ENCODINGS && tokens != NULL && strlen(name) < 64);
    REQUIRE(ctok_builder_new(&builder, NULL, &err) == CTOK_OK);
    REQUIRE(add_all_bytes(builder, &err) == CTOK_OK);
    while (tokens != NULL) {
        ctok_bytes token = unescape(cut(tokens, ' ', &tokens));
        uint32_t end = (uint32_t)token.len;

        CHECK_STATUS(CTOK_OK,
                     ctok_builder_add_tokens(builder, token, &end, &id, 1, &err), &err);
        id++;
    }
    for (id = 1000; specials != NULL; id++) {
        ctok_bytes special = bytes_of(cut(specials, ' ', &specials));
        CHECK_STATUS(CTOK_OK, ctok_builder_add_special(builder, special, id, &err),
                     &err);
    }
    CHECK_STATUS(
        CTOK_OK,
        ctok_splitter_compile(&splitter, unescape(pattern), CTOK_CPU_BEST, NULL, &err),
        &err);
    CHECK_STATUS(CTOK_OK, ctok_builder_set_splitter(builder, &splitter, &err), &err);
    CHECK_STATUS(CTOK_OK, ctok_builder_finish(&models[n_models].model, builder, &err),
                 &err);
    REQUIRE(models[n_models].model != NULL);
    memcpy(models[n_models].name, name, strlen(name) + 1);
    n_models++;
    ctok_builder_free(builder);
}

/* Whether the line's encoding is known here. */
static bool run_case(const char *name, char *fields, ctok_scratch *scratch)
{
    const uint64_t allowed = UINT64_MAX;
    ctok_encode_options options = CTOK_ENCODE_OPTIONS_INIT;
    char *rest;
    ctok_bytes text = unescape(cut(fields, '\t', &rest));
    char *expected = cut(rest, '\t', &rest);
    const char *reason = rest;
    uint32_t ids[4096];
    ctok_output out = {ids, NULL, 4096, 0, 0};
    ctok_error err = {0};
    size_t n = 0;

    options.allowed = &allowed;
    for (size_t i = 0; i < n_models; i++) {
        if (strcmp(models[i].name, name) != 0) {
            continue;
        }
        CHECK_STATUS(CTOK_OK,
                     ctok_encode(models[i].model, scratch, text, &options, &out, &err),
                     &err);
        for (; expected != NULL && n < out.n; n++) {
            if (strtoul(cut(expected, ' ', &expected), NULL, 10) != ids[n]) {
                break;
            }
        }
        if (n != out.n || expected != NULL) {
            fprintf(stderr, "%s: id %zu differs: %s\n", name, n, reason);
            check_failures++;
        }
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    static char line[MAX_LINE];
    FILE *file = fopen(argc > 1 ? argv[1] : "tests/regressions.txt", "rb");
    ctok_scratch *scratch;
    ctok_error err = {0};
    size_t n_cases = 0;

    REQUIRE(file != NULL);
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&scratch, CTOK_CACHE_DEFAULT, NULL, &err),
                 &err);
    while (fgets(line, sizeof line, file) != NULL) {
        char *rest;

        REQUIRE(strchr(line, '\n') != NULL);
        *strchr(line, '\n') = '\0';
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        (void)cut(line, '\t', &rest);
        REQUIRE(rest != NULL);
        if (strcmp(line, "encoding") == 0) {
            add_encoding(rest);
        } else {
            n_cases += run_case(line, rest, scratch);
        }
    }
    fclose(file);
    CHECK(n_cases >= 20);
    ctok_scratch_detach(scratch);
    ctok_scratch_free(scratch);
    while (n_models > 0) {
        ctok_model_free(models[--n_models].model);
    }
    return CHECK_RESULT();
}
