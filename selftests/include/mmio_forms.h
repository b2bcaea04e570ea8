/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the table of instruction forms (guest/mmio_forms.S) and its test agree on.
 *
 * Registers a form is run with; ADDR is where its operand is to lie:
 *
 *	rdi r12 r13	ADDR
 *	rbp		ADDR - 0x10
 *	rsi		a small index, strings: ADDR (source)
 *	rbx		ADDR - rsi
 *	r10 r11		a small index, ADDR - 8 * r10
 *	r14		ADDR + 0x12345
 *	r15		64-bit mode: ADDR, the upper half random
 *	rax rdx r8 r9	random
 *	rcx		random, the low byte below 8
 *	fs gs		base 0x1000 and -0x1000 (16-bit mode: as ds)
 */
#ifndef SELFTESTS_MMIO_FORMS_H
#define SELFTESTS_MMIO_FORMS_H

#define FORM_PUSH	0x0001	/* the operand is the stack: rsp is ADDR + 8 */
#define FORM_POP	0x0002	/* the operand is the stack: rsp is ADDR */
#define FORM_STRING	0x0004	/* rsi and rdi lie in the window, rcx is a count */
#define FORM_VECTOR	0x0008	/* touches vector registers */
#define FORM_TARGET	0x0010	/* memory holds the address of code */
#define FORM_FIXED	0x0020	/* the operand lies at FORM_OFFSET */
#define FORM_BITS	0x0040	/* rdx is a small signed number */
#define FORM_QUIET	0x0080	/* accesses no device */
#define FORM_AVX	0x0100	/* needs this feature */
#define FORM_MOVBE	0x0200
#define FORM_MOVDIRI	0x0400
#define FORM_FEATURES	0x0700
#define FORM_REP	0x0800	/* FORM_STRING that is repeated */
#define FORM_BOTH	0x1000	/* FORM_STRING with two operands in memory */
#define FORM_SOURCE	0x2000	/* FORM_STRING with the source alone */

/* Where the window lies, and the operand with an address in the instruction */
#define FORM_WINDOW	0x40000000
#define FORM_OFFSET	0x800

/* Flags that an instruction leaves undefined */
#define UNDEF_LOGIC	0x010	/* AF */
#define UNDEF_SHIFT	0x810	/* OF AF */
#define UNDEF_ROTATE	0x800	/* OF */
#define UNDEF_MUL	0x0d4	/* SF ZF AF PF */
#define UNDEF_BIT	0x894	/* OF SF AF PF */

#endif
