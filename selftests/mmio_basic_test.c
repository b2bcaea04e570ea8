// SPDX-License-Identifier: GPL-2.0-only
/* Device memory: the request slot, what is found again, what cannot be emulated. */
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/time.h>

#include "mhv_test.h"
#include "mmio.h"

#define DEV	((__u64)GUEST_HOLE)

FIXTURE(mmio) {
	struct vm vm;
	struct vcpu vcpu;
	struct mmio_dev dev;
};

FIXTURE_SETUP(mmio)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	mmio_dev_init(&self->dev, DEV, 16 * PAGE_SIZE);
}

FIXTURE_TEARDOWN(mmio)
{
	mmio_dev_free(&self->dev);
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* ---- found again ------------------------------------------------------------------- */

GUEST_ASM(guest_basic_stores, 64,
	  "mov %rax, (%rcx)\n"
	  "mov %rax, (%rcx)\n"
	  "mov %rax, 8(%rcx)\n"
	  "mov %rax, 0x1000(%rcx)\n"
	  G_DONE);

TEST_F(mmio, first_touch)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu);

	vcpu_start(vcpu, guest_basic_stores, 0x1122334455667788, DEV + 0x10, 0);
	ASSERT_MMIO_WRITE(vcpu, DEV + 0x10, 8, 0x1122334455667788);
	ASSERT_COUNTED(vcpu, &before, pf_mmio_slow, 1);
	ASSERT_COUNTED(vcpu, &before, pf_mmio_made, 1);
	ASSERT_COUNTED(vcpu, &before, pf_vcpu_cache, 0);
	/* The same address, another one in that page: known */
	ASSERT_MMIO_WRITE(vcpu, DEV + 0x10, 8, 0x1122334455667788);
	ASSERT_MMIO_WRITE(vcpu, DEV + 0x18, 8, 0x1122334455667788);
	ASSERT_COUNTED(vcpu, &before, pf_mmio_slow, 1);
	ASSERT_COUNTED(vcpu, &before, pf_mmio_made, 1);
	ASSERT_COUNTED(vcpu, &before, pf_vcpu_cache, 2);
	/* Another page */
	ASSERT_MMIO_WRITE(vcpu, DEV + 0x1010, 8, 0x1122334455667788);
	ASSERT_COUNTED(vcpu, &before, pf_mmio_slow, 2);
	ASSERT_COUNTED(vcpu, &before, pf_mmio_made, 2);
	ASSERT_COUNTED(vcpu, &before, mmio_write, 4);
	ASSERT_COUNTED(vcpu, &before, mmio_read, 0);
	ASSERT_COUNTED(vcpu, &before, route_ioreq, 4);
	ASSERT_DONE(vcpu);
}

/* rdx times: read, add up in rbx, write */
GUEST_ASM(guest_basic_loop, 64,
	  "xor %ebx, %ebx\n"
	  "1: mov (%rcx), %eax\n"
	  "add %rax, %rbx\n"
	  "mov %ebx, 0x40(%rcx)\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE);

/*
 * First touches of a page: with shadow paging also the first write, for it is what sets
 * the dirty bit of the guest's entry.
 */
static unsigned int first_touches(const struct vm *vm)
{
	return vm_is_shadowed(vm) ? 2 : 1;
}

/* All accesses but the first ones must have been recognised, each instruction once. */
static void check_hits(struct __test_metadata *t, struct vcpu *vcpu,
		       const struct mmio_stats *before, __u64 accesses, __u64 insns)
{
	struct mmio_stats s = mmio_since(vcpu, before);
	const unsigned int first = first_touches(vcpu->vm);

	mhv_want(t, __LINE__, vcpu, "accesses", accesses, s.mmio_read + s.mmio_write);
	mhv_want(t, __LINE__, vcpu, "hits", accesses - first, s.pf_vcpu_cache + s.pf_mmio_spte);
	mhv_want(t, __LINE__, vcpu, "made", first, s.pf_mmio_made);
	mhv_want(t, __LINE__, vcpu, "slow", first, s.pf_mmio_slow);
	mhv_want(t, __LINE__, vcpu, "stale", 0, s.pf_mmio_stale);
	mhv_want(t, __LINE__, vcpu, "decoded", insns, s.decode_cache_miss);
	mhv_want(t, __LINE__, vcpu, "decoded hits", accesses - insns, s.decode_cache_hit);
	mhv_want(t, __LINE__, vcpu, "changed", 0, s.decode_cache_changed);
}

#define IN_KERNEL	50000

/* 100,000 accesses that the kernel answers: a register file and an eventfd */
TEST_F(mmio, repeated_in_the_kernel)
{
	struct mhv_route regs = { .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 64, .fd = -1 };
	struct mhv_route doorbell = { .kind = MHV_ROUTE_EVENTFD, .gpa = DEV + 0x40, .size = 4 };
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu);
	struct mhv_area area;
	__u64 rings;
	__u32 *page;

	ASSERT_EQ(0, mmio_area(&self->vm, MHV_AREA_REGFILE, &area));
	page = mmio_map_area(&self->vm, &area);
	page[0] = 3;
	regs.area = area.id;
	doorbell.fd = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, doorbell.fd);
	ASSERT_EQ(0, mmio_route(&self->vm, &regs));
	ASSERT_EQ(0, mmio_route(&self->vm, &doorbell));

	vcpu_start(vcpu, guest_basic_loop, 0, DEV, IN_KERNEL);
	ASSERT_DONE(vcpu);
	EXPECT_EQ(3 * IN_KERNEL, vcpu_regs(vcpu).rbx);
	check_hits(_metadata, vcpu, &before, 2 * IN_KERNEL, 2);
	ASSERT_COUNTED(vcpu, &before, route_regfile, IN_KERNEL);
	ASSERT_COUNTED(vcpu, &before, route_eventfd, IN_KERNEL);
	ASSERT_COUNTED(vcpu, &before, route_ioreq, 0);
	ASSERT_EQ(sizeof(rings), read(doorbell.fd, &rings, sizeof(rings)));
	EXPECT_EQ(IN_KERNEL, rings);
	close(doorbell.fd);
}

