/* SPDX-License-Identifier: GPL-2.0 */
/* The table of /dev/acrn_hsm's calls: what is checked before a handler runs. */
#ifndef MV_ACRN_CALL_H
#define MV_ACRN_CALL_H

#include "acrn_hsm.h"

/* How a call wants hsm->lock held. */
enum acrn_call_lock { CALL_NO_LOCK, CALL_READ, CALL_WRITE };

union acrn_call_argument {
	u64 value;	/* of a call whose argument is no pointer */
	struct acrn_vm_creation creation;
	struct acrn_vcpu_regs regs;
	struct acrn_vm_memmap memmap;
	struct acrn_ioreq_notify notify;
	struct acrn_msi_entry msi;
	struct acrn_ioeventfd ioeventfd;
	struct acrn_irqfd irqfd;
	struct acrn_ptdev_irq ptdev;
	struct acrn_pcidev pcidev;
	struct acrn_mmiodev mmiodev;
	struct acrn_vdev vdev;
};

/* Bytes of the argument that must be 0, else EINVAL. */
struct acrn_call_zero {
	u16 at;
	u16 bytes;
};

/**
 * struct acrn_call - one ioctl
 * @number: holds the argument's size and direction too
 * @states: VM states in which it is allowed, as bits of enum acrn_vm_state; 0: also without a VM
 * @refusal: what it gives in other states
 * @by_value: the argument is the number itself, not a pointer
 */
struct acrn_call {
	const char *name;
	unsigned int number;
	enum acrn_call_lock lock;
	u8 states;
	u8 by_value;
	int refusal;
	struct acrn_call_zero zero[2];
	int (*handle)(struct acrn_hsm *hsm, union acrn_call_argument *arg);
};

extern const struct acrn_call acrn_calls[];
extern const unsigned int acrn_call_count;

/* NULL: no such call. */
const struct acrn_call *acrn_call_find(unsigned int number);

/* Everything between the system call and the handler, and back. */
long acrn_call_run(struct acrn_hsm *hsm, const struct acrn_call *c, unsigned long argument);

#endif
