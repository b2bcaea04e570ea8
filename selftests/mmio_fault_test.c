// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions of instructions that also touch a device: the same as on RAM, at the same
 * moment.  And what the CPU would do after an instruction, done after an emulated one.
 */
#include "mhv_test.h"
#include "mmio_stage.h"

#define HIGH	0x800000000000ull	/* the first address that is not canonical */

/* A piece of code, its registers, what it finds in memory, and what must come of it */
struct fault_case {
	const char *what;
	const void *code;
	__u64 rsi, rdi, rsp, rcx;
	__u64 mem;			/* in the first 8 bytes of the window */
	__u32 vector;			/* 0: none */
};

#define CODE(name, insn) GUEST_ASM(guest_fault_##name, 64, insn "\n" G_DONE)

CODE(movsb, "movsb");
CODE(movsq, "movsq");
CODE(rep_movsq, "rep movsq");
CODE(rep_stosq, "rep stosq");
CODE(cmpsq, "cmpsq");
CODE(push, "push (%rsi)");
CODE(push_fs, "pushw %fs:-0x1000(%rsi)");
CODE(pop, "pop (%rdi)");
CODE(call, "call *(%rsi)");
CODE(jmp, "jmp *(%rsi)");
CODE(ret, "ret");
CODE(movaps, "movaps (%rsi), %xmm0");
CODE(movntdq, "movntdq %xmm0, (%rdi)");
CODE(cmpxchg16b, "lock cmpxchg16b (%rdi)");
CODE(mov_high, "mov (%rsi), %rax");
CODE(mov_stack, "mov -8(%rbp), %rax");

#define AT(offset)	(FORM_WINDOW + (offset))
#define RAM_STACK	(GUEST_STACK - 0x100)

/* Page 0 is RAM or a device, page 1 not present, page 2 not writable */
static const struct fault_case cases[] = {
	{ "MOVS, no fault", guest_fault_movsb, AT(8), AT(0x20), RAM_STACK, 0, 1, 0 },
	{ "MOVS to not canonical", guest_fault_movsb, AT(8), HIGH, RAM_STACK, 0, 1, GP_VECTOR },
	{ "MOVS half canonical", guest_fault_movsq, AT(8), HIGH - 4, RAM_STACK, 0, 1, GP_VECTOR },
	{ "MOVS to absent", guest_fault_movsq, AT(8), AT(0x1008), RAM_STACK, 0, 1, PF_VECTOR },
	{ "MOVS to read-only", guest_fault_movsq, AT(8), AT(0x2008), RAM_STACK, 0, 1, PF_VECTOR },
	{ "MOVS from absent", guest_fault_movsq, AT(0x1008), AT(8), RAM_STACK, 0, 1, PF_VECTOR },
	{ "MOVS into absent", guest_fault_movsq, AT(8), AT(0xffc), RAM_STACK, 0, 1, PF_VECTOR },
	{ "MOVS out of absent", guest_fault_movsq, AT(0xffc), AT(8), RAM_STACK, 0, 1, PF_VECTOR },
	{ "REP MOVS into absent", guest_fault_rep_movsq, AT(0), AT(0xfe0), RAM_STACK, 9, 1,
	  PF_VECTOR },
	{ "REP MOVS out of absent", guest_fault_rep_movsq, AT(0xfe4), AT(0), RAM_STACK, 9, 1,
	  PF_VECTOR },
	{ "REP STOS into absent", guest_fault_rep_stosq, 0, AT(0xfe4), RAM_STACK, 9, 1,
	  PF_VECTOR },
	{ "CMPS with absent", guest_fault_cmpsq, AT(0), AT(0x1000), RAM_STACK, 0, 1, PF_VECTOR },
	{ "PUSH, stack not canonical", guest_fault_push, AT(0), 0, HIGH + 8, 0, 1, SS_VECTOR },
	{ "PUSH, stack absent", guest_fault_push, AT(0), 0, AT(0x1100), 0, 1, PF_VECTOR },
	{ "PUSH, stack read-only", guest_fault_push, AT(0), 0, AT(0x2100), 0, 1, PF_VECTOR },
	{ "PUSH, stack half absent", guest_fault_push, AT(0), 0, AT(0x1004), 0, 1, PF_VECTOR },
	{ "PUSH of 2 bytes", guest_fault_push_fs, AT(0), 0, AT(0x1001), 0, 1, PF_VECTOR },
	{ "POP to not canonical", guest_fault_pop, 0, HIGH, AT(0x100), 0, 1, GP_VECTOR },
	{ "POP to absent", guest_fault_pop, 0, AT(0x1000), AT(0x100), 0, 1, PF_VECTOR },
	{ "POP to read-only", guest_fault_pop, 0, AT(0x2000), AT(0x100), 0, 1, PF_VECTOR },
	{ "CALL of not canonical", guest_fault_call, AT(0), 0, RAM_STACK, 0, HIGH, GP_VECTOR },
	{ "CALL, stack absent", guest_fault_call, AT(0), 0, AT(0x1100), 0, 1, PF_VECTOR },
	{ "JMP to not canonical", guest_fault_jmp, AT(0), 0, RAM_STACK, 0, HIGH, GP_VECTOR },
	{ "RET to not canonical", guest_fault_ret, 0, 0, AT(0), 0, HIGH, GP_VECTOR },
	{ "MOVAPS misaligned", guest_fault_movaps, AT(8), 0, RAM_STACK, 0, 1, GP_VECTOR },
	{ "MOVAPS misaligned, into absent", guest_fault_movaps, AT(0xff8), 0, RAM_STACK, 0, 1,
	  GP_VECTOR },
	{ "MOVNTDQ misaligned", guest_fault_movntdq, 0, AT(4), RAM_STACK, 0, 1, GP_VECTOR },
	{ "CMPXCHG16B misaligned", guest_fault_cmpxchg16b, 0, AT(8), RAM_STACK, 0, 1,
	  GP_VECTOR },
	{ "MOV from not canonical", guest_fault_mov_high, HIGH, 0, RAM_STACK, 0, 1, GP_VECTOR },
	{ "MOV from not canonical, by rbp", guest_fault_mov_stack, HIGH, 0, RAM_STACK, 0, 1,
	  SS_VECTOR },
};