#define IN_USER	1000

TEST_F(mmio, repeated_in_user_space)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu);

	*(__u32 *)self->dev.mem = 5;
	vcpu_start(vcpu, guest_basic_loop, 0, DEV, IN_USER);
	ASSERT_EQ(MHV_EXIT_IO, mmio_run(vcpu, &self->dev));
	EXPECT_EQ(5 * IN_USER, vcpu_regs(vcpu).rbx);
	EXPECT_EQ(5 * IN_USER, *(__u32 *)(self->dev.mem + 0x40));
	check_hits(_metadata, vcpu, &before, 2 * IN_USER, 2);
	ASSERT_COUNTED(vcpu, &before, route_ioreq, 2 * IN_USER);
}

/* More pages and instructions than any cache holds: still no first touch comes twice. */
GUEST_ASM(guest_basic_many_pages, 64,
	  "mov $100, %ebx\n"
	  "1: mov %rcx, %rsi\n"
	  "mov $64, %edi\n"
	  "2: mov %eax, (%rsi)\n"
	  "add $4096, %rsi\n"
	  "dec %edi\n"
	  "jnz 2b\n"
	  "dec %ebx\n"
	  "jnz 1b\n"
	  G_DONE);

TEST_F(mmio, many_pages)
{
	struct mhv_route sink = { .kind = MHV_ROUTE_EVENTFD };
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu), s;
	int i;

	sink.fd = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, sink.fd);
	for (i = 0; i < 64; i++) {
		sink.gpa = DEV + i * PAGE_SIZE;
		ASSERT_EQ(0, mmio_route(&self->vm, &sink));
	}
	vcpu_start(vcpu, guest_basic_many_pages, 0, DEV, 0);
	ASSERT_DONE(vcpu);
	s = mmio_since(vcpu, &before);
	EXPECT_EQ(64, s.pf_mmio_slow);
	EXPECT_EQ(64, s.pf_mmio_made);
	EXPECT_EQ(6400 - 64, s.pf_vcpu_cache + s.pf_mmio_spte);
	EXPECT_LT(0, s.pf_mmio_spte);
	EXPECT_EQ(6400, s.route_eventfd);
	close(sink.fd);
}

/* ---- sizes ------------------------------------------------------------------------- */

GUEST_ASM(guest_basic_sizes, 64,
	  "mov %al, (%rcx)\n"
	  "mov %ax, (%rcx)\n"
	  "mov %eax, (%rcx)\n"
	  "mov %rax, (%rcx)\n"
	  "mov (%rcx), %al\n"
	  "mov (%rcx), %ax\n"
	  "mov (%rcx), %rax\n"
	  "mov (%rcx), %eax\n"
	  "mov %rax, %rdx\n"
	  G_DONE);

TEST_F(mmio, sizes)
{
	const __u64 value = 0x8182838485868788, answer = 0xc1c2c3c4c5c6c7c8;
	struct vcpu *vcpu = &self->vcpu;
	__u32 size;

	vcpu_start(vcpu, guest_basic_sizes, value, DEV + 0x123, 0);
	for (size = 1; size <= 8; size *= 2)
		ASSERT_MMIO_WRITE(vcpu, DEV + 0x123, size, value);
	/* What is beyond the size does not reach the guest. */
	ASSERT_MMIO_READ(vcpu, DEV + 0x123, 1, answer);
	ASSERT_MMIO(vcpu, 0, DEV + 0x123, 2);
	EXPECT_EQ(0x81828384858687c8, vcpu_regs(vcpu).rax);
	vcpu->run->ioreq.data = answer;
	vcpu_done_io(vcpu);
	ASSERT_MMIO(vcpu, 0, DEV + 0x123, 8);
	EXPECT_EQ(0x818283848586c7c8, vcpu_regs(vcpu).rax);
	vcpu->run->ioreq.data = answer;
	vcpu_done_io(vcpu);
	ASSERT_MMIO(vcpu, 0, DEV + 0x123, 4);
	EXPECT_EQ(answer, vcpu_regs(vcpu).rax);
	vcpu->run->ioreq.data = answer;
	vcpu_done_io(vcpu);
	ASSERT_DONE(vcpu);
	EXPECT_EQ((__u32)answer, vcpu_regs(vcpu).rdx);
}

GUEST_ASM(guest_basic_vectors, 64,
	  "movups %xmm0, 0x10(%rcx)\n"
	  "movups 0x20(%rcx), %xmm1\n"
	  "movups %xmm1, (%rdx)\n"
	  G_DONE);

