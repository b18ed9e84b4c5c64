/* image.c - a model as one block of bytes, and the model that lies in such a block.
 *
 *     0     "CTOKIMG"  mark  version  length  sum  fingerprint           64 bytes
 *     64    how many numbers, how many arrays
 *           the numbers: sizes and flags, in the order of image_sections
 *           the arrays: offset, items, bytes of an item
 *     ...   the arrays themselves, each from a multiple of 64 on
 *
 * No number is an address and every number has its width written down, so the block is good
 * wherever it lies. Its byte order is that of the machine; the mark reads differently on another.
 *
 * An image is not believed. The sum is over every byte but its own, so what went wrong by
 * accident is found. What was made with intent is held against the tables' own rules
 * (vocab_is_sound and so on): it may then make wrong ids, but no call leaves the tables, writes beyond
 * its output or goes on forever. Both look at a block while it is in the cache, so memory
 * is read once; the rules therefore hold for bytes whose sum nobody knows yet. */
#include "checksum.h"
#include "cpu.h"
#include "error.h"
#include "mem.h"
#include "model.h"
#include "section.h"
#include "split.h"

/* Counts layouts, of the block and of every table in it, and ways of filling them. One more
 * for each change: tests/unit/c/test_image.c notices when it is due. */
#define IMAGE_VERSION 11

#define IMAGE_MARK 0x01020304u
static const uint8_t image_magic[8] = "CTOKIMG";

typedef struct image_header {
    uint8_t magic[8];
    uint32_t mark;
    uint32_t version;
    uint64_t len;
    uint64_t sum;
    uint8_t fingerprint[CTOK_FINGERPRINT_LEN];
    uint64_t n_numbers;
    uint64_t n_arrays;
} image_header;

typedef struct image_array {
    uint64_t offset;
    uint64_t n_items;
    uint64_t item_size;
} image_array;

/* ---- both ways -------------------------------------------------------------- */

static void image_flag(sections *s, bool *flag)
{
    size_t number = *flag;

    section_number(s, &number);
    s->is_bad = s->is_bad || number > 1;
    if (s->is_reading) {
        *flag = number == 1;
    }
}

/* All of a model but its splitter. */
static void image_sections(ctok_model *model, sections *s)
{
    image_flag(s, &model->is_ambiguous);
    image_flag(s, &model->is_proper);
    image_flag(s, &model->whole_piece);
    vocab_sections(&model->tokens, s);
    pairs_sections(&model->table, s);
    chars_sections(&model->chars, s);
    words_sections(&model->words, s);
    special_sections(&model->specials, s);
    SECTION(s, model->special_ids, model->specials.n);
}

/* Starts the sum with the header, whose own place for it is 0 there. */
static void image_sum_from(sections *s, ctok_bytes image, ctok_cpu cpu)
{
    uint8_t line[CHECKSUM_LINE];

    memcpy(line, image.ptr, sizeof line);
    memset(line + offsetof(image_header, sum), 0, sizeof(uint64_t));
    memset(&s->sum, 0, sizeof s->sum);
    s->add = cpu_summer(cpu);
    s->add(&s->sum, line, 1);
    s->lines = image;
    s->n_summed = sizeof line;
}

static size_t image_aligned(size_t n)
{
    return (n + CTOK_IMAGE_ALIGN - 1) / CTOK_IMAGE_ALIGN * CTOK_IMAGE_ALIGN;
}

/* Bytes before the first array. */
static size_t image_head_len(size_t n_numbers, size_t n_arrays)
{
    return sizeof(image_header) + n_numbers * sizeof(uint64_t) +
           n_arrays * sizeof(image_array);
}

/* ---- writing ---------------------------------------------------------------- */

/* Notes what the model consists of; returns the length of its image. */
static size_t image_note(const ctok_model *model, sections *s)
{
    size_t len;
    size_t i;

    memset(s, 0, sizeof *s);
    image_sections((ctok_model *)model, s); /* when writing, it only looks */
    split_write(&model->splitter, s);
    len = image_head_len(s->n_numbers, s->n_arrays);
    for (i = 0; i < s->n_arrays; i++) {
        len =
            image_aligned(len) + (size_t)s->arrays[i].n_items * s->arrays[i].item_size;
    }
    return image_aligned(len);
}

size_t ctok_model_image_size(const ctok_model *model)
{
    sections s;

    return image_note(model, &s);
}

