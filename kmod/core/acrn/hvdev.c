// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The hypervisor's PCI functions: lookup, interrupts, devices passed through.  See hvdev.h. */
#include "acrn.h"
#include "hvdev.h"

int acrn_hvdev_add(struct acrn_core_vm *vm, struct acrn_hvdev *d)
{
	u32 i, bar;

	if (vm->devices == ACRN_HVDEVS || acrn_hvdev_find(vm, d->bdf))
		return -EINVAL;
	d->vm = vm;
	for (i = 0; i < ACRN_HVDEVS && vm->device[i]; i++)
		;
	vm->device[i] = d;
	vm->devices++;
	for (bar = 0; bar < HVDEV_BARS; bar++) {
		if (d->ops && d->ops->moved)
			d->ops->moved(d, bar, hvdev_bar_address(d, bar));
	}
	return 0;
}

struct acrn_hvdev *acrn_hvdev_find(struct acrn_core_vm *vm, u16 bdf)
{
	u32 i;

	for (i = 0; i < ACRN_HVDEVS; i++) {
		if (vm->device[i] && vm->device[i]->bdf == bdf)
			return vm->device[i];
	}
	return NULL;
}

void acrn_hvdev_remove(struct acrn_hvdev *d)
{
	struct acrn_core_vm *vm = d->vm;
	u32 i;

	hvdev_lower(d);
	if (d->ops && d->ops->remove)
		d->ops->remove(d);
	for (i = 0; i < ACRN_HVDEVS; i++) {
		if (vm->device[i] == d)
			vm->device[i] = NULL;
	}
	vm->devices--;
}

/* --- MSI-X table, in BAR 1 ------------------------------------------------------------------------------------------- */

#define PENDING_BITS 0x800u

static void send_vector(struct acrn_hvdev *d, u32 n)
{
	bool on = d->config[HVDEV_CAP + 3] & 0x80, masked = d->config[HVDEV_CAP + 3] & 0x40;

	if (!on)
		return;
	if (masked || (d->vector[n].control & 1)) {
		d->pending |= 1u << n;
		return;
	}
	d->pending &= ~(1u << n);
	irqchip_msi(&d->vm->chip, d->vector[n].address, d->vector[n].data);
}

static u64 table_read(const struct acrn_hvdev *d, u64 offset)
{
	u64 n = offset / 16;

	if (offset == PENDING_BITS)
		return d->pending;
	if (n >= d->vectors)
		return 0;
	switch (offset & 12) {
	case 0:
		return (u32)d->vector[n].address;
	case 4:
		return d->vector[n].address >> 32;
	case 8:
		return d->vector[n].data;
	default:
		return d->vector[n].control;
	}
}

static void table_write(struct acrn_hvdev *d, u64 offset, u32 v)
{
	u32 n = (u32)(offset / 16);
	struct hvdev_vector *e = &d->vector[n & (HVDEV_VECTORS - 1)];

	if (offset >= PENDING_BITS || n >= d->vectors)
		return;
	switch (offset & 12) {
	case 0:
		e->address = (e->address & ~0xffffffffull) | (v & ~3u);
		break;
	case 4:
		e->address = (u32)e->address | (u64)v << 32;
		break;
	case 8:
		e->data = v;
		break;
	default:
		e->control = v & 1;
		if (!(v & 1) && (d->pending >> n & 1))
			send_vector(d, n);
		break;
	}
}

/*
 * Locks: the VM's device lock for everything, and inside it the link's lock for a device that has one, because its peers
 * in other VMs reach into it.
 */
static void link_lock(struct acrn_hvdev *d)
{
	if (d->link)
		env_lock_take(&d->link->lock);
}

static void link_unlock(struct acrn_hvdev *d)
{
	if (d->link)
		env_lock_drop(&d->link->lock);
}

/* --- accesses ---------------------------------------------------------------------------------------------------------- */

static u64 bar_read(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size)
{
	u64 v;

	if (bar != 1 || !d->vectors)
		return d->ops && d->ops->read ? d->ops->read(d, bar, offset, size) : ~0ull;
	v = table_read(d, offset & ~3ull) >> (8 * (offset & 3));
	return size == 8 ? v | table_read(d, offset + 4) << 32 : v;
}

static void bar_write(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size, u64 v)
{
	if (bar != 1 || !d->vectors) {
		if (d->ops && d->ops->write)
			d->ops->write(d, bar, offset, size, v);
		return;
	}
	/* 6.8.2: aligned 32- and 64-bit accesses only */
	if (size < 4 || (offset & 3))
		return;
	table_write(d, offset, (u32)v);
	if (size == 8)
		table_write(d, offset + 4, (u32)(v >> 32));
}

static struct acrn_hvdev *at_address(struct acrn_core_vm *vm, u64 address, u32 size, u32 *bar, u64 *offset)
{
	struct acrn_hvdev *d;
	u64 base;
	u32 i;

	for (i = 0; i < ACRN_HVDEVS; i++) {
		d = vm->device[i];
		for (*bar = 0; d && *bar < HVDEV_BARS; (*bar)++) {
			base = hvdev_bar_address(d, *bar);
			*offset = address - base;
			if (base != ~0ull && *offset < d->bar_size[*bar] && *offset + size <= d->bar_size[*bar])
				return d;
		}
	}
	return NULL;
}