GUEST_ASM(guest_basic_vectors_32, 64,
	  "vmovups %ymm0, 0x20(%rcx)\n"
	  "vmovups 0x40(%rcx), %ymm1\n"
	  "vmovups %ymm1, (%rdx)\n"
	  G_DONE);

static void vector_case(struct __test_metadata *_metadata, struct vcpu *vcpu,
			const void *code, __u32 size)
{
	static struct mhv_fpu fpu;
	__u8 *ram = vm_ptr(vcpu->vm, GUEST_FREE);
	struct mmio_stats before;
	struct mhv_sregs sregs;
	__u64 components = size == 32 ? 7 : 3;
	__u32 i;

	vcpu_start(vcpu, code, 0, DEV, GUEST_FREE);
	if (size == 32) {
		sregs = vcpu_sregs(vcpu);
		sregs.cr4 |= CR4_OSXSAVE;
		sregs.xcr0 = 7;
		vcpu_set_sregs(vcpu, &sregs);
	}
	memcpy(fpu.xsave + 512, &components, 8);
	memcpy(fpu.xsave, &(__u16){ 0x37f }, 2);
	memcpy(fpu.xsave + 24, &(__u32){ 0x1f80 }, 4);
	for (i = 0; i < 16; i++) {
		fpu.xsave[160 + i] = 0x10 + i;
		if (size == 32)
			fpu.xsave[576 + i] = 0x20 + i;
	}
	ASSERT_EQ(0, RET(ioctl(vcpu->fd, MHV_SET_FPU, &fpu)));
	before = mmio_stats(vcpu);
	ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE | MHV_IOREQ_STRING, DEV + size, size);
	for (i = 0; i < size; i++)
		EXPECT_EQ(0x10 + i, vcpu->data[i]);
	vcpu_done_io(vcpu);
	ASSERT_MMIO(vcpu, MHV_IOREQ_STRING, DEV + 2 * size, size);
	for (i = 0; i < size; i++)
		vcpu->data[i] = 0xa0 + i;
	vcpu_done_io(vcpu);
	ASSERT_DONE(vcpu);
	for (i = 0; i < size; i++)
		EXPECT_EQ(0xa0 + i, ram[i]);
	ASSERT_COUNTED(vcpu, &before, mmio_write, 1);
	ASSERT_COUNTED(vcpu, &before, mmio_read, 1);
}

TEST_F(mmio, sizes_of_vectors)
{
	struct mhv_cpuid_entry leaf;

	vector_case(_metadata, &self->vcpu, guest_basic_vectors, 16);
	if (vcpu_cpuid(&self->vcpu, 1, 0, &leaf) && leaf.ecx >> 28 & 1)
		vector_case(_metadata, &self->vcpu, guest_basic_vectors_32, 32);
}

/* ---- the request slot -------------------------------------------------------------- */

GUEST_ASM(guest_basic_read, 64,
	  "mov (%rcx), %rax\n"
	  "mov %eax, %ebx\n"
	  "mov (%rcx), %edx\n"
	  "mov %edx, 8(%rcx)\n"
	  G_DONE);

TEST_F(mmio, not_done_comes_again)
{
	static const __u32 states[] = { MHV_IOREQ_READY, MHV_IOREQ_FREE, 3, 77, ~0u };
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before;
	__u64 rip, exits;
	unsigned int i;

	vcpu_start(vcpu, guest_basic_read, 0, DEV, 0);
	ASSERT_MMIO(vcpu, 0, DEV, 8);
	before = mmio_stats(vcpu);
	exits = vcpu_stat(vcpu, "exits");
	rip = vcpu_regs(vcpu).rip;
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		vcpu->run->ioreq.state = states[i];
		ASSERT_MMIO(vcpu, 0, DEV, 8);
		EXPECT_EQ(rip, vcpu_regs(vcpu).rip);
	}
	/* The guest did not run, and the access counts once. */
	EXPECT_EQ(exits, vcpu_stat(vcpu, "exits"));
	ASSERT_COUNTED(vcpu, &before, mmio_read, 0);
	vcpu->run->ioreq.data = 0x1234;
	vcpu_done_io(vcpu);
	ASSERT_MMIO_READ(vcpu, DEV, 4, 0x5678);
	ASSERT_MMIO_WRITE(vcpu, DEV + 8, 4, 0x5678);
	ASSERT_DONE(vcpu);
	EXPECT_EQ(0x1234, vcpu_regs(vcpu).rbx);
}

/* The same for a write: it may not come a third time after it was done. */
TEST_F(mmio, write_not_done_comes_again)
{
	struct vcpu *vcpu = &self->vcpu;
	int i;

	vcpu_start(vcpu, guest_basic_stores, 0x99, DEV, 0);
	for (i = 0; i < 3; i++)
		ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE, DEV, 8);
	vcpu_done_io(vcpu);
	ASSERT_MMIO_WRITE(vcpu, DEV, 8, 0x99);
	ASSERT_MMIO_WRITE(vcpu, DEV + 8, 8, 0x99);
	ASSERT_MMIO_WRITE(vcpu, DEV + 0x1000, 8, 0x99);
	ASSERT_DONE(vcpu);
}

