// SPDX-License-Identifier: GPL-2.0 OR MIT
/* GICv3: inputs, and which interrupt is signalled to whom (IHI 0069, chapter 4). */
#include "gic.h"

static void block_reset(struct gic_block *b)
{
	memset(b, 0, sizeof(*b));
}

void gic_init(struct gic *g, u64 dist_base, u64 redist_base, u32 cpus, void (*signal)(void *context, u32 cpu, bool asserted),
	      void *context)
{
	u32 i;

	memset(g, 0, sizeof(*g));
	env_lock_init(&g->lock);
	g->dist_base = dist_base;
	g->redist_base = redist_base;
	g->cpus = cpus > GIC_CPUS ? GIC_CPUS : cpus;
	g->signal = signal;
	g->context = context;
	for (i = 0; i < GIC_BLOCKS; i++)
		block_reset(&g->spi[i]);
	for (i = 0; i < g->cpus; i++) {
		g->cpu[i].own.edge = 0xffff;	/* SGIs are edges */
		g->cpu[i].present = 1;
		g->cpu[i].asleep = 1;
		g->cpu[i].point = 3;
	}
}

struct gic_block *gic_block_of(struct gic *g, u32 cpu, u32 intid)
{
	return intid < GIC_SPI_FIRST ? &g->cpu[cpu].own : &g->spi[intid / 32];
}

u8 *gic_priority_of(struct gic *g, u32 cpu, u32 intid)
{
	return &gic_block_of(g, cpu, intid)->priority[intid % 32];
}

/* What may be signalled of a block: enabled, in group 1, and not being handled already. */
static u32 candidates(const struct gic_block *b)
{
	return gic_pending(b) & b->enabled & b->group & ~b->active;
}

struct best {
	u32 intid;
	u32 priority;
};

static void consider(struct best *best, const struct gic_block *b, u32 first, u32 bits)
{
	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		if (b->priority[n] < best->priority) {
			best->priority = b->priority[n];
			best->intid = first + n;
		}
	}
}

/* The bits of a block's candidates that are routed to @cpu. */
static u32 routed(const struct gic *g, u32 cpu, u32 block, u32 bits)
{
	u32 mine = 0, rest;

	for (rest = bits; rest; rest &= rest - 1) {
		u32 n = (u32)__builtin_ctz(rest);

		if (g->route[block * 32 + n] == cpu)
			mine |= 1u << n;
	}
	return mine;
}

static struct best best_of(struct gic *g, u32 cpu)
{
	struct best best = { GIC_SPURIOUS, 0x100 };
	u32 live = g->live;

	consider(&best, &g->cpu[cpu].own, 0, candidates(&g->cpu[cpu].own));
	for (; live; live &= live - 1) {
		u32 block = (u32)__builtin_ctz(live);

		consider(&best, &g->spi[block], block * 32, routed(g, cpu, block, candidates(&g->spi[block])));
	}
	return best;
}

/* Priorities below the binary point do not preempt (4.8.2). */
static u32 group_priority(const struct gic_cpu *c, u32 priority)
{
	return priority & (0xffu << c->point);
}

static bool preempts(const struct gic_cpu *c, u32 priority)
{
	if (priority >= c->mask)
		return false;
	return !c->running || group_priority(c, priority) < group_priority(c, (u32)__builtin_ctz(c->running) << 3);
}

u32 gic_best(struct gic *g, u32 cpu)
{
	struct gic_cpu *c = &g->cpu[cpu];
	struct best best;

	if (!g->group_enabled || !c->enabled)
		return GIC_SPURIOUS;
	best = best_of(g, cpu);
	return preempts(c, best.priority) ? best.intid : GIC_SPURIOUS;
}

void gic_update_cpu(struct gic *g, u32 cpu)
{
	bool now = gic_best(g, cpu) != GIC_SPURIOUS;

	if (now == (bool)g->cpu[cpu].asserted)
		return;
	g->cpu[cpu].asserted = now;
	g->signal(g->context, cpu, now);
}

void gic_update(struct gic *g, u32 cpu, u32 block)
{
	u32 i;

	if (!block) {
		gic_update_cpu(g, cpu);
		return;
	}
	if (candidates(&g->spi[block]))
		g->live |= 1u << block;
	else
		g->live &= ~(1u << block);
	for (i = 0; i < g->cpus; i++)
		gic_update_cpu(g, i);
}

static void set_line(struct gic *g, u32 cpu, u32 intid, bool high)
{
	struct gic_block *b = gic_block_of(g, cpu, intid);
	u32 bit = 1u << (intid % 32);

	if (!!(b->line & bit) == high)
		return;
	b->line ^= bit;
	if (high && (b->edge & bit))
		b->pending |= bit;
	gic_update(g, cpu, intid / 32);
}

void gic_ppi(struct gic *g, u32 cpu, u32 intid, bool high)
{
	if (cpu >= g->cpus || intid < 16 || intid >= GIC_SPI_FIRST)
		return;
	env_lock_take(&g->lock);
	set_line(g, cpu, intid, high);
	env_lock_drop(&g->lock);
}

void gic_spi(struct gic *g, u32 intid, bool high)
{
	if (!g->cpus || intid < GIC_SPI_FIRST || intid > GIC_SPI_LAST)
		return;
	env_lock_take(&g->lock);
	set_line(g, 0, intid, high);
	env_lock_drop(&g->lock);
}

u32 gic_post(struct gic *g, u32 intid)
{
	if (!g->cpus || intid < GIC_SPI_FIRST || intid > GIC_SPI_LAST)
		return 0;
	env_fetch_or(&g->posted[intid / 32], 1u << (intid % 32));
	env_store_release(&g->any_posted, 1);
	return 1u << (env_read_once(g->route[intid]) & 31);
}

void gic_take(struct gic *g)
{
	u32 i, bits;

	if (!env_load_acquire(&g->any_posted) || !env_xchg(&g->any_posted, 0))
		return;
	env_lock_take(&g->lock);
	for (i = 1; i < GIC_BLOCKS; i++) {
		bits = env_read_once(g->posted[i]) ? env_xchg(&g->posted[i], 0) : 0;
		if (!bits)
			continue;
		g->spi[i].pending |= bits;
		gic_update(g, 0, i);
	}
	env_lock_drop(&g->lock);
}
