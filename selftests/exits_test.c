// SPDX-License-Identifier: GPL-2.0-only
/* Each kind of VM exit: what the guest sees of it, and what user space sees. */
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>

#include "mhv_test.h"

FIXTURE(exits) {
	struct vm vm;
	struct vcpu vcpu;
};

FIXTURE_SETUP(exits)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
}

FIXTURE_TEARDOWN(exits)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* Start 64-bit code with rax, rcx and rdx as given. */
static void start(struct vcpu *vcpu, const void *code, __u64 rax, __u64 rcx, __u64 rdx)
{
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	regs = vcpu_regs(vcpu);
	regs.rax = rax;
	regs.rcx = rcx;
	regs.rdx = rdx;
	vcpu_set_regs(vcpu, &regs);
	memset(vm_log(vcpu->vm), 0, sizeof(struct guest_log));
}

/* ---- CPUID ------------------------------------------------------------------ */

GUEST_ASM(guest_cpuid, 64, "cpuid\n" G_DONE);

TEST_F(exits, cpuid)
{
	static const __u32 leaves[][2] = {
		{ 0, 0 }, { 1, 0 }, { 4, 0 }, { 4, 1 }, { 7, 0 }, { 0xd, 0 },
		{ 0x40000000, 0 }, { 0x80000000, 0 }, { 0x80000001, 0 }, { 0x80000008, 0 },
	};
	const __u64 ones = 0xffffffff00000000;
	struct mhv_cpuid_entry want;
	struct mhv_regs r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (!vcpu_cpuid(&self->vcpu, leaves[i][0], leaves[i][1], &want))
			continue;
		start(&self->vcpu, guest_cpuid, ones | leaves[i][0], ones | leaves[i][1], ~0ull);
		ASSERT_DONE(&self->vcpu);
		r = vcpu_regs(&self->vcpu);
		EXPECT_EQ(want.eax, r.rax);
		/* EBX of leaf 1 and 0xd depends on the vCPU and on XCR0. */
		if (leaves[i][0] != 1 && leaves[i][0] != 0xd)
			EXPECT_EQ(want.ebx, r.rbx);
		EXPECT_EQ(want.ecx, r.rcx);
		EXPECT_EQ(want.edx, r.rdx);
	}
}

GUEST_ASM(guest_cpuid_osxsave, 64,
	  "mov $1, %eax\n"
	  "cpuid\n"
	  "mov %ecx, %eax\n"
	  G_REPORT
	  "mov %cr4, %rax\n"
	  "or $0x40000, %eax\n"
	  "mov %rax, %cr4\n"
	  "mov $1, %eax\n"
	  "cpuid\n"
	  "mov %ecx, %eax\n"
	  G_REPORT
	  G_DONE);

TEST_F(exits, cpuid_osxsave)
{
	struct mhv_cpuid_entry leaf;

	if (!vcpu_cpuid(&self->vcpu, 1, 0, &leaf) || !(leaf.ecx & BIT_ULL(26)))
		SKIP(return, "the guest has no XSAVE");
	start(&self->vcpu, guest_cpuid_osxsave, 0, 0, 0);
	EXPECT_EQ(0, GET_REPORT(&self->vcpu) & BIT_ULL(27));
	EXPECT_NE(0, GET_REPORT(&self->vcpu) & BIT_ULL(27));
	ASSERT_DONE(&self->vcpu);
}

/* ---- port accesses ------------------------------------------------------------ */

GUEST_ASM(guest_out, 64,
	  "mov $0x11223344, %eax\n"
	  "mov $0xabcd12f8, %edx\n"
	  "out %al, %dx\n"
	  "out %ax, %dx\n"
	  "out %eax, %dx\n"
	  "out %al, $0x80\n"
	  "out %ax, $0x80\n"
	  "out %eax, $0x80\n"
	  G_DONE);

TEST_F(exits, out)
{
	static const __u32 size[] = { 1, 2, 4 };
	static const __u64 data[] = { 0x44, 0x3344, 0x11223344 };
	int i;

	start(&self->vcpu, guest_out, 0, 0, 0);
	for (i = 0; i < 6; i++) {
		ASSERT_IO(&self->vcpu, MHV_IOREQ_WRITE, i < 3 ? 0x12f8 : 0x80, size[i % 3]);
		EXPECT_EQ(data[i % 3], self->vcpu.run->ioreq.data);
		vcpu_done_io(&self->vcpu);
	}
	ASSERT_DONE(&self->vcpu);
}

#define STORE_RAX(slot)	"mov %rax, " STR(GUEST_DATA) " + 8 * " #slot "\n" \
			"mov $-1, %rax\n"

GUEST_ASM(guest_in, 64,
	  "mov $-1, %rax\n"
	  "mov $0x1234, %edx\n"
	  "in %dx, %al\n" STORE_RAX(0)
	  "in %dx, %ax\n" STORE_RAX(1)
	  "in %dx, %eax\n" STORE_RAX(2)
	  "in $0x60, %al\n" STORE_RAX(3)
	  "in $0x60, %ax\n" STORE_RAX(4)
	  "in $0x60, %eax\n" STORE_RAX(5)
	  G_DONE);

TEST_F(exits, in)
{
	static const __u32 size[] = { 1, 2, 4 };
	static const __u64 want[] = { 0xffffffffffffff81, 0xffffffffffff8281, 0x84838281 };
	__u64 *data = vm_ptr(&self->vm, GUEST_DATA);
	int i;

	start(&self->vcpu, guest_in, 0, 0, 0);
	for (i = 0; i < 6; i++) {
		ASSERT_IO(&self->vcpu, 0, i < 3 ? 0x1234 : 0x60, size[i % 3]);
		/* The bytes past the size are not the guest's to see. */
		self->vcpu.run->ioreq.data = 0x8887868584838281;
		vcpu_done_io(&self->vcpu);
	}
	ASSERT_DONE(&self->vcpu);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(want[i % 3], data[i]);
}

TEST_F(exits, io_not_done_comes_again)
{
	int i;

	start(&self->vcpu, guest_in, 0, 0, 0);
	for (i = 0; i < 3; i++)
		ASSERT_IO(&self->vcpu, 0, 0x1234, 1);
	vcpu_done_io(&self->vcpu);
	ASSERT_IO(&self->vcpu, 0, 0x1234, 2);
}

TEST_F(exits, io_request_is_hostile)
{
	struct mhv_ioreq *req = &self->vcpu.run->ioreq;

	/* What user space writes into a slot it was given must not matter... */
	start(&self->vcpu, guest_in, 0, 0, 0);
	ASSERT_IO(&self->vcpu, 0, 0x1234, 1);
	*req = (struct mhv_ioreq){
		.state = MHV_IOREQ_DONE, .flags = ~0u, .size = ~0u, .count = ~0u,
		.addr = ~0ull, .data = 0x42,
	};
	ASSERT_IO(&self->vcpu, 0, 0x1234, 2);
	EXPECT_EQ(0xffffffffffffff42, *(__u64 *)vm_ptr(&self->vm, GUEST_DATA));
	/* ... nor into one that was not handed out. */
	start(&self->vcpu, guest_cpuid, 0, 0, 0);
	req->state = MHV_IOREQ_DONE;
	vcpu_run(&self->vcpu);
	start(&self->vcpu, guest_cpuid, 0, 0, 0);
	memset(req, 0xff, sizeof(*req));
	req->state = MHV_IOREQ_FREE;
	ASSERT_DONE(&self->vcpu);
}

