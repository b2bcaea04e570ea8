// SPDX-License-Identifier: GPL-2.0-only
/* Memslots: what may be set, and what the guest finds behind them. */
#include <sched.h>

#include "mhv_test.h"

#define BASE	0x80000000ull		/* of the slots under test */
#define PATTERN	0x1122334455667700ull

/* What a guest meets where there is no slot */
#define NO_SLOT	MHV_EXIT_MMIO

FIXTURE(memslot) {
	struct vm vm;
	struct vcpu vcpu;
	__u64 *mem;		/* 16 pages to put behind slots; page n begins with n */
};

FIXTURE_SETUP(memslot)
{
	int i;

	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	self->mem = host_alloc(16 * PAGE_SIZE);
	for (i = 0; i < 16; i++)
		self->mem[i * 512] = PATTERN + i;
}

FIXTURE_TEARDOWN(memslot)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
	munmap(self->mem, 16 * PAGE_SIZE);
}

/* The guest must find this value. */
#define ASSERT_LOAD(__gpa, __want) do {					\
	__u64 __value;							\
									\
	ASSERT_EQ(0, vcpu_load(&self->vcpu, __gpa, &__value))		\
		vcpu_dump(&self->vcpu);					\
	ASSERT_EQ(__want, __value);					\
} while (0)

/* The guest's read must end with this exit. */
#define ASSERT_NO_LOAD(__exit, __gpa) do {				\
	__u64 __value;							\
									\
	ASSERT_EQ((int)(__exit), vcpu_load(&self->vcpu, __gpa, &__value)) \
		vcpu_dump(&self->vcpu);					\
} while (0)

/* ---- arguments ------------------------------------------------------------------ */

TEST_F(memslot, refused)
{
	const __u64 hva = (__u64)self->mem, top = 1ull << self->vm.info.phys_bits;
	const struct mhv_memslot bad[] = {
		{ .slot = MHV_MAX_MEMSLOTS, .gpa = BASE, .size = PAGE_SIZE, .hva = hva },
		{ .slot = ~0u, .gpa = BASE, .size = PAGE_SIZE, .hva = hva },
		{ .slot = 1, .flags = 2, .gpa = BASE, .size = PAGE_SIZE, .hva = hva },
		{ .slot = 1, .flags = 1u << 31, .gpa = BASE, .size = PAGE_SIZE, .hva = hva },
		{ .slot = 1, .gpa = BASE + 8, .size = PAGE_SIZE, .hva = hva },
		{ .slot = 1, .gpa = BASE, .size = 100, .hva = hva },
		{ .slot = 1, .gpa = BASE, .size = PAGE_SIZE, .hva = hva + 1 },
		{ .slot = 1, .gpa = BASE, .size = PAGE_SIZE, .hva = hva, .reserved[0] = 1 },
		{ .slot = 1, .gpa = BASE, .size = PAGE_SIZE, .hva = hva,
		  .reserved[3] = 1ull << 63 },
		{ .slot = 1, .gpa = top, .size = PAGE_SIZE, .hva = hva },
		{ .slot = 1, .gpa = top - PAGE_SIZE, .size = 2 * PAGE_SIZE, .hva = hva },
		{ .slot = 1, .gpa = -PAGE_SIZE, .size = PAGE_SIZE, .hva = hva },
		{ .slot = 1, .gpa = -PAGE_SIZE, .size = 2 * PAGE_SIZE, .hva = hva },
		{ .slot = 1, .gpa = BASE, .size = -PAGE_SIZE, .hva = hva },
		{ .slot = 1, .gpa = BASE, .size = 1ull << 63, .hva = hva },
		{ .slot = 1, .gpa = BASE, .size = PAGE_SIZE, .hva = -PAGE_SIZE },
		{ .slot = 1, .gpa = BASE, .size = PAGE_SIZE, .hva = 0xffff888000000000 },
		{ .slot = 1, .gpa = BASE, .size = PAGE_SIZE, .hva = 1ull << 60 },
		{ .slot = 1, .gpa = BASE, .size = 2 * PAGE_SIZE, .hva = 0x7ffffffff000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_SET_MEMSLOT, &bad[i])))
			TH_LOG("slot %u", i);
	}
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vm.fd, MHV_SET_MEMSLOT, NULL)));
	EXPECT_EQ(-ENOENT, vm_slot(&self->vm, 1, 0, BASE, 0, self->mem));
	EXPECT_EQ(-ENOENT, vm_slot(&self->vm, MHV_MAX_MEMSLOTS - 1, 0, 0, 0, NULL));
	ASSERT_NO_LOAD(NO_SLOT, BASE);
}

