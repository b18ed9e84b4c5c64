#include "chars.h"

#include "borders.h"
#include "mem.h"

#define CHARS_PAGE ((size_t)1 << CHARS_PAGE_BITS)

/* Up to four bytes, the first one lowest; 0 for those from end on. */
static BASE_INLINE uint32_t chars_load(const uint8_t *p, const uint8_t *end)
{
    uint32_t word = 0;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (BASE_LIKELY(end - p >= 4)) {
        memcpy(&word, p, sizeof word);
        return word;
    }
#endif
    word = p[0];
    word |= end - p > 1 ? (uint32_t)p[1] << 8 : 0;
    word |= end - p > 2 ? (uint32_t)p[2] << 16 : 0;
    return word | (end - p > 3 ? (uint32_t)p[3] << 24 : 0);
}

/* A character of two or three bytes, by where its symbol is. */
typedef struct chars_place {
    uint32_t block; /* of its code point; 0, which is ASCII's: there is no character */
    uint32_t low;   /* the rest of its code point */
    uint32_t n_bytes;
} chars_place;

/* The character that is first in a word. A byte has six bits of a code point, a page as many:
 *
 *     E4 BA BA     0100  111010  111010     block 0100111010, low 111010
 */
static BASE_INLINE chars_place chars_decode(uint32_t word)
{
    const chars_place none = {0, 0, 0};
    chars_place place;

    if ((word & 0xC0C0F0) == 0x8080E0) {
        place.block = (word & 0x0F) << 6 | (word >> 8 & 0x3F);
        place.low = word >> 16 & 0x3F;
        place.n_bytes = 3;
        return place.block < 0x800 >> 6 ? none : place; /* spelled too long */
    }
    if ((word & 0xC0E0) == 0x80C0) {
        place.block = word & 0x1F;
        place.low = word >> 8 & 0x3F;
        place.n_bytes = 2;
        return place.block < 0x80 >> 6 ? none : place;
    }
    return none;
}

/* What the bytes of a character become by themselves,
 * up to the last merge that would make it one symbol. */
static BASE_INLINE size_t chars_parts(const pairs *table, const uint8_t *p, size_t n,
                                      uint32_t *out)
{
    uint32_t front = n == 3 ? table->bytes[p[0] << 8 | p[1]].rank : PAIRS_NONE;
    uint32_t back = n == 3 ? table->bytes[p[1] << 8 | p[2]].rank : PAIRS_NONE;

    if (front < back) {
        out[0] = pairs_merged(table, front);
        out[1] = p[2];
        return 2;
    }
    out[0] = p[0];
    if (back != PAIRS_NONE) {
        out[1] = pairs_merged(table, back);
        return 2;
    }
    out[1] = p[1];
    out[2] = p[n - 1];
    return n;
}

/* The symbol that the bytes of a character become by themselves, or CHARS_NONE. */
static uint32_t chars_whole(const pairs *table, const uint8_t *p, size_t n)
{
    uint32_t parts[3] = {p[0], p[1], 0};
    size_t n_parts = n == 2 ? 2 : chars_parts(table, p, n, parts);
    uint32_t rank = n_parts == 2 ? pairs_rank(table, parts[0], parts[1]) : PAIRS_NONE;

    return rank == PAIRS_NONE ? CHARS_NONE : pairs_merged(table, rank);
}

/* ---- building --------------------------------------------------------------- */

/* The page of a block, perhaps a new one. */
static ctok_status chars_page(chars *c, uint32_t block, uint32_t **page,
                              const ctok_allocator *alloc, ctok_error *err)
{
    uint16_t *number = &c->blocks[block];
    void *pages = c->pages;

    if (*number == 0) {
        TRY(mem_reserve(alloc, &pages, &c->cap_pages, c->n_pages + 1,
                        CHARS_PAGE * sizeof *c->pages, err));
        c->pages = pages;
        memset(c->pages + c->n_pages * CHARS_PAGE, 0xFF, CHARS_PAGE * sizeof *c->pages);
        *number = (uint16_t)c->n_pages++;
    }
    *page = &c->pages[*number * CHARS_PAGE];
    return CTOK_OK;
}

static ctok_status chars_fill(chars *c, const vocab *tokens, const pairs *table,
                              const ctok_allocator *alloc, ctok_error *err)
{
    uint32_t *page;
    uint32_t symbol;

    TRY(chars_page(c, 0, &page, alloc, err));
    for (symbol = 256; symbol < tokens->n_symbols; symbol++) {
        ctok_bytes bytes = vocab_bytes(tokens, symbol);
        chars_place place = chars_decode(chars_load(bytes.ptr, bytes.ptr + bytes.len));

        if (place.block != 0 && place.n_bytes == bytes.len &&
            chars_whole(table, bytes.ptr, bytes.len) == symbol) {
            TRY(chars_page(c, place.block, &page, alloc, err));
            page[place.low] = symbol;
        }
    }
    return CTOK_OK;
}

