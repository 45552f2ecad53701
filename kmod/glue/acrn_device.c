// SPDX-License-Identifier: GPL-2.0
/* Devices that a VM is given: functions of the pretend machine, virtual ones, and what joins those of different VMs. */
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "acrn_hsm.h"

static char *acrn_devices = "00:14.0/8086:9ded/0c0330/64,00:1f.6/8086:15be/020000/128,00:1c.0/8086:9db8/060400,tpm/20";
module_param(acrn_devices, charp, 0444);
MODULE_PARM_DESC(acrn_devices, "pretend physical devices: BB:DD.F/VVVV:DDDD/CCCCCC/KiB[+KiB..] or NAME/KiB, by commas");

/* Leaf of hsm->lock: the pretend machine, the links, and which device is whose. */
static DEFINE_MUTEX(platform_lock);
static struct acrn_platform platform;
static LIST_HEAD(links);

struct shared_link {
	struct acrn_link core;
	struct list_head list;
	unsigned int users;
};

int acrn_hsm_devices_setup(void)
{
	int r = acrn_platform_parse(&platform, acrn_devices);

	if (r)
		pr_err("mockvisor: acrn_devices=%s does not describe devices\n", acrn_devices);
	return r;
}

void acrn_hsm_devices_teardown(void)
{
	u32 i;

	for (i = 0; i < platform.count; i++)
		vfree(platform.phys[i].memory);
}

/* A device's memory comes with its first use and stays while the module does. */
static bool provide_memory(struct acrn_phys *d)
{
	u64 bytes = acrn_phys_bytes(d);

	if (!d->memory && bytes)
		d->memory = vzalloc(bytes);
	return d->memory || !bytes;
}

u8 *acrn_hsm_device_memory(u64 address, u64 size)
{
	struct acrn_phys *d;
	u8 *memory = NULL;
	u64 offset;

	mutex_lock(&platform_lock);
	d = acrn_platform_range(&platform, address, size, &offset);
	if (d && provide_memory(d))
		memory = d->memory + offset;
	mutex_unlock(&platform_lock);
	return memory;
}

/* --- links ------------------------------------------------------------------------------------------------------------- */

static struct shared_link *link_new(const char *name, u64 memory)
{
	struct shared_link *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	memcpy(l->core.name, name, ACRN_LINK_NAME);
	env_lock_init(&l->core.lock);
	l->core.size = memory;
	l->core.memory = memory ? __vmalloc(memory, GFP_KERNEL_ACCOUNT | __GFP_ZERO) : NULL;
	if (memory && !l->core.memory) {
		kfree(l);
		return NULL;
	}
	list_add(&l->list, &links);
	return l;
}

/* Peers of one name have to agree on the size. */
static struct shared_link *link_get(const char *name, u64 memory)
{
	struct shared_link *l;

	list_for_each_entry(l, &links, list) {
		if (memcmp(l->core.name, name, ACRN_LINK_NAME))
			continue;
		if (l->core.size != memory)
			return ERR_PTR(-EINVAL);
		l->users++;
		return l;
	}
	l = link_new(name, memory);
	if (!l)
		return ERR_PTR(-ENOMEM);
	l->users = 1;
	return l;
}

static void link_put(struct acrn_link *link)
{
	struct shared_link *l = container_of(link, struct shared_link, core);

	if (--l->users)
		return;
	list_del(&l->list);
	vfree(l->core.memory);
	kfree(l);
}

/* --- PCI functions ------------------------------------------------------------------------------------------------------ */

static void device_free(struct acrn_hvdev *d)
{
	struct acrn_link *link = d->link;

	acrn_hvdev_remove(d);
	if (link)
		link_put(link);
	kfree(d);
}

static int assign_pci(struct acrn_hsm *hsm, const struct acrn_pcidev *args)
{
	struct acrn_phys *phys = acrn_platform_pci(&platform, args->phys_bdf);
	struct acrn_hvdev *d;
	int r;

	if (!phys || phys->given || phys->class_code >> 8 == ACRN_CLASS_BRIDGE)
		return -ENODEV;
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return -ENOMEM;
	r = provide_memory(phys) ? 0 : -ENOMEM;
	if (!r) {
		acrn_hvdev_pass(d, args, phys);
		r = acrn_hvdev_add(&hsm->core, d);
		if (r)
			phys->given = NULL;
	}
	if (r)
		kfree(d);
	return r;
}

int acrn_hsm_assign_pci(struct acrn_hsm *hsm, const struct acrn_pcidev *args)
{
	int r;

	mutex_lock(&platform_lock);
	r = assign_pci(hsm, args);
	mutex_unlock(&platform_lock);
	return r;
}

