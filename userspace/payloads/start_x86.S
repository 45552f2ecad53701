/* SPDX-License-Identifier: MIT */
/*
 * Entry of 32- and 64-bit x86 guests: stack, guest(0), debug exit.  The second vCPU wakes in real mode by INIT-SIPI and
 * is taken to the same mode as the first with the VMM's GDT and page tables (x86_start.h).
 */
	.text
	.globl _start, start_second
#ifdef __x86_64__
#define AX %rax
#define SP %rsp
	.code64
#else
#define AX %eax
#define SP %esp
	.code32
#endif
_start:
	mov $stack0_top, SP
	xor %edi, %edi
go:
#ifndef __x86_64__
	push %edi
#endif
	call guest
	out %eax, $0xf4
1:	hlt
	jmp 1b

/* Intel SDM volume 3, section 9.4.4: trampoline below 1 MiB, INIT, start-up IPI with its page number. */
start_second:
	push AX
#ifdef __x86_64__
	push %rsi
	push %rdi
	push %rcx
#else
	push %esi
	push %edi
	push %ecx
#endif
	mov $trampoline, %esi
	mov $0x8000, %edi
	mov $(trampoline_end - trampoline), %ecx
	rep movsb
	mov $0xfee00000, %edi
	movl $0x01000000, 0x310(%edi)
	movl $0x00004500, 0x300(%edi)
	movl $0x00004608, 0x300(%edi)
#ifdef __x86_64__
	pop %rcx
	pop %rdi
	pop %rsi
#else
	pop %ecx
	pop %edi
	pop %esi
#endif
	pop AX
	ret

	.code16
trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl (gdt_pointer - trampoline)
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $0x08, $(0x8000 + protected - trampoline)
	.align 4
gdt_pointer:
	.word 31
	.long 0x76000
	.code32
protected:
	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
#ifdef __x86_64__
	mov $0x20, %eax
	mov %eax, %cr4
	mov $0x70000, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	ljmp $0x18, $second
#else
	ljmp $0x08, $second
#endif
trampoline_end:

#ifdef __x86_64__
	.code64
#endif
second:
	mov $stack1_top, SP
	mov $1, %edi
	jmp go

	.bss
	.align 16
	.skip 8192
stack0_top:
	.skip 8192
stack1_top:
