/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the two software CPUs share: requests from outside, the device-access replay, the clock of retired instructions.
 * struct hv_cpu is the first member of struct x86_cpu and struct arm64_cpu.
 */
#ifndef MV_CPU_H
#define MV_CPU_H

#include "../exit.h"
#include "../memmap.h"
#include "block.h"
#include "tlb.h"

/* Set in hv_cpu.request by anyone, at any time; looked at between blocks. */
#define HV_REQ_STOP 1u		/* leave step() with HV_EXIT_KICK; cleared by step() when it does so */
#define HV_REQ_IRQ 2u		/* level: an interrupt is pending, ask hv_cpu.irq */
#define HV_REQ_FLUSH 4u		/* drop every translation and decoded block (the memory map changed) */
#define HV_REQ_WAKE 8u		/* leave the idle state */
#define HV_REQ_NMI 16u		/* x86: one non-maskable interrupt is pending; cleared when it is delivered */
#define HV_REQ_TLB 32u		/* AArch64: drop the translations that arm64_shootdown() has left */

/* Device accesses of one instruction that userspace has already answered.  PUSHA and an 8-byte access that straddles pages fit. */
#define HV_REPLAY_MAX 16

/**
 * struct hv_replay - an instruction that touches devices runs again from its start after each reply
 * @done: accesses answered so far
 * @next: the next access of the current attempt; below done it is answered from data[]
 * @data: replies of reads (writes keep their slot, unused)
 */
struct hv_replay {
	u8 done;
	u8 next;
	u64 data[HV_REPLAY_MAX];
};

/**
 * struct hv_irq_source - where a CPU finds its interrupt once HV_REQ_IRQ is set
 * @acknowledge: x86: returns the vector to deliver and marks it in service, or -1 if none; never sleeps
 */
struct hv_irq_source {
	int (*acknowledge)(void *context);
	void *context;
};

/**
 * struct hv_answerer - who answers device accesses that need not leave step(): controllers and ioeventfds of the hypervisor
 * @answer: looks at cpu->exit, which describes the access; true: done, and *data is the reply of a read.  Never sleeps, and
 *	does not touch the CPU but by hv_cpu_request().
 */
struct hv_answerer {
	bool (*answer)(void *context, u64 *data);
	void *context;
};

struct hv_cpu {
	/* read at every block boundary */
	u32 request;
	u32 idle;			/* HLT or WFI executed, not woken yet */
	/*
	 * Coherence of decoded code.  A block is trusted while block->epoch == epoch; otherwise its bytes are compared with
	 * memory once more.  Every event that architecturally synchronises the instruction stream (x86: serialising
	 * instructions, interrupt delivery and return, a completed exit; AArch64: ISB, exception entry and return) adds one.
	 * So a write by another vCPU or by the VMM is seen exactly where the manuals promise it, and nobody tracks writes.
	 */
	u64 epoch;
	/* Block links and jump-cache entries are good while their key equals this: translation generation << 16 | mode bits. */
	u64 key;
	u64 retired;			/* instructions completed since reset */
	struct hv_memmap *map;
	struct hv_exit exit;
	struct hv_replay replay;
	struct hv_irq_source irq;
	struct hv_answerer local;	/* answer is NULL: every access leaves step() */
	struct hv_blocks blocks;
	u32 id;
};

/**
 * hv_cpu_request - ask a CPU for something, from any thread
 *
 * The caller also wakes the thread that runs the CPU if that sleeps.
 */
static inline void hv_cpu_request(struct hv_cpu *cpu, u32 bits)
{
	env_fetch_or(&cpu->request, bits);
}

/**
 * hv_cpu_device - one device access of the instruction being executed
 * @data: write: the value; read: receives the reply, not yet masked
 *
 * Return: true if the access is answered; false if the instruction must stop here with cpu->exit (HV_EXIT_ACCESS),
 * nothing of it committed; it runs again from its start after hv_cpu_complete().
 */
bool hv_cpu_device(struct hv_cpu *cpu, u8 space, u64 address, u8 size, u8 direction, u64 *data);

/* The instruction (or one iteration of a string instruction) is committed: its answered accesses are used up. */
static inline void hv_cpu_replay_clear(struct hv_cpu *cpu)
{
	cpu->replay.done = 0;
	cpu->replay.next = 0;
}

/**
 * hv_cpu_complete - the reply to cpu->exit
 * @cookie: the exit's cookie; a stale one is refused
 * @data: value read (only the low exit.size bytes count); ignored for writes
 *
 * Return: 0, or -EINVAL if no access is outstanding or the cookie is another's.
 */
int hv_cpu_complete(struct hv_cpu *cpu, u64 cookie, u64 data);

/* Forget an outstanding access: the VM is reset or the access was answered by a fault. */
void hv_cpu_forget(struct hv_cpu *cpu);

#endif
