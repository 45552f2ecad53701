// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Any instruction that has no operation of its own, or whose fast path missed: decoded again from its word (C4.1). */
#include "internal.h"

static enum arm64_leave slow_instruction(struct arm64_cpu *cpu, u32 w)
{
	switch (ARM64_BITS(w, 28, 25)) {
	case 10:
	case 11:
		return arm64_system(cpu, w);
	case 4:
	case 6:
	case 12:
	case 14:
		return arm64_memory(cpu, w);
	case 5:
	case 13:
		return arm64_integer(cpu, w);
	case 7:
	case 15:
		return arm64_vec(cpu, w);
	default:
		/* UDF, SVE, and unallocated encodings of data processing (immediate) */
		return arm64_undefined(cpu);
	}
}

enum arm64_leave arm64_slow(struct arm64_cpu *cpu, u32 w)
{
	enum arm64_leave leave = slow_instruction(cpu, w);

	/* the rest of the block was decoded for an aligned stack pointer */
	if (leave == ARM64_NEXT && unlikely(cpu->x[ARM64_SP] & 15) && !(cpu->hv.key & ARM64_KEY_SP_BAD)) {
		arm64_mode_update(cpu);
		cpu->pc += 4;
		return ARM64_JUMP;
	}
	return leave;
}
