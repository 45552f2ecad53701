// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Loads and stores of SIMD&FP registers (C4.1.96).  None has a valid syndrome, so none reaches a device.  A store writes
 * nothing before all of it is known to succeed, and a load changes no register before all of it was read.
 */
#include "simd.h"

/* @align: log2 of what SCTLR_EL1.A and Device memory ask for */
static enum arm64_leave copy(struct arm64_cpu *cpu, u64 va, u8 *buffer, u32 bytes, u32 align, u32 how)
{
	enum arm64_leave leave;
	u8 *host[2];
	u32 first, n;

	if (unlikely((va & ((1u << align) - 1)) && (cpu->sys.sctlr_el1 & ARM64_SCTLR_A)))
		return arm64_abort(cpu, va, how, ARM64_FSC_ALIGNMENT);
	leave = arm64_translate_both(cpu, va, bytes, 1u << align, how, host, &first);
	if (leave != ARM64_NEXT)
		return leave;
	/* 64-bit pieces, so that aligned elements are single-copy atomic (B2.2.1) */
	for (n = 0; n < bytes;) {
		u8 *p = n < first ? host[0] + n : host[1] + (n - first);
		u32 piece = 1;

		while (piece < 8 && n + 2 * piece <= bytes && !((unsigned long)p & (2 * piece - 1)))
			piece *= 2;
		if (how & ARM64_WRITE) {
			u64 v = 0;

			memcpy(&v, buffer + n, piece);
			env_guest_store(p, piece, v);
		} else {
			u64 v = env_guest_load(p, piece);

			memcpy(buffer + n, &v, piece);
		}
		n += piece;
	}
	return ARM64_NEXT;
}

/* @count registers of @bytes each, from @rt and @rt2 */
static enum arm64_leave transfer(struct arm64_cpu *cpu, u64 va, u32 log, u32 rt, u32 rt2, u32 count, bool load)
{
	union arm64_v v[2];
	u32 bytes = 1u << log;
	enum arm64_leave leave;
	u8 buffer[32];

	if (load) {
		leave = copy(cpu, va, buffer, count * bytes, log, 0);
		if (leave != ARM64_NEXT)
			return leave;
		memset(v, 0, sizeof(v));
		memcpy(&v[0], buffer, bytes);
		memcpy(&v[1], buffer + bytes, bytes);
		cpu->vr[rt] = v[0];
		if (count == 2)
			cpu->vr[rt2] = v[1];
		return ARM64_NEXT;
	}
	memcpy(buffer, &cpu->vr[rt], bytes);
	memcpy(buffer + bytes, &cpu->vr[rt2], bytes);
	return copy(cpu, va, buffer, count * bytes, log, ARM64_WRITE);
}

static enum arm64_leave pair(struct arm64_cpu *cpu, u32 w)
{
	u32 log = 2 + ARM64_BITS(w, 31, 30), kind = ARM64_BITS(w, 24, 23), rn = arm64_rn(w);
	u64 *base = &cpu->x[arm64_sp(rn)], offset = arm64_sext(ARM64_BITS(w, 21, 15), 7) << log;
	u64 va = kind == 1 ? *base : *base + offset, after = *base + offset;
	enum arm64_leave leave;

	if (arm64_sp_misaligned(cpu, rn))
		return ARM64_JUMP;
	leave = transfer(cpu, va, log, arm64_rd(w), ARM64_BITS(w, 14, 10), 2, ARM64_BIT(w, 22));
	if (leave == ARM64_NEXT && (kind & 1))
		*base = after;
	return leave;
}

static u32 single_log(u32 w)
{
	return ARM64_BIT(w, 23) ? 4 : ARM64_BITS(w, 31, 30);
}

static enum arm64_leave single(struct arm64_cpu *cpu, u32 w)
{
	u32 log = single_log(w), rn = arm64_rn(w), form = ARM64_BITS(w, 11, 10);
	u64 *base = &cpu->x[arm64_sp(rn)], va = *base, offset;
	enum arm64_leave leave;

