// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts, NMIs and exceptions: when they reach the guest, and how often. */
#include "mhv_test.h"

FIXTURE(events) {
	struct vm vm;
	struct vcpu vcpu;
};

FIXTURE_SETUP(events)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
}

FIXTURE_TEARDOWN(events)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

static void start(struct vcpu *vcpu, const void *code, __u64 rflags)
{
	vcpu_set_long(vcpu, code);
	vcpu_set_flags(vcpu, rflags);
	memset(vm_log(vcpu->vm), 0, sizeof(struct guest_log));
}

static struct mhv_vcpu_events get_events(struct vcpu *vcpu)
{
	struct mhv_vcpu_events events;

	if (ioctl(vcpu->fd, MHV_GET_EVENTS, &events))
		die("MHV_GET_EVENTS");
	return events;
}

static void set_events(struct vcpu *vcpu, const struct mhv_vcpu_events *events)
{
	if (ioctl(vcpu->fd, MHV_SET_EVENTS, events))
		die("MHV_SET_EVENTS");
}

static void count_is(struct __test_metadata *_metadata, struct vcpu *vcpu, __u64 want)
{
	EXPECT_EQ(want, vm_log(vcpu->vm)->count)
		vcpu_dump(vcpu);
}

/* ---- interrupts --------------------------------------------------------------- */

GUEST_ASM(guest_sti, 64,
	  G_REPORT
	  "sti\n"
	  "inc %rbx\n"			/* in the shadow of STI */
	  ".globl guest_sti_here\n"
	  "guest_sti_here:\n"
	  "nop\n"
	  G_REPORT
	  G_DONE);
GUEST_LABEL(guest_sti_here);

TEST_F(events, interrupt)
{
	static const __u8 vectors[] = { 0x10, 0x20, 0xff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		start(&self->vcpu, guest_sti, 0);
		GET_REPORT(&self->vcpu);
		EXPECT_EQ(0, self->vcpu.run->irq_ready);
		EXPECT_EQ(0, self->vcpu.run->irq_pending);
		ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, vectors[i]));
		EXPECT_EQ(1, get_events(&self->vcpu).irq_pending);
		EXPECT_EQ(vectors[i], get_events(&self->vcpu).irq_vector);
		GET_REPORT(&self->vcpu);
		EXPECT_EQ(1, self->vcpu.run->irq_ready);
		EXPECT_EQ(0, self->vcpu.run->irq_pending);
		ASSERT_LOGGED(&self->vcpu, 0, vectors[i], 0, GUEST_ADDR(guest_sti_here));
		EXPECT_NE(0, vm_log(&self->vm)->entry[0].rflags & RFLAGS_IF);
		ASSERT_DONE(&self->vcpu);
		count_is(_metadata, &self->vcpu, 1);
	}
}

GUEST_ASM(guest_irq_field, 64,
	  G_REPORT G_REPORT G_REPORT
	  "sti; nop; nop\n"
	  G_REPORT G_REPORT
	  G_DONE);

TEST_F(events, irq_field)
{
	struct mhv_run *run = self->vcpu.run;

	start(&self->vcpu, guest_irq_field, 0);
	GET_REPORT(&self->vcpu);
	run->irq = MHV_IRQ_VALID | 0x50;
	GET_REPORT(&self->vcpu);
	EXPECT_EQ(0, run->irq);
	EXPECT_EQ(1, run->irq_pending);
	run->irq = MHV_IRQ_VALID | 0x51;
	GET_REPORT(&self->vcpu);
	EXPECT_EQ(MHV_IRQ_VALID | 0x51, run->irq);
	EXPECT_EQ(1, run->irq_pending);
	GET_REPORT(&self->vcpu);
	GET_REPORT(&self->vcpu);
	EXPECT_EQ(0, run->irq);
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 2);
	EXPECT_EQ(0x50, vm_log(&self->vm)->entry[0].vector);
	EXPECT_EQ(0x51, vm_log(&self->vm)->entry[1].vector);
}

