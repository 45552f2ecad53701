/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Software TLB: guest virtual page -> host pointer, one array per kind of access and privilege.
 *
 * The fast path is one compare: an access of size bytes at va hits entry (va >> 12) % HV_TLB_ENTRIES iff
 * ((va + size - 1) & HV_PAGE_MASK) == tag.  An access that crosses into the next page has another tag and misses, so
 * the slow path alone knows about crossing.  Pages that must not be written directly (devices, read-only memory, pages
 * this CPU has decoded code from) never get into a write array.
 */
#ifndef MV_TLB_H
#define MV_TLB_H

#include "../memmap.h"

#define HV_TLB_BITS 8
#define HV_TLB_ENTRIES (1u << HV_TLB_BITS)
#define HV_TLB_NO_TAG 1ull	/* not page aligned: matches no access */

struct hv_tlb_entry {
	u64 tag;	/* page of the virtual address, or HV_TLB_NO_TAG */
	u64 offset;	/* host address = va + offset, modulo 2^64 */
	u64 gpa;	/* guest-physical page */
};

struct hv_tlb {
	struct hv_tlb_entry read[HV_TLB_ENTRIES];
	struct hv_tlb_entry write[HV_TLB_ENTRIES];
};

static inline void hv_tlb_flush_array(struct hv_tlb_entry *e)
{
	unsigned int i;

	for (i = 0; i < HV_TLB_ENTRIES; i++)
		e[i].tag = HV_TLB_NO_TAG;
}

static inline void hv_tlb_flush(struct hv_tlb *tlb)
{
	hv_tlb_flush_array(tlb->read);
	hv_tlb_flush_array(tlb->write);
}

/* Drop one page (INVLPG, TLBI VA). */
static inline void hv_tlb_flush_page(struct hv_tlb *tlb, u64 va)
{
	tlb->read[(va >> HV_PAGE_SHIFT) % HV_TLB_ENTRIES].tag = HV_TLB_NO_TAG;
	tlb->write[(va >> HV_PAGE_SHIFT) % HV_TLB_ENTRIES].tag = HV_TLB_NO_TAG;
}

static __always_inline void *hv_tlb_hit(struct hv_tlb_entry *array, u64 va, unsigned int size)
{
	struct hv_tlb_entry *e = &array[(va >> HV_PAGE_SHIFT) % HV_TLB_ENTRIES];

	if (likely(((va + size - 1) & HV_PAGE_MASK) == e->tag))
		return (void *)(unsigned long)(va + e->offset);
	return NULL;
}

static inline void hv_tlb_fill(struct hv_tlb_entry *array, u64 va, u64 gpa, u8 *host_page)
{
	struct hv_tlb_entry *e = &array[(va >> HV_PAGE_SHIFT) % HV_TLB_ENTRIES];
	u64 page = va & HV_PAGE_MASK;

	e->tag = page;
	e->offset = (u64)(unsigned long)host_page - page;
	e->gpa = gpa & HV_PAGE_MASK;
}

#endif
