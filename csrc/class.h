/* class.h - the syntax of one class of a pattern, in tiktoken's dialect (fancy-regex on top
 * of Rust's regex): brackets with && -- ~~, properties, escapes. Knows no other syntax;
 * sets are cpset.h's. The entry is ctok_class_parse of the public header.
 *
 * Published limits: brackets nest CLASS_MAX_DEPTH deep, names of properties have at most
 * CLASS_MAX_NAME bytes. */
#ifndef CTOK_CLASS_H
#define CTOK_CLASS_H

#include "cpset.h"

/* As deep as the reference goes. */
#define CLASS_MAX_DEPTH 250

/* The longest name has 29 bytes, but blanks and underscores in it do not count. */
#define CLASS_MAX_NAME 64

#endif
