// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Hardware task switches (3A chapter 7), call gates (3A 5.8.3 to 5.8.5), the way back to virtual-8086 mode (3A 20.2.5). */
#include "internal.h"

#define TRY(call)                                                                                                        \
	do {                                                                                                              \
		enum x86_leave leave_ = (call);                                                                           \
		if (leave_)                                                                                               \
			return leave_;                                                                                    \
	} while (0)

#define TSS32_SIZE 0x68u
#define TSS16_SIZE 0x2cu

static enum x86_leave fault(struct x86_cpu *cpu, u8 vector, u16 selector)
{
	return x86_raise_error(cpu, vector, selector & 0xfffc);
}

/* Offsets in a TSS: registers, then segments */
static u32 register_at(bool wide, u32 n) { return wide ? 0x28 + n * 4 : 0x12 + n * 2; }
static u32 segment_at(bool wide, u32 n) { return wide ? 0x48 + n * 4 : 0x22 + n * 2; }

static enum x86_leave save(struct x86_cpu *cpu, u64 flags, u64 rip)
{
	const struct x86_segment *tr = &cpu->seg[X86_TR];
	bool wide = tr->attributes & 8;
	u32 size = wide ? 4 : 2, n;

	TRY(x86_lin_write(cpu, (u32)(tr->base + (wide ? 0x20 : 0x0e)), size, 0, rip));
	TRY(x86_lin_write(cpu, (u32)(tr->base + (wide ? 0x24 : 0x10)), size, 0, flags));
	for (n = 0; n < 8; n++)
		TRY(x86_lin_write(cpu, (u32)(tr->base + register_at(wide, n)), size, 0, cpu->r[n]));
	for (n = X86_ES; n <= (wide ? X86_GS : X86_DS); n++)
		TRY(x86_lin_write(cpu, (u32)(tr->base + segment_at(wide, n)), 2, 0, cpu->seg[n].selector));
	return X86_NEXT;
}

static enum x86_leave busy_bit(struct x86_cpu *cpu, u64 at, bool set)
{
	u64 v;

	TRY(x86_lin_read(cpu, at + 5, 1, 0, &v));
	return x86_lin_write(cpu, at + 5, 1, 0, set ? v | 2 : v & ~2ull);
}

void x86_segment_86(struct x86_cpu *cpu, u32 n, u16 selector)
{
	cpu->seg[n] = (struct x86_segment){ selector, 0xf3, 0xffff, (u64)selector << 4 };
}

/* Segments of the new task: what is wrong with them is the new task's #TS (3A 7.3, step 13 on). */
static enum x86_leave load_segments(struct x86_cpu *cpu, const u16 *sel, u16 ldt)
{
	static const u8 order[] = { X86_ES, X86_DS, X86_FS, X86_GS };
	struct x86_descriptor d;
	enum x86_leave e;
	u32 n;

	if (x86_load_ldtr(cpu, ldt))
		return fault(cpu, X86_TS, ldt);
	if (cpu->rflags & X86_FLAG_VM) {
		for (n = X86_ES; n <= X86_GS; n++)
			x86_segment_86(cpu, n, sel[n]);
		cpu->cpl = 3;
		return X86_NEXT;
	}
	cpu->cpl = sel[X86_CS] & 3;
	if (!(sel[X86_SS] & 0xfffc))
		return fault(cpu, X86_TS, sel[X86_SS]);
	TRY(x86_descriptor_read(cpu, sel[X86_SS], X86_TS, &d));
	TRY(x86_check_stack(cpu, sel[X86_SS], &d, cpu->cpl, X86_TS));
	TRY(x86_descriptor_access(cpu, &d));
	cpu->seg[X86_SS] = d.seg;
	if (!(sel[X86_CS] & 0xfffc))
		return fault(cpu, X86_TS, sel[X86_CS]);
	TRY(x86_descriptor_read(cpu, sel[X86_CS], X86_TS, &d));
	e = x86_check_code(cpu, sel[X86_CS], &d, cpu->cpl, true);
	if (e && cpu->vector == X86_GP)
		cpu->vector = X86_TS;
	TRY(e);
	TRY(x86_descriptor_access(cpu, &d));
	cpu->seg[X86_CS] = d.seg;
	for (n = 0; n < 4; n++) {
		e = x86_load_segment(cpu, order[n], sel[order[n]]);
		if (e && cpu->vector == X86_GP)
			cpu->vector = X86_TS;
		TRY(e);
	}
	return x86_check_rip(cpu, &cpu->seg[X86_CS], cpu->rip);
}