TEST_F(memslot, overlap)
{
	static const int overlaps[][2] = {
		{ 4, 4 }, { 3, 2 }, { 7, 2 }, { 5, 2 }, { 3, 6 }, { 4, 1 }, { 7, 1 }, { 0, 16 },
	};
	unsigned int i;

	vm_set_slot(&self->vm, 1, BASE + 4 * PAGE_SIZE, 4 * PAGE_SIZE, self->mem);
	for (i = 0; i < ARRAY_SIZE(overlaps); i++) {
		EXPECT_EQ(-EEXIST, vm_slot(&self->vm, 2, 0,
					   BASE + overlaps[i][0] * PAGE_SIZE,
					   overlaps[i][1] * PAGE_SIZE, self->mem))
			TH_LOG("overlap %u", i);
	}
	/* Neighbours on both sides are none; nor is what a slot itself covers. */
	EXPECT_EQ(0, vm_slot(&self->vm, 2, 0, BASE + 3 * PAGE_SIZE, PAGE_SIZE, self->mem));
	EXPECT_EQ(0, vm_slot(&self->vm, 3, 0, BASE + 8 * PAGE_SIZE, PAGE_SIZE, self->mem));
	EXPECT_EQ(0, vm_slot(&self->vm, 1, 0, BASE + 5 * PAGE_SIZE, 2 * PAGE_SIZE, self->mem));
	/* A move that fails leaves the slot as it was. */
	EXPECT_EQ(-EEXIST, vm_slot(&self->vm, 1, 0, BASE + 2 * PAGE_SIZE, 4 * PAGE_SIZE,
				   self->mem));
	ASSERT_LOAD(BASE + 5 * PAGE_SIZE, PATTERN);
}

TEST_F(memslot, last_slot_and_last_page)
{
	const __u64 top = 1ull << self->vm.info.phys_bits;
	__u64 *pd = vm_ptr(&self->vm, GUEST_PD);

	ASSERT_EQ(0, vm_slot(&self->vm, MHV_MAX_MEMSLOTS - 1, 0, top - PAGE_SIZE, PAGE_SIZE,
			     self->mem));
	pd[512] = (top - 0x200000) | 0xe7;
	ASSERT_LOAD(GUEST_WINDOW + 0x200000 - PAGE_SIZE, PATTERN);
}

/* ---- create, move, resize, delete -------------------------------------------------- */

TEST_F(memslot, create_and_delete)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_NO_LOAD(NO_SLOT, BASE);
		vm_set_slot(&self->vm, 1, BASE, 2 * PAGE_SIZE, self->mem + i * 512);
		ASSERT_LOAD(BASE, PATTERN + i);
		ASSERT_EQ(0, vcpu_store(&self->vcpu, BASE + PAGE_SIZE + 8, 42 + i));
		EXPECT_EQ(42 + i, self->mem[(i + 1) * 512 + 1]);
		ASSERT_EQ(0, vm_slot(&self->vm, 1, 0, 0, 0, NULL));
		ASSERT_NO_LOAD(NO_SLOT, BASE + PAGE_SIZE);
	}
	EXPECT_EQ(-ENOENT, vm_slot(&self->vm, 1, 0, 0, 0, NULL));
}

