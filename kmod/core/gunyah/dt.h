/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the resource manager needs from the guest's device tree.  The tree is hostile input: every offset is checked
 * against the blob, depth is bounded, nothing recurses.  Format: Devicetree Specification v0.4, chapter 5.
 */
#ifndef MV_DT_H
#define MV_DT_H

#include "../env.h"

#define GUNYAH_DT_CPUS 32
#define GUNYAH_DT_DOORBELLS 64

/* A node of /gunyah-vm-config/vdevices with vdevice-type "doorbell" */
struct gunyah_dt_doorbell {
	u32 label;
	u32 intid;	/* of its interrupts property; 0: it has none that is an SPI */
};

/**
 * struct gunyah_dt - the parts of the tree that matter
 * @cpus: number of nodes with device_type "cpu" below /cpus; their order gives the vCPU id
 * @enabled: bit n: cpu n has no status, or status "okay"; the first of them boots
 * @memory_base: /gunyah-vm-config/memory/base-address
 * @has_memory_base: that property exists
 * @gic_dist, @gic_redist: addresses of the first node that is compatible with arm,gic-v3
 * @gic_redist_size: bytes of the first redistributor region; 0: there is no such node
 * @doorbells: how many of @doorbell there are
 */
struct gunyah_dt {
	u32 cpus;
	u32 enabled;
	u64 memory_base;
	u32 has_memory_base;
	u64 gic_dist;
	u64 gic_redist;
	u64 gic_redist_size;
	u32 doorbells;
	struct gunyah_dt_doorbell doorbell[GUNYAH_DT_DOORBELLS];
};

/* Return: 0, or -EINVAL: no device tree, or broken: *where names the part (for the log). */
int gunyah_dt_read(const void *blob, size_t size, struct gunyah_dt *dt, const char **where);

#endif
