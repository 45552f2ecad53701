/* SPDX-License-Identifier: GPL-2.0 */
/* The glue's ACRN objects: one struct acrn_hsm per open /dev/acrn_hsm, with or without a VM. */
#ifndef MV_ACRN_HSM_H
#define MV_ACRN_HSM_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../core/acrn/acrn.h"
#include "fault.h"

#define ACRN_HSM_SEGMENTS 256	/* RAM segments a VM may have, as the driver */
#define ACRN_HSM_MONITOR_ENTRIES 48	/* of VM_INTR_MONITOR's page */
/*
 * Instructions between two looks at the world: about a millisecond.  A prime: a vCPU that spins for a lock that it holds for all
 * but an instant is not stopped at the same place of its loop each time, where another vCPU waits for that instant.
 */
#define ACRN_HSM_BATCH 20011ull

/* A pinned and linearly mapped piece of the VMM's memory. */
struct acrn_segment {
	struct page **pages;
	unsigned long count;
	void *address;
	u64 gpa;
};

struct acrn_hsm;

struct acrn_hsm_vcpu {
	struct acrn_vcpu core;
	struct acrn_hsm *hsm;
	struct task_struct *task;	/* NULL: nothing has happened to it yet */
	struct work_struct starter;
	wait_queue_head_t wait;
	bool held;			/* parked on request, under thread_lock */
	struct x86_cpuid_leaf *leaves;	/* CPUID's answers that userspace gave, or NULL */
	bool undelivered;	/* the slot is PENDING and found no client; under client.lock */
};

/* The default I/O request client. */
struct acrn_client {
	spinlock_t lock;
	wait_queue_head_t wait;
	bool exists;
	u32 generation;		/* counts clients of this fd: a waiter of an old one leaves */
	unsigned long pending;	/* vCPUs whose request is PROCESSING and not notified */
};

/**
 * struct acrn_hsm - what an open file stands for
 * @lock: taken for writing by calls that change the VM's state or memory, for reading by those that need it to stay
 * @live: there is a VM
 * @irqfds: those nobody has begun to remove, under irqfd_lock
 * @monitor_page: VM_INTR_MONITOR's, pinned until the next call
 */
struct acrn_hsm {
	struct rw_semaphore lock;
	bool live;
	struct mutex thread_lock;	/* running, and vCPUs' threads; after lock */
	bool running;		/* vCPU threads are not parked */
	char name[16];
	struct list_head named;	/* in the list of live VMs */
	struct acrn_core_vm core;
	struct page *request_page;
	struct acrn_hsm_vcpu *vcpu[ACRN_IO_REQUEST_MAX];
	u32 segments;
	struct acrn_segment segment[ACRN_HSM_SEGMENTS];
	struct acrn_client client;
	struct mutex irqfd_lock;
	struct list_head irqfds;
	struct eventfd_ctx *ends;	/* or NULL; under the chip's lock */
	struct page *monitor_page;
	struct mv_faults faults;
};

extern const struct file_operations acrn_hsm_fops;
int acrn_hsm_register(void);
void acrn_hsm_unregister(void);

/* acrn_vm.c; callers hold lock for writing */
int acrn_hsm_create(struct acrn_hsm *hsm, struct acrn_vm_creation *args);
void acrn_hsm_destroy(struct acrn_hsm *hsm);
/* May the VM with this id, anybody's, be asked for power states?  -ENOTTY: no id of a VM, -EPERM: no VM or a wrong state. */
int acrn_hsm_pm_allowed(u32 vmid);

/* acrn_vcpu.c */
struct acrn_hsm_vcpu *acrn_hsm_vcpu_new(struct acrn_hsm *hsm, u32 apic_id);
void acrn_hsm_vcpu_free(struct acrn_hsm_vcpu *v);
void acrn_hsm_vcpus_run(struct acrn_hsm *hsm);
/* Returns when no vCPU thread is inside the core. */
void acrn_hsm_vcpus_stop(struct acrn_hsm *hsm);
void acrn_hsm_vcpu_wake(struct acrn_hsm_vcpu *v);
/* The vCPU's thread is outside the core between the two; stop: takes thread_lock. */
void acrn_hsm_vcpu_stop(struct acrn_hsm_vcpu *v);
void acrn_hsm_vcpu_continue(struct acrn_hsm_vcpu *v);
/* struct irqchip.kick: wake the thread of @vcpu; any context */
void acrn_hsm_kick(void *hsm, u32 vcpu);

