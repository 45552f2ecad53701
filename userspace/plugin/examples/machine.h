// SPDX-License-Identifier: MIT
// What the examples share: a machine with 64 KiB at address 0 whose vCPUs start in real mode.
#ifndef EXAMPLES_MACHINE_H
#define EXAMPLES_MACHINE_H

#include <crosvm.h>

#define MEMORY_BYTES 0x10000
#define POWER 0x600 // a port: the guest writes to it and is done

struct machine {
	struct crosvm *vm;
	unsigned char *memory; // the guest's, shared with it
};

// Says on standard error what went wrong (@error is negative) and returns the exit code for it.
int fail(const char *what, int error);

// Connects, gives the guest its memory, reserves POWER.  0 or an exit code, after a word about it.
int machine_open(struct machine *m);

// Whether the event is the guest's write to POWER.
bool is_power_off(const struct crosvm_vcpu_event *event);

// For the first event: the vCPU goes on at 0:@ip with this stack pointer and DX.  0 or a negative errno.
int enter(struct crosvm_vcpu *vcpu, unsigned ip, unsigned sp, unsigned dx);

// A vCPU's whole life: it enters at @ip, @serve gets its accesses, until the guest turns the machine off.  An exit code.
int run_until_off(struct crosvm_vcpu *vcpu, unsigned ip, unsigned sp, void (*serve)(const struct crosvm_vcpu_event *event));

#endif
