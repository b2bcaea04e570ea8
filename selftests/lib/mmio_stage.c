// SPDX-License-Identifier: GPL-2.0-only
/* The stage (mmio_stage.h says what it is for). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <kselftest.h>

#include "mmio_stage.h"

#define WINDOW		((__u64)FORM_WINDOW)
#define STRIDE		0x3000ull
#define RAM_BASE	0x400000ull
#define REAL_WINDOW	0x60000ull	/* of real mode, its linear address as well */
#define REAL_SLOT	16		/* and those that follow, one for a page */
#define MAX_COMPLAINTS	12
#define PTE_AD		0x60		/* accessed, dirty: not left to the CPU to set */

/* A handler for each vector; the bytes mean the same in all modes. */
GUEST_ASM(guest_fault_stubs, 64,
	  ".rept " STR(NR_FAULTS) "\n"
	  "out %al, $" STR(PORT_FAULT) "\n"
	  "nop\n"
	  "nop\n"
	  ".endr");

#define STUB_SIZE	4

/* ---- the window -------------------------------------------------------------------- */

static bool is_device(char kind)
{
	return kind == 'd' || kind == 'D';
}

static void set_real_page(struct stage *s, int page, char kind)
{
	if (is_device(kind))
		vm_slot(&s->vm, REAL_SLOT + page, 0, 0, 0, NULL);
	else
		vm_set_slot(&s->vm, REAL_SLOT + page, REAL_WINDOW + page * PAGE_SIZE, PAGE_SIZE,
			    s->ram + page * PAGE_SIZE);
}

/* Say what is behind a page; the guest sees it after stage_reset(). */
void stage_set_page(struct stage *s, int page, char kind)
{
	__u64 gpa = (is_device(kind) ? s->dev.gpa : RAM_BASE) + page * s->stride;
	__u64 flags = PTE_ALL | PTE_AD;

	if (s->kind[page] == kind)
		return;
	s->kind[page] = kind;
	if (s->real) {
		set_real_page(s, page, kind);
		return;
	}
	if (kind == 'n')
		flags &= ~PTE_P;
	if (kind == 'R' || kind == 'D')
		flags &= ~PTE_RW;
	s->pt[page] = gpa | flags;
	s->pt32[page] = gpa | flags;
}

/* The byte at an offset of the window, which goes round at its end */
__u8 *stage_byte(struct stage *s, __u64 offset)
{
	unsigned int page = offset / PAGE_SIZE % WINDOW_PAGES;

	return (is_device(s->kind[page]) ? s->dev.mem : s->ram) + page * s->stride +
	       offset % PAGE_SIZE;
}

void stage_copy_in(struct stage *s, __u64 offset, const void *buffer, __u64 size)
{
	__u64 part, done;

	for (done = 0; done < size; done += part) {
		part = PAGE_SIZE - (offset + done) % PAGE_SIZE;
		if (part > size - done)
			part = size - done;
		memcpy(stage_byte(s, offset + done), buffer + done, part);
	}
}

void stage_copy_out(struct stage *s, __u64 offset, void *buffer, __u64 size)
{
	__u64 part, done;

	for (done = 0; done < size; done += part) {
		part = PAGE_SIZE - (offset + done) % PAGE_SIZE;
		if (part > size - done)
			part = size - done;
		memcpy(buffer + done, stage_byte(s, offset + done), part);
	}
}

/* What the guest calls an offset of the window */
__u64 stage_linear(const struct stage *s, __u64 offset)
{
	return s->bits == 16 ? offset : WINDOW + offset;
}

/* What it calls a piece of code */
__u64 stage_code(const struct stage *s, const void *code)
{
	return s->bits == 16 ? GUEST_ADDR(code) - GUEST_CODE : GUEST_ADDR(code);
}

/* ---- the mode ---------------------------------------------------------------------- */

