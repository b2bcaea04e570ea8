// SPDX-License-Identifier: GPL-2.0-only
/*
 * x87, SSE, AVX and AVX-512 state: the guest's and the host thread's never mix.
 *
 * Both sides load a pattern with XRSTOR, let things happen, and store with XSAVE
 * what became of it.
 */
#include <cpuid.h>
#include <sched.h>
#include <stdalign.h>
#include <sys/syscall.h>

#include "mhv_test.h"

#define XSTATE_SIZE	4096
#define XSTATE_BV	512
#define X87		BIT_ULL(0)
#define SSE		BIT_ULL(1)
#define AVX		BIT_ULL(2)
#define AVX512		(BIT_ULL(5) | BIT_ULL(6) | BIT_ULL(7))
#define TESTED		(X87 | SSE | AVX | AVX512)

/* Where the guest keeps what it loads and what it stored */
#define GUEST_IN	(GUEST_FREE + 0x0000)
#define GUEST_OUT	(GUEST_FREE + 0x1000)

struct xstate {
	alignas(64) __u8 area[XSTATE_SIZE];
};

static __u64 xgetbv0(void)
{
	__u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (__u64)high << 32;
}

static bool host_has_xsave(void)
{
	__u32 a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE);
}

/* Offset and size of an extended component, from the host's CPUID */
static void component(int nr, __u32 *offset, __u32 *size)
{
	__u32 ecx, edx;

	__cpuid_count(0xd, nr, *size, *offset, ecx, edx);
}

static void fill(__u8 *p, size_t size, __u32 *seed)
{
	while (size--) {
		*seed = *seed * 1103515245 + 12345;
		*p++ = *seed >> 16;
	}
}

/* A state that differs from its initial one in every component of @mask */
static void make_pattern(struct xstate *x, __u64 mask, __u32 seed)
{
	const __u16 fcw = 0x37f & ~(seed % 3 << 10), ftw = 0xff;
	const __u32 mxcsr = 0x1f80 | (seed % 3 + 1) << 13;
	__u32 offset, size;
	int i;

	memset(x, 0, sizeof(*x));
	memcpy(x->area, &fcw, 2);
	memcpy(x->area + 4, &ftw, 1);
	memcpy(x->area + 24, &mxcsr, 4);
	for (i = 0; i < 8; i++)
		fill(x->area + 32 + i * 16, 10, &seed);
	fill(x->area + 160, 256, &seed);
	for (i = 2; i < 8; i++) {
		if (!(mask >> i & 1))
			continue;
		component(i, &offset, &size);
		fill(x->area + offset, size, &seed);
	}
	memcpy(x->area + XSTATE_BV, &mask, 8);
}

/* The name of the first component that differs, "" if none does */
static const char *differs(const struct xstate *a, const struct xstate *b, __u64 mask)
{
	static const char *const names[] = {
		NULL, NULL, "AVX", NULL, NULL, "opmask", "ZMM_Hi256", "Hi16_ZMM",
	};
	__u32 offset, size;
	int i;

	if (mask & X87) {
		if (memcmp(a->area, b->area, 2))
			return "x87 control word";
		if (memcmp(a->area + 2, b->area + 2, 3))
			return "x87 status or tags";
		for (i = 0; i < 8; i++)
			if (memcmp(a->area + 32 + i * 16, b->area + 32 + i * 16, 10))
				return "x87 registers";
	}
	if (mask & (SSE | AVX) && memcmp(a->area + 24, b->area + 24, 4))
		return "MXCSR";
	if (mask & SSE && memcmp(a->area + 160, b->area + 160, 256))
		return "XMM";
	for (i = 2; i < 8; i++) {
		if (!(mask >> i & 1))
			continue;
		component(i, &offset, &size);
		if (memcmp(a->area + offset, b->area + offset, size))
			return names[i];
	}
	return "";
}

