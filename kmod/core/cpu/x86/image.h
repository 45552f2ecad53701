/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The whole of a vCPU as the control ABI has it (uapi/mockvisor.h): the module and programs copy it in and out alike. */
#ifndef MV_X86_IMAGE_H
#define MV_X86_IMAGE_H

#include <mockvisor.h>

#include "../../irqchip/irqchip.h"
#include "x86.h"

/*
 * Between two instructions, by the CPU's own thread or while that is stopped.  @scratch is too large for a kernel stack.
 * Neither touches vm_fd, vcpu, waits, shutdown: whoever runs the CPU knows those.
 */
void x86_image_get(struct x86_cpu *cpu, struct lapic *l, struct x86_state *scratch, struct mockvisor_x86_state *to);
/* An access that waits for its answer goes on waiting, unless RIP is another's. */
void x86_image_set(struct x86_cpu *cpu, struct lapic *l, struct x86_state *scratch, const struct mockvisor_x86_state *from);

#endif