TEST_F(events, irq_window)
{
	struct mhv_run *run = self->vcpu.run;

	start(&self->vcpu, guest_sti, 0);
	run->request_irq_window = 1;
	GET_REPORT(&self->vcpu);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_IRQ_WINDOW);
	EXPECT_EQ(1, run->irq_ready);
	EXPECT_EQ(GUEST_ADDR(guest_sti_here), vcpu_regs(&self->vcpu).rip);
	/* It is open already: at once, and the guest does not move. */
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_IRQ_WINDOW);
	EXPECT_EQ(GUEST_ADDR(guest_sti_here), vcpu_regs(&self->vcpu).rip);
	run->request_irq_window = 0;
	run->irq = MHV_IRQ_VALID | 0x60;
	GET_REPORT(&self->vcpu);
	EXPECT_EQ(0, run->irq);
	ASSERT_LOGGED(&self->vcpu, 0, 0x60, 0, GUEST_ADDR(guest_sti_here));
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 1);
}

/* An instruction that exits, in the shadow of STI or MOV SS */
GUEST_ASM(guest_sti_out, 64,
	  "sti\n"
	  G_REPORT
	  ".globl guest_sti_out_here\n"
	  "guest_sti_out_here:\n"
	  "nop\n"
	  G_DONE);
GUEST_LABEL(guest_sti_out_here);

GUEST_ASM(guest_movss_out, 64,
	  "mov %ss, %ecx\n"
	  "sti\n"
	  "nop\n"
	  "mov %ecx, %ss\n"
	  G_REPORT
	  ".globl guest_movss_out_here\n"
	  "guest_movss_out_here:\n"
	  "nop\n"
	  G_DONE);
GUEST_LABEL(guest_movss_out_here);

TEST_F(events, shadow_ends_with_emulated_instruction)
{
	start(&self->vcpu, guest_sti_out, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x70));
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, 0x70, 0, GUEST_ADDR(guest_sti_out_here));

	start(&self->vcpu, guest_movss_out, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x71));
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, 0x71, 0, GUEST_ADDR(guest_movss_out_here));
}

GUEST_ASM(guest_nops, 64,
	  "nop\n"
	  ".globl guest_nops_1\n"
	  "guest_nops_1:\n"
	  "nop\n"
	  G_DONE);
GUEST_LABEL(guest_nops_1);

TEST_F(events, shadow_is_state)
{
	struct mhv_vcpu_events events = { .irq_pending = 1, .irq_vector = 0x72 };

	if (vm_is_shadowed(&self->vm))
		SKIP(return, "Bochs forgets the shadow of STI when the next fetch faults");
	start(&self->vcpu, guest_nops, RFLAGS_IF);
	set_events(&self->vcpu, &events);
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, 0x72, 0, GUEST_ADDR(guest_nops));

	start(&self->vcpu, guest_nops, RFLAGS_IF);
	events.sti_shadow = 1;
	set_events(&self->vcpu, &events);
	EXPECT_EQ(1, get_events(&self->vcpu).sti_shadow);
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, 0x72, 0, GUEST_ADDR(guest_nops_1));

	start(&self->vcpu, guest_nops, RFLAGS_IF);
	events.sti_shadow = 0;
	events.movss_shadow = 1;
	set_events(&self->vcpu, &events);
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, 0x72, 0, GUEST_ADDR(guest_nops_1));
}

/* ---- HLT ------------------------------------------------------------------------ */

GUEST_ASM(guest_sti_hlt, 64,
	  G_REPORT
	  "sti\n"
	  "hlt\n"
	  ".globl guest_sti_hlt_here\n"
	  "guest_sti_hlt_here:\n"
	  G_REPORT
	  G_DONE);
GUEST_LABEL(guest_sti_hlt_here);

TEST_F(events, interrupt_waits_before_hlt)
{
	/* The shadow of STI covers HLT, so the interrupt ends the halt. */
	start(&self->vcpu, guest_sti_hlt, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x33));
	GET_REPORT(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, 0x33, 0, GUEST_ADDR(guest_sti_hlt_here));
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 1);
}

TEST_F(events, interrupt_ends_hlt)
{
	start(&self->vcpu, guest_sti_hlt, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_HLT);
	EXPECT_EQ(1, self->vcpu.run->irq_ready);
	self->vcpu.run->irq = MHV_IRQ_VALID | 0x34;
	GET_REPORT(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, 0x34, 0, GUEST_ADDR(guest_sti_hlt_here));
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 1);
}

