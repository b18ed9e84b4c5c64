/* Any change to an image: refused, or a model that keeps to its memory whatever ids it makes. The
 * input is
 *
 *     model                        which of the images, and the tier to read it with
 *     n                            how many changes
 *     kind array from to value     one of them, as drawn at `change`
 *     ...                          the rest is a text
 *
 * and the sum is made to fit, so that the tables' own checks have the word. Items that take the
 * place of others of their array, and words that are everywhere the same, hold to the rules of each
 * table: then it is for what uses the tables to keep to its memory. */
#include "fuzz.h"

#include "../unit/c/images.h"

enum { N_MODELS = 4 };

/* The first without a pattern, the second with one that vectors split, the third with one for the
 * automaton. */
static const char *const patterns[N_MODELS] = {
    NULL,
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$"
    "|\\s+(?!\\S)|\\s",
    "[a-c]+|.{0,3}x|.|\\n",
    "[^ ]+| ",
};

static image original(size_t which)
{
    static const char *const tokens[] = {
        "ab",       "bc",       "abc",      "aa",           "aaaa",
        " a",       "ba",       "\xC3\xA9", "\xE6\xBC",     "\xE6\xBC\xA2",
        "\xE5\xAD", "abab",     " ab",      "\xE5\xAD\x97", "\xE6\xBC\xA2\xE5\xAD\x97",
        "aaaaaaaa", "abcabcabc"};
    static const uint8_t fingerprint[CTOK_FINGERPRINT_LEN];
    uint32_t apart = which == 3 ? 1000 : 1; /* ids that have to be looked up */
    ctok_builder *builder = NULL;
    ctok_splitter splitter = {0};
    ctok_model *model = NULL;
    image made;

    PROMISE(ctok_builder_new(&builder, NULL, NULL) == CTOK_OK);
    fuzz_add_all_bytes(builder);
    for (uint32_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        ctok_bytes token = fuzz_bytes(tokens[i]);
        uint32_t end = (uint32_t)token.len;
        uint32_t id = (256 + i) * apart;

        PROMISE(ctok_builder_add_tokens(builder, token, &end, &id, 1, NULL) == CTOK_OK);
    }
    PROMISE(ctok_builder_add_special(builder, fuzz_bytes("<|a|>"), 300 * apart, NULL) ==
            CTOK_OK);
    if (patterns[which] != NULL) {
        PROMISE(ctok_splitter_compile(&splitter, fuzz_bytes(patterns[which]),
                                      CTOK_CPU_BEST, NULL, NULL) == CTOK_OK);
        PROMISE(ctok_builder_set_splitter(builder, &splitter, NULL) == CTOK_OK);
    }
    PROMISE(ctok_builder_finish(&model, builder, NULL) == CTOK_OK);
    made = image_of(model, fingerprint);
    ctok_model_free(model);
    ctok_builder_free(builder);
    return made;
}

/* A change is ten bytes:
 *
 *     kind   array   from    to      value
 *     0      1       2  3    4  5    6  7  8  9      the first byte of a number is its highest
 */
enum { CHANGE_LEN = 10 };

enum {
    BYTE,     /* byte number `value` of the image is `from` */
    ITEM,     /* item `to` is what item `from` is */
    EXCHANGE, /* and the other way round */
    ITEMS,    /* so is each from `to` on */
    WORD,     /* word `to` of item `from` is `value` */
    WORDS,    /* so it is in every item */
    NUMBER,   /* number `from` is more by `value` */
    N_KINDS
};

