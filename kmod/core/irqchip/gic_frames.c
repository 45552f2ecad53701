// SPDX-License-Identifier: GPL-2.0 OR MIT
/* GICv3: the distributor's and the redistributors' registers in memory (IHI 0069, 12.9 to 12.11). */
#include "gic.h"

#define IIDR 0x0000043bu
#define PIDR2 0xffe8u
#define PIDR2_GICV3 0x30u

#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GICD_IIDR 0x0008u
#define GICD_IROUTER 0x6000u
#define GICD_IROUTER_END 0x8000u
#define CTLR_GRP1 2u
#define CTLR_ARE 0x10u
#define CTLR_DS 0x40u
#define TYPER_LINES 31u			/* 32 * (31 + 1) interrupts, of which 1020 count */
#define TYPER_IDBITS (9u << 19)
#define TYPER_NO1N (1u << 25)
#define TYPER_RSS (1u << 26)

#define GICR_IIDR 0x0004u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define WAKER_SLEEP 2u
#define WAKER_ASLEEP 4u
#define GICR_SGI_FRAME 0x10000u

/* Registers of one bit an interrupt, the same in the distributor and in the SGI frame: 0x80 bytes each. */
#define IGROUPR 0x0080u
#define ICFGR 0x0c00u
#define ICFGR_END 0x0d00u
#define IPRIORITYR 0x0400u
#define IPRIORITYR_END 0x0800u
enum bank { GROUP, SET_ENABLE, CLEAR_ENABLE, SET_PENDING, CLEAR_PENDING, SET_ACTIVE, CLEAR_ACTIVE };

bool gic_covers(const struct gic *g, u64 gpa)
{
	return g->cpus && (gpa - g->dist_base < GIC_DIST_SIZE || gpa - g->redist_base < g->cpus * GIC_REDIST_STRIDE);
}

/* --- registers of one bit, two bits and a byte for each interrupt ------------------------------------------------------- */

static u32 bank_read(const struct gic_block *b, enum bank bank)
{
	switch (bank) {
	case GROUP:
		return b->group;
	case SET_ENABLE:
	case CLEAR_ENABLE:
		return b->enabled;
	case SET_PENDING:
	case CLEAR_PENDING:
		return gic_pending(b);
	default:
		return b->active;
	}
}

static void bank_write(struct gic_block *b, enum bank bank, u32 v)
{
	switch (bank) {
	case GROUP:
		b->group = v;
		break;
	case SET_ENABLE:
		b->enabled |= v;
		break;
	case CLEAR_ENABLE:
		b->enabled &= ~v;
		break;
	case SET_PENDING:
		b->pending |= v;
		break;
	case CLEAR_PENDING:
		b->pending &= ~v;
		break;
	case SET_ACTIVE:
		b->active |= v;
		break;
	case CLEAR_ACTIVE:
		b->active &= ~v;
		break;
	}
}

/* Two bits an interrupt, the upper one says edge; 16 interrupts a word. */
static u32 config_read(const struct gic_block *b, u32 half)
{
	u32 bits = b->edge >> (half * 16), v = 0, i;

	for (i = 0; i < 16; i++)
		v |= (bits >> i & 1) << (2 * i + 1);
	return v;
}

static void config_write(struct gic_block *b, u32 half, u32 v)
{
	u32 i;

	for (i = 0; i < 16; i++) {
		u32 bit = 1u << (half * 16 + i);

		if (v >> (2 * i + 1) & 1)
			b->edge |= bit;
		else
			b->edge &= ~bit;
	}
}

/* The interrupts that a frame has: block 0 is the redistributor's, the others are the distributor's. */
struct frame {
	u32 cpu;
	u32 first;
	u32 last;
};

static bool frame_has(const struct frame *f, u32 block)
{
	return block >= f->first && block <= f->last;
}

static u64 common_read(struct gic *g, const struct frame *f, u32 at, u32 size)
{
	u32 block, i;
	u64 v = 0;

	if (at >= IGROUPR && at < IPRIORITYR && size == 4) {
		block = at % 0x80 / 4;
		return frame_has(f, block) ? bank_read(gic_block_of(g, f->cpu, block * 32), (at - IGROUPR) / 0x80) : 0;
	}
	if (at >= IPRIORITYR && at < IPRIORITYR_END) {
		for (i = 0; i < size && frame_has(f, (at - IPRIORITYR + i) / 32); i++)
			v |= (u64)*gic_priority_of(g, f->cpu, at - IPRIORITYR + i) << (8 * i);
		return v;
	}
	if (at >= ICFGR && at < ICFGR_END && size == 4) {
		block = (at - ICFGR) / 8;
		return frame_has(f, block) ? config_read(gic_block_of(g, f->cpu, block * 32), (at / 4) & 1) : 0;
	}
	return 0;
}

