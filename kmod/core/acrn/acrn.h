/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The ACRN hypervisor's half: VM and vCPU states, I/O request slots, the local APIC.  The glue (or the inproc backend)
 * brings threads, sleeping and memory; nothing here sleeps or allocates.
 *
 * Return values named errno are what the hypercall gives: mostly -1, which is EPERM for the ioctl's caller.
 */
#ifndef MV_ACRN_H
#define MV_ACRN_H

#include <linux/acrn.h>

#include "../cpu/x86/x86.h"
#include "../irqchip/irqchip.h"
#include "../walk.h"
#include "hvdev.h"
#include "ioevent.h"

/* PM1a control: the port, and SLP_EN with the sleep type that ACRN's DSDT gives S5 */
#define ACRN_PM1A_CNT 0x404
#define ACRN_PM1_S5 0x3400

/* The I/O APIC's pins, all of which SET_IRQLINE can drive */
#define ACRN_IOAPIC_PINS 48u

#define ACRN_VM_FLAG_COMPLETION_POLLING 4ull

enum acrn_vm_state { ACRN_VM_POWERED_OFF, ACRN_VM_CREATED, ACRN_VM_RUNNING, ACRN_VM_PAUSED };

enum acrn_vcpu_state {
	ACRN_VCPU_INIT,		/* waits for start (vCPU 0) or SIPI (the others) */
	ACRN_VCPU_RUNNING,
	ACRN_VCPU_BLOCKED,	/* an I/O request is out */
	ACRN_VCPU_ZOMBIE,	/* shut down by a triple fault whose PM1 write was answered */
};

/* What the thread that runs a vCPU does next. */
enum acrn_next {
	ACRN_NEXT_AGAIN,	/* call acrn_vcpu_step() again (a batch ended) */
	ACRN_NEXT_PAUSE,	/* the same, after whoever else has something to do or a short sleep: acrn_vcpu_pause_ns() */
	ACRN_NEXT_WAIT,		/* sleep until acrn_vcpu_ready() */
	ACRN_NEXT_POSTED,	/* the slot is PENDING: deliver it, then as WAIT */
	ACRN_NEXT_ARENA,	/* hand a larger block arena to hv_blocks_set_arena() */
};

struct acrn_core_vm;

struct acrn_vcpu {
	struct x86_cpu cpu;
	struct lapic lapic;
	struct hv_walk walk;
	struct acrn_core_vm *vm;
	u32 id;
	u32 apic_id;
	u32 state;		/* enum acrn_vcpu_state, written by the vCPU's thread or while it is stopped */
	u32 answered;		/* set by acrn_ioreq_answer(), taken by the vCPU: the slot's value is ready */
	u32 shutdown;		/* the posted request is the PM1 write of a triple fault */
	struct x86_state scratch;	/* too large for a kernel stack */
	struct hv_exit posted;	/* the access that the slot holds; the slot itself is userspace's to scribble on */
	u64 accesses;
};

/**
 * struct acrn_core_vm - one VM
 * @map: guest-physical memory
 * @chip: the interrupt controllers
 * @requests: the page of I/O request slots, shared with userspace and not to be trusted
 * @cf8: the latch of PCI configuration mechanism 1; RESET_VM leaves it alone
 */
struct acrn_core_vm {
	u32 state;
	u16 vmid;
	u16 vcpu_num;
	u64 flags;
	u32 cf8;
	struct acrn_io_request_buffer *requests;
	struct hv_memmap map;
	struct acrn_ioevents events;
	struct env_lock device_lock;	/* registers of the devices below */
	u32 devices;
	struct acrn_hvdev *device[ACRN_HVDEVS];
	struct irqchip chip;	/* its kick and context are the environment's to set, after acrn_vm_init() */
	struct acrn_vcpu *vcpu[ACRN_IO_REQUEST_MAX];
};

const char *acrn_vm_state_name(unsigned int state);
const char *acrn_vcpu_state_name(unsigned int state);
const char *acrn_slot_state_name(unsigned int processed);