TEST_F(memslot, move)
{
	vm_set_slot(&self->vm, 1, BASE, 2 * PAGE_SIZE, self->mem);
	ASSERT_LOAD(BASE, PATTERN);
	ASSERT_LOAD(BASE + PAGE_SIZE, PATTERN + 1);
	/* By one page: the two places overlap. */
	vm_set_slot(&self->vm, 1, BASE + PAGE_SIZE, 2 * PAGE_SIZE, self->mem);
	ASSERT_NO_LOAD(NO_SLOT, BASE);
	ASSERT_LOAD(BASE + PAGE_SIZE, PATTERN);
	ASSERT_LOAD(BASE + 2 * PAGE_SIZE, PATTERN + 1);
	/* The same place, other memory. */
	vm_set_slot(&self->vm, 1, BASE + PAGE_SIZE, 2 * PAGE_SIZE, self->mem + 512);
	ASSERT_LOAD(BASE + PAGE_SIZE, PATTERN + 1);
	ASSERT_LOAD(BASE + 2 * PAGE_SIZE, PATTERN + 2);
}

TEST_F(memslot, resize)
{
	vm_set_slot(&self->vm, 1, BASE, 4 * PAGE_SIZE, self->mem);
	ASSERT_LOAD(BASE + 3 * PAGE_SIZE, PATTERN + 3);
	vm_set_slot(&self->vm, 1, BASE, 2 * PAGE_SIZE, self->mem);
	ASSERT_LOAD(BASE + PAGE_SIZE, PATTERN + 1);
	ASSERT_NO_LOAD(NO_SLOT, BASE + 2 * PAGE_SIZE);
	ASSERT_NO_LOAD(NO_SLOT, BASE + 3 * PAGE_SIZE);
	vm_set_slot(&self->vm, 1, BASE, 4 * PAGE_SIZE, self->mem);
	ASSERT_LOAD(BASE + 3 * PAGE_SIZE, PATTERN + 3);
}

TEST_F(memslot, access_across_two_slots)
{
	/* Two neighbours in the guest, apart and the other way round in the host */
	vm_set_slot(&self->vm, 1, BASE, PAGE_SIZE, self->mem + 3 * 512);
	vm_set_slot(&self->vm, 2, BASE + PAGE_SIZE, PAGE_SIZE, self->mem + 512);
	ASSERT_EQ(0, vcpu_store(&self->vcpu, BASE + PAGE_SIZE - 4, 0x8877665544332211));
	EXPECT_EQ(0x44332211, self->mem[3 * 512 + 511] >> 32);
	EXPECT_EQ(0x88776655, (__u32)self->mem[512]);
	ASSERT_LOAD(BASE + PAGE_SIZE - 4, 0x8877665544332211);
}

TEST_F(memslot, many)
{
	/* each change takes time in proportion to all there are */
	const int many = 1000 / mhv_stride(5);
	__u64 *mem = host_alloc(many * PAGE_SIZE);
	int i, bad = 0;

	for (i = 0; i < many; i++) {
		mem[i * 512] = i;
		/* Every other page, and in the host in reverse order */
		vm_set_slot(&self->vm, i + 1, BASE + (many - i) * 2 * PAGE_SIZE, PAGE_SIZE,
			    mem + i * 512);
	}
	for (i = 0; i < many; i += 37) {
		ASSERT_LOAD(BASE + (many - i) * 2 * PAGE_SIZE, i);
		ASSERT_NO_LOAD(NO_SLOT, BASE + (many - i) * 2 * PAGE_SIZE + PAGE_SIZE);
	}
	for (i = many - 1; i >= 0; i -= 3)
		bad += vm_slot(&self->vm, i + 1, 0, 0, 0, NULL) != 0;
	ASSERT_EQ(0, bad);
	for (i = many - 1; i >= many / 2; i--) {
		if ((many - 1 - i) % 33 == 0)
			ASSERT_NO_LOAD(NO_SLOT, BASE + (many - i) * 2 * PAGE_SIZE);
		else if ((many - 1 - i) % 33 == 1)
			ASSERT_LOAD(BASE + (many - i) * 2 * PAGE_SIZE, i);
	}
}