FIXTURE(fault) {
	struct stage s;
};

FIXTURE_SETUP(fault)
{
	stage_create(&self->s, 64, false);
}

FIXTURE_TEARDOWN(fault)
{
	stage_destroy(&self->s);
}

static void run_case(struct stage *s, const struct fault_case *c, char kind, struct outcome *o)
{
	const struct mhv_regs regs = {
		.rsi = c->rsi,
		.rdi = c->rdi,
		.rbp = c->rsi + 8,
		.rsp = c->rsp,
		.rcx = c->rcx,
		.rip = GUEST_ADDR(c->code),
		.rflags = RFLAGS_FIXED | 0x8d5,
	};
	__u64 seed = c - cases, mem;
	unsigned int i;

	stage_set_page(s, 0, kind);
	stage_set_page(s, 1, 'n');
	stage_set_page(s, 2, kind == 'r' ? 'R' : 'D');
	stage_reset(s);
	for (i = 0; i < PAGE_SIZE; i += 8) {
		mem = next_random(&seed);
		stage_copy_in(s, i, &mem, 8);
	}
	stage_copy_in(s, 0, &c->mem, 8);
	stage_run(s, &regs, o);
	stage_copy_out(s, 0, o->mem, 0x100);
	stage_copy_out(s, 0xfc0, o->mem + 0x100, 0x40);
}

TEST_F(fault, like_the_cpu)
{
	struct stage *s = &self->s;
	struct outcome want, got;
	const char *what;
	unsigned int i;
	__u32 exit;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		exit = cases[i].vector ? OUTCOME_FAULT : OUTCOME_DONE;
		run_case(s, &cases[i], 'r', &want);
		EXPECT_EQ(exit, want.exit)
			TH_LOG("%s", cases[i].what);
		EXPECT_EQ(cases[i].vector, want.vector)
			TH_LOG("%s", cases[i].what);
		run_case(s, &cases[i], 'd', &got);
		what = outcome_differs(&want, &got);
		if (what)
			stage_complain(s, cases[i].what, what, &want, &got);
	}
	EXPECT_EQ(0, s->complaints);
}

