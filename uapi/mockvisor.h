/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Mockvisor's own control interface: /dev/mockvisor.  Nothing in it is part of ACRN's or Gunyah's ABI.  It names a VM by
 * the file descriptor that the caller has of it (the /dev/acrn_hsm fd, or the Gunyah VM fd).
 *
 * Errors of every call: EFAULT bad pointer, EBADF no such fd, EINVAL the fd is no VM of this module or the VM is gone,
 * ENOENT no such vCPU, ENOTTY unknown call.
 */
#ifndef MV_UAPI_MOCKVISOR_H
#define MV_UAPI_MOCKVISOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MOCKVISOR_ABI_VERSION 1
#define MOCKVISOR_IOCTL_TYPE 0xE5

/* the seven words of the walk, as indexes of mockvisor_walk.start */
#define MOCKVISOR_WORDS 7

/**
 * struct mockvisor_walk - when each word of one device access began
 * @vm_fd: in: the VM
 * @vcpu: in: vCPU number
 * @cookie: in: which access of this vCPU, counted from 1; 0: the newest completed one.  out: which one it is
 * @address: out: port or guest-physical address
 * @data: out: value written, or the reply of a read
 * @size: out: bytes
 * @space: out: 0 port, 1 memory
 * @direction: out: 0 read, 1 write
 * @start: out: CLOCK_MONOTONIC nanoseconds at which step, exit, post, deliver, serve, complete, resume began; serve is
 *	userspace's own business and is 0
 * @end: out: when the CPU stepped on
 *
 * The last 16 accesses of each vCPU are kept.  EAGAIN: the wanted access is not complete yet, or forgotten already.
 */
struct mockvisor_walk {
	__s32 vm_fd;
	__u32 vcpu;
	__u64 cookie;
	__u64 address;
	__u64 data;
	__u8 size;
	__u8 space;
	__u8 direction;
	__u8 reserved[5];
	__u64 start[MOCKVISOR_WORDS];
	__u64 end;
};

/**
 * struct mockvisor_counters - what one vCPU has done
 * @instructions: retired since its last reset
 * @accesses: device accesses posted
 */
struct mockvisor_counters {
	__s32 vm_fd;
	__u32 vcpu;
	__u64 instructions;
	__u64 accesses;
	__u64 blocks_decoded;
	__u64 block_flushes;
	__u64 arena_bytes;
	__u64 reserved[4];
};

struct mockvisor_walk_switch {
	__s32 vm_fd;
	__u32 on;
};

/**
 * struct mockvisor_device_interrupt - a pretend physical device (module parameter acrn_devices) drives its interrupt
 * @bdf: bus << 8 | device << 3 | function
 * @high: 1: raises it (MSI if the guest enabled that, else the line of SET_PTDEV_INTR); 0: the line falls
 * @reserved: 0, else EINVAL
 *
 * ENODEV: there is no such device; ENOENT: no VM has it.
 */
struct mockvisor_device_interrupt {
	__u16 bdf;
	__u8 high;
	__u8 reserved;
};

/**
 * struct mockvisor_fault - a call of a descriptor fails because its user wants to see what his program does then
 * @fd: in: descriptor of /dev/acrn_hsm, with or without a VM
 * @call: in: the ioctl's number as it is passed, e.g. ACRN_IOCTL_START_VM
 * @error: the errno that it gives, 1 to 133; 0 disarms and keeps the counters
 * @skip: so many calls go through first
 * @times: and then so many fail; 0: all
 * @reserved: 0, else EINVAL
 * @passed: out: calls that went through since it was armed
 * @fired: out: calls that failed
 *
 * The point lies behind the checks of argument and VM state and before anything is done: the call has no effect.  Arming
 * it again begins anew.  It goes with the descriptor.  MOCKVISOR_FAULT_SET: EINVAL no such call of this descriptor,
 * ENOSPC more than 8 are armed.  MOCKVISOR_FAULT_GET: ENOENT this one never was.
 */
struct mockvisor_fault {
	__s32 fd;
	__u32 call;
	__u32 error;
	__u32 skip;
	__u32 times;
	__u32 reserved;
	__u64 passed;
	__u64 fired;
};

