// SPDX-License-Identifier: GPL-2.0
/* ACRN VMs: creation, names and numbers, destruction. */
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "acrn_hsm.h"

static unsigned int acrn_max_vms = 16;
module_param(acrn_max_vms, uint, 0444);
MODULE_PARM_DESC(acrn_max_vms, "how many ACRN VMs may exist at once (the hypervisor's default is 16)");

static DEFINE_MUTEX(names_lock);
static LIST_HEAD(names);
static DEFINE_IDA(vmids);

static bool name_taken(const char *name)
{
	struct acrn_hsm *other;

	list_for_each_entry(other, &names, named) {
		if (!memcmp(other->name, name, sizeof(other->name)))
			return true;
	}
	return false;
}

/* The hypervisor finds a VM by its name, and refuses one that is not powered off. */
static int take_name(struct acrn_hsm *hsm, const u8 *name)
{
	int vmid = -EINVAL;

	mutex_lock(&names_lock);
	memcpy(hsm->name, name, sizeof(hsm->name));
	if (!name_taken(hsm->name))
		vmid = ida_alloc_range(&vmids, 1, acrn_max_vms, GFP_KERNEL);
	if (vmid > 0)
		list_add(&hsm->named, &names);
	mutex_unlock(&names_lock);
	return vmid > 0 ? vmid : -EINVAL;
}

static void drop_name(struct acrn_hsm *hsm, int vmid)
{
	mutex_lock(&names_lock);
	list_del_init(&hsm->named);
	ida_free(&vmids, vmid);
	mutex_unlock(&names_lock);
}

int acrn_hsm_pm_allowed(u32 vmid)
{
	struct acrn_hsm *other;
	int r = -EPERM;
	u32 state;

	if (vmid > acrn_max_vms)
		return -ENOTTY;
	mutex_lock(&names_lock);
	list_for_each_entry(other, &names, named) {
		state = READ_ONCE(other->core.state);
		if (other->core.vmid == vmid && (state == ACRN_VM_CREATED || state == ACRN_VM_PAUSED))
			r = 0;
	}
	mutex_unlock(&names_lock);
	return r;
}

static int map_requests(struct acrn_hsm *hsm, u64 address)
{
	struct page *page;

	if (pin_user_pages_fast(address & PAGE_MASK, 1, FOLL_WRITE | FOLL_LONGTERM, &page) != 1)
		return -EINVAL;
	hsm->request_page = page;
	return 0;
}

static void unmap_requests(struct acrn_hsm *hsm)
{
	unpin_user_pages_dirty_lock(&hsm->request_page, 1, true);
	hsm->request_page = NULL;
}

static int add_vcpus(struct acrn_hsm *hsm, u64 affinity)
{
	u32 count = acrn_affinity_vcpus(affinity);
	u32 i;

	if (count > ACRN_IO_REQUEST_MAX)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		hsm->vcpu[i] = acrn_hsm_vcpu_new(hsm, acrn_affinity_apic_id(affinity, i));
		if (!hsm->vcpu[i])
			return -ENOMEM;
	}
	return 0;
}

static void drop_vcpus(struct acrn_hsm *hsm)
{
	u32 i;

	for (i = 0; i < ACRN_IO_REQUEST_MAX; i++) {
		if (hsm->vcpu[i])
			acrn_hsm_vcpu_free(hsm->vcpu[i]);
		hsm->vcpu[i] = NULL;
	}
}

int acrn_hsm_create(struct acrn_hsm *hsm, struct acrn_vm_creation *args)
{
	int vmid, r;

	/* the driver would lose the first VM here; we keep it */
	if (args->reserved0 || args->reserved1 || hsm->live)
		return -EINVAL;
	vmid = take_name(hsm, args->uuid);
	if (vmid < 0)
		return vmid;
	r = map_requests(hsm, args->ioreq_buf);
	if (r)
		goto no_requests;
	acrn_vm_init(&hsm->core, vmid, args->vm_flag, page_address(hsm->request_page));
	hsm->core.chip.context = hsm;
	hsm->core.chip.kick = acrn_hsm_kick;
	r = add_vcpus(hsm, args->cpu_affinity);
	if (r)
		goto no_vcpus;
	args->vmid = vmid;
	args->vcpu_num = hsm->core.vcpu_num;
	WRITE_ONCE(hsm->live, true);
	return 0;

no_vcpus:
	drop_vcpus(hsm);
	unmap_requests(hsm);
no_requests:
	drop_name(hsm, vmid);
	return r;
}

void acrn_hsm_destroy(struct acrn_hsm *hsm)
{
	acrn_client_destroy(hsm);
	acrn_hsm_drop_irqfds(hsm);
	acrn_hsm_vcpus_stop(hsm);
	WRITE_ONCE(hsm->live, false);
	acrn_hsm_drop_devices(hsm);
	drop_vcpus(hsm);
	acrn_state_ends_drop(hsm);
	acrn_hsm_drop_ioeventfds(hsm);
	acrn_hsm_drop_monitor(hsm);
	acrn_hsm_drop_segments(hsm);
	unmap_requests(hsm);
	drop_name(hsm, hsm->core.vmid);
}
