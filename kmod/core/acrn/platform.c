// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pretend physical devices: see platform.h. */
#include "platform.h"

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static u32 digit(char c, u32 base)
{
	u32 d = base;

	if (c >= '0' && c <= '9')
		d = (u32)(c - '0');
	else if (c >= 'a' && c <= 'f')
		d = (u32)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		d = (u32)(c - 'A') + 10;
	return d;
}

/* At least one digit, at most @limit. */
static bool number(const char **at, u32 base, u64 limit, u64 *v)
{
	const char *start = *at;

	for (*v = 0; digit(**at, base) < base && *v <= limit; (*at)++)
		*v = *v * base + digit(**at, base);
	return *at != start && *v <= limit;
}

static int add_bar(struct acrn_platform *p, struct acrn_phys *d, u32 bar, u64 kib)
{
	u64 size = kib << 10, base = (p->next + size - 1) & ~(size - 1);

	if (size < 4096 || (size & 4095))
		return -EINVAL;
	if (d->bdf != 0xffff && (size & (size - 1)))
		return -EINVAL;
	if (d->bdf == 0xffff)
		base = p->next;
	if (base + size > ACRN_PHYS_END)
		return -ENOSPC;
	d->bar_size[bar] = size;
	d->bar_base[bar] = base;
	p->next = base + size;
	return 0;
}

static bool parse_pci(const char **at, struct acrn_phys *d)
{
	u64 bus, dev, fn, v;

	if (!number(at, 16, 0xff, &bus) || !take(at, ':') || !number(at, 16, 0x1f, &dev) || !take(at, '.') || !number(at, 16, 7, &fn))
		return false;
	d->bdf = (u16)(bus << 8 | dev << 3 | fn);
	if (!take(at, '/') || !number(at, 16, 0xffff, &v))
		return false;
	d->vendor = (u16)v;
	if (!take(at, ':') || !number(at, 16, 0xffff, &v))
		return false;
	d->device = (u16)v;
	if (!take(at, '/') || !number(at, 16, 0xffffff, &v))
		return false;
	d->class_code = (u32)v;
	return true;
}

static bool is_pci(const char *at)
{
	while (*at && *at != '/' && *at != ':')
		at++;
	return *at == ':';
}

static bool parse_name(const char **at, struct acrn_phys *d)
{
	u32 i;

	d->bdf = 0xffff;
	for (i = 0; **at && **at != '/'; i++, (*at)++) {
		if (i == ACRN_PHYS_NAME)
			return false;
		d->name[i] = (u8)**at;
	}
	return i != 0;
}

static int parse_one(struct acrn_platform *p, const char **at)
{
	struct acrn_phys *d = &p->phys[p->count];
	bool pci = is_pci(*at);
	u32 bar = 0;
	u64 kib;
	int r;

	if (p->count == ACRN_PHYS_PCI)
		return -ENOSPC;
	memset(d, 0, sizeof(*d));
	if (!(pci ? parse_pci(at, d) : parse_name(at, d)))
		return -EINVAL;
	if (pci && acrn_platform_pci(p, d->bdf))
		return -EINVAL;
	while (take(at, bar ? '+' : '/')) {
		if (bar == (pci ? ACRN_PHYS_BARS : 1) || !number(at, 10, 1 << 18, &kib))
			return -EINVAL;
		r = add_bar(p, d, bar++, kib);
		if (r)
			return r;
	}
	if (!pci && !bar)
		return -EINVAL;
	p->count++;
	return 0;
}

int acrn_platform_parse(struct acrn_platform *p, const char *text)
{
	int r;

	memset(p, 0, sizeof(*p));
	p->next = ACRN_PHYS_BASE;
	while (*text && *text != '\n') {
		r = parse_one(p, &text);
		if (r)
			return r;
		if (*text && *text != '\n' && !take(&text, ','))
			return -EINVAL;
	}
	return 0;
}

struct acrn_phys *acrn_platform_pci(struct acrn_platform *p, u16 bdf)
{
	u32 i;

	for (i = 0; i < p->count; i++) {
		if (p->phys[i].bdf == bdf && bdf != 0xffff)
			return &p->phys[i];
	}
	return NULL;
}

u64 acrn_phys_bar_offset(const struct acrn_phys *d, u32 bar)
{
	u64 offset = 0;
	u32 i;

	for (i = 0; i < bar; i++)
		offset += d->bar_size[i];
	return offset;
}

u64 acrn_phys_bytes(const struct acrn_phys *d)
{
	return acrn_phys_bar_offset(d, ACRN_PHYS_BARS);
}

struct acrn_phys *acrn_platform_range(struct acrn_platform *p, u64 address, u64 size, u64 *offset)
{
	struct acrn_phys *d;
	u32 i, bar;

	for (i = 0; i < p->count; i++) {
		d = &p->phys[i];
		for (bar = 0; bar < ACRN_PHYS_BARS; bar++) {
			if (address < d->bar_base[bar] || size > d->bar_size[bar] ||
			    address - d->bar_base[bar] > d->bar_size[bar] - size)
				continue;
			*offset = acrn_phys_bar_offset(d, bar) + (address - d->bar_base[bar]);
			return d;
		}
	}
	return NULL;
}
