// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ACRN's post, deliver, complete, resume: an exit becomes an I/O request slot, an answered slot becomes a reply.
 *
 *   post      FREE -> PENDING           the vCPU's thread, slot filled, state last
 *   deliver   PENDING -> PROCESSING     the dispatcher, for the client that gets it
 *   complete  PROCESSING -> COMPLETE    NOTIFY_REQUEST_FINISH
 *   resume    COMPLETE -> FREE          the vCPU's thread, value merged
 *
 * The page is userspace's: values are read once, and no decision rests on the state word in it.
 */
#include "ioreq.h"

static struct acrn_io_request *slot_of(struct acrn_core_vm *vm, u32 vcpu)
{
	return &vm->requests->req_slot[vcpu];
}

/* A write to memory that may be read and executed; the uapi header has no name for it, the hypervisor says REQ_WP. */
#define ACRN_IOREQ_TYPE_WP 3

static u32 request_type(struct acrn_core_vm *vm, const struct hv_exit *exit)
{
	const struct hv_slot *memory;

	if (exit->space == HV_SPACE_PIO)
		return ACRN_IOREQ_TYPE_PORTIO;
	if (exit->direction == HV_READ)
		return ACRN_IOREQ_TYPE_MMIO;
	memory = hv_memmap_find(&vm->map, exit->address);
	return memory && memory->access == (HV_MEM_READ | HV_MEM_EXEC) ? ACRN_IOREQ_TYPE_WP : ACRN_IOREQ_TYPE_MMIO;
}

void acrn_ioreq_post(struct acrn_vcpu *v, const struct hv_exit *exit)
{
	struct acrn_io_request *slot = slot_of(v->vm, v->id);

	slot->type = request_type(v->vm, exit);
	slot->completion_polling = !!(v->vm->flags & ACRN_VM_FLAG_COMPLETION_POLLING);
	slot->kernel_handled = 0;
	memset(&slot->reqs, 0, sizeof(slot->reqs));
	if (exit->space == HV_SPACE_PIO) {
		slot->reqs.pio_request.direction = exit->direction;
		slot->reqs.pio_request.address = exit->address;
		slot->reqs.pio_request.size = exit->size;
		slot->reqs.pio_request.value = (u32)exit->data;
	} else {
		slot->reqs.mmio_request.direction = exit->direction;
		slot->reqs.mmio_request.address = exit->address;
		slot->reqs.mmio_request.size = exit->size;
		slot->reqs.mmio_request.value = exit->data;
	}
	env_write_once(v->answered, 0);
	v->posted = *exit;
	v->accesses++;
	hv_walk_mark(&v->walk, exit->cookie, HV_WORD_POST);
	env_store_release(&slot->processed, ACRN_IOREQ_STATE_PENDING);
}

/* PCI configuration mechanism 1, per VM: exactly port 0xCF8 is the latch; 0xCF9..0xCFB are ordinary ports. */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ENABLE 0x80000000u

static void answer_here(struct acrn_core_vm *vm, struct acrn_io_request *slot, u32 vcpu, u32 value)
{
	const struct hv_exit *exit = &vm->vcpu[vcpu]->posted;

	if (exit->direction == HV_READ && exit->space == HV_SPACE_PIO)
		slot->reqs.pio_request.value = value;
	else if (exit->direction == HV_READ)
		slot->reqs.mmio_request.value = value;
	env_write_once(slot->kernel_handled, 1);
	env_store_release(&slot->processed, ACRN_IOREQ_STATE_PROCESSING);
	acrn_ioreq_answer(vm, vcpu);
}

static void become_config(const struct acrn_core_vm *vm, struct acrn_io_request *slot, const struct hv_exit *exit)
{
	u32 latch = env_read_once(vm->cf8);

	slot->type = ACRN_IOREQ_TYPE_PCICFG;
	slot->reqs.pci_request.bus = (latch >> 16) & 0xff;
	slot->reqs.pci_request.dev = (latch >> 11) & 0x1f;
	slot->reqs.pci_request.func = (latch >> 8) & 7;
	slot->reqs.pci_request.reg = (latch & 0xfc) + ((latch >> 16) & 0xf00) + ((u32)exit->address - PCI_DATA);
}

enum acrn_deliver acrn_ioreq_deliver(struct acrn_core_vm *vm, u32 vcpu, bool client)
{
	struct acrn_io_request *slot = slot_of(vm, vcpu);
	const struct hv_exit *exit = &vm->vcpu[vcpu]->posted;
	u32 value;

	if (exit->space == HV_SPACE_PIO && exit->address == PCI_ADDRESS) {
		if (exit->direction == HV_WRITE)
			env_write_once(vm->cf8, (u32)exit->data);
		answer_here(vm, slot, vcpu, env_read_once(vm->cf8));
		return ACRN_DELIVER_DONE;
	}
	if (exit->space == HV_SPACE_PIO && exit->address >= PCI_DATA && exit->address < PCI_DATA + 4) {
		if (!(env_read_once(vm->cf8) & PCI_ENABLE)) {
			answer_here(vm, slot, vcpu, 0xffffffffu);
			return ACRN_DELIVER_DONE;
		}
		if (acrn_hvdev_config(vm, env_read_once(vm->cf8), exit, &value)) {
			answer_here(vm, slot, vcpu, value);
			return ACRN_DELIVER_DONE;
		}
		become_config(vm, slot, exit);
	} else if (acrn_ioevent_serve(&vm->events, exit)) {
		answer_here(vm, slot, vcpu, 0);
		return ACRN_DELIVER_DONE;
	}
	if (!client)
		return ACRN_DELIVER_NOBODY;
	hv_walk_mark(&vm->vcpu[vcpu]->walk, exit->cookie, HV_WORD_DELIVER);
	env_store_release(&slot->processed, ACRN_IOREQ_STATE_PROCESSING);
	return ACRN_DELIVER_CLIENT;
}

void acrn_ioreq_answer(struct acrn_core_vm *vm, u32 vcpu)
{
	struct acrn_vcpu *v = vm->vcpu[vcpu];

	hv_walk_mark(&v->walk, v->posted.cookie, HV_WORD_COMPLETE);
	env_store_release(&slot_of(vm, vcpu)->processed, ACRN_IOREQ_STATE_COMPLETE);
	env_store_release(&v->answered, 1);
}

int acrn_ioreq_resume(struct acrn_vcpu *v)
{
	struct acrn_io_request *slot = slot_of(v->vm, v->id);
	bool pio = v->posted.space == HV_SPACE_PIO;
	u64 value = pio ? env_read_once(slot->reqs.pio_request.value) : env_read_once(slot->reqs.mmio_request.value);

	env_write_once(v->answered, 0);
	env_store_release(&slot->processed, ACRN_IOREQ_STATE_FREE);
	hv_walk_resume(&v->walk, v->posted.cookie, value);
	if (v->shutdown)
		return 0;
	return hv_cpu_complete(&v->cpu.hv, v->posted.cookie, value);
}
