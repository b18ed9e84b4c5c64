#include "machine.h"

#include "error.h"

/* ---- states ----------------------------------------------------------------- */

static ctok_status part_add(machine *p, machine_kind kind, uint32_t next,
                            uint32_t other, uint32_t *index, ctok_error *err)
{
    void *states = p->states;

    if (p->n_states >= MACHINE_MAX_STATES) {
        return error_set(err, CTOK_E_UNSUPPORTED,
                         "a pattern of this size is more than the automaton can do");
    }
    TRY(mem_reserve(&p->alloc, &states, &p->states_cap, p->n_states + 1,
                    sizeof *p->states, err));
    p->states = states;
    *index = (uint32_t)p->n_states++;
    p->states[*index] =
        (machine_state){.kind = (uint8_t)kind, .next = next, .other = other};
    return CTOK_OK;
}

/* A jump to nowhere yet. */
static ctok_status part_add_jump(machine *p, uint32_t *index, ctok_error *err)
{
    return part_add(p, MACHINE_JUMP, MACHINE_NONE, MACHINE_NONE, index, err);
}

static void part_link(machine *p, const part *from, uint32_t next)
{
    p->states[from->end - 1].next = next;
}

/* Takes over a set, sharing an equal one. */
static ctok_status part_keep_set(machine *p, ctok_class *set, uint8_t *index,
                                 ctok_error *err)
{
    for (size_t i = 0; i < p->n_sets; i++) {
        if (cpset_equal(&p->sets[i], set)) {
            ctok_class_free(set);
            *index = (uint8_t)i;
            return CTOK_OK;
        }
    }
    if (p->n_sets == ALPHABET_MAX_SETS) {
        ctok_class_free(set);
        return error_set(err, CTOK_E_UNSUPPORTED,
                         "more than %d classes are more than the automaton can do",
                         ALPHABET_MAX_SETS);
    }
    *index = (uint8_t)p->n_sets;
    p->sets[p->n_sets++] = *set;
    return CTOK_OK;
}

/* One state with a set, and its jump. */
static ctok_status part_of_state(machine *p, machine_kind kind, ctok_class *set,
                                 part *out, ctok_error *err)
{
    uint32_t state = 0;
    uint32_t jump = 0;
    uint8_t index = 0;

    TRY(part_keep_set(p, set, &index, err));
    TRY(part_add(p, kind, (uint32_t)p->n_states + 1, MACHINE_NONE, &state, err));
    TRY(part_add_jump(p, &jump, err));
    p->states[state].set = index;
    *out = (part){.first = state,
                  .end = jump + 1,
                  .start = state,
                  .may_be_empty = kind == MACHINE_GUARD};
    return CTOK_OK;
}

ctok_status part_char(machine *p, ctok_class *set, part *out, ctok_error *err)
{
    return part_of_state(p, MACHINE_CHAR, set, out, err);
}

ctok_status part_guard(machine *p, ctok_class *set, bool negated, bool at_end,
                       part *out, ctok_error *err)
{
    TRY(part_of_state(p, MACHINE_GUARD, set, out, err));
    p->states[out->start].negated = negated;
    p->states[out->start].at_end = at_end;
    return CTOK_OK;
}

/* ---- repeats ---------------------------------------------------------------- */

/* The n-th copy of a part; copies lie one after the other from first on. */
static part part_nth(const part *unit, uint32_t first, uint32_t n)
{
    uint32_t offset =
        n == 0 ? 0 : first + (n - 1) * (unit->end - unit->first) - unit->first;

    return (part){.first = unit->first + offset,
                  .end = unit->end + offset,
                  .start = unit->start + offset,
                  .may_be_empty = unit->may_be_empty};
}

/* Adds a copy of a part behind all other states. */
static ctok_status part_copy(machine *p, const part *unit, ctok_error *err)
{
    uint32_t offset = (uint32_t)p->n_states - unit->first;

    for (uint32_t i = unit->first; i < unit->end; i++) {
        uint32_t index = 0;

        TRY(part_add(p, MACHINE_JUMP, 0, 0, &index, err));
        p->states[index] = p->states[i];
        if (p->states[index].next != MACHINE_NONE) {
            p->states[index].next += offset;
        }
        if (p->states[index].other != MACHINE_NONE) {
            p->states[index].other += offset;
        }
    }
    return CTOK_OK;
}

