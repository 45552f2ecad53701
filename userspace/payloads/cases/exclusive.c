/* SPDX-License-Identifier: MIT */
/*
 * AArch64: four vCPUs count with load- and store-exclusives of every size and with each kind of atomic instruction on the same
 * words, and with a lock that waits in WFE around plain increments; and what opens the exclusive monitor.  Arm ARM B2.9, C3.2.12.
 * Returns the number of the first thing that is not so.
 */
#include "../trap_arm64.h"

#define VCPUS 4u
#define ROUNDS 5000u

static volatile u32 here, done, asked, answered;
static struct {
	u64 x, ordered, pair[2] __attribute__((aligned(16))), add, cas, casp[2] __attribute__((aligned(16))), eor, max, bits, by_lock, by_swap;
	u32 w, lock, swap_lock, clear;
	u16 h;
	u8 b;
} shared __attribute__((aligned(64)));

#define EXCLUSIVE(load, store, w, field, n) do { \
		u64 v_; u32 failed_; \
		__asm__ volatile("1: " load " %" w "0, [%2]\n add %" w "0, %" w "0, %3\n " store " %w1, %" w "0, [%2]\n cbnz %w1, 1b" \
				 : "=&r"(v_), "=&r"(failed_) : "r"(&shared.field), "I"(n) : "memory"); \
	} while (0)
#define LSE(code, ...) __asm__ volatile(".arch_extension lse\n " code : : __VA_ARGS__ : "memory", "cc", "x8", "x9", "x10", "x11", "x12", "x13")

static void add(volatile u32 *p, u64 n)
{
	LSE("staddl %w0, [%1]", "r"(n), "r"(p));
}

