// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Hyper-V's interface: which MSRs there are and what may be written to them (TLFS, appendix B); everything else is served outside. */
#include "internal.h"

enum {
	GUEST_OS_ID = 0x00, HYPERCALL = 0x01, VP_INDEX = 0x02, REFERENCE_COUNT = 0x20,
	SCONTROL = 0x80, SVERSION = 0x81, SIEFP = 0x82, SIMP = 0x83, EOM = 0x84, SINT0 = 0x90, SINT15 = 0x9f
};

#define SINT_MASKED (1ull << 16)
#define FIRST_VECTOR 16

bool x86_hyperv_msr(const struct x86_cpu *cpu, u32 n)
{
	u32 at = n - X86_HYPERV_MSR_BASE;

	if (!cpu->hyperv)
		return false;
	if (at <= VP_INDEX || at == REFERENCE_COUNT)
		return true;
	return cpu->synic && ((at >= SCONTROL && at <= EOM) || (at >= SINT0 && at <= SINT15));
}

/* Vectors below 16 are the processor's exceptions (TLFS 11.8.1). */
static bool writable(u32 at, u64 v)
{
	if (at == VP_INDEX || at == REFERENCE_COUNT || at == SVERSION)
		return false;
	return at < SINT0 || (v & SINT_MASKED) || (v & 0xff) >= FIRST_VECTOR;
}

static enum x86_leave ask(struct x86_cpu *cpu, u64 address, u8 direction, u64 *v)
{
	if (hv_cpu_device(&cpu->hv, HV_SPACE_MMIO, address, 8, direction, v))
		return X86_NEXT;
	cpu->stop = HV_EXIT_ACCESS;
	return X86_STOP;
}

enum x86_leave x86_hyperv_access(struct x86_cpu *cpu, u32 n, u8 direction, u64 *v)
{
	u32 at = n - X86_HYPERV_MSR_BASE;

	if (direction == HV_WRITE && !writable(at, *v))
		return x86_raise_error(cpu, X86_GP, 0);
	return ask(cpu, X86_HYPERV_MSRS + at * 8, direction, v);
}

/* TLFS 3.7: only with privilege 0, and not in real mode.  The result is RAX or EDX:EAX. */
enum x86_leave x86_hypercall(struct x86_cpu *cpu)
{
	enum x86_leave e;
	u64 result;

	if (!cpu->hyperv || cpu->cpl || x86_real(cpu))
		return x86_raise(cpu, X86_UD);
	e = ask(cpu, X86_HYPERV_CALL, HV_READ, &result);
	if (e)
		return e;
	cpu->r[X86_RAX] = x86_code64(cpu) ? result : (u32)result;
	if (!x86_code64(cpu))
		cpu->r[X86_RDX] = result >> 32;
	return X86_NEXT;
}
