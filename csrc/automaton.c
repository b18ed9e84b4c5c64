#include "automaton.h"

#include "error.h"

/* ---- states ----------------------------------------------------------------- */

/* While building: the states so far, each a list of the machine's states. State 0 is dead,
 * its list is empty; state 1 is the start. */
typedef struct automaton_build {
    automaton *a;
    const machine *p;
    size_t row; /* entries of a state: the letters and the end */
    uint32_t *lists;
    size_t n_lists;
    size_t cap_lists;
    uint32_t *list_ends; /* by state */
    size_t cap_ends;
    size_t n_states;
    size_t cap_next;
    size_t cap_actions;
    uint32_t *stamps;      /* by machine state: the last step that came by */
    uint32_t *next_stamps; /* ... that put it on the next list */
    uint32_t step;
    uint32_t *stack;
    uint32_t *list; /* the next list */
    size_t n_list;
    ctok_error *err;
} automaton_build;

#define AUTOMATON_DEAD 0
#define AUTOMATON_START 1

/* Whether a guard or a set accepts a letter; the one behind the last is the end. */
static bool automaton_accepts(const automaton_build *b, const machine_state *state,
                              size_t letter)
{
    bool is_in;

    if (letter == b->a->end_letter) {
        return state->at_end != 0;
    }
    is_in = (b->a->letters.members[letter] >> state->set & 1) != 0;
    return is_in != (state->negated != 0);
}

/* Follows a list on one letter: fills b->list with where it goes, in order of preference.
 * Returns whether a match ends before the letter; what comes after that is dropped. */
static bool automaton_step(automaton_build *b, const uint32_t *list, size_t n_list,
                           size_t letter)
{
    b->step++;
    b->n_list = 0;
    for (size_t i = 0; i < n_list; i++) {
        size_t n_stack = 0;

        b->stack[n_stack++] = list[i];
        while (n_stack > 0) {
            uint32_t at = b->stack[--n_stack];
            const machine_state *state = &b->p->states[at];

            if (b->stamps[at] == b->step) {
                continue;
            }
            b->stamps[at] = b->step;
            switch ((machine_kind)state->kind) {
            case MACHINE_FORK:
                b->stack[n_stack++] = state->other;
                b->stack[n_stack++] = state->next;
                break;
            case MACHINE_JUMP:
                b->stack[n_stack++] = state->next;
                break;
            case MACHINE_GUARD:
                if (automaton_accepts(b, state, letter)) {
                    b->stack[n_stack++] = state->next;
                }
                break;
            case MACHINE_CHAR:
                if (letter != b->a->end_letter && automaton_accepts(b, state, letter) &&
                    b->next_stamps[state->next] != b->step) {
                    b->next_stamps[state->next] = b->step;
                    b->list[b->n_list++] = state->next;
                }
                break;
            case MACHINE_MATCH:
                return true;
            }
        }
    }
    return false;
}

/* Adds a state with the list b->list. */
static ctok_status automaton_add_state(automaton_build *b)
{
    automaton *a = b->a;
    size_t n = b->n_states + 1;
    void *lists = b->lists;
    void *ends = b->list_ends;
    void *next = a->next;
    void *actions = a->actions;

    if (n * b->row > AUTOMATON_MAX_TABLE) {
        return error_set(b->err, CTOK_E_UNSUPPORTED,
                         "a table of more than %zu states is more than the automaton "
                         "can do",
                         b->n_states);
    }
    TRY(mem_reserve(&a->alloc, &lists, &b->cap_lists, b->n_lists + b->n_list + 1,
                    sizeof *b->lists, b->err));
    b->lists = lists;
    TRY(mem_reserve(&a->alloc, &ends, &b->cap_ends, n, sizeof *b->list_ends, b->err));
    b->list_ends = ends;
    TRY(mem_reserve(&a->alloc, &next, &b->cap_next, n * b->row, sizeof *a->next,
                    b->err));
    a->next = next;
    TRY(mem_reserve(&a->alloc, &actions, &b->cap_actions, n * b->row,
                    sizeof *a->actions, b->err));
    a->actions = actions;
    memcpy(b->lists + b->n_lists, b->list, b->n_list * sizeof *b->list);
    b->n_lists += b->n_list;
    b->list_ends[b->n_states++] = (uint32_t)b->n_lists;
    return CTOK_OK;
}

/* The state with the list b->list: an equal one or a new one. The start is its own state:
 * in no other one is the piece still empty. */
