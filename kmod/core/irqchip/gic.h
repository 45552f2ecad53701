/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The GICv3 that Gunyah gives a guest: distributor, one redistributor for each vCPU, the CPU interfaces' system registers.
 * One security state, affinity routing always, no ITS and no LPIs, group 1 only: what is in group 0 is never signalled.
 * Sections and register names: Arm GIC Architecture Specification, IHI 0069.
 *
 * Thread-safe; nothing sleeps.  Every call but gic_post() takes the lock.
 */
#ifndef MV_GIC_H
#define MV_GIC_H

#include "../env.h"

#define GIC_CPUS 32
#define GIC_INTIDS 1024
#define GIC_BLOCKS (GIC_INTIDS / 32)
#define GIC_SPI_FIRST 32u
#define GIC_SPI_LAST 1019u
#define GIC_SPURIOUS 1023u
#define GIC_DIST_SIZE 0x10000ull
#define GIC_REDIST_STRIDE 0x20000ull

/* 32 interrupts; bit n of each word is one. */
struct gic_block {
	u32 enabled;
	u32 pending;		/* latched: edges, and what software set */
	u32 line;		/* level of the input */
	u32 active;
	u32 group;		/* 1: group 1 */
	u32 edge;
	u8 priority[32];	/* the top five bits count */
};

struct gic_cpu {
	struct gic_block own;	/* SGIs 0 to 15, PPIs 16 to 31 */
	u32 present;
	u32 asleep;		/* GICR_WAKER.ProcessorSleep */
	u32 enabled;		/* ICC_IGRPEN1_EL1 */
	u32 split;		/* ICC_CTLR_EL1.EOImode: EOIR drops the priority, DIR deactivates */
	u32 mask;		/* ICC_PMR_EL1 */
	u32 point;		/* ICC_BPR1_EL1 */
	u32 running;		/* ICC_AP1R0_EL1: bit n: an interrupt of priority n << 3 is being handled */
	u32 asserted;
};

struct gic {
	struct env_lock lock;
	u64 dist_base;
	u64 redist_base;
	u32 cpus;		/* redistributors; 0: there is no GIC */
	u32 group_enabled;	/* GICD_CTLR.EnableGrp1 */
	u32 live;		/* bit n: block n may have something to signal */
	struct gic_block spi[GIC_BLOCKS];	/* [0] is not used */
	u8 route[GIC_INTIDS];
	struct gic_cpu cpu[GIC_CPUS];
	u32 posted[GIC_BLOCKS];	/* edges from gic_post(), not taken yet */
	u32 any_posted;
	/* The interrupt input of a vCPU changed; called with the lock held, must not sleep nor call back. */
	void (*signal)(void *context, u32 cpu, bool asserted);
	void *context;
};

void gic_init(struct gic *g, u64 dist_base, u64 redist_base, u32 cpus, void (*signal)(void *context, u32 cpu, bool asserted),
	      void *context);

/* Level of a private interrupt (16 to 31) of a vCPU, or of a shared one. */
void gic_ppi(struct gic *g, u32 cpu, u32 intid, bool high);
void gic_spi(struct gic *g, u32 intid, bool high);
/**
 * gic_post - an edge on a shared interrupt, from any context and without the lock
 *
 * It takes effect with the next gic_take(), which the caller sees to.  Return: bits of the vCPUs that should call it.
 */
u32 gic_post(struct gic *g, u32 intid);
void gic_take(struct gic *g);

/* gic_frames.c: registers in memory.  @size: 1, 2, 4 or 8 bytes; what no register has reads as zero, and writes are lost. */
bool gic_covers(const struct gic *g, u64 gpa);
u64 gic_read(struct gic *g, u64 gpa, u32 size);
void gic_write(struct gic *g, u64 gpa, u32 size, u64 value);

/* gic_cpuif.c: ICC_*_EL1 and ICC_PMR_EL1 by their encoding, op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2.
 * Return: false: no such register. */
bool gic_icc_read(struct gic *g, u32 cpu, u32 reg, u64 *value);
bool gic_icc_write(struct gic *g, u32 cpu, u32 reg, u64 value);

/* Between the files of this controller; the lock is held. */
struct gic_block *gic_block_of(struct gic *g, u32 cpu, u32 intid);
u8 *gic_priority_of(struct gic *g, u32 cpu, u32 intid);
/* Something in this block changed; @cpu matters for block 0. */
void gic_update(struct gic *g, u32 cpu, u32 block);
void gic_update_cpu(struct gic *g, u32 cpu);
/* The interrupt that a vCPU should take next, whatever it is doing; GIC_SPURIOUS: none. */
u32 gic_best(struct gic *g, u32 cpu);
/* Bits of the interrupts that are pending: latched, or a level input that is high. */
static inline u32 gic_pending(const struct gic_block *b)
{
	return b->pending | (b->line & ~b->edge);
}

#endif
