/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The glue's Gunyah objects.
 *
 *   VM      one per GUNYAH_CREATE_VM; alive while its fd or any of its vCPU files is open
 *   gmem    guest memory file; bindings hold a reference
 *   vcpu    a function: alive while it is added or its file is open; the CPU behind it (the resource) is the VM's, so a
 *           function that is removed and added again finds the guest where it was
 */
#ifndef MV_GUNYAH_GLUE_H
#define MV_GUNYAH_GLUE_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "../core/gunyah/gunyah.h"

/*
 * Instructions between two looks at the world: about a millisecond.  A prime: a vCPU that spins for a lock that it holds for all
 * but an instant is not stopped at the same place of its loop each time, where another vCPU waits for that instant.
 */
#define GUNYAH_BATCH 20011ull

struct gunyah_gmem {
	struct mutex lock;
	u64 size;
	u64 flags;
	struct xarray pages;		/* by page offset */
	struct list_head vmas;		/* host mappings */
	struct list_head bindings;
};

/* A range of a gmem in a VM's address space. */
struct gunyah_binding {
	struct list_head in_vm;
	struct list_head in_gmem;
	struct gunyah_gmem *gmem;
	struct file *file;
	struct gunyah_vm *vm;
	u64 guest_addr;
	u64 offset;
	u64 size;
	u32 flags;
	bool lend;
	u32 slot;
	u8 **pages;		/* as the slot's: what the guest holds */
};

/* The CPU of a vCPU number, fetched at start. */
struct gunyah_resource {
	struct gunyah_vcpu core;
	bool in_core;		/* a thread is inside the core: it may use translations */
};

struct gunyah_function_vcpu {
	struct kref ref;
	struct list_head in_vm;
	struct gunyah_vm *vm;
	u32 id;
	bool removed;
	struct mutex run_lock;
	struct gunyah_resource *resource;
	struct page *run_page;
};

struct gunyah_vm {
	struct kref ref;
	struct mutex lock;	/* state, functions, boot context; before any run_lock */
	struct mutex start_lock;	/* held inside VM_START; taken under lock or a run_lock */
	struct mutex memory_lock;	/* bindings */
	struct gunyah_core_vm core;
	bool walk;
	wait_queue_head_t wait;	/* vCPUs that sleep; and who waits for vCPUs to leave the core */
	struct list_head bindings;
	struct list_head regions;
	struct list_head vcpus;
	struct list_head irqfds;
	struct list_head ioeventfds;
	struct gunyah_resource *resource[GUNYAH_VCPUS];
};

extern const struct file_operations gunyah_vm_fops;
int gunyah_register(void);
void gunyah_unregister(void);

/* gunyah_vm.c */
long gunyah_vm_create(void);
void gunyah_vm_get(struct gunyah_vm *vm);
void gunyah_vm_put(struct gunyah_vm *vm);

/* gunyah_gmem.c */
long gunyah_gmem_create(const struct gunyah_create_mem_args *args);
/* The gmem of an fd, or NULL; *file is to be fput() */
struct gunyah_gmem *gunyah_gmem_get(int fd, struct file **file);
/* The page at @offset, made if need be; NULL without memory or beyond the end.  Caller holds gmem->lock. */
struct page *gunyah_gmem_page(struct gunyah_gmem *gmem, u64 offset);
/* Does a host mapping cover @size bytes at @offset?  Caller holds gmem->lock. */
bool gunyah_gmem_mapped(struct gunyah_gmem *gmem, u64 offset, u64 size);

/* gunyah_mem.c */
int gunyah_map_mem(struct gunyah_vm *vm, const struct gunyah_map_mem_args *args);
void gunyah_unmap_all(struct gunyah_vm *vm);
/* Bring in the page of @gpa: 0, -ENOENT no binding, -EPERM, -ENOMEM; *lend: its faults go to userspace */
int gunyah_page_in(struct gunyah_vm *vm, u64 gpa, bool write, bool fetch, bool *lend);
/* Copy of the device tree's pages: 0 and *tree (kvfree it), or VM_START's errno. */
int gunyah_copy_dtb(struct gunyah_vm *vm, u64 gpa, u64 size, void **tree);
/* Lent ranges of now are those whose faults userspace will see. */
void gunyah_announce_lent(struct gunyah_vm *vm);

/* gunyah_region.c */
int gunyah_region_add(struct gunyah_vm *vm, const struct gh_userspace_memory_region *a);
int gunyah_region_reclaim(struct gunyah_vm *vm, u64 gpa, u64 size);
/* Whole pages; caller holds memory_lock. */
int gunyah_region_read(struct gunyah_vm *vm, u64 gpa, u64 size, void *to);
void gunyah_regions_drop(struct gunyah_vm *vm);

/* gunyah_android.c: calls that v17 does not have; -ENOTTY for all others */
long gunyah_android_ioctl(struct gunyah_vm *vm, unsigned int number, unsigned long argument);

/* gunyah_function.c */
long gunyah_function_add(struct gunyah_vm *vm, void __user *user);
long gunyah_function_remove(struct gunyah_vm *vm, void __user *user);

/* gunyah_event.c; callers hold vm->lock, but for the first */
void gunyah_events_init(struct gunyah_vm *vm);
void gunyah_events_drop(struct gunyah_vm *vm);
int gunyah_irqfd_add(struct gunyah_vm *vm, const struct gunyah_fn_irqfd_arg *args);
int gunyah_ioeventfd_add(struct gunyah_vm *vm, const struct gunyah_fn_ioeventfd_arg *args);
/* Return: whether there was one. */
bool gunyah_irqfd_remove(struct gunyah_vm *vm, const struct gunyah_fn_irqfd_arg *args);
bool gunyah_ioeventfd_remove(struct gunyah_vm *vm, const struct gunyah_fn_ioeventfd_arg *args);

/* gunyah_vcpu.c */
long gunyah_vcpu_add(struct gunyah_vm *vm, u32 id);
/* Remove the function: its runner leaves with EINTR.  Caller holds vm->lock. */
void gunyah_vcpu_remove(struct gunyah_function_vcpu *f);
struct gunyah_resource *gunyah_resource_new(struct gunyah_vm *vm, u32 id);
void gunyah_resource_free(struct gunyah_resource *r);
/* No vCPU holds a translation made before this call. */
void gunyah_flush_vcpus(struct gunyah_vm *vm);

#endif
