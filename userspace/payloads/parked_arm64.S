/* SPDX-License-Identifier: MIT */
/*
 * The parked guest: it asks its VMM what to do, does that one thing, says what came of it, and asks again.  One guest serves
 * tests of whatever a guest can do.
 *
 * Device registers, 8 bytes each:
 *   0x6000  read: the command; 0x6008 0x6010 0x6018 0x6020: its arguments, each read when the command needs it
 *   0x7000  written: the result, which ends the command
 *   0x7008 0x7010 0x7018  written before the result if the command took an exception: ESR, FAR, and 0 for a synchronous one
 *           or 1 for an interrupt, whose number is the result then
 *
 * Commands: low byte what, next byte log2 of the bytes of an access.
 *   0 nothing                    4 call the code at arg 0, which returns with ret; result: x0
 *   1 load from arg 0            5 HVC with x0 to x3 = args; result: x0
 *   2 store arg 1 to arg 0       6 wait for an interrupt
 *   3 execute the word at arg 0  7 report register arg 0 as it was at the start: x0 to x30, 31 SP, 32 CurrentEL, 33 MPIDR
 *   8 take a breakpoint exception  9 spin for ever
 *   10 mask interrupts, or unmask them: DAIF.I = arg 0
 *
 * An interrupt ends the command that it comes in; while the guest is parked it is a result without a command.
 */
	.section .text.start, "ax"
	.globl _start
_start:
	/* x0 to x30 and SP as they were; x30 is the one register that may be used before it is saved, into TPIDR_EL1 */
	msr	tpidr_el1, x30
	adr	x30, boot_registers
	stp	x0, x1, [x30]
	stp	x2, x3, [x30, #16]
	stp	x4, x5, [x30, #32]
	stp	x6, x7, [x30, #48]
	stp	x8, x9, [x30, #64]
	stp	x10, x11, [x30, #80]
	stp	x12, x13, [x30, #96]
	stp	x14, x15, [x30, #112]
	stp	x16, x17, [x30, #128]
	stp	x18, x19, [x30, #144]
	stp	x20, x21, [x30, #160]
	stp	x22, x23, [x30, #176]
	stp	x24, x25, [x30, #192]
	stp	x26, x27, [x30, #208]
	stp	x28, x29, [x30, #224]
	mrs	x0, tpidr_el1
	mov	x1, sp
	stp	x0, x1, [x30, #240]
	mrs	x0, CurrentEL
	mrs	x1, mpidr_el1
	stp	x0, x1, [x30, #256]
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	mov	x19, #0x6000
	mov	x20, #0x7000

park:
	ldr	x21, [x19]
	and	x22, x21, #0xff
	ubfx	x23, x21, #8, #2
	cmp	x22, #10
	b.hi	unknown
	adr	x24, table
	add	x24, x24, x22, lsl #2
	br	x24
table:
	b	answer_zero
	b	do_load
	b	do_store
	b	do_word
	b	do_call
	b	do_hvc
	b	do_wait
	b	do_report
	b	do_raise
	b	do_spin
	b	do_mask
unknown:
	mov	x0, #-1
answer:
	str	x0, [x20]
	b	park
answer_zero:
	mov	x0, #0
	b	answer

do_load:
	ldr	x1, [x19, #8]
	adr	x24, 1f
	add	x24, x24, x23, lsl #3
	br	x24
1:	ldrb	w0, [x1]
	b	answer
	ldrh	w0, [x1]
	b	answer
	ldr	w0, [x1]
	b	answer
	ldr	x0, [x1]
	b	answer

do_store:
	ldr	x1, [x19, #8]
	ldr	x2, [x19, #16]
	adr	x24, 1f
	add	x24, x24, x23, lsl #3
	br	x24
1:	strb	w2, [x1]
	b	answer_zero
	strh	w2, [x1]
	b	answer_zero
	str	w2, [x1]
	b	answer_zero
	str	x2, [x1]
	b	answer_zero

	/* one instruction of the VMM's choice, with x1 = arg 1 and x2 = arg 2; result: x0 */
do_word:
	ldr	x3, [x19, #8]
	ldr	x1, [x19, #16]
	ldr	x2, [x19, #24]
	adr	x24, 1f
	str	w3, [x24]
	ic	ivau, x24
	dsb	ish
	isb
1:	nop
	b	answer

do_call:
	ldr	x1, [x19, #8]
	blr	x1
	b	answer

do_hvc:
	ldr	x0, [x19, #8]
	ldr	x1, [x19, #16]
	ldr	x2, [x19, #24]
	ldr	x3, [x19, #32]
	hvc	#0
	b	answer

do_wait:
	wfi
	b	answer_zero

do_report:
	ldr	x1, [x19, #8]
	cmp	x1, #33
	b.hi	unknown
	adr	x24, boot_registers
	ldr	x0, [x24, x1, lsl #3]
	b	answer

do_raise:
	brk	#0
	b	answer_zero

do_spin:
	b	do_spin

do_mask:
	ldr	x1, [x19, #8]
	cbz	x1, 1f
	msr	daifset, #2
	b	answer_zero
1:	msr	daifclr, #2
	isb
	b	answer_zero

	.balign	16
boot_registers:
	.skip	34 * 8

	/* an exception ends the command; the stack is not used */
synchronous:
	mrs	x0, esr_el1
	mrs	x1, far_el1
	str	x0, [x20, #8]
	str	x1, [x20, #16]
	str	xzr, [x20, #24]
	mov	x0, #0
	b	again
interrupt:
	mrs	x0, S3_0_C12_C12_0
	mov	x1, #1
	str	x1, [x20, #24]
	msr	S3_0_C12_C12_1, x0
again:
	adr	x1, answer
	msr	elr_el1, x1
	eret

	.balign	2048
vectors:
	.skip	0x200
	b	synchronous
	.balign	128
	b	interrupt
	.skip	0x800 - 0x284
