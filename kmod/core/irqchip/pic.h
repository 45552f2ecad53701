/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A pair of 8259A interrupt controllers as PCs have them: ports 20h, A0h and the edge/level control ports 4D0h, 4D1h.
 * Source of the rules: the 8259A data sheet (Intel order 231468).  Callers serialise.
 */
#ifndef MV_PIC_H
#define MV_PIC_H

#include "../env.h"

#define PIC_CASCADE 2u	/* the second chip's output goes to this input of the first */

/**
 * struct pic - one 8259A
 * @lines: level of the eight inputs
 * @irr, @isr, @imr: requests, in service, masked
 * @base: vector of input 0; @lowest: the input with the lowest priority (7 unless rotated)
 * @step: of initialisation: 0 none, else the next ICW (2 to 4)
 * @elcr: inputs that are level triggered
 */
struct pic {
	u8 lines, irr, isr, imr;
	u8 base;
	u8 lowest;
	u8 step;
	u8 elcr;
	u8 icw4_follows;
	u8 auto_eoi;
	u8 rotate_on_aeoi;
	u8 special_mask;
	u8 special_nested;
	u8 read_isr;
	u8 poll;
	u8 initialised;
};

struct pic_pair {
	struct pic chip[2];
};

void pic_reset(struct pic_pair *p);
/* Level of input @irq, 0 to 15. */
void pic_line(struct pic_pair *p, u32 irq, bool high);
/* Is the processor's INTR input driven? */
bool pic_output(const struct pic_pair *p);
/* Interrupt acknowledge cycle: the vector; a spurious one (input 7) if nothing is pending any more. */
u8 pic_acknowledge(struct pic_pair *p);

bool pic_has_port(u64 port);
u8 pic_port_read(struct pic_pair *p, u32 port);
void pic_port_write(struct pic_pair *p, u32 port, u8 v);

/* Inputs whose interrupt the guest works on: one bit each, 0 to 15. */
static inline u32 pic_in_service(const struct pic_pair *pair)
{
	return pair->chip[0].isr | (u32)pair->chip[1].isr << 8;
}

#endif
