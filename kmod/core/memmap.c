// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Guest-physical memory map: see memmap.h. */
#include "memmap.h"

void hv_memmap_init(struct hv_memmap *map)
{
	memset(map, 0, sizeof(*map));
}

static bool slot_meets(const struct hv_slot *s, u64 gpa, u64 size)
{
	return gpa < s->gpa + s->size && s->gpa < gpa + size;
}

bool hv_memmap_overlaps(struct hv_memmap *map, u64 gpa, u64 size)
{
	u32 i;

	for (i = 0; i < map->count; i++) {
		if (map->slot[i].size && slot_meets(&map->slot[i], gpa, size))
			return true;
	}
	return false;
}

static bool slot_range_ok(u64 gpa, u64 size)
{
	return size && !((gpa | size) & ~HV_PAGE_MASK) && gpa + size > gpa;
}

/* Caller has checked the range. */
static int slot_publish(struct hv_memmap *map, u64 gpa, u64 size, u8 *host, u8 **pages, u32 access)
{
	struct hv_slot *s;
	u32 i;

	for (i = 0; i < map->count && map->slot[i].size; i++)
		;
	if (i == HV_SLOTS)
		return -ENOMEM;
	s = &map->slot[i];
	s->gpa = gpa;
	s->host = host;
	s->pages = pages;
	s->access = access;
	env_store_release(&s->size, size);
	if (i == map->count)
		env_store_release(&map->count, i + 1);
	return (int)i;
}

int hv_memmap_add(struct hv_memmap *map, u64 gpa, u64 size, u8 *host, u8 **pages, u32 access)
{
	if (!slot_range_ok(gpa, size))
		return -EINVAL;
	if (hv_memmap_overlaps(map, gpa, size))
		return -EEXIST;
	return slot_publish(map, gpa, size, host, pages, access);
}

int hv_memmap_shrink(struct hv_memmap *map, u32 slot, u64 gpa, u64 size, u8 **pages)
{
	int part = slot_publish(map, gpa, size, NULL, pages, map->slot[slot].access);

	if (part >= 0)
		hv_memmap_retire(map, slot);
	return part;
}

/* First byte at or after @gpa, below @end, where another slot begins; @end if none. */
static u64 next_slot(const struct hv_memmap *map, u64 gpa, u64 end)
{
	u32 i;

	for (i = 0; i < map->count; i++) {
		if (map->slot[i].size && map->slot[i].gpa >= gpa && map->slot[i].gpa < end)
			end = map->slot[i].gpa;
	}
	return end;
}

int hv_memmap_fill(struct hv_memmap *map, u64 gpa, u64 size, u8 *host, u32 access)
{
	u64 at = gpa, end = gpa + size, stop;
	struct hv_slot *s;
	int r;

	if (!slot_range_ok(gpa, size))
		return -EINVAL;
	while (at < end) {
		s = hv_memmap_find(map, at);
		if (s) {
			at = s->gpa + s->size;
			continue;
		}
		stop = next_slot(map, at, end);
		r = hv_memmap_add(map, at, stop - at, host + (at - gpa), NULL, access);
		if (r < 0)
			return r;
		at = stop;
	}
	return 0;
}

static bool all_mapped(struct hv_memmap *map, u64 gpa, u64 end)
{
	struct hv_slot *s;

	while (gpa < end) {
		s = hv_memmap_find(map, gpa);
		if (!s)
			return false;
		gpa = s->gpa + s->size;
	}
	return true;
}

/* What remains of @s below and above a range that meets it. */
static int slot_cut(struct hv_memmap *map, struct hv_slot *s, u64 gpa, u64 end)
{
	u64 first = s->gpa, last = s->gpa + s->size;
	int r;

	if (first < gpa && last > end) {
		r = slot_publish(map, end, last - end, s->host + (end - first), NULL, s->access);
		if (r < 0)
			return r;
	}
	if (first < gpa) {
		s->size = gpa - first;
	} else if (last > end) {
		s->host += end - first;
		s->gpa = end;
		s->size = last - end;
	} else {
		s->size = 0;
	}
	return 0;
}