/*
 * @why: who switches; @next: the old task's return address.  *switched: the new task's state is loaded, a fault belongs to it.
 */
enum x86_leave x86_task_switch(struct x86_cpu *cpu, u16 selector, enum x86_switch why, u64 next, bool has_error, u32 error,
			       bool *switched)
{
	u64 old_at = cpu->gdt.base + (cpu->seg[X86_TR].selector & 0xfff8), flags = x86_flags_get(cpu), rip, v, cr3 = 0, r[8], sp;
	u8 bad = why == X86_SWITCH_IRET ? X86_TS : X86_GP;
	struct x86_descriptor d;
	u16 sel[6] = { 0 };
	u32 type, size, n;
	bool wide;

	*switched = false;
	if (x86_long(cpu) || (selector & 4) || !(selector & 0xfffc))
		return fault(cpu, bad, selector);
	TRY(x86_descriptor_read(cpu, selector, bad, &d));
	type = d.seg.attributes & 0x1f;
	if ((type & ~8u) != (why == X86_SWITCH_IRET ? 3 : 1))
		return fault(cpu, bad, selector);
	if (!(d.seg.attributes & 0x80))
		return fault(cpu, X86_NP, selector);
	wide = type & 8;
	size = wide ? 4 : 2;
	if (d.seg.limit < (wide ? TSS32_SIZE : TSS16_SIZE) - 1)
		return fault(cpu, X86_TS, selector);
	/* the new state is read before anything is written: page faults belong to the old task */
	if (wide)
		TRY(x86_lin_read(cpu, (u32)(d.seg.base + 0x1c), 4, 0, &cr3));
	TRY(x86_lin_read(cpu, (u32)(d.seg.base + (wide ? 0x20 : 0x0e)), size, 0, &rip));
	TRY(x86_lin_read(cpu, (u32)(d.seg.base + (wide ? 0x24 : 0x10)), size, 0, &v));
	for (n = 0; n < 8; n++)
		TRY(x86_lin_read(cpu, (u32)(d.seg.base + register_at(wide, n)), size, 0, &r[n]));
	for (n = X86_ES; n <= (wide ? X86_GS : X86_DS); n++) {
		TRY(x86_lin_read(cpu, (u32)(d.seg.base + segment_at(wide, n)), 2, 0, &sp));
		sel[n] = (u16)sp;
	}
	TRY(x86_lin_read(cpu, (u32)(d.seg.base + (wide ? 0x60 : 0x2a)), 2, 0, &sp));
	TRY(save(cpu, why == X86_SWITCH_IRET ? flags & ~X86_FLAG_NT : flags, next));
	if (why == X86_SWITCH_JUMP || why == X86_SWITCH_IRET)
		TRY(busy_bit(cpu, old_at, false));
	if (why == X86_SWITCH_CALL || why == X86_SWITCH_GATE) {
		TRY(x86_lin_write(cpu, (u32)d.seg.base, 2, 0, cpu->seg[X86_TR].selector));
		v |= X86_FLAG_NT;
	}
	if (why != X86_SWITCH_IRET)
		TRY(busy_bit(cpu, d.at, true));
	*switched = true;
	d.seg.attributes |= 2;
	cpu->seg[X86_TR] = d.seg;
	cpu->cr0 |= CR0_TS;
	cpu->dr[7] &= ~0x155ull;	/* the local breakpoints' enables (3B 17.2.4) */
	x86_flags_load(cpu, wide ? v : (v & 0xffff));
	cpu->rip = rip;
	for (n = 0; n < 8; n++)
		cpu->r[n] = wide ? r[n] : r[n] | 0xffff0000;
	for (n = X86_ES; n <= X86_GS; n++) {
		cpu->seg[n].selector = sel[n];
		if (n != X86_CS && n != X86_SS)
			cpu->seg[n].attributes = 0;
	}
	if (wide && (cpu->cr0 & CR0_PG)) {
		cpu->cr3 = cr3;
		if (cpu->cr4 & CR4_PAE)
			TRY(x86_load_pdptes(cpu, cr3));
	}
	x86_tlb_flush(cpu);
	if (wide && !x86_lin_read(cpu, (u32)(d.seg.base + 0x64), 2, 0, &v) && (v & 1))
		cpu->debug_hit |= 0x8000;	/* DR6.BT: the TSS asks for a trap */
	TRY(load_segments(cpu, sel, (u16)sp));
	x86_mode_update(cpu);
	if (has_error) {
		sp = cpu->r[X86_RSP] & x86_sp_mask(cpu);
		TRY(x86_push(cpu, &sp, size, error));
		x86_sp_put(cpu, sp);
	}
	return X86_NEXT;
}

