// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * String instructions, IN and OUT.  REP commits iteration by iteration (1 7.3.9.1): a fault or a device access leaves
 * RCX, RSI and RDI where the next iteration starts, RIP at the instruction.
 */
#include "internal.h"

/* Iterations between two looks at hv_cpu.request. */
#define BATCH 4096u

enum x86_leave x86_port(struct x86_cpu *cpu, u32 port, u32 size, u8 direction, u64 *v)
{
	const struct x86_segment *tr = &cpu->seg[X86_TR];
	enum x86_leave e;
	u64 at, map;

	/* I/O permission bitmap of the TSS (1 19.5.2) */
	if ((cpu->cpl > (cpu->rflags & X86_FLAG_IOPL) >> 12 || (cpu->rflags & X86_FLAG_VM)) && !x86_real(cpu)) {
		if (!(tr->attributes & 8) || tr->limit < 103)
			return x86_raise_error(cpu, X86_GP, 0);
		e = x86_lin_read(cpu, tr->base + 102, 2, 0, &at);
		if (e)
			return e;
		if (at + port / 8 + 1 > tr->limit)
			return x86_raise_error(cpu, X86_GP, 0);
		e = x86_lin_read(cpu, tr->base + at + port / 8, 2, 0, &map);
		if (e)
			return e;
		if ((map >> (port & 7)) & ((1u << size) - 1))
			return x86_raise_error(cpu, X86_GP, 0);
	}
	if (hv_cpu_device(&cpu->hv, HV_SPACE_PIO, port, (u8)size, direction, v)) {
		if (unlikely(cpu->mode & X86_MODE_DEBUG))
			x86_debug_match(cpu, port, size, 2);
		return X86_NEXT;
	}
	cpu->stop = HV_EXIT_ACCESS;
	return X86_STOP;
}

struct where {
	u64 mask;
	u64 si, di;
};

static enum x86_leave one(struct x86_cpu *cpu, struct x86_insn *i, struct where *w)
{
	u32 size = i->size;
	enum x86_leave e = X86_NEXT;
	u64 v, d;

	switch (i->sem) {
	case X86_SEM_MOVS:
		e = x86_read(cpu, i->seg, w->si, size, &v);
		return e ? e : x86_write(cpu, X86_ES, w->di, size, v);
	case X86_SEM_STOS:
		return x86_write(cpu, X86_ES, w->di, size, cpu->r[X86_RAX]);
	case X86_SEM_LODS:
		e = x86_read(cpu, i->seg, w->si, size, &v);
		if (!e)
			x86_reg_put(cpu, X86_RAX * 8, size, v);
		return e;
	case X86_SEM_CMPS:
		e = x86_read(cpu, i->seg, w->si, size, &v);
		if (!e)
			e = x86_read(cpu, X86_ES, w->di, size, &d);
		if (!e)
			x86_alu(cpu, X86_SEM_CMP, size, v, d);
		return e;
	case X86_SEM_SCAS:
		e = x86_read(cpu, X86_ES, w->di, size, &d);
		if (!e)
			x86_alu(cpu, X86_SEM_CMP, size, cpu->r[X86_RAX], d);
		return e;
	case X86_SEM_INS:
		/* a destination that faults must do so before the port is read */
		e = x86_linear(cpu, X86_ES, w->di, size, X86_WRITE, &d);
		if (!e) {
			u32 user = cpu->cpl == 3 ? X86_USER : 0;
			u8 *host;

			e = x86_translate(cpu, d, X86_WRITE | user, &host, &v);
			if (!e && ((d + size - 1) ^ d) & HV_PAGE_MASK)
				e = x86_translate(cpu, d + size - 1, X86_WRITE | user, &host, &v);
		}
		if (!e)
			e = x86_port(cpu, (u16)cpu->r[X86_RDX], size, HV_READ, &v);
		return e ? e : x86_write(cpu, X86_ES, w->di, size, v);
	default:
		e = x86_read(cpu, i->seg, w->si, size, &v);
		return e ? e : x86_port(cpu, (u16)cpu->r[X86_RDX], size, HV_WRITE, &v);
	}
}

static void index_put(struct x86_cpu *cpu, u32 reg, u64 v, u64 mask)
{
	if (mask == 0xffff)
		X86_REG16(cpu, reg * 8) = (u16)v;
	else
		cpu->r[reg] = v & mask;
}

static bool uses_si(u32 sem)
{
	return sem == X86_SEM_MOVS || sem == X86_SEM_CMPS || sem == X86_SEM_LODS || sem == X86_SEM_OUTS;
}

