// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The general path: any instruction in any mode, operand size and form.  The executor (exec.c) has its own code for the frequent
 * ones, as long as their memory operands hit the TLB; everything else, and every miss, fault and device access, is done here.
 */
#include "internal.h"

#define TRY(call)                                                                                                        \
	do {                                                                                                              \
		enum x86_leave leave_ = (call);                                                                           \
		if (leave_)                                                                                               \
			return leave_;                                                                                    \
	} while (0)

u64 x86_this_rip(struct x86_cpu *cpu, const struct x86_insn *i)
{
	return cpu->block->va + i->off;
}

u64 x86_next_rip(struct x86_cpu *cpu, const struct x86_insn *i)
{
	u64 rip = x86_this_rip(cpu, i) + i->len;

	return x86_code64(cpu) ? rip : (cpu->mode & X86_MODE_SIZE) == X86_MODE_16 ? (u16)rip : (u32)rip;
}

u64 x86_ea(struct x86_cpu *cpu, const struct x86_insn *i)
{
	u64 ea = X86_REG64(cpu, i->base) + (X86_REG64(cpu, i->index) << i->scale) + (u64)i->disp;

	return i->asize == 8 ? ea : i->asize == 4 ? (u32)ea : (u16)ea;
}

enum x86_leave x86_jump_to(struct x86_cpu *cpu, u64 rip)
{
	TRY(x86_check_rip(cpu, &cpu->seg[X86_CS], rip));
	cpu->rip = rip;
	return X86_JUMP;
}

static enum x86_leave jump_relative(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 rip = (u64)i->imm;

	if (i->size == 2)
		rip = (u16)rip;
	return x86_jump_to(cpu, rip);
}

static enum x86_leave rm_read(struct x86_cpu *cpu, struct x86_insn *i, u32 size, u64 *v)
{
	if (i->flags & X86_I_MEM)
		return x86_read(cpu, i->seg, x86_ea(cpu, i), size, v);
	*v = x86_reg_get(cpu, i->rm, size);
	return X86_NEXT;
}

static enum x86_leave rm_write(struct x86_cpu *cpu, struct x86_insn *i, u32 size, u64 v)
{
	if (i->flags & X86_I_MEM)
		return x86_write(cpu, i->seg, x86_ea(cpu, i), size, v);
	x86_reg_put(cpu, i->rm, size, v);
	return X86_NEXT;
}

/* --- read-modify-write --- */

/* Locked accesses that cannot be one compare-and-swap of the host: split over pages or not aligned. */
static u32 split_lock;

static void split_take(void)
{
	while (env_xchg(&split_lock, 1))
		;
}

static void split_drop(void)
{
	env_store_release(&split_lock, 0);
}

/*
 * struct rmw - a memory destination that is read first
 * @host: the operand if it may be updated in place (RAM, one page), else NULL
 */
struct rmw {
	u8 *host;
	u64 lin;
	u64 gpa;
	u64 old;
	u32 size;
	u32 how;
	bool locked;
	bool split;
};

/* A write permission fault comes before the read; a device gets one read, then one write. */
static enum x86_leave rmw_begin(struct x86_cpu *cpu, struct x86_insn *i, u64 ea, u32 size, struct rmw *m)
{
	u32 left;
	u8 *second;
	u64 gpa;

	m->size = size;
	m->how = cpu->cpl == 3 ? X86_USER : 0;
	m->locked = i->flags & X86_I_LOCK;
	m->split = false;
	TRY(x86_linear(cpu, i->seg, ea, size, X86_WRITE, &m->lin));
	TRY(x86_translate(cpu, m->lin, m->how | X86_WRITE, &m->host, &m->gpa));
	left = (u32)(HV_PAGE_SIZE - (m->lin & ~HV_PAGE_MASK));
	if (size > left) {
		TRY(x86_translate(cpu, m->lin + left, m->how | X86_WRITE, &second, &gpa));
		m->host = NULL;
	}
	if (m->host && (!m->locked || !(m->lin & (size - 1)))) {
		switch (size) {
		case 1:
			m->old = env_guest_ld8(m->host);
			break;
		case 2:
			m->old = env_guest_ld16(m->host);
			break;
		case 4:
			m->old = env_guest_ld32(m->host);
			break;
		default:
			m->old = env_guest_ld64(m->host);
		}
		return X86_NEXT;
	}
	m->host = NULL;
	m->split = m->locked;
	if (m->split)
		split_take();
	{
		enum x86_leave e = x86_lin_read(cpu, m->lin, size, m->how, &m->old);

		if (e && m->split)
			split_drop();
		return e;
	}
}

/* X86_AGAIN: a locked update lost the race; m->old is the new value, compute again. */
static enum x86_leave rmw_end(struct x86_cpu *cpu, struct rmw *m, u64 v)
{
	enum x86_leave e;
	u64 seen;

