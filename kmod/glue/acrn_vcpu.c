// SPDX-License-Identifier: GPL-2.0
/*
 * One kernel thread per ACRN vCPU: it runs the core until there is something to do, and sleeps when there is nothing.
 * Parked while the VM is not RUNNING.  Secondary vCPUs get theirs when something first happens to them, for a thread is
 * the most expensive part of a vCPU, and many a VM never starts all that it has.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "acrn_hsm.h"
#include "arena.h"
#include "trace.h"

void acrn_hsm_vcpu_wake(struct acrn_hsm_vcpu *v)
{
	/* sync: whoever notifies goes on to sleep in ATTACH */
	__wake_up_sync(&v->wait, TASK_NORMAL);
}

static bool thread_is_wanted(void)
{
	return kthread_should_stop() || kthread_should_park();
}

void acrn_hsm_kick(void *context, u32 vcpu)
{
	struct acrn_hsm *hsm = context;

	if (unlikely(!READ_ONCE(hsm->vcpu[vcpu]->task)))
		queue_work(system_unbound_wq, &hsm->vcpu[vcpu]->starter);
	else
		acrn_hsm_vcpu_wake(hsm->vcpu[vcpu]);
}

/* Sleep until the vCPU has something to do, or its timer is due. */
static void vcpu_wait(struct acrn_hsm_vcpu *v)
{
	u64 ns = acrn_vcpu_wait_ns(&v->core);

	if (ns == ~0ull)
		wait_event_idle(v->wait, acrn_vcpu_ready(&v->core) || thread_is_wanted());
	else
		__wait_event_hrtimeout(v->wait, acrn_vcpu_ready(&v->core) || thread_is_wanted(),
				       ns_to_ktime(min_t(u64, ns, NSEC_PER_SEC)), TASK_IDLE);
}

/* The guest waits for another of its vCPUs, which may have no processor: then somebody has to sleep, not only to be polite. */
static void vcpu_pause(struct acrn_hsm_vcpu *v)
{
	u64 ns = acrn_vcpu_pause_ns(&v->core, num_online_cpus() > 1 ? 255 : 1);

	if (ns)
		__wait_event_hrtimeout(v->wait, acrn_vcpu_awake(&v->core) || thread_is_wanted(), ns_to_ktime(ns), TASK_IDLE);
	else
		yield();
}

static void vcpu_work(struct acrn_hsm_vcpu *v)
{
	enum acrn_next next;

	if (v->core.state == ACRN_VCPU_BLOCKED)
		trace_mockvisor_resume(v->hsm->core.vmid, v->core.id, &v->core.posted);
	next = acrn_vcpu_step(&v->core, ACRN_HSM_BATCH);
	switch (next) {
	case ACRN_NEXT_AGAIN:
		break;
	case ACRN_NEXT_PAUSE:
		vcpu_pause(v);
		break;
	case ACRN_NEXT_ARENA:
		/* no memory at all: the vCPU stands still until there is some */
		if (!arena_grow(&v->core.cpu.hv.blocks))
			schedule_timeout_idle(msecs_to_jiffies(10));
		break;
	case ACRN_NEXT_POSTED:
		trace_mockvisor_exit(v->hsm->core.vmid, v->core.id, &v->core.posted);
		trace_mockvisor_post(v->hsm->core.vmid, v->core.id, &v->core.posted);
		acrn_client_dispatch(v->hsm, v);
		fallthrough;
	case ACRN_NEXT_WAIT:
		vcpu_wait(v);
		break;
	}
	/* not only after AGAIN: what is answered in the kernel (0xCF8, ioeventfds) does not wait either */
	cond_resched();
}

static int vcpu_thread(void *data)
{
	struct acrn_hsm_vcpu *v = data;

	while (!kthread_should_stop()) {
		if (kthread_should_park())
			kthread_parkme();
		else
			vcpu_work(v);
	}
	return 0;
}

static int thread_start(struct acrn_hsm_vcpu *v)
{
	struct task_struct *task = kthread_create(vcpu_thread, v, "acrn-%u/%u", v->hsm->core.vmid, v->core.id);

	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_park(task);
	WRITE_ONCE(v->task, task);
	return 0;
}

static void starter_work(struct work_struct *work)
{
	struct acrn_hsm_vcpu *v = container_of(work, struct acrn_hsm_vcpu, starter);
	int r = 0;

	mutex_lock(&v->hsm->thread_lock);
	if (!v->task)
		r = thread_start(v);
	if (!r && v->hsm->running && !v->held)
		kthread_unpark(v->task);
	mutex_unlock(&v->hsm->thread_lock);
	/* no memory: the vCPU stands still until there is some */
	if (r) {
		schedule_timeout_idle(msecs_to_jiffies(10));
		queue_work(system_unbound_wq, work);
	}
}

struct acrn_hsm_vcpu *acrn_hsm_vcpu_new(struct acrn_hsm *hsm, u32 apic_id)
{
	struct acrn_hsm_vcpu *v = vzalloc(sizeof(*v));

	if (!v)
		return NULL;
	v->hsm = hsm;
	init_waitqueue_head(&v->wait);
	INIT_WORK(&v->starter, starter_work);
	acrn_vm_add_vcpu(&hsm->core, &v->core, apic_id, NULL, 0, ARENA_LIMIT);
	/* the first one runs as soon as the VM does */
	if (!v->core.id && thread_start(v)) {
		vfree(v);
		return NULL;
	}
	return v;
}

void acrn_hsm_vcpu_free(struct acrn_hsm_vcpu *v)
{
	cancel_work_sync(&v->starter);
	if (v->task)
		kthread_stop(v->task);
	arena_free(&v->core.cpu.hv.blocks);
	kvfree(v->leaves);
	vfree(v);
}

static bool is_parked(const struct acrn_hsm_vcpu *v)
{
	return !v->task || v->held || !v->hsm->running;
}

void acrn_hsm_vcpu_stop(struct acrn_hsm_vcpu *v)
{
	mutex_lock(&v->hsm->thread_lock);
	if (is_parked(v))
		return;
	hv_cpu_request(&v->core.cpu.hv, HV_REQ_STOP);
	kthread_park(v->task);
}

void acrn_hsm_vcpu_continue(struct acrn_hsm_vcpu *v)
{
	if (!is_parked(v))
		kthread_unpark(v->task);
	mutex_unlock(&v->hsm->thread_lock);
}

void acrn_hsm_vcpus_run(struct acrn_hsm *hsm)
{
	u32 i;

	mutex_lock(&hsm->thread_lock);
	hsm->running = true;
	for (i = 0; i < hsm->core.vcpu_num; i++) {
		if (hsm->vcpu[i]->task && !hsm->vcpu[i]->held)
			kthread_unpark(hsm->vcpu[i]->task);
	}
	mutex_unlock(&hsm->thread_lock);
}

void acrn_hsm_vcpus_stop(struct acrn_hsm *hsm)
{
	u32 i;

	if (!hsm->running)
		return;
	mutex_lock(&hsm->thread_lock);
	hsm->running = false;
	for (i = 0; i < hsm->core.vcpu_num; i++)
		hv_cpu_request(&hsm->vcpu[i]->core.cpu.hv, HV_REQ_STOP);
	for (i = 0; i < hsm->core.vcpu_num; i++) {
		if (hsm->vcpu[i]->task && !hsm->vcpu[i]->held)
			kthread_park(hsm->vcpu[i]->task);
	}
	mutex_unlock(&hsm->thread_lock);
}
