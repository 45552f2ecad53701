// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Gunyah VM life: boot context, configuration by device tree, start, exit.  Facts: rsc_mgr of the driver, and HYP. */
#include "gunyah.h"

#define NAME(table, n) ((n) < ARRAY_SIZE(table) && (table)[n] ? (table)[n] : "?")

const char *gunyah_state_name(unsigned int state)
{
	static const char *const names[] = { "no-state", "init", "ready", "running", "paused", "load", "auth", NULL,
					     "init-failed", "exited", "resetting", "reset" };

	return NAME(names, state);
}

const char *gunyah_exit_reason_name(unsigned int reason)
{
	static const char *const names[] = { "unknown", "mmio", "status", "page-fault" };

	return NAME(names, reason);
}

const char *gunyah_exit_type_name(unsigned int type)
{
	static const char *const names[] = { "vm-exit", "system-off", "system-reset", "system-reset2", "watchdog",
					     "hypervisor-error", "hardware-error", "force-stop" };

	return NAME(names, type);
}

void gunyah_vm_init(struct gunyah_core_vm *vm)
{
	memset(vm, 0, sizeof(*vm));
	hv_memmap_init(&vm->map);
	env_lock_init(&vm->power_lock);
	gunyah_ioevents_init(&vm->events);
}

int gunyah_vm_boot_context(struct gunyah_core_vm *vm, u32 reg, u64 value)
{
	u32 set = (reg >> GUNYAH_VM_BOOT_CONTEXT_REG_SHIFT) & 0xff;
	u32 index = reg & 0xff;
	struct gunyah_boot_context *b = &vm->boot;

	if (vm->state != GUNYAH_VM_NO_STATE)
		return -EINVAL;
	switch (set) {
	case REG_SET_X:
		if (index > 31)
			return -EINVAL;
		if (index < 31) {
			b->x[index] = value;
			b->x_set |= 1u << index;
		}
		return 0;
	case REG_SET_PC:
		if (index)
			return -EINVAL;
		b->pc = value;
		b->pc_set = 1;
		return 0;
	case REG_SET_SP:
		if (index > 2)
			return -EINVAL;
		if (index < 2) {
			b->sp[index] = value;
			b->sp_set |= 1u << index;
		}
		return 0;
	default:
		return -EINVAL;
	}
}

void gunyah_vm_boot_context_forget(struct gunyah_core_vm *vm, u32 reg)
{
	u32 index = reg & 0x1f;

	switch ((reg >> GUNYAH_VM_BOOT_CONTEXT_REG_SHIFT) & 0xff) {
	case REG_SET_X:
		vm->boot.x_set &= ~(1u << index);
		break;
	case REG_SET_PC:
		vm->boot.pc_set = 0;
		break;
	case REG_SET_SP:
		vm->boot.sp_set &= ~(1u << index);
		break;
	}
}

int gunyah_vm_configure(struct gunyah_core_vm *vm, const void *dtb, size_t size)
{
	const struct hv_slot *slot;
	u32 i;

	env_write_once(vm->state, GUNYAH_VM_LOAD);
	if (gunyah_dt_read(dtb, size, &vm->dt, &vm->dt_error)) {
		env_write_once(vm->state, GUNYAH_VM_INIT_FAILED);
		return -EINVAL;
	}
	slot = hv_memmap_find(&vm->map, vm->dtb_gpa);
	if (!vm->dt.has_memory_base && slot)
		vm->dt.memory_base = slot->gpa;
	gunyah_gic_configure(vm);
	for (i = 0; i < GUNYAH_VCPUS; i++) {
		if (vm->vcpu[i])
			gunyah_gic_attach(vm->vcpu[i]);
	}
	env_write_once(vm->state, GUNYAH_VM_READY);
	return 0;
}

bool gunyah_vm_has_vcpu(const struct gunyah_core_vm *vm, u32 id)
{
	return id < vm->dt.cpus && (vm->dt.enabled >> id & 1);
}

static u32 boot_vcpu(const struct gunyah_core_vm *vm)
{
	return vm->dt.enabled ? (u32)__builtin_ctz(vm->dt.enabled) : 0;
}

void gunyah_vm_attach_vcpu(struct gunyah_core_vm *vm, struct gunyah_vcpu *v, u32 id, void *arena, size_t size, size_t limit)
{
	v->vm = vm;
	v->id = id;
	arm64_init(&v->cpu, &vm->map, id, arena, size, limit);
	v->cpu.device_limit = GUNYAH_DEVICE_LIMIT;
	arm64_reset(&v->cpu);
	gunyah_gic_attach(v);
	gunyah_peers_attach(v);
	env_store_release(&vm->vcpu[id], v);
}

void gunyah_vm_boot_vcpu(struct gunyah_core_vm *vm, struct gunyah_vcpu *v)
{
	const struct gunyah_boot_context *b = &vm->boot;
	struct arm64_state *s = &v->scratch;
	u32 i;

	if (v->id != boot_vcpu(vm) || v->started)
		return;
	arm64_state_get(&v->cpu, s);
	s->pc = vm->dt.memory_base;
	s->x[0] = vm->dtb_gpa;
	for (i = 0; i < 31; i++) {
		if (b->x_set >> i & 1)
			s->x[i] = b->x[i];
	}
	if (b->pc_set)
		s->pc = b->pc;
	if (b->sp_set & 1)
		s->sp_el0 = b->sp[0];
	if (b->sp_set & 2)
		s->sp_el1 = b->sp[1];
	arm64_state_set(&v->cpu, s);
	env_write_once(v->power, GUNYAH_POWER_ON);
}

void gunyah_vm_run(struct gunyah_core_vm *vm)
{
	struct gunyah_vcpu *v = vm->vcpu[boot_vcpu(vm)];

	if (v)
		gunyah_vm_boot_vcpu(vm, v);
	env_store_release(&vm->state, GUNYAH_VM_RUNNING);
}

void gunyah_vm_exit(struct gunyah_core_vm *vm, u16 type, u32 reason_size, u64 reason)
{
	u32 i;

	env_lock_take(&vm->power_lock);
	if (vm->state == GUNYAH_VM_RUNNING) {
		memset(&vm->exit_info, 0, sizeof(vm->exit_info));
		vm->exit_info.type = type;
		vm->exit_info.reason_size = reason_size;
		memcpy(vm->exit_info.reason, &reason, sizeof(vm->exit_info.reason));
		env_store_release(&vm->state, GUNYAH_VM_EXITED);
	}
	env_lock_drop(&vm->power_lock);
	for (i = 0; i < GUNYAH_VCPUS; i++) {
		struct gunyah_vcpu *v = env_load_acquire(&vm->vcpu[i]);

		if (v)
			hv_cpu_request(&v->cpu.hv, HV_REQ_STOP);
	}
	env_write_once(vm->wake, 1);
}
