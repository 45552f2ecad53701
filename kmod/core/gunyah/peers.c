// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The vCPUs of a VM as each other's peers: what TLBI broadcasts (cpu/arm64/tlbi.c), and events (wait.c). */
#include "gunyah.h"

static void shootdown(void *context, u64 what)
{
	struct gunyah_vcpu *v = context;
	u32 i;

	for (i = 0; i < v->vm->dt.cpus; i++) {
		struct gunyah_vcpu *other = env_load_acquire(&v->vm->vcpu[i]);

		if (other && other != v)
			arm64_shootdown(&other->cpu, what);
	}
}

/* The request came before this look, and a vCPU sets stepping before it looks at its requests; a full barrier is between both. */
static bool settled(void *context)
{
	struct gunyah_vcpu *v = context;
	u32 i;

	for (i = 0; i < v->vm->dt.cpus; i++) {
		struct gunyah_vcpu *other = env_load_acquire(&v->vm->vcpu[i]);

		if (other && other != v && env_load_acquire(&other->stepping) &&
		    (env_load_acquire(&other->cpu.hv.request) & HV_REQ_TLB))
			return false;
	}
	return true;
}

static void event(void *context)
{
	struct gunyah_vcpu *v = context;
	u32 i;

	for (i = 0; i < v->vm->dt.cpus; i++) {
		struct gunyah_vcpu *other = env_load_acquire(&v->vm->vcpu[i]);

		if (!other || other == v)
			continue;
		arm64_event(&other->cpu);
		env_fence();
		if (env_read_once(other->sleeping) && v->vm->kick)
			v->vm->kick(v->vm->kick_context);
	}
}

void gunyah_peers_attach(struct gunyah_vcpu *v)
{
	static const struct arm64_peers_ops ops = { shootdown, settled, event };

	v->cpu.peers_context = v;
	v->cpu.peers = &ops;
}
