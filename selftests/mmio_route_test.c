// SPDX-License-Identifier: GPL-2.0-only
/* Routes: who answers an access to device memory without an exit to user space. */
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "mhv_test.h"
#include "mmio.h"

#define DEV	((__u64)GUEST_HOLE)

FIXTURE(route) {
	struct vm vm;
	struct vcpu vcpu;
	struct mmio_dev dev;
	struct mhv_area regs_area, ring_area;
	__u8 *regs;
	struct mhv_ring *ring;
	int bell;
};

FIXTURE_SETUP(route)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	mmio_dev_init(&self->dev, DEV, 4 * PAGE_SIZE);
	ASSERT_EQ(0, mmio_area(&self->vm, MHV_AREA_REGFILE, &self->regs_area));
	ASSERT_EQ(0, mmio_area(&self->vm, MHV_AREA_RING, &self->ring_area));
	self->regs = mmio_map_area(&self->vm, &self->regs_area);
	self->ring = mmio_map_area(&self->vm, &self->ring_area);
	self->bell = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, self->bell);
}

FIXTURE_TEARDOWN(route)
{
	close(self->bell);
	munmap(self->ring, self->ring_area.size);
	munmap(self->regs, self->regs_area.size);
	mmio_dev_free(&self->dev);
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

static struct mhv_route regfile(const struct mhv_area *area, __u64 gpa, __u64 size,
				__u32 offset)
{
	return (struct mhv_route){
		.kind = MHV_ROUTE_REGFILE, .gpa = gpa, .size = size, .area = area->id,
		.offset = offset, .fd = -1,
	};
}

static struct mhv_route posted(const struct mhv_area *area, __u64 gpa, __u64 size, int fd)
{
	return (struct mhv_route){
		.kind = MHV_ROUTE_POSTED, .gpa = gpa, .size = size, .area = area->id, .fd = fd,
	};
}

static struct mhv_route doorbell(__u64 gpa, __u64 size, int fd)
{
	return (struct mhv_route){
		.kind = MHV_ROUTE_EVENTFD, .gpa = gpa, .size = size, .fd = fd,
	};
}

static struct mhv_route doorbell_value(__u64 gpa, __u64 size, __u64 value, int fd)
{
	struct mhv_route r = doorbell(gpa, size, fd);

	r.flags = MHV_ROUTE_MATCH_VALUE;
	r.value = value;
	return r;
}

#define EXPECT_ROUTE(__want, ...) do {					\
	const struct mhv_route __r = __VA_ARGS__;			\
									\
	EXPECT_EQ(__want, mmio_route(&self->vm, &__r));			\
} while (0)

#define ASSERT_ROUTE(...) do {						\
	const struct mhv_route __r = __VA_ARGS__;			\
									\
	ASSERT_EQ(0, mmio_route(&self->vm, &__r));			\
} while (0)

#define EXPECT_UNROUTE(__want, ...) do {				\
	const struct mhv_route __r = __VA_ARGS__;			\
									\
	EXPECT_EQ(__want, mmio_unroute(&self->vm, &__r));		\
} while (0)

/* How often an eventfd was signalled since it was last looked at */
static __u64 rings(int fd)
{
	__u64 count;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

/* ---- areas ------------------------------------------------------------------------- */

TEST_F(route, areas_refused)
{
	struct mhv_area a = { .kind = 0 };
	int i;

	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_CREATE_AREA, &a)));
	a = (struct mhv_area){ .kind = 3 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_CREATE_AREA, &a)));
	a = (struct mhv_area){ .kind = MHV_AREA_RING, .reserved[1] = 1 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_CREATE_AREA, &a)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vm.fd, MHV_CREATE_AREA, NULL)));
	/* Two there are already. */
	for (i = 2; i < MHV_MAX_AREAS; i++)
		ASSERT_EQ(0, mmio_area(&self->vm, i & 1 ? MHV_AREA_RING : MHV_AREA_REGFILE, &a));
	EXPECT_EQ(-ENOSPC, mmio_area(&self->vm, MHV_AREA_RING, &a));
	EXPECT_EQ(-ENOSPC, mmio_area(&self->vm, MHV_AREA_REGFILE, &a));
}

static int try_map(struct vm *vm, __u64 size, int prot, int flags, __u64 offset)
{
	void *p = mmap(NULL, size, prot, flags, vm->fd, offset);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, size);
	return 0;
}

static bool faults_at(void *p)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		__atomic_load_n((__u8 *)p, __ATOMIC_RELAXED);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFSIGNALED(status);
}

TEST_F(route, areas_mapped)
{
	const int rw = PROT_READ | PROT_WRITE;
	const __u64 regs = self->regs_area.offset, ring = self->ring_area.offset;
	__u8 *p;

	EXPECT_EQ(PAGE_SIZE, self->regs_area.size);
	EXPECT_EQ(2 * PAGE_SIZE, self->ring_area.size);
	EXPECT_EQ(sizeof(struct mhv_ring), self->ring_area.size);
	EXPECT_NE(self->regs_area.id, self->ring_area.id);
	/* Both are zero, and memory that stays. */
	EXPECT_EQ(0, self->regs[0] | self->regs[PAGE_SIZE - 1]);
	EXPECT_EQ(0, self->ring->producer | self->ring->consumer);
	self->regs[17] = 0x71;
	p = mmio_map_area(&self->vm, &self->regs_area);
	EXPECT_EQ(0x71, p[17]);
	munmap(p, PAGE_SIZE);

	EXPECT_EQ(0, try_map(&self->vm, PAGE_SIZE, PROT_READ, MAP_SHARED, regs));
	EXPECT_EQ(0, try_map(&self->vm, PAGE_SIZE, rw, MAP_SHARED, ring));
	/* A private copy would not be the device's, and nobody executes an area. */
	EXPECT_NE(0, try_map(&self->vm, PAGE_SIZE, rw, MAP_PRIVATE, regs));
	EXPECT_NE(0, try_map(&self->vm, PAGE_SIZE, rw | PROT_EXEC, MAP_SHARED, regs));
	/* What lies outside of areas can be refused, or faults. */
	if (!try_map(&self->vm, PAGE_SIZE, rw, MAP_SHARED, 1ull << 40))
		EXPECT_TRUE(faults_at(mmap(NULL, PAGE_SIZE, rw, MAP_SHARED, self->vm.fd,
					   1ull << 40)));
	if (!try_map(&self->vm, 64 * PAGE_SIZE, rw, MAP_SHARED, regs)) {
		p = mmap(NULL, 64 * PAGE_SIZE, rw, MAP_SHARED, self->vm.fd, regs);
		EXPECT_FALSE(faults_at(p));
		EXPECT_TRUE(faults_at(p + 63 * PAGE_SIZE));
		munmap(p, 64 * PAGE_SIZE);
	}
}