int acrn_hsm_deassign_pci(struct acrn_hsm *hsm, const struct acrn_pcidev *args)
{
	struct acrn_hvdev *d = acrn_hvdev_find(&hsm->core, args->virt_bdf);

	if (!d || d->kind != HVDEV_PASS || d->phys->bdf != args->phys_bdf)
		return -ENODEV;
	mutex_lock(&platform_lock);
	device_free(d);
	mutex_unlock(&platform_lock);
	return 0;
}

static int create_vdev(struct acrn_hsm *hsm, const struct acrn_vdev *args)
{
	struct shared_link *link = NULL;
	char name[ACRN_LINK_NAME];
	struct acrn_hvdev *d;
	u64 memory;
	int r = acrn_hvdev_link(args, name, &memory);

	if (r < 0)
		return r;
	if (r) {
		link = link_get(name, memory);
		if (IS_ERR(link))
			return PTR_ERR(link);
	}
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	r = d ? acrn_hvdev_virtual(d, args, link ? &link->core : NULL) : -ENOMEM;
	if (!r) {
		r = acrn_hvdev_add(&hsm->core, d);
		if (r && link)
			acrn_link_leave(&link->core, d);
	}
	if (!r)
		return 0;
	kfree(d);
	if (link)
		link_put(&link->core);
	return r;
}

int acrn_hsm_create_vdev(struct acrn_hsm *hsm, const struct acrn_vdev *args)
{
	int r;

	mutex_lock(&platform_lock);
	r = create_vdev(hsm, args);
	mutex_unlock(&platform_lock);
	return r;
}

/* By slot: VMMs leave the rest of the argument empty. */
int acrn_hsm_destroy_vdev(struct acrn_hsm *hsm, const struct acrn_vdev *args)
{
	struct acrn_hvdev *d = args->slot > 0xffff ? NULL : acrn_hvdev_find(&hsm->core, (u16)args->slot);

	if (!d || d->kind == HVDEV_PASS)
		return -EINVAL;
	mutex_lock(&platform_lock);
	device_free(d);
	mutex_unlock(&platform_lock);
	return 0;
}

int acrn_hsm_device_interrupt(u16 bdf, bool high)
{
	struct acrn_phys *phys;
	int r = -ENODEV;

	mutex_lock(&platform_lock);
	phys = acrn_platform_pci(&platform, bdf);
	if (phys)
		r = phys->given ? 0 : -ENOENT;
	if (!r)
		acrn_hvdev_interrupt(phys->given, high);
	mutex_unlock(&platform_lock);
	return r;
}

/* --- platform devices ------------------------------------------------------------------------------------------------------ */

static void unmap_resources(struct acrn_hsm *hsm, const struct acrn_mmiodev *args, unsigned int count)
{
	while (count--) {
		if (args->res[count].size)
			acrn_hsm_unmap(hsm, args->res[count].user_vm_pa, args->res[count].size);
	}
}

int acrn_hsm_assign_mmio(struct acrn_hsm *hsm, const struct acrn_mmiodev *args)
{
	unsigned int i, mapped = 0;
	u8 *memory;
	int r = 0;

	for (i = 0; i < ACRN_MMIODEV_RES_NUM && !r; i++) {
		if (!args->res[i].size)
			continue;
		memory = acrn_hsm_device_memory(args->res[i].service_vm_pa, args->res[i].size);
		if (!memory || ((args->res[i].service_vm_pa | args->res[i].size) & ~PAGE_MASK) ||
		    hv_memmap_overlaps(&hsm->core.map, args->res[i].user_vm_pa, args->res[i].size))
			r = -EINVAL;
		else
			r = hv_memmap_fill(&hsm->core.map, args->res[i].user_vm_pa, args->res[i].size, memory, HV_MEM_RWX);
		/* slots used up half-way: this one is mapped in part */
		mapped = r == -EINVAL ? i : i + 1;
	}
	if (r)
		unmap_resources(hsm, args, mapped);
	return r;
}

int acrn_hsm_deassign_mmio(struct acrn_hsm *hsm, const struct acrn_mmiodev *args)
{
	unmap_resources(hsm, args, ACRN_MMIODEV_RES_NUM);
	return 0;
}

void acrn_hsm_drop_devices(struct acrn_hsm *hsm)
{
	unsigned int i;

	mutex_lock(&platform_lock);
	for (i = 0; i < ACRN_HVDEVS; i++) {
		if (hsm->core.device[i])
			device_free(hsm->core.device[i]);
	}
	mutex_unlock(&platform_lock);
}
