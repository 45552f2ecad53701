// SPDX-License-Identifier: GPL-2.0 OR MIT
/* MRS and MSR: one row per register (C5.2, D17).  What has no row is UNDEFINED, but for the ID space, which reads as zero. */
#include "internal.h"

#define REG(op0, op1, crn, crm, op2) ((u16)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

#define EL0_READ 1u
#define EL0_WRITE 2u
#define READ_ONLY 4u
#define WRITE_ONLY 8u

enum kind {
	STORED,		/* as written, at offset in struct arm64_sysregs; value: writable bits */
	CONSTANT,	/* value; writes are ignored unless READ_ONLY forbids them */
	TRANSLATES,	/* STORED, and translations change with it */
	DEBUG,		/* STORED, and debug.c has to know */
	TABLE,		/* STORED, and the address space may be another with it */
	MPIDR, SP_EL0, SPSEL, CURRENTEL, NZCV, DAIF, CTR, CCSIDR, OSLAR, OSLSR,
	CNTFRQ, CNTVCT, CNTPCT, CNTV_CTL, CNTV_TVAL, CNTP_CTL, CNTP_TVAL, CNTV_CVAL, CNTP_CVAL, FPCR, ISR, PFR0, FPSR, CPACR, PAN
};

struct row {
	u16 reg;
	u8 access;
	u8 kind;
	u16 offset;
	u64 value;
};

#define AT_OFFSET(field) ((u16)offsetof(struct arm64_sysregs, field))
#define S(reg, access, field) { reg, access, STORED, AT_OFFSET(field), ~0ull }
#define T(reg, field) { reg, 0, TRANSLATES, AT_OFFSET(field), ~0ull }
#define B(reg, field) { reg, 0, TABLE, AT_OFFSET(field), ~0ull }
#define D(reg, field, writable) { reg, 0, DEBUG, AT_OFFSET(field), writable }
#define C(reg, access, value) { reg, access, CONSTANT, 0, value }
#define K(reg, access, kind) { reg, access, kind, 0, 0 }

