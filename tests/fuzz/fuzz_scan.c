/* Vector code and the automaton find the same pieces, in texts made of what the patterns
 * tell apart, at every offset from the block edges, and neither reads behind the text, which
 * ends where a page that may not be touched begins. The first byte says which pattern, each of the
 * others is a unit below; from FIRST_REPEAT on, the last of these again and again; or, from 0xC0
 * on, a code point together with the two behind it. */
#define _DEFAULT_SOURCE
#include "fuzz.h"

#include "../unit/c/known_patterns.h"

#include <sys/mman.h>
#include <unistd.h>

#define MAX_TEXT (64 * 1024)
#define MAX_PIECES 65536
#define FIRST_REPEAT 0xA8

/* clang-format off */
static const char *const units[] = {
    "a", "b", "s", "t", "ll", "word", "Word", "WORD", "aB", "Z", "X", "d", "re", "ve",
    "'", "'s", "'S", "'ll", "'t", "'x", "''", "don't", "I'M", "x'rE", " ", " ", "  ", "   ",
    "\t", "\n", "\r\n", "\n\n", " \n", "\n ", "\r", "\v", "1", "12", "123", "1234567",
    "!", ".", "...", "/", "//", "\n/", "(", "\"", "_", "-", "=====", "@x", "#", "\x7F", "\x01",
    "\xC3\xA9",         /* small */
    "\xC3\x89",         /* capital */
    "\xC7\x85",         /* title case */
    "\xCA\xB0",         /* modifier letter */
    "\xD7\x90",         /* without case */
    "\xCC\x81",         /* mark */
    "\xC2\xA0",         /* white space */
    "\xC2\x85",         /* next line */
    "\xE3\x80\x80",     /* ideographic space */
    "\xE2\x80\xA8",     /* line separator */
    "\xC5\xBF",         /* equals s when case does not count */
    "\xE2\x84\xAA",     /* equals k */
    "\xC2\xB2",         /* superscript two */
    "\xD9\xA3",         /* Arabic digit */
    "\xE2\x85\xA7",     /* Roman numeral */
    "\xE2\x80\x99",     /* typographic apostrophe */
    "\xE2\x80\x9C",     /* typographic quote */
    "\xE4\xBA\xBA",     /* ideographs: of the block's start, */
    "\xE4\xB7\x80",     /* hexagram before it, */
    "\xE9\xBF\xBF",     /* its end, */
    "\xEA\x80\x80",     /* behind it, */
    "\xE3\x80\x85",     /* iteration mark, Han but Lm */
    "\xE3\x80\x87",     /* zero, Han but a number */
    "\xE2\xBA\x80",     /* radical, Han but a symbol */
    "\xE3\x81\x82",     /* kana */
    "\xED\x95\x9C",     /* hangul */
    "\xD0\x96", "\xD0\xB6", /* Cyrillic */
    "\xE0\xA4\x95", "\xE0\xA4\xBE", /* Devanagari letter and mark */
    "\xF0\x9F\x98\x80", /* emoji */
    "\xF0\x9D\x90\x80", /* mathematical capital */
    "\xF0\xA0\x80\x80", /* ideograph of four bytes */
    "\xE2\x80\x8D",     /* joiner */
    "\xEF\xB8\x8F",     /* variation selector */
};
/* clang-format on */
#define N_UNITS (sizeof units / sizeof units[0])

static size_t put_code_point(uint32_t c, uint8_t *out)
{
    c %= 0x110000;
    if (c >= 0xD800 && c <= 0xDFFF) {
        c -= 0x800;
    }
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

static size_t make_text(const uint8_t *data, size_t size, uint8_t *out)
{
    const char *unit = units[0];
    size_t len = 0;

    for (size_t i = 0; i < size && len + 1024 < MAX_TEXT; i++) {
        if (data[i] < 0xC0) {
            size_t n = data[i] < FIRST_REPEAT ? 1 : 2 * (data[i] - FIRST_REPEAT + 1u);

            unit = data[i] < FIRST_REPEAT ? units[data[i] % N_UNITS] : unit;
            for (; n > 0; n--) {
                memcpy(out + len, unit, strlen(unit));
                len += strlen(unit);
            }
        } else if (i + 2 < size) {
            /* Low planes are where the classes are. */
            uint32_t c = (uint32_t)data[i + 1] << 8 | data[i + 2];
            len += put_code_point(data[i] < 0xF8 ? c : c | (uint32_t)data[i] % 17 << 16,
                                  out + len);
            i += 2;
        }
    }
    return len;
}

/* All ends; a promise is that nothing is left out. */
static size_t split(const ctok_splitter *splitter, ctok_bytes text, size_t *ends)
{
    ctok_split_cursor cursor = {0, 0};
    ctok_split_block block;
    size_t n = 0;

    for (;;) {
        PROMISE(splitter->next(splitter->self, NULL, text, &cursor, &block, NULL) ==
                CTOK_OK);
        if (block.n_pieces == 0) {
            break;
        }
        for (uint32_t i = 0; i < block.n_pieces; i++) {
            PROMISE(n < MAX_PIECES);
            ends[n++] = block.start + block.ends[i];
        }
    }
    PROMISE(text.len == 0 || (n > 0 && ends[n - 1] == text.len));
    return n;
}

static ctok_splitter compile(size_t pattern, ctok_cpu cpu)
{
    ctok_splitter splitter;

    PROMISE(ctok_splitter_compile(&splitter, fuzz_bytes(known_patterns[pattern]), cpu,
                                  NULL, NULL) == CTOK_OK);
    return splitter;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ctok_cpu tiers[] = {CTOK_CPU_AVX512, CTOK_CPU_AVX2};
    static ctok_splitter truth[N_KNOWN_PATTERNS];
    static ctok_splitter vector[N_KNOWN_PATTERNS][2];
    static size_t expected[MAX_PIECES];
    static size_t found[MAX_PIECES];
    static uint8_t made[MAX_TEXT];
    static uint8_t *end;
    size_t pattern;
    ctok_bytes text;

    if (size == 0) {
        return 0;
    }
    if (end == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        uint8_t *memory = mmap(NULL, MAX_TEXT + page, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        PROMISE(memory != MAP_FAILED && MAX_TEXT % page == 0);
        end = memory + MAX_TEXT;
        PROMISE(mprotect(end, page, PROT_NONE) == 0);
        for (size_t i = 0; i < N_KNOWN_PATTERNS; i++) {
            truth[i] = compile(i, CTOK_CPU_PORTABLE);
            for (size_t k = 0; k < 2; k++) {
                vector[i][k] = compile(i, tiers[k]);
            }
        }
    }
    pattern = data[0] % N_KNOWN_PATTERNS;
    text.len = make_text(data + 1, size - 1, made);
    text.ptr = end - text.len;
    memcpy(end - text.len, made, text.len);
    for (size_t k = 0; k < 2; k++) {
        size_t n = split(&truth[pattern], text, expected);

        PROMISE(n == split(&vector[pattern][k], text, found));
        PROMISE(memcmp(expected, found, n * sizeof *found) == 0);
    }
    return 0;
}
