// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The lists of simd_list.h as tables, and the way from an instruction word to its row (C4.1.97). */
#include "simd.h"

const struct arm64_vec_row arm64_vec_rows[ARM64_VECS] = {
#define GROUP ARM64_G_FP
#define X(name, value, mask, sizes, scalar, kind, base) \
	[ARM64_V_##name] = { #name, value, mask, sizes, scalar, kind, GROUP, ARM64_V_##base },
	ARM64_VEC_FP(X)
#undef GROUP
#define GROUP ARM64_G_THREE_SAME
	ARM64_VEC_THREE_SAME(X)
#undef GROUP
#define GROUP ARM64_G_THREE_DIFF
	ARM64_VEC_THREE_DIFF(X)
#undef GROUP
#define GROUP ARM64_G_TWO_MISC
	ARM64_VEC_TWO_MISC(X)
#undef GROUP
#define GROUP ARM64_G_ACROSS
	ARM64_VEC_ACROSS(X)
#undef GROUP
#define GROUP ARM64_G_ELEMENT
	ARM64_VEC_ELEMENT(X)
#undef GROUP
#define GROUP ARM64_G_SHIFT
	ARM64_VEC_SHIFT(X)
#undef GROUP
#define GROUP ARM64_G_IMMEDIATE
	ARM64_VEC_IMMEDIATE(X)
#undef GROUP
#define GROUP ARM64_G_MOVE
	ARM64_VEC_MOVE(X)
#undef GROUP
#define GROUP ARM64_G_CRYPTO
	ARM64_VEC_CRYPTO(X)
#undef GROUP
#undef X
#define X(feature) [ARM64_V_##feature] = { .name = #feature, .mask = ~0u },
	ARM64_ABSENT_FEATURES(X)
#undef X
};

#define COUNT(...) +1
#define FIRST(group, before) ARM64_FIRST_##group = before, ARM64_AFTER_##group = ARM64_FIRST_##group ARM64_VEC_##group(COUNT)

/* The enumerators of a group follow each other, and the groups too. */
enum {
	FIRST(FP, 1),
	FIRST(THREE_SAME, ARM64_AFTER_FP),
	FIRST(THREE_DIFF, ARM64_AFTER_THREE_SAME),
	FIRST(TWO_MISC, ARM64_AFTER_THREE_DIFF),
	FIRST(ACROSS, ARM64_AFTER_TWO_MISC),
	FIRST(ELEMENT, ARM64_AFTER_ACROSS),
	FIRST(SHIFT, ARM64_AFTER_ELEMENT),
	FIRST(IMMEDIATE, ARM64_AFTER_SHIFT),
	FIRST(MOVE, ARM64_AFTER_IMMEDIATE),
	FIRST(CRYPTO, ARM64_AFTER_MOVE)
};

static const u16 first[ARM64_GROUPS + 1] = {
#define G(group, title) ARM64_FIRST_##group,
	ARM64_VEC_GROUPS(G)
#undef G
	ARM64_AFTER_CRYPTO
};

/* @at: of sizes or, if @scalar, of the scalar forms */
static u32 find_in(enum arm64_vec_group group, u32 w, bool scalar, u32 at)
{
	u32 n;

	for (n = first[group]; n < first[group + 1]; n++) {
		const struct arm64_vec_row *r = &arm64_vec_rows[n];

		if ((w & r->mask) == r->value && (((scalar ? r->scalar : r->sizes) >> at) & 1))
			return n;
	}
	return 0;
}

/* The index imm5 of an element: log2 of its size is where the lowest bit is set. */
static u32 find_move(u32 w, bool scalar)
{
	u32 n = find_in(ARM64_G_MOVE, w, scalar, scalar ? ARM64_BITS(w, 23, 22) : ARM64_BIT(w, 30) * 4 + ARM64_BITS(w, 23, 22));
	u32 imm5 = ARM64_BITS(w, 20, 16), q = ARM64_BIT(w, 30), size = (u32)__builtin_ctz(imm5 | 0x10);

	switch (n) {
	case ARM64_V_DUP_EL:
	case ARM64_V_DUP_GEN:
		return size > 3 || (size == 3 && !q) ? 0 : n;
	case ARM64_V_DUP_SCALAR:
	case ARM64_V_INS_GEN:
	case ARM64_V_INS_EL:
		return size > 3 ? 0 : n;
	case ARM64_V_SMOV:
		return size > 1 + q ? 0 : n;
	case ARM64_V_UMOV:
		return q ? size == 3 ? n : 0 : size > 2 ? 0 : n;
	case ARM64_V_EXT:
		return !q && ARM64_BIT(w, 14) ? 0 : n;
	case 0:
		return find_in(ARM64_G_CRYPTO, w, scalar, scalar ? ARM64_BITS(w, 23, 22) : q * 4 + ARM64_BITS(w, 23, 22));
	default:
		return n;
	}
}

static u32 find_fp(u32 w)
{
	u32 n = find_in(ARM64_G_FP, w, false, ARM64_BITS(w, 23, 22));

	/* a word has 32 fraction bits at most */
	if (n && arm64_vec_rows[n].kind == VK_FPFIXED && !ARM64_BIT(w, 31) && !ARM64_BIT(w, 15))
		return 0;
	return n;
}

u32 arm64_vec_find(u32 w)
{
	bool scalar = ARM64_BIT(w, 28);
	u32 at, size = ARM64_BITS(w, 23, 22);

	if (scalar && !ARM64_BIT(w, 30))
		return find_fp(w);
	at = scalar ? size : ARM64_BIT(w, 30) * 4 + size;
	if (ARM64_BIT(w, 31))
		return find_in(ARM64_G_CRYPTO, w, false, at);
	if (ARM64_BIT(w, 24)) {
		u32 n;

		if (ARM64_BIT(w, 10)) {
			u32 immh = ARM64_BITS(w, 22, 19);

			if (ARM64_BIT(w, 23))
				return 0;
			if (!immh)
				return find_in(ARM64_G_IMMEDIATE, w, scalar, at);
			size = 31 - (u32)__builtin_clz(immh);
			return find_in(ARM64_G_SHIFT, w, scalar, scalar ? size : ARM64_BIT(w, 30) * 4 + size);
		}
		n = find_in(ARM64_G_ELEMENT, w, scalar, at);
		/* double precision: one bit of index only */
		return size == 3 && ARM64_BIT(w, 21) ? 0 : n;
	}
	if (!ARM64_BIT(w, 21))
		return find_move(w, scalar);
	if (ARM64_BIT(w, 10))
		return find_in(ARM64_G_THREE_SAME, w, scalar, at);
	if (!ARM64_BIT(w, 11))
		return find_in(ARM64_G_THREE_DIFF, w, scalar, at);
	switch (ARM64_BITS(w, 20, 17)) {
	case 0:
		return find_in(ARM64_G_TWO_MISC, w, scalar, at);
	case 8:
		return find_in(ARM64_G_ACROSS, w, scalar, at);
	default:
		return find_in(ARM64_G_CRYPTO, w, scalar, at);
	}
}
