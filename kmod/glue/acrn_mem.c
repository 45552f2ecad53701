// SPDX-License-Identifier: GPL-2.0
/* Guest memory of ACRN VMs: the VMM's pages, pinned and mapped in one piece for the software CPU. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "acrn_hsm.h"

int acrn_hsm_pin(struct acrn_segment *s, unsigned long start, unsigned long count)
{
	unsigned long done = 0;
	long got;
	int r = -EFAULT;

	/* a count that no machine has: the allocator would warn */
	if (count > INT_MAX / sizeof(*s->pages))
		return -ENOMEM;
	s->pages = kvcalloc(count, sizeof(*s->pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!s->pages)
		return -ENOMEM;
	while (done < count) {
		got = pin_user_pages_fast(start + done * PAGE_SIZE, min_t(unsigned long, count - done, 1024),
					  FOLL_WRITE | FOLL_LONGTERM, s->pages + done);
		if (got <= 0)
			goto undo;
		done += got;
		cond_resched();
	}
	s->address = vmap(s->pages, count, VM_MAP, PAGE_KERNEL);
	if (!s->address) {
		r = -ENOMEM;
		goto undo;
	}
	s->count = count;
	return 0;

undo:
	unpin_user_pages(s->pages, done);
	kvfree(s->pages);
	return r;
}

void acrn_hsm_unpin(struct acrn_segment *s)
{
	vunmap(s->address);
	unpin_user_pages_dirty_lock(s->pages, s->count, true);
	kvfree(s->pages);
}

static int memseg_check(const struct acrn_vm_memmap *m)
{
	/* no host physical range is valid for a mock: it has no devices to hand out */
	if (m->type != ACRN_MEMMAP_RAM)
		return -EINVAL;
	if (m->len < PAGE_SIZE || ((m->len | m->vma_base | m->user_vm_pa) & ~PAGE_MASK))
		return -EINVAL;
	if (m->user_vm_pa + m->len < m->user_vm_pa || m->vma_base + m->len < m->vma_base)
		return -EINVAL;
	return m->len >> PAGE_SHIFT > INT_MAX ? -EINVAL : 0;
}

int acrn_hsm_set_memseg(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m)
{
	struct acrn_segment *s = &hsm->segment[hsm->segments];
	int r = memseg_check(m);

	if (r)
		return r;
	if (hsm->segments == ACRN_HSM_SEGMENTS)
		return -ENOMEM;
	r = acrn_hsm_pin(s, m->vma_base, m->len >> PAGE_SHIFT);
	if (r)
		return r;
	/* vCPUs hold no translation of what was unmapped so far: nothing to flush */
	r = hv_memmap_fill(&hsm->core.map, m->user_vm_pa, m->len, s->address, m->attr & ACRN_MEM_ACCESS_RIGHT_MASK);
	/* on failure a part may be mapped, and vCPUs may use it: the pages stay until the VM goes */
	hsm->segments++;
	return r;
}

void acrn_hsm_drop_segments(struct acrn_hsm *hsm)
{
	while (hsm->segments)
		acrn_hsm_unpin(&hsm->segment[--hsm->segments]);
}