static void set_handlers(struct stage *s)
{
	__u64 *idt32 = vm_ptr(&s->vm, GUEST_IDT32), handler;
	__u32 *ivt = vm_ptr(&s->vm, GUEST_IVT);
	int vector;

	for (vector = 0; vector < NR_FAULTS; vector++) {
		handler = GUEST_ADDR(guest_fault_stubs) + vector * STUB_SIZE;
		vm_set_gate(&s->vm, vector, handler, 0, 1);
		idt32[vector] = (handler & 0xffff) | SEL_CODE32 << 16 | 0x8eull << 40 |
				(handler & 0xffff0000) << 32;
		ivt[vector] = (GUEST_CODE >> 4) << 16 | (handler - GUEST_CODE);
	}
}

/* 16-bit segments: the window is all there is. */
static void set_window_segments(struct stage *s)
{
	const struct mhv_segment seg = {
		.base = s->real ? REAL_WINDOW : WINDOW,
		.limit = 0xffff,
		.selector = s->real ? REAL_WINDOW >> 4 : SEL_DATA16,
		.type = 3,
		.s = 1,
		.present = 1,
	};

	s->sregs.ds = seg;
	s->sregs.es = seg;
	s->sregs.ss = seg;
	s->sregs.fs = seg;
	s->sregs.gs = seg;
	if (s->real)
		return;
	s->sregs.cs.base = GUEST_CODE;
	s->sregs.cs.limit = 0xffff;
	s->sregs.cs.g = 0;
	s->sregs.cs.db = 0;
}

/* Find the guest's features, and switch them all on. */
static void set_features(struct stage *s)
{
	struct mhv_cpuid_entry leaf;
	bool avx, xsave;

	if (!vcpu_cpuid(&s->vcpu, 1, 0, &leaf))
		die("no CPUID leaf 1");
	xsave = leaf.ecx >> 26 & 1;
	avx = xsave && leaf.ecx >> 28 & 1;
	s->missing = avx ? 0 : FORM_AVX;
	if (!(leaf.ecx >> 22 & 1))
		s->missing |= FORM_MOVBE;
	if (!vcpu_cpuid(&s->vcpu, 7, 0, &leaf) || !(leaf.ecx >> 27 & 1))
		s->missing |= FORM_MOVDIRI;
	s->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (xsave) {
		s->sregs.cr4 |= CR4_OSXSAVE;
		s->sregs.xcr0 = avx ? 7 : 3;
	}
}

static void set_mode(struct stage *s)
{
	if (s->bits == 64)
		vcpu_set_long(&s->vcpu, guest_fault_stubs);
	else if (s->real)
		vcpu_set_real(&s->vcpu, guest_fault_stubs);
	else
		vcpu_set_prot32(&s->vcpu, guest_fault_stubs, PSE32);
	s->sregs = vcpu_sregs(&s->vcpu);
	s->sregs.fs.base = 0x1000;
	s->sregs.gs.base = s->bits == 64 ? -0x1000ull : 0xfffff000;
	if (s->bits == 16)
		set_window_segments(s);
	set_features(s);
}

static void create_real_window(struct stage *s)
{
	/* Take it out of the VM's memory. */
	vm_set_slot(&s->vm, 0, 0, REAL_WINDOW, s->vm.mem);
	s->ram = vm_ptr(&s->vm, REAL_WINDOW);
	s->stride = PAGE_SIZE;
	mmio_dev_init(&s->dev, REAL_WINDOW, WINDOW_PAGES * PAGE_SIZE);
}

static void create_window(struct stage *s)
{
	s->pt = mmio_page_table(&s->vm, WINDOW, GUEST_PT);
	s->pt32 = mmio_page_table32(&s->vm, WINDOW, GUEST_PT32);
	s->ram = vm_ptr(&s->vm, RAM_BASE);
	s->stride = STRIDE;
	mmio_dev_init(&s->dev, GUEST_HOLE, WINDOW_PAGES * STRIDE);
}

void stage_create(struct stage *s, int bits, bool real)
{
	int page;

	memset(s, 0, sizeof(*s));
	s->bits = bits;
	s->real = real;
	vm_create(&s->vm);
	vcpu_create(&s->vm, &s->vcpu, 0);
	if (real)
		create_real_window(s);
	else
		create_window(s);
	for (page = 0; page < WINDOW_PAGES; page++)
		stage_set_page(s, page, 'r');
	set_handlers(s);
	set_mode(s);
	stage_reset(s);
}

