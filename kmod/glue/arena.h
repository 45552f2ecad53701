/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for decoded blocks: none before the first step, so that an idle vCPU is cheap; doubled while the guest's code asks. */
#ifndef MV_ARENA_H
#define MV_ARENA_H

#include "../core/cpu/block.h"

#define ARENA_LIMIT (4u << 20)

void arena_free(struct hv_blocks *blocks);
/*
 * Answer to HV_EXIT_ARENA: the first arena or a larger one; or, without memory, the old one emptied and kept at its size.
 * Return: false if there is none at all.
 */
bool arena_grow(struct hv_blocks *blocks);

#endif
