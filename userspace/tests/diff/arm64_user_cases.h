// SPDX-License-Identifier: MIT
/*
 * Random cases for arm64_user.cpp: short instruction sequences with the state to begin with.
 *
 * X20 to X25 and SP point into the data, X26 to X28 are small offsets, X29 holds bits of FPCR: most instructions leave them
 * alone, so that most accesses meet memory; some do not, so that faults come up.
 */
#pragma once

#include <cstdint>
#include <vector>

#include "arm64_groups.h"
#include "arm64_operands.h"
#include "arm64_user.h"

#define noinline __attribute__((noinline))
extern "C" {
#include "core/cpu/arm64/simd/simd.h"
}

namespace arm64_user {

using arm64_groups::bits;
using arm64_operands::Rng;

constexpr uint32_t end_word = 0xd4200000;

/*
 * What QEMU does otherwise, and why; such words are left out.
 *
 * LDAPR: the Neoverse has it, ours has not.
 * CAS and CASP, LSE atomics: the Cortex-A57 has them not, they are compared with the Neoverse only.
 * Half precision, RDM and dot product: the Neoverse has them, so vectors are compared with the Cortex-A57 only.
 */
inline bool is_atomic(uint32_t w)
{
	return (w & 0x3f200c00) == 0x38200000 || (w & 0x3fa07c00) == 0x08a07c00 || (w & 0xbfa07c00) == 0x08207c00;
}

inline bool explained(uint32_t w, bool lse)
{
	if ((w & 0xffe0001f) == 0xd4000001)	// SVC would be a system call
		return true;
	if (!lse && is_atomic(w))
		return true;
	if ((w & 0x3f200c00) == 0x38200000)
		return (w >> 15 & 1) && bits(w, 14, 12) != 0;
	return false;
}

// Words that may do anything of what the architecture lists for them.
inline bool unpredictable(uint32_t w)
{
	for (const arm64_groups::Group &g : arm64_groups::groups)
		if (g.memory && (w & g.mask) == g.value && g.value != 0x38200000 && g.skip(w))
			return true;
	return false;
}

class Cases {
public:
	Cases(uint64_t seed, bool lse) : random(seed), lse_(lse)
	{
		for (const arm64_groups::Group &g : arm64_groups::groups) {
			bool vector = g.value >> 26 & 1;
			if (bits(g.value, 28, 26) == 5)	// branches have generators of their own
				continue;
			if (!(vector && lse))
				(g.memory ? memory_ : integer_).push_back(&g);
		}
		for (uint32_t n = 1; n < ARM64_VECS; n++)
			if (arm64_vec_rows[n].kind != VK_ABSENT)
				rows_.push_back(&arm64_vec_rows[n]);
	}

	void fill(user_batch *b)
	{
		for (uint64_t &d : b->data)
			d = arm64_operands::random_lanes(random);
		for (int i = 0; i < USER_CASES; i++) {
			code(b->code[i]);
			state(&b->in[i]);
			b->in[i].pc = USER_CODE_AT + i * sizeof(b->code[i]);
			b->in[i].x[30] = b->in[i].pc + sizeof(b->code[i]) - 4;
		}
	}

	Rng random;

private:
	uint32_t below(uint32_t n) { return uint32_t(random() % n); }
	bool mostly() { return random() % 16 != 0; }
	static uint32_t put(uint32_t w, int high, int low, uint32_t value)
	{
		uint32_t mask = (2u << (high - low)) - 1;
		return (w & ~(mask << low)) | (value & mask) << low;
	}
	uint32_t random_of(uint32_t value, uint32_t mask) { return (uint32_t(random()) & ~mask) | value; }

	// Registers that hold addresses stay as they are; X29 always, and its neighbour, which a pair may begin with: QEMU keeps
	// bits of FPCR that are for AArch32 only.
	uint32_t spare(uint32_t w, int low)
	{
		uint32_t r = bits(w, low + 4, low);
		return r >= 20 && r < 30 && (r >= 28 || mostly()) ? put(w, low + 4, low, r - 20) : w;
	}

	uint32_t pointer() { return below(8) ? 20 + below(6) : 31; }

	uint32_t integer()
	{
		const arm64_groups::Group &g = *integer_[below(uint32_t(integer_.size()))];
		uint32_t w = random_of(g.value, g.mask);
		bool bitfield = g.value == 0x13000000 || g.value == 0x12000000, logical = g.value == 0x12000000;
		if ((bitfield || g.value == 0x13800000) && mostly()) {
			w = put(w, 22, 22, logical && !(w >> 31) ? 0 : logical ? w >> 22 : w >> 31);
			if (!(w >> 31))
				w &= ~(1u << 15 | (bitfield ? 1u << 21 : 0));
		}
		if (g.skip(w) && lse_)
			return 0xd503201f;
		return spare(w, 0);
	}

	uint32_t memory()
	{
		const arm64_groups::Group &g = *memory_[below(uint32_t(memory_.size()))];
		uint32_t w = random_of(g.value, g.mask);
		bool literal = (g.value & 0x3b000000) == 0x18000000;
		if (literal)
			return spare(put(w, 23, 5, below(8)), 0);
		w = spare(w, 0);
		if (mostly() || bits(w, 9, 5) == 29)
			w = put(w, 9, 5, pointer());
		if ((g.value & 0x3b000000) == 0x39000000 && mostly())
			w &= ~(0x3fu << 16);
		if ((g.mask & 0x00200c00) == 0x00200c00 && (g.value & 0x3b200c00) == 0x38200800 && mostly())
			w = put(w, 20, 16, 26 + below(3));
		if ((g.value & 0x3a000000) == 0x28000000 || g.value == 0x08000000)
			w = spare(w, 10);
		if (g.value == 0x08000000 || g.value == 0x38200000)
			w = spare(w, 16);
		return unpredictable(w) ? 0xd503201f : w;
	}