/* A device must not be read by an instruction that then faults on its other operand. */
TEST_F(fault, device_is_not_touched)
{
	static const char *const names[] = {
		"MOVS to not canonical", "MOVS to absent", "MOVS to read-only",
		"MOVS into absent", "PUSH, stack not canonical", "PUSH, stack absent",
		"PUSH, stack read-only", "POP to not canonical", "POP to absent",
		"POP to read-only", "CALL, stack absent", "CMPS with absent",
		"MOVAPS misaligned", "CMPXCHG16B misaligned",
	};
	struct outcome got;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		for (k = 0; strcmp(cases[k].what, names[i]); k++)
			ASSERT_GT(ARRAY_SIZE(cases), k + 1);
		run_case(&self->s, &cases[k], 'd', &got);
		EXPECT_EQ(0, got.requests)
			TH_LOG("%s", names[i]);
	}
}

/* ---- privilege 3 ------------------------------------------------------------------- */

#define CR0_AM		BIT_ULL(18)

static void enter_user(struct stage *s)
{
	vcpu_set_user(&s->vcpu, guest_fault_movsq);
	s->sregs = vcpu_sregs(&s->vcpu);
	s->sregs.cr0 |= CR0_AM;
	stage_reset(s);
}

static void run_user(struct stage *s, char kind, __u64 rsi, __u64 rdi, __u64 rflags,
		     struct outcome *o)
{
	const struct mhv_regs regs = {
		.rsi = rsi,
		.rdi = rdi,
		.rsp = GUEST_USTACK - 8,
		.rip = GUEST_ADDR(guest_fault_movsq),
		.rflags = RFLAGS_FIXED | RFLAGS_IOPL3 | rflags,
	};

	stage_set_page(s, 0, kind);
	stage_reset(s);
	stage_run(s, &regs, o);
}

TEST_F(fault, user_mode)
{
	struct stage *s = &self->s;
	static const struct {
		__u64 rsi, rdi, rflags;
		__u32 vector;
	} user[] = {
		{ AT(8), AT(0x20), 0, 0 },
		{ AT(8), AT(0x20), RFLAGS_AC, 0 },
		{ AT(9), AT(0x20), 0, 0 },
		{ AT(9), AT(0x20), RFLAGS_AC, AC_VECTOR },
		{ AT(8), AT(0x21), RFLAGS_AC, AC_VECTOR },
		/* Page 3 is the supervisor's. */
		{ AT(8), AT(0x3020), 0, PF_VECTOR },
		{ AT(0x3020), AT(8), 0, PF_VECTOR },
	};
	struct outcome want, got;
	const char *what;
	unsigned int i;

	s->pt[3] &= ~PTE_US;
	enter_user(s);
	for (i = 0; i < ARRAY_SIZE(user); i++) {
		run_user(s, 'r', user[i].rsi, user[i].rdi, user[i].rflags, &want);
		EXPECT_EQ(user[i].vector, want.vector)
			TH_LOG("case %u", i);
		run_user(s, 'd', user[i].rsi, user[i].rdi, user[i].rflags, &got);
		what = outcome_differs(&want, &got);
		if (what)
			stage_complain(s, "MOVS in user mode", what, &want, &got);
		/* Nothing may have been asked of the device when the answer was a fault. */
		if (user[i].vector)
			EXPECT_EQ(0, got.requests)
				TH_LOG("case %u", i);
	}
	EXPECT_EQ(0, s->complaints);
}

/* ---- segments ---------------------------------------------------------------------- */

GUEST_ASM(guest_fault_movsl_32, 32, "movsl\n" G_DONE);
GUEST_ASM(guest_fault_store_32, 32, "mov %eax, %fs:(%edi)\n" G_DONE);
GUEST_ASM(guest_fault_wrap_32, 32, "movl $0x11223344, %gs:(%edi)\n" G_DONE);

FIXTURE(segment) {
	struct stage s;
};

FIXTURE_SETUP(segment)
{
	stage_create(&self->s, 32, false);
}

FIXTURE_TEARDOWN(segment)
{
	stage_destroy(&self->s);
}

static void segment_case(struct stage *s, const void *code, __u64 rdi, __u32 vector,
			 struct __test_metadata *_metadata)
{
	const struct mhv_regs regs = {
		.rsi = AT(8),
		.rdi = rdi,
		.rax = 0x12345678,
		.rsp = GUEST_STACK - 0x100,
		.rip = GUEST_ADDR(code),
		.rflags = RFLAGS_FIXED,
	};
	struct outcome want, got;
	const char *what;

