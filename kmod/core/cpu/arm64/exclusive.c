// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Exclusives, ordered accesses and atomics (B2.9, C3.2.6 ff.): all need natural alignment whatever SCTLR_EL1.A says.
 *
 * The exclusive monitor remembers address and value.  The store-exclusive is one host compare-and-swap against the value
 * that the load-exclusive read: it never overwrites a value that the program has not seen, on any number of vCPUs, and it
 * costs other vCPUs nothing.  What it does not give: memory that went from A to B and back to A in between is not noticed,
 * while hardware would fail the store.  Code that relies on that (a lock-free stack that trusts LDXR/STXR against ABA) must
 * be shown not to exist before anyone depends on it.
 */
#include "internal.h"

static u64 cas(u8 *p, u32 size, u64 old, u64 new_)
{
	switch (size) {
	case 1:
		return env_guest_cas8(p, (u8)old, (u8)new_);
	case 2:
		return env_guest_cas16(p, (u16)old, (u16)new_);
	case 4:
		return env_guest_cas32(p, (u32)old, (u32)new_);
	default:
		return env_guest_cas64(p, old, new_);
	}
}

/* Alignment, then the rights: atomics report the read's fault if the read faults. */
static enum arm64_leave reach(struct arm64_cpu *cpu, u64 va, u32 size, u32 how, u8 **host)
{
	enum arm64_leave leave;
	u64 gpa;

	if (va & (size - 1))
		return arm64_abort(cpu, va, how, ARM64_FSC_ALIGNMENT);
	leave = arm64_translate(cpu, va, how, host, &gpa);
	if (leave == ARM64_NEXT && !*host)
		return arm64_abort(cpu, va, how, ARM64_FSC_EXTERNAL);
	if (leave == ARM64_NEXT && arm64_watched(cpu, va, size, how))
		return ARM64_JUMP;
	return leave;
}

static enum arm64_leave reach_both(struct arm64_cpu *cpu, u64 va, u32 size, u8 **host)
{
	enum arm64_leave leave = reach(cpu, va, size, 0, host);

	return leave == ARM64_NEXT ? reach(cpu, va, size, ARM64_WRITE, host) : leave;
}

static enum arm64_leave load_exclusive(struct arm64_cpu *cpu, u32 w, u64 va, u32 size, bool pair)
{
	u32 total = pair ? 2 * size : size;
	struct arm64_monitor *m = &cpu->monitor;
	enum arm64_leave leave;
	u8 *host;

	leave = reach(cpu, va, total, 0, &host);
	if (leave != ARM64_NEXT)
		return leave;
	m->va = arm64_strip_tag(cpu, va);
	m->size = total;
	if (unlikely(cpu->stepping))
		cpu->stepped = 2;
	if (total == 8 && pair) {
		/* one access for both words: single-copy atomic as a whole */
		u64 both = env_guest_load(host, 8);

		m->value[0] = (u32)both;
		m->value[1] = both >> 32;
	} else {
		m->value[0] = env_guest_load(host, size);
		m->value[1] = pair ? env_guest_load(host + size, size) : 0;
	}
	if (ARM64_BIT(w, 15))
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	cpu->x[arm64_dst(ARM64_BITS(w, 4, 0))] = m->value[0];
	if (pair)
		cpu->x[arm64_dst(ARM64_BITS(w, 14, 10))] = m->value[1];
	return ARM64_NEXT;
}

static enum arm64_leave store_exclusive(struct arm64_cpu *cpu, u32 w, u64 va, u32 size, bool pair)
{
	u32 total = pair ? 2 * size : size;
	struct arm64_monitor *m = &cpu->monitor;
	u64 v1 = cpu->x[ARM64_BITS(w, 4, 0)], v2 = cpu->x[ARM64_BITS(w, 14, 10)], old;
	enum arm64_leave leave;
	bool done = false;
	u8 *host;

	/* faults come before the status, also when the monitor is open: allowed (B2.9.2) and what most cores do */
	leave = reach(cpu, va, total, ARM64_WRITE, &host);
	if (leave != ARM64_NEXT)
		return leave;
	if (m->size == total && m->va == arm64_strip_tag(cpu, va)) {
		if (total == 16) {
			u64 seen[2];

			seen[0] = m->value[0];
			seen[1] = m->value[1];
			done = env_guest_cas128(host, seen, v1, v2);
		} else {
			old = m->value[0];
			if (pair) {
				old |= m->value[1] << 32;
				v1 = (u32)v1 | v2 << 32;
			}
			done = cas(host, total, old, v1) == old;
		}
	}
	m->size = 0;
	cpu->x[arm64_dst(ARM64_BITS(w, 20, 16))] = !done;
	return ARM64_NEXT;
}

static enum arm64_leave ordered(struct arm64_cpu *cpu, u32 w, u64 va, u32 size)
{
	u32 rt = ARM64_BITS(w, 4, 0);
	enum arm64_leave leave;
	u8 *host;