/* Number of vCPUs that @affinity asks for: its bits, but at least 1 (an empty mask means the configured set). */
u32 acrn_affinity_vcpus(u64 affinity);

/* A VM in state CREATED without vCPUs; @requests may be set later.  All its slots become FREE. */
void acrn_vm_init(struct acrn_core_vm *vm, u16 vmid, u64 flags, struct acrn_io_request_buffer *requests);
/* APIC id of vCPU @n: the number of the n-th CPU in the affinity mask, or n for an empty mask. */
u32 acrn_affinity_apic_id(u64 affinity, u32 n);
/* Give it its next vCPU (zeroed memory), in reset state. */
void acrn_vm_add_vcpu(struct acrn_core_vm *vm, struct acrn_vcpu *vcpu, u32 apic_id, void *arena, size_t size, size_t limit);

/*
 * State changes, VM states as in enum acrn_vm_state: start needs CREATED; pause anything but POWERED_OFF; reset and
 * destroy need PAUSED.  Return: 0 or -EPERM.  The environment stops the vCPU threads around pause, reset and destroy.
 */
int acrn_vm_start(struct acrn_core_vm *vm);
int acrn_vm_pause(struct acrn_core_vm *vm);
int acrn_vm_reset(struct acrn_core_vm *vm);
int acrn_vm_destroy(struct acrn_core_vm *vm);

/* SET_VCPU_REGS.  -EINVAL: a reserved field is not 0; -EPERM: wrong state, no such vCPU, reserved CR0/CR4 bits. */
int acrn_set_vcpu_regs(struct acrn_core_vm *vm, const struct acrn_vcpu_regs *regs);

/* --- the vCPU's thread ---------------------------------------------------------------------------------------------- */

/* Run until something is to be done; at most @budget instructions.  The VM is RUNNING. */
enum acrn_next acrn_vcpu_step(struct acrn_vcpu *v, u64 budget);
/* Has the thing it waits for happened? */
bool acrn_vcpu_ready(struct acrn_vcpu *v);
/*
 * The guest waits for another vCPU in a loop.  For how many nanoseconds to sleep, unless acrn_vcpu_awake() comes first; 0: only
 * give the processor away, as the first @polite times; 255: always.  Few where threads share one processor: a scheduler whose
 * clock ticks rarely gives it back at once.
 */
u64 acrn_vcpu_pause_ns(struct acrn_vcpu *v, u32 polite);
bool acrn_vcpu_awake(struct acrn_vcpu *v);
/* How long it may wait at most before acrn_vcpu_step() is due again, nanoseconds; ~0: for ever. */
u64 acrn_vcpu_wait_ns(struct acrn_vcpu *v);

/* --- interrupts ------------------------------------------------------------------------------------------------------- */

/* SET_IRQLINE: low half of @line is the GSI, high half the operation.  -EPERM: no such GSI. */
int acrn_set_irqline(struct acrn_core_vm *vm, u64 line);
/* INJECT_MSI, IRQFD; any context.  -EPERM: not an interrupt address. */
int acrn_inject_msi(struct acrn_core_vm *vm, u64 address, u64 data);

/* --- I/O requests ----------------------------------------------------------------------------------------------------- */

enum acrn_deliver {
	ACRN_DELIVER_DONE,	/* answered here (0xCF8, an ioeventfd's range): resume the vCPU */
	ACRN_DELIVER_CLIENT,	/* slot is PROCESSING: wake the default client */
	ACRN_DELIVER_NOBODY,	/* no client: the slot stays PENDING until somebody looks again */
};

/*
 * The dispatcher's part for one PENDING slot: configuration port filter, then the ranges that need no client, then
 * PROCESSING if there is a default client.  Callers serialise with changes of vm->events.
 */
enum acrn_deliver acrn_ioreq_deliver(struct acrn_core_vm *vm, u32 vcpu, bool client);

/* NOTIFY_REQUEST_FINISH and CLEAR_VM_IOREQ: slot COMPLETE; the vCPU's thread is then to be woken. */
void acrn_ioreq_answer(struct acrn_core_vm *vm, u32 vcpu);

#endif
