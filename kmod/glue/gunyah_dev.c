// SPDX-License-Identifier: GPL-2.0
/* /dev/gunyah: makes VMs and guest memory. */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "gunyah_glue.h"
#include "gunyah_strict.h"

unsigned int gunyah_strict;
module_param_named(strict_v17, gunyah_strict, uint, 0644);
MODULE_PARM_DESC(strict_v17, "reproduce bugs of the v17 Gunyah driver: bit n bug Qn, 1 all of them; see docs/gunyah-differences.md");

static long dev_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	struct gunyah_create_mem_args args;

	switch (number) {
	case GUNYAH_CREATE_VM:
		return argument ? -EINVAL : gunyah_vm_create();
	case GUNYAH_CREATE_GUEST_MEM:
		if (copy_from_user(&args, (void __user *)argument, sizeof(args)))
			return -EFAULT;
		return gunyah_gmem_create(&args);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice gunyah_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gunyah",
	.fops = &dev_fops,
};

int gunyah_register(void)
{
	return misc_register(&gunyah_device);
}

void gunyah_unregister(void)
{
	misc_deregister(&gunyah_device);
}