static const struct row rows[] = {
	/* what kernels touch all the time comes first: the search is linear */
	K(REG(3, 0, 4, 1, 0), 0, SP_EL0),
	S(REG(3, 0, 13, 0, 4), 0, tpidr_el1),
	K(REG(3, 3, 4, 2, 1), EL0_READ | EL0_WRITE, DAIF),
	S(REG(3, 0, 4, 0, 0), 0, spsr_el1),
	S(REG(3, 0, 4, 0, 1), 0, elr_el1),
	S(REG(3, 0, 5, 2, 0), 0, esr_el1),
	S(REG(3, 0, 6, 0, 0), 0, far_el1),
	S(REG(3, 3, 13, 0, 2), EL0_READ | EL0_WRITE, tpidr_el0),
	S(REG(3, 3, 13, 0, 3), EL0_READ, tpidrro_el0),
	K(REG(3, 3, 0, 0, 1), EL0_READ | READ_ONLY, CTR),
	C(REG(3, 3, 0, 0, 7), EL0_READ | READ_ONLY, 4),			/* DCZID_EL0: 64 bytes */
	K(REG(3, 3, 14, 0, 2), EL0_READ | READ_ONLY, CNTVCT),
	B(REG(3, 0, 2, 0, 0), ttbr0_el1),
	B(REG(3, 0, 2, 0, 1), ttbr1_el1),
	S(REG(3, 0, 13, 0, 1), 0, contextidr_el1),
	K(REG(3, 3, 4, 2, 0), EL0_READ | EL0_WRITE, NZCV),

	K(REG(3, 0, 4, 2, 0), 0, SPSEL),
	K(REG(3, 0, 4, 2, 2), READ_ONLY, CURRENTEL),
	K(REG(3, 0, 4, 2, 3), 0, PAN),
	T(REG(3, 0, 1, 0, 0), sctlr_el1),
	S(REG(3, 0, 1, 0, 1), 0, actlr_el1),
	K(REG(3, 0, 1, 0, 2), 0, CPACR),
	T(REG(3, 0, 2, 0, 2), tcr_el1),
	S(REG(3, 0, 5, 1, 0), 0, afsr0_el1),
	S(REG(3, 0, 5, 1, 1), 0, afsr1_el1),
	S(REG(3, 0, 7, 4, 0), 0, par_el1),
	S(REG(3, 0, 10, 2, 0), 0, mair_el1),
	S(REG(3, 0, 10, 3, 0), 0, amair_el1),
	S(REG(3, 0, 12, 0, 0), 0, vbar_el1),
	K(REG(3, 0, 12, 1, 0), READ_ONLY, ISR),
	S(REG(3, 0, 14, 1, 0), 0, cntkctl_el1),

	/* identification; ID_AA64PFR0: EL0 and EL1 AArch64 only, FP and AdvSIMD without FP16, CSV2, CSV3 (nothing speculates here) */
	C(REG(3, 0, 0, 0, 0), READ_ONLY, 0x000f0480),			/* MIDR_EL1 as Gunyah's */
	K(REG(3, 0, 0, 0, 5), READ_ONLY, MPIDR),
	C(REG(3, 0, 0, 0, 6), READ_ONLY, 0),				/* REVIDR_EL1 */
	{ REG(3, 0, 0, 4, 0), READ_ONLY, PFR0, 0, 0x1100000000000011ull },	/* ID_AA64PFR0_EL1 */
	C(REG(3, 0, 0, 5, 0), READ_ONLY, 0x0000000010101006ull),	/* ID_AA64DFR0_EL1: v8 debug, two of each, no PMU */
	C(REG(3, 0, 0, 6, 0), READ_ONLY, 0x0000000000211120ull),	/* ID_AA64ISAR0_EL1: Atomic, CRC32, SHA256, SHA1, AES and PMULL */
	C(REG(3, 0, 0, 7, 0), READ_ONLY, 0x000000000f000025ull),	/* ID_AA64MMFR0_EL1: 48-bit PA, 16-bit ASID, 4 KiB */
	C(REG(3, 0, 0, 3, 0), READ_ONLY, 0x10110222),			/* MVFR0_EL1 to MVFR2_EL1: as ID_AA64PFR0_EL1 says */
	C(REG(3, 0, 0, 3, 1), READ_ONLY, 0x12111111),
	C(REG(3, 0, 0, 3, 2), READ_ONLY, 0x43),
	C(REG(3, 0, 0, 7, 1), READ_ONLY, 0x0000000000100000ull),	/* ID_AA64MMFR1_EL1: PAN */
	C(REG(3, 1, 0, 0, 1), READ_ONLY, 0x0000000001000003ull),	/* CLIDR_EL1: L1 split; LoC 1 */
	K(REG(3, 1, 0, 0, 0), READ_ONLY, CCSIDR),
	C(REG(3, 1, 0, 0, 7), READ_ONLY, 0),				/* AIDR_EL1 */
	S(REG(3, 2, 0, 0, 0), 0, csselr_el1),

	/* debug.c */
	D(REG(2, 0, 0, 2, 2), mdscr_el1, ~0ull),
	D(REG(2, 0, 0, 0, 4), bvr[0], ~0ull), D(REG(2, 0, 0, 1, 4), bvr[1], ~0ull),
	D(REG(2, 0, 0, 0, 5), bcr[0], 0xffe1e7), D(REG(2, 0, 0, 1, 5), bcr[1], 0xffe1e7),
	D(REG(2, 0, 0, 0, 6), wvr[0], ~3ull), D(REG(2, 0, 0, 1, 6), wvr[1], ~3ull),
	D(REG(2, 0, 0, 0, 7), wcr[0], 0x1f1fffff), D(REG(2, 0, 0, 1, 7), wcr[1], 0x1f1fffff),
	S(REG(2, 0, 0, 2, 0), 0, mdccint_el1),
	K(REG(2, 0, 1, 0, 4), WRITE_ONLY, OSLAR),
	K(REG(2, 0, 1, 1, 4), READ_ONLY, OSLSR),
	D(REG(2, 0, 1, 3, 4), osdlr_el1, 1),

	/* generic timer (D11); the outputs are in timer.c */
	K(REG(3, 3, 14, 0, 0), EL0_READ, CNTFRQ),
	K(REG(3, 3, 14, 0, 1), EL0_READ | READ_ONLY, CNTPCT),
	K(REG(3, 3, 14, 3, 1), EL0_READ | EL0_WRITE, CNTV_CTL),
	K(REG(3, 3, 14, 3, 2), EL0_READ | EL0_WRITE, CNTV_CVAL),
	K(REG(3, 3, 14, 3, 0), EL0_READ | EL0_WRITE, CNTV_TVAL),
	K(REG(3, 3, 14, 2, 1), EL0_READ | EL0_WRITE, CNTP_CTL),
	K(REG(3, 3, 14, 2, 2), EL0_READ | EL0_WRITE, CNTP_CVAL),
	K(REG(3, 3, 14, 2, 0), EL0_READ | EL0_WRITE, CNTP_TVAL),
	K(REG(3, 3, 4, 4, 0), EL0_READ | EL0_WRITE, FPCR),
	K(REG(3, 3, 4, 4, 1), EL0_READ | EL0_WRITE, FPSR),
};