	if (ARM64_BIT(w, 22)) {
		leave = reach(cpu, va, size, 0, &host);
		if (leave != ARM64_NEXT)
			return leave;
		cpu->x[arm64_dst(rt)] = env_guest_load(host, size);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return ARM64_NEXT;
	}
	leave = reach(cpu, va, size, ARM64_WRITE, &host);
	if (leave != ARM64_NEXT)
		return leave;
	/* STLR then LDAR stay in order (B2.3): a release store alone would not do that on every host */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	env_guest_store(host, size, cpu->x[rt]);
	env_fence();
	return ARM64_NEXT;
}

static enum arm64_leave compare_swap(struct arm64_cpu *cpu, u32 w, u64 va, u32 size)
{
	u32 rs = ARM64_BITS(w, 20, 16), rt = ARM64_BITS(w, 4, 0);
	u64 old = cpu->x[rs] & (size == 8 ? ~0ull : (1ull << (size * 8)) - 1);
	enum arm64_leave leave;
	u8 *host;

	leave = reach_both(cpu, va, size, &host);
	if (leave == ARM64_NEXT)
		cpu->x[arm64_dst(rs)] = cas(host, size, old, cpu->x[rt]);
	return leave;
}

static enum arm64_leave compare_swap_pair(struct arm64_cpu *cpu, u32 w, u64 va)
{
	u32 rs = ARM64_BITS(w, 20, 16), rt = ARM64_BITS(w, 4, 0), size = ARM64_BIT(w, 30) ? 8 : 4;
	enum arm64_leave leave;
	u64 seen[2];
	u8 *host;

	if ((rs | rt) & 1)
		return arm64_undefined(cpu);
	leave = reach_both(cpu, va, 2 * size, &host);
	if (leave != ARM64_NEXT)
		return leave;
	if (size == 4) {
		u64 old = (u32)cpu->x[rs] | cpu->x[rs + 1] << 32;

		old = cas(host, 8, old, (u32)cpu->x[rt] | cpu->x[rt + 1] << 32);
		seen[0] = (u32)old;
		seen[1] = old >> 32;
	} else {
		seen[0] = cpu->x[rs];
		seen[1] = cpu->x[rs + 1];
		env_guest_cas128(host, seen, cpu->x[rt], cpu->x[rt + 1]);
	}
	cpu->x[rs] = seen[0];
	cpu->x[arm64_dst(rs + 1)] = seen[1];
	return ARM64_NEXT;
}

enum arm64_leave arm64_exclusive(struct arm64_cpu *cpu, u32 w)
{
	u32 size = 1u << ARM64_BITS(w, 31, 30), rn = ARM64_BITS(w, 9, 5);
	bool o2 = ARM64_BIT(w, 23), load = ARM64_BIT(w, 22), o1 = ARM64_BIT(w, 21), o0 = ARM64_BIT(w, 15);
	u64 va = cpu->x[arm64_sp(rn)];
	bool pair = !o2 && o1;

	if (o1 && (o2 || size < 4) && ARM64_BITS(w, 14, 10) != 31)
		return arm64_undefined(cpu);
	if (o2 && !o1 && !o0)
		return arm64_undefined(cpu);	/* limited ordering regions */
	if (arm64_sp_misaligned(cpu, rn))
		return ARM64_JUMP;
	if (o2)
		return o1 ? compare_swap(cpu, w, va, size) : ordered(cpu, w, va, size);
	if (pair && size < 4)
		return compare_swap_pair(cpu, w, va);
	return load ? load_exclusive(cpu, w, va, size, pair) : store_exclusive(cpu, w, va, size, pair);
}

static u64 combine(u32 opc, u32 size, u64 a, u64 b)
{
	u32 bits = size * 8;
	s64 sa = (s64)arm64_sext(a, bits), sb = (s64)arm64_sext(b, bits);

	switch (opc) {
	case 0:
		return a + b;
	case 1:
		return a & ~b;
	case 2:
		return a ^ b;
	case 3:
		return a | b;
	case 4:
		return sa > sb ? a : b;
	case 5:
		return sa < sb ? a : b;
	case 6:
		return a > b ? a : b;
	default:
		return a < b ? a : b;
	}
}

/* LDADD and its like, SWP (C3.2.12). */
enum arm64_leave arm64_atomic(struct arm64_cpu *cpu, u32 w)
{
	u32 size = 1u << ARM64_BITS(w, 31, 30), rn = ARM64_BITS(w, 9, 5), opc = ARM64_BITS(w, 14, 12);
	u64 mask = size == 8 ? ~0ull : (1ull << (size * 8)) - 1, b = cpu->x[ARM64_BITS(w, 20, 16)] & mask, old, seen;
	bool swap = ARM64_BIT(w, 15);
	enum arm64_leave leave;
	u8 *host;

	if (swap && opc)
		return arm64_undefined(cpu);
	if (arm64_sp_misaligned(cpu, rn))
		return ARM64_JUMP;
	leave = reach_both(cpu, cpu->x[arm64_sp(rn)], size, &host);
	if (leave != ARM64_NEXT)
		return leave;
	seen = env_guest_load(host, size);
	do {
		old = seen;
		seen = cas(host, size, old, swap ? b : combine(opc, size, old, b) & mask);
	} while (seen != old);
	cpu->x[arm64_dst(ARM64_BITS(w, 4, 0))] = old;
	return ARM64_NEXT;
}