/* An area outlives the VM's descriptor for as long as it is mapped. */
TEST_F(route, area_outlives_descriptor)
{
	struct mhv_area area;
	struct vm other;
	__u64 *p;

	vm_create(&other);
	ASSERT_EQ(0, mmio_area(&other, MHV_AREA_RING, &area));
	p = mmio_map_area(&other, &area);
	p[1000] = 0x1234;
	vm_destroy(&other);
	EXPECT_EQ(0x1234, p[1000]);
	p[1001] = 1;
	munmap(p, area.size);
}

/* ---- registration ------------------------------------------------------------------ */

TEST_F(route, refused)
{
	const __u64 top = 1ull << self->vm.info.phys_bits;
	const __u32 regs = self->regs_area.id, ring = self->ring_area.id;
	const int fd = self->bell;
	const struct mhv_route bad[] = {
		{ .kind = 0, .gpa = DEV, .size = 8, .fd = fd },
		{ .kind = 4, .gpa = DEV, .size = 8, .fd = fd },
		{ .kind = MHV_ROUTE_EVENTFD, .flags = 4, .gpa = DEV, .size = 4, .fd = fd },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = DEV, .size = 4, .fd = fd, .reserved = 1 },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = DEV, .size = 4, .fd = fd,
		  .reserved2[1] = 1 },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = DEV, .size = 3, .fd = fd },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = DEV, .size = 16, .fd = fd },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = DEV, .size = 4, .fd = fd, .value = 1 },
		{ .kind = MHV_ROUTE_EVENTFD, .flags = MHV_ROUTE_MATCH_VALUE, .gpa = DEV,
		  .size = 0, .fd = fd },
		{ .kind = MHV_ROUTE_EVENTFD, .flags = MHV_ROUTE_MATCH_VALUE, .gpa = DEV,
		  .size = 2, .fd = fd, .value = 0x10000 },
		/* register files */
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 0, .area = regs, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = PAGE_SIZE + 1, .area = regs,
		  .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = PAGE_SIZE, .area = regs,
		  .offset = 8, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = regs,
		  .offset = PAGE_SIZE, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = regs,
		  .offset = ~7u, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV + 4, .size = 8, .area = regs,
		  .offset = 4, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = regs,
		  .offset = 4, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV + 4, .size = 8, .area = regs,
		  .offset = 8, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = ring, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = 2, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = ~0u, .fd = -1 },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = regs, .fd = fd },
		{ .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .area = regs, .fd = -1,
		  .flags = MHV_ROUTE_MATCH_VALUE },
		/* rings */
		{ .kind = MHV_ROUTE_POSTED, .gpa = DEV, .size = 0, .area = ring, .fd = -1 },
		{ .kind = MHV_ROUTE_POSTED, .gpa = DEV, .size = 8, .area = regs, .fd = -1 },
		{ .kind = MHV_ROUTE_POSTED, .gpa = DEV, .size = 8, .area = ~0u, .fd = -1 },
		{ .kind = MHV_ROUTE_POSTED, .gpa = DEV, .size = 8, .area = ring, .fd = -1,
		  .value = 1 },
		/* addresses that no guest has */
		{ .kind = MHV_ROUTE_POSTED, .gpa = -8ull, .size = 16, .area = ring, .fd = -1 },
		{ .kind = MHV_ROUTE_POSTED, .gpa = DEV, .size = -DEV, .area = ring, .fd = -1 },
		{ .kind = MHV_ROUTE_POSTED, .gpa = DEV, .size = ~0ull, .area = ring, .fd = -1 },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = -4ull, .size = 8, .fd = fd },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = 1ull << 60, .size = 8, .fd = fd },
		{ .kind = MHV_ROUTE_EVENTFD, .gpa = top, .size = 4, .fd = fd },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, mmio_route(&self->vm, &bad[i]))
			TH_LOG("route %u", i);
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vm.fd, MHV_SET_ROUTE, NULL)));
	EXPECT_ROUTE(-EBADF, doorbell(DEV, 4, -1));
	EXPECT_ROUTE(-EBADF, doorbell(DEV, 4, 9999));
	EXPECT_ROUTE(-EBADF, doorbell(DEV, 4, self->vm.fd));
	EXPECT_ROUTE(-EBADF, posted(&self->ring_area, DEV, 8, self->vm.dev));
	/* None of them is there now. */
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(&self->vcpu, DEV, 1));
	EXPECT_EQ(0, rings(self->bell));
	EXPECT_EQ(0, self->ring->producer);
}

TEST_F(route, overlap)
{
	const struct mhv_area *regs = &self->regs_area, *ring = &self->ring_area;

	ASSERT_ROUTE(regfile(regs, DEV + 64, 64, 0));
	EXPECT_ROUTE(-EEXIST, regfile(regs, DEV + 64, 64, 0));
	EXPECT_ROUTE(-EEXIST, regfile(regs, DEV + 64, 8, 0));
	EXPECT_ROUTE(-EEXIST, regfile(regs, DEV + 120, 16, 0));
	EXPECT_ROUTE(-EEXIST, regfile(regs, DEV, 65, 0));
	EXPECT_ROUTE(-EEXIST, regfile(regs, DEV, 256, 0));
	EXPECT_ROUTE(0, regfile(regs, DEV, 64, 0));
	EXPECT_ROUTE(0, regfile(regs, DEV + 128, 64, 0));
	/* Other kinds have ranges of their own. */
	EXPECT_ROUTE(0, posted(ring, DEV, 256, -1));
	EXPECT_ROUTE(-EEXIST, posted(ring, DEV + 255, 1, -1));
	EXPECT_ROUTE(0, posted(ring, DEV + 256, 1, -1));
	/* Eventfds may lie over each other, if what they match differs. */
	EXPECT_ROUTE(0, doorbell(DEV, 4, self->bell));
	EXPECT_ROUTE(-EEXIST, doorbell(DEV, 4, self->bell));
	EXPECT_ROUTE(0, doorbell(DEV, 2, self->bell));
	EXPECT_ROUTE(0, doorbell(DEV, 0, self->bell));
	EXPECT_ROUTE(-EEXIST, doorbell(DEV, 0, self->bell));
	EXPECT_ROUTE(0, doorbell(DEV + 2, 4, self->bell));
	EXPECT_ROUTE(0, doorbell_value(DEV, 4, 1, self->bell));
	EXPECT_ROUTE(0, doorbell_value(DEV, 4, 2, self->bell));
	EXPECT_ROUTE(-EEXIST, doorbell_value(DEV, 4, 2, self->bell));
}

