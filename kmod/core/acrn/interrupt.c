// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How a VMM raises interrupts: SET_IRQLINE and INJECT_MSI.  Facts: hypervisor/common/hypercall.c. */
#include "acrn.h"

#define IRQLINE_HIGH 0
#define IRQLINE_LOW 1
#define IRQLINE_PULSE_HIGH 2
#define IRQLINE_PULSE_LOW 3

int acrn_set_irqline(struct acrn_core_vm *vm, u64 line)
{
	u32 gsi = (u32)line;

	if (gsi >= ACRN_IOAPIC_PINS || vm->state == ACRN_VM_POWERED_OFF)
		return -EPERM;
	switch (line >> 32) {
	case IRQLINE_HIGH:
		irqchip_line(&vm->chip, gsi, true);
		break;
	case IRQLINE_LOW:
		irqchip_line(&vm->chip, gsi, false);
		break;
	case IRQLINE_PULSE_HIGH:
		irqchip_line(&vm->chip, gsi, true);
		irqchip_line(&vm->chip, gsi, false);
		break;
	case IRQLINE_PULSE_LOW:
		irqchip_line(&vm->chip, gsi, false);
		irqchip_line(&vm->chip, gsi, true);
		break;
	default:	/* the hypervisor takes it, and does nothing */
		break;
	}
	return 0;
}

int acrn_inject_msi(struct acrn_core_vm *vm, u64 address, u64 data)
{
	return irqchip_msi(&vm->chip, address, data) ? 0 : -EPERM;
}
