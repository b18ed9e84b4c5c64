#include "automaton.h"

#include "error.h"
#include "mem.h"
#include "utf8.h"

#define AUTOMATON_PAGE 128
#define AUTOMATON_N_BLOCKS (0x110000 / AUTOMATON_PAGE)
#define AUTOMATON_MAX_CLASSES 255
#define AUTOMATON_DEAD 0
/* Row offsets share 16 bits with the match flag. */
#define AUTOMATON_MAX_TABLE 32768

/* ---- classes ---------------------------------------------------------------- */

/* While building: code points between two cuts are in the same sets. */
typedef struct automaton_cuts {
    uint32_t *at; /* sorted first code points of stretches; the last is 0x110000 */
    size_t n;
    size_t cap;
    uint8_t *classes;                        /* by stretch */
    uint64_t members[AUTOMATON_MAX_CLASSES]; /* by class: bit i: in set i */
    size_t n_classes;
} automaton_cuts;

static size_t automaton_count_cuts(const pattern *p)
{
    size_t n = 2;
    size_t i;

    for (i = 0; i < p->n_sets; i++) {
        n += 2 * p->sets[i].n_ranges;
    }
    return n;
}

/* Sorts by merging runs: bottom up, n log n, no recursion. */
static void automaton_sort(uint32_t *values, uint32_t *spare, size_t n)
{
    uint32_t *from = values;
    uint32_t *to = spare;
    size_t width;

    for (width = 1; width < n; width *= 2) {
        uint32_t *swap = from;
        size_t start;

        for (start = 0; start < n; start += 2 * width) {
            size_t middle = start + width < n ? start + width : n;
            size_t end = start + 2 * width < n ? start + 2 * width : n;
            size_t i = start;
            size_t j = middle;
            size_t k;

            for (k = start; k < end; k++) {
                to[k] = i < middle && (j >= end || from[i] <= from[j]) ? from[i++]
                                                                       : from[j++];
            }
        }
        from = to;
        to = swap;
    }
    if (from != values) {
        memcpy(values, from, n * sizeof *values);
    }
}

static void automaton_fill_cuts(automaton_cuts *cuts, const pattern *p)
{
    size_t n = 0;
    size_t i;
    size_t j;

    cuts->at[n++] = 0;
    cuts->at[n++] = 0x110000;
    for (i = 0; i < p->n_sets; i++) {
        for (j = 0; j < p->sets[i].n_ranges; j++) {
            cuts->at[n++] = p->sets[i].ranges[j][0];
            cuts->at[n++] = p->sets[i].ranges[j][1] + 1;
        }
    }
    automaton_sort(cuts->at, cuts->at + cuts->cap, n);
    cuts->n = 0;
    for (i = 0; i < n; i++) {
        if (cuts->n == 0 || cuts->at[cuts->n - 1] != cuts->at[i]) {
            cuts->at[cuts->n++] = cuts->at[i];
        }
    }
}

/* The sets that each stretch is in, by walking all sets along the cuts. */
static ctok_status automaton_classify(automaton_cuts *cuts, const pattern *p,
                                      ctok_error *err)
{
    size_t places[PATTERN_MAX_SETS] = {0};
    size_t i;
    size_t k;

    for (i = 0; i + 1 < cuts->n; i++) {
        uint64_t members = 0;

        for (k = 0; k < p->n_sets; k++) {
            const ctok_class *set = &p->sets[k];
            while (places[k] < set->n_ranges &&
                   set->ranges[places[k]][1] < cuts->at[i]) {
                places[k]++;
            }
            if (places[k] < set->n_ranges && set->ranges[places[k]][0] <= cuts->at[i]) {
                members |= (uint64_t)1 << k;
            }
        }
        for (k = 0; k < cuts->n_classes && cuts->members[k] != members; k++) {
        }
        if (k == cuts->n_classes) {
            if (cuts->n_classes == AUTOMATON_MAX_CLASSES) {
                return error_set(err, CTOK_E_UNSUPPORTED,
                                 "more than %d classes of characters is more than the "
                                 "automaton can do",
                                 AUTOMATON_MAX_CLASSES);
            }
            cuts->members[cuts->n_classes++] = members;
        }
        cuts->classes[i] = (uint8_t)k;
    }
    return CTOK_OK;
}

