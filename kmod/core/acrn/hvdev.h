/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * PCI functions that the hypervisor itself shows to a VM: devices passed through, and the virtual devices of CREATE_VDEV.
 *
 * Their configuration space answers at 0xCF8/0xCFC and their registers at their BARs, and the VMM sees none of it.  Source
 * of the configuration space: PCI Local Bus 3.0, chapter 6; MSI and MSI-X: 6.8.
 *
 * A device is added while no vCPU runs; its registers are then used by all vCPUs, each access under the VM's device lock.
 */
#ifndef MV_ACRN_HVDEV_H
#define MV_ACRN_HVDEV_H

#include <linux/acrn.h>

#include "../exit.h"
#include "link.h"
#include "platform.h"

#define ACRN_HVDEVS 16u
#define HVDEV_BARS 6u
#define HVDEV_VECTORS 8u
#define HVDEV_NO_LINE (~0u)

#define HVDEV_BAR_MEM64 4u
#define HVDEV_BAR_PREFETCH 8u

enum hvdev_kind { HVDEV_PASS, HVDEV_IVSHMEM, HVDEV_UART, HVDEV_ROOT_PORT };

struct acrn_core_vm;
struct acrn_hvdev;

struct hvdev_ops {
	u64 (*read)(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size);
	void (*write)(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size, u64 v);
	/* a memory BAR answers at @gpa from now on, or with ~0 nowhere; may be NULL */
	void (*moved)(struct acrn_hvdev *d, u32 bar, u64 gpa);
	/* it goes: leave the link */
	void (*remove)(struct acrn_hvdev *d);
};

struct hvdev_vector {
	u64 address;
	u32 data;
	u32 control;	/* bit 0: masked */
};

/* 16550 with its receive queue; the sending side is the other end of the link */
struct hvdev_uart {
	u8 ier, lcr, mcr, scratch, dll, dlm, fcr;
	u32 head, tail;
	u8 queue[64];
};

/**
 * struct acrn_hvdev - one function
 * @bdf: where the guest sees it
 * @line: GSI of its INTx pin, or HVDEV_NO_LINE
 * @phys_pin: what drives it in the pretend machine
 * @vectors: MSI-X entries; they live in BAR 1
 * @pending: MSI-X vectors that came while masked
 */
struct acrn_hvdev {
	struct acrn_core_vm *vm;
	const struct hvdev_ops *ops;
	u32 kind;
	u16 bdf;
	u32 line;
	u32 phys_pin;
	u32 asserted;
	u64 bar_size[HVDEV_BARS];
	u32 bar_type[HVDEV_BARS];
	u32 vectors;
	u32 pending;
	struct hvdev_vector vector[HVDEV_VECTORS];
	u8 config[256];
	struct acrn_phys *phys;		/* HVDEV_PASS */
	struct acrn_link *link;		/* HVDEV_IVSHMEM, HVDEV_UART */
	u32 interrupt_mask, interrupt_status;
	struct hvdev_uart uart;
	u64 interrupts;			/* that it raised */
};

/* Where the capabilities are in the configuration spaces made here */
#define HVDEV_CAP 0x40u

/* --- making one, in zeroed memory ------------------------------------------------------------------------------------- */

/* -EINVAL: not a device the hypervisor knows, or its arguments are wrong.  @link: of hvdev_link_key(), if that asks for one. */
int acrn_hvdev_virtual(struct acrn_hvdev *d, const struct acrn_vdev *args, struct acrn_link *link);
void acrn_hvdev_pass(struct acrn_hvdev *d, const struct acrn_pcidev *args, struct acrn_phys *phys);
/* The link that this virtual device shares with its peers: 1 and its name and memory size; 0: none; -EINVAL as above. */
int acrn_hvdev_link(const struct acrn_vdev *args, char name[ACRN_LINK_NAME], u64 *memory);

/* -EINVAL: the slot is taken or there are too many. */
int acrn_hvdev_add(struct acrn_core_vm *vm, struct acrn_hvdev *d);
/* By where the guest sees it; NULL: nothing there. */
struct acrn_hvdev *acrn_hvdev_find(struct acrn_core_vm *vm, u16 bdf);
/* Take it out; no vCPU runs.  The caller frees it. */
void acrn_hvdev_remove(struct acrn_hvdev *d);

/* --- the vCPUs' side ------------------------------------------------------------------------------------------------ */

/* An access to a BAR.  Return: false if it is nobody's. */
bool acrn_hvdev_access(struct acrn_core_vm *vm, const struct hv_exit *access, u64 *value);
/* A configuration access at 0xCFC with this latch.  Return: false if no device of the hypervisor is there. */
bool acrn_hvdev_config(struct acrn_core_vm *vm, u32 latch, const struct hv_exit *access, u32 *value);

/* --- interrupts ----------------------------------------------------------------------------------------------------- */

/* The device asks for attention: MSI-X vector @n, or MSI, or its INTx pin, whatever the guest has enabled. */
void hvdev_raise(struct acrn_hvdev *d, u32 n);
/* INTx only: the reason is gone. */
void hvdev_lower(struct acrn_hvdev *d);
/* The pretend hardware drives its interrupt; from outside the VM's threads. */
void acrn_hvdev_interrupt(struct acrn_hvdev *d, bool high);
/* VM_INTR_MONITOR: pairs of physical pin and count of the devices passed through.  Return: entries written. */
u32 acrn_hvdev_counts(struct acrn_core_vm *vm, u64 *buffer, u32 entries);

/* SET_PTDEV_INTR, RESET_PTDEV_INTR.  -EPERM: not INTx, not this VM's device, no such pin. */
int acrn_ptdev_set(struct acrn_core_vm *vm, const struct acrn_ptdev_irq *irq);
int acrn_ptdev_reset(struct acrn_core_vm *vm, const struct acrn_ptdev_irq *irq);

/* hvdev_config.c: an empty configuration space */
void hvdev_header(struct acrn_hvdev *d, u16 vendor, u16 device, u32 class_code, u8 header_type);
void hvdev_bar(struct acrn_hvdev *d, u32 bar, u64 size, u32 type, u64 address);
void hvdev_capability_msi(struct acrn_hvdev *d);
void hvdev_capability_msix(struct acrn_hvdev *d, u32 vectors);
u32 hvdev_config_read(const struct acrn_hvdev *d, u32 reg, u32 size);
void hvdev_config_write(struct acrn_hvdev *d, u32 reg, u32 size, u32 v);
/* GPA where a BAR answers, ~0 if it does not */
u64 hvdev_bar_address(const struct acrn_hvdev *d, u32 bar);

extern const struct hvdev_ops hvdev_pass_ops, hvdev_ivshmem_ops, hvdev_uart_ops;

#endif
