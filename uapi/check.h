/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Proof at compile time, in C and in C++, that the headers beside this file describe the ABI: every ioctl number, every
 * struct size, every offset a client relies on.  The numbers were computed from the ABI, not from these headers.
 */
#ifndef MV_UAPI_CHECK_H
#define MV_UAPI_CHECK_H

#include <linux/acrn.h>
#include <linux/gunyah.h>
#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#ifdef __cplusplus
#define UAPI_ASSERT(c) static_assert(c, #c)
#else
#define UAPI_ASSERT(c) _Static_assert(c, #c)
#endif
#define UAPI_AT(type, field, offset) UAPI_ASSERT(offsetof(struct type, field) == (offset))
#define UAPI_SIZE(type, size) UAPI_ASSERT(sizeof(struct type) == (size))

/* ACRN: calls */
UAPI_ASSERT(ACRN_IOCTL_CREATE_VM == 0xc030a210);
UAPI_ASSERT(ACRN_IOCTL_DESTROY_VM == 0xa211);
UAPI_ASSERT(ACRN_IOCTL_START_VM == 0xa212);
UAPI_ASSERT(ACRN_IOCTL_PAUSE_VM == 0xa213);
UAPI_ASSERT(ACRN_IOCTL_RESET_VM == 0xa215);
UAPI_ASSERT(ACRN_IOCTL_SET_VCPU_REGS == 0x4128a216);
UAPI_ASSERT(ACRN_IOCTL_INJECT_MSI == 0x4010a223);
UAPI_ASSERT(ACRN_IOCTL_VM_INTR_MONITOR == 0x4008a224);
UAPI_ASSERT(ACRN_IOCTL_SET_IRQLINE == 0x4008a225);
UAPI_ASSERT(ACRN_IOCTL_NOTIFY_REQUEST_FINISH == 0x4008a231);
UAPI_ASSERT(ACRN_IOCTL_CREATE_IOREQ_CLIENT == 0xa232);
UAPI_ASSERT(ACRN_IOCTL_ATTACH_IOREQ_CLIENT == 0xa233);
UAPI_ASSERT(ACRN_IOCTL_DESTROY_IOREQ_CLIENT == 0xa234);
UAPI_ASSERT(ACRN_IOCTL_CLEAR_VM_IOREQ == 0xa235);
UAPI_ASSERT(ACRN_IOCTL_SET_MEMSEG == 0x4020a241);
UAPI_ASSERT(ACRN_IOCTL_UNSET_MEMSEG == 0x4020a242);
UAPI_ASSERT(ACRN_IOCTL_SET_PTDEV_INTR == 0x4014a253);
UAPI_ASSERT(ACRN_IOCTL_RESET_PTDEV_INTR == 0x4014a254);
UAPI_ASSERT(ACRN_IOCTL_ASSIGN_PCIDEV == 0x4024a255);
UAPI_ASSERT(ACRN_IOCTL_DEASSIGN_PCIDEV == 0x4024a256);
UAPI_ASSERT(ACRN_IOCTL_ASSIGN_MMIODEV == 0x4068a257);
UAPI_ASSERT(ACRN_IOCTL_DEASSIGN_MMIODEV == 0x4068a258);
UAPI_ASSERT(ACRN_IOCTL_CREATE_VDEV == 0x40c0a259);
UAPI_ASSERT(ACRN_IOCTL_DESTROY_VDEV == 0x40c0a25a);
UAPI_ASSERT(ACRN_IOCTL_PM_GET_CPU_STATE == 0xc008a260);
UAPI_ASSERT(ACRN_IOCTL_IOEVENTFD == 0x4020a270);
UAPI_ASSERT(ACRN_IOCTL_IRQFD == 0x4018a271);

