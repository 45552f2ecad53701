// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * PAUSE says that a loop waits for somebody (volume 2B, PAUSE).  After some in a row step() is left, so that this somebody gets
 * the processor if he has none: a lock is often free before.
 */
#include "internal.h"

#define IN_A_ROW 256u	/* instructions: a loop that waits is shorter */
#define PATIENCE 16u	/* PAUSEs, before the first time */
#define AGAIN 8u	/* and before each other */
#define SLEEP_NS 50000u

u64 x86_pause_ns(const struct x86_cpu *cpu, u32 polite)
{
	return cpu->gave_way <= polite ? 0 : SLEEP_NS;
}

enum x86_leave x86_pause(struct x86_cpu *cpu, struct x86_insn *i)
{
	if (cpu->hv.retired - cpu->paused_at > IN_A_ROW) {
		cpu->pauses = 0;
		cpu->gave_way = 0;
	}
	cpu->paused_at = cpu->hv.retired;
	if (++cpu->pauses < PATIENCE)
		return X86_NEXT;
	cpu->pauses = PATIENCE - AGAIN;
	if (cpu->gave_way < 255)
		cpu->gave_way++;
	cpu->gives_way = 1;
	cpu->rip = x86_next_rip(cpu, i);
	return X86_JUMP;
}