/* DIC, IDC: no cache maintenance is ever needed; 64-byte lines; PIPT (D17.2.34) */
#define CTR_VALUE 0xb444c004ull
/* 128 sets, 4 ways, 64 bytes (D17.2.24) */
#define CCSIDR_VALUE ((127ull << 13) | (3 << 3) | 2)

#define ARM64_ISR_I 0x80u
#define PFR0_GIC (1ull << 24)	/* the GIC's registers are there */

#define CNTKCTL_EL0PCTEN 1u
#define CNTKCTL_EL0VCTEN 2u
#define CNTKCTL_EL0VTEN 0x100u
#define CNTKCTL_EL0PTEN 0x200u

/* EC 0x18 (D17.2.37): the trapped instruction's fields in another order. */
enum arm64_leave arm64_sysreg_trap(struct arm64_cpu *cpu, u32 w)
{
	u32 iss = ARM64_BITS(w, 20, 19) << 20 | ARM64_BITS(w, 7, 5) << 17 | ARM64_BITS(w, 18, 16) << 14 |
		  ARM64_BITS(w, 15, 12) << 10 | ARM64_BITS(w, 4, 0) << 5 | ARM64_BITS(w, 11, 8) << 1 | ARM64_BIT(w, 21);

	return arm64_raise(cpu, ARM64_EC_SYSREG, iss);
}

static u64 *stored(struct arm64_cpu *cpu, const struct row *r)
{
	return (u64 *)((u8 *)&cpu->sys + r->offset);
}

/* Registers that EL0 may reach only if EL1 has said so; the others with EL0_* rights it always may. */
static bool el0_trapped(const struct arm64_cpu *cpu, const struct row *r)
{
	switch (r->kind) {
	case DAIF:
		return !(cpu->sys.sctlr_el1 & ARM64_SCTLR_UMA);
	case CTR:
		return !(cpu->sys.sctlr_el1 & ARM64_SCTLR_UCT);
	case CNTFRQ:
		return !(cpu->sys.cntkctl_el1 & (CNTKCTL_EL0PCTEN | CNTKCTL_EL0VCTEN));
	case CNTVCT:
		return !(cpu->sys.cntkctl_el1 & CNTKCTL_EL0VCTEN);
	case CNTPCT:
		return !(cpu->sys.cntkctl_el1 & CNTKCTL_EL0PCTEN);
	case CNTV_CTL:
	case CNTV_CVAL:
	case CNTV_TVAL:
		return !(cpu->sys.cntkctl_el1 & CNTKCTL_EL0VTEN);
	case CNTP_CTL:
	case CNTP_CVAL:
	case CNTP_TVAL:
		return !(cpu->sys.cntkctl_el1 & CNTKCTL_EL0PTEN);
	default:
		return false;
	}
}

static u64 timer_control(const struct arm64_cpu *cpu, u64 ctl, u64 cval)
{
	bool met = (ctl & 1) && (s64)(arm64_counter(cpu) - cval) >= 0;

	return (ctl & 3) | (met ? 4 : 0);	/* ISTATUS */
}

