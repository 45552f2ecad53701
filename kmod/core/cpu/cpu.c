// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Device accesses of an instruction and their replies: see cpu.h. */
#include "cpu.h"

/* As if userspace had replied at once: an instruction that stops at a later access finds the reply when it starts over. */
static bool answered_here(struct hv_cpu *cpu, u64 *data)
{
	struct hv_replay *r = &cpu->replay;
	u64 reply = 0;

	if (r->done == HV_REPLAY_MAX || !cpu->local.answer(cpu->local.context, &reply))
		return false;
	if (cpu->exit.size < 8)
		reply &= (1ull << (cpu->exit.size * 8)) - 1;
	cpu->exit.kind = HV_EXIT_NONE;
	r->data[r->done++] = reply;
	r->next = r->done;
	*data = reply;
	return true;
}

bool hv_cpu_device(struct hv_cpu *cpu, u8 space, u64 address, u8 size, u8 direction, u64 *data)
{
	struct hv_replay *r = &cpu->replay;

	if (r->next < r->done) {
		*data = r->data[r->next++];
		return true;
	}
	cpu->exit.kind = HV_EXIT_ACCESS;
	cpu->exit.space = space;
	cpu->exit.size = size;
	cpu->exit.direction = direction;
	cpu->exit.fetch = 0;
	cpu->exit.address = address;
	cpu->exit.data = direction == HV_WRITE ? *data : 0;
	if (direction == HV_WRITE && size < 8)
		cpu->exit.data &= (1ull << (size * 8)) - 1;
	cpu->exit.cookie++;
	return cpu->local.answer && answered_here(cpu, data);
}

int hv_cpu_complete(struct hv_cpu *cpu, u64 cookie, u64 data)
{
	struct hv_replay *r = &cpu->replay;

	if (cpu->exit.kind != HV_EXIT_ACCESS || cookie != cpu->exit.cookie || r->done == HV_REPLAY_MAX)
		return -EINVAL;
	if (cpu->exit.size < 8)
		data &= (1ull << (cpu->exit.size * 8)) - 1;
	r->data[r->done++] = data;
	r->next = 0;
	cpu->exit.kind = HV_EXIT_NONE;
	return 0;
}

void hv_cpu_forget(struct hv_cpu *cpu)
{
	hv_cpu_replay_clear(cpu);
	cpu->exit.kind = HV_EXIT_NONE;
}
