// SPDX-License-Identifier: GPL-2.0-only
/* Debug registers: the guest's breakpoints hit in the guest, the host's on the host. */
#include <stdalign.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "mhv_test.h"

#define DR6_FIXED	0xffff0ff0ull
#define DR6_BD		BIT_ULL(13)
#define DR7_FIXED	0x400ull
#define DR7_GD		BIT_ULL(13)

/* Breakpoint @n of DR7: on writes to 8 bytes, on execution */
static __u64 dr7_write8(int n)
{
	return BIT_ULL(n * 2) | 9ull << (16 + n * 4);
}

static __u64 dr7_exec(int n)
{
	return BIT_ULL(n * 2);
}

FIXTURE(debugreg) {
	struct vm vm;
	struct vcpu vcpu;
};

FIXTURE_SETUP(debugreg)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
}

FIXTURE_TEARDOWN(debugreg)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

static void start(struct vcpu *vcpu, const void *code, __u64 rax, __u64 rbx)
{
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	regs = vcpu_regs(vcpu);
	regs.rax = rax;
	regs.rbx = rbx;
	vcpu_set_regs(vcpu, &regs);
	memset(vm_log(vcpu->vm), 0, sizeof(struct guest_log));
}

static void set_debug(struct vcpu *vcpu, const __u64 dr[4], __u64 dr7)
{
	struct mhv_sregs s = vcpu_sregs(vcpu);

	memcpy(s.dr, dr, sizeof(s.dr));
	s.dr6 = DR6_FIXED;
	s.dr7 = dr7;
	vcpu_set_sregs(vcpu, &s);
}

/* ---- values ------------------------------------------------------------------- */

/* rbx, rbx + 1 ... rbx + 3 into DR0-3, rax into DR7; exits; all six to GUEST_DATA */
#define STORE_DR(nr, slot)	"mov %db" #nr ", %rcx\n" \
				"mov %rcx, " STR(GUEST_DATA) " + 8 * " #slot "\n"

GUEST_ASM(guest_store_dr, 64,
	  STORE_DR(0, 0) STORE_DR(1, 1) STORE_DR(2, 2)
	  STORE_DR(3, 3) STORE_DR(6, 4) STORE_DR(7, 5)
	  "ret\n");

GUEST_ASM(guest_dr_write, 64,
	  "mov %rbx, %db0; inc %rbx\n"
	  "mov %rbx, %db1; inc %rbx\n"
	  "mov %rbx, %db2; inc %rbx\n"
	  "mov %rbx, %db3\n"
	  "mov %rax, %db7\n"
	  "xor %ebx, %ebx\n"
	  "mov %rbx, %db6\n"
	  "1:\n"
	  G_REPORT
	  "mov $5, %eax\n"
	  "cpuid\n"
	  "call guest_store_dr\n"
	  "jmp 1b\n");

GUEST_ASM(guest_dr_read, 64, "call guest_store_dr\n" G_DONE);

TEST_F(debugreg, values)
{
	const __u64 base = 0xffff888812340000, *data = vm_ptr(&self->vm, GUEST_DATA);
	struct mhv_sregs s;
	int round, i;

	start(&self->vcpu, guest_dr_write, dr7_write8(0) | dr7_exec(3), base);
	GET_REPORT(&self->vcpu);
	for (round = 0; round < 10; round++) {
		GET_REPORT(&self->vcpu);
		s = vcpu_sregs(&self->vcpu);
		for (i = 0; i < 4; i++) {
			EXPECT_EQ(base + i, data[i]);
			EXPECT_EQ(base + i, s.dr[i]);
		}
		EXPECT_EQ(DR6_FIXED, data[4]);
		EXPECT_EQ(DR6_FIXED, s.dr6);
		EXPECT_EQ(DR7_FIXED | dr7_write8(0) | dr7_exec(3), data[5]);
		EXPECT_EQ(DR7_FIXED | dr7_write8(0) | dr7_exec(3), s.dr7);
	}
	EXPECT_EQ(0, vm_log(&self->vm)->count);
}

