/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code that loads a register file, executes what is in its slot and stores the
 * register file again (native.h).  It is copied to NATIVE_BASE and addresses the
 * register file absolutely, so that it needs no register of its own.
 *
 * A fault in the slot is made to go on at the exit label by the signal handler.
 */
#include "native.h"

#define S	NATIVE_STATE
#define S16	(NATIVE_STATE - NATIVE_BASE)
#define AT(label)	(NATIVE_BASE + (label) - native_begin)

	.macro	enter
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	pushfq
	mov	%rsp, S + NS_HOST_RSP
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	S + NS_VEC + 32 * \n, %ymm\n
	.endr
	.endm

	.macro	leave_to_c
	mov	S + NS_HOST_RSP, %rsp
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	%ymm\n, S + NS_VEC + 32 * \n
	.endr
	vzeroupper
	popfq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.endm

	.section .rodata
	.globl	native_begin, native_end
	.globl	native_enter64, native_slot64, native_exit64, native_land64
	.globl	native_enter_far
	.globl	native_code32, native_slot32, native_exit32, native_land32
	.globl	native_code16, native_slot16, native_exit16, native_land16
native_begin:
	.code64
native_enter64:
	enter
	pushq	S + NS_RFLAGS
	popfq
	mov	S + NS_REGS + 8 * 0, %rax
	mov	S + NS_REGS + 8 * 1, %rcx
	mov	S + NS_REGS + 8 * 2, %rdx
	mov	S + NS_REGS + 8 * 3, %rbx
	mov	S + NS_REGS + 8 * 4, %rsp
	mov	S + NS_REGS + 8 * 5, %rbp
	mov	S + NS_REGS + 8 * 6, %rsi
	mov	S + NS_REGS + 8 * 7, %rdi
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	S + NS_REGS + 8 * \n, %r\n
	.endr
native_slot64:
	.fill	16, 1, 0x90
native_exit64:
	mov	%rax, S + NS_REGS + 8 * 0
	mov	%rcx, S + NS_REGS + 8 * 1
	mov	%rdx, S + NS_REGS + 8 * 2
	mov	%rbx, S + NS_REGS + 8 * 3
	mov	%rsp, S + NS_REGS + 8 * 4
	mov	%rbp, S + NS_REGS + 8 * 5
	mov	%rsi, S + NS_REGS + 8 * 6
	mov	%rdi, S + NS_REGS + 8 * 7
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	%r\n, S + NS_REGS + 8 * \n
	.endr
	mov	S + NS_HOST_RSP, %rsp
	pushfq
	popq	S + NS_RFLAGS
	leave_to_c
native_land64:
	movb	$1, S + NS_LANDED
	jmp	native_exit64

	/* through a far pointer to the 32-bit or the 16-bit code */
native_enter_far:
	enter
	ljmp	*S + NS_FAR
native_back:
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	leave_to_c

	.code32
native_code32:
	mov	$NATIVE_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$NATIVE_STACK, %esp
	pushl	S + NS_RFLAGS
	popfl
	mov	S + NS_REGS + 8 * 0, %eax
	mov	S + NS_REGS + 8 * 1, %ecx
	mov	S + NS_REGS + 8 * 2, %edx
	mov	S + NS_REGS + 8 * 3, %ebx
	mov	S + NS_REGS + 8 * 4, %esp
	mov	S + NS_REGS + 8 * 5, %ebp
	mov	S + NS_REGS + 8 * 6, %esi
	mov	S + NS_REGS + 8 * 7, %edi
native_slot32:
	.fill	16, 1, 0x90
native_exit32:
	mov	%eax, S + NS_REGS + 8 * 0
	mov	%ecx, S + NS_REGS + 8 * 1
	mov	%edx, S + NS_REGS + 8 * 2
	mov	%ebx, S + NS_REGS + 8 * 3
	mov	%esp, S + NS_REGS + 8 * 4
	mov	%ebp, S + NS_REGS + 8 * 5
	mov	%esi, S + NS_REGS + 8 * 6
	mov	%edi, S + NS_REGS + 8 * 7
	mov	$NATIVE_STACK, %esp
	pushfl
	popl	S + NS_RFLAGS
	pushl	$2
	popfl
	ljmp	$NATIVE_CS64, $AT(native_back)
native_land32:
	movb	$1, S + NS_LANDED
	jmp	native_exit32

	.code16
native_code16:
	mov	$NATIVE_DS16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	movl	$(NATIVE_STACK - NATIVE_BASE), %esp
	pushl	S16 + NS_RFLAGS
	popfl
	movl	S16 + NS_REGS + 8 * 0, %eax
	movl	S16 + NS_REGS + 8 * 1, %ecx
	movl	S16 + NS_REGS + 8 * 2, %edx
	movl	S16 + NS_REGS + 8 * 3, %ebx
	movl	S16 + NS_REGS + 8 * 4, %esp
	movl	S16 + NS_REGS + 8 * 5, %ebp
	movl	S16 + NS_REGS + 8 * 6, %esi
	movl	S16 + NS_REGS + 8 * 7, %edi
native_slot16:
	.fill	16, 1, 0x90
native_exit16:
	movl	%eax, S16 + NS_REGS + 8 * 0
	movl	%ecx, S16 + NS_REGS + 8 * 1
	movl	%edx, S16 + NS_REGS + 8 * 2
	movl	%ebx, S16 + NS_REGS + 8 * 3
	movl	%esp, S16 + NS_REGS + 8 * 4
	movl	%ebp, S16 + NS_REGS + 8 * 5
	movl	%esi, S16 + NS_REGS + 8 * 6
	movl	%edi, S16 + NS_REGS + 8 * 7
	movl	$(NATIVE_STACK - NATIVE_BASE), %esp
	pushfl
	popl	S16 + NS_RFLAGS
	pushl	$2
	popfl
	mov	$NATIVE_DS, %ax
	mov	%ax, %ss
	ljmpl	$NATIVE_CS64, $AT(native_back)
native_land16:
	movb	$1, S16 + NS_LANDED
	jmp	native_exit16
native_end:

	/* Signal handlers start with the AC flag of what was interrupted: clear it */
	.code64
	.text
	.globl	native_signal_entry
native_signal_entry:
	pushfq
	andl	$~0x40000, (%rsp)
	popfq
	jmp	native_signal
	.section .note.GNU-stack, "", @progbits
