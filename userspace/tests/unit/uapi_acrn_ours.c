// SPDX-License-Identifier: MIT
/* Our header; and the proof at compile time, in C. */
#include <check.h>

#include "uapi_acrn_names.h"

const struct named_value our_constants[] = { ACRN_CONSTANTS(NAMED_CONSTANT) { 0, 0 } };
const struct named_value our_structs[] = { ACRN_STRUCTS(NAMED_SIZE) { 0, 0 } };
