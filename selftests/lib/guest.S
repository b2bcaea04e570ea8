/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The default handler of every vector of a 64-bit test guest: log what was pushed,
 * skip as many bytes as the test asked for at this vector, return.
 */
#include "guest_layout.h"

	.section guest, "ax", @progbits

	/* 256 stubs of 16 bytes: vector and error code on the stack, in one form */
	.balign	16
	.globl	guest_vectors
guest_vectors:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	(vector != 8) && (vector < 10 || vector > 14) && (vector != 17)
	push	$0
	.endif
	push	$vector
	jmp	guest_trap
	.set	vector, vector + 1
	.endr

	/* rdx rcx rax | vector error | rip cs rflags rsp ss */
guest_trap:
	push	%rax
	push	%rcx
	push	%rdx
	/* An NMI may come in the middle: take the entry in one step. */
	mov	$1, %eax
	lock xadd %rax, GUEST_LOG + LOG_COUNT
	and	$(LOG_ENTRIES - 1), %eax
	shl	$LOG_ENTRY_SHIFT, %eax
	lea	GUEST_LOG + LOG_ENTRY(%rax), %rdx
	mov	24(%rsp), %rcx
	movzbl	GUEST_LOG + LOG_SKIP(%rcx), %eax
	.set	field, 0
	.rept	7
	mov	24 + field(%rsp), %rcx
	mov	%rcx, field(%rdx)
	.set	field, field + 8
	.endr
	mov	%cr2, %rcx
	mov	%rcx, field(%rdx)
	add	%rax, 40(%rsp)
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
