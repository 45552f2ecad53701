/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel drift.  The only file with version checks: everything else reads like the newest kernel.  Signature changes are
 * keyed on versions here; additions that stable trees backport are to be probed instead.
 */
#ifndef MV_COMPAT_H
#define MV_COMPAT_H

#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/version.h>

/* 6.3: vma->vm_flags became read-only */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}
#define vm_flags_set compat_vm_flags_set
#endif

/* The first argument of an inode's setattr(): none up to 5.11, a user namespace up to 6.2 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0)
#define COMPAT_IDMAP
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define COMPAT_IDMAP struct user_namespace *idmap,
#else
#define COMPAT_IDMAP struct mnt_idmap *idmap,
#endif

/* 6.8: eventfd_signal() always adds 1 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
static inline void compat_eventfd_signal(struct eventfd_ctx *ctx)
{
	eventfd_signal(ctx, 1);
}
#define eventfd_signal compat_eventfd_signal
#endif

#endif
