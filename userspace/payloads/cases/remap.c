/* SPDX-License-Identifier: MIT */
/*
 * x86-64: vCPU 0 moves a page again and again: it changes the page table, has all others forget the translation by an interrupt
 * whose handler executes INVLPG (or loads CR3), and then spoils the page that was there.  The others read it all the time and
 * may never see what is spoilt, nor anything older than the last move that is over.  Intel SDM volume 3, section 4.10.5.
 * Returns 1 + the vCPU that did.
 */
#include "../smp_x86.h"

#define MOVES 80u
#define FORGET 0x42u
#define SPOILT 0x80000000u
#define PDPT 0x71000ul		/* of the VMM's tables (x86_start.cpp): entries 0 to 3 are in use */
#define WINDOW (4ul << 30)

static u64 directory[512] __attribute__((aligned(4096)));
static volatile u64 table[512] __attribute__((aligned(4096)));
static volatile u32 page[2][1024] __attribute__((aligned(4096)));
static volatile u32 here, forgotten, least, over, wrong, reads[VCPUS];

static void invlpg(void) { __asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory"); }

static void reload(void)
{
	u64 v;

	__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(v) : : "memory");
}

static __attribute__((interrupt)) void forget(struct frame *f)
{
	(void)f;
	if (forgotten & 1)
		invlpg();
	else
		reload();
	add(&forgotten, 1);
	end_of_interrupt();
}

static void move(u32 n)
{
	u32 to = n % 2, before = forgotten;

	page[to][0] = n;
	table[0] = (u64)(unsigned long)page[to] | 3;
	invlpg();
	ipi_others(FORGET);
	until(&forgotten, before + VCPUS - 1);
	page[!to][0] = SPOILT | n;
	least = n;
}

/* Loads with nothing between them: whoever looks for requests at the ends of blocks only does not look here. */
static u32 many(void)
{
	u32 all = 0;

	__asm__ volatile(".rept 20; orl (%1), %0; .endr" : "+r"(all) : "r"(WINDOW) : "memory", "cc");
	return all;
}

static void watch(u32 vcpu)
{
	u32 from, seen;

	while (!over) {
		from = least;
		seen = *(volatile u32 *)WINDOW;
		if (seen < from || ((seen | many()) & SPOILT))
			wrong = 1 + vcpu;
		reads[vcpu]++;
		relax();	/* or one processor for all takes a tick for each of them */
	}
}

int guest(unsigned int vcpu)
{
	u32 n, other, before;

	if (vcpu)
		be_other(vcpu, &here, watch);
	((volatile u64 *)PDPT)[4] = (u64)(unsigned long)directory | 3;
	directory[0] = (u64)(unsigned long)table | 3;
	table[0] = (u64)(unsigned long)page[0] | 3;
	gate(FORGET, (void (*)(struct frame *))forget);
	start_others(&here);
	for (n = 1; n < MOVES && !wrong; n++) {
		move(n);
		/* everybody has read since */
		for (other = 1; other < VCPUS; other++) {
			before = reads[other];
			while (reads[other] == before && !wrong)
				relax();
		}
	}
	over = 1;
	until(&here, 2 * (VCPUS - 1));
	return (int)wrong;
}
