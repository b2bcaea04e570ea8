// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of `vmctl bench mmu`: two address spaces, a handler for page faults, and the
 * operations, each between two RDTSC.
 *
 * Both spaces map the first 2 MiB, where code and tables lie, by a large page, and at
 * MMU_WINDOW pages of 4 KiB.  Page n of the window is frame n in the first space and frame
 * n + 1 in the second one; frame n begins with the number n + 1.  The guest adds up what
 * it reads there in r12d, so that a stale translation shows.
 *
 * Registers: rdi the page to use, rsi where the next sample goes, ecx samples to take, r8
 * the window's last-level tables (they lie side by side), r9 CR3 of the space that is not
 * in use, r10 that of the one in use, r11 a PTE for page 0, r13 and r14 two values of a
 * control register; eax, ebx, edx are scratch.
 */
#include <string.h>

#include "bench_mmu.h"

#define GUEST_GDT	0xc000
#define GUEST_IDT	0xd000
#define GUEST_HANDLER	0x11000ull
#define GUEST_STACK	0x20000

#define FRAMES		(4 * MIB)	/* gpa of the window's frames */

/* each space: PML4, PDPT, PD and the window's two PTs, page by page */
#define SPACE_A		0x1000
#define SPACE_B		0x6000
#define SPACE_PDPT	0x1000
#define SPACE_PD	0x2000
#define SPACE_PT	0x3000

#define PTE_TABLE	0x3	/* present, writable */
#define PTE_PAGE	0x63	/* and accessed and dirty */
#define PTE_LARGE	0xe3

#define CR0_VALUE	0x80010031ull	/* PG, WP, NE, ET, PE */
#define CR0_WP		BIT(16)
#define CR4_VALUE	0xa0ull		/* PGE, PAE */
#define CR4_PGE		BIT(7)

#define VECTOR_PF	14
#define GATE_INTERRUPT	0x8e00ull	/* present, 64-bit */

/* position-independent code, as data of this program, and its struct bench_code */
#define MMU_BLOCK(name, text)							\
	asm(".pushsection .data.rel.ro, \"aw\"\n"				\
	    ".balign 8\n"							\
	    ".globl bench_mmu_" #name "\n"					\
	    "bench_mmu_" #name ": .quad 1f, 2f\n"				\
	    "1:\n"								\
	    text								\
	    "2:\n"								\
	    ".popsection\n")

/* @insn is measured, @after is not */
#define MMU_CODE(name, insn, after)						\
	MMU_BLOCK(name,								\
		  "	lfence\n"						\
		  "	rdtsc\n"						\
		  "	lfence\n"						\
		  "	mov %eax, %ebx\n"					\
		  insn								\
		  "	lfence\n"						\
		  "	rdtsc\n"						\
		  "	lfence\n"						\
		  "	sub %ebx, %eax\n"					\
		  "	mov %eax, (%rsi)\n"					\
		  "	add $4, %rsi\n"						\
		  after								\
		  "	dec %ecx\n"						\
		  "	jnz 1b\n"						\
		  "	hlt\n")

#define TOUCH	"	add (%rdi), %r12d\n"
#define FLIP	"	xor $0x1000, %r11\n"	/* the other of two frames */

MMU_CODE(empty, "", "");
MMU_CODE(first_touch, TOUCH, "	add $0x1000, %rdi\n");
/* the page before it is present: the table is in use */
MMU_CODE(fault, "	mov (%rdi), %eax\n", "	mov -0x1000(%rdi), %eax\n");
MMU_CODE(cr3_switch, "	mov %r9, %cr3\n" TOUCH, "	xchg %r9, %r10\n");
MMU_CODE(invlpg, "	invlpg (%rdi)\n" TOUCH, "");
MMU_CODE(pte_write, "	mov %r11, (%r8)\n	invlpg (%rdi)\n" TOUCH, FLIP);
MMU_CODE(cr0_pair, "	mov %r13, %cr0\n	mov %r14, %cr0\n", "");
MMU_CODE(cr4_pair, "	mov %r13, %cr4\n	mov %r14, %cr4\n", "");

#define WRITE_PTES				\
	"	xor %edx, %edx\n"		\
	"	mov %r11, %rax\n"		\
	"3:	mov %rax, (%r8, %rdx, 8)\n"	\
	"	add $0x1000, %rax\n"		\
	"	inc %edx\n"			\
	"	cmp $1000, %edx\n"		\
	"	jne 3b\n"
#define TOUCH_PAGES				\
	"	mov %rdi, %rax\n"		\
	"4:	add (%rax), %r12d\n"		\
	"	add $0x1000, %rax\n"		\
	"	dec %edx\n"			\
	"	jnz 4b\n"