static size_t number_at(const uint8_t *bytes, size_t n)
{
    size_t number = 0;

    for (size_t i = 0; i < n; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static void set_word(image_array array, size_t item, size_t word, uint32_t value)
{
    size_t size = array.item_size < sizeof value ? array.item_size : sizeof value;

    memcpy(array.items + item * array.item_size +
               word % (array.item_size / size) * size,
           &value, size);
}

static void copy_item(image_array array, size_t from, size_t to)
{
    memmove(array.items + to * array.item_size, array.items + from * array.item_size,
            array.item_size);
}

static void exchange_items(image_array array, size_t from, size_t to)
{
    for (size_t i = 0; i < array.item_size; i++) {
        uint8_t *a = array.items + from * array.item_size + i;
        uint8_t *b = array.items + to * array.item_size + i;
        uint8_t byte = *a;

        *a = *b;
        *b = byte;
    }
}

static void change_items(image_array array, int kind, size_t from, size_t to,
                         uint32_t value)
{
    size_t first = to % array.n_items;

    from %= array.n_items;
    switch (kind) {
    case ITEM:
        copy_item(array, from, first);
        break;
    case EXCHANGE:
        exchange_items(array, from, first);
        break;
    case ITEMS:
        for (size_t i = first; i < array.n_items; i++) {
            copy_item(array, from, i);
        }
        break;
    case WORD:
        set_word(array, from, to, value);
        break;
    default:
        for (size_t i = 0; i < array.n_items; i++) {
            set_word(array, i, to, value);
        }
        break;
    }
}

/* `base` says where the arrays are, in `changed` the numbers may be wrong by now. */
static void change_image(image *changed, const image *base, const uint8_t *change)
{
    int kind = change[0] % N_KINDS;
    size_t from = number_at(change + 2, 2);
    size_t to = number_at(change + 4, 2);
    size_t value = number_at(change + 6, 4);
    image_array array = image_array_of(base, change[1] % image_n_arrays(base));

    array.items = changed->bytes + (array.items - base->bytes);
    if (kind == BYTE) {
        changed->bytes[value % changed->len] = (uint8_t)from;
    } else if (kind == NUMBER) {
        size_t at = IMAGE_NUMBERS_AT + 8 * (from % image_n_numbers(base));
        uint64_t sum = image_word(changed, at) + (uint64_t)(int32_t)value;

        memcpy(changed->bytes + at, &sum, sizeof sum);
    } else if (array.n_items > 0) {
        change_items(array, kind, from, to, (uint32_t)value);
    }
}

static void use_ids(const ctok_model *model, const uint32_t *ids, size_t n)
{
    size_t need = 0;
    uint8_t *bytes;

    (void)ctok_decode(model, ids, n, NULL, 0, &need, NULL);
    bytes = malloc(need + 1);
    PROMISE(bytes != NULL);
    (void)ctok_decode(model, ids, n, bytes, need, &need, NULL);
    free(bytes);
}

/* Everything that makes ids or counts them, with no more room than the bound asks for. */
static void use(const ctok_model *model, ctok_bytes text)
{
    const uint64_t allowed = 1;
    const ctok_encode_options options = {.allowed = &allowed};
    size_t cap = ctok_encode_bound(model, text.len);
    uint32_t *ids = malloc(cap * sizeof *ids);
    ctok_range *ranges = malloc(cap * sizeof *ranges);
    ctok_output out = {ids, ranges, cap, 0, 0};
    ctok_output piece = {ids, NULL, cap, 0, 0};
    ctok_output counted = {NULL, NULL, 0, 0, 0};
    ctok_scratch *scratch = NULL;
    ctok_head head;
    ctok_bytes token;

    PROMISE(ids != NULL && ranges != NULL);
    PROMISE(ctok_scratch_new(&scratch, 1 << 14, NULL, NULL) == CTOK_OK);
    if (ctok_encode(model, scratch, text, &options, &out, NULL) == CTOK_OK) {
        PROMISE(out.n <= cap && out.consumed <= text.len);
        for (size_t i = 0; i < out.n; i++) {
            PROMISE(ranges[i].start <= ranges[i].end && ranges[i].end <= text.len);
        }
        use_ids(model, ids, out.n);
    }
    if (ctok_encode_piece(model, scratch, text, &piece, NULL) == CTOK_OK) {
        PROMISE(piece.n <= cap);
        use_ids(model, ids, piece.n);
    }
    if (ctok_encode(model, scratch, text, NULL, &counted, NULL) == CTOK_OK) {
        PROMISE(counted.n <= text.len);
    }
    if (ctok_truncate(model, scratch, text, text.len / 4, &head, NULL) == CTOK_OK) {
        PROMISE(head.len <= text.len);
    }
    PROMISE(ctok_encode_cut(model, text, text.len / 2) <= text.len);
    for (uint32_t id = 0; id < 310; id++) {
        (void)ctok_model_token(model, id, &token);
    }
    ctok_scratch_free(scratch);
    free(ranges);
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ctok_cpu tiers[] = {CTOK_CPU_BEST, CTOK_CPU_PORTABLE, CTOK_CPU_AVX2};
    static image bases[N_MODELS];
    image *base = &bases[size > 0 ? data[0] % N_MODELS : 0];
    ctok_image_options options = {0};
    ctok_model *model = NULL;
    ctok_error err = {0};
    ctok_status status;
    ctok_bytes text;
    image changed;
    size_t n = size > 1 ? data[1] : 0;

    if (size < 2 + CHANGE_LEN * n) {
        return 0;
    }
    if (base->bytes == NULL) {
        *base = original(data[0] % N_MODELS);
    }
    changed = image_copy(base->bytes, base->len);
    for (size_t i = 0; i < n; i++) {
        change_image(&changed, base, data + 2 + CHANGE_LEN * i);
    }
    image_sum_again(&changed);
    text = (ctok_bytes){data + 2 + CHANGE_LEN * n, size - 2 - CHANGE_LEN * n};
    text.len = ctok_utf8_valid(text);
    options.cpu = tiers[data[0] / N_MODELS % (sizeof tiers / sizeof tiers[0])];
    status = ctok_model_from_image(&model, image_view(&changed), &options, NULL, &err);
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
