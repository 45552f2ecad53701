// SPDX-License-Identifier: GPL-2.0
/* mockvisor.ko: init and unwind, nothing else. */
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

#include "acrn_hsm.h"
#include "control.h"
#include "gunyah_glue.h"

static int __init mockvisor_init(void)
{
	int r;

	r = acrn_hsm_register();
	if (r)
		return r;
	r = gunyah_register();
	if (r)
		goto no_gunyah;
	r = control_register();
	if (r)
		goto no_control;
	pr_info("mockvisor: /dev/acrn_hsm, /dev/gunyah and /dev/mockvisor are ready (software CPUs, no hypervisor)\n");
	return 0;

no_control:
	gunyah_unregister();
no_gunyah:
	acrn_hsm_unregister();
	return r;
}

static void __exit mockvisor_exit(void)
{
	control_unregister();
	gunyah_unregister();
	acrn_hsm_unregister();
}

module_init(mockvisor_init);
module_exit(mockvisor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mock of the ACRN and Gunyah hypervisor interfaces on software CPUs");