TEST_F(debugreg, set_by_user_space)
{
	const __u64 dr[] = { 0x1000, 0xffffffff81000000, 0x7fff00000000, 3 };
	const __u64 *data = vm_ptr(&self->vm, GUEST_DATA);

	start(&self->vcpu, guest_dr_read, 0, 0);
	set_debug(&self->vcpu, dr, DR7_FIXED | 0x2);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(0, memcmp(dr, data, sizeof(dr)));
	EXPECT_EQ(DR6_FIXED, data[4]);
	EXPECT_EQ(DR7_FIXED | 0x2, data[5]);
}

TEST_F(debugreg, two_vms_in_turn)
{
	struct vm other_vm;
	struct vcpu other;
	const __u64 *a = vm_ptr(&self->vm, GUEST_DATA), *b;
	int round;

	vm_create(&other_vm);
	vcpu_create(&other_vm, &other, 0);
	b = vm_ptr(&other_vm, GUEST_DATA);
	start(&self->vcpu, guest_dr_write, dr7_write8(1), 0x1000000);
	start(&other, guest_dr_write, dr7_write8(2), 0x2000000);
	GET_REPORT(&self->vcpu);
	GET_REPORT(&other);
	for (round = 0; round < 10; round++) {
		GET_REPORT(&self->vcpu);
		GET_REPORT(&other);
		EXPECT_EQ(0x1000000, a[0]);
		EXPECT_EQ(0x1000003, a[3]);
		EXPECT_EQ(DR7_FIXED | dr7_write8(1), a[5]);
		EXPECT_EQ(0x2000000, b[0]);
		EXPECT_EQ(0x2000003, b[3]);
		EXPECT_EQ(DR7_FIXED | dr7_write8(2), b[5]);
	}
	vcpu_destroy(&other);
	vm_destroy(&other_vm);
}

/* ---- breakpoints ----------------------------------------------------------------- */

GUEST_ASM(guest_break_exec, 64,
	  G_REPORT
	  "cpuid\n"
	  ".globl guest_break_exec_here\n"
	  "guest_break_exec_here:\n"
	  "nop\n"
	  G_REPORT
	  G_DONE);
GUEST_LABEL(guest_break_exec_here);

TEST_F(debugreg, guest_execution_breakpoint)
{
	const __u64 dr[4] = { 0, GUEST_ADDR(guest_break_exec_here) };

	start(&self->vcpu, guest_break_exec, 0, 0);
	set_debug(&self->vcpu, dr, DR7_FIXED | dr7_exec(1));
	vm_log(&self->vm)->skip[DB_VECTOR] = 1;
	GET_REPORT(&self->vcpu);
	GET_REPORT(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, DB_VECTOR, 0, GUEST_ADDR(guest_break_exec_here));
	EXPECT_EQ(1, vm_log(&self->vm)->count);
	EXPECT_EQ(2, vcpu_sregs(&self->vcpu).dr6 & 0xf);
	ASSERT_DONE(&self->vcpu);
}

/* Two variables of the host; the guest has memory of its own at these addresses. */
static alignas(8) __u64 host_watched;
static alignas(8) __u64 guest_watched;

/* rax, rbx: the two addresses; one write to each between exits */
GUEST_ASM(guest_break_write, 64,
	  "1: incq (%rax)\n"
	  "incq (%rbx)\n"
	  ".globl guest_break_write_here\n"
	  "guest_break_write_here:\n"
	  "out %eax, $" STR(PORT_REPORT) "\n"
	  "jmp 1b\n");
GUEST_LABEL(guest_break_write_here);

static int watch(const void *address)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (__u64)address,
		.bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/*
 * The guest has a breakpoint where the host has none, and the other way round;
 * both write to both.  A hit of the guest's on the host would be a SIGTRAP.
 */
