// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/acrn_hsm: open, release and the table of calls.  What a call means is in acrn_vm.c, acrn_mem.c, acrn_client.c.
 *
 * On a file without a VM every call but CREATE_VM gives EINVAL, unknown numbers included; with one, unknown numbers give
 * ENOTTY.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "acrn_hsm.h"

/* How a call wants the lock held. */
enum call_lock { CALL_NO_LOCK, CALL_READ, CALL_WRITE };

union call_argument {
	struct acrn_vm_creation creation;
	struct acrn_vcpu_regs regs;
	struct acrn_vm_memmap memmap;
	struct acrn_ioreq_notify notify;
};

struct call {
	unsigned int number;
	enum call_lock lock;
	bool without_vm;
	int (*handle)(struct acrn_hsm *hsm, union call_argument *arg);
};

static int call_create(struct acrn_hsm *hsm, union call_argument *arg)
{
	return acrn_hsm_create(hsm, &arg->creation);
}

static int call_destroy(struct acrn_hsm *hsm, union call_argument *arg)
{
	int r = acrn_vm_destroy(&hsm->core);

	if (!r)
		acrn_hsm_destroy(hsm);
	return r;
}

static int call_start(struct acrn_hsm *hsm, union call_argument *arg)
{
	int r = acrn_vm_start(&hsm->core);

	if (!r)
		acrn_hsm_vcpus_run(hsm);
	return r;
}

static int call_pause(struct acrn_hsm *hsm, union call_argument *arg)
{
	acrn_hsm_vcpus_stop(hsm);
	return acrn_vm_pause(&hsm->core);
}

static int call_reset(struct acrn_hsm *hsm, union call_argument *arg)
{
	return acrn_vm_reset(&hsm->core);
}

static int call_set_regs(struct acrn_hsm *hsm, union call_argument *arg)
{
	return acrn_set_vcpu_regs(&hsm->core, &arg->regs);
}

static int call_set_memseg(struct acrn_hsm *hsm, union call_argument *arg)
{
	return acrn_hsm_set_memseg(hsm, &arg->memmap);
}

static int call_client_create(struct acrn_hsm *hsm, union call_argument *arg)
{
	return acrn_client_create(hsm);
}

static int call_client_attach(struct acrn_hsm *hsm, union call_argument *arg)
{
	return acrn_client_attach(hsm);
}

static int call_client_destroy(struct acrn_hsm *hsm, union call_argument *arg)
{
	acrn_client_destroy(hsm);
	return 0;
}

static int call_notify(struct acrn_hsm *hsm, union call_argument *arg)
{
	return acrn_client_notify(hsm, &arg->notify);
}

static int call_clear(struct acrn_hsm *hsm, union call_argument *arg)
{
	acrn_client_clear(hsm);
	return 0;
}

/* The size and direction of an argument are in the number itself. */
static const struct call calls[] = {
	{ ACRN_IOCTL_CREATE_VM, CALL_WRITE, true, call_create },
	{ ACRN_IOCTL_DESTROY_VM, CALL_WRITE, false, call_destroy },
	{ ACRN_IOCTL_START_VM, CALL_WRITE, false, call_start },
	{ ACRN_IOCTL_PAUSE_VM, CALL_WRITE, false, call_pause },
	{ ACRN_IOCTL_RESET_VM, CALL_WRITE, false, call_reset },
	{ ACRN_IOCTL_SET_VCPU_REGS, CALL_WRITE, false, call_set_regs },
	{ ACRN_IOCTL_SET_MEMSEG, CALL_WRITE, false, call_set_memseg },
	{ ACRN_IOCTL_CREATE_IOREQ_CLIENT, CALL_READ, false, call_client_create },
	{ ACRN_IOCTL_ATTACH_IOREQ_CLIENT, CALL_NO_LOCK, false, call_client_attach },
	{ ACRN_IOCTL_DESTROY_IOREQ_CLIENT, CALL_READ, false, call_client_destroy },
	{ ACRN_IOCTL_NOTIFY_REQUEST_FINISH, CALL_READ, false, call_notify },
	{ ACRN_IOCTL_CLEAR_VM_IOREQ, CALL_READ, false, call_clear },
};

static const struct call *find_call(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].number == number)
			return &calls[i];
	}
	return NULL;
}

static void call_lock(struct acrn_hsm *hsm, enum call_lock lock)
{
	if (lock == CALL_WRITE)
		down_write(&hsm->lock);
	else if (lock == CALL_READ)
		down_read(&hsm->lock);
}

static void call_unlock(struct acrn_hsm *hsm, enum call_lock lock)
{
	if (lock == CALL_WRITE)
		up_write(&hsm->lock);
	else if (lock == CALL_READ)
		up_read(&hsm->lock);
}

static long call_with_argument(struct acrn_hsm *hsm, const struct call *c, void __user *user)
{
	union call_argument arg;
	size_t size = _IOC_SIZE(c->number);
	long r;

	if ((_IOC_DIR(c->number) & _IOC_WRITE) && copy_from_user(&arg, user, size))
		return -EFAULT;
	call_lock(hsm, c->lock);
	if (hsm->live || c->without_vm) {
		r = c->handle(hsm, &arg);
		/* CREATE_VM: a caller that cannot be told its VM's id has no VM */
		if (!r && (_IOC_DIR(c->number) & _IOC_READ) && copy_to_user(user, &arg, size)) {
			acrn_hsm_destroy(hsm);
			r = -EFAULT;
		}
	} else {
		r = -EINVAL;
	}
	call_unlock(hsm, c->lock);
	return r;
}

static long hsm_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	struct acrn_hsm *hsm = file->private_data;
	const struct call *c = find_call(number);

	/* the state is looked at before the argument: no VM, no copy */
	if (!READ_ONCE(hsm->live) && !(c && c->without_vm))
		return -EINVAL;
	if (!c)
		return -ENOTTY;
	return call_with_argument(hsm, c, (void __user *)argument);
}

static int hsm_open(struct inode *inode, struct file *file)
{
	struct acrn_hsm *hsm = kvzalloc(sizeof(*hsm), GFP_KERNEL);

	if (!hsm)
		return -ENOMEM;
	init_rwsem(&hsm->lock);
	INIT_LIST_HEAD(&hsm->named);
	acrn_client_init(&hsm->client);
	file->private_data = hsm;
	return nonseekable_open(inode, file);
}

/* In whatever state the VM is: nothing of it stays. */
static int hsm_release(struct inode *inode, struct file *file)
{
	struct acrn_hsm *hsm = file->private_data;

	down_write(&hsm->lock);
	if (hsm->live)
		acrn_hsm_destroy(hsm);
	up_write(&hsm->lock);
	kvfree(hsm);
	return 0;
}

const struct file_operations acrn_hsm_fops = {
	.owner = THIS_MODULE,
	.open = hsm_open,
	.release = hsm_release,
	.unlocked_ioctl = hsm_ioctl,
};

static struct miscdevice hsm_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "acrn_hsm",
	.fops = &acrn_hsm_fops,
};

int acrn_hsm_register(void)
{
	return misc_register(&hsm_device);
}

void acrn_hsm_unregister(void)
{
	misc_deregister(&hsm_device);
}
