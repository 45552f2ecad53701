/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The Gunyah hypervisor's and resource manager's half: VM states, vCPU power, the run page, PSCI.  The glue (or the inproc
 * backend) brings threads, sleeping, memory and the file descriptors; nothing here sleeps or allocates.
 */
#ifndef MV_GUNYAH_H
#define MV_GUNYAH_H

#include <linux/gunyah.h>

#include "../cpu/arm64/arm64.h"
#include "../irqchip/gic.h"
#include "../walk.h"
#include "dt.h"
#include "ioevent.h"

/* Guest-physical addresses below this may be devices of the VMM; unbound ones above it abort. */
#define GUNYAH_DEVICE_LIMIT 0x40000000ull
#define GUNYAH_VCPUS GUNYAH_DT_CPUS

/* As the resource manager reports them */
enum gunyah_core_state {
	GUNYAH_VM_NO_STATE = 0,
	GUNYAH_VM_INIT = 1,
	GUNYAH_VM_READY = 2,
	GUNYAH_VM_RUNNING = 3,
	GUNYAH_VM_PAUSED = 4,
	GUNYAH_VM_LOAD = 5,
	GUNYAH_VM_AUTH = 6,
	GUNYAH_VM_INIT_FAILED = 8,
	GUNYAH_VM_EXITED = 9,
	GUNYAH_VM_RESETTING = 10,
	GUNYAH_VM_RESET = 11,
};

/* gunyah_vm_exit_info.type */
enum gunyah_exit_type {
	GUNYAH_EXIT_VM_EXIT = 0,
	GUNYAH_EXIT_PSCI_SYSTEM_OFF = 1,
	GUNYAH_EXIT_PSCI_SYSTEM_RESET = 2,
	GUNYAH_EXIT_PSCI_SYSTEM_RESET2 = 3,
	GUNYAH_EXIT_WATCHDOG = 4,
	GUNYAH_EXIT_HYP_ERROR = 5,
	GUNYAH_EXIT_ASYNC_HW_ERROR = 6,
	GUNYAH_EXIT_FORCE_STOP = 7,
};

enum gunyah_power { GUNYAH_POWER_OFF, GUNYAH_POWER_ON_PENDING, GUNYAH_POWER_ON };

/* What is outstanding between two VCPU_RUN calls. */
enum gunyah_pending { GUNYAH_PENDING_NONE, GUNYAH_PENDING_MMIO, GUNYAH_PENDING_DOWN };

/* What the caller of VCPU_RUN does next. */
enum gunyah_next {
	GUNYAH_NEXT_AGAIN,	/* call gunyah_vcpu_step() again (a batch ended) */
	GUNYAH_NEXT_WAIT,	/* sleep until gunyah_vcpu_ready() */
	GUNYAH_NEXT_PAUSE,	/* let others run: sleep for gunyah_vcpu_pause_ns() unless gunyah_vcpu_awake(), or give the processor away */
	GUNYAH_NEXT_RETURN,	/* the run page is filled: return 0 to userspace */
	GUNYAH_NEXT_PAGE,	/* bring in the page of cpu.hv.exit.address, then gunyah_vcpu_paged() */
	GUNYAH_NEXT_ARENA,	/* hand a larger block arena to hv_blocks_set_arena() */
};

struct gunyah_core_vm;

struct gunyah_vcpu {
	struct arm64_cpu cpu;
	struct hv_walk walk;
	struct gunyah_core_vm *vm;
	u32 id;
	u32 power;		/* enum gunyah_power; CPU_ON by another vCPU sets ON_PENDING */
	u64 entry;		/* CPU_ON: where to start, and x0 */
	u64 context;
	u32 pending;		/* enum gunyah_pending */
	u32 started;		/* has been run: the first run looks at the VM's state */
	struct hv_exit posted;	/* the access on the run page; what userspace writes there later does not change it */
	struct arm64_state scratch;	/* too large for a kernel stack */
	u64 accesses;
	u32 timers;		/* outputs as the GIC knows them */
	u32 stepping;		/* inside arm64_step(), where translations are used */
	u32 sleeping;		/* for an event: whoever sends one kicks */
	u32 lose_reply;		/* the next reply is lost: a read gives 0, a fault is none (bug Q1 of the v17 driver) */
};

/* Boot registers set before the start: bit n of x_set says that x[n] is. */
struct gunyah_boot_context {
	u64 x[31];
	u64 pc;
	u64 sp[2];
	u32 x_set;
	u32 pc_set;
	u32 sp_set;
};