/* Adds a fork into a part or past it. The way past is a jump, or for possessive repeats a
 * guard: only where the part could not go on. Ways past are chained by their other field. */
static ctok_status part_add_fork(machine *p, const part *into, part_greed greed,
                                 uint32_t *ways_past, uint32_t *fork, ctok_error *err)
{
    uint32_t past = 0;

    TRY(part_add_jump(p, &past, err));
    if (greed == PART_POSSESSIVE) {
        p->states[past].kind = MACHINE_GUARD;
        p->states[past].set = p->states[into->start].set;
        p->states[past].negated = 1;
        p->states[past].at_end = 1;
    }
    p->states[past].other = *ways_past;
    *ways_past = past;
    return greed == PART_LAZY ? part_add(p, MACHINE_FORK, past, into->start, fork, err)
                              : part_add(p, MACHINE_FORK, into->start, past, fork, err);
}

/* The least number of copies one after the other, then optional ones or a loop.
 *
 *     X{1,3}     X -> FORK -> X -> FORK -> X -> JUMP
 *                       `------------`---------> (past) */
static ctok_status part_wire(machine *p, part *unit, const part_repeat *repeat,
                             ctok_error *err)
{
    bool is_endless = repeat->most == PART_ENDLESS;
    uint32_t n_copies = !is_endless          ? repeat->most
                        : repeat->least == 0 ? 1
                                             : repeat->least;
    uint32_t copies = (uint32_t)p->n_states;
    uint32_t ways_past = MACHINE_NONE;
    uint32_t start = unit->start;
    uint32_t end = 0;
    part last = *unit;

    /* All copies first, while the unit's jump is still open. */
    for (uint32_t n = 1; n < n_copies; n++) {
        TRY(part_copy(p, unit, err));
    }
    for (uint32_t n = 0; n < n_copies; n++) {
        part next = part_nth(unit, copies, n);
        uint32_t entry = next.start;

        if (n >= repeat->least) {
            TRY(part_add_fork(p, &next, repeat->greed, &ways_past, &entry, err));
        }
        if (n == 0) {
            start = entry;
        } else {
            part_link(p, &last, entry);
        }
        last = next;
    }
    if (is_endless) {
        uint32_t loop = 0;
        TRY(part_add_fork(p, &last, repeat->greed, &ways_past, &loop, err));
        part_link(p, &last, loop);
    }
    TRY(part_add_jump(p, &end, err));
    if (!is_endless) {
        part_link(p, &last, end);
    }
    while (ways_past != MACHINE_NONE) {
        uint32_t after = p->states[ways_past].other;
        p->states[ways_past].next = end;
        p->states[ways_past].other = MACHINE_NONE;
        ways_past = after;
    }
    unit->start = start;
    unit->end = end + 1;
    return CTOK_OK;
}

ctok_status part_repeated(machine *p, part *unit, const part_repeat *repeat,
                          ctok_error *err)
{
    bool is_char =
        unit->end - unit->first == 2 && p->states[unit->start].kind == MACHINE_CHAR;

    if (repeat->greed == PART_POSSESSIVE && !is_char) {
        return error_set(err, CTOK_E_UNSUPPORTED,
                         "a possessive group is more than the automaton can do");
    }
    if (unit->may_be_empty && repeat->most > 1) {
        return error_set(
            err, CTOK_E_UNSUPPORTED,
            "repeating what may be empty is more than the automaton can do");
    }
    unit->may_be_empty = unit->may_be_empty || repeat->least == 0;
    if (repeat->most == 0) {
        TRY(part_add_jump(p, &unit->start, err));
        unit->end = unit->start + 1;
        return CTOK_OK;
    }
    return part_wire(p, unit, repeat, err);
}

/* ---- choices ---------------------------------------------------------------- */

