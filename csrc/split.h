/* split.h - splitters that the core brings: a compiled pattern, and none. */
#ifndef CTOK_SPLIT_H
#define CTOK_SPLIT_H

#include "base.h"

/* The splitter that yields a text as one piece. Needs no freeing. */
ctok_splitter split_none(void);

#endif