GUEST_ASM(guest_cli_hlt, 64,
	  "cli\n"
	  "hlt\n"
	  ".globl guest_cli_hlt_here\n"
	  "guest_cli_hlt_here:\n"
	  G_DONE);
GUEST_LABEL(guest_cli_hlt_here);

TEST_F(events, nmi_ends_hlt)
{
	start(&self->vcpu, guest_cli_hlt, 0);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_HLT);
	EXPECT_EQ(0, self->vcpu.run->irq_ready);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, NMI_VECTOR, 0, GUEST_ADDR(guest_cli_hlt_here));
	count_is(_metadata, &self->vcpu, 1);
}

/* ---- NMIs ------------------------------------------------------------------------ */

GUEST_ASM(guest_two_reports, 64,
	  G_REPORT
	  ".globl guest_two_reports_here\n"
	  "guest_two_reports_here:\n"
	  "nop\n"
	  G_REPORT
	  G_DONE);
GUEST_LABEL(guest_two_reports_here);

/*
 * Reports where it came from, then that it is about to return.  No access to the
 * stack lies between the last report and IRET.
 */
GUEST_ASM(guest_nmi_handler, 64,
	  "mov (%rsp), %eax\n"
	  G_REPORT
	  "cpuid\n"
	  "mov $0x101, %eax\n"
	  G_REPORT
	  "iretq\n");

TEST_F(events, nmi)
{
	start(&self->vcpu, guest_two_reports, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	EXPECT_EQ(1, get_events(&self->vcpu).nmi_pending);
	GET_REPORT(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, NMI_VECTOR, 0, GUEST_ADDR(guest_two_reports_here));
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 1);
}

/* Take the host's mapping of a guest page away; the content stays. */
static void hide(struct vm *vm, __u64 gpa)
{
	if (mprotect(vm_ptr(vm, gpa & -PAGE_SIZE), PAGE_SIZE, PROT_NONE))
		die("mprotect");
}

static void show(struct vm *vm, __u64 gpa)
{
	if (mprotect(vm_ptr(vm, gpa & -PAGE_SIZE), PAGE_SIZE, PROT_READ | PROT_WRITE))
		die("mprotect");
}

