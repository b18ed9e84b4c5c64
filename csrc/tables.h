/* tables.h - a model's tables, filled from drafts that have their symbols: merges, whole words,
 * specials, and from ids to bytes. */
#ifndef CTOK_TABLES_H
#define CTOK_TABLES_H

#include "draft.h"

ctok_status tables_fill(draft_model *f, ctok_error *err);

#endif
