// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Stage 1 translation for EL0 and EL1 (D8), 4 KiB granule.  What is kept of it is in space.c.
 *
 * Not modelled: the other granules (TCR_EL1.TG* are taken as 4 KiB), hierarchical-permission disable, hardware update of
 * the access flag and dirty state, big-endian tables: the ID registers say that none of it is there.  Of memory attributes
 * only Device counts: unaligned accesses to it fault.  With translation off all data accesses are Device accesses (D8.2.12),
 * but may be unaligned here: each would take the slow path.
 */
#include "internal.h"

#define DESC_VALID 1ull
#define DESC_TABLE 2ull		/* levels 0..2; at level 3: page */
#define DESC_AP_USER (1ull << 6)
#define DESC_AP_READ_ONLY (1ull << 7)
#define DESC_AF (1ull << 10)
#define DESC_INDEX(d) ((d) >> 2 & 7)	/* of the attributes in MAIR_EL1 */
#define DESC_NG (1ull << 11)
#define DESC_PXN (1ull << 53)
#define DESC_UXN (1ull << 54)
#define DESC_ADDRESS 0x0000fffffffff000ull
#define TABLE_PXN (1ull << 59)
#define TABLE_UXN (1ull << 60)
#define TABLE_AP_NO_USER (1ull << 61)
#define TABLE_AP_READ_ONLY (1ull << 62)

#define TCR_EPD0 (1ull << 7)
#define TCR_EPD1 (1ull << 23)
#define TCR_TBI0 (1ull << 37)
#define TCR_TBI1 (1ull << 38)

u64 arm64_strip_tag(const struct arm64_cpu *cpu, u64 va)
{
	u64 tcr = cpu->sys.tcr_el1;

	if ((va >> 55) & 1)
		return tcr & TCR_TBI1 ? va | 0xffull << 56 : va;
	return tcr & TCR_TBI0 ? va & ~(0xffull << 56) : va;
}

static enum arm64_leave page_exit(struct arm64_cpu *cpu, u64 va, u64 gpa, u32 how)
{
	cpu->hv.exit.space = HV_SPACE_MMIO;
	cpu->hv.exit.address = gpa;
	cpu->hv.exit.size = 1;
	cpu->hv.exit.direction = how & ARM64_WRITE ? HV_WRITE : HV_READ;
	cpu->hv.exit.fetch = !!(how & ARM64_FETCH);
	cpu->hv.exit.data = 0;
	cpu->abort_va = va;
	cpu->stop = HV_EXIT_PAGE;
	return ARM64_STOP;
}

/* D8.4: does the leaf @d, with the tables' restrictions @t, allow the access? */
static bool allowed(const struct arm64_cpu *cpu, u64 d, u64 t, u32 how)
{
	bool user_page = (d & DESC_AP_USER) && !(t & TABLE_AP_NO_USER);
	bool writable = !(d & DESC_AP_READ_ONLY) && !(t & TABLE_AP_READ_ONLY);

	if (how & ARM64_FETCH) {
		if (writable && (cpu->sys.sctlr_el1 & ARM64_SCTLR_WXN))
			return false;
		if (how & ARM64_USER)
			return user_page && !(d & DESC_UXN) && !(t & TABLE_UXN);
		/* what EL0 may write EL1 never executes */
		return !(d & DESC_PXN) && !(t & TABLE_PXN) && !(user_page && writable);
	}
	if ((how & ARM64_USER) && !user_page)
		return false;
	if (!(how & ARM64_USER) && user_page && cpu->pan && !(how & ARM64_CACHE))
		return false;
	return writable || !(how & ARM64_WRITE);
}