TEST_F(route, removed)
{
	const struct mhv_area *regs = &self->regs_area, *ring = &self->ring_area;

	EXPECT_UNROUTE(-ENOENT, regfile(regs, DEV, 64, 0));
	EXPECT_UNROUTE(-ENOENT, posted(ring, DEV, 64, -1));
	EXPECT_UNROUTE(-ENOENT, doorbell(DEV, 4, self->bell));
	ASSERT_ROUTE(regfile(regs, DEV, 64, 0));
	ASSERT_ROUTE(posted(ring, DEV, 64, -1));
	ASSERT_ROUTE(doorbell_value(DEV, 4, 7, self->bell));
	ASSERT_ROUTE(doorbell(DEV, 4, self->bell));
	EXPECT_UNROUTE(-ENOENT, regfile(regs, DEV, 32, 0));
	EXPECT_UNROUTE(-ENOENT, posted(ring, DEV + 8, 64, -1));
	EXPECT_UNROUTE(-ENOENT, doorbell_value(DEV, 4, 8, self->bell));
	EXPECT_UNROUTE(-ENOENT, doorbell(DEV, 2, self->bell));
	EXPECT_UNROUTE(0, regfile(regs, DEV, 64, 0));
	EXPECT_UNROUTE(0, posted(ring, DEV, 64, -1));
	EXPECT_UNROUTE(0, doorbell(DEV, 4, self->bell));
	EXPECT_UNROUTE(-ENOENT, doorbell(DEV, 4, self->bell));
	EXPECT_UNROUTE(0, doorbell_value(DEV, 4, 7, self->bell));
	EXPECT_UNROUTE(-ENOENT, regfile(regs, DEV, 64, 0));
	/* And can come again. */
	ASSERT_ROUTE(regfile(regs, DEV, 64, 0));
}

/* ---- the register file ------------------------------------------------------------- */

GUEST_ASM(guest_route_loads, 64,
	  "xor %eax, %eax\n"
	  "mov (%rcx), %al; mov %rax, (%rdx)\n"
	  "mov (%rcx), %ax; mov %rax, 8(%rdx)\n"
	  "mov (%rcx), %eax; mov %rax, 16(%rdx)\n"
	  "mov (%rcx), %rax; mov %rax, 24(%rdx)\n"
	  G_DONE);

static void loads(struct vcpu *vcpu, __u64 gpa)
{
	vcpu_start(vcpu, guest_route_loads, 0, gpa, GUEST_DATA);
}

TEST_F(route, regfile_reads)
{
	struct vcpu *vcpu = &self->vcpu;
	__u64 *got = vm_ptr(&self->vm, GUEST_DATA), offset;
	struct mmio_stats before;
	int i;

	for (i = 0; i < (int)PAGE_SIZE; i++)
		self->regs[i] = i * 7;
	/* A window of the page, at another place in the guest */
	ASSERT_ROUTE(regfile(&self->regs_area, DEV + 0x80, 0x100, 0x200));
	for (offset = 0x200; offset < 0x300; offset += 0x38) {
		loads(vcpu, DEV + 0x80 + offset - 0x200);
		before = mmio_stats(vcpu);
		ASSERT_DONE(vcpu);
		EXPECT_EQ(self->regs[offset], got[0]);
		EXPECT_EQ(*(__u16 *)(self->regs + offset), got[1]);
		EXPECT_EQ(*(__u32 *)(self->regs + offset), got[2]);
		EXPECT_EQ(*(__u64 *)(self->regs + offset), got[3]);
		ASSERT_COUNTED(vcpu, &before, route_regfile, 4);
		ASSERT_COUNTED(vcpu, &before, mmio_read, 4);
		ASSERT_COUNTED(vcpu, &before, route_ioreq, 0);
	}
}

/* What is misaligned, or not covered whole, goes to user space. */
TEST_F(route, regfile_leaves_the_rest)
{
	struct vcpu *vcpu = &self->vcpu;
	int round;

	ASSERT_ROUTE(regfile(&self->regs_area, DEV, 0x104, 0));
	for (round = 0; round < 2; round++) {
		loads(vcpu, DEV + 0x41);
		ASSERT_MMIO_READ(vcpu, DEV + 0x41, 2, 1);
		ASSERT_MMIO_READ(vcpu, DEV + 0x41, 4, 2);
		ASSERT_MMIO_READ(vcpu, DEV + 0x41, 8, 3);
		ASSERT_DONE(vcpu);
		loads(vcpu, DEV + 0x42);
		ASSERT_MMIO_READ(vcpu, DEV + 0x42, 4, 2);
		ASSERT_MMIO_READ(vcpu, DEV + 0x42, 8, 3);
		ASSERT_DONE(vcpu);
		/* Eight bytes at its end: four of them are the register file's. */
		loads(vcpu, DEV + 0x100);
		ASSERT_MMIO_READ(vcpu, DEV + 0x100, 8, 3);
		ASSERT_DONE(vcpu);
		loads(vcpu, DEV + 0x104);
		ASSERT_MMIO_READ(vcpu, DEV + 0x104, 1, 3);
		ASSERT_MMIO_READ(vcpu, DEV + 0x104, 2, 3);
		ASSERT_MMIO_READ(vcpu, DEV + 0x104, 4, 3);
		ASSERT_MMIO_READ(vcpu, DEV + 0x104, 8, 3);
		ASSERT_DONE(vcpu);
		/* Writes are none of its business. */
		ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(vcpu, DEV, 5));
		EXPECT_EQ(0, *(__u64 *)self->regs);
		vcpu_done_io(vcpu);
		ASSERT_DONE(vcpu);
	}
}

/* A read finds one value or the other, never a mixture. */
GUEST_ASM(guest_route_torn, 64,
	  "1: mov (%rcx), %rax\n"
	  "mov %eax, %ebx\n"
	  "shr $32, %rax\n"
	  "cmp %eax, %ebx\n"
	  "jne 8f\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE
	  "8: " G_REPORT);

static void *write_registers(void *arg)
{
	__u64 *reg = arg, i;

	for (i = 0;; i++) {
		__atomic_store_n(reg, i << 32 | (__u32)i, __ATOMIC_RELAXED);
		if (i % 1024 == 0)
			pthread_testcancel();
	}
	return NULL;
}

TEST_F(route, regfile_is_atomic)
{
	pthread_t thread;

	ASSERT_ROUTE(regfile(&self->regs_area, DEV, 64, 0));
	host_start(&thread, write_registers, self->regs + 8);
	vcpu_start(&self->vcpu, guest_route_torn, 0, DEV + 8, 20000);
	ASSERT_DONE(&self->vcpu);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	EXPECT_NE(0, *(__u64 *)(self->regs + 8));
}

/* Two register files whose pages hold different things */
TEST_F(route, regfiles_side_by_side)
{
	struct mhv_area other;
	__u64 value;
	__u8 *p;
	int i;

	ASSERT_EQ(0, mmio_area(&self->vm, MHV_AREA_REGFILE, &other));
	p = mmio_map_area(&self->vm, &other);
	*(__u64 *)(self->regs + 0x18) = 0x1111;
	*(__u64 *)(p + 0xff8) = 0x2222;
	ASSERT_ROUTE(regfile(&self->regs_area, DEV, 0x20, 0));
	ASSERT_ROUTE(regfile(&other, DEV + 0x20, 8, 0xff8));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vcpu_load(&self->vcpu, DEV + 0x18, &value));
		EXPECT_EQ(0x1111, value);
		ASSERT_EQ(0, vcpu_load(&self->vcpu, DEV + 0x20, &value));
		EXPECT_EQ(0x2222, value);
		ASSERT_EQ(MHV_EXIT_MMIO, vcpu_load(&self->vcpu, DEV + 0x28, &value));
		vcpu_done_io(&self->vcpu);
		ASSERT_DONE(&self->vcpu);
	}
	munmap(p, other.size);
}

