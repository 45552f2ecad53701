// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Loads and stores, the slow and complete way: TLB misses, page crossings, devices, and the forms without an operation of
 * their own.  An access that faults or leaves has changed nothing.
 */
#include "internal.h"

bool arm64_sp_misaligned(struct arm64_cpu *cpu, u32 rn)
{
	u64 check = cpu->el ? ARM64_SCTLR_SA : ARM64_SCTLR_SA0;

	if (rn != 31 || !(cpu->x[ARM64_SP] & 15) || !(cpu->sys.sctlr_el1 & check))
		return false;
	arm64_raise(cpu, ARM64_EC_SP, 0);
	return true;
}

/*
 * No memory behind @gpa.  A plain load or store of one register below device_limit is the VMM's; everything else is a
 * synchronous external abort (Gunyah: hyp/vm vcpu_run, VMMIO needs a valid syndrome).
 */
static enum arm64_leave device(struct arm64_cpu *cpu, u64 va, u64 gpa, u32 size, u32 how, u64 *v)
{
	u8 direction = how & ARM64_WRITE ? HV_WRITE : HV_READ;

	if (!(how & ARM64_SIMPLE) || gpa >= cpu->device_limit)
		return arm64_abort(cpu, va, how, ARM64_FSC_EXTERNAL);
	if (!hv_cpu_device(&cpu->hv, HV_SPACE_MMIO, gpa, (u8)size, direction, v)) {
		cpu->abort_va = va;
		cpu->stop = HV_EXIT_ACCESS;
		return ARM64_STOP;
	}
	hv_cpu_replay_clear(&cpu->hv);
	return ARM64_NEXT;
}

/* @wanted: nonzero if @va must be a multiple of @size; true: it is not, and the exception was taken */
static bool misaligned(struct arm64_cpu *cpu, u64 va, u32 size, u32 how, u64 wanted)
{
	if (likely(!(va & (size - 1))) || !wanted)
		return false;
	arm64_abort(cpu, va, how, ARM64_FSC_ALIGNMENT);
	return true;
}

/* SCTLR_EL1.A, before all else */
static bool unaligned(struct arm64_cpu *cpu, u64 va, u32 size, u32 how)
{
	return misaligned(cpu, va, size, how, cpu->sys.sctlr_el1 & ARM64_SCTLR_A);
}

/* Device memory wants aligned accesses (B2.7.2), which comes after the rights. */
static bool misplaced(struct arm64_cpu *cpu, u64 va, u32 size, u32 how)
{
	return misaligned(cpu, va, size, how, cpu->walk_device);
}

enum arm64_leave arm64_translate_both(struct arm64_cpu *cpu, u64 va, u32 size, u32 align, u32 how, u8 **host, u32 *first)
{
	u64 second = (va | ~HV_PAGE_MASK) + 1, gpa;
	enum arm64_leave leave;
	bool crosses;

	*first = (u32)(second - va);
	crosses = *first < size;
	leave = arm64_translate(cpu, va, how, &host[0], &gpa);
	if (leave == ARM64_NEXT && crosses) {
		u8 device = cpu->walk_device;

		leave = arm64_translate(cpu, second, how, &host[1], &gpa);
		cpu->walk_device |= device;
	}
	if (leave != ARM64_NEXT)
		return leave;
	if (misplaced(cpu, va, align, how))
		return ARM64_JUMP;
	if (!host[0])
		return arm64_abort(cpu, va, how, ARM64_FSC_EXTERNAL);
	if (crosses && !host[1])
		return arm64_abort(cpu, second, how, ARM64_FSC_EXTERNAL);
	return arm64_watched(cpu, va, size, how) ? ARM64_JUMP : ARM64_NEXT;
}

enum arm64_leave arm64_load(struct arm64_cpu *cpu, u64 va, u32 size, u32 how, u64 *v)
{
	enum arm64_leave leave;
	u8 *host[2], buffer[8];
	u32 first, n;
	u64 gpa;

