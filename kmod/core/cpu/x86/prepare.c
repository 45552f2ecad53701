// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Between blocks: requests, interrupts, traps, and the block to run next - found, verified or decoded. */
#include "prepare.h"

/* Largest number of bytes of a block: offsets of instructions fit a byte. */
#define BLOCK_BYTES 240u

static struct hv_block *find(struct x86_cpu *cpu, u64 gpa, u32 mode)
{
	struct hv_block *b = hv_blocks_find(&cpu->hv.blocks, gpa, mode);

	while (b && (b->gpa != gpa || b->mode != mode || b->va != cpu->rip))
		b = b->hash_next;
	return b;
}

ENV_GUEST void copy_code(u8 *to, const u8 *from, u32 n)
{
	while (n--)
		*to++ = env_guest_ld8(from++);
}

static u64 linear_rip(const struct x86_cpu *cpu)
{
	return x86_code64(cpu) ? cpu->rip : (u32)(cpu->seg[X86_CS].base + cpu->rip);
}

/* Decode at cpu->rip into *out. */
static enum x86_leave decode(struct x86_cpu *cpu, u64 lin, u8 *host, u64 gpa, u32 mode, struct hv_block **out)
{
	u32 left = (u32)(HV_PAGE_SIZE - (lin & ~HV_PAGE_MASK)), n = left < X86_RAW_MAX ? left : X86_RAW_MAX, at = 0, len, k;
	u32 most = mode & X86_MODE_ONE ? 1 : HV_BLOCK_MAX - 1;
	struct hv_blocks *bs = &cpu->hv.blocks;
	u8 *host2 = NULL;
	u64 gpa2 = 0, lin2 = (lin & HV_PAGE_MASK) + HV_PAGE_SIZE;
	struct x86_insn *i;
	struct hv_block *b;
	enum x86_leave e;
	bool fresh;

	b = hv_blocks_room(bs, sizeof(*i), X86_RAW_MAX);
	if (!b) {
		cpu->from = NULL;
		if (!bs->want)
			b = hv_blocks_room(bs, sizeof(*i), X86_RAW_MAX);
		if (!b) {
			cpu->stop = HV_EXIT_ARENA;
			return X86_STOP;
		}
	}
	memset(b, 0, sizeof(*b));
	i = hv_block_insns(b);
	copy_code(cpu->window, host, n);
	while (b->count < most) {
		len = x86_decode(cpu->window + at, n - at, cpu->rip + at, mode, &i[b->count]);
		if (!len && !at && n == left && !host2) {	/* the first instruction goes on in the next page */
			if (!x86_code64(cpu))
				lin2 = (u32)lin2;
			e = x86_fetch_page(cpu, lin2, &host2, &gpa2);
			if (e)
				return e;
			copy_code(cpu->window + n, host2, 15);
			n += 15;
			most = 1;
			continue;
		}
		if (!len || at + len > BLOCK_BYTES)
			break;
		i[b->count].off = (u8)at;
		at += len;
		if (i[b->count++].flags & X86_I_LAST)
			break;
	}
	b->gpa = gpa;
	b->va = cpu->rip;
	b->mode = mode;
	b->epoch = cpu->hv.epoch;
	b->bytes = (u16)at;
	b->first = (u16)(at < left ? at : left);
	b->code = host;
	b->code2 = at > left ? host2 : NULL;
	for (k = 0; k < b->count; k++) {
		i[k].op = HV_OP_SLOW;
		/* single steps take the general path: two implementations that tests can hold against each other */
		if (!(mode & X86_MODE_ONE))
			x86_specialise(&i[k], mode);
	}
	for (k = 0; k + 1 < b->count; k++)
		x86_fuse(&i[k], mode);
	x86_drop_flags(i, b->count);
	x86_second_numbers(i, b->count);
	i[b->count].op = HV_OP_END;
	/* the END slot is not an instruction, yet takes room */
	b->count++;
	fresh = hv_blocks_insert(bs, b, sizeof(*i));
	b->count--;
	/* what was decoded, not what memory holds by now: a difference shows at the next verification */
	memcpy(b->raw, cpu->window, at);
	if (at > left)
		fresh |= hv_blocks_mark(bs, gpa2);
	if (fresh)
		x86_tlb_flush_writes(cpu);
	*out = b;
	return X86_NEXT;
}