part_choice part_choice_new(const machine *p)
{
    return (part_choice){.first = (uint32_t)p->n_states,
                         .start = MACHINE_NONE,
                         .fork = MACHINE_NONE,
                         .exits = MACHINE_NONE};
}

void part_choice_append(machine *p, part_choice *choice, const part *next)
{
    part *tail = &choice->tail;

    if (!choice->has_tail) {
        *tail = *next;
        choice->has_tail = true;
        return;
    }
    part_link(p, tail, next->start);
    tail->end = next->end;
    tail->may_be_empty = tail->may_be_empty && next->may_be_empty;
}

/* Ends an alternative. When another follows, a fork goes before it. */
static ctok_status part_choice_turn(machine *p, part_choice *choice,
                                    bool another_follows, ctok_error *err)
{
    part tail = choice->tail;
    uint32_t entry;

    if (!choice->has_tail) {
        TRY(part_add_jump(p, &tail.start, err));
        tail.end = tail.start + 1;
        tail.may_be_empty = true;
    }
    entry = tail.start;
    if (another_follows) {
        TRY(part_add(p, MACHINE_FORK, tail.start, MACHINE_NONE, &entry, err));
    }
    p->states[tail.end - 1].other = choice->exits;
    choice->exits = tail.end - 1;
    choice->may_be_empty = choice->may_be_empty || tail.may_be_empty;
    choice->has_tail = false;
    if (choice->fork != MACHINE_NONE) {
        p->states[choice->fork].other = entry;
    } else {
        choice->start = entry;
    }
    choice->fork = another_follows ? entry : MACHINE_NONE;
    return CTOK_OK;
}

ctok_status part_choice_or(machine *p, part_choice *choice, ctok_error *err)
{
    return part_choice_turn(p, choice, true, err);
}

ctok_status part_choice_end(machine *p, part_choice *choice, part *out, ctok_error *err)
{
    uint32_t exit_jump = 0;

    TRY(part_choice_turn(p, choice, false, err));
    TRY(part_add_jump(p, &exit_jump, err));
    for (uint32_t at = choice->exits; at != MACHINE_NONE;) {
        uint32_t after = p->states[at].other;
        p->states[at].other = MACHINE_NONE;
        p->states[at].next = exit_jump;
        at = after;
    }
    *out = (part){.first = choice->first,
                  .end = exit_jump + 1,
                  .start = choice->start,
                  .may_be_empty = choice->may_be_empty};
    return CTOK_OK;
}

/* ---- the whole -------------------------------------------------------------- */

ctok_status part_finish(machine *p, const part *whole, ctok_error *err)
{
    uint32_t match = 0;

    TRY(part_add(p, MACHINE_MATCH, MACHINE_NONE, MACHINE_NONE, &match, err));
    part_link(p, whole, match);
    p->start = whole->start;
    return CTOK_OK;
}

void machine_free(machine *p)
{
    for (size_t i = 0; i < p->n_sets; i++) {
        ctok_class_free(&p->sets[i]);
    }
    mem_free(&p->alloc, p->states, p->states_cap, sizeof *p->states);
    memset(p, 0, sizeof *p);
}

static uint64_t machine_mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

uint64_t machine_hash(const machine *p)
{
    uint64_t h = p->start;
    size_t i;
    size_t j;

    for (i = 0; i < p->n_sets; i++) {
        h = machine_mix(h, p->sets[i].n_ranges);
        for (j = 0; j < p->sets[i].n_ranges; j++) {
            h = machine_mix(h, (uint64_t)p->sets[i].ranges[j][0] << 32 |
                                   p->sets[i].ranges[j][1]);
        }
    }
    for (i = 0; i < p->n_states; i++) {
        const machine_state *state = &p->states[i];
        h = machine_mix(h, (uint64_t)state->kind << 24 |
                               (uint64_t)state->negated << 16 |
                               (uint64_t)state->at_end << 8 | state->set);
        h = machine_mix(h, (uint64_t)state->next << 32 | state->other);
    }
    return h;
}
