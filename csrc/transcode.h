/* transcode.h - UTF-8 from code units of 1 (Latin-1), 2 or 4 bytes: the plain way, which is the
 * truth, and with vectors. Knows nothing of tokens. */
#ifndef CTOK_TRANSCODE_H
#define CTOK_TRANSCODE_H

#include "base.h"

/* As ctok_utf8_from_units, with a count of surrogates in any case. */
typedef size_t (*transcode_function)(const void *units, size_t unit_size,
                                     size_t n_units, uint8_t *out,
                                     size_t *n_surrogates);

size_t transcode_plain(const void *units, size_t unit_size, size_t n_units,
                       uint8_t *out, size_t *n_surrogates);
size_t transcode_avx2(const void *units, size_t unit_size, size_t n_units, uint8_t *out,
                      size_t *n_surrogates);
size_t transcode_avx512(const void *units, size_t unit_size, size_t n_units,
                        uint8_t *out, size_t *n_surrogates);

/* One character from unit *i on, of units of 2 or 4 bytes; moves *i behind it, adds to
 * *n_surrogates. Returns the bytes written, at most 4. */
size_t transcode_character(const void *units, size_t unit_size, size_t n_units,
                           size_t *i, uint8_t *out, size_t *n_surrogates);

#endif