static enum x86_leave find_or_decode(struct x86_cpu *cpu, u64 lin, u32 mode, struct hv_block **out)
{
	u8 *host, *host2;
	u64 gpa, gpa2;
	struct hv_block *b;
	enum x86_leave e;

	e = x86_fetch_page(cpu, lin, &host, &gpa);
	if (e)
		return e;
	for (;;) {
		b = find(cpu, gpa, mode);
		if (!b)
			return decode(cpu, lin, host, gpa, mode, out);
		if (b->bytes > b->first) {
			/* another address space may continue on another page */
			e = x86_fetch_page(cpu, x86_code64(cpu) ? lin + b->first : (u32)(lin + b->first), &host2, &gpa2);
			if (e)
				return e;
			if (host2 != b->code2)
				b->epoch = 0;
			b->code2 = host2;
			if (hv_blocks_mark(&cpu->hv.blocks, gpa2))
				x86_tlb_flush_writes(cpu);
		}
		b->code = host;
		if (b->epoch == cpu->hv.epoch || hv_block_verify(&cpu->hv.blocks, b, cpu->hv.epoch)) {
			*out = b;
			return X86_NEXT;
		}
	}
}

static enum x86_leave next_block(struct x86_cpu *cpu, u64 left, bool one)
{
	u64 lin = linear_rip(cpu), limit = cpu->seg[X86_CS].limit;
	u32 mode = cpu->mode & ~(X86_MODE_TRAP | X86_MODE_DEBUG);
	struct hv_block *b;
	enum x86_leave e;

	if (x86_code64(cpu) ? !x86_canonical(cpu->rip) : cpu->rip > limit)
		return x86_raise_error(cpu, X86_GP, 0);
	for (;;) {
		b = NULL;
		if (!one) {
			b = hv_jump_get(&cpu->hv.blocks, lin, cpu->hv.key);
			if (b && (b->va != cpu->rip ||
				  (b->epoch != cpu->hv.epoch && !hv_block_verify(&cpu->hv.blocks, b, cpu->hv.epoch))))
				b = NULL;
		}
		if (!b) {
			e = find_or_decode(cpu, lin, one ? mode | X86_MODE_ONE : mode, &b);
			if (e)
				return e;
		}
		if (!x86_code64(cpu) && cpu->rip + b->bytes - 1 > limit) {
			if (one)
				return x86_raise_error(cpu, X86_GP, 0);
			one = true;
			continue;
		}
		if (left >= b->count)
			break;
		one = true;
	}
	if (!one) {
		hv_jump_put(&cpu->hv.blocks, lin, cpu->hv.key, b);
		/* a block's direct targets are constants only where RIP is the linear address */
		if (cpu->from && (mode & X86_MODE_FLAT_CS) && !(cpu->from->mode & X86_MODE_ONE)) {
			cpu->from->link[cpu->from_slot].to = b;
			cpu->from->link[cpu->from_slot].key = cpu->hv.key;
		}
	}
	cpu->block = b;
	return X86_NEXT;
}

static void drop_everything(struct x86_cpu *cpu)
{
	env_fetch_and(&cpu->hv.request, ~HV_REQ_FLUSH);
	hv_blocks_flush(&cpu->hv.blocks);
	cpu->from = NULL;
	cpu->block = NULL;
	x86_tlb_flush(cpu);
}

/* Take an interrupt if one is there: X86_JUMP if it was delivered, X86_NEXT if there is none. */
static enum x86_leave take_interrupt(struct x86_cpu *cpu)
{
	enum x86_leave e;
	int vector = cpu->pending - 1;

