// SPDX-License-Identifier: MIT
/* The system's header, in a translation unit of its own: both use the same names. */
#include <linux/ioctl.h>

#include "/usr/include/linux/acrn.h"

#include "uapi_acrn_names.h"

const struct named_value system_constants[] = { ACRN_CONSTANTS(NAMED_CONSTANT) { 0, 0 } };
const struct named_value system_structs[] = { ACRN_STRUCTS(NAMED_SIZE) { 0, 0 } };