static u32 acquire(const volatile u32 *p)
{
	u32 v;

	__asm__ volatile("ldar %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return v;
}

static void release(volatile u32 *p, u32 v)
{
	__asm__ volatile("stlr %w0, [%1]" : : "r"(v), "r"(p) : "memory");
}

static void until(const volatile u32 *p, u32 v)
{
	while (acquire(p) != v)
		relax();
}

static void pairs(void)
{
	u64 low, high;
	u32 failed;

	__asm__ volatile("1: ldxp %0, %1, [%3]\n add %0, %0, #1\n add %1, %1, #3\n stxp %w2, %0, %1, [%3]\n cbnz %w2, 1b"
			 : "=&r"(low), "=&r"(high), "=&r"(failed) : "r"(shared.pair) : "memory");
	LSE("ldp x8, x9, [%0]\n 1: mov x12, x8\n mov x13, x9\n add x10, x8, #1\n add x11, x9, #3\n caspal x8, x9, x10, x11, [%0]\n"
	    "cmp x8, x12\n ccmp x9, x13, #0, eq\n b.ne 1b", "r"(shared.casp));
}

/* The waiter sleeps in WFE: the store that frees the lock takes its monitor away, and is an event. */
static void locked(void)
{
	u32 v, failed;

	__asm__ volatile("sevl\n1: wfe\n2: ldaxr %w0, [%2]\n cbnz %w0, 1b\n stxr %w1, %w3, [%2]\n cbnz %w1, 2b"
			 : "=&r"(v), "=&r"(failed) : "r"(&shared.lock), "r"(1) : "memory");
	shared.by_lock++;
	release(&shared.lock, 0);
	do {
		__asm__ volatile(".arch_extension lse\n swpa %w1, %w0, [%2]" : "=&r"(v) : "r"(1), "r"(&shared.swap_lock) : "memory");
		if (v)
			relax();
	} while (v);
	shared.by_swap++;
	release(&shared.swap_lock, 0);
}

static void count(u32 vcpu, u32 round)
{
	EXCLUSIVE("ldxr", "stxr", "", x, 1);
	EXCLUSIVE("ldaxr", "stlxr", "", ordered, 2);
	EXCLUSIVE("ldxr", "stxr", "w", w, 3);
	EXCLUSIVE("ldxrh", "stxrh", "w", h, 1);
	EXCLUSIVE("ldaxrb", "stlxrb", "w", b, 1);
	pairs();
	LSE("ldaddal %0, x8, [%1]", "r"(5ul), "r"(&shared.add));
	LSE("ldr x8, [%0]\n 1: mov x10, x8\n add x9, x8, #7\n casal x8, x9, [%0]\n cmp x8, x10\n b.ne 1b", "r"(&shared.cas));
	LSE("ldeoral %0, x8, [%1]", "r"(1ul << vcpu), "r"(&shared.eor));
	LSE("ldumaxal %0, x8, [%1]", "r"((u64)round * VCPUS + vcpu), "r"(&shared.max));
	LSE("ldsetal %0, x8, [%1]", "r"(1ul << (round % 16 * VCPUS + vcpu)), "r"(&shared.bits));
	LSE("ldclral %w0, w8, [%1]", "r"(1u << vcpu), "r"(&shared.clear));
	locked();
}

#define STORE_EXCLUSIVE(between, ...) ({ u32 failed_; __asm__ volatile("ldxr x8, [%1]\n" between "\n stxr %w0, x8, [%1]" : "=&r"(failed_) \
	: "r"(&shared.x), ##__VA_ARGS__ : "memory", "x8", "x9", "x10"); failed_; })

/* A store-exclusive with no load-exclusive before it, for each reason. */
static int monitor(void)
{
	static u64 elsewhere;

	MUST(STORE_EXCLUSIVE("") == 0);
	MUST(STORE_EXCLUSIVE("clrex") == 1);
	MUST(STORE_EXCLUSIVE("svc #0") == 1);
	MUST(STORE_EXCLUSIVE("stxr w9, x8, [%1]") == 1);
	MUST(STORE_EXCLUSIVE("ldxr x9, [%2]", "r"(&elsewhere)) == 1);
	return 0;
}

/* Another vCPU's store between the two. */
static int taken_away(void)
{
	u32 i, failed;
	u64 v;

	for (i = 1; i <= 50; i++) {
		__asm__ volatile("ldxr %0, [%1]" : "=r"(v) : "r"(&shared.x) : "memory");
		asked = i;
		until(&answered, i);
		__asm__ volatile("stxr %w0, %1, [%2]" : "=&r"(failed) : "r"(v), "r"(&shared.x) : "memory");
		MUST(failed == 1);
	}
	return 0;
}

static int verdict(void)
{
	const u64 n = VCPUS * ROUNDS;

	MUST(shared.x == n);
	MUST(shared.ordered == 2 * n);
	MUST(shared.w == 3 * n);
	MUST(shared.h == (u16)n);
	MUST(shared.b == (u8)n);
	MUST(shared.pair[0] == n && shared.pair[1] == 3 * n);
	MUST(shared.casp[0] == n && shared.casp[1] == 3 * n);
	MUST(shared.add == 5 * n);
	MUST(shared.cas == 7 * n);
	MUST(shared.eor == 0);
	MUST(shared.max == n - 1);
	MUST(shared.bits == ~0ull);
	MUST(shared.clear == 0xfffffff0u);
	MUST(shared.by_lock == n);
	MUST(shared.by_swap == n);
	return 0;
}

static volatile u64 level1[512] __attribute__((aligned(4096)));

int guest(unsigned int vcpu)
{
	u32 i;
	int r;

	traps_on();
	if (!vcpu) {
		trap.skip = 0;	/* SVC returns behind itself */
		shared.clear = ~0u;
		map_machine(level1);
	}
	paging(TCR(25, 25) | EPD1, level1, level1, 1);
	if (!vcpu) {
		r = monitor();
		if (r)
			return r;
		shared.x = 0;
		for (i = 1; i < VCPUS; i++)
			start_vcpu(i);
	}
	add(&here, 1);
	until(&here, VCPUS);
	for (i = 0; i < ROUNDS; i++)
		count(vcpu, i);
	add(&done, 1);
	if (!vcpu) {
		until(&done, VCPUS);
		r = verdict();
		return r ? r : taken_away();
	}
	for (i = 1; vcpu == 1 && i <= 50; i++) {
		until(&asked, i);
		shared.x++;
		release(&answered, i);
	}
	for (;;)
		__asm__ volatile("wfi");
}
