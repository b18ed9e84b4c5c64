#include "uchar.h"

static uint32_t uchar_varint(const uint8_t **at)
{
    uint32_t value = 0;
    int shift = 0;

    while (**at & 0x80) {
        value |= (uint32_t)(*(*at)++ & 0x7F) << shift;
        shift += 7;
    }
    return value | (uint32_t)*(*at)++ << shift;
}

size_t uchar_normalize(const char *name, size_t len, char *out)
{
    bool has_is = len >= 2 && (name[0] | 0x20) == 'i' && (name[1] | 0x20) == 's';
    size_t n = 0;

    for (size_t i = has_is ? 2 : 0; i < len; i++) {
        char c = name[i];
        if (c == ' ' || c == '_' || c == '-') {
            continue;
        }
        out[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    /* "isc" is short for ISO_Comment, which is no set, and not a long way to say "c". */
    return has_is && n == 1 && out[0] == 'c' ? 0 : n;
}

/* strcmp of a name of the pool with text that has a length. */
static int uchar_compare(const char *pooled, const char *name, size_t len)
{
    size_t pooled_len = strlen(pooled);
    int order = memcmp(pooled, name, pooled_len < len ? pooled_len : len);

    if (order != 0 || pooled_len == len) {
        return order;
    }
    return pooled_len < len ? -1 : 1;
}

const uchar_name *uchar_find(uchar_kind kind, const char *name, size_t len)
{
    size_t low = 0;
    size_t high = uchar_n_names;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const uchar_name *entry = &uchar_names[middle];
        int order = (int)entry->kind - (int)kind;

        if (order == 0) {
            order = uchar_compare(uchar_name_pool + entry->text, name, len);
        }
        if (order == 0) {
            return entry;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

uchar_range_iter uchar_set_ranges(uint32_t set)
{
    return (uchar_range_iter){uchar_ranges + uchar_sets[set].start,
                              uchar_sets[set].n_ranges, 0};
}

bool uchar_next_range(uchar_range_iter *iter, uint32_t *first, uint32_t *last)
{
    if (iter->n_left == 0) {
        return false;
    }
    iter->n_left--;
    *first = iter->after + uchar_varint(&iter->at);
    *last = *first + uchar_varint(&iter->at);
    iter->after = *last + 1;
    return true;
}

uchar_orbit_iter uchar_all_orbits(void)
{
    return (uchar_orbit_iter){uchar_orbits, uchar_n_orbits, 0};
}

size_t uchar_next_orbit(uchar_orbit_iter *iter, uint32_t members[UCHAR_MAX_ORBIT])
{
    size_t n = 0;
    uint32_t step;

    if (iter->n_left == 0) {
        return 0;
    }
    iter->n_left--;
    iter->first += uchar_varint(&iter->at);
    members[n++] = iter->first;
    while ((step = uchar_varint(&iter->at)) != 0) {
        members[n] = members[n - 1] + step;
        n++;
    }
    return n;
}
