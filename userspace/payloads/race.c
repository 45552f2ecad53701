/* SPDX-License-Identifier: MIT */
/*
 * The workload for other emulators too (scripts/bench --engines): on the serial port, "<digit" when a kernel begins and
 * ">digit checksum" when it is done.  Needs nothing but that port, so that a PC's BIOS or QEMU's virt board can start it.
 * On a PC the same goes to port 0xE9: Bochs shows that at once, and its serial port late.
 */
#include "guest.h"
#ifdef __aarch64__
#include "mmu_arm64.h"
#endif
#include "workload.h"

#define SCALE 200

static void send(char c)
{
#if defined(__x86_64__) || defined(__i386__)
	while (!(in8(UART_STATUS) & 0x20))
		;
	out8(0xe9, (u8)c);
#endif
	put(c);
}

int guest(unsigned int vcpu)
{
	u32 k, sum;
	int digit;

	(void)vcpu;
#ifdef __aarch64__
	tables_build();
	paging_on();
#endif
	for (k = 0; k < WORKLOAD_KERNELS; k++) {
		send('<');
		send((char)('0' + k));
		sum = workload_run(k, SCALE);
		send('>');
		send((char)('0' + k));
		send(' ');
		for (digit = 28; digit >= 0; digit -= 4)
			send("0123456789abcdef"[sum >> digit & 15]);
		send('\n');
	}
	return 0;
}
