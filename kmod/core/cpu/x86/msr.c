// SPDX-License-Identifier: GPL-2.0 OR MIT
/* RDMSR and WRMSR: which MSRs there are (4, chapter 2), what may be written to them.  Any other raises #GP(0). */
#include "internal.h"

static enum x86_leave gp(struct x86_cpu *cpu)
{
	return x86_raise_error(cpu, X86_GP, 0);
}

/*
 * ARCH_CAPABILITIES (4, table 2-2): a CPU that executes one instruction after the other has none of the flaws of those that
 * guess: RDCL, IBRS always on, L1D flush, SSB, MDS, page size change, TAA, stale data, BHI, PBRSB, GDS, RFDS, ITS.
 */
#define ARCH_CAPABILITIES \
	(1ull << 0 | 1ull << 1 | 1ull << 3 | 1ull << 4 | 1ull << 5 | 1ull << 6 | 1ull << 8 | 1ull << 13 | 1ull << 14 | \
	 1ull << 15 | 1ull << 20 | 1ull << 24 | 1ull << 26 | 1ull << 27 | 1ull << 62)

static bool is_apic_msr(u32 n)
{
	return n == X86_MSR_APIC_BASE || n == X86_MSR_TSC_DEADLINE || (n >= X86_MSR_X2APIC && n < X86_MSR_X2APIC + 0x100);
}

/* Plain MSRs that must hold a canonical address. */
static u64 *address_msr(struct x86_cpu *cpu, u32 n)
{
	switch (n) {
	case 0x175:
		return &cpu->sysenter_esp;
	case 0x176:
		return &cpu->sysenter_eip;
	case 0xc0000082:
		return &cpu->lstar;
	case 0xc0000083:
		return &cpu->cstar;
	case 0xc0000100:
		return &cpu->seg[X86_FS].base;
	case 0xc0000101:
		return &cpu->seg[X86_GS].base;
	case 0xc0000102:
		return &cpu->kernel_gs_base;
	default:
		return NULL;
	}
}

/* MTRRs keep what is written; memory types mean nothing to a CPU without caches (3A 11.11). */
static u64 *mtrr(struct x86_cpu *cpu, u32 n)
{
	static const u16 fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f, 0x2ff };
	u32 k;

	if (!x86_has(cpu, X86_HAS_MTRR))
		return NULL;
	if (n >= 0x200 && n < 0x210)
		return &cpu->mtrr[n - 0x200];
	for (k = 0; k < ARRAY_SIZE(fixed); k++) {
		if (n == fixed[k])
			return &cpu->mtrr[16 + k];
	}
	return NULL;
}

static bool memory_type(u64 v, bool pat)
{
	v &= 0xff;
	return v < 8 && v != 2 && v != 3 && (v != 7 || pat);
}

static bool mtrr_good(u32 n, u64 v)
{
	u32 k;

	if (n == 0x2ff)
		return memory_type(v, false) && !(v & ~0xcffull);
	if (n < 0x250)
		return n & 1 ? !(v & ~0xffffffff800ull) : memory_type(v, false) && !(v & ~0xffffffff0ffull);
	for (k = 0; k < 8; k++) {
		if (!memory_type(v >> (k * 8), false))
			return false;
	}
	return true;
}

static bool pat_good(u64 v)
{
	u32 k;

	for (k = 0; k < 8; k++) {
		if (!memory_type(v >> (k * 8), true))
			return false;
	}
	return true;
}

static bool write_efer(struct x86_cpu *cpu, u64 v)
{
	u64 changed = cpu->efer ^ v;

	if ((v & ~(X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE)) || ((changed & X86_EFER_LME) && (cpu->cr0 & CR0_PG)))
		return false;
	if (((v & X86_EFER_NXE) && !x86_has(cpu, X86_HAS_NX)) || ((v & X86_EFER_LME) && !x86_has(cpu, X86_HAS_LM)))
		return false;
	cpu->efer = (v & ~X86_EFER_LMA) | (cpu->efer & X86_EFER_LMA);
	if (changed & X86_EFER_NXE)
		x86_tlb_flush(cpu);
	return true;
}

static bool write_msr(struct x86_cpu *cpu, u32 n, u64 v)
{
	u64 *at = mtrr(cpu, n);

	if (at) {
		if (mtrr_good(n, v))
			*at = v;
		return mtrr_good(n, v);
	}
	switch (n) {
	case 0x10:	/* TSC */
		v -= x86_tsc(cpu);
		cpu->tsc_offset += v;
		cpu->tsc_adjust += v;
		return true;
	case 0x3b:	/* TSC_ADJUST: the TSC moves along */
		cpu->tsc_offset += v - cpu->tsc_adjust;
		cpu->tsc_adjust = v;
		return true;
	case 0x48:	/* SPEC_CTRL: nothing is executed ahead of time; IBRS and STIBP are kept */
		if (!x86_has(cpu, X86_HAS_SPEC) || (v & ~3ull))
			return false;
		cpu->spec_ctrl = v;
		return true;
	case 0x49:	/* PRED_CMD: indirect branch prediction barrier */
		return x86_has(cpu, X86_HAS_SPEC) && !(v & ~1ull);
	case 0x79:	/* microcode update trigger */
	case 0x8b:	/* microcode signature: cleared before CPUID fills it in */
		return true;
	case 0x174:
		cpu->sysenter_cs = v;
		return true;
	case 0x1a0:
		cpu->misc_enable = v;
		return true;
	case 0x1d9:	/* DEBUGCTL: neither branch records nor branch steps */
		return !v;
	case 0x277:
		if (pat_good(v))
			cpu->pat = v;
		return pat_good(v);
	case 0xc0000080:
		return write_efer(cpu, v);
	case 0xc0000081:
		cpu->star = v;
		return true;
	case 0xc0000084:
		cpu->sfmask = (u32)v;
		return true;
	case 0xc0000103:
		if (!x86_has(cpu, X86_HAS_RDTSCP) || v >> 32)
			return false;
		cpu->tsc_aux = v;
		return true;
	default:
		return false;
	}
}

static bool read_msr(struct x86_cpu *cpu, u32 n, u64 *v)
{
	u64 *at = address_msr(cpu, n);

	*v = 0;
	if (!at)
		at = mtrr(cpu, n);
	if (at) {
		*v = *at;
		return true;
	}
	switch (n) {
	case 0x10:
		*v = x86_tsc(cpu);
		return true;
	case 0x3b:
		*v = cpu->tsc_adjust;
		return true;
	case 0x17:	/* PLATFORM_ID */
	case 0x8b:
	case 0x179:	/* MCG_CAP: no banks */
	case 0x17a:
	case 0x1d9:
		return true;
	case 0x3a:	/* FEATURE_CONTROL: locked, nothing on */
		*v = 1;
		return true;
	case 0x48:
		*v = cpu->spec_ctrl;
		return x86_has(cpu, X86_HAS_SPEC);
	case 0x10a:
		*v = ARCH_CAPABILITIES;
		return x86_has(cpu, X86_HAS_SPEC);
	case 0xfe:	/* MTRRCAP: eight variable ranges, fixed ones, write combining */
		*v = 0x508;
		return x86_has(cpu, X86_HAS_MTRR);
	case 0x174:
		*v = cpu->sysenter_cs;
		return true;
	case 0x1a0:
		*v = cpu->misc_enable;
		return true;
	case 0x277:
		*v = cpu->pat;
		return true;
	case 0xc0000080:
		*v = cpu->efer;
		return true;
	case 0xc0000081:
		*v = cpu->star;
		return true;
	case 0xc0000084:
		*v = cpu->sfmask;
		return true;
	case 0xc0000103:
		*v = cpu->tsc_aux;
		return x86_has(cpu, X86_HAS_RDTSCP);
	default:
		return false;
	}
}

bool x86_msr_set(struct x86_cpu *cpu, u32 n, u64 v)
{
	u64 *at;

	if (cpu->apic && is_apic_msr(n))
		return cpu->apic->write_msr(cpu->hv.irq.context, n, v);
	at = address_msr(cpu, n);
	if (at) {
		if (x86_canonical(v))
			*at = v;
		return x86_canonical(v);
	}
	return write_msr(cpu, n, v);
}

bool x86_msr_get(struct x86_cpu *cpu, u32 n, u64 *v)
{
	return cpu->apic && is_apic_msr(n) ? cpu->apic->read_msr(cpu->hv.irq.context, n, v) : read_msr(cpu, n, v);
}

/* The instruction serialises on success; the caller sees to that. */
enum x86_leave x86_wrmsr(struct x86_cpu *cpu)
{
	u64 v = (u32)cpu->r[X86_RAX] | cpu->r[X86_RDX] << 32;
	u32 n = (u32)cpu->r[X86_RCX];

	if (cpu->cpl)
		return gp(cpu);
	if (x86_hyperv_msr(cpu, n))
		return x86_hyperv_access(cpu, n, HV_WRITE, &v);
	return x86_msr_set(cpu, n, v) ? X86_NEXT : gp(cpu);
}

enum x86_leave x86_rdmsr(struct x86_cpu *cpu)
{
	u32 n = (u32)cpu->r[X86_RCX];
	enum x86_leave e = X86_NEXT;
	u64 v;

	if (cpu->cpl)
		return gp(cpu);
	if (x86_hyperv_msr(cpu, n))
		e = x86_hyperv_access(cpu, n, HV_READ, &v);
	else if (!x86_msr_get(cpu, n, &v))
		e = gp(cpu);
	if (e)
		return e;
	cpu->r[X86_RAX] = (u32)v;
	cpu->r[X86_RDX] = v >> 32;
	return X86_NEXT;
}
