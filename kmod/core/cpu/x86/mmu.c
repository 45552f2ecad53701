// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Paging (3A chapter 4), the TLB's slow side, and guest memory by linear address. */
#include "internal.h"

#define PTE_P 0x1ull
#define PTE_W 0x2ull
#define PTE_U 0x4ull
#define PTE_A 0x20ull
#define PTE_D 0x40ull
#define PTE_PS 0x80ull
#define PTE_NX (1ull << 63)
#define PTE_FRAME 0x000ffffffffff000ull
#define PTE_PHYS_RESERVED 0x000ff00000000000ull	/* above 44 physical address bits (CPUID 80000008) */

static enum x86_leave page_fault(struct x86_cpu *cpu, u64 lin, u32 how, bool present, bool reserved)
{
	u32 error = (present ? 1 : 0) | (how & X86_WRITE ? 2 : 0) | (how & X86_USER ? 4 : 0) | (reserved ? 8 : 0);

	/* I/D only where it can matter (3A 4.7) */
	if ((how & X86_FETCH) && (((cpu->efer & X86_EFER_NXE) && (cpu->cr4 & CR4_PAE)) || (cpu->cr4 & CR4_SMEP)))
		error |= 16;
	cpu->cr2 = lin;
	return x86_raise_error(cpu, X86_PF, error);
}

static enum x86_leave page_absent(struct x86_cpu *cpu, u64 gpa, u32 how)
{
	cpu->hv.exit.kind = HV_EXIT_PAGE;
	cpu->hv.exit.space = HV_SPACE_MMIO;
	cpu->hv.exit.address = gpa;
	cpu->hv.exit.size = 1;
	cpu->hv.exit.direction = how & X86_WRITE ? HV_WRITE : HV_READ;
	cpu->hv.exit.fetch = !!(how & X86_FETCH);
	cpu->hv.exit.data = 0;
	cpu->stop = HV_EXIT_PAGE;
	return X86_STOP;
}

/*
 * Host address of a page-table entry.  Tables outside of RAM read as not present: nothing a guest does on purpose.
 */
static enum x86_leave entry_at(struct x86_cpu *cpu, u64 gpa, u8 **host)
{
	u32 access;

	switch (hv_memmap_page(cpu->hv.map, gpa, HV_MEM_READ, host, &access)) {
	case HV_PAGE_RAM:
	case HV_PAGE_DENIED:
		*host += gpa & ~HV_PAGE_MASK;
		return X86_NEXT;
	case HV_PAGE_ABSENT:
		return page_absent(cpu, gpa, 0);
	default:
		*host = NULL;
		return X86_NEXT;
	}
}

static u64 entry_load(u8 *host, u32 width)
{
	if (!host)
		return 0;
	return width == 8 ? env_guest_ld64(host) : env_guest_ld32(host);
}

/* Set accessed and dirty bits with a locked cycle; false: the entry has changed under us, walk again. */
static bool entry_mark(u8 *host, u32 width, u64 seen, u64 bits)
{
	if ((seen & bits) == bits)
		return true;
	if (width == 8)
		return env_guest_cas64(host, seen, seen | bits) == seen;
	return env_guest_cas32(host, (u32)seen, (u32)(seen | bits)) == (u32)seen;
}

enum x86_leave x86_load_pdptes(struct x86_cpu *cpu, u64 cr3)
{
	enum x86_leave e;
	u64 pdpte[4];
	u8 *host;
	u32 i;

	for (i = 0; i < 4; i++) {
		e = entry_at(cpu, (cr3 & 0xffffffe0) + i * 8, &host);
		if (e)
			return e;
		pdpte[i] = entry_load(host, 8);
		if ((pdpte[i] & PTE_P) && (pdpte[i] & (PTE_PHYS_RESERVED | 0xfff00000000001e6ull)))
			return x86_raise_error(cpu, X86_GP, 0);
	}
	memcpy(cpu->pdpte, pdpte, sizeof(pdpte));
	return X86_NEXT;
}

struct walk {
	u64 gpa;	/* of the page's first 4 KiB piece that holds the address */
	bool keep;	/* the TLB may have it: not so for user pages that EFLAGS.AC alone lets supervisors touch */
	bool writable;	/* a write needs no further walk: dirty is set and this privilege may write */
};

