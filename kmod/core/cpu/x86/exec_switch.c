// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The executor once more, with the kernel's dispatcher: for tests in userspace. */
#ifndef __KERNEL__
#define HV_DISPATCH_SWITCH 1
#define X86_STEP x86_step_switch
#include "exec.c"
#endif
