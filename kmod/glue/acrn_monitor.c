// SPDX-License-Identifier: GPL-2.0
/* PM_GET_CPU_STATE and VM_INTR_MONITOR: what VMMs ask about power states and interrupts. */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "../core/acrn/power.h"
#include "acrn_hsm.h"

/* The argument is the command's user address; the answer goes to the same place, as many bytes as its type has. */
int acrn_hsm_pm(u64 argument)
{
	void __user *user = (void __user *)(unsigned long)argument;
	union acrn_pm_answer answer;
	size_t size;
	u64 word;
	int r;

	if (copy_from_user(&word, user, sizeof(word)))
		return -EFAULT;
	size = acrn_pm_size(ACRN_PM_TYPE(word));
	if (!size)
		return 0;
	/* the VM is the one that the word names, not the file's */
	r = acrn_hsm_pm_allowed(ACRN_PM_VM(word));
	if (!r)
		r = acrn_pm_ask(word, &answer);
	if (r)
		return r;
	return copy_to_user(user, &answer, size) ? -EFAULT : 0;
}

/* What the page holds: drivers/virt/acrn passes it through, the layout is the hypervisor's. */
struct monitor_page {
	u32 command;
	u32 count;	/* entries of buffer */
	u64 buffer[ACRN_HSM_MONITOR_ENTRIES];
};

#define MONITOR_GET_DATA 0
#define MONITOR_SET_DELAY 1

static int monitor(struct acrn_hsm *hsm, struct monitor_page *page)
{
	u32 count = READ_ONCE(page->count);

	if (count > ACRN_HSM_MONITOR_ENTRIES)
		return -EINVAL;
	switch (READ_ONCE(page->command)) {
	case MONITOR_GET_DATA:
		WRITE_ONCE(page->count, acrn_hvdev_counts(&hsm->core, page->buffer, count));
		return 0;
	case MONITOR_SET_DELAY:		/* what it slows down is an interrupt storm of real devices */
		return 0;
	default:
		return -EINVAL;
	}
}

int acrn_hsm_intr_monitor(struct acrn_hsm *hsm, u64 address)
{
	struct page *page;

	if (pin_user_pages_fast(address & PAGE_MASK, 1, FOLL_WRITE | FOLL_LONGTERM, &page) != 1)
		return -EFAULT;
	acrn_hsm_drop_monitor(hsm);
	hsm->monitor_page = page;
	return monitor(hsm, page_address(page));
}

void acrn_hsm_drop_monitor(struct acrn_hsm *hsm)
{
	if (hsm->monitor_page)
		unpin_user_pages_dirty_lock(&hsm->monitor_page, 1, true);
	hsm->monitor_page = NULL;
}
