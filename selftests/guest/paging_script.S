/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs scripts (paging_script.h says what they are). */
#include "guest_layout.h"
#include "paging_script.h"

#define EFER		0xc0000080

	.section guest, "ax", @progbits

	.macro	op number, label
	cmp	$\number, %eax
	je	\label
	.endm

	.balign	16
	.code32
	.globl	script_start, script_gp32, script_pf32, script_other32
script_start:
	movl	$SCRIPT, SCRIPT_NEXT
step:
	mov	$GUEST_STACK, %esp
	mov	SCRIPT_NEXT, %esi
	mov	STEP_ADDR(%esi), %edi
	mov	STEP_VALUE(%esi), %edx
	mov	STEP_OP(%esi), %eax
	op	OP_CR0, set_cr0
	op	OP_CR3, set_cr3
	op	OP_CR4, set_cr4
	op	OP_EFER, set_efer
	op	OP_LIDT, load_idt
	op	OP_LOAD, load
	op	OP_LOAD64, load64
	op	OP_STORE, store
	op	OP_CALL, call
	op	OP_INVLPG, invalidate
	op	OP_CPUID, leave
script_other32:
	out	%al, $PORT_DONE
	jmp	script_other32

set_cr0:
	mov	%edx, %cr0
	jmp	done
set_cr3:
	mov	%edx, %cr3
	jmp	done
set_cr4:
	mov	%edx, %cr4
	jmp	done
set_efer:
	mov	$EFER, %ecx
	mov	%edx, %eax
	xor	%edx, %edx
	wrmsr
	jmp	done
load_idt:
	push	%edi
	pushw	$0xfff
	lidt	(%esp)
	jmp	done
load:
	mov	(%edi), %eax
	mov	%eax, STEP_GOT(%esi)
	jmp	done
store:
	mov	%edx, (%edi)
	jmp	done
call:
	call	*%edi
	jmp	done
invalidate:
	invlpg	(%edi)
	jmp	done
leave:
	xor	%eax, %eax
	cpuid
	jmp	done

	/* By a far pointer on the stack: the code was copied to where it is. */
load64:
	push	$SEL_CODE64
	call	1f
1:	addl	$2f - 1b, (%esp)
	lret
	.code64
2:	mov	(%rdi), %eax
	mov	%eax, STEP_GOT(%rsi)
	lea	done(%rip), %rax
	jmp	to32
	.code32

done:
	addl	$STEP_SIZE, SCRIPT_NEXT
	jmp	step

	/* A step that faults is through. */
	.macro	fault vector
	pop	%ecx
	mov	SCRIPT_NEXT, %esi
	movl	$\vector, STEP_VECTOR(%esi)
	mov	%ecx, STEP_ERROR(%esi)
	mov	%cr2, %eax
	mov	%eax, STEP_CR2(%esi)
	jmp	done
	.endm

script_gp32:
	fault	13
script_pf32:
	fault	14

	.code64
	.globl	script_gp64, script_pf64, script_other64
	.macro	fault64 vector
	pop	%rcx
	mov	SCRIPT_NEXT, %esi
	movl	$\vector, STEP_VECTOR(%rsi)
	mov	%ecx, STEP_ERROR(%rsi)
	mov	%cr2, %rax
	mov	%eax, STEP_CR2(%rsi)
	lea	done(%rip), %rax
	jmp	to32
	.endm

script_gp64:
	fault64	13
script_pf64:
	fault64	14
script_other64:
	out	%al, $PORT_DONE
	jmp	script_other64

	/* On at rax in compatibility mode */
to32:
	mov	$GUEST_STACK, %esp
	push	$SEL_CODE32
	push	%rax
	lretq

	.section .note.GNU-stack, "", @progbits
