/* SPDX-License-Identifier: MIT */
/*
 * What a tiny guest needs: its UART, the debug exit, the scratch device, a second vCPU.  No library, no memory allocation.
 * Each guest is one C file with int guest(unsigned vcpu); its return value goes to the debug exit device.
 */
#ifndef MV_GUEST_H
#define MV_GUEST_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* A load in the form that the compiler chooses (sign extension, for instance). */
#define MMIO(type, address) (*(const volatile type *)(unsigned long)(address))

/*
 * Device accesses as single instructions.  Not C's volatile: gcc 12 was seen to repeat a volatile store after a loop, and
 * may choose AArch64 forms (writeback, pairs) that a hypervisor cannot emulate.
 */
#if defined(__x86_64__) || defined(__i386__)
#define DEVICE(bits, type, reg, w)                                                                                          \
	static inline void st##bits(unsigned long a, type v) { __asm__ volatile("mov %" w "0, (%1)" : : reg(v), "r"(a) : "memory"); } \
	static inline type ld##bits(unsigned long a) { type v; __asm__ volatile("mov (%1), %" w "0" : "=" reg(v) : "r"(a) : "memory"); return v; }
DEVICE(8, u8, "q", "b")
DEVICE(16, u16, "r", "w")
DEVICE(32, u32, "r", "k")
#ifdef __x86_64__
DEVICE(64, u64, "r", "q")
#endif
#else
#define DEVICE(bits, type, op, w)                                                                                           \
	static inline void st##bits(unsigned long a, type v) { __asm__ volatile("str" op " %" w "0, [%1]" : : "r"(v), "r"(a) : "memory"); } \
	static inline type ld##bits(unsigned long a) { type v; __asm__ volatile("ldr" op " %" w "0, [%1]" : "=r"(v) : "r"(a) : "memory"); return v; }
DEVICE(8, u8, "b", "w")
DEVICE(16, u16, "h", "w")
DEVICE(32, u32, "", "w")
DEVICE(64, u64, "", "x")
#endif

#if defined(__x86_64__) || defined(__i386__)
#define UART_DATA 0x3f8
#define UART_STATUS 0x3fd
#define SCRATCH_PORT 0x500
#define SCRATCH 0xd0000000u
#define TEST_DEVICE 0xd0001000u	/* a device that the test brings */
#define NOWHERE 0xd0002000u	/* a device address that nobody claims */

#define PORT_IO(bits, type, suffix)                                                                                       \
	static inline void out##bits(u16 port, type value) { __asm__ volatile("out" #suffix " %0, %1" : : "a"(value), "Nd"(port)); } \
	static inline type in##bits(u16 port) { type v; __asm__ volatile("in" #suffix " %1, %0" : "=a"(v) : "Nd"(port)); return v; }
PORT_IO(8, u8, b)
PORT_IO(16, u16, w)
PORT_IO(32, u32, l)

static inline void put(char c) { out8(UART_DATA, (u8)c); }
static inline int typed(void) { return in8(UART_STATUS) & 1; }
static inline u8 get(void) { return in8(UART_DATA); }
static inline void relax(void) { __asm__ volatile("pause" ::: "memory"); }
#else
#define UART 0x09000000ul
#define SCRATCH 0x09020000ul
#define TEST_DEVICE 0x09030000ul
#define NOWHERE 0x09040000ul

static inline void put(char c) { st32(UART, (u8)c); }
static inline int typed(void) { return !(ld32(UART + 0x18) & 0x10); }
static inline u8 get(void) { return (u8)ld32(UART); }
static inline void relax(void) { __asm__ volatile("yield" ::: "memory"); }
#endif

static inline void say(const char *s)
{
	while (*s)
		put(*s++);
}

/* Starts vCPU 1 in guest(1).  start_x86.S or start_arm64.S. */
void start_second(void);
/* Any of the first four vCPUs. */
void start_vcpu(unsigned int vcpu);
int guest(unsigned int vcpu);

#endif
