/* known.h - the patterns that the vector code of scan.h can do. */
#ifndef CTOK_KNOWN_H
#define CTOK_KNOWN_H

#include "machine.h"
#include "scan.h"

/* The shape of a pattern, recognised by what it compiles to; NULL for an unknown one. */
const scan_shape *known_shape(const machine *p);

#endif
