/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The forms of instructions that are executed on RAM and on device memory: each one a
 * piece of guest code that ends with a report, and an entry in the section "forms".
 *
 * A form's text is both its code and its name.  include/mmio_forms.h says which
 * registers it finds.
 */
#include "guest_layout.h"
#include "mmio_forms.h"

	.macro	form undefined:req, kind:req, text:vararg
	.pushsection guest, "ax", @progbits
7:	\text
	out	%al, $PORT_DONE
	.popsection
	.pushsection .rodata.forms, "a", @progbits
6:	.asciz	"\text"
	.popsection
	.pushsection forms, "a", @progbits
	.quad	7b, 6b
	.long	\undefined, \kind, BITS, 0
	.popsection
	.endm

/* ---- one size of operand ---------------------------------------------------- */

	.macro	alu undefined, op, s, r, m
	form	\undefined, 0, \op %\r, \m
	form	\undefined, 0, \op \m, %\r
	form	\undefined, 0, \op\s $0x35, \m
	form	\undefined, 0, \op\s $-3, \m
	form	\undefined, 0, lock \op %\r, \m
	form	\undefined, 0, lock \op\s $0x35, \m
	.endm

	.macro	shift op, s, m, undefined1, undefined
	form	\undefined1, 0, \op\s $1, \m
	form	\undefined, 0, \op\s $5, \m
	form	\undefined, 0, \op\s %cl, \m
	.endm

	.macro	string kind, op, s
	form	0, FORM_STRING | \kind, \op\s
	form	0, FORM_STRING | FORM_REP | \kind, rep \op\s
	.endm

	.macro	sized s, a, c, d, m
	.irp	r, \a, \c, \d
	form	0, 0, mov %\r, \m
	form	0, 0, mov \m, %\r
	.endr
	form	0, 0, mov\s $0x5a, \m
	form	0, 0, mov\s $-2, \m
	.irp	op, add, adc, sub, sbb
	alu	0, \op, \s, \d, \m
	.endr
	.irp	op, and, or, xor
	alu	UNDEF_LOGIC, \op, \s, \d, \m
	.endr
	form	0, 0, cmp %\d, \m
	form	0, 0, cmp \m, %\d
	form	0, 0, cmp\s $0x35, \m
	form	UNDEF_LOGIC, 0, test %\d, \m
	form	UNDEF_LOGIC, 0, test\s $0x35, \m
	.irp	prefix, , lock
	form	0, 0, \prefix not\s \m
	form	0, 0, \prefix neg\s \m
	form	0, 0, \prefix inc\s \m
	form	0, 0, \prefix dec\s \m
	form	0, 0, \prefix xchg %\d, \m
	form	0, 0, \prefix xadd %\d, \m
	form	0, 0, \prefix cmpxchg %\d, \m
	.endr
	.irp	op, rol, ror, rcl, rcr
	shift	\op, \s, \m, 0, UNDEF_ROTATE
	.endr
	.irp	op, shl, shr, sar
	shift	\op, \s, \m, UNDEF_LOGIC, UNDEF_SHIFT
	.endr
	form	UNDEF_MUL, 0, mul\s \m
	form	UNDEF_MUL, 0, imul\s \m
	string	FORM_BOTH, movs, \s
	string	FORM_BOTH, cmps, \s
	string	0, stos, \s
	string	FORM_SOURCE, lods, \s
	string	0, scas, \s
	form	0, FORM_STRING | FORM_REP | FORM_BOTH, repne cmps\s
	form	0, FORM_STRING | FORM_REP, repne scas\s
	.endm

	/* and what there is for operands of more than a byte only */
	.macro	wide s, a, c, d, m
	sized	\s, \a, \c, \d, \m
	form	UNDEF_MUL, 0, imul \m, %\d
	form	UNDEF_MUL, 0, imul $0x35, \m, %\d
	form	UNDEF_MUL, 0, imul $0x3579, \m, %\d
	form	0, 0, mov\s $0x1234, \m
	form	0, 0, add\s $0x1234, \m
	form	UNDEF_LOGIC, 0, test\s $0x1234, \m
	form	UNDEF_SHIFT, 0, shld $5, %\d, \m
	form	UNDEF_SHIFT, 0, shrd $5, %\d, \m
	form	UNDEF_SHIFT, 0, shld %cl, %\d, \m
	form	UNDEF_SHIFT, 0, shrd %cl, %\d, \m
	form	UNDEF_BIT, FORM_BITS, bt %\d, \m
	form	UNDEF_BIT, 0, bt\s $13, \m
	.irp	prefix, , lock
	.irp	op, bts, btr, btc
	bit	\prefix, \op, \s, \d, \m
	.endr
	.endr
	form	0, FORM_MOVBE, movbe \m, %\c
	form	0, FORM_MOVBE, movbe %\c, \m
	.irp	cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
	form	0, 0, cmov\cc \m, %\d
	.endr
	form	0, 0, movzb\s \m, %\c
	form	0, 0, movsb\s \m, %\c
	.endm

	.macro	stack s, c, d, m
	form	0, 0, push\s \m
	form	0, 0, pop\s \m
	form	0, FORM_PUSH, push\s \m
	form	0, FORM_PUSH, push\s $0x35
	form	0, FORM_PUSH, push\s $0x1234
	form	0, FORM_PUSH, push %\d
	form	0, FORM_POP, pop %\c
	.endm

	.macro	bit prefix, op, s, d, m
	form	UNDEF_BIT, FORM_BITS, \prefix \op %\d, \m
	form	UNDEF_BIT, 0, \prefix \op\s $13, \m
	.endm