ctok_status chars_new(chars *out, const vocab *tokens, const pairs *table,
                      const ctok_allocator *alloc, ctok_error *err)
{
    void *memory = NULL;
    ctok_status status;

    memset(out, 0, sizeof *out);
    TRY_TO(done, mem_new(alloc, &memory, CHARS_N_BLOCKS, sizeof *out->blocks, err));
    out->blocks = memory;
    TRY_TO(done, chars_fill(out, tokens, table, alloc, err));
done:
    if (status != CTOK_OK) {
        chars_free(out, alloc);
    }
    return status;
}

void chars_free(chars *c, const ctok_allocator *alloc)
{
    mem_free(alloc, c->blocks, CHARS_N_BLOCKS, sizeof *c->blocks);
    mem_free(alloc, c->pages, c->cap_pages, CHARS_PAGE * sizeof *c->pages);
    memset(c, 0, sizeof *c);
}

size_t chars_size_in_memory(const chars *c)
{
    return c->blocks == NULL ? 0
                             : CHARS_N_BLOCKS * sizeof *c->blocks +
                                   c->cap_pages * CHARS_PAGE * sizeof *c->pages;
}

/* ---- use -------------------------------------------------------------------- */

size_t chars_start(const chars *c, const pairs *table, ctok_bytes piece, uint32_t *out,
                   size_t max, uint64_t *open)
{
    const uint8_t *p = piece.ptr;
    const uint8_t *end = p + piece.len;
    const uint8_t *border = p; /* a place of which it is known whether it is a border */
    bool is_border = true;
    uint64_t closed = 0;
    size_t n = 0;

    while (p < end && n + 3 <= max) {
        chars_place place = {0, 0, 0};
        uint32_t word;
        uint32_t symbol;
        bool was_border;

        if (*p >= 0x80 && c->blocks != NULL) {
            word = chars_load(p, end);
            place = chars_decode(word);
        }
        if (place.block == 0) {
            out[n++] = *p++;
            continue;
        }
        was_border = p == border ? is_border : border_is_safe(table, p[-1], p[0]);
        symbol = c->pages[c->blocks[place.block] * CHARS_PAGE + place.low];
        word >>= 8 * (place.n_bytes - 1);
        border = p + place.n_bytes;
        is_border =
            border == end || border_is_safe(table, (uint8_t)word, (uint8_t)(word >> 8));
        if (BASE_LIKELY(was_border && is_border && symbol != CHARS_NONE)) {
            out[n++] = symbol;
        } else if (was_border && is_border) {
            size_t n_new = chars_parts(table, p, place.n_bytes, out + n);

            closed |= (((uint64_t)1 << n_new) - 1) << n | ((uint64_t)1 << n) >> 1;
            n += n_new;
        } else {
            size_t i;

            for (i = 0; i < place.n_bytes; i++) {
                out[n++] = p[i];
            }
        }
        p = border;
    }
    *open = ~closed;
    return p < end ? 0 : n;
}

void chars_sections(chars *c, sections *s)
{
    size_t n_blocks = c->blocks == NULL ? 0 : CHARS_N_BLOCKS;

    section_number(s, &n_blocks);
    section_number(s, &c->n_pages);
    SECTION(s, c->blocks, n_blocks);
    SECTION(s, c->pages, c->n_pages * CHARS_PAGE);
    s->is_bad = s->is_bad || (n_blocks != 0 && n_blocks != CHARS_N_BLOCKS);
}

bool chars_are_sound(const chars *c, const uint8_t *lengths, size_t n_symbols)
{
    uint32_t is_bad = 0;
    size_t block;

    for (block = 0; c->blocks != NULL && block < CHARS_N_BLOCKS; block++) {
        const uint8_t length = block < 0x800 >> CHARS_PAGE_BITS ? 2 : 3;
        const uint32_t *symbols;
        size_t i;

        if (c->blocks[block] >= c->n_pages) {
            return false;
        }
        symbols = c->pages + c->blocks[block] * CHARS_PAGE;
        for (i = 0; i < CHARS_PAGE; i++) {
            is_bad |= symbols[i] != CHARS_NONE &&
                      (symbols[i] >= n_symbols || lengths[symbols[i]] != length);
        }
    }
    return is_bad == 0;
}
