/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Writes that are answered without the VMM: Gunyah's ioeventfds.  Facts: the driver's vm_mgr.c, gunyah_vm_add_io_handler().
 *
 * An entry without a value to match takes writes of any size and value to exactly its address; one with a value takes
 * those of its size and value.  Reads are always the VMM's.
 */
#ifndef MV_GUNYAH_IOEVENT_H
#define MV_GUNYAH_IOEVENT_H

#include "../exit.h"

/* @length: 0: any write */
struct gunyah_ioevent {
	struct gunyah_ioevent *next;
	u64 address;
	u64 data;
	u32 length;
};

struct gunyah_ioevents {
	struct env_lock lock;
	struct gunyah_ioevent *first;
	/* With the lock held, must not sleep. */
	void (*signal)(struct gunyah_ioevent *e);
};

void gunyah_ioevents_init(struct gunyah_ioevents *all);
/* Return: -EEXIST: some write would match this one and another. */
int gunyah_ioevent_add(struct gunyah_ioevents *all, struct gunyah_ioevent *e);
void gunyah_ioevent_remove(struct gunyah_ioevents *all, struct gunyah_ioevent *e);
/* Return: true if the access is one of them, and was signalled. */
bool gunyah_ioevent_serve(struct gunyah_ioevents *all, const struct hv_exit *access);

#endif