/* ---- vectors ------------------------------------------------------------------- */

	.macro	vector_both op, r, m, kind=0
	form	0, FORM_VECTOR | \kind, \op \m, %\r
	form	0, FORM_VECTOR | \kind, \op %\r, \m
	.endm

	.macro	vectors m
	.irp	op, movups, movaps, movupd, movapd, movdqu, movdqa, movss, movsd, \
		movlps, movlpd, movhps, movhpd, movd, movq
	vector_both \op, xmm3, \m
	.endr
	.irp	op, movntps, movntpd, movntdq
	form	0, FORM_VECTOR, \op %xmm1, \m
	.endr
	form	0, FORM_VECTOR, movntdqa \m, %xmm2
	form	0, FORM_VECTOR, lddqu \m, %xmm2
	.irp	op, vmovups, vmovaps, vmovupd, vmovapd, vmovdqu, vmovdqa
	vector_both \op, xmm4, \m, FORM_AVX
	vector_both \op, ymm5, \m, FORM_AVX
	.endr
	.irp	op, vmovss, vmovsd, vmovd, vmovq
	vector_both \op, xmm6, \m, FORM_AVX
	.endr
	.irp	op, vmovlps, vmovlpd, vmovhps, vmovhpd
	form	0, FORM_VECTOR | FORM_AVX, \op \m, %xmm7, %xmm1
	form	0, FORM_VECTOR | FORM_AVX, \op %xmm7, \m
	.endr
	.irp	op, vmovntps, vmovntpd, vmovntdq
	form	0, FORM_VECTOR | FORM_AVX, \op %xmm2, \m
	form	0, FORM_VECTOR | FORM_AVX, \op %ymm2, \m
	.endr
	form	0, FORM_VECTOR | FORM_AVX, vmovntdqa \m, %xmm2
	form	0, FORM_VECTOR | FORM_AVX, vlddqu \m, %ymm2
	.endm

/* ---- what all modes have -------------------------------------------------------- */

	.macro	common m
	sized	b, al, cl, dl, \m
	wide	w, ax, cx, dx, \m
	wide	l, eax, ecx, edx, \m
	stack	w, cx, dx, \m
	.irp	r, ah, ch, dh, bh
	form	0, 0, mov %\r, \m
	form	0, 0, mov \m, %\r
	form	0, 0, add %\r, \m
	form	0, 0, add \m, %\r
	.endr
	.irp	cc, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
	form	0, 0, set\cc \m
	.endr
	form	0, 0, mov \m, %edi
	form	0, 0, movl $0x12345678, \m
	form	0, 0, movzwl \m, %ecx
	form	0, 0, movswl \m, %ecx
	form	0, 0, movnti %eax, \m
	form	0, FORM_MOVDIRI, movdiri %eax, \m
	form	0, 0, cmpxchg8b \m
	form	0, 0, lock cmpxchg8b \m
	form	0, FORM_QUIET, clflush \m
	vectors	\m
	.endm

/* Other ways to say where the operand lies */
	.macro	addressed m, kind=0
	form	0, \kind, mov %eax, \m
	form	0, \kind, mov \m, %cx
	form	0, \kind, addb $0x11, \m
	form	0, \kind, movl $0x12345678, \m
	.endm