	uint32_t vector()
	{
		for (;;) {
			const arm64_vec_row &r = *rows_[below(uint32_t(rows_.size()))];
			uint32_t w = random_of(r.value, r.mask), found = arm64_vec_find(w);
			if ((!found || arm64_vec_rows[found].kind == VK_ABSENT) && random() % 256)
				continue;
			return bits(w, 28, 24) == 0x1e || r.kind == VK_COPY ? spare(w, 0) : w;
		}
	}

	// Barriers, hints, NZCV and the floating-point registers, DC ZVA, cache maintenance; a branch over @room words at most.
	uint32_t other(uint32_t room)
	{
		uint32_t x = below(20), over = 1 + below(room < 4 ? room : 4);
		switch (below(15)) {
		case 0: return 0xd53b4200 | x;				// MRS NZCV
		case 1: return 0xd51b4200 | x;
		case 2: return 0xd53b4400 | x;				// MRS FPCR
		case 3: return 0xd51b4400 | 29;
		case 4: return 0xd53b4420 | x;				// MRS FPSR
		case 5: return 0xd50b7420 | (20 + below(6));		// DC ZVA
		case 6: return (below(2) ? 0xd50b7a20 : 0xd50b7e20) | (20 + below(6));	// DC CVAC, CIVAC
		case 7: return 0xd5033f5f | below(5) << 5;		// CLREX, -, DSB, DMB, ISB
		case 8: return 0x14000000 | over | below(2) << 31;
		case 9: return 0x54000000 | over << 5 | below(16);
		case 10: return random_of(0x34000000, 0x7effffe0) | over << 5;
		case 11: return random_of(0x36000000, 0x7e07ffe0) | over << 5;
		case 12: return 0xd503201f | (8 + below(120)) << 5;	// HINT, but for those that wait
		case 13: return 0x10000000 | (over * 4) << 3 | 30;	// ADR, for what follows
		default: return (below(2) ? 0xd61f0000 : 0xd65f0000) | (mostly() ? 30 : x) << 5;
		}
	}

	uint32_t any(int kind, uint32_t room)
	{
		uint32_t r = below(16);
		if (r == 0)
			return other(room);
		if (kind == 3)
			kind = int(r % 3);
		return kind == 0 ? integer() : kind == 1 ? plain() : vector();
	}

	// An access that leaves the exclusive monitor alone, for a store-exclusive may come to run without its load: after a load
	// of another size QEMU lets it succeed, ours does not (both may, B2.9.5).
	uint32_t plain()
	{
		uint32_t w = memory();
		return (w & 0x3f400000) == 0x08400000 ? 0xd503201f : w;
	}

	// LDXR and STXR of one size, with up to two instructions between.
	uint32_t exclusive(uint32_t *w)
	{
		uint32_t base = pointer(), pair = below(4) == 0 ? 1 : 0, size = pair ? 2 + below(2) : below(4), n = 0, ordered = below(2);
		uint32_t common = 0x08000000 | size << 30 | pair << 21 | ordered << 15 | base << 5;
		w[n++] = common | 1u << 22 | 31u << 16 | (pair ? 1 + below(9) : 31u) << 10 | (10 + below(9));
		for (uint32_t i = below(3); i--;)
			w[n++] = below(3) ? integer() : plain();
		if (below(8) == 0)
			base = pointer();
		common = put(common, 9, 5, base);
		w[n++] = common | 19u << 16 | (pair ? below(9) : 31u) << 10 | (10 + below(9));
		return n;
	}

	void code(uint32_t *w)
	{
		uint32_t kinds = lse_ ? 2 : 4, kind = below(kinds), length = 1 + below(USER_WORDS - 6);
		for (uint32_t i = 0; i < USER_WORDS; i++)
			w[i] = end_word;
		if (!lse_ && below(16) == 0) {	// any word outside branches and system instructions
			do
				w[0] = uint32_t(random());
			while (bits(w[0], 28, 26) == 5 || explained(w[0], lse_) || unpredictable(w[0]));
			return;
		}
		for (uint32_t i = 0; i < length;) {
			if (kind != 2 && below(24) == 0) {
				i += exclusive(w + i);
				continue;
			}
			uint32_t one = any(int(kind), length - i);
			if (!explained(one, lse_))
				w[i++] = one;
		}
		for (uint32_t i = 0; i < USER_WORDS; i++)
			if (explained(w[i], lse_))
				w[i] = 0xd503201f;
	}

	void state(user_state *s)
	{
		*s = {};
		for (int i = 0; i < 31; i++)
			s->x[i] = below(2) ? arm64_operands::random_integer(random) : arm64_operands::random_lanes(random);
		for (int i = 20; i < 26; i++)
			s->x[i] = USER_DATA_AT + 0x800 + (below(4) ? below(0x100) * 16 : below(0x1000));
		s->x[31] = USER_DATA_AT + 0x800 + below(0x100) * 16;
		for (int i = 26; i < 29; i++)
			s->x[i] = (below(4) ? below(64) : below(0x400)) * (below(2) ? 1u : ~0ull);
		s->x[29] = random() & ARM64_FPCR_BITS;
		for (uint64_t &v : s->v)
			v = arm64_operands::random_lanes(random);
		s->nzcv = random() & 0xf0000000;
		s->fpcr = uint32_t(random()) & ARM64_FPCR_BITS & (below(2) ? ~0u : 0x00c00000u);
		s->fpsr = below(2) ? 0 : uint32_t(random()) & ARM64_FPSR_BITS;
	}

	bool lse_;
	std::vector<const arm64_groups::Group *> integer_, memory_;
	std::vector<const arm64_vec_row *> rows_;
};

}
