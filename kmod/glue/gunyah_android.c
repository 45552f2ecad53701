// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that Android's kernels have on the VM fd besides those of v17, as crosvm and QEMU make them.  No number collides.
 * There is no firmware here that would authenticate a VM: what chooses one is checked, remembered by nobody, and the VM
 * starts all the same.
 */
#include <linux/uaccess.h>

#include "gunyah_glue.h"

static long add_region(struct gunyah_vm *vm, void __user *user)
{
	struct gh_userspace_memory_region a;

	if (copy_from_user(&a, user, sizeof(a)))
		return -EFAULT;
	return gunyah_region_add(vm, &a);
}

static long reclaim(struct gunyah_vm *vm, void __user *user)
{
	struct gh_vm_reclaim_region a;

	if (copy_from_user(&a, user, sizeof(a)))
		return -EFAULT;
	return gunyah_region_reclaim(vm, a.guest_phys_addr, a.size);
}

/* Choices about how the VM is loaded come before it starts. */
static long before_start(struct gunyah_vm *vm)
{
	return READ_ONCE(vm->core.state) == GUNYAH_VM_NO_STATE ? 0 : -EINVAL;
}

static long set_firmware(struct gunyah_vm *vm, void __user *user)
{
	struct gh_vm_firmware_config a;

	if (copy_from_user(&a, user, sizeof(a)))
		return -EFAULT;
	return before_start(vm);
}

static long set_auth_type(struct gunyah_vm *vm, void __user *user)
{
	struct gh_vm_qtvm_auth_arg qtvm;
	struct gh_vm_auth_desc a;

	if (copy_from_user(&a, user, sizeof(a)))
		return -EFAULT;
	if (a.arg_size && a.arg_size != sizeof(qtvm))
		return -EINVAL;
	if (a.arg_size && copy_from_user(&qtvm, u64_to_user_ptr(a.arg), sizeof(qtvm)))
		return -EFAULT;
	return before_start(vm);
}

long gunyah_android_ioctl(struct gunyah_vm *vm, unsigned int number, unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (number) {
	case GH_VM_SET_USER_MEM_REGION:
	case GH_VM_ANDROID_LEND_USER_MEM:
		return add_region(vm, user);
	case GH_VM_RECLAIM_REGION:
		return reclaim(vm, user);
	case GH_VM_ANDROID_SET_FW_CONFIG:
		return set_firmware(vm, user);
	case GH_VM_ANDROID_SET_AUTH_TYPE:
		return set_auth_type(vm, user);
	case GH_VM_CHECK_EXTENSION:
		/* a guest's timer wakes its vCPU out of WFI */
		return argument == GH_CAP_VCPU_TIMER_WAKEUP;
	default:
		/* CMA memory among them: kernels without it answer the same */
		return -ENOTTY;
	}
}