/* ACRN: layouts */
UAPI_SIZE(acrn_vm_creation, 48);
UAPI_AT(acrn_vm_creation, vmid, 0);
UAPI_AT(acrn_vm_creation, vcpu_num, 4);
UAPI_AT(acrn_vm_creation, uuid, 8);
UAPI_AT(acrn_vm_creation, vm_flag, 24);
UAPI_AT(acrn_vm_creation, ioreq_buf, 32);
UAPI_AT(acrn_vm_creation, cpu_affinity, 40);
UAPI_SIZE(acrn_gp_regs, 128);
UAPI_AT(acrn_gp_regs, rbx, 24);
UAPI_AT(acrn_gp_regs, rdi, 56);
UAPI_AT(acrn_gp_regs, r15, 120);
UAPI_SIZE(acrn_descriptor_ptr, 16);
UAPI_AT(acrn_descriptor_ptr, base, 2);
UAPI_AT(acrn_descriptor_ptr, reserved, 10);
UAPI_SIZE(acrn_regs, 288);
UAPI_AT(acrn_regs, gdt, 128);
UAPI_AT(acrn_regs, idt, 144);
UAPI_AT(acrn_regs, rip, 160);
UAPI_AT(acrn_regs, cs_base, 168);
UAPI_AT(acrn_regs, cr0, 176);
UAPI_AT(acrn_regs, cr4, 184);
UAPI_AT(acrn_regs, cr3, 192);
UAPI_AT(acrn_regs, ia32_efer, 200);
UAPI_AT(acrn_regs, rflags, 208);
UAPI_AT(acrn_regs, reserved_64, 216);
UAPI_AT(acrn_regs, cs_ar, 248);
UAPI_AT(acrn_regs, cs_limit, 252);
UAPI_AT(acrn_regs, reserved_32, 256);
UAPI_AT(acrn_regs, cs_sel, 268);
UAPI_AT(acrn_regs, tr_sel, 282);
UAPI_SIZE(acrn_vcpu_regs, 296);
UAPI_AT(acrn_vcpu_regs, vcpu_regs, 8);
UAPI_SIZE(acrn_mmio_request, 32);
UAPI_AT(acrn_mmio_request, address, 8);
UAPI_AT(acrn_mmio_request, size, 16);
UAPI_AT(acrn_mmio_request, value, 24);
UAPI_AT(acrn_pio_request, address, 8);
UAPI_AT(acrn_pio_request, size, 16);
UAPI_AT(acrn_pio_request, value, 24);
UAPI_AT(acrn_pci_request, size, 16);
UAPI_AT(acrn_pci_request, value, 24);
UAPI_AT(acrn_pci_request, bus, 28);
UAPI_AT(acrn_pci_request, dev, 32);
UAPI_AT(acrn_pci_request, func, 36);
UAPI_AT(acrn_pci_request, reg, 40);
UAPI_SIZE(acrn_io_request, 256);
UAPI_AT(acrn_io_request, type, 0);
UAPI_AT(acrn_io_request, completion_polling, 4);
UAPI_AT(acrn_io_request, reqs, 64);
UAPI_AT(acrn_io_request, kernel_handled, 132);
UAPI_AT(acrn_io_request, processed, 136);
UAPI_SIZE(acrn_io_request_buffer, 4096);
UAPI_SIZE(acrn_ioreq_notify, 8);
UAPI_AT(acrn_ioreq_notify, vcpu, 4);
UAPI_SIZE(acrn_vm_memmap, 32);
UAPI_AT(acrn_vm_memmap, user_vm_pa, 8);
UAPI_AT(acrn_vm_memmap, vma_base, 16);
UAPI_AT(acrn_vm_memmap, service_vm_pa, 16);
UAPI_AT(acrn_vm_memmap, len, 24);
UAPI_SIZE(acrn_ptdev_irq, 20);
UAPI_SIZE(acrn_pcidev, 36);
UAPI_SIZE(acrn_mmiodev, 104);
UAPI_SIZE(acrn_vdev, 192);
UAPI_AT(acrn_vdev, slot, 8);
UAPI_AT(acrn_vdev, io_addr, 16);
UAPI_AT(acrn_vdev, io_size, 40);
UAPI_AT(acrn_vdev, args, 64);
UAPI_SIZE(acrn_msi_entry, 16);
UAPI_SIZE(acrn_acpi_generic_address, 12);
UAPI_SIZE(acrn_cstate_data, 32);
UAPI_SIZE(acrn_pstate_data, 48);
UAPI_SIZE(acrn_ioeventfd, 32);
UAPI_AT(acrn_ioeventfd, addr, 8);
UAPI_AT(acrn_ioeventfd, len, 16);
UAPI_AT(acrn_ioeventfd, data, 24);
UAPI_SIZE(acrn_irqfd, 24);
UAPI_AT(acrn_irqfd, msi, 8);

/* Gunyah: calls */
UAPI_ASSERT(GUNYAH_CREATE_VM == 0x4700);
UAPI_ASSERT(GUNYAH_CREATE_GUEST_MEM == 0x40404708);
UAPI_ASSERT(GUNYAH_VM_SET_DTB_CONFIG == 0x40104702);
UAPI_ASSERT(GUNYAH_VM_START == 0x4703);
UAPI_ASSERT(GUNYAH_VM_ADD_FUNCTION == 0x40104704);
UAPI_ASSERT(GUNYAH_VM_REMOVE_FUNCTION == 0x40104707);
UAPI_ASSERT(GUNYAH_VM_MAP_MEM == 0x40204709);
UAPI_ASSERT(GUNYAH_VM_SET_BOOT_CONTEXT == 0x4010470a);
UAPI_ASSERT(GUNYAH_VCPU_RUN == 0x4705);
UAPI_ASSERT(GUNYAH_VCPU_MMAP_SIZE == 0x4706);

