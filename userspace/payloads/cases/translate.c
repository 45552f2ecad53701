/* SPDX-License-Identifier: MIT */
/*
 * AArch64: virtual addresses of 48, 39 and 36 bits in both halves, address spaces told apart by their ASIDs, the AT instructions,
 * privileged access never, tables switched off.  Arm ARM D8.  Returns the number of the first thing that is not so.
 */
#include "../trap_arm64.h"

#define PAGE_TABLE __attribute__((aligned(4096)))
static volatile u64 top[512] PAGE_TABLE, high_top[512] PAGE_TABLE, level1[512] PAGE_TABLE, window1[512] PAGE_TABLE, level2[512] PAGE_TABLE,
	level3[512] PAGE_TABLE, other1[512] PAGE_TABLE, other2[512] PAGE_TABLE, other3[512] PAGE_TABLE;
static volatile u64 pages[4][512] PAGE_TABLE;

#define HIGHEST 0x0000ffffffffe000ul	/* the last two pages of 48 bits */
#define LOWEST 0xffff000000000000ul	/* the first of the other half */
#define LOAD(va) (*(volatile u64 *)(va))
#define LDR "ldr x8, [%0]"
#define LDTR "ldtr x8, [%0]"
#define STR "str xzr, [%0]"
#define STTR "sttr xzr, [%0]"
#define PAN(on) __asm__ volatile(".inst 0xd500409f | " #on " << 8" : : : "memory")
#define AT(what, va) ({ __asm__ volatile("at " what ", %0; isb" : : "r"((u64)(va)) : "memory"); SYSREG_READ(par_el1); })
#define FOUND(par, page) (!((par) & 1) && ((par) & 0x0000fffffffff000ul) == (u64)(page))
#define FAILED(par, status) (((par) & 0x7f) == ((status) << 1 | 1))

static void build(void)
{
	int i;

	for (i = 0; i < 4; i++)
		pages[i][0] = 100 + (u64)i;
	map_machine(level1);
	top[0] = (u64)level1 | TABLE;
	top[511] = (u64)window1 | TABLE;
	window1[511] = (u64)level2 | TABLE;
	level2[511] = (u64)level3 | TABLE;
	level3[510] = (u64)pages[0] | LEAF | NORMAL;
	level3[511] = (u64)pages[1] | LEAF | NORMAL | USER;
	/* the other half: page 2, and memory once more as a block of 2 MiB */
	high_top[0] = (u64)other1 | TABLE;
	other1[0] = (u64)other2 | TABLE;
	other2[0] = (u64)other3 | TABLE;
	other2[1] = ((u64)pages & ~0x1ffffful) | BLOCK | NORMAL;
	for (i = 0; i < 16; i++)
		other3[i] = (((u64)pages & ~0xfffful) + ((u64)i << 12)) | LEAF | NORMAL | CONTIGUOUS;
	other3[16] = (u64)pages[2] | LEAF | NORMAL | READ_ONLY;
	other3[17] = (u64)pages[2] | LEAF | INNER_SHAREABLE;
}

static int wide(void)
{
	paging(TCR(16, 16), top, high_top, 1);
	MUST(LOAD(HIGHEST) == 100);
	MUST(LOAD(HIGHEST + 4096) == 101);
	MUST(LOAD(LOWEST + 0x10000) == 102);
	MUST(LOAD(LOWEST + 0x200000 + ((u64)&pages[3] & 0x1fffff)) == 103);
	MUST(LOAD(LOWEST + ((u64)pages & 0xffff)) == 100);
	MUST(RAISES(DATA_ABORT(4), LDR, "r"(0x0001000000000000ul)) && trap.far == 0x0001000000000000ul);
	MUST(RAISES(DATA_ABORT(4), LDR, "r"(LOWEST - 8)));
	MUST(RAISES(DATA_ABORT(4), LDR, "r"(1ul << 40)));
	MUST(RAISES(DATA_ABORT(5), LDR, "r"(3ul << 30)));
	MUST(RAISES(DATA_ABORT(6), LDR, "r"(LOWEST + 0x400000)));
	MUST(RAISES(DATA_ABORT(7), LDR, "r"(HIGHEST - 8)));
	MUST(RAISES(DATA_ABORT(WRITE | 0xf), STR, "r"(LOWEST + 0x10000)));
	MUST(RAISES(DATA_ABORT(0xb), LDR, "r"(LOWEST + 0x11000)) && trap.far == LOWEST + 0x11000);
	return 0;
}

