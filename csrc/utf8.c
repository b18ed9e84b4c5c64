#include "utf8.h"

/* The second byte decides over the first ones that are only sometimes right: no longer
 * form than needed, no surrogates, nothing beyond U+10FFFF. */
size_t utf8_check(const uint8_t *p, const uint8_t *end)
{
    size_t left = (size_t)(end - p);

    if (left == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < 2 || !utf8_is_tail(p[1])) {
        return 0;
    }
    if (p[0] < 0xE0) {
        return 2;
    }
    if (left < 3 || !utf8_is_tail(p[2]) || (p[0] == 0xE0 && p[1] < 0xA0) ||
        (p[0] == 0xED && p[1] > 0x9F)) {
        return 0;
    }
    if (p[0] < 0xF0) {
        return 3;
    }
    if (left < 4 || !utf8_is_tail(p[3]) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] > 0x8F)) {
        return 0;
    }
    return 4;
}

size_t utf8_encode(uint32_t c, uint8_t out[UTF8_MAX_LEN])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

/* ASCII goes by in words, as most text is mostly that. */
size_t ctok_utf8_valid(ctok_bytes text)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t at = 0;
    uint64_t words[2];
    size_t n;

    while (at < text.len) {
        if (text.len - at >= sizeof words) {
            memcpy(words, text.ptr + at, sizeof words);
            if (((words[0] | words[1]) & high_bits) == 0) {
                at += sizeof words;
                continue;
            }
        }
        do {
            n = utf8_check(text.ptr + at, text.ptr + text.len);
            if (n == 0) {
                return at;
            }
            at += n;
        } while (at < text.len && text.ptr[at] >= 0x80);
    }
    return text.len;
}
