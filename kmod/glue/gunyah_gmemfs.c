// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "gunyah_gmemfs.h"

#define GMEMFS_MAGIC 0x6d766773

static struct vfsmount *mounted;
static int files;

static int init_context(struct fs_context *fc)
{
	return init_pseudo(fc, GMEMFS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type gmemfs = {
	.name = "mockvisor-gmem",
	.owner = THIS_MODULE,
	.init_fs_context = init_context,
	.kill_sb = kill_anon_super,
};

void gunyah_gmemfs_gone(void)
{
	simple_release_fs(&mounted, &files);
}

static struct file *new_file(const struct file_operations *fops, const struct inode_operations *iops, void *data, u64 size)
{
	struct inode *inode = alloc_anon_inode(mounted->mnt_sb);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	inode->i_mode = S_IFREG | 0600;
	inode->i_op = iops;
	inode->i_size = size;
	/* the file's last use puts it */
	__module_get(fops->owner);
	file = alloc_file_pseudo(inode, mounted, "[gh-gmem]", O_RDWR | O_LARGEFILE, fops);
	if (IS_ERR(file)) {
		module_put(fops->owner);
		iput(inode);
		return file;
	}
	file->private_data = data;
	return file;
}

struct file *gunyah_gmemfs_file(const struct file_operations *fops, const struct inode_operations *iops, void *data, u64 size)
{
	struct file *file;
	int r = simple_pin_fs(&gmemfs, &mounted, &files);

	if (r)
		return ERR_PTR(r);
	file = new_file(fops, iops, data, size);
	if (IS_ERR(file))
		gunyah_gmemfs_gone();
	return file;
}
