// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Delivery of interrupts and exceptions, IRET, far transfers (3A chapter 6). */
#include "internal.h"

#define GATE_TASK 0x5u
#define GATE_INT16 0x6u
#define GATE_TRAP16 0x7u
#define GATE_INT32 0xeu
#define GATE_TRAP32 0xfu

static u16 external_bit(enum x86_event event)
{
	return event == X86_EVENT_SOFT ? 0 : 1;
}

static void enter_flags(struct x86_cpu *cpu, bool clear_if)
{
	cpu->rflags &= ~(X86_FLAG_TF | X86_FLAG_NT | X86_FLAG_RF | X86_FLAG_VM);
	if (clear_if)
		cpu->rflags &= ~X86_FLAG_IF;
}

/* Real mode: a far pointer in the vector table (3A 20.1.4). */
static enum x86_leave deliver_real(struct x86_cpu *cpu, u8 vector, enum x86_event event)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), target;
	enum x86_leave e;

	if (vector * 4u + 3 > cpu->idt.limit)
		return x86_raise_error(cpu, X86_GP, vector * 8u + 2 + external_bit(event));
	e = x86_lin_read(cpu, (u32)(cpu->idt.base + vector * 4u), 4, 0, &target);
	if (!e)
		e = x86_push(cpu, &sp, 2, x86_flags_get(cpu));
	if (!e)
		e = x86_push(cpu, &sp, 2, cpu->seg[X86_CS].selector);
	if (!e)
		e = x86_push(cpu, &sp, 2, cpu->rip);
	if (e)
		return e;
	x86_sp_put(cpu, sp);
	cpu->rflags &= ~(X86_FLAG_IF | X86_FLAG_TF | X86_FLAG_AC | X86_FLAG_RF);
	cpu->rip = target & 0xffff;
	cpu->seg[X86_CS].selector = (u16)(target >> 16);
	cpu->seg[X86_CS].base = (target >> 16) << 4;
	return X86_NEXT;
}

/* The stack of an inner level, from the TSS of 32 or 16 bits (3A 7.2.1). */
enum x86_leave x86_tss_stack(struct x86_cpu *cpu, u32 level, u16 *ss, u64 *sp)
{
	const struct x86_segment *tr = &cpu->seg[X86_TR];
	bool wide = tr->attributes & 8;
	u32 at = wide ? 4 + level * 8 : 2 + level * 4, size = wide ? 4 : 2;
	enum x86_leave e;
	u64 v;

	if (at + size + 1 > tr->limit)
		return x86_raise_error(cpu, X86_TS, tr->selector & 0xfffc);
	e = x86_lin_read(cpu, (u32)(tr->base + at), size, 0, sp);
	if (!e)
		e = x86_lin_read(cpu, (u32)(tr->base + at + size), 2, 0, &v);
	if (!e)
		*ss = (u16)v;
	return e;
}

/* Push onto a stack that is not SS yet. */
static enum x86_leave push_new(struct x86_cpu *cpu, const struct x86_segment *ss, u64 *sp, u32 size, u64 v)
{
	u64 mask = ss->attributes & 0x4000 ? 0xffffffff : 0xffff;
	u64 to = (*sp - size) & mask;
	bool down = ss->attributes & 4;

	if (down ? to <= ss->limit || to + size - 1 > mask : to + size - 1 > ss->limit)
		return x86_raise_error(cpu, X86_SS_FAULT, ss->selector & 0xfffc);
	*sp = to;
	return x86_lin_write(cpu, (u32)(ss->base + to), size, cpu->cpl == 3 ? X86_USER : 0, v);
}

struct frame {
	struct x86_segment ss;
	u64 sp;
	u32 size;
	u32 count;
	u64 value[11];
};

static enum x86_leave push_frame(struct x86_cpu *cpu, struct frame *f)
{
	enum x86_leave e;
	u32 n;

	for (n = 0; n < f->count; n++) {
		e = push_new(cpu, &f->ss, &f->sp, f->size, f->value[n]);
		if (e)
			return e;
	}
	return X86_NEXT;
}

