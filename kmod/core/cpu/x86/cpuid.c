// SPDX-License-Identifier: GPL-2.0 OR MIT
/* CPUID (2A): made from x86_cpu.features, so that it cannot say more than the opcode maps hold. */
#include "internal.h"

struct bit {
	u8 feature;
	u8 bit;
};

#define B(name, bit) { X86_HAS_##name, bit }
static const struct bit leaf1_ecx[] = { B(SSE3, 0), B(PCLMUL, 1), B(SSSE3, 9), B(CX16, 13), B(SSE41, 19), B(SSE42, 20), B(MOVBE, 22),
	B(POPCNT, 23), B(AES, 25), B(XSAVE, 26), B(RDRAND, 30) };
static const struct bit leaf1_edx[] = { B(FPU, 0), B(TSC, 4), B(MSR, 5), B(CX8, 8), B(SEP, 11), B(MTRR, 12), B(CMOV, 15), B(PAT, 16),
	B(CLFLUSH, 19), B(MMX, 23), B(FXSR, 24), B(SSE, 25), B(SSE2, 26) };
static const struct bit leaf7_ebx[] = { B(FSGSBASE, 0), B(BMI1, 3), B(SMEP, 7), B(BMI2, 8), B(ERMS, 9), B(ADX, 19), B(SMAP, 20) };
static const struct bit leaf7_edx[] = { B(SPEC, 26), B(SPEC, 29) };	/* IBRS and IBPB; ARCH_CAPABILITIES */
static const struct bit ext1_ecx[] = { B(LAHF64, 0), B(LZCNT, 5) };
static const struct bit ext1_edx[] = { B(SYSCALL, 11), B(NX, 20), B(PAGE1GB, 26), B(RDTSCP, 27), B(LM, 29) };

static u32 bits(const struct x86_cpu *cpu, const struct bit *b, u32 count)
{
	u32 r = 0;

	for (; count--; b++)
		r |= (u32)x86_has(cpu, b->feature) << b->bit;
	return r;
}
#define BITS(table) bits(cpu, table, ARRAY_SIZE(table))

#define ADDRESSABLE_SHIFT 4
#define ADDRESSABLE (1u << ADDRESSABLE_SHIFT)

/* Deterministic cache parameters: 32 KiB + 32 KiB, 1 MiB, all of one core.  Nothing here has caches; guests divide by these. */
static void caches(u32 leaf, u32 *out)
{
	static const u32 eax[] = { 0x121, 0x122, 0x143 };
	static const u32 sets[] = { 63, 63, 1023 };
	static const u32 ways[] = { 8, 8, 16 };

	if (leaf > 2)
		return;
	out[0] = eax[leaf] | (ADDRESSABLE - 1) << 26;
	out[1] = (ways[leaf] - 1) << 22 | 63;
	out[2] = sets[leaf];
}

static void extended_state(const struct x86_cpu *cpu, u32 leaf, u32 *out)
{
	if (!x86_has(cpu, X86_HAS_XSAVE))
		return;
	if (!leaf) {
		out[0] = 3;		/* x87 and SSE */
		out[1] = out[2] = 512 + 64;
	} else if (leaf == 1) {
		out[0] = x86_has(cpu, X86_HAS_XSAVEOPT);
	}
}

static void brand(u32 leaf, u32 *out)
{
	static const char name[48] = "Mockvisor software x86-64";

	memcpy(out, name + (leaf - 0x80000002) * 16, 16);
}

/*
 * Extended topology: every local APIC id, of up to ADDRESSABLE, is a core of one package, as one VM's vCPUs are.  Guests that
 * know that take the boot processor's calibration for all.
 */
static void topology(const struct x86_cpu *cpu, u32 level, u32 *out)
{
	if (!cpu->apic)
		return;
	if (!level) {
		out[1] = 1;
		out[2] = 1u << 8;	/* threads */
	} else if (level == 1) {
		out[0] = ADDRESSABLE_SHIFT;
		out[1] = ADDRESSABLE;
		out[2] = 2u << 8;	/* cores */
	}
	out[2] |= level & 0xff;
	out[3] = cpu->hv.id;
}

/* A table given by the VMM takes the place of everything here; what it does not hold reads as zero. */
static void given_leaf(const struct x86_cpu *cpu, u32 leaf, u32 sub, u32 *out)
{
	const struct x86_cpuid_leaf *l = cpu->leaves;
	u32 i;

	for (i = 0; i < cpu->leaf_count; i++, l++) {
		if (l->leaf != leaf || (l->has_sub && l->sub != sub))
			continue;
		memcpy(out, l->out, sizeof(l->out));
		if (leaf == 1)	/* says what CR4 says (2A, CPUID) */
			out[2] = (out[2] & ~(1u << 27)) | (cpu->cr4 & CR4_OSXSAVE ? 1u << 27 : 0);
		return;
	}
}