/* The page with these classes: an equal one or a new one. */
static ctok_status automaton_page(automaton *a, size_t *cap, const uint8_t *page,
                                  uint16_t *index, ctok_error *err)
{
    void *pages = a->pages;
    ctok_status status;
    size_t i;

    /* Most pages are like the one before. */
    for (i = a->n_pages; i-- > 0;) {
        if (memcmp(a->pages + i * AUTOMATON_PAGE, page, AUTOMATON_PAGE) == 0) {
            *index = (uint16_t)i;
            return CTOK_OK;
        }
    }
    status = mem_reserve(&a->alloc, &pages, cap, a->n_pages + 1, AUTOMATON_PAGE, err);
    a->pages = pages;
    TRY(status);
    memcpy(a->pages + a->n_pages * AUTOMATON_PAGE, page, AUTOMATON_PAGE);
    *index = (uint16_t)a->n_pages++;
    return CTOK_OK;
}

static ctok_status automaton_fill_pages(automaton *a, const automaton_cuts *cuts,
                                        size_t *cap, ctok_error *err)
{
    size_t stretch = 0;
    uint32_t block;

    for (block = 0; block < AUTOMATON_N_BLOCKS; block++) {
        uint32_t first = block * AUTOMATON_PAGE;
        uint8_t page[AUTOMATON_PAGE];
        uint32_t i;

        while (cuts->at[stretch + 1] <= first) {
            stretch++;
        }
        if (block > 0 && cuts->at[stretch + 1] >= first + AUTOMATON_PAGE &&
            cuts->at[stretch] + AUTOMATON_PAGE <= first) {
            a->blocks[block] = a->blocks[block - 1]; /* one stretch fills both */
            continue;
        }
        for (i = 0; i < AUTOMATON_PAGE; i++) {
            while (cuts->at[stretch + 1] <= first + i) {
                stretch++;
            }
            page[i] = cuts->classes[stretch];
        }
        TRY(automaton_page(a, cap, page, &a->blocks[block], err));
    }
    memcpy(a->ascii, a->pages + (size_t)a->blocks[0] * AUTOMATON_PAGE, sizeof a->ascii);
    return CTOK_OK;
}

/* ---- states ----------------------------------------------------------------- */

/* While building: the states so far, each a list of the machine's states. */
typedef struct automaton_build {
    automaton *a;
    const pattern *p;
    const automaton_cuts *cuts;
    size_t row; /* entries of a state: the classes and the end, rounded up */
    uint32_t *lists;
    size_t n_lists;
    size_t lists_cap;
    uint32_t *list_ends; /* by state; state 0 is dead, its list is empty */
    size_t ends_cap;
    size_t n_states;
    size_t table_cap;
    uint32_t *stamps;      /* by machine state: the last step that came by */
    uint32_t *next_stamps; /* ... that put it on the next list */
    uint32_t step;
    uint32_t *stack;
    uint32_t *list; /* the next list */
    size_t n_list;
    ctok_error *err;
} automaton_build;

/* Whether a guard or a set accepts a class; class n_classes is the end of the text. */
static bool automaton_accepts(const automaton_build *b, const pattern_state *state,
                              size_t cls)
{
    bool is_in;

    if (cls == b->cuts->n_classes) {
        return state->at_end != 0;
    }
    is_in = (b->cuts->members[cls] >> state->set & 1) != 0;
    return is_in != (state->negated != 0);
}

/* Follows a list on one class: fills b->list with where it goes, in order of preference.
 * Returns whether a match ends before the class; what comes after that is dropped. */
