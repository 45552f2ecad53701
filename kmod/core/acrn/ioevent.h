/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Ranges that are answered without the VMM: ACRN's ioeventfds.  Facts: drivers/virt/acrn/ioeventfd.c and ioreq.c.
 *
 * A write that lies wholly inside a range signals the first entry that matches it, and is swallowed if none does; a read
 * gives 0.  An access that only touches a range is the VMM's.
 */
#ifndef MV_ACRN_IOEVENT_H
#define MV_ACRN_IOEVENT_H

#include "../exit.h"

/**
 * struct acrn_ioevent - one registered range, embedded in what the environment keeps for it
 * @space: HV_SPACE_PIO or HV_SPACE_MMIO
 * @wildcard: any value matches, otherwise @data alone
 * @target: what is signalled; two entries with the same target, place and value are one too many
 */
struct acrn_ioevent {
	struct acrn_ioevent *next;
	u64 address;
	u64 data;
	const void *target;
	u32 length;
	u8 space;
	u8 wildcard;
};

/* Entries in the order of their registration.  Callers serialise. */
struct acrn_ioevents {
	struct acrn_ioevent *first;
	void (*signal)(struct acrn_ioevent *e);
};

/* -EINVAL: length not 1, 2, 4, 8, or the range wraps.  To be called before the entry's target is looked at. */
int acrn_ioevent_check(u64 address, u32 length);
/* -EEXIST: there is one like it. */
int acrn_ioevent_add(struct acrn_ioevents *all, struct acrn_ioevent *e);
/* Take out the first entry of @target, or with NULL the first of all.  Return: it, or NULL. */
struct acrn_ioevent *acrn_ioevent_remove(struct acrn_ioevents *all, const void *target);
/* Return: true if the access is answered: a read with 0. */
bool acrn_ioevent_serve(const struct acrn_ioevents *all, const struct hv_exit *access);

#endif
