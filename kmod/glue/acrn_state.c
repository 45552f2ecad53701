// SPDX-License-Identifier: GPL-2.0
/* State of a VM's vCPUs and interrupt controllers for /dev/mockvisor: copied in and out while nobody is at work on it. */
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <mockvisor.h>

#include "acrn_hsm.h"
#include "arena.h"
#include "compat.h"
#include "core/cpu/x86/image.h"

#define LEAVES_MAX 256
#define PIC_INPUTS 16
#define TO_PIC 0
#define TO_IOAPIC 2

static struct acrn_hsm_vcpu *vcpu_find(struct acrn_hsm *hsm, u32 id)
{
	return id < hsm->core.vcpu_num ? hsm->vcpu[id] : NULL;
}

int acrn_state_get(struct acrn_hsm *hsm, struct mockvisor_x86_state *state)
{
	struct acrn_hsm_vcpu *v = vcpu_find(hsm, state->vcpu);

	if (!v)
		return -ENOENT;
	acrn_hsm_vcpu_stop(v);
	x86_image_get(&v->core.cpu, &v->core.lapic, &v->core.scratch, state);
	state->waits = v->core.state == ACRN_VCPU_INIT;
	state->shutdown = v->core.shutdown;
	acrn_hsm_vcpu_continue(v);
	return 0;
}

int acrn_state_set(struct acrn_hsm *hsm, const struct mockvisor_x86_state *state)
{
	struct acrn_hsm_vcpu *v = vcpu_find(hsm, state->vcpu);
	bool wake;

	if (!v)
		return -ENOENT;
	if (memchr_inv(state->reserved, 0, sizeof(state->reserved)))
		return -EINVAL;
	acrn_hsm_vcpu_stop(v);
	x86_image_set(&v->core.cpu, &v->core.lapic, &v->core.scratch, state);
	/* one whose request is out goes on when that is answered */
	if (v->core.state == ACRN_VCPU_INIT || v->core.state == ACRN_VCPU_RUNNING)
		WRITE_ONCE(v->core.state, state->waits ? ACRN_VCPU_INIT : ACRN_VCPU_RUNNING);
	wake = v->core.state == ACRN_VCPU_RUNNING;
	acrn_hsm_vcpu_continue(v);
	if (wake)
		acrn_hsm_kick(hsm, v->core.id);
	return 0;
}

int acrn_state_cpuid(struct acrn_hsm *hsm, const struct mockvisor_x86_cpuid *cpuid)
{
	struct acrn_hsm_vcpu *v = vcpu_find(hsm, cpuid->vcpu);
	struct x86_cpuid_leaf *leaves = NULL;

	BUILD_BUG_ON(sizeof(struct x86_cpuid_leaf) != sizeof(struct mockvisor_x86_leaf));
	if (!v)
		return -ENOENT;
	if (cpuid->reserved)
		return -EINVAL;
	if (cpuid->count > LEAVES_MAX)
		return -E2BIG;
	if (cpuid->count) {
		leaves = vmemdup_user(u64_to_user_ptr(cpuid->leaves), array_size(cpuid->count, sizeof(*leaves)));
		if (IS_ERR(leaves))
			return PTR_ERR(leaves);
	}
	acrn_hsm_vcpu_stop(v);
	swap(v->leaves, leaves);
	x86_cpuid_give(&v->core.cpu, v->leaves, cpuid->count);
	acrn_hsm_vcpu_continue(v);
	kvfree(leaves);
	return 0;
}

/* Behind the instruction whose access was answered; -EBUSY: an access is out. */
static int finish_instruction(struct acrn_hsm_vcpu *v)
{
	while (v->core.state == ACRN_VCPU_BLOCKED || v->core.cpu.hv.replay.done) {
		if (v->core.state == ACRN_VCPU_BLOCKED && !READ_ONCE(v->core.answered))
			return -EBUSY;
		switch (acrn_vcpu_step(&v->core, 1)) {
		case ACRN_NEXT_POSTED:
			acrn_client_dispatch(v->hsm, v);
			break;
		case ACRN_NEXT_ARENA:
			if (!arena_grow(&v->core.cpu.hv.blocks))
				return -ENOMEM;
			break;
		case ACRN_NEXT_WAIT:
			return v->core.state == ACRN_VCPU_BLOCKED ? -EBUSY : 0;
		default:
			break;
		}
		cond_resched();
	}
	return 0;
}

int acrn_state_hold(struct acrn_hsm *hsm, u32 vcpu, bool on)
{
	struct acrn_hsm_vcpu *v = vcpu_find(hsm, vcpu);
	int r = 0;

	if (!v)
		return -ENOENT;
	if (on) {
		/* held in any case: nothing may happen between the answer of an access that is out and the next call */
		acrn_hsm_vcpu_stop(v);
		v->held = true;
		r = finish_instruction(v);
	} else {
		mutex_lock(&hsm->thread_lock);
		v->held = false;
	}
	acrn_hsm_vcpu_continue(v);
	return r;
}

