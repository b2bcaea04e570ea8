// SPDX-License-Identifier: GPL-2.0-only
/* MSRs: the guest has its own, the host keeps its own. */
#include <asm/prctl.h>
#include <sched.h>
#include <sys/syscall.h>

#include "mhv_test.h"

FIXTURE(msr) {
	struct vm vm;
	struct vcpu vcpu;
};

FIXTURE_SETUP(msr)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
}

FIXTURE_TEARDOWN(msr)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* ---- one MSR in the guest ------------------------------------------------------- */

/* Each works on MSR ecx; the result in rdx:rax, and in rbx as one value. */
GUEST_ASM(guest_rdmsr, 64,
	  "rdmsr\n"
	  "mov %rdx, %rbx; shl $32, %rbx; or %rax, %rbx\n"
	  G_DONE);

GUEST_ASM(guest_wrmsr, 64, "wrmsr\n" G_DONE);

static void start(struct vcpu *vcpu, const void *code, __u32 msr, __u64 value)
{
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	regs = vcpu_regs(vcpu);
	regs.rcx = msr | 0xabcd000000000000;	/* only ECX counts */
	regs.rax = (__u32)value;
	regs.rdx = value >> 32;
	vcpu_set_regs(vcpu, &regs);
	memset(vm_log(vcpu->vm), 0, sizeof(struct guest_log));
	vm_log(vcpu->vm)->skip[GP_VECTOR] = 2;
}

/* 0, or the vector of the fault */
static int guest_read(struct vcpu *vcpu, __u32 msr, __u64 *value)
{
	start(vcpu, guest_rdmsr, msr, 0);
	if (vcpu_run(vcpu) || vcpu->run->exit != MHV_EXIT_IO) {
		vcpu_dump(vcpu);
		return -1;
	}
	vcpu_done_io(vcpu);
	*value = vcpu_regs(vcpu).rbx;
	return vm_log(vcpu->vm)->count ? (int)vm_log(vcpu->vm)->entry[0].vector : 0;
}

static int guest_write(struct vcpu *vcpu, __u32 msr, __u64 value)
{
	start(vcpu, guest_wrmsr, msr, value);
	if (vcpu_run(vcpu) || vcpu->run->exit != MHV_EXIT_IO) {
		vcpu_dump(vcpu);
		return -1;
	}
	vcpu_done_io(vcpu);
	return vm_log(vcpu->vm)->count ? (int)vm_log(vcpu->vm)->entry[0].vector : 0;
}

/* MSRs that hold what was written, and two values for each */
static const struct {
	const char *name;
	__u32 index;
	__u64 value[2];
} plain[] = {
	{ "STAR", MSR_STAR, { 0x0023001000000000, 0x0033000800001234 } },
	{ "LSTAR", MSR_LSTAR, { 0xffffffff81000010, 0x00007fff00000020 } },
	{ "CSTAR", MSR_CSTAR, { 0xffffffff82000010, 0x0000600000000040 } },
	{ "SFMASK", MSR_SFMASK, { 0x47700, 0x00200 } },
	{ "KERNEL_GS_BASE", MSR_KERNEL_GS_BASE, { 0xffff888000001000, 0x7f0000001000 } },
	{ "FS_BASE", MSR_FS_BASE, { 0xffff888000002000, 0x7f0000002000 } },
	{ "GS_BASE", MSR_GS_BASE, { 0xffff888000003000, 0x7f0000003000 } },
	{ "SYSENTER_CS", MSR_SYSENTER_CS, { 0x8, 0x48 } },
	{ "SYSENTER_ESP", MSR_SYSENTER_ESP, { 0xffff888000004000, 0x123000 } },
	{ "SYSENTER_EIP", MSR_SYSENTER_EIP, { 0xffffffff83000000, 0x456000 } },
	{ "PAT", MSR_PAT, { 0x0407050600070106, 0x0007040600070406 } },
};

TEST_F(msr, guest_writes_guest_reads)
{
	unsigned int i, k;
	__u64 value;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < ARRAY_SIZE(plain); i++) {
			ASSERT_EQ(0, guest_write(&self->vcpu, plain[i].index, plain[i].value[k]))
				TH_LOG("%s", plain[i].name);
		}
		for (i = 0; i < ARRAY_SIZE(plain); i++) {
			/* vcpu_set_long() sets the bases of FS and GS itself. */
			if (plain[i].index == MSR_FS_BASE || plain[i].index == MSR_GS_BASE)
				continue;
			ASSERT_EQ(0, guest_read(&self->vcpu, plain[i].index, &value));
			EXPECT_EQ(plain[i].value[k], value)
				TH_LOG("%s", plain[i].name);
		}
	}
}

