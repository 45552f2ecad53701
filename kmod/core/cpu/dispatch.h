/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * One source for two dispatchers.  In userspace every operation ends with its own indirect jump (computed goto).  A kernel
 * built with retpolines pays 20 cycles for such a jump, and a plain switch, which such kernels compile to a compare tree,
 * pays 8 (measured); so the module uses the switch.  HV_DISPATCH_SWITCH selects it in userspace too, for tests.
 *
 *   HV_DISPATCH_BEGIN(insn->op)
 *   HV_OP(ADD_RR): ...; HV_NEXT(insn->op);     insn was moved to the next instruction by the operation
 *   HV_DISPATCH_END
 *
 * With computed goto the table hv_labels[] must be in scope, built from the same X-macro as the enum.
 */
#ifndef MV_DISPATCH_H
#define MV_DISPATCH_H

#if defined(__KERNEL__) && !defined(HV_DISPATCH_SWITCH)
#define HV_DISPATCH_SWITCH 1
#endif

#ifdef HV_DISPATCH_SWITCH
#define HV_DISPATCH_BEGIN(op) for (;;) { switch (op) {
#define HV_OP(name) case HV_OP_##name
#define HV_NEXT(op) break
#define HV_DISPATCH_END default: __builtin_unreachable(); } }
#else
#define HV_DISPATCH_BEGIN(op) goto *hv_labels[op];
#define HV_OP(name) hv_op_##name
#define HV_NEXT(op) goto *hv_labels[op]
#define HV_DISPATCH_END
#endif

#endif