static ctok_status automaton_state(automaton_build *b, size_t *state)
{
    for (size_t i = b->n_states; i-- > 0;) {
        uint32_t start = i == 0 ? 0 : b->list_ends[i - 1];
        if (i != AUTOMATON_START && b->list_ends[i] - start == b->n_list &&
            memcmp(b->lists + start, b->list, b->n_list * sizeof *b->list) == 0) {
            *state = i;
            return CTOK_OK;
        }
    }
    *state = b->n_states;
    return automaton_add_state(b);
}

/* All states that can be reached, row by row. */
static ctok_status automaton_fill(automaton_build *b)
{
    automaton *a = b->a;
    size_t state;

    b->n_list = 0;
    TRY(automaton_add_state(b));
    b->list[0] = b->p->start;
    b->n_list = 1;
    TRY(automaton_add_state(b));
    for (size_t at = 0; at < b->n_states; at++) {
        for (size_t letter = 0; letter < b->row; letter++) {
            uint32_t start = at == 0 ? 0 : b->list_ends[at - 1];
            bool matched =
                automaton_step(b, b->lists + start, b->list_ends[at] - start, letter);

            TRY(automaton_state(b, &state));
            a->next[at * b->row + letter] = (uint16_t)(state * b->row);
            a->actions[at * b->row + letter] =
                (uint8_t)((matched ? AUTOMATON_MARK : 0) |
                          (state == AUTOMATON_DEAD ? AUTOMATON_STOP : 0));
        }
    }
    a->start = (uint16_t)(AUTOMATON_START * b->row);
    return CTOK_OK;
}

/* Where a piece ends for certain and the letter begins another one, goes on with that. */
static void automaton_join(automaton_build *b)
{
    automaton *a = b->a;

    for (size_t at = AUTOMATON_START + 1; at < b->n_states; at++) {
        for (size_t letter = 0; letter < a->end_letter; letter++) {
            size_t entry = at * b->row + letter;
            size_t first = a->start + letter;

            if (a->actions[entry] == (AUTOMATON_MARK | AUTOMATON_STOP) &&
                (a->actions[first] & AUTOMATON_STOP) == 0) {
                a->next[entry] = a->next[first];
                a->actions[entry] = AUTOMATON_MARK | AUTOMATON_CUT;
            }
        }
    }
}

static ctok_status automaton_build_table(automaton *a, const machine *p,
                                         ctok_error *err)
{
    automaton_build b = {.a = a, .p = p, .row = a->letters.n_letters + 1, .err = err};
    ctok_status status;
    void *memory = NULL;
    /* Stamps twice, the next list, and a stack: each state is followed once a step, and of
     * those forks push two. */
    size_t n_work = p->n_states * 5 + 2;

    TRY_TO(done, mem_new(&a->alloc, &memory, n_work, sizeof(uint32_t), err));
    b.stamps = memory;
    b.next_stamps = b.stamps + p->n_states;
    b.list = b.next_stamps + p->n_states;
    b.stack = b.list + p->n_states + 1;
    TRY_TO(done, automaton_fill(&b));
    automaton_join(&b);
done:
    a->n_next = b.n_states * b.row;
    a->cap_next = b.cap_next;
    a->cap_actions = b.cap_actions;
    mem_free(&a->alloc, b.lists, b.cap_lists, sizeof *b.lists);
    mem_free(&a->alloc, b.list_ends, b.cap_ends, sizeof *b.list_ends);
    mem_free(&a->alloc, memory, n_work, sizeof(uint32_t));
    return status;
}

ctok_status automaton_blank(automaton **out, const ctok_allocator *alloc,
                            ctok_error *err)
{
    void *memory = NULL;

    TRY(mem_new(alloc, &memory, 1, sizeof **out, err));
    *out = memory;
    (*out)->alloc = *alloc;
    (*out)->is_borrowed = true;
    return CTOK_OK;
}

ctok_status automaton_new(automaton **out, const machine *p, ctok_error *err)
{
    automaton *a;
    ctok_status status;

    *out = NULL;
    TRY(automaton_blank(&a, &p->alloc, err));
    a->is_borrowed = false;
    TRY_TO(done, alphabet_init(&a->letters, p->sets, p->n_sets, &a->alloc, err));
    a->end_letter = (uint16_t)a->letters.n_letters;
    TRY_TO(done, automaton_build_table(a, p, err));
    *out = a;
    a = NULL;
done:
    automaton_free(a);
    return status;
}

void automaton_free(automaton *a)
{
    if (a != NULL) {
        ctok_allocator alloc = a->alloc;

        if (!a->is_borrowed) {
            mem_free(&alloc, a->next, a->cap_next, sizeof *a->next);
            mem_free(&alloc, a->actions, a->cap_actions, sizeof *a->actions);
            alphabet_free(&a->letters, &alloc);
        }
        mem_free(&alloc, a, 1, sizeof *a);
    }
}

/* ---- images ----------------------------------------------------------------- */

