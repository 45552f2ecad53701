/* SPDX-License-Identifier: MIT */
/*
 * x86-64: four vCPUs count with every kind of locked instruction on the same words, also across cache lines and pages, and with
 * a lock of each kind around plain increments.  Intel SDM volume 3, section 8.1.2.  Returns the number of the first sum that is
 * wrong.
 */
#include "../smp_x86.h"

#define ROUNDS 1200u

static volatile u32 here, done;
static u8 split[8192] __attribute__((aligned(4096)));
static struct {
	u64 inc, add, xadd, cmpxchg, wide[2] __attribute__((aligned(16))), by_xchg, by_bts, by_ticket;
	u32 xchg_lock, bts_lock;
	u32 next, serving;
} shared __attribute__((aligned(64)));

static void wide_increment(void)
{
	u64 low = 0, high = 0;
	u8 same;

	do
		__asm__ volatile("lock cmpxchg16b %1; sete %0"
				 : "=q"(same), "+m"(shared.wide), "+a"(low), "+d"(high)
				 : "b"(low + 1), "c"(high + 3)
				 : "memory", "cc");
	while (!same);
}

static void locked(void)
{
	u64 old, seen;
	u32 one;

	__asm__ volatile("lock incq %0" : "+m"(shared.inc));
	__asm__ volatile("lock addq $3, %0" : "+m"(shared.add));
	old = 5;
	__asm__ volatile("lock xaddq %0, %1" : "+r"(old), "+m"(shared.xadd));
	seen = shared.cmpxchg;
	do {
		old = seen;
		__asm__ volatile("lock cmpxchgq %2, %1" : "+a"(seen), "+m"(shared.cmpxchg) : "r"(old + 7));
	} while (seen != old);
	wide_increment();
	__asm__ volatile("lock incl %0" : "+m"(*(u32 *)(split + 62)));	/* two cache lines */
	__asm__ volatile("lock addq $2, %0" : "+m"(*(u64 *)(split + 4093)));	/* two pages */
	/* XCHG needs no prefix */
	do {
		one = 1;
		__asm__ volatile("xchg %0, %1" : "+r"(one), "+m"(shared.xchg_lock) : : "memory");
		if (one)
			relax();
	} while (one);
	shared.by_xchg++;
	__asm__ volatile("movl $0, %0" : "=m"(shared.xchg_lock) : : "memory");
}

static void tickets(void)
{
	u32 mine = 1;
	u8 was;

	__asm__ volatile("lock xaddl %0, %1" : "+r"(mine), "+m"(shared.next) : : "memory");
	while (*(volatile u32 *)&shared.serving != mine)
		relax();
	shared.by_ticket++;
	__asm__ volatile("incl %0" : "+m"(shared.serving) : : "memory");
	do {
		__asm__ volatile("lock btsl $5, %1; setc %0" : "=q"(was), "+m"(shared.bts_lock) : : "memory", "cc");
		if (was)
			relax();
	} while (was);
	shared.by_bts++;
	__asm__ volatile("lock btrl $5, %0" : "+m"(shared.bts_lock) : : "memory", "cc");
}

static int verdict(void)
{
	const u64 n = VCPUS * ROUNDS;
	const u64 sums[][2] = {
		{ shared.inc, n }, { shared.add, 3 * n }, { shared.xadd, 5 * n }, { shared.cmpxchg, 7 * n },
		{ shared.wide[0], n }, { shared.wide[1], 3 * n }, { *(u32 *)(split + 62), n }, { *(u64 *)(split + 4093), 2 * n },
		{ shared.by_xchg, n }, { shared.by_ticket, n }, { shared.by_bts, n },
	};
	u32 i;

	for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		if (sums[i][0] != sums[i][1])
			return (int)i + 1;
	}
	return 0;
}

int guest(unsigned int vcpu)
{
	u32 i;

	if (!vcpu)
		start_others(&here);
	add(&here, 1);
	until(&here, VCPUS);
	for (i = 0; i < ROUNDS; i++) {
		locked();
		tickets();
	}
	add(&done, 1);
	if (vcpu)
		rest();
	until(&done, VCPUS);
	return verdict();
}
