// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "ioevent.h"

void gunyah_ioevents_init(struct gunyah_ioevents *all)
{
	env_lock_init(&all->lock);
	all->first = NULL;
}

static bool conflict(const struct gunyah_ioevent *a, const struct gunyah_ioevent *b)
{
	if (a->address != b->address)
		return false;
	return !a->length || !b->length || (a->length == b->length && a->data == b->data);
}

int gunyah_ioevent_add(struct gunyah_ioevents *all, struct gunyah_ioevent *e)
{
	struct gunyah_ioevent *other;
	int r = 0;

	env_lock_take(&all->lock);
	for (other = all->first; other && !r; other = other->next)
		r = conflict(other, e) ? -EEXIST : 0;
	if (!r) {
		e->next = all->first;
		env_store_release(&all->first, e);
	}
	env_lock_drop(&all->lock);
	return r;
}

void gunyah_ioevent_remove(struct gunyah_ioevents *all, struct gunyah_ioevent *e)
{
	struct gunyah_ioevent **at;

	env_lock_take(&all->lock);
	for (at = &all->first; *at; at = &(*at)->next) {
		if (*at == e) {
			env_store_release(at, e->next);
			break;
		}
	}
	env_lock_drop(&all->lock);
}

static bool matches(const struct gunyah_ioevent *e, const struct hv_exit *access)
{
	return e->address == access->address && (!e->length || (e->length == access->size && e->data == access->data));
}

bool gunyah_ioevent_serve(struct gunyah_ioevents *all, const struct hv_exit *access)
{
	struct gunyah_ioevent *e;

	if (access->direction != HV_WRITE || !env_read_once(all->first))
		return false;
	env_lock_take(&all->lock);
	for (e = all->first; e && !matches(e, access); e = e->next)
		;
	if (e)
		all->signal(e);
	env_lock_drop(&all->lock);
	return e;
}
