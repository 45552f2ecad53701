/* SPDX-License-Identifier: MIT */
/* Sixteen bits: hello over the UART, then the debug exit. */
	.code16
	.globl _start
_start:
	mov %cs, %ax
	mov %ax, %ds
	mov $text, %si
	mov $0x3f8, %dx
next:
	lodsb
	test %al, %al
	jz end
	out %al, %dx
	jmp next
end:
	xor %ax, %ax
	out %ax, $0xf4
	hlt
text:
	.asciz "Hello from 16 bits\n"
