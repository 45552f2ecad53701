/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * When each word of the walk began, for the last few accesses of a vCPU.  Off by default: then a mark costs one test.
 * Marks come from the thread that owns the access at that moment (the vCPU's until post, the VMM's from deliver to
 * complete, the vCPU's again); a reader may see a record that is being overwritten and throws it away by its cookie.
 */
#ifndef MV_WALK_H
#define MV_WALK_H

#include "exit.h"

#define HV_WALK_RECORDS 16

struct hv_walk_record {
	u64 cookie;
	u64 address;
	u64 data;
	u8 size;
	u8 space;
	u8 direction;
	u64 start[HV_WORDS];
	u64 end;
};

struct hv_walk {
	u32 on;
	u64 stepped;	/* when the CPU last started to step */
	u64 newest;	/* cookie of the newest complete record */
	struct hv_walk_record record[HV_WALK_RECORDS];
};

void __hv_walk_step(struct hv_walk *w);
void __hv_walk_exit(struct hv_walk *w, const struct hv_exit *exit);
void __hv_walk_mark(struct hv_walk *w, u64 cookie, enum hv_word word);
void __hv_walk_resume(struct hv_walk *w, u64 cookie, u64 data);

/* The CPU starts to step; ends the record of the access before. */
static inline void hv_walk_step(struct hv_walk *w)
{
	if (unlikely(env_read_once(w->on)))
		__hv_walk_step(w);
}

/* The CPU stopped at a device access. */
static inline void hv_walk_exit(struct hv_walk *w, const struct hv_exit *exit)
{
	if (unlikely(env_read_once(w->on)))
		__hv_walk_exit(w, exit);
}

static inline void hv_walk_mark(struct hv_walk *w, u64 cookie, enum hv_word word)
{
	if (unlikely(env_read_once(w->on)))
		__hv_walk_mark(w, cookie, word);
}

/* The reply was merged; @data is what a read returned. */
static inline void hv_walk_resume(struct hv_walk *w, u64 cookie, u64 data)
{
	if (unlikely(env_read_once(w->on)))
		__hv_walk_resume(w, cookie, data);
}

/* A complete record: @cookie, or the newest for 0.  Return: 0, or -EAGAIN if it is not complete or forgotten. */
int hv_walk_get(struct hv_walk *w, u64 cookie, struct hv_walk_record *to);

#endif
