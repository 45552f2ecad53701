// SPDX-License-Identifier: GPL-2.0
/*
 * The Gunyah vCPU function and its fd: VCPU_RUN in the caller's thread, the shared run page.
 *
 * A vCPU's file holds the VM; the VM's list holds the function.  So closing the fd keeps the id taken, and only
 * REMOVE_FUNCTION (or the VM's end) gives it back.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "arena.h"
#include "gunyah_glue.h"
#include "gunyah_strict.h"
#include "trace.h"

struct gunyah_resource *gunyah_resource_new(struct gunyah_vm *vm, u32 id)
{
	struct gunyah_resource *r = vzalloc(sizeof(*r));

	if (r)
		gunyah_vm_attach_vcpu(&vm->core, &r->core, id, NULL, 0, ARENA_LIMIT);
	return r;
}

void gunyah_resource_free(struct gunyah_resource *r)
{
	arena_free(&r->core.cpu.hv.blocks);
	vfree(r);
}

static void function_release(struct kref *ref)
{
	struct gunyah_function_vcpu *f = container_of(ref, struct gunyah_function_vcpu, ref);

	__free_page(f->run_page);
	kfree(f);
}

static void function_put(struct gunyah_function_vcpu *f)
{
	kref_put(&f->ref, function_release);
}

static struct gunyah_vcpu_run *run_of(struct gunyah_function_vcpu *f)
{
	return page_address(f->run_page);
}

/* --- running ---------------------------------------------------------------------------------------------------------- */

/* The FLUSH request and this flag meet: either the flusher sees the core occupied and waits, or the core sees FLUSH. */
static enum gunyah_next step(struct gunyah_vm *vm, struct gunyah_resource *r, struct gunyah_vcpu_run *run)
{
	enum gunyah_next next;

	smp_store_mb(r->in_core, true);
	next = gunyah_vcpu_step(&r->core, run, GUNYAH_BATCH);
	smp_store_release(&r->in_core, false);
	if (unlikely(READ_ONCE(r->core.cpu.hv.request) & HV_REQ_FLUSH) || READ_ONCE(vm->core.wake)) {
		WRITE_ONCE(vm->core.wake, 0);
		smp_mb();
		wake_up_all(&vm->wait);
	}
	return next;
}

static bool flush_taken(struct gunyah_resource *r)
{
	return !smp_load_acquire(&r->in_core) || !(READ_ONCE(r->core.cpu.hv.request) & HV_REQ_FLUSH);
}

void gunyah_flush_vcpus(struct gunyah_vm *vm)
{
	u32 i;

	for (i = 0; i < GUNYAH_VCPUS; i++) {
		if (vm->resource[i])
			hv_cpu_request(&vm->resource[i]->core.cpu.hv, HV_REQ_FLUSH);
	}
	smp_mb();
	for (i = 0; i < GUNYAH_VCPUS; i++) {
		/* a batch takes about a millisecond: looking is simpler than being told */
		while (vm->resource[i] && !flush_taken(vm->resource[i]))
			schedule_timeout_uninterruptible(1);
	}
}

static enum gunyah_next bring_page(struct gunyah_vm *vm, struct gunyah_resource *r, struct gunyah_vcpu_run *run)
{
	const struct hv_exit *e = &r->core.cpu.hv.exit;
	bool lend;
	int error = gunyah_page_in(vm, e->address, e->direction == HV_WRITE, e->fetch, &lend);

	return gunyah_vcpu_paged(&r->core, run, error, lend);
}

static bool wait_over(struct gunyah_function_vcpu *f, struct gunyah_resource *r)
{
	return READ_ONCE(f->removed) || gunyah_vcpu_ready(&r->core);
}

/* Return: whether a signal ended it.  A timer of the guest does not need a clock of its own: the sleep ends with it. */
static bool wait(struct gunyah_function_vcpu *f, struct gunyah_resource *r)
{
	u64 ns = gunyah_vcpu_ns(&r->core);

	if (ns == ~0ull)
		return wait_event_interruptible(f->vm->wait, wait_over(f, r));
	return wait_event_interruptible_hrtimeout(f->vm->wait, wait_over(f, r), ns_to_ktime(ns)) == -ERESTARTSYS;
}

/* The guest waits for another vCPU of its own, and that one for a processor maybe. */
static bool pause(struct gunyah_function_vcpu *f, struct gunyah_resource *r)
{
	u64 ns = gunyah_vcpu_pause_ns(&r->core, num_online_cpus() > 1 ? 20 : 1);

	if (!ns) {
		yield();
		return false;
	}
	return wait_event_interruptible_hrtimeout(f->vm->wait, READ_ONCE(f->removed) || gunyah_vcpu_awake(&r->core), ns_to_ktime(ns)) ==
	       -ERESTARTSYS;
}

