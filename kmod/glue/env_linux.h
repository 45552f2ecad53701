/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door's kernel side (see kmod/core/env.h).  As few kernel headers as possible: the core's own names (wrmsr, cpuid,
 * cmpxchg) are not to meet the host architecture's.  What needs more is in env.c.
 */
#ifndef MV_ENV_LINUX_H
#define MV_ENV_LINUX_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#define env_le16(x) le16_to_cpu(x)
#define env_le32(x) le32_to_cpu(x)
#define env_le64(x) le64_to_cpu(x)

struct env_lock {
	unsigned long word;
};

u64 env_now_ns(void);
void env_lock_init(struct env_lock *l);
void env_lock_take(struct env_lock *l);
void env_lock_drop(struct env_lock *l);

#endif
