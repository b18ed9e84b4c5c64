/* utf8.h - reading and writing single characters of UTF-8. Knows encodings, not texts. */
#ifndef CTOK_UTF8_H
#define CTOK_UTF8_H

#include "base.h"

#define UTF8_MAX_LEN 4

/* Whether a byte is one of a character, but not its first. */
static BASE_INLINE bool utf8_is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The character at *at of valid UTF-8; *at moves behind it. Reads no byte beyond it. */
static inline uint32_t utf8_next(const uint8_t **at)
{
    const uint8_t *p = *at;
    uint32_t c = p[0];

    if (c < 0x80) {
        *at = p + 1;
        return c;
    }
    if (c < 0xE0) {
        *at = p + 2;
        return (c & 0x1F) << 6 | (p[1] & 0x3Fu);
    }
    /* One expression for both lengths: with two, gcc 12 stores a byte to read it back as a word. */
    c = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    if (p[0] < 0xF0) {
        *at = p + 3;
        return c;
    }
    *at = p + 4;
    return c << 6 | (p[3] & 0x3Fu);
}

/* The length of the character that starts at p, in bytes; 0 when there is none: text that
 * is not UTF-8 or cut off at end. */
size_t utf8_check(const uint8_t *p, const uint8_t *end);

/* Writes a scalar value; the bytes written. */
size_t utf8_encode(uint32_t c, uint8_t out[UTF8_MAX_LEN]);

#endif
