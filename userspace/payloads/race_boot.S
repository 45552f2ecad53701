/* SPDX-License-Identifier: MIT */
/*
 * A PC's boot sector: loads the payload that follows it on the floppy to 0x10000 and goes there in long mode, with the first
 * GiB mapped one to one by pages of 2 MiB (Intel SDM volume 3, 9.8.5).  RACE_SECTORS: length of the payload in sectors.
 */
	.text
	.globl _start
	.code16
_start:
	cli
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %ss
	mov $0x7c00, %sp
	sti
	mov %dl, drive
	mov $1, %di		/* sector on the disk, from 0 */
	mov $0x1000, %bp	/* where it goes, in paragraphs */
next:
	mov %di, %ax
	xor %dx, %dx
	mov $36, %cx		/* sectors of a cylinder: 2 heads of 18 */
	div %cx
	mov %al, %ch		/* cylinder */
	mov %dx, %ax
	mov $18, %bl
	div %bl
	mov %ah, %cl
	inc %cl			/* sectors count from 1 */
	mov %al, %dh		/* head */
	mov drive, %dl
	mov %bp, %es
	xor %bx, %bx
	mov $0x0201, %ax
	int $0x13
	jc next
	add $0x20, %bp
	inc %di
	cmp $(RACE_SECTORS + 1), %di
	jne next

	cli
	in $0x92, %al
	or $2, %al
	out %al, $0x92
	/* tables at 0x70000: level 4, level 3, 512 pages of 2 MiB */
	mov $0x7000, %ax
	mov %ax, %es
	xor %di, %di
	xor %eax, %eax
	mov $(0x3000 / 4), %cx
	rep stosl
	movl $0x71003, %es:0
	movl $0x72003, %es:0x1000
	mov $0x83, %eax
	mov $0x2000, %di
1:	mov %eax, %es:(%di)
	add $0x200000, %eax
	add $8, %di
	cmp $0x3000, %di
	jne 1b

	mov $0x20, %eax
	mov %eax, %cr4
	mov $0x70000, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	lgdt gdt_pointer
	mov %cr0, %eax
	or $0x80000001, %eax
	mov %eax, %cr0
	ljmp $8, $long_mode
	.code64
long_mode:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x10000, %eax
	jmp *%rax

drive:	.byte 0
	.align 8
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word 23
	.long gdt
	.org 510
	.word 0xaa55
