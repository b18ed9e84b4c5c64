/* scan_portable.c - masks made byte by byte, by the definition of each class. */
#include "scan_starts.h"

static uint64_t scan_bit(bool is_set, size_t i)
{
    return (uint64_t)is_set << i;
}

size_t scan_portable(const scan_shape *shape, const uint8_t *text, size_t len,
                     uint32_t *ends)
{
    scan_masks m = {0};
    size_t i;

    for (i = 0; i < 64; i++) {
        uint8_t c = i < len ? text[i] : 0x80;
        bool is_capital = c >= 'A' && c <= 'Z';

        m.letters |= scan_bit(is_capital || (c >= 'a' && c <= 'z'), i);
        m.capitals |= scan_bit(is_capital, i);
        m.digits |= scan_bit(c >= '0' && c <= '9', i);
        m.spaces |= scan_bit(c == ' ' || (c >= '\t' && c <= '\r'), i);
        m.newlines |= scan_bit(c == '\n' || c == '\r', i);
        m.blanks |= scan_bit(c == ' ', i);
        m.quotes |= scan_bit(c == '\'', i);
        m.slashes |= scan_bit(c == '/', i);
        m.beyond |= scan_bit(c >= 0x80, i);
    }
    return scan_emit(scan_starts(shape, &m, text), ends);
}