bool acrn_hvdev_access(struct acrn_core_vm *vm, const struct hv_exit *e, u64 *value)
{
	struct acrn_hvdev *d;
	u64 offset;
	u32 bar;

	if (!vm->devices || e->space != HV_SPACE_MMIO)
		return false;
	*value = 0;
	env_lock_take(&vm->device_lock);
	d = at_address(vm, e->address, e->size, &bar, &offset);
	if (d) {
		link_lock(d);
		if (e->direction == HV_WRITE)
			bar_write(d, bar, offset, e->size, e->data);
		else
			*value = bar_read(d, bar, offset, e->size);
		link_unlock(d);
	}
	env_lock_drop(&vm->device_lock);
	return d != NULL;
}

bool acrn_hvdev_config(struct acrn_core_vm *vm, u32 latch, const struct hv_exit *e, u32 *value)
{
	u32 reg = (latch & 0xfc) + ((u32)e->address & 3);
	struct acrn_hvdev *d;

	if (!vm->devices)
		return false;
	d = acrn_hvdev_find(vm, (u16)(latch >> 8));
	if (!d)
		return false;
	*value = ~0u;
	/* extended registers: there are none */
	if (latch >> 16 & 0xf00)
		return true;
	env_lock_take(&vm->device_lock);
	link_lock(d);
	if (e->direction == HV_WRITE)
		hvdev_config_write(d, reg, e->size, (u32)e->data);
	else
		*value = hvdev_config_read(d, reg, e->size);
	link_unlock(d);
	env_lock_drop(&vm->device_lock);
	return true;
}

/* --- interrupts -------------------------------------------------------------------------------------------------------- */

static bool msi_enabled(const struct acrn_hvdev *d)
{
	return d->config[HVDEV_CAP] == 5 && (d->config[HVDEV_CAP + 2] & 1);
}

void hvdev_raise(struct acrn_hvdev *d, u32 n)
{
	d->interrupts++;
	if (d->vectors) {
		if (n < d->vectors)
			send_vector(d, n);
	} else if (msi_enabled(d)) {
		irqchip_msi(&d->vm->chip, hvdev_config_read(d, HVDEV_CAP + 4, 4) | (u64)hvdev_config_read(d, HVDEV_CAP + 8, 4) << 32,
			    hvdev_config_read(d, HVDEV_CAP + 12, 2));
	} else if (d->line != HVDEV_NO_LINE) {
		d->asserted = 1;
		irqchip_line(&d->vm->chip, d->line, true);
	}
}

void hvdev_lower(struct acrn_hvdev *d)
{
	if (!d->asserted)
		return;
	d->asserted = 0;
	irqchip_line(&d->vm->chip, d->line, false);
}

void acrn_hvdev_interrupt(struct acrn_hvdev *d, bool high)
{
	struct acrn_core_vm *vm = d->vm;

	env_lock_take(&vm->device_lock);
	if (high)
		hvdev_raise(d, 0);
	else
		hvdev_lower(d);
	env_lock_drop(&vm->device_lock);
}

u32 acrn_hvdev_counts(struct acrn_core_vm *vm, u64 *buffer, u32 entries)
{
	u32 i, n = 0;

	env_lock_take(&vm->device_lock);
	for (i = 0; i < ACRN_HVDEVS && n + 2 <= entries; i++) {
		if (!vm->device[i] || vm->device[i]->kind != HVDEV_PASS)
			continue;
		env_write_once(buffer[n], vm->device[i]->phys_pin);
		env_write_once(buffer[n + 1], vm->device[i]->interrupts);
		n += 2;
	}
	env_lock_drop(&vm->device_lock);
	return n;
}

static struct acrn_hvdev *find_pass(struct acrn_core_vm *vm, u16 phys_bdf)
{
	u32 i;

	for (i = 0; i < ACRN_HVDEVS; i++) {
		if (vm->device[i] && vm->device[i]->kind == HVDEV_PASS && vm->device[i]->phys->bdf == phys_bdf)
			return vm->device[i];
	}
	return NULL;
}

int acrn_ptdev_set(struct acrn_core_vm *vm, const struct acrn_ptdev_irq *irq)
{
	struct acrn_hvdev *d = find_pass(vm, irq->phys_bdf);
	u32 pins = irq->intx.is_pic_pin ? 16 : ACRN_IOAPIC_PINS;

	if (irq->type != ACRN_PTDEV_IRQ_INTX || !d || irq->intx.virt_pin >= pins || irq->intx.phys_pin >= ACRN_PHYS_PINS)
		return -EPERM;
	d->line = irq->intx.virt_pin;
	d->phys_pin = irq->intx.phys_pin;
	return 0;
}

int acrn_ptdev_reset(struct acrn_core_vm *vm, const struct acrn_ptdev_irq *irq)
{
	struct acrn_hvdev *d = find_pass(vm, irq->phys_bdf);

	if (irq->type != ACRN_PTDEV_IRQ_INTX || !d)
		return -EPERM;
	hvdev_lower(d);
	d->line = HVDEV_NO_LINE;
	return 0;
}
