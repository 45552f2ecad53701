/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The pretend machine's physical devices, which VMs may be given: PCI functions whose memory BARs are plain memory, and
 * platform devices that are a range of plain memory.  They belong to the Service VM until a VM is given one.
 *
 * Nothing here allocates: the environment hangs memory in before a device is given away.  Callers serialise.
 */
#ifndef MV_ACRN_PLATFORM_H
#define MV_ACRN_PLATFORM_H

#include "../env.h"

#define ACRN_PHYS_PCI 16u
#define ACRN_PHYS_BARS 6u
#define ACRN_PHYS_NAME 8u
/* Where the BARs and platform devices lie in the pretend machine */
#define ACRN_PHYS_BASE 0xd0000000ull
#define ACRN_PHYS_END 0xe0000000ull
/* Interrupt pins of the pretend machine's I/O APICs */
#define ACRN_PHYS_PINS 120u

#define ACRN_CLASS_BRIDGE 0x0604u

struct acrn_hvdev;

/**
 * struct acrn_phys - one device
 * @bdf: bus << 8 | device << 3 | function
 * @class_code: 24 bits, as at 09h of the configuration space
 * @bar_size: bytes, a power of two of at least 4 KiB, or 0; @bar_base: its physical address
 * @memory: of all BARs, one behind the other; the environment's to provide
 * @name: of a platform device (its only range is BAR 0), else empty
 * @given: to whom, NULL: to nobody
 */
struct acrn_phys {
	u16 bdf;
	u16 vendor;
	u16 device;
	u32 class_code;
	u64 bar_size[ACRN_PHYS_BARS];
	u64 bar_base[ACRN_PHYS_BARS];
	u8 name[ACRN_PHYS_NAME];
	u8 *memory;
	struct acrn_hvdev *given;
	u16 vmid;
};

struct acrn_platform {
	u32 count;
	u64 next;	/* physical address not handed out yet */
	struct acrn_phys phys[ACRN_PHYS_PCI];
};

/**
 * acrn_platform_parse - devices from their description
 * @text: entries separated by commas: BB:DD.F/VVVV:DDDD/CCCCCC/SIZE[+SIZE..] for PCI, NAME/SIZE for a platform device; numbers
 *	hexadecimal, sizes decimal in KiB.  For example "00:14.0/8086:9ded/0c0330/64,tpm/20"
 *
 * Return: 0, -EINVAL for what does not read like that, -ENOSPC for too many or too large ones.
 */
int acrn_platform_parse(struct acrn_platform *p, const char *text);

struct acrn_phys *acrn_platform_pci(struct acrn_platform *p, u16 bdf);
/* The device that holds all of this physical range in one BAR, and where; NULL: none does. */
struct acrn_phys *acrn_platform_range(struct acrn_platform *p, u64 address, u64 size, u64 *offset);
u64 acrn_phys_bytes(const struct acrn_phys *d);
/* Offset of a BAR in the device's memory. */
u64 acrn_phys_bar_offset(const struct acrn_phys *d, u32 bar);

#endif
