/* Any change to an image: refused, or a model that keeps to its memory whatever ids it makes. The
 * input is
 *
 *     n                      how many changes
 *     offset offset offset value    one of them: 24 bits of offset, then the new byte
 *     ...                    the rest is a text
 *
 * and the sum is made to fit, so that the tables' own checks have the word. */
#include "fuzz.h"

#include "../unit/c/images.h"

static image original(void)
{
    static const char *const tokens[] = {"ab", "abc", "aa", "aaaa", " a", "\xC3\xA9"};
    static const uint8_t fingerprint[CTOK_FINGERPRINT_LEN];
    ctok_builder *builder = NULL;
    ctok_splitter splitter = {0};
    ctok_model *model = NULL;
    image made;

    PROMISE(ctok_builder_new(&builder, NULL, NULL) == CTOK_OK);
    fuzz_add_all_bytes(builder);
    for (uint32_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        ctok_bytes token = fuzz_bytes(tokens[i]);
        uint32_t end = (uint32_t)token.len;
        uint32_t id = 256 + i;

        PROMISE(ctok_builder_add_tokens(builder, token, &end, &id, 1, NULL) == CTOK_OK);
    }
    PROMISE(ctok_builder_add_special(builder, fuzz_bytes("<|a|>"), 300, NULL) ==
            CTOK_OK);
    PROMISE(
        ctok_splitter_compile(&splitter,
                              fuzz_bytes("'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++"
                                         "| ?[^\\s\\p{L}\\p{N}]++|\\s++$"
                                         "|\\s+(?!\\S)|\\s"),
                              CTOK_CPU_BEST, NULL, NULL) == CTOK_OK);
    PROMISE(ctok_builder_set_splitter(builder, &splitter, NULL) == CTOK_OK);
    PROMISE(ctok_builder_finish(&model, builder, NULL) == CTOK_OK);
    made = image_of(model, fingerprint);
    ctok_model_free(model);
    ctok_builder_free(builder);
    return made;
}

static void use(const ctok_model *model, ctok_bytes text)
{
    const uint64_t allowed = 1;
    const ctok_encode_options options = {.allowed = &allowed};
    size_t cap = ctok_encode_bound(model, text.len);
    uint32_t *ids = malloc(cap * sizeof *ids);
    ctok_range *ranges = malloc(cap * sizeof *ranges);
    ctok_output out = {ids, ranges, cap, 0, 0};
    ctok_scratch *scratch = NULL;
    ctok_bytes token;

    PROMISE(ids != NULL && ranges != NULL);
    PROMISE(ctok_scratch_new(&scratch, 1 << 14, NULL, NULL) == CTOK_OK);
    if (ctok_encode(model, scratch, text, &options, &out, NULL) == CTOK_OK) {
        size_t need = 0;
        uint8_t *bytes;

        PROMISE(out.n <= cap && out.consumed <= text.len);
        for (size_t i = 0; i < out.n; i++) {
            PROMISE(ranges[i].start <= ranges[i].end && ranges[i].end <= text.len);
        }
        (void)ctok_decode(model, ids, out.n, NULL, 0, &need, NULL);
        bytes = malloc(need + 1);
        PROMISE(bytes != NULL);
        (void)ctok_decode(model, ids, out.n, bytes, need, &need, NULL);
        free(bytes);
    }
    for (uint32_t id = 0; id < 310; id++) {
        (void)ctok_model_token(model, id, &token);
    }
    ctok_scratch_free(scratch);
    free(ranges);
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static image base;
    ctok_model *model = NULL;
    ctok_error err = {0};
    ctok_status status;
    ctok_bytes text;
    image changed;
    size_t n = size > 0 ? data[0] : 0;

    if (base.bytes == NULL) {
        base = original();
    }
    if (size < 1 + 4 * n) {
        return 0;
    }
    changed = image_copy(base.bytes, base.len);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *change = data + 1 + 4 * i;
        size_t at = (size_t)change[0] << 16 | (size_t)change[1] << 8 | change[2];

        changed.bytes[at % changed.len] = change[3];
    }
    image_sum_again(&changed);
    text = (ctok_bytes){data + 1 + 4 * n, size - 1 - 4 * n};
    text.len = ctok_utf8_valid(text);
    status = ctok_model_from_image(&model, image_view(&changed), NULL, NULL, &err);
    PROMISE((status == CTOK_OK) == (model != NULL));
    if (model != NULL) {
        use(model, text);
    } else {
        PROMISE(err.code == status && err.message[0] != '\0');
    }
    ctok_model_free(model);
    free(changed.bytes);
    return 0;
}
