// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of `vmctl bench ops`: operations that exit, each between two RDTSC, and
 * handlers of two interrupts.
 *
 * Registers: rdi an address of device memory, rbp where the next sample goes, r14d samples
 * to take, r13 counts them from 0 on and is what is written, r12d adds up what is read, r8
 * and r9d address and number for REP MOVS, r15d the TSC before; eax, ebx, ecx, edx and esi
 * are scratch.  A write to BENCH_PORT is the end.
 */
#include <string.h>

#include "bench_ops.h"

#define GUEST_GDT	0xc000
#define GUEST_IDT	0xd000
#define GUEST_HANDLERS	0x11000ull	/* the second one 256 bytes on */
#define GUEST_STACK	0x20000

#define RFLAGS_ONE	BIT(1)
#define RFLAGS_IF	BIT(9)
#define GATE_INTERRUPT	0x8e00ull	/* present, 64-bit */

#define TEXT_OF(x)	#x
#define TEXT(x)		TEXT_OF(x)

/* position-independent code, as data of this program, and its struct bench_code */
#define OPS_BLOCK(name, text)							\
	asm(".pushsection .data.rel.ro, \"aw\"\n"				\
	    ".balign 8\n"							\
	    ".globl bench_ops_" #name "\n"					\
	    "bench_ops_" #name ": .quad 1f, 2f\n"				\
	    "1:\n"								\
	    text								\
	    "2:\n"								\
	    ".popsection\n")

/* @insn is measured, @before and @after are not */
#define OPS_CODE(name, before, insn, after)					\
	OPS_BLOCK(name,								\
		  before							\
		  "	lfence\n"						\
		  "	rdtsc\n"						\
		  "	lfence\n"						\
		  "	mov %eax, %r15d\n"					\
		  insn								\
		  "	lfence\n"						\
		  "	rdtsc\n"						\
		  "	lfence\n"						\
		  "	sub %r15d, %eax\n"					\
		  "	mov %eax, (%rbp)\n"					\
		  "	add $4, %rbp\n"						\
		  after								\
		  "	inc %r13\n"						\
		  "	dec %r14d\n"						\
		  "	jnz 1b\n"						\
		  "	out %eax, $" TEXT(BENCH_PORT) "\n")

OPS_CODE(empty, "", "", "");
OPS_CODE(floor, "", "	vmcall\n", "");
OPS_CODE(cpuid, "", "	xor %eax, %eax\n	cpuid\n", "	add %ebx, %r12d\n");

#define PAT	"	mov $0x277, %ecx\n"
#define KEEP	"	mov %eax, %esi\n"
#define ADD	"	add %esi, %r12d\n"
OPS_CODE(rdmsr, PAT, "	rdmsr\n" KEEP, ADD);
OPS_CODE(wrmsr, PAT, "	mov $0x00070106, %eax\n	mov %eax, %edx\n	wrmsr\n",
	 "	rdmsr\n" KEEP ADD);

OPS_CODE(port_read, "", "	in $" TEXT(OPS_PORT) ", %eax\n" KEEP, ADD);
OPS_CODE(port_write, "", "	mov %r13d, %eax\n	out %eax, $" TEXT(OPS_PORT) "\n", "");

#define ADD_BYTE	"	movzbl %bl, %ebx\n	add %ebx, %r12d\n"
OPS_CODE(read1, "", "	mov (%rdi), %bl\n", ADD_BYTE);
OPS_CODE(read2, "", "	mov (%rdi), %bx\n", ADD_BYTE);
OPS_CODE(read4, "", "	mov (%rdi), %ebx\n", ADD_BYTE);
OPS_CODE(read8, "", "	mov (%rdi), %rbx\n", ADD_BYTE);
OPS_CODE(write1, "", "	mov %r13b, (%rdi)\n", "");
OPS_CODE(write2, "", "	mov %r13w, (%rdi)\n", "");
OPS_CODE(write4, "", "	mov %r13d, (%rdi)\n", "");
OPS_CODE(write8, "", "	mov %r13, (%rdi)\n", "");
OPS_CODE(modify, "", "	add %r13d, (%rdi)\n", "");
OPS_CODE(rep_movs,
	 "	mov %r8, %rdi\n	mov $" TEXT(OPS_BUFFER) ", %esi\n	mov %r9d, %ecx\n",
	 "	rep movsq\n", "");

OPS_CODE(irq, "", "	out %al, $" TEXT(OPS_PORT_IRQ) "\n", "");
OPS_CODE(hlt, "", "	hlt\n", "");

/* a page after the other: a device entry for each */
OPS_CODE(touch, "", "	mov %r13d, (%rdi)\n", "	add $0x1000, %rdi\n");

OPS_BLOCK(eoi, "	inc %r12d\n	out %al, $" TEXT(OPS_PORT_EOI) "\n	iretq\n");
OPS_BLOCK(wake, "	inc %r12d\n	iretq\n");

static void place(u8 *mem, u64 gpa, const struct bench_code *code)
{
	memcpy(mem + gpa, code->start, code->end - code->start);
}

static void build_gate(u8 *mem, unsigned int vector, u64 handler)
{
	u64 *gate = (u64 *)(mem + GUEST_IDT) + 2 * vector;

	gate[0] = handler >> 16 << 48 | GATE_INTERRUPT << 32 | BOOT_CS << 16 |
		  (handler & 0xffff);
	gate[1] = 0;
}

/**
 * bench_ops_build - fill guest memory
 * @mem:	from gpa 0 on, BENCH_MEM bytes
 * @code:	what the guest is to run
 */
void bench_ops_build(u8 *mem, const struct bench_code *code)
{
	u64 *gdt = (u64 *)(mem + GUEST_GDT), *buffer = (u64 *)(mem + OPS_BUFFER), i;

	gdt[BOOT_CS / 8] = 0x00af9b000000ffff;
	gdt[BOOT_DS / 8] = 0x00cf93000000ffff;
	build_gate(mem, OPS_VECTOR, GUEST_HANDLERS);
	build_gate(mem, OPS_VECTOR_WAKE, GUEST_HANDLERS + 256);
	place(mem, GUEST_HANDLERS, &bench_ops_eoi);
	place(mem, GUEST_HANDLERS + 256, &bench_ops_wake);
	place(mem, OPS_CODE_GPA, code);
	memset(mem + OPS_SAMPLES, 0, GUEST_PAGE);
	memset(mem + GUEST_STACK - GUEST_PAGE, 0, GUEST_PAGE);
	for (i = 0; i < GUEST_PAGE / sizeof(*buffer); i++)
		buffer[i] = i;
}

/**
 * bench_ops_start - set the guest to its first instruction
 * @state:	in: as after power-on, with CR3 set; out
 * @op:		what it is to do
 * @samples:	how often
 */
void bench_ops_start(struct vcpu_state *state, const struct bench_op *op, u32 samples)
{
	struct boot boot = { .mode = BOOT_LONG, .gdt = GUEST_GDT, .cr3 = state->sregs.cr3 };

	vcpu_boot_sregs(&state->sregs, &boot);
	state->sregs.idt = (struct mhv_dtable){ .base = GUEST_IDT, .limit = GUEST_PAGE - 1 };
	state->regs = (struct mhv_regs){
		.rip = OPS_CODE_GPA, .rflags = RFLAGS_ONE | (op->irq ? RFLAGS_IF : 0),
		.rsp = GUEST_STACK, .rbp = OPS_SAMPLES, .rdi = op->gpa, .r8 = op->gpa,
		.r9 = op->qwords, .r14 = samples,
	};
}
