// SPDX-License-Identifier: MIT
// A bus monitor: counts what vCPUs do on the bus, stops the ones that do too much of it and mends them.  Two vCPUs write to a port
// each, for ever.  When a port was written to a thousand times its vCPU is paused from outside and patched, the first in its code
// (the jump back becomes two NOPs), the second in its registers (behind the loop).  Both then turn the machine off.
//
// usage: mvmm --plugin .../plugin_monitor --cpus 2
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define VCPUS 2
#define ENTRY(n) (0x1000 + (n) * 0x100)
#define PORT(n) (0x500 + (n))
#define MANY 1000

// clang-format off
static const unsigned char guest[] = {
	0xee,              // 0 again: out dx, al
	0xfe, 0xc0,        // 1        inc al
	0xeb, 0xfb,        // 3        jmp again
	0xba, 0x00, 0x06,  // 5        mov dx, POWER
	0xee,              // 8        out dx, al
	0xf4,              // 9        hlt
};
// clang-format on
#define JUMP 3
#define BEHIND 5

struct watched {
	struct crosvm_vcpu *vcpu;
	unsigned char *memory;
	unsigned number;
	unsigned writes; // read by the monitor, as is what follows
	int mended;
	int result;
};

static int patch(struct watched *w)
{
	struct kvm_regs regs;
	int r = crosvm_vcpu_get_regs(w->vcpu, &regs);

	if (r)
		return r;
	if (regs.rip < ENTRY(w->number) || regs.rip > ENTRY(w->number) + BEHIND)
		return fail("a vCPU is somewhere else", 0);
	if (w->number == 0) {
		memset(w->memory + ENTRY(0) + JUMP, 0x90, 2);
		printf("vCPU 0: jump at %xh made NOPs\n", ENTRY(0) + JUMP);
		return 0;
	}
	regs.rip = ENTRY(w->number) + BEHIND;
	printf("vCPU %u: moved to %llxh\n", w->number, regs.rip);
	return crosvm_vcpu_set_regs(w->vcpu, &regs);
}

// 0: go on; 1: this vCPU is done.
static int serve(struct watched *w, const struct crosvm_vcpu_event *event)
{
	int r;

	if (is_power_off(event))
		return 1;
	switch (event->kind) {
	case CROSVM_VCPU_EVENT_KIND_INIT:
		return enter(w->vcpu, ENTRY(w->number), 0, PORT(w->number));
	case CROSVM_VCPU_EVENT_KIND_PAUSED:
		r = event->user == w ? patch(w) : fail("another's pause", 0);
		__atomic_store_n(&w->mended, 1, __ATOMIC_RELEASE);
		return r;
	default:
		__atomic_fetch_add(&w->writes, 1, __ATOMIC_RELAXED);
		return 0;
	}
}

static void *run(void *self)
{
	struct watched *w = self;
	struct crosvm_vcpu_event event;

	while (!w->result) {
		w->result = crosvm_vcpu_wait(w->vcpu, &event);
		if (!w->result)
			w->result = serve(w, &event);
		if (!w->result)
			w->result = crosvm_vcpu_resume(w->vcpu);
	}
	return NULL;
}

// On a connection of its own thread: vCPUs need none.
static int monitor(struct crosvm *vm, struct watched *vcpus)
{
	unsigned n;
	int r;

	for (n = 0; n < VCPUS; n++) {
		while (__atomic_load_n(&vcpus[n].writes, __ATOMIC_RELAXED) < MANY)
			usleep(1000);
		r = crosvm_pause_vcpus(vm, 1u << n, &vcpus[n]);
		if (r)
			return fail("pause", r);
		while (!__atomic_load_n(&vcpus[n].mended, __ATOMIC_ACQUIRE))
			usleep(1000);
	}
	return 0;
}

int main(void)
{
	struct watched vcpus[VCPUS] = { 0 };
	pthread_t threads[VCPUS];
	struct machine m;
	unsigned n;
	int r = machine_open(&m);

	for (n = 0; n < VCPUS && !r; n++) {
		vcpus[n].memory = m.memory;
		vcpus[n].number = n;
		memcpy(m.memory + ENTRY(n), guest, sizeof(guest));
		r = crosvm_reserve_range(m.vm, CROSVM_ADDRESS_SPACE_IOPORT, PORT(n), 1);
		if (!r)
			r = crosvm_get_vcpu(m.vm, n, &vcpus[n].vcpu);
	}
	if (!r)
		r = crosvm_start(m.vm);
	if (r)
		return fail("set-up (it takes --cpus 2)", r);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (n = 0; n < VCPUS && !r; n++)
		r = pthread_create(&threads[n], NULL, run, &vcpus[n]);
	if (!r)
		r = monitor(m.vm, vcpus);
	if (r)
		return 1;
	for (n = 0; n < VCPUS; n++) {
		pthread_join(threads[n], NULL);
		if (vcpus[n].result < 0)
			return fail("a vCPU", vcpus[n].result);
	}
	puts("both vCPUs are done");
	return 0;
}
