// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What is kept of translations, by address space, and what a TLBI drops of it (D8.13, D8.14): see struct arm64_space. */
#include "internal.h"

#define TCR_A1 (1ull << 22)		/* the ASID is TTBR1_EL1's */
#define TCR_AS (1ull << 36)		/* it has 16 bits, not 8 */
#define TTBR_TABLE 0x0000fffffffffffeull

/*
 * What a TLBI by address has to look for.  Bits, hashed from block number and size: code was fetched through this page or
 * block; the data TLB holds pieces of this block (a page needs no mark: its entry is found by its address).
 */
static u32 mark_bit(u64 va, u32 shift)
{
	u64 n = (va & ~(0xffull << 56)) >> shift;

	return (u32)((n ^ (n >> 11) ^ shift * 0x155u) % ARM64_MARKS);
}

static void mark(u64 *marks, u64 va, u32 shift)
{
	u32 bit = mark_bit(va, shift);

	marks[bit / 64] |= 1ull << (bit % 64);
}

static bool marked(const u64 *marks, u64 va, u32 shift)
{
	u32 bit = mark_bit(va, shift);

	return (marks[bit / 64] >> (bit % 64)) & 1;
}

/* What fetches have found: code TLB, links, jump cache. */
static void forget_code(struct arm64_cpu *cpu, struct arm64_space *s)
{
	u32 i;

	for (i = 0; i < ARM64_FETCH_ENTRIES; i++)
		s->fetch[i].tag = HV_TLB_NO_TAG;
	memset(s->code_marks, 0, sizeof(s->code_marks));
	s->generation = ++cpu->generation;
}

static void forget_data(struct arm64_cpu *cpu, u32 n)
{
	hv_tlb_flush(&cpu->tlbs[n]);
	if (!n)
		hv_tlb_flush(&cpu->tlbs[1 + ARM64_SPACES]);
	memset(cpu->spaces[n].data_marks, 0, sizeof(cpu->spaces[n].data_marks));
}

static void forget(struct arm64_cpu *cpu, u32 n)
{
	struct arm64_space *s = &cpu->spaces[n];

	forget_code(cpu, s);
	forget_data(cpu, n);
	s->global = 0;
	s->local = 0;
}

static void forget_page(struct arm64_cpu *cpu, u32 n, u64 va)
{
	struct arm64_space *s = &cpu->spaces[n];

	if (marked(s->data_marks, va, 21) || marked(s->data_marks, va, 30)) {
		forget_data(cpu, n);
	} else {
		hv_tlb_flush_page(&cpu->tlbs[n], va);
		if (!n)
			hv_tlb_flush_page(&cpu->tlbs[1 + ARM64_SPACES], va);
	}
	/* links and the jump cache stay good as long as no code was reached through this translation */
	if (marked(s->code_marks, va, 12) || marked(s->code_marks, va, 21) || marked(s->code_marks, va, 30))
		forget_code(cpu, s);
}

static u16 asid_of(const struct arm64_cpu *cpu, u64 v)
{
	return (u16)(v >> 48 & (cpu->sys.tcr_el1 & TCR_AS ? 0xffff : 0xff));
}

static u16 current_asid(const struct arm64_cpu *cpu)
{
	return asid_of(cpu, cpu->sys.tcr_el1 & TCR_A1 ? cpu->sys.ttbr1_el1 : cpu->sys.ttbr0_el1);
}

void arm64_tlb_drop(struct arm64_cpu *cpu, u64 what)
{
	u64 va = arm64_sext((what << 12) & ~(0xffull << 56), 56), kind = what & 15ull << 44;
	u16 asid = asid_of(cpu, what);
	u32 n;

	if (what == ARM64_EVERYWHERE) {
		arm64_tlb_flush(cpu);
		return;
	}
	/* EL1's: what is global has no ASID, and the rest is of the space that was current when it was found */
	if (kind != ARM64_TLBI_ASID)
		forget_page(cpu, 0, va);
	else if (cpu->spaces[0].local && asid == cpu->spaces[cpu->space].asid)
		forget(cpu, 0);
	for (n = 1; n <= ARM64_SPACES; n++) {
		const struct arm64_space *s = &cpu->spaces[n];

		if (!s->valid)
			continue;
		if (kind == ARM64_TLBI_ASID) {
			if (s->asid == asid)
				forget(cpu, n);
		} else if (kind == ARM64_TLBI_VA || s->asid == asid || s->global) {
			forget_page(cpu, n, va);
		}
	}
	arm64_mode_update(cpu);
}

