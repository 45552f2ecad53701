// SPDX-License-Identifier: MIT
// crosvm.h is the ABI, in C.
#include <crosvm_check.h>