static bool automaton_step(automaton_build *b, const uint32_t *list, size_t n_list,
                           size_t cls)
{
    size_t i;

    b->step++;
    b->n_list = 0;
    for (i = 0; i < n_list; i++) {
        size_t n_stack = 0;

        b->stack[n_stack++] = list[i];
        while (n_stack > 0) {
            uint32_t at = b->stack[--n_stack];
            const pattern_state *state = &b->p->states[at];

            if (b->stamps[at] == b->step) {
                continue;
            }
            b->stamps[at] = b->step;
            switch ((pattern_kind)state->kind) {
            case PATTERN_FORK:
                b->stack[n_stack++] = state->other;
                b->stack[n_stack++] = state->next;
                break;
            case PATTERN_JUMP:
                b->stack[n_stack++] = state->next;
                break;
            case PATTERN_GUARD:
                if (automaton_accepts(b, state, cls)) {
                    b->stack[n_stack++] = state->next;
                }
                break;
            case PATTERN_CHAR:
                if (cls < b->cuts->n_classes && automaton_accepts(b, state, cls) &&
                    b->next_stamps[state->next] != b->step) {
                    b->next_stamps[state->next] = b->step;
                    b->list[b->n_list++] = state->next;
                }
                break;
            case PATTERN_MATCH:
                return true;
            }
        }
    }
    return false;
}

/* The state with the list b->list: an equal one or a new one. */
static ctok_status automaton_state(automaton_build *b, size_t *state)
{
    void *lists = b->lists;
    void *ends = b->list_ends;
    void *table = b->a->table;
    ctok_status status;
    size_t i;

    for (i = 0; i < b->n_states; i++) {
        uint32_t start = i == 0 ? 0 : b->list_ends[i - 1];
        if (b->list_ends[i] - start == b->n_list &&
            memcmp(b->lists + start, b->list, b->n_list * sizeof *b->list) == 0) {
            *state = i;
            return CTOK_OK;
        }
    }
    if ((b->n_states + 1) * b->row > AUTOMATON_MAX_TABLE) {
        return error_set(
            b->err, CTOK_E_UNSUPPORTED,
            "a table of more than %zu states is more than the automaton can do",
            b->n_states);
    }
    status = mem_reserve(&b->a->alloc, &lists, &b->lists_cap,
                         b->n_lists + b->n_list + 1, sizeof *b->lists, b->err);
    b->lists = lists;
    TRY(status);
    status = mem_reserve(&b->a->alloc, &ends, &b->ends_cap, b->n_states + 1,
                         sizeof *b->list_ends, b->err);
    b->list_ends = ends;
    TRY(status);
    status = mem_reserve(&b->a->alloc, &table, &b->table_cap,
                         (b->n_states + 1) * b->row, sizeof *b->a->table, b->err);
    b->a->table = table;
    TRY(status);
    memcpy(b->lists + b->n_lists, b->list, b->n_list * sizeof *b->list);
    b->n_lists += b->n_list;
    b->list_ends[b->n_states] = (uint32_t)b->n_lists;
    memset(b->a->table + b->n_states * b->row, 0, b->row * sizeof *b->a->table);
    *state = b->n_states++;
    return CTOK_OK;
}

/* All states that can be reached, row by row. */
static ctok_status automaton_fill_table(automaton_build *b)
{
    size_t state;
    size_t at;

    b->n_list = 0;
    TRY(automaton_state(b, &state)); /* dead */
    b->list[0] = b->p->start;
    b->n_list = 1;
    TRY(automaton_state(b, &state));
    b->a->start = (uint16_t)(state * b->row);
    for (at = 1; at < b->n_states; at++) {
        size_t cls;

        for (cls = 0; cls <= b->cuts->n_classes; cls++) {
            uint32_t start = b->list_ends[at - 1];
            bool matched =
                automaton_step(b, b->lists + start, b->list_ends[at] - start, cls);

            TRY(automaton_state(b, &state));
            b->a->table[at * b->row + cls] = (uint16_t)(state * b->row << 1 | matched);
        }
    }
    return CTOK_OK;
}

static ctok_status automaton_build_table(automaton *a, const pattern *p,
                                         const automaton_cuts *cuts, ctok_error *err)
{
    automaton_build b;
    ctok_status status = CTOK_OK;
    void *memory = NULL;
    /* Stamps twice, the next list, and a stack: a state is pushed at most once by each of
     * the states before it, of which forks push two. */
    size_t n_work = p->n_states * 6 + 8;

    memset(&b, 0, sizeof b);
    b.a = a;
    b.p = p;
    b.cuts = cuts;
    b.err = err;
    for (b.row = 4; b.row < cuts->n_classes + 1; b.row *= 2) {
    }
    a->end_class = (uint16_t)cuts->n_classes;
    TRY_TO(done, mem_new(&a->alloc, &memory, n_work, sizeof(uint32_t), err));
    b.stamps = memory;
    b.next_stamps = b.stamps + p->n_states;
    b.list = b.next_stamps + p->n_states;
    b.stack = b.list + p->n_states + 1;
    TRY_TO(done, automaton_fill_table(&b));
done:
    a->n_table = b.table_cap;
    mem_free(&a->alloc, b.lists, b.lists_cap, sizeof *b.lists);
    mem_free(&a->alloc, b.list_ends, b.ends_cap, sizeof *b.list_ends);
    mem_free(&a->alloc, memory, n_work, sizeof(uint32_t));
    return status;
}