/* Levels count down: 4 (PML4) to 1 (page table). */
static enum x86_leave walk_once(struct x86_cpu *cpu, u64 lin, u32 how, struct walk *w, bool *again)
{
	bool nx_on = cpu->efer & X86_EFER_NXE;
	u32 width = cpu->cr4 & CR4_PAE ? 8 : 4;
	u32 bits = width == 8 ? 9 : 10;
	u32 level = x86_long(cpu) ? 4 : 2;
	u64 table = cpu->cr3 & (x86_long(cpu) ? PTE_FRAME : 0xfffff000);
	u64 rights = PTE_W | PTE_U, nx = 0, entry, reserved, offset_mask, want;
	bool user = how & X86_USER, large, wp = cpu->cr0 & CR0_WP;
	enum x86_leave e;
	u32 shift;
	u8 *host;

	*again = false;
	if (width == 8 && level == 2) {
		entry = cpu->pdpte[(lin >> 30) & 3];
		if (!(entry & PTE_P))
			return page_fault(cpu, lin, how, false, false);
		table = entry & PTE_FRAME;
	}
	for (;; level--) {
		shift = HV_PAGE_SHIFT + bits * (level - 1);
		e = entry_at(cpu, table + ((lin >> shift) & ((1u << bits) - 1)) * width, &host);
		if (e)
			return e;
		entry = entry_load(host, width);
		if (!(entry & PTE_P))
			return page_fault(cpu, lin, how, false, false);
		reserved = 0;
		large = level > 1 && (entry & PTE_PS) && (width == 8 || (cpu->cr4 & CR4_PSE));
		if (width == 8) {
			reserved = PTE_PHYS_RESERVED | (nx_on ? 0 : PTE_NX);
			if (level == 4)
				reserved |= PTE_PS;
			if (!x86_long(cpu))
				reserved |= 0x7ff0000000000000ull;
			if (large)
				reserved |= ((1ull << shift) - 1) & ~0x1fffull;
		} else if (large) {
			reserved = 0x3fe000ull & ~0x1fe000ull;	/* PSE-36: bits 20:13 are address bits 39:32 */
		}
		if (entry & reserved)
			return page_fault(cpu, lin, how, true, true);
		rights &= entry;
		nx |= width == 8 ? entry & PTE_NX : 0;
		if (level == 1 || large)
			break;
		if (!entry_mark(host, width, entry, PTE_A)) {
			*again = true;
			return X86_NEXT;
		}
		table = width == 8 ? entry & PTE_FRAME : entry & 0xfffff000;
	}
	if (user && !(rights & PTE_U))
		return page_fault(cpu, lin, how, true, false);
	/* 3A 4.6.1: supervisor code does not run from user pages, nor touch their data but between STAC and CLAC */
	if (!user && (rights & PTE_U) && (cpu->cr4 & (CR4_SMEP | CR4_SMAP))) {
		if (how & X86_FETCH ? cpu->cr4 & CR4_SMEP : (cpu->cr4 & CR4_SMAP) && (cpu->cpl == 3 || !(cpu->rflags & X86_FLAG_AC)))
			return page_fault(cpu, lin, how, true, false);
		w->keep = (how & X86_FETCH) || !(cpu->cr4 & CR4_SMAP);
	}
	if ((how & X86_WRITE) && !(rights & PTE_W) && (user || wp))
		return page_fault(cpu, lin, how, true, false);
	if ((how & X86_FETCH) && nx)
		return page_fault(cpu, lin, how, true, false);
	want = PTE_A | (how & X86_WRITE ? PTE_D : 0);
	if (!entry_mark(host, width, entry, want)) {
		*again = true;
		return X86_NEXT;
	}
	offset_mask = (1ull << shift) - 1;
	w->gpa = entry & PTE_FRAME & ~offset_mask;
	if (width == 4) {
		w->gpa = entry & 0xffffffff & ~offset_mask;
		if (large)
			w->gpa |= ((entry >> 13) & 0xff) << 32;
	}
	w->gpa |= lin & offset_mask & HV_PAGE_MASK;
	w->writable = ((entry | want) & PTE_D) && ((rights & PTE_W) || (!user && !wp));
	return X86_NEXT;
}

static enum x86_leave walk(struct x86_cpu *cpu, u64 lin, u32 how, struct walk *w)
{
	enum x86_leave e;
	bool again;

	if (!(cpu->cr0 & CR0_PG)) {
		w->gpa = lin & HV_PAGE_MASK;
		w->writable = true;
		return X86_NEXT;
	}
	do {
		e = walk_once(cpu, lin, how, w, &again);
	} while (again);
	return e;
}

enum x86_leave x86_translate(struct x86_cpu *cpu, u64 lin, u32 how, u8 **host, u64 *gpa)
{
	struct hv_tlb *tlb = &cpu->tlb[!!(how & X86_USER)];
	struct hv_tlb_entry *array = how & X86_WRITE ? tlb->write : tlb->read;
	struct walk w = { 0, true, false };
	enum x86_leave e;
	u32 access;
	u8 *page;

