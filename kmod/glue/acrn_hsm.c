// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/acrn_hsm: open, release, and finding the call.  The calls are in acrn_calls.c.
 *
 * On a file without a VM every call but CREATE_VM gives EINVAL, unknown numbers included; with one, unknown numbers give
 * ENOTTY.
 */
#include <linux/cpu.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "acrn_call.h"

const struct acrn_call *acrn_call_find(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < acrn_call_count; i++) {
		if (acrn_calls[i].number == number)
			return &acrn_calls[i];
	}
	return NULL;
}

static long hsm_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	struct acrn_hsm *hsm = file->private_data;
	const struct acrn_call *c = acrn_call_find(number);

	/* the state is looked at before the argument: no VM, no copy */
	if (!READ_ONCE(hsm->live) && !(c && !c->states))
		return -EINVAL;
	return c ? acrn_call_run(hsm, c, argument) : -ENOTTY;
}

static int hsm_open(struct inode *inode, struct file *file)
{
	struct acrn_hsm *hsm = vzalloc(sizeof(*hsm));

	if (!hsm)
		return -ENOMEM;
	init_rwsem(&hsm->lock);
	mutex_init(&hsm->thread_lock);
	INIT_LIST_HEAD(&hsm->named);
	acrn_client_init(&hsm->client);
	mv_faults_init(&hsm->faults);
	acrn_hsm_irqfds_init(hsm);
	file->private_data = hsm;
	return nonseekable_open(inode, file);
}

/* In whatever state the VM is: nothing of it stays. */
static int hsm_release(struct inode *inode, struct file *file)
{
	struct acrn_hsm *hsm = file->private_data;

	down_write(&hsm->lock);
	if (hsm->live)
		acrn_hsm_destroy(hsm);
	up_write(&hsm->lock);
	vfree(hsm);
	return 0;
}

const struct file_operations acrn_hsm_fops = {
	.owner = THIS_MODULE,
	.open = hsm_open,
	.release = hsm_release,
	.unlocked_ioctl = hsm_ioctl,
};

/*
 * ACRN's launch scripts write here the CPUs that they took from the Service VM.  The driver offlines them and hands them to
 * the hypervisor; a mock has no use for them, and leaves the machine its CPUs.
 */
static ssize_t remove_cpu_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	unsigned int cpu;

	if (kstrtouint(buf, 0, &cpu) || !cpu || cpu >= num_possible_cpus() || !cpu_is_hotpluggable(cpu))
		return -EINVAL;
	return count;
}
static DEVICE_ATTR_WO(remove_cpu);

static struct attribute *hsm_attrs[] = { &dev_attr_remove_cpu.attr, NULL };
ATTRIBUTE_GROUPS(hsm);

static struct miscdevice hsm_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "acrn_hsm",
	.fops = &acrn_hsm_fops,
	.groups = hsm_groups,
};

int acrn_hsm_register(void)
{
	int r = acrn_hsm_devices_setup();

	if (r)
		return r;
	r = acrn_hsm_irqfd_setup();
	if (r)
		goto no_irqfd;
	r = misc_register(&hsm_device);
	if (!r)
		return 0;
	acrn_hsm_irqfd_teardown();
no_irqfd:
	acrn_hsm_devices_teardown();
	return r;
}

void acrn_hsm_unregister(void)
{
	misc_deregister(&hsm_device);
	acrn_hsm_irqfd_teardown();
	acrn_hsm_devices_teardown();
}