/* Gunyah: layouts */
UAPI_SIZE(gunyah_create_mem_args, 64);
UAPI_AT(gunyah_create_mem_args, size, 8);
UAPI_AT(gunyah_create_mem_args, reserved, 16);
UAPI_SIZE(gunyah_vm_dtb_config, 16);
UAPI_AT(gunyah_vm_dtb_config, size, 8);
UAPI_SIZE(gunyah_fn_desc, 16);
UAPI_AT(gunyah_fn_desc, arg_size, 4);
UAPI_AT(gunyah_fn_desc, arg, 8);
UAPI_SIZE(gunyah_fn_vcpu_arg, 4);
UAPI_SIZE(gunyah_fn_irqfd_arg, 16);
UAPI_AT(gunyah_fn_irqfd_arg, label, 4);
UAPI_AT(gunyah_fn_irqfd_arg, flags, 8);
UAPI_SIZE(gunyah_fn_ioeventfd_arg, 32);
UAPI_AT(gunyah_fn_ioeventfd_arg, addr, 8);
UAPI_AT(gunyah_fn_ioeventfd_arg, len, 16);
UAPI_AT(gunyah_fn_ioeventfd_arg, fd, 20);
UAPI_AT(gunyah_fn_ioeventfd_arg, flags, 24);
UAPI_SIZE(gunyah_map_mem_args, 32);
UAPI_AT(gunyah_map_mem_args, flags, 8);
UAPI_AT(gunyah_map_mem_args, guest_mem_fd, 12);
UAPI_AT(gunyah_map_mem_args, offset, 16);
UAPI_AT(gunyah_map_mem_args, size, 24);
UAPI_SIZE(gunyah_vm_boot_context, 16);
UAPI_AT(gunyah_vm_boot_context, value, 8);
UAPI_SIZE(gunyah_vm_exit_info, 16);
UAPI_AT(gunyah_vm_exit_info, reason_size, 4);
UAPI_AT(gunyah_vm_exit_info, reason, 8);
UAPI_SIZE(gunyah_vcpu_run, 40);
UAPI_AT(gunyah_vcpu_run, immediate_exit, 0);
UAPI_AT(gunyah_vcpu_run, exit_reason, 8);
UAPI_AT(gunyah_vcpu_run, mmio.phys_addr, 16);
UAPI_AT(gunyah_vcpu_run, mmio.data, 24);
UAPI_AT(gunyah_vcpu_run, mmio.len, 32);
UAPI_AT(gunyah_vcpu_run, mmio.is_write, 36);
UAPI_AT(gunyah_vcpu_run, mmio.resume_action, 37);
UAPI_AT(gunyah_vcpu_run, status.status, 16);
UAPI_AT(gunyah_vcpu_run, status.exit_info.type, 20);
UAPI_AT(gunyah_vcpu_run, status.exit_info.reason_size, 24);
UAPI_AT(gunyah_vcpu_run, status.exit_info.reason, 28);
UAPI_AT(gunyah_vcpu_run, page_fault.phys_addr, 16);
UAPI_AT(gunyah_vcpu_run, page_fault.attempt, 24);
UAPI_AT(gunyah_vcpu_run, page_fault.resume_action, 28);

/* Android's calls */
UAPI_ASSERT(GH_VM_SET_USER_MEM_REGION == 0x40204701);
UAPI_ASSERT(GH_VM_ANDROID_LEND_USER_MEM == 0x40204111);
UAPI_ASSERT(GH_VM_ANDROID_SET_FW_CONFIG == 0x40104112);
UAPI_ASSERT(GH_VM_RECLAIM_REGION == 0x40104113);
UAPI_ASSERT(GH_VM_ANDROID_SET_AUTH_TYPE == 0x40104116);
UAPI_ASSERT(GH_VM_CHECK_EXTENSION == 0x4117);
UAPI_SIZE(gh_userspace_memory_region, 32);
UAPI_AT(gh_userspace_memory_region, flags, 4);
UAPI_AT(gh_userspace_memory_region, guest_phys_addr, 8);
UAPI_AT(gh_userspace_memory_region, memory_size, 16);
UAPI_AT(gh_userspace_memory_region, userspace_addr, 24);
UAPI_SIZE(gh_vm_qtvm_auth_arg, 24);
UAPI_AT(gh_vm_qtvm_auth_arg, peripheral_id, 4);
UAPI_AT(gh_vm_qtvm_auth_arg, guest_phys_addr, 8);
UAPI_AT(gh_vm_qtvm_auth_arg, size, 16);
UAPI_SIZE(gh_vm_auth_desc, 16);
UAPI_AT(gh_vm_auth_desc, arg, 8);

#undef UAPI_ASSERT
#undef UAPI_AT
#undef UAPI_SIZE

#endif