	page = hv_tlb_hit(array, lin, 1);
	if (page) {
		*host = page;
		*gpa = array[(lin >> HV_PAGE_SHIFT) % HV_TLB_ENTRIES].gpa | (lin & ~HV_PAGE_MASK);
		return X86_NEXT;
	}
	e = walk(cpu, lin, how, &w);
	if (e)
		return e;
	*gpa = w.gpa | (lin & ~HV_PAGE_MASK);
	switch (hv_memmap_page(cpu->hv.map, w.gpa, how & X86_WRITE ? HV_MEM_WRITE : HV_MEM_READ, &page, &access)) {
	case HV_PAGE_RAM:
		break;
	case HV_PAGE_ABSENT:
		return page_absent(cpu, *gpa, how);
	default:
		*host = NULL;
		return X86_NEXT;
	}
	*host = page + (lin & ~HV_PAGE_MASK);
	if (!w.keep)
		return X86_NEXT;
	if (!(how & X86_WRITE))
		hv_tlb_fill(tlb->read, lin, w.gpa, page);
	else if (!hv_blocks_cover(&cpu->hv.blocks, w.gpa))
		hv_tlb_fill(tlb->write, lin, w.gpa, page);
	return X86_NEXT;
}

enum x86_leave x86_fetch_page(struct x86_cpu *cpu, u64 lin, u8 **host, u64 *gpa)
{
	u32 how = X86_FETCH | (cpu->cpl == 3 ? X86_USER : 0);
	struct hv_tlb_entry *t = &cpu->fetch[cpu->cpl == 3][(lin >> HV_PAGE_SHIFT) % X86_FETCH_ENTRIES];
	struct walk w = { 0, true, false };
	enum x86_leave e;
	u32 access;
	u8 *page;

	if (t->tag == (lin & HV_PAGE_MASK)) {
		*host = (u8 *)(unsigned long)(lin + t->offset);
		*gpa = t->gpa | (lin & ~HV_PAGE_MASK);
		return X86_NEXT;
	}
	e = walk(cpu, lin, how, &w);
	if (e)
		return e;
	*gpa = w.gpa | (lin & ~HV_PAGE_MASK);
	/* ACRN grants execution in every slot: its EPT violation handler does not know a lack of X. */
	switch (hv_memmap_page(cpu->hv.map, w.gpa, 0, &page, &access)) {
	case HV_PAGE_RAM:
		break;
	case HV_PAGE_ABSENT:
		return page_absent(cpu, *gpa, how);
	default:
		return x86_raise_error(cpu, X86_GP, 0);
	}
	t->tag = lin & HV_PAGE_MASK;
	t->offset = (u64)(unsigned long)page - t->tag;
	t->gpa = w.gpa;
	*host = page + (lin & ~HV_PAGE_MASK);
	return X86_NEXT;
}

static enum x86_leave device(struct x86_cpu *cpu, u64 gpa, u32 size, u8 direction, u64 *v)
{
	if (hv_cpu_device(&cpu->hv, HV_SPACE_MMIO, gpa, (u8)size, direction, v))
		return X86_NEXT;
	cpu->stop = HV_EXIT_ACCESS;
	return X86_STOP;
}

/* The largest power of two that starts a span of @size bytes. */
static u32 piece(u32 size)
{
	return size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
}

/* @size bytes within one page, RAM or device, in power-of-two pieces. */
static enum x86_leave span_read(struct x86_cpu *cpu, u8 *host, u64 gpa, u32 size, u64 *v)
{
	enum x86_leave e;
	u64 part, sum = 0;
	u32 at = 0, n;

	for (; at < size; at += n) {
		n = piece(size - at);
		if (host) {
			part = env_guest_load(host + at, n);
		} else {
			e = device(cpu, gpa + at, n, HV_READ, &part);
			if (e)
				return e;
		}
		sum |= part << (at * 8);
	}
	*v = sum;
	return X86_NEXT;
}

static enum x86_leave span_write(struct x86_cpu *cpu, u8 *host, u64 gpa, u32 size, u64 v)
{
	enum x86_leave e;
	u64 part;
	u32 at = 0, n;

	for (; at < size; at += n) {
		n = piece(size - at);
		part = v >> (at * 8);
		if (host) {
			env_guest_store(host + at, n, part);
		} else {
			e = device(cpu, gpa + at, n, HV_WRITE, &part);
			if (e)
				return e;
		}
	}
	if (host && hv_blocks_cover(&cpu->hv.blocks, gpa))
		x86_code_stored(cpu, gpa, size);
	return X86_NEXT;
}