int acrn_state_chip_get(struct acrn_hsm *hsm, struct mockvisor_x86_chip *to)
{
	struct irqchip *chip = &hsm->core.chip;

	BUILD_BUG_ON(sizeof(struct pic) != sizeof(struct mockvisor_x86_pic));
	env_lock_take(&chip->lock);
	memcpy(to->pic, chip->pic.chip, sizeof(to->pic));
	to->pins = chip->ioapic.pins;
	to->ioapic_id = chip->ioapic.id;
	to->ioapic_select = chip->ioapic.select;
	to->ioapic_lines = chip->ioapic.lines;
	memcpy(to->redirection, chip->ioapic.rte, sizeof(to->redirection));
	env_lock_drop(&chip->lock);
	return 0;
}

int acrn_state_chip_set(struct acrn_hsm *hsm, const struct mockvisor_x86_chip *from)
{
	struct irqchip *chip = &hsm->core.chip;

	if (!from->pins || from->pins > IOAPIC_PINS_MAX)
		return -EINVAL;
	env_lock_take(&chip->lock);
	memcpy(chip->pic.chip, from->pic, sizeof(from->pic));
	chip->pic.chip[0].lowest &= 7;
	chip->pic.chip[1].lowest &= 7;
	chip->ioapic.pins = from->pins;
	chip->ioapic.id = from->ioapic_id;
	chip->ioapic.select = from->ioapic_select;
	chip->ioapic.lines = from->ioapic_lines;
	memcpy(chip->ioapic.rte, from->redirection, sizeof(from->redirection));
	env_lock_drop(&chip->lock);
	hv_cpu_request(&hsm->vcpu[0]->core.cpu.hv, HV_REQ_IRQ);
	acrn_hsm_kick(hsm, 0);
	return 0;
}

int acrn_state_pin(struct acrn_hsm *hsm, const struct mockvisor_x86_pin *pin)
{
	struct irqchip *chip = &hsm->core.chip;
	bool wake = false;

	if (pin->reserved || (pin->controller != TO_PIC && pin->controller != TO_IOAPIC))
		return -EINVAL;
	if (pin->pin >= (pin->controller == TO_PIC ? PIC_INPUTS : chip->ioapic.pins))
		return -EINVAL;
	env_lock_take(&chip->lock);
	if (pin->controller == TO_IOAPIC) {
		ioapic_line(chip, pin->pin, pin->high);
	} else {
		pic_line(&chip->pic, pin->pin, pin->high);
		wake = pic_output(&chip->pic);
	}
	env_lock_drop(&chip->lock);
	if (wake) {
		hv_cpu_request(&hsm->vcpu[0]->core.cpu.hv, HV_REQ_IRQ);
		acrn_hsm_kick(hsm, 0);
	}
	return 0;
}

/* In irqchip_ends.tell's place. */
static void tell_ends(void *context)
{
	struct acrn_hsm *hsm = context;

	if (hsm->ends)
		eventfd_signal(hsm->ends);
}

static void replace_ends(struct acrn_hsm *hsm, struct eventfd_ctx *eventfd, u64 pic, u64 ioapic)
{
	struct irqchip *chip = &hsm->core.chip;
	struct eventfd_ctx *old;

	env_lock_take(&chip->lock);
	old = hsm->ends;
	hsm->ends = eventfd;
	chip->ends.tell = tell_ends;
	chip->ends.pic = pic;
	chip->ends.ioapic = ioapic;
	env_lock_drop(&chip->lock);
	if (old)
		eventfd_ctx_put(old);
}

int acrn_state_ends_watch(struct acrn_hsm *hsm, const struct mockvisor_x86_ends *ends)
{
	struct eventfd_ctx *eventfd = NULL;

	if (ends->pic >> PIC_INPUTS || ends->ioapic >> IOAPIC_PINS_MAX)
		return -EINVAL;
	if (ends->eventfd != -1)
		eventfd = eventfd_ctx_fdget(ends->eventfd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	replace_ends(hsm, eventfd, ends->pic, ends->ioapic);
	return 0;
}

void acrn_state_ends_take(struct acrn_hsm *hsm, struct mockvisor_x86_ends *ends)
{
	struct irqchip *chip = &hsm->core.chip;

	env_lock_take(&chip->lock);
	ends->pic = chip->ends.pic_ended;
	ends->ioapic = chip->ends.ioapic_ended;
	chip->ends.pic_ended = 0;
	chip->ends.ioapic_ended = 0;
	env_lock_drop(&chip->lock);
}

void acrn_state_ends_drop(struct acrn_hsm *hsm)
{
	replace_ends(hsm, NULL, 0, 0);
}
