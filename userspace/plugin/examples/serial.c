// SPDX-License-Identifier: MIT
// A whole, very small computer with a serial port at 3F8h.  The guest prints its greeting, asks for the port's line status
// before each character, and turns the machine off.
//
// usage: mvmm --plugin .../plugin_serial [--params TEXT]
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define ENTRY 0x1000
#define TEXT 0x2000
#define SERIAL 0x3f8
#define SERIAL_PORTS 8
#define LINE_STATUS 5
#define TRANSMITTER_EMPTY 0x60

// clang-format off
static const unsigned char guest[] = {
	0xbe, 0x00, 0x20,        //       mov si, TEXT
	0xba, 0xfd, 0x03,        // next: mov dx, SERIAL + LINE_STATUS
	0xec,                    // wait: in al, dx
	0xa8, 0x20,              //       test al, 20h
	0x74, 0xfb,              //       jz wait
	0xac,                    //       lodsb
	0x84, 0xc0,              //       test al, al
	0x74, 0x06,              //       jz off
	0xba, 0xf8, 0x03,        //       mov dx, SERIAL
	0xee,                    //       out dx, al
	0xeb, 0xed,              //       jmp next
	0xba, 0x00, 0x06,        // off:  mov dx, POWER
	0xee,                    //       out dx, al
	0xf4,                    //       hlt
};
// clang-format on

static void serve(const struct crosvm_vcpu_event *event)
{
	uint64_t port = event->io_access.address;

	if (event->io_access.is_write) {
		if (port == SERIAL)
			putchar(event->io_access.data[0]);
	} else if (port == SERIAL + LINE_STATUS) {
		event->io_access.data[0] = TRANSMITTER_EMPTY;
	}
}

int main(int argc, char **argv)
{
	struct crosvm_vcpu *vcpu;
	struct machine m;
	int r = machine_open(&m);

	if (r)
		return r;
	memcpy(m.memory + ENTRY, guest, sizeof(guest));
	strncpy((char *)m.memory + TEXT, argc > 1 ? argv[1] : "Hello from a plugin's machine.\n", MEMORY_BYTES - TEXT - 1);
	if ((r = crosvm_reserve_range(m.vm, CROSVM_ADDRESS_SPACE_IOPORT, SERIAL, SERIAL_PORTS)) || (r = crosvm_get_vcpu(m.vm, 0, &vcpu)) ||
	    (r = crosvm_start(m.vm)))
		return fail("set-up", r);
	r = run_until_off(vcpu, ENTRY, 0, serve);
	crosvm_destroy_connection(&m.vm);
	return r;
}
