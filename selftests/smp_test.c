// SPDX-License-Identifier: GPL-2.0-only
/* More than one CPU: vCPUs side by side, vCPUs that move, CPUs that come and go. */
#include <sched.h>
#include <sys/syscall.h>

#include "mhv_test.h"

#define SHARED_COUNT	GUEST_DATA
#define TURN		(GUEST_DATA + 64)
#define STOP		(GUEST_DATA + 128)
#define BASE		0x80000000ull

FIXTURE(smp) {
	struct vm vm;
	struct vcpu vcpu[2];
};

FIXTURE_SETUP(smp)
{
	int i;

	/* Out of the whole test, not of the setup alone */
	if (host_cpus() < 2)
		SKIP(longjmp(_metadata->env, 1), "the host has one CPU");
	vm_create(&self->vm);
	for (i = 0; i < 2; i++)
		vcpu_create(&self->vm, &self->vcpu[i], i);
}

FIXTURE_TEARDOWN(smp)
{
	vcpu_destroy(&self->vcpu[0]);
	vcpu_destroy(&self->vcpu[1]);
	vm_destroy(&self->vm);
}

struct runner {
	struct vcpu *vcpu;
	int cpu;			/* -1: any */
	const char *wrong;
};

/* Run to PORT_DONE; what else the guest reports is its own affair. */
static void *runner_thread(void *arg)
{
	struct runner *r = arg;
	int ret;

	if (r->cpu >= 0)
		host_pin(r->cpu);
	do {
		/* interrupted when the host freezes its processes */
		do
			ret = vcpu_run(r->vcpu);
		while (ret == -EINTR);
		if (ret) {
			r->wrong = "MHV_RUN";
			return NULL;
		}
		if (r->vcpu->run->exit != MHV_EXIT_IO) {
			r->wrong = "exit";
			return NULL;
		}
		if (r->vcpu->run->ioreq.addr == PORT_REPORT)
			r->wrong = "what the guest found";
		vcpu_done_io(r->vcpu);
	} while (r->vcpu->run->ioreq.addr != PORT_DONE);
	return NULL;
}

static void set_regs(struct vcpu *vcpu, __u64 rsi, __u64 rsp)
{
	struct mhv_regs regs = vcpu_regs(vcpu);

	regs.rsi = rsi;
	regs.rsp = rsp;
	vcpu_set_regs(vcpu, &regs);
}

/* ---- side by side -------------------------------------------------------------------- */

/* rsi: 0 or 1.  Waits for its turn, adds to what both share, passes the turn on. */
GUEST_ASM(guest_turns, 64,
	  "mov $3000, %ecx\n"
	  "1: cmp %esi, " STR(TURN) "\n"
	  "je 2f\n"
	  "pause\n"
	  "jmp 1b\n"
	  "2: incq " STR(SHARED_COUNT) "\n"
	  "mov %esi, %eax\n"
	  "xor $1, %eax\n"
	  "mov %eax, " STR(TURN) "\n"
	  "dec %ecx\n"
	  "jnz 1b\n"
	  G_DONE);

/* Both add as fast as they can, with exits on the way. */
GUEST_ASM(guest_locked_add, 64,
	  "mov $200, %r8d\n"
	  "1: mov $500, %ecx\n"
	  "2: lock incq " STR(SHARED_COUNT) "\n"
	  "loop 2b\n"
	  "cpuid\n"
	  "dec %r8d\n"
	  "jnz 1b\n"
	  G_DONE);

static void run_both(struct __test_metadata *_metadata, struct vcpu vcpu[2],
		     const void *code)
{
	struct runner r[2];
	pthread_t thread[2];
	int i;

	for (i = 0; i < 2; i++) {
		vcpu_set_long(&vcpu[i], code);
		set_regs(&vcpu[i], i, i ? GUEST_USTACK : GUEST_STACK);
		r[i] = (struct runner){ .vcpu = &vcpu[i], .cpu = i, .wrong = "" };
	}
	for (i = 0; i < 2; i++)
		host_start(&thread[i], runner_thread, &r[i]);
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_STREQ("", r[i].wrong)
			vcpu_dump(&vcpu[i]);
	}
}

