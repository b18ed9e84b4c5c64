/* Any bytes as a vocabulary: refused with a reason, or a model whose tokens are found by their
 * bytes and by their ids, and that encodes what it can, by the definition of merging. The input is a program:
 *
 *     t LEN BYTES ID   a token          m LEFT RIGHT ID   a merge
 *     s LEN BYTES ID   a special        a                 all bytes, byte b with id b
 *     f FLAGS          build flags      anything else: the rest is a text
 */
#include "fuzz.h"

#include "../unit/c/naive.h"

typedef struct reader {
    const uint8_t *next;
    const uint8_t *end;
    bool ids_are_ranks; /* no merges, no flags */
} reader;

static uint8_t read_byte(reader *in)
{
    return in->next < in->end ? *in->next++ : 0;
}

/* Small ids, so that they meet; now and then one at the very end of what is possible. */
static uint32_t read_id(reader *in)
{
    uint32_t id = read_byte(in);

    return id < 240 ? id + 64 : id - 240 + 0xFFFFFFF0u;
}

static ctok_bytes read_bytes(reader *in)
{
    size_t len = read_byte(in) % 12;
    size_t left = (size_t)(in->end - in->next);
    ctok_bytes bytes = {in->next, len < left ? len : left};

    in->next += bytes.len;
    return bytes;
}

static void run_token(ctok_builder *builder, reader *in)
{
    ctok_bytes token = read_bytes(in);
    uint32_t end = (uint32_t)token.len;
    uint32_t id = read_id(in);
    ctok_error err = {0};
    ctok_status status = ctok_builder_add_tokens(builder, token, &end, &id, 1, &err);

    PROMISE(status == CTOK_OK || (status == CTOK_E_LIMIT && id == UINT32_MAX));
}

static void run_program(ctok_builder *builder, reader *in)
{
    uint32_t left;
    uint32_t right;
    uint32_t merged;
    ctok_bytes text;

    while (in->next < in->end) {
        switch (*in->next) {
        case 't':
            in->next++;
            run_token(builder, in);
            break;
        case 'm':
            in->next++;
            in->ids_are_ranks = false;
            left = read_id(in);
            right = read_id(in);
            merged = read_id(in);
            PROMISE(ctok_builder_add_merges(builder, &left, &right, &merged, 1, NULL) ==
                    CTOK_OK);
            break;
        case 's':
            in->next++;
            text = read_bytes(in);
            (void)ctok_builder_add_special(builder, text, read_id(in), NULL);
            break;
        case 'a':
            in->next++;
            fuzz_add_all_bytes(builder);
            break;
        case 'f':
            in->next++;
            in->ids_are_ranks = false;
            (void)ctok_builder_set_flags(builder, read_byte(in) % 8, NULL);
            break;
        default:
            return;
        }
    }
}

static void check_model(const ctok_model *model, ctok_bytes text, bool ids_are_ranks)
{
    ctok_model_info info;
    ctok_scratch *scratch = NULL;
    ctok_bytes token;
    uint32_t id;

    ctok_model_describe(model, &info);
    for (uint32_t i = 0; i < 600; i++) {
        /* The last sixteen stand for the largest ids that there are. */
        uint32_t asked = i < 584 ? i : UINT32_MAX - (599 - i);

        if (ctok_model_token(model, asked, &token) == CTOK_OK) {
            PROMISE(asked <= info.max_id && token.len <= info.max_token_len);
            if (ctok_model_find(model, token, &id) == CTOK_OK) {
                ctok_bytes same;
                PROMISE(ctok_model_token(model, id, &same) == CTOK_OK);
            }
        } else {
            PROMISE(token.ptr == NULL && token.len == 0);
        }
    }
    PROMISE(ctok_scratch_new(&scratch, 1 << 12, NULL, NULL) == CTOK_OK);
    text.len = ctok_utf8_valid(text);
    if (text.len <= 512) {
        uint32_t ids[1024];
        ctok_output out = {ids, NULL, 1024, 0, 0};
        ctok_status status = ctok_encode(model, scratch, text, NULL, &out, NULL);

        PROMISE(status == CTOK_OK || status == CTOK_E_RANK);
        PROMISE(out.n <= text.len);
        if (ids_are_ranks && text.len > 0) {
            uint32_t expected[NAIVE_MAX];
            size_t n;

            PROMISE(status == naive_encode_piece(model, text, expected, &n));
            PROMISE(status != CTOK_OK ||
                    (n == out.n && memcmp(expected, ids, n * sizeof *ids) == 0));
        }
    }
    ctok_scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader in = {data, data + size, true};
    ctok_builder *builder = NULL;
    ctok_model *model = NULL;
    ctok_error err = {0};
    ctok_status status;

    PROMISE(ctok_builder_new(&builder, NULL, &err) == CTOK_OK);
    run_program(builder, &in);
    status = ctok_builder_finish(&model, builder, &err);
    PROMISE((status == CTOK_OK) == (model != NULL));
    if (model != NULL) {
        check_model(model, (ctok_bytes){in.next, (size_t)(in.end - in.next)},
                    in.ids_are_ranks);
    } else {
        PROMISE(err.code == status && err.message[0] != '\0');
    }
    ctok_model_free(model);
    ctok_builder_free(builder);
    return 0;
}