static enum x86_leave gate_check(struct x86_cpu *cpu, u8 vector, u64 gate, enum x86_event event)
{
	u32 code = vector * 8u + 2 + external_bit(event), type = (gate >> 40) & 0x1f;

	if ((type != GATE_TASK || x86_long(cpu)) && (type & 0x1e) != GATE_INT32 && ((type & 0x1e) != GATE_INT16 || x86_long(cpu)))
		return x86_raise_error(cpu, X86_GP, code);
	if (event == X86_EVENT_SOFT && ((gate >> 45) & 3) < cpu->cpl)
		return x86_raise_error(cpu, X86_GP, code);
	if (!(gate & (1ull << 47)))
		return x86_raise_error(cpu, X86_NP, code);
	return X86_NEXT;
}

static enum x86_leave deliver_protected(struct x86_cpu *cpu, u8 vector, enum x86_event event, bool has_error, u32 error)
{
	u32 ext = external_bit(event), level, old_cpl = cpu->cpl, n;
	bool vm = cpu->rflags & X86_FLAG_VM;
	struct x86_descriptor cs, ss;
	struct frame f;
	enum x86_leave e;
	u16 selector, ss_selector;
	u64 gate, rip;

	if (vector * 8u + 7 > cpu->idt.limit)
		return x86_raise_error(cpu, X86_GP, vector * 8u + 2 + ext);
	e = x86_lin_read(cpu, (u32)(cpu->idt.base + vector * 8u), 8, 0, &gate);
	if (!e)
		e = gate_check(cpu, vector, gate, event);
	if (e)
		return e;
	selector = (u16)(gate >> 16);
	if (((gate >> 40) & 0x1f) == GATE_TASK) {
		bool switched;

		e = x86_task_switch(cpu, selector, X86_SWITCH_GATE, cpu->rip, has_error, error, &switched);
		x86_mode_update(cpu);
		return e;
	}
	rip = (gate & 0xffff) | (gate & (8ull << 40) ? (gate >> 32) & 0xffff0000 : 0);
	if (!(selector & 0xfffc))
		return x86_raise_error(cpu, X86_GP, ext);
	e = x86_descriptor_read(cpu, selector, X86_GP, &cs);
	if (e) {
		cpu->error |= cpu->vector == X86_GP ? ext : 0;
		return e;
	}
	level = (cs.seg.attributes >> 5) & 3;
	if ((cs.seg.attributes & 0x18) != 0x18 || level > cpu->cpl)
		return x86_raise_error(cpu, X86_GP, (selector & 0xfffc) | ext);
	if (!(cs.seg.attributes & 0x80))
		return x86_raise_error(cpu, X86_NP, (selector & 0xfffc) | ext);
	if (cs.seg.attributes & 4)
		level = cpu->cpl;
	if (vm && level)
		return x86_raise_error(cpu, X86_GP, (selector & 0xfffc) | ext);
	f.size = gate & (8ull << 40) ? 4 : 2;
	f.ss = cpu->seg[X86_SS];
	f.sp = cpu->r[X86_RSP] & x86_sp_mask(cpu);
	f.count = 0;
	if (level < cpu->cpl) {
		e = x86_tss_stack(cpu, level, &ss_selector, &f.sp);
		if (e)
			return e;
		if (!(ss_selector & 0xfffc))
			return x86_raise_error(cpu, X86_TS, ext);
		e = x86_descriptor_read(cpu, ss_selector, X86_TS, &ss);
		if (!e)
			e = x86_check_stack(cpu, ss_selector, &ss, level, X86_TS);
		if (e)
			return e;
		f.ss = ss.seg;
		for (n = X86_GS; vm && f.count < 4; n = n == X86_GS ? X86_FS : n == X86_FS ? X86_DS : X86_ES)
			f.value[f.count++] = cpu->seg[n].selector;
		f.value[f.count++] = cpu->seg[X86_SS].selector;
		f.value[f.count++] = cpu->r[X86_RSP];
	}
	f.value[f.count++] = x86_flags_get(cpu);
	f.value[f.count++] = cpu->seg[X86_CS].selector;
	f.value[f.count++] = cpu->rip;
	if (has_error)
		f.value[f.count++] = error;
	if (rip > cs.seg.limit)
		return x86_raise_error(cpu, X86_GP, ext);
	cpu->cpl = (u8)level;
	e = push_frame(cpu, &f);
	cpu->cpl = (u8)old_cpl;
	if (!e)
		e = x86_descriptor_access(cpu, &cs);
	if (e)
		return e;
	if (level < old_cpl) {
		cpu->seg[X86_SS] = f.ss;
		for (n = 0; vm && n < X86_SEGMENTS; n++) {
			if (n == X86_ES || n >= X86_DS) {
				if (n <= X86_GS)
					memset(&cpu->seg[n], 0, sizeof(cpu->seg[n]));
			}
		}
	}
	cpu->cpl = (u8)level;
	x86_sp_put(cpu, f.sp);
	cpu->seg[X86_CS] = cs.seg;
	cpu->seg[X86_CS].selector = (u16)((selector & 0xfffc) | level);
	cpu->rip = rip;
	enter_flags(cpu, !(gate & (1ull << 40)));
	return X86_NEXT;
}

