/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest that runs batches of accesses (paging_batch.h says how). */
#include "guest_layout.h"
#include "paging_batch.h"

#define EFER		0xc0000080
#define FLAGS		0x202			/* interrupts on */
#define AT(field)	(GUEST_DATA + (field))

	.section guest, "ax", @progbits

	/* r: r or e, the register names' first letter */
	.macro	engine bits, r
	.code\bits
	.globl	paging_engine\bits, paging_done\bits, paging_fault\bits, paging_other\bits

	.balign	16
paging_engine\bits:
	mov	$EFER, %ecx
	mov	AT(BATCH_EFER), %eax
	xor	%edx, %edx
	wrmsr
	mov	AT(BATCH_CR4), %\r\()ax
	mov	%\r\()ax, %cr4
	mov	AT(BATCH_CR0), %\r\()ax
	mov	%\r\()ax, %cr0
	mov	%\r\()sp, AT(BATCH_STACK)

	/* The entries, where they are not so already */
paging_next\bits:
	mov	AT(BATCH_NEXT), %\r\()bp
	xor	%ecx, %ecx
1:	mov	AT(BATCH_SLOT)(, %\r\()cx, 8), %\r\()di
	mov	CASE_ENTRY(%\r\()bp, %\r\()cx, 8), %\r\()ax
	cmp	%\r\()ax, (%\r\()di)
	je	2f
	mov	%\r\()ax, (%\r\()di)
2:
	.if	\bits == 32
	cmpl	$0, AT(BATCH_WIDE)
	je	3f
	mov	CASE_ENTRY + 4(%ebp, %ecx, 8), %eax
	cmp	%eax, 4(%edi)
	je	3f
	mov	%eax, 4(%edi)
3:
	.endif
	inc	%ecx
	cmp	AT(BATCH_LEVELS), %ecx
	jb	1b

	/* The access */
	mov	AT(BATCH_GVA), %\r\()di
	invlpg	(%\r\()di)
	mov	CASE_MEM(%\r\()bp), %\r\()bx
	mov	(%\r\()bx), %eax
	mov	%eax, AT(BATCH_WORD)
	mov	$PAGING_VALUE, %eax
	mov	$PAGING_LSL, %edx
	push	CASE_SS(%\r\()bp)
	push	AT(BATCH_STACK)
	push	CASE_FLAGS(%\r\()bp)
	push	CASE_CS(%\r\()bp)
	push	CASE_CODE(%\r\()bp)
	.if	\bits == 32
	iret
	.else
	iretq
	.endif

	/* What came of it: vector ebx, error code ecx, CR2 rsi, value eax */
paging_done\bits:
	mov	$PAGING_VECTOR, %ebx
	xor	%ecx, %ecx
	xor	%esi, %esi
	jmp	4f
paging_fault\bits:
	mov	$14, %ebx
	pop	%\r\()cx
	mov	%cr2, %\r\()si
	jmp	4f
paging_other\bits:
	mov	$PAGING_OTHER, %ebx
	xor	%ecx, %ecx
	xor	%esi, %esi
4:	mov	AT(BATCH_STACK), %\r\()sp
	push	$FLAGS
	popf
	mov	AT(BATCH_NEXT), %\r\()bp
	mov	%ebx, CASE_VECTOR(%\r\()bp)
	mov	%ecx, CASE_ERROR(%\r\()bp)
	mov	%\r\()si, CASE_CR2(%\r\()bp)
	mov	%eax, CASE_VALUE(%\r\()bp)
	xor	%ecx, %ecx
5:	mov	AT(BATCH_SLOT)(, %\r\()cx, 8), %\r\()di
	mov	(%\r\()di), %\r\()ax
	mov	%\r\()ax, CASE_AFTER(%\r\()bp, %\r\()cx, 8)
	.if	\bits == 32
	cmpl	$0, AT(BATCH_WIDE)
	je	6f
	mov	4(%edi), %eax
	mov	%eax, CASE_AFTER + 4(%ebp, %ecx, 8)
6:
	.endif
	inc	%ecx
	cmp	AT(BATCH_LEVELS), %ecx
	jb	5b
	mov	CASE_MEM(%\r\()bp), %\r\()bx
	mov	AT(BATCH_WORD), %eax
	xchg	%eax, (%\r\()bx)
	mov	%eax, CASE_FOUND(%\r\()bp)
	addl	$CASE_SIZE, AT(BATCH_NEXT)
	decl	AT(BATCH_LEFT)
	jnz	paging_next\bits
7:	out	%al, $PORT_DONE
	jmp	7b
	.endm

	engine	64, r
	engine	32, e

	/* The accesses: the same bytes in both modes */
	.code64
	.globl	paging_read, paging_write, paging_xchg, paging_fetch, paging_lsl
paging_read:
	mov	(%rdi), %eax
	int	$PAGING_VECTOR
paging_write:
	mov	%eax, (%rdi)
	int	$PAGING_VECTOR
paging_xchg:
	xchg	%eax, (%rdi)
	int	$PAGING_VECTOR
paging_fetch:
	jmp	*%rdi
paging_lsl:
	xor	%eax, %eax
	lsl	%dx, %eax
	int	$PAGING_VECTOR

	.section .note.GNU-stack, "", @progbits
