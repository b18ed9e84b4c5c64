/* The library as one file, as projects vendor it: it compiles and encodes. */
#include "ctok_all.c"

#include "check.h"

int main(void)
{
    const char *tokens[] = {"ab", NULL};
    ctok_model *model;
    ctok_scratch *scratch;
    uint32_t ids[64];
    ctok_output out = {ids, NULL, 64, 0, 0};
    ctok_error err = {0};

    CHECK_STATUS(CTOK_OK, model_new(&model, tokens, NULL, "\\p{L}+|\\s", NULL, &err),
                 &err);
    REQUIRE(model != NULL);
    CHECK_STATUS(CTOK_OK, ctok_scratch_new(&scratch, 0, NULL, &err), &err);
    CHECK_STATUS(CTOK_OK,
                 ctok_encode(model, scratch, bytes_of("ab b"), NULL, &out, &err), &err);
    CHECK(out.n == 3 && ids[0] == 256 && ids[1] == ' ' && ids[2] == 'b');
    ctok_scratch_free(scratch);
    ctok_model_free(model);
    return CHECK_RESULT();
}
