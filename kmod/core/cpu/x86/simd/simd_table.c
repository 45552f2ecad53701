// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The list of vector instructions as tables. */
#include "simd.h"

const struct x86_vec_row x86_vec_rows[X86_VECS] = {
#define X(name, map, opcode, prefixes, kind, has, flags)                                                                \
	[X86_V_##name] = { #name, map, opcode, prefixes, kind, X86_HAS_##has, flags },
	X86_VEC_LIST(X)
#undef X
};

/* Rows are sorted by map and opcode; those of one opcode differ in their columns. */
u32 x86_vec_find(u32 map, u32 opcode, enum x86_vec_column column)
{
	u32 low = 1, high = X86_VECS, middle, key = map << 8 | opcode;

	while (low < high) {
		middle = (low + high) / 2;
		if (((u32)x86_vec_rows[middle].map << 8 | x86_vec_rows[middle].opcode) < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < X86_VECS && x86_vec_rows[low].map == map && x86_vec_rows[low].opcode == opcode; low++) {
		if (x86_vec_rows[low].prefixes & (1u << column))
			return low;
	}
	return 0;
}
