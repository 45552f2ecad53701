// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The executor as the kernel build has it, for tests in userspace: arm64_step_switch(). */
#ifndef __KERNEL__
#define HV_DISPATCH_SWITCH 1
#define arm64_step arm64_step_switch
#include "exec.c"
#endif