	if (unlikely(unaligned(cpu, va, size, how)))
		return ARM64_JUMP;
	if (likely((va & ~HV_PAGE_MASK) + size <= HV_PAGE_SIZE)) {
		leave = arm64_translate(cpu, va, how, &host[0], &gpa);
		if (unlikely(leave != ARM64_NEXT))
			return leave;
		if (misplaced(cpu, va, size, how) || arm64_watched(cpu, va, size, how))
			return ARM64_JUMP;
		if (unlikely(!host[0]))
			return device(cpu, va, gpa, size, how, v);
		*v = env_guest_load(host[0], size);
		return ARM64_NEXT;
	}
	leave = arm64_translate_both(cpu, va, size, size, how, host, &first);
	if (leave != ARM64_NEXT)
		return leave;
	memset(buffer, 0, sizeof(buffer));
	for (n = 0; n < size; n++)
		buffer[n] = env_guest_ld8(n < first ? host[0] + n : host[1] + n - first);
	*v = env_guest_ld64(buffer);
	return ARM64_NEXT;
}

enum arm64_leave arm64_store(struct arm64_cpu *cpu, u64 va, u32 size, u32 how, u64 v)
{
	enum arm64_leave leave;
	u8 *host[2];
	u32 first, n;
	u64 gpa;

	how |= ARM64_WRITE;
	if (unlikely(unaligned(cpu, va, size, how)))
		return ARM64_JUMP;
	if (likely((va & ~HV_PAGE_MASK) + size <= HV_PAGE_SIZE)) {
		leave = arm64_translate(cpu, va, how, &host[0], &gpa);
		if (unlikely(leave != ARM64_NEXT))
			return leave;
		if (misplaced(cpu, va, size, how) || arm64_watched(cpu, va, size, how))
			return ARM64_JUMP;
		if (unlikely(!host[0]))
			return device(cpu, va, gpa, size, how, &v);
		env_guest_store(host[0], size, v);
		return ARM64_NEXT;
	}
	leave = arm64_translate_both(cpu, va, size, size, how, host, &first);
	if (leave != ARM64_NEXT)
		return leave;
	for (n = 0; n < size; n++, v >>= 8)
		env_guest_st8(n < first ? host[0] + n : host[1] + n - first, (u8)v);
	return ARM64_NEXT;
}

/* One register: opc 0 stores, 1 loads, 2 loads with sign to 64 bits, 3 with sign to 32 bits. */
static enum arm64_leave single(struct arm64_cpu *cpu, u32 w, u64 va, u32 how)
{
	u32 size = 1u << ARM64_BITS(w, 31, 30), opc = ARM64_BITS(w, 23, 22), rt = ARM64_BITS(w, 4, 0);
	enum arm64_leave leave;
	u64 v;

	if (!opc)
		return arm64_store(cpu, va, size, how, cpu->x[rt]);
	leave = arm64_load(cpu, va, size, how, &v);
	if (leave != ARM64_NEXT)
		return leave;
	if (opc >= 2)
		v = arm64_sext(v, size * 8);
	cpu->x[arm64_dst(rt)] = opc == 3 ? (u32)v : v;
	return ARM64_NEXT;
}

static enum arm64_leave literal(struct arm64_cpu *cpu, u32 w)
{
	u32 opc = ARM64_BITS(w, 31, 30);
	u64 va = cpu->pc + arm64_sext((u64)ARM64_BITS(w, 23, 5) << 2, 21), v;
	enum arm64_leave leave;

	if (opc == 3)
		return ARM64_NEXT;	/* PRFM */
	leave = arm64_load(cpu, va, opc == 1 ? 8 : 4, ARM64_SIMPLE, &v);
	if (leave == ARM64_NEXT)
		cpu->x[arm64_dst(ARM64_BITS(w, 4, 0))] = opc == 2 ? arm64_sext(v, 32) : v;
	return leave;
}

static enum arm64_leave store_pair(struct arm64_cpu *cpu, u64 va, u32 size, u64 v1, u64 v2)
{
	enum arm64_leave leave;
	u8 *host[2];
	u32 first;

	/* both parts must be known to succeed before one is stored */
	if (unaligned(cpu, va, size, ARM64_WRITE))
		return ARM64_JUMP;
	leave = arm64_translate_both(cpu, va, 2 * size, size, ARM64_WRITE, host, &first);
	if (leave != ARM64_NEXT)
		return leave;
	leave = arm64_store(cpu, va, size, 0, v1);
	return leave == ARM64_NEXT ? arm64_store(cpu, va + size, size, 0, v2) : leave;
}

static enum arm64_leave pair(struct arm64_cpu *cpu, u32 w)
{
	u32 opc = ARM64_BITS(w, 31, 30), kind = ARM64_BITS(w, 24, 23), size = opc & 2 ? 8 : 4;
	u32 rt = ARM64_BITS(w, 4, 0), rt2 = ARM64_BITS(w, 14, 10), rn = ARM64_BITS(w, 9, 5);
	u64 offset = arm64_sext(ARM64_BITS(w, 21, 15), 7) * size;
	u64 *base = &cpu->x[arm64_sp(rn)], va, v1, v2;
	bool load = ARM64_BIT(w, 22);
	enum arm64_leave leave;