static u64 read_register(struct arm64_cpu *cpu, const struct row *r)
{
	struct arm64_sysregs *s = &cpu->sys;

	switch (r->kind) {
	case STORED:
	case TRANSLATES:
	case TABLE:
	case DEBUG:
		return *stored(cpu, r);
	case CONSTANT:
		return r->value;
	case MPIDR:
		return 0x80000000ull | cpu->hv.id;
	case SP_EL0:
		return cpu->sp_bank[0];
	case SPSEL:
		return cpu->spsel;
	case CURRENTEL:
		return (u64)cpu->el << 2;
	case NZCV:
		return (u64)arm64_nzcv(cpu) << 28;
	case DAIF:
		return cpu->daif;
	case CTR:
		return CTR_VALUE;
	case CCSIDR:
		return CCSIDR_VALUE;
	case ISR:
		return env_read_once(cpu->hv.request) & HV_REQ_IRQ ? ARM64_ISR_I : 0;
	case PFR0:
		return r->value | (cpu->gic ? PFR0_GIC : 0);
	case OSLSR:
		return 8 | (s->oslock << 1);
	case PAN:
		return cpu->pan ? ARM64_PSTATE_PAN : 0;
	case FPCR:
		return cpu->fpcr;
	case FPSR:
		return cpu->fpsr;
	case CPACR:
		return s->cpacr_el1;
	case CNTFRQ:
		return ARM64_TIMER_HZ;
	case CNTVCT:
	case CNTPCT:
		return arm64_counter(cpu);
	case CNTV_CTL:
		return timer_control(cpu, s->cntv_ctl, s->cntv_cval);
	case CNTP_CTL:
		return timer_control(cpu, s->cntp_ctl, s->cntp_cval);
	case CNTV_CVAL:
		return s->cntv_cval;
	case CNTP_CVAL:
		return s->cntp_cval;
	case CNTV_TVAL:
		return (u32)(s->cntv_cval - arm64_counter(cpu));
	case CNTP_TVAL:
		return (u32)(s->cntp_cval - arm64_counter(cpu));
	default:
		return 0;
	}
}

/* The output follows at once: a handler that moves the compare value must not be interrupted again for the old one. */
static void timer_written(struct arm64_cpu *cpu)
{
	if (cpu->gic)
		cpu->gic->timer(cpu->gic_context);
}

static void write_timer(struct arm64_cpu *cpu, u8 kind, u64 v)
{
	struct arm64_sysregs *s = &cpu->sys;

	switch (kind) {
	case CNTV_CTL:
		s->cntv_ctl = v & 3;
		break;
	case CNTP_CTL:
		s->cntp_ctl = v & 3;
		break;
	case CNTV_CVAL:
		s->cntv_cval = v;
		break;
	case CNTP_CVAL:
		s->cntp_cval = v;
		break;
	case CNTV_TVAL:
		s->cntv_cval = arm64_counter(cpu) + arm64_sext(v, 32);
		break;
	default:
		s->cntp_cval = arm64_counter(cpu) + arm64_sext(v, 32);
		break;
	}
	timer_written(cpu);
}

