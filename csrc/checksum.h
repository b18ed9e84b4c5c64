/* checksum.h - a sum over lines of 64 bytes that is another one when something went wrong by
 * accident. No defence against intent.
 *
 * Three sums for each of the eight words of a line:
 *
 *     sums        the words                        any one word that is another one shows
 *     products    their halves, mixed, multiplied  so do several, with all but certainty
 *     orders      the products so far              and the same ones in another order
 */
#ifndef CTOK_CHECKSUM_H
#define CTOK_CHECKSUM_H

#include "base.h"

#define CHECKSUM_LINE 64
#define CHECKSUM_WORDS (CHECKSUM_LINE / sizeof(uint64_t))
#define CHECKSUM_MIX UINT64_C(0x9E3779B97F4A7C15)

/* What is summed at a time, and asked of memory ahead. A quarter of it is a page: the four
 * are gone through in turns, a line of each, for a processor fetches ahead within pages, each by
 * itself, and from one of them alone gets half of what memory can give. */
#define CHECKSUM_BLOCK ((size_t)16384)

typedef struct checksum {
    uint64_t sums[CHECKSUM_WORDS];
    uint64_t products[CHECKSUM_WORDS];
    uint64_t orders[CHECKSUM_WORDS];
} checksum;

/* Adds lines, a quarter of them beside each other and what is left over behind; sums start from
 * {0}. What sums lines in other portions gets another sum. */
typedef void (*checksum_function)(checksum *sum, const uint8_t *lines, size_t n_lines);

void checksum_plain(checksum *sum, const uint8_t *lines, size_t n_lines);
void checksum_avx2(checksum *sum, const uint8_t *lines, size_t n_lines);

/* All of it in one number. */
uint64_t checksum_value(const checksum *sum);

#endif