TEST_F(mmio, hostile_slot)
{
	struct mhv_ioreq *req = &self->vcpu.run->ioreq;
	struct vcpu *vcpu = &self->vcpu;
	__u64 seed = 1;
	int i, k;

	for (i = 0; i < 50; i++) {
		vcpu_start(vcpu, guest_basic_read, 0, DEV, 0);
		ASSERT_MMIO(vcpu, 0, DEV, 8);
		/* All but the state is garbage; the data are what was read. */
		for (k = 0; k < (int)sizeof(*req); k++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			((__u8 *)req)[k] = seed >> 56;
			((__u8 *)vcpu->run)[offsetof(struct mhv_run, pad) + k] = seed >> 48;
		}
		req->data = 0x1122334455660000 + i;
		req->state = MHV_IOREQ_DONE;
		ASSERT_MMIO(vcpu, 0, DEV, 4);
		EXPECT_EQ(0x1122334455660000 + i, vcpu_regs(vcpu).rax);
		req->size = 64;
		req->flags = MHV_IOREQ_STRING | MHV_IOREQ_WRITE;
		req->count = ~0u;
		req->data = 0x99;
		vcpu_done_io(vcpu);
		ASSERT_MMIO_WRITE(vcpu, DEV + 8, 4, 0x99);
		ASSERT_DONE(vcpu);
	}
	/* A slot that was not handed out is not looked at. */
	vcpu_start(vcpu, guest_basic_loop, 0, GUEST_FREE, 3);
	memset(req, 0xff, sizeof(*req));
	req->state = MHV_IOREQ_DONE;
	ASSERT_DONE(vcpu);
}

/* Each with a device and an instruction that are new, and that are known */
#define ROUNDS	3

/* An instruction under way takes the registers that it began with. */
TEST_F(mmio, registers_changed_meanwhile)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_regs r;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		vcpu_start(vcpu, guest_basic_read, 0, DEV, 0);
		ASSERT_MMIO(vcpu, 0, DEV, 8);
		r = vcpu_regs(vcpu);
		EXPECT_EQ(GUEST_ADDR(guest_basic_read), r.rip)
			TH_LOG("round %d", i);
		r.rax = 0xaaaa;
		r.rcx = DEV + 0x100;
		r.r15 = 0x1515;
		vcpu_set_regs(vcpu, &r);
		vcpu->run->ioreq.data = 0x1234567812345678;
		vcpu_done_io(vcpu);
		/* What it loads is not what user space put there; all else is. */
		ASSERT_MMIO(vcpu, 0, DEV + 0x100, 4);
		EXPECT_EQ(0x1234567812345678, vcpu_regs(vcpu).rax);
		EXPECT_EQ(0x1515, vcpu_regs(vcpu).r15);
		vcpu_done_io(vcpu);
		ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE, DEV + 0x108, 4);
		vcpu_done_io(vcpu);
		ASSERT_DONE(vcpu);
	}
}

/* Another RIP abandons it. */
TEST_F(mmio, moved_elsewhere_meanwhile)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_regs r;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		vcpu_start(vcpu, guest_basic_read, 0x5555, DEV, 0);
		ASSERT_MMIO(vcpu, 0, DEV, 8);
		r = vcpu_regs(vcpu);
		r.rip = GUEST_ADDR(guest_basic_stores);
		vcpu_set_regs(vcpu, &r);
		vcpu->run->ioreq.data = 0x1234;
		vcpu_done_io(vcpu);
		ASSERT_MMIO_WRITE(vcpu, DEV, 8, 0x5555);
		ASSERT_MMIO_WRITE(vcpu, DEV, 8, 0x5555);
		ASSERT_MMIO_WRITE(vcpu, DEV + 8, 8, 0x5555);
		ASSERT_MMIO_WRITE(vcpu, DEV + 0x1000, 8, 0x5555);
		ASSERT_DONE(vcpu);
	}
}

/* A write that crosses into a second page: its second half comes exactly once, too. */
GUEST_ASM(guest_basic_split, 64,
	  "mov %rax, 0xffc(%rcx)\n"
	  "mov 0xffd(%rcx), %rdx\n"
	  G_DONE);

TEST_F(mmio, split_access)
{
	struct vcpu *vcpu = &self->vcpu;
	int i;

	vcpu_start(vcpu, guest_basic_split, 0x1122334455667788, DEV, 0);
	for (i = 0; i < 2; i++)
		ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE, DEV + 0xffc, 4);
	EXPECT_EQ(0x55667788, (__u32)vcpu->run->ioreq.data);
	vcpu_done_io(vcpu);
	for (i = 0; i < 2; i++)
		ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE, DEV + 0x1000, 4);
	EXPECT_EQ(0x11223344, (__u32)vcpu->run->ioreq.data);
	vcpu_done_io(vcpu);
	/* In naturally aligned pieces, from the lowest address up */
	ASSERT_MMIO_READ(vcpu, DEV + 0xffd, 1, 0x01);
	ASSERT_MMIO_READ(vcpu, DEV + 0xffe, 2, 0x0302);
	ASSERT_MMIO_READ(vcpu, DEV + 0x1000, 4, 0x07060504);
	ASSERT_MMIO_READ(vcpu, DEV + 0x1004, 1, 0x08);
	ASSERT_DONE(vcpu);
	EXPECT_EQ(0x0807060504030201, vcpu_regs(vcpu).rdx);
}

/* ---- interrupted ------------------------------------------------------------------- */

