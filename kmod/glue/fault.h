/* SPDX-License-Identifier: GPL-2.0 */
/* Named points at which a call fails because its user asked for that: see struct mockvisor_fault. */
#ifndef MV_FAULT_H
#define MV_FAULT_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <mockvisor.h>

#define MV_FAULTS 8	/* armed at once, of one descriptor */

struct mv_fault {
	u32 call;	/* 0: not in use */
	u32 error;
	u32 skip;
	u32 times;	/* 0: every one after @skip */
	u64 passed;
	u64 fired;
};

/* Of one descriptor; gone with it. */
struct mv_faults {
	spinlock_t lock;
	bool any;	/* keeps the lock out of the way of those who armed nothing */
	struct mv_fault point[MV_FAULTS];
};

void mv_faults_init(struct mv_faults *f);
/* The point that a call passes.  Return: 0, or the error that it is to give without doing anything. */
int mv_fault(struct mv_faults *f, u32 call);
/* Return: -EINVAL a bad argument, -ENOSPC too many are armed. */
int mv_fault_arm(struct mv_faults *f, const struct mockvisor_fault *arg);
/* Return: -ENOENT this call was never armed. */
int mv_fault_read(struct mv_faults *f, struct mockvisor_fault *arg);

#endif