	if (opc == 3 || (opc == 1 && (!load || !kind)))
		return arm64_undefined(cpu);
	if (arm64_sp_misaligned(cpu, rn))
		return ARM64_JUMP;
	va = kind == 1 ? *base : *base + offset;
	if (!load) {
		leave = store_pair(cpu, va, size, cpu->x[rt], cpu->x[rt2]);
	} else {
		leave = arm64_load(cpu, va, size, 0, &v1);
		if (leave == ARM64_NEXT)
			leave = arm64_load(cpu, va + size, size, 0, &v2);
	}
	if (leave != ARM64_NEXT)
		return leave;
	if (kind & 1)
		*base = kind == 1 ? va + offset : va;
	if (load) {
		cpu->x[arm64_dst(rt)] = opc == 1 ? arm64_sext(v1, 32) : v1;
		cpu->x[arm64_dst(rt2)] = opc == 1 ? arm64_sext(v2, 32) : v2;
	}
	return ARM64_NEXT;
}

static u64 register_offset(struct arm64_cpu *cpu, u32 w)
{
	u64 v = cpu->x[ARM64_BITS(w, 20, 16)];

	switch (ARM64_BITS(w, 15, 13)) {
	case 2:
		v = (u32)v;
		break;
	case 6:
		v = arm64_sext(v, 32);
		break;
	default:
		break;
	}
	return ARM64_BIT(w, 12) ? v << ARM64_BITS(w, 31, 30) : v;
}

/* Single register, all addressing modes (C4.1.96). */
static enum arm64_leave one_register(struct arm64_cpu *cpu, u32 w)
{
	u32 size = ARM64_BITS(w, 31, 30), opc = ARM64_BITS(w, 23, 22), rn = ARM64_BITS(w, 9, 5), form = ARM64_BITS(w, 11, 10);
	bool prefetch = size == 3 && opc == 2, unscaled = !ARM64_BIT(w, 24) && !ARM64_BIT(w, 21);
	u64 *base = &cpu->x[arm64_sp(rn)], va, offset;
	enum arm64_leave leave;

	if (!ARM64_BIT(w, 24) && ARM64_BIT(w, 21)) {
		if (form == 0)
			return arm64_atomic(cpu, w);
		/* 01 and 11: pointer authentication; option<1> clear: byte and halfword offsets do not exist */
		if (form != 2 || !ARM64_BIT(w, 14))
			return arm64_undefined(cpu);
	}
	if ((opc == 3 && size >= 2) || (prefetch && unscaled && form))
		return arm64_undefined(cpu);
	if (prefetch)
		return ARM64_NEXT;
	if (arm64_sp_misaligned(cpu, rn))
		return ARM64_JUMP;
	if (ARM64_BIT(w, 24))
		return single(cpu, w, *base + ((u64)ARM64_BITS(w, 21, 10) << size), ARM64_SIMPLE);
	if (!unscaled)
		return single(cpu, w, *base + register_offset(cpu, w), ARM64_SIMPLE);
	offset = arm64_sext(ARM64_BITS(w, 20, 12), 9);
	switch (form) {
	case 0:
		return single(cpu, w, *base + offset, ARM64_SIMPLE);
	case 2:
		return single(cpu, w, *base + offset, ARM64_USER);
	default:
		va = form == 1 ? *base : *base + offset;
		leave = single(cpu, w, va, 0);
		if (leave == ARM64_NEXT && !(rn != 31 && opc && rn == ARM64_BITS(w, 4, 0)))
			*base = form == 1 ? va + offset : va;
		return leave;
	}
}

enum arm64_leave arm64_memory(struct arm64_cpu *cpu, u32 w)
{
	u32 group = ARM64_BITS(w, 29, 27);

	if (ARM64_BIT(w, 26))
		return arm64_vec_memory(cpu, w);
	if (group == 1 && !ARM64_BIT(w, 24))
		return arm64_exclusive(cpu, w);
	if (group == 3 && !ARM64_BIT(w, 24))
		return literal(cpu, w);
	if (group == 5)
		return pair(cpu, w);
	if (group == 7)
		return one_register(cpu, w);
	return arm64_undefined(cpu);
}
