/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The guest-physical memory map of one VM: what lies behind a GPA.
 *
 * Readers are vCPUs that take no lock: slots are appended, and count is stored last with release.  A slot is retired by
 * hv_memmap_retire(); its memory may go away only after every vCPU has dropped its translations (hv_cpu_request() with
 * HV_REQ_FLUSH, then wait until it was taken or the CPU is out of step()).
 */
#ifndef MV_MEMMAP_H
#define MV_MEMMAP_H

#include "env.h"

#define HV_PAGE_SHIFT 12
#define HV_PAGE_SIZE (1ull << HV_PAGE_SHIFT)
#define HV_PAGE_MASK (~(HV_PAGE_SIZE - 1))
#define HV_SLOTS 512

#define HV_MEM_READ 1u
#define HV_MEM_WRITE 2u
#define HV_MEM_EXEC 4u
#define HV_MEM_RWX 7u

/**
 * struct hv_slot - one range of guest-physical memory
 * @gpa: first byte, page aligned
 * @size: bytes, page multiple; 0 marks a retired slot
 * @host: linear host memory of the whole range, or NULL
 * @pages: if host is NULL, size/4096 host page addresses, each NULL until the page is there
 * @access: HV_MEM_*
 */
struct hv_slot {
	u64 gpa;
	u64 size;
	u8 *host;
	u8 **pages;
	u32 access;
};

struct hv_range {
	u64 gpa;
	u64 size;
};

/**
 * struct hv_memmap - slots, and ranges whose pages are asked for even where no slot is (any more)
 */
struct hv_memmap {
	u32 count;
	u32 demands;
	struct hv_slot slot[HV_SLOTS];
	struct hv_range demand[HV_SLOTS];
};

enum hv_page {
	HV_PAGE_RAM,	/* *host is the page's first byte */
	HV_PAGE_NONE,	/* no slot: a device, or nothing */
	HV_PAGE_ABSENT,	/* a slot whose page is not there (yet), or no slot in a range of hv_memmap_demand() */
	HV_PAGE_DENIED,	/* a slot that does not allow this access; *host is set */
};

void hv_memmap_init(struct hv_memmap *map);

/**
 * hv_memmap_add - append a slot
 *
 * Return: slot number, -EINVAL (not page aligned, empty, wraps), -EEXIST (overlaps a live slot), -ENOMEM (HV_SLOTS used).
 * Callers serialise writers.
 */
int hv_memmap_add(struct hv_memmap *map, u64 gpa, u64 size, u8 *host, u8 **pages, u32 access);
/**
 * hv_memmap_fill - as hv_memmap_add(), but where something is mapped already the old mapping stays
 *
 * ACRN's rule for overlapping SET_MEMSEG calls.  Return: 0, -EINVAL, -ENOMEM (slots used up; what fitted stays mapped).
 */
int hv_memmap_fill(struct hv_memmap *map, u64 gpa, u64 size, u8 *host, u32 access);
void hv_memmap_retire(struct hv_memmap *map, u32 slot);
/**
 * hv_memmap_shrink - a part of a slot takes its place; a reader sees the old slot or the new one, never a mixture
 * @pages: of the part; the old array is still read until every vCPU has dropped its translations
 *
 * Return: the new slot's number, -ENOMEM (HV_SLOTS used).
 */
int hv_memmap_shrink(struct hv_memmap *map, u32 slot, u64 gpa, u64 size, u8 **pages);

/**
 * hv_memmap_unmap - take a range out of slots with linear memory, whatever pieces it lies in
 *
 * No vCPU may be in step(); their translations are to be flushed before they step again.
 * Return: 0, -EINVAL (not page aligned, or some page of it is not mapped: nothing is changed), -ENOMEM (HV_SLOTS used).
 */
int hv_memmap_unmap(struct hv_memmap *map, u64 gpa, u64 size);

/* From now on this range's pages are ABSENT, not NONE, where no slot is.  Return: 0, -ENOMEM.  Before vCPUs run. */
int hv_memmap_demand(struct hv_memmap *map, u64 gpa, u64 size);
bool hv_memmap_demands(const struct hv_memmap *map, u64 gpa);

/* Live slot that holds @gpa, or NULL. */
struct hv_slot *hv_memmap_find(struct hv_memmap *map, u64 gpa);
bool hv_memmap_overlaps(struct hv_memmap *map, u64 gpa, u64 size);

/* What lies behind @gpa's page for an access of kind HV_MEM_READ, WRITE or EXEC; *access gets the slot's rights. */
enum hv_page hv_memmap_page(struct hv_memmap *map, u64 gpa, u32 want, u8 **host, u32 *access);

/* Copy between guest-physical memory and a buffer; pages need to be present.  Return: 0 or -EFAULT (nothing is rolled back). */
int hv_memmap_copy_out(struct hv_memmap *map, u64 gpa, void *to, size_t len);
int hv_memmap_copy_in(struct hv_memmap *map, u64 gpa, const void *from, size_t len);

#endif
