// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Segmentation: logical to linear addresses, descriptor checks, the stack (3A chapters 3 and 5). */
#include "internal.h"

#define ATTR_P 0x80u
#define ATTR_S 0x10u
#define ATTR_CODE 0x08u		/* with S */
#define ATTR_CONFORMING 0x04u	/* code */
#define ATTR_DOWN 0x04u		/* data: expand-down */
#define ATTR_RW 0x02u		/* code: readable, data: writable */
#define ATTR_L 0x2000u
#define ATTR_DB 0x4000u

static u32 dpl(const struct x86_segment *s)
{
	return (s->attributes >> 5) & 3;
}

static enum x86_leave address_fault(struct x86_cpu *cpu, u32 seg)
{
	return x86_raise_error(cpu, seg == X86_SS ? X86_SS_FAULT : X86_GP, 0);
}

/* Is [off, off + size) inside the segment?  Expand-down segments reach from limit + 1 to 64 KiB or 4 GiB (3A 3.4.5.1). */
static bool within_limit(const struct x86_segment *s, u64 off, u32 size)
{
	u64 last = off + size - 1, top;

	if ((s->attributes & (ATTR_S | ATTR_CODE | ATTR_DOWN)) == (ATTR_S | ATTR_DOWN)) {
		top = s->attributes & ATTR_DB ? 0xffffffff : 0xffff;
		return off > s->limit && last <= top;
	}
	return last <= s->limit;
}

enum x86_leave x86_linear(struct x86_cpu *cpu, u32 seg, u64 off, u32 size, u32 how, u64 *lin)
{
	const struct x86_segment *s = &cpu->seg[seg];

	if (x86_code64(cpu)) {
		*lin = seg == X86_FS || seg == X86_GS ? s->base + off : off;
		if (unlikely(!x86_canonical(*lin) || !x86_canonical(*lin + size - 1)))
			return address_fault(cpu, seg);
		if (unlikely(cpu->mode & X86_MODE_DEBUG))
			x86_debug_match(cpu, *lin, size, how & X86_WRITE ? 1 : 3);
		return X86_NEXT;
	}
	off = (u32)off;
	*lin = (u32)(s->base + off);
	if (!x86_real(cpu)) {
		if (!(s->attributes & ATTR_P))
			return address_fault(cpu, seg);
		if (how & X86_WRITE) {
			if ((s->attributes & ATTR_CODE) || !(s->attributes & ATTR_RW))
				return address_fault(cpu, seg);
		} else if ((s->attributes & (ATTR_CODE | ATTR_RW)) == ATTR_CODE) {
			return address_fault(cpu, seg);
		}
	}
	if (unlikely(!within_limit(s, off, size)))
		return address_fault(cpu, seg);
	if (unlikely(cpu->mode & X86_MODE_DEBUG))
		x86_debug_match(cpu, *lin, size, how & X86_WRITE ? 1 : 3);
	return X86_NEXT;
}

static u32 privilege(const struct x86_cpu *cpu)
{
	return cpu->cpl == 3 ? X86_USER : 0;
}

enum x86_leave x86_read(struct x86_cpu *cpu, u32 seg, u64 off, u32 size, u64 *v)
{
	enum x86_leave e;
	u64 lin;

	e = x86_linear(cpu, seg, off, size, 0, &lin);
	return e ? e : x86_lin_read(cpu, lin, size, privilege(cpu), v);
}

enum x86_leave x86_write(struct x86_cpu *cpu, u32 seg, u64 off, u32 size, u64 v)
{
	enum x86_leave e;
	u64 lin;

	e = x86_linear(cpu, seg, off, size, X86_WRITE, &lin);
	return e ? e : x86_lin_write(cpu, lin, size, privilege(cpu), v);
}

enum x86_leave x86_read_block(struct x86_cpu *cpu, u32 seg, u64 off, void *to, u32 size)
{
	u32 at, n, how = privilege(cpu);
	enum x86_leave e;
	u8 *host;
	u64 lin, v, gpa;