/* JMP, CALL and IRET to another task: a fault behind the switch is delivered in the new one. */
enum x86_leave x86_task_jump(struct x86_cpu *cpu, u16 selector, enum x86_switch why, u64 next)
{
	enum x86_leave e;
	bool switched;

	e = x86_task_switch(cpu, selector, why, next, false, 0, &switched);
	x86_mode_update(cpu);
	if (e == X86_FAULT && switched)
		e = x86_deliver(cpu, cpu->vector, X86_EVENT_EXCEPTION, cpu->has_error, cpu->error);
	if (e)
		return e;
	cpu->hv.epoch++;
	return X86_JUMP;
}

static enum x86_leave gate_checks(struct x86_cpu *cpu, u16 selector, const struct x86_descriptor *g)
{
	u32 dpl = (g->seg.attributes >> 5) & 3;

	if (dpl < cpu->cpl || dpl < (selector & 3u))
		return fault(cpu, X86_GP, selector);
	return g->seg.attributes & 0x80 ? X86_NEXT : fault(cpu, X86_NP, selector);
}

struct inner {
	struct x86_segment ss;
	u64 sp;
	u32 size;
};

static enum x86_leave inner_push(struct x86_cpu *cpu, struct inner *t, u64 v)
{
	u64 mask = x86_long(cpu) ? ~0ull : t->ss.attributes & 0x4000 ? 0xffffffff : 0xffff;

	t->sp = (t->sp - t->size) & mask;
	if (x86_long(cpu)) {
		if (!x86_canonical(t->sp))
			return fault(cpu, X86_SS_FAULT, 0);
	} else if (!(t->ss.attributes & 4) && t->sp + t->size - 1 > t->ss.limit) {
		return fault(cpu, X86_SS_FAULT, t->ss.selector);
	}
	return x86_lin_write(cpu, x86_long(cpu) ? t->sp : (u32)(t->ss.base + t->sp), t->size, 0, v);
}

/* A call to an inner level: its stack from the TSS, parameters copied, the old stack and return address on it. */
static enum x86_leave call_inner(struct x86_cpu *cpu, const struct x86_descriptor *g, struct x86_descriptor *cs, u32 level, u32 size,
				 u64 rip, u64 next)
{
	u32 count = size == 8 ? 0 : (u32)(g->low >> 32) & 31, n;
	u64 old = cpu->r[X86_RSP] & x86_sp_mask(cpu), v;
	struct x86_descriptor ss;
	struct inner t;
	u16 sel;

	t.size = size;
	if (size == 8) {
		if (4 + level * 8 + 7 > cpu->seg[X86_TR].limit)
			return fault(cpu, X86_TS, cpu->seg[X86_TR].selector);
		TRY(x86_lin_read(cpu, cpu->seg[X86_TR].base + 4 + level * 8, 8, 0, &t.sp));
		t.ss = (struct x86_segment){ (u16)level, (u16)(level << 5), 0, 0 };
	} else {
		TRY(x86_tss_stack(cpu, level, &sel, &t.sp));
		if (!(sel & 0xfffc))
			return fault(cpu, X86_TS, sel);
		TRY(x86_descriptor_read(cpu, sel, X86_TS, &ss));
		TRY(x86_check_stack(cpu, sel, &ss, level, X86_TS));
		t.ss = ss.seg;
	}
	TRY(inner_push(cpu, &t, cpu->seg[X86_SS].selector));
	TRY(inner_push(cpu, &t, cpu->r[X86_RSP]));
	for (n = count; n-- > 0;) {
		TRY(x86_read(cpu, X86_SS, (old + n * size) & x86_sp_mask(cpu), size, &v));
		TRY(inner_push(cpu, &t, v));
	}
	TRY(inner_push(cpu, &t, cpu->seg[X86_CS].selector));
	TRY(inner_push(cpu, &t, next));
	TRY(x86_descriptor_access(cpu, cs));
	if (size != 8)
		TRY(x86_descriptor_access(cpu, &ss));
	cpu->seg[X86_SS] = size == 8 ? t.ss : ss.seg;
	cpu->seg[X86_CS] = cs->seg;
	cpu->seg[X86_CS].selector = (u16)((cs->seg.selector & 0xfffc) | level);
	cpu->cpl = (u8)level;
	cpu->rip = rip;
	x86_mode_update(cpu);
	x86_sp_put(cpu, t.sp);
	return X86_JUMP;
}

