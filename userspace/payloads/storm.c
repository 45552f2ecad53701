/* SPDX-License-Identifier: MIT */
/*
 * Accesses of every size and direction to the scratch device, and the sum that it must have made of them
 * (userspace/vmm/devices/scratch.h).  Exit code 0: the device saw each access once, in order, with the right value.
 */
#include "guest.h"

#ifndef ROUNDS
#define ROUNDS 16
#endif

static u32 sum, count, seed = 1;

static void add(u32 offset, u32 size, u64 value)
{
	sum = (sum << 5 | sum >> 27) ^ (u32)value ^ (u32)(value >> 32);
	sum += offset * 16 + size;
	count++;
}

static u64 next(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (u64)seed << 32 | (seed ^ 0x5bd1e995u);
}

#define STORM(size, type, store, load)                                  \
	for (at = 0; at + size <= 48; at += size) {                     \
		type w = (type)next(), r;                               \
		store;                                                  \
		add(at + 128, size, w);                                 \
		load;                                                   \
		add(at, size, w);                                       \
		wrong |= r != w;                                        \
	}

int guest(unsigned int vcpu)
{
	u32 at, round, wrong = 0;

	(void)vcpu;
	for (round = 0; round < ROUNDS; round++) {
		STORM(1, u8, st8(SCRATCH + at, w), r = ld8(SCRATCH + at))
		STORM(2, u16, st16(SCRATCH + at, w), r = ld16(SCRATCH + at))
		STORM(4, u32, st32(SCRATCH + at, w), r = ld32(SCRATCH + at))
#if defined(__x86_64__) || defined(__aarch64__)
		STORM(8, u64, st64(SCRATCH + at, w), r = ld64(SCRATCH + at))
#endif
	}
	wrong |= ld32(SCRATCH + 48) != sum || ld32(SCRATCH + 56) != count;
#ifdef SCRATCH_PORT
	sum = count = 0;
	for (round = 0; round < ROUNDS; round++) {
		STORM(1, u8, out8((u16)(SCRATCH_PORT + at), w), r = in8((u16)(SCRATCH_PORT + at)))
		STORM(2, u16, out16((u16)(SCRATCH_PORT + at), w), r = in16((u16)(SCRATCH_PORT + at)))
		STORM(4, u32, out32((u16)(SCRATCH_PORT + at), w), r = in32((u16)(SCRATCH_PORT + at)))
	}
	wrong |= in32(SCRATCH_PORT + 48) != sum || in32(SCRATCH_PORT + 56) != count;
#endif
	say(wrong ? "storm: WRONG\n" : "storm: every access arrived\n");
	return (int)wrong;
}
