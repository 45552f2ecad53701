// SPDX-License-Identifier: GPL-2.0
/* The door's functions: clock and lock. */
/* before bit_spinlock.h, which uses cpu_relax() without saying so */
#include <linux/processor.h>
#include <linux/bit_spinlock.h>
#include <linux/ktime.h>

#include "env_linux.h"

u64 env_now_ns(void)
{
	return ktime_get_ns();
}

void env_lock_init(struct env_lock *l)
{
	l->word = 0;
}

void env_lock_take(struct env_lock *l) __acquires(bitlock)
{
	bit_spin_lock(0, &l->word);
}

void env_lock_drop(struct env_lock *l) __releases(bitlock)
{
	bit_spin_unlock(0, &l->word);
}
