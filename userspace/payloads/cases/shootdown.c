/* SPDX-License-Identifier: MIT */
/*
 * AArch64: vCPU 0 moves a page of data and a page of code again and again by break-before-make, each time with another form of
 * TLBI and a DSB; after the DSB it spoils what was there.  The other three use both pages all the time: none may ever see what
 * is spoilt, nor anything older than the last move that was announced.  Arm ARM D8.13, B2.3.  Returns 1 + the vCPU that did.
 */
#include "../mmu_arm64.h"

#define MOVES 24u
#define READERS 3u
#define SPOILT 0xffffu
#define SPOILT_DATA 0x80000000u

static volatile u32 data_page[2][1024] __attribute__((aligned(4096)));
static volatile u32 code_page[2][1024] __attribute__((aligned(4096)));
static volatile u32 announced, wrong, over[4], reads[4];

static inline u32 load_acquire(const volatile u32 *p)
{
	u32 v;

	__asm__ volatile("ldar %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return v;
}

static inline void store_release(volatile u32 *p, u32 v) { __asm__ volatile("stlr %w0, [%1]" : : "r"(v), "r"(p) : "memory"); }

static void write_code(u32 which, u32 value)
{
	code_page[which][0] = 0x52800000u | value << 5;	/* mov w0, #value */
	code_page[which][1] = 0xd65f03c0u;		/* ret */
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(&code_page[which][0]) : "memory");
}

/* Every form that names both pages, or all there is. */
static void forget(u32 form)
{
	u64 data = WINDOW >> 12 | 1ull << 48, code = (WINDOW + PAGE) >> 12 | 1ull << 48;

#define BOTH(op) __asm__ volatile("tlbi " op ", %0; tlbi " op ", %1" : : "r"(data), "r"(code) : "memory")
	__asm__ volatile("dsb ishst" : : : "memory");
	switch (form % 6) {
	case 0: BOTH("vae1is"); break;
	case 1: BOTH("vale1is"); break;
	case 2: BOTH("vaae1is"); break;
	case 3: BOTH("vaale1is"); break;
	case 4: __asm__ volatile("tlbi aside1is, %0" : : "r"(1ull << 48) : "memory"); break;
	default: __asm__ volatile("tlbi vmalle1is" : : : "memory"); break;
	}
	__asm__ volatile("dsb ish; isb" : : : "memory");
}

/* A reader that was stopped in the middle of its reads goes on before the spoilt page is used again. */
static void everybody_reads(void)
{
	u32 other, before;

	for (other = 1; other <= READERS; other++) {
		before = load_acquire(&reads[other]);
		while (load_acquire(&reads[other]) == before && !wrong)
			relax();
	}
}

static void move(u32 epoch)
{
	u32 to = epoch % 2;

	data_page[to][0] = epoch;
	write_code(to, epoch);
	level3[0] = level3[1] = 0;
	forget(epoch);
	data_page[!to][0] = SPOILT_DATA;
	write_code(!to, SPOILT);
	level3[0] = page_entry(data_page[to]);
	level3[1] = page_entry(code_page[to]);
	__asm__ volatile("dsb ishst; isb" : : : "memory");
	store_release(&announced, epoch);
}

/*
 * One load after the other and nothing between: a CPU that looks at its peers' requests now and then does not look here.
 * Return: all of them, ORed.
 */
static inline u32 load_many(void)
{
	u32 all = 0, one;

	__asm__ volatile(".rept 13; ldr %w1, [%2]; orr %w0, %w0, %w1; .endr" : "+r"(all), "=&r"(one) : "r"(WINDOW) : "memory");
	return all;
}

/* A context synchronization after the announcement was seen: what was prefetched before may be older (B2.2.5). */
static u32 read_all(u32 vcpu)
{
	u32 (*call)(void) = (u32 (*)(void))(WINDOW + PAGE);
	u32 least, data, code, all;

	least = load_acquire(&announced);
	__asm__ volatile("isb" : : : "memory");
	data = *(volatile u32 *)WINDOW;
	code = call();
	all = load_many() | load_many() | load_many() | load_many();
	reads[vcpu]++;
	return data >= least && code >= least && code != SPOILT && !(all & SPOILT_DATA);
}

int guest(unsigned int vcpu)
{
	u32 epoch, other;

	if (!vcpu) {
		tables_build();
		paging_on();
		move(1);
		for (other = 1; other <= READERS; other++)
			start_vcpu(other);
		everybody_reads();
		for (epoch = 2; epoch <= MOVES && !wrong; epoch++) {
			move(epoch);
			everybody_reads();
		}
		store_release(&announced, SPOILT);
		for (other = 1; other <= READERS; other++) {
			while (!load_acquire(&over[other]))
				relax();
		}
		return (int)wrong;
	}
	paging_on();
	while (load_acquire(&announced) != SPOILT && !wrong) {
		/* the end may be announced between both looks */
		if (!read_all(vcpu) && load_acquire(&announced) != SPOILT)
			wrong = 1 + vcpu;
		relax();	/* or one processor for all takes a tick for each of them */
	}
	store_release(&over[vcpu], 1);
	for (;;)
		__asm__ volatile("wfi");
}
