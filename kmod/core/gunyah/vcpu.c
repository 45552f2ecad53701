// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One Gunyah vCPU under VCPU_RUN: post, deliver, complete and resume on the run page.
 *
 * The page is userspace's: the kernel remembers what it posted (v->posted) and takes from the page only
 * mmio.resume_action and the data of a read, each once.
 */
#include "gunyah.h"

static void post_mmio(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run)
{
	const struct hv_exit *e = &v->cpu.hv.exit;

	hv_walk_exit(&v->walk, e);
	v->posted = *e;
	v->accesses++;
	v->pending = GUNYAH_PENDING_MMIO;
	hv_walk_mark(&v->walk, e->cookie, HV_WORD_POST);
	run->mmio.phys_addr = e->address;
	if (e->direction == HV_WRITE)
		memcpy(run->mmio.data, &e->data, e->size);
	run->mmio.len = e->size;
	run->mmio.is_write = e->direction;
	run->mmio.resume_action = GUNYAH_VCPU_RESUME_HANDLED;
	env_store_release(&run->exit_reason, GUNYAH_VCPU_EXIT_MMIO);
	hv_walk_mark(&v->walk, e->cookie, HV_WORD_DELIVER);
}

static void post_status(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run, enum gunyah_vm_status status)
{
	run->status.status = status;
	memcpy(&run->status.exit_info, &v->vm->exit_info, sizeof(run->status.exit_info));
	env_store_release(&run->exit_reason, GUNYAH_VCPU_EXIT_STATUS);
	v->pending = GUNYAH_PENDING_DOWN;
}

/* HANDLED: the data are the reply.  FAULT: external abort.  RETRY: the instruction starts over. */
static int settle_mmio(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run)
{
	u8 action = env_read_once(run->mmio.resume_action);
	u64 data = 0;

	if (action > GUNYAH_VCPU_RESUME_RETRY)
		return -EINVAL;
	hv_walk_mark(&v->walk, v->posted.cookie, HV_WORD_COMPLETE);
	if (v->lose_reply && action == GUNYAH_VCPU_RESUME_FAULT)
		action = GUNYAH_VCPU_RESUME_HANDLED;
	if (action == GUNYAH_VCPU_RESUME_HANDLED) {
		data = v->lose_reply ? 0 : env_guest_ld64(run->mmio.data);
		hv_cpu_complete(&v->cpu.hv, v->posted.cookie, data);
	} else {
		hv_cpu_forget(&v->cpu.hv);
		if (action == GUNYAH_VCPU_RESUME_FAULT)
			arm64_external_abort(&v->cpu, v->posted.direction, false);
	}
	hv_walk_resume(&v->walk, v->posted.cookie, data);
	v->pending = GUNYAH_PENDING_NONE;
	return 1;
}

static int first_run(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run)
{
	u32 state = env_load_acquire(&v->vm->state);

	if (state == GUNYAH_VM_RUNNING) {
		v->started = 1;
		return 1;
	}
	post_status(v, run, state == GUNYAH_VM_INIT_FAILED ? GUNYAH_VM_STATUS_LOAD_FAILED :
			    state == GUNYAH_VM_EXITED	   ? GUNYAH_VM_STATUS_EXITED :
							     GUNYAH_VM_STATUS_CRASHED);
	return 0;
}

int gunyah_vcpu_enter(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run)
{
	switch (v->pending) {
	case GUNYAH_PENDING_DOWN:
		return 0;
	case GUNYAH_PENDING_MMIO:
		return settle_mmio(v, run);
	default:
		return v->started ? 1 : first_run(v, run);
	}
}

/* CPU_ON took effect: PC is the entry point, x0 the context. */
static void power_on(struct gunyah_vcpu *v)
{
	struct arm64_state *s = &v->scratch;

	arm64_reset(&v->cpu);
	arm64_state_get(&v->cpu, s);
	s->pc = v->entry;
	s->x[0] = v->context;
	arm64_state_set(&v->cpu, s);
	hv_cpu_forget(&v->cpu.hv);
	v->cpu.hv.idle = 0;
	env_lock_take(&v->vm->power_lock);
	env_write_once(v->power, GUNYAH_POWER_ON);
	env_lock_drop(&v->vm->power_lock);
}