static void nmi_in_handler(struct __test_metadata *_metadata, struct vcpu *vcpu,
			   bool fault_in_iret)
{
	const __u32 here = GUEST_ADDR(guest_two_reports_here);

	vm_set_gate(vcpu->vm, NMI_VECTOR, GUEST_ADDR(guest_nmi_handler), 0, 0);
	start(vcpu, guest_two_reports, 0);
	GET_REPORT(vcpu);
	ASSERT_EQ(0, vcpu_inject(vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	ASSERT_REPORT(vcpu, here);
	EXPECT_EQ(1, get_events(vcpu).nmi_blocked);
	EXPECT_EQ(0, get_events(vcpu).nmi_pending);
	ASSERT_EQ(0, vcpu_inject(vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	EXPECT_EQ(-EBUSY, vcpu_inject(vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	ASSERT_REPORT(vcpu, 0x101);
	EXPECT_EQ(1, get_events(vcpu).nmi_pending);
	if (fault_in_iret) {
		hide(vcpu->vm, GUEST_STACK - 16);
		show(vcpu->vm, GUEST_STACK - 16);
	}
	/* The second one comes when IRET is through, not inside the handler. */
	ASSERT_REPORT(vcpu, here);
	EXPECT_EQ(1, get_events(vcpu).nmi_blocked);
	EXPECT_EQ(0, get_events(vcpu).nmi_pending);
	ASSERT_REPORT(vcpu, 0x101);
	GET_REPORT(vcpu);
	EXPECT_EQ(0, get_events(vcpu).nmi_blocked);
	ASSERT_DONE(vcpu);
}

TEST_F(events, nmi_in_nmi_handler)
{
	nmi_in_handler(_metadata, &self->vcpu, false);
}

TEST_F(events, nmi_with_fault_in_iret)
{
	nmi_in_handler(_metadata, &self->vcpu, true);
}

GUEST_ASM(guest_iret, 64,
	  "mov %rsp, %rax\n"
	  "mov %ss, %ecx\n"
	  "push %rcx\n"
	  "push %rax\n"
	  "pushfq\n"
	  "mov %cs, %ecx\n"
	  "push %rcx\n"
	  "lea 1f(%rip), %rax\n"
	  "push %rax\n"
	  G_REPORT
	  "iretq\n"
	  ".globl guest_iret_here\n"
	  "guest_iret_here:\n"
	  "1: nop\n"
	  G_DONE);
GUEST_LABEL(guest_iret_here);

TEST_F(events, nmi_blocking_is_state)
{
	struct mhv_vcpu_events events = { .nmi_blocked = 1 };

	start(&self->vcpu, guest_iret, 0);
	set_events(&self->vcpu, &events);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	GET_REPORT(&self->vcpu);
	count_is(_metadata, &self->vcpu, 0);
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, NMI_VECTOR, 0, GUEST_ADDR(guest_iret_here));
	count_is(_metadata, &self->vcpu, 1);
}

TEST_F(events, nmi_before_interrupt)
{
	start(&self->vcpu, guest_two_reports, RFLAGS_IF);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x44));
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	GET_REPORT(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, NMI_VECTOR, 0, GUEST_ADDR(guest_two_reports_here));
	ASSERT_LOGGED(&self->vcpu, 1, 0x44, 0, GUEST_ADDR(guest_two_reports_here));
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 2);
}

/* ---- exceptions from user space ----------------------------------------------------- */

TEST_F(events, exceptions)
{
	static const struct mhv_event exceptions[] = {
		{ .vector = DE_VECTOR },
		{ .vector = BP_VECTOR },
		{ .vector = OF_VECTOR },
		{ .vector = BR_VECTOR },
		{ .vector = UD_VECTOR },
		{ .vector = NM_VECTOR },
		{ .vector = DF_VECTOR, .has_error = 1 },
		{ .vector = TS_VECTOR, .has_error = 1, .error_code = 0x38 },
		{ .vector = NP_VECTOR, .has_error = 1, .error_code = 0x10 },
		{ .vector = SS_VECTOR, .has_error = 1, .error_code = 0x28 },
		{ .vector = GP_VECTOR, .has_error = 1, .error_code = 0xfff8 },
		{ .vector = PF_VECTOR, .has_error = 1, .error_code = 6,
		  .address = 0xffff888000123456 },
		{ .vector = MF_VECTOR },
		{ .vector = AC_VECTOR, .has_error = 1 },
		{ .vector = 18 },
		{ .vector = 19 },
	};
	struct mhv_event event;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(exceptions); i++) {
		event = exceptions[i];
		event.type = MHV_EVENT_EXCEPTION;
		start(&self->vcpu, guest_two_reports, 0);
		GET_REPORT(&self->vcpu);
		ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_INJECT, &event)))
			TH_LOG("vector %u", event.vector);
		EXPECT_EQ(1, get_events(&self->vcpu).exception_pending);
		EXPECT_EQ(event.vector, get_events(&self->vcpu).exception_vector);
		GET_REPORT(&self->vcpu);
		ASSERT_LOGGED(&self->vcpu, 0, event.vector, event.error_code,
			      GUEST_ADDR(guest_two_reports_here));
		EXPECT_EQ(event.address, vm_log(&self->vm)->entry[0].cr2);
		ASSERT_DONE(&self->vcpu);
		count_is(_metadata, &self->vcpu, 1);
	}
}

/* ---- an exit in the middle of delivery ------------------------------------------------ */

/* Each reports (an instruction of two bytes), raises its event and ends. */
#define HERE(code)		(GUEST_ADDR(code) + 2)
#define RAISE(name, insn)	GUEST_ASM(guest_raise_##name, 64, G_REPORT insn "\n" G_DONE)

RAISE(nothing, "nop");
RAISE(ud, "ud2");
RAISE(int3, "int3");
RAISE(int80, "int $0x80");
RAISE(int1, ".byte 0xf1");
RAISE(pf, "movabs 0x40000000, %al");
RAISE(gp, "rdmsr");

enum source { GUEST_FAULT, GUEST_TRAP, INJECTED };

struct delivery {
	const char *what;
	const void *code;
	enum source source;
	__u8 length;		/* of the instruction that raises it */
	__u8 vector;
	__u32 error;
	__u8 type;		/* of what is injected */
};

