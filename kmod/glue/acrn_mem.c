// SPDX-License-Identifier: GPL-2.0
/* Guest memory of ACRN VMs: the VMM's pages, pinned and mapped in one piece for the software CPU. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "acrn_hsm.h"
#include "pin.h"

static int segment_pin(struct acrn_segment *s, unsigned long start, unsigned long count)
{
	int r = pin_range(start, count, &s->pages);

	if (r)
		return r;
	s->address = vmap(s->pages, count, VM_MAP, PAGE_KERNEL);
	if (!s->address) {
		unpin_range(s->pages, count);
		return -ENOMEM;
	}
	s->count = count;
	return 0;
}

static void segment_unpin(struct acrn_segment *s)
{
	vunmap(s->address);
	unpin_range(s->pages, s->count);
}

static int ram_check(const struct acrn_vm_memmap *m)
{
	if (m->len < PAGE_SIZE || ((m->len | m->vma_base | m->user_vm_pa) & ~PAGE_MASK))
		return -EINVAL;
	if (m->user_vm_pa + m->len < m->user_vm_pa || m->vma_base + m->len < m->vma_base)
		return -EINVAL;
	return m->len >> PAGE_SHIFT > INT_MAX ? -EINVAL : 0;
}

/* With the lock held for writing.  On success the segment is the VM's, and its pages stay until the VM goes. */
static int add_segment(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m, const struct acrn_segment *s)
{
	int r;

	if (!hsm->live)
		return -EINVAL;
	if (hsm->segments == ACRN_HSM_SEGMENTS)
		return -ENOMEM;
	/* vCPUs hold no translation of what was unmapped so far: nothing to flush */
	r = hv_memmap_fill(&hsm->core.map, m->user_vm_pa, m->len, s->address, m->attr & ACRN_MEM_ACCESS_RIGHT_MASK);
	/* slots used up half-way: vCPUs may use what is mapped */
	if (!r || r == -ENOMEM)
		hsm->segment[hsm->segments++] = *s;
	if (!r)
		hsm->segment[hsm->segments - 1].gpa = m->user_vm_pa;
	return r;
}

static int set_ram(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m)
{
	struct acrn_segment s;
	u32 before;
	int r = ram_check(m);

	if (r)
		return r;
	/* pinning takes its time, and waits for nobody: not under the lock that NOTIFY and interrupts take */
	r = segment_pin(&s, m->vma_base, m->len >> PAGE_SHIFT);
	if (r)
		return r;
	down_write(&hsm->lock);
	before = hsm->segments;
	r = add_segment(hsm, m, &s);
	if (hsm->segments == before)
		segment_unpin(&s);
	up_write(&hsm->lock);
	return r;
}

/* Memory of a pretend physical device, as plain memory. */
static int set_mmio(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m)
{
	u8 *memory;
	int r = -EINVAL;

	if (!m->len || ((m->len | m->user_vm_pa | m->service_vm_pa) & ~PAGE_MASK))
		return -EINVAL;
	down_write(&hsm->lock);
	memory = hsm->live ? acrn_hsm_device_memory(m->service_vm_pa, m->len) : NULL;
	if (memory)
		r = hv_memmap_fill(&hsm->core.map, m->user_vm_pa, m->len, memory, m->attr & ACRN_MEM_ACCESS_RIGHT_MASK);
	up_write(&hsm->lock);
	return r;
}

int acrn_hsm_set_memseg(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m)
{
	switch (m->type) {
	case ACRN_MEMMAP_RAM:
		return set_ram(hsm, m);
	case ACRN_MEMMAP_MMIO:
		return set_mmio(hsm, m);
	default:
		return -EINVAL;
	}
}

int acrn_hsm_unmap(struct acrn_hsm *hsm, u64 gpa, u64 len)
{
	bool running = hsm->running;
	u32 i;
	int r;

	acrn_hsm_vcpus_stop(hsm);
	r = hv_memmap_unmap(&hsm->core.map, gpa, len);
	for (i = 0; i < hsm->core.vcpu_num; i++)
		hv_cpu_request(&hsm->vcpu[i]->core.cpu.hv, HV_REQ_FLUSH);
	if (running)
		acrn_hsm_vcpus_run(hsm);
	return r;
}

/* The hypervisor does not know what is RAM: whatever is mapped there goes.  The pages of RAM stay pinned. */
int acrn_hsm_unset_memseg(struct acrn_hsm *hsm, const struct acrn_vm_memmap *m)
{
	return m->type == ACRN_MEMMAP_MMIO ? acrn_hsm_unmap(hsm, m->user_vm_pa, m->len) : -EINVAL;
}

int acrn_hsm_forget(struct acrn_hsm *hsm, u64 gpa, u64 len)
{
	struct acrn_segment *s = hsm->segment, *end = s + hsm->segments;
	int r;

	while (s < end && (s->gpa != gpa || (u64)s->count << PAGE_SHIFT != len))
		s++;
	if (s == end)
		return -ENOENT;
	/* no vCPU executes an instruction before it has dropped its translations */
	r = acrn_hsm_unmap(hsm, gpa, len);
	if (r)
		return r;
	segment_unpin(s);
	*s = hsm->segment[--hsm->segments];
	return 0;
}

void acrn_hsm_drop_segments(struct acrn_hsm *hsm)
{
	while (hsm->segments)
		segment_unpin(&hsm->segment[--hsm->segments]);
}
