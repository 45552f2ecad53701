// SPDX-License-Identifier: GPL-2.0 OR MIT
/* PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (2B, "Imm8 control byte operation" in 2B 4.1). */
#include "simd.h"

struct strings {
	const union x86_v *a, *b;
	u32 lanes, len_a, len_b;
	bool words, is_signed;
};

static s32 element(const struct strings *t, const union x86_v *v, u32 n)
{
	if (t->words)
		return t->is_signed ? v->sw[n] : v->w[n];
	return t->is_signed ? v->sb[n] : v->b[n];
}

static u32 implicit_length(const struct strings *t, const union x86_v *v)
{
	u32 n;

	for (n = 0; n < t->lanes; n++) {
		if (!element(t, v, n))
			break;
	}
	return n;
}

/* |length| in EAX or EDX (RAX, RDX with REX.W), at most the number of lanes. */
static u32 explicit_length(u64 v, bool wide, u32 lanes)
{
	s64 n = wide ? (s64)v : (s32)v;
	u64 size = n < 0 ? 0 - (u64)n : (u64)n;

	return size > lanes ? lanes : (u32)size;
}

static bool any_of(const struct strings *t, u32 j)
{
	u32 n;

	for (n = 0; n < t->len_a; n++) {
		if (element(t, t->a, n) == element(t, t->b, j))
			return true;
	}
	return false;
}

static bool in_ranges(const struct strings *t, u32 j)
{
	s32 v = element(t, t->b, j);
	u32 n;

	for (n = 0; n + 1 < t->len_a; n += 2) {
		if (v >= element(t, t->a, n) && v <= element(t, t->a, n + 1))
			return true;
	}
	return false;
}

/* Does the first string begin at @j of the second?  What lies beyond the register's end matches. */
static bool begins_at(const struct strings *t, u32 j)
{
	u32 n;

	for (n = 0; n < t->len_a && n + j < t->lanes; n++) {
		if (n + j >= t->len_b || element(t, t->a, n) != element(t, t->b, n + j))
			return false;
	}
	return true;
}

static u32 aggregate(const struct strings *t, u32 how)
{
	u32 j, r = 0;
	bool hit;

	for (j = 0; j < t->lanes; j++) {
		switch (how) {
		case 0:
			hit = j < t->len_b && any_of(t, j);
			break;
		case 1:
			hit = j < t->len_b && in_ranges(t, j);
			break;
		case 2:
			hit = (j >= t->len_a && j >= t->len_b) ||
			      (j < t->len_a && j < t->len_b && element(t, t->a, j) == element(t, t->b, j));
			break;
		default:
			hit = begins_at(t, j);
		}
		r |= (u32)hit << j;
	}
	return r;
}

void x86_vec_string(struct x86_cpu *cpu, u32 fn, const union x86_v *a, const union x86_v *b, u32 imm, bool wide)
{
	struct strings t = { a, b, imm & 1 ? 8 : 16, 0, 0, imm & 1, imm & 2 };
	u32 all = (1u << t.lanes) - 1, r, n;
	union x86_v mask;
	u64 fl;

	if (fn == X86_V_PCMPESTRI || fn == X86_V_PCMPESTRM) {
		t.len_a = explicit_length(cpu->r[X86_RAX], wide, t.lanes);
		t.len_b = explicit_length(cpu->r[X86_RDX], wide, t.lanes);
	} else {
		t.len_a = implicit_length(&t, a);
		t.len_b = implicit_length(&t, b);
	}
	r = aggregate(&t, (imm >> 2) & 3);
	if (imm & 0x10)
		r ^= imm & 0x20 ? (1u << t.len_b) - 1 : all;
	fl = (r ? X86_FLAG_CF : 0) | (t.len_b < t.lanes ? X86_FLAG_ZF : 0) | (t.len_a < t.lanes ? X86_FLAG_SF : 0) |
	     (r & 1 ? X86_FLAG_OF : 0);
	if (fn == X86_V_PCMPESTRI || fn == X86_V_PCMPISTRI) {
		n = !r ? t.lanes : imm & 0x40 ? 31 - (u32)__builtin_clz(r) : (u32)__builtin_ctz(r);
		cpu->r[X86_RCX] = n;
	} else {
		memset(&mask, 0, sizeof(mask));
		mask.q[0] = r;
		for (n = 0; (imm & 0x40) && n < t.lanes; n++) {
			if (t.words)
				mask.w[n] = r >> n & 1 ? 0xffff : 0;
			else
				mask.b[n] = r >> n & 1 ? 0xff : 0;
		}
		*x86_xmm(cpu, 0) = mask;
	}
	x86_flags_put(&cpu->fl, fl);
}