/* ---- eventfds ---------------------------------------------------------------------- */

GUEST_ASM(guest_route_stores, 64,
	  "mov %al, (%rcx)\n"
	  "mov %ax, (%rcx)\n"
	  "mov %eax, (%rcx)\n"
	  "mov %rax, (%rcx)\n"
	  G_DONE);

/*
 * The guest writes @value in all sizes: the sizes that reach user space, as a sum, twice
 * over - the second time what mhv remembers is in play.
 */
static __u32 stored(struct __test_metadata *_metadata, struct vcpu *vcpu, __u64 gpa,
		    __u64 value)
{
	__u32 sum[2] = { 0, 0 };
	int i;

	for (i = 0; i < 2; i++) {
		vcpu_start(vcpu, guest_route_stores, value, gpa, 0);
		for (;;) {
			ASSERT_EQ(0, vcpu_run(vcpu));
			if (vcpu->run->exit != MHV_EXIT_MMIO)
				break;
			sum[i] += vcpu->run->ioreq.size;
			vcpu_done_io(vcpu);
		}
		ASSERT_EQ(MHV_EXIT_IO, vcpu->run->exit);
		vcpu_done_io(vcpu);
	}
	EXPECT_EQ(sum[0], sum[1]);
	return sum[0];
}

#define STORED(gpa, value) stored(_metadata, &self->vcpu, gpa, value)

TEST_F(route, doorbell_by_size)
{
	int other = eventfd(0, EFD_NONBLOCK);

	ASSERT_LE(0, other);
	EXPECT_EQ(15, STORED(DEV, 1));
	ASSERT_ROUTE(doorbell(DEV, 4, self->bell));
	EXPECT_EQ(11, STORED(DEV, 1));
	EXPECT_EQ(2, rings(self->bell));
	/* The next address is another one. */
	EXPECT_EQ(15, STORED(DEV + 1, 1));
	EXPECT_EQ(15, STORED(DEV + 4, 1));
	EXPECT_EQ(0, rings(self->bell));
	/* Any size, but for those that have one of their own */
	ASSERT_ROUTE(doorbell(DEV, 0, other));
	EXPECT_EQ(0, STORED(DEV, 1));
	EXPECT_EQ(2, rings(self->bell));
	EXPECT_EQ(6, rings(other));
	EXPECT_EQ(15, STORED(DEV + 2, 1));
	/* Reads are not signalled. */
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_load(&self->vcpu, DEV, &(__u64){ 0 }));
	EXPECT_EQ(0, rings(other) + rings(self->bell));
	vcpu_done_io(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
	EXPECT_UNROUTE(0, doorbell(DEV, 4, self->bell));
	EXPECT_EQ(0, STORED(DEV, 1));
	EXPECT_EQ(8, rings(other));
	EXPECT_UNROUTE(0, doorbell(DEV, 0, other));
	EXPECT_EQ(15, STORED(DEV, 1));
	EXPECT_EQ(0, rings(other) + rings(self->bell));
	close(other);
}

TEST_F(route, doorbell_by_value)
{
	int other = eventfd(0, EFD_NONBLOCK), any = eventfd(0, EFD_NONBLOCK);

	ASSERT_LE(0, other);
	ASSERT_LE(0, any);
	ASSERT_ROUTE(doorbell_value(DEV, 2, 0x1234, self->bell));
	ASSERT_ROUTE(doorbell_value(DEV, 8, 0xfedcba9876543210, other));
	EXPECT_EQ(13, STORED(DEV, 0x1234));
	EXPECT_EQ(2, rings(self->bell));
	/* Only the bytes that are written count. */
	EXPECT_EQ(13, STORED(DEV, 0x99991234));
	EXPECT_EQ(2, rings(self->bell));
	EXPECT_EQ(15, STORED(DEV, 0x1235));
	EXPECT_EQ(7, STORED(DEV, 0xfedcba9876543210));
	EXPECT_EQ(2, rings(other));
	/* A value goes before a size, a size before none. */
	ASSERT_ROUTE(doorbell(DEV, 2, any));
	EXPECT_EQ(13, STORED(DEV, 0x1234));
	EXPECT_EQ(2, rings(self->bell));
	EXPECT_EQ(0, rings(any));
	EXPECT_EQ(13, STORED(DEV, 0x4321));
	EXPECT_EQ(0, rings(self->bell));
	EXPECT_EQ(2, rings(any));
	close(other);
	close(any);
}

/* Zero as a value is a value. */
TEST_F(route, doorbell_by_value_zero)
{
	ASSERT_ROUTE(doorbell_value(DEV, 4, 0, self->bell));
	EXPECT_EQ(15, STORED(DEV, 1));
	EXPECT_EQ(0, rings(self->bell));
	EXPECT_EQ(11, STORED(DEV, 0));
	EXPECT_EQ(2, rings(self->bell));
}

/* The eventfd lives as long as the route, whoever closes it. */
TEST_F(route, doorbell_outlives_descriptor)
{
	int copy = dup(self->bell);

	ASSERT_ROUTE(doorbell(DEV, 4, copy));
	close(copy);
	EXPECT_EQ(11, STORED(DEV, 1));
	EXPECT_EQ(2, rings(self->bell));
	copy = eventfd(0, EFD_NONBLOCK);
	ASSERT_ROUTE(doorbell(DEV, 2, copy));
	close(copy);
	EXPECT_EQ(9, STORED(DEV, 1));
}

#define MANY	1000
#define GONE	9	/* each ninth is removed, of those looked at one in three */

TEST_F(route, many)
{
	int i;

	for (i = 0; i < MANY; i++)
		ASSERT_ROUTE(doorbell(DEV + i * 8, 4, self->bell));
	EXPECT_ROUTE(-EEXIST, doorbell(DEV, 4, self->bell));
	/* Each is found among them all, and none next to them. */
	for (i = 0; i < MANY; i += 37) {
		EXPECT_EQ(11, STORED(DEV + i * 8, 1));
		EXPECT_EQ(2, rings(self->bell));
	}
	EXPECT_EQ(15, STORED(DEV + MANY * 8, 1));
	/* Each removal waits for whoever looks at the routes. */
	for (i = 0; i < MANY; i += GONE)
		EXPECT_UNROUTE(0, doorbell(DEV + i * 8, 4, self->bell));
	for (i = 0; i < MANY; i += 33) {
		EXPECT_EQ(i % GONE ? 11 : 15, STORED(DEV + i * 8, 1));
		EXPECT_EQ(i % GONE ? 2 : 0, rings(self->bell));
	}
}

/* ---- posted writes ----------------------------------------------------------------- */