void stage_destroy(struct stage *s)
{
	mmio_dev_free(&s->dev);
	vcpu_destroy(&s->vcpu);
	vm_destroy(&s->vm);
}

/* Back to the mode; the guest's view of its page tables is fresh. */
void stage_reset(struct stage *s)
{
	vcpu_set_sregs(&s->vcpu, &s->sregs);
}

/* Is it a form of this mode, and has the guest got it? */
bool stage_can(const struct stage *s, const struct form *f)
{
	return (int)f->bits == s->bits && !(f->kind & s->missing);
}

/* ---- vector registers -------------------------------------------------------------- */

#define XSAVE_MXCSR	24
#define XSAVE_XMM	160
#define XSAVE_HEADER	512
#define XSAVE_YMM	576

static __u64 components(const struct stage *s)
{
	return s->missing & FORM_AVX ? 3 : 7;
}

void stage_set_vectors(struct stage *s, __u64 seed)
{
	static struct mhv_fpu fpu;
	const __u16 fcw = 0x37f;
	const __u32 mxcsr = 0x1f80;
	__u64 header = components(s), low, high;
	unsigned int i;

	memset(&fpu, 0, sizeof(fpu));
	memcpy(fpu.xsave, &fcw, 2);
	memcpy(fpu.xsave + XSAVE_MXCSR, &mxcsr, 4);
	memcpy(fpu.xsave + XSAVE_HEADER, &header, 8);
	for (i = 0; i < 256; i += 8) {
		low = next_random(&seed);
		high = next_random(&seed);
		memcpy(fpu.xsave + XSAVE_XMM + i, &low, 8);
		if (header & 4)
			memcpy(fpu.xsave + XSAVE_YMM + i, &high, 8);
	}
	if (ioctl(s->vcpu.fd, MHV_SET_FPU, &fpu))
		die("MHV_SET_FPU");
}

/* A component in its initial state need not be stored: it is zero then. */
void stage_get_vectors(struct stage *s, struct outcome *o)
{
	static struct mhv_fpu fpu;
	__u64 header;

	if (ioctl(s->vcpu.fd, MHV_GET_FPU, &fpu))
		die("MHV_GET_FPU");
	memcpy(&header, fpu.xsave + XSAVE_HEADER, 8);
	if (header & 2)
		memcpy(o->vec, fpu.xsave + XSAVE_XMM, 256);
	if (header & 4)
		memcpy(o->vec + 256, fpu.xsave + XSAVE_YMM, 256);
}

/* ---- a run ------------------------------------------------------------------------- */

/* Outside of 64-bit mode there are eight registers of 32 bits. */
void stage_cut(const struct stage *s, struct mhv_regs *regs)
{
	__u64 *reg = &regs->rax;
	int i;

	for (i = 0; s->bits != 64 && i < 16; i++)
		reg[i] = i < 8 ? (__u32)reg[i] : 0;
}

static void take_frame(struct stage *s, struct outcome *o)
{
	__u64 sp = o->regs.rsp;

	if (s->bits == 64)
		memcpy(o->frame, vm_ptr(&s->vm, GUEST_IST - sizeof(o->frame)),
		       sizeof(o->frame));
	else if (s->bits == 32 && sp < GUEST_STACK)
		memcpy(o->frame, vm_ptr(&s->vm, sp), 16);
	else if (s->bits == 16)
		stage_copy_out(s, sp & 0xffff, o->frame, 16);
}

static void take_fault(struct stage *s, struct outcome *o)
{
	__u64 stubs = s->real ? stage_code(s, guest_fault_stubs) : GUEST_ADDR(guest_fault_stubs);

	o->vector = (o->regs.rip - stubs) / STUB_SIZE;
	if (o->vector == PF_VECTOR)
		o->cr2 = vcpu_sregs(&s->vcpu).cr2;
	take_frame(s, o);
}

