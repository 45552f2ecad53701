// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One ACRN vCPU, as the thread that runs it sees it: step until something is to be done.  Exits that the hypervisor
 * handles itself (the local APIC's registers) never leave this file.
 */
#include "ioreq.h"

static void send_ipi(struct acrn_vcpu *from, const struct lapic_ipi *ipi)
{
	struct acrn_core_vm *vm = from->vm;
	struct acrn_vcpu *to;
	u32 i;

	for (i = 0; i < vm->vcpu_num; i++) {
		to = vm->vcpu[i];
		if (!lapic_ipi_for(ipi, from->lapic.id, to->lapic.id))
			continue;
		/* taken between two batches; the bootstrap processor is not for others to stop */
		if (ipi->mode == LAPIC_MODE_INIT && ipi->assert && i) {
			env_fetch_or(&to->init, 1);
			hv_cpu_request(&to->cpu.hv, HV_REQ_STOP);
		}
		/* only a processor that waits for it takes a start-up IPI: Intel SDM volume 3, section 9.4.3 */
		if (ipi->mode == LAPIC_MODE_STARTUP &&
		    (env_read_once(to->init) || env_read_once(to->state) == ACRN_VCPU_INIT))
			env_write_once(to->sipi, 0x100u | ipi->vector);
	}
	/* the environment looks for vCPUs that became ready after every step that returns */
	env_write_once(vm->ipi_sent, 1);
}

static bool in_lapic(const struct hv_exit *e)
{
	return e->space == HV_SPACE_MMIO && e->address - LAPIC_BASE < LAPIC_SIZE;
}

static void serve_lapic(struct acrn_vcpu *v, const struct hv_exit *e)
{
	u32 offset = (u32)(e->address - LAPIC_BASE);
	struct lapic_ipi ipi;
	u64 value = 0;

	if (e->direction == HV_READ)
		value = lapic_read(&v->lapic, offset);
	else if (lapic_write(&v->lapic, offset, (u32)e->data, &ipi))
		send_ipi(v, &ipi);
	hv_cpu_complete(&v->cpu.hv, e->cookie, value);
}

/* ACRN has no exit for a triple fault: it writes S5 to the PM1 control register in the guest's name. */
static void post_shutdown(struct acrn_vcpu *v)
{
	struct hv_exit e;

	memset(&e, 0, sizeof(e));
	e.kind = HV_EXIT_ACCESS;
	e.space = HV_SPACE_PIO;
	e.size = 2;
	e.direction = HV_WRITE;
	e.address = ACRN_PM1A_CNT;
	e.data = ACRN_PM1_S5;
	e.cookie = ++v->cpu.hv.exit.cookie;
	v->shutdown = 1;
	hv_walk_exit(&v->walk, &e);
	acrn_ioreq_post(v, &e);
	env_write_once(v->state, ACRN_VCPU_BLOCKED);
}

/* Start-up IPI: real mode at vector << 12.  Intel SDM volume 3, section 9.4.4.1. */
static void vcpu_start_up(struct acrn_vcpu *v)
{
	u32 vector = env_xchg(&v->sipi, 0) & 0xff;
	struct x86_state *s = &v->scratch;

	x86_reset(&v->cpu);
	x86_state_get(&v->cpu, s);
	s->seg[X86_CS].selector = (u16)(vector << 8);
	s->seg[X86_CS].base = vector << 12;
	s->rip = 0;
	x86_state_set(&v->cpu, s);
	env_write_once(v->state, ACRN_VCPU_RUNNING);
}

static enum acrn_next step(struct acrn_vcpu *v, u64 budget)
{
	struct hv_cpu *hv = &v->cpu.hv;

	hv_walk_step(&v->walk);
	switch (x86_step(&v->cpu, budget)) {
	case HV_EXIT_ACCESS:
		if (in_lapic(&hv->exit)) {
			serve_lapic(v, &hv->exit);
			return ACRN_NEXT_AGAIN;
		}
		hv_walk_exit(&v->walk, &hv->exit);
		acrn_ioreq_post(v, &hv->exit);
		env_write_once(v->state, ACRN_VCPU_BLOCKED);
		return ACRN_NEXT_POSTED;
	case HV_EXIT_SHUTDOWN:
		post_shutdown(v);
		return ACRN_NEXT_POSTED;
	case HV_EXIT_IDLE:
		return ACRN_NEXT_WAIT;
	case HV_EXIT_ARENA:
		return ACRN_NEXT_ARENA;
	default:
		return ACRN_NEXT_AGAIN;
	}
}

bool acrn_vcpu_ready(struct acrn_vcpu *v)
{
	switch (v->state) {
	case ACRN_VCPU_INIT:
		return env_read_once(v->sipi) != 0;
	case ACRN_VCPU_RUNNING:
		return !v->cpu.hv.idle || env_read_once(v->cpu.hv.request) || env_read_once(v->init);
	case ACRN_VCPU_BLOCKED:
		return env_load_acquire(&v->answered) != 0;
	default:
		return env_read_once(v->init) != 0;
	}
}

enum acrn_next acrn_vcpu_step(struct acrn_vcpu *v, u64 budget)
{
	if (unlikely(env_read_once(v->init)) && v->state != ACRN_VCPU_BLOCKED) {
		env_write_once(v->init, 0);
		v->cpu.hv.idle = 0;
		env_write_once(v->state, ACRN_VCPU_INIT);
	}
	if (v->state == ACRN_VCPU_INIT && env_read_once(v->sipi))
		vcpu_start_up(v);
	if (v->state == ACRN_VCPU_BLOCKED && env_load_acquire(&v->answered)) {
		acrn_ioreq_resume(v);
		env_write_once(v->state, v->shutdown ? ACRN_VCPU_ZOMBIE : ACRN_VCPU_RUNNING);
	}
	if (v->state != ACRN_VCPU_RUNNING)
		return ACRN_NEXT_WAIT;
	return step(v, budget);
}
