/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts that guest/paging_script.S runs: MOV to control registers and accesses, in
 * whatever mode they lead to.  Read by C and by assembly, hence no suffixes.
 *
 * All of it is 32-bit code; with EFER.LMA set that is compatibility mode, and only
 * handlers and OP_LOAD64 are 64-bit code.
 */
#ifndef SELFTESTS_PAGING_SCRIPT_H
#define SELFTESTS_PAGING_SCRIPT_H

#define OP_END		0
#define OP_CR0		1	/* value */
#define OP_CR3		2	/* value */
#define OP_CR4		3	/* value */
#define OP_EFER		4	/* value */
#define OP_LIDT		5	/* addr */
#define OP_LOAD		6	/* addr; value is what it must give */
#define OP_LOAD64	7	/* the same by 64-bit code */
#define OP_STORE	8	/* addr, value */
#define OP_CALL		9	/* addr */
#define OP_INVLPG	10	/* addr */
#define OP_CPUID	11	/* an exit */

/* struct step: in */
#define STEP_OP		0
#define STEP_ADDR	4
#define STEP_VALUE	8
/* out */
#define STEP_VECTOR	12
#define STEP_ERROR	16
#define STEP_CR2	20
#define STEP_GOT	24
#define STEP_SIZE	32

#define SCRIPT_NEXT	GUEST_DATA		/* the guest's own */
#define SCRIPT		(GUEST_DATA + 32)

#ifndef __ASSEMBLY__
struct step {
	__u32 op, addr, value;
	__u32 vector, error, cr2, got;
	__u32 pad;
};

_Static_assert(sizeof(struct step) == STEP_SIZE, "STEP_SIZE");

extern const char script_start[], script_other32[], script_other64[];
extern const char script_gp32[], script_gp64[], script_pf32[], script_pf64[];
#endif

#endif
