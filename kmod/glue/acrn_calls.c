// SPDX-License-Identifier: GPL-2.0
/* The calls of /dev/acrn_hsm, one row each; short handlers here, the others where their subject is. */
#include "acrn_call.h"

#define CREATED BIT(ACRN_VM_CREATED)
#define RUNNING BIT(ACRN_VM_RUNNING)
#define PAUSED BIT(ACRN_VM_PAUSED)
#define ANY (CREATED | RUNNING | PAUSED)

static int call_create(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_create(hsm, &arg->creation);
}

static int call_destroy(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	int r = acrn_vm_destroy(&hsm->core);

	if (!r)
		acrn_hsm_destroy(hsm);
	return r;
}

static int call_start(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	int r = acrn_vm_start(&hsm->core);

	if (!r)
		acrn_hsm_vcpus_run(hsm);
	return r;
}

static int call_pause(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	acrn_hsm_vcpus_stop(hsm);
	return acrn_vm_pause(&hsm->core);
}

static int call_reset(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_vm_reset(&hsm->core);
}

static int call_set_regs(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_set_vcpu_regs(&hsm->core, &arg->regs);
}

static int call_inject_msi(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_inject_msi(&hsm->core, arg->msi.msi_addr, arg->msi.msi_data);
}

static int call_intr_monitor(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_intr_monitor(hsm, arg->value);
}

static int call_set_irqline(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_set_irqline(&hsm->core, arg->value);
}

static int call_notify(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_client_notify(hsm, &arg->notify);
}

static int call_client_create(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_client_create(hsm);
}

static int call_client_attach(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_client_attach(hsm);
}

static int call_client_destroy(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	acrn_client_destroy(hsm);
	return 0;
}

static int call_clear(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	acrn_client_clear(hsm);
	return 0;
}

static int call_set_memseg(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_set_memseg(hsm, &arg->memmap);
}

static int call_unset_memseg(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_unset_memseg(hsm, &arg->memmap);
}

static int call_pm(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_pm(arg->value);
}

static int call_ioeventfd(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_ioeventfd(hsm, &arg->ioeventfd);
}

static int call_irqfd(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_irqfd(hsm, &arg->irqfd);
}

static int call_set_ptdev(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_ptdev_set(&hsm->core, &arg->ptdev);
}

static int call_reset_ptdev(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_ptdev_reset(&hsm->core, &arg->ptdev);
}

static int call_assign_pci(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_assign_pci(hsm, &arg->pcidev);
}

static int call_deassign_pci(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_deassign_pci(hsm, &arg->pcidev);
}

static int call_assign_mmio(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_assign_mmio(hsm, &arg->mmiodev);
}

static int call_deassign_mmio(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_deassign_mmio(hsm, &arg->mmiodev);
}

static int call_create_vdev(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_create_vdev(hsm, &arg->vdev);
}

static int call_destroy_vdev(struct acrn_hsm *hsm, union acrn_call_argument *arg)
{
	return acrn_hsm_destroy_vdev(hsm, &arg->vdev);
}

#define RESERVED(type, field) { offsetof(struct type, field), sizeof(((struct type *)0)->field) }