/* Addresses wrap at 4 GiB outside 64-bit mode: the second page of a crossing access. */
static u64 second_page(struct x86_cpu *cpu, u64 lin)
{
	lin = (lin & HV_PAGE_MASK) + HV_PAGE_SIZE;
	return x86_long(cpu) ? lin : (u32)lin;
}

enum x86_leave x86_lin_read(struct x86_cpu *cpu, u64 lin, u32 size, u32 how, u64 *v)
{
	u32 left = (u32)(HV_PAGE_SIZE - (lin & ~HV_PAGE_MASK));
	u8 *host, *host2;
	u64 gpa, gpa2, low, high;
	enum x86_leave e;

	e = x86_translate(cpu, lin, how, &host, &gpa);
	if (e)
		return e;
	if (size <= left) {
		if (!host)
			return span_read(cpu, NULL, gpa, size, v);
		*v = env_guest_load(host, size);
		return X86_NEXT;
	}
	/* both pages are checked before a device sees anything */
	e = x86_translate(cpu, second_page(cpu, lin), how, &host2, &gpa2);
	if (!e)
		e = span_read(cpu, host, gpa, left, &low);
	if (!e)
		e = span_read(cpu, host2, gpa2, size - left, &high);
	if (!e)
		*v = low | high << (left * 8);
	return e;
}

enum x86_leave x86_lin_write(struct x86_cpu *cpu, u64 lin, u32 size, u32 how, u64 v)
{
	u32 left = (u32)(HV_PAGE_SIZE - (lin & ~HV_PAGE_MASK));
	u8 *host, *host2;
	u64 gpa, gpa2;
	enum x86_leave e;

	how |= X86_WRITE;
	e = x86_translate(cpu, lin, how, &host, &gpa);
	if (e)
		return e;
	if (size <= left)
		return span_write(cpu, host, gpa, size, v);
	e = x86_translate(cpu, second_page(cpu, lin), how, &host2, &gpa2);
	if (!e)
		e = span_write(cpu, host, gpa, left, v);
	if (!e)
		e = span_write(cpu, host2, gpa2, size - left, v >> (left * 8));
	return e;
}

void x86_tlb_flush(struct x86_cpu *cpu)
{
	u32 i;

	/* the arena in which it lay was exchanged for a larger one, and is gone; the next step adopts the new one */
	if ((u8 *)cpu->tlb != cpu->hv.blocks.arena)
		cpu->tlb = NULL;
	for (i = 0; cpu->tlb && i < X86_TLBS; i++)
		hv_tlb_flush(&cpu->tlb[i]);
	for (i = 0; i < X86_FETCH_ENTRIES; i++) {
		cpu->fetch[0][i].tag = HV_TLB_NO_TAG;
		cpu->fetch[1][i].tag = HV_TLB_NO_TAG;
	}
	x86_generation_next(cpu);
}

bool x86_tlb_adopt(struct x86_cpu *cpu)
{
	if (likely((u8 *)cpu->tlb == cpu->hv.blocks.arena && cpu->tlb))
		return true;
	if (hv_blocks_need_arena(&cpu->hv.blocks))
		return false;
	cpu->tlb = (struct hv_tlb *)cpu->hv.blocks.arena;
	x86_tlb_flush(cpu);
	return true;
}

void x86_tlb_flush_page(struct x86_cpu *cpu, u64 lin)
{
	hv_tlb_flush_page(&cpu->tlb[0], lin);
	hv_tlb_flush_page(&cpu->tlb[1], lin);
	cpu->fetch[0][(lin >> HV_PAGE_SHIFT) % X86_FETCH_ENTRIES].tag = HV_TLB_NO_TAG;
	cpu->fetch[1][(lin >> HV_PAGE_SHIFT) % X86_FETCH_ENTRIES].tag = HV_TLB_NO_TAG;
	x86_generation_next(cpu);
}

void x86_tlb_flush_writes(struct x86_cpu *cpu)
{
	hv_tlb_flush_array(cpu->tlb[0].write);
	hv_tlb_flush_array(cpu->tlb[1].write);
}

/*
 * This CPU has written to a page with decoded code.  Every block is compared with memory before it runs again; if the
 * bytes of the running block itself changed, it ends before its next instruction (3A 8.1.3: a processor sees its own
 * modification at once).
 */
void x86_code_stored(struct x86_cpu *cpu, u64 gpa, u32 size)
{
	struct hv_block *b = cpu->block;
	struct x86_insn *i;
	u32 n;

	cpu->hv.epoch++;
	if (!b || gpa + size <= b->gpa || gpa >= b->gpa + b->bytes)
		return;
	b->dead = 1;
	i = hv_block_insns(b);
	for (n = 0; n < b->count; n++)
		i[n].op = HV_OP_RESYNC;
}