TEST_F(msr, guest_writes_user_space_reads)
{
	unsigned int i, k;
	__u64 value;

	for (i = 0; i < ARRAY_SIZE(plain) * 2; i++) {
		k = i % ARRAY_SIZE(plain);
		ASSERT_EQ(0, guest_write(&self->vcpu, plain[k].index,
					 plain[k].value[i / ARRAY_SIZE(plain)]));
		ASSERT_EQ(0, vcpu_msr_get(&self->vcpu, plain[k].index, &value))
			TH_LOG("%s", plain[k].name);
		EXPECT_EQ(plain[k].value[i / ARRAY_SIZE(plain)], value)
			TH_LOG("%s", plain[k].name);
	}
}

TEST_F(msr, user_space_writes_guest_reads)
{
	struct mhv_regs regs;
	unsigned int i, k;
	__u64 value;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < ARRAY_SIZE(plain); i++) {
			start(&self->vcpu, guest_rdmsr, plain[i].index, 0);
			ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, plain[i].index,
						  plain[i].value[k]))
				TH_LOG("%s", plain[i].name);
			ASSERT_DONE(&self->vcpu);
			regs = vcpu_regs(&self->vcpu);
			value = regs.rbx;
			EXPECT_EQ(plain[i].value[k], value)
				TH_LOG("%s", plain[i].name);
			/* RDMSR clears the upper halves. */
			EXPECT_EQ(plain[i].value[k] >> 32, regs.rdx);
			EXPECT_EQ((__u32)plain[i].value[k], regs.rax);
		}
	}
}

TEST_F(msr, refused_values)
{
	static const struct {
		const char *what;
		__u32 index;
		__u64 value;
	} bad[] = {
		{ "LSTAR not canonical", MSR_LSTAR, 0x8000000000000000 },
		{ "CSTAR not canonical", MSR_CSTAR, 0x0100000000000000 },
		{ "FS_BASE not canonical", MSR_FS_BASE, 0x1234567890abcdef },
		{ "GS_BASE not canonical", MSR_GS_BASE, 0x1234567890abcdef },
		{ "KERNEL_GS_BASE not canonical", MSR_KERNEL_GS_BASE, 0x1ull << 62 },
		{ "SYSENTER_EIP not canonical", MSR_SYSENTER_EIP, 0x1ull << 62 },
		{ "SYSENTER_ESP not canonical", MSR_SYSENTER_ESP, 0x1ull << 62 },
		{ "PAT of type 2", MSR_PAT, 0x0007040600070402 },
		{ "PAT of type 8", MSR_PAT, 0x0807040600070406 },
		{ "EFER bit 1", MSR_EFER, EFER_LME | EFER_LMA | 2 },
		{ "EFER bit 40", MSR_EFER, EFER_LME | EFER_LMA | BIT_ULL(40) },
		{ "EFER.LME off with paging on", MSR_EFER, EFER_SCE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(GP_VECTOR, guest_write(&self->vcpu, bad[i].index, bad[i].value))
			TH_LOG("%s: the guest", bad[i].what);
		EXPECT_EQ(1, vm_log(&self->vm)->count);
		EXPECT_EQ(0, vm_log(&self->vm)->entry[0].error);
		EXPECT_EQ(-EINVAL, vcpu_msr_set(&self->vcpu, bad[i].index, bad[i].value))
			TH_LOG("%s: user space", bad[i].what);
	}
}

TEST_F(msr, efer)
{
	static const __u64 values[] = {
		EFER_LME | EFER_LMA, EFER_LME | EFER_LMA | EFER_SCE,
		EFER_LME | EFER_LMA | EFER_NXE, EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE,
	};
	unsigned int i;
	__u64 value;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		ASSERT_EQ(0, guest_write(&self->vcpu, MSR_EFER, values[i]));
		EXPECT_EQ(values[i], vcpu_sregs(&self->vcpu).efer);
		EXPECT_EQ(0, vcpu_msr_get(&self->vcpu, MSR_EFER, &value));
		EXPECT_EQ(values[i], value);
	}
	/* LMA is not the guest's to write. */
	ASSERT_EQ(0, guest_write(&self->vcpu, MSR_EFER, EFER_LME | EFER_SCE));
	EXPECT_EQ(EFER_LME | EFER_LMA | EFER_SCE, vcpu_sregs(&self->vcpu).efer);
}

