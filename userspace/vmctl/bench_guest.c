// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of `vmctl bench`: a loop around one instruction, and page tables that map
 * the first 4 GiB to themselves.
 *
 * LFENCE on both sides of RDTSC: nothing after it starts before the TSC is read, and
 * what is measured is complete before it is read again.  A device store is complete
 * then, too: it has exited.
 */
#include <string.h>

#include "bench.h"

#define TABLE_PML4	0x1000
#define TABLE_PDPT	0x2000
#define TABLE_PD	0x3000	/* four pages */

#define PTE_TABLE	0x3	/* present, writable */
#define PTE_LARGE	0x83
#define LARGE_PAGE	(2 * MIB)

#define PORT_TEXT(port)	#port
#define PORT(port)	PORT_TEXT(port)

/* position-independent code, as data of this program, and its struct bench_code */
#define BENCH_CODE(name, insn)							\
	asm(".pushsection .data.rel.ro, \"aw\"\n"				\
	    ".balign 8\n"							\
	    ".globl bench_" #name "\n"						\
	    "bench_" #name ": .quad 1f, 2f\n"					\
	    "1:	lfence\n"							\
	    "	rdtsc\n"							\
	    "	lfence\n"							\
	    "	mov %eax, %ebx\n"						\
	    insn								\
	    "	lfence\n"							\
	    "	rdtsc\n"							\
	    "	lfence\n"							\
	    "	sub %ebx, %eax\n"						\
	    "	out %eax, $" PORT(BENCH_PORT) "\n"				\
	    "	inc %esi\n"							\
	    "	dec %ecx\n"							\
	    "	jnz 1b\n"							\
	    "	hlt\n"								\
	    "2:\n"								\
	    ".popsection\n")

BENCH_CODE(empty, "");
BENCH_CODE(read, "	mov (%rdi), %esi\n");
BENCH_CODE(write, "	mov %esi, (%rdi)\n");

/**
 * bench_guest_tables - build the guest's page tables
 * @mem:	guest memory from gpa 0 on, BENCH_MEM bytes
 * @cr3:	out: gpa of the top-level table
 */
void bench_guest_tables(u8 *mem, u64 *cr3)
{
	u64 *pml4 = (u64 *)(mem + TABLE_PML4), *pdpt = (u64 *)(mem + TABLE_PDPT);
	u64 *pd = (u64 *)(mem + TABLE_PD);
	u64 i;

	pml4[0] = TABLE_PDPT | PTE_TABLE;
	for (i = 0; i < 4; i++)
		pdpt[i] = (TABLE_PD + i * GUEST_PAGE) | PTE_TABLE;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i * LARGE_PAGE | PTE_LARGE;
	*cr3 = TABLE_PML4;
}
