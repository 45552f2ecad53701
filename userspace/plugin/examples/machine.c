// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int fail(const char *what, int error)
{
	fprintf(stderr, "plugin: %s: %s\n", what, strerror(-error));
	return 1;
}

// Sealed, so that it cannot become smaller behind the host's back: the host takes nothing else.
static int make_memory(unsigned char **map)
{
	int fd = memfd_create("guest memory", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, MEMORY_BYTES) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	*map = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *map == MAP_FAILED ? -errno : fd;
}

int machine_open(struct machine *m)
{
	struct crosvm_memory *object;
	int fd, r = crosvm_connect(&m->vm);

	if (r)
		return fail("this program is started by mvmm --plugin: connect", r);
	fd = make_memory(&m->memory);
	if (fd < 0)
		return fail("memory", fd);
	r = crosvm_create_memory(m->vm, fd, 0, MEMORY_BYTES, 0, false, false, &object);
	close(fd);
	if (r)
		return fail("memory", r);
	r = crosvm_reserve_range(m->vm, CROSVM_ADDRESS_SPACE_IOPORT, POWER, 1);
	return r ? fail("power port", r) : 0;
}

bool is_power_off(const struct crosvm_vcpu_event *event)
{
	return event->kind == CROSVM_VCPU_EVENT_KIND_IO_ACCESS && event->io_access.address_space == CROSVM_ADDRESS_SPACE_IOPORT &&
	       event->io_access.address == POWER;
}

// What KVM starts with is the reset vector; and all but the first vCPU wait for an IPI.
int enter(struct crosvm_vcpu *vcpu, unsigned ip, unsigned sp, unsigned dx)
{
	const struct kvm_mp_state runs = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int r = crosvm_vcpu_get_sregs(vcpu, &sregs);

	if (r)
		return r;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	memset(&regs, 0, sizeof(regs));
	regs.rip = ip;
	regs.rsp = sp;
	regs.rdx = dx;
	regs.rflags = 2;
	r = crosvm_vcpu_set_mp_state(vcpu, &runs);
	if (!r)
		r = crosvm_vcpu_set_sregs(vcpu, &sregs);
	return r ? r : crosvm_vcpu_set_regs(vcpu, &regs);
}

int run_until_off(struct crosvm_vcpu *vcpu, unsigned ip, unsigned sp, void (*serve)(const struct crosvm_vcpu_event *event))
{
	struct crosvm_vcpu_event event;
	int r;

	for (;;) {
		r = crosvm_vcpu_wait(vcpu, &event);
		if (r)
			return fail("wait", r);
		if (is_power_off(&event))
			return 0;
		if (event.kind == CROSVM_VCPU_EVENT_KIND_INIT) {
			r = enter(vcpu, ip, sp, 0);
			if (r)
				return fail("registers", r);
		} else if (event.kind == CROSVM_VCPU_EVENT_KIND_IO_ACCESS) {
			serve(&event);
			if (event.io_access.no_resume)
				continue; // the guest did not wait for us
		}
		r = crosvm_vcpu_resume(vcpu);
		if (r)
			return fail("resume", r);
	}
}
