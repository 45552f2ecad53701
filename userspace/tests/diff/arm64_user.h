// SPDX-License-Identifier: MIT
/*
 * What the program under qemu-aarch64 (arm64_user_runner.c) and the test that feeds it (arm64_user.cpp) say to each other:
 * a batch with memory, code and the states to begin with, then the states in which the cases ended.
 */
#pragma once

#include <stdint.h>

#define USER_CASES 256		/* of a batch */
#define USER_WORDS 32		/* of a case's code, the BRK behind it included */
#define USER_CODE_AT 0x20000000ull
#define USER_CODE_SIZE (USER_CASES * USER_WORDS * 4)
#define USER_DATA_AT 0x30000000ull	/* pages of both sides are not there */
#define USER_DATA_SIZE 0x2000ull

/* Signals that a case may end with, by their Linux numbers. */
#define USER_ILL 4
#define USER_TRAP 5
#define USER_BUS 7
#define USER_SEGV 11

struct user_state {
	uint64_t v[64];		/* V0 to V31, low halves first */
	uint64_t x[32];		/* x[31]: SP */
	uint64_t pc;
	uint64_t nzcv;		/* at its PSTATE bits */
	uint64_t address;	/* of a SEGV or BUS */
	uint64_t memory;	/* user_hash() of the data */
	uint32_t fpcr, fpsr;
	uint32_t signal;
	uint32_t unused;
};

struct user_batch {
	uint64_t data[USER_DATA_SIZE / 8];
	uint32_t code[USER_CASES][USER_WORDS];
	struct user_state in[USER_CASES];
};

static inline uint64_t user_hash(const volatile uint64_t *data)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < USER_DATA_SIZE / 8; i++)
		h = (((h << 7) | (h >> 57)) ^ data[i]) * 0x9e3779b97f4a7c15ull;
	return h;
}
