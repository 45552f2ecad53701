// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Debug registers (3B chapter 17): access to them, and what matches. */
#include "internal.h"

#define DR6_BD 0x2000u
#define DR7_GD 0x2000u

bool x86_debug_match(struct x86_cpu *cpu, u64 at, u32 size, u32 kind)
{
	u64 dr7 = cpu->dr[7], start;
	u32 n, type, len, hit = 0;

	for (n = 0; n < 4; n++) {
		if (!(dr7 >> (n * 2) & 3))
			continue;
		type = (dr7 >> (16 + n * 4)) & 3;
		len = (dr7 >> (18 + n * 4)) & 3;
		len = len == 2 ? 8 : len + 1;
		/* reads match type 3 alone, writes 1 and 3; ports need CR4.DE */
		if (kind == 1 ? !(type & 1) : type != kind)
			continue;
		if (kind == 2 && !(cpu->cr4 & CR4_DE))
			continue;
		start = cpu->dr[n] & ~(u64)(len - 1);
		if (kind == 0 ? at == cpu->dr[n] : at < start + len && at + size > start)
			hit |= 1u << n;
	}
	cpu->debug_hit |= (u16)hit;
	return hit;
}

/* MOV to and from DRn; to: the caller goes on with the next block. */
enum x86_leave x86_move_debug(struct x86_cpu *cpu, struct x86_insn *i)
{
	u32 n = i->sub;
	u64 v;

	if (n > 7)
		return x86_raise(cpu, X86_UD);
	if (n == 4 || n == 5) {
		if (cpu->cr4 & CR4_DE)
			return x86_raise(cpu, X86_UD);
		n += 2;
	}
	if (cpu->cpl)
		return x86_raise_error(cpu, X86_GP, 0);
	if (cpu->dr[7] & DR7_GD) {
		cpu->dr[6] |= DR6_BD;
		return x86_raise(cpu, X86_DB);
	}
	if (i->sem == X86_SEM_MOV_DR_FROM) {
		x86_reg_put(cpu, i->rm, i->size, cpu->dr[n]);
		return X86_NEXT;
	}
	v = x86_reg_get(cpu, i->rm, i->size);
	if (n >= 6 && v >> 32)
		return x86_raise_error(cpu, X86_GP, 0);
	if (n == 6)
		v = (v & 0xe00f) | 0xffff0ff0;
	if (n == 7)
		v = (v & 0xffff2fff) | 0x400;
	cpu->dr[n] = v;
	x86_mode_update(cpu);
	return X86_NEXT;
}