/* Far JMP or CALL to a system descriptor: call gate, task gate or TSS. */
enum x86_leave x86_far_system(struct x86_cpu *cpu, u16 selector, struct x86_descriptor *g, bool call, u64 next)
{
	u32 type = g->seg.attributes & 0x1f, size, level;
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), rip;
	struct x86_descriptor cs;
	u16 target;

	if (type == 1 || type == 9 || type == 5) {
		if (x86_long(cpu))
			return fault(cpu, X86_GP, selector);
		TRY(gate_checks(cpu, selector, g));
		return x86_task_jump(cpu, type == 5 ? (u16)(g->low >> 16) : selector, call ? X86_SWITCH_CALL : X86_SWITCH_JUMP, next);
	}
	if (type != 12 && (type != 4 || x86_long(cpu)))
		return fault(cpu, X86_GP, selector);
	TRY(gate_checks(cpu, selector, g));
	size = x86_long(cpu) ? 8 : type == 12 ? 4 : 2;
	target = (u16)(g->low >> 16);
	rip = (g->low & 0xffff) | (size == 2 ? 0 : (g->low >> 32) & 0xffff0000) | (size == 8 ? g->high << 32 : 0);
	if (!(target & 0xfffc))
		return fault(cpu, X86_GP, 0);
	TRY(x86_descriptor_read(cpu, target, X86_GP, &cs));
	level = (cs.seg.attributes >> 5) & 3;
	if ((cs.seg.attributes & 0x18) != 0x18 || level > cpu->cpl || (size == 8 && (cs.seg.attributes & 0x6000) != 0x2000) ||
	    (!call && !(cs.seg.attributes & 4) && level != cpu->cpl))
		return fault(cpu, X86_GP, target);
	if (!(cs.seg.attributes & 0x80))
		return fault(cpu, X86_NP, target);
	TRY(x86_check_rip(cpu, &cs.seg, rip));
	if (call && !(cs.seg.attributes & 4) && level < cpu->cpl)
		return call_inner(cpu, g, &cs, level, size, rip, next);
	if (call) {
		TRY(x86_push(cpu, &sp, size, cpu->seg[X86_CS].selector));
		TRY(x86_push(cpu, &sp, size, next));
	}
	TRY(x86_descriptor_access(cpu, &cs));
	x86_sp_put(cpu, sp);
	cpu->seg[X86_CS] = cs.seg;
	cpu->seg[X86_CS].selector = (u16)((target & 0xfffc) | cpu->cpl);
	cpu->rip = rip;
	x86_mode_update(cpu);
	return X86_JUMP;
}

/* IRET at privilege 0 whose EFLAGS image has VM set; @sp is behind EFLAGS. */
enum x86_leave x86_iret_86(struct x86_cpu *cpu, u64 rip, u16 cs, u64 flags, u64 sp)
{
	static const u8 order[] = { X86_SS, X86_ES, X86_DS, X86_FS, X86_GS };
	u64 new_sp, v[5];
	u32 n;

	TRY(x86_pop(cpu, &sp, 4, &new_sp));
	for (n = 0; n < 5; n++)
		TRY(x86_pop(cpu, &sp, 4, &v[n]));
	x86_flags_load(cpu, flags & 0x3f7fd7);
	x86_segment_86(cpu, X86_CS, cs);
	for (n = 0; n < 5; n++)
		x86_segment_86(cpu, order[n], (u16)v[n]);
	cpu->cpl = 3;
	cpu->rip = (u16)rip;
	cpu->r[X86_RSP] = (u32)new_sp;
	x86_mode_update(cpu);
	return X86_NEXT;
}

/* Virtual-8086 mode with IOPL below 3: CLI, STI, PUSHF, POPF, INT n and IRET raise #GP(0) (3A 20.2.7). */
bool x86_sensitive_86(const struct x86_cpu *cpu)
{
	return (cpu->rflags & X86_FLAG_VM) && (cpu->rflags & X86_FLAG_IOPL) != X86_FLAG_IOPL;
}
