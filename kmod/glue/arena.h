/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for decoded blocks: starts small, so that an idle vCPU is cheap, and doubles while the guest's code asks for it. */
#ifndef MV_ARENA_H
#define MV_ARENA_H

#include "../core/cpu/block.h"

#define ARENA_FIRST (32u << 10)
#define ARENA_LIMIT (4u << 20)

/* Return: ARENA_FIRST bytes, or NULL. */
void *arena_new(void);
void arena_free(struct hv_blocks *blocks);
/* Answer to HV_EXIT_ARENA: a larger arena, or, without memory, the old one emptied and kept at its size. */
void arena_grow(struct hv_blocks *blocks);

#endif
