/* UTF-8 from code units: with vectors the same as the plain way, at every alignment and length,
 * and nothing written behind what was promised. */
#define _DEFAULT_SOURCE
#include "check.h"
#include "cpu.h"

#include <sys/mman.h>
#include <unistd.h>

#define MAX_UNITS 200

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % n;
}

/* Mixtures of all lengths, rarely and often; surrogates in pairs, reversed, and alone. */
static uint32_t draw_unit(uint32_t mixture)
{
    static const uint32_t edges[] = {0,      0x7F,   0x80,   0xFF,    0x7FF,   0x800,
                                     0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};

    switch (mixture) {
    case 0:
        return draw(0x80);
    case 1:
        return draw(20) == 0 ? 0xE9 : 'a' + draw(26);
    case 2:
        return draw(6) == 0 ? ' ' : 0x430 + draw(32);
    case 3:
        return 0x4E00 + draw(20000);
    case 4:
        return draw(40) == 0 ? 0x2019 : 'a' + draw(26);
    case 5:
        return draw(5) == 0 ? 0x1F600 + draw(64) : draw(0x3000);
    case 6:
        return draw(8) == 0 ? 0xD800 + draw(0x800) : draw(0x10000);
    case 7:
        return edges[draw(sizeof edges / sizeof edges[0])];
    case 8:
        return draw(10) == 0 ? 0x110000 + draw(0x7FFFFFFF) : draw(0x110000);
    default:
        return draw(0x110000);
    }
}

static void put_unit(uint8_t *units, size_t unit_size, size_t i, uint32_t unit)
{
    uint8_t narrow = (uint8_t)unit;
    uint16_t wide = (uint16_t)unit;

    memcpy(units + i * unit_size,
           unit_size == 1   ? (void *)&narrow
           : unit_size == 2 ? (void *)&wide
                            : (void *)&unit,
           unit_size);
}

/* The end of a room of so many bytes, where a forbidden page begins. */
static uint8_t *guarded_room(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *start;

    len = (len + page - 1) / page * page;
    start = mmap(NULL, len + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    REQUIRE(start != MAP_FAILED);
    REQUIRE(mprotect(start + len, page, PROT_NONE) == 0);
    return start + len;
}

static void test_vectors_do_as_the_plain_code(void)
{
    static const size_t sizes[] = {1, 2, 4};
    ctok_cpu tiers[CHECK_MAX_TIERS];
    size_t n_tiers = check_tiers(tiers);
    uint8_t *in_end = guarded_room(4 * MAX_UNITS);
    uint8_t *out_end = guarded_room(4 * MAX_UNITS);
    uint8_t expected[4 * MAX_UNITS];

    for (uint32_t round = 0; round < 60000; round++) {
        size_t size = sizes[round % 3];
        uint32_t mixture = draw(10);
        size_t n = draw(round % 10 == 0 ? MAX_UNITS + 1 : 60);
        size_t bound = ctok_utf8_bound(size, n);
        uint8_t *units = in_end - n * size;
        size_t n_surrogates = 99;
        size_t n_expected = 99;
        size_t len;
        size_t again;

        for (size_t i = 0; i < n; i++) {
            if (draw(50) == 0) {
                mixture = draw(10);
            }
            put_unit(units, size, i, draw_unit(mixture));
        }
        len = transcode_plain(units, size, n, expected, &n_expected);
        for (size_t t = 0; t < n_tiers; t++) {
            memset(out_end - bound, 0, bound);
            again = cpu_transcoder(tiers[t])(units, size, n, out_end - bound,
                                             &n_surrogates);
            CHECK_EQ(len, again);
            CHECK_EQ(n_expected, n_surrogates);
            CHECK(len <= bound && memcmp(expected, out_end - bound, len) == 0);
        }
        CHECK_EQ(len, ctok_utf8_valid((ctok_bytes){expected, len}));
        if (check_failures > 0) {
            fprintf(stderr, "round %u: %zu units of %zu bytes\n", round, n, size);
            return;
        }
    }
}

static void test_every_character_is_itself(void)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint32_t units[20];
        uint8_t out[80];
        uint8_t one[4];
        size_t len = transcode_plain(&c, 4, 1, one, &(size_t){0});

        for (int i = 0; i < 20; i++) {
            units[i] = i % 3 == 0 ? c : 'a';
        }
        CHECK_EQ(7 * len + 13, ctok_utf8_from_units(units, 4, 20, out, NULL));
        CHECK(memcmp(out, one, len) == 0 && memcmp(out + len, "aa", 2) == 0);
        if (check_failures > 0) {
            return;
        }
    }
}

int main(void)
{
    test_vectors_do_as_the_plain_code();
    test_every_character_is_itself();
    return CHECK_RESULT();
}
