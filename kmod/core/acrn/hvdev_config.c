// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Configuration space of the hypervisor's PCI functions: header, BARs, MSI and MSI-X capabilities. */
#include "hvdev.h"

#define COMMAND 0x04
#define STATUS_CAPABILITIES 0x10
#define HEADER_TYPE 0x0e
#define BAR0 0x10
#define CAPABILITIES 0x34
#define INTERRUPT_LINE 0x3c

#define CAP_MSI 0x05
#define CAP_MSIX 0x11
#define MSI_64BIT 0x80

static u32 get(const struct acrn_hvdev *d, u32 reg, u32 size)
{
	u32 v = 0, i;

	for (i = 0; i < size; i++)
		v |= (u32)d->config[(reg + i) & 0xff] << (8 * i);
	return v;
}

static void put(struct acrn_hvdev *d, u32 reg, u32 size, u32 v)
{
	u32 i;

	for (i = 0; i < size; i++)
		d->config[(reg + i) & 0xff] = (u8)(v >> (8 * i));
}

void hvdev_header(struct acrn_hvdev *d, u16 vendor, u16 device, u32 class_code, u8 header_type)
{
	put(d, 0, 2, vendor);
	put(d, 2, 2, device);
	put(d, 8, 4, class_code << 8 | 1);
	put(d, HEADER_TYPE, 1, header_type);
	put(d, 0x2c, 2, vendor);
	put(d, 0x2e, 2, device);
	put(d, 0x3d, 1, 1);	/* INTA */
	d->line = HVDEV_NO_LINE;
}

void hvdev_bar(struct acrn_hvdev *d, u32 bar, u64 size, u32 type, u64 address)
{
	d->bar_size[bar] = size;
	d->bar_type[bar] = type;
	address &= ~(size - 1);
	put(d, BAR0 + 4 * bar, 4, (u32)address | type);
	if (type & HVDEV_BAR_MEM64)
		put(d, BAR0 + 4 * bar + 4, 4, (u32)(address >> 32));
}

static void capability(struct acrn_hvdev *d, u8 id)
{
	put(d, 6, 2, STATUS_CAPABILITIES);
	put(d, CAPABILITIES, 1, HVDEV_CAP);
	put(d, HVDEV_CAP, 2, id);
}

void hvdev_capability_msi(struct acrn_hvdev *d)
{
	capability(d, CAP_MSI);
	put(d, HVDEV_CAP + 2, 2, MSI_64BIT);
}

/* Table at the start of BAR 1, pending bits behind it. */
void hvdev_capability_msix(struct acrn_hvdev *d, u32 vectors)
{
	u32 i;

	capability(d, CAP_MSIX);
	put(d, HVDEV_CAP + 2, 2, vectors - 1);
	put(d, HVDEV_CAP + 4, 4, 0x000 | 1);
	put(d, HVDEV_CAP + 8, 4, 0x800 | 1);
	d->vectors = vectors;
	for (i = 0; i < vectors; i++)
		d->vector[i].control = 1;
}

u32 hvdev_config_read(const struct acrn_hvdev *d, u32 reg, u32 size)
{
	return get(d, reg, size);
}

u64 hvdev_bar_address(const struct acrn_hvdev *d, u32 bar)
{
	u64 address = get(d, BAR0 + 4 * bar, 4) & ~0xfull;

	if (!(get(d, COMMAND, 2) & 2) || !d->bar_size[bar])
		return ~0ull;
	if (d->bar_type[bar] & HVDEV_BAR_MEM64)
		address |= (u64)get(d, BAR0 + 4 * bar + 4, 4) << 32;
	return address;
}

/* Which bits of the byte at @reg a guest may change. */
static u8 writable(const struct acrn_hvdev *d, u32 reg)
{
	u32 bar = (reg - BAR0) / 4, byte = 8 * (reg & 3);
	u64 mask;

	if (reg == COMMAND)
		return 0x06;
	if (reg == COMMAND + 1)
		return 0x04;
	if (reg == INTERRUPT_LINE)
		return 0xff;
	/* bridges have two BARs, then bus numbers and windows */
	if (d->config[HEADER_TYPE] & 1)
		return reg >= 0x18 && reg < 0x34 && reg != 0x1e && reg != 0x1f ? 0xff : 0;
	if (reg >= BAR0 && bar < HVDEV_BARS) {
		if (bar && (d->bar_type[bar - 1] & HVDEV_BAR_MEM64))
			mask = ~(d->bar_size[bar - 1] - 1) >> 32;
		else
			mask = d->bar_size[bar] ? ~(d->bar_size[bar] - 1) & ~0xfull : 0;
		return (u8)(mask >> byte);
	}
	if (d->config[HVDEV_CAP] == CAP_MSI) {
		if (reg == HVDEV_CAP + 2)
			return 0x01;
		return reg >= HVDEV_CAP + 4 && reg < HVDEV_CAP + 14 ? 0xff : 0;
	}
	return d->config[HVDEV_CAP] == CAP_MSIX && reg == HVDEV_CAP + 3 ? 0xc0 : 0;
}

static void tell_moves(struct acrn_hvdev *d, const u64 *before)
{
	u32 bar;
	u64 now;

	for (bar = 0; bar < HVDEV_BARS; bar++) {
		now = hvdev_bar_address(d, bar);
		if (now != before[bar] && d->ops && d->ops->moved)
			d->ops->moved(d, bar, now);
	}
}

void hvdev_config_write(struct acrn_hvdev *d, u32 reg, u32 size, u32 v)
{
	u64 before[HVDEV_BARS];
	u32 i, at;
	u8 mask;

	for (i = 0; i < HVDEV_BARS; i++)
		before[i] = hvdev_bar_address(d, i);
	for (i = 0; i < size; i++) {
		at = (reg + i) & 0xff;
		mask = writable(d, at);
		d->config[at] = (u8)((d->config[at] & ~mask) | ((v >> (8 * i)) & mask));
	}
	tell_moves(d, before);
}