	if (!m->host || !m->locked) {
		e = x86_lin_write(cpu, m->lin, m->size, m->how, v);
		if (m->split)
			split_drop();
		return e;
	}
	switch (m->size) {
	case 1:
		seen = env_guest_cas8(m->host, (u8)m->old, (u8)v);
		break;
	case 2:
		seen = env_guest_cas16(m->host, (u16)m->old, (u16)v);
		break;
	case 4:
		seen = env_guest_cas32(m->host, (u32)m->old, (u32)v);
		break;
	default:
		seen = env_guest_cas64(m->host, m->old, v);
	}
	if (seen != m->old) {
		m->old = seen;
		return X86_AGAIN;
	}
	if (hv_blocks_cover(&cpu->hv.blocks, m->gpa))
		x86_code_stored(cpu, m->gpa, m->size);
	return X86_NEXT;
}

/*
 * Memory destination: *result of f(old) is written.  The flags as they were are needed for a second attempt and for a
 * device write that has to wait, so they are restored whenever the update does not complete.
 */
static u64 rmw_compute(struct x86_cpu *cpu, struct x86_insn *i, u64 old, u64 src)
{
	switch (i->sem) {
	case X86_SEM_ROL:
	case X86_SEM_ROR:
	case X86_SEM_RCL:
	case X86_SEM_RCR:
	case X86_SEM_SHL:
	case X86_SEM_SHR:
	case X86_SEM_SAL:
	case X86_SEM_SAR:
		return x86_shift(cpu, i->sem, i->size, old, (u32)src);
	case X86_SEM_SHLD:
	case X86_SEM_SHRD:
		return x86_shift_double(cpu, i->sem == X86_SEM_SHRD, i->size, old, x86_reg_get(cpu, i->reg, i->size), (u32)src);
	case X86_SEM_NOT:
		return ~old;
	case X86_SEM_BTS:
		return old | 1ull << src;
	case X86_SEM_BTR:
		return old & ~(1ull << src);
	case X86_SEM_BTC:
		return old ^ 1ull << src;
	case X86_SEM_XCHG:
		return src;
	case X86_SEM_XADD:
		return x86_alu(cpu, X86_SEM_ADD, i->size, old, src);
	default:
		return x86_alu(cpu, i->sem, i->size, old, src);
	}
}

static enum x86_leave update_at(struct x86_cpu *cpu, struct x86_insn *i, u64 ea, u64 src, u64 *old)
{
	struct x86_flags saved = cpu->fl;
	enum x86_leave e;
	struct rmw m;
	u64 v;

	TRY(rmw_begin(cpu, i, ea, i->size, &m));
	do {
		cpu->fl = saved;
		v = rmw_compute(cpu, i, m.old, src);
		*old = m.old;
		e = rmw_end(cpu, &m, v);
	} while (e == X86_AGAIN);
	if (e)
		cpu->fl = saved;
	return e;
}

static enum x86_leave update(struct x86_cpu *cpu, struct x86_insn *i, u64 src, u64 *old)
{
	if (i->flags & X86_I_MEM)
		return update_at(cpu, i, x86_ea(cpu, i), src, old);
	*old = x86_reg_get(cpu, i->rm, i->size);
	x86_reg_put(cpu, i->rm, i->size, rmw_compute(cpu, i, *old, src));
	return X86_NEXT;
}

static u64 source(struct x86_cpu *cpu, struct x86_insn *i)
{
	return i->flags & X86_I_IMM ? (u64)i->imm : x86_reg_get(cpu, i->reg, i->size);
}

static enum x86_leave alu(struct x86_cpu *cpu, struct x86_insn *i)
{
	bool compare = i->sem == X86_SEM_CMP || i->sem == X86_SEM_TEST;
	u64 a, b;

	if (i->flags & X86_I_TO_REG) {
		TRY(rm_read(cpu, i, i->size, &b));
		a = x86_reg_get(cpu, i->reg, i->size);
		a = x86_alu(cpu, i->sem, i->size, a, b);
		if (!compare)
			x86_reg_put(cpu, i->reg, i->size, a);
		return X86_NEXT;
	}
	if (compare) {
		TRY(rm_read(cpu, i, i->size, &a));
		x86_alu(cpu, i->sem, i->size, a, source(cpu, i));
		return X86_NEXT;
	}
	return update(cpu, i, source(cpu, i), &a);
}

static enum x86_leave shift(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 old;

	return update(cpu, i, i->flags & X86_I_IMM ? (u8)i->imm : (u8)cpu->r[X86_RCX], &old);
}

static void carry_put(struct x86_cpu *cpu, bool cf)
{
	u64 fl = x86_flags_work_out(&cpu->fl) & ~X86_FLAG_CF;

	x86_flags_put(&cpu->fl, fl | (cf ? X86_FLAG_CF : 0));
}

/* BT family: a register offset reaches memory beyond the operand (2A BT). */
static enum x86_leave bit_test(struct x86_cpu *cpu, struct x86_insn *i)
{
	u32 bits = i->size * 8;
	u64 src = source(cpu, i), ea, old;
	s64 away;

