/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What joins virtual devices of different VMs: shared memory of ivshmem, the wire between two vUARTs.  The environment
 * makes one per name and keeps it while it has users; its lock is a leaf.
 */
#ifndef MV_ACRN_LINK_H
#define MV_ACRN_LINK_H

#include "../env.h"

#define ACRN_LINK_NAME 32u
#define ACRN_LINK_MEMBERS 16u

struct acrn_hvdev;

struct acrn_link {
	char name[ACRN_LINK_NAME];
	struct env_lock lock;
	u8 *memory;
	u64 size;
	struct acrn_hvdev *member[ACRN_LINK_MEMBERS];
};

/* -ENOSPC: all places are taken. */
int acrn_link_join(struct acrn_link *l, struct acrn_hvdev *d);
void acrn_link_leave(struct acrn_link *l, struct acrn_hvdev *d);

#endif
