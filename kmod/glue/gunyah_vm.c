// SPDX-License-Identifier: GPL-2.0
/* The Gunyah VM fd: its calls, its start, its end. */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "gunyah_glue.h"
#include "gunyah_strict.h"

void gunyah_vm_get(struct gunyah_vm *vm)
{
	kref_get(&vm->ref);
}

static void vm_release(struct kref *ref)
{
	struct gunyah_vm *vm = container_of(ref, struct gunyah_vm, ref);
	struct gunyah_function_vcpu *f, *next;
	u32 i;

	mutex_lock(&vm->lock);
	list_for_each_entry_safe(f, next, &vm->vcpus, in_vm)
		gunyah_vcpu_remove(f);
	gunyah_events_drop(vm);
	mutex_unlock(&vm->lock);
	/* before the vCPUs go: whoever punches a hole into memory of this VM looks at them */
	gunyah_unmap_all(vm);
	for (i = 0; i < GUNYAH_VCPUS; i++) {
		if (vm->resource[i])
			gunyah_resource_free(vm->resource[i]);
	}
	gunyah_regions_drop(vm);
	vfree(vm);
}

void gunyah_vm_put(struct gunyah_vm *vm)
{
	kref_put(&vm->ref, vm_release);
}

/* A configured VM's CPUs: one for each enabled node of the tree, for the functions that are there and those to come. */
static int fetch_resources(struct gunyah_vm *vm)
{
	struct gunyah_function_vcpu *f;
	u32 i;

	for (i = 0; i < GUNYAH_VCPUS; i++) {
		if (!gunyah_vm_has_vcpu(&vm->core, i))
			continue;
		vm->resource[i] = gunyah_resource_new(vm, i);
		if (!vm->resource[i])
			return -ENOMEM;
		vm->resource[i]->core.walk.on = vm->walk;
	}
	list_for_each_entry(f, &vm->vcpus, in_vm) {
		if (f->id < GUNYAH_VCPUS)
			WRITE_ONCE(f->resource, vm->resource[f->id]);
	}
	return 0;
}

static int vm_start(struct gunyah_vm *vm)
{
	struct gunyah_core_vm *core = &vm->core;
	void *tree;
	int r;

	if (core->state == GUNYAH_VM_RUNNING)
		return 0;
	if (core->state != GUNYAH_VM_NO_STATE)
		return -ENODEV;
	/* from here on a failure cannot be tried again */
	core->state = GUNYAH_VM_LOAD;
	r = gunyah_copy_dtb(vm, core->dtb_gpa, core->dtb_size, &tree);
	if (r)
		return r;
	r = gunyah_vm_configure(core, tree, core->dtb_size & PAGE_MASK);
	kvfree(tree);
	if (r) {
		pr_info("mockvisor: gunyah: the device tree at 0x%llx is refused: %s\n", core->dtb_gpa, core->dt_error);
		return r;
	}
	gunyah_announce_lent(vm);
	r = fetch_resources(vm);
	if (r)
		return r;
	gunyah_vm_run(core);
	wake_up_all(&vm->wait);
	return 0;
}

static int set_dtb(struct gunyah_vm *vm, void __user *user)
{
	struct gunyah_vm_dtb_config args;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	mutex_lock(&vm->lock);
	vm->core.dtb_gpa = args.guest_phys_addr;
	vm->core.dtb_size = args.size;
	mutex_unlock(&vm->lock);
	return 0;
}

/* Q8: the driver keeps the value itself in an xarray, where 0 is no entry and low bits 0b10 are the array's own. */
static int store_as_pointer(struct gunyah_vm *vm, u32 reg, u64 value)
{
	if (!value)
		gunyah_vm_boot_context_forget(&vm->core, reg);
	return value && value < 4096 && (value & 3) == 2 ? -EINVAL : 0;
}

static int set_boot_context(struct gunyah_vm *vm, void __user *user)
{
	struct gunyah_vm_boot_context args;
	int r;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	r = mutex_lock_interruptible(&vm->lock);
	if (r)
		return -EINTR;
	r = gunyah_vm_boot_context(&vm->core, args.reg, args.value);
	if (!r && strict(V17_Q8))
		r = store_as_pointer(vm, args.reg, args.value);
	mutex_unlock(&vm->lock);
	return r;
}

static long start(struct gunyah_vm *vm)
{
	int r = mutex_lock_interruptible(&vm->lock);

	if (r)
		return -EINTR;
	mutex_lock(&vm->start_lock);
	r = vm_start(vm);
	mutex_unlock(&vm->start_lock);
	mutex_unlock(&vm->lock);
	return r;
}

static long map_mem(struct gunyah_vm *vm, void __user *user)
{
	struct gunyah_map_mem_args args;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	return gunyah_map_mem(vm, &args);
}

static long vm_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	struct gunyah_vm *vm = file->private_data;
	void __user *user = (void __user *)argument;

	switch (number) {
	case GUNYAH_VM_SET_DTB_CONFIG:
		return set_dtb(vm, user);
	case GUNYAH_VM_START:
		return start(vm);
	case GUNYAH_VM_ADD_FUNCTION:
		return gunyah_function_add(vm, user);
	case GUNYAH_VM_REMOVE_FUNCTION:
		return gunyah_function_remove(vm, user);
	case GUNYAH_VM_MAP_MEM:
		return map_mem(vm, user);
	case GUNYAH_VM_SET_BOOT_CONTEXT:
		return set_boot_context(vm, user);
	default:
		return gunyah_android_ioctl(vm, number, argument);
	}
}

static int vm_file_release(struct inode *inode, struct file *file)
{
	gunyah_vm_put(file->private_data);
	return 0;
}

const struct file_operations gunyah_vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = vm_file_release,
};

/* An interrupt for a vCPU that may sleep: they look for themselves whose it is. */
static void kick(void *context)
{
	struct gunyah_vm *vm = context;

	smp_mb();
	wake_up_all(&vm->wait);
}

long gunyah_vm_create(void)
{
	struct gunyah_vm *vm = vzalloc(sizeof(*vm));
	int fd;

	if (!vm)
		return -ENOMEM;
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	mutex_init(&vm->start_lock);
	mutex_init(&vm->memory_lock);
	init_waitqueue_head(&vm->wait);
	INIT_LIST_HEAD(&vm->bindings);
	INIT_LIST_HEAD(&vm->regions);
	INIT_LIST_HEAD(&vm->vcpus);
	gunyah_vm_init(&vm->core);
	vm->core.kick = kick;
	vm->core.kick_context = vm;
	gunyah_events_init(vm);
	fd = anon_inode_getfd("gunyah-vm", &gunyah_vm_fops, vm, O_CLOEXEC);
	if (fd < 0)
		vfree(vm);
	return fd;
}