/* Until there is something to tell userspace.  What was settled on entry stays settled, whatever interrupts. */
static long run_loop(struct gunyah_function_vcpu *f, struct gunyah_resource *r, struct gunyah_vcpu_run *run)
{
	enum gunyah_next next;

	for (;;) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		if (READ_ONCE(run->immediate_exit) || READ_ONCE(f->removed))
			return -EINTR;
		next = step(f->vm, r, run);
		if (next == GUNYAH_NEXT_PAGE)
			next = bring_page(f->vm, r, run);
		switch (next) {
		case GUNYAH_NEXT_RETURN:
			return 0;
		case GUNYAH_NEXT_WAIT:
			if (wait(f, r))
				return -ERESTARTSYS;
			break;
		case GUNYAH_NEXT_PAUSE:
			if (pause(f, r))
				return -ERESTARTSYS;
			break;
		case GUNYAH_NEXT_ARENA:
			if (!arena_grow(&r->core.cpu.hv.blocks))
				return -ENOMEM;
			break;
		default:
			cond_resched();
			break;
		}
	}
}

static int enter(struct gunyah_function_vcpu *f, struct gunyah_resource *r, struct gunyah_vcpu_run *run)
{
	int go;

	if (likely(r->core.started))
		return gunyah_vcpu_enter(&r->core, run);
	/* the first run must not look at the VM while another thread is inside VM_START */
	mutex_lock(&f->vm->start_lock);
	go = gunyah_vcpu_enter(&r->core, run);
	mutex_unlock(&f->vm->start_lock);
	return go;
}

static long vcpu_run(struct gunyah_function_vcpu *f)
{
	struct gunyah_vcpu_run *run = run_of(f);
	struct gunyah_resource *r;
	long result;

	if (READ_ONCE(f->removed))
		return -ENODEV;
	if (mutex_lock_interruptible(&f->run_lock))
		return -ERESTARTSYS;
	r = READ_ONCE(f->resource);
	result = -ENODEV;
	if (r && !READ_ONCE(f->removed)) {
		if (r->core.pending == GUNYAH_PENDING_MMIO)
			trace_mockvisor_complete(0, f->id, &r->core.posted);
		r->core.lose_reply = strict(V17_Q1) && (signal_pending(current) || READ_ONCE(run->immediate_exit));
		result = enter(f, r, run);
		if (result > 0)
			result = run_loop(f, r, run);
		if (!result && r->core.pending == GUNYAH_PENDING_MMIO)
			trace_mockvisor_deliver(0, f->id, &r->core.posted);
	}
	mutex_unlock(&f->run_lock);
	if (strict(V17_Q2) && !result && signal_pending(current))
		return -ERESTARTSYS;
	return result;
}

static long vcpu_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	switch (number) {
	case GUNYAH_VCPU_RUN:
		return vcpu_run(file->private_data);
	case GUNYAH_VCPU_MMAP_SIZE:
		return PAGE_SIZE;
	default:
		return -ENOTTY;
	}
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

static vm_fault_t run_page_fault(struct vm_fault *vmf)
{
	struct gunyah_function_vcpu *f = vmf->vma->vm_file->private_data;

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	get_page(f->run_page);
	vmf->page = f->run_page;
	return 0;
}

static const struct vm_operations_struct run_page_vm_ops = {
	.fault = run_page_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &run_page_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct gunyah_function_vcpu *f = file->private_data;
	struct gunyah_vm *vm = f->vm;

	function_put(f);
	gunyah_vm_put(vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
};

/* --- the function ------------------------------------------------------------------------------------------------------- */

static bool id_taken(struct gunyah_vm *vm, u32 id)
{
	struct gunyah_function_vcpu *f;

	list_for_each_entry(f, &vm->vcpus, in_vm) {
		if (f->id == id)
			return true;
	}
	return false;
}

static struct gunyah_function_vcpu *function_new(struct gunyah_vm *vm, u32 id)
{
	struct gunyah_function_vcpu *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	f->run_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!f->run_page) {
		kfree(f);
		return NULL;
	}
	kref_init(&f->ref);
	mutex_init(&f->run_lock);
	f->vm = vm;
	f->id = id;
	return f;
}

long gunyah_vcpu_add(struct gunyah_vm *vm, u32 id)
{
	struct gunyah_function_vcpu *f;
	int fd;

	if (id_taken(vm, id))
		return -EEXIST;
	f = function_new(vm, id);
	if (!f)
		return -ENOMEM;
	if (id < GUNYAH_VCPUS)
		f->resource = vm->resource[id];
	gunyah_vm_get(vm);
	kref_get(&f->ref);
	list_add_tail(&f->in_vm, &vm->vcpus);
	fd = anon_inode_getfd("gunyah-vcpu", &vcpu_fops, f, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		list_del(&f->in_vm);
		function_put(f);
		function_put(f);
		/* not the last reference: the caller came through the VM's file */
		gunyah_vm_put(vm);
	}
	return fd;
}

void gunyah_vcpu_remove(struct gunyah_function_vcpu *f)
{
	WRITE_ONCE(f->removed, true);
	if (f->resource) {
		WRITE_ONCE(run_of(f)->immediate_exit, 1);
		hv_cpu_request(&f->resource->core.cpu.hv, HV_REQ_STOP);
		wake_up_all(&f->vm->wait);
		mutex_lock(&f->run_lock);
		WRITE_ONCE(f->resource, NULL);
		mutex_unlock(&f->run_lock);
	}
	list_del(&f->in_vm);
	function_put(f);
}