/* ---- string port accesses ------------------------------------------------------ */

#define STRING(name, bits, insn) GUEST_ASM(guest_##name, bits, insn "\n" G_DONE)

STRING(outsb, 64, "rep outsb");
STRING(outsw, 64, "rep outsw");
STRING(outsl, 64, "rep outsl");
STRING(insb, 64, "rep insb");
STRING(insw, 64, "rep insw");
STRING(insl, 64, "rep insl");
STRING(one_outsl, 64, "outsl");
STRING(one_insw, 64, "insw");
STRING(outsb_fs, 64, "rep outsb %fs:(%rsi), %dx");
STRING(outsw_a32, 64, "rep outsw %ds:(%esi), %dx");
STRING(insb_a32, 64, "addr32 rep insb");
STRING(outsl_32, 32, "rep outsl");
STRING(outsb_es_32, 32, "rep outsb %es:(%esi), %dx");
STRING(insl_32, 32, "rep insl");
STRING(outsb_16, 16, "rep outsb");
STRING(outsw_16, 16, "rep outsw");
STRING(insb_16, 16, "rep insb");
STRING(outsl_16, 16, "rep outsl");

#define STRING_PORT	0x3f0
#define STRING_BYTES	0x10000

struct string_case {
	const void *code;
	int bits;
	__u32 size;		/* bytes of one element */
	bool in;
	bool single;		/* no REP prefix */
	__u64 start;		/* rsi or rdi */
	__u64 count;		/* rcx */
	__u64 base;		/* what the segment adds */
};

static __u8 pattern(unsigned int i)
{
	return i * 7 + (i >> 8) + 1;
}

/* Move one request's bytes from or to @buffer; the number of bytes. */
static unsigned int string_request(struct vcpu *vcpu, __u8 *buffer)
{
	struct mhv_ioreq *req = &vcpu->run->ioreq;
	unsigned int bytes = req->size * req->count;
	void *data = req->flags & MHV_IOREQ_STRING ? vcpu->data : (void *)&req->data;

	if (bytes > MHV_DATA_SIZE)
		die("a string request of %u bytes", bytes);
	if (req->flags & MHV_IOREQ_WRITE)
		memcpy(buffer, data, bytes);
	else
		memcpy(data, buffer, bytes);
	vcpu_done_io(vcpu);
	return bytes;
}

/* Run to PORT_DONE with string requests on the way; the bytes moved, -1: wrong */
static long string_run(struct vcpu *vcpu, const struct string_case *c, bool down,
		       __u8 *buffer)
{
	const struct mhv_ioreq *req = &vcpu->run->ioreq;
	long bytes = 0;

	for (;;) {
		if (vcpu_run(vcpu) || vcpu->run->exit != MHV_EXIT_IO)
			return -1;
		if (req->addr == PORT_DONE) {
			vcpu_done_io(vcpu);
			return bytes;
		}
		if (req->addr != STRING_PORT || req->size != c->size || !req->count)
			return -1;
		if (!!(req->flags & MHV_IOREQ_WRITE) == c->in)
			return -1;
		if (req->flags & MHV_IOREQ_STRING &&
		    !!(req->flags & MHV_IOREQ_DOWN) != down)
			return -1;
		bytes += string_request(vcpu, buffer + bytes);
		if (bytes > STRING_BYTES - MHV_DATA_SIZE)
			return -1;
	}
}

/* Where byte @i of the transfer lies in guest memory */
static __u64 string_address(const struct string_case *c, bool down, unsigned int i)
{
	__u64 element = i / c->size * c->size;
	__u64 offset = (down ? c->start - element : c->start + element) + i % c->size;

	if (c->bits == 16)
		offset &= 0xffff;
	else
		offset &= 0xffffffff;	/* all test memory lies low */
	return c->base + offset;
}

static void string_start(struct vcpu *vcpu, const struct string_case *c, bool down)
{
	struct mhv_sregs s;
	struct mhv_regs r;

	if (c->bits == 64)
		vcpu_set_long(vcpu, c->code);
	else if (c->bits == 32)
		vcpu_set_prot32(vcpu, c->code, PAE32);
	else
		vcpu_set_real(vcpu, c->code);
	s = vcpu_sregs(vcpu);
	if (c->bits == 16) {
		s.ds.base = c->base;
		s.ds.selector = c->base >> 4;
		s.es = s.ds;
	} else {
		s.fs.base = c->base;
		s.es.base = c->base;
	}
	vcpu_set_sregs(vcpu, &s);
	r = vcpu_regs(vcpu);
	r.rsi = c->start;
	r.rdi = c->start;
	r.rcx = c->count;
	r.rdx = STRING_PORT;
	r.rflags |= down ? RFLAGS_DF : 0;
	vcpu_set_regs(vcpu, &r);
}

/* The index register after the transfer, and the count */
static bool string_registers(struct vcpu *vcpu, const struct string_case *c, bool down)
{
	struct mhv_regs r = vcpu_regs(vcpu);
	__u64 count = c->single ? 1 : (__u32)c->count;
	__u64 want = down ? c->start - count * c->size : c->start + count * c->size;
	__u64 got = c->in ? r.rdi : r.rsi;

	if (c->bits == 16)
		return (__u16)got == (__u16)want && (__u16)r.rcx == 0;
	if (c->bits == 32)
		return (__u32)got == (__u32)want && (__u32)r.rcx == 0;
	/* With 32-bit addresses the upper half of what changes becomes zero. */
	if (c->start >> 32)
		want = (__u32)want;
	return got == want && r.rcx == (c->single ? c->count : 0);
}

static const char *string_check(struct vcpu *vcpu, const struct string_case *c, bool down)
{
	unsigned int i, want = (c->single ? 1 : (__u32)c->count) * c->size;
	__u8 *buffer = calloc(1, STRING_BYTES);
	const char *wrong = NULL;

	for (i = 0; i < want; i++) {
		if (c->in)
			buffer[i] = pattern(i);
		*(__u8 *)vm_ptr(vcpu->vm, string_address(c, down, i)) =
			c->in ? 0 : pattern(i);
	}
	string_start(vcpu, c, down);
	if (string_run(vcpu, c, down, buffer) != want)
		wrong = "requests";
	for (i = 0; !wrong && i < want; i++)
		if (buffer[i] != *(__u8 *)vm_ptr(vcpu->vm, string_address(c, down, i)) ||
		    buffer[i] != pattern(i))
			wrong = "data";
	if (!wrong && !string_registers(vcpu, c, down))
		wrong = "registers";
	free(buffer);
	return wrong;
}