void arm64_tlb_flush(struct arm64_cpu *cpu)
{
	struct arm64_space *s;
	u32 n;

	for (n = 1; n <= ARM64_SPACES; n++)
		cpu->spaces[n].valid = 0;
	forget(cpu, 0);
	forget(cpu, cpu->space);
	s = &cpu->spaces[cpu->space];
	s->valid = 1;
	s->asid = current_asid(cpu);
	s->table = cpu->sys.ttbr0_el1 & TTBR_TABLE;
	cpu->space_stale = 0;
	arm64_mode_update(cpu);
}

/* The one that was not current for longest, or holds nothing. */
static u32 oldest(const struct arm64_cpu *cpu)
{
	u32 best = 0, n;

	for (n = 1; n <= ARM64_SPACES; n++) {
		if (n == cpu->space)
			continue;
		if (!cpu->spaces[n].valid)
			return n;
		if (!best || cpu->spaces[n].used < cpu->spaces[best].used)
			best = n;
	}
	return best;
}

/*
 * A space is an ASID and a table: software that gives one ASID another table without a TLBI gets what a TLB may give it, old
 * translations or new ones (D8.13), and by chance more often new ones.
 */
void arm64_space_find(struct arm64_cpu *cpu)
{
	u64 table = cpu->sys.ttbr0_el1 & TTBR_TABLE;
	u16 asid = current_asid(cpu);
	struct arm64_space *s = &cpu->spaces[cpu->space];
	u32 n;

	cpu->space_stale = 0;
	if (s->asid == asid && s->table == table)
		return;
	s->used = ++cpu->generation;
	if (cpu->spaces[0].local)
		forget(cpu, 0);
	for (n = 1; n <= ARM64_SPACES; n++) {
		s = &cpu->spaces[n];
		if (s->valid && s->asid == asid && s->table == table)
			break;
	}
	if (n > ARM64_SPACES) {
		n = oldest(cpu);
		s = &cpu->spaces[n];
		forget(cpu, n);
		s->valid = 1;
		s->asid = asid;
		s->table = table;
	}
	cpu->space = (u8)n;
	arm64_mode_update(cpu);
}

void arm64_tlb_fill(struct arm64_cpu *cpu, u64 va, u64 gpa, u32 how, u8 *host)
{
	struct hv_tlb *tlb = arm64_tlb(cpu, how & ARM64_USER);
	struct arm64_space *s = &cpu->spaces[how & ARM64_USER ? cpu->space : 0];

	if (how & ARM64_FETCH) {
		struct hv_tlb_entry *e = arm64_fetch_entry(cpu, va);

		e->tag = va & HV_PAGE_MASK;
		e->offset = (u64)(unsigned long)host - e->tag;
		e->gpa = gpa & HV_PAGE_MASK;
		mark(s->code_marks, va, cpu->walk_shift);
	} else {
		/* what has to be aligned does not get into the TLB, so that every access takes the slow path, which checks */
		if ((cpu->sys.sctlr_el1 & ARM64_SCTLR_A) || cpu->walk_device)
			return;
		if (unlikely(cpu->watching) && arm64_watch_page(cpu, va))
			return;
		if (cpu->walk_shift > HV_PAGE_SHIFT)
			mark(s->data_marks, va, cpu->walk_shift);
		hv_tlb_fill(how & ARM64_WRITE ? tlb->write : tlb->read, va, gpa, host);
	}
	if (cpu->walk_global)
		s->global = 1;
	else
		s->local = 1;
}