/* 64-bit mode gates, IST, always a full frame (3A 6.14). */
static enum x86_leave deliver_long(struct x86_cpu *cpu, u8 vector, enum x86_event event, bool has_error, u32 error)
{
	u32 ext = external_bit(event), level, ist, at, n, count = 0;
	const struct x86_segment *tr = &cpu->seg[X86_TR];
	struct x86_descriptor cs;
	u64 low, high, rip, sp, value[6];
	enum x86_leave e;
	u16 selector;

	if (vector * 16u + 15 > cpu->idt.limit)
		return x86_raise_error(cpu, X86_GP, vector * 8u + 2 + ext);
	e = x86_lin_read(cpu, cpu->idt.base + vector * 16u, 8, 0, &low);
	if (!e)
		e = x86_lin_read(cpu, cpu->idt.base + vector * 16u + 8, 8, 0, &high);
	if (!e)
		e = gate_check(cpu, vector, low, event);
	if (e)
		return e;
	selector = (u16)(low >> 16);
	rip = (low & 0xffff) | ((low >> 32) & 0xffff0000) | high << 32;
	if (!(selector & 0xfffc))
		return x86_raise_error(cpu, X86_GP, ext);
	e = x86_descriptor_read(cpu, selector, X86_GP, &cs);
	if (e) {
		cpu->error |= cpu->vector == X86_GP ? ext : 0;
		return e;
	}
	level = (cs.seg.attributes >> 5) & 3;
	if ((cs.seg.attributes & 0x18) != 0x18 || level > cpu->cpl || (cs.seg.attributes & 0x6000) != 0x2000)
		return x86_raise_error(cpu, X86_GP, (selector & 0xfffc) | ext);
	if (!(cs.seg.attributes & 0x80))
		return x86_raise_error(cpu, X86_NP, (selector & 0xfffc) | ext);
	if (cs.seg.attributes & 4)
		level = cpu->cpl;
	ist = (low >> 32) & 7;
	sp = cpu->r[X86_RSP];
	if (ist || level < cpu->cpl) {
		at = ist ? 0x24 + (ist - 1) * 8 : 4 + level * 8;
		if (at + 7 > tr->limit)
			return x86_raise_error(cpu, X86_TS, (tr->selector & 0xfffc) | ext);
		e = x86_lin_read(cpu, tr->base + at, 8, 0, &sp);
		if (e)
			return e;
	}
	if (!x86_canonical(sp))
		return x86_raise_error(cpu, X86_SS_FAULT, ext);
	if (!x86_canonical(rip))
		return x86_raise_error(cpu, X86_GP, ext);
	sp &= ~15ull;
	value[count++] = cpu->seg[X86_SS].selector;
	value[count++] = cpu->r[X86_RSP];
	value[count++] = x86_flags_get(cpu);
	value[count++] = cpu->seg[X86_CS].selector;
	value[count++] = cpu->rip;
	if (has_error)
		value[count++] = error;
	for (n = 0; n < count; n++) {
		sp -= 8;
		if (!x86_canonical(sp))
			return x86_raise_error(cpu, X86_SS_FAULT, ext);
		e = x86_lin_write(cpu, sp, 8, level == 3 ? X86_USER : 0, value[n]);
		if (e)
			return e;
	}
	e = x86_descriptor_access(cpu, &cs);
	if (e)
		return e;
	if (level < cpu->cpl) {
		memset(&cpu->seg[X86_SS], 0, sizeof(cpu->seg[X86_SS]));
		cpu->seg[X86_SS].selector = (u16)level;
		cpu->seg[X86_SS].attributes = (u16)(level << 5);
	}
	cpu->cpl = (u8)level;
	cpu->r[X86_RSP] = sp;
	cpu->seg[X86_CS] = cs.seg;
	cpu->seg[X86_CS].selector = (u16)((selector & 0xfffc) | level);
	cpu->rip = rip;
	enter_flags(cpu, !(low & (1ull << 40)));
	return X86_NEXT;
}