/* Take what is in the ring: the number of entries, -1 when one is wrong */
static int drain(struct mhv_ring *ring, __u32 *consumer, struct mhv_posted *out, int max)
{
	__u32 producer = __atomic_load_n(&ring->producer, __ATOMIC_ACQUIRE);
	int n = 0;

	for (; *consumer != producer; (*consumer)++) {
		if (n == max || ring->entry[*consumer % MHV_RING_ENTRIES].seq != *consumer)
			return -1;
		out[n++] = ring->entry[*consumer % MHV_RING_ENTRIES];
	}
	__atomic_store_n(&ring->consumer, *consumer, __ATOMIC_RELEASE);
	return n;
}

TEST_F(route, posted_entries)
{
	const __u64 value = 0x8182838485868788;
	struct mhv_posted e[8];
	struct mmio_stats before = mmio_stats(&self->vcpu);
	__u32 consumer = 0;
	struct vcpu other;
	int i, round;

	ASSERT_ROUTE(posted(&self->ring_area, DEV, 0x100, -1));
	vcpu_create(&self->vm, &other, 5);
	for (round = 0; round < 3; round++) {
		vcpu_start(&self->vcpu, guest_route_stores, value, DEV + 0x13, 0);
		ASSERT_DONE(&self->vcpu);
		vcpu_start(&other, guest_route_stores, ~value, DEV + 0x20, 0);
		ASSERT_DONE(&other);
		ASSERT_EQ(8, drain(self->ring, &consumer, e, 8));
		for (i = 0; i < 8; i++) {
			__u64 mask = i % 4 == 3 ? ~0ull : (1ull << (8 << i % 4)) - 1;

			EXPECT_EQ(i < 4 ? DEV + 0x13 : DEV + 0x20, e[i].gpa);
			EXPECT_EQ(1 << i % 4, e[i].size);
			EXPECT_EQ((i < 4 ? value : ~value) & mask, e[i].data);
			EXPECT_EQ(round * 8 + i, e[i].seq);
			EXPECT_EQ(i < 4 ? 0 : 5, e[i].vcpu);
			EXPECT_EQ(0, e[i].reserved);
		}
	}
	ASSERT_COUNTED(&self->vcpu, &before, route_posted, 12);
	ASSERT_COUNTED(&self->vcpu, &before, mmio_write, 12);
	ASSERT_COUNTED(&self->vcpu, &before, route_ioreq, 0);
	vcpu_destroy(&other);
}

/* What the range does not cover whole, reads, and what is wider than an entry */
TEST_F(route, posted_leaves_the_rest)
{
	const __u32 all = 15;

	ASSERT_ROUTE(posted(&self->ring_area, DEV + 0x10, 6, -1));
	EXPECT_EQ(all, STORED(DEV + 0xf, 0));
	EXPECT_EQ(0, self->ring->producer);
	EXPECT_EQ(8, STORED(DEV + 0x12, 0));
	EXPECT_EQ(6, self->ring->producer);
	EXPECT_EQ(8 + 4 + 2, STORED(DEV + 0x15, 0));
	EXPECT_EQ(8, self->ring->producer);
	EXPECT_EQ(all, STORED(DEV + 0x16, 0));
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_load(&self->vcpu, DEV + 0x10, &(__u64){ 0 }));
	EXPECT_EQ(8, self->ring->producer);
}

/* rdx times: write a number that goes up, at an address that goes round */
GUEST_ASM(guest_route_numbers, 64,
	  "1: mov %eax, %ebx\n"
	  "and $7, %ebx\n"
	  "mov %rax, (%rcx,%rbx,8)\n"
	  "inc %rax\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE);

TEST_F(route, posted_ring_full)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu);
	struct mhv_posted e[MHV_RING_ENTRIES];
	__u32 consumer = 0;
	int i, round;
	__u64 next = 0;

	ASSERT_ROUTE(posted(&self->ring_area, DEV, 0x100, -1));
	vcpu_start(vcpu, guest_route_numbers, 0, DEV, 1000);
	for (round = 0; round < 4; round++) {
		/* The ring takes what it has room for; the next one comes by ioreq. */
		ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE | MHV_IOREQ_POSTABLE,
			    DEV + (next + MHV_RING_ENTRIES) % 8 * 8, 8);
		EXPECT_EQ(next + MHV_RING_ENTRIES, vcpu->run->ioreq.data);
		ASSERT_EQ(MHV_RING_ENTRIES, drain(self->ring, &consumer, e, MHV_RING_ENTRIES));
		for (i = 0; i < MHV_RING_ENTRIES; i++)
			EXPECT_EQ(next + i, e[i].data);
		next += MHV_RING_ENTRIES + 1;
		vcpu_done_io(vcpu);
	}
	/* With one place free, every other write goes by ioreq. */
	for (i = 0; i < 3; i++) {
		ASSERT_EXIT(vcpu, MHV_EXIT_MMIO);
		self->ring->consumer = consumer + 1 + i;
		vcpu_done_io(vcpu);
	}
	ASSERT_COUNTED(vcpu, &before, route_posted_full, 7);
	ASSERT_COUNTED(vcpu, &before, route_ioreq, 7);
	ASSERT_COUNTED(vcpu, &before, route_posted, 5 * MHV_RING_ENTRIES + 2);
}

TEST_F(route, posted_order_with_ioreq)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_posted e[8];
	__u32 consumer = 0;
	int i;

	/* Posted but for the last of eight registers */
	ASSERT_ROUTE(posted(&self->ring_area, DEV, 56, -1));
	vcpu_start(vcpu, guest_route_numbers, 0, DEV, 80);
	for (i = 0; i < 10; i++) {
		ASSERT_MMIO(vcpu, MHV_IOREQ_WRITE, DEV + 56, 8);
		EXPECT_EQ(i * 8 + 7, vcpu->run->ioreq.data);
		/* All that came before it is in the ring. */
		ASSERT_EQ(7, drain(self->ring, &consumer, e, 8));
		EXPECT_EQ(i * 8, e[0].data);
		EXPECT_EQ(i * 8 + 6, e[6].data);
		vcpu_done_io(vcpu);
	}
	ASSERT_DONE(vcpu);
}

/* A consumer index that makes no sense makes the ring full. */
TEST_F(route, posted_hostile_consumer)
{
	static const __u32 bad[] = {
		1, 2, 128, 129, 0x7fffffff, 0x80000000, -200, -129, -128,
	};
	struct vcpu *vcpu = &self->vcpu;
	unsigned int i;

	ASSERT_ROUTE(posted(&self->ring_area, DEV, 0x100, -1));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		self->ring->consumer = bad[i];
		ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(vcpu, DEV, i));
		EXPECT_EQ(MHV_IOREQ_WRITE | MHV_IOREQ_POSTABLE, vcpu->run->ioreq.flags);
		vcpu_done_io(vcpu);
		ASSERT_DONE(vcpu);
		EXPECT_EQ(0, self->ring->producer);
	}
	/* The other index is the kernel's: what is written there is not believed. */
	self->ring->consumer = 0;
	for (i = 0; i < 10; i++) {
		self->ring->producer = i * 0x1234567;
		ASSERT_EQ(0, vcpu_store(vcpu, DEV, i));
		EXPECT_EQ(i + 1, self->ring->producer);
		EXPECT_EQ(i, self->ring->entry[i].data);
		EXPECT_EQ(i, self->ring->entry[i].seq);
	}
	memset(self->ring, 0xff, sizeof(*self->ring));
	self->ring->consumer = 11;
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(vcpu, DEV, i));
	vcpu_done_io(vcpu);
	ASSERT_DONE(vcpu);
	self->ring->consumer = 10;
	ASSERT_EQ(0, vcpu_store(vcpu, DEV, 0x77));
	EXPECT_EQ(0x77, self->ring->entry[10].data);
}

struct garbler {
	struct mhv_ring *ring;
	bool stop;
};

static void *garble(void *arg)
{
	struct garbler *g = arg;
	__u64 seed = 1;

	while (!__atomic_load_n(&g->stop, __ATOMIC_RELAXED)) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		/* Now and then a value that makes sense */
		g->ring->consumer = seed >> 63 ? seed >> 32 :
				    g->ring->producer - (seed >> 56);
		g->ring->producer = seed >> 40;
		if (!(seed >> 60))
			sched_yield();
	}
	return NULL;
}

TEST_F(route, posted_garbled_ring)
{
	struct vcpu *vcpu = &self->vcpu;
	struct garbler g = { .ring = self->ring };
	struct mmio_stats before = mmio_stats(vcpu), s;
	pthread_t thread;
	__u64 ioreqs = 0;

	ASSERT_ROUTE(posted(&self->ring_area, DEV, 0x100, self->bell));
	host_start(&thread, garble, &g);
	vcpu_start(vcpu, guest_route_numbers, 0, DEV, 5000);
	for (;;) {
		ASSERT_EQ(0, vcpu_run(vcpu));
		if (vcpu->run->exit != MHV_EXIT_MMIO)
			break;
		ioreqs++;
		ASSERT_GT(0x40, vcpu->run->ioreq.addr - DEV);
		vcpu_done_io(vcpu);
	}
	g.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(PORT_DONE, vcpu->run->ioreq.addr);
	vcpu_done_io(vcpu);
	/* Nothing is lost among those counted. */
	s = mmio_since(vcpu, &before);
	EXPECT_EQ(5000, s.route_posted + s.route_ioreq);
	EXPECT_EQ(ioreqs, s.route_ioreq);
	EXPECT_EQ(ioreqs, s.route_posted_full);
	/* What the kernel counts goes on where it was. */
	self->ring->consumer = s.route_posted;
	ASSERT_EQ(0, vcpu_store(vcpu, DEV, 0x1234));
	EXPECT_EQ(s.route_posted + 1, self->ring->producer);
	EXPECT_EQ(s.route_posted, self->ring->entry[s.route_posted % MHV_RING_ENTRIES].seq);
}

/* Its eventfd says that there is something again, not how much. */
TEST_F(route, posted_doorbell)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mhv_posted e[MHV_RING_ENTRIES];
	__u32 consumer = 0;
	int i, k;

	ASSERT_ROUTE(posted(&self->ring_area, DEV, 0x100, self->bell));
	for (i = 1; i < 6; i++) {
		EXPECT_EQ(0, rings(self->bell));
		for (k = 0; k < i; k++) {
			ASSERT_EQ(0, vcpu_store(vcpu, DEV, k));
			EXPECT_EQ(!k, rings(self->bell));
		}
		ASSERT_EQ(i, drain(self->ring, &consumer, e, MHV_RING_ENTRIES));
	}
	/* Not drained to the end: not empty */
	ASSERT_EQ(0, vcpu_store(vcpu, DEV, 1));
	ASSERT_EQ(0, vcpu_store(vcpu, DEV, 2));
	EXPECT_EQ(1, rings(self->bell));
	self->ring->consumer = ++consumer;
	ASSERT_EQ(0, vcpu_store(vcpu, DEV, 3));
	EXPECT_EQ(0, rings(self->bell));
}

/* Two ranges on one ring have one order. */
TEST_F(route, posted_ring_of_two_ranges)
{
	struct mhv_posted e[4];
	__u32 consumer = 0;

	ASSERT_ROUTE(posted(&self->ring_area, DEV, 8, -1));
	ASSERT_ROUTE(posted(&self->ring_area, DEV + PAGE_SIZE, 8, -1));
	ASSERT_EQ(0, vcpu_store(&self->vcpu, DEV, 1));
	ASSERT_EQ(0, vcpu_store(&self->vcpu, DEV + PAGE_SIZE, 2));
	ASSERT_EQ(0, vcpu_store(&self->vcpu, DEV, 3));
	ASSERT_EQ(3, drain(self->ring, &consumer, e, 4));
	EXPECT_EQ(DEV + PAGE_SIZE, e[1].gpa);
	EXPECT_EQ(3, e[2].data);
}

/* ---- several kinds ----------------------------------------------------------------- */

TEST_F(route, priorities)
{
	struct vcpu *vcpu = &self->vcpu;
	__u64 value, off;

	*(__u64 *)self->regs = 0x4242;
	ASSERT_ROUTE(regfile(&self->regs_area, DEV, 8, 0));
	ASSERT_ROUTE(posted(&self->ring_area, DEV, 8, -1));
	ASSERT_ROUTE(doorbell(DEV, 0, self->bell));
	/* Without those that are off, the next one in line takes it. */
	for (off = 0; off < 1 << MHV_OPT_COUNT; off += BIT_ULL(MHV_OPT_REGFILE)) {
		struct mmio_stats before = mmio_stats(vcpu), s;
		int want;

		mmio_set_options(&self->vm, off);
		value = 0;
		want = off & BIT_ULL(MHV_OPT_REGFILE) ? MHV_EXIT_MMIO : 0;
		ASSERT_EQ(want, vcpu_load(vcpu, DEV, &value));
		if (want) {
			vcpu_done_io(vcpu);
			ASSERT_DONE(vcpu);
		} else {
			EXPECT_EQ(0x4242, value);
		}
		self->ring->consumer = self->ring->producer;
		want = (off & BIT_ULL(MHV_OPT_POSTED)) && (off & BIT_ULL(MHV_OPT_EVENTFD)) ?
		       MHV_EXIT_MMIO : 0;
		ASSERT_EQ(want, vcpu_store(vcpu, DEV, 1));
		if (want) {
			EXPECT_EQ(MHV_IOREQ_WRITE, vcpu->run->ioreq.flags);
			vcpu_done_io(vcpu);
			ASSERT_DONE(vcpu);
		}
		s = mmio_since(vcpu, &before);
		EXPECT_EQ(!(off & BIT_ULL(MHV_OPT_REGFILE)), s.route_regfile);
		EXPECT_EQ(!(off & BIT_ULL(MHV_OPT_POSTED)), s.route_posted);
		EXPECT_EQ((off & BIT_ULL(MHV_OPT_POSTED)) && !(off & BIT_ULL(MHV_OPT_EVENTFD)),
			  s.route_eventfd);
		EXPECT_EQ(s.route_eventfd, rings(self->bell));
	}
}

