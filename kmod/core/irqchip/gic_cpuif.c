// SPDX-License-Identifier: GPL-2.0 OR MIT
/* GICv3: the CPU interface's system registers (IHI 0069, 12.2). */
#include "gic.h"

#define ICC(crn, crm, op2) (3u << 14 | (crn) << 7 | (crm) << 3 | (op2))
#define ICC_PMR ICC(4, 6, 0)
#define ICC_IAR0 ICC(12, 8, 0)
#define ICC_EOIR0 ICC(12, 8, 1)
#define ICC_HPPIR0 ICC(12, 8, 2)
#define ICC_BPR0 ICC(12, 8, 3)
#define ICC_AP0R0 ICC(12, 8, 4)
#define ICC_AP1R0 ICC(12, 9, 0)
#define ICC_DIR ICC(12, 11, 1)
#define ICC_RPR ICC(12, 11, 3)
#define ICC_SGI1R ICC(12, 11, 5)
#define ICC_ASGI1R ICC(12, 11, 6)
#define ICC_SGI0R ICC(12, 11, 7)
#define ICC_IAR1 ICC(12, 12, 0)
#define ICC_EOIR1 ICC(12, 12, 1)
#define ICC_HPPIR1 ICC(12, 12, 2)
#define ICC_BPR1 ICC(12, 12, 3)
#define ICC_CTLR ICC(12, 12, 4)
#define ICC_SRE ICC(12, 12, 5)
#define ICC_IGRPEN0 ICC(12, 12, 6)
#define ICC_IGRPEN1 ICC(12, 12, 7)

#define CTLR_EOIMODE 2u
#define CTLR_RSS (1u << 18)
#define CTLR_PRIBITS (4u << 8)	/* five bits */
#define POINT_LEAST 3u

static u32 running_priority(const struct gic_cpu *c)
{
	return c->running ? (u32)__builtin_ctz(c->running) << 3 : 0xff;
}

/* 4.1.1: pending becomes active, and its priority the running one.  A level input that stays high is pending again. */
static u32 acknowledge(struct gic *g, u32 cpu)
{
	u32 intid = gic_best(g, cpu);
	u32 bit = 1u << (intid % 32);
	struct gic_block *b;

	if (intid == GIC_SPURIOUS)
		return intid;
	b = gic_block_of(g, cpu, intid);
	b->pending &= ~bit;
	b->active |= bit;
	g->cpu[cpu].running |= 1u << (b->priority[intid % 32] >> 3);
	gic_update(g, cpu, intid / 32);
	return intid;
}

static void deactivate(struct gic *g, u32 cpu, u32 intid)
{
	if (intid > GIC_SPI_LAST)
		return;
	gic_block_of(g, cpu, intid)->active &= ~(1u << (intid % 32));
	gic_update(g, cpu, intid / 32);
}

/* The highest of the priorities being handled is dropped, whatever was written (4.4). */
static void end(struct gic *g, u32 cpu, u32 intid)
{
	struct gic_cpu *c = &g->cpu[cpu];

	if (intid > GIC_SPI_LAST)
		return;
	c->running &= c->running - 1;
	if (c->split)
		gic_update_cpu(g, cpu);
	else
		deactivate(g, cpu, intid);
}

static void send(struct gic *g, u32 cpu, u32 intid)
{
	if (cpu >= g->cpus)
		return;
	g->cpu[cpu].own.pending |= 1u << intid;
	gic_update_cpu(g, cpu);
}

/* ICC_SGI1R_EL1: Aff1 to Aff3 are 0 for all vCPUs, whose numbers are Aff0. */
static void generate(struct gic *g, u32 self, u64 v)
{
	u32 intid = (u32)(v >> 24) & 15, first = (u32)(v >> 44 & 15) * 16, i;

	if (v >> 40 & 1) {
		for (i = 0; i < g->cpus; i++) {
			if (i != self)
				send(g, i, intid);
		}
		return;
	}
	if (v & 0x00ff00ff00ff0000ull)
		return;
	for (i = 0; i < 16; i++) {
		if (v >> i & 1)
			send(g, first + i, intid);
	}
}

static bool read_register(struct gic *g, u32 cpu, u32 reg, u64 *v)
{
	struct gic_cpu *c = &g->cpu[cpu];

	*v = 0;
	switch (reg) {
	case ICC_IAR1:
		*v = acknowledge(g, cpu);
		return true;
	case ICC_HPPIR1:
		*v = gic_best(g, cpu);
		return true;
	case ICC_IAR0:
	case ICC_HPPIR0:
		*v = GIC_SPURIOUS;
		return true;
	case ICC_PMR:
		*v = c->mask;
		return true;
	case ICC_RPR:
		*v = running_priority(c);
		return true;
	case ICC_BPR0:
		*v = POINT_LEAST - 1;
		return true;
	case ICC_BPR1:
		*v = c->point;
		return true;
	case ICC_AP1R0:
		*v = c->running;
		return true;
	case ICC_CTLR:
		*v = (c->split ? CTLR_EOIMODE : 0) | CTLR_PRIBITS | CTLR_RSS;
		return true;
	case ICC_SRE:
		*v = 7;
		return true;
	case ICC_IGRPEN1:
		*v = c->enabled;
		return true;
	case ICC_AP0R0:
	case ICC_IGRPEN0:
		return true;
	default:
		return false;
	}
}

static bool write_register(struct gic *g, u32 cpu, u32 reg, u64 v)
{
	struct gic_cpu *c = &g->cpu[cpu];

	switch (reg) {
	case ICC_EOIR1:
		end(g, cpu, (u32)v & 0xffffff);
		return true;
	case ICC_DIR:
		if (c->split)
			deactivate(g, cpu, (u32)v & 0xffffff);
		return true;
	case ICC_SGI1R:
		generate(g, cpu, v);
		return true;
	case ICC_PMR:
		c->mask = (u32)v & 0xf8;
		break;
	case ICC_BPR1:
		c->point = (u32)v & 7;
		if (c->point < POINT_LEAST)
			c->point = POINT_LEAST;
		break;
	case ICC_AP1R0:
		c->running = (u32)v;
		break;
	case ICC_CTLR:
		c->split = !!(v & CTLR_EOIMODE);
		return true;
	case ICC_IGRPEN1:
		c->enabled = v & 1;
		break;
	case ICC_EOIR0:
	case ICC_BPR0:
	case ICC_AP0R0:
	case ICC_IGRPEN0:
	case ICC_SRE:
	case ICC_SGI0R:
	case ICC_ASGI1R:
		return true;
	default:
		return false;
	}
	gic_update_cpu(g, cpu);
	return true;
}

bool gic_icc_read(struct gic *g, u32 cpu, u32 reg, u64 *value)
{
	bool known;

	if (cpu >= g->cpus)
		return false;
	env_lock_take(&g->lock);
	known = read_register(g, cpu, reg, value);
	env_lock_drop(&g->lock);
	return known;
}

bool gic_icc_write(struct gic *g, u32 cpu, u32 reg, u64 value)
{
	bool known;

	if (cpu >= g->cpus)
		return false;
	env_lock_take(&g->lock);
	known = write_register(g, cpu, reg, value);
	env_lock_drop(&g->lock);
	return known;
}