struct gunyah_core_vm {
	u32 state;		/* enum gunyah_core_state */
	struct hv_memmap map;
	struct gunyah_dt dt;
	struct gunyah_boot_context boot;
	struct gunyah_vm_exit_info exit_info;
	u64 dtb_gpa;
	u64 dtb_size;
	const char *dt_error;	/* which part of the device tree was refused */
	u32 wake;		/* set when other vCPUs became ready: the caller wakes them after the step */
	struct gunyah_vcpu *vcpu[GUNYAH_VCPUS];	/* by id; NULL: no function for it */
	struct env_lock power_lock;
	struct gunyah_ioevents events;
	struct gic gic;		/* cpus 0: the tree has none, and nothing is ever interrupted */
	/* A vCPU that may sleep got an interrupt: wake those that sleep.  Any context, locks may be held. */
	void (*kick)(void *context);
	void *kick_context;
};

const char *gunyah_state_name(unsigned int state);
const char *gunyah_exit_reason_name(unsigned int reason);
const char *gunyah_exit_type_name(unsigned int type);

void gunyah_vm_init(struct gunyah_core_vm *vm);

/* SET_BOOT_CONTEXT: -EINVAL for a register that does not exist or a VM that has left NO_STATE.  X31 and SP2 are taken and
 * ignored here; the real hypervisor refuses them at start. */
int gunyah_vm_boot_context(struct gunyah_core_vm *vm, u32 reg, u64 value);

/* As if this register had never been set. */
void gunyah_vm_boot_context_forget(struct gunyah_core_vm *vm, u32 reg);

/**
 * gunyah_vm_configure - resource manager's part of VM_START: read the device tree, state LOAD then READY
 * @dtb: copy of the tree, @size bytes
 *
 * Return: 0; -EINVAL: no usable tree, state INIT_FAILED.
 */
int gunyah_vm_configure(struct gunyah_core_vm *vm, const void *dtb, size_t size);
/* Does the tree name this vCPU? */
bool gunyah_vm_has_vcpu(const struct gunyah_core_vm *vm, u32 id);
/* A vCPU of the tree in power-on state; zeroed memory; attach it before or after the start. */
void gunyah_vm_attach_vcpu(struct gunyah_core_vm *vm, struct gunyah_vcpu *v, u32 id, void *arena, size_t size, size_t limit);
/* READY -> RUNNING: the boot vCPU gets the boot context. */
void gunyah_vm_run(struct gunyah_core_vm *vm);
/* Put the boot context into the boot vCPU; for one that is attached after the start. */
void gunyah_vm_boot_vcpu(struct gunyah_core_vm *vm, struct gunyah_vcpu *v);
/* The VM ends: state EXITED, every runner returns EXIT_STATUS. */
void gunyah_vm_exit(struct gunyah_core_vm *vm, u16 type, u32 reason_size, u64 reason);

/**
 * gunyah_vcpu_enter - VCPU_RUN begins: settle what the last exit left
 *
 * Return: 1: step on; 0: return 0 to userspace, the page is as it is to be; -EINVAL: mmio.resume_action is none.
 */
int gunyah_vcpu_enter(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run);
enum gunyah_next gunyah_vcpu_step(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run, u64 budget);
bool gunyah_vcpu_ready(struct gunyah_vcpu *v);
/*
 * After GUNYAH_NEXT_PAUSE: how long to sleep, 0: only give the processor away, as the first @polite (at most 254) times; and when
 * that ends early.  1 where threads share one processor: a scheduler whose clock ticks rarely gives it back at once.
 */
u64 gunyah_vcpu_pause_ns(struct gunyah_vcpu *v, u32 polite);
bool gunyah_vcpu_awake(struct gunyah_vcpu *v);
/**
 * gunyah_vcpu_paged - the answer to GUNYAH_NEXT_PAGE
 * @error: 0 or -EAGAIN: the access is tried again; otherwise why the page could not be had
 * @lend: the address lies in a range lent at start: userspace gets EXIT_PAGE_FAULT; otherwise the guest gets an abort
 */
enum gunyah_next gunyah_vcpu_paged(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run, int error, bool lend);

/* interrupt.c */
/* The GIC of the tree that was read. */
void gunyah_gic_configure(struct gunyah_core_vm *vm);
/* A vCPU's registers of it; after gunyah_gic_configure(). */
void gunyah_gic_attach(struct gunyah_vcpu *v);
/* What happened outside reaches the vCPU: doorbells, timers.  By its own thread, between steps. */
void gunyah_interrupts(struct gunyah_vcpu *v);
/* Nanoseconds until a timer of an idle vCPU; ~0: none. */
u64 gunyah_vcpu_ns(struct gunyah_vcpu *v);
/* The interrupt of a doorbell's label; 0: none, or the VM does not run. */
u32 gunyah_doorbell(struct gunyah_core_vm *vm, u32 label);
/* An edge on it, from any context. */
void gunyah_ring(struct gunyah_core_vm *vm, u32 intid);

/* peers.c: TLBI broadcasts from this vCPU reach the VM's others. */
void gunyah_peers_attach(struct gunyah_vcpu *v);

/* HVC and SMC: PSCI and SMCCC.  Return: true if the VM ended. */
bool gunyah_psci_call(struct gunyah_vcpu *v);

#endif
