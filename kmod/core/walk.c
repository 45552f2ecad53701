// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Time stamps of the walk: see walk.h. */
#include "walk.h"

static struct hv_walk_record *record_of(struct hv_walk *w, u64 cookie)
{
	return &w->record[cookie % HV_WALK_RECORDS];
}

void __hv_walk_step(struct hv_walk *w)
{
	u64 now = env_now_ns();
	struct hv_walk_record *r = record_of(w, w->newest);

	if (w->newest && r->cookie == w->newest && !r->end)
		env_store_release(&r->end, now);
	w->stepped = now;
}

void __hv_walk_exit(struct hv_walk *w, const struct hv_exit *exit)
{
	struct hv_walk_record *r = record_of(w, exit->cookie);

	env_store_release(&r->end, 0);
	r->cookie = exit->cookie;
	r->address = exit->address;
	r->data = exit->data;
	r->size = exit->size;
	r->space = exit->space;
	r->direction = exit->direction;
	memset(r->start, 0, sizeof(r->start));
	r->start[HV_WORD_STEP] = w->stepped;
	r->start[HV_WORD_EXIT] = env_now_ns();
}

void __hv_walk_mark(struct hv_walk *w, u64 cookie, enum hv_word word)
{
	struct hv_walk_record *r = record_of(w, cookie);

	if (r->cookie == cookie && !r->start[word])
		r->start[word] = env_now_ns();
}

void __hv_walk_resume(struct hv_walk *w, u64 cookie, u64 data)
{
	struct hv_walk_record *r = record_of(w, cookie);

	if (r->cookie != cookie)
		return;
	r->start[HV_WORD_RESUME] = env_now_ns();
	if (r->direction == HV_READ)
		r->data = data;
	w->newest = cookie;
}

int hv_walk_get(struct hv_walk *w, u64 cookie, struct hv_walk_record *to)
{
	struct hv_walk_record *r;
	u64 end;

	if (!cookie)
		cookie = env_read_once(w->newest);
	r = record_of(w, cookie);
	end = env_load_acquire(&r->end);
	*to = *r;
	env_fence();
	if (!cookie || !end || env_read_once(r->end) != end || to->cookie != cookie)
		return -EAGAIN;
	return 0;
}
