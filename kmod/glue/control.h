/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/mockvisor: see uapi/mockvisor.h. */
#ifndef MV_CONTROL_H
#define MV_CONTROL_H

int control_register(void);
void control_unregister(void);

#endif
