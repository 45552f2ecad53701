// SPDX-License-Identifier: GPL-2.0
/* Memory for decoded blocks: see arena.h. */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "arena.h"

void arena_free(struct hv_blocks *blocks)
{
	vfree(blocks->arena);
	blocks->arena = NULL;
}

bool arena_grow(struct hv_blocks *blocks)
{
	size_t size = blocks->want;
	/* not kmalloc(): it would round 40 KiB up to 64 */
	void *larger = __vmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (!larger && !blocks->arena)
		return false;
	if (!larger) {
		blocks->limit = blocks->size;
		hv_blocks_set_arena(blocks, blocks->arena, blocks->size);
		return true;
	}
	vfree(hv_blocks_set_arena(blocks, larger, size));
	return true;
}
