/* class_names.h - sets of characters by the names that a pattern has for them: \d, \p{graph},
 * \p{Script=Greek}. */
#ifndef CTOK_CLASS_NAMES_H
#define CTOK_CLASS_NAMES_H

#include "cpset.h"

/* The longest name has 29 bytes, but blanks and underscores in it do not count. */
#define CLASS_MAX_NAME 64

/* Adds \s \d \w \h, by their small letter. */
ctok_status class_names_letter(ctok_class *set, uint8_t letter, ctok_error *err);

/* Adds what one of the names stands for that the reference borrows from POSIX, spelt exactly like
 * this, in any case. graph and print are complements: *invert is set. *known is false for other
 * names. */
ctok_status class_names_borrowed(ctok_class *set, const char *name, bool *known,
                                 bool *invert, ctok_error *err);

/* Adds the set of the text between the braces of \p{..}, without the leading '^'; *invert is
 * flipped by "!=". start is the place of errors. */
ctok_status class_names_property(ctok_class *set, const char *text, size_t start,
                                 bool *invert, ctok_error *err);

#endif