TEST_F(exits, string_io)
{
	const __u64 high = 0xabcdef0100000000, mem = GUEST_FREE + 0x1ffc;
	const struct string_case cases[] = {
		{ guest_outsb, 64, 1, false, false, mem, 10, 0 },
		{ guest_outsw, 64, 2, false, false, mem, 10, 0 },
		{ guest_outsl, 64, 4, false, false, mem, 10, 0 },
		{ guest_outsl, 64, 4, false, false, mem + 1, 10, 0 },
		{ guest_insb, 64, 1, true, false, mem, 10, 0 },
		{ guest_insw, 64, 2, true, false, mem + 3, 10, 0 },
		{ guest_insl, 64, 4, true, false, mem - 2, 10, 0 },
		{ guest_outsb, 64, 1, false, false, mem, 0, 0 },
		{ guest_insl, 64, 4, true, false, mem, 0, 0 },
		{ guest_outsl, 64, 4, false, false, GUEST_FREE + 0x8001, 4000, 0 },
		{ guest_insw, 64, 2, true, false, GUEST_FREE + 0x8001, 5000, 0 },
		{ guest_one_outsl, 64, 4, false, true, mem + 2, 99, 0 },
		{ guest_one_insw, 64, 2, true, true, mem + 3, 99, 0 },
		{ guest_outsb_fs, 64, 1, false, false, 0x123, 20, mem },
		{ guest_outsw_a32, 64, 2, false, false, high | mem, high | 10, 0 },
		{ guest_insb_a32, 64, 1, true, false, high | mem, high | 10, 0 },
		{ guest_outsl_32, 32, 4, false, false, mem, 10, 0 },
		{ guest_outsb_es_32, 32, 1, false, false, 0x345, 10, mem },
		{ guest_insl_32, 32, 4, true, false, 0x346, 10, mem },
		{ guest_outsb_16, 16, 1, false, false, 0xfffa, 10, 0x30000 },
		{ guest_outsw_16, 16, 2, false, false, 0x0ffe, 10, 0x30000 },
		{ guest_insb_16, 16, 1, true, false, 0xfffa, 10, 0x30000 },
		{ guest_outsl_16, 16, 4, false, false, 0x1001, 10, 0x30000 },
	};
	const char *wrong;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		/* 16 bits are real mode here */
		if (cases[i / 2].bits == 16 && vm_is_shadowed(&self->vm))
			continue;
		wrong = string_check(&self->vcpu, &cases[i / 2], i % 2);
		ASSERT_EQ(NULL, wrong) {
			TH_LOG("case %u, direction %u: wrong %s", i / 2, i % 2, wrong);
			vcpu_dump(&self->vcpu);
		}
	}
}

GUEST_ASM(guest_ins_fault, 64,
	  "mov $" STR(STRING_PORT) ", %edx\n"
	  "insl\n"
	  G_DONE);

TEST_F(exits, string_io_page_fault)
{
	__u64 *pd = vm_ptr(&self->vm, GUEST_PD);
	struct mhv_regs r;

	/* INS to a page the guest has not mapped: the fault is the guest's. */
	start(&self->vcpu, guest_ins_fault, 0, 0, 0);
	vm_log(&self->vm)->skip[PF_VECTOR] = 1;
	pd[512] = 0;
	r = vcpu_regs(&self->vcpu);
	r.rdi = 0x40000010;
	vcpu_set_regs(&self->vcpu, &r);
	ASSERT_EQ(0, vcpu_run(&self->vcpu));
	if (self->vcpu.run->ioreq.addr == STRING_PORT) {
		vcpu_done_io(&self->vcpu);
		ASSERT_EQ(0, vcpu_run(&self->vcpu));
	}
	ASSERT_EQ(PORT_DONE, self->vcpu.run->ioreq.addr);
	ASSERT_LOGGED(&self->vcpu, 0, PF_VECTOR, 2, GUEST_ADDR(guest_ins_fault) + 5);
	EXPECT_EQ(0x40000010, vm_log(&self->vm)->entry[0].cr2);
	EXPECT_EQ(1, vm_log(&self->vm)->count);
}

/* ---- instructions that fault ------------------------------------------------------ */

#define FAULT(name, insn) GUEST_ASM(guest_##name, 64, insn "\n" G_DONE)

FAULT(vmcall, "vmcall");
FAULT(vmlaunch, "vmlaunch");
FAULT(vmresume, "vmresume");
FAULT(vmxoff, "vmxoff");
FAULT(vmxon, "vmxon (%rsp)");
FAULT(vmclear, "vmclear (%rsp)");
FAULT(vmptrld, "vmptrld (%rsp)");
FAULT(vmread, "vmread %rax, %rcx");
FAULT(vmwrite, "vmwrite %rax, %rcx");
FAULT(invept, "invept (%rsp), %rax");
FAULT(invvpid, "invvpid (%rsp), %rax");
FAULT(vmfunc, "vmfunc");
FAULT(monitor, "monitor");
FAULT(mwait, "mwait");
FAULT(getsec, "getsec");
FAULT(rdpmc, "rdpmc");
FAULT(rdmsr, "rdmsr");
FAULT(wrmsr, "wrmsr");
FAULT(to_cr0, "mov %rax, %cr0");
FAULT(to_cr3, "mov %rax, %cr3");
FAULT(to_cr4, "mov %rax, %cr4");
FAULT(to_cr8, "mov %rax, %cr8");
FAULT(to_dr6, "mov %rax, %dr6");
FAULT(to_dr7, "mov %rax, %dr7");
FAULT(xsetbv, "xsetbv");

#define LONG_CR0	(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG)
#define LONG_CR4	(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)

struct fault_case {
	const char *what;
	const void *code;
	__u8 length, vector;
	__u64 rax, rcx, rdx;
};

static const struct fault_case fault_cases[] = {
	{ "VMCALL", guest_vmcall, 3, UD_VECTOR, 0, 0, 0 },
	{ "VMLAUNCH", guest_vmlaunch, 3, UD_VECTOR, 0, 0, 0 },
	{ "VMRESUME", guest_vmresume, 3, UD_VECTOR, 0, 0, 0 },
	{ "VMXOFF", guest_vmxoff, 3, UD_VECTOR, 0, 0, 0 },
	{ "VMXON", guest_vmxon, 5, UD_VECTOR, 0, 0, 0 },
	{ "VMCLEAR", guest_vmclear, 5, UD_VECTOR, 0, 0, 0 },
	{ "VMPTRLD", guest_vmptrld, 4, UD_VECTOR, 0, 0, 0 },
	{ "VMREAD", guest_vmread, 3, UD_VECTOR, 0, 0, 0 },
	{ "VMWRITE", guest_vmwrite, 3, UD_VECTOR, 0, 0, 0 },
	{ "INVEPT", guest_invept, 6, UD_VECTOR, 1, 0, 0 },
	{ "INVVPID", guest_invvpid, 6, UD_VECTOR, 1, 0, 0 },
	{ "VMFUNC", guest_vmfunc, 3, UD_VECTOR, 0, 0, 0 },
	{ "MONITOR", guest_monitor, 3, UD_VECTOR, GUEST_DATA, 0, 0 },
	{ "MWAIT", guest_mwait, 3, UD_VECTOR, 0, 0, 0 },
	{ "GETSEC", guest_getsec, 2, UD_VECTOR, 0, 0, 0 },
	{ "RDPMC", guest_rdpmc, 2, GP_VECTOR, 0, 0, 0 },
	{ "RDMSR of no MSR", guest_rdmsr, 2, GP_VECTOR, 0, 0xdeadbeef, 0 },
	{ "WRMSR of no MSR", guest_wrmsr, 2, GP_VECTOR, 0, 0xdeadbeef, 0 },
	{ "RDMSR of a VMX capability", guest_rdmsr, 2, GP_VECTOR, 0, 0x480, 0 },
	{ "LSTAR not canonical", guest_wrmsr, 2, GP_VECTOR, 0, MSR_LSTAR, 0x10000000 },
	{ "CR0 with PG, without PE", guest_to_cr0, 3, GP_VECTOR, LONG_CR0 & ~CR0_PE, 0, 0 },
	{ "CR0 with NW, without CD", guest_to_cr0, 3, GP_VECTOR, LONG_CR0 | CR0_NW, 0, 0 },
	{ "CR0 bit 40", guest_to_cr0, 3, GP_VECTOR, LONG_CR0 | BIT_ULL(40), 0, 0 },
	{ "CR0.PG off in 64-bit code", guest_to_cr0, 3, GP_VECTOR, LONG_CR0 & ~CR0_PG, 0, 0 },
	{ "CR3 past the width", guest_to_cr3, 3, GP_VECTOR, GUEST_PML4 | BIT_ULL(60), 0, 0 },
	{ "CR4.VMXE", guest_to_cr4, 3, GP_VECTOR, LONG_CR4 | CR4_VMXE, 0, 0 },
	{ "CR4.PAE off", guest_to_cr4, 3, GP_VECTOR, LONG_CR4 & ~CR4_PAE, 0, 0 },
	{ "CR4 bit 31", guest_to_cr4, 3, GP_VECTOR, LONG_CR4 | BIT_ULL(31), 0, 0 },
	{ "CR4 bit 63", guest_to_cr4, 3, GP_VECTOR, LONG_CR4 | BIT_ULL(63), 0, 0 },
	{ "CR8 of 16", guest_to_cr8, 4, GP_VECTOR, 16, 0, 0 },
	{ "CR8 bit 63", guest_to_cr8, 4, GP_VECTOR, BIT_ULL(63), 0, 0 },
	{ "DR6 bit 32", guest_to_dr6, 3, GP_VECTOR, BIT_ULL(32), 0, 0 },
	{ "DR7 bit 32", guest_to_dr7, 3, GP_VECTOR, BIT_ULL(32), 0, 0 },
	{ "XSETBV without OSXSAVE", guest_xsetbv, 3, UD_VECTOR, 3, 0, 0 },
};