	stage_set_page(s, 0, 'r');
	stage_reset(s);
	stage_run(s, &regs, &want);
	EXPECT_EQ(vector, want.vector);
	stage_set_page(s, 0, 'd');
	stage_reset(s);
	stage_run(s, &regs, &got);
	what = outcome_differs(&want, &got);
	if (what)
		stage_complain(s, "segment", what, &want, &got);
}

TEST_F(segment, limits_and_rights)
{
	struct stage *s = &self->s;

	/* MOVS reads the device before it finds that the destination is no good. */
	s->sregs.es.base = AT(0);
	s->sregs.es.limit = 0x102;
	s->sregs.es.g = 0;
	segment_case(s, guest_fault_movsl_32, 0x80, 0, _metadata);
	segment_case(s, guest_fault_movsl_32, 0xff, 0, _metadata);
	segment_case(s, guest_fault_movsl_32, 0x100, GP_VECTOR, _metadata);
	/* Expand-down: what is above the limit */
	s->sregs.es.type = 7;
	segment_case(s, guest_fault_movsl_32, 0x103, 0, _metadata);
	segment_case(s, guest_fault_movsl_32, 0x102, GP_VECTOR, _metadata);
	/* Read-only data */
	s->sregs.es = s->sregs.ds;
	s->sregs.es.type = 1;
	segment_case(s, guest_fault_movsl_32, AT(0x80), GP_VECTOR, _metadata);
	s->sregs.es.unusable = 1;
	segment_case(s, guest_fault_movsl_32, AT(0x80), GP_VECTOR, _metadata);
	EXPECT_EQ(0, s->complaints);
}

/* Addresses go round at 4 GiB. */
TEST_F(segment, wrap)
{
	struct stage *s = &self->s;

	s->sregs.fs.base = 0xfffff000;
	segment_case(s, guest_fault_store_32, AT(0x1010), 0, _metadata);
	s->sregs.gs.base = 0xc0000000;
	segment_case(s, guest_fault_wrap_32, 0x80000010, 0, _metadata);
	EXPECT_EQ(0, s->complaints);
}

/* ---- after the instruction --------------------------------------------------------- */

GUEST_ASM(guest_fault_step, 64,
	  "int $0x41\n"
	  ".globl guest_fault_step_here\n"
	  "guest_fault_step_here:\n"
	  "mov %rax, (%rcx)\n"
	  "mov (%rcx), %rax\n"
	  G_DONE);

GUEST_LABEL(guest_fault_step_here);

GUEST_ASM(guest_fault_shadow, 64,
	  "nop\n"
	  "sti\n"
	  "mov %rax, (%rcx)\n"
	  ".globl guest_fault_after_shadow\n"
	  "guest_fault_after_shadow:\n"
	  "nop\n"
	  G_DONE);

GUEST_LABEL(guest_fault_after_shadow);

GUEST_ASM(guest_fault_break, 64,
	  "mov %rax, (%rcx)\n"
	  ".globl guest_fault_break_here\n"
	  "guest_fault_break_here:\n"
	  "nop\n"
	  "mov (%rcx), %rax\n"
	  ".globl guest_fault_break_there\n"
	  "guest_fault_break_there:\n"
	  "nop\n"
	  G_DONE);

GUEST_LABEL(guest_fault_break_here);
GUEST_LABEL(guest_fault_break_there);

FIXTURE(after) {
	struct vm vm;
	struct vcpu vcpu;
	struct mmio_dev dev;
};

FIXTURE_SETUP(after)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	mmio_dev_init(&self->dev, GUEST_HOLE, PAGE_SIZE);
}