/* ---- rights -------------------------------------------------------------------------- */

TEST_F(memslot, read_only)
{
	ASSERT_EQ(0, vm_slot(&self->vm, 1, MHV_MEM_READONLY, BASE, PAGE_SIZE, self->mem));
	ASSERT_LOAD(BASE, PATTERN);
	/* A write is a device's to see: flash memory is made of this. */
	ASSERT_EQ(NO_SLOT, vcpu_store(&self->vcpu, BASE, 1));
	EXPECT_EQ(BASE, self->vcpu.run->ioreq.addr);
	EXPECT_EQ(MHV_IOREQ_WRITE, self->vcpu.run->ioreq.flags);
	EXPECT_EQ(PATTERN, self->mem[0]);
	ASSERT_LOAD(BASE, PATTERN);
	/* The same slot, now to be written, and back */
	ASSERT_EQ(0, vm_slot(&self->vm, 1, 0, BASE, PAGE_SIZE, self->mem));
	ASSERT_EQ(0, vcpu_store(&self->vcpu, BASE, 5));
	EXPECT_EQ(5, self->mem[0]);
	ASSERT_EQ(0, vm_slot(&self->vm, 1, MHV_MEM_READONLY, BASE, PAGE_SIZE, self->mem));
	ASSERT_EQ(NO_SLOT, vcpu_store(&self->vcpu, BASE, 6));
	EXPECT_EQ(5, self->mem[0]);
}

TEST_F(memslot, no_access)
{
	struct mhv_run *run = self->vcpu.run;
	__u64 value;

	vm_set_slot(&self->vm, 1, BASE, 2 * PAGE_SIZE, self->mem);
	ASSERT_EQ(0, mprotect(self->mem + 512, PAGE_SIZE, PROT_NONE));
	ASSERT_NO_LOAD(MHV_EXIT_MEMORY_FAULT, BASE + PAGE_SIZE);
	EXPECT_EQ(BASE + PAGE_SIZE, run->memory_fault.gpa & -PAGE_SIZE);
	EXPECT_EQ((__u64)(self->mem + 512), run->memory_fault.hva & -PAGE_SIZE);
	EXPECT_EQ(EFAULT, run->memory_fault.error);
	EXPECT_EQ(0, run->memory_fault.is_write);
	/* Again as long as nothing changes, and then on from where it was */
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu_again(&self->vcpu, &value));
	ASSERT_EQ(0, mprotect(self->mem + 512, PAGE_SIZE, PROT_READ));
	ASSERT_EQ(0, vcpu_again(&self->vcpu, &value));
	EXPECT_EQ(PATTERN + 1, value);
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu_store(&self->vcpu, BASE + PAGE_SIZE, 9));
	EXPECT_EQ(1, run->memory_fault.is_write);
	ASSERT_EQ(0, mprotect(self->mem + 512, PAGE_SIZE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, vcpu_again(&self->vcpu, &value));
	EXPECT_EQ(9, self->mem[512]);
}

