/* cut.h - places where a text may be cut in two, each half being split on its own, without a
 * piece becoming another. Knows the families of scan.h, not how they are scanned. */
#ifndef CTOK_CUT_H
#define CTOK_CUT_H

#include "scan.h"

/* The last such place that is not after at and has characters on both sides; 0 when there is
 * none. Whether a place will do is decided by the two characters around it. */
size_t cut_before(const scan_classes *classes, scan_family family, ctok_bytes text,
                  size_t at);

#endif