	if (arm64_sp_misaligned(cpu, rn))
		return ARM64_JUMP;
	if (ARM64_BIT(w, 24)) {
		va += (u64)ARM64_BITS(w, 21, 10) << log;
		form = 0;
	} else if (ARM64_BIT(w, 21)) {
		offset = cpu->x[arm64_rm(w)];
		if (!ARM64_BIT(w, 13))
			offset = ARM64_BIT(w, 15) ? arm64_sext(offset, 32) : (u32)offset;
		va += ARM64_BIT(w, 12) ? offset << log : offset;
		form = 0;
	} else {
		offset = arm64_sext(ARM64_BITS(w, 20, 12), 9);
		if (form != 1)
			va += offset;
	}
	leave = transfer(cpu, va, log, arm64_rd(w), arm64_rd(w), 1, ARM64_BIT(w, 22));
	if (leave == ARM64_NEXT && form)
		*base = form == 1 ? va + offset : va;
	return leave;
}

/* LD1 to LD4 and ST1 to ST4: after the access the base moves by @bytes, or by a register other than 31. */
static void post_index(struct arm64_cpu *cpu, u32 w, u32 bytes)
{
	u32 rm = arm64_rm(w);

	if (ARM64_BIT(w, 23))
		cpu->x[arm64_sp(arm64_rn(w))] += rm == 31 ? bytes : cpu->x[rm];
}

/* Registers, and elements of one structure, by opcode; 0: unallocated */
static const u8 multiple_registers[16] = { [0] = 4, [2] = 4, [4] = 3, [6] = 3, [7] = 1, [8] = 2, [10] = 2 };
static const u8 multiple_structure[16] = { [0] = 4, [2] = 1, [4] = 3, [6] = 1, [7] = 1, [8] = 2, [10] = 1 };

static enum arm64_leave multiple(struct arm64_cpu *cpu, u32 w)
{
	u32 opcode = ARM64_BITS(w, 15, 12), size = ARM64_BITS(w, 11, 10), wide = ARM64_BIT(w, 30), rt = arm64_rd(w);
	u32 registers = multiple_registers[opcode], step = multiple_structure[opcode], vector = wide ? 16 : 8;
	u32 bytes = registers * vector, elements = vector >> size, r, e, at;
	u64 va = cpu->x[arm64_sp(arm64_rn(w))];
	bool load = ARM64_BIT(w, 22);
	enum arm64_leave leave;
	u8 buffer[64];

	if (arm64_sp_misaligned(cpu, arm64_rn(w)))
		return ARM64_JUMP;
	if (load) {
		leave = copy(cpu, va, buffer, bytes, size, 0);
		if (leave != ARM64_NEXT)
			return leave;
	}
	for (r = 0; r < registers; r++) {
		union arm64_v *v = &cpu->vr[(rt + r) & 31];

		if (step == 1) {
			/* no interleaving: registers as they are */
			if (load)
				memcpy(v, buffer + r * vector, vector);
			else
				memcpy(buffer + r * vector, v, vector);
		}
		for (e = 0; step > 1 && e < elements; e++) {
			at = (e * step + r) << size;
			if (load)
				memcpy(&v->b[e << size], buffer + at, 1u << size);
			else
				memcpy(buffer + at, &v->b[e << size], 1u << size);
		}
		if (load && !wide)
			v->d[1] = 0;
	}
	if (!load) {
		leave = copy(cpu, va, buffer, bytes, size, ARM64_WRITE);
		if (leave != ARM64_NEXT)
			return leave;
	}
	post_index(cpu, w, bytes);
	return ARM64_NEXT;
}

/* One element of each register, or one that fills the register (LD1R and its like); false: unallocated */
static bool lane(u32 w, u32 *size, u32 *index)
{
	u32 low = ARM64_BITS(w, 11, 10), s = ARM64_BIT(w, 12);

	*index = ARM64_BIT(w, 30) << 3 | s << 2 | low;
	*size = ARM64_BITS(w, 15, 14);
	switch (*size) {
	case 0:
		return true;
	case 1:
		*index >>= 1;
		return !(low & 1);
	case 2:
		if (low & 1) {
			*size = 3;
			*index >>= 3;
			return low == 1 && !s;
		}
		*index >>= 2;
		return !low;
	default:
		*size = low;
		return ARM64_BIT(w, 22) && !s;
	}
}