/* all PTEs, one flush, all pages */
MMU_CODE(remap, WRITE_PTES "	mov %r10, %cr3\n" TOUCH_PAGES, FLIP);

/* a page fault: skips the two bytes of the MOV that had it, and counts */
MMU_BLOCK(handler, "	add $8, %rsp\n	addq $2, (%rsp)\n	inc %r12d\n	iretq\n");

static void place(u8 *mem, u64 gpa, const struct bench_code *code)
{
	memcpy(mem + gpa, code->start, code->end - code->start);
}

/* page n of the window is frame n + @shift; the last page is not present */
static void build_space(u8 *mem, u64 space, unsigned int shift)
{
	u64 *pml4 = (u64 *)(mem + space), *pdpt = (u64 *)(mem + space + SPACE_PDPT);
	u64 *pd = (u64 *)(mem + space + SPACE_PD), *pt = (u64 *)(mem + space + SPACE_PT);
	u64 window = MMU_WINDOW / (2 * MIB);
	unsigned int i;

	memset(pml4, 0, SPACE_B - SPACE_A);
	pml4[0] = (space + SPACE_PDPT) | PTE_TABLE;
	pdpt[0] = (space + SPACE_PD) | PTE_TABLE;
	pd[0] = PTE_LARGE;
	pd[window] = (space + SPACE_PT) | PTE_TABLE;
	pd[window + 1] = (space + SPACE_PT + GUEST_PAGE) | PTE_TABLE;
	for (i = 0; i < MMU_PAGES; i++)
		pt[i] = (FRAMES + (i + shift) * GUEST_PAGE) | PTE_PAGE;
}

static void build_descriptors(u8 *mem)
{
	u64 *gdt = (u64 *)(mem + GUEST_GDT), *gate = (u64 *)(mem + GUEST_IDT) + 2 * VECTOR_PF;

	gdt[BOOT_CS / 8] = 0x00af9b000000ffff;
	gdt[BOOT_DS / 8] = 0x00cf93000000ffff;
	gate[0] = GUEST_HANDLER >> 16 << 48 | GATE_INTERRUPT << 32 | BOOT_CS << 16 |
		  (GUEST_HANDLER & 0xffff);
	gate[1] = 0;
}

/**
 * bench_mmu_build - fill guest memory
 * @mem:	from gpa 0 on, MMU_MEM bytes
 * @code:	what the guest is to run
 *
 * All of memory that the guest uses is written here: it costs the host nothing later.
 */
void bench_mmu_build(u8 *mem, const struct bench_code *code)
{
	u32 i;

	build_space(mem, SPACE_A, 0);
	build_space(mem, SPACE_B, 1);
	build_descriptors(mem);
	place(mem, MMU_CODE_GPA, code);
	place(mem, GUEST_HANDLER, &bench_mmu_handler);
	memset(mem + MMU_SAMPLES, 0, GUEST_PAGE);
	memset(mem + GUEST_STACK - GUEST_PAGE, 0, GUEST_PAGE);
	for (i = 0; i <= MMU_PAGES; i++)
		*(u32 *)(mem + FRAMES + i * GUEST_PAGE) = i + 1;
}

/**
 * bench_mmu_start - set the guest to its first instruction
 * @state:	in: as after power-on, out
 * @op:		what it is to do
 * @samples:	how often
 */
void bench_mmu_start(struct vcpu_state *state, const struct bench_mmu_op *op, u32 samples)
{
	struct boot boot = { .mode = BOOT_LONG, .gdt = GUEST_GDT, .cr3 = SPACE_A };
	bool cr0 = op->code == &bench_mmu_cr0_pair;

	vcpu_boot_sregs(&state->sregs, &boot);
	state->sregs.idt = (struct mhv_dtable){ .base = GUEST_IDT, .limit = GUEST_PAGE - 1 };
	state->sregs.cr0 = CR0_VALUE;
	state->sregs.cr4 = CR4_VALUE;
	state->regs = (struct mhv_regs){
		.rip = MMU_CODE_GPA, .rflags = 2, .rsp = GUEST_STACK,
		.rdi = MMU_WINDOW + (op->absent ? MMU_PAGES * GUEST_PAGE : 0),
		.rsi = MMU_SAMPLES, .rcx = samples,
		.r8 = SPACE_A + SPACE_PT, .r9 = SPACE_B, .r10 = SPACE_A,
		.r11 = (FRAMES + GUEST_PAGE) | PTE_PAGE,
		.r13 = cr0 ? CR0_VALUE & ~CR0_WP : CR4_VALUE & ~CR4_PGE,
		.r14 = cr0 ? CR0_VALUE : CR4_VALUE,
	};
}