TEST_F(msr, bases_are_segment_bases)
{
	struct mhv_sregs s;

	ASSERT_EQ(0, guest_write(&self->vcpu, MSR_FS_BASE, 0xffff888000001230));
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_GS_BASE, 0x7fff12345000));
	s = vcpu_sregs(&self->vcpu);
	EXPECT_EQ(0xffff888000001230, s.fs.base);
	EXPECT_EQ(0x7fff12345000, s.gs.base);
}

/* What a PC has and Linux looks at, where the guest's CPUID promises it */
TEST_F(msr, readable)
{
	static const struct {
		const char *name;
		__u32 index;
		int edx;	/* bit of CPUID leaf 1; -1: always there */
	} msrs[] = {
		{ "APIC_BASE", MSR_APIC_BASE, 9 },
		{ "PLATFORM_ID", 0x17, -1 },
		{ "UCODE_REV", 0x8b, -1 },
		{ "MISC_ENABLE", MSR_MISC_ENABLE, -1 },
		{ "MTRR_CAP", 0xfe, 12 },
		{ "MTRR_PHYSBASE0", 0x200, 12 },
		{ "MTRR_FIX64K", 0x250, 12 },
		{ "MTRR_DEF_TYPE", 0x2ff, 12 },
		{ "MCG_CAP", 0x179, 14 },
		{ "MCG_STATUS", 0x17a, 14 },
	};
	struct mhv_cpuid_entry leaf = { .edx = 0 };
	unsigned int i;
	__u64 value;

	vcpu_cpuid(&self->vcpu, 1, 0, &leaf);
	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		if (msrs[i].edx >= 0 && !(leaf.edx >> msrs[i].edx & 1))
			continue;
		EXPECT_EQ(0, guest_read(&self->vcpu, msrs[i].index, &value))
			TH_LOG("%s", msrs[i].name);
		EXPECT_EQ(0, vcpu_msr_get(&self->vcpu, msrs[i].index, &value))
			TH_LOG("%s", msrs[i].name);
	}
}

/* ---- the time stamp counter -------------------------------------------------------- */

GUEST_ASM(guest_rdtsc, 64,
	  "rdtsc\n"
	  "mov %rdx, %rbx; shl $32, %rbx; or %rax, %rbx\n"
	  G_DONE);

GUEST_ASM(guest_rdtscp, 64, "rdtscp\n" G_DONE);

static __u64 guest_tsc(struct vcpu *vcpu)
{
	start(vcpu, guest_rdtsc, 0, 0);
	if (vcpu_run(vcpu) || vcpu->run->exit != MHV_EXIT_IO)
		die("RDTSC did not run");
	vcpu_done_io(vcpu);
	return vcpu_regs(vcpu).rbx;
}

TEST_F(msr, tsc)
{
	const __u64 far = 1ull << 50, near = 1ull << 40;
	__u64 before, value, after;

	/* Written by the guest, it counts on from there in every view. */
	ASSERT_EQ(0, guest_write(&self->vcpu, MSR_TSC, far));
	before = guest_tsc(&self->vcpu);
	EXPECT_LE(far, before);
	EXPECT_GT(far + near, before);
	ASSERT_EQ(0, guest_read(&self->vcpu, MSR_TSC, &value));
	EXPECT_LT(before, value);
	ASSERT_EQ(0, vcpu_msr_get(&self->vcpu, MSR_TSC, &after));
	EXPECT_LT(value, after);
	EXPECT_GT(far + near, after);
	/* And so when user space writes it, backwards too. */
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_TSC, 1000));
	before = guest_tsc(&self->vcpu);
	EXPECT_LE(1000, before);
	EXPECT_GT(near, before);
}

TEST_F(msr, tsc_aux)
{
	struct mhv_cpuid_entry leaf = { .edx = 0 };
	unsigned int cpu;
	__u32 aux;
	int i;

	vcpu_cpuid(&self->vcpu, 0x80000001, 0, &leaf);
	if (!(leaf.edx & BIT_ULL(27)))
		SKIP(return, "the guest has no RDTSCP");
	host_pin(0);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, guest_write(&self->vcpu, MSR_TSC_AUX, 0x5a5a0000 + i));
		start(&self->vcpu, guest_rdtscp, 0, 0);
		ASSERT_DONE(&self->vcpu);
		EXPECT_EQ(0x5a5a0000 + i, vcpu_regs(&self->vcpu).rcx);
		/* Linux keeps CPU and node there. */
		asm volatile("rdtscp" : "=c"(aux) : : "rax", "rdx");
		EXPECT_EQ(0, aux & 0xfff);
		ASSERT_EQ(0, syscall(SYS_getcpu, &cpu, NULL, NULL));
		EXPECT_EQ(0, cpu);
	}
}

