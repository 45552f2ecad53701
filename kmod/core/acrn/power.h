/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* PM_GET_CPU_STATE: the C- and P-states that a VMM puts into its guest's ACPI tables. */
#ifndef MV_ACRN_POWER_H
#define MV_ACRN_POWER_H

#include <linux/acrn.h>

#include "../env.h"

/* The command word: type, state number, vCPU, VM (drivers/virt/acrn/hsm.c and the hypervisor's pm handling). */
#define ACRN_PM_TYPE(word) ((u32)(word) & 0xff)
#define ACRN_PM_STATE(word) ((u32)((word) >> 8) & 0xff)
#define ACRN_PM_VCPU(word) ((u32)((word) >> 16) & 0xff)
#define ACRN_PM_VM(word) ((u32)((word) >> 24) & 0xff)

union acrn_pm_answer {
	u64 count;
	struct acrn_pstate_data px;
	struct acrn_cstate_data cx;
};

/* Bytes that the answer to a command of this type has; 0: the type is unknown, and nothing is asked. */
size_t acrn_pm_size(u32 type);
/* -EPERM: no such state.  P-states are numbered from 0, C-states from 1. */
int acrn_pm_ask(u64 word, union acrn_pm_answer *answer);

#endif