u32 arm64_walk(struct arm64_cpu *cpu, u64 va, u32 how, u64 *gpa, bool *stop)
{
	static const u8 pa_bits[8] = { 32, 36, 40, 42, 44, 48, 48, 48 };
	u64 tcr = cpu->sys.tcr_el1, address = arm64_strip_tag(cpu, va);
	bool high = (va >> 55) & 1;
	u32 tsz = (u32)(high ? tcr >> 16 : tcr) & 63;
	u32 bits, level, shift, access, oa_bits = pa_bits[(tcr >> 32) & 7];
	u64 table, d, t = 0;
	u8 *host;

	*stop = false;
	cpu->walk_shift = 48;
	cpu->walk_global = 1;
	if (!(cpu->sys.sctlr_el1 & ARM64_SCTLR_M)) {
		*gpa = address;
		return address >> 48 ? ARM64_FSC_SIZE : 0xff;
	}
	if (tsz < 16)
		tsz = 16;
	if (tsz > 39)
		tsz = 39;
	bits = 64 - tsz;
	if ((high ? ~address : address) >> bits || (tcr & (high ? TCR_EPD1 : TCR_EPD0)))
		return ARM64_FSC_TRANSLATION;
	table = high ? cpu->sys.ttbr1_el1 : cpu->sys.ttbr0_el1;
	level = 4 - (bits - 12 + 8) / 9;
	table &= 0x0000fffffffffffeull;
	if (table >> oa_bits)
		return ARM64_FSC_SIZE;
	address &= (1ull << bits) - 1;
	/* the first table may be shorter than a page: its base is aligned to its size, indices do not reach beyond */
	for (;; level++) {
		shift = 12 + 9 * (3 - level);
		table += (address >> shift) * 8;
		address &= (1ull << shift) - 1;
		switch (hv_memmap_page(cpu->hv.map, table, HV_MEM_READ, &host, &access)) {
		case HV_PAGE_RAM:
			break;
		case HV_PAGE_NONE:
			return ARM64_FSC_EXTERNAL_WALK + level;
		default:
			page_exit(cpu, va, table, 0);
			*stop = true;
			return 0;
		}
		d = env_guest_ld64(host + (table & ~HV_PAGE_MASK & ~7ull));
		if (!(d & DESC_VALID))
			return ARM64_FSC_TRANSLATION + level;
		if (level == 3 || !(d & DESC_TABLE))
			break;
		table = d & DESC_ADDRESS;
		if (table >> oa_bits)
			return ARM64_FSC_SIZE + level;
		t |= d;
	}
	/* a page needs bit 1, a block needs level 1 or 2 */
	if (level == 3 ? !(d & DESC_TABLE) : level == 0)
		return ARM64_FSC_TRANSLATION + level;
	*gpa = (d & DESC_ADDRESS & ~((1ull << shift) - 1)) | address;
	if (*gpa >> oa_bits)
		return ARM64_FSC_SIZE + level;
	if (!(d & DESC_AF))
		return ARM64_FSC_ACCESS_FLAG + level;
	if (!allowed(cpu, d, t, how))
		return ARM64_FSC_PERMISSION + level;
	cpu->walk_shift = (u8)shift;
	cpu->walk_global = !(d & DESC_NG);
	cpu->walk_device = !(cpu->sys.mair_el1 >> 8 * DESC_INDEX(d) & 0xf0);
	return 0xff;
}

enum arm64_leave arm64_translate(struct arm64_cpu *cpu, u64 va, u32 how, u8 **host, u64 *gpa)
{
	u32 want = how & ARM64_FETCH ? HV_MEM_EXEC : how & ARM64_WRITE ? HV_MEM_WRITE : HV_MEM_READ;
	struct hv_tlb_entry *e = NULL;
	u32 fsc, access;
	bool stop;
	u8 *page;

	if (!cpu->el)
		how |= ARM64_USER;
	cpu->walk_device = 0;
	arm64_space_update(cpu);
	if (how & ARM64_FETCH) {
		e = arm64_fetch_entry(cpu, va);
	} else {
		struct hv_tlb *tlb = arm64_tlb(cpu, how & ARM64_USER);

		e = &(how & ARM64_WRITE ? tlb->write : tlb->read)[(va >> HV_PAGE_SHIFT) % HV_TLB_ENTRIES];
	}
	if (e->tag == (va & HV_PAGE_MASK)) {
		*host = (u8 *)(unsigned long)(va + e->offset);
		*gpa = e->gpa | (va & ~HV_PAGE_MASK);
		return ARM64_NEXT;
	}
	fsc = arm64_walk(cpu, va, how, gpa, &stop);
	if (stop)
		return ARM64_STOP;
	if (fsc != 0xff)
		return arm64_abort(cpu, va, how, fsc);
	switch (hv_memmap_page(cpu->hv.map, *gpa, want, &page, &access)) {
	case HV_PAGE_RAM:
		arm64_tlb_fill(cpu, va, *gpa, how, page);
		*host = page + (*gpa & ~HV_PAGE_MASK);
		return ARM64_NEXT;
	case HV_PAGE_NONE:
		*host = NULL;
		return ARM64_NEXT;
	default:
		return page_exit(cpu, va, *gpa, how);
	}
}