/**
 * struct mockvisor_x86_state - everything of one vCPU of an ACRN VM, between two of its instructions
 * @vm_fd, @vcpu: in: whose
 * @segment: ES, CS, SS, DS, FS, GS, LDTR, TR; attributes as in a VMX access-rights field
 * @sysenter: CS, ESP, EIP
 * @tsc_offset: of the time-stamp counter from CLOCK_MONOTONIC, in its cycles
 * @st: by register number, not by distance from the top of stack; @used: bit n: register n is not empty
 * @pending: vector + 1 of an interrupt that was acknowledged and is not delivered yet
 * @shadow: interrupts wait for one more instruction
 * @idle: it executed HLT
 * @waits: it waits for a start-up IPI
 * @shutdown: out: the request that is out stands for a triple fault
 * @lapic: registers at their offset divided by 16; @timer_start, @timer_on: the count that runs
 * @hyperv_synic: if CPUID offers Hyper-V's interface (MOCKVISOR_X86_CPUID_SET), MSRs 40000080h to 4000009fh are there, too
 * @reserved: 0, else EINVAL
 *
 * The vCPU is stopped meanwhile; an access that waits for its answer goes on waiting for it, unless RIP is set elsewhere.
 * EINVAL: not ACRN's; ENOENT: no such vCPU.
 */
struct mockvisor_x86_state {
	__s32 vm_fd;
	__u32 vcpu;
	__u64 gpr[16];
	__u64 rip, rflags;
	struct mockvisor_x86_segment {
		__u64 base;
		__u32 limit;
		__u16 selector;
		__u16 attributes;
	} segment[8];
	__u64 gdt_base, idt_base;
	__u16 gdt_limit, idt_limit;
	__u16 pending;
	__u8 shadow, nmi_blocked;
	__u64 cr0, cr2, cr3, cr4, cr8, efer;
	__u64 dr[8];
	__u64 star, lstar, cstar, sfmask, kernel_gs_base, sysenter[3], pat, tsc_offset;
	__u64 tsc_aux, misc_enable, spec_ctrl;
	__u64 xmm[16][2];
	struct mockvisor_x86_st {
		__u64 significand;
		__u16 sign_exponent;
		__u16 reserved[3];
	} st[8];
	__u16 fcw, fsw, fop, used;
	__u32 mxcsr;
	__u8 nmi_pending, idle, waits, shutdown;
	__u64 fip, fdp, xcr0;
	__u64 apic_base, timer_start;
	__u32 lapic[64];
	__u32 timer_on;
	__u32 hyperv_synic;
	__u32 reserved[4];
};

/**
 * struct mockvisor_x86_cpuid - what CPUID answers from now on, instead of what the mock has
 * @leaves: address of @count struct mockvisor_x86_leaf, 256 at most (else E2BIG); 0: as it was
 *
 * With EAX = 31237648h ("Hv#1") in leaf 40000001h the vCPU has Hyper-V's interface, which the VM's owner serves: VMCALL is a request to
 * read 8 bytes at 1 << 62 | 8000h, and reading or writing MSR 40000000h + n is one at (1 << 62) + n * 8.
 */
struct mockvisor_x86_cpuid {
	__s32 vm_fd;
	__u32 vcpu;
	__u64 leaves;
	__u32 count;
	__u32 reserved;
};

struct mockvisor_x86_leaf {
	__u32 leaf, sub;
	__u32 has_sub;
	__u32 out[4];	/* EAX, EBX, ECX, EDX */
};

/**
 * struct mockvisor_vcpu_hold - one vCPU of an ACRN VM stands still while it is held, and the others run
 * @on: 1 holds, 0 lets go
 * @reserved: 0, else EINVAL
 *
 * It stops behind an instruction.  EBUSY: it is held, but one of its requests is out, or is now.  Once that is answered, a second call
 * finishes the instruction, and nothing behind it.  ENOMEM: held, inside an instruction; call again.
 */
struct mockvisor_vcpu_hold {
	__s32 vm_fd;
	__u32 vcpu;
	__u32 on;
	__u32 reserved;
};

/**
 * struct mockvisor_x86_chip - interrupt controllers of an ACRN VM
 * @pins: of the I/O APIC, 1 to 48
 * @pic: the 8259 pair
 */
struct mockvisor_x86_chip {
	__s32 vm_fd;
	__u32 pins;
	struct mockvisor_x86_pic {
		__u8 lines, irr, isr, imr;
		__u8 base, lowest, step, elcr;
		__u8 icw4_follows, auto_eoi, rotate_on_aeoi, special_mask;
		__u8 special_nested, read_isr, poll, initialised;
	} pic[2];
	__u32 ioapic_id, ioapic_select;
	__u64 ioapic_lines;
	__u64 redirection[48];
};

