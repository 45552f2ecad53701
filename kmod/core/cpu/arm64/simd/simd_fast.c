// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the C library's string functions execute most, on all elements of 64 bits at once instead of one by one: no vector
 * unit is needed for it.  What is not here goes the general way in simd.c; results are the same.
 *
 * "Lanes" are elements of 1 << size bytes in 64 bits; a "pair" of them is a lane of the next size.
 */
#include "simd.h"

/* Lowest bit of each lane */
static const u64 ones[4] = { 0x0101010101010101ull, 0x0001000100010001ull, 0x0000000100000001ull, 1 };
/* The lower lane of each pair */
static const u64 evens[3] = { 0x00ff00ff00ff00ffull, 0x0000ffff0000ffffull, 0x00000000ffffffffull };

static __always_inline u64 tops(u32 size)
{
	return ones[size] << ((8u << size) - 1);
}

/* All ones where the lane is zero */
static __always_inline u64 zero_lanes(u64 x, u32 size)
{
	u64 top = tops(size), zero = ~(((x & ~top) + ~top) | x) & top;

	return (zero << 1) - (zero >> ((8u << size) - 1));
}

static __always_inline u64 add_lanes(u64 a, u64 b, u32 size)
{
	u64 top = tops(size);

	return ((a & ~top) + (b & ~top)) ^ ((a ^ b) & top);
}

static __always_inline u64 sub_lanes(u64 a, u64 b, u32 size)
{
	u64 top = tops(size);

	return ((a | top) - (b & ~top)) ^ ((a ^ ~b) & top);
}

/* The lower lanes of the pairs, side by side in 32 bits; the upper ones are zero */
static __always_inline u64 gather(u64 x, u32 size)
{
	if (size == 0)
		x = (x | x >> 8) & evens[1];
	if (size <= 1)
		x = (x | x >> 16) & evens[2];
	return x;
}

/* One result from each pair: ADDP, UMAXP, UMINP */
static __always_inline u64 join(u32 fn, u64 x, u32 size)
{
	u32 bits = 8u << size;
	u64 even = x & evens[size], odd = (x >> bits) & evens[size], carry, mask;

	if (fn == ARM64_V_ADDP)
		return gather((even + odd) & evens[size], size);
	/* the bit above the lane stays where even >= odd */
	carry = ones[size + 1] << bits;
	mask = ((even | carry) - odd) & carry;
	mask -= mask >> bits;
	if (fn == ARM64_V_UMINP)
		mask = ~mask;
	return gather((even & mask) | (odd & ~mask & evens[size]), size);
}

static bool pairs(struct arm64_cpu *cpu, u32 fn, u32 w)
{
	const union arm64_v *n = &cpu->vr[arm64_rn(w)], *m = &cpu->vr[arm64_rm(w)];
	u32 size = ARM64_BITS(w, 23, 22);
	union arm64_v r;

	if (size == 3)
		return false;
	r.d[0] = join(fn, n->d[0], size);
	if (ARM64_BIT(w, 30)) {
		r.d[0] |= join(fn, n->d[1], size) << 32;
		r.d[1] = join(fn, m->d[0], size) | join(fn, m->d[1], size) << 32;
	} else {
		r.d[0] |= join(fn, m->d[0], size) << 32;
		r.d[1] = 0;
	}
	cpu->vr[arm64_rd(w)] = r;
	return true;
}

/* SHRN: the immediate counts down from the element's bits */
static void shift_right_narrow(struct arm64_cpu *cpu, u32 w)
{
	u32 size = 31u - (u32)__builtin_clz(ARM64_BITS(w, 22, 19)), by = (16u << size) - ARM64_BITS(w, 22, 16);
	const union arm64_v *n = &cpu->vr[arm64_rn(w)];
	union arm64_v *d = &cpu->vr[arm64_rd(w)];
	u64 low = gather((n->d[0] >> by) & evens[size], size), high = gather((n->d[1] >> by) & evens[size], size);

	if (ARM64_BIT(w, 30)) {
		d->d[1] = low | high << 32;
	} else {
		d->d[0] = low | high << 32;
		d->d[1] = 0;
	}
}

static __always_inline u64 lanes(u32 row, u64 a, u64 b, u32 size)
{
	switch (row) {
	case ARM64_V_CMEQ:
		return zero_lanes(a ^ b, size);
	case ARM64_V_CMEQ_0:
		return zero_lanes(a, size);
	case ARM64_V_ADD:
		return add_lanes(a, b, size);
	default:
		return sub_lanes(a, b, size);
	}
}

static void by_lanes(struct arm64_cpu *cpu, u32 row, u32 w)
{
	const union arm64_v *n = &cpu->vr[arm64_rn(w)], *m = &cpu->vr[arm64_rm(w)];
	union arm64_v *d = &cpu->vr[arm64_rd(w)];
	/* scalar: 64 bits, the only size it has */
	u32 size = ARM64_BITS(w, 23, 22);
	u64 high = ARM64_BIT(w, 30) && !ARM64_BIT(w, 28) ? lanes(row, n->d[1], m->d[1], size) : 0;

	d->d[0] = lanes(row, n->d[0], m->d[0], size);
	d->d[1] = high;
}

bool arm64_vec_fast(struct arm64_cpu *cpu, u32 row, u32 w)
{
	switch (row) {
	case ARM64_V_CMEQ:
	case ARM64_V_CMEQ_0:
	case ARM64_V_ADD:
	case ARM64_V_SUB:
		by_lanes(cpu, row, w);
		return true;
	case ARM64_V_UMAXP:
	case ARM64_V_UMINP:
	case ARM64_V_ADDP:
		return pairs(cpu, row, w);
	case ARM64_V_SHRN:
		shift_right_narrow(cpu, w);
		return true;
	case ARM64_V_FMOV_DX:
		if (ARM64_BIT(w, 16)) {
			cpu->vr[arm64_rd(w)].d[0] = cpu->x[arm64_rn(w)];
			cpu->vr[arm64_rd(w)].d[1] = 0;
		} else {
			cpu->x[arm64_dst(arm64_rd(w))] = cpu->vr[arm64_rn(w)].d[0];
		}
		return true;
	default:
		return false;
	}
}
