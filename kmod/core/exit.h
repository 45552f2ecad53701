/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a software CPU stops with, and the seven words of the walk. */
#ifndef MV_EXIT_H
#define MV_EXIT_H

#include "env.h"

/* The walk (design.md, section 1): functions, log lines and timelines use these words and no others. */
enum hv_word {
	HV_WORD_STEP,
	HV_WORD_EXIT,
	HV_WORD_POST,
	HV_WORD_DELIVER,
	HV_WORD_SERVE,
	HV_WORD_COMPLETE,
	HV_WORD_RESUME,
	HV_WORDS
};

enum hv_exit_kind {
	HV_EXIT_NONE,		/* nothing happened yet */
	HV_EXIT_ACCESS,		/* a device access: space, address, size, direction, data, cookie are valid */
	HV_EXIT_BUDGET,		/* the batch is used up; step again at will */
	HV_EXIT_KICK,		/* HV_REQ_STOP was set */
	HV_EXIT_IDLE,		/* HLT or WFI with nothing pending: sleep until hv_cpu_request() */
	HV_EXIT_SHUTDOWN,	/* x86 triple fault: the vCPU cannot continue */
	HV_EXIT_CALL,		/* AArch64 HVC/SMC: arguments in x0.., the reply goes there too */
	HV_EXIT_PAGE,		/* address lies in a slot whose page is absent or does not allow the access (demand paging) */
	HV_EXIT_ARENA,		/* the block arena is full and may grow: see hv_blocks_set_arena() */
	HV_EXIT_PAUSE,		/* AArch64 WFE; YIELD or PAUSE many times: step again, after whoever else has something to do */
	HV_EXIT_KINDS
};

enum hv_space { HV_SPACE_PIO, HV_SPACE_MMIO, HV_SPACE_CONFIG, HV_SPACES };
enum hv_direction { HV_READ, HV_WRITE };

/**
 * struct hv_exit - why the CPU stopped; registers are those before the instruction completes
 * @kind: enum hv_exit_kind
 * @space: enum hv_space, of an access
 * @size: bytes: 1, 2, 4 or 8
 * @direction: enum hv_direction
 * @address: port number or guest-physical address
 * @data: value written, zero-extended; undefined for reads
 * @cookie: counts the accesses of this CPU; a reply belongs to exactly one
 * @fetch: HV_EXIT_PAGE: the access was an instruction fetch
 */
struct hv_exit {
	u8 kind;
	u8 space;
	u8 size;
	u8 direction;
	u8 fetch;
	u64 address;
	u64 data;
	u64 cookie;
};

const char *hv_word_name(unsigned int word);
const char *hv_exit_kind_name(unsigned int kind);
const char *hv_space_name(unsigned int space);
const char *hv_direction_name(unsigned int direction);

#endif
