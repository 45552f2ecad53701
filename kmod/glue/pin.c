// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>

#include "pin.h"

#define PIN_BATCH 1024ul

int pin_range(unsigned long start, unsigned long count, struct page ***pages)
{
	unsigned long done = 0;
	struct page **list;
	long got;

	/* a count that no machine has: the allocator would warn */
	if (count > INT_MAX / sizeof(*list))
		return -ENOMEM;
	list = kvcalloc(count, sizeof(*list), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!list)
		return -ENOMEM;
	while (done < count) {
		got = pin_user_pages_fast(start + done * PAGE_SIZE, min(count - done, PIN_BATCH), FOLL_WRITE | FOLL_LONGTERM,
					  list + done);
		if (got <= 0) {
			unpin_user_pages(list, done);
			kvfree(list);
			return -EFAULT;
		}
		done += got;
		cond_resched();
	}
	*pages = list;
	return 0;
}

void unpin_range(struct page **pages, unsigned long count)
{
	unpin_user_pages_dirty_lock(pages, count, true);
	kvfree(pages);
}