/* acrn_state.c: what the control device asks; callers hold lock, for reading at least */
struct mockvisor_x86_state;
struct mockvisor_x86_cpuid;
struct mockvisor_x86_chip;
struct mockvisor_x86_ends;
struct mockvisor_x86_pin;
int acrn_state_get(struct acrn_hsm *hsm, struct mockvisor_x86_state *state);
int acrn_state_set(struct acrn_hsm *hsm, const struct mockvisor_x86_state *state);
int acrn_state_cpuid(struct acrn_hsm *hsm, const struct mockvisor_x86_cpuid *cpuid);
int acrn_state_hold(struct acrn_hsm *hsm, u32 vcpu, bool on);
int acrn_state_chip_get(struct acrn_hsm *hsm, struct mockvisor_x86_chip *chip);
int acrn_state_chip_set(struct acrn_hsm *hsm, const struct mockvisor_x86_chip *chip);
int acrn_state_pin(struct acrn_hsm *hsm, const struct mockvisor_x86_pin *pin);
int acrn_state_ends_watch(struct acrn_hsm *hsm, const struct mockvisor_x86_ends *ends);
void acrn_state_ends_take(struct acrn_hsm *hsm, struct mockvisor_x86_ends *ends);
/* The VM goes: nobody is told any more. */
void acrn_state_ends_drop(struct acrn_hsm *hsm);

/* acrn_mem.c; set_memseg takes the lock itself, for the others callers hold it for writing */
int acrn_hsm_set_memseg(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m);
/* Takes a range out of the map, with the vCPUs stopped meanwhile; as hv_memmap_unmap(). */
int acrn_hsm_unmap(struct acrn_hsm *hsm, u64 gpa, u64 len);
int acrn_hsm_unset_memseg(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m);
/* For the control device: a segment of RAM goes, and so do its pins, which ACRN keeps.  -ENOENT: there is no such. */
int acrn_hsm_forget(struct acrn_hsm *hsm, u64 gpa, u64 len);
void acrn_hsm_drop_segments(struct acrn_hsm *hsm);

/* acrn_ioeventfd.c, acrn_irqfd.c; callers hold lock, for reading at least */
int acrn_hsm_ioeventfd(struct acrn_hsm *hsm, const struct acrn_ioeventfd *args);
void acrn_hsm_drop_ioeventfds(struct acrn_hsm *hsm);
int acrn_hsm_irqfd_setup(void);
void acrn_hsm_irqfd_teardown(void);
void acrn_hsm_irqfds_init(struct acrn_hsm *hsm);
int acrn_hsm_irqfd(struct acrn_hsm *hsm, const struct acrn_irqfd *args);
void acrn_hsm_drop_irqfds(struct acrn_hsm *hsm);

/* acrn_monitor.c */
int acrn_hsm_pm(u64 argument);
int acrn_hsm_intr_monitor(struct acrn_hsm *hsm, u64 address);
void acrn_hsm_drop_monitor(struct acrn_hsm *hsm);

/* acrn_device.c: the pretend machine's devices, and the virtual ones; callers hold lock for writing */
int acrn_hsm_devices_setup(void);
void acrn_hsm_devices_teardown(void);
int acrn_hsm_assign_pci(struct acrn_hsm *hsm, const struct acrn_pcidev *args);
int acrn_hsm_deassign_pci(struct acrn_hsm *hsm, const struct acrn_pcidev *args);
int acrn_hsm_assign_mmio(struct acrn_hsm *hsm, const struct acrn_mmiodev *args);
int acrn_hsm_deassign_mmio(struct acrn_hsm *hsm, const struct acrn_mmiodev *args);
int acrn_hsm_create_vdev(struct acrn_hsm *hsm, const struct acrn_vdev *args);
int acrn_hsm_destroy_vdev(struct acrn_hsm *hsm, const struct acrn_vdev *args);
/* Memory behind a range of the pretend machine's physical addresses; NULL: no device is there. */
u8 *acrn_hsm_device_memory(u64 address, u64 size);
/* The pretend hardware drives the interrupt of the device at @bdf.  -ENODEV: no such device, -ENOENT: it is nobody's. */
int acrn_hsm_device_interrupt(u16 bdf, bool high);
void acrn_hsm_drop_devices(struct acrn_hsm *hsm);

/* acrn_client.c */
void acrn_client_init(struct acrn_client *c);
int acrn_client_create(struct acrn_hsm *hsm);
int acrn_client_attach(struct acrn_hsm *hsm);
void acrn_client_destroy(struct acrn_hsm *hsm);
int acrn_client_notify(struct acrn_hsm *hsm, const struct acrn_ioreq_notify *n);
void acrn_client_clear(struct acrn_hsm *hsm);
/* A vCPU has posted: deliver its slot, and those that found no client before. */
void acrn_client_dispatch(struct acrn_hsm *hsm, struct acrn_hsm_vcpu *v);

#endif
