/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the resource manager needs from the guest's device tree.  The tree is hostile input: every offset is checked
 * against the blob, depth is bounded, nothing recurses.  Format: Devicetree Specification v0.4, chapter 5.
 */
#ifndef MV_DT_H
#define MV_DT_H

#include "../env.h"

#define GUNYAH_DT_CPUS 32

/**
 * struct gunyah_dt - the parts of the tree that matter
 * @cpus: number of nodes with device_type "cpu" below /cpus; their order gives the vCPU id
 * @enabled: bit n: cpu n has no status, or status "okay"; the first of them boots
 * @memory_base: /gunyah-vm-config/memory/base-address
 * @has_memory_base: that property exists
 */
struct gunyah_dt {
	u32 cpus;
	u32 enabled;
	u64 memory_base;
	u32 has_memory_base;
};

/* Return: 0, or -EINVAL: no device tree, or broken: *where names the part (for the log). */
int gunyah_dt_read(const void *blob, size_t size, struct gunyah_dt *dt, const char **where);

#endif