static const struct delivery deliveries[] = {
	{ "interrupt", guest_raise_nothing, INJECTED, 0, 0x91, 0, MHV_EVENT_INTERRUPT },
	{ "NMI", guest_raise_nothing, INJECTED, 0, NMI_VECTOR, 0, MHV_EVENT_NMI },
	{ "injected #GP", guest_raise_nothing, INJECTED, 0, GP_VECTOR, 0x28,
	  MHV_EVENT_EXCEPTION },
	{ "#UD", guest_raise_ud, GUEST_FAULT, 2, UD_VECTOR, 0, 0 },
	{ "#PF", guest_raise_pf, GUEST_FAULT, 9, PF_VECTOR, 0, 0 },
	{ "#GP of RDMSR", guest_raise_gp, GUEST_FAULT, 2, GP_VECTOR, 0, 0 },
	{ "INT3", guest_raise_int3, GUEST_TRAP, 1, BP_VECTOR, 0, 0 },
	{ "INT 0x80", guest_raise_int80, GUEST_TRAP, 2, 0x80, 0, 0 },
	{ "INT1", guest_raise_int1, GUEST_TRAP, 1, DB_VECTOR, 0, 0 },
};

static const __u64 delivery_pages[] = { GUEST_STACK - 16, GUEST_IDT, GUEST_GDT };

static void deliver_start(struct __test_metadata *_metadata, struct vcpu *vcpu,
			  const struct delivery *d)
{
	struct mhv_event event = {
		.type = d->type,
		.vector = d->vector,
		.has_error = d->error != 0,
		.error_code = d->error,
	};
	struct mhv_regs regs;
	__u64 *pd = vm_ptr(vcpu->vm, GUEST_PD);

	pd[512] = 0;
	start(vcpu, d->code, RFLAGS_IF);
	regs = vcpu_regs(vcpu);
	regs.rcx = 0xdeadbeef;
	vcpu_set_regs(vcpu, &regs);
	if (d->source == GUEST_FAULT)
		vm_log(vcpu->vm)->skip[d->vector] = d->length;
	GET_REPORT(vcpu);
	if (d->source == INJECTED)
		ASSERT_EQ(0, RET(ioctl(vcpu->fd, MHV_INJECT, &event)));
}

static void deliver_check(struct __test_metadata *_metadata, struct vcpu *vcpu,
			  const struct delivery *d)
{
	__u64 rip = HERE(d->code) + (d->source == GUEST_TRAP ? d->length : 0);

	EXPECT_EQ(1, vm_log(vcpu->vm)->count)
		TH_LOG("%s", d->what);
	ASSERT_LOGGED(vcpu, 0, d->vector, d->error, rip);
	if (d->vector == PF_VECTOR)
		EXPECT_EQ(0x40000000, vm_log(vcpu->vm)->entry[0].cr2);
}

/* The pages are there, mhv has only forgotten them: user space sees nothing. */
TEST_F(events, delivery_meets_unmapped_page)
{
	const unsigned int pages = ARRAY_SIZE(delivery_pages);
	unsigned int i, which, page;

	/* One page after the other, then all of them at once */
	for (i = 0; i < ARRAY_SIZE(deliveries) * (pages + 1); i++) {
		which = i % (pages + 1);
		deliver_start(_metadata, &self->vcpu, &deliveries[i / (pages + 1)]);
		for (page = 0; page < pages; page++) {
			if (which != page && which != pages)
				continue;
			hide(&self->vm, delivery_pages[page]);
			show(&self->vm, delivery_pages[page]);
		}
		ASSERT_DONE(&self->vcpu);
		deliver_check(_metadata, &self->vcpu, &deliveries[i / (pages + 1)]);
	}
}