/* Table 6-5 of 3A 6.15: which pairs of exceptions make a double fault. */
static bool contributory(u8 v)
{
	return v == X86_DE || (v >= X86_TS && v <= X86_GP);
}

enum x86_leave x86_deliver(struct x86_cpu *cpu, u8 vector, enum x86_event event, bool has_error, u32 error)
{
	u64 rf = cpu->rflags & X86_FLAG_RF;
	enum x86_leave e;
	bool pair;

	for (;;) {
		/* faults (not traps) push RF set, so that a breakpoint on the instruction does not hit again (3B 17.3.1.1) */
		if (event == X86_EVENT_EXCEPTION && (vector != X86_DB || cpu->was_rf == 2) && vector != X86_DF && !x86_real(cpu))
			cpu->rflags |= X86_FLAG_RF;
		if (x86_real(cpu))
			e = deliver_real(cpu, vector, event);
		else if (x86_long(cpu))
			e = deliver_long(cpu, vector, event, has_error, error);
		else
			e = deliver_protected(cpu, vector, event, has_error, error);
		if (e != X86_FAULT)
			break;
		cpu->rflags = (cpu->rflags & ~X86_FLAG_RF) | rf;
		if (event == X86_EVENT_EXCEPTION && vector == X86_DF) {
			cpu->shutdown = 1;
			cpu->stop = HV_EXIT_SHUTDOWN;
			return X86_STOP;
		}
		if (event == X86_EVENT_SOFT)
			cpu->rip = cpu->insn_rip;
		pair = event == X86_EVENT_EXCEPTION &&
		       ((contributory(vector) && contributory(cpu->vector)) ||
			(vector == X86_PF && (cpu->vector == X86_PF || contributory(cpu->vector))));
		event = X86_EVENT_EXCEPTION;
		vector = pair ? X86_DF : cpu->vector;
		has_error = pair || cpu->has_error;
		error = pair ? 0 : cpu->error;
	}
	if (e != X86_NEXT) {
		cpu->rflags = (cpu->rflags & ~X86_FLAG_RF) | rf;
		return e;
	}
	if (vector == X86_DB)
		cpu->dr[7] &= ~0x2000ull;	/* GD: the handler may use the debug registers (3B 17.2.4) */
	cpu->hv.epoch++;
	x86_mode_update(cpu);
	return X86_JUMP;
}

static enum x86_leave iret_real(struct x86_cpu *cpu, u32 size)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), rip, cs, flags, keep;
	enum x86_leave e;

	e = x86_pop(cpu, &sp, size, &rip);
	if (!e)
		e = x86_pop(cpu, &sp, size, &cs);
	if (!e)
		e = x86_pop(cpu, &sp, size, &flags);
	if (!e)
		e = x86_check_rip(cpu, &cpu->seg[X86_CS], rip);
	if (e)
		return e;
	/* 2A IRET: a 32-bit one leaves VM, VIF and VIP alone; a 16-bit one everything above bit 15 */
	keep = size == 4 ? X86_FLAG_VM | X86_FLAG_VIF | X86_FLAG_VIP : ~0xffffull;
	if (cpu->rflags & X86_FLAG_VM)
		keep |= X86_FLAG_IOPL;
	x86_flags_load(cpu, ((flags & ~keep) | (cpu->rflags & keep)) & 0x3f7fd7);
	x86_sp_put(cpu, sp);
	cpu->rip = rip;
	cpu->seg[X86_CS].selector = (u16)cs;
	cpu->seg[X86_CS].base = (cs & 0xffff) << 4;
	return X86_NEXT;
}