/**
 * struct mockvisor_x86_pin - one input of one controller, which SET_IRQLINE drives together
 * @controller: 0: the 8259 pair, @pin 0 to 15; 2: the I/O APIC.  Others, and pins that are not there: EINVAL
 */
struct mockvisor_x86_pin {
	__s32 vm_fd;
	__u16 controller;
	__u16 pin;
	__u32 high;
	__u32 reserved;
};

/**
 * struct mockvisor_x86_ends - inputs of an ACRN VM that are let go when the guest has finished with their interrupt
 * @eventfd: X86_ENDS_WATCH: gets 1 added when that has happened to some; -1: none.  X86_ENDS_TAKE: ignored
 * @pic, @ioapic: X86_ENDS_WATCH: these inputs (8259 pair: 0 to 15, I/O APIC: 0 to 47; others EINVAL) go low at their end of interrupt,
 *	all others do not any more.  X86_ENDS_TAKE gives those that did since it was last asked, and forgets them
 *
 * ACRN itself tells nobody of it.  EBADF: no such descriptor, EINVAL: no eventfd.
 */
struct mockvisor_x86_ends {
	__s32 vm_fd;
	__s32 eventfd;
	__u64 pic;
	__u64 ioapic;
};

/**
 * struct mockvisor_memory_forget - RAM of an ACRN VM goes, and is not pinned any more
 * @gpa, @len: of one SET_MEMSEG, else ENOENT
 * @reserved: 0, else EINVAL
 *
 * ACRN's driver keeps such pages, and the place for the segment, as long as the VM lives.
 */
struct mockvisor_memory_forget {
	__s32 vm_fd;
	__u32 reserved;
	__u64 gpa;
	__u64 len;
};

#define MOCKVISOR_VERSION _IO(MOCKVISOR_IOCTL_TYPE, 0x00)	/* returns MOCKVISOR_ABI_VERSION */
#define MOCKVISOR_WALK_SWITCH _IOW(MOCKVISOR_IOCTL_TYPE, 0x01, struct mockvisor_walk_switch)
#define MOCKVISOR_WALK_GET _IOWR(MOCKVISOR_IOCTL_TYPE, 0x02, struct mockvisor_walk)
#define MOCKVISOR_COUNTERS _IOWR(MOCKVISOR_IOCTL_TYPE, 0x03, struct mockvisor_counters)
#define MOCKVISOR_DEVICE_INTERRUPT _IOW(MOCKVISOR_IOCTL_TYPE, 0x04, struct mockvisor_device_interrupt)
#define MOCKVISOR_FAULT_SET _IOW(MOCKVISOR_IOCTL_TYPE, 0x05, struct mockvisor_fault)
#define MOCKVISOR_FAULT_GET _IOWR(MOCKVISOR_IOCTL_TYPE, 0x06, struct mockvisor_fault)
#define MOCKVISOR_X86_STATE_GET _IOWR(MOCKVISOR_IOCTL_TYPE, 0x07, struct mockvisor_x86_state)
#define MOCKVISOR_X86_STATE_SET _IOW(MOCKVISOR_IOCTL_TYPE, 0x08, struct mockvisor_x86_state)
#define MOCKVISOR_X86_CPUID_SET _IOW(MOCKVISOR_IOCTL_TYPE, 0x09, struct mockvisor_x86_cpuid)
#define MOCKVISOR_VCPU_HOLD _IOW(MOCKVISOR_IOCTL_TYPE, 0x0a, struct mockvisor_vcpu_hold)
#define MOCKVISOR_X86_CHIP_GET _IOWR(MOCKVISOR_IOCTL_TYPE, 0x0b, struct mockvisor_x86_chip)
#define MOCKVISOR_X86_CHIP_SET _IOW(MOCKVISOR_IOCTL_TYPE, 0x0c, struct mockvisor_x86_chip)
#define MOCKVISOR_X86_PIN _IOW(MOCKVISOR_IOCTL_TYPE, 0x0d, struct mockvisor_x86_pin)
#define MOCKVISOR_MEMORY_FORGET _IOW(MOCKVISOR_IOCTL_TYPE, 0x0e, struct mockvisor_memory_forget)
#define MOCKVISOR_X86_ENDS_WATCH _IOW(MOCKVISOR_IOCTL_TYPE, 0x0f, struct mockvisor_x86_ends)
#define MOCKVISOR_X86_ENDS_TAKE _IOWR(MOCKVISOR_IOCTL_TYPE, 0x10, struct mockvisor_x86_ends)

#endif
