// SPDX-License-Identifier: GPL-2.0
/* IOEVENTFD: ranges whose accesses signal an eventfd instead of the VMM.  What matches is in core/acrn/ioevent.c. */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "acrn_hsm.h"
#include "compat.h"

/* The entry's target is its eventfd. */
static struct eventfd_ctx *eventfd_of(struct acrn_ioevent *e)
{
	return (struct eventfd_ctx *)e->target;
}

static void signal_eventfd(struct acrn_ioevent *e)
{
	eventfd_signal(eventfd_of(e));
}

static void entry_free(struct acrn_ioevent *e)
{
	eventfd_ctx_put(eventfd_of(e));
	kfree(e);
}

static int assign(struct acrn_hsm *hsm, const struct acrn_ioeventfd *args, struct eventfd_ctx *eventfd)
{
	struct acrn_ioevent *e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	int r;

	if (!e) {
		eventfd_ctx_put(eventfd);
		return -ENOMEM;
	}
	e->target = eventfd;
	e->address = args->addr;
	e->length = args->len;
	e->space = args->flags & ACRN_IOEVENTFD_FLAG_PIO ? HV_SPACE_PIO : HV_SPACE_MMIO;
	e->wildcard = !(args->flags & ACRN_IOEVENTFD_FLAG_DATAMATCH);
	e->data = e->wildcard ? 0 : args->data;
	spin_lock(&hsm->client.lock);
	hsm->core.events.signal = signal_eventfd;
	r = acrn_ioevent_add(&hsm->core.events, e);
	spin_unlock(&hsm->client.lock);
	if (r)
		entry_free(e);
	return r;
}

static struct acrn_ioevent *take(struct acrn_hsm *hsm, const void *target)
{
	struct acrn_ioevent *e;

	spin_lock(&hsm->client.lock);
	e = acrn_ioevent_remove(&hsm->core.events, target);
	spin_unlock(&hsm->client.lock);
	return e;
}

int acrn_hsm_ioeventfd(struct acrn_hsm *hsm, const struct acrn_ioeventfd *args)
{
	bool deassign = args->flags & ACRN_IOEVENTFD_FLAG_DEASSIGN;
	struct eventfd_ctx *eventfd;
	struct acrn_ioevent *e;
	int r = deassign ? 0 : acrn_ioevent_check(args->addr, args->len);

	if (r)
		return r;
	eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (!deassign)
		return assign(hsm, args, eventfd);
	e = take(hsm, eventfd);
	if (e)
		entry_free(e);
	eventfd_ctx_put(eventfd);
	return 0;
}

void acrn_hsm_drop_ioeventfds(struct acrn_hsm *hsm)
{
	struct acrn_ioevent *e;

	while ((e = take(hsm, NULL)))
		entry_free(e);
}