/* The pages cannot be had: MHV_RUN ends in the middle of delivery. */
TEST_F(events, delivery_leaves_to_user_space)
{
	unsigned int i, page;
	__u64 gpa;

	for (i = 0; i < ARRAY_SIZE(deliveries); i++) {
		for (page = 0; page < 3; page++) {
			gpa = delivery_pages[page] & -PAGE_SIZE;
			deliver_start(_metadata, &self->vcpu, &deliveries[i]);
			hide(&self->vm, gpa);
			ASSERT_EXIT(&self->vcpu, MHV_EXIT_MEMORY_FAULT);
			EXPECT_EQ(gpa, self->vcpu.run->memory_fault.gpa & -PAGE_SIZE);
			count_is(_metadata, &self->vcpu, 0);
			if (deliveries[i].type == MHV_EVENT_INTERRUPT &&
			    deliveries[i].source == INJECTED) {
				EXPECT_EQ(1, get_events(&self->vcpu).irq_pending);
				EXPECT_EQ(0x91, get_events(&self->vcpu).irq_vector);
			}
			show(&self->vm, gpa);
			ASSERT_DONE(&self->vcpu);
			deliver_check(_metadata, &self->vcpu, &deliveries[i]);
		}
	}
}

GUEST_ASM(guest_into, 32,
	  G_REPORT
	  "mov $0x7fffffff, %eax\n"
	  "inc %eax\n"
	  "into\n"
	  ".globl guest_into_here\n"
	  "guest_into_here:\n"
	  G_DONE
	  ".globl guest_into_handler\n"
	  "guest_into_handler:\n"
	  "mov (%esp), %eax\n"
	  G_REPORT
	  "iret\n");
GUEST_LABEL(guest_into_here);
GUEST_LABEL(guest_into_handler);

TEST_F(events, delivery_of_into)
{
	__u32 *gate = (__u32 *)vm_ptr(&self->vm, GUEST_IDT32) + OF_VECTOR * 2;
	__u32 handler = GUEST_ADDR(guest_into_handler);
	static const __u64 pages[] = { GUEST_STACK - 16, GUEST_IDT32, GUEST_GDT };
	unsigned int i;

	gate[0] = SEL_CODE32 << 16 | (handler & 0xffff);
	gate[1] = (handler & 0xffff0000) | 0x8e00;
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		vcpu_set_prot32(&self->vcpu, guest_into, FLAT32);
		GET_REPORT(&self->vcpu);
		hide(&self->vm, pages[i]);
		show(&self->vm, pages[i]);
		ASSERT_REPORT(&self->vcpu, GUEST_ADDR(guest_into_here));
		ASSERT_DONE(&self->vcpu);
	}
}

/* An interrupt for another CPU to deliver: the state moves with it. */
TEST_F(events, pending_event_moves)
{
	struct mhv_vcpu_events events;
	struct mhv_sregs sregs;
	struct mhv_regs regs;
	struct vcpu other;

	start(&self->vcpu, guest_sti, 0);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x92));
	events = get_events(&self->vcpu);
	sregs = vcpu_sregs(&self->vcpu);
	regs = vcpu_regs(&self->vcpu);
	vcpu_create(&self->vm, &other, 1);
	vcpu_set_sregs(&other, &sregs);
	vcpu_set_regs(&other, &regs);
	set_events(&other, &events);
	GET_REPORT(&other);
	GET_REPORT(&other);
	ASSERT_DONE(&other);
	ASSERT_LOGGED(&other, 0, 0x92, 0, GUEST_ADDR(guest_sti_here));
	count_is(_metadata, &other, 1);
	vcpu_destroy(&other);
}

TEST_F(events, idt_in_device_memory)
{
	struct mhv_sregs s;

	/* Nothing sensible can come of it; it has to end, and the VM to live on. */
	start(&self->vcpu, guest_raise_ud, 0);
	s = vcpu_sregs(&self->vcpu);
	s.idt.base = GUEST_HOLE;
	vcpu_set_sregs(&self->vcpu, &s);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, vcpu_run(&self->vcpu));
	EXPECT_NE(MHV_EXIT_NONE, self->vcpu.run->exit);
	EXPECT_NE(MHV_EXIT_IO, self->vcpu.run->exit);
	EXPECT_NE(MHV_EXIT_HLT, self->vcpu.run->exit);
}

/* ---- faults in the delivery of faults -------------------------------------------------- */

/* Mark a gate as not present. */
static void no_gate(struct vm *vm, int vector)
{
	__u64 *gate = vm_ptr(vm, GUEST_IDT);

	gate[vector * 2] &= ~BIT_ULL(47);
}

