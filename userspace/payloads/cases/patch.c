/* SPDX-License-Identifier: MIT */
/*
 * x86-64: vCPU 0 changes an instruction that three others run all the time, in both ways that Linux has.  With everybody stopped
 * (Intel SDM volume 3, section 8.1.3): they wait, and serialise before they go on.  With nobody stopped: a breakpoint first, the
 * rest behind it, the first byte last, and an interrupt to all others after each step, whose return serialises; who meets the
 * breakpoint goes on behind the instruction.  Nobody may ever see half of two instructions, nor the old one once a change is
 * over.  Returns 1 + the vCPU that did.
 */
#include "../smp_x86.h"

#define CHANGES 60u
#define KICK 0x41u
#define BREAKPOINT 0xb5b5b5b5u	/* what the handler of #BP makes of the instruction */

static u8 code[64] __attribute__((aligned(64))) = { 0xb8, 0, 0, 0, 0, 0xc3 };	/* mov $0, %eax; ret */
static volatile u32 here, epoch, least, over, wrong, kicked, stop, stopped;

/* Return address: behind the 0xcc. */
static __attribute__((naked)) void breakpoint(struct frame *f)
{
	(void)f;
	__asm__ volatile("mov $0xb5b5b5b5, %eax; addq $4, (%rsp); iretq");
}

static __attribute__((interrupt)) void kick(struct frame *f)
{
	(void)f;
	add(&kicked, 1);
	end_of_interrupt();
}

static void kick_all(void)
{
	u32 before = kicked;

	ipi_others(KICK);
	until(&kicked, before + VCPUS - 1);
}

static u32 value(u32 n) { return n * 0x01010101u; }

static u32 run(void) { return ((u32 (*)(void))(unsigned long)code)(); }

static void poke(u32 n)
{
	volatile u8 *c = code;
	u32 i;

	c[0] = 0xcc;
	kick_all();
	for (i = 1; i < 5; i++)
		c[i] = (u8)n;
	kick_all();
	c[0] = 0xb8;
	kick_all();
}

static void change_while_stopped(u32 n)
{
	stop = n + 1;
	until(&stopped, (VCPUS - 1) * (n / 2 + 1));
	*(volatile u32 *)(code + 1) = value(n);
	stop = 0;
}

/* One look, which may be of any change from the last that was over to the one that is going on. */
static int fits(u32 from, u32 seen, u32 to)
{
	return seen == BREAKPOINT || (seen >= value(from) && seen <= value(to) && seen % 0x01010101u == 0);
}

static void watch(u32 vcpu)
{
	u32 from, seen, call;

	while (!over) {
		call = stop;
		if (call) {
			add(&stopped, 1);
			/* the next call may be all that it sees of this one's end */
			while (stop == call)
				relax();
			serialise();
		}
		from = least;
		serialise();
		seen = run();
		if (!fits(from, seen, epoch))
			wrong = 1 + vcpu;
		relax();	/* or one processor for all takes a tick for each of them */
	}
}

int guest(unsigned int vcpu)
{
	u32 n;

	if (vcpu)
		be_other(vcpu, &here, watch);
	gate(3, breakpoint);
	gate(KICK, (void (*)(struct frame *))kick);
	start_others(&here);
	for (n = 0; n < CHANGES && !wrong; n++) {
		epoch = n;
		if (n % 2)
			poke(n);
		else
			change_while_stopped(n);
		least = n;
		if (run() != value(n))
			return 1;
	}
	over = 1;
	until(&here, 2 * (VCPUS - 1));
	return (int)wrong;
}