/* ---- 64-bit mode ------------------------------------------------------------------ */

	.code64
	.set	BITS, 64

	common	(%rdi)
	wide	q, rax, rcx, rdx, (%rdi)
	stack	q, rcx, rdx, (%rdi)
	.irp	r, r8, r9d, r9w, r8b, sil, bpl, dil, spl, rsp, rdi
	form	0, 0, mov %\r, (%rdi)
	.endr
	.irp	r, r8, r9d, r9w, r8b, sil, bpl, dil, rdi
	form	0, 0, mov (%rdi), %\r
	.endr
	form	0, 0, movzwq (%rdi), %rcx
	form	0, 0, movswq (%rdi), %rcx
	form	0, 0, movslq (%rdi), %rcx
	form	0, 0, movnti %rax, (%rdi)
	form	0, FORM_MOVDIRI, movdiri %rax, (%rdi)
	form	0, 0, cmpxchg16b (%rdi)
	form	0, 0, lock cmpxchg16b (%rdi)
	form	0, FORM_VECTOR, movq %xmm12, (%rdi)
	form	0, FORM_VECTOR, movups (%rdi), %xmm15
	form	0, FORM_VECTOR | FORM_AVX, vmovups %ymm13, (%rdi)
	form	0, FORM_VECTOR | FORM_AVX, vmovhps (%rdi), %xmm14, %xmm9
	form	0, FORM_TARGET, call *(%rdi)
	form	0, FORM_TARGET, jmp *(%rdi)
	form	0, FORM_PUSH, call guest_form_target
	form	0, FORM_POP | FORM_TARGET, ret
	form	0, FORM_POP | FORM_TARGET, ret $16
	form	0, FORM_PUSH, push %r9
	form	0, FORM_POP, pop %r9
	form	0, FORM_POP, popq 8(%rsp)

	.irp	m, 0x10(%rbp), "(%rbx,%rsi)", (%r12), (%r13), "(%r11,%r10,8)", -0x12345(%r14), \
		%fs:-0x1000(%rdi), %gs:0x1000(%rdi), %es:(%rdi), (%edi), (%r15d), "(%ebx,%esi)"
	addressed "\m"
	.endr
	addressed FORM_WINDOW+FORM_OFFSET, FORM_FIXED
	.set	FROM_START, FORM_WINDOW + FORM_OFFSET - GUEST_CODE
	addressed FROM_START+__start_guest(%rip), FORM_FIXED
	.irp	r, al, ax, eax, rax
	form	0, FORM_FIXED, movabs %\r, FORM_WINDOW + FORM_OFFSET
	form	0, FORM_FIXED, movabs FORM_WINDOW + FORM_OFFSET, %\r
	.endr
	form	0, FORM_FIXED, addr32 mov %eax, FORM_WINDOW + FORM_OFFSET
	form	0, FORM_STRING | FORM_REP | FORM_BOTH, addr32 rep movsl
	form	0, FORM_STRING | FORM_REP, addr32 rep stosw

	.pushsection guest, "ax", @progbits
	.globl	guest_form_target
guest_form_target:
	out	%al, $PORT_DONE
	.popsection

/* ---- 32-bit mode ------------------------------------------------------------------ */

	.code32
	.set	BITS, 32

	common	(%edi)
	stack	l, ecx, edx, (%edi)
	form	0, FORM_TARGET, call *(%edi)
	form	0, FORM_TARGET, jmp *(%edi)
	form	0, FORM_PUSH, call guest_form_target
	form	0, FORM_POP | FORM_TARGET, ret
	form	0, FORM_POP | FORM_TARGET, ret $16
	.irp	m, 0x10(%ebp), "(%ebx,%esi)", "-0x7(%ebx,%esi)", %fs:-0x1000(%edi), \
		%gs:0x1000(%edi), %ss:(%edi)
	addressed "\m"
	.endr
	addressed FORM_WINDOW+FORM_OFFSET, FORM_FIXED
	.irp	r, al, ax, eax
	form	0, FORM_FIXED, mov %\r, FORM_WINDOW + FORM_OFFSET
	form	0, FORM_FIXED, mov FORM_WINDOW + FORM_OFFSET, %\r
	.endr

/* ---- 16-bit mode; ds is the window ------------------------------------------------ */

	.code16
	.set	BITS, 16

	common	(%di)
	stack	l, ecx, edx, (%di)
	form	0, FORM_TARGET, call *(%di)
	form	0, FORM_TARGET, jmp *(%di)
	form	0, FORM_PUSH, call guest_form_target
	form	0, FORM_POP | FORM_TARGET, ret
	form	0, FORM_POP | FORM_TARGET, ret $16
	.irp	m, 0x10(%bp), "(%bx,%si)", "-0x7(%bx,%si)", %fs:(%di), %es:(%di), %ss:(%di), \
		(%edi), 0x10(%ebp), "(%ebx,%esi)"
	addressed "\m"
	.endr
	addressed FORM_OFFSET, FORM_FIXED
	.irp	r, al, ax, eax
	form	0, FORM_FIXED, mov %\r, FORM_OFFSET
	form	0, FORM_FIXED, mov FORM_OFFSET, %\r
	.endr

	.code64
	.section .note.GNU-stack, "", @progbits