TEST_F(mmio, immediate_exit_completes)
{
	struct vcpu *vcpu = &self->vcpu;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		vcpu_start(vcpu, guest_basic_read, 0, DEV, 0);
		ASSERT_MMIO_READ(vcpu, DEV, 8, 0x4321);
		vcpu->run->immediate_exit = 1;
		EXPECT_EQ(-EINTR, vcpu_run(vcpu));
		EXPECT_EQ(MHV_EXIT_NONE, vcpu->run->exit);
		EXPECT_EQ(0x4321, vcpu_regs(vcpu).rax);
		EXPECT_EQ(GUEST_ADDR(guest_basic_read) + 3, vcpu_regs(vcpu).rip);
		EXPECT_EQ(-EINTR, vcpu_run(vcpu));
		vcpu->run->immediate_exit = 0;
		ASSERT_MMIO_READ(vcpu, DEV, 4, 0);
		ASSERT_MMIO_WRITE(vcpu, DEV + 8, 4, 0);
		ASSERT_DONE(vcpu);
	}
}

TEST_F(mmio, kick_before_completion)
{
	struct vcpu *vcpu = &self->vcpu;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		vcpu_start(vcpu, guest_basic_read, 0, DEV, 0);
		ASSERT_MMIO_READ(vcpu, DEV, 8, 0x4321);
		ASSERT_EQ(0, RET(ioctl(vcpu->fd, MHV_KICK, 0)));
		ASSERT_EXIT(vcpu, MHV_EXIT_KICKED);
		EXPECT_EQ(0x4321, vcpu_regs(vcpu).rax);
		ASSERT_MMIO_READ(vcpu, DEV, 4, 0);
		ASSERT_MMIO_WRITE(vcpu, DEV + 8, 4, 0);
		ASSERT_DONE(vcpu);
	}
}

static void no_action(int sig)
{
	(void)sig;
}

/* One kick at a time, so that the guest gets on. */
static void *kicker(void *arg)
{
	struct vcpu *vcpu = arg;
	int exits = vcpu_stat_index(vcpu, "exits");
	__u64 seen;

	for (;;) {
		seen = __atomic_load_n(&vcpu->stats[exits], __ATOMIC_RELAXED);
		ioctl(vcpu->fd, MHV_KICK, 0);
		while (__atomic_load_n(&vcpu->stats[exits], __ATOMIC_RELAXED) < seen + 5) {
			pthread_testcancel();
			sched_yield();
		}
	}
	return NULL;
}

#define HAMMERED	2000

/*
 * The guest adds up what it reads from a device that counts its reads, writes, and
 * crosses a page now and then, while signals and kicks come at any moment.
 */
GUEST_ASM(guest_basic_sum, 64,
	  "xor %ebx, %ebx\n"
	  "1: mov (%rcx), %rax\n"
	  "add %rax, %rbx\n"
	  "lock incl 0x20(%rcx)\n"
	  "incq 0xffc(%rcx)\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE);

static int answer_counting(struct vcpu *vcpu, struct mmio_dev *dev, __u64 *next)
{
	struct mhv_ioreq *req = &vcpu->run->ioreq;

	if (req->addr == dev->gpa && !(req->flags & MHV_IOREQ_WRITE)) {
		req->data = ++*next;
		vcpu_done_io(vcpu);
		return 0;
	}
	return mmio_answer(vcpu, dev) ? 0 : -1;
}

static int run_hammered(struct vcpu *vcpu, struct mmio_dev *dev, __u64 *next, __u64 *breaks)
{
	int err;

	for (;;) {
		err = vcpu_run(vcpu);
		if (err && err != -EINTR)
			return err;
		if (err || vcpu->run->exit == MHV_EXIT_KICKED)
			++*breaks;
		else if (vcpu->run->exit != MHV_EXIT_MMIO)
			return vcpu->run->exit;
		else if (answer_counting(vcpu, dev, next))
			return MHV_EXIT_MMIO;
	}
}

TEST_F(mmio, each_access_once_under_signals)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, off = { };
	struct sigaction act = { .sa_handler = no_action };
	struct vcpu *vcpu = &self->vcpu;
	__u64 next = 0, breaks = 0;
	pthread_t thread;

	vcpu_start(vcpu, guest_basic_sum, 0, DEV, HAMMERED);
	sigaction(SIGALRM, &act, NULL);
	host_start(&thread, kicker, vcpu);
	setitimer(ITIMER_REAL, &often, NULL);
	ASSERT_EQ(MHV_EXIT_IO, run_hammered(vcpu, &self->dev, &next, &breaks));
	setitimer(ITIMER_REAL, &off, NULL);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	EXPECT_EQ(HAMMERED, next);
	EXPECT_EQ(HAMMERED * (HAMMERED + 1) / 2, vcpu_regs(vcpu).rbx);
	EXPECT_EQ(HAMMERED, *(__u32 *)(self->dev.mem + 0x20));
	EXPECT_EQ(HAMMERED, *(__u64 *)(self->dev.mem + 0xffc));
	EXPECT_LT(0, breaks);
}

/* ---- in the middle of the delivery of an event ------------------------------------- */

GUEST_ASM(guest_basic_int, 64, "int $0x40\n" G_DONE);
GUEST_ASM(guest_basic_nops, 64, "nop; nop\n" G_DONE);

static bool clean_exit(struct vcpu *vcpu)
{
	int ret = vcpu_run(vcpu);

	return !ret && (vcpu->run->exit == MHV_EXIT_INSN ||
			vcpu->run->exit == MHV_EXIT_MEMORY_FAULT ||
			vcpu->run->exit == MHV_EXIT_SHUTDOWN);
}