/* MHV_RUN with @in in the registers before, @out what they are after */
static long run_with(int fd, const struct xstate *in, struct xstate *out, __u64 mask)
{
	struct xstate own;
	long ret;

	memset(&own, 0, sizeof(own));
	memset(out, 0, sizeof(*out));
	asm volatile("mov %[mask], %%eax\n"
		     "xor %%edx, %%edx\n"
		     "xsave64 %[own]\n"
		     "xrstor64 %[in]\n"
		     "mov %[nr], %%eax\n"
		     "syscall\n"
		     "mov %%rax, %%r8\n"
		     "mov %[mask], %%eax\n"
		     "xor %%edx, %%edx\n"
		     "xsave64 %[out]\n"
		     "xrstor64 %[own]\n"
		     "mov %%r8, %[ret]\n"
		     : [ret] "=m"(ret), [own] "+m"(own), [out] "+m"(*out)
		     : [mask] "r"((__u32)mask), [in] "m"(*in), [nr] "i"(SYS_ioctl),
		       "D"((long)fd), "S"((long)MHV_RUN)
		     : "rax", "rcx", "rdx", "r8", "r11", "memory");
	return ret;
}

/* ---- guest code ----------------------------------------------------------------- */

/* rsi: load from, rdi: store to, r8: components, r9: exits on the way */
GUEST_ASM(guest_fpu_exits, 64,
	  "mov %r8d, %eax\n"
	  "xor %edx, %edx\n"
	  "xrstor64 (%rsi)\n"
	  "1:\n"
	  G_REPORT
	  "cpuid\n"
	  "dec %r9\n"
	  "jnz 1b\n"
	  "mov %r8d, %eax\n"
	  "xor %edx, %edx\n"
	  "xsave64 (%rdi)\n"
	  G_DONE);

/* The same with a loop that is long enough for the host to run others meanwhile */
GUEST_ASM(guest_fpu_spin, 64,
	  "mov %r8d, %eax\n"
	  "xor %edx, %edx\n"
	  "xrstor64 (%rsi)\n"
	  "1: dec %r9\n"
	  "jnz 1b\n"
	  "mov %r8d, %eax\n"
	  "xor %edx, %edx\n"
	  "xsave64 (%rdi)\n"
	  G_DONE);

GUEST_ASM(guest_fpu_store, 64,
	  "mov %r8d, %eax\n"
	  "xor %edx, %edx\n"
	  "xsave64 (%rdi)\n"
	  G_DONE);

FIXTURE(fpu) {
	struct vm vm;
	struct vcpu vcpu;
	__u64 host_mask, guest_mask;
};

FIXTURE_SETUP(fpu)
{
	struct mhv_cpuid_entry leaf = { .eax = 0 };

	/* Out of the whole test, not of the setup alone */
	if (!host_has_xsave())
		SKIP(longjmp(_metadata->env, 1), "the host kernel does not use XSAVE");
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	vcpu_cpuid(&self->vcpu, 0xd, 0, &leaf);
	self->host_mask = xgetbv0() & TESTED;
	self->guest_mask = leaf.eax & self->host_mask;
	ASSERT_EQ(X87 | SSE, self->guest_mask & (X87 | SSE));
}

FIXTURE_TEARDOWN(fpu)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

static struct xstate *guest_area(struct vm *vm, __u64 gpa)
{
	return vm_ptr(vm, gpa);
}

static void start(struct vcpu *vcpu, const void *code, __u64 mask, __u64 count)
{
	struct mhv_sregs sregs;
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	sregs = vcpu_sregs(vcpu);
	sregs.cr4 |= CR4_OSXSAVE;
	sregs.xcr0 = mask;
	vcpu_set_sregs(vcpu, &sregs);
	regs = vcpu_regs(vcpu);
	regs.rsi = GUEST_IN;
	regs.rdi = GUEST_OUT;
	regs.r8 = mask;
	regs.r9 = count;
	vcpu_set_regs(vcpu, &regs);
	memset(guest_area(vcpu->vm, GUEST_OUT), 0, XSTATE_SIZE);
}

/* Run to PORT_DONE; each time the host thread has another pattern of its own. */
static const char *run_to_done(struct vcpu *vcpu, __u64 host_mask)
{
	struct xstate in, out;
	const char *wrong;
	__u32 seed = 77;

	for (;;) {
		make_pattern(&in, host_mask, seed++);
		if (run_with(vcpu->fd, &in, &out, host_mask))
			return "MHV_RUN";
		wrong = differs(&in, &out, host_mask);
		if (*wrong)
			return wrong;
		if (vcpu->run->exit != MHV_EXIT_IO)
			return "exit";
		vcpu_done_io(vcpu);
		if (vcpu->run->ioreq.addr == PORT_DONE)
			return "";
	}
}

