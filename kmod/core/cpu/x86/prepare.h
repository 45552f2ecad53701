/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef MV_X86_PREPARE_H
#define MV_X86_PREPARE_H

#include "internal.h"

/* Choose the block at cpu->rip, to be found in cpu->block; anything but HV_EXIT_NONE leaves step(). */
enum hv_exit_kind x86_prepare(struct x86_cpu *cpu, u64 left);

/* The general path ended a block with @e at instruction @i: set RIP, deliver an exception. */
enum hv_exit_kind x86_leave_block(struct x86_cpu *cpu, struct x86_insn *i, enum x86_leave e);

#endif