static void run_fault_case(struct __test_metadata *_metadata, struct vcpu *vcpu,
			   const struct fault_case *c, __u64 cr4)
{
	struct guest_log *log = vm_log(vcpu->vm);
	struct mhv_sregs s;

	start(vcpu, c->code, c->rax, c->rcx, c->rdx);
	s = vcpu_sregs(vcpu);
	s.cr4 |= cr4;
	vcpu_set_sregs(vcpu, &s);
	log->skip[c->vector] = c->length;
	ASSERT_DONE(vcpu);
	EXPECT_EQ(1, log->count)
		TH_LOG("%s", c->what);
	EXPECT_EQ(c->vector, log->entry[0].vector)
		TH_LOG("%s", c->what);
	EXPECT_EQ(0, log->entry[0].error)
		TH_LOG("%s", c->what);
	EXPECT_EQ(GUEST_ADDR(c->code), log->entry[0].rip)
		TH_LOG("%s", c->what);
}

TEST_F(exits, faults)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fault_cases); i++)
		run_fault_case(_metadata, &self->vcpu, &fault_cases[i], 0);
}

GUEST_ASM(guest_vmcalls, 64, "vmcall\n" "inc %rax\n" "vmcall\n" "inc %rax\n" G_DONE);

/* in a VM that is measured it does nothing, again and again */
TEST_F(exits, vmcall_measured)
{
	struct mhv_options o = { .flags = MHV_OPTION_MEASURE };

	ASSERT_EQ(0, ioctl(self->vm.fd, MHV_SET_OPTIONS, &o));
	start(&self->vcpu, guest_vmcalls, 5, 0, 0);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(7, vcpu_regs(&self->vcpu).rax);
	EXPECT_EQ(0, vm_log(&self->vm)->count);
	o.flags = 0;
	ASSERT_EQ(0, ioctl(self->vm.fd, MHV_SET_OPTIONS, &o));
	run_fault_case(_metadata, &self->vcpu, &fault_cases[0], 0);
}

TEST_F(exits, xsetbv)
{
	static const struct fault_case cases[] = {
		{ "XCR1", guest_xsetbv, 3, GP_VECTOR, 3, 1, 0 },
		{ "XCR0 without x87", guest_xsetbv, 3, GP_VECTOR, 2, 0, 0 },
		{ "XCR0 of AVX without SSE", guest_xsetbv, 3, GP_VECTOR, 5, 0, 0 },
		{ "XCR0 bit 62", guest_xsetbv, 3, GP_VECTOR, 3, 0, 0x40000000 },
	};
	struct mhv_cpuid_entry leaf;
	struct mhv_sregs s;
	unsigned int i;

	if (!vcpu_cpuid(&self->vcpu, 1, 0, &leaf) || !(leaf.ecx & BIT_ULL(26)))
		SKIP(return, "the guest has no XSAVE");
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		run_fault_case(_metadata, &self->vcpu, &cases[i], CR4_OSXSAVE);
	for (i = 1; i <= 3; i += 2) {
		start(&self->vcpu, guest_xsetbv, i, 0, 0);
		s = vcpu_sregs(&self->vcpu);
		s.cr4 |= CR4_OSXSAVE;
		vcpu_set_sregs(&self->vcpu, &s);
		ASSERT_DONE(&self->vcpu);
		EXPECT_EQ(0, vm_log(&self->vm)->count);
		EXPECT_EQ(i, vcpu_sregs(&self->vcpu).xcr0);
	}
}

/* An instruction works exactly where the guest's CPUID says so. */
FAULT(rdtscp, "rdtscp");
FAULT(rdpid, ".byte 0xf3, 0x0f, 0xc7, 0xf8");
FAULT(invpcid, "invpcid (%rsp), %rax");
FAULT(rdrand, "rdrand %eax");
FAULT(rdseed, "rdseed %eax");

TEST_F(exits, cpuid_is_true)
{
	static const struct {
		const char *what;
		const void *code;
		__u8 length;
		__u32 leaf;
		int reg, bit;
	} cases[] = {
		{ "RDTSCP", guest_rdtscp, 3, 0x80000001, 3, 27 },
		{ "RDPID", guest_rdpid, 4, 7, 2, 22 },
		{ "INVPCID", guest_invpcid, 6, 7, 1, 10 },
		{ "RDRAND", guest_rdrand, 3, 1, 2, 30 },
		{ "RDSEED", guest_rdseed, 3, 7, 1, 18 },
	};
	struct mhv_cpuid_entry leaf;
	unsigned int i;
	bool has;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		has = vcpu_cpuid(&self->vcpu, cases[i].leaf, 0, &leaf) &&
		      (&leaf.eax)[cases[i].reg] >> cases[i].bit & 1;
		start(&self->vcpu, cases[i].code, 2, 0, 0);
		/* An INVPCID descriptor of zeroes, type 2: everything */
		memset(vm_ptr(&self->vm, GUEST_STACK - 8), 0, 24);
		vm_log(&self->vm)->skip[UD_VECTOR] = cases[i].length;
		ASSERT_DONE(&self->vcpu);
		EXPECT_EQ(!has, vm_log(&self->vm)->count)
			TH_LOG("%s, CPUID bit %d", cases[i].what, has);
	}
}

/* ---- control registers ------------------------------------------------------------ */

