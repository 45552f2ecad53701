// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/string.h>

#include "fault.h"

#define LAST_ERRNO 133	/* EHWPOISON; the kernel's own codes above are not for programs */

void mv_faults_init(struct mv_faults *f)
{
	memset(f, 0, sizeof(*f));
	spin_lock_init(&f->lock);
}

static struct mv_fault *find(struct mv_faults *f, u32 call)
{
	unsigned int i;

	for (i = 0; i < MV_FAULTS; i++) {
		if (f->point[i].call == call)
			return &f->point[i];
	}
	return NULL;
}

static int pass(struct mv_fault *p)
{
	if (!p || !p->error)
		return 0;
	if (p->passed < p->skip || (p->times && p->fired == p->times)) {
		p->passed++;
		return 0;
	}
	p->fired++;
	return -(int)p->error;
}

int mv_fault(struct mv_faults *f, u32 call)
{
	int r;

	if (!READ_ONCE(f->any))
		return 0;
	spin_lock(&f->lock);
	r = pass(find(f, call));
	spin_unlock(&f->lock);
	return r;
}

int mv_fault_arm(struct mv_faults *f, const struct mockvisor_fault *arg)
{
	struct mv_fault *p;

	if (!arg->call || arg->error > LAST_ERRNO || arg->reserved)
		return -EINVAL;
	spin_lock(&f->lock);
	p = find(f, arg->call);
	if (!p)
		p = find(f, 0);
	if (p)
		*p = (struct mv_fault){ arg->call, arg->error, arg->skip, arg->times, 0, 0 };
	WRITE_ONCE(f->any, true);
	spin_unlock(&f->lock);
	return p ? 0 : -ENOSPC;
}

int mv_fault_read(struct mv_faults *f, struct mockvisor_fault *arg)
{
	struct mv_fault *p;

	spin_lock(&f->lock);
	p = arg->call ? find(f, arg->call) : NULL;
	if (p) {
		arg->error = p->error;
		arg->skip = p->skip;
		arg->times = p->times;
		arg->passed = p->passed;
		arg->fired = p->fired;
	}
	spin_unlock(&f->lock);
	return p ? 0 : -ENOENT;
}