TEST_F(smp, two_vcpus_take_turns)
{
	run_both(_metadata, self->vcpu, guest_turns);
	EXPECT_EQ(6000, *(__u64 *)vm_ptr(&self->vm, SHARED_COUNT));
}

TEST_F(smp, two_vcpus_at_once)
{
	run_both(_metadata, self->vcpu, guest_locked_add);
	EXPECT_EQ(200000, *(__u64 *)vm_ptr(&self->vm, SHARED_COUNT));
}

/* Both touch fresh memory at once: each page is mapped once. */
GUEST_ASM(guest_touch_all, 64,
	  "mov $" STR(GUEST_FREE) ", %ecx\n"
	  "1: lock incq (%rcx)\n"
	  "add $4096, %ecx\n"
	  "cmp $" STR(GUEST_MEM_SIZE) ", %ecx\n"
	  "jb 1b\n"
	  G_DONE);

TEST_F(smp, both_touch_fresh_memory)
{
	__u64 gpa, wrong = 0;
	int round;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, madvise(vm_ptr(&self->vm, GUEST_FREE), GUEST_MEM_SIZE - GUEST_FREE,
				     MADV_DONTNEED));
		run_both(_metadata, self->vcpu, guest_touch_all);
		for (gpa = GUEST_FREE; gpa < GUEST_MEM_SIZE; gpa += PAGE_SIZE)
			wrong += *(__u64 *)vm_ptr(&self->vm, gpa) != 2;
		EXPECT_EQ(0, wrong);
	}
}

/* ---- a vCPU that moves ------------------------------------------------------------------ */

/*
 * Looks after what belongs to it - an MSR, the TSC, a vector register - until
 * told to stop, and reports what it lost.
 */
GUEST_ASM(guest_watchful, 64,
	  "xor %r9d, %r9d\n"
	  "movq %rsi, %xmm5\n"
	  "1: mov $" STR(MSR_KERNEL_GS_BASE) ", %ecx\n"
	  "rdmsr\n"
	  "shl $32, %rdx; or %rdx, %rax\n"
	  "mov $1, %ebx\n"
	  "cmp %rax, %rsi; jne 8f\n"
	  "rdtsc\n"
	  "shl $32, %rdx; or %rdx, %rax\n"
	  "mov $2, %ebx\n"
	  "cmp %rax, %r9; jae 8f\n"
	  "mov %rax, %r9\n"
	  "movq %xmm5, %rax\n"
	  "mov $3, %ebx\n"
	  "cmp %rax, %rsi; jne 8f\n"
	  "out %al, $0x20\n"
	  "incq " STR(SHARED_COUNT) "\n"
	  "cmpb $0, " STR(STOP) "\n"
	  "je 1b\n"
	  G_DONE
	  "8: mov %ebx, %eax\n"
	  G_REPORT
	  G_DONE);

#define WATCHED	0xffff888012345000ull

static void start_watchful(struct vcpu *vcpu)
{
	vcpu_set_long(vcpu, guest_watchful);
	set_regs(vcpu, WATCHED, GUEST_STACK);
	if (vcpu_msr_set(vcpu, MSR_KERNEL_GS_BASE, WATCHED))
		die("set KERNEL_GS_BASE");
}

static void stop_guest(struct vm *vm)
{
	__atomic_store_n((__u8 *)vm_ptr(vm, STOP), 1, __ATOMIC_RELEASE);
}

static __u64 count(struct vm *vm)
{
	return __atomic_load_n((__u64 *)vm_ptr(vm, SHARED_COUNT), __ATOMIC_RELAXED);
}

