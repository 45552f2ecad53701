/* SPDX-License-Identifier: MIT */
/*
 * AArch64: accesses of every size at every address around the end of a page whose neighbour is elsewhere in memory; what lies
 * partly nowhere changes nothing; exclusives, ordered and atomic accesses must be aligned, and with SCTLR_EL1.A or on Device
 * memory all.
 * Arm ARM B2.5.2.  Returns the number of the first thing that is not so.
 */
#include "../trap_arm64.h"

#define PAGE_TABLE __attribute__((aligned(4096)))
static volatile u64 level1[512] PAGE_TABLE, level2[512] PAGE_TABLE, level3[512] PAGE_TABLE;
static volatile u8 pages[3][4096] PAGE_TABLE;

#define WINDOW (3ul << 30)
#define EDGE (WINDOW + 4096)
#define END (WINDOW + 8192)	/* nothing is mapped from here on */
#define DEVICE_PAGE (WINDOW + 16384)
#define UNALIGNED 0x21u

static volatile u8 *byte(u64 va) { return va < EDGE ? &pages[2][va - WINDOW] : &pages[0][va - EDGE]; }

static void build(void)
{
	map_machine(level1);
	level1[3] = (u64)level2 | TABLE;
	level2[0] = (u64)level3 | TABLE;
	level3[0] = (u64)pages[2] | LEAF | NORMAL;
	level3[1] = (u64)pages[0] | LEAF | NORMAL;
	level3[4] = (u64)pages[1] | LEAF | DEVICE_MEMORY | ACCESSED;
	paging(TCR(25, 25) | EPD1, level1, level1, 1);
}

static void fill(void)
{
	u64 va;

	for (va = EDGE - 32; va < EDGE + 32; va++)
		*byte(va) = (u8)(va * 7 + 1);
}

/* Little-endian bytes, up to eight. */
static u64 value(u64 va, u32 size)
{
	u64 v = 0;

	while (size--)
		v = v << 8 | *byte(va + size);
	return v;
}

#define LOADS(bits, w, op) ({ u64 v_; __asm__ volatile(op " %" w "0, [%1]" : "=r"(v_) : "r"(va) : "memory"); v_ == value(va, bits / 8); })
#define STORES(bits, w, op) ({ __asm__ volatile(op " %" w "0, [%1]" : : "r"(0x1122334455667788ul), "r"(va) : "memory"); \
	int r_ = value(va, bits / 8) == (0x1122334455667788ul & (bits == 64 ? ~0ul : (1ul << (bits % 64)) - 1)) && \
		*byte(va - 1) == (u8)((va - 1) * 7 + 1) && *byte(va + bits / 8) == (u8)((va + bits / 8) * 7 + 1); fill(); r_; })

static int every_size(void)
{
	u64 va, a, b;

	for (va = EDGE - 17; va <= EDGE + 1; va++) {
		fill();
		MUST(LOADS(16, "w", "ldrh"));
		MUST(LOADS(32, "w", "ldr"));
		MUST(LOADS(64, "x", "ldr"));
		MUST(STORES(16, "w", "strh"));
		MUST(STORES(32, "w", "str"));
		MUST(STORES(64, "x", "str"));
		__asm__ volatile("ldp %0, %1, [%2]" : "=&r"(a), "=r"(b) : "r"(va) : "memory");
		MUST(a == value(va, 8) && b == value(va + 8, 8));
		__asm__ volatile("stp %1, %0, [%2]" : : "r"(a), "r"(b), "r"(va) : "memory");
		MUST(value(va, 8) == b && value(va + 8, 8) == a);
		__asm__ volatile(".arch_extension simd; ldr q0, [%0]; rev64 v0.16b, v0.16b; rev64 v0.16b, v0.16b; ext v0.16b, v0.16b, v0.16b, #8; str q0, [%0]" : : "r"(va) : "memory");
		MUST(value(va, 8) == a && value(va + 8, 8) == b);
	}
	return 0;
}