void x86_cpuid_read(struct x86_cpu *cpu, u32 leaf, u32 sub, u32 out[4])
{
	memset(out, 0, 4 * sizeof(out[0]));
	if (cpu->leaf_count) {
		given_leaf(cpu, leaf, sub, out);
		return;
	}
	/* leaves beyond the last basic one answer as that one does on Intel; here they are zero, as on AMD */
	switch (leaf) {
	case 0:		/* GenuineIntel */
		out[0] = 0x16;
		out[1] = 0x756e6547;
		out[3] = 0x49656e69;
		out[2] = 0x6c65746e;
		break;
	case 1:
		out[0] = 0x000506e3;
		out[1] = cpu->hv.id << 24 | 8u << 8;	/* CLFLUSH moves 8 * 8 bytes */
		out[2] = BITS(leaf1_ecx) | 1u << 31;		/* hypervisor */
		if (cpu->cr4 & CR4_OSXSAVE)
			out[2] |= 1u << 27;
		/* DE PSE PAE MCE PGE */
		out[3] = BITS(leaf1_edx) | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 7 | 1u << 13;
		if (!cpu->apic) {
			out[1] |= 1u << 16;
		} else {
			out[2] |= 1u << 21 | 1u << 24;		/* x2APIC, TSC deadline */
			out[1] |= ADDRESSABLE << 16;
			out[3] |= 1u << 9 | 1u << 28;		/* APIC; the count of addressable ids is valid */
		}
		break;
	case 2:		/* leaf 4 tells about caches; no more TLB descriptors than one has to give */
		out[0] = 0x00feff01;
		break;
	case 4:
		caches(sub, out);
		break;
	case 6:		/* the local APIC's timer never stops */
		out[0] = cpu->apic ? 1u << 2 : 0;
		break;
	case 7:
		/* FCS and FDS are deprecated: always saved as zero */
		if (sub)
			break;
		out[1] = BITS(leaf7_ebx) | 1u << 1 | 1u << 13;	/* TSC_ADJUST */
		out[3] = BITS(leaf7_edx);
		break;
	case 0xb:
		topology(cpu, sub, out);
		break;
	case 0xd:
		extended_state(cpu, sub, out);
		break;
	case 0x15:	/* the TSC is its own crystal, and the local APIC's timer counts it too: nothing to calibrate */
		out[0] = out[1] = 1;
		out[2] = cpu->tsc_khz * 1000;
		break;
	case 0x16:	/* MHz: base, highest, bus */
		out[0] = out[1] = cpu->tsc_khz / 1000;
		out[2] = 100;
		break;
	case 0x40000000:	/* ACRNACRNACRN */
		out[0] = 0x40000010;
		out[1] = out[2] = out[3] = 0x4e524341;
		break;
	case 0x40000010:
		out[0] = cpu->tsc_khz;
		break;
	case 0x80000000:
		out[0] = 0x80000008;
		break;
	case 0x80000001:
		out[2] = BITS(ext1_ecx);
		out[3] = BITS(ext1_edx);
		break;
	case 0x80000002: case 0x80000003: case 0x80000004:
		brand(leaf, out);
		break;
	case 0x80000006:	/* level 2 in the AMD form: 1 MiB, 16 ways, 64-byte lines */
		out[2] = 1024u << 16 | 8u << 12 | 64;
		break;
	case 0x80000007:	/* invariant TSC */
		out[3] = 1u << 8;
		break;
	case 0x80000008:
		out[0] = 44 | 48 << 8;
		break;
	default:
		break;
	}
}

#define HYPERV_INTERFACE 0x40000001u
#define HYPERV_SIGNATURE 0x31237648u	/* "Hv#1": TLFS 2.4.2 */

void x86_cpuid_give(struct x86_cpu *cpu, const struct x86_cpuid_leaf *leaves, u32 count)
{
	u32 out[4] = { 0 };

	cpu->leaves = leaves;
	cpu->leaf_count = count;
	given_leaf(cpu, HYPERV_INTERFACE, 0, out);
	cpu->hyperv = out[0] == HYPERV_SIGNATURE;
}

void x86_cpuid(struct x86_cpu *cpu)
{
	u32 out[4];

	x86_cpuid_read(cpu, (u32)cpu->r[X86_RAX], (u32)cpu->r[X86_RCX], out);
	cpu->r[X86_RAX] = out[0];
	cpu->r[X86_RBX] = out[1];
	cpu->r[X86_RCX] = out[2];
	cpu->r[X86_RDX] = out[3];
}
