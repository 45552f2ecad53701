/* SPDX-License-Identifier: GPL-2.0 */
/* The door's kernel side (see kmod/core/env.h). */
#ifndef MV_ENV_LINUX_H
#define MV_ENV_LINUX_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>

static inline u64 env_now_ns(void)
{
	return ktime_get_ns();
}

struct env_lock {
	spinlock_t lock;
};

static inline void env_lock_init(struct env_lock *l)
{
	spin_lock_init(&l->lock);
}

static inline void env_lock_take(struct env_lock *l)
{
	spin_lock(&l->lock);
}

static inline void env_lock_drop(struct env_lock *l)
{
	spin_unlock(&l->lock);
}

#endif
