// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ACRN VM and vCPU life: states, reset, registers.  Facts: hypervisor/common/hypercall.c and arch/x86/guest/vcpu.c. */
#include "ioreq.h"

#define NAME(table, n) ((n) < ARRAY_SIZE(table) ? (table)[n] : "?")

const char *acrn_vm_state_name(unsigned int state)
{
	static const char *const names[] = { "powered-off", "created", "running", "paused" };

	return NAME(names, state);
}

const char *acrn_vcpu_state_name(unsigned int state)
{
	static const char *const names[] = { "init", "running", "blocked", "zombie" };

	return NAME(names, state);
}

const char *acrn_slot_state_name(unsigned int processed)
{
	static const char *const names[] = { "pending", "complete", "processing", "free" };

	return NAME(names, processed);
}

u32 acrn_affinity_vcpus(u64 affinity)
{
	u32 n = 0;

	for (; affinity; affinity &= affinity - 1)
		n++;
	return n ? n : 1;
}

u32 acrn_affinity_apic_id(u64 affinity, u32 n)
{
	u32 i = n;

	if (!affinity)
		return n;
	while (i--)
		affinity &= affinity - 1;
	return affinity ? (u32)__builtin_ctzll(affinity) : n;
}

static void slots_free(struct acrn_core_vm *vm)
{
	u32 i;

	for (i = 0; i < ACRN_IO_REQUEST_MAX; i++)
		env_store_release(&vm->requests->req_slot[i].processed, ACRN_IOREQ_STATE_FREE);
}

void acrn_vm_init(struct acrn_core_vm *vm, u16 vmid, u64 flags, struct acrn_io_request_buffer *requests)
{
	memset(vm, 0, sizeof(*vm));
	vm->vmid = vmid;
	vm->flags = flags;
	vm->requests = requests;
	vm->state = ACRN_VM_CREATED;
	hv_memmap_init(&vm->map);
	env_lock_init(&vm->device_lock);
	irqchip_init(&vm->chip, ACRN_IOAPIC_PINS);
	slots_free(vm);
}

static void vcpu_reset(struct acrn_vcpu *v)
{
	hv_cpu_forget(&v->cpu.hv);
	v->cpu.hv.idle = 0;
	x86_reset(&v->cpu);
	lapic_reset(&v->lapic);
	env_write_once(v->state, ACRN_VCPU_INIT);
	v->answered = 0;
	v->shutdown = 0;
	/* userspace may have rewritten memory: trust no decoded byte, no translation */
	hv_cpu_request(&v->cpu.hv, HV_REQ_FLUSH);
}

void acrn_vm_add_vcpu(struct acrn_core_vm *vm, struct acrn_vcpu *v, u32 apic_id, void *arena, size_t size, size_t limit)
{
	v->vm = vm;
	v->id = vm->vcpu_num;
	v->apic_id = apic_id;
	x86_cpu_init(&v->cpu, &vm->map, apic_id, arena, size, limit);
	irqchip_add(&vm->chip, &v->lapic, &v->cpu, apic_id);
	vcpu_reset(v);
	vm->vcpu[vm->vcpu_num++] = v;
}

int acrn_vm_start(struct acrn_core_vm *vm)
{
	if (vm->state != ACRN_VM_CREATED)
		return -EPERM;
	env_write_once(vm->vcpu[0]->state, ACRN_VCPU_RUNNING);
	vm->state = ACRN_VM_RUNNING;
	return 0;
}

int acrn_vm_pause(struct acrn_core_vm *vm)
{
	if (vm->state == ACRN_VM_POWERED_OFF)
		return -EPERM;
	vm->state = ACRN_VM_PAUSED;
	return 0;
}

int acrn_vm_reset(struct acrn_core_vm *vm)
{
	u32 i;

	if (vm->state != ACRN_VM_PAUSED)
		return -EPERM;
	for (i = 0; i < vm->vcpu_num; i++)
		vcpu_reset(vm->vcpu[i]);
	ioapic_reset(&vm->chip.ioapic);
	slots_free(vm);
	vm->state = ACRN_VM_CREATED;
	return 0;
}

int acrn_vm_destroy(struct acrn_core_vm *vm)
{
	if (vm->state != ACRN_VM_PAUSED)
		return -EPERM;
	vm->state = ACRN_VM_POWERED_OFF;
	return 0;
}

