// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Two 8259As: see pic.h. */
#include "pic.h"

#define ICW1 0x10
#define ICW1_ICW4 0x01
#define ICW4_AUTO_EOI 0x02
#define ICW4_SPECIAL_NESTED 0x10
#define OCW3 0x08

/* Inputs whose trigger mode cannot be set: timer, keyboard, cascade; real-time clock, coprocessor. */
static const u8 elcr_writable[2] = { 0xf8, 0xde };

void pic_reset(struct pic_pair *p)
{
	memset(p, 0, sizeof(*p));
	p->chip[0].lowest = 7;
	p->chip[1].lowest = 7;
}

/* How far an input is from the top of the priority order: 0 is served first. */
static u32 rank(const struct pic *c, u32 input)
{
	return (input - c->lowest - 1) & 7;
}

/* The set input with the best rank, or 8. */
static u32 best(const struct pic *c, u8 inputs)
{
	u32 i, n;

	for (i = 0; i < 8; i++) {
		n = (c->lowest + 1 + i) & 7;
		if (inputs & (1u << n))
			return n;
	}
	return 8;
}

/* The input to be served next, or 8 if none beats what is in service. */
static u32 winner(const struct pic *c, bool first)
{
	u32 n = best(c, (u8)(c->irr & ~c->imr)), busy;
	u8 in_service = c->isr;

	if (n == 8)
		return 8;
	if (c->special_mask)
		in_service &= (u8)~c->imr;
	/* special fully nested: the second chip may interrupt its own service */
	if (c->special_nested && first)
		in_service &= (u8)~(1u << PIC_CASCADE);
	busy = best(c, in_service);
	if (c->special_mask)
		return in_service & (1u << n) ? 8 : n;
	return busy == 8 || rank(c, n) < rank(c, busy) ? n : 8;
}

static void chip_line(struct pic *c, u32 input, bool high)
{
	u8 bit = (u8)(1u << input);

	if (c->elcr & bit) {
		c->irr = high ? c->irr | bit : c->irr & (u8)~bit;
	} else if (high && !(c->lines & bit)) {
		/* an edge is remembered when the line falls again: VMMs raise by pulse, the guest may look later */
		c->irr |= bit;
	}
	c->lines = high ? c->lines | bit : c->lines & (u8)~bit;
}

static void cascade(struct pic_pair *p)
{
	bool high = p->chip[1].initialised && winner(&p->chip[1], false) != 8;

	chip_line(&p->chip[0], PIC_CASCADE, high);
	/* a request that the second chip takes back is no request of the first */
	if (!high)
		p->chip[0].irr &= (u8)~(1u << PIC_CASCADE);
}

void pic_line(struct pic_pair *p, u32 irq, bool high)
{
	if (irq >= 16 || irq == PIC_CASCADE)
		return;
	chip_line(&p->chip[irq >> 3], irq & 7, high);
	cascade(p);
}

bool pic_output(const struct pic_pair *p)
{
	return p->chip[0].initialised && winner(&p->chip[0], true) != 8;
}

static void rotate(struct pic *c, u32 input)
{
	c->lowest = (u8)input;
}

static u32 chip_acknowledge(struct pic *c, bool first)
{
	u32 n = winner(c, first);
	u8 bit = (u8)(1u << n);

	if (n == 8)
		return 7;
	if (!(c->elcr & bit))
		c->irr &= (u8)~bit;
	if (!c->auto_eoi)
		c->isr |= bit;
	else if (c->rotate_on_aeoi)
		rotate(c, n);
	return n;
}

u8 pic_acknowledge(struct pic_pair *p)
{
	u32 n = chip_acknowledge(&p->chip[0], true);
	u8 vector = (u8)(p->chip[0].base + n);

	if (n == PIC_CASCADE && p->chip[1].initialised) {
		n = chip_acknowledge(&p->chip[1], false);
		vector = (u8)(p->chip[1].base + n);
		/* the cascade input follows the second chip: low between two of its requests, so that each gives an edge */
		chip_line(&p->chip[0], PIC_CASCADE, false);
		cascade(p);
	}
	return vector;
}

static void icw1(struct pic *c, u8 v)
{
	u8 lines = c->lines, elcr = c->elcr;

	memset(c, 0, sizeof(*c));
	c->lines = lines;
	c->elcr = elcr;
	/* edges are forgotten, levels are not */
	c->irr = lines & elcr;
	c->lowest = 7;
	c->icw4_follows = v & ICW1_ICW4;
	c->step = 2;
}

static void ocw2(struct pic *c, u8 v)
{
	u32 n = best(c, c->isr);

	switch (v >> 5) {
	case 0:			/* rotation with automatic EOI off, on */
	case 4:
		c->rotate_on_aeoi = v >> 7;
		break;
	case 1:			/* end of interrupt: the highest in service; and rotate */
	case 5:
		if (n == 8)
			break;
		c->isr &= (u8)~(1u << n);
		if (v & 0x80)
			rotate(c, n);
		break;
	case 3:			/* of the one named; and rotate */
		c->isr &= (u8)~(1u << (v & 7));
		break;
	case 7:
		c->isr &= (u8)~(1u << (v & 7));
		rotate(c, v & 7);
		break;
	case 6:			/* set priority */
		rotate(c, v & 7);
		break;
	default:
		break;
	}
}

static void ocw3(struct pic *c, u8 v)
{
	if (v & 0x40)
		c->special_mask = (v >> 5) & 1;
	c->poll = (v >> 2) & 1;
	if (v & 2)
		c->read_isr = v & 1;
}

static void data_write(struct pic *c, u8 v)
{
	switch (c->step) {
	case 0:
		c->imr = v;
		break;
	case 2:
		c->base = v & 0xf8;
		c->step = 3;
		break;
	case 3:			/* who is cascaded where is wired, not programmed */
		c->step = c->icw4_follows ? 4 : 0;
		break;
	default:
		c->auto_eoi = !!(v & ICW4_AUTO_EOI);
		c->special_nested = !!(v & ICW4_SPECIAL_NESTED);
		c->step = 0;
		break;
	}
	if (!c->step)
		c->initialised = 1;
}

static u8 chip_read(struct pic *c, u32 port, bool first)
{
	u32 n;

	if (c->poll) {
		c->poll = 0;
		n = winner(c, first);
		if (n == 8)
			return 0;
		chip_acknowledge(c, first);
		return (u8)(0x80 | n);
	}
	if (port & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

bool pic_has_port(u64 port)
{
	return (port & ~1ull) == 0x20 || (port & ~1ull) == 0xa0 || (port & ~1ull) == 0x4d0;
}

u8 pic_port_read(struct pic_pair *p, u32 port)
{
	u32 n = port >= 0x4d0 ? port & 1 : (port & 0x80) >> 7;
	u8 v;

	if (port >= 0x4d0)
		return p->chip[n].elcr;
	v = chip_read(&p->chip[n], port, !n);
	cascade(p);
	return v;
}

void pic_port_write(struct pic_pair *p, u32 port, u8 v)
{
	u32 n = port >= 0x4d0 ? port & 1 : (port & 0x80) >> 7;
	struct pic *c = &p->chip[n];

	if (port >= 0x4d0)
		c->elcr = v & elcr_writable[n];
	else if (port & 1)
		data_write(c, v);
	else if (v & ICW1)
		icw1(c, v);
	else if (v & OCW3)
		ocw3(c, v);
	else
		ocw2(c, v);
	cascade(p);
}
