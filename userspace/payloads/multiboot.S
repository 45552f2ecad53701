/* SPDX-License-Identifier: MIT */
/* A multiboot kernel's header and entry: EAX and EBX as found go to check(). */
	.section .text, "ax"
	.globl _start
	.balign 4
header:
	.long 0x1badb002, 3, -(0x1badb002 + 3)
_start:
	mov $stack_top, %esp
	push %ebx
	push %eax
	call check
	out %eax, $0xf4
1:	hlt
	jmp 1b

	.bss
	.balign 16
	.skip 4096
stack_top:
	.section .note.GNU-stack, "", @progbits