GUEST_ASM(guest_cr0, 64, "mov %rax, %cr0; mov %cr0, %rbx\n" G_DONE);
GUEST_ASM(guest_cr4, 64, "mov %rax, %cr4; mov %cr4, %rbx\n" G_DONE);
GUEST_ASM(guest_cr3, 64, "mov %rax, %cr3; mov %cr3, %rbx\n" G_DONE);
GUEST_ASM(guest_cr8, 64, "mov %rax, %cr8; mov %cr8, %rbx\n" G_DONE);

TEST_F(exits, cr0)
{
	static const __u64 values[] = {
		LONG_CR0, LONG_CR0 | CR0_TS, LONG_CR0 | CR0_EM, LONG_CR0 & ~CR0_MP,
		LONG_CR0 & ~CR0_NE, LONG_CR0 & ~CR0_WP, LONG_CR0 | BIT_ULL(18),
		LONG_CR0 | CR0_CD, LONG_CR0 | CR0_CD | CR0_NW, LONG_CR0,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		start(&self->vcpu, guest_cr0, values[i], 0, 0);
		ASSERT_DONE(&self->vcpu);
		EXPECT_EQ(values[i], vcpu_regs(&self->vcpu).rbx);
		EXPECT_EQ(values[i], vcpu_sregs(&self->vcpu).cr0);
		EXPECT_EQ(0, vm_log(&self->vm)->count);
	}
}

TEST_F(exits, cr4)
{
	static const __u64 values[] = {
		LONG_CR4, LONG_CR4 | CR4_PSE, LONG_CR4 | CR4_PGE, LONG_CR4 | CR4_DE,
		LONG_CR4 | BIT_ULL(2), LONG_CR4 | BIT_ULL(8), CR4_PAE, LONG_CR4,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		start(&self->vcpu, guest_cr4, values[i], 0, 0);
		ASSERT_DONE(&self->vcpu);
		EXPECT_EQ(values[i], vcpu_regs(&self->vcpu).rbx);
		EXPECT_EQ(values[i], vcpu_sregs(&self->vcpu).cr4);
		EXPECT_EQ(0, vm_log(&self->vm)->count);
	}
}

TEST_F(exits, cr3_cr8)
{
	__u64 i;

	memcpy(vm_ptr(&self->vm, GUEST_FREE), vm_ptr(&self->vm, GUEST_PML4), PAGE_SIZE);
	start(&self->vcpu, guest_cr3, GUEST_FREE | 0x18, 0, 0);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(GUEST_FREE | 0x18, vcpu_regs(&self->vcpu).rbx);
	EXPECT_EQ(GUEST_FREE | 0x18, vcpu_sregs(&self->vcpu).cr3);
	for (i = 0; i < 16; i++) {
		start(&self->vcpu, guest_cr8, i, 0, 0);
		ASSERT_DONE(&self->vcpu);
		EXPECT_EQ(i, vcpu_regs(&self->vcpu).rbx);
		EXPECT_EQ(i, vcpu_sregs(&self->vcpu).cr8);
	}
	EXPECT_EQ(0, vm_log(&self->vm)->count);
}

GUEST_ASM(guest_msw, 64,
	  "mov $0xf, %eax\n"		/* PE MP EM TS */
	  "lmsw %ax\n"
	  "mov %cr0, %rax\n" G_REPORT
	  "clts\n"
	  "smsw %eax\n" G_REPORT
	  "xor %eax, %eax\n"		/* cannot clear PE */
	  "lmsw %ax\n"
	  "smsw %eax\n" G_REPORT
	  "movw $0xfff2, (%rsp)\n"	/* MP alone; from memory, upper bits are not taken */
	  "lmsw (%rsp)\n"
	  "mov %cr0, %rax\n" G_REPORT
	  G_DONE);

TEST_F(exits, lmsw_clts_smsw)
{
	const __u32 rest = LONG_CR0 & ~0xfull;

	start(&self->vcpu, guest_msw, 0, 0, 0);
	ASSERT_REPORT(&self->vcpu, rest | 0xf);
	ASSERT_REPORT(&self->vcpu, rest | 0x7);
	ASSERT_REPORT(&self->vcpu, rest | 0x1);
	ASSERT_REPORT(&self->vcpu, rest | 0x3);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(0, vm_log(&self->vm)->count);
}

/* ---- instructions that just work --------------------------------------------------- */

GUEST_ASM(guest_cache, 64,
	  "mov $0x12345678, %eax\n"
	  "mov %eax, (%rsp)\n"
	  "wbinvd\n"
	  "invd\n"
	  "mov (%rsp), %eax\n"
	  G_REPORT G_DONE);

TEST_F(exits, wbinvd_invd)
{
	start(&self->vcpu, guest_cache, 0, 0, 0);
	ASSERT_REPORT(&self->vcpu, 0x12345678);
	ASSERT_DONE(&self->vcpu);
}

/* rax: a page directory entry; it is rewritten to map rcx, with INVLPG after */
GUEST_ASM(guest_invlpg, 64,
	  "mov $0x40000000, %ebx\n"
	  "mov (%rbx), %r8d\n"
	  "mov %rcx, (%rax)\n"
	  "invlpg (%rbx)\n"
	  "mov %r8d, %eax\n" G_REPORT
	  "mov (%rbx), %eax\n" G_REPORT
	  G_DONE);

TEST_F(exits, invlpg)
{
	__u64 *pd = vm_ptr(&self->vm, GUEST_PD);

	pd[512] = 0x200000 | 0xe7;
	*(__u32 *)vm_ptr(&self->vm, 0x200000) = 0xaaaa;
	*(__u32 *)vm_ptr(&self->vm, 0x400000) = 0xbbbb;
	start(&self->vcpu, guest_invlpg, GUEST_PD + 512 * 8, 0x400000 | 0xe7, 0);
	ASSERT_REPORT(&self->vcpu, 0xaaaa);
	ASSERT_REPORT(&self->vcpu, 0xbbbb);
	ASSERT_DONE(&self->vcpu);
}

static void __guest guest_tsc(void)
{
	__u64 last = 0, now;
	__u32 low, high;
	int i;

	for (i = 0; i < 2000; i++) {
		asm volatile("rdtsc" : "=a"(low), "=d"(high));
		now = (__u64)high << 32 | low;
		if (now <= last)
			guest_out32(PORT_REPORT, i);
		last = now;
		if (i % 100 == 0)
			guest_out32(PORT_REPORT + 2, i);
	}
	guest_done();
}

TEST_F(exits, tsc_is_monotone)
{
	int i;

	start(&self->vcpu, guest_tsc, 0, 0, 0);
	for (i = 0; i < 20; i++) {
		ASSERT_IO(&self->vcpu, MHV_IOREQ_WRITE, PORT_REPORT + 2, 4);
		vcpu_done_io(&self->vcpu);
		sched_yield();
	}
	ASSERT_DONE(&self->vcpu);
}

/* ---- HLT, shutdown ------------------------------------------------------------------- */

GUEST_ASM(guest_hlt, 64, "sti; hlt; mov $0x55, %eax\n" G_REPORT G_DONE);
GUEST_ASM(guest_ud, 64, "ud2\n" G_DONE);

TEST_F(exits, hlt)
{
	start(&self->vcpu, guest_hlt, 0, 0, 0);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_HLT);
	EXPECT_EQ(1, self->vcpu.run->irq_ready);
	ASSERT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x40));
	ASSERT_REPORT(&self->vcpu, 0x55);
	ASSERT_LOGGED(&self->vcpu, 0, 0x40, 0, GUEST_ADDR(guest_hlt) + 2);
	ASSERT_DONE(&self->vcpu);
}