/* A full ring goes to user space, past an eventfd: else the device would see it too soon. */
TEST_F(route, full_ring_and_doorbell)
{
	struct vcpu *vcpu = &self->vcpu;
	int i;

	ASSERT_ROUTE(posted(&self->ring_area, DEV, 8, -1));
	ASSERT_ROUTE(doorbell(DEV, 0, self->bell));
	for (i = 0; i < MHV_RING_ENTRIES; i++)
		ASSERT_EQ(0, vcpu_store(vcpu, DEV, i));
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(vcpu, DEV, i));
	EXPECT_EQ(MHV_IOREQ_WRITE | MHV_IOREQ_POSTABLE, vcpu->run->ioreq.flags);
	EXPECT_EQ(0, rings(self->bell));
}

/* On a read-only slot, routes see the writes; reads are memory. */
TEST_F(route, on_read_only_memory)
{
	struct vcpu *vcpu = &self->vcpu;
	__u64 *ram = host_alloc(PAGE_SIZE), value;
	int i;

	ram[0] = 0x5a5a;
	*(__u64 *)self->regs = 0x4242;
	ASSERT_EQ(0, vm_slot(&self->vm, 1, MHV_MEM_READONLY, DEV, PAGE_SIZE, ram));
	ASSERT_ROUTE(regfile(&self->regs_area, DEV, 8, 0));
	ASSERT_ROUTE(posted(&self->ring_area, DEV, 8, -1));
	ASSERT_ROUTE(doorbell(DEV + 8, 8, self->bell));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, vcpu_load(vcpu, DEV, &value));
		EXPECT_EQ(0x5a5a, value);
		ASSERT_EQ(0, vcpu_store(vcpu, DEV, i));
		EXPECT_EQ(i + 1, self->ring->producer);
		ASSERT_EQ(0, vcpu_store(vcpu, DEV + 8, i));
		EXPECT_EQ(1, rings(self->bell));
		ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(vcpu, DEV + 16, i));
		vcpu_done_io(vcpu);
		ASSERT_DONE(vcpu);
	}
	EXPECT_EQ(0x5a5a, ram[0]);
	EXPECT_EQ(0, ram[1] | ram[2]);
	/* RAM over routes: they are asleep, and wake when it goes. */
	vm_set_slot(&self->vm, 1, DEV, PAGE_SIZE, ram);
	ASSERT_EQ(0, vcpu_store(vcpu, DEV, 0x77));
	EXPECT_EQ(0x77, ram[0]);
	EXPECT_EQ(5, self->ring->producer);
	ASSERT_EQ(0, vm_slot(&self->vm, 1, 0, 0, 0, NULL));
	ASSERT_EQ(0, vcpu_load(vcpu, DEV, &value));
	EXPECT_EQ(0x4242, value);
	munmap(ram, PAGE_SIZE);
}

/* Instructions other than plain moves take the same routes. */
GUEST_ASM(guest_route_insns, 64,
	  "movzwl (%rcx), %eax\n"
	  "add (%rcx), %rax\n"
	  "cmpl $0, 4(%rcx)\n"
	  "mov %rcx, %rdi\n"
	  "lock addl $1, (%rcx)\n"
	  "stosl\n"
	  "push %rax\n"
	  "mov %rcx, %rsi\n"
	  "lodsw\n"
	  "movnti %eax, (%rcx)\n"
	  G_DONE);

TEST_F(route, other_instructions)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu);
	struct mhv_posted e[8];
	__u32 consumer = 0;

	*(__u64 *)self->regs = 0x1000000020;
	ASSERT_ROUTE(regfile(&self->regs_area, DEV, 16, 0));
	ASSERT_ROUTE(posted(&self->ring_area, DEV, 16, -1));
	vcpu_start(vcpu, guest_route_insns, 0, DEV, 0);
	ASSERT_DONE(vcpu);
	ASSERT_EQ(3, drain(self->ring, &consumer, e, 8));
	EXPECT_EQ(0x21, e[0].data);
	EXPECT_EQ(4, e[0].size);
	EXPECT_EQ(0x40, e[1].data);
	EXPECT_EQ(0x20, e[2].data & 0xffff);
	ASSERT_COUNTED(vcpu, &before, route_regfile, 5);
	ASSERT_COUNTED(vcpu, &before, route_posted, 3);
	ASSERT_COUNTED(vcpu, &before, route_ioreq, 0);
}

/* ---- while the guest runs ---------------------------------------------------------- */

/* r8: reads a register, and writes a number that goes up to another, until told to stop */
#define STOP	GUEST_DATA

GUEST_ASM(guest_route_run, 64,
	  "xor %eax, %eax\n"
	  "1: mov (%rcx), %rbx\n"
	  "cmp %r9, %rbx\n"
	  "jne 8f\n"
	  "mov %rax, 8(%rcx)\n"
	  "inc %rax\n"
	  "cmpb $0, " STR(STOP) "\n"
	  "je 1b\n"
	  G_DONE
	  "8: mov %ebx, %eax\n"
	  G_REPORT);

#define REGISTER	0x1357246813572468

struct model {
	struct vcpu *vcpu;
	struct mhv_ring *ring;
	__u32 consumer;
	__u64 next;			/* number to come */
	__u64 ioreqs;
	bool lossy;			/* some numbers go elsewhere */
	const char *wrong;
};

/* Take numbers out of the ring; they must follow each other. */
static void model_drain(struct model *m)
{
	struct mhv_posted e[MHV_RING_ENTRIES];
	int i, n = drain(m->ring, &m->consumer, e, MHV_RING_ENTRIES);

	if (n < 0)
		m->wrong = "ring";
	for (i = 0; i < n; i++)
		if (e[i].data != m->next++)
			m->wrong = "order in the ring";
}

static void model_ioreq(struct model *m)
{
	struct mhv_ioreq *req = &m->vcpu->run->ioreq;

	/* What was posted comes first. */
	model_drain(m);
	m->ioreqs++;
	if (req->flags & MHV_IOREQ_WRITE) {
		if (req->data != m->next && !m->lossy)
			m->wrong = "order of a request";
		m->next = req->data + 1;
	} else {
		req->data = REGISTER;
	}
	vcpu_done_io(m->vcpu);
}

static void *run_model(void *arg)
{
	struct model *m = arg;

	while (!m->wrong) {
		if (vcpu_run(m->vcpu)) {
			m->wrong = "MHV_RUN";
			break;
		}
		if (m->vcpu->run->exit == MHV_EXIT_IO)
			break;
		if (m->vcpu->run->exit != MHV_EXIT_MMIO) {
			m->wrong = "exit";
			break;
		}
		model_ioreq(m);
		if (m->ioreqs % 16 == 0)
			sched_yield();
	}
	model_drain(m);
	/* Nobody is to wait for the guest now. */
	m->ring->pad1[0] = 1;
	return NULL;
}