static int translated(void)
{
	MUST(FOUND(AT("s1e1r", HIGHEST), pages[0]));
	MUST(FOUND(AT("s1e1w", HIGHEST + 4096), pages[1]));
	MUST(FOUND(AT("s1e0r", HIGHEST + 4096), pages[1]));
	MUST(FOUND(AT("s1e0w", HIGHEST + 4096 + 8), pages[1]));
	MUST(FAILED(AT("s1e0r", HIGHEST), 0xf));
	MUST(FAILED(AT("s1e0w", HIGHEST), 0xf));
	MUST(FOUND(AT("s1e1r", LOWEST + 0x10000), pages[2]));
	MUST(FAILED(AT("s1e1w", LOWEST + 0x10000), 0xf));
	MUST(FAILED(AT("s1e1r", LOWEST + 0x11000), 0xb));
	MUST(FAILED(AT("s1e1r", HIGHEST - 4096), 7));
	MUST(FAILED(AT("s1e1r", 1ul << 40), 4));
	MUST(FOUND(AT("s1e1r", (u64)pages[3]), pages[3]));
	return 0;
}

static int never(void)
{
	PAN(1);
	MUST(RAISES(DATA_ABORT(0xf), LDR, "r"(HIGHEST + 4096)) && (trap.spsr & 1 << 22));
	MUST(RAISES(DATA_ABORT(WRITE | 0xf), STR, "r"(HIGHEST + 4096)));
	MUST(WORKS(LDTR, "r"(HIGHEST + 4096)));
	MUST(WORKS(STTR, "r"(HIGHEST + 4096 + 8)));
	MUST(RAISES(DATA_ABORT(0xf), LDTR, "r"(HIGHEST)));
	MUST(WORKS(LDR, "r"(HIGHEST)));
	PAN(0);
	MUST(WORKS(LDR, "r"(HIGHEST + 4096)));
	return 0;
}

static int narrow(void)
{
	u64 space;

	/* 39 bits below, nothing above */
	paging(TCR(25, 25) | EPD1, level1, other1, 1);
	level1[3] = (u64)level2 | TABLE;
	level2[0] = (u64)level3 | TABLE;
	level3[0] = (u64)pages[0] | LEAF | NORMAL | NOT_GLOBAL;
	__asm__ volatile("dsb ishst; isb" : : : "memory");
	MUST(LOAD(3ul << 30) == 100);
	MUST(RAISES(DATA_ABORT(4), LDR, "r"(0xffffff8000000000ul)));
	MUST(RAISES(DATA_ABORT(4), LDR, "r"(1ul << 39)));
	/* 39 bits in both halves */
	paging(TCR(25, 25), level1, other1, 1);
	MUST(LOAD(0xffffff8000000000ul + 0x10000) == 102);
	/* 36 bits: the table of level 1 has 64 entries */
	paging(TCR(28, 28), level1, other1, 1);
	MUST(LOAD(3ul << 30) == 100);
	MUST(LOAD(0xfffffff000000000ul + 0x10000) == 102);
	MUST(RAISES(DATA_ABORT(4), LDR, "r"(1ul << 36)));
	/* another space has another page there, and nothing is forgotten in between */
	other1[2] = level1[2];
	other1[0] = level1[0];
	other1[3] = (u64)other2 | TABLE;
	other3[0] = (u64)pages[3] | LEAF | NORMAL | NOT_GLOBAL;
	paging(TCR(25, 25) | EPD1, level1, level1, 1);
	for (space = 1; space <= 6; space++) {
		SYSREG_WRITE(ttbr0_el1, (u64)(space % 2 ? level1 : other1) | (1 + space % 2) << 48);
		ISB();
		MUST(LOAD(3ul << 30) == (space % 2 ? 100u : 103u));
	}
	return 0;
}

int guest(unsigned int vcpu)
{
	(void)vcpu;
	traps_on();
	build();
	return wide() ?: translated() ?: never() ?: narrow();
}
