#include "checksum.h"

static void checksum_line(checksum *sum, const uint8_t *line)
{
    uint64_t words[CHECKSUM_WORDS];
    size_t k;

    /* A number first: past the end there may be no pointer, but asking does no harm. */
    BASE_PREFETCH((const void *)((uintptr_t)line + CHECKSUM_BLOCK));
    memcpy(words, line, sizeof words);
    for (k = 0; k < CHECKSUM_WORDS; k++) {
        uint64_t mixed = words[k] ^ CHECKSUM_MIX;

        sum->sums[k] += words[k];
        sum->products[k] += (mixed & UINT32_MAX) * (mixed >> 32);
        sum->orders[k] += sum->products[k];
    }
}

void checksum_plain(checksum *sum, const uint8_t *lines, size_t n_lines)
{
    const size_t quarter = n_lines / 4 * CHECKSUM_LINE;
    checksum own = *sum;
    size_t at;

    for (at = 0; at < quarter; at += CHECKSUM_LINE) {
        checksum_line(&own, lines + at);
        checksum_line(&own, lines + at + quarter);
        checksum_line(&own, lines + at + 2 * quarter);
        checksum_line(&own, lines + at + 3 * quarter);
    }
    for (at = 4 * quarter; at < n_lines * CHECKSUM_LINE; at += CHECKSUM_LINE) {
        checksum_line(&own, lines + at);
    }
    *sum = own;
}

static uint64_t checksum_turn(uint64_t value, uint64_t word)
{
    value = (value ^ word) * CHECKSUM_MIX;
    return value << 29 | value >> 35;
}

uint64_t checksum_value(const checksum *sum)
{
    uint64_t value = 0;
    size_t k;

    for (k = 0; k < CHECKSUM_WORDS; k++) {
        value = checksum_turn(value, sum->sums[k]);
        value = checksum_turn(value, sum->products[k]);
        value = checksum_turn(value, sum->orders[k]);
    }
    return value;
}
