/* SPDX-License-Identifier: MIT */
/* Entry of AArch64 guests: stack, guest(0), debug exit.  The second vCPU is started by PSCI CPU_ON (Arm DEN 0022, 5.1.4). */
	.text
	.globl _start, start_second
_start:
	adrp x9, stack0_top
	add x9, x9, :lo12:stack0_top
	mov sp, x9
	mov w0, #0
go:
	bl guest
	mov x1, #0x09010000
	str w0, [x1]
1:	wfi
	b 1b

start_second:
	movz x0, #0xc400, lsl #16
	movk x0, #3
	mov x1, #1
	adr x2, second
	mov x3, #0
	hvc #0
	ret
second:
	adrp x9, stack1_top
	add x9, x9, :lo12:stack1_top
	mov sp, x9
	mov w0, #1
	b go

	.bss
	.align 4
	.skip 8192
stack0_top:
	.skip 8192
stack1_top:
