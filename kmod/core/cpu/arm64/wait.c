// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting (D1.6): WFI, WFE and YIELD, and the events that SEV and SEVL send.
 *
 * WFE with no event does not wait in here: it is done, and leaves step() with HV_EXIT_PAUSE, so that a thread that has
 * something to do gets the processor.  WFE may be woken at any time (D1.6.1), so whoever runs this CPU is free in how long.
 */
#include "internal.h"

#define HINT_YIELD 1u
#define HINT_WFE 2u
#define HINT_WFI 3u
#define HINT_SEV 4u
#define HINT_SEVL 5u

#define IN_A_ROW 256u	/* instructions: a loop that waits is shorter */
#define YIELDS 16u	/* a lock is often free after some */
#define SLEEP_NS 50000u

u64 arm64_pause_ns(const struct arm64_cpu *cpu, u32 polite)
{
	return cpu->pauses < polite || env_read_once(cpu->event) ? 0 : SLEEP_NS;
}

/* An interrupt that is masked does not end the wait of a WFE (D1.6.1): who spins for a lock has masked them. */
bool arm64_called(const struct arm64_cpu *cpu)
{
	u32 request = env_read_once(cpu->hv.request);

	return (request & ~(HV_REQ_IRQ | HV_REQ_TLB)) || ((request & HV_REQ_IRQ) && !(cpu->daif & ARM64_PSTATE_I));
}

/* Count those that come in a row. */
static u32 pause_count(struct arm64_cpu *cpu)
{
	if (cpu->hv.retired - cpu->paused_at > IN_A_ROW)
		cpu->pauses = 0;
	else if (cpu->pauses < 255)
		cpu->pauses++;
	cpu->paused_at = cpu->hv.retired;
	return cpu->pauses;
}

static enum arm64_leave pause(struct arm64_cpu *cpu)
{
	cpu->pc += 4;
	cpu->stop = HV_EXIT_PAUSE;
	return ARM64_LEAVE;
}

/* SCTLR_EL1.nTWI and nTWE: may EL0 wait? */
static bool trapped(struct arm64_cpu *cpu, u64 allowed, u32 iss)
{
	if (cpu->el || (cpu->sys.sctlr_el1 & allowed))
		return false;
	arm64_raise(cpu, ARM64_EC_WFX, 1u << 24 | 0xeu << 20 | iss);
	return true;
}

static enum arm64_leave wait_interrupt(struct arm64_cpu *cpu)
{
	u32 request = env_read_once(cpu->hv.request);

	if (cpu->woken || (request & (HV_REQ_IRQ | HV_REQ_WAKE))) {
		cpu->woken = 0;
		if (request & HV_REQ_WAKE)
			env_fetch_and(&cpu->hv.request, ~HV_REQ_WAKE);
		return ARM64_NEXT;
	}
	if (trapped(cpu, ARM64_SCTLR_NTWI, 0))
		return ARM64_JUMP;
	cpu->hv.idle = 1;
	cpu->pc += 4;
	cpu->stop = HV_EXIT_IDLE;
	return ARM64_LEAVE;
}

static enum arm64_leave wait_event(struct arm64_cpu *cpu)
{
	if (env_read_once(cpu->event)) {
		env_write_once(cpu->event, 0);
		return ARM64_NEXT;
	}
	if (trapped(cpu, ARM64_SCTLR_NTWE, 1))
		return ARM64_JUMP;
	pause_count(cpu);
	return arm64_called(cpu) ? ARM64_NEXT : pause(cpu);
}

enum arm64_leave arm64_hint(struct arm64_cpu *cpu, u32 number)
{
	switch (number) {
	case HINT_YIELD:
		return pause_count(cpu) < YIELDS ? ARM64_NEXT : pause(cpu);
	case HINT_WFE:
		return wait_event(cpu);
	case HINT_WFI:
		return wait_interrupt(cpu);
	case HINT_SEV:
		/* what was stored before it is there when the others wake */
		env_fence();
		if (cpu->peers)
			cpu->peers->event(cpu->peers_context);
		arm64_event(cpu);
		return ARM64_NEXT;
	case HINT_SEVL:
		arm64_event(cpu);
		return ARM64_NEXT;
	default:
		return ARM64_NEXT;
	}
}
