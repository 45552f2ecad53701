// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ioeventfd ranges: see ioevent.h. */
#include "ioevent.h"

int acrn_ioevent_check(u64 address, u32 length)
{
	if (address + length < address)
		return -EINVAL;
	return length == 1 || length == 2 || length == 4 || length == 8 ? 0 : -EINVAL;
}

static bool alike(const struct acrn_ioevent *a, const struct acrn_ioevent *b)
{
	return a->target == b->target && a->address == b->address && a->space == b->space &&
	       (a->wildcard || b->wildcard || a->data == b->data);
}

int acrn_ioevent_add(struct acrn_ioevents *all, struct acrn_ioevent *e)
{
	struct acrn_ioevent **at;

	for (at = &all->first; *at; at = &(*at)->next) {
		if (alike(*at, e))
			return -EEXIST;
	}
	e->next = NULL;
	*at = e;
	return 0;
}

struct acrn_ioevent *acrn_ioevent_remove(struct acrn_ioevents *all, const void *target)
{
	struct acrn_ioevent **at, *e;

	for (at = &all->first; *at; at = &(*at)->next) {
		if (target && (*at)->target != target)
			continue;
		e = *at;
		*at = e->next;
		return e;
	}
	return NULL;
}

static bool covers(const struct acrn_ioevent *e, const struct hv_exit *access)
{
	return e->space == access->space && access->address >= e->address &&
	       access->address + access->size <= e->address + e->length;
}

static bool matches(const struct acrn_ioevent *e, const struct hv_exit *access)
{
	return e->space == access->space && e->address == access->address && e->length >= access->size &&
	       (e->wildcard || e->data == access->data);
}

bool acrn_ioevent_serve(const struct acrn_ioevents *all, const struct hv_exit *access)
{
	struct acrn_ioevent *e;
	bool covered = false;

	for (e = all->first; e && !covered; e = e->next)
		covered = covers(e, access);
	if (!covered || access->direction == HV_READ)
		return covered;
	for (e = all->first; e; e = e->next) {
		if (matches(e, access)) {
			all->signal(e);
			break;
		}
	}
	return true;
}
