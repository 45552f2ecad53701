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

#define MOCKVISOR_VERSION _IO(MOCKVISOR_IOCTL_TYPE, 0x00)	/* returns MOCKVISOR_ABI_VERSION */
#define MOCKVISOR_WALK_SWITCH _IOW(MOCKVISOR_IOCTL_TYPE, 0x01, struct mockvisor_walk_switch)
#define MOCKVISOR_WALK_GET _IOWR(MOCKVISOR_IOCTL_TYPE, 0x02, struct mockvisor_walk)
#define MOCKVISOR_COUNTERS _IOWR(MOCKVISOR_IOCTL_TYPE, 0x03, struct mockvisor_counters)
#define MOCKVISOR_DEVICE_INTERRUPT _IOW(MOCKVISOR_IOCTL_TYPE, 0x04, struct mockvisor_device_interrupt)
#define MOCKVISOR_FAULT_SET _IOW(MOCKVISOR_IOCTL_TYPE, 0x05, struct mockvisor_fault)
#define MOCKVISOR_FAULT_GET _IOWR(MOCKVISOR_IOCTL_TYPE, 0x06, struct mockvisor_fault)

#endif