	if (!(i->flags & X86_I_MEM)) {
		if (i->sem == X86_SEM_BT)
			old = x86_reg_get(cpu, i->rm, i->size);
		else
			update(cpu, i, src & (bits - 1), &old);
	} else {
		ea = x86_ea(cpu, i);
		if (!(i->flags & X86_I_IMM)) {
			away = (s64)x86_sign_extend(src, i->size) >> (i->size == 8 ? 6 : i->size == 4 ? 5 : 4);
			ea += (u64)away * i->size;
			ea &= x86_size_mask(i->asize);
		}
		if (i->sem == X86_SEM_BT)
			TRY(x86_read(cpu, i->seg, ea, i->size, &old));
		else
			TRY(update_at(cpu, i, ea, src & (bits - 1), &old));
	}
	carry_put(cpu, (old >> (src & (bits - 1))) & 1);
	return X86_NEXT;
}

static enum x86_leave compare_exchange(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 acc = x86_reg_get(cpu, 0, i->size), src = x86_reg_get(cpu, i->reg, i->size), old;
	enum x86_leave e;
	struct rmw m;

	if (!(i->flags & X86_I_MEM)) {
		old = x86_reg_get(cpu, i->rm, i->size);
		/* 2A CMPXCHG: a 32-bit destination is zero-extended only when written */
		if (old == acc)
			x86_reg_put(cpu, i->rm, i->size, src);
	} else {
		TRY(rmw_begin(cpu, i, x86_ea(cpu, i), i->size, &m));
		do {
			/* the destination is written in any case: a failed compare writes the old value back */
			old = m.old;
			e = rmw_end(cpu, &m, old == acc ? src : old);
		} while (e == X86_AGAIN);
		TRY(e);
	}
	x86_alu(cpu, X86_SEM_CMP, i->size, acc, old);
	if (old != acc)
		x86_reg_put(cpu, 0, i->size, old);
	return X86_NEXT;
}

/* 2A CMPXCHG16B: aligned, or #GP.  Without LOCK it is done as with it. */
static enum x86_leave compare_exchange_16b(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 ea = x86_ea(cpu, i), old[2] = { cpu->r[X86_RAX], cpu->r[X86_RDX] }, want[2] = { old[0], old[1] }, lin, gpa, fl;
	u32 how = cpu->cpl == 3 ? X86_USER : 0;
	bool same;
	u8 *host;

	if (!x86_has(cpu, X86_HAS_CX16))
		return x86_raise(cpu, X86_UD);
	TRY(x86_linear(cpu, i->seg, ea, 16, X86_WRITE, &lin));
	if (lin & 15)
		return x86_raise_error(cpu, X86_GP, 0);
	TRY(x86_translate(cpu, lin, how | X86_WRITE, &host, &gpa));
	if (host) {
		same = env_guest_cas128(host, old, cpu->r[X86_RBX], cpu->r[X86_RCX]);
		if (same && hv_blocks_cover(&cpu->hv.blocks, gpa))
			x86_code_stored(cpu, gpa, 16);
	} else {
		TRY(x86_read_block(cpu, i->seg, ea, old, 16));
		same = old[0] == want[0] && old[1] == want[1];
		if (same) {
			want[0] = cpu->r[X86_RBX];
			want[1] = cpu->r[X86_RCX];
		} else {
			want[0] = old[0];
			want[1] = old[1];
		}
		TRY(x86_write_block(cpu, i->seg, ea, want, 16));
	}
	fl = x86_flags_work_out(&cpu->fl) & ~X86_FLAG_ZF;
	x86_flags_put(&cpu->fl, fl | (same ? X86_FLAG_ZF : 0));
	if (!same) {
		cpu->r[X86_RAX] = old[0];
		cpu->r[X86_RDX] = old[1];
	}
	return X86_NEXT;
}

static enum x86_leave compare_exchange_8b(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 acc, src, old, fl;
	enum x86_leave e;
	struct rmw m;

	if (i->size == 8)
		return compare_exchange_16b(cpu, i);
	acc = (u32)cpu->r[X86_RAX] | cpu->r[X86_RDX] << 32;
	src = (u32)cpu->r[X86_RBX] | cpu->r[X86_RCX] << 32;
	TRY(rmw_begin(cpu, i, x86_ea(cpu, i), 8, &m));
	do {
		old = m.old;
		e = rmw_end(cpu, &m, old == acc ? src : old);
	} while (e == X86_AGAIN);
	TRY(e);
	fl = x86_flags_work_out(&cpu->fl) & ~X86_FLAG_ZF;
	x86_flags_put(&cpu->fl, fl | (old == acc ? X86_FLAG_ZF : 0));
	if (old != acc) {
		cpu->r[X86_RAX] = (u32)old;
		cpu->r[X86_RDX] = old >> 32;
	}
	return X86_NEXT;
}

