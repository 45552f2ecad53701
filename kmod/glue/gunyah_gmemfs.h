/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inodes for guest memory files: regular ones, for fallocate() and ftruncate() work on no others.  The file system they
 * live on is mounted, nowhere, while there are any.
 */
#ifndef MV_GUNYAH_GMEMFS_H
#define MV_GUNYAH_GMEMFS_H

#include <linux/fs.h>

/* An open file of @size bytes, or ERR_PTR().  Its release() calls gunyah_gmemfs_gone(). */
struct file *gunyah_gmemfs_file(const struct file_operations *fops, const struct inode_operations *iops, void *data, u64 size);
void gunyah_gmemfs_gone(void);

#endif