/* No instruction accesses the device, so there is none to emulate: an exit, no hang. */
static void delivery_case(struct vcpu *vcpu, bool inject)
{
	struct mhv_regs r;

	vcpu_start(vcpu, inject ? guest_basic_nops : guest_basic_int, 0, 0, 0);
	r = vcpu_regs(vcpu);
	r.rflags |= RFLAGS_IF;
	vcpu_set_regs(vcpu, &r);
	if (inject)
		vcpu->run->irq = MHV_IRQ_VALID | 0x40;
}

TEST_F(mmio, idt_in_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_sregs s;
	int i;

	for (i = 0; i < 2; i++) {
		delivery_case(vcpu, i);
		s = vcpu_sregs(vcpu);
		s.idt.base = DEV;
		vcpu_set_sregs(vcpu, &s);
		ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
		EXPECT_EQ(DEV, vcpu->run->insn.gpa & -PAGE_SIZE);
		/* And once more, from the device that is known by now */
		EXPECT_TRUE(clean_exit(vcpu));
	}
}

TEST_F(mmio, stack_in_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_regs r;
	int i;

	for (i = 0; i < 2; i++) {
		delivery_case(vcpu, i);
		r = vcpu_regs(vcpu);
		r.rsp = DEV + 0x800;
		vcpu_set_regs(vcpu, &r);
		ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
		EXPECT_EQ(DEV, vcpu->run->insn.gpa & -PAGE_SIZE);
		EXPECT_TRUE(clean_exit(vcpu));
	}
}

/* Accesses the device with a stack that lies in it. */
GUEST_ASM(guest_basic_spin, 64,
	  "sti\n"
	  "1: mov (%rcx), %eax\n"
	  "jmp 1b\n");

/* An interrupt comes while the guest is at an instruction that accesses the same frame. */
TEST_F(mmio, interrupt_with_stack_in_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_regs r;
	int i;

	vcpu_start(vcpu, guest_basic_spin, 0, DEV, 0);
	r = vcpu_regs(vcpu);
	r.rsp = DEV + 0x800;
	vcpu_set_regs(vcpu, &r);
	for (i = 0; i < 5; i++)
		ASSERT_MMIO_READ(vcpu, DEV, 4, i);
	ASSERT_MMIO(vcpu, 0, DEV, 4);
	vcpu_done_io(vcpu);
	vcpu->run->irq = MHV_IRQ_VALID | 0x40;
	ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(DEV, vcpu->run->insn.gpa & -PAGE_SIZE);
	EXPECT_TRUE(clean_exit(vcpu));
}

TEST_F(mmio, gdt_in_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_sregs s;

	/* The handler's code segment is loaded from there. */
	delivery_case(vcpu, false);
	s = vcpu_sregs(vcpu);
	s.gdt.base = DEV;
	vcpu_set_sregs(vcpu, &s);
	ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(DEV, vcpu->run->insn.gpa & -PAGE_SIZE);
}

GUEST_ASM(guest_basic_iret, 64, "iretq\n");

/* An instruction with a stack that mhv does not emulate */
TEST_F(mmio, iret_from_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_regs r;

	vcpu_start(vcpu, guest_basic_iret, 0, 0, 0);
	r = vcpu_regs(vcpu);
	r.rsp = DEV + 0x100;
	vcpu_set_regs(vcpu, &r);
	ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(GUEST_ADDR(guest_basic_iret), vcpu->run->insn.rip);
	/* The CPU may read its frame in any order. */
	EXPECT_LE(DEV + 0x100, vcpu->run->insn.gpa);
	EXPECT_GT(DEV + 0x128, vcpu->run->insn.gpa);
	EXPECT_EQ(0, memcmp(vcpu->run->insn.bytes, guest_basic_iret, 2));
}

/* The CPU's own walk of the guest's page tables ends in device memory. */
TEST_F(mmio, page_table_in_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	__u64 *pd = vm_ptr(&self->vm, GUEST_PD);

	pd[512] = DEV | PTE_ALL;
	vcpu_start(vcpu, guest_basic_read, 0, GUEST_WINDOW + 0x3008, 0);
	ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(DEV + 3 * 8, vcpu->run->insn.gpa & ~7ull);
	EXPECT_TRUE(clean_exit(vcpu));
	/*
	 * The table must not be taken for the operand: where both lie at one offset, and
	 * by an instruction that is known to access that device.
	 */
	vcpu_start(vcpu, guest_basic_read, 0, GUEST_WINDOW + 0x3018, 0);
	EXPECT_TRUE(clean_exit(vcpu));
	vcpu_start(vcpu, guest_basic_loop, 0, DEV, 5);
	ASSERT_EQ(MHV_EXIT_IO, mmio_run(vcpu, &self->dev));
	vcpu_start(vcpu, guest_basic_loop, 0, GUEST_WINDOW + 0x3008, 5);
	EXPECT_TRUE(clean_exit(vcpu));
	vcpu_start(vcpu, guest_basic_loop, 0, GUEST_WINDOW + 0x3018, 5);
	EXPECT_TRUE(clean_exit(vcpu));
	/* The device is of use to others all the same. */
	vcpu_start(vcpu, guest_basic_stores, 0x77, DEV + 0x18, 0);
	ASSERT_MMIO_WRITE(vcpu, DEV + 0x18, 8, 0x77);
}

