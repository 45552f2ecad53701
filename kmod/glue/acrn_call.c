// SPDX-License-Identifier: GPL-2.0
/*
 * Running one call: copy, reserved bytes, lock, VM state, handler, copy back.  The order is the driver's; what differs
 * from it on purpose is told in docs/acrn-differences.md.
 */
#include <linux/uaccess.h>

#include "acrn_call.h"

static void call_lock(struct acrn_hsm *hsm, enum acrn_call_lock lock)
{
	if (lock == CALL_WRITE)
		down_write(&hsm->lock);
	else if (lock == CALL_READ)
		down_read(&hsm->lock);
}

static void call_unlock(struct acrn_hsm *hsm, enum acrn_call_lock lock)
{
	if (lock == CALL_WRITE)
		up_write(&hsm->lock);
	else if (lock == CALL_READ)
		up_read(&hsm->lock);
}

static bool reserved_is_zero(const struct acrn_call *c, const union acrn_call_argument *arg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(c->zero); i++) {
		if (memchr_inv((const u8 *)arg + c->zero[i].at, 0, c->zero[i].bytes))
			return false;
	}
	return true;
}

static int fetch(const struct acrn_call *c, unsigned long argument, union acrn_call_argument *arg)
{
	if (c->by_value)
		arg->value = argument;
	else if ((_IOC_DIR(c->number) & _IOC_WRITE) && copy_from_user(arg, (void __user *)argument, _IOC_SIZE(c->number)))
		return -EFAULT;
	return reserved_is_zero(c, arg) ? 0 : -EINVAL;
}

long acrn_call_run(struct acrn_hsm *hsm, const struct acrn_call *c, unsigned long argument)
{
	union acrn_call_argument arg;
	int r = fetch(c, argument, &arg);

	if (r)
		return r;
	call_lock(hsm, c->lock);
	if (!hsm->live && c->states)
		r = -EINVAL;
	else if (c->states && !(c->states & BIT(READ_ONCE(hsm->core.state))))
		r = c->refusal;
	else
		r = mv_fault(&hsm->faults, c->number);
	if (!r)
		r = c->handle(hsm, &arg);
	/* only CREATE_VM answers here: a caller that cannot be told its VM's id has no VM */
	if (!r && c->number == ACRN_IOCTL_CREATE_VM && copy_to_user((void __user *)argument, &arg, sizeof(arg.creation))) {
		acrn_hsm_destroy(hsm);
		r = -EFAULT;
	}
	call_unlock(hsm, c->lock);
	return r;
}
