/* _idarray.h - ids from arrays of any integer type, with their range checked. */
#ifndef CTOK_IDARRAY_H
#define CTOK_IDARRAY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* An integer type as the buffer protocol writes it: its size in bytes, negative when it has a
 * sign; 0 for what is none. */
static inline int ctok_int_type(const char *format, ptrdiff_t item_size)
{
    if (format == NULL || format[0] == '\0' || format[1] != '\0') {
        return format == NULL && item_size == 1 ? 1 : 0;
    }
    if (item_size != 1 && item_size != 2 && item_size != 4 && item_size != 8) {
        return 0;
    }
    if (strchr("BHILQN", format[0]) != NULL) {
        return (int)item_size;
    }
    return strchr("bhilqn", format[0]) != NULL ? -(int)item_size : 0;
}

/* Copies until a value that no uint32 has; out of all values read such a one has bits above
 * the 32nd, whatever its sign. */
#define IDARRAY_COPY(type)                                                             \
    for (i = 0; i < n; i++) {                                                          \
        type value;                                                                    \
        memcpy(&value, (const char *)items + i * sizeof value, sizeof value);          \
        if ((uint64_t)value >> 32 != 0) {                                              \
            break;                                                                     \
        }                                                                              \
        ids[i] = (uint32_t)value;                                                      \
    }                                                                                  \
    return i

/* Returns how many were copied: less than n where one is negative or has more than 32 bits. */
static inline size_t ctok_ids_from_array(const void *items, int type, size_t n,
                                         uint32_t *ids)
{
    size_t i;

    switch (type) {
    case 1:
        IDARRAY_COPY(uint8_t);
    case -1:
        IDARRAY_COPY(int8_t);
    case 2:
        IDARRAY_COPY(uint16_t);
    case -2:
        IDARRAY_COPY(int16_t);
    case 4:
        IDARRAY_COPY(uint32_t);
    case -4:
        IDARRAY_COPY(int32_t);
    case 8:
        IDARRAY_COPY(uint64_t);
    default:
        IDARRAY_COPY(int64_t);
    }
}

#endif