static enum arm64_leave one_structure(struct arm64_cpu *cpu, u32 w)
{
	u32 count = (ARM64_BIT(w, 13) << 1 | ARM64_BIT(w, 21)) + 1, rt = arm64_rd(w), size, index, r, e;
	u64 va = cpu->x[arm64_sp(arm64_rn(w))];
	bool load = ARM64_BIT(w, 22), replicate = ARM64_BITS(w, 15, 14) == 3;
	enum arm64_leave leave;
	u8 buffer[32];

	lane(w, &size, &index);
	if (arm64_sp_misaligned(cpu, arm64_rn(w)))
		return ARM64_JUMP;
	for (r = 0; !load && r < count; r++)
		memcpy(buffer + (r << size), &cpu->vr[(rt + r) & 31].b[index << size], 1u << size);
	leave = copy(cpu, va, buffer, count << size, size, load ? 0 : ARM64_WRITE);
	if (leave != ARM64_NEXT)
		return leave;
	for (r = 0; load && r < count; r++) {
		union arm64_v *v = &cpu->vr[(rt + r) & 31];

		if (!replicate) {
			memcpy(&v->b[index << size], buffer + (r << size), 1u << size);
			continue;
		}
		memset(v, 0, sizeof(*v));
		for (e = 0; e < (ARM64_BIT(w, 30) ? 16u : 8u) >> size; e++)
			memcpy(&v->b[e << size], buffer + (r << size), 1u << size);
	}
	post_index(cpu, w, count << size);
	return ARM64_NEXT;
}

static bool structures_allocated(u32 w)
{
	u32 size, index;

	if (ARM64_BIT(w, 31) || (!ARM64_BIT(w, 23) && ARM64_BITS(w, 20, 16)))
		return false;
	if (ARM64_BIT(w, 24))
		return (ARM64_BIT(w, 23) || !ARM64_BITS(w, 20, 16)) && lane(w, &size, &index);
	if (ARM64_BIT(w, 21) || !multiple_registers[ARM64_BITS(w, 15, 12)])
		return false;
	return ARM64_BITS(w, 11, 10) != 3 || ARM64_BIT(w, 30) || multiple_structure[ARM64_BITS(w, 15, 12)] == 1;
}

/* Which encodings with bit 26 set exist */
static bool allocated(u32 w)
{
	u32 opc = ARM64_BITS(w, 31, 30);

	switch (ARM64_BITS(w, 29, 27)) {
	case 1:
		return structures_allocated(w);
	case 3:
		return !ARM64_BIT(w, 24) && opc != 3;
	case 5:
		return opc != 3;
	case 7:
		if (ARM64_BIT(w, 23) && opc)
			return false;
		if (ARM64_BIT(w, 24))
			return true;
		if (ARM64_BIT(w, 21))
			return ARM64_BITS(w, 11, 10) == 2 && ARM64_BIT(w, 14);
		return ARM64_BITS(w, 11, 10) != 2;
	default:
		return false;
	}
}

enum arm64_leave arm64_vec_memory(struct arm64_cpu *cpu, u32 w)
{
	if (!allocated(w))
		return arm64_undefined(cpu);
	if (!arm64_fp_enabled(cpu))
		return arm64_fp_trap(cpu);
	switch (ARM64_BITS(w, 29, 27)) {
	case 1:
		return ARM64_BIT(w, 24) ? one_structure(cpu, w) : multiple(cpu, w);
	case 3:
		return transfer(cpu, cpu->pc + arm64_sext((u64)ARM64_BITS(w, 23, 5) << 2, 21), 2 + ARM64_BITS(w, 31, 30),
				arm64_rd(w), arm64_rd(w), 1, true);
	case 5:
		return pair(cpu, w);
	default:
		return single(cpu, w);
	}
}
