/* SPDX-License-Identifier: MIT */
/* x86-64 guests with several vCPUs: interrupts between them, an IDT, serialisation, counting who has come this far. */
#ifndef MV_SMP_X86_H
#define MV_SMP_X86_H

#include "guest.h"

#define APIC 0xfee00000u
#define CODE64 0x18	/* selector of the VMM's GDT (x86_start.h) */
#define VCPUS 4u

/* What an interrupt pushes in 64-bit mode: Intel SDM volume 3, section 6.14.2. */
struct frame {
	u64 ip, cs, flags, sp, ss;
};

static u64 idt[256][2] __attribute__((aligned(16)));

static inline void gate(u32 vector, void (*to)(struct frame *))
{
	u64 at = (u64)(unsigned long)to;

	idt[vector][0] = (at & 0xffff) | (u64)CODE64 << 16 | 0x8e00ull << 32 | (at >> 16 & 0xffff) << 48;
	idt[vector][1] = at >> 32;
}

/* This vCPU's table and local APIC. */
static inline void interrupts_ready(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (u64)(unsigned long)idt };

	__asm__ volatile("lidt %0" : : "m"(pointer));
	st32(APIC + 0xf0, 0x1ff);
}

static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void end_of_interrupt(void) { st32(APIC + 0xb0, 0); }
/* To all others; section 10.6.1. */
static inline void ipi_others(u32 vector) { st32(APIC + 0x300, 3u << 18 | 1u << 14 | vector); }

/* Section 8.3: CPUID serialises. */
static inline void serialise(void)
{
	u32 a = 0, c = 0;

	__asm__ volatile("cpuid" : "+a"(a), "+c"(c) : : "ebx", "edx", "memory");
}

static inline void add(volatile u32 *p, u32 n) { __asm__ volatile("lock addl %1, %0" : "+m"(*p) : "r"(n) : "memory"); }

static inline void until(volatile u32 *p, u32 least)
{
	while (*p < least)
		relax();
}

static inline void rest(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* vCPU 0: one after the other, for the trampoline is one for all.  Each counts itself in @here. */
static inline void start_others(volatile u32 *here)
{
	u32 n;

	interrupts_ready();
	for (n = 1; n < VCPUS; n++) {
		start_vcpu(n);
		until(here, n);
	}
}

/* Any other: is here, does what it is for, has done it. */
static inline void be_other(u32 vcpu, volatile u32 *here, void (*work)(u32))
{
	interrupts_ready();
	interrupts_on();
	add(here, 1);
	work(vcpu);
	add(here, 1);
	rest();
}

#endif
