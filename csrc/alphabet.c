#include "alphabet.h"

#include "error.h"
#include "uchar.h"

/* Walks along all sets at once, from one place where a membership changes to the next. */
typedef struct alphabet_walk {
    const ctok_class *sets;
    size_t n_sets;
    size_t at[ALPHABET_MAX_SETS]; /* by set: the first range that has not ended */
    uint32_t end;                 /* of the stretch whose letter is known */
    uint8_t letter;
} alphabet_walk;

/* The letter of the characters that are in exactly these sets, perhaps a new one. */
static ctok_status alphabet_letter(alphabet *a, uint64_t members, uint8_t *letter,
                                   ctok_error *err)
{
    size_t i = 0;

    while (i < a->n_letters && a->members[i] != members) {
        i++;
    }
    if (i == ALPHABET_MAX_LETTERS) {
        return error_set(err, CTOK_E_UNSUPPORTED,
                         "the pattern tells more than %d kinds of characters apart, "
                         "which is more than the automaton can do",
                         ALPHABET_MAX_LETTERS);
    }
    if (i == a->n_letters) {
        a->members[a->n_letters++] = members;
    }
    *letter = (uint8_t)i;
    return CTOK_OK;
}

/* On to the next stretch of code points that are in the same sets. */
static ctok_status alphabet_advance(alphabet *a, alphabet_walk *w, ctok_error *err)
{
    uint32_t start = w->end;
    uint64_t members = 0;

    w->end = UCHAR_MAX + 1;
    for (size_t i = 0; i < w->n_sets; i++) {
        const ctok_class *set = &w->sets[i];
        uint32_t edge = w->end;

        if (w->at[i] < set->n_ranges && set->ranges[w->at[i]][1] < start) {
            w->at[i]++;
        }
        if (w->at[i] < set->n_ranges) {
            bool is_in = set->ranges[w->at[i]][0] <= start;
            members |= (uint64_t)is_in << i;
            edge = is_in ? set->ranges[w->at[i]][1] + 1 : set->ranges[w->at[i]][0];
        }
        w->end = edge < w->end ? edge : w->end;
    }
    return alphabet_letter(a, members, &w->letter, err);
}

/* The number of the page with these letters: an equal one's or a new one's. */
static ctok_status alphabet_page(alphabet *a, const uint8_t *page, uint16_t *number,
                                 const ctok_allocator *alloc, ctok_error *err)
{
    void *pages = a->pages;

    for (size_t i = a->n_pages; i-- > 0;) {
        if (memcmp(a->pages + i * ALPHABET_PAGE, page, ALPHABET_PAGE) == 0) {
            *number = (uint16_t)i;
            return CTOK_OK;
        }
    }
    TRY(mem_reserve(alloc, &pages, &a->cap_pages, a->n_pages + 1, ALPHABET_PAGE, err));
    a->pages = pages;
    memcpy(a->pages + a->n_pages * ALPHABET_PAGE, page, ALPHABET_PAGE);
    *number = (uint16_t)a->n_pages++;
    return CTOK_OK;
}

ctok_status alphabet_init(alphabet *a, const ctok_class *sets, size_t n_sets,
                          const ctok_allocator *alloc, ctok_error *err)
{
    alphabet_walk w = {.sets = sets, .n_sets = n_sets};
    uint8_t page[ALPHABET_PAGE];
    uint32_t start = 0; /* of the stretch */
    void *blocks;

    assert(n_sets <= ALPHABET_MAX_SETS);
    memset(a, 0, sizeof *a);
    TRY(mem_new(alloc, &blocks, ALPHABET_N_BLOCKS, sizeof *a->blocks, err));
    a->blocks = blocks;
    for (uint32_t block = 0; block < ALPHABET_N_BLOCKS; block++) {
        uint32_t first = block << ALPHABET_PAGE_BITS;

        if (block > 0 && start + ALPHABET_PAGE <= first &&
            w.end >= first + ALPHABET_PAGE) {
            a->blocks[block] = a->blocks[block - 1]; /* one stretch fills both */
            continue;
        }
        for (uint32_t i = 0; i < ALPHABET_PAGE; i++) {
            if (w.end == first + i) {
                start = w.end;
                TRY(alphabet_advance(a, &w, err));
            }
            page[i] = w.letter;
        }
        TRY(alphabet_page(a, page, &a->blocks[block], alloc, err));
    }
    memcpy(a->ascii, a->pages + (size_t)a->blocks[0] * ALPHABET_PAGE, sizeof a->ascii);
    return CTOK_OK;
}

void alphabet_free(alphabet *a, const ctok_allocator *alloc)
{
    mem_free(alloc, a->blocks, ALPHABET_N_BLOCKS, sizeof *a->blocks);
    mem_free(alloc, a->pages, a->cap_pages, ALPHABET_PAGE);
    memset(a, 0, sizeof *a);
}

void alphabet_sections(alphabet *a, sections *s)
{
    section_number(s, &a->n_letters);
    section_number(s, &a->n_pages);
    section_inline(s, a->ascii, sizeof a->ascii, 1);
    SECTION(s, a->blocks, ALPHABET_N_BLOCKS);
    SECTION(s, a->pages, a->n_pages * ALPHABET_PAGE);
}

bool alphabet_is_sound(const alphabet *a)
{
    uint32_t is_bad = 0;
    size_t i;

    if (a->n_letters > ALPHABET_MAX_LETTERS || a->n_pages > ALPHABET_N_BLOCKS) {
        return false;
    }
    for (i = 0; i < sizeof a->ascii; i++) {
        is_bad |= a->ascii[i] >= a->n_letters;
    }
    for (i = 0; i < ALPHABET_N_BLOCKS; i++) {
        is_bad |= a->blocks[i] >= a->n_pages;
    }
    for (i = 0; i < a->n_pages * ALPHABET_PAGE; i++) {
        is_bad |= a->pages[i] >= a->n_letters;
    }
    return is_bad == 0;
}
