// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings: which part of which guest memory file a VM sees where, lent or shared, and demand paging.
 *
 * Locks: vm->memory_lock, then gmem->lock.  A page pointer that a vCPU may use is taken away only between
 * hv_memmap_retire() or clearing it, and gunyah_flush_vcpus().
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "gunyah_glue.h"
#include "gunyah_strict.h"

/* A file offset can be bound once, whatever the VM. */
static DEFINE_MUTEX(bind_lock);

#define MAP_FLAGS (GUNYAH_MEM_ACCESS_MASK | GUNYAH_MEM_ALLOW_RWX | GUNYAH_MEM_UNMAP)
#define HUGE_ALIGN ((2ull << 20) - 1)

static int check_args(const struct gunyah_map_mem_args *a, const struct gunyah_gmem *gmem)
{
	u64 where = a->guest_addr | a->offset | a->size;

	if (a->flags & ~MAP_FLAGS)
		return -EINVAL;
	if (!(a->flags & GUNYAH_MEM_ALLOW_RWX))
		return -EINVAL;
	if ((a->flags & GUNYAH_MEM_ACCESS_MASK) > GUNYAH_MEM_FORCE_SHARE)
		return -EINVAL;
	if (!a->size || !PAGE_ALIGNED(where))
		return -EINVAL;
	if ((gmem->flags & GHMF_ALLOW_HUGEPAGE) && (where & HUGE_ALIGN))
		return -EINVAL;
	if (a->guest_addr + a->size < a->guest_addr || a->offset + a->size < a->offset)
		return -EINVAL;
	return 0;
}

static bool is_lend(u32 flags)
{
	return (flags & GUNYAH_MEM_ACCESS_MASK) != GUNYAH_MEM_FORCE_SHARE;
}

/* Share bindings never execute: vm_mgr_mem.c of the driver. */
static u32 slot_access(u32 flags)
{
	u32 access = HV_MEM_READ;

	if (flags & GUNYAH_MEM_ALLOW_WRITE)
		access |= HV_MEM_WRITE;
	if (is_lend(flags))
		access |= HV_MEM_EXEC;
	return access;
}