/* CR0 and CR4 bits that the manual reserves: Intel SDM volume 3, section 2.5 */
#define CR0_RESERVED (~0xe005003full)
#define CR4_RESERVED (~0x1ff7fffull)
/* ACRN drops VMXE, SMXE and MCE from the CR4 that it is given */
#define CR4_DROPPED ((1ull << 13) | (1ull << 14) | (1ull << 6))
#define RFLAGS_ARITHMETIC 0x8d5ull

static bool any_nonzero(const void *bytes, size_t n)
{
	const u8 *b = bytes;

	while (n--) {
		if (*b++)
			return true;
	}
	return false;
}

static bool regs_reserved_clear(const struct acrn_vcpu_regs *r)
{
	const struct acrn_regs *v = &r->vcpu_regs;

	return !any_nonzero(r->reserved, sizeof(r->reserved)) && !any_nonzero(v->reserved_32, sizeof(v->reserved_32)) &&
	       !any_nonzero(v->reserved_64, sizeof(v->reserved_64)) &&
	       !any_nonzero(v->gdt.reserved, sizeof(v->gdt.reserved)) && !any_nonzero(v->idt.reserved, sizeof(v->idt.reserved));
}

/* ACRN does not read the GDT here: base 0 whatever the selector, limit and rights by CR0.PE alone. */
static void segment_flat(struct x86_segment *s, u16 selector, bool protected_mode)
{
	s->selector = selector;
	s->base = 0;
	s->limit = protected_mode ? 0xffffffffu : 0xffffu;
	s->attributes = protected_mode ? 0xc093 : 0x93;
}

static void state_from_regs(struct x86_state *s, const struct acrn_regs *r)
{
	u64 rflags = env_le64(r->rflags);
	bool pe = env_le64(r->cr0) & 1;

	memcpy(s->gpr, &r->gprs, sizeof(s->gpr));
	s->gdt.base = env_le64(r->gdt.base);
	s->gdt.limit = env_le16(r->gdt.limit);
	s->idt.base = env_le64(r->idt.base);
	s->idt.limit = env_le16(r->idt.limit);
	s->rip = env_le64(r->rip);
	s->cr0 = env_le64(r->cr0);
	s->cr3 = env_le64(r->cr3);
	s->cr4 = env_le64(r->cr4) & ~CR4_DROPPED;
	s->efer = env_le64(r->ia32_efer);
	s->rflags = rflags ? (rflags & ~RFLAGS_ARITHMETIC) | 2 : 2;
	s->seg[X86_CS].selector = env_le16(r->cs_sel);
	s->seg[X86_CS].base = env_le64(r->cs_base);
	s->seg[X86_CS].limit = env_le32(r->cs_limit);
	s->seg[X86_CS].attributes = (u16)env_le32(r->cs_ar);
	segment_flat(&s->seg[X86_SS], env_le16(r->ss_sel), pe);
	segment_flat(&s->seg[X86_DS], env_le16(r->ds_sel), pe);
	segment_flat(&s->seg[X86_ES], env_le16(r->es_sel), pe);
	segment_flat(&s->seg[X86_FS], env_le16(r->fs_sel), pe);
	segment_flat(&s->seg[X86_GS], env_le16(r->gs_sel), pe);
	s->seg[X86_LDTR].selector = env_le16(r->ldt_sel);
	s->seg[X86_LDTR].base = 0;
	s->seg[X86_LDTR].limit = 0xffff;
	s->seg[X86_LDTR].attributes = 0x82;
	s->seg[X86_TR].selector = env_le16(r->tr_sel);
	s->seg[X86_TR].base = 0;
	s->seg[X86_TR].limit = 0xffff;
	s->seg[X86_TR].attributes = 0x8b;
}

int acrn_set_vcpu_regs(struct acrn_core_vm *vm, const struct acrn_vcpu_regs *regs)
{
	const struct acrn_regs *r = &regs->vcpu_regs;
	struct acrn_vcpu *v;
	u32 id = regs->vcpu_id;

	if (!regs_reserved_clear(regs))
		return -EINVAL;
	if (vm->state == ACRN_VM_RUNNING || vm->state == ACRN_VM_POWERED_OFF || id >= vm->vcpu_num)
		return -EPERM;
	if ((env_le64(r->cr0) & CR0_RESERVED) || (env_le64(r->cr4) & CR4_RESERVED))
		return -EPERM;
	v = vm->vcpu[id];
	x86_state_get(&v->cpu, &v->scratch);
	state_from_regs(&v->scratch, r);
	acrn_vcpu_load(v);
	hv_cpu_request(&v->cpu.hv, HV_REQ_FLUSH);
	return 0;
}
