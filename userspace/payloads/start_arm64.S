/* SPDX-License-Identifier: MIT */
/* Entry of AArch64 guests: stack, guest(0), debug exit.  Other vCPUs are started by PSCI CPU_ON (Arm DEN 0022, 5.1.4). */
	.text
	.globl _start, start_second, start_vcpu
_start:
	mov x0, #0
	/* the vCPU's number in x0: CPU_ON's context for the others */
go:
	adrp x9, stacks
	add x9, x9, :lo12:stacks
	add x10, x0, #1
	add x9, x9, x10, lsl #13
	mov sp, x9
	bl guest
	mov x1, #0x09010000
	str w0, [x1]
1:	wfi
	b 1b

start_second:
	mov w0, #1
start_vcpu:
	mov w1, w0
	mov w3, w0
	movz x0, #0xc400, lsl #16
	movk x0, #3
	adr x2, go
	hvc #0
	ret

	/* 8 KiB each, for four */
	.bss
	.align 4
stacks:
	.skip 4 << 13
