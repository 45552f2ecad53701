// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Links between virtual devices: see link.h. */
#include "link.h"

static int replace(struct acrn_link *l, struct acrn_hvdev *old, struct acrn_hvdev *new_)
{
	int r = -ENOSPC;
	u32 i;

	env_lock_take(&l->lock);
	for (i = 0; i < ACRN_LINK_MEMBERS && r; i++) {
		if (l->member[i] != old)
			continue;
		l->member[i] = new_;
		r = 0;
	}
	env_lock_drop(&l->lock);
	return r;
}

int acrn_link_join(struct acrn_link *l, struct acrn_hvdev *d)
{
	return replace(l, NULL, d);
}

void acrn_link_leave(struct acrn_link *l, struct acrn_hvdev *d)
{
	replace(l, d, NULL);
}
