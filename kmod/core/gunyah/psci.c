// SPDX-License-Identifier: GPL-2.0 OR MIT
/* PSCI 1.1 (Arm DEN 0022) and the SMCCC probes (Arm DEN 0028), by HVC.  Facts: HYP hyp/vm/psci. */
#include "gunyah.h"

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0x84000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0x84000003u
#define PSCI_AFFINITY_INFO 0x84000004u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_CPU_DEFAULT_SUSPEND 0x8400000cu
#define PSCI_SYSTEM_RESET2 0x84000012u
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_VENDOR_UID 0x8600ff01u
#define SMCCC_64 0x40000000u

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
#define PSCI_INTERNAL_FAILURE (-6)

#define PSCI_VERSION_1_1 0x10001
#define SMCCC_VERSION_1_1 0x10001
/* MPIDR: Aff0 is the vCPU number, every other affinity is 0 */
#define MPIDR_AFFINITY 0xff00ffffffull

static s64 cpu_on(struct gunyah_vcpu *v, u64 mpidr, u64 entry, u64 context)
{
	struct gunyah_core_vm *vm = v->vm;
	struct gunyah_vcpu *target;
	s64 result = PSCI_SUCCESS;

	if ((mpidr & ~MPIDR_AFFINITY) || mpidr >= GUNYAH_VCPUS || !gunyah_vm_has_vcpu(vm, (u32)mpidr))
		return PSCI_INVALID_PARAMETERS;
	target = env_load_acquire(&vm->vcpu[mpidr]);
	if (!target)
		return PSCI_INTERNAL_FAILURE;
	env_lock_take(&vm->power_lock);
	if (target->power == GUNYAH_POWER_ON) {
		result = PSCI_ALREADY_ON;
	} else if (target->power == GUNYAH_POWER_ON_PENDING) {
		result = PSCI_ON_PENDING;
	} else {
		target->entry = entry;
		target->context = context;
		env_store_release(&target->power, GUNYAH_POWER_ON_PENDING);
		env_write_once(vm->wake, 1);
	}
	env_lock_drop(&vm->power_lock);
	return result;
}

static s64 affinity_info(struct gunyah_vcpu *v, u64 mpidr, u64 level)
{
	struct gunyah_vcpu *target;
	u32 power;

	if (level || mpidr >= GUNYAH_VCPUS || !gunyah_vm_has_vcpu(v->vm, (u32)mpidr))
		return PSCI_INVALID_PARAMETERS;
	target = env_load_acquire(&v->vm->vcpu[mpidr]);
	power = target ? env_read_once(target->power) : GUNYAH_POWER_OFF;
	return power == GUNYAH_POWER_ON ? 0 : power == GUNYAH_POWER_OFF ? 1 : 2;
}

static s64 features(u32 id)
{
	switch (id & ~SMCCC_64) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON:
	case PSCI_AFFINITY_INFO:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case PSCI_CPU_DEFAULT_SUSPEND:
	case PSCI_SYSTEM_RESET2:
	case SMCCC_VERSION:
		return PSCI_SUCCESS;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

/* Gunyah's identity, c1d58fcd-a453-5fdb-9265-ce36673d5f14, as four little-endian words */
static void vendor_uid(struct arm64_cpu *cpu)
{
	arm64_set_x(cpu, 0, 0xcd8fd5c1u);
	arm64_set_x(cpu, 1, 0xdb5f53a4u);
	arm64_set_x(cpu, 2, 0x36ce6592u);
	arm64_set_x(cpu, 3, 0x145f3d67u);
}

static void power_off(struct gunyah_vcpu *v)
{
	env_lock_take(&v->vm->power_lock);
	env_write_once(v->power, GUNYAH_POWER_OFF);
	env_lock_drop(&v->vm->power_lock);
}

bool gunyah_psci_call(struct gunyah_vcpu *v)
{
	struct arm64_cpu *cpu = &v->cpu;
	u32 id = (u32)arm64_get_x(cpu, 0);
	u64 mask = id & SMCCC_64 ? ~0ull : 0xffffffffull;
	u64 a1 = arm64_get_x(cpu, 1) & mask;
	u64 a2 = arm64_get_x(cpu, 2) & mask;
	u64 a3 = arm64_get_x(cpu, 3) & mask;
	s64 result = PSCI_NOT_SUPPORTED;

	switch (id) {
	case PSCI_VERSION:
		result = PSCI_VERSION_1_1;
		break;
	case PSCI_CPU_OFF:
		power_off(v);
		return false;
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_SUSPEND | SMCCC_64:
	case PSCI_CPU_DEFAULT_SUSPEND:
	case PSCI_CPU_DEFAULT_SUSPEND | SMCCC_64:
		/* standby: returns with the next wake-up event, as WFI does */
		v->cpu.hv.idle = 1;
		result = PSCI_SUCCESS;
		break;
	case PSCI_CPU_ON:
	case PSCI_CPU_ON | SMCCC_64:
		result = cpu_on(v, a1, a2, a3);
		break;
	case PSCI_AFFINITY_INFO:
	case PSCI_AFFINITY_INFO | SMCCC_64:
		result = affinity_info(v, a1, a2);
		break;
	case PSCI_SYSTEM_OFF:
		gunyah_vm_exit(v->vm, GUNYAH_EXIT_PSCI_SYSTEM_OFF, 4, 0);
		return true;
	case PSCI_SYSTEM_RESET:
		gunyah_vm_exit(v->vm, GUNYAH_EXIT_PSCI_SYSTEM_RESET, 4, 0);
		return true;
	case PSCI_SYSTEM_RESET2:
	case PSCI_SYSTEM_RESET2 | SMCCC_64:
		/* reports 16 bytes of reason, of which the page holds 8 */
		gunyah_vm_exit(v->vm, GUNYAH_EXIT_PSCI_SYSTEM_RESET2, 16, (u32)a1);
		return true;
	case PSCI_FEATURES:
		result = features((u32)a1);
		break;
	case SMCCC_VERSION:
		result = SMCCC_VERSION_1_1;
		break;
	case SMCCC_ARCH_FEATURES:
		result = (u32)a1 == SMCCC_VERSION || (u32)a1 == SMCCC_ARCH_FEATURES ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED;
		break;
	case SMCCC_VENDOR_UID:
		vendor_uid(cpu);
		return false;
	default:
		break;
	}
	arm64_set_x(cpu, 0, (u64)result);
	return false;
}