TEST_F(exits, triple_fault)
{
	struct mhv_sregs s;

	start(&self->vcpu, guest_ud, 0, 0, 0);
	s = vcpu_sregs(&self->vcpu);
	s.idt.limit = 0;
	vcpu_set_sregs(&self->vcpu, &s);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_SHUTDOWN);
	/* Given a new state, it runs again. */
	start(&self->vcpu, guest_cpuid, 0, 0, 0);
	ASSERT_DONE(&self->vcpu);
}

/* ---- modes ----------------------------------------------------------------------------- */

/*
 * Real mode up to 64-bit mode and back.  At GUEST_DATA lie the GDT's pseudo
 * descriptor, then far pointers: 0x10 to 32-bit code, 0x18 to 64-bit, 0x20 to
 * compatibility mode, 0x28 to 16-bit protected, 0x30 to real mode.
 */
#define AT(offset)	STR(GUEST_DATA) " + " #offset
#define SET_CR0(op)	"mov %cr0, %eax; " op "; mov %eax, %cr0\n"
#define SAY(value)	"mov $" #value ", %eax\n" G_REPORT

GUEST_ASM(guest_modes, 16,
	  "mov $" STR(GUEST_DATA) " >> 4, %ax\n"
	  "mov %ax, %ds\n"
	  SAY(0x16)
	  "lgdtl 0\n"
	  SET_CR0("or $1, %al")
	  "ljmpl *0x10\n"
	  ".code32\n"
	  ".globl guest_modes_32\n"
	  "guest_modes_32:\n"
	  "mov $" STR(SEL_DATA) ", %eax\n"
	  "mov %eax, %ds\n"
	  "mov %eax, %es\n"
	  "mov %eax, %ss\n"
	  SAY(0x32)
	  /* 32-bit paging */
	  "mov $0x10, %eax\n"
	  "mov %eax, %cr4\n"
	  "mov $" STR(GUEST_PD32) ", %eax\n"
	  "mov %eax, %cr3\n"
	  SET_CR0("or $0x80000000, %eax")
	  SAY(0x3232)
	  SET_CR0("and $0x7fffffff, %eax")
	  /* PAE paging */
	  "mov $0x20, %eax\n"
	  "mov %eax, %cr4\n"
	  "mov $" STR(GUEST_PDPT32) ", %eax\n"
	  "mov %eax, %cr3\n"
	  SET_CR0("or $0x80000000, %eax")
	  SAY(0x3236)
	  SET_CR0("and $0x7fffffff, %eax")
	  /* IA-32e mode */
	  "mov $" STR(GUEST_PML4) ", %eax\n"
	  "mov %eax, %cr3\n"
	  "mov $0xc0000080, %ecx\n"
	  "mov $0x100, %eax\n"
	  "xor %edx, %edx\n"
	  "wrmsr\n"
	  SET_CR0("or $0x80000000, %eax")
	  SAY(0x3264)
	  "ljmpl *" AT(0x18) "\n"
	  ".code64\n"
	  ".globl guest_modes_64\n"
	  "guest_modes_64:\n"
	  "rdmsr\n"
	  G_REPORT
	  "mov $-1, %rax\n"
	  "shr $60, %rax\n"
	  G_REPORT
	  "ljmpl *" AT(0x20) "\n"
	  ".code32\n"
	  ".globl guest_modes_compat\n"
	  "guest_modes_compat:\n"
	  SET_CR0("and $0x7fffffff, %eax")
	  "mov $0xc0000080, %ecx\n"
	  "rdmsr\n"
	  G_REPORT
	  "xor %eax, %eax\n"
	  "wrmsr\n"
	  SAY(0x6432)
	  "ljmpl *" AT(0x28) "\n"
	  ".code16\n"
	  ".globl guest_modes_pm16\n"
	  "guest_modes_pm16:\n"
	  "mov $" STR(SEL_DATA16) ", %ax\n"
	  "mov %ax, %ds\n"
	  "mov %ax, %es\n"
	  "mov %ax, %ss\n"
	  SAY(0x3216)
	  SET_CR0("and $0xfe, %al")
	  "mov $" STR(GUEST_DATA) " >> 4, %bx\n"
	  "mov %bx, %ds\n"
	  "ljmp *0x30\n"
	  ".globl guest_modes_real\n"
	  "guest_modes_real:\n"
	  "mov %cs, %ax\n"
	  "movzwl %ax, %eax\n"
	  G_REPORT
	  G_DONE);

GUEST_LABEL(guest_modes_32);
GUEST_LABEL(guest_modes_64);
GUEST_LABEL(guest_modes_compat);
GUEST_LABEL(guest_modes_pm16);
GUEST_LABEL(guest_modes_real);

static void far_pointer(struct vm *vm, int offset, __u32 address, __u16 selector)
{
	__u8 *p = vm_ptr(vm, GUEST_DATA + offset);

	memcpy(p, &address, 4);
	memcpy(p + 4, &selector, 2);
}

TEST_F(exits, modes)
{
	struct vm *vm = &self->vm;
	__u16 limit = SEL_COUNT * 8 - 1;
	__u16 real_ip = GUEST_ADDR(guest_modes_real) - GUEST_CODE;

	if (vm_is_shadowed(vm))
		SKIP(return, NO_REAL_MODE);
	far_pointer(vm, 2, GUEST_GDT, 0);
	memcpy(vm_ptr(vm, GUEST_DATA), &limit, 2);
	far_pointer(vm, 0x10, GUEST_ADDR(guest_modes_32), SEL_CODE32);
	far_pointer(vm, 0x18, GUEST_ADDR(guest_modes_64), SEL_CODE64);
	far_pointer(vm, 0x20, GUEST_ADDR(guest_modes_compat), SEL_CODE32);
	far_pointer(vm, 0x28, GUEST_ADDR(guest_modes_pm16) - GUEST_CODE, SEL_CODE16);
	far_pointer(vm, 0x30, real_ip | (GUEST_CODE >> 4) << 16, 0);

	vcpu_set_real(&self->vcpu, guest_modes);
	ASSERT_REPORT(&self->vcpu, 0x16);
	ASSERT_REPORT(&self->vcpu, 0x32);
	ASSERT_REPORT(&self->vcpu, 0x3232);
	ASSERT_REPORT(&self->vcpu, 0x3236);
	ASSERT_REPORT(&self->vcpu, 0x3264);
	EXPECT_EQ(EFER_LME | EFER_LMA, vcpu_sregs(&self->vcpu).efer);
	ASSERT_REPORT(&self->vcpu, EFER_LME | EFER_LMA);
	ASSERT_REPORT(&self->vcpu, 0xf);
	EXPECT_EQ(1, vcpu_sregs(&self->vcpu).cs.l);
	ASSERT_REPORT(&self->vcpu, EFER_LME);
	ASSERT_REPORT(&self->vcpu, 0x6432);
	ASSERT_REPORT(&self->vcpu, 0x3216);
	ASSERT_REPORT(&self->vcpu, GUEST_CODE >> 4);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(CR0_ET, vcpu_sregs(&self->vcpu).cr0);
}

