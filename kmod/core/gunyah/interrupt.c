// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A Gunyah VM's interrupts: the GIC that its device tree asks for, timers, doorbells. */
#include "gunyah.h"

#define PPI_VIRTUAL_TIMER 27u
#define PPI_PHYSICAL_TIMER 30u

/* struct gic.signal: the interrupt input of a vCPU. */
static void signal(void *context, u32 cpu, bool asserted)
{
	struct gunyah_core_vm *vm = context;
	struct gunyah_vcpu *v = env_load_acquire(&vm->vcpu[cpu]);

	if (!v)
		return;
	if (!asserted) {
		env_fetch_and(&v->cpu.hv.request, ~HV_REQ_IRQ);
		return;
	}
	hv_cpu_request(&v->cpu.hv, HV_REQ_IRQ);
	if (vm->kick)
		vm->kick(vm->kick_context);
}

void gunyah_gic_configure(struct gunyah_core_vm *vm)
{
	u64 frames = vm->dt.gic_redist_size / GIC_REDIST_STRIDE;
	u32 cpus = frames < vm->dt.cpus ? (u32)frames : vm->dt.cpus;

	gic_init(&vm->gic, vm->dt.gic_dist, vm->dt.gic_redist, cpus, signal, vm);
}

static bool icc_read(void *context, u32 reg, u64 *value)
{
	struct gunyah_vcpu *v = context;

	return gic_icc_read(&v->vm->gic, v->id, reg, value);
}

static bool icc_write(void *context, u32 reg, u64 value)
{
	struct gunyah_vcpu *v = context;

	return gic_icc_write(&v->vm->gic, v->id, reg, value);
}

static void timer(void *context)
{
	struct gunyah_vcpu *v = context;
	u32 now = arm64_timers(&v->cpu), changed = now ^ v->timers;

	if (!changed)
		return;
	v->timers = now;
	if (changed & ARM64_TIMER_VIRTUAL)
		gic_ppi(&v->vm->gic, v->id, PPI_VIRTUAL_TIMER, now & ARM64_TIMER_VIRTUAL);
	if (changed & ARM64_TIMER_PHYSICAL)
		gic_ppi(&v->vm->gic, v->id, PPI_PHYSICAL_TIMER, now & ARM64_TIMER_PHYSICAL);
}

void gunyah_interrupts(struct gunyah_vcpu *v)
{
	if (!v->cpu.gic)
		return;
	gic_take(&v->vm->gic);
	timer(v);
}

u64 gunyah_vcpu_ns(struct gunyah_vcpu *v)
{
	if (!v->cpu.gic)
		return ~0ull;
	/* an output that rose meanwhile has not reached the GIC yet */
	return arm64_timers(&v->cpu) & ~v->timers ? 0 : arm64_ns_until_timer(&v->cpu);
}

/* struct hv_answerer: an access that is not the VMM's does not leave VCPU_RUN. */
static bool answer(void *context, u64 *data)
{
	struct gunyah_vcpu *v = context;
	const struct hv_exit *e = &v->cpu.hv.exit;
	struct gic *g = &v->vm->gic;

	if (!gic_covers(g, e->address))
		return gunyah_ioevent_serve(&v->vm->events, e);
	if (e->direction == HV_WRITE)
		gic_write(g, e->address, e->size, e->data);
	else
		*data = gic_read(g, e->address, e->size);
	return true;
}

void gunyah_gic_attach(struct gunyah_vcpu *v)
{
	static const struct arm64_gic_ops ops = { icc_read, icc_write, timer };

	v->cpu.hv.local.context = v;
	v->cpu.hv.local.answer = answer;
	v->cpu.gic_context = v;
	if (v->id < v->vm->gic.cpus)
		env_store_release(&v->cpu.gic, &ops);
}

u32 gunyah_doorbell(struct gunyah_core_vm *vm, u32 label)
{
	u32 i;

	if (env_load_acquire(&vm->state) != GUNYAH_VM_RUNNING)
		return 0;
	for (i = 0; i < vm->dt.doorbells; i++) {
		if (vm->dt.doorbell[i].label == label)
			return vm->dt.doorbell[i].intid;
	}
	return 0;
}

void gunyah_ring(struct gunyah_core_vm *vm, u32 intid)
{
	u32 targets = gic_post(&vm->gic, intid), i;

	for (i = 0; i < GUNYAH_VCPUS; i++) {
		struct gunyah_vcpu *v = targets >> i & 1 ? env_load_acquire(&vm->vcpu[i]) : NULL;

		/* leaves its batch, and takes the edge before the next one */
		if (v)
			hv_cpu_request(&v->cpu.hv, HV_REQ_STOP);
	}
	if (targets && vm->kick)
		vm->kick(vm->kick_context);
}
