/* UTF-8: every character there and back, and everything that is none refused where it is. */
#include "check.h"
#include "utf8.h"

static void test_every_character_comes_back(void)
{
    uint8_t bytes[UTF8_MAX_LEN];

    for (uint32_t c = 0; c < 0x110000; c++) {
        size_t len = utf8_encode(c, bytes);
        const uint8_t *at = bytes;
        bool is_surrogate = c >= 0xD800 && c < 0xE000;

        if (utf8_check(bytes, bytes + len) != (is_surrogate ? 0 : len) ||
            utf8_next(&at) != c || at != bytes + len) {
            CHECK_EQ(0, c); /* names the first one that fails */
            return;
        }
        for (size_t cut = 0; cut < len; cut++) {
            CHECK_EQ(0, utf8_check(bytes, bytes + cut));
        }
    }
}

static void test_only_what_is_a_character_is_one(void)
{
    /* All sequences of two bytes, and of three with every kind of third one: those that
     * are characters must be the shortest form of what they decode to. */
    static const uint8_t tails[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90,
                                    0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    uint8_t bytes[UTF8_MAX_LEN];
    uint8_t again[UTF8_MAX_LEN];

    for (size_t i = 0; i < 0x10000 * sizeof tails; i++) {
        size_t len;
        bytes[0] = (uint8_t)(i >> 8);
        bytes[1] = (uint8_t)i;
        bytes[2] = tails[(i >> 16) % sizeof tails];
        bytes[3] = 0x80;
        len = utf8_check(bytes, bytes + sizeof bytes);
        if (len > 0) {
            const uint8_t *at = bytes;
            uint32_t c = utf8_next(&at);
            CHECK_EQ(len, utf8_encode(c, again));
            CHECK(memcmp(bytes, again, len) == 0);
            CHECK(c < 0xD800 || c > 0xDFFF);
            CHECK(c < 0x110000);
        }
    }
}

/* In a block of its own, so that a sanitizer sees every byte read beyond it. */
static size_t valid_in_own_block(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    size_t result;

    REQUIRE(copy != NULL);
    memcpy(copy, bytes, len);
    result = ctok_utf8_valid((ctok_bytes){copy, len});
    free(copy);
    return result;
}

static void test_a_text_is_valid_up_to_its_first_bad_byte(void)
{
    uint64_t state = 1;
    uint8_t text[96];

    for (int round = 0; round < 200000; round++) {
        size_t len = 0;
        size_t at = 0;

        while (len < sizeof text - UTF8_MAX_LEN && check_random(&state) % 40 != 0) {
            uint64_t kind = check_random(&state) % 8;
            uint32_t c = (uint32_t)(check_random(&state) % (kind == 0   ? 0x110000
                                                            : kind == 1 ? 0x3000
                                                                        : 0x80));
            len += utf8_encode(c, text + len); /* a surrogate now and then */
        }
        if (len > 0 && check_random(&state) % 4 == 0) {
            text[check_random(&state) % len] = (uint8_t)check_random(&state);
        }
        while (at < len && utf8_check(text + at, text + len) > 0) {
            at += utf8_check(text + at, text + len);
        }
        CHECK_EQ(at, valid_in_own_block(text, len));
    }
    CHECK_EQ(0, ctok_utf8_valid((ctok_bytes){NULL, 0}));
}

int main(void)
{
    test_every_character_comes_back();
    test_only_what_is_a_character_is_one();
    test_a_text_is_valid_up_to_its_first_bad_byte();
    return CHECK_RESULT();
}
