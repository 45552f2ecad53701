// SPDX-License-Identifier: GPL-2.0
/*
 * IRQFD: every write to an eventfd injects a message.
 *
 * An irqfd leaves in one of three ways: DEASSIGN, the end of its VM, or the last close of its eventfd.  Whoever takes it off
 * the list owns it; the last way arrives in the wake-up of a dying eventfd and is finished by a work item.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "acrn_hsm.h"

struct acrn_hsm_irqfd {
	struct acrn_hsm *hsm;
	struct list_head list;
	struct eventfd_ctx *eventfd;
	struct acrn_msi_entry msi;
	wait_queue_entry_t wait;
	poll_table poll;
	struct work_struct gone;
};

static struct workqueue_struct *cleanup;

int acrn_hsm_irqfd_setup(void)
{
	cleanup = alloc_workqueue("mockvisor-irqfd", 0, 0);
	return cleanup ? 0 : -ENOMEM;
}

void acrn_hsm_irqfd_teardown(void)
{
	destroy_workqueue(cleanup);
}

static void inject(struct acrn_hsm_irqfd *f)
{
	if (acrn_inject_msi(&f->hsm->core, f->msi.msi_addr, f->msi.msi_data))
		pr_debug("VM %u: an irqfd's message goes to no interrupt address\n", f->hsm->core.vmid);
}

/* In the eventfd's wake-up: under its lock, maybe in interrupt context. */
static int on_event(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct acrn_hsm_irqfd *f = container_of(wait, struct acrn_hsm_irqfd, wait);
	__poll_t events = key_to_poll(key);

	if (events & EPOLLIN)
		inject(f);
	if (events & EPOLLHUP)
		queue_work(cleanup, &f->gone);
	return 0;
}

static void on_poll(struct file *file, wait_queue_head_t *head, poll_table *poll)
{
	struct acrn_hsm_irqfd *f = container_of(poll, struct acrn_hsm_irqfd, poll);

	add_wait_queue(head, &f->wait);
}

/* No event arrives any more when this returns; the counter is 0, as the driver leaves it. */
static void unhook(struct acrn_hsm_irqfd *f)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(f->eventfd, &f->wait, &count);
	eventfd_ctx_put(f->eventfd);
}

static struct acrn_hsm_irqfd *take(struct acrn_hsm *hsm, const struct eventfd_ctx *eventfd)
{
	struct acrn_hsm_irqfd *f, *found = NULL;

	mutex_lock(&hsm->irqfd_lock);
	list_for_each_entry(f, &hsm->irqfds, list) {
		if (!eventfd || f->eventfd == eventfd) {
			found = f;
			list_del_init(&f->list);
			break;
		}
	}
	mutex_unlock(&hsm->irqfd_lock);
	return found;
}

static void drop(struct acrn_hsm_irqfd *f)
{
	unhook(f);
	/* queued before the wait entry was gone: it finds the irqfd off the list and leaves it alone */
	cancel_work_sync(&f->gone);
	kfree(f);
}

static void on_gone(struct work_struct *work)
{
	struct acrn_hsm_irqfd *f = container_of(work, struct acrn_hsm_irqfd, gone);
	bool mine;

	mutex_lock(&f->hsm->irqfd_lock);
	mine = !list_empty(&f->list);
	list_del_init(&f->list);
	mutex_unlock(&f->hsm->irqfd_lock);
	if (!mine)
		return;
	unhook(f);
	kfree(f);
}

static bool taken(const struct acrn_hsm *hsm, const struct eventfd_ctx *eventfd)
{
	struct acrn_hsm_irqfd *f;

	list_for_each_entry(f, &hsm->irqfds, list) {
		if (f->eventfd == eventfd)
			return true;
	}
	return false;
}

static int hook(struct acrn_hsm *hsm, struct acrn_hsm_irqfd *f, struct file *file)
{
	int r = -EBUSY;

	mutex_lock(&hsm->irqfd_lock);
	if (!taken(hsm, f->eventfd)) {
		r = 0;
		list_add_tail(&f->list, &hsm->irqfds);
		if (vfs_poll(file, &f->poll) & EPOLLIN)
			inject(f);
	}
	mutex_unlock(&hsm->irqfd_lock);
	return r;
}

static int assign(struct acrn_hsm *hsm, const struct acrn_irqfd *args, struct file *file)
{
	struct acrn_hsm_irqfd *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int r;

	if (!f)
		return -ENOMEM;
	f->hsm = hsm;
	f->msi = args->msi;
	INIT_LIST_HEAD(&f->list);
	INIT_WORK(&f->gone, on_gone);
	init_waitqueue_func_entry(&f->wait, on_event);
	init_poll_funcptr(&f->poll, on_poll);
	f->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(f->eventfd)) {
		r = PTR_ERR(f->eventfd);
		goto no_eventfd;
	}
	r = hook(hsm, f, file);
	if (!r)
		return 0;
	eventfd_ctx_put(f->eventfd);
no_eventfd:
	kfree(f);
	return r;
}

static int deassign(struct acrn_hsm *hsm, struct file *file)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fileget(file);
	struct acrn_hsm_irqfd *f;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	f = take(hsm, eventfd);
	if (f)
		drop(f);
	eventfd_ctx_put(eventfd);
	return 0;
}

int acrn_hsm_irqfd(struct acrn_hsm *hsm, const struct acrn_irqfd *args)
{
	struct file *file = fget(args->fd);
	int r;

	if (!file)
		return -EBADF;
	r = args->flags & ACRN_IRQFD_FLAG_DEASSIGN ? deassign(hsm, file) : assign(hsm, args, file);
	fput(file);
	return r;
}

void acrn_hsm_irqfds_init(struct acrn_hsm *hsm)
{
	mutex_init(&hsm->irqfd_lock);
	INIT_LIST_HEAD(&hsm->irqfds);
}

void acrn_hsm_drop_irqfds(struct acrn_hsm *hsm)
{
	struct acrn_hsm_irqfd *f;

	while ((f = take(hsm, NULL)))
		drop(f);
	/* those that went by themselves and are not quite gone yet */
	flush_workqueue(cleanup);
}