TEST_F(memslot, nothing_mapped)
{
	char *hole = host_alloc(PAGE_SIZE);
	__u64 value;

	ASSERT_EQ(0, munmap(hole, PAGE_SIZE));
	ASSERT_EQ(0, vm_slot(&self->vm, 1, 0, BASE, PAGE_SIZE, hole));
	ASSERT_NO_LOAD(MHV_EXIT_MEMORY_FAULT, BASE);
	EXPECT_EQ((__u64)hole, self->vcpu.run->memory_fault.hva & -PAGE_SIZE);
	ASSERT_EQ(hole, mmap(hole, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	*(__u64 *)hole = 77;
	ASSERT_EQ(0, vcpu_again(&self->vcpu, &value));
	EXPECT_EQ(77, value);
}

/* ---- special mappings -------------------------------------------------------------------- */

/* Memory without ordinary pages behind it: reached or refused, never mishandled */
static void special(struct __test_metadata *_metadata, struct vcpu *vcpu, void *mem)
{
	__u64 before, after, value;
	int exit;

	ASSERT_EQ(0, vm_slot(vcpu->vm, 1, 0, BASE, PAGE_SIZE, mem));
	before = *(__u64 *)mem;
	exit = vcpu_load(vcpu, BASE, &value);
	after = *(__u64 *)mem;
	ASSERT_TRUE(exit == 0 || exit == MHV_EXIT_MEMORY_FAULT)
		vcpu_dump(vcpu);
	if (!exit) {
		/* Some of it counts. */
		EXPECT_LE(before, value);
		EXPECT_GE(after, value);
	}
	ASSERT_EQ(0, vm_slot(vcpu->vm, 1, 0, 0, 0, NULL));
}

TEST_F(memslot, run_area_as_memory)
{
	self->vcpu.run->pad[0] = 0x33;
	special(_metadata, &self->vcpu, self->vcpu.data);
	special(_metadata, &self->vcpu, (void *)self->vcpu.stats);
	/* The statistics are not the guest's to write either. */
	ASSERT_EQ(0, vm_slot(&self->vm, 1, 0, BASE, PAGE_SIZE, (void *)self->vcpu.stats));
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu_store(&self->vcpu, BASE, 1));
}

TEST_F(memslot, pfn_mapping)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	void *bios;

	if (fd < 0)
		SKIP(return, "no /dev/mem (%s)", strerror(errno));
	bios = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0xf0000);
	if (bios == MAP_FAILED)
		SKIP(return, "/dev/mem cannot be mapped (%s)", strerror(errno));
	special(_metadata, &self->vcpu, bios);
	close(fd);
}

/* ---- large pages ---------------------------------------------------------------------------- */

/* Sum of rcx words from rsi; each is inverted in its place. */
GUEST_ASM(guest_sum_and_invert, 64,
	  "xor %eax, %eax\n"
	  "1: add (%rsi), %rax\n"
	  "notq (%rsi)\n"
	  "add $8, %rsi\n"
	  "dec %rcx\n"
	  "jnz 1b\n"
	  G_DONE);

#define HUGE		0x200000ul
#define HUGE_WORDS	(2 * HUGE / 8)

TEST_F(memslot, large_pages)
{
	__u64 *mem = host_alloc(2 * HUGE), sum = 0;
	struct mhv_regs regs;
	unsigned long i, wrong = 0;

	if (madvise(mem, 2 * HUGE, MADV_HUGEPAGE))
		SKIP(return, "no transparent huge pages (%s)", strerror(errno));
	for (i = 0; i < HUGE_WORDS; i++) {
		mem[i] = i * 0x9e3779b97f4a7c15;
		sum += mem[i];
	}
	vm_set_slot(&self->vm, 1, BASE, 2 * HUGE, mem);
	vcpu_set_long(&self->vcpu, guest_sum_and_invert);
	regs = vcpu_regs(&self->vcpu);
	regs.rsi = BASE;
	regs.rcx = HUGE_WORDS;
	vcpu_set_regs(&self->vcpu, &regs);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(sum, vcpu_regs(&self->vcpu).rax);
	for (i = 0; i < HUGE_WORDS; i++)
		wrong += mem[i] != ~(i * 0x9e3779b97f4a7c15);
	EXPECT_EQ(0, wrong);

	/* A hole in the middle of a large page, and its neighbours */
	ASSERT_EQ(0, madvise(mem + 17 * 512, PAGE_SIZE, MADV_DONTNEED));
	ASSERT_LOAD(BASE + 17 * PAGE_SIZE, 0);
	ASSERT_LOAD(BASE + 17 * PAGE_SIZE - 8, mem[17 * 512 - 1]);
	ASSERT_LOAD(BASE + 18 * PAGE_SIZE, ~(18 * 512 * 0x9e3779b97f4a7c15));
	munmap(mem, 2 * HUGE);
}