static bool uses_di(u32 sem)
{
	return sem != X86_SEM_LODS && sem != X86_SEM_OUTS;
}

/*
 * A run of MOVS or STOS inside one page each, going up, RAM on both sides, flat: whole elements at once.  Returns the
 * number of elements done; 0 leaves it to the general way.
 */
static u32 bulk(struct x86_cpu *cpu, struct x86_insn *i, struct where *w, u64 count)
{
	struct hv_tlb *tlb = &cpu->tlb[cpu->cpl == 3];
	u32 size = i->size, n, room;
	u64 from = w->si, to = w->di, fill = cpu->r[X86_RAX];
	u8 *dst, *src = NULL;

	if ((cpu->mode & X86_MODE_DEBUG) || (cpu->rflags & X86_FLAG_DF) || w->mask == 0xffff ||
	    (i->sem != X86_SEM_MOVS && i->sem != X86_SEM_STOS) ||
	    !(cpu->mode & X86_MODE_FLAT_DATA) || i->seg == X86_FS || i->seg == X86_GS || i->seg == X86_CS)
		return 0;
	room = (u32)(HV_PAGE_SIZE - (to & ~HV_PAGE_MASK));
	dst = hv_tlb_hit(tlb->write, to, 1);
	if (i->sem == X86_SEM_MOVS) {
		src = hv_tlb_hit(tlb->read, from, 1);
		if (!src)
			return 0;
		if (HV_PAGE_SIZE - (from & ~HV_PAGE_MASK) < room)
			room = (u32)(HV_PAGE_SIZE - (from & ~HV_PAGE_MASK));
	}
	if (!dst)
		return 0;
	room /= size;
	if (count < room)
		room = (u32)count;
	for (n = 0; n < room; n++) {
		switch (size) {
		case 1:
			env_guest_st8(dst + n, src ? env_guest_ld8(src + n) : (u8)fill);
			break;
		case 2:
			env_guest_st16(dst + n * 2, src ? env_guest_ld16(src + n * 2) : (u16)fill);
			break;
		case 4:
			env_guest_st32(dst + n * 4, src ? env_guest_ld32(src + n * 4) : (u32)fill);
			break;
		default:
			env_guest_st64(dst + n * 8, src ? env_guest_ld64(src + n * 8) : fill);
		}
	}
	w->di += (u64)room * size;
	w->si += (u64)room * size;
	return room;
}

enum x86_leave x86_string(struct x86_cpu *cpu, struct x86_insn *i)
{
	bool rep = i->flags & (X86_I_REP | X86_I_REPNE), compares = i->sem == X86_SEM_CMPS || i->sem == X86_SEM_SCAS;
	u64 mask = x86_size_mask(i->asize), count, epoch = cpu->hv.epoch;
	s64 step = cpu->rflags & X86_FLAG_DF ? -(s64)i->size : (s64)i->size;
	struct where w;
	enum x86_leave e;
	u32 left = BATCH, done;

	if (i->size == 8 && (i->sem == X86_SEM_INS || i->sem == X86_SEM_OUTS))
		i->size = 4;
	if (i->size == 4)
		step = step < 0 ? -4 : 4;
	w.mask = mask;
	for (;;) {
		count = cpu->r[X86_RCX] & mask;
		if (rep && !count)
			return X86_NEXT;
		w.si = cpu->r[X86_RSI] & mask;
		w.di = cpu->r[X86_RDI] & mask;
		done = rep ? bulk(cpu, i, &w, count) : 0;
		if (!done) {
			e = one(cpu, i, &w);
			if (e)
				return e;
			hv_cpu_replay_clear(&cpu->hv);
			w.si += (u64)step;
			w.di += (u64)step;
			done = 1;
		}
		if (uses_si(i->sem))
			index_put(cpu, X86_RSI, w.si, mask);
		if (uses_di(i->sem))
			index_put(cpu, X86_RDI, w.di, mask);
		if (!rep)
			return X86_NEXT;
		count -= done;
		index_put(cpu, X86_RCX, count, mask);
		if (compares && !cpu->fl.result != !!(i->flags & X86_I_REP))
			return X86_NEXT;
		if (!count)
			return X86_NEXT;
		/* it may have written over itself; somebody may want something */
		left -= done < left ? done : left;
		if (cpu->hv.epoch != epoch || !left || (cpu->mode & (X86_MODE_TRAP | X86_MODE_DEBUG))) {
			cpu->rip = x86_this_rip(cpu, i);
			return X86_AGAIN;
		}
	}
}