/* Flags that IRET may change at this privilege. */
static u64 return_flags(struct x86_cpu *cpu, u64 flags, u32 size)
{
	u64 may = X86_FLAGS_ARITH | X86_FLAG_TF | X86_FLAG_DF | X86_FLAG_NT, old = x86_flags_get(cpu);

	if (size > 2)
		may |= X86_FLAG_RF | X86_FLAG_AC | X86_FLAG_ID;
	if (cpu->cpl <= ((cpu->rflags & X86_FLAG_IOPL) >> 12))
		may |= X86_FLAG_IF;
	if (!cpu->cpl) {
		may |= X86_FLAG_IOPL;
		if (size > 2)
			may |= X86_FLAG_VIF | X86_FLAG_VIP;
	}
	return (old & ~may) | (flags & may);
}

/* Far return and IRET of protected and long mode; @extra: bytes of parameters that RETF n drops on both stacks. */
static enum x86_leave return_far(struct x86_cpu *cpu, u32 size, bool with_flags, u32 extra)
{
	bool long_frame = with_flags && x86_code64(cpu);
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), rip, cs_raw, flags = 0, new_sp = 0, ss_raw = 0;
	struct x86_descriptor cs, ss;
	bool outer, null_ss = false;
	enum x86_leave e;
	u16 cs_sel, ss_sel;
	u32 rpl;

	e = x86_pop(cpu, &sp, size, &rip);
	if (!e)
		e = x86_pop(cpu, &sp, size, &cs_raw);
	if (!e && with_flags)
		e = x86_pop(cpu, &sp, size, &flags);
	if (e)
		return e;
	cs_sel = (u16)cs_raw;
	if (with_flags && size == 4 && (flags & X86_FLAG_VM) && !cpu->cpl && !x86_long(cpu))
		return x86_iret_86(cpu, rip, cs_sel, flags, sp);
	if (!(cs_sel & 0xfffc))
		return x86_raise_error(cpu, X86_GP, 0);
	e = x86_descriptor_read(cpu, cs_sel, X86_GP, &cs);
	if (e)
		return e;
	rpl = cs_sel & 3;
	if (rpl < cpu->cpl)
		return x86_raise_error(cpu, X86_GP, cs_sel & 0xfffc);
	e = x86_check_code(cpu, cs_sel, &cs, rpl, true);
	if (e)
		return e;
	outer = rpl > cpu->cpl;
	sp += extra;
	memset(&ss, 0, sizeof(ss));
	if (outer || long_frame) {
		e = x86_pop(cpu, &sp, size, &new_sp);
		if (!e)
			e = x86_pop(cpu, &sp, size, &ss_raw);
		if (e)
			return e;
		ss_sel = (u16)ss_raw;
		if (!(ss_sel & 0xfffc)) {
			null_ss = x86_long(cpu) && (cs.seg.attributes & 0x2000) && rpl != 3 && (ss_sel & 3) == rpl;
			if (!null_ss)
				return x86_raise_error(cpu, X86_GP, 0);
			ss.seg.selector = ss_sel;
			ss.seg.attributes = (u16)(rpl << 5);
		} else {
			e = x86_descriptor_read(cpu, ss_sel, X86_GP, &ss);
			if (!e)
				e = x86_check_stack(cpu, ss_sel, &ss, rpl, X86_GP);
			if (e)
				return e;
		}
	}
	e = x86_check_rip(cpu, &cs.seg, rip);
	if (!e)
		e = x86_descriptor_access(cpu, &cs);
	if (!e && (outer || long_frame) && !null_ss)
		e = x86_descriptor_access(cpu, &ss);
	if (e)
		return e;
	if (with_flags)
		x86_flags_load(cpu, return_flags(cpu, flags, size));
	cpu->seg[X86_CS] = cs.seg;
	cpu->rip = rip;
	cpu->cpl = (u8)rpl;
	if (outer || long_frame) {
		cpu->seg[X86_SS] = ss.seg;
		x86_mode_update(cpu);
		x86_sp_put(cpu, new_sp + (outer ? extra : 0));
		if (outer)
			x86_null_outer_segments(cpu);
	} else {
		x86_mode_update(cpu);
		x86_sp_put(cpu, sp);
	}
	return X86_NEXT;
}