	if (vector < 0) {
		/* cleared first: a request that comes meanwhile sets it again */
		env_fetch_and(&cpu->hv.request, ~HV_REQ_IRQ);
		if (!cpu->hv.irq.acknowledge)
			return X86_NEXT;
		vector = cpu->hv.irq.acknowledge(cpu->hv.irq.context);
		if (vector < 0)
			return X86_NEXT;
		env_fetch_or(&cpu->hv.request, HV_REQ_IRQ);
	}
	cpu->hv.idle = 0;
	/* it is in service already: should the delivery have to wait for a page, it must not be lost */
	cpu->pending = (u16)(vector + 1);
	e = x86_deliver(cpu, (u8)vector, X86_EVENT_EXTERNAL, false, 0);
	if (e == X86_JUMP)
		cpu->pending = 0;
	return e;
}

static enum x86_leave take_nmi(struct x86_cpu *cpu)
{
	enum x86_leave e;

	cpu->hv.idle = 0;
	e = x86_deliver(cpu, X86_NMI, X86_EVENT_EXTERNAL, false, 0);
	if (e == X86_JUMP) {
		env_fetch_and(&cpu->hv.request, ~HV_REQ_NMI);
		cpu->nmi_blocked = 1;
	}
	return e;
}

bool x86_has_work(const struct x86_cpu *cpu)
{
	return !cpu->hv.idle || x86_called(cpu);
}

bool x86_called(const struct x86_cpu *cpu)
{
	u32 request = env_read_once(cpu->hv.request);

	if (request & ~(HV_REQ_IRQ | HV_REQ_NMI))
		return true;
	return ((request & HV_REQ_IRQ) && (cpu->rflags & X86_FLAG_IF)) || ((request & HV_REQ_NMI) && !cpu->nmi_blocked);
}

static enum x86_leave raise_pending(struct x86_cpu *cpu)
{
	return x86_deliver(cpu, cpu->vector, X86_EVENT_EXCEPTION, cpu->has_error, cpu->error);
}

/* An instruction breakpoint is a fault, before anything else of the instruction; RF holds it off once (3B 17.3.1.1). */
static enum x86_leave code_breakpoint(struct x86_cpu *cpu)
{
	enum x86_leave e;

	if ((cpu->rflags & X86_FLAG_RF) || cpu->shadow == 2 || cpu->hv.replay.done)
		return X86_NEXT;
	if (!x86_debug_match(cpu, linear_rip(cpu), 1, 0))
		return X86_NEXT;
	cpu->dr[6] |= cpu->debug_hit;
	cpu->debug_hit = 0;
	cpu->was_rf = 2;	/* the frame gets RF set: this #DB is a fault */
	e = x86_deliver(cpu, X86_DB, X86_EVENT_EXCEPTION, false, 0);
	cpu->was_rf = 0;
	return e;
}

/*
 * Events that follow each other without an instruction between them use no budget, and a guest can make them follow for
 * ever: a page fault handler that is not mapped, on a stack of its own.  Whoever runs the CPU must get it back all the same.
 */
#define TURNS_MAX 64

static bool stands_still(struct x86_cpu *cpu)
{
	if (likely(cpu->hv.retired != cpu->turned_at)) {
		cpu->turned_at = cpu->hv.retired;
		cpu->turns = 0;
		return false;
	}
	if (++cpu->turns < TURNS_MAX)
		return false;
	cpu->turns = 0;
	return true;
}

enum hv_exit_kind x86_prepare(struct x86_cpu *cpu, u64 left)
{
	enum x86_leave e;
	u32 request;