void automaton_sections(automaton *a, sections *s)
{
    section_number(s, &a->n_next);
    SECTION(s, a->next, a->n_next);
    SECTION(s, a->actions, a->n_next);
    alphabet_sections(&a->letters, s);
    if (s->is_reading) {
        a->end_letter = (uint16_t)a->letters.n_letters;
        a->start = (uint16_t)(AUTOMATON_START * (a->letters.n_letters + 1));
    }
}

bool automaton_is_sound(const automaton *a)
{
    size_t row = (size_t)a->end_letter + 1;
    uint32_t is_bad = 0;
    size_t i;

    if (!alphabet_is_sound(&a->letters) || a->n_next > AUTOMATON_MAX_TABLE ||
        a->n_next < 2 * row || a->n_next % row != 0) {
        return false;
    }
    for (i = 0; i < a->n_next; i++) {
        is_bad |= a->next[i] > a->n_next - row;
        /* Ends are those of matches, or they would fall. */
        is_bad |= (a->actions[i] & (AUTOMATON_CUT | AUTOMATON_MARK)) == AUTOMATON_CUT;
    }
    /* A piece that ends before its first letter would be empty, and without end. */
    for (i = a->start; i < a->start + row; i++) {
        is_bad |= a->actions[i] & AUTOMATON_CUT;
    }
    return is_bad == 0;
}

/* ---- running ---------------------------------------------------------------- */

/* Bytes between two looks at how many pieces there are. */
#define AUTOMATON_RUN 32

/* One turn of the loop is one character: its letter, then a load that the next turn waits
 * for; all else happens beside it. That no piece's end is a branch is what makes it fast:
 * an end is written at every turn, and the count says which stay. */
uint32_t automaton_run(const automaton *a, ctok_bytes text, size_t start,
                       automaton_output *out)
{
    const uint16_t *next = a->next;
    const uint8_t *actions = a->actions;
    const uint8_t *base = text.ptr + out->base;
    const uint8_t *p = text.ptr + start;
    const uint8_t *piece = p;
    const uint8_t *last = p; /* where the last match ended */
    const uint8_t *limit = text.ptr + text.len;
    uint32_t *ends = out->ends;
    uint32_t cap = out->cap;
    size_t state = a->start;
    uint32_t n = 0;

    if (text.len - out->base > AUTOMATON_MAX_PIECE) {
        limit = base + AUTOMATON_MAX_PIECE;
    }
    while (n < out->enough && out->work <= out->max_work) {
        /* A character writes at most one end; of few pieces a run would be short. */
        size_t run = out->enough - n > AUTOMATON_RUN ? out->enough - n : AUTOMATON_RUN;
        size_t room = run < cap - n ? run : cap - n;
        const uint8_t *until = (size_t)(limit - p) > room ? p + room : limit;
        unsigned action = 0;

        while (p < until) {
            const uint8_t *here = p;
            size_t letter;

            if (BASE_LIKELY(*p < 0x80)) {
                letter = a->letters.ascii[*p++];
            } else {
                letter = alphabet_next(&a->letters, &p);
            }
            action = actions[letter + state];
            state = (next + letter)[state];
            last = (action & AUTOMATON_MARK) != 0 ? here : last;
            if (BASE_UNLIKELY((action & AUTOMATON_STOP) != 0)) {
                p = here;
                break;
            }
            ends[n] = (uint32_t)(here - base);
            n += action & AUTOMATON_CUT;
        }
        if ((action & AUTOMATON_STOP) == 0) {
            if (p < limit || n >= out->enough) {
                continue; /* a full block leaves the last piece to the next one */
            }
            if (limit != text.ptr + text.len) {
                break; /* the piece goes on, too far away from start */
            }
            if ((actions[state + a->end_letter] & AUTOMATON_MARK) != 0) {
                last = p;
            }
        }
        piece = n > 0 ? base + ends[n - 1] : piece;
        out->work += (uint64_t)(p - last);
        if (last == piece) {
            break; /* no match, or the end of the text */
        }
        ends[n++] = (uint32_t)(last - base);
        p = last;
        state = a->start;
    }
    out->reached = (size_t)(p - text.ptr);
    return n;
}

size_t automaton_skip(const automaton *a, ctok_bytes text, size_t start)
{
    const uint8_t *p = text.ptr + start;
    const uint8_t *end = text.ptr + text.len;

    while (p < end) {
        const uint8_t *here = p;
        size_t letter =
            *p < 0x80 ? a->letters.ascii[*p++] : alphabet_next(&a->letters, &p);

        if ((a->actions[a->start + letter] & AUTOMATON_STOP) == 0) {
            return (size_t)(here - text.ptr);
        }
    }
    return text.len;
}
