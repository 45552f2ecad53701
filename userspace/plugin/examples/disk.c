// SPDX-License-Identifier: MIT
// A paravirtual disk: requests lie in guest memory, a write to port 700h rings an eventfd, a thread of the plugin does the work and
// answers with an interrupt.  The vCPU's thread never hears of it.  The guest reads sector 0, adds one to the counter in its first
// four bytes, writes it back, prints the text behind the counter, and turns the machine off.
//
// usage: mvmm --plugin .../plugin_disk [--params IMAGE]
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define ENTRY 0x1000
#define STACK 0x8000
#define REQUEST 0x3000
#define BUFFER 0x4000
#define DOORBELL 0x700
#define CONSOLE 0x3f8
#define IRQ 5 // the 8259 as it is after power-on: input 5 is vector 5
#define SECTOR 512
#define HANDLER (ENTRY + 0x4e)

enum { PENDING = 0xffff, DONE = 0, FAILED = 1 };

struct request {
	uint16_t sector;
	uint16_t write;
	uint16_t address;
	uint16_t status;
};

// clang-format off
static const unsigned char guest[] = {
	0xc7, 0x06, 0x00, 0x30, 0x00, 0x00,  // 00       mov word [REQUEST.sector], 0
	0xc7, 0x06, 0x02, 0x30, 0x00, 0x00,  // 06       mov word [REQUEST.write], 0
	0xc7, 0x06, 0x04, 0x30, 0x00, 0x40,  // 0c       mov word [REQUEST.address], BUFFER
	0xe8, 0x22, 0x00,                    // 12       call disk
	0x66, 0xff, 0x06, 0x00, 0x40,        // 15       inc dword [BUFFER]
	0xc7, 0x06, 0x02, 0x30, 0x01, 0x00,  // 1a       mov word [REQUEST.write], 1
	0xe8, 0x14, 0x00,                    // 20       call disk
	0xbe, 0x04, 0x40,                    // 23       mov si, BUFFER + 4
	0xba, 0xf8, 0x03,                    // 26       mov dx, CONSOLE
	0xfc,                                // 29       cld
	0xac,                                // 2a text: lodsb
	0x84, 0xc0,                          // 2b       test al, al
	0x74, 0x03,                          // 2d       jz off
	0xee,                                // 2f       out dx, al
	0xeb, 0xf8,                          // 30       jmp text
	0xba, 0x00, 0x06,                    // 32 off:  mov dx, POWER
	0xee,                                // 35       out dx, al
	0xf4,                                // 36       hlt
	0xc7, 0x06, 0x06, 0x30, 0xff, 0xff,  // 37 disk: mov word [REQUEST.status], PENDING
	0xba, 0x00, 0x07,                    // 3d       mov dx, DOORBELL
	0xee,                                // 40       out dx, al
	0xfa,                                // 41 wait: cli
	0x83, 0x3e, 0x06, 0x30, 0xff,        // 42       cmp word [REQUEST.status], PENDING
	0x75, 0x04,                          // 47       jne done
	0xfb,                                // 49       sti
	0xf4,                                // 4a       hlt
	0xeb, 0xf4,                          // 4b       jmp wait
	0xc3,                                // 4d done: ret
	0x50,                                // 4e       push ax (HANDLER)
	0xb0, 0x20,                          // 4f       mov al, 20h: end of interrupt
	0xe6, 0x20,                          // 51       out 20h, al
	0x58,                                // 53       pop ax
	0xcf,                                // 54       iret
};
// clang-format on

struct disk {
	struct machine m;
	struct crosvm_io *doorbell;
	struct crosvm_irq *irq;
	int image;
};

// The guest may write to its request at any time: it is read once, and what it says is checked.
static uint16_t serve_request(struct disk *d)
{
	struct request r;
	off_t at;

	memcpy(&r, d->m.memory + REQUEST, sizeof(r));
	at = (off_t)r.sector * SECTOR;
	if (r.address > MEMORY_BYTES - SECTOR)
		return FAILED;
	if (r.write)
		return pwrite(d->image, d->m.memory + r.address, SECTOR, at) == SECTOR ? DONE : FAILED;
	return pread(d->image, d->m.memory + r.address, SECTOR, at) == SECTOR ? DONE : FAILED;
}

static void *work(void *self)
{
	struct disk *d = self;
	const uint64_t one = 1;
	uint64_t rung;
	uint16_t status;

	while (read(crosvm_io_event_fd(d->doorbell), &rung, sizeof(rung)) == sizeof(rung)) {
		status = serve_request(d);
		__atomic_store_n((uint16_t *)(d->m.memory + REQUEST + offsetof(struct request, status)), status, __ATOMIC_RELEASE);
		if (write(crosvm_irq_event_get_fd(d->irq), &one, sizeof(one)) < 0)
			break;
	}
	return NULL;
}

static void print(const struct crosvm_vcpu_event *event)
{
	if (event->io_access.address == CONSOLE)
		putchar(event->io_access.data[0]);
}

static int make_image(void)
{
	char sector[SECTOR] = { 0 };
	FILE *file = tmpfile();

	if (!file)
		return -1;
	strcpy(sector + 4, "Hello from sector 0.\n");
	return pwrite(fileno(file), sector, SECTOR, 0) == SECTOR ? fileno(file) : -1;
}

static int set_up(struct disk *d, struct crosvm_vcpu **vcpu)
{
	struct crosvm *vm = d->m.vm;
	int r;

	if ((r = crosvm_create_io_event(vm, CROSVM_ADDRESS_SPACE_IOPORT, DOORBELL, 0, NULL, &d->doorbell)) ||
	    (r = crosvm_create_irq_event(vm, IRQ, &d->irq)) ||
	    (r = crosvm_reserve_async_write_range(vm, CROSVM_ADDRESS_SPACE_IOPORT, CONSOLE, 1)) || (r = crosvm_get_vcpu(vm, 0, vcpu)))
		return r;
	return crosvm_start(vm);
}

int main(int argc, char **argv)
{
	static const uint16_t vector[2] = { HANDLER, 0 };
	struct crosvm_vcpu *vcpu;
	pthread_t worker;
	struct disk d;
	int r = machine_open(&d.m);

	if (r)
		return r;
	d.image = argc > 1 ? open(argv[1], O_RDWR | O_CLOEXEC) : make_image();
	if (d.image < 0)
		return fail(argc > 1 ? argv[1] : "an image", -errno);
	memcpy(d.m.memory + ENTRY, guest, sizeof(guest));
	memcpy(d.m.memory + IRQ * sizeof(vector), vector, sizeof(vector));
	r = set_up(&d, &vcpu);
	if (r)
		return fail("set-up", r);
	r = pthread_create(&worker, NULL, work, &d);
	if (r)
		return fail("a thread", -r);
	r = run_until_off(vcpu, ENTRY, STACK, print);
	fflush(stdout);
	return r;
}