	cpu->block = NULL;
	if (!x86_tlb_adopt(cpu))
		return HV_EXIT_ARENA;
	for (;;) {
		if (cpu->shutdown)
			return HV_EXIT_SHUTDOWN;
		request = env_load_acquire(&cpu->hv.request);
		if (unlikely(request)) {
			if (request & HV_REQ_FLUSH)
				drop_everything(cpu);
			if (request & HV_REQ_STOP) {
				env_fetch_and(&cpu->hv.request, ~HV_REQ_STOP);
				return HV_EXIT_KICK;
			}
			if (request & HV_REQ_WAKE) {
				env_fetch_and(&cpu->hv.request, ~HV_REQ_WAKE);
				cpu->hv.idle = 0;
			}
		}
		if (!left && !cpu->hv.idle)
			return HV_EXIT_BUDGET;
		if (unlikely(stands_still(cpu)))
			return HV_EXIT_BUDGET;
		if (unlikely(cpu->gives_way)) {
			cpu->gives_way = 0;
			return HV_EXIT_PAUSE;
		}
		if (unlikely(cpu->trap || cpu->debug_hit) && cpu->shadow == 2)
			cpu->trap = 0;	/* behind MOV SS: a single step is lost, a data breakpoint waits */
		else if (unlikely(cpu->trap || cpu->debug_hit)) {
			cpu->dr[6] |= cpu->debug_hit | (cpu->trap ? 1u << 14 : 0);
			cpu->trap = 0;
			cpu->debug_hit = 0;
			cpu->was_rf = 0;
			if (x86_deliver(cpu, X86_DB, X86_EVENT_EXCEPTION, false, 0) == X86_STOP)
				return cpu->stop;
			cpu->from = NULL;
			continue;
		}
		if (unlikely((request & HV_REQ_NMI) && !cpu->nmi_blocked && !cpu->shadow && !cpu->hv.replay.done)) {
			e = take_nmi(cpu);
			if (e == X86_STOP)
				return cpu->stop;
			cpu->from = NULL;
			continue;
		}
		if (unlikely(((request & HV_REQ_IRQ) || cpu->pending) && (cpu->rflags & X86_FLAG_IF) && !cpu->shadow &&
			     !cpu->hv.replay.done)) {
			e = take_interrupt(cpu);
			if (e == X86_STOP)
				return cpu->stop;
			if (e == X86_JUMP) {
				cpu->from = NULL;
				continue;
			}
		}
		if (cpu->hv.idle)
			return HV_EXIT_IDLE;
		e = unlikely(cpu->mode & X86_MODE_DEBUG) ? code_breakpoint(cpu) : X86_NEXT;
		if (e == X86_STOP)
			return cpu->stop;
		if (e) {
			cpu->from = NULL;
			continue;
		}
		e = next_block(cpu, left, cpu->shadow || (cpu->mode & (X86_MODE_TRAP | X86_MODE_DEBUG)) || cpu->hv.replay.done);
		if (e == X86_NEXT)
			break;
		if (e == X86_FAULT)
			e = raise_pending(cpu);
		if (e == X86_STOP)
			return cpu->stop;
		cpu->from = NULL;
	}
	cpu->from = NULL;
	cpu->was_shadow = cpu->shadow;
	cpu->was_rf = !!(cpu->rflags & X86_FLAG_RF);
	cpu->rflags &= ~X86_FLAG_RF;
	cpu->shadow = 0;
	cpu->trap = !!(cpu->mode & X86_MODE_TRAP);
	return HV_EXIT_NONE;
}

enum hv_exit_kind x86_leave_block(struct x86_cpu *cpu, struct x86_insn *i, enum x86_leave e)
{
	switch (e) {
	case X86_JUMP:
		return HV_EXIT_NONE;
	case X86_FAULT:
		cpu->trap = 0;
		cpu->debug_hit = 0;
		cpu->insn_rip = x86_this_rip(cpu, i);
		cpu->rip = cpu->soft ? x86_next_rip(cpu, i) : cpu->insn_rip;
		e = x86_deliver(cpu, cpu->vector, cpu->soft ? X86_EVENT_SOFT : X86_EVENT_EXCEPTION, cpu->has_error, cpu->error);
		if (e != X86_STOP)
			return HV_EXIT_NONE;
		cpu->rip = cpu->insn_rip;
		break;
	case X86_AGAIN:
		cpu->rip = x86_this_rip(cpu, i);
		/* traps come after each iteration, RIP at the instruction (3B 17.3.1.4) */
		if (cpu->trap || cpu->debug_hit)
			return HV_EXIT_NONE;
		break;
	default:
		cpu->rip = x86_this_rip(cpu, i);
	}
	cpu->trap = 0;
	cpu->debug_hit = 0;
	cpu->shadow = cpu->was_shadow;
	if (cpu->was_rf)
		cpu->rflags |= X86_FLAG_RF;
	return e == X86_AGAIN ? HV_EXIT_NONE : cpu->stop;
}
