// SPDX-License-Identifier: GPL-2.0
/* ADD_FUNCTION and REMOVE_FUNCTION: which functions there are, and how their arguments are read. */
#include <linux/uaccess.h>

#include "gunyah_glue.h"

union function_argument {
	struct gunyah_fn_vcpu_arg vcpu;
	struct gunyah_fn_irqfd_arg irqfd;
	struct gunyah_fn_ioeventfd_arg ioeventfd;
	u8 bytes[GUNYAH_FN_MAX_ARG_SIZE];
};

static long add_vcpu(struct gunyah_vm *vm, const union function_argument *a)
{
	return gunyah_vcpu_add(vm, a->vcpu.id);
}

static bool remove_vcpu(struct gunyah_vm *vm, const union function_argument *a)
{
	struct gunyah_function_vcpu *f;

	list_for_each_entry(f, &vm->vcpus, in_vm) {
		if (f->id == a->vcpu.id) {
			gunyah_vcpu_remove(f);
			return true;
		}
	}
	return false;
}

static long add_irqfd(struct gunyah_vm *vm, const union function_argument *a)
{
	return gunyah_irqfd_add(vm, &a->irqfd);
}

static bool remove_irqfd(struct gunyah_vm *vm, const union function_argument *a)
{
	return gunyah_irqfd_remove(vm, &a->irqfd);
}

static long add_ioeventfd(struct gunyah_vm *vm, const union function_argument *a)
{
	return gunyah_ioeventfd_add(vm, &a->ioeventfd);
}

static bool remove_ioeventfd(struct gunyah_vm *vm, const union function_argument *a)
{
	return gunyah_ioeventfd_remove(vm, &a->ioeventfd);
}

/* Callers of both hold vm->lock. */
struct function_type {
	u32 size;
	long (*add)(struct gunyah_vm *vm, const union function_argument *a);
	bool (*remove)(struct gunyah_vm *vm, const union function_argument *a);
};

static const struct function_type types[] = {
	[GUNYAH_FN_VCPU] = { sizeof(struct gunyah_fn_vcpu_arg), add_vcpu, remove_vcpu },
	[GUNYAH_FN_IRQFD] = { sizeof(struct gunyah_fn_irqfd_arg), add_irqfd, remove_irqfd },
	[GUNYAH_FN_IOEVENTFD] = { sizeof(struct gunyah_fn_ioeventfd_arg), add_ioeventfd, remove_ioeventfd },
};

static const struct function_type *type_of(const struct gunyah_fn_desc *d)
{
	return d->type < ARRAY_SIZE(types) && types[d->type].size ? &types[d->type] : NULL;
}

static int copy_argument(const struct gunyah_fn_desc *d, union function_argument *a)
{
	return copy_from_user(a, u64_to_user_ptr(d->arg), min_t(size_t, sizeof(*a), d->arg_size)) ? -EFAULT : 0;
}

long gunyah_function_add(struct gunyah_vm *vm, void __user *user)
{
	const struct function_type *type;
	union function_argument a;
	struct gunyah_fn_desc d;
	long r;

	if (copy_from_user(&d, user, sizeof(d)))
		return -EFAULT;
	if (d.arg_size > GUNYAH_FN_MAX_ARG_SIZE)
		return -EINVAL;
	if (copy_argument(&d, &a))
		return -EFAULT;
	type = type_of(&d);
	if (!type)
		return -ENOENT;
	if (d.arg_size != type->size)
		return -EINVAL;
	if (mutex_lock_interruptible(&vm->lock))
		return -EINTR;
	r = type->add(vm, &a);
	mutex_unlock(&vm->lock);
	return r;
}

/* A wrong size finds nothing; there is no limit on it. */
long gunyah_function_remove(struct gunyah_vm *vm, void __user *user)
{
	const struct function_type *type;
	union function_argument a;
	struct gunyah_fn_desc d;
	bool found;

	if (copy_from_user(&d, user, sizeof(d)) || copy_argument(&d, &a))
		return -EFAULT;
	type = type_of(&d);
	if (mutex_lock_interruptible(&vm->lock))
		return -EINTR;
	found = type && d.arg_size == type->size && type->remove(vm, &a);
	mutex_unlock(&vm->lock);
	return found ? 0 : -ENOENT;
}
