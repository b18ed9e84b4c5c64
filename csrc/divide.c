/* divide.c - where a text may be divided among threads: no piece is cut, and no special. */
#include "base.h"
#include "model.h"

size_t ctok_encode_cut(const ctok_model *model, ctok_bytes text, size_t at)
{
    const ctok_splitter *splitter = &model->splitter;

    if (splitter->cut == NULL) {
        return 0;
    }
    for (;;) {
        at = splitter->cut(splitter->self, text, at);
        if (at == 0 || !special_covers(&model->specials, text, at)) {
            return at;
        }
        at--;
    }
}
