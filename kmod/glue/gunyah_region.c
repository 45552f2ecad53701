// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the Android interface: a range of the VMM's own address space, shared with the guest or lent to it.  Its pages
 * are pinned at once, and there is no demand paging.  A lent range stays readable for the host, which no real device
 * would allow; what the guest sees is the same.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "gunyah_glue.h"
#include "pin.h"

struct gunyah_region {
	struct list_head in_vm;
	u32 label;
	u64 gpa;
	u64 size;
	u32 slot;
	struct page **pages;
	u8 **hosts;		/* as the slot's */
};

static int check(const struct gh_userspace_memory_region *a)
{
	if (!a->memory_size || !PAGE_ALIGNED(a->memory_size | a->guest_phys_addr | a->userspace_addr))
		return -EINVAL;
	if (a->flags & ~GH_MEM_ALLOW_RWX)
		return -EINVAL;
	if (a->guest_phys_addr + a->memory_size < a->guest_phys_addr || a->userspace_addr + a->memory_size < a->userspace_addr)
		return -EOVERFLOW;
	return 0;
}

static u32 region_access(u32 flags)
{
	return HV_MEM_READ | (flags & GH_MEM_ALLOW_WRITE ? HV_MEM_WRITE : 0) | (flags & GH_MEM_ALLOW_EXEC ? HV_MEM_EXEC : 0);
}

static int taken(struct gunyah_vm *vm, const struct gh_userspace_memory_region *a)
{
	struct gunyah_region *r;

	list_for_each_entry(r, &vm->regions, in_vm) {
		if (r->label == a->label)
			return -EEXIST;
	}
	return hv_memmap_overlaps(&vm->core.map, a->guest_phys_addr, a->memory_size) ? -EEXIST : 0;
}

static void region_free(struct gunyah_region *r)
{
	unpin_range(r->pages, r->size >> PAGE_SHIFT);
	kvfree(r->hosts);
	kfree(r);
}

static struct gunyah_region *region_new(const struct gh_userspace_memory_region *a, int *error)
{
	u64 count = a->memory_size >> PAGE_SHIFT, i;
	struct gunyah_region *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	*error = -ENOMEM;
	if (!r)
		return NULL;
	r->label = a->label;
	r->gpa = a->guest_phys_addr;
	r->size = a->memory_size;
	*error = pin_range(a->userspace_addr, count, &r->pages);
	if (*error)
		goto no_pages;
	r->hosts = kvcalloc(count, sizeof(*r->hosts), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (r->hosts) {
		for (i = 0; i < count; i++)
			r->hosts[i] = page_address(r->pages[i]);
		return r;
	}
	*error = -ENOMEM;
	unpin_range(r->pages, count);
no_pages:
	kfree(r);
	return NULL;
}

int gunyah_region_add(struct gunyah_vm *vm, const struct gh_userspace_memory_region *a)
{
	struct gunyah_region *r;
	int error = check(a);
	int slot;

	if (error)
		return error;
	r = region_new(a, &error);
	if (!r)
		return error;
	mutex_lock(&vm->memory_lock);
	slot = taken(vm, a);
	if (!slot)
		slot = hv_memmap_add(&vm->core.map, r->gpa, r->size, NULL, r->hosts, region_access(a->flags));
	if (slot >= 0) {
		r->slot = slot;
		list_add_tail(&r->in_vm, &vm->regions);
	}
	mutex_unlock(&vm->memory_lock);
	if (slot < 0)
		region_free(r);
	return slot < 0 ? slot : 0;
}

/* The very range, of a VM that does not run. */
int gunyah_region_reclaim(struct gunyah_vm *vm, u64 gpa, u64 size)
{
	struct gunyah_region *r, *found = NULL;

	if (READ_ONCE(vm->core.state) == GUNYAH_VM_RUNNING)
		return -EBUSY;
	mutex_lock(&vm->memory_lock);
	list_for_each_entry(r, &vm->regions, in_vm) {
		if (r->gpa == gpa && r->size == size)
			found = r;
	}
	if (found) {
		list_del(&found->in_vm);
		hv_memmap_retire(&vm->core.map, found->slot);
		gunyah_flush_vcpus(vm);
	}
	mutex_unlock(&vm->memory_lock);
	if (!found)
		return -ENOENT;
	region_free(found);
	return 0;
}

/* -ENOENT: the range is not in one region. */
int gunyah_region_read(struct gunyah_vm *vm, u64 gpa, u64 size, void *to)
{
	struct gunyah_region *r;
	u64 at, done;

	list_for_each_entry(r, &vm->regions, in_vm) {
		at = gpa - r->gpa;
		if (at >= r->size || size > r->size - at)
			continue;
		for (done = 0; done < size; done += PAGE_SIZE)
			memcpy(to + done, r->hosts[(at + done) >> PAGE_SHIFT], PAGE_SIZE);
		return 0;
	}
	return -ENOENT;
}

void gunyah_regions_drop(struct gunyah_vm *vm)
{
	struct gunyah_region *r, *next;

	list_for_each_entry_safe(r, next, &vm->regions, in_vm) {
		list_del(&r->in_vm);
		region_free(r);
	}
}