/* ---- isolation ------------------------------------------------------------------------ */

static __thread int thread_variable = 4711;

struct host_bases {
	unsigned long fs, gs;
};

static struct host_bases host_bases(void)
{
	struct host_bases b;

	if (syscall(SYS_arch_prctl, ARCH_GET_FS, &b.fs) ||
	    syscall(SYS_arch_prctl, ARCH_GET_GS, &b.gs))
		die("arch_prctl");
	return b;
}

static void set_all(struct vcpu *vcpu, int which)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (vcpu_msr_set(vcpu, plain[i].index, plain[i].value[which]))
			die("set %s", plain[i].name);
}

static const char *wrong_one(struct vcpu *vcpu, int which)
{
	unsigned int i;
	__u64 value;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (vcpu_msr_get(vcpu, plain[i].index, &value) ||
		    value != plain[i].value[which])
			return plain[i].name;
	return "";
}

GUEST_ASM(guest_report_forever, 64, "1:\n" G_REPORT "cpuid; jmp 1b\n");

TEST_F(msr, host_keeps_its_own)
{
	struct host_bases before, after;
	int i;

	ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123000));
	before = host_bases();
	vcpu_set_long(&self->vcpu, guest_report_forever);
	set_all(&self->vcpu, 0);
	for (i = 0; i < 30; i++) {
		GET_REPORT(&self->vcpu);
		/* A system call goes to the host's entry, a thread variable to FS. */
		EXPECT_EQ(getpid(), syscall(SYS_getpid));
		EXPECT_EQ(4711, thread_variable);
		after = host_bases();
		EXPECT_EQ(before.fs, after.fs);
		EXPECT_EQ(before.gs, after.gs);
		if (i % 10 == 0)
			sched_yield();
	}
	EXPECT_STREQ("", wrong_one(&self->vcpu, 0));
}

TEST_F(msr, two_vms_in_turn)
{
	struct vm other_vm;
	struct vcpu other;
	int i;

	vm_create(&other_vm);
	vcpu_create(&other_vm, &other, 0);
	vcpu_set_long(&self->vcpu, guest_report_forever);
	vcpu_set_long(&other, guest_report_forever);
	set_all(&self->vcpu, 0);
	set_all(&other, 1);
	for (i = 0; i < 20; i++) {
		GET_REPORT(&self->vcpu);
		GET_REPORT(&other);
		EXPECT_STREQ("", wrong_one(&self->vcpu, 0));
		EXPECT_STREQ("", wrong_one(&other, 1));
	}
	vcpu_destroy(&other);
	vm_destroy(&other_vm);
}

/* rsi: value of KERNEL_GS_BASE it wants to see after as many spins as r9 says */
GUEST_ASM(guest_spin_check, 64,
	  "mov $" STR(MSR_KERNEL_GS_BASE) ", %ecx\n"
	  "1: rdmsr\n"
	  "shl $32, %rdx\n"
	  "or %rdx, %rax\n"
	  "cmp %rax, %rsi\n"
	  "jne 2f\n"
	  "dec %r9\n"
	  "jnz 1b\n"
	  G_DONE
	  "2: mov $0xbad, %eax\n"
	  G_REPORT);

struct spinner {
	__u64 value;
	bool wrong;
};

static void *spin_thread(void *arg)
{
	struct spinner *s = arg;
	struct mhv_regs regs;
	struct vm vm;
	struct vcpu vcpu;

	host_pin(0);
	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	vcpu_set_long(&vcpu, guest_spin_check);
	regs = vcpu_regs(&vcpu);
	regs.rsi = s->value;
	regs.r9 = 60000;
	vcpu_set_regs(&vcpu, &regs);
	if (vcpu_msr_set(&vcpu, MSR_KERNEL_GS_BASE, s->value))
		die("set KERNEL_GS_BASE");
	s->wrong = vcpu_run(&vcpu) || vcpu.run->exit != MHV_EXIT_IO ||
		   vcpu.run->ioreq.addr != PORT_DONE;
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
	return NULL;
}

TEST_F(msr, two_threads_on_one_cpu)
{
	struct spinner a = { .value = 0xffff888011111000 };
	struct spinner b = { .value = 0xffff888022222000 };
	pthread_t thread;

	host_pin(0);
	host_start(&thread, spin_thread, &a);
	spin_thread(&b);
	pthread_join(thread, NULL);
	EXPECT_FALSE(a.wrong);
	EXPECT_FALSE(b.wrong);
}

