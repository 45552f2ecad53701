// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the hypervisor's PCI functions do behind their BARs: passed-through memory, ivshmem, vUART; and how each is made. */
#include "acrn.h"
#include "hvdev.h"

#define ID(vendor, device) ((u32)(device) << 16 | (vendor))
#define ID_IVSHMEM ID(0x1af4, 0x1110)
#define ID_UART ID(0x9710, 0x9900)
#define ID_ROOT_PORT ID(0x8086, 0x9d14)

/* --- passed through: the pretend device's BARs are memory --------------------------------------------------------------- */

static u8 *pass_memory(struct acrn_hvdev *d, u32 bar, u64 offset)
{
	return d->phys->memory + acrn_phys_bar_offset(d->phys, bar) + offset;
}

static u64 pass_read(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size)
{
	return env_guest_load(pass_memory(d, bar, offset), size);
}

static void pass_write(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size, u64 v)
{
	env_guest_store(pass_memory(d, bar, offset), size, v);
}

static void pass_remove(struct acrn_hvdev *d)
{
	d->phys->given = NULL;
	d->phys->vmid = 0;
}

const struct hvdev_ops hvdev_pass_ops = { .read = pass_read, .write = pass_write, .remove = pass_remove };

void acrn_hvdev_pass(struct acrn_hvdev *d, const struct acrn_pcidev *args, struct acrn_phys *phys)
{
	u32 bar;

	d->kind = HVDEV_PASS;
	d->ops = &hvdev_pass_ops;
	d->bdf = args->virt_bdf;
	d->phys = phys;
	hvdev_header(d, phys->vendor, phys->device, phys->class_code, 0);
	for (bar = 0; bar < HVDEV_BARS; bar++) {
		if (phys->bar_size[bar])
			hvdev_bar(d, bar, phys->bar_size[bar], 0, args->bar[bar]);
	}
	d->config[0x3c] = args->intr_line;
	d->config[0x3d] = args->intr_pin;
	hvdev_capability_msi(d);
	phys->given = d;
}

/* --- ivshmem: the device specification in QEMU's docs/specs/ivshmem-spec ------------------------------------------------- */

#define IVSHMEM_MASK 0x0
#define IVSHMEM_STATUS 0x4
#define IVSHMEM_POSITION 0x8
#define IVSHMEM_DOORBELL 0xc

static u64 ivshmem_read(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size)
{
	u32 v;

	if (bar == 2)	/* where the memory overlaps other memory, or until it is mapped */
		return env_guest_load(d->link->memory + offset, size);
	switch (offset) {
	case IVSHMEM_MASK:
		return d->interrupt_mask;
	case IVSHMEM_STATUS:	/* reading it acknowledges */
		v = d->interrupt_status;
		d->interrupt_status = 0;
		return v;
	case IVSHMEM_POSITION:
		return d->vm->vmid;
	default:
		return 0;
	}
}

static void ring(struct acrn_hvdev *d, u32 peer, u32 vector)
{
	struct acrn_hvdev *m;
	u32 i;

	for (i = 0; i < ACRN_LINK_MEMBERS; i++) {
		m = d->link->member[i];
		if (m && m->vm->vmid == peer)
			hvdev_raise(m, vector);
	}
}

static void ivshmem_write(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size, u64 v)
{
	if (bar == 2)
		env_guest_store(d->link->memory + offset, size, v);
	else if (offset == IVSHMEM_MASK)
		d->interrupt_mask = (u32)v;
	else if (offset == IVSHMEM_STATUS)
		d->interrupt_status = (u32)v;
	else if (offset == IVSHMEM_DOORBELL)
		ring(d, (u32)v >> 16 & 0xffff, (u32)v & 0xffff);
}

static void link_leave(struct acrn_hvdev *d)
{
	acrn_link_leave(d->link, d);
}

const struct hvdev_ops hvdev_ivshmem_ops = { .read = ivshmem_read, .write = ivshmem_write, .remove = link_leave };

/* --- vUART: a 16550 with its registers in BAR 0, a byte each --------------------------------------------------------------- */

#define IER_RECEIVE 1
#define IER_EMPTY 2
#define IIR_NONE 0x01
#define IIR_EMPTY 0x02
#define IIR_RECEIVE 0x04
#define LCR_DIVISOR 0x80
#define LSR_READY 0x01
#define LSR_EMPTY 0x60
#define MSR_CONNECTED 0xb0

static struct acrn_hvdev *other_end(struct acrn_hvdev *d)
{
	u32 i;

	for (i = 0; i < ACRN_LINK_MEMBERS; i++) {
		if (d->link->member[i] && d->link->member[i] != d)
			return d->link->member[i];
	}
	return NULL;
}

static bool uart_has(const struct hvdev_uart *u)
{
	return u->head != u->tail;
}

/* A full queue loses what comes. */
static void uart_send(struct acrn_hvdev *d, u8 byte)
{
	struct acrn_hvdev *to = other_end(d);
	struct hvdev_uart *u;

	if (!to)
		return;
	u = &to->uart;
	if (u->head - u->tail < sizeof(u->queue))
		u->queue[u->head++ % sizeof(u->queue)] = byte;
	if (u->ier & IER_RECEIVE)
		hvdev_raise(to, 0);
}