GUEST_ASM(guest_real_int, 16,
	  "mov $0x8765, %ax\n"
	  "int $0x42\n"
	  "mov %bx, %ax\n"
	  "movzwl %ax, %eax\n"
	  G_REPORT
	  "ud2\n"
	  G_DONE
	  ".globl guest_real_handler\n"
	  "guest_real_handler:\n"
	  "mov %ax, %bx\n"
	  "iret\n"
	  ".globl guest_real_ud\n"
	  "guest_real_ud:\n"
	  "mov %sp, %bp\n"
	  "movzwl (%bp), %eax\n"	/* ip: no error code was pushed */
	  G_REPORT
	  "addw $2, (%bp)\n"
	  "iret\n");

GUEST_LABEL(guest_real_handler);
GUEST_LABEL(guest_real_ud);

/* Offset of real-mode code in its segment */
static __u32 real_ip(const void *code)
{
	return GUEST_ADDR(code) - GUEST_CODE;
}

TEST_F(exits, real_mode_interrupts)
{
	__u32 *ivt = vm_ptr(&self->vm, GUEST_IVT);
	const __u32 cs = (GUEST_CODE >> 4) << 16;
	__u32 ip;

	if (vm_is_shadowed(&self->vm))
		SKIP(return, NO_REAL_MODE);
	ivt[0x42] = cs + real_ip(guest_real_handler);
	ivt[UD_VECTOR] = cs + real_ip(guest_real_ud);
	vcpu_set_real(&self->vcpu, guest_real_int);
	ASSERT_REPORT(&self->vcpu, 0x8765);
	ip = GET_REPORT(&self->vcpu);
	EXPECT_EQ(0x0f, *(__u8 *)vm_ptr(&self->vm, GUEST_CODE + ip));
	EXPECT_EQ(0x0b, *(__u8 *)vm_ptr(&self->vm, GUEST_CODE + ip + 1));
	ASSERT_DONE(&self->vcpu);
}

GUEST_ASM(guest_32, 32, "mov %esp, %eax\n" G_REPORT "mov %cr0, %eax\n" G_REPORT G_DONE);

TEST_F(exits, protected_modes)
{
	int paging;

	for (paging = FLAT32; paging <= PAE32; paging++) {
		vcpu_set_prot32(&self->vcpu, guest_32, paging);
		ASSERT_REPORT(&self->vcpu, GUEST_STACK - 8);
		EXPECT_EQ(paging != FLAT32, GET_REPORT(&self->vcpu) >> 31);
		ASSERT_DONE(&self->vcpu);
	}
}

/* ---- what mhv does not emulate ------------------------------------------------------------ */

/* The FPU's accesses to device memory are not emulated. */
GUEST_ASM(guest_mmio_read, 64, "fildl (%rcx)\n fistpl -8(%rsp)\n mov -8(%rsp), %eax\n"
	  G_REPORT G_DONE);
GUEST_ASM(guest_mmio_write, 64, "fistpl (%rcx)\n" G_DONE);

#define HOLE	(GUEST_HOLE + 0x1234ull)

TEST_F(exits, mmio_not_emulated)
{
	struct mhv_run *run = self->vcpu.run;
	char *page = host_alloc(PAGE_SIZE * 2);

	start(&self->vcpu, guest_mmio_read, 0, HOLE, 0);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(GUEST_ADDR(guest_mmio_read), run->insn.rip);
	EXPECT_EQ(HOLE, run->insn.gpa);
	EXPECT_EQ(8, run->insn.mode);
	EXPECT_EQ(0, run->insn.is_write);
	EXPECT_LE(2, run->insn.nr_bytes);
	EXPECT_GE(16, run->insn.nr_bytes);
	EXPECT_EQ(0, memcmp(run->insn.bytes, guest_mmio_read, 2));
	if (run->insn.gva_valid)
		EXPECT_EQ(HOLE, run->insn.gva);

	/* The guest has not moved: with memory there, it goes on. */
	vm_set_slot(&self->vm, 1, HOLE & ~0xfffull, PAGE_SIZE, page);
	*(__u32 *)(page + (HOLE & 0xfff)) = 0x1badcafe;
	ASSERT_REPORT(&self->vcpu, 0x1badcafe);
	ASSERT_DONE(&self->vcpu);
	ASSERT_EQ(0, vm_slot(&self->vm, 1, 0, 0, 0, NULL));

	start(&self->vcpu, guest_mmio_write, 0x77, HOLE, 0);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(HOLE, run->insn.gpa);
	EXPECT_EQ(1, run->insn.is_write);
	EXPECT_EQ(0, memcmp(run->insn.bytes, guest_mmio_write, 2));
}

GUEST_ASM(guest_task_switch, 32, "ljmp $" STR(SEL_FREE) ", $0\n" G_DONE);

TEST_F(exits, task_switch)
{
	vm_set_gdt(&self->vm, SEL_FREE, GUEST_DATA, 0x67, 0x89);
	vcpu_set_prot32(&self->vcpu, guest_task_switch, FLAT32);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_UNKNOWN);
	EXPECT_EQ(9, self->vcpu.run->unknown.reason & 0xffff);
	EXPECT_EQ(SEL_FREE, self->vcpu.run->unknown.qualification & 0xffff);
}

/* States that a CPU refuses to enter, where the ABI lets them through */
static void spoil(struct mhv_sregs *s, struct mhv_regs *r, int how)
{
	switch (how) {
	case 0:
		s->cs.type = 1;			/* data, read-only */
		break;
	case 1:
		s->cs.present = 0;
		break;
	case 2:
		s->cs.db = 1;			/* with L */
		break;
	case 3:
		s->ss.type = 9;			/* code */
		break;
	case 4:
		s->tr.type = 9;			/* not busy */
		break;
	case 5:
		s->tr.unusable = 1;
		break;
	case 6:
		s->ds.limit = 0xfffffffe;	/* with G */
		break;
	case 7:
		s->ldt = s->ds;			/* not a system segment */
		break;
	case 8:
		r->rflags |= BIT_ULL(17);	/* VM in IA-32e mode */
		break;
	}
}

TEST_F(exits, entry_failure)
{
	struct mhv_sregs s;
	struct mhv_regs r;
	int how, failed = 0;

	/*
	 * A RIP that is not canonical is left out: Bochs lets it in, and the guest's
	 * handler and the fault of its IRET then go round with interrupts off for ever.
	 */
	for (how = 0; how < 9; how++) {
		start(&self->vcpu, guest_cpuid, 0, 0, 0);
		s = vcpu_sregs(&self->vcpu);
		r = vcpu_regs(&self->vcpu);
		spoil(&s, &r, how);
		if (ioctl(self->vcpu.fd, MHV_SET_SREGS, &s) ||
		    ioctl(self->vcpu.fd, MHV_SET_REGS, &r)) {
			EXPECT_EQ(EINVAL, errno);
			continue;
		}
		ASSERT_EQ(0, vcpu_run(&self->vcpu));
		ASSERT_EQ(MHV_EXIT_ENTRY_FAILED, self->vcpu.run->exit) {
			TH_LOG("state %d", how);
			vcpu_dump(&self->vcpu);
		}
		/* Exit reason 33: the entry failed on the guest's state */
		EXPECT_EQ(BIT_ULL(31) | 33, self->vcpu.run->entry_failed.reason)
			TH_LOG("state %d", how);
		EXPECT_EQ(0, self->vcpu.run->entry_failed.flags)
			TH_LOG("state %d", how);
		EXPECT_NE(0, self->vcpu.run->entry_failed.report[0])
			TH_LOG("state %d: no rule named", how);
		EXPECT_NE(NULL, memchr(self->vcpu.run->entry_failed.report, 0, 1024));
		failed++;
	}
	start(&self->vcpu, guest_cpuid, 0, 0, 0);
	ASSERT_DONE(&self->vcpu);
	if (!failed)
		SKIP(return, "the ABI lets no invalid state through");
}