/* The guest must have got on since @last. */
static __u64 wait_progress(struct vm *vm, __u64 last)
{
	while (count(vm) == last)
		sched_yield();
	return count(vm);
}

TEST_F(smp, migrates_between_exits)
{
	struct vcpu *vcpu = &self->vcpu[0];
	int i;

	start_watchful(vcpu);
	for (i = 0; i < 200; i++) {
		if (i % 3 == 0)
			host_pin(i / 3 % 2);
		ASSERT_IO(vcpu, MHV_IOREQ_WRITE, 0x20, 1);
		vcpu_done_io(vcpu);
	}
	stop_guest(&self->vm);
	ASSERT_DONE(vcpu);
}

static void pin_thread(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(thread, sizeof(set), &set))
		die("cannot move a thread to CPU %d", cpu);
}

TEST_F(smp, migrated_while_running)
{
	struct runner r = { .vcpu = &self->vcpu[0], .cpu = -1, .wrong = "" };
	pthread_t thread;
	__u64 last = 0;
	int i;

	start_watchful(r.vcpu);
	host_start(&thread, runner_thread, &r);
	for (i = 0; i < 60 && !*r.wrong; i++) {
		pin_thread(thread, i % 2);
		last = wait_progress(&self->vm, last);
	}
	stop_guest(&self->vm);
	pthread_join(thread, NULL);
	EXPECT_STREQ("", r.wrong)
		vcpu_dump(r.vcpu);
}

/* One vCPU after the other on each CPU: a CPU may still hold the state of both. */
TEST_F(smp, two_vcpus_swap_cpus)
{
	int i;

	start_watchful(&self->vcpu[0]);
	start_watchful(&self->vcpu[1]);
	for (i = 0; i < 40; i++) {
		host_pin(i % 2);
		ASSERT_IO(&self->vcpu[0], MHV_IOREQ_WRITE, 0x20, 1);
		vcpu_done_io(&self->vcpu[0]);
		host_pin((i / 2) % 2);
		ASSERT_IO(&self->vcpu[1], MHV_IOREQ_WRITE, 0x20, 1);
		vcpu_done_io(&self->vcpu[1]);
	}
}

/* ---- memory taken away on another CPU ------------------------------------------------------ */

GUEST_ASM(guest_write_base, 64,
	  "mov $0x80000000, %ecx\n"
	  "1: incq (%rcx)\n"
	  "incq " STR(SHARED_COUNT) "\n"
	  "cmpb $0, " STR(STOP) "\n"
	  "je 1b\n"
	  G_DONE);

static void *faulting_thread(void *arg)
{
	struct runner *r = arg;

	host_pin(r->cpu);
	for (;;) {
		if (vcpu_run(r->vcpu)) {
			r->wrong = "MHV_RUN";
			return NULL;
		}
		if (r->vcpu->run->exit == MHV_EXIT_IO)
			return NULL;
		if (r->vcpu->run->exit != MHV_EXIT_MEMORY_FAULT) {
			r->wrong = "exit";
			return NULL;
		}
	}
}

TEST_F(smp, no_write_after_protect)
{
	struct runner r = { .vcpu = &self->vcpu[0], .cpu = 1, .wrong = "" };
	__u64 *page = host_alloc(PAGE_SIZE), before, last = 0;
	pthread_t thread;
	int i, k;

	host_pin(0);
	vm_set_slot(&self->vm, 1, BASE, PAGE_SIZE, page);
	vcpu_set_long(r.vcpu, guest_write_base);
	host_start(&thread, faulting_thread, &r);
	for (i = 0; i < 50; i++) {
		last = wait_progress(&self->vm, last);
		ASSERT_EQ(0, mprotect(page, PAGE_SIZE, PROT_READ));
		/* The other CPU must have forgotten that it could write. */
		before = __atomic_load_n(page, __ATOMIC_RELAXED);
		for (k = 0; k < 2000; k++) {
			if (__atomic_load_n(page, __ATOMIC_RELAXED) != before)
				break;
		}
		EXPECT_EQ(2000, k);
		last = count(&self->vm);
		ASSERT_EQ(0, mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE));
	}
	stop_guest(&self->vm);
	pthread_join(thread, NULL);
	EXPECT_STREQ("", r.wrong)
		vcpu_dump(r.vcpu);
}