bool gunyah_vcpu_ready(struct gunyah_vcpu *v)
{
	if (env_load_acquire(&v->vm->state) != GUNYAH_VM_RUNNING)
		return true;
	switch (env_load_acquire(&v->power)) {
	case GUNYAH_POWER_ON_PENDING:
		return true;
	case GUNYAH_POWER_ON:
		/* translations to drop can wait until it runs */
		return !v->cpu.hv.idle || (env_read_once(v->cpu.hv.request) & ~HV_REQ_TLB) || !gunyah_vcpu_ns(v);
	default:
		return false;
	}
}

#define SETTLE_NS 10000u	/* a vCPU that others wait for has to get the processor first */

u64 gunyah_vcpu_pause_ns(struct gunyah_vcpu *v, u32 polite)
{
	u64 unsettled = polite > 1 ? 0 : SETTLE_NS;
	u64 ns = v->cpu.unsettled ? unsettled : arm64_pause_ns(&v->cpu, polite), timer = ns ? gunyah_vcpu_ns(v) : 0;

	/* a sender sees the flag, or gunyah_vcpu_awake() sees the event */
	env_write_once(v->sleeping, ns != 0);
	env_fence();
	return timer < ns ? timer : ns;
}

bool gunyah_vcpu_awake(struct gunyah_vcpu *v)
{
	return env_load_acquire(&v->vm->state) != GUNYAH_VM_RUNNING || env_read_once(v->cpu.event) || arm64_called(&v->cpu);
}

enum gunyah_next gunyah_vcpu_step(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run, u64 budget)
{
	enum hv_exit_kind kind;

	if (unlikely(env_load_acquire(&v->vm->state) != GUNYAH_VM_RUNNING)) {
		post_status(v, run, GUNYAH_VM_STATUS_EXITED);
		return GUNYAH_NEXT_RETURN;
	}
	if (unlikely(env_load_acquire(&v->power) == GUNYAH_POWER_ON_PENDING))
		power_on(v);
	if (unlikely(env_read_once(v->power) != GUNYAH_POWER_ON))
		return GUNYAH_NEXT_WAIT;
	gunyah_interrupts(v);
	hv_walk_step(&v->walk);
	env_write_once(v->sleeping, 0);
	env_write_once(v->stepping, 1);
	env_fence();	/* peers.c: settled() */
	kind = arm64_step(&v->cpu, budget);
	env_store_release(&v->stepping, 0);
	switch (kind) {
	case HV_EXIT_ACCESS:
		post_mmio(v, run);
		return GUNYAH_NEXT_RETURN;
	case HV_EXIT_CALL:
		gunyah_psci_call(v);
		return GUNYAH_NEXT_AGAIN;
	case HV_EXIT_IDLE:
		return GUNYAH_NEXT_WAIT;
	case HV_EXIT_PAUSE:
		return GUNYAH_NEXT_PAUSE;
	case HV_EXIT_KICK:
		/* a DSB may be waiting for a vCPU whose thread has no processor */
		return v->cpu.unsettled ? GUNYAH_NEXT_PAUSE : GUNYAH_NEXT_AGAIN;
	case HV_EXIT_PAGE:
		return GUNYAH_NEXT_PAGE;
	case HV_EXIT_ARENA:
		return GUNYAH_NEXT_ARENA;
	default:
		return GUNYAH_NEXT_AGAIN;
	}
}

enum gunyah_next gunyah_vcpu_paged(struct gunyah_vcpu *v, struct gunyah_vcpu_run *run, int error, bool lend)
{
	const struct hv_exit *e = &v->cpu.hv.exit;

	if (!error || error == -EAGAIN)
		return GUNYAH_NEXT_AGAIN;
	if (!lend) {
		arm64_external_abort(&v->cpu, e->direction, e->fetch);
		return GUNYAH_NEXT_AGAIN;
	}
	run->page_fault.phys_addr = e->address;
	run->page_fault.attempt = error;
	/* preset, and never read: the next run tries the access again whatever userspace writes here */
	run->page_fault.resume_action = GUNYAH_VCPU_RESUME_FAULT;
	env_store_release(&run->exit_reason, GUNYAH_VCPU_EXIT_PAGE_FAULT);
	return GUNYAH_NEXT_RETURN;
}