/* Guest and host addresses that differ within 2 MiB: no large page can serve. */
TEST_F(memslot, large_pages_not_aligned)
{
	__u64 *mem = host_alloc(2 * HUGE);
	unsigned int i;

	madvise(mem, 2 * HUGE, MADV_HUGEPAGE);
	for (i = 0; i < 1024; i++)
		mem[i * 512] = i;
	vm_set_slot(&self->vm, 1, BASE + PAGE_SIZE, 2 * HUGE, mem);
	for (i = 0; i < 1024; i += 51)
		ASSERT_LOAD(BASE + PAGE_SIZE + i * PAGE_SIZE, i);
	/* A slot that begins or ends within a large page must not reach past it. */
	vm_set_slot(&self->vm, 1, BASE + 3 * PAGE_SIZE, HUGE, mem + 3 * 512);
	ASSERT_NO_LOAD(NO_SLOT, BASE + 2 * PAGE_SIZE);
	ASSERT_LOAD(BASE + 3 * PAGE_SIZE, 3);
	ASSERT_LOAD(BASE + HUGE + 2 * PAGE_SIZE, 512 + 2);
	ASSERT_NO_LOAD(NO_SLOT, BASE + HUGE + 3 * PAGE_SIZE);
	munmap(mem, 2 * HUGE);
}

/* ---- a change under a running vCPU ------------------------------------------------------ */

#define STOP	GUEST_DATA

GUEST_ASM(guest_count, 64,
	  "1: incq (%rcx)\n"
	  "cmpb $0, " STR(STOP) "\n"
	  "je 1b\n"
	  G_DONE);

struct counter {
	struct vcpu *vcpu;
	const char *wrong;
};

/* Run until PORT_DONE; a slot that is not there now will be back. */
static void *count_thread(void *arg)
{
	struct counter *c = arg;
	struct mhv_run *run = c->vcpu->run;
	struct mhv_sregs s;

	for (;;) {
		if (vcpu_run(c->vcpu)) {
			c->wrong = "MHV_RUN";
			return NULL;
		}
		if (run->exit == MHV_EXIT_IO)
			return NULL;
		if (run->exit != NO_SLOT || run->ioreq.addr != BASE) {
			c->wrong = "exit";
			return NULL;
		}
		/* Not answered but abandoned: the guest is to find memory there. */
		s = vcpu_sregs(c->vcpu);
		vcpu_set_sregs(c->vcpu, &s);
		sched_yield();
	}
}

TEST_F(memslot, delete_under_running_vcpu)
{
	struct counter c = { .vcpu = &self->vcpu, .wrong = "" };
	struct mhv_regs regs;
	pthread_t thread;
	__u64 before, last = 0;
	int i, k;

	self->mem[0] = 0;
	vcpu_set_long(&self->vcpu, guest_count);
	regs = vcpu_regs(&self->vcpu);
	regs.rcx = BASE;
	vcpu_set_regs(&self->vcpu, &regs);
	vm_set_slot(&self->vm, 1, BASE, PAGE_SIZE, self->mem);
	host_start(&thread, count_thread, &c);
	for (i = 0; i < 20; i++) {
		while (__atomic_load_n(self->mem, __ATOMIC_RELAXED) == last)
			sched_yield();
		ASSERT_EQ(0, vm_slot(&self->vm, 1, 0, 0, 0, NULL));
		/* From here on no write reaches the memory. */
		before = __atomic_load_n(self->mem, __ATOMIC_RELAXED);
		for (k = 0; k < 5; k++) {
			sched_yield();
			EXPECT_EQ(before, __atomic_load_n(self->mem, __ATOMIC_RELAXED));
		}
		EXPECT_LT(last, before);
		last = before;
		vm_set_slot(&self->vm, 1, BASE, PAGE_SIZE, self->mem);
	}
	*(__u8 *)vm_ptr(&self->vm, STOP) = 1;
	pthread_join(thread, NULL);
	EXPECT_STREQ("", c.wrong)
		vcpu_dump(&self->vcpu);
}