/* ---- CPUs that come and go ------------------------------------------------------------------- */

#define CPU1_ONLINE "/sys/devices/system/cpu/cpu1/online"

/* Keep a VM busy on both CPUs while the second one goes and comes. */
TEST_F(smp, cpu_hotplug)
{
	struct runner r = { .vcpu = &self->vcpu[0], .cpu = -1, .wrong = "" };
	pthread_t thread;
	__u64 last = 0;
	int i;

	if (access(CPU1_ONLINE, W_OK))
		SKIP(return, "the host's second CPU cannot go offline");
	start_watchful(r.vcpu);
	host_start(&thread, runner_thread, &r);
	for (i = 0; i < 3 && !*r.wrong; i++) {
		pin_thread(thread, 1);
		last = wait_progress(&self->vm, last);
		/* The thread is moved off, its vCPU with it. */
		ASSERT_EQ(0, host_write(CPU1_ONLINE, "0"));
		last = wait_progress(&self->vm, last);
		ASSERT_EQ(0, host_write(CPU1_ONLINE, "1"));
		last = wait_progress(&self->vm, last);
	}
	stop_guest(&self->vm);
	pthread_join(thread, NULL);
	EXPECT_STREQ("", r.wrong)
		vcpu_dump(r.vcpu);
}

TEST_F(smp, vm_made_while_cpu_is_offline)
{
	struct vcpu vcpu;
	struct vm vm;
	int i;

	if (access(CPU1_ONLINE, W_OK))
		SKIP(return, "the host's second CPU cannot go offline");
	ASSERT_EQ(0, host_write(CPU1_ONLINE, "0"));
	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	ASSERT_EQ(0, host_write(CPU1_ONLINE, "1"));
	/* The CPU that came late serves like the other. */
	start_watchful(&vcpu);
	for (i = 0; i < 10; i++) {
		host_pin(i % 2);
		ASSERT_IO(&vcpu, MHV_IOREQ_WRITE, 0x20, 1);
		vcpu_done_io(&vcpu);
	}
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
}

/* ---- suspend ------------------------------------------------------------------------ */

#define PM_TEST		"/sys/power/pm_test"
#define PM_TEST_DELAY	"/sys/module/suspend/parameters/pm_test_delay"
#define PM_STATE	"/sys/power/state"

/* All of a suspend but the sleep itself: processes, devices, the second CPU, interrupts. */
TEST_F(smp, suspend)
{
	struct runner r = { .vcpu = &self->vcpu[0], .cpu = -1, .wrong = "" };
	struct vm vm;
	pthread_t thread;
	__u64 last = 0;
	int i;

	if (host_write(PM_TEST, "core") || host_write(PM_TEST_DELAY, "0"))
		SKIP(return, "the host kernel cannot rehearse a suspend (CONFIG_PM_DEBUG)");
	start_watchful(r.vcpu);
	host_start(&thread, runner_thread, &r);
	for (i = 0; i < 2 && !*r.wrong; i++) {
		pin_thread(thread, i);
		last = wait_progress(&self->vm, last);
		EXPECT_EQ(0, host_write(PM_STATE, "mem"));
		last = wait_progress(&self->vm, last);
	}
	host_write(PM_TEST, "none");
	stop_guest(&self->vm);
	pthread_join(thread, NULL);
	EXPECT_STREQ("", r.wrong)
		vcpu_dump(r.vcpu);
	/* New ones can be had as well. */
	vm_create_bare(&vm);
	vm_destroy(&vm);
}
