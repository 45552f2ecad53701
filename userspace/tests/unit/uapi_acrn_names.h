/* SPDX-License-Identifier: MIT */
/* Every constant and every struct of linux/acrn.h.  uapi_acrn.cpp fails if the system's header has one more. */
#ifndef MV_TEST_UAPI_ACRN_NAMES_H
#define MV_TEST_UAPI_ACRN_NAMES_H

#define ACRN_CONSTANTS(X) \
	X(ACRN_IO_REQUEST_MAX) \
	X(ACRN_IOREQ_STATE_PENDING) \
	X(ACRN_IOREQ_STATE_COMPLETE) \
	X(ACRN_IOREQ_STATE_PROCESSING) \
	X(ACRN_IOREQ_STATE_FREE) \
	X(ACRN_IOREQ_TYPE_PORTIO) \
	X(ACRN_IOREQ_TYPE_MMIO) \
	X(ACRN_IOREQ_TYPE_PCICFG) \
	X(ACRN_IOREQ_DIR_READ) \
	X(ACRN_IOREQ_DIR_WRITE) \
	X(ACRN_MEM_ACCESS_RIGHT_MASK) \
	X(ACRN_MEM_ACCESS_READ) \
	X(ACRN_MEM_ACCESS_WRITE) \
	X(ACRN_MEM_ACCESS_EXEC) \
	X(ACRN_MEM_ACCESS_RWX) \
	X(ACRN_MEM_TYPE_MASK) \
	X(ACRN_MEM_TYPE_WB) \
	X(ACRN_MEM_TYPE_WT) \
	X(ACRN_MEM_TYPE_UC) \
	X(ACRN_MEM_TYPE_WC) \
	X(ACRN_MEM_TYPE_WP) \
	X(ACRN_MEMMAP_RAM) \
	X(ACRN_MEMMAP_MMIO) \
	X(ACRN_PTDEV_IRQ_INTX) \
	X(ACRN_PTDEV_IRQ_MSI) \
	X(ACRN_PTDEV_IRQ_MSIX) \
	X(ACRN_PTDEV_QUIRK_ASSIGN) \
	X(ACRN_MMIODEV_RES_NUM) \
	X(ACRN_PCI_NUM_BARS) \
	X(PMCMD_TYPE_MASK) \
	X(ACRN_IOEVENTFD_FLAG_PIO) \
	X(ACRN_IOEVENTFD_FLAG_DATAMATCH) \
	X(ACRN_IOEVENTFD_FLAG_DEASSIGN) \
	X(ACRN_IRQFD_FLAG_DEASSIGN) \
	X(ACRN_IOCTL_TYPE) \
	X(ACRN_IOCTL_CREATE_VM) \
	X(ACRN_IOCTL_DESTROY_VM) \
	X(ACRN_IOCTL_START_VM) \
	X(ACRN_IOCTL_PAUSE_VM) \
	X(ACRN_IOCTL_RESET_VM) \
	X(ACRN_IOCTL_SET_VCPU_REGS) \
	X(ACRN_IOCTL_INJECT_MSI) \
	X(ACRN_IOCTL_VM_INTR_MONITOR) \
	X(ACRN_IOCTL_SET_IRQLINE) \
	X(ACRN_IOCTL_NOTIFY_REQUEST_FINISH) \
	X(ACRN_IOCTL_CREATE_IOREQ_CLIENT) \
	X(ACRN_IOCTL_ATTACH_IOREQ_CLIENT) \
	X(ACRN_IOCTL_DESTROY_IOREQ_CLIENT) \
	X(ACRN_IOCTL_CLEAR_VM_IOREQ) \
	X(ACRN_IOCTL_SET_MEMSEG) \
	X(ACRN_IOCTL_UNSET_MEMSEG) \
	X(ACRN_IOCTL_SET_PTDEV_INTR) \
	X(ACRN_IOCTL_RESET_PTDEV_INTR) \
	X(ACRN_IOCTL_ASSIGN_PCIDEV) \
	X(ACRN_IOCTL_DEASSIGN_PCIDEV) \
	X(ACRN_IOCTL_ASSIGN_MMIODEV) \
	X(ACRN_IOCTL_DEASSIGN_MMIODEV) \
	X(ACRN_IOCTL_CREATE_VDEV) \
	X(ACRN_IOCTL_DESTROY_VDEV) \
	X(ACRN_IOCTL_PM_GET_CPU_STATE) \
	X(ACRN_IOCTL_IOEVENTFD) \
	X(ACRN_IOCTL_IRQFD) \
	X(ACRN_PMCMD_GET_PX_CNT) \
	X(ACRN_PMCMD_GET_PX_DATA) \
	X(ACRN_PMCMD_GET_CX_CNT) \
	X(ACRN_PMCMD_GET_CX_DATA)

#define ACRN_STRUCTS(X) \
	X(acrn_mmio_request) \
	X(acrn_pio_request) \
	X(acrn_pci_request) \
	X(acrn_io_request) \
	X(acrn_io_request_buffer) \
	X(acrn_ioreq_notify) \
	X(acrn_vm_creation) \
	X(acrn_gp_regs) \
	X(acrn_descriptor_ptr) \
	X(acrn_regs) \
	X(acrn_vcpu_regs) \
	X(acrn_vm_memmap) \
	X(acrn_ptdev_irq) \
	X(acrn_pcidev) \
	X(acrn_mmiodev) \
	X(acrn_vdev) \
	X(acrn_msi_entry) \
	X(acrn_acpi_generic_address) \
	X(acrn_cstate_data) \
	X(acrn_pstate_data) \
	X(acrn_ioeventfd) \
	X(acrn_irqfd)

struct named_value {
	const char *name;
	unsigned long long value;
};

#define NAMED_CONSTANT(n) { #n, (unsigned long long)(n) },
#define NAMED_SIZE(n) { #n, sizeof(struct n) },

#endif