static u8 uart_read_register(struct acrn_hvdev *d, u64 offset)
{
	struct hvdev_uart *u = &d->uart;

	switch (offset) {
	case 0:
		if (u->lcr & LCR_DIVISOR)
			return u->dll;
		return uart_has(u) ? u->queue[u->tail++ % sizeof(u->queue)] : 0;
	case 1:
		return u->lcr & LCR_DIVISOR ? u->dlm : u->ier;
	case 2:
		if ((u->ier & IER_RECEIVE) && uart_has(u))
			return (u->fcr & 1 ? 0xc0 : 0) | IIR_RECEIVE;
		return (u8)((u->fcr & 1 ? 0xc0 : 0) | (u->ier & IER_EMPTY ? IIR_EMPTY : IIR_NONE));
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		return (u8)(LSR_EMPTY | (uart_has(u) ? LSR_READY : 0));
	case 6:
		return other_end(d) ? MSR_CONNECTED : 0;
	case 7:
		return u->scratch;
	default:
		return 0;
	}
}

static void uart_write_register(struct acrn_hvdev *d, u64 offset, u8 v)
{
	struct hvdev_uart *u = &d->uart;

	switch (offset) {
	case 0:
		if (u->lcr & LCR_DIVISOR) {
			u->dll = v;
			break;
		}
		uart_send(d, v);
		if (u->ier & IER_EMPTY)
			hvdev_raise(d, 0);
		break;
	case 1:
		if (u->lcr & LCR_DIVISOR) {
			u->dlm = v;
			break;
		}
		/* enabled while the reason is there: the interrupt comes now */
		if ((v & ~u->ier & IER_EMPTY) || ((v & ~u->ier & IER_RECEIVE) && uart_has(u)))
			hvdev_raise(d, 0);
		u->ier = v & 0xf;
		break;
	case 2:
		u->fcr = v;
		if (v & 2)
			u->tail = u->head;
		break;
	case 3:
		u->lcr = v;
		break;
	case 4:
		u->mcr = v & 0x1f;
		break;
	case 7:
		u->scratch = v;
		break;
	default:
		break;
	}
}

static u64 uart_read(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size)
{
	(void)size;	/* whatever the width, one register: they are a byte each */
	return bar ? 0 : uart_read_register(d, offset);
}

static void uart_write(struct acrn_hvdev *d, u32 bar, u64 offset, u32 size, u64 v)
{
	(void)size;
	if (!bar)
		uart_write_register(d, offset, (u8)v);
}

const struct hvdev_ops hvdev_uart_ops = { .read = uart_read, .write = uart_write, .remove = link_leave };

/* --- CREATE_VDEV ------------------------------------------------------------------------------------------------------------ */

static u32 vdev_id(const struct acrn_vdev *args)
{
	return ID(env_le16(args->id.fields.vendor), env_le16(args->id.fields.device));
}

/* The region's name is the argument, size that of BAR 2: a power of two, and not more than ACRN's largest region. */
static int ivshmem_link(const struct acrn_vdev *args, char *name, u64 *memory)
{
	u64 size = args->io_size[2];
	u32 i;

	if (size < HV_PAGE_SIZE || size > 512ull << 20 || (size & (size - 1)) || !args->args[0])
		return -EINVAL;
	name[0] = 'm';
	for (i = 0; i < ACRN_LINK_NAME - 2 && args->args[i]; i++)
		name[i + 1] = (char)args->args[i];
	*memory = size;
	return args->args[i] ? -EINVAL : 1;
}

int acrn_hvdev_link(const struct acrn_vdev *args, char name[ACRN_LINK_NAME], u64 *memory)
{
	u32 index = args->args[0] | (u32)args->args[1] << 8;

	memset(name, 0, ACRN_LINK_NAME);
	*memory = 0;
	switch (vdev_id(args)) {
	case ID_IVSHMEM:
		return ivshmem_link(args, name, memory);
	case ID_UART:	/* index 0 is the legacy port; the mock has wires 1 to 7, and the VMs that name the same one share it */
		if (!index || index >= 8)
			return -EINVAL;
		name[0] = 'u';
		name[1] = (char)('0' + index);
		return 1;
	case ID_ROOT_PORT:
		return 0;
	default:
		return -EINVAL;
	}
}

static void make_root_port(struct acrn_hvdev *d, const struct acrn_vdev *args)
{
	d->kind = HVDEV_ROOT_PORT;
	hvdev_header(d, 0x8086, 0x9d14, ACRN_CLASS_BRIDGE << 8, 1);
	/* primary, secondary and subordinate bus: behind the physical port's number */
	memcpy(&d->config[0x18], &args->args[2], 3);
}

static void make_shared(struct acrn_hvdev *d, const struct acrn_vdev *args, struct acrn_link *link)
{
	bool uart = vdev_id(args) == ID_UART;

	d->kind = uart ? HVDEV_UART : HVDEV_IVSHMEM;
	d->ops = uart ? &hvdev_uart_ops : &hvdev_ivshmem_ops;
	d->link = link;
	hvdev_header(d, env_le16(args->id.fields.vendor), env_le16(args->id.fields.device), uart ? 0x070002 : 0x050000, 0);
	hvdev_bar(d, 0, HV_PAGE_SIZE, 0, args->io_addr[0]);
	hvdev_bar(d, 1, HV_PAGE_SIZE, 0, args->io_addr[1]);
	if (!uart)
		hvdev_bar(d, 2, link->size, HVDEV_BAR_MEM64 | HVDEV_BAR_PREFETCH, args->io_addr[2] | (u64)args->io_addr[3] << 32);
	hvdev_capability_msix(d, uart ? 1 : HVDEV_VECTORS);
}

int acrn_hvdev_virtual(struct acrn_hvdev *d, const struct acrn_vdev *args, struct acrn_link *link)
{
	d->bdf = (u16)args->slot;
	if (args->slot > 0xffff)
		return -EINVAL;
	if (!link) {
		make_root_port(d, args);
		return 0;
	}
	make_shared(d, args, link);
	return acrn_link_join(link, d) ? -EINVAL : 0;
}