static void start_model(struct model *m, struct vcpu *vcpu, struct mhv_ring *ring,
			bool lossy, pthread_t *thread)
{
	struct mhv_regs r;

	*m = (struct model){ .vcpu = vcpu, .ring = ring, .lossy = lossy };
	vcpu_start(vcpu, guest_route_run, 0, DEV, 0);
	r = vcpu_regs(vcpu);
	r.r9 = REGISTER;
	vcpu_set_regs(vcpu, &r);
	host_start(thread, run_model, m);
}

/* The vCPU must make some accesses that count in @name. */
static void wait_counted(struct model *m, const char *name)
{
	__u64 before = vcpu_stat(m->vcpu, name);

	while (vcpu_stat(m->vcpu, name) < before + 3 && !m->ring->pad1[0])
		sched_yield();
}

static void end_model(struct __test_metadata *_metadata, struct model *m, pthread_t thread)
{
	__atomic_store_n((__u8 *)vm_ptr(m->vcpu->vm, STOP), 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(NULL, m->wrong)
		vcpu_dump(m->vcpu);
	EXPECT_EQ(PORT_DONE, m->vcpu->run->ioreq.addr);
	EXPECT_EQ(m->next, vcpu_regs(m->vcpu).rax);
}

TEST_F(route, added_and_removed_under_a_running_vcpu)
{
	const struct mhv_route reads = regfile(&self->regs_area, DEV, 8, 0);
	const struct mhv_route writes = posted(&self->ring_area, DEV + 8, 8, -1);
	pthread_t thread;
	struct model m;
	int i;

	*(__u64 *)self->regs = REGISTER;
	start_model(&m, &self->vcpu, self->ring, false, &thread);
	for (i = 0; i < 30; i++) {
		wait_counted(&m, "route_ioreq");
		ASSERT_EQ(0, mmio_route(&self->vm, &reads));
		wait_counted(&m, "route_regfile");
		ASSERT_EQ(0, mmio_route(&self->vm, &writes));
		wait_counted(&m, "route_posted");
		ASSERT_EQ(0, mmio_unroute(&self->vm, &reads));
		wait_counted(&m, "route_posted");
		ASSERT_EQ(0, mmio_unroute(&self->vm, &writes));
	}
	end_model(_metadata, &m, thread);
	EXPECT_LT(30 * 3, m.ioreqs);
}

TEST_F(route, options_under_a_running_vcpu)
{
	pthread_t thread;
	struct model m;
	int i;

	*(__u64 *)self->regs = REGISTER;
	ASSERT_ROUTE(regfile(&self->regs_area, DEV, 8, 0));
	ASSERT_ROUTE(posted(&self->ring_area, DEV + 8, 8, -1));
	start_model(&m, &self->vcpu, self->ring, false, &thread);
	for (i = 0; i < 128; i++) {
		mmio_set_options(&self->vm, i * 11 % (1 << MHV_OPT_COUNT));
		wait_counted(&m, "mmio_write");
	}
	end_model(_metadata, &m, thread);
	EXPECT_LT(100, m.ioreqs);
}

/* A route must not answer after its removal has returned. */
TEST_F(route, silent_when_removed)
{
	const struct mhv_route bell = doorbell(DEV + 8, 8, self->bell);
	struct mmio_stats before;
	pthread_t thread;
	struct model m;
	__u64 rung = 0;
	int i;

	start_model(&m, &self->vcpu, self->ring, true, &thread);
	for (i = 0; i < 30; i++) {
		before = mmio_stats(&self->vcpu);
		ASSERT_EQ(0, mmio_route(&self->vm, &bell));
		wait_counted(&m, "route_eventfd");
		ASSERT_EQ(0, mmio_unroute(&self->vm, &bell));
		rung += rings(self->bell);
		wait_counted(&m, "route_ioreq");
		EXPECT_EQ(0, rings(self->bell));
		EXPECT_LE(3, mmio_since(&self->vcpu, &before).route_eventfd);
	}
	__atomic_store_n((__u8 *)vm_ptr(&self->vm, STOP), 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(NULL, m.wrong);
	EXPECT_LT(30 * 3 - 1, rung);
}

/* ---- two producers ----------------------------------------------------------------- */

/* rdx times: write rax, a number that goes up with the vCPU's in its high half */
GUEST_ASM(guest_route_produce, 64,
	  "1: mov %rax, (%rcx)\n"
	  "inc %rax\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE);

#define PRODUCED	3000

struct producer {
	struct vcpu *vcpu;
	pthread_mutex_t *lock;
	struct mhv_ring *ring;
	__u32 *consumer;
	__u64 *next;			/* of each vCPU */
	int cpu;
	const char *wrong;
};

/* Each vCPU's numbers must come in their order; the caller holds the lock. */
static void produced(struct producer *p, __u64 data)
{
	if (data >> 32 > 1 || (__u32)data != p->next[data >> 32]++)
		p->wrong = "order";
}

static void *produce(void *arg)
{
	struct producer *p = arg;
	struct mhv_posted e[MHV_RING_ENTRIES];
	int i, n, err;

	host_pin(p->cpu);
	while (!p->wrong) {
		err = vcpu_run(p->vcpu);
		if (err || p->vcpu->run->exit == MHV_EXIT_IO)
			break;
		pthread_mutex_lock(p->lock);
		n = drain(p->ring, p->consumer, e, MHV_RING_ENTRIES);
		if (n < 0)
			p->wrong = "ring";
		for (i = 0; i < n; i++) {
			if (e[i].vcpu != e[i].data >> 32)
				p->wrong = "vcpu";
			produced(p, e[i].data);
		}
		/* By the ring's order, this one is after all that its vCPU posted. */
		produced(p, p->vcpu->run->ioreq.data);
		pthread_mutex_unlock(p->lock);
		vcpu_done_io(p->vcpu);
	}
	return NULL;
}

TEST_F(route, two_producers)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct mhv_posted e[MHV_RING_ENTRIES];
	__u32 consumer = 0;
	__u64 next[2] = { 0, 0 };
	struct producer p[2];
	pthread_t thread[2];
	struct vcpu other;
	int i, n;

	if (host_cpus() < 2)
		SKIP(return, "the host has one CPU");
	vcpu_create(&self->vm, &other, 1);
	ASSERT_ROUTE(posted(&self->ring_area, DEV, 8, -1));
	for (i = 0; i < 2; i++) {
		p[i] = (struct producer){
			.vcpu = i ? &other : &self->vcpu, .lock = &lock, .ring = self->ring,
			.consumer = &consumer, .next = next, .cpu = i,
		};
		vcpu_start(p[i].vcpu, guest_route_produce, (__u64)i << 32, DEV, PRODUCED);
	}
	for (i = 0; i < 2; i++)
		host_start(&thread[i], produce, &p[i]);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	n = drain(self->ring, &consumer, e, MHV_RING_ENTRIES);
	ASSERT_LE(0, n);
	for (i = 0; i < n; i++)
		produced(&p[0], e[i].data);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(NULL, p[i].wrong);
		EXPECT_EQ(PRODUCED, next[i]);
		EXPECT_EQ(PORT_DONE, p[i].vcpu->run->ioreq.addr);
	}
	vcpu_destroy(&other);
}
