/* class.h - the syntax of one class of a pattern, in tiktoken's dialect (fancy-regex on top
 * of Rust's regex): brackets with && -- ~~, of what class_item.h reads. Knows no other syntax;
 * sets are cpset.h's. The entry is ctok_class_parse of the public header.
 *
 * Published limits: brackets nest CLASS_MAX_DEPTH deep, names of properties have at most
 * CLASS_MAX_NAME bytes. */
#ifndef CTOK_CLASS_H
#define CTOK_CLASS_H

#include "class_names.h"

/* As deep as the reference goes. */
#define CLASS_MAX_DEPTH 250

#endif
