// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TLBI and its broadcast (C5.5, D8.13).
 *
 * The inner-shareable forms leave the address with every other vCPU and set HV_REQ_TLB there; it is looked at before each
 * block, so that what was translated before is used by no later one.  The sender's DSB waits until each of them has cleared
 * the request or is outside arm64_step(), where no translation is used; from there it comes back with the request seen.
 * Nobody waits inside arm64_step() for long, nor with a request of its own: the DSB is left, and runs again.  So two that
 * wait for each other both go on, and so does whoever waits for a vCPU whose thread has no processor.
 */
#include "internal.h"

#define LOOKS 200u	/* some microseconds: a vCPU that runs has reached the end of its block by then */

void arm64_shootdown(struct arm64_cpu *cpu, u64 what)
{
	struct arm64_shootdowns *s = &cpu->shootdowns;

	env_lock_take(&s->lock);
	if (what == ARM64_EVERYWHERE || s->count >= ARM64_SHOOTDOWNS) {
		s->what[0] = ARM64_EVERYWHERE;
		s->count = ARM64_SHOOTDOWNS;
	} else {
		s->what[s->count++] = what;
	}
	env_lock_drop(&s->lock);
	hv_cpu_request(&cpu->hv, HV_REQ_TLB);
}

/* Between the clearing and the dropping this CPU uses no translation, so the sender need not wait for the latter. */
void arm64_shootdown_take(struct arm64_cpu *cpu)
{
	struct arm64_shootdowns *s = &cpu->shootdowns;
	u64 what[ARM64_SHOOTDOWNS];
	u32 count, i;

	env_fetch_and(&cpu->hv.request, ~HV_REQ_TLB);
	env_lock_take(&s->lock);
	count = s->count;
	memcpy(what, s->what, sizeof(what));
	s->count = 0;
	env_lock_drop(&s->lock);
	for (i = 0; i < count; i++) {
		arm64_tlb_drop(cpu, what[i]);
		if (what[i] == ARM64_EVERYWHERE)
			break;
	}
}

static enum arm64_leave invalidate(struct arm64_cpu *cpu, bool broadcast, u64 what)
{
	arm64_tlb_drop(cpu, what);
	if (broadcast && cpu->peers) {
		cpu->peers->shootdown(cpu->peers_context, what);
		cpu->unsettled = 1;
	}
	return ARM64_NEXT;
}

enum arm64_leave arm64_tlbi(struct arm64_cpu *cpu, u32 crm, u32 op2, u64 arg)
{
	u64 operand = arg & ~(15ull << 44);

	if (!cpu->el || (crm != 3 && crm != 7))
		return arm64_undefined(cpu);
	switch (op2) {
	case 0:
		return invalidate(cpu, crm == 3, ARM64_EVERYWHERE);
	case 1:
	case 5:		/* what is told of the last level is taken for all of them */
		return invalidate(cpu, crm == 3, operand | ARM64_TLBI_VA_ASID);
	case 2:
		return invalidate(cpu, crm == 3, operand | ARM64_TLBI_ASID);
	case 3:
	case 7:
		return invalidate(cpu, crm == 3, operand | ARM64_TLBI_VA);
	default:
		return arm64_undefined(cpu);
	}
}

enum arm64_leave arm64_tlbi_wait(struct arm64_cpu *cpu)
{
	u32 n;

	env_fence();
	for (n = 0; n < LOOKS; n++) {
		if (cpu->peers->settled(cpu->peers_context)) {
			cpu->unsettled = 0;
			return ARM64_NEXT;
		}
		if (env_read_once(cpu->hv.request) & ~HV_REQ_IRQ)
			break;
	}
	cpu->stop = HV_EXIT_KICK;
	return ARM64_STOP;
}
