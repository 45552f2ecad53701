/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * One source for two dispatchers.  In userspace every operation ends with its own indirect jump (computed goto).  A kernel
 * built with retpolines pays 20 cycles for such a jump, and a plain switch, which such kernels compile to a compare tree,
 * pays 8 (measured); so the module uses the switch.  HV_DISPATCH_SWITCH selects it in userspace too, for tests.  Kernels
 * without retpolines compile the same switch to a jump table, and keep it: HV_DISPATCH_TREE is where there is none.
 *
 *   HV_PAGE before the function
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
 *
 * HV_DISPATCH_TREE: an emulator (QEMU TCG) chains direct jumps only within a page of code.  So both trees and the bodies
 * that they lead to lie in the function's first page: HV_PAGE aligns it, and the probabilities tell GCC to place them
 * together.  With 0.3 and 0.9999 all but one branch of the trees stay there; with 0.9 twice, whole bodies of the warm list lay
 * among the cold ones.  They state the order in the text, not what was counted.  A GCC switch in place of the trees is slower:
 * it asks twice at every level.  The hot tree once more at the end of every body, instead of a jump to the top, made the text
 * 1.5 to 1.8 times as large and nothing faster.
 */
#ifndef MV_DISPATCH_H
#define MV_DISPATCH_H

#if defined(__KERNEL__) && !defined(HV_DISPATCH_SWITCH)
#define HV_DISPATCH_SWITCH 1
#endif
/* sparse has no way to say that a label may stay unused */
#if defined(HV_DISPATCH_SWITCH) && !defined(__CHECKER__) &&                                                               \
	(!defined(__KERNEL__) || defined(CONFIG_RETPOLINE) || defined(CONFIG_MITIGATION_RETPOLINE))
#define HV_DISPATCH_TREE 1
/* a section of its own: the assembler jumps over the padding before a function, and objtool calls that unreachable */
#define HV_PAGE __attribute__((aligned(4096), section(".text.hv_page")))
#else
#define HV_PAGE
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
#ifdef __CHECKER__
#define HV_DISPATCH_BEGIN(op) for (;;) { switch (op) {
#define HV_OP(name) case HV_OP_##name
#else
#ifdef HV_DISPATCH_TREE
#if __GNUC__ >= 9 || defined(__clang__)
#define HV_EXPECT(x, probability) __builtin_expect_with_probability(!!(x), 1, probability)
#else
#define HV_EXPECT(x, probability) (x)
#endif
/* one name is left: the compiler drops the others */
#define HV_IF_WARM(name) if ((int)HV_WARM_##name == hv_at) goto hv_op_##name;
#define HV_IF_HOT(name) if ((int)HV_HOT_##name == hv_at) goto hv_op_##name;
#define HV_LEAF_WARM(at) { enum { hv_at = (at) }; HV_WARM(HV_IF_WARM) __builtin_unreachable(); }
#define HV_LEAF_HOT(at) { enum { hv_at = (at) }; HV_HOT(HV_IF_HOT) __builtin_unreachable(); }
/* 2, 4... numbers from @at on */
#define HV_TREE2(op, at, LEAF) if (HV_EXPECT((op) < (at) + 1, 0.5)) LEAF(at) else LEAF((at) + 1)
#define HV_TREE4(op, at, LEAF) if (HV_EXPECT((op) < (at) + 2, 0.5)) { HV_TREE2(op, at, LEAF) } else { HV_TREE2(op, (at) + 2, LEAF) }
#define HV_TREE8(op, at, LEAF) if (HV_EXPECT((op) < (at) + 4, 0.5)) { HV_TREE4(op, at, LEAF) } else { HV_TREE4(op, (at) + 4, LEAF) }
#define HV_TREE16(op, at, LEAF) if (HV_EXPECT((op) < (at) + 8, 0.5)) { HV_TREE8(op, at, LEAF) } else { HV_TREE8(op, (at) + 8, LEAF) }
#define HV_TREE32(op, at, LEAF) if (HV_EXPECT((op) < (at) + 16, 0.5)) { HV_TREE16(op, at, LEAF) } else { HV_TREE16(op, (at) + 16, LEAF) }
#define HV_DISPATCH_BEGIN(op)                                                                                            \
	for (;;) {                                                                                                        \
		if (HV_EXPECT((op) >= HV_WARM_END, 0.3)) {                                                                \
			HV_TREE8(op, (int)HV_WARM_END, HV_LEAF_HOT)                                                       \
		}                                                                                                         \
		if (HV_EXPECT((op) >= HV_OP_COUNT, 0.9999)) {                                                             \
			HV_TREE32(op, (int)HV_OP_COUNT, HV_LEAF_WARM)                                                     \
		}                                                                                                         \
		switch (op) {
#else	/* a switch has a jump table */
#define HV_CASE_WARM(name) case HV_WARM_##name: goto hv_op_##name;
#define HV_CASE_HOT(name) case HV_HOT_##name: goto hv_op_##name;
#define HV_DISPATCH_BEGIN(op)                                                                                            \
	for (;;) {                                                                                                        \
		if ((op) >= HV_WARM_END)                                                                                  \
			switch (op) { HV_HOT(HV_CASE_HOT) default: __builtin_unreachable(); }                             \
		if ((op) >= HV_OP_COUNT)                                                                                  \
			switch (op) { HV_WARM(HV_CASE_WARM) default: __builtin_unreachable(); }                           \
		switch (op) {
#endif
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
