/* SPDX-License-Identifier: MIT */
/* Boot sector of a disk: BIOS reads the disk's sector 3 by LBA, what stands there is printed by BIOS, and the machine is powered off. */
	.code16
	.globl _start
_start:
	ljmp $0, $go + 0x7c00
go:
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7c00, %sp
	mov $0x42, %ah
	mov $packet + 0x7c00, %si
	int $0x13
	jc failed
	mov $0x8000, %si
next:
	lodsb
	test %al, %al
	jz off
	mov $0x0e, %ah
	mov $7, %bx
	int $0x10
	jmp next
off:	/* PM1 control of ICH9, where SeaBIOS puts it: S5 */
	mov $0x604, %dx
	mov $0x3400, %ax
	out %ax, %dx
failed:
	mov $77, %al
	out %al, $0xf4
	hlt
	.balign 4
packet:
	.byte 16, 0
	.word 1, 0x8000, 0
	.quad 3
	.org 510
	.word 0xaa55