/* The second half is nowhere: the syndrome and address are its, and the first half is as it was. */
static int half_absent(void)
{
	u64 va, i;

	for (i = 0; i < 16; i++)
		pages[0][4080 + i] = (u8)(0xa0 + i);
	for (va = END - 7; va < END; va++) {
		MUST(RAISES(DATA_ABORT(7), "ldr x8, [%0]", "r"(va)) && trap.far >= va && trap.far <= END);
		MUST(RAISES(DATA_ABORT(WRITE | 7), "str xzr, [%0]", "r"(va)));
		MUST(RAISES(DATA_ABORT(WRITE | 7), "stp xzr, xzr, [%0]", "r"(va)));
		MUST(RAISES(DATA_ABORT(WRITE | 7), "mov x8, %0\n str xzr, [x8], #8", "r"(va)));
		MUST(RAISES(DATA_ABORT(WRITE | 7), "stp xzr, xzr, [%0, #-8]", "r"(va)));
	}
	for (i = 0; i < 16; i++)
		MUST(pages[0][4080 + i] == 0xa0 + i);
	return 0;
}

static int must_be_aligned(void)
{
	u64 va = WINDOW + 0x101;

	MUST(RAISES(DATA_ABORT(UNALIGNED), "ldxr x8, [%0]", "r"(va)) && trap.far == va);
	MUST(RAISES(DATA_ABORT(WRITE | UNALIGNED), "stxr w9, x8, [%0]", "r"(va)));
	MUST(RAISES(DATA_ABORT(UNALIGNED), "ldaxrh w8, [%0]", "r"(va)));
	MUST(RAISES(DATA_ABORT(UNALIGNED), "ldxp x8, x9, [%0]", "r"(va + 7)));
	MUST(RAISES(DATA_ABORT(UNALIGNED), "ldar w8, [%0]", "r"(va)));
	MUST(RAISES(DATA_ABORT(WRITE | UNALIGNED), "stlr w8, [%0]", "r"(va)));
	/* an atomic says that it was a read if a read of its kind faults, too */
	MUST(RAISES(DATA_ABORT(UNALIGNED), ".arch_extension lse\n ldadd x8, x9, [%0]", "r"(va)));
	MUST(RAISES(DATA_ABORT(UNALIGNED), "mov x8, #0\n mov x9, #0\n .arch_extension lse\n cas w8, w9, [%0]", "r"(va)));
	MUST(WORKS("ldr x8, [%0]", "r"(va)));
	SYSREG_WRITE(sctlr_el1, SYSREG_READ(sctlr_el1) | SCTLR_A);
	ISB();
	MUST(RAISES(DATA_ABORT(UNALIGNED), "ldr x8, [%0]", "r"(va)) && trap.far == va);
	MUST(RAISES(DATA_ABORT(WRITE | UNALIGNED), "strh wzr, [%0]", "r"(va)));
	MUST(RAISES(DATA_ABORT(UNALIGNED), "ldp x8, x9, [%0]", "r"(va + 3)));
	MUST(WORKS("ldp x8, x9, [%0]", "r"(va + 7)));
	MUST(WORKS("ldrb w8, [%0]", "r"(va)));
	SYSREG_WRITE(sctlr_el1, SYSREG_READ(sctlr_el1) & ~SCTLR_A);
	ISB();
	MUST(WORKS("ldr x8, [%0]", "r"(va)));
	return 0;
}

static int device_memory(void)
{
	u64 va = DEVICE_PAGE + 0x101;

	MUST(RAISES(DATA_ABORT(UNALIGNED), "ldrh w8, [%0]", "r"(va)) && trap.far == va);
	MUST(RAISES(DATA_ABORT(WRITE | UNALIGNED), "str x8, [%0]", "r"(va + 3)));
	MUST(RAISES(DATA_ABORT(WRITE | UNALIGNED), "dc zva, %0", "r"(DEVICE_PAGE)));
	MUST(WORKS("ldrb w8, [%0]", "r"(va)));
	MUST(WORKS("str x8, [%0]", "r"(va + 7)));
	MUST(WORKS("ldp x8, x9, [%0]", "r"(va + 7)));
	return 0;
}

int guest(unsigned int vcpu)
{
	(void)vcpu;
	traps_on();
	build();
	return every_size() ?: half_absent() ?: must_be_aligned() ?: device_memory();
}