/* --- multiplication and division --- */

static void multiply_flags(struct x86_cpu *cpu, u64 low, u32 size, bool over)
{
	cpu->fl.result = x86_sign_extend(low, size);
	cpu->fl.bits = over ? X86_FLAG_CF | X86_FLAG_OF : 0;
	cpu->fl.kind = X86_FL_BITS;
}

static enum x86_leave multiply(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 a, b, low, high;
	bool over;

	TRY(rm_read(cpu, i, i->size, &b));
	a = x86_reg_get(cpu, 0, i->size);
	if (i->sem == X86_SEM_IMUL1) {
		__int128 p = (__int128)(s64)x86_sign_extend(a, i->size) * (s64)x86_sign_extend(b, i->size);

		low = (u64)p;
		high = i->size == 8 ? (u64)(p >> 64) : low >> (i->size * 8);
		over = p != (s64)x86_sign_extend(low, i->size);
	} else {
		unsigned __int128 p = (unsigned __int128)a * b;

		low = (u64)p;
		high = i->size == 8 ? (u64)(p >> 64) : low >> (i->size * 8);
		over = high & x86_size_mask(i->size);
	}
	if (i->size == 1) {
		X86_REG16(cpu, 0) = (u16)low;
	} else {
		x86_reg_put(cpu, X86_RAX * 8, i->size, low);
		x86_reg_put(cpu, X86_RDX * 8, i->size, high);
	}
	multiply_flags(cpu, low, i->size, over);
	return X86_NEXT;
}

static enum x86_leave multiply_to(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 a, b, low;
	__int128 p;

	TRY(rm_read(cpu, i, i->size, &a));
	b = i->sem == X86_SEM_IMUL3 ? (u64)i->imm : x86_reg_get(cpu, i->reg, i->size);
	p = (__int128)(s64)x86_sign_extend(a, i->size) * (s64)x86_sign_extend(b, i->size);
	low = (u64)p;
	x86_reg_put(cpu, i->reg, i->size, low);
	multiply_flags(cpu, low, i->size, p != (s64)x86_sign_extend(low, i->size));
	return X86_NEXT;
}

static enum x86_leave divide(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 by, high, low, q, r, mask = x86_size_mask(i->size), sign = 1ull << (i->size * 8 - 1);
	bool neg_by, neg;

	TRY(rm_read(cpu, i, i->size, &by));
	/* the dividend is twice as wide: size 1 keeps it in AX */
	if (i->size == 1) {
		low = (u16)cpu->r[X86_RAX];
		high = i->sem == X86_SEM_IDIV && (low & 0x8000) ? ~0ull : 0;
		if (high)
			low |= ~0xffffull;
	} else if (i->size == 8) {
		low = cpu->r[X86_RAX];
		high = cpu->r[X86_RDX];
	} else {
		low = x86_reg_get(cpu, X86_RDX * 8, i->size) << (i->size * 8) | x86_reg_get(cpu, 0, i->size);
		if (i->sem == X86_SEM_IDIV)
			low = x86_sign_extend(low, i->size * 2);
		high = i->sem == X86_SEM_IDIV && (low >> 63) ? ~0ull : 0;
	}
	if (i->sem == X86_SEM_DIV) {
		if (!x86_divide(high, low, by, &q, &r) || q > mask)
			return x86_raise(cpu, X86_DE);
	} else {
		by = x86_sign_extend(by, i->size);
		neg_by = by >> 63;
		neg = high >> 63;
		if (neg) {
			high = ~high + !low;
			low = 0 - low;
		}
		if (!x86_divide(high, low, neg_by ? 0 - by : by, &q, &r))
			return x86_raise(cpu, X86_DE);
		if (neg != neg_by ? q > sign : q >= sign)
			return x86_raise(cpu, X86_DE);
		q = neg != neg_by ? 0 - q : q;
		r = neg ? 0 - r : r;
	}
	if (i->size == 1) {
		X86_REG16(cpu, 0) = (u16)((u8)q | (r & 0xff) << 8);
	} else {
		x86_reg_put(cpu, X86_RAX * 8, i->size, q);
		x86_reg_put(cpu, X86_RDX * 8, i->size, r);
	}
	return X86_NEXT;
}

/* --- stack --- */

static enum x86_leave push(struct x86_cpu *cpu, u32 size, u64 v)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu);

	TRY(x86_push(cpu, &sp, size, v));
	x86_sp_put(cpu, sp);
	return X86_NEXT;
}

static enum x86_leave push_rm(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v = (u64)i->imm;

	if (!(i->flags & X86_I_IMM))
		TRY(rm_read(cpu, i, i->size, &v));
	return push(cpu, i->size, v);
}