static bool meets(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static int bind_conflicts(struct gunyah_vm *vm, struct gunyah_gmem *gmem, const struct gunyah_map_mem_args *a)
{
	struct gunyah_binding *b;

	list_for_each_entry(b, &gmem->bindings, in_gmem) {
		if (meets(a->offset, a->size, b->offset, b->size))
			return -EEXIST;
	}
	list_for_each_entry(b, &vm->bindings, in_vm) {
		if (meets(a->guest_addr, a->size, b->guest_addr, b->size))
			return -EEXIST;
	}
	return 0;
}

static int binding_insert(struct gunyah_vm *vm, struct gunyah_binding *b)
{
	int slot = hv_memmap_add(&vm->core.map, b->guest_addr, b->size, NULL, b->pages, slot_access(b->flags));

	if (slot < 0)
		return slot;
	b->slot = slot;
	list_add_tail(&b->in_vm, &vm->bindings);
	list_add_tail(&b->in_gmem, &b->gmem->bindings);
	return 0;
}

static int map_new(struct gunyah_vm *vm, struct gunyah_gmem *gmem, struct file *file, const struct gunyah_map_mem_args *a)
{
	struct gunyah_binding *b;
	int r;

	/* the size is not bounded by the file's: for one that no machine has the allocator would warn */
	if (a->size >> PAGE_SHIFT > INT_MAX / sizeof(*b->pages))
		return -ENOMEM;
	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	b->pages = kvcalloc(a->size >> PAGE_SHIFT, sizeof(*b->pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!b->pages) {
		kfree(b);
		return -ENOMEM;
	}
	b->vm = vm;
	b->gmem = gmem;
	b->file = file;
	b->guest_addr = a->guest_addr;
	b->offset = a->offset;
	b->size = a->size;
	b->flags = a->flags;
	b->lend = is_lend(a->flags);
	r = bind_conflicts(vm, gmem, a);
	if (!r)
		r = binding_insert(vm, b);
	if (r) {
		kvfree(b->pages);
		kfree(b);
		return r;
	}
	get_file(file);
	return 0;
}

static void binding_drop(struct gunyah_binding *b)
{
	list_del(&b->in_vm);
	list_del(&b->in_gmem);
}

static void binding_free(struct gunyah_binding *b)
{
	kvfree(b->pages);
	fput(b->file);
	kfree(b);
}

static struct gunyah_binding *find_for_unmap(struct gunyah_vm *vm, struct gunyah_gmem *gmem,
					     const struct gunyah_map_mem_args *a)
{
	u32 flags = a->flags & ~GUNYAH_MEM_UNMAP;
	struct gunyah_binding *b;

	list_for_each_entry(b, &vm->bindings, in_vm) {
		if (b->gmem == gmem && b->flags == flags && a->guest_addr >= b->guest_addr &&
		    a->guest_addr + a->size <= b->guest_addr + b->size &&
		    a->guest_addr - b->guest_addr == a->offset - b->offset && a->offset >= b->offset)
			return b;
	}
	return NULL;
}

static bool holds_pages(const struct gunyah_binding *b, u64 from, u64 size)
{
	u64 at;

	for (at = from; at < from + size; at += PAGE_SIZE) {
		if (b->pages[at >> PAGE_SHIFT])
			return true;
	}
	return false;
}

/* Cut @size bytes off the front or the end; what remains is a binding with a page table of its own. */
static int unmap_part(struct gunyah_vm *vm, struct gunyah_binding *b, u64 from, u64 size)
{
	u64 left = b->size - size;
	u64 keep = from ? 0 : size;
	u8 **pages = NULL, **old = b->pages;
	int slot;

	if (left) {
		pages = kvcalloc(left >> PAGE_SHIFT, sizeof(*pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!pages)
			return -ENOMEM;
		memcpy(pages, b->pages + (keep >> PAGE_SHIFT), (left >> PAGE_SHIFT) * sizeof(*pages));
		slot = hv_memmap_shrink(&vm->core.map, b->slot, b->guest_addr + keep, left, pages);
		if (slot < 0) {
			kvfree(pages);
			return slot;
		}
		b->guest_addr += keep;
		b->offset += keep;
		b->size = left;
		b->pages = pages;
		b->slot = slot;
	} else {
		hv_memmap_retire(&vm->core.map, b->slot);
	}
	gunyah_flush_vcpus(vm);
	if (left) {
		kvfree(old);
		return 0;
	}
	binding_drop(b);
	binding_free(b);
	return 0;
}

/* How much of a binding an unmapping wants back from the guest. */
static u64 unmap_reach(const struct gunyah_binding *b, u64 from, u64 size)
{
	return strict(V17_Q11) ? b->size - from : size;
}

static int unmap(struct gunyah_vm *vm, struct gunyah_gmem *gmem, const struct gunyah_map_mem_args *a)
{
	struct gunyah_binding *b = find_for_unmap(vm, gmem, a);
	u64 from;

	if (!b)
		return -ENOENT;
	from = a->guest_addr - b->guest_addr;
	if (from && from + a->size != b->size)
		return -EINVAL;
	/* what the guest holds is its own until the VM ends */
	if (b->lend && vm->core.state == GUNYAH_VM_RUNNING && holds_pages(b, from, unmap_reach(b, from, a->size)))
		return -EBUSY;
	return unmap_part(vm, b, from, a->size);
}

int gunyah_map_mem(struct gunyah_vm *vm, const struct gunyah_map_mem_args *a)
{
	struct gunyah_gmem *gmem;
	struct file *file;
	int r;

	gmem = gunyah_gmem_get(a->guest_mem_fd, &file);
	if (!gmem)
		return -EINVAL;
	r = check_args(a, gmem);
	if (!r) {
		mutex_lock(&bind_lock);
		mutex_lock(&vm->memory_lock);
		mutex_lock(&gmem->lock);
		r = a->flags & GUNYAH_MEM_UNMAP ? unmap(vm, gmem, a) : map_new(vm, gmem, file, a);
		mutex_unlock(&gmem->lock);
		mutex_unlock(&vm->memory_lock);
		mutex_unlock(&bind_lock);
	}
	fput(file);
	return r;
}

void gunyah_unmap_all(struct gunyah_vm *vm)
{
	struct gunyah_binding *b, *next;
	struct gunyah_gmem *gmem;

	list_for_each_entry_safe(b, next, &vm->bindings, in_vm) {
		gmem = b->gmem;
		mutex_lock(&bind_lock);
		mutex_lock(&gmem->lock);
		binding_drop(b);
		mutex_unlock(&gmem->lock);
		mutex_unlock(&bind_lock);
		binding_free(b);
	}
}

static struct gunyah_binding *find_binding(struct gunyah_vm *vm, u64 gpa)
{
	struct gunyah_binding *b;

	list_for_each_entry(b, &vm->bindings, in_vm) {
		if (gpa - b->guest_addr < b->size)
			return b;
	}
	return NULL;
}

static int page_in(struct gunyah_binding *b, u64 gpa, bool write, bool fetch)
{
	u64 at = (gpa & PAGE_MASK) - b->guest_addr;
	struct page *page;

	if (write && !(b->flags & GUNYAH_MEM_ALLOW_WRITE))
		return -EPERM;
	if (fetch && !b->lend)
		return -EPERM;
	if (b->lend && gunyah_gmem_mapped(b->gmem, b->offset + at, PAGE_SIZE))
		return -EPERM;
	page = gunyah_gmem_page(b->gmem, b->offset + at);
	if (!page)
		return -ENOMEM;
	/* a pipe, direct I/O: whoever took it through a mapping that is gone would go on reading it */
	if (b->lend && page_count(page) != 1)
		return -EPERM;
	smp_store_release(&b->pages[at >> PAGE_SHIFT], page_address(page));
	return 0;
}

int gunyah_page_in(struct gunyah_vm *vm, u64 gpa, bool write, bool fetch, bool *lend)
{
	struct gunyah_binding *b;
	int r = -ENOENT;

	/* the hypervisor knows ranges, not bindings: one that was unmapped since is still in */
	*lend = hv_memmap_demands(&vm->core.map, gpa);
	mutex_lock(&vm->memory_lock);
	b = find_binding(vm, gpa);
	if (b) {
		mutex_lock(&b->gmem->lock);
		r = page_in(b, gpa, write, fetch);
		mutex_unlock(&b->gmem->lock);
	}
	mutex_unlock(&vm->memory_lock);
	return r;
}

void gunyah_announce_lent(struct gunyah_vm *vm)
{
	struct gunyah_binding *b;

	mutex_lock(&vm->memory_lock);
	list_for_each_entry(b, &vm->bindings, in_vm) {
		/* there are as many places as slots, and each binding has a slot */
		if (b->lend)
			WARN_ON_ONCE(hv_memmap_demand(&vm->core.map, b->guest_addr, b->size));
	}
	mutex_unlock(&vm->memory_lock);
}

static int copy_pages(struct gunyah_binding *b, u64 at, u64 size, void *tree)
{
	struct page *page;
	u64 done;

	if (b->lend && gunyah_gmem_mapped(b->gmem, b->offset + at, size))
		return -EPERM;
	for (done = 0; done < size; done += PAGE_SIZE) {
		page = gunyah_gmem_page(b->gmem, b->offset + at + done);
		if (!page)
			return -ENOMEM;
		memcpy(tree + done, page_address(page), PAGE_SIZE);
		cond_resched();
	}
	return 0;
}

/* Caller holds memory_lock. */
static int read_guest(struct gunyah_vm *vm, u64 gpa, u64 size, void *to)
{
	struct gunyah_binding *b = find_binding(vm, gpa);
	int r;

	if (!b)
		return gunyah_region_read(vm, gpa, size, to);
	if (!b->lend && strict(V17_Q7))
		return -ENOMEM;
	mutex_lock(&b->gmem->lock);
	r = copy_pages(b, gpa - b->guest_addr, size, to);
	mutex_unlock(&b->gmem->lock);
	return r;
}

int gunyah_copy_dtb(struct gunyah_vm *vm, u64 gpa, u64 size, void **tree)
{
	u64 whole = size & PAGE_MASK, first = gpa & PAGE_MASK;
	const struct hv_slot *slot;
	int r = -ENOENT;

	if (!whole)
		return -EINVAL;
	mutex_lock(&vm->memory_lock);
	slot = hv_memmap_find(&vm->core.map, first);
	if (slot && whole <= slot->size - (first - slot->gpa)) {
		*tree = kvmalloc(whole, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		r = *tree ? read_guest(vm, first, whole, *tree) : -ENOMEM;
		if (r && *tree)
			kvfree(*tree);
	}
	mutex_unlock(&vm->memory_lock);
	return r;
}
