/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What travels between I/O APIC, devices and local APICs.  Intel SDM volume 3, sections 11.6.1 and 11.11. */
#ifndef MV_APIC_MESSAGE_H
#define MV_APIC_MESSAGE_H

#include "../env.h"


enum apic_mode {
	APIC_FIXED = 0, APIC_LOWEST = 1, APIC_SMI = 2, APIC_NMI = 4, APIC_INIT = 5, APIC_STARTUP = 6, APIC_EXTINT = 7
};

enum apic_shorthand { APIC_TO_DESTINATION, APIC_TO_SELF, APIC_TO_ALL, APIC_TO_OTHERS };

/**
 * struct apic_message
 * @destination: APIC id, or logical set
 * @wide: the destination has 32 bits (sent in x2APIC mode); otherwise 8, and 0xff is everybody
 * @level: trigger mode; @assert: 0 only in the INIT level de-assert, which does nothing any more
 */
struct apic_message {
	u32 destination;
	u8 wide;
	u8 logical;
	u8 mode;
	u8 vector;
	u8 level;
	u8 assert;
	u8 shorthand;
};

#endif