/* ---- system calls of the guest ------------------------------------------------------------ */

GUEST_ASM(guest_swapgs, 64,
	  "swapgs\n"
	  G_REPORT
	  "swapgs\n"
	  G_REPORT
	  G_DONE);

TEST_F(msr, swapgs)
{
	const __u64 a = 0x7f0000001000, b = 0xffff888000001000;
	__u64 value;

	start(&self->vcpu, guest_swapgs, 0, 0);
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_GS_BASE, a));
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_KERNEL_GS_BASE, b));
	GET_REPORT(&self->vcpu);
	EXPECT_EQ(b, vcpu_sregs(&self->vcpu).gs.base);
	ASSERT_EQ(0, vcpu_msr_get(&self->vcpu, MSR_KERNEL_GS_BASE, &value));
	EXPECT_EQ(a, value);
	GET_REPORT(&self->vcpu);
	EXPECT_EQ(a, vcpu_sregs(&self->vcpu).gs.base);
	ASSERT_EQ(0, vcpu_msr_get(&self->vcpu, MSR_KERNEL_GS_BASE, &value));
	EXPECT_EQ(b, value);
	ASSERT_DONE(&self->vcpu);
}

/* User code that makes a system call between exits, and its kernel side */
GUEST_ASM(guest_user_syscall, 64,
	  "mov $3, %ebx\n"
	  "1:\n"
	  "mov %ebx, %eax\n"
	  G_REPORT
	  "syscall\n"
	  "dec %ebx\n"
	  "jnz 1b\n"
	  G_DONE);

GUEST_ASM(guest_kernel_syscall, 64,
	  "mov %ebx, %eax\n"
	  "or $0x100, %eax\n"
	  G_REPORT
	  "sysretq\n");

TEST_F(msr, guest_syscall)
{
	struct mhv_sregs s;
	__u32 i;

	vcpu_set_user(&self->vcpu, guest_user_syscall);
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_STAR,
				  (__u64)(SEL_UCODE32 | 3) << 48 | (__u64)SEL_CODE64 << 32));
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_LSTAR, GUEST_ADDR(guest_kernel_syscall)));
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_SFMASK, RFLAGS_IF));
	for (i = 3; i; i--) {
		ASSERT_REPORT(&self->vcpu, i);
		EXPECT_EQ(3, vcpu_sregs(&self->vcpu).cs.dpl);
		ASSERT_REPORT(&self->vcpu, i | 0x100);
		s = vcpu_sregs(&self->vcpu);
		EXPECT_EQ(SEL_CODE64, s.cs.selector);
		EXPECT_EQ(SEL_DATA, s.ss.selector);
		EXPECT_EQ(0, s.cs.dpl);
	}
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(SEL_UCODE64 | 3, vcpu_sregs(&self->vcpu).cs.selector);
	EXPECT_EQ(0, vm_log(&self->vm)->count);
}

GUEST_ASM(guest_user_sysenter, 64,
	  "mov %rsp, %rcx\n"
	  "lea 1f(%rip), %rdx\n"
	  G_REPORT
	  "sysenter\n"
	  "1:\n"
	  G_DONE);

GUEST_ASM(guest_kernel_sysenter, 64,
	  "mov %esp, %eax\n"
	  G_REPORT
	  "rex.w sysexit\n");

TEST_F(msr, guest_sysenter)
{
	vcpu_set_user(&self->vcpu, guest_user_sysenter);
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_SYSENTER_CS, SEL_CODE64));
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_SYSENTER_ESP, GUEST_IST - 64));
	ASSERT_EQ(0, vcpu_msr_set(&self->vcpu, MSR_SYSENTER_EIP,
				  GUEST_ADDR(guest_kernel_sysenter)));
	GET_REPORT(&self->vcpu);
	ASSERT_REPORT(&self->vcpu, GUEST_IST - 64);
	EXPECT_EQ(SEL_CODE64, vcpu_sregs(&self->vcpu).cs.selector);
	ASSERT_DONE(&self->vcpu);
	/* SYSEXIT takes its selectors 32 and 40 after SYSENTER_CS. */
	EXPECT_EQ((SEL_CODE64 + 32) | 3, vcpu_sregs(&self->vcpu).cs.selector);
	EXPECT_EQ(3, vcpu_sregs(&self->vcpu).cs.dpl);
}
