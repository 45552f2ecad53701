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
 * The compare tree is as deep for an operation in a thousand as for the one in ten.  So the frequent ones have second
 * numbers above all others, and trees of their own that are asked first: HV_HOT(X), at most 8 names, then HV_WARM(X), at most
 * 32.  HV_NUMBERS(LIST) makes the enum of all numbers, HV_SECONDS() the array of an operation's second number; a
 * decoder puts that into a finished block.  Before the executor say which lists are its own:
 *
 *   #define HV_OPS, HV_WARM, HV_HOT     X-macros over names
 */
#ifndef MV_DISPATCH_H
#define MV_DISPATCH_H

#if defined(__KERNEL__) && !defined(HV_DISPATCH_SWITCH)
#define HV_DISPATCH_SWITCH 1
#endif

#define HV_NUMBER_OP(name) HV_OP_##name,
#define HV_NUMBER_WARM(name) HV_WARM_##name,
#define HV_NUMBER_HOT(name) HV_HOT_##name,
/* the enumerators; HV_OP_COUNT and HV_WARM_END are where the next kind begins */
#define HV_NUMBERS(ops, warm, hot)                                                                                       \
	ops(HV_NUMBER_OP) HV_OP_COUNT, HV_OP_LAST = HV_OP_COUNT - 1,                                                      \
	warm(HV_NUMBER_WARM) HV_WARM_END, HV_WARM_LAST = HV_WARM_END - 1,                                                 \
	hot(HV_NUMBER_HOT)

/* an array from numbers to second numbers, 0 where there is none */
#define HV_SECOND_WARM(name) [HV_OP_##name] = HV_WARM_##name,
#define HV_SECOND_HOT(name) [HV_OP_##name] = HV_HOT_##name,
#define HV_SECONDS(warm, hot) { [HV_OP_LAST] = 0, warm(HV_SECOND_WARM) hot(HV_SECOND_HOT) }

#ifdef HV_DISPATCH_SWITCH
#ifdef __CHECKER__	/* sparse has no way to say that a label may stay unused */
#define HV_DISPATCH_BEGIN(op) for (;;) { switch (op) {
#define HV_OP(name) case HV_OP_##name
#else
#define HV_CASE_WARM(name) case HV_WARM_##name: goto hv_op_##name;
#define HV_CASE_HOT(name) case HV_HOT_##name: goto hv_op_##name;
#define HV_DISPATCH_BEGIN(op)                                                                                            \
	for (;;) {                                                                                                        \
		if ((op) >= HV_WARM_END)                                                                                  \
			switch (op) { HV_HOT(HV_CASE_HOT) default: __builtin_unreachable(); }                             \
		if ((op) >= HV_OP_COUNT)                                                                                  \
			switch (op) { HV_WARM(HV_CASE_WARM) default: __builtin_unreachable(); }                           \
		switch (op) {
#define HV_OP(name) case HV_OP_##name: hv_op_##name
#endif
#define HV_NEXT(op) break
#define HV_DISPATCH_END default: __builtin_unreachable(); } }
#else
#define HV_LABEL(name) &&hv_op_##name,
#define HV_LABELS { HV_OPS(HV_LABEL) HV_WARM(HV_LABEL) HV_HOT(HV_LABEL) }
#define HV_DISPATCH_BEGIN(op) goto *hv_labels[op];
#define HV_OP(name) hv_op_##name
#define HV_NEXT(op) goto *hv_labels[op]
#define HV_DISPATCH_END
#endif

#endif