FIXTURE_TEARDOWN(after)
{
	mmio_dev_free(&self->dev);
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* A debugger in the guest that steps over accesses to a device */
TEST_F(after, single_step)
{
	struct guest_log *log = vm_log(&self->vm);
	struct mhv_regs r;

	/* Without steps first: all that takes part is mapped, and decoded, then. */
	vcpu_start(&self->vcpu, guest_fault_step, 0x1234, GUEST_HOLE, 0);
	ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
	vcpu_start(&self->vcpu, guest_fault_step_here, 0x1234, GUEST_HOLE, 0);
	r = vcpu_regs(&self->vcpu);
	r.rflags |= RFLAGS_TF;
	vcpu_set_regs(&self->vcpu, &r);
	ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
	ASSERT_LE(2, log->count);
	ASSERT_LOGGED(&self->vcpu, 0, DB_VECTOR, 0, GUEST_ADDR(guest_fault_step_here) + 3);
	ASSERT_LOGGED(&self->vcpu, 1, DB_VECTOR, 0, GUEST_ADDR(guest_fault_step_here) + 6);
	EXPECT_EQ(2, self->dev.writes);
	EXPECT_EQ(2, self->dev.reads);
	EXPECT_EQ(0x1234, vcpu_regs(&self->vcpu).rax);
	/* BS in DR6 */
	EXPECT_NE(0, vcpu_sregs(&self->vcpu).dr6 & BIT_ULL(14));
}

/*
 * The exit for an access leaves RFLAGS.RF set, which holds off a breakpoint on the next
 * instruction unless it is cleared when the access is done.
 */
TEST_F(after, breakpoint)
{
	struct guest_log *log = vm_log(&self->vm);
	struct mhv_sregs s;
	int i;

	/* The second time the device and the instructions are known. */
	for (i = 1; i <= 3; i++) {
		vcpu_start(&self->vcpu, guest_fault_break, 0x1234, GUEST_HOLE, 0);
		s = vcpu_sregs(&self->vcpu);
		s.dr[0] = GUEST_ADDR(guest_fault_break_here);
		s.dr[1] = GUEST_ADDR(guest_fault_break_there);
		s.dr7 = BIT_ULL(10) | BIT_ULL(2) | BIT_ULL(0);
		vcpu_set_sregs(&self->vcpu, &s);
		log->skip[DB_VECTOR] = 1;
		ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
		ASSERT_EQ(2, log->count);
		ASSERT_LOGGED(&self->vcpu, 0, DB_VECTOR, 0, GUEST_ADDR(guest_fault_break_here));
		ASSERT_LOGGED(&self->vcpu, 1, DB_VECTOR, 0, GUEST_ADDR(guest_fault_break_there));
		EXPECT_EQ(i, self->dev.writes);
		EXPECT_EQ(i, self->dev.reads);
	}
}

/* STI holds interrupts until after the next instruction, also if that is emulated. */
TEST_F(after, interrupt_shadow)
{
	struct guest_log *log = vm_log(&self->vm);
	struct mhv_regs r;
	int i;

	/* The second time the device and the instruction are known. */
	for (i = 1; i <= 2; i++) {
		vcpu_start(&self->vcpu, guest_fault_shadow, 0x1234, GUEST_HOLE, 0);
		r = vcpu_regs(&self->vcpu);
		r.rflags &= ~RFLAGS_IF;
		vcpu_set_regs(&self->vcpu, &r);
		self->vcpu.run->irq = MHV_IRQ_VALID | 0x40;
		ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
		ASSERT_EQ(1, log->count);
		ASSERT_LOGGED(&self->vcpu, 0, 0x40, 0, GUEST_ADDR(guest_fault_after_shadow));
		EXPECT_EQ(i, self->dev.writes);
	}
}

/* An exception on the way does not come before an access that user space has done. */
TEST_F(after, event_while_outstanding)
{
	struct guest_log *log = vm_log(&self->vm);
	int i;

	for (i = 1; i <= 2; i++) {
		vcpu_start(&self->vcpu, guest_fault_step_here, 0x1234, GUEST_HOLE, 0);
		ASSERT_EXIT(&self->vcpu, MHV_EXIT_MMIO);
		ASSERT_TRUE(mmio_answer(&self->vcpu, &self->dev));
		ASSERT_EXIT(&self->vcpu, MHV_EXIT_MMIO);
		/* The read is outstanding: an NMI waits until it is complete. */
		ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_NMI, NMI_VECTOR));
		ASSERT_TRUE(mmio_answer(&self->vcpu, &self->dev));
		ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
		ASSERT_LOGGED(&self->vcpu, 0, NMI_VECTOR, 0,
			      GUEST_ADDR(guest_fault_step_here) + 6);
		EXPECT_EQ(1, log->count);
		EXPECT_EQ(i, self->dev.reads);
	}
}