static ctok_status automaton_build_classes(automaton *a, const pattern *p,
                                           automaton_cuts *cuts, ctok_error *err)
{
    void *memory = NULL;
    size_t pages_cap = 0;
    ctok_status status;

    cuts->cap = automaton_count_cuts(p);
    TRY(mem_new(&a->alloc, &memory, 2 * cuts->cap, sizeof *cuts->at, err));
    cuts->at = memory;
    TRY(mem_new(&a->alloc, &memory, cuts->cap, sizeof *cuts->classes, err));
    cuts->classes = memory;
    automaton_fill_cuts(cuts, p);
    TRY(automaton_classify(cuts, p, err));
    TRY(mem_new(&a->alloc, &memory, AUTOMATON_N_BLOCKS, sizeof *a->blocks, err));
    a->blocks = memory;
    status = automaton_fill_pages(a, cuts, &pages_cap, err);
    a->n_pages = pages_cap; /* what was allocated is what will be freed */
    return status;
}

ctok_status automaton_new(automaton **out, const pattern *p, ctok_error *err)
{
    automaton_cuts cuts;
    automaton *a;
    ctok_status status = CTOK_OK;
    void *memory = NULL;

    *out = NULL;
    memset(&cuts, 0, sizeof cuts);
    TRY(mem_new(&p->alloc, &memory, 1, sizeof *a, err));
    a = memory;
    a->alloc = p->alloc;
    TRY_TO(done, automaton_build_classes(a, p, &cuts, err));
    TRY_TO(done, automaton_build_table(a, p, &cuts, err));
    *out = a;
    a = NULL;
done:
    mem_free(&p->alloc, cuts.at, 2 * cuts.cap, sizeof *cuts.at);
    mem_free(&p->alloc, cuts.classes, cuts.cap, sizeof *cuts.classes);
    automaton_free(a);
    return status;
}

void automaton_free(automaton *a)
{
    ctok_allocator alloc;

    if (a == NULL) {
        return;
    }
    alloc = a->alloc;
    mem_free(&alloc, a->table, a->n_table, sizeof *a->table);
    mem_free(&alloc, a->blocks, a->blocks == NULL ? 0 : AUTOMATON_N_BLOCKS,
             sizeof *a->blocks);
    mem_free(&alloc, a->pages, a->n_pages, AUTOMATON_PAGE);
    mem_free(&alloc, a, 1, sizeof *a);
}

/* ---- running ---------------------------------------------------------------- */

size_t automaton_match(const automaton *a, ctok_bytes text, size_t from,
                       size_t *reached)
{
    const uint8_t *p = text.ptr + from;
    const uint8_t *end = text.ptr + text.len;
    const uint8_t *last = p;
    uint32_t state = a->start;

    for (;;) {
        const uint8_t *here = p;
        uint32_t cls;
        uint32_t entry;

        if (BASE_UNLIKELY(p == end)) {
            if ((a->table[state + a->end_class] & 1) != 0) {
                last = p;
            }
            break;
        }
        if (BASE_LIKELY(*p < 0x80)) {
            cls = a->ascii[*p++];
        } else {
            uint32_t c = utf8_next(&p);
            cls = a->pages[(size_t)a->blocks[c >> 7] << 7 | (c & 127)];
        }
        entry = a->table[state + cls];
        last = (entry & 1) != 0 ? here : last;
        state = entry >> 1;
        if (state == AUTOMATON_DEAD) {
            p = here;
            break;
        }
    }
    *reached = (size_t)(p - text.ptr);
    return (size_t)(last - text.ptr);
}