ctok_status ctok_model_image_write(const ctok_model *model, const uint8_t *fingerprint,
                                   uint8_t *out, size_t cap, size_t *len,
                                   ctok_error *err)
{
    image_header header = {.mark = IMAGE_MARK, .version = IMAGE_VERSION};
    sections s;
    uint8_t *table;
    size_t at;
    size_t i;

    *len = image_note(model, &s);
    if (*len > cap) {
        return error_set(err, CTOK_E_SPACE, "%zu bytes of image do not fit into %zu",
                         *len, cap);
    }
    memcpy(header.magic, image_magic, sizeof header.magic);
    memcpy(header.fingerprint, fingerprint, sizeof header.fingerprint);
    header.len = *len;
    header.n_numbers = s.n_numbers;
    header.n_arrays = s.n_arrays;
    table = out + sizeof header + s.n_numbers * sizeof *s.numbers;
    memcpy(out + sizeof header, s.numbers, s.n_numbers * sizeof *s.numbers);
    at = image_head_len(s.n_numbers, s.n_arrays);
    for (i = 0; i < s.n_arrays; i++) {
        const section *array = &s.arrays[i];
        size_t size = (size_t)array->n_items * array->item_size;
        image_array entry = {image_aligned(at), array->n_items, array->item_size};

        memcpy(table + i * sizeof entry, &entry, sizeof entry);
        memset(out + at, 0, (size_t)entry.offset - at);
        at = (size_t)entry.offset;
        if (size > 0) {
            memcpy(out + at, array->items, size);
        }
        at += size;
    }
    memset(out + at, 0, *len - at);
    memcpy(out, &header, sizeof header);
    image_sum_from(&s, (ctok_bytes){out, *len}, CTOK_CPU_BEST);
    section_reach_end(&s);
    header.sum = checksum_value(&s.sum);
    memcpy(out, &header, sizeof header);
    return CTOK_OK;
}

/* ---- reading ---------------------------------------------------------------- */

static ctok_status image_check_header(ctok_bytes image, const uint8_t *fingerprint,
                                      image_header *header, ctok_error *err)
{
    if (image.len < sizeof *header) {
        return error_set(err, CTOK_E_IMAGE, "image: %zu bytes, a header alone has %zu",
                         image.len, sizeof *header);
    }
    memcpy(header, image.ptr, sizeof *header);
    if (memcmp(header->magic, image_magic, sizeof header->magic) != 0 ||
        header->mark != IMAGE_MARK || header->version != IMAGE_VERSION) {
        return error_set(err, CTOK_E_IMAGE,
                         "image: no image of version %d and this machine's byte order",
                         IMAGE_VERSION);
    }
    if (header->len != image.len || image.len % CTOK_IMAGE_ALIGN != 0 ||
        header->n_numbers > SECTION_MAX || header->n_arrays > SECTION_MAX ||
        image_head_len(SECTION_MAX, SECTION_MAX) > image.len) {
        return error_set(err, CTOK_E_IMAGE, "image: %zu bytes, not whole", image.len);
    }
    if (fingerprint != NULL &&
        memcmp(header->fingerprint, fingerprint, sizeof header->fingerprint) != 0) {
        return error_set(err, CTOK_E_IMAGE, "image: of another definition");
    }
    return CTOK_OK;
}

/* Finds numbers and arrays; each array inside the image, behind the one before. */
static ctok_status image_find(ctok_bytes image, const image_header *header, sections *s,
                              ctok_error *err)
{
    const uint8_t *numbers = image.ptr + sizeof *header;
    const uint8_t *table;
    size_t end;
    size_t i;

    memset(s, 0, sizeof *s);
    s->is_reading = true;
    s->last_number = (size_t)header->n_numbers;
    s->last_array = (size_t)header->n_arrays;
    memcpy(s->numbers, numbers, s->last_number * sizeof *s->numbers);
    table = numbers + s->last_number * sizeof *s->numbers;
    end = image_head_len(s->last_number, s->last_array);
    for (i = 0; i < s->last_array; i++) {
        image_array entry;

        memcpy(&entry, table + i * sizeof entry, sizeof entry);
        if (entry.offset < end || entry.offset > image.len ||
            entry.offset % CTOK_IMAGE_ALIGN != 0 || entry.item_size == 0 ||
            entry.item_size > CTOK_IMAGE_ALIGN ||
            entry.n_items > (image.len - entry.offset) / entry.item_size) {
            return error_set(err, CTOK_E_IMAGE, "image: array %zu is not inside it", i);
        }
        s->arrays[i].items = image.ptr + entry.offset;
        s->arrays[i].n_items = entry.n_items;
        s->arrays[i].item_size = (uint32_t)entry.item_size;
        end = (size_t)(entry.offset + entry.n_items * entry.item_size);
    }
    return CTOK_OK;
}

