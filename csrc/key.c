#include "key.h"

#define F 0xFF

/* clang-format off */
const uint8_t key_masks[KEY_BYTES + 1][sizeof(key)] = {
    {0},
    {F},
    {F, F},
    {F, F, F},
    {F, F, F, F},
    {F, F, F, F, F},
    {F, F, F, F, F, F},
    {F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F, F, F, F, F, F, F},
    {F, F, F, F, F, F, F, F, F, F, F, F, F, F, F},
};
/* clang-format on */