/* An operand that is in order, with its page table in a device: the emulator's own walk */
GUEST_ASM(guest_basic_movs, 64, "movsq\n" G_DONE);

TEST_F(mmio, page_table_of_the_other_operand)
{
	struct vcpu *vcpu = &self->vcpu;
	__u64 *pd = vm_ptr(&self->vm, GUEST_PD);
	struct mhv_regs r;

	pd[512] = DEV | PTE_ALL;
	vcpu_start(vcpu, guest_basic_movs, 0, 0, 0);
	r = vcpu_regs(vcpu);
	r.rsi = DEV + 0x2000;
	r.rdi = GUEST_WINDOW;
	vcpu_set_regs(vcpu, &r);
	ASSERT_EQ(0, vcpu_run(vcpu));
	/* Before or after the device was read, but no hang and no success */
	if (vcpu->run->exit == MHV_EXIT_MMIO) {
		ASSERT_TRUE(mmio_answer(vcpu, &self->dev));
		ASSERT_EQ(0, vcpu_run(vcpu));
	}
	EXPECT_TRUE(vcpu->run->exit == MHV_EXIT_INSN ||
		    vcpu->run->exit == MHV_EXIT_MEMORY_FAULT);
}

/* ---- what is not emulated ---------------------------------------------------------- */

GUEST_ASM(guest_basic_call, 64, "call *%rcx\n" G_DONE);

TEST_F(mmio, fetch_from_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	int i;

	vcpu_start(vcpu, guest_basic_call, 0, DEV + 0x40, 0);
	for (i = 0; i < 2; i++) {
		ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
		EXPECT_EQ(DEV + 0x40, vcpu->run->insn.rip);
		EXPECT_EQ(DEV + 0x40, vcpu->run->insn.gpa);
		EXPECT_EQ(0, vcpu->run->insn.nr_bytes);
		EXPECT_EQ(8, vcpu->run->insn.mode);
	}
	/* Also from a page that is a device for sure */
	vcpu_start(vcpu, guest_basic_stores, 0, DEV, 0);
	ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE, DEV, 8);
	vcpu_done_io(vcpu);
	vcpu_start(vcpu, guest_basic_call, 0, DEV + 0x80, 0);
	ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(DEV + 0x80, vcpu->run->insn.rip);
}

/* Code that runs off the end of RAM into the device */
TEST_F(mmio, fetch_crosses_into_device_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	const __u64 end = GUEST_MEM_SIZE;
	/* mov $imm64, %rax */
	static const __u8 code[] = { 0x48, 0xb8, 1, 2, 3 };

	memcpy(vm_ptr(&self->vm, end - sizeof(code)), code, sizeof(code));
	vcpu_start(vcpu, guest_basic_call, 0, end - sizeof(code), 0);
	ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(end - sizeof(code), vcpu->run->insn.rip);
	EXPECT_EQ(end, vcpu->run->insn.gpa);
}

struct hider {
	void *page;
	bool stop;
};

/*
 * Take the page away and give it back, over and over; for times of any length, or a guest
 * whose access takes longer would never be done with it.
 */
static void *hide(void *arg)
{
	struct hider *h = arg;
	unsigned int seed = 1;
	int pause;

	while (!__atomic_load_n(&h->stop, __ATOMIC_RELAXED)) {
		mprotect(h->page, PAGE_SIZE, PROT_NONE);
		mprotect(h->page, PAGE_SIZE, PROT_READ | PROT_WRITE);
		for (pause = rand_r(&seed) % 16384; pause; pause--)
			__builtin_ia32_pause();
	}
	return NULL;
}

#define HIDDEN	600

/*
 * Code whose page the host takes away between the fetch by the CPU and ours: its memory is
 * missing for a while, which makes nothing of it an instruction that is not known.
 */