TEST_F(debugreg, neither_side_hits_the_others)
{
	const __u64 dr[4] = { (__u64)&guest_watched };
	struct guest_log *log = vm_log(&self->vm);
	__u64 hits = 0;
	int round, fd = watch(&host_watched);

	if (fd < 0)
		SKIP(return, "the host has no hardware breakpoints (%s)", strerror(errno));
	ASSERT_GT(self->vm.size, (__u64)&host_watched);
	start(&self->vcpu, guest_break_write, (__u64)&host_watched, (__u64)&guest_watched);
	set_debug(&self->vcpu, dr, DR7_FIXED | dr7_write8(0));
	for (round = 0; round < 20; round++) {
		__atomic_fetch_add(&host_watched, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&guest_watched, 1, __ATOMIC_SEQ_CST);
		GET_REPORT(&self->vcpu);
		__atomic_fetch_add(&guest_watched, 1, __ATOMIC_SEQ_CST);
		ASSERT_LOGGED(&self->vcpu, round, DB_VECTOR, 0,
			      GUEST_ADDR(guest_break_write_here));
	}
	ASSERT_EQ(sizeof(hits), read(fd, &hits, sizeof(hits)));
	EXPECT_EQ(20, hits);
	EXPECT_EQ(20, log->count);
	EXPECT_EQ(20, host_watched);
	EXPECT_EQ(40, guest_watched);
	EXPECT_EQ(20, *(__u64 *)vm_ptr(&self->vm, (__u64)&host_watched));
	EXPECT_EQ(20, *(__u64 *)vm_ptr(&self->vm, (__u64)&guest_watched));
	close(fd);
}

/* ---- access to the registers -------------------------------------------------------- */

GUEST_ASM(guest_gd, 64,
	  "mov %rax, %db7\n"
	  ".globl guest_gd_here\n"
	  "guest_gd_here:\n"
	  "mov %db0, %rbx\n"
	  "call guest_store_dr\n"
	  G_DONE);
GUEST_LABEL(guest_gd_here);

TEST_F(debugreg, general_detect)
{
	const __u64 *data = vm_ptr(&self->vm, GUEST_DATA);

	start(&self->vcpu, guest_gd, DR7_FIXED | DR7_GD, 0);
	vm_log(&self->vm)->skip[DB_VECTOR] = 3;
	ASSERT_DONE(&self->vcpu);
	ASSERT_LOGGED(&self->vcpu, 0, DB_VECTOR, 0, GUEST_ADDR(guest_gd_here));
	EXPECT_EQ(1, vm_log(&self->vm)->count);
	EXPECT_EQ(DR6_FIXED | DR6_BD, data[4]);
	EXPECT_EQ(DR7_FIXED, data[5]);
}

GUEST_ASM(guest_dr4, 64, "mov %db4, %rbx\n" G_DONE);
GUEST_ASM(guest_dr5, 64, "mov %db5, %rbx\n" G_DONE);

TEST_F(debugreg, dr4_dr5)
{
	static const char *const code[] = { guest_dr4, guest_dr5 };
	struct mhv_sregs s;
	int i;

	for (i = 0; i < 2; i++) {
		start(&self->vcpu, code[i], 0, 0);
		ASSERT_DONE(&self->vcpu);
		s = vcpu_sregs(&self->vcpu);
		EXPECT_EQ(i ? s.dr7 : s.dr6, vcpu_regs(&self->vcpu).rbx);

		/* With CR4.DE there are none. */
		start(&self->vcpu, code[i], 0, 0);
		s = vcpu_sregs(&self->vcpu);
		s.cr4 |= CR4_DE;
		vcpu_set_sregs(&self->vcpu, &s);
		vm_log(&self->vm)->skip[UD_VECTOR] = 3;
		ASSERT_DONE(&self->vcpu);
		ASSERT_LOGGED(&self->vcpu, 0, UD_VECTOR, 0, GUEST_ADDR(code[i]));
	}
}

GUEST_ASM(guest_to_dr7, 64, "mov %rax, %db7\n" G_DONE);

TEST_F(debugreg, not_for_user_code)
{
	static const char *const code[] = { guest_to_dr7, guest_dr4 };
	int i;

	for (i = 0; i < 2; i++) {
		vcpu_set_user(&self->vcpu, code[i]);
		memset(vm_log(&self->vm), 0, sizeof(struct guest_log));
		vm_log(&self->vm)->skip[GP_VECTOR] = 3;
		ASSERT_DONE(&self->vcpu);
		ASSERT_LOGGED(&self->vcpu, 0, GP_VECTOR, 0, GUEST_ADDR(code[i]));
		EXPECT_EQ(1, vm_log(&self->vm)->count);
	}
}
