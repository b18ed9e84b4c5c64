/* known.h - the patterns that the vector code of scan.h can do. */
#ifndef CTOK_KNOWN_H
#define CTOK_KNOWN_H

#include "machine.h"
#include "scan.h"

/* Finds the family of a pattern, recognised by what it compiles to; false for an unknown one. */
bool known_family(const machine *p, scan_family *family);

#endif
