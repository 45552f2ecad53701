// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One ACRN vCPU, as the thread that runs it sees it: step until something is to be done.  Exits that the hypervisor
 * handles itself (the interrupt controllers' registers) never leave this file.
 */
#include "ioreq.h"

/* Registers of the interrupt controllers and of the hypervisor's own devices: their accesses end here. */
static bool serve_here(struct acrn_vcpu *v, const struct hv_exit *e)
{
	u64 value;

	if (!irqchip_access(&v->lapic, e, &value) && !acrn_hvdev_access(v->vm, e, &value))
		return false;
	hv_cpu_complete(&v->cpu.hv, e->cookie, value);
	return true;
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

void acrn_vcpu_load(struct acrn_vcpu *v)
{
	u64 offset = v->cpu.tsc_offset;

	x86_state_set(&v->cpu, &v->scratch);
	v->cpu.tsc_offset = offset;
}

/* Start-up IPI: real mode at vector << 12.  Intel SDM volume 3, section 9.4.4.1. */
static void vcpu_start_up(struct acrn_vcpu *v)
{
	u32 vector = env_xchg(&v->lapic.sipi, 0) & 0xff;
	struct x86_state *s = &v->scratch;

	x86_reset(&v->cpu);
	x86_state_get(&v->cpu, s);
	s->seg[X86_CS].selector = (u16)(vector << 8);
	s->seg[X86_CS].base = vector << 12;
	s->rip = 0;
	acrn_vcpu_load(v);
	env_write_once(v->state, ACRN_VCPU_RUNNING);
}

static enum acrn_next step(struct acrn_vcpu *v, u64 budget)
{
	struct hv_cpu *hv = &v->cpu.hv;

	hv_walk_step(&v->walk);
	switch (x86_step(&v->cpu, budget)) {
	case HV_EXIT_ACCESS:
		if (serve_here(v, &hv->exit))
			return ACRN_NEXT_AGAIN;
		hv_walk_exit(&v->walk, &hv->exit);
		acrn_ioreq_post(v, &hv->exit);
		env_write_once(v->state, ACRN_VCPU_BLOCKED);
		return ACRN_NEXT_POSTED;
	case HV_EXIT_SHUTDOWN:
		post_shutdown(v);
		return ACRN_NEXT_POSTED;
	case HV_EXIT_IDLE:
		return ACRN_NEXT_WAIT;
	case HV_EXIT_PAUSE:
		return ACRN_NEXT_PAUSE;
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
		return env_read_once(v->lapic.sipi) || env_read_once(v->lapic.init);
	case ACRN_VCPU_RUNNING:
		return x86_has_work(&v->cpu) || env_read_once(v->lapic.init);
	case ACRN_VCPU_BLOCKED:
		return env_load_acquire(&v->answered) != 0;
	default:
		return env_read_once(v->lapic.init) != 0;
	}
}

u64 acrn_vcpu_pause_ns(struct acrn_vcpu *v, u32 polite)
{
	return x86_pause_ns(&v->cpu, polite);
}

bool acrn_vcpu_awake(struct acrn_vcpu *v)
{
	return x86_called(&v->cpu) || env_read_once(v->lapic.init);
}

u64 acrn_vcpu_wait_ns(struct acrn_vcpu *v)
{
	return v->state == ACRN_VCPU_RUNNING ? lapic_timer_ns(&v->lapic) : ~0ull;
}

/* INIT waits for the instruction that is out; and the boot processor is not for others to stop. */
static void take_init(struct acrn_vcpu *v)
{
	if (!v->id) {
		env_write_once(v->lapic.init, 0);
		return;
	}
	lapic_take_init(&v->lapic);
	v->cpu.hv.idle = 0;
	env_write_once(v->state, ACRN_VCPU_INIT);
}

enum acrn_next acrn_vcpu_step(struct acrn_vcpu *v, u64 budget)
{
	/* first: an INIT that was sent before this start-up IPI is then seen, too */
	u32 sipi = env_load_acquire(&v->lapic.sipi);

	if (unlikely(env_read_once(v->lapic.init)) && v->state != ACRN_VCPU_BLOCKED)
		take_init(v);
	if (unlikely(sipi)) {
		if (v->state == ACRN_VCPU_INIT)
			vcpu_start_up(v);
		else	/* only a processor that waits for it takes a start-up IPI: Intel SDM volume 3, section 9.4.3 */
			env_write_once(v->lapic.sipi, 0);
	}
	if (v->state == ACRN_VCPU_BLOCKED && env_load_acquire(&v->answered)) {
		acrn_ioreq_resume(v);
		env_write_once(v->state, v->shutdown ? ACRN_VCPU_ZOMBIE : ACRN_VCPU_RUNNING);
	}
	if (v->state != ACRN_VCPU_RUNNING)
		return ACRN_NEXT_WAIT;
	lapic_timer_run(&v->lapic);
	return step(v, budget);
}