static enum x86_leave pop_rm(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 old = cpu->r[X86_RSP], sp = old & x86_sp_mask(cpu), v;
	enum x86_leave e;

	TRY(x86_pop(cpu, &sp, i->size, &v));
	/* an address through RSP sees it incremented (2B POP) */
	x86_sp_put(cpu, sp);
	e = rm_write(cpu, i, i->size, v);
	if (e)
		cpu->r[X86_RSP] = old;
	return e;
}

static enum x86_leave push_all(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu);
	u32 n;

	for (n = 0; n < 8; n++)
		TRY(x86_push(cpu, &sp, i->size, cpu->r[n]));
	x86_sp_put(cpu, sp);
	return X86_NEXT;
}

static enum x86_leave pop_all(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), v[8];
	u32 n;

	for (n = 8; n-- > 0;)
		TRY(x86_pop(cpu, &sp, i->size, &v[n]));
	for (n = 0; n < 8; n++) {
		if (n != X86_RSP)
			x86_reg_put(cpu, n * 8, i->size, v[n]);
	}
	x86_sp_put(cpu, sp);
	return X86_NEXT;
}

static enum x86_leave enter(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), frame, bp = cpu->r[X86_RBP], v;
	u32 level = i->sub & 31, n;

	TRY(x86_push(cpu, &sp, i->size, bp));
	frame = sp;
	for (n = 1; n < level; n++) {
		bp -= i->size;
		TRY(x86_read(cpu, X86_SS, bp & x86_sp_mask(cpu), i->size, &v));
		TRY(x86_push(cpu, &sp, i->size, v));
	}
	if (level)
		TRY(x86_push(cpu, &sp, i->size, frame));
	sp = (sp - (u16)i->imm) & x86_sp_mask(cpu);
	/* 2A ENTER: the new top must be writable */
	TRY(x86_linear(cpu, X86_SS, sp, i->size, X86_WRITE, &v));
	x86_reg_put(cpu, X86_RBP * 8, i->size, frame);
	x86_sp_put(cpu, sp);
	return X86_NEXT;
}

static enum x86_leave leave(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 sp = cpu->r[X86_RBP] & x86_sp_mask(cpu), v;

	TRY(x86_pop(cpu, &sp, i->size, &v));
	x86_reg_put(cpu, X86_RBP * 8, i->size, v);
	x86_sp_put(cpu, sp);
	return X86_NEXT;
}

static enum x86_leave pop_flags(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), v, old = x86_flags_get(cpu);
	u64 may = X86_FLAGS_ARITH | X86_FLAG_TF | X86_FLAG_DF | X86_FLAG_NT;

	TRY(x86_pop(cpu, &sp, i->size, &v));
	if (i->size > 2)
		may |= X86_FLAG_AC | X86_FLAG_ID;
	if (!cpu->cpl)
		may |= X86_FLAG_IOPL;
	if (cpu->cpl <= (cpu->rflags & X86_FLAG_IOPL) >> 12)
		may |= X86_FLAG_IF;
	x86_sp_put(cpu, sp);
	x86_flags_load(cpu, ((old & ~may) | (v & may)) & ~X86_FLAG_RF);
	x86_mode_update(cpu);
	cpu->rip = x86_next_rip(cpu, i);
	return X86_JUMP;
}

/* --- branches --- */

static enum x86_leave call_near(struct x86_cpu *cpu, struct x86_insn *i, u64 to)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), next = x86_next_rip(cpu, i);

	TRY(x86_check_rip(cpu, &cpu->seg[X86_CS], to));
	TRY(x86_push(cpu, &sp, i->size, next));
	x86_sp_put(cpu, sp);
	cpu->rip = to;
	return X86_JUMP;
}

static enum x86_leave ret_near(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 sp = cpu->r[X86_RSP] & x86_sp_mask(cpu), to;

	TRY(x86_pop(cpu, &sp, i->size, &to));
	TRY(x86_check_rip(cpu, &cpu->seg[X86_CS], to));
	if (i->flags & X86_I_IMM)
		sp += (u16)i->imm;
	x86_sp_put(cpu, sp);
	cpu->rip = to;
	return X86_JUMP;
}

static enum x86_leave loop(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 count = x86_reg_get(cpu, X86_RCX * 8, i->asize), fl;
	enum x86_leave e = X86_JUMP;
	bool go;

	if (i->sem == X86_SEM_JCXZ) {
		go = !count;
	} else {
		count = (count - 1) & x86_size_mask(i->asize);
		fl = x86_flags_work_out(&cpu->fl);
		go = count && (i->sem == X86_SEM_LOOP || !(fl & X86_FLAG_ZF) == (i->sem == X86_SEM_LOOPNE));
	}
	if (go)
		e = jump_relative(cpu, i);
	else
		cpu->rip = x86_next_rip(cpu, i);
	if (e == X86_JUMP && i->sem != X86_SEM_JCXZ)
		x86_reg_put(cpu, X86_RCX * 8, i->asize, count);
	return e;
}

