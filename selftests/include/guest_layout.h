/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where things lie in the guest physical memory of a test VM, and the ports its
 * code reports through.  Read by C and by assembly, hence no suffixes.
 *
 * Linear addresses equal physical ones in every mode: paging maps the low 4 GiB
 * onto themselves, user accessible, with large pages.
 */
#ifndef SELFTESTS_GUEST_LAYOUT_H
#define SELFTESTS_GUEST_LAYOUT_H

#define GUEST_IVT	0x0		/* real mode */
#define GUEST_GDT	0x1000
#define GUEST_IDT	0x2000		/* 64-bit gates */
#define GUEST_TSS	0x3000
#define GUEST_PML4	0x4000
#define GUEST_PDPT	0x5000
#define GUEST_PD	0x6000		/* four of them */
#define GUEST_PD32	0xa000		/* 32-bit paging, 4 MiB pages */
#define GUEST_PDPT32	0xb000		/* PAE: points to GUEST_PD */
#define GUEST_IDT32	0xc000		/* 32-bit gates */
#define GUEST_CODE	0x10000		/* the binary's section "guest" */
#define GUEST_DATA	0x20000		/* free for the test: 32 KiB */
#define GUEST_LOG	0x28000		/* struct guest_log */
#define GUEST_STACK	0x40000		/* grows down from here, 32 KiB */
#define GUEST_USTACK	0x48000		/* of ring 3 */
#define GUEST_IST	0x50000		/* IST 1 */
#define GUEST_FREE	0x100000	/* free for the test, to the end of memory */
#define GUEST_MEM_SIZE	0x1000000
#define GUEST_HOLE	0xd0000000	/* mapped by paging, backed by no slot */

/* Selectors.  0x20..0x33 have the order SYSRET and SYSEXIT ask for. */
#define SEL_CODE64	0x08
#define SEL_DATA	0x10
#define SEL_UCODE32	0x20
#define SEL_UDATA	0x28
#define SEL_UCODE64	0x30
#define SEL_TSS		0x38		/* two entries */
#define SEL_CODE32	0x48
#define SEL_CODE16	0x50
#define SEL_DATA16	0x58
#define SEL_FREE	0x60		/* free for the test, to 0xff */
#define SEL_COUNT	32

#define PORT_REPORT	0x10		/* a value for the test */
#define PORT_DONE	0x11		/* the guest code is through */

/* struct guest_log, as guest.S sees it */
#define LOG_COUNT	0
#define LOG_SKIP	8
#define LOG_ENTRY	264
#define LOG_ENTRIES	64		/* a power of two */
#define LOG_ENTRY_SHIFT	6

#endif