static void common_write(struct gic *g, const struct frame *f, u32 at, u32 size, u64 v)
{
	u32 block, i;

	if (at >= IGROUPR && at < IPRIORITYR && size == 4) {
		block = at % 0x80 / 4;
		if (!frame_has(f, block))
			return;
		bank_write(gic_block_of(g, f->cpu, block * 32), (at - IGROUPR) / 0x80, (u32)v);
	} else if (at >= IPRIORITYR && at < IPRIORITYR_END) {
		block = (at - IPRIORITYR) / 32;
		for (i = 0; i < size && frame_has(f, (at - IPRIORITYR + i) / 32); i++)
			*gic_priority_of(g, f->cpu, at - IPRIORITYR + i) = (u8)(v >> (8 * i)) & 0xf8;
	} else if (at >= ICFGR && at < ICFGR_END && size == 4) {
		block = (at - ICFGR) / 8;
		/* SGIs stay edges */
		if (!frame_has(f, block) || (!block && !((at / 4) & 1)))
			return;
		config_write(gic_block_of(g, f->cpu, block * 32), (at / 4) & 1, (u32)v);
	} else {
		return;
	}
	if (frame_has(f, block))
		gic_update(g, f->cpu, block);
}

/* --- the distributor ---------------------------------------------------------------------------------------------------- */

static const struct frame dist_frame = { 0, 1, GIC_BLOCKS - 1 };

static u64 dist_read(struct gic *g, u32 at, u32 size)
{
	if (at >= GICD_IROUTER && at < GICD_IROUTER_END) {
		u32 intid = (at - GICD_IROUTER) / 8;

		return at % 8 || intid < GIC_SPI_FIRST ? 0 : g->route[intid];
	}
	switch (at) {
	case GICD_CTLR:
		return (g->group_enabled ? CTLR_GRP1 : 0) | CTLR_ARE | CTLR_DS;
	case GICD_TYPER:
		return TYPER_LINES | TYPER_IDBITS | TYPER_NO1N | TYPER_RSS;
	case GICD_IIDR:
		return IIDR;
	case PIDR2:
		return PIDR2_GICV3;
	default:
		return common_read(g, &dist_frame, at, size);
	}
}

/* Who is addressed by no redistributor is nobody: the interrupt stays pending. */
static void route_write(struct gic *g, u32 intid, u64 v)
{
	if (intid < GIC_SPI_FIRST || intid > GIC_SPI_LAST)
		return;
	env_write_once(g->route[intid], v & 0xff00ffff00ull ? 0xff : (u8)v);
	gic_update(g, 0, intid / 32);
}

static void dist_write(struct gic *g, u32 at, u32 size, u64 v)
{
	u32 i;

	if (at >= GICD_IROUTER && at < GICD_IROUTER_END) {
		if (!(at % 8))
			route_write(g, (at - GICD_IROUTER) / 8, v);
		return;
	}
	if (at != GICD_CTLR) {
		common_write(g, &dist_frame, at, size, v);
		return;
	}
	g->group_enabled = !!(v & CTLR_GRP1);
	for (i = 0; i < g->cpus; i++)
		gic_update_cpu(g, i);
}

/* --- redistributors --------------------------------------------------------------------------------------------------- */

static u64 redist_read(struct gic *g, u32 cpu, u32 at, u32 size)
{
	const struct frame f = { cpu, 0, 0 };
	struct gic_cpu *c = &g->cpu[cpu];

	if (at >= GICR_SGI_FRAME)
		return common_read(g, &f, at - GICR_SGI_FRAME, size);
	switch (at) {
	case GICR_IIDR:
		return IIDR;
	case GICR_TYPER:
		return (u64)cpu << 32 | (u64)cpu << 8 | (cpu == g->cpus - 1 ? 0x10 : 0);
	case GICR_TYPER + 4:
		return cpu;
	case GICR_WAKER:
		return c->asleep ? WAKER_SLEEP | WAKER_ASLEEP : 0;
	case PIDR2:
		return PIDR2_GICV3;
	default:
		return 0;
	}
}

static void redist_write(struct gic *g, u32 cpu, u32 at, u32 size, u64 v)
{
	const struct frame f = { cpu, 0, 0 };

	if (at >= GICR_SGI_FRAME)
		common_write(g, &f, at - GICR_SGI_FRAME, size, v);
	else if (at == GICR_WAKER)
		g->cpu[cpu].asleep = !!(v & WAKER_SLEEP);
}

static u64 frame_read(struct gic *g, u64 gpa, u32 size)
{
	u64 at = gpa - g->dist_base;

	if (at < GIC_DIST_SIZE)
		return dist_read(g, (u32)at, size);
	at = gpa - g->redist_base;
	return redist_read(g, (u32)(at / GIC_REDIST_STRIDE), (u32)(at % GIC_REDIST_STRIDE), size);
}

static void frame_write(struct gic *g, u64 gpa, u32 size, u64 v)
{
	u64 at = gpa - g->dist_base;

	if (at < GIC_DIST_SIZE) {
		dist_write(g, (u32)at, size, v);
		return;
	}
	at = gpa - g->redist_base;
	redist_write(g, (u32)(at / GIC_REDIST_STRIDE), (u32)(at % GIC_REDIST_STRIDE), size, v);
}

u64 gic_read(struct gic *g, u64 gpa, u32 size)
{
	u64 v;

	env_lock_take(&g->lock);
	v = frame_read(g, gpa, size);
	env_lock_drop(&g->lock);
	return v;
}

void gic_write(struct gic *g, u64 gpa, u32 size, u64 value)
{
	env_lock_take(&g->lock);
	frame_write(g, gpa, size, value);
	env_lock_drop(&g->lock);
}