static enum x86_leave far_memory(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 ea = x86_ea(cpu, i), off, sel;

	TRY(x86_read(cpu, i->seg, ea, i->size, &off));
	TRY(x86_read(cpu, i->seg, (ea + i->size) & x86_size_mask(i->asize), 2, &sel));
	if (i->sem == X86_SEM_LFAR) {
		TRY(x86_load_segment(cpu, i->sub, (u16)sel));
		x86_reg_put(cpu, i->reg, i->size, off);
		cpu->rip = x86_next_rip(cpu, i);
		return X86_JUMP;
	}
	return x86_far_jump(cpu, (u16)sel, off, i->sem == X86_SEM_CALL_FARM, i->size, x86_next_rip(cpu, i));
}

/* --- the rest --- */

static enum x86_leave bit_scan(struct x86_cpu *cpu, struct x86_insn *i, bool forward)
{
	u64 v, fl;

	TRY(rm_read(cpu, i, i->size, &v));
	fl = x86_flags_work_out(&cpu->fl) & ~X86_FLAG_ZF;
	/* a zero source leaves the destination alone, as every CPU does and AMD promises */
	x86_flags_put(&cpu->fl, fl | (v ? 0 : X86_FLAG_ZF));
	if (v)
		x86_reg_put(cpu, i->reg, i->size,
			    forward ? (u64)__builtin_ctzll(v) : 63u - (u64)__builtin_clzll(v));
	return X86_NEXT;
}

static enum x86_leave exchange(struct x86_cpu *cpu, struct x86_insn *i)
{
	/* 90+r: reg is the accumulator, offset 0 */
	u64 src = x86_reg_get(cpu, i->reg, i->size), old;

	TRY(update(cpu, i, src, &old));
	x86_reg_put(cpu, i->reg, i->size, old);
	return X86_NEXT;
}

static enum x86_leave exchange_add(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 src = x86_reg_get(cpu, i->reg, i->size), old;

	if (i->flags & X86_I_MEM) {
		TRY(update(cpu, i, src, &old));
		x86_reg_put(cpu, i->reg, i->size, old);
		return X86_NEXT;
	}
	/* both may be one register: the sum wins */
	old = x86_reg_get(cpu, i->rm, i->size);
	src = x86_alu(cpu, X86_SEM_ADD, i->size, old, src);
	x86_reg_put(cpu, i->reg, i->size, old);
	x86_reg_put(cpu, i->rm, i->size, src);
	return X86_NEXT;
}

static enum x86_leave move_segment(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v, sp;

	switch (i->sem) {
	case X86_SEM_MOV_FROM_SEG:
		v = cpu->seg[i->sub].selector;
		return rm_write(cpu, i, i->flags & X86_I_MEM ? 2 : i->size, v);
	case X86_SEM_PUSH_SEG:
		return push(cpu, i->size, cpu->seg[i->sub].selector);
	case X86_SEM_POP_SEG:
		sp = cpu->r[X86_RSP] & x86_sp_mask(cpu);
		TRY(x86_pop(cpu, &sp, i->size, &v));
		TRY(x86_load_segment(cpu, i->sub, (u16)v));
		x86_sp_put(cpu, sp);
		break;
	default:
		TRY(rm_read(cpu, i, 2, &v));
		TRY(x86_load_segment(cpu, i->sub, (u16)v));
	}
	if (i->sub == X86_SS)
		cpu->shadow = 2;	/* debug exceptions wait, too (3A 6.8.3) */
	cpu->rip = x86_next_rip(cpu, i);
	return X86_JUMP;
}

static enum x86_leave widen(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v;

	if (i->sem == X86_SEM_CBW) {
		v = x86_sign_extend(cpu->r[X86_RAX], i->size / 2);
		x86_reg_put(cpu, 0, i->size, v);
	} else {
		v = x86_sign_extend(cpu->r[X86_RAX], i->size) >> 63 ? ~0ull : 0;
		x86_reg_put(cpu, X86_RDX * 8, i->size, v);
	}
	return X86_NEXT;
}

static enum x86_leave bound(struct x86_cpu *cpu, struct x86_insn *i)
{
	s64 v = (s64)x86_sign_extend(x86_reg_get(cpu, i->reg, i->size), i->size);
	u64 ea = x86_ea(cpu, i), low, high;

	TRY(x86_read(cpu, i->seg, ea, i->size, &low));
	TRY(x86_read(cpu, i->seg, (ea + i->size) & x86_size_mask(i->asize), i->size, &high));
	if (v < (s64)x86_sign_extend(low, i->size) || v > (s64)x86_sign_extend(high, i->size))
		return x86_raise(cpu, X86_BR);
	return X86_NEXT;
}