TEST_F(fpu, over_exits)
{
	make_pattern(guest_area(&self->vm, GUEST_IN), self->guest_mask, 1);
	start(&self->vcpu, guest_fpu_exits, self->guest_mask, 30);
	ASSERT_STREQ("", run_to_done(&self->vcpu, self->host_mask));
	EXPECT_STREQ("", differs(guest_area(&self->vm, GUEST_IN),
				 guest_area(&self->vm, GUEST_OUT), self->guest_mask));
}

TEST_F(fpu, guest_with_less_than_the_host)
{
	static const __u64 masks[] = { X87, X87 | SSE, X87 | SSE | AVX };
	const __u64 host = xgetbv0();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		if ((masks[i] & self->guest_mask) != masks[i])
			continue;
		make_pattern(guest_area(&self->vm, GUEST_IN), masks[i], i);
		start(&self->vcpu, guest_fpu_exits, masks[i], 5);
		EXPECT_STREQ("", run_to_done(&self->vcpu, self->host_mask));
		EXPECT_STREQ("", differs(guest_area(&self->vm, GUEST_IN),
					 guest_area(&self->vm, GUEST_OUT), masks[i]));
		EXPECT_EQ(host, xgetbv0());
		EXPECT_EQ(masks[i], vcpu_sregs(&self->vcpu).xcr0);
	}
}

TEST_F(fpu, set)
{
	struct xstate *out = guest_area(&self->vm, GUEST_OUT);
	struct mhv_fpu fpu = { .size = 0 };
	struct xstate in;

	make_pattern(&in, self->guest_mask, 5);
	memcpy(fpu.xsave, in.area, sizeof(fpu.xsave));
	start(&self->vcpu, guest_fpu_store, self->guest_mask, 0);
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &fpu)));
	ASSERT_DONE(&self->vcpu);
	EXPECT_STREQ("", differs(&in, out, self->guest_mask));
}

TEST_F(fpu, get)
{
	struct xstate *in = guest_area(&self->vm, GUEST_IN), out;
	struct mhv_fpu fpu;
	__u64 bv;

	make_pattern(in, self->guest_mask, 6);
	start(&self->vcpu, guest_fpu_exits, self->guest_mask, 2);
	GET_REPORT(&self->vcpu);
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_FPU, &fpu)));
	memcpy(out.area, fpu.xsave, sizeof(out.area));
	memcpy(&bv, out.area + XSTATE_BV, 8);
	EXPECT_EQ(self->guest_mask, bv & self->guest_mask);
	EXPECT_STREQ("", differs(in, &out, self->guest_mask));
	/* Set between two exits, it is the guest's from there on. */
	make_pattern(&out, self->guest_mask, 7);
	memcpy(fpu.xsave, out.area, sizeof(fpu.xsave));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &fpu)));
	GET_REPORT(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
	EXPECT_STREQ("", differs(&out, guest_area(&self->vm, GUEST_OUT), self->guest_mask));
}

/* ---- others on the same CPU ---------------------------------------------------------- */

struct rival {
	__u64 mask;
	const char *wrong;
	int stop;
	int rounds;
};

/* Load, let the guest have the CPU, store, compare */
static void *rival_thread(void *arg)
{
	struct rival *rival = arg;
	struct xstate in, out;
	__u32 seed = 1000;

	host_pin(0);
	while (!__atomic_load_n(&rival->stop, __ATOMIC_ACQUIRE)) {
		make_pattern(&in, rival->mask, seed++);
		/* An ioctl on no descriptor: any system call will do. */
		run_with(-1, &in, &out, rival->mask);
		rival->wrong = differs(&in, &out, rival->mask);
		if (*rival->wrong)
			break;
		rival->rounds++;
		sched_yield();
	}
	return NULL;
}

