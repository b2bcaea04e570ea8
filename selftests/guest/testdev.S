/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Multiboot kernels for vmctl, loaded to 2 MiB.  The first one's status is the number of
 * the first check that fails, 0 if none does.  The test device is at edi.
 */
	.section .rodata
	.code32
	.macro multiboot
	.long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
	.long 0x200000, 0x200000, 0, 0, 0x200020
	.endm
	.macro check size, what:vararg
	inc %ebp
	cmp\size \what
	jne fail
	.endm
	.balign 4
	.globl testdev_guest
testdev_guest:
	multiboot
	mov $0xd0000000, %edi
	xor %ebp, %ebp
	/* 1: the ID; 2: reads count, once each */
	check l, $0x7476686d, (%edi)
	mov 8(%edi), %eax
	check l, $2, 8(%edi)
	/* 3: RAM, in pieces; 4: a register of the file is what was written last */
	movl $0x11223344, 0x800(%edi)
	check w, $0x2233, 0x801(%edi)
	movl $0x99, 0x1010(%edi)
	check l, $0x99, 0x1010(%edi)
	/* 5 to 7: more posted writes than the ring holds; all arrive, in order */
	mov $1000, %ecx
1:	mov %ecx, 0x2000(%edi,%ecx,4)
	dec %ecx
	jnz 1b
	check l, $999, 0x2000 + 4 * 999(%edi)
	check l, $1000, 0x30(%edi)
	check l, $0x2004, 0x10(%edi)
	/* doorbells by value: counted by another thread, so waited for */
	movl $1, 0x3008(%edi)
	movl $1, 0x3008(%edi)
	movl $2, 0x3008(%edi)
1:	cmpl $2, 0x108(%edi)
	jne 1b
1:	cmpl $1, 0x110(%edi)
	jne 1b
	/* 8, 9: a value that rings nothing is logged, those that ring are not */
	movl $3, 0x3008(%edi)
	check l, $3, 0x18(%edi)
	check l, $1003, 0x28(%edi)
	/* 10: a string to the device, and a comparison of both */
	cld
	mov %edi, %ebx
	mov $0x200000, %esi
	add $0x4000, %edi
	mov $64, %ecx
	rep movsl
	mov $0x200000, %esi
	lea 0x4000(%ebx), %edi
	mov $64, %ecx
	inc %ebp
	repe cmpsl
	jne fail
	mov %ebx, %edi
	/* 11: nobody is there; what is written there is lost */
	movl $1, 0x20000(%edi)
	check l, $-1, 0x20000(%edi)
	xor %ebp, %ebp
fail:	mov %ebp, %eax
	out %al, $0xf4
	/* what 10 copies has to be there */
	.fill 256, 1, 0x5a
	.globl testdev_guest_end
testdev_guest_end:
	/* an instruction that is not emulated on device memory */
	.balign 4
	.globl fxsave_guest
fxsave_guest:
	multiboot
	mov $0xd0000000, %edi
	fxsave (%edi)
	.globl fxsave_guest_end
fxsave_guest_end:

	.section .note.GNU-stack, "", @progbits
