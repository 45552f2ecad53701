/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The interface of /dev/gunyah, its VM, vCPU and guest memory fds, as its clients see it: names, numbers, sizes and
 * offsets of the v17 patch series (February 2024).  Own wording; uapi/check.h proves every size and offset.
 */
#ifndef _LINUX_GUNYAH_H
#define _LINUX_GUNYAH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GUNYAH_IOCTL_TYPE 'G'

/* --- /dev/gunyah ------------------------------------------------------------------------------------------------------ */

/* argument must be 0; returns a VM fd */
#define GUNYAH_CREATE_VM _IO(GUNYAH_IOCTL_TYPE, 0x0)

enum gunyah_mem_flags {
	GHMF_CLOEXEC = (1UL << 0),
	GHMF_ALLOW_HUGEPAGE = (1UL << 1),
};

/* size: bytes, page multiple; returns a guest memory fd that can be mapped */
struct gunyah_create_mem_args {
	__u64 flags;
	__u64 size;
	__u64 reserved[6];
};

#define GUNYAH_CREATE_GUEST_MEM _IOW(GUNYAH_IOCTL_TYPE, 0x8, struct gunyah_create_mem_args)

/* --- VM fd ------------------------------------------------------------------------------------------------------------- */

struct gunyah_vm_dtb_config {
	__u64 guest_phys_addr;
	__u64 size;
};

#define GUNYAH_VM_SET_DTB_CONFIG _IOW(GUNYAH_IOCTL_TYPE, 0x2, struct gunyah_vm_dtb_config)
#define GUNYAH_VM_START _IO(GUNYAH_IOCTL_TYPE, 0x3)

enum gunyah_fn_type {
	GUNYAH_FN_VCPU = 1,
	GUNYAH_FN_IRQFD = 2,
	GUNYAH_FN_IOEVENTFD = 3,
};

#define GUNYAH_FN_MAX_ARG_SIZE 256

struct gunyah_fn_vcpu_arg {
	__u32 id;
};

enum gunyah_irqfd_flags {
	GUNYAH_IRQFD_FLAGS_LEVEL = 1UL << 0,
};

/* label: of the doorbell in the guest's device tree */
struct gunyah_fn_irqfd_arg {
	__u32 fd;
	__u32 label;
	__u32 flags;
	__u32 padding;
};

enum gunyah_ioeventfd_flags {
	GUNYAH_IOEVENTFD_FLAGS_DATAMATCH = 1UL << 0,
};

struct gunyah_fn_ioeventfd_arg {
	__u64 datamatch;
	__u64 addr;
	__u32 len;
	__s32 fd;
	__u32 flags;
	__u32 padding;
};

/* arg: user address of the type's own struct */
struct gunyah_fn_desc {
	__u32 type;
	__u32 arg_size;
	__u64 arg;
};

#define GUNYAH_VM_ADD_FUNCTION _IOW(GUNYAH_IOCTL_TYPE, 0x4, struct gunyah_fn_desc)
#define GUNYAH_VM_REMOVE_FUNCTION _IOW(GUNYAH_IOCTL_TYPE, 0x7, struct gunyah_fn_desc)

#define GUNYAH_MEM_ACCESS_MASK 0x7

enum gunyah_map_flags {
	GUNYAH_MEM_DEFAULT_ACCESS = 0,
	GUNYAH_MEM_FORCE_LEND = 1,
	GUNYAH_MEM_FORCE_SHARE = 2,
	GUNYAH_MEM_ALLOW_READ = 1UL << 4,
	GUNYAH_MEM_ALLOW_WRITE = 1UL << 5,
	GUNYAH_MEM_ALLOW_EXEC = 1UL << 6,
	GUNYAH_MEM_ALLOW_RWX = (1UL << 4) | (1UL << 5) | (1UL << 6),
	GUNYAH_MEM_UNMAP = 1UL << 8,
};

struct gunyah_map_mem_args {
	__u64 guest_addr;
	__u32 flags;
	__u32 guest_mem_fd;
	__u64 offset;
	__u64 size;
};

#define GUNYAH_VM_MAP_MEM _IOW(GUNYAH_IOCTL_TYPE, 0x9, struct gunyah_map_mem_args)

enum gunyah_vm_boot_context_reg {
	REG_SET_X = 0,
	REG_SET_PC = 1,
	REG_SET_SP = 2,
};

#define GUNYAH_VM_BOOT_CONTEXT_REG_SHIFT 8
#define GUNYAH_VM_BOOT_CONTEXT_REG(reg, idx) (((reg & 0xff) << GUNYAH_VM_BOOT_CONTEXT_REG_SHIFT) | (idx & 0xff))

struct gunyah_vm_boot_context {
	__u32 reg;
	__u32 reserved;
	__u64 value;
};

#define GUNYAH_VM_SET_BOOT_CONTEXT _IOW(GUNYAH_IOCTL_TYPE, 0xa, struct gunyah_vm_boot_context)

/* --- vCPU fd ----------------------------------------------------------------------------------------------------------- */

enum gunyah_vm_status {
	GUNYAH_VM_STATUS_LOAD_FAILED = 1,
	GUNYAH_VM_STATUS_EXITED = 2,
	GUNYAH_VM_STATUS_CRASHED = 3,
};

#define GUNYAH_VM_MAX_EXIT_REASON_SIZE 8u

/* type: what ended the VM: 0 exit, 1 PSCI SYSTEM_OFF, 2 SYSTEM_RESET, 3 SYSTEM_RESET2, 4 watchdog, 5..7 errors, forced stop */
struct gunyah_vm_exit_info {
	__u16 type;
	__u16 padding;
	__u32 reason_size;
	__u8 reason[GUNYAH_VM_MAX_EXIT_REASON_SIZE];
};

enum gunyah_vcpu_exit {
	GUNYAH_VCPU_EXIT_UNKNOWN,
	GUNYAH_VCPU_EXIT_MMIO,
	GUNYAH_VCPU_EXIT_STATUS,
	GUNYAH_VCPU_EXIT_PAGE_FAULT,
};

enum gunyah_vcpu_resume_action {
	GUNYAH_VCPU_RESUME_HANDLED = 0,
	GUNYAH_VCPU_RESUME_FAULT,
	GUNYAH_VCPU_RESUME_RETRY,
};

/* the page that mmap() of a vCPU fd shows */
struct gunyah_vcpu_run {
	__u8 immediate_exit;
	__u8 padding[7];
	__u32 exit_reason;
	union {
		struct {
			__u64 phys_addr;
			__u8 data[8];
			__u32 len;
			__u8 is_write;
			__u8 resume_action;
		} mmio;
		struct {
			enum gunyah_vm_status status;
			struct gunyah_vm_exit_info exit_info;
		} status;
		struct {
			__u64 phys_addr;
			__s32 attempt;
			__u8 resume_action;
		} page_fault;
	};
};

#define GUNYAH_VCPU_RUN _IO(GUNYAH_IOCTL_TYPE, 0x5)
#define GUNYAH_VCPU_MMAP_SIZE _IO(GUNYAH_IOCTL_TYPE, 0x6)

/* --- Android's calls on the same VM fd ----------------------------------------------------------------------------------- */

#define GH_ANDROID_IOCTL_TYPE 'A'
#define GH_MEM_ALLOW_READ (1UL << 0)
#define GH_MEM_ALLOW_WRITE (1UL << 1)
#define GH_MEM_ALLOW_EXEC (1UL << 2)
#define GH_MEM_ALLOW_RWX (GH_MEM_ALLOW_READ | GH_MEM_ALLOW_WRITE | GH_MEM_ALLOW_EXEC)

/* label: the caller's name for it, each once; flags: GH_MEM_ALLOW_* */
struct gh_userspace_memory_region {
	__u32 label;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
};

/* shared with the guest; EINVAL size or alignment or flags, EOVERFLOW it wraps, EEXIST label or addresses are taken */
#define GH_VM_SET_USER_MEM_REGION _IOW(GUNYAH_IOCTL_TYPE, 0x1, struct gh_userspace_memory_region)
/* lent to it */
#define GH_VM_ANDROID_LEND_USER_MEM _IOW(GH_ANDROID_IOCTL_TYPE, 0x11, struct gh_userspace_memory_region)

struct gh_vm_firmware_config {
	__u64 guest_phys_addr;
	__u64 size;
};

#define GH_VM_ANDROID_SET_FW_CONFIG _IOW(GH_ANDROID_IOCTL_TYPE, 0x12, struct gh_vm_firmware_config)

struct gh_vm_reclaim_region {
	__u64 guest_phys_addr;
	__u64 size;
};

#define GH_VM_RECLAIM_REGION _IOW(GH_ANDROID_IOCTL_TYPE, 0x13, struct gh_vm_reclaim_region)

struct gh_vm_qtvm_auth_arg {
	__u16 vm_id;
	__u16 padding;
	__u32 peripheral_id;
	__u64 guest_phys_addr;
	__u64 size;
};

/* arg: user address of gh_vm_qtvm_auth_arg, or arg_size 0 */
struct gh_vm_auth_desc {
	__u32 type;
	__u32 arg_size;
	__u64 arg;
};

#define GH_VM_ANDROID_SET_AUTH_TYPE _IOW(GH_ANDROID_IOCTL_TYPE, 0x16, struct gh_vm_auth_desc)

#define GH_CAP_VCPU_TIMER_WAKEUP 0
/* the argument is the capability; 1: there */
#define GH_VM_CHECK_EXTENSION _IO(GH_ANDROID_IOCTL_TYPE, 0x17)

#endif /* _LINUX_GUNYAH_H */