TEST_F(mmio, code_that_comes_and_goes)
{
	struct vcpu *vcpu = &self->vcpu;
	struct hider h = { .page = vm_ptr(&self->vm, GUEST_CODE) };
	unsigned int faults = 0;
	pthread_t thread;
	int exit;

	if (host_cpus() < 2)
		SKIP(return, "the host has one CPU");
	*(__u32 *)self->dev.mem = 5;
	mmio_set_options(&self->vm, BIT_ULL(MHV_OPT_DECODE_CACHE));
	host_start(&thread, hide, &h);
	do {
		vcpu_start(vcpu, guest_basic_loop, 0, DEV, HIDDEN);
		while ((exit = mmio_run(vcpu, &self->dev)) == MHV_EXIT_MEMORY_FAULT) {
			const __u64 hva = vcpu->run->memory_fault.hva;

			faults++;
			EXPECT_EQ(GUEST_CODE, vcpu->run->memory_fault.gpa & -PAGE_SIZE);
			EXPECT_EQ((__u64)(unsigned long)h.page, hva & -PAGE_SIZE);
		}
		/* again if the other thread was slow: often enough while the test may last */
	} while (exit == MHV_EXIT_IO && faults <= 10);
	__atomic_store_n(&h.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(MHV_EXIT_IO, exit)
		vcpu_dump(vcpu);
	EXPECT_LT(10, faults);
	EXPECT_EQ(5 * HIDDEN, vcpu_regs(vcpu).rbx);
	EXPECT_EQ(5 * HIDDEN, *(__u32 *)(self->dev.mem + 0x40));
}

GUEST_ASM(guest_basic_unknown, 64,
	  "fldl 0x18(%rcx)\n"
	  "mov %eax, (%rcx)\n"
	  "vpermilps $0x1b, 0x20(%rcx), %xmm1\n"
	  G_DONE);

TEST_F(mmio, unknown_instruction)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before;
	struct mhv_sregs s;
	struct mhv_regs r;
	int i;

	vcpu_start(vcpu, guest_basic_unknown, 0x31, DEV, 0);
	s = vcpu_sregs(vcpu);
	s.cr0 &= ~CR0_TS;
	vcpu_set_sregs(vcpu, &s);
	before = mmio_stats(vcpu);
	for (i = 0; i < 3; i++) {
		ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
		EXPECT_EQ(GUEST_ADDR(guest_basic_unknown), vcpu->run->insn.rip);
		EXPECT_EQ(DEV + 0x18, vcpu->run->insn.gpa);
		/* A device that is known already comes without its gva. */
		EXPECT_LE(!i, vcpu->run->insn.gva_valid);
		if (vcpu->run->insn.gva_valid)
			EXPECT_EQ(DEV + 0x18, vcpu->run->insn.gva);
		EXPECT_EQ(8, vcpu->run->insn.mode);
		EXPECT_LE(3, vcpu->run->insn.nr_bytes);
		EXPECT_EQ(0, memcmp(vcpu->run->insn.bytes, guest_basic_unknown, 3));
	}
	ASSERT_COUNTED(vcpu, &before, decode_unsupported, 3);
	ASSERT_COUNTED(vcpu, &before, mmio_read, 0);
	/* User space may do it itself and go on behind it. */
	r = vcpu_regs(vcpu);
	EXPECT_EQ(GUEST_ADDR(guest_basic_unknown), r.rip);
	r.rip += 3;
	vcpu_set_regs(vcpu, &r);
	ASSERT_MMIO_WRITE(vcpu, DEV, 4, 0x31);
}

GUEST_ASM(guest_basic_unknown_32, 32, "fldl (%ecx)\n" G_DONE);

TEST_F(mmio, unknown_instruction_32)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_regs r;

	vcpu_set_prot32(vcpu, guest_basic_unknown_32, PSE32);
	r = vcpu_regs(vcpu);
	r.rcx = DEV + 0x28;
	vcpu_set_regs(vcpu, &r);
	ASSERT_EXIT(vcpu, MHV_EXIT_INSN);
	EXPECT_EQ(GUEST_ADDR(guest_basic_unknown_32), vcpu->run->insn.rip);
	EXPECT_EQ(DEV + 0x28, vcpu->run->insn.gpa);
	EXPECT_EQ(4, vcpu->run->insn.mode);
}

/* ---- options ----------------------------------------------------------------------- */

TEST_F(mmio, options_refused)
{
	struct mhv_options o = { .disabled = BIT_ULL(MHV_OPT_COUNT) };

	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_SET_OPTIONS, &o)));
	o.disabled = ~0ull;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_SET_OPTIONS, &o)));
	o = (struct mhv_options){ .flags = 2 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_SET_OPTIONS, &o)));
	o = (struct mhv_options){ .reserved[1] = 1 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_SET_OPTIONS, &o)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vm.fd, MHV_SET_OPTIONS, NULL)));
}

/* Each optimisation off in turn: the results are the same, the counters say which way. */
TEST_F(mmio, options)
{
	const __u64 n = 200;
	struct vcpu *vcpu = &self->vcpu;
	const unsigned int first = first_touches(&self->vm);
	struct mmio_stats before, s;
	__u64 off;

	*(__u32 *)self->dev.mem = 7;
	for (off = 0; off < 8; off++) {
		mmio_set_options(&self->vm, off);
		before = mmio_stats(vcpu);
		vcpu_start(vcpu, guest_basic_loop, 0, DEV, n);
		ASSERT_EQ(MHV_EXIT_IO, mmio_run(vcpu, &self->dev));
		EXPECT_EQ(7 * n, vcpu_regs(vcpu).rbx);
		s = mmio_since(vcpu, &before);
		EXPECT_EQ(n, s.mmio_read);
		EXPECT_EQ(n, s.mmio_write);
		EXPECT_EQ(2 * n, s.pf_vcpu_cache + s.pf_mmio_spte + s.pf_mmio_slow)
			TH_LOG("off %llx", off);
		EXPECT_LE(off & BIT_ULL(MHV_OPT_VCPU_CACHE) ? 0 : 2 * n - first, s.pf_vcpu_cache);
		EXPECT_GE(off & BIT_ULL(MHV_OPT_VCPU_CACHE) ? 0 : 2 * n, s.pf_vcpu_cache);
		EXPECT_LE((off & 3) == BIT_ULL(MHV_OPT_VCPU_CACHE) ? 2 * n - first : 0,
			  s.pf_mmio_spte);
		EXPECT_GE(off & BIT_ULL(MHV_OPT_MMIO_SPTE) ? 0 : 2 * n, s.pf_mmio_spte);
		EXPECT_LE(off & BIT_ULL(MHV_OPT_DECODE_CACHE) ? 0 : 2 * n - 2,
			  s.decode_cache_hit);
		EXPECT_GE(off & BIT_ULL(MHV_OPT_DECODE_CACHE) ? 0 : 2 * n,
			  s.decode_cache_hit);
	}
}