/* Run what the registers say, to its end. */
void stage_run(struct stage *s, const struct mhv_regs *regs, struct outcome *o)
{
	int ret;

	memset(o, 0, sizeof(*o));
	vcpu_set_regs(&s->vcpu, regs);
	s->dev.requests = 0;
	s->dev.wrong = NULL;
	ret = mmio_run(&s->vcpu, &s->dev);
	o->exit = ret;
	o->requests = s->dev.requests;
	o->wrong = s->dev.wrong;
	if (ret == MHV_EXIT_IO) {
		o->exit = OUTCOME_PORT | s->vcpu.run->ioreq.addr;
		vcpu_done_io(&s->vcpu);
	}
	o->regs = vcpu_regs(&s->vcpu);
	if (o->exit == OUTCOME_FAULT)
		take_fault(s, o);
	/* A fault leaves other segments behind, and so may a failure. */
	if (o->exit != OUTCOME_DONE)
		stage_reset(s);
}

/* ---- comparing --------------------------------------------------------------------- */

static const char *const register_names[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
	"r12", "r13", "r14", "r15", "rip", "rflags",
};

#define NR_REGISTERS ARRAY_SIZE(register_names)

/* The first register that differs, NR_REGISTERS if none does */
static unsigned int find_register(const struct mhv_regs *a, const struct mhv_regs *b)
{
	const __u64 *x = &a->rax, *y = &b->rax;
	unsigned int i;

	for (i = 0; i < NR_REGISTERS && x[i] == y[i]; i++)
		;
	return i;
}

/* What is wrong with @got, NULL: nothing */
const char *outcome_differs(const struct outcome *want, const struct outcome *got)
{
	unsigned int reg = find_register(&want->regs, &got->regs);

	if (got->wrong)
		return got->wrong;
	if (want->exit != got->exit)
		return "exit";
	if (want->vector != got->vector)
		return "exception";
	if (reg < NR_REGISTERS)
		return register_names[reg];
	if (want->cr2 != got->cr2)
		return "cr2";
	if (memcmp(want->frame, got->frame, sizeof(want->frame)))
		return "exception frame";
	if (memcmp(want->mem, got->mem, sizeof(want->mem)))
		return "memory";
	if (memcmp(want->vec, got->vec, sizeof(want->vec)))
		return "vector registers";
	return NULL;
}

static void show_bytes(const char *what, const __u8 *want, const __u8 *got, size_t size)
{
	size_t i;

	for (i = 0; i < size && want[i] == got[i]; i++)
		;
	if (i < size)
		fprintf(stderr, "#   %s + %zu: wanted %02x, got %02x\n", what, i, want[i], got[i]);
}

static void show_outcome(const char *who, const struct outcome *o, unsigned int reg)
{
	fprintf(stderr, "#   %s: exit %#x vector %u cr2 %llx rip %llx", who, o->exit, o->vector,
		o->cr2, o->regs.rip);
	if (reg < NR_REGISTERS)
		fprintf(stderr, " %s %llx", register_names[reg], (&o->regs.rax)[reg]);
	fputc('\n', stderr);
}

/* Count a wrong outcome and, the first few times, say what is wrong. */
void stage_complain(struct stage *s, const char *name, const char *what,
		    const struct outcome *want, const struct outcome *got)
{
	unsigned int reg = find_register(&want->regs, &got->regs);

	if (s->complaints++ >= MAX_COMPLAINTS)
		return;
	fprintf(stderr, "# %d-bit%s mode, %s: wrong %s\n", s->bits, s->real ? " real" : "", name,
		what);
	show_outcome("RAM", want, reg);
	show_outcome("device", got, reg);
	show_bytes("frame", want->frame, got->frame, sizeof(want->frame));
	show_bytes("memory", want->mem, got->mem, sizeof(want->mem));
	show_bytes("vector registers", want->vec, got->vec, sizeof(want->vec));
	if (got->exit == MHV_EXIT_INSN)
		fprintf(stderr, "#   not emulated, gpa %llx\n", s->vcpu.run->insn.gpa);
	if (got->exit == MHV_EXIT_MMIO)
		fprintf(stderr, "#   request flags %x size %u count %u addr %llx\n",
			s->vcpu.run->ioreq.flags, s->vcpu.run->ioreq.size,
			s->vcpu.run->ioreq.count, s->vcpu.run->ioreq.addr);
}