/* Whether the tables keep their rules and are what was written. */
static ctok_status image_check_tables(const ctok_model *model, sections *s,
                                      uint64_t sum, ctok_error *err)
{
    const vocab *v = &model->tokens;
    void *memory = NULL;
    uint8_t *lengths;
    bool are_sound;

    if (!vocab_is_sound(v, s)) {
        return error_set(err, CTOK_E_IMAGE, "image: no sound vocabulary");
    }
    TRY(mem_new(&model->alloc, &memory, v->n_symbols, sizeof *lengths, err));
    lengths = memory;
    vocab_lengths(v, lengths);
    are_sound = pairs_are_sound(&model->table, v, lengths, s) &&
                chars_are_sound(&model->chars, &model->table, lengths, v->n_symbols) &&
                words_are_sound(&model->words, v->n_symbols, s);
    mem_free(&model->alloc, lengths, v->n_symbols, sizeof *lengths);
    if (!are_sound) {
        return error_set(err, CTOK_E_IMAGE, "image: no sound tables");
    }
    section_reach_end(s);
    if (checksum_value(&s->sum) != sum) {
        return error_set(err, CTOK_E_IMAGE, "image: not the bytes that were written");
    }
    return CTOK_OK;
}

/* All of a model but its splitter: the tables where they lie, the index of the specials anew. */
static ctok_status image_read_tables(ctok_model *model, sections *s, uint64_t sum,
                                     ctok_error *err)
{
    const vocab *v = &model->tokens;
    special texts;
    size_t i;

    image_sections(model, s);
    texts = model->specials; /* still the image's, so not for freeing */
    memset(&model->specials, 0, sizeof model->specials);
    if (s->is_bad) {
        return error_set(err, CTOK_E_IMAGE, "image: not the parts of a model");
    }
    TRY(image_check_tables(model, s, sum, err));
    for (i = 0; i < texts.n; i++) {
        if (model->special_ids[i] > v->max_id) {
            return error_set(err, CTOK_E_IMAGE, "image: special %zu has id %u", i,
                             model->special_ids[i]);
        }
    }
    return special_index_read(
        &model->specials, &texts, v->blob + v->starts[v->n_symbols],
        v->n_blob - VOCAB_BEHIND - v->starts[v->n_symbols], &model->alloc, err);
}

static ctok_status image_read_splitter(ctok_model *model, sections *s, ctok_cpu cpu,
                                       ctok_error *err)
{
    TRY(split_read(&model->splitter, s, cpu, &model->alloc, err));
    if (s->is_bad || s->n_numbers != s->last_number || s->n_arrays != s->last_array) {
        return error_set(err, CTOK_E_IMAGE, "image: not the parts of a splitter");
    }
    return CTOK_OK;
}

ctok_status ctok_model_from_image(ctok_model **out, ctok_bytes image,
                                  const ctok_image_options *options,
                                  const ctok_allocator *alloc, ctok_error *err)
{
    static const ctok_image_options defaults = CTOK_IMAGE_OPTIONS_INIT;
    ctok_allocator own = mem_allocator(alloc);
    ctok_model *model = NULL;
    void *memory = NULL;
    image_header header;
    ctok_status status;
    sections s;

    *out = NULL;
    options = options != NULL ? options : &defaults;
    if ((uintptr_t)image.ptr % CTOK_IMAGE_ALIGN != 0) {
        status = error_set(err, CTOK_E_ARGUMENT, "an image at no multiple of %d",
                           CTOK_IMAGE_ALIGN);
        goto done;
    }
    TRY_TO(done, image_check_header(image, options->fingerprint, &header, err));
    TRY_TO(done, image_find(image, &header, &s, err));
    image_sum_from(&s, image, options->cpu);
    TRY_TO(done, mem_new(&own, &memory, 1, sizeof *model, err));
    model = memory;
    model->alloc = own;
    model->is_borrowed = true;
    model->merge_many = cpu_merger(options->cpu);
    TRY_TO(done, image_read_tables(model, &s, header.sum, err));
    if (options->splitter != NULL && options->splitter->next != NULL) {
        model->splitter = *options->splitter;
        memset(options->splitter, 0, sizeof *options->splitter);
    } else {
        TRY_TO(done, image_read_splitter(model, &s, options->cpu, err));
    }
    *out = model;
    model = NULL;
done:
    ctok_splitter_free(options->splitter);
    ctok_model_free(model);
    return status;
}
