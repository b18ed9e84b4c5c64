// The header as C++17: it compiles, links, and its structs are usable.
#include "ctok.h"

#include <string_view>
#include <vector>

static ctok_bytes bytes_of(std::string_view text)
{
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

int main()
{
    ctok_builder *builder = nullptr;
    ctok_model *model = nullptr;
    ctok_scratch *scratch = nullptr;
    ctok_error err = {};
    const uint32_t ends[] = {1, 2, 4};
    const uint32_t ids[] = {0, 1, 2};
    std::vector<uint32_t> made(16);
    ctok_output out = {made.data(), nullptr, made.size(), 0, 0};

    bool fine =
        ctok_builder_new(&builder, nullptr, &err) == CTOK_OK &&
        ctok_builder_add_tokens(builder, bytes_of("abab"), ends, ids, 3, &err) ==
            CTOK_OK &&
        ctok_builder_finish(&model, builder, &err) == CTOK_OK &&
        ctok_scratch_new(&scratch, CTOK_CACHE_DEFAULT, nullptr, &err) == CTOK_OK &&
        ctok_encode(model, scratch, bytes_of("aba"), nullptr, &out, &err) == CTOK_OK;
    fine = fine && out.n == 2 && made[0] == 2 && made[1] == 0;
    ctok_scratch_free(scratch);
    ctok_model_free(model);
    ctok_builder_free(builder);
    return fine ? 0 : 1;
}
