/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The vCPU side of I/O requests; the rest of it is in acrn.h. */
#ifndef MV_IOREQ_H
#define MV_IOREQ_H

#include "acrn.h"

/* v->scratch becomes the CPU's state, but its TSC goes on: with time between get and set, vCPUs would drift apart. */
void acrn_vcpu_load(struct acrn_vcpu *v);
/* Fill the vCPU's slot with a device access and make it PENDING. */
void acrn_ioreq_post(struct acrn_vcpu *v, const struct hv_exit *exit);
/* Take the answer: slot FREE, value handed to the CPU. */
int acrn_ioreq_resume(struct acrn_vcpu *v);

#endif