TEST_F(events, double_fault)
{
	static const struct {
		const void *code;
		__u8 vector, length;
	} cases[] = {
		{ guest_raise_gp, GP_VECTOR, 2 },
		{ guest_raise_pf, PF_VECTOR, 9 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		no_gate(&self->vm, cases[i].vector);
		start(&self->vcpu, cases[i].code, 0);
		((__u64 *)vm_ptr(&self->vm, GUEST_PD))[512] = 0;
		vm_log(&self->vm)->skip[DF_VECTOR] = cases[i].length;
		GET_REPORT(&self->vcpu);
		ASSERT_DONE(&self->vcpu);
		ASSERT_LOGGED(&self->vcpu, 0, DF_VECTOR, 0, HERE(cases[i].code));
		count_is(_metadata, &self->vcpu, 1);
	}
}

TEST_F(events, double_fault_of_injected)
{
	struct mhv_event event = {
		.type = MHV_EVENT_EXCEPTION, .vector = GP_VECTOR, .has_error = 1,
	};

	no_gate(&self->vm, GP_VECTOR);
	start(&self->vcpu, guest_two_reports, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_INJECT, &event)));
	GET_REPORT(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, DF_VECTOR, 0, GUEST_ADDR(guest_two_reports_here));
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 1);
}

TEST_F(events, no_gate_for_event)
{
	__u64 error;

	/* A benign exception and an interrupt: #NP with the gate's number */
	no_gate(&self->vm, UD_VECTOR);
	start(&self->vcpu, guest_raise_ud, 0);
	vm_log(&self->vm)->skip[NP_VECTOR] = 2;
	GET_REPORT(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 1);
	EXPECT_EQ(NP_VECTOR, vm_log(&self->vm)->entry[0].vector);
	error = vm_log(&self->vm)->entry[0].error;
	EXPECT_EQ(UD_VECTOR * 8 + 2, error & ~1ull);

	no_gate(&self->vm, 0x55);
	start(&self->vcpu, guest_two_reports, RFLAGS_IF);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x55));
	GET_REPORT(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, NP_VECTOR, 0x55 * 8 + 3,
		      GUEST_ADDR(guest_two_reports_here));
	ASSERT_DONE(&self->vcpu);
	count_is(_metadata, &self->vcpu, 1);
}

TEST_F(events, triple_fault)
{
	no_gate(&self->vm, GP_VECTOR);
	no_gate(&self->vm, DF_VECTOR);
	start(&self->vcpu, guest_raise_gp, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_SHUTDOWN);
}

/* ---- single step -------------------------------------------------------------------------- */

#define SET_TF	"pushfq; orq $0x100, (%rsp); popfq\n"
#define NO_TF	"pushfq; andq $~0x100, (%rsp); popfq\n"

/* One trap after each instruction, whether the CPU ran it or mhv did */
GUEST_ASM(guest_step, 64,
	  SET_TF
	  ".globl guest_step_here\n"
	  "guest_step_here:\n"
	  "cpuid\n"
	  "out %eax, $0x10\n"
	  "in $0x60, %al\n"
	  "nop\n"
	  "mov %cr4, %rax\n"
	  "xor $0x80, %al\n"
	  "mov %rax, %cr4\n"
	  "rdtsc\n"
	  "mov $0xc0000080, %ecx\n"
	  "rdmsr\n"
	  "wrmsr\n"
	  "wbinvd\n"
	  NO_TF
	  G_DONE);
GUEST_LABEL(guest_step_here);

TEST_F(events, single_step)
{
	static const int length[] = { 2, 2, 2, 1, 3, 2, 3, 2, 5, 2, 2, 2, 1, 8, 1 };
	struct guest_log *log = vm_log(&self->vm);
	__u64 rip = GUEST_ADDR(guest_step_here);
	unsigned int i;

	start(&self->vcpu, guest_step, 0);
	GET_REPORT(&self->vcpu);
	ASSERT_IO(&self->vcpu, 0, 0x60, 1);
	vcpu_done_io(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
	for (i = 0; i < ARRAY_SIZE(length); i++) {
		rip += length[i];
		ASSERT_LOGGED(&self->vcpu, i, DB_VECTOR, 0, rip);
	}
	EXPECT_EQ(ARRAY_SIZE(length), log->count);
	EXPECT_NE(0, vcpu_sregs(&self->vcpu).dr6 & 0x4000);
}
