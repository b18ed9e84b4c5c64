/* number.h - the symbols of drafts: which there are, in which order. Checks that nothing is there
 * twice. */
#ifndef CTOK_NUMBER_H
#define CTOK_NUMBER_H

#include "draft.h"

/* Fills the vocabulary but for what leads from ids to bytes. */
ctok_status number_tokens(draft_model *f, ctok_error *err);

#endif
