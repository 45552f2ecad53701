/* SPDX-License-Identifier: MIT */
/*
 * Entry of 32- and 64-bit x86 guests: stack, guest(0), debug exit.  Other vCPUs wake in real mode by INIT-SIPI and
 * are taken to the same mode as the first with the VMM's GDT and page tables (x86_start.h).
 */
	.text
	.globl _start, start_second, start_vcpu
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
#ifdef __x86_64__
start_second:
	mov $1, %edi
start_vcpu:
	mov %edi, %edx
#else
start_second:
	push $1
	call start_vcpu
	add $4, %esp
	ret
start_vcpu:
	mov 4(%esp), %edx
	push %esi
	push %edi
#endif
	mov $trampoline, %esi
	mov $0x8000, %edi
	mov $(trampoline_end - trampoline), %ecx
	rep movsb
	shl $24, %edx
	mov $0xfee00000, %edi
	mov %edx, 0x310(%edi)
	movl $0x00004500, 0x300(%edi)
	movl $0x00004608, 0x300(%edi)
#ifndef __x86_64__
	pop %edi
	pop %esi
#endif
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
	ljmp $0x18, $other
#else
	ljmp $0x08, $other
#endif
trampoline_end:

#ifdef __x86_64__
	.code64
#endif
/* A vCPU's number is its local APIC's. */
other:
	mov $0xfee00020, %edi
	mov (%edi), %edi
	shr $24, %edi
	mov %edi, %eax
	shl $13, %eax
	add $stack0_top, %eax
	mov AX, SP
	jmp go

	/* 8 KiB each, for four */
	.bss
	.align 16
	.skip 8192
stack0_top:
	.skip 3 << 13