	e = x86_linear(cpu, seg, off, size, 0, &lin);
	for (at = 0; !e && at < size; at = ((at + (u32)lin) | 4095) + 1 - (u32)lin) {
		e = x86_translate(cpu, lin + at, how, &host, &gpa);
		if (!e && !host && size > 64)
			e = x86_raise_error(cpu, X86_GP, 0);
	}
	for (at = 0; !e && at < size; at += n) {
		n = size - at >= 8 ? 8 : size - at >= 4 ? 4 : size - at >= 2 ? 2 : 1;
		e = x86_lin_read(cpu, lin + at, n, how, &v);
		memcpy((u8 *)to + at, &v, n);
	}
	return e;
}

enum x86_leave x86_write_block(struct x86_cpu *cpu, u32 seg, u64 off, const void *from, u32 size)
{
	u32 at, n, how = privilege(cpu);
	enum x86_leave e;
	u8 *host;
	u64 lin, v, gpa;

	e = x86_linear(cpu, seg, off, size, X86_WRITE, &lin);
	for (at = 0; !e && at < size; at = ((at + (u32)lin) | 4095) + 1 - (u32)lin) {
		e = x86_translate(cpu, lin + at, how | X86_WRITE, &host, &gpa);
		if (!e && !host && size > 64)
			e = x86_raise_error(cpu, X86_GP, 0);
	}
	for (at = 0; !e && at < size; at += n) {
		n = size - at >= 8 ? 8 : size - at >= 4 ? 4 : size - at >= 2 ? 2 : 1;
		v = 0;
		memcpy(&v, (const u8 *)from + at, n);
		e = x86_lin_write(cpu, lin + at, n, how, v);
	}
	return e;
}

u64 x86_sp_mask(const struct x86_cpu *cpu)
{
	if (x86_code64(cpu))
		return ~0ull;
	return cpu->seg[X86_SS].attributes & ATTR_DB ? 0xffffffff : 0xffff;
}

void x86_sp_put(struct x86_cpu *cpu, u64 sp)
{
	u64 mask = x86_sp_mask(cpu);

	if (mask == 0xffff)
		cpu->r[X86_RSP] = (cpu->r[X86_RSP] & ~mask) | (sp & mask);
	else
		cpu->r[X86_RSP] = sp & mask;
}

enum x86_leave x86_push(struct x86_cpu *cpu, u64 *sp, u32 size, u64 v)
{
	u64 to = (*sp - size) & x86_sp_mask(cpu);
	enum x86_leave e;

	e = x86_write(cpu, X86_SS, to, size, v);
	if (!e)
		*sp = to;
	return e;
}

enum x86_leave x86_pop(struct x86_cpu *cpu, u64 *sp, u32 size, u64 *v)
{
	enum x86_leave e;

	e = x86_read(cpu, X86_SS, *sp & x86_sp_mask(cpu), size, v);
	if (!e)
		*sp = (*sp + size) & x86_sp_mask(cpu);
	return e;
}

static void descriptor_parse(u64 low, u16 selector, struct x86_segment *s)
{
	s->selector = selector;
	s->attributes = (u16)((low >> 40) & 0xf0ff);
	s->base = ((low >> 16) & 0xffffff) | ((low >> 56) << 24);
	s->limit = (u32)((low & 0xffff) | ((low >> 32) & 0xf0000));
	if (low & (1ull << 55))
		s->limit = s->limit << 12 | 0xfff;
}

/* Fetch the descriptor of a selector that is not null; outside of the table: @vector(selector). */
enum x86_leave x86_descriptor_read(struct x86_cpu *cpu, u16 selector, u8 vector, struct x86_descriptor *d)
{
	bool local = selector & 4;
	u64 base = local ? cpu->seg[X86_LDTR].base : cpu->gdt.base;
	u32 limit = local ? cpu->seg[X86_LDTR].limit : cpu->gdt.limit;
	enum x86_leave e;
	u32 at = selector & 0xfff8;
	bool wide;