/* IRET with NT set: back along the link; @size only tells how long the instruction is remembered to be. */
static enum x86_leave task_return(struct x86_cpu *cpu, u32 size)
{
	enum x86_leave e;
	u64 link;

	(void)size;
	e = x86_lin_read(cpu, (u32)cpu->seg[X86_TR].base, 2, 0, &link);
	if (e)
		return e;
	cpu->nmi_blocked = 0;
	return x86_task_jump(cpu, (u16)link, X86_SWITCH_IRET, cpu->iret_next);
}

enum x86_leave x86_iret(struct x86_cpu *cpu, u32 size)
{
	enum x86_leave e;

	if (x86_real(cpu))
		e = iret_real(cpu, size);
	else if (cpu->rflags & X86_FLAG_VM)
		e = x86_sensitive_86(cpu) ? x86_raise_error(cpu, X86_GP, 0) : iret_real(cpu, size);
	else if ((cpu->rflags & X86_FLAG_NT) && x86_long(cpu))
		e = x86_raise_error(cpu, X86_GP, 0);
	else if (cpu->rflags & X86_FLAG_NT)
		return task_return(cpu, size);
	else
		e = return_far(cpu, size, true, 0);
	if (e)
		return e;
	cpu->nmi_blocked = 0;
	cpu->hv.epoch++;
	x86_mode_update(cpu);
	return X86_JUMP;
}

enum x86_leave x86_far_return(struct x86_cpu *cpu, u32 size, u32 extra)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), rip, cs;
	enum x86_leave e;

	if (!x86_real(cpu) && !(cpu->rflags & X86_FLAG_VM)) {
		e = return_far(cpu, size, false, extra);
		if (e)
			return e;
	} else {
		e = x86_pop(cpu, &sp, size, &rip);
		if (!e)
			e = x86_pop(cpu, &sp, size, &cs);
		if (!e)
			e = x86_check_rip(cpu, &cpu->seg[X86_CS], rip);
		if (e)
			return e;
		x86_sp_put(cpu, sp + extra);
		cpu->rip = rip;
		cpu->seg[X86_CS].selector = (u16)cs;
		cpu->seg[X86_CS].base = (cs & 0xffff) << 4;
	}
	x86_mode_update(cpu);
	return X86_JUMP;
}

/* Far JMP and CALL; gates and tasks: task.c */
enum x86_leave x86_far_jump(struct x86_cpu *cpu, u16 selector, u64 rip, bool call, u32 size, u64 next)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu);
	bool real = x86_real(cpu) || (cpu->rflags & X86_FLAG_VM);
	struct x86_descriptor cs;
	enum x86_leave e;

	if (!real) {
		if (!(selector & 0xfffc))
			return x86_raise_error(cpu, X86_GP, 0);
		e = x86_descriptor_read(cpu, selector, X86_GP, &cs);
		if (!e && !(cs.seg.attributes & 0x10))
			return x86_far_system(cpu, selector, &cs, call, next);
		if (!e)
			e = x86_check_code(cpu, selector, &cs, cpu->cpl, false);
		if (e)
			return e;
	} else {
		cs.seg = cpu->seg[X86_CS];
		cs.seg.selector = selector;
		cs.seg.base = (u64)selector << 4;
	}
	e = x86_check_rip(cpu, &cs.seg, rip);
	if (!e && call) {
		e = x86_push(cpu, &sp, size, cpu->seg[X86_CS].selector);
		if (!e)
			e = x86_push(cpu, &sp, size, next);
	}
	if (!e && !real)
		e = x86_descriptor_access(cpu, &cs);
	if (e)
		return e;
	x86_sp_put(cpu, sp);
	cpu->seg[X86_CS] = cs.seg;
	if (!real)
		cpu->seg[X86_CS].selector = (u16)((selector & 0xfffc) | cpu->cpl);
	cpu->rip = rip;
	x86_mode_update(cpu);
	return X86_JUMP;
}