int hv_memmap_unmap(struct hv_memmap *map, u64 gpa, u64 size)
{
	u64 end = gpa + size;
	u32 i, count = map->count;
	int r;

	if (!slot_range_ok(gpa, size) || !all_mapped(map, gpa, end))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		if (!map->slot[i].size || !slot_meets(&map->slot[i], gpa, size))
			continue;
		r = slot_cut(map, &map->slot[i], gpa, end);
		if (r)
			return r;
	}
	return 0;
}

void hv_memmap_retire(struct hv_memmap *map, u32 slot)
{
	env_store_release(&map->slot[slot].size, 0);
}

int hv_memmap_demand(struct hv_memmap *map, u64 gpa, u64 size)
{
	if (map->demands == HV_SLOTS)
		return -ENOMEM;
	map->demand[map->demands].gpa = gpa;
	map->demand[map->demands].size = size;
	map->demands++;
	return 0;
}

bool hv_memmap_demands(const struct hv_memmap *map, u64 gpa)
{
	u32 i;

	for (i = 0; i < map->demands; i++) {
		if (gpa - map->demand[i].gpa < map->demand[i].size)
			return true;
	}
	return false;
}

struct hv_slot *hv_memmap_find(struct hv_memmap *map, u64 gpa)
{
	u32 count = env_load_acquire(&map->count);
	struct hv_slot *s;
	u64 size;
	u32 i;

	for (i = 0; i < count; i++) {
		s = &map->slot[i];
		size = env_load_acquire(&s->size);
		if (gpa - s->gpa < size)
			return s;
	}
	return NULL;
}

enum hv_page hv_memmap_page(struct hv_memmap *map, u64 gpa, u32 want, u8 **host, u32 *access)
{
	struct hv_slot *s = hv_memmap_find(map, gpa);
	u64 offset;

	if (!s) {
		*host = NULL;
		*access = 0;
		return hv_memmap_demands(map, gpa) ? HV_PAGE_ABSENT : HV_PAGE_NONE;
	}
	*access = s->access;
	offset = (gpa & HV_PAGE_MASK) - s->gpa;
	*host = s->host ? s->host + offset : env_load_acquire(&s->pages[offset >> HV_PAGE_SHIFT]);
	if (!*host)
		return HV_PAGE_ABSENT;
	return (s->access & want) == want ? HV_PAGE_RAM : HV_PAGE_DENIED;
}

/* Host address of @gpa and the bytes left on its page, for copies that ignore the slot's rights. */
static u8 *copy_window(struct hv_memmap *map, u64 gpa, size_t len, size_t *chunk)
{
	u64 left = HV_PAGE_SIZE - (gpa & ~HV_PAGE_MASK);
	u32 access;
	u8 *host;

	switch (hv_memmap_page(map, gpa, 0, &host, &access)) {
	case HV_PAGE_RAM:
		*chunk = len < left ? len : left;
		return host + (gpa & ~HV_PAGE_MASK);
	default:
		return NULL;
	}
}

int hv_memmap_copy_out(struct hv_memmap *map, u64 gpa, void *to, size_t len)
{
	size_t chunk;
	u8 *host;

	for (; len; len -= chunk, gpa += chunk, to = (u8 *)to + chunk) {
		host = copy_window(map, gpa, len, &chunk);
		if (!host)
			return -EFAULT;
		memcpy(to, host, chunk);
	}
	return 0;
}

int hv_memmap_copy_in(struct hv_memmap *map, u64 gpa, const void *from, size_t len)
{
	size_t chunk;
	u8 *host;

	for (; len; len -= chunk, gpa += chunk, from = (const u8 *)from + chunk) {
		host = copy_window(map, gpa, len, &chunk);
		if (!host)
			return -EFAULT;
		memcpy(host, from, chunk);
	}
	return 0;
}