	if (at + 7 > limit || (local && !(cpu->seg[X86_LDTR].attributes & ATTR_P)))
		return x86_raise_error(cpu, vector, selector & 0xfffc);
	d->at = base + at;
	d->high = 0;
	e = x86_lin_read(cpu, d->at, 8, 0, &d->low);
	if (e)
		return e;
	descriptor_parse(d->low, selector, &d->seg);
	/* system descriptors take 16 bytes when LMA is set (3A 3.5, table 3-2) */
	wide = x86_long(cpu) && !(d->seg.attributes & ATTR_S);
	if (!wide)
		return X86_NEXT;
	if (at + 15 > limit)
		return x86_raise_error(cpu, vector, selector & 0xfffc);
	e = x86_lin_read(cpu, d->at + 8, 8, 0, &d->high);
	d->seg.base |= d->high << 32;
	return e;
}

/* Set the accessed bit of a code or data descriptor. */
enum x86_leave x86_descriptor_access(struct x86_cpu *cpu, struct x86_descriptor *d)
{
	if (d->seg.attributes & 1)
		return X86_NEXT;
	d->seg.attributes |= 1;
	return x86_lin_write(cpu, d->at + 5, 1, 0, (d->low >> 40 & 0xff) | 1);
}

static enum x86_leave load_real(struct x86_cpu *cpu, u32 seg, u16 selector)
{
	struct x86_segment *s = &cpu->seg[seg];

	/* limit and attributes stay: "big real mode" lives on that */
	s->selector = selector;
	s->base = (u64)selector << 4;
	return X86_NEXT;
}

enum x86_leave x86_check_stack(struct x86_cpu *cpu, u16 selector, const struct x86_descriptor *d, u32 cpl, u8 vector)
{
	u32 a = d->seg.attributes;

	if ((selector & 3) != cpl || dpl(&d->seg) != cpl ||
	    (a & (ATTR_S | ATTR_CODE | ATTR_RW)) != (ATTR_S | ATTR_RW))
		return x86_raise_error(cpu, vector, selector & 0xfffc);
	if (!(a & ATTR_P))
		return x86_raise_error(cpu, X86_SS_FAULT, selector & 0xfffc);
	return X86_NEXT;
}

enum x86_leave x86_load_segment(struct x86_cpu *cpu, u32 seg, u16 selector)
{
	struct x86_descriptor d;
	enum x86_leave e;
	u32 a;

	if (x86_real(cpu) || (cpu->rflags & X86_FLAG_VM)) {
		load_real(cpu, seg, selector);
		x86_mode_update(cpu);
		return X86_NEXT;
	}
	if (!(selector & 0xfffc)) {
		if (seg == X86_SS && (!x86_code64(cpu) || cpu->cpl == 3 || (selector & 3) != cpu->cpl))
			return x86_raise_error(cpu, X86_GP, 0);
		cpu->seg[seg].selector = selector;
		cpu->seg[seg].attributes = seg == X86_SS ? (u16)(cpu->cpl << 5) : 0;
		cpu->seg[seg].limit = 0;
		cpu->seg[seg].base = 0;
		x86_mode_update(cpu);
		return X86_NEXT;
	}
	e = x86_descriptor_read(cpu, selector, X86_GP, &d);
	if (e)
		return e;
	a = d.seg.attributes;
	if (seg == X86_SS) {
		e = x86_check_stack(cpu, selector, &d, cpu->cpl, X86_GP);
		if (e)
			return e;
	} else {
		if (!(a & ATTR_S) || (a & (ATTR_CODE | ATTR_RW)) == ATTR_CODE)
			return x86_raise_error(cpu, X86_GP, selector & 0xfffc);
		if ((a & (ATTR_CODE | ATTR_CONFORMING)) != (ATTR_CODE | ATTR_CONFORMING) &&
		    (dpl(&d.seg) < cpu->cpl || dpl(&d.seg) < (selector & 3u)))
			return x86_raise_error(cpu, X86_GP, selector & 0xfffc);
		if (!(a & ATTR_P))
			return x86_raise_error(cpu, X86_NP, selector & 0xfffc);
	}
	e = x86_descriptor_access(cpu, &d);
	if (e)
		return e;
	cpu->seg[seg] = d.seg;
	x86_mode_update(cpu);
	return X86_NEXT;
}

enum x86_leave x86_load_ldtr(struct x86_cpu *cpu, u16 selector)
{
	struct x86_descriptor d;
	enum x86_leave e;