static enum x86_leave simple_flags(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 fl = x86_flags_work_out(&cpu->fl);

	switch (i->sem) {
	case X86_SEM_CLC:
		fl &= ~X86_FLAG_CF;
		break;
	case X86_SEM_STC:
		fl |= X86_FLAG_CF;
		break;
	case X86_SEM_CMC:
		fl ^= X86_FLAG_CF;
		break;
	case X86_SEM_LAHF:
		X86_REG8(cpu, 1) = (u8)((fl & 0xd5) | 2);
		return X86_NEXT;
	default:
		fl = (fl & X86_FLAG_OF) | (X86_REG8(cpu, 1) & 0xd5);
	}
	x86_flags_put(&cpu->fl, fl);
	return X86_NEXT;
}

static enum x86_leave general(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v, w;

	switch (i->sem) {
	case X86_SEM_ADD: case X86_SEM_OR: case X86_SEM_ADC: case X86_SEM_SBB: case X86_SEM_AND: case X86_SEM_SUB:
	case X86_SEM_XOR: case X86_SEM_CMP: case X86_SEM_TEST:
		return alu(cpu, i);
	case X86_SEM_INC: case X86_SEM_DEC: case X86_SEM_NEG: case X86_SEM_NOT:
		return update(cpu, i, 0, &v);
	case X86_SEM_ROL: case X86_SEM_ROR: case X86_SEM_RCL: case X86_SEM_RCR: case X86_SEM_SHL: case X86_SEM_SHR:
	case X86_SEM_SAL: case X86_SEM_SAR: case X86_SEM_SHLD: case X86_SEM_SHRD:
		return shift(cpu, i);
	case X86_SEM_BT: case X86_SEM_BTS: case X86_SEM_BTR: case X86_SEM_BTC:
		return bit_test(cpu, i);
	case X86_SEM_MOV:
		if (i->flags & X86_I_TO_REG) {
			TRY(rm_read(cpu, i, i->size, &v));
			x86_reg_put(cpu, i->reg, i->size, v);
			return X86_NEXT;
		}
		return rm_write(cpu, i, i->size, source(cpu, i));
	case X86_SEM_MUL: case X86_SEM_IMUL1:
		return multiply(cpu, i);
	case X86_SEM_IMUL2: case X86_SEM_IMUL3:
		return multiply_to(cpu, i);
	case X86_SEM_DIV: case X86_SEM_IDIV:
		return divide(cpu, i);
	case X86_SEM_AAM:
		if (!(u8)i->imm)
			return x86_raise(cpu, X86_DE);
		v = (u8)cpu->r[X86_RAX];
		X86_REG16(cpu, 0) = (u16)(v / (u8)i->imm << 8 | v % (u8)i->imm);
		multiply_flags(cpu, v % (u8)i->imm, 1, false);
		return X86_NEXT;
	case X86_SEM_AAD: case X86_SEM_DAA: case X86_SEM_DAS: case X86_SEM_AAA: case X86_SEM_AAS:
		x86_adjust(cpu, i->sem, (u64)i->imm);
		return X86_NEXT;
	case X86_SEM_TZCNT: case X86_SEM_LZCNT:
		/* without their CPUID bits the prefix means nothing */
		if (x86_has(cpu, i->sem == X86_SEM_TZCNT ? X86_HAS_BMI1 : X86_HAS_LZCNT))
			return x86_extension(cpu, i);
		return bit_scan(cpu, i, i->sem == X86_SEM_TZCNT);
	case X86_SEM_BSF: case X86_SEM_BSR:
		return bit_scan(cpu, i, i->sem == X86_SEM_BSF);
	case X86_SEM_BSWAP:
		if (i->size == 8)
			cpu->r[i->rm / 8] = __builtin_bswap64(cpu->r[i->rm / 8]);
		else if (i->size == 4)
			x86_reg_put(cpu, i->rm, 4, __builtin_bswap32((u32)cpu->r[i->rm / 8]));
		else
			X86_REG16(cpu, i->rm) = 0;	/* undefined; what hardware does */
		return X86_NEXT;
	case X86_SEM_MOVZX:
		TRY(rm_read(cpu, i, i->sub, &v));
		x86_reg_put(cpu, i->reg, i->size, v);
		return X86_NEXT;
	case X86_SEM_MOVSX:
		TRY(rm_read(cpu, i, i->sub > i->size ? i->size : i->sub, &v));
		x86_reg_put(cpu, i->reg, i->size, x86_sign_extend(v, i->sub));
		return X86_NEXT;
	case X86_SEM_CMOV:
		TRY(rm_read(cpu, i, i->size, &v));
		w = x86_reg_get(cpu, i->reg, i->size);
		x86_reg_put(cpu, i->reg, i->size, x86_condition_slow(&cpu->fl, i->sub) ? v : w);
		return X86_NEXT;
	case X86_SEM_SETCC:
		return rm_write(cpu, i, 1, x86_condition_slow(&cpu->fl, i->sub));
	case X86_SEM_XCHG:
		return exchange(cpu, i);
	case X86_SEM_XADD:
		return exchange_add(cpu, i);
	case X86_SEM_CMPXCHG:
		return compare_exchange(cpu, i);
	case X86_SEM_CMPXCHG8B:
		return compare_exchange_8b(cpu, i);
	case X86_SEM_PUSH:
		return push_rm(cpu, i);
	case X86_SEM_POP:
		return pop_rm(cpu, i);
	case X86_SEM_PUSHA:
		return push_all(cpu, i);
	case X86_SEM_POPA:
		return pop_all(cpu, i);
	case X86_SEM_PUSHF:
		if (x86_sensitive_86(cpu))
			return x86_raise_error(cpu, X86_GP, 0);
		return push(cpu, i->size, x86_flags_get(cpu) & ~(X86_FLAG_RF | X86_FLAG_VM));
	case X86_SEM_POPF:
		if (x86_sensitive_86(cpu))
			return x86_raise_error(cpu, X86_GP, 0);
		return pop_flags(cpu, i);
	case X86_SEM_ENTER:
		return enter(cpu, i);
	case X86_SEM_LEAVE:
		return leave(cpu, i);
	case X86_SEM_CALL:
		return call_near(cpu, i, (u64)i->imm);
	case X86_SEM_CALL_RM:
		TRY(rm_read(cpu, i, i->size, &v));
		return call_near(cpu, i, v);
	case X86_SEM_RET:
		return ret_near(cpu, i);
	case X86_SEM_JMP:
		return jump_relative(cpu, i);
	case X86_SEM_JMP_RM:
		TRY(rm_read(cpu, i, i->size, &v));
		return x86_jump_to(cpu, v);
	case X86_SEM_JCC:
		if (x86_condition_slow(&cpu->fl, i->sub))
			return jump_relative(cpu, i);
		cpu->rip = x86_next_rip(cpu, i);
		return X86_JUMP;
	case X86_SEM_LOOP: case X86_SEM_LOOPE: case X86_SEM_LOOPNE: case X86_SEM_JCXZ:
		return loop(cpu, i);
	case X86_SEM_CALL_FAR: case X86_SEM_JMP_FAR:
		return x86_far_jump(cpu, (u16)i->disp, (u64)i->imm, i->sem == X86_SEM_CALL_FAR, i->size,
				    x86_next_rip(cpu, i));
	case X86_SEM_CALL_FARM: case X86_SEM_JMP_FARM: case X86_SEM_LFAR:
		return far_memory(cpu, i);
	case X86_SEM_RETF:
		return x86_far_return(cpu, i->size, i->flags & X86_I_IMM ? (u16)i->imm : 0);
	case X86_SEM_CLC: case X86_SEM_STC: case X86_SEM_CMC: case X86_SEM_LAHF: case X86_SEM_SAHF:
		return simple_flags(cpu, i);
	case X86_SEM_CLD:
		cpu->rflags &= ~X86_FLAG_DF;
		return X86_NEXT;
	case X86_SEM_STD:
		cpu->rflags |= X86_FLAG_DF;
		return X86_NEXT;
	case X86_SEM_CBW: case X86_SEM_CWD:
		return widen(cpu, i);
	case X86_SEM_LEA:
		x86_reg_put(cpu, i->reg, i->size, x86_ea(cpu, i));
		return X86_NEXT;
	case X86_SEM_XLAT:
		v = x86_reg_get(cpu, X86_RBX * 8, i->asize) + (u8)cpu->r[X86_RAX];
		TRY(x86_read(cpu, i->seg, v & x86_size_mask(i->asize), 1, &w));
		X86_REG8(cpu, 0) = (u8)w;
		return X86_NEXT;
	case X86_SEM_SALC:
		X86_REG8(cpu, 0) = x86_cf(&cpu->fl) ? 0xff : 0;
		return X86_NEXT;
	case X86_SEM_NOP:
		return X86_NEXT;
	case X86_SEM_PAUSE:
		return x86_pause(cpu, i);
	case X86_SEM_MOV_FROM_SEG: case X86_SEM_MOV_TO_SEG: case X86_SEM_PUSH_SEG: case X86_SEM_POP_SEG:
		return move_segment(cpu, i);
	case X86_SEM_BOUND:
		return bound(cpu, i);
	case X86_SEM_MOVS: case X86_SEM_CMPS: case X86_SEM_STOS: case X86_SEM_LODS: case X86_SEM_SCAS: case X86_SEM_INS:
	case X86_SEM_OUTS:
		return x86_string(cpu, i);
	case X86_SEM_TOO_LONG:
		return x86_raise_error(cpu, X86_GP, 0);
	case X86_SEM_UD:
		return x86_raise(cpu, X86_UD);
	default:
		return x86_system(cpu, i);
	}
}

enum x86_leave x86_slow(struct x86_cpu *cpu, struct x86_insn *i)
{
	enum x86_leave e = i->sem >= X86_SEM_VECTOR ? x86_vector(cpu, i) : general(cpu, i);

	/* answered accesses belong to this instruction only */
	if (e != X86_STOP && cpu->hv.replay.done)
		hv_cpu_replay_clear(&cpu->hv);
	return e;
}