static void write_register(struct arm64_cpu *cpu, const struct row *r, u64 v)
{
	struct arm64_sysregs *s = &cpu->sys;
	u64 old;

	switch (r->kind) {
	case STORED:
		*stored(cpu, r) = v & r->value;
		break;
	case TRANSLATES:
		*stored(cpu, r) = v;
		s->sctlr_el1 |= ARM64_SCTLR_RES1;
		arm64_tlb_flush(cpu);
		break;
	case DEBUG:
		*stored(cpu, r) = v & r->value;
		arm64_debug_changed(cpu);
		break;
	case TABLE:
		old = *stored(cpu, r);
		*stored(cpu, r) = v;
		cpu->space_stale = 1;
		/* TTBR1_EL1 is an ASID that comes and goes, and a table that stays */
		if (r->offset == AT_OFFSET(ttbr1_el1) && (old ^ v) << 16)
			arm64_tlb_flush(cpu);
		break;
	case SP_EL0:
		cpu->sp_bank[0] = v;
		break;
	case SPSEL:
		arm64_sp_select(cpu, cpu->el, v & 1);
		arm64_mode_update(cpu);
		break;
	case NZCV:
		arm64_nzcv_put(cpu, (u32)(v >> 28) & 15);
		break;
	case DAIF:
		cpu->daif = (u32)(v & ARM64_PSTATE_DAIF);
		arm64_mode_update(cpu);
		break;
	case PAN:
		cpu->pan = !!(v & ARM64_PSTATE_PAN);
		arm64_mode_update(cpu);
		break;
	case FPCR:
		cpu->fpcr = (u32)v & ARM64_FPCR_BITS;
		break;
	case FPSR:
		cpu->fpsr = (u32)v & ARM64_FPSR_BITS;
		break;
	case CPACR:
		/* TTA 28 and FPEN 21:20; the others are RES0 without SVE (D17.2.33) */
		s->cpacr_el1 = v & 0x10300000;
		arm64_mode_update(cpu);
		break;
	case OSLAR:
		s->oslock = v & 1;
		arm64_debug_changed(cpu);
		break;
	case CNTV_CTL:
	case CNTP_CTL:
	case CNTV_CVAL:
	case CNTP_CVAL:
	case CNTV_TVAL:
	case CNTP_TVAL:
		write_timer(cpu, r->kind, v);
		break;
	default:
		break;
	}
}

static const struct row *find(u16 reg)
{
	/* ID registers that have no row: op0 3, op1 0, CRn 0, CRm 1..7 are reserved and read as zero (D17.1.3) */
	static const struct row zero = { 0, READ_ONLY, CONSTANT, 0, 0 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].reg == reg)
			return &rows[i];
	}
	if ((reg & 0xffc0) == REG(3, 0, 0, 0, 0) && (reg & 0x38))
		return &zero;
	return NULL;
}

/* ICC_PMR_EL1, and CRn 12 from CRm 8 on. */
static bool is_icc(u16 reg)
{
	return reg == REG(3, 0, 4, 6, 0) || (reg & 0xffc0) == REG(3, 0, 12, 8, 0);
}

static enum arm64_leave interrupt_register(struct arm64_cpu *cpu, u16 reg, bool read, u32 rt)
{
	u64 v = 0;

	if (!cpu->el || !cpu->gic)
		return arm64_undefined(cpu);
	if (!read)
		return cpu->gic->write(cpu->gic_context, reg, cpu->x[rt]) ? ARM64_NEXT : arm64_undefined(cpu);
	if (!cpu->gic->read(cpu->gic_context, reg, &v))
		return arm64_undefined(cpu);
	cpu->x[arm64_dst(rt)] = v;
	return ARM64_NEXT;
}

enum arm64_leave arm64_mrs_msr(struct arm64_cpu *cpu, u32 w)
{
	u16 reg = (u16)ARM64_BITS(w, 20, 5);
	bool read = ARM64_BIT(w, 21);
	u32 rt = ARM64_BITS(w, 4, 0);
	const struct row *r;

	if (is_icc(reg))
		return interrupt_register(cpu, reg, read, rt);
	r = find(reg);
	if (!r || (read ? r->access & WRITE_ONLY : r->access & READ_ONLY))
		return arm64_undefined(cpu);
	if (!cpu->el) {
		if (!(r->access & (read ? EL0_READ : EL0_WRITE)))
			return arm64_undefined(cpu);
		if (el0_trapped(cpu, r))
			return arm64_sysreg_trap(cpu, w);
	}
	if ((r->kind == FPCR || r->kind == FPSR) && !arm64_fp_enabled(cpu))
		return arm64_fp_trap(cpu);
	/* the stack pointer in use has no name of its own (C5.2.21) */
	if (r->kind == SP_EL0 && !(cpu->el && cpu->spsel))
		return arm64_undefined(cpu);
	if (read)
		cpu->x[arm64_dst(rt)] = read_register(cpu, r);
	else
		write_register(cpu, r, cpu->x[rt]);
	return ARM64_NEXT;
}