	if (!(selector & 0xfffc)) {
		memset(&cpu->seg[X86_LDTR], 0, sizeof(cpu->seg[X86_LDTR]));
		cpu->seg[X86_LDTR].selector = selector;
		return X86_NEXT;
	}
	if (selector & 4)
		return x86_raise_error(cpu, X86_GP, selector & 0xfffc);
	e = x86_descriptor_read(cpu, selector, X86_GP, &d);
	if (e)
		return e;
	if ((d.seg.attributes & 0x1f) != 2)
		return x86_raise_error(cpu, X86_GP, selector & 0xfffc);
	if (!(d.seg.attributes & ATTR_P))
		return x86_raise_error(cpu, X86_NP, selector & 0xfffc);
	cpu->seg[X86_LDTR] = d.seg;
	return X86_NEXT;
}

enum x86_leave x86_load_tr(struct x86_cpu *cpu, u16 selector)
{
	struct x86_descriptor d;
	enum x86_leave e;
	u32 type;

	if (!(selector & 0xfffc) || (selector & 4))
		return x86_raise_error(cpu, X86_GP, selector & 0xfffc);
	e = x86_descriptor_read(cpu, selector, X86_GP, &d);
	if (e)
		return e;
	type = d.seg.attributes & 0x1f;
	if (type != 9 && (type != 1 || x86_long(cpu)))
		return x86_raise_error(cpu, X86_GP, selector & 0xfffc);
	if (!(d.seg.attributes & ATTR_P))
		return x86_raise_error(cpu, X86_NP, selector & 0xfffc);
	e = x86_lin_write(cpu, d.at + 5, 1, 0, (d.low >> 40 & 0xff) | 2);
	if (e)
		return e;
	d.seg.attributes |= 2;
	cpu->seg[X86_TR] = d.seg;
	return X86_NEXT;
}

/*
 * May control go to this code segment at privilege @cpl?  @to_outer: a return, where the selector's RPL is the new
 * privilege; otherwise a far jump or call without gate.
 */
enum x86_leave x86_check_code(struct x86_cpu *cpu, u16 selector, const struct x86_descriptor *d, u32 cpl, bool to_outer)
{
	u32 a = d->seg.attributes, rpl = selector & 3;
	bool bad = (a & (ATTR_S | ATTR_CODE)) != (ATTR_S | ATTR_CODE);

	if (!bad && (a & ATTR_CONFORMING))
		bad = dpl(&d->seg) > cpl;
	else if (!bad)
		bad = dpl(&d->seg) != cpl || (!to_outer && rpl > cpl);
	/* L and D together are reserved (3A 5.2.1) */
	if (!bad && x86_long(cpu) && (a & ATTR_L) && (a & ATTR_DB))
		bad = true;
	if (bad)
		return x86_raise_error(cpu, X86_GP, selector & 0xfffc);
	if (!(a & ATTR_P))
		return x86_raise_error(cpu, X86_NP, selector & 0xfffc);
	return X86_NEXT;
}

/* Is @rip a possible instruction pointer in code segment @cs? */
enum x86_leave x86_check_rip(struct x86_cpu *cpu, const struct x86_segment *cs, u64 rip)
{
	bool good = x86_long(cpu) && (cs->attributes & ATTR_L) ? x86_canonical(rip) : rip <= cs->limit;

	return good ? X86_NEXT : x86_raise_error(cpu, X86_GP, 0);
}

/* After a return to an outer level: data segments that it must not keep become null (3A 5.8.6). */
void x86_null_outer_segments(struct x86_cpu *cpu)
{
	static const u8 which[] = { X86_ES, X86_DS, X86_FS, X86_GS };
	struct x86_segment *s;
	u32 n;

	for (n = 0; n < ARRAY_SIZE(which); n++) {
		s = &cpu->seg[which[n]];
		if ((s->attributes & (ATTR_CODE | ATTR_CONFORMING)) != (ATTR_CODE | ATTR_CONFORMING) &&
		    dpl(s) < cpu->cpl && (s->attributes & ATTR_P)) {
			s->selector = 0;
			s->attributes = 0;
			s->base = 0;
			s->limit = 0;
		}
	}
}
