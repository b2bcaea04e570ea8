/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guest/paging.S and the test that feeds it agree on.  Read by C and by
 * assembly, hence no suffixes.
 *
 * The guest takes cases one after the other: it writes a case's entries where they
 * differ from those that are there, invalidates the one address, makes the access
 * from the privilege level that the case asks for, and notes what came of it.  It
 * exits when the batch is through.
 */
#ifndef SELFTESTS_PAGING_BATCH_H
#define SELFTESTS_PAGING_BATCH_H

#define PAGING_VECTOR	0x81		/* the access was made */
#define PAGING_OTHER	0xff		/* neither that nor #PF */
#define PAGING_VALUE	0x5a17c0de	/* what a write writes */
#define PAGING_LSL	0xf		/* LDT, entry 1, RPL 3 */

/* struct batch, at GUEST_DATA */
#define BATCH_LEFT	0
#define BATCH_NEXT	8
#define BATCH_GVA	16
#define BATCH_LEVELS	24
#define BATCH_WIDE	32
#define BATCH_SLOT	40
#define BATCH_CR0	72
#define BATCH_CR4	80
#define BATCH_EFER	88
#define BATCH_STACK	96
#define BATCH_WORD	104

/* struct paging_case */
#define CASE_ENTRY	0
#define CASE_AFTER	32
#define CASE_CODE	64
#define CASE_CS		72
#define CASE_SS		80
#define CASE_FLAGS	88
#define CASE_MEM	96
#define CASE_VECTOR	104
#define CASE_ERROR	108
#define CASE_CR2	112
#define CASE_VALUE	120
#define CASE_FOUND	124
#define CASE_SIZE	128

#ifndef __ASSEMBLY__
/**
 * struct batch - cases to run at one setting of the control registers
 * @left:	how many
 * @next:	address of the next
 * @gva:	the address that is accessed
 * @levels:	entries of a case
 * @wide:	32-bit code: they have 8 bytes, not 4
 * @slot:	where they lie, the leaf first
 * @cr0:	set before the first case
 * @cr4: likewise
 * @efer: likewise
 * @stack:	the guest's own
 * @word:	the guest's own
 */
struct batch {
	__u64 left, next, gva, levels, wide, slot[4], cr0, cr4, efer, stack, word;
};

/**
 * struct paging_case - an access
 * @entry:	in: the entries, the leaf first
 * @after:	out: the same after the access
 * @code:	in: address of the code that makes it
 * @cs:		in: in which segment
 * @ss:		in: with which stack segment
 * @flags:	in: RFLAGS
 * @mem:	in: another address of the word that is accessed
 * @vector:	out: PAGING_VECTOR, PF_VECTOR or PAGING_OTHER
 * @error:	out: error code
 * @cr2:	out: of a #PF
 * @value:	out: what was read
 * @found:	out: the word at @mem; it is put back as it was
 */
struct paging_case {
	__u64 entry[4], after[4];
	__u64 code, cs, ss, flags, mem;
	__u32 vector, error;
	__u64 cr2;
	__u32 value, found;
};

_Static_assert(sizeof(struct paging_case) == CASE_SIZE, "CASE_*");
_Static_assert(offsetof(struct batch, word) == BATCH_WORD, "BATCH_*");

/* guest/paging.S */
extern const char paging_engine64[], paging_done64[], paging_fault64[], paging_other64[];
extern const char paging_engine32[], paging_done32[], paging_fault32[], paging_other32[];
extern const char paging_read[], paging_write[], paging_xchg[], paging_fetch[], paging_lsl[];
#endif

#endif