const struct acrn_call acrn_calls[] = {
	{ "CREATE_VM", ACRN_IOCTL_CREATE_VM, CALL_WRITE, 0, 0, 0,
	  { RESERVED(acrn_vm_creation, reserved0), RESERVED(acrn_vm_creation, reserved1) }, call_create },
	{ "DESTROY_VM", ACRN_IOCTL_DESTROY_VM, CALL_WRITE, PAUSED, 0, -EPERM, {}, call_destroy },
	{ "START_VM", ACRN_IOCTL_START_VM, CALL_WRITE, CREATED, 0, -EPERM, {}, call_start },
	{ "PAUSE_VM", ACRN_IOCTL_PAUSE_VM, CALL_WRITE, ANY, 0, -EPERM, {}, call_pause },
	{ "RESET_VM", ACRN_IOCTL_RESET_VM, CALL_WRITE, PAUSED, 0, -EPERM, {}, call_reset },
	/* five reserved fields of the argument and the state: acrn_set_vcpu_regs(), for every backend alike */
	{ "SET_VCPU_REGS", ACRN_IOCTL_SET_VCPU_REGS, CALL_WRITE, ANY, 0, -EPERM, {}, call_set_regs },
	{ "INJECT_MSI", ACRN_IOCTL_INJECT_MSI, CALL_READ, ANY, 0, -EPERM, {}, call_inject_msi },
	{ "VM_INTR_MONITOR", ACRN_IOCTL_VM_INTR_MONITOR, CALL_WRITE, ANY, 1, -EINVAL, {}, call_intr_monitor },
	{ "SET_IRQLINE", ACRN_IOCTL_SET_IRQLINE, CALL_READ, ANY, 1, -EPERM, {}, call_set_irqline },
	{ "NOTIFY_REQUEST_FINISH", ACRN_IOCTL_NOTIFY_REQUEST_FINISH, CALL_READ, ANY, 0, -EPERM,
	  { RESERVED(acrn_ioreq_notify, reserved) }, call_notify },
	{ "CREATE_IOREQ_CLIENT", ACRN_IOCTL_CREATE_IOREQ_CLIENT, CALL_READ, ANY, 0, -EPERM, {}, call_client_create },
	{ "ATTACH_IOREQ_CLIENT", ACRN_IOCTL_ATTACH_IOREQ_CLIENT, CALL_NO_LOCK, ANY, 0, -EPERM, {}, call_client_attach },
	{ "DESTROY_IOREQ_CLIENT", ACRN_IOCTL_DESTROY_IOREQ_CLIENT, CALL_READ, ANY, 0, -EPERM, {}, call_client_destroy },
	{ "CLEAR_VM_IOREQ", ACRN_IOCTL_CLEAR_VM_IOREQ, CALL_READ, ANY, 0, -EPERM, {}, call_clear },
	{ "SET_MEMSEG", ACRN_IOCTL_SET_MEMSEG, CALL_NO_LOCK, ANY, 0, -EPERM, {}, call_set_memseg },
	{ "UNSET_MEMSEG", ACRN_IOCTL_UNSET_MEMSEG, CALL_WRITE, ANY, 0, -EPERM, {}, call_unset_memseg },
	{ "SET_PTDEV_INTR", ACRN_IOCTL_SET_PTDEV_INTR, CALL_WRITE, CREATED, 0, -EPERM, {}, call_set_ptdev },
	{ "RESET_PTDEV_INTR", ACRN_IOCTL_RESET_PTDEV_INTR, CALL_WRITE, CREATED | PAUSED, 0, -EPERM, {}, call_reset_ptdev },
	{ "ASSIGN_PCIDEV", ACRN_IOCTL_ASSIGN_PCIDEV, CALL_WRITE, CREATED, 0, -EINVAL, {}, call_assign_pci },
	{ "DEASSIGN_PCIDEV", ACRN_IOCTL_DEASSIGN_PCIDEV, CALL_WRITE, CREATED | PAUSED, 0, -EINVAL, {}, call_deassign_pci },
	{ "ASSIGN_MMIODEV", ACRN_IOCTL_ASSIGN_MMIODEV, CALL_WRITE, CREATED, 0, -EINVAL, {}, call_assign_mmio },
	{ "DEASSIGN_MMIODEV", ACRN_IOCTL_DEASSIGN_MMIODEV, CALL_WRITE, CREATED | PAUSED, 0, -EINVAL, {}, call_deassign_mmio },
	{ "CREATE_VDEV", ACRN_IOCTL_CREATE_VDEV, CALL_WRITE, CREATED, 0, -EINVAL, {}, call_create_vdev },
	{ "DESTROY_VDEV", ACRN_IOCTL_DESTROY_VDEV, CALL_WRITE, CREATED | PAUSED, 0, -EINVAL, {}, call_destroy_vdev },
	{ "PM_GET_CPU_STATE", ACRN_IOCTL_PM_GET_CPU_STATE, CALL_NO_LOCK, ANY, 1, -EPERM, {}, call_pm },
	{ "IOEVENTFD", ACRN_IOCTL_IOEVENTFD, CALL_READ, ANY, 0, -EPERM, { RESERVED(acrn_ioeventfd, reserved) }, call_ioeventfd },
	{ "IRQFD", ACRN_IOCTL_IRQFD, CALL_READ, ANY, 0, -EPERM, {}, call_irqfd },
};

const unsigned int acrn_call_count = ARRAY_SIZE(acrn_calls);