/* ---- leaving the guest from outside ---------------------------------------------------------- */

#define SPIN_STOP	GUEST_DATA
#define SPIN_COUNT	(GUEST_DATA + 64)

GUEST_ASM(guest_spin, 64,
	  "1: incq " STR(SPIN_COUNT) "\n"
	  "cmpb $0, " STR(SPIN_STOP) "\n"
	  "je 1b\n"
	  G_DONE);

TEST_F(exits, immediate_exit)
{
	struct mhv_run *run = self->vcpu.run;
	__u64 exits;

	start(&self->vcpu, guest_in, 0, 0, 0);
	exits = vcpu_stat(&self->vcpu, "exits");
	run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, vcpu_run(&self->vcpu));
	EXPECT_EQ(MHV_EXIT_NONE, run->exit);
	EXPECT_EQ(exits, vcpu_stat(&self->vcpu, "exits"));

	/* What is outstanding is completed first: the port's value arrives. */
	run->immediate_exit = 0;
	ASSERT_IO(&self->vcpu, 0, 0x1234, 1);
	run->ioreq.data = 0x5a;
	vcpu_done_io(&self->vcpu);
	run->immediate_exit = 1;
	exits = vcpu_stat(&self->vcpu, "exits");
	EXPECT_EQ(-EINTR, vcpu_run(&self->vcpu));
	EXPECT_EQ(0xffffffffffffff5a, vcpu_regs(&self->vcpu).rax);
	EXPECT_EQ(exits, vcpu_stat(&self->vcpu, "exits"));
	run->immediate_exit = 0;
	ASSERT_IO(&self->vcpu, 0, 0x1234, 2);
}

TEST_F(exits, kick_is_sticky)
{
	start(&self->vcpu, guest_cpuid, 0, 0, 0);
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_KICK, 0)));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_KICK, 0)));
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_KICKED);
	EXPECT_EQ(GUEST_ADDR(guest_cpuid), vcpu_regs(&self->vcpu).rip);
	ASSERT_DONE(&self->vcpu);
}

#define HAMMER_BLOWS	60

struct hammer {
	struct vcpu *vcpu;
	pthread_t runner;
	bool by_signal;
	sem_t taken;
	int sent;
};

static struct mhv_run *signal_run;

static void on_signal(int sig)
{
	(void)sig;
	signal_run->immediate_exit = 1;
}

/* Every second blow falls when the guest runs, the others as soon as they can. */
static void hammer_aim(struct hammer *h)
{
	__u64 *count = vm_ptr(h->vcpu->vm, SPIN_COUNT), last;

	last = __atomic_load_n(count, __ATOMIC_RELAXED);
	while (h->sent % 2 && __atomic_load_n(count, __ATOMIC_RELAXED) == last)
		sched_yield();
}

/* Wake the vCPU, wait until that was seen, again. */
static void *hammer(void *arg)
{
	struct hammer *h = arg;

	for (; h->sent < HAMMER_BLOWS; h->sent++) {
		hammer_aim(h);
		if (h->by_signal)
			pthread_kill(h->runner, SIGUSR1);
		else if (ioctl(h->vcpu->fd, MHV_KICK, 0))
			die("MHV_KICK");
		sem_wait(&h->taken);
	}
	return NULL;
}

static void hammer_start(struct hammer *h, struct vcpu *vcpu, pthread_t *thread)
{
	struct sigaction act = { .sa_handler = on_signal };

	start(vcpu, guest_spin, 0, 0, 0);
	signal_run = vcpu->run;
	sigaction(SIGUSR1, &act, NULL);
	h->vcpu = vcpu;
	h->runner = pthread_self();
	sem_init(&h->taken, 0, 0);
	host_start(thread, hammer, h);
}

TEST_F(exits, no_kick_is_lost)
{
	struct hammer h = { .by_signal = false };
	pthread_t thread;
	int i;

	hammer_start(&h, &self->vcpu, &thread);
	for (i = 0; i < HAMMER_BLOWS; i++) {
		ASSERT_EXIT(&self->vcpu, MHV_EXIT_KICKED);
		sem_post(&h.taken);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(HAMMER_BLOWS, h.sent);
	EXPECT_LT(0, *(__u64 *)vm_ptr(&self->vm, SPIN_COUNT));
	/* And none came twice. */
	*(__u8 *)vm_ptr(&self->vm, SPIN_STOP) = 1;
	ASSERT_DONE(&self->vcpu);
}

TEST_F(exits, no_signal_is_lost)
{
	struct hammer h = { .by_signal = true };
	pthread_t thread;
	int i;

	hammer_start(&h, &self->vcpu, &thread);
	for (i = 0; i < HAMMER_BLOWS; i++) {
		ASSERT_EQ(-EINTR, vcpu_run(&self->vcpu));
		ASSERT_EQ(1, self->vcpu.run->immediate_exit);
		EXPECT_EQ(MHV_EXIT_NONE, self->vcpu.run->exit);
		self->vcpu.run->immediate_exit = 0;
		sem_post(&h.taken);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(HAMMER_BLOWS, h.sent);
	EXPECT_LT(0, *(__u64 *)vm_ptr(&self->vm, SPIN_COUNT));
	*(__u8 *)vm_ptr(&self->vm, SPIN_STOP) = 1;
	ASSERT_DONE(&self->vcpu);
}

/* Neither exits nor lets an interrupt in */
GUEST_ASM(guest_deaf, 64, "1: jmp 1b\n");

static void on_alarm(int sig __attribute__((unused)))
{
}

static __u64 milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A guest with interrupts off does not hold up the host's. */
TEST_F(exits, deaf_guest_is_interrupted)
{
	const struct itimerval alarm = { .it_value.tv_usec = 100000 };
	struct sigaction act = { .sa_handler = on_alarm };
	__u64 begun = milliseconds();

	start(&self->vcpu, guest_deaf, 0, 0, 0);
	vcpu_set_flags(&self->vcpu, 0);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &alarm, NULL);
	EXPECT_EQ(-EINTR, vcpu_run(&self->vcpu));
	EXPECT_GT(2000, milliseconds() - begun);
}

static void *get_regs_meanwhile(void *arg)
{
	struct vcpu *vcpu = arg;

	/* Waits until the kick below ends MHV_RUN. */
	vcpu_regs(vcpu);
	return vcpu;
}

TEST_F(exits, other_ioctls_wait_for_run)
{
	struct hammer h = { .vcpu = &self->vcpu, .sent = HAMMER_BLOWS - 1 };
	pthread_t reader, kicker;
	void *ret;

	start(&self->vcpu, guest_spin, 0, 0, 0);
	sem_init(&h.taken, 0, 1);
	host_start(&reader, get_regs_meanwhile, &self->vcpu);
	host_start(&kicker, hammer, &h);
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_KICKED);
	pthread_join(reader, &ret);
	pthread_join(kicker, NULL);
	EXPECT_EQ(&self->vcpu, ret);
}