TEST_F(fpu, preempted_by_another_thread)
{
	struct rival rival = { .mask = self->host_mask, .wrong = "" };
	struct xstate *in = guest_area(&self->vm, GUEST_IN);
	pthread_t thread;
	int i;

	host_pin(0);
	host_start(&thread, rival_thread, &rival);
	for (i = 0; i < 10; i++) {
		make_pattern(in, self->guest_mask, i);
		start(&self->vcpu, guest_fpu_spin, self->guest_mask, 2000000);
		ASSERT_STREQ("", run_to_done(&self->vcpu, self->host_mask));
		EXPECT_STREQ("", differs(in, guest_area(&self->vm, GUEST_OUT),
					 self->guest_mask));
	}
	__atomic_store_n(&rival.stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_STREQ("", rival.wrong);
	EXPECT_LT(0, rival.rounds);
}

struct guest_thread {
	__u64 mask;
	__u32 seed;
	const char *wrong;
};

static void *vm_thread(void *arg)
{
	struct guest_thread *t = arg;
	struct vm vm;
	struct vcpu vcpu;
	int i;

	host_pin(0);
	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	for (i = 0; i < 8 && !*t->wrong; i++) {
		make_pattern(guest_area(&vm, GUEST_IN), t->mask, t->seed + i);
		start(&vcpu, i % 2 ? guest_fpu_spin : guest_fpu_exits, t->mask,
		      i % 2 ? 1000000 : 20);
		t->wrong = run_to_done(&vcpu, t->mask);
		if (!*t->wrong)
			t->wrong = differs(guest_area(&vm, GUEST_IN),
					   guest_area(&vm, GUEST_OUT), t->mask);
		sched_yield();
	}
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
	return NULL;
}

TEST_F(fpu, two_vms_on_one_cpu)
{
	struct guest_thread a = { .mask = self->guest_mask, .seed = 100, .wrong = "" };
	struct guest_thread b = { .mask = self->guest_mask, .seed = 200, .wrong = "" };
	pthread_t thread;

	host_pin(0);
	host_start(&thread, vm_thread, &a);
	vm_thread(&b);
	pthread_join(thread, NULL);
	EXPECT_STREQ("", a.wrong);
	EXPECT_STREQ("", b.wrong);
}

/* ---- states that trap ------------------------------------------------------------------ */

GUEST_ASM(guest_fpu_pending, 64,
	  "fninit\n"
	  "movl $0x37b, (%rsp)\n"	/* division by zero is not masked */
	  "fldcw (%rsp)\n"
	  "fld1\n"
	  "fldz\n"
	  "fdivrp\n"			/* waits for the next x87 instruction */
	  G_REPORT
	  "cpuid\n"
	  "xor %eax, %eax\n"
	  "fnstsw %ax\n"
	  G_REPORT
	  "fnop\n"
	  "fnclex\n"
	  G_DONE);

TEST_F(fpu, exception_pending_in_the_guest)
{
	struct xstate in, out;

	start(&self->vcpu, guest_fpu_pending, self->guest_mask, 0);
	vm_log(&self->vm)->skip[MF_VECTOR] = 2;
	make_pattern(&in, self->host_mask, 3);
	/* The host's own x87 work must not meet the guest's exception. */
	ASSERT_EQ(0, run_with(self->vcpu.fd, &in, &out, self->host_mask));
	EXPECT_STREQ("", differs(&in, &out, self->host_mask));
	asm volatile("fld1; fld1; faddp; fwait; fstp %st(0)");
	vcpu_done_io(&self->vcpu);
	EXPECT_EQ(0x84, GET_REPORT(&self->vcpu) & 0x84);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(1, vm_log(&self->vm)->count);
	EXPECT_EQ(MF_VECTOR, vm_log(&self->vm)->entry[0].vector);
}

GUEST_ASM(guest_fpu_ts, 64,
	  "mov %cr0, %rax\n"
	  "or $8, %eax\n"
	  "mov %rax, %cr0\n"
	  G_REPORT
	  ".globl guest_fpu_ts_here\n"
	  "guest_fpu_ts_here:\n"
	  "movaps %xmm0, %xmm1\n"
	  "clts\n"
	  "movaps %xmm0, %xmm1\n"
	  G_DONE);
GUEST_LABEL(guest_fpu_ts_here);

TEST_F(fpu, task_switched)
{
	start(&self->vcpu, guest_fpu_ts, self->guest_mask, 0);
	vm_log(&self->vm)->skip[NM_VECTOR] = 3;
	ASSERT_STREQ("", run_to_done(&self->vcpu, self->host_mask));
	ASSERT_LOGGED(&self->vcpu, 0, NM_VECTOR, 0, GUEST_ADDR(guest_fpu_ts_here));
	EXPECT_EQ(1, vm_log(&self->vm)->count);
}
