/* SPDX-License-Identifier: MIT */
/*
 * AArch64: the driver of a virtio source of entropy that sees the pool behind the guest's 4 MiB and nothing else.  VIRTIO 1.2,
 * sections 2.7 and 4.2.  Returns the number of the first thing that was not as it should be.
 */
#include "../guest.h"

#define DEVICE_BASE 0x0a000000ul
#define POOL 0x80400000ul

enum { DEVICE_ID = 0x08, FEATURES = 0x10, FEATURES_SEL = 0x14, DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SEL = 0x24,
       QUEUE_SEL = 0x30, QUEUE_NUM = 0x38, QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50, STATUS = 0x70,
       QUEUE_DESC = 0x80, QUEUE_DRIVER = 0x90, QUEUE_DEVICE = 0xa0 };
enum { FEATURES_OK = 8, DRIVER_OK = 4, NEEDS_RESET = 0x40, VERSION_1 = 1, ACCESS_PLATFORM = 2, WRITABLE = 2, BYTES = 64 };

/* One page: descriptors, what is available at 0x400, what was used at 0x800. */
struct ring {
	struct { volatile u64 address; volatile u32 length; volatile u16 flags, next; } descriptor[8];
	u8 pad[0x400 - 128];
	volatile u16 available_flags, available_index, available[8];
	u8 pad2[0x400 - 20];
	volatile u16 used_flags, used_index;
};

static u8 own[4096] __attribute__((aligned(4096)));

static void set(u32 offset, u32 value) { st32(DEVICE_BASE + offset, value); }
static u32 get_register(u32 offset) { return ld32(DEVICE_BASE + offset); }

static int negotiate(u32 features)
{
	set(STATUS, 0);
	set(STATUS, 3);
	set(DRIVER_FEATURES_SEL, 1);
	set(DRIVER_FEATURES, features);
	set(STATUS, 3 | FEATURES_OK);
	return !!(get_register(STATUS) & FEATURES_OK);
}

static void start(unsigned long ring)
{
	set(QUEUE_SEL, 0);
	set(QUEUE_NUM, 8);
	set(QUEUE_DESC, (u32)ring);
	set(QUEUE_DRIVER, (u32)ring + 0x400);
	set(QUEUE_DEVICE, (u32)ring + 0x800);
	set(QUEUE_READY, 1);
	set(STATUS, 3 | FEATURES_OK | DRIVER_OK);
}

/* Whether the device gave the buffer back; otherwise it wants a reset. */
static int fill(struct ring *r, unsigned long buffer)
{
	u16 before = r->used_index;

	r->descriptor[0].address = buffer;
	r->descriptor[0].length = BYTES;
	r->descriptor[0].flags = WRITABLE;
	r->available[r->available_index % 8] = 0;
	__asm__ volatile("dmb ish" ::: "memory");
	r->available_index++;
	set(QUEUE_NOTIFY, 0);
	while (r->used_index == before && !(get_register(STATUS) & NEEDS_RESET))
		relax();
	return !(get_register(STATUS) & NEEDS_RESET);
}

static int any(const volatile u8 *bytes)
{
	int i, found = 0;

	for (i = 0; i < BYTES; i++)
		found |= bytes[i];
	return found;
}

int guest(unsigned int vcpu)
{
	struct ring *ring = (struct ring *)POOL;

	(void)vcpu;
	set(FEATURES_SEL, 1);
	if (get_register(DEVICE_ID) != 4 || get_register(FEATURES) != (VERSION_1 | ACCESS_PLATFORM))
		return 1;
	if (negotiate(VERSION_1))
		return 2;
	if (!negotiate(VERSION_1 | ACCESS_PLATFORM))
		return 3;
	start(POOL);
	if (!fill(ring, POOL + 0x1000) || !any((u8 *)POOL + 0x1000))
		return 4;
	/* memory that is the guest's own: the device must not have it, nor what goes beyond the pool */
	if (fill(ring, (unsigned long)own) || any(own))
		return 5;
	if (!negotiate(VERSION_1 | ACCESS_PLATFORM))
		return 6;
	start((unsigned long)own);
	return get_register(STATUS) & NEEDS_RESET ? 0 : 7;
}
