/* split.h - splitters that the core brings: a compiled pattern, and none. */
#ifndef CTOK_SPLIT_H
#define CTOK_SPLIT_H

#include "section.h"

/* The splitter that yields a text as one piece. Needs no freeing. */
ctok_splitter split_none(void);

/* Splitters in images: those of this file are in them, of any other only that there was one. */
void split_write(const ctok_splitter *splitter, sections *s);

/* CTOK_E_UNSUPPORTED for any other; CTOK_E_IMAGE when the tables are not sound. */
ctok_status split_read(ctok_splitter *out, sections *s, ctok_cpu cpu,
                       const ctok_allocator *alloc, ctok_error *err);

#endif
