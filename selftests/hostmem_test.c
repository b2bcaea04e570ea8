// SPDX-License-Identifier: GPL-2.0-only
/* The host moves, drops, shares and swaps the guest's memory while the guest runs. */
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/syscall.h>

#include "mhv_test.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define BASE_LOW	0x80000000
#define BASE		((__u64)BASE_LOW)
#define PAGES		64
#define WORDS		512		/* 64-bit words of a page */
#define HUGE		0x200000ul
#define STOP		GUEST_DATA

FIXTURE(hostmem) {
	struct vm vm;
	struct vcpu vcpu;
	__u64 *mem;			/* PAGES at BASE, slot 1 */
};

FIXTURE_SETUP(hostmem)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	self->mem = host_alloc(PAGES * PAGE_SIZE);
	vm_set_slot(&self->vm, 1, BASE, PAGES * PAGE_SIZE, self->mem);
}

FIXTURE_TEARDOWN(hostmem)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

#define ASSERT_LOAD(__gpa, __want) do {					\
	__u64 __value;							\
									\
	ASSERT_EQ(0, vcpu_load(&self->vcpu, __gpa, &__value))		\
		vcpu_dump(&self->vcpu);					\
	ASSERT_EQ(__want, __value);					\
} while (0)

#define ASSERT_STORE(gpa, value)	ASSERT_EQ(0, vcpu_store(&self->vcpu, gpa, value))

/* ---- one change between two accesses ----------------------------------------------- */

TEST_F(hostmem, dontneed)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_STORE(BASE + 8, 0x1234 + i);
		ASSERT_EQ(0x1234 + i, self->mem[1]);
		ASSERT_EQ(0, madvise(self->mem, PAGE_SIZE, MADV_DONTNEED));
		ASSERT_LOAD(BASE + 8, 0);
		self->mem[1] = 99;
		ASSERT_LOAD(BASE + 8, 99);
	}
}

TEST_F(hostmem, unmap)
{
	__u64 value;

	ASSERT_STORE(BASE + PAGE_SIZE, 7);
	ASSERT_EQ(0, munmap(self->mem + WORDS, PAGE_SIZE));
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu_load(&self->vcpu, BASE + PAGE_SIZE, &value));
	EXPECT_EQ((__u64)(self->mem + WORDS), self->vcpu.run->memory_fault.hva & -PAGE_SIZE);
	EXPECT_EQ(EFAULT, self->vcpu.run->memory_fault.error);
	ASSERT_LOAD(BASE, 0);
	ASSERT_EQ(self->mem + WORDS,
		  mmap(self->mem + WORDS, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_LOAD(BASE + PAGE_SIZE, 0);
}

TEST_F(hostmem, move)
{
	__u64 *other = host_alloc(PAGE_SIZE), value;

	ASSERT_STORE(BASE + PAGE_SIZE, 0xabc);
	ASSERT_EQ(other, mremap(self->mem + WORDS, PAGE_SIZE, PAGE_SIZE,
				MREMAP_MAYMOVE | MREMAP_FIXED, other));
	EXPECT_EQ(0xabc, *other);
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu_load(&self->vcpu, BASE + PAGE_SIZE, &value));
	*other = 0xdef;
	ASSERT_EQ(self->mem + WORDS, mremap(other, PAGE_SIZE, PAGE_SIZE,
					    MREMAP_MAYMOVE | MREMAP_FIXED,
					    self->mem + WORDS));
	ASSERT_LOAD(BASE + PAGE_SIZE, 0xdef);
	ASSERT_STORE(BASE + PAGE_SIZE, 0x123);
	EXPECT_EQ(0x123, self->mem[WORDS]);
}

TEST_F(hostmem, protect)
{
	__u64 value;

	ASSERT_STORE(BASE, 1);
	ASSERT_EQ(0, mprotect(self->mem, PAGE_SIZE, PROT_READ));
	ASSERT_LOAD(BASE, 1);
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu_store(&self->vcpu, BASE, 2));
	EXPECT_EQ(1, self->vcpu.run->memory_fault.is_write);
	EXPECT_EQ(1, self->mem[0]);
	ASSERT_EQ(0, mprotect(self->mem, PAGE_SIZE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, vcpu_again(&self->vcpu, &value));
	EXPECT_EQ(2, self->mem[0]);
	ASSERT_EQ(0, mprotect(self->mem, PAGE_SIZE, PROT_NONE));
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu_load(&self->vcpu, BASE, &value));
}

/* The shared zero page must be left before the first write. */
TEST_F(hostmem, zero_page)
{
	ASSERT_LOAD(BASE, 0);
	ASSERT_LOAD(BASE + PAGE_SIZE, 0);
	ASSERT_STORE(BASE, 5);
	ASSERT_LOAD(BASE, 5);
	ASSERT_LOAD(BASE + PAGE_SIZE, 0);
	EXPECT_EQ(5, self->mem[0]);
	EXPECT_EQ(0, self->mem[WORDS]);
}

/* ---- shared between processes ----------------------------------------------------------- */

TEST_F(hostmem, fork_copies_on_write)
{
	int to_child[2], status;
	pid_t pid;
	char go;

	ASSERT_STORE(BASE, 100);
	ASSERT_STORE(BASE + PAGE_SIZE, 200);
	ASSERT_EQ(0, pipe(to_child));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* After the guest has written: still the old content, and writable. */
		close(to_child[1]);
		if (read(to_child[0], &go, 1) != 1)
			_exit(1);
		if (self->mem[0] != 100 || self->mem[WORDS] != 200)
			_exit(2);
		self->mem[0] = 666;
		_exit(self->mem[0] == 666 ? 0 : 3);
	}
	close(to_child[0]);
	ASSERT_STORE(BASE, 101);
	self->mem[WORDS] = 201;
	ASSERT_LOAD(BASE, 101);
	ASSERT_LOAD(BASE + PAGE_SIZE, 201);
	ASSERT_EQ(1, write(to_child[1], "g", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	ASSERT_LOAD(BASE, 101);
	EXPECT_EQ(101, self->mem[0]);
	close(to_child[1]);
}

TEST_F(hostmem, shared_file)
{
	int fd = syscall(SYS_memfd_create, "guest", MFD_CLOEXEC);
	__u64 *a, *b, value;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 4 * PAGE_SIZE));
	a = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_NE(MAP_FAILED, b);
	vm_set_slot(&self->vm, 2, BASE + HUGE, 4 * PAGE_SIZE, a);
	ASSERT_STORE(BASE + HUGE + PAGE_SIZE, 11);
	EXPECT_EQ(11, b[WORDS]);
	b[WORDS] = 12;
	ASSERT_LOAD(BASE + HUGE + PAGE_SIZE, 12);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE_SIZE,
			       PAGE_SIZE));
	ASSERT_LOAD(BASE + HUGE + PAGE_SIZE, 0);
	ASSERT_STORE(BASE + HUGE + PAGE_SIZE, 13);
	EXPECT_EQ(13, b[WORDS]);
	/* Past the end of the file there is no memory. */
	ASSERT_EQ(0, ftruncate(fd, PAGE_SIZE));
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT,
		  vcpu_load(&self->vcpu, BASE + HUGE + PAGE_SIZE, &value));
	ASSERT_EQ(0, ftruncate(fd, 4 * PAGE_SIZE));
	ASSERT_LOAD(BASE + HUGE + PAGE_SIZE, 0);
	close(fd);
}

TEST_F(hostmem, private_file)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	__u64 *map, first;

	ASSERT_LE(0, fd);
	map = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	vm_set_slot(&self->vm, 2, BASE + HUGE, PAGE_SIZE, map);
	ASSERT_EQ(sizeof(first), pread(fd, &first, sizeof(first), 0));
	ASSERT_LOAD(BASE + HUGE, first);
	ASSERT_STORE(BASE + HUGE, 1);
	EXPECT_EQ(1, map[0]);
	ASSERT_LOAD(BASE + HUGE, 1);
	ASSERT_EQ(sizeof(first), pread(fd, &first, sizeof(first), 0));
	EXPECT_NE(1, first);
	close(fd);
}

/* ---- merged, swapped, collapsed --------------------------------------------------------- */

static long sysfs_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long value = -1;

	if (file) {
		if (fscanf(file, "%ld", &value) != 1)
			value = -1;
		fclose(file);
	}
	return value;
}

#define KSM "/sys/kernel/mm/ksm/"

/* Let the merging thread look at everything this many times. */
static void ksm_scans(int count)
{
	long start = sysfs_number(KSM "full_scans");
	const struct timespec tick = { .tv_nsec = 1000000 };

	while (sysfs_number(KSM "full_scans") < start + count)
		nanosleep(&tick, NULL);
}

TEST_F(hostmem, merged)
{
	int i;

	if (host_write(KSM "run", "1"))
		SKIP(return, "the host does not merge pages (no KSM)");
	host_write(KSM "sleep_millisecs", "1");
	host_write(KSM "pages_to_scan", "1000");
	for (i = 0; i < 8; i++)
		memset(self->mem + i * WORDS, 0x42, PAGE_SIZE);
	ASSERT_LOAD(BASE, 0x4242424242424242);
	ASSERT_STORE(BASE + PAGE_SIZE, 0x4242424242424242);
	ASSERT_EQ(0, madvise(self->mem, 8 * PAGE_SIZE, MADV_MERGEABLE));
	ksm_scans(3);
	EXPECT_LT(0, sysfs_number(KSM "pages_sharing"));
	for (i = 0; i < 8; i++)
		ASSERT_LOAD(BASE + i * PAGE_SIZE + 8, 0x4242424242424242);
	ASSERT_STORE(BASE, 1);
	self->mem[WORDS] = 2;
	ASSERT_LOAD(BASE, 1);
	ASSERT_LOAD(BASE + PAGE_SIZE, 2);
	for (i = 2; i < 8; i++)
		ASSERT_LOAD(BASE + i * PAGE_SIZE, 0x4242424242424242);
	host_write(KSM "run", "2");
	host_write(KSM "run", "0");
	ASSERT_LOAD(BASE, 1);
	ASSERT_LOAD(BASE + 7 * PAGE_SIZE, 0x4242424242424242);
}

TEST_F(hostmem, swapped)
{
	struct host_swap swap;
	const char *missing = host_swap_on(&swap);
	int i, round, out = 0;

	if (missing)
		SKIP(return, "%s", missing);
	for (i = 0; i < PAGES; i++)
		self->mem[i * WORDS] = 1000 + i;
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE_SIZE, MADV_PAGEOUT));
		out += host_pages_in_swap(self->mem, PAGES);
		for (i = 0; i < PAGES; i += 5) {
			ASSERT_LOAD(BASE + i * PAGE_SIZE, 1000 + i + round);
			ASSERT_STORE(BASE + i * PAGE_SIZE, 1001 + i + round);
		}
	}
	host_swap_off(&swap);
	EXPECT_LT(PAGES, out);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(1000 + i + (i % 5 ? 0 : 3), self->mem[i * WORDS]);
}

TEST_F(hostmem, collapsed)
{
	__u64 *mem = host_alloc(HUGE);
	int i;

	vm_set_slot(&self->vm, 2, BASE + HUGE, HUGE, mem);
	madvise(mem, HUGE, MADV_NOHUGEPAGE);
	for (i = 0; i < 512; i++)
		mem[i * WORDS] = i;
	for (i = 0; i < 512; i += 17)
		ASSERT_STORE(BASE + HUGE + i * PAGE_SIZE + 8, i * 3);
	madvise(mem, HUGE, MADV_HUGEPAGE);
	if (madvise(mem, HUGE, MADV_COLLAPSE))
		SKIP(return, "the host does not collapse pages (%s)", strerror(errno));
	for (i = 0; i < 512; i += 17) {
		ASSERT_LOAD(BASE + HUGE + i * PAGE_SIZE, i);
		ASSERT_STORE(BASE + HUGE + i * PAGE_SIZE, i + 1);
		EXPECT_EQ(i * 3, mem[i * WORDS + 1]);
	}
	/* And apart again */
	ASSERT_EQ(0, mprotect(mem + 100 * WORDS, PAGE_SIZE, PROT_READ));
	ASSERT_LOAD(BASE + HUGE + 102 * PAGE_SIZE, 103);
	ASSERT_EQ(MHV_EXIT_MEMORY_FAULT,
		  vcpu_store(&self->vcpu, BASE + HUGE + 100 * PAGE_SIZE, 1));
	for (i = 0; i < 512; i += 17)
		EXPECT_EQ(i + 1, mem[i * WORDS]);
}

/* ---- a page that another thread has to bring ---------------------------------------------- */

struct pager {
	int fd;
	void *page;
	__u64 address;
};

static void *pager_thread(void *arg)
{
	struct pager *pager = arg;
	struct uffdio_copy copy;
	struct uffd_msg msg;

	if (read(pager->fd, &msg, sizeof(msg)) != sizeof(msg))
		die("read of the userfaultfd");
	pager->address = msg.arg.pagefault.address;
	copy = (struct uffdio_copy){
		.dst = pager->address & -PAGE_SIZE,
		.src = (__u64)pager->page,
		.len = PAGE_SIZE,
	};
	if (ioctl(pager->fd, UFFDIO_COPY, &copy))
		die("UFFDIO_COPY");
	return NULL;
}

TEST_F(hostmem, paged_by_user_space)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (__u64)self->mem, .len = PAGES * PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct pager pager = { .page = host_alloc(PAGE_SIZE) };
	pthread_t thread;

	pager.fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (pager.fd < 0 || ioctl(pager.fd, UFFDIO_API, &api))
		SKIP(return, "the host has no userfaultfd (%s)", strerror(errno));
	ASSERT_EQ(0, RET(ioctl(pager.fd, UFFDIO_REGISTER, &reg)));
	*(__u64 *)pager.page = 0x5115;
	host_start(&thread, pager_thread, &pager);
	ASSERT_LOAD(BASE + 3 * PAGE_SIZE, 0x5115);
	pthread_join(thread, NULL);
	EXPECT_EQ((__u64)(self->mem + 3 * WORDS), pager.address & -PAGE_SIZE);
	close(pager.fd);
}

/* ---- while the guest writes ------------------------------------------------------------------ */

/* One more in the first word of every page, again and again; r8 counts the rounds. */
GUEST_ASM(guest_add_everywhere, 64,
	  "xor %r8d, %r8d\n"
	  "1: mov $" STR(BASE_LOW) ", %ecx\n"
	  "mov $" STR(PAGES) ", %edx\n"
	  "2: incq (%rcx)\n"
	  "add $4096, %rcx\n"
	  "dec %edx\n"
	  "jnz 2b\n"
	  "inc %r8\n"
	  "cmpb $0, " STR(STOP) "\n"
	  "je 1b\n"
	  G_DONE);

struct shaker {
	struct vm *vm;
	__u64 *mem;
	int times;
	void (*shake)(__u64 *mem, __u32 random);
};

static void *shaker_thread(void *arg)
{
	struct shaker *s = arg;
	__u32 random = 1;

	for (; s->times; s->times--) {
		random = random * 1103515245 + 12345;
		s->shake(s->mem, random >> 8);
		sched_yield();
	}
	__atomic_store_n((__u8 *)vm_ptr(s->vm, STOP), 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Run guest_add_everywhere beside a thread that shakes its memory: the rounds done */
static __u64 shaken(struct __test_metadata *_metadata, struct vcpu *vcpu, __u64 *mem,
		    int times, void (*shake)(__u64 *mem, __u32 random))
{
	struct shaker s = { .vm = vcpu->vm, .mem = mem, .times = times, .shake = shake };
	pthread_t thread;

	vcpu_set_long(vcpu, guest_add_everywhere);
	host_start(&thread, shaker_thread, &s);
	do {
		ASSERT_EQ(0, vcpu_run(vcpu));
		if (vcpu->run->exit == MHV_EXIT_MEMORY_FAULT)
			sched_yield();
	} while (vcpu->run->exit == MHV_EXIT_MEMORY_FAULT);
	pthread_join(thread, NULL);
	ASSERT_EQ(MHV_EXIT_IO, vcpu->run->exit)
		vcpu_dump(vcpu);
	vcpu_done_io(vcpu);
	return vcpu_regs(vcpu).r8;
}

/* The same where the memory keeps what was written: no write may be lost. */
static void shaken_unharmed(struct __test_metadata *_metadata, struct vcpu *vcpu,
			    __u64 *mem, int times, void (*shake)(__u64 *mem, __u32 random))
{
	__u64 rounds = shaken(_metadata, vcpu, mem, times, shake);
	int i;

	EXPECT_LT(0, rounds);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(rounds, mem[i * WORDS]);
}

static void shake_protection(__u64 *mem, __u32 random)
{
	__u64 *page = mem + random % PAGES * WORDS;

	if (mprotect(page, PAGE_SIZE, random & 0x1000 ? PROT_NONE : PROT_READ) ||
	    mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE))
		die("mprotect");
}

TEST_F(hostmem, protected_while_written)
{
	shaken_unharmed(_metadata, &self->vcpu, self->mem, 200, shake_protection);
}

static void shake_place(__u64 *mem, __u32 random)
{
	static __u64 *spare;
	__u64 *page = mem + random % PAGES * WORDS;

	if (!spare)
		spare = host_alloc(PAGE_SIZE);
	if (mremap(page, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, spare) != spare ||
	    mremap(spare, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page) != page)
		die("mremap");
}

TEST_F(hostmem, moved_while_written)
{
	shaken_unharmed(_metadata, &self->vcpu, self->mem, 200, shake_place);
}

static void shake_by_fork(__u64 *mem, __u32 random)
{
	__u64 *page = mem + random % PAGES * WORDS;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		/* The child's copy stands still. */
		__u64 before = __atomic_load_n(page, __ATOMIC_RELAXED);

		page[1] = random;
		sched_yield();
		_exit(__atomic_load_n(page, __ATOMIC_RELAXED) != before);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("a child saw its memory change");
}

TEST_F(hostmem, forked_while_written)
{
	shaken_unharmed(_metadata, &self->vcpu, self->mem, 50, shake_by_fork);
}

static void shake_off(__u64 *mem, __u32 random)
{
	if (madvise(mem + random % PAGES * WORDS, PAGE_SIZE, MADV_DONTNEED))
		die("MADV_DONTNEED");
}

/* What is dropped begins at zero again: no page may hold more than all rounds. */
TEST_F(hostmem, dropped_while_written)
{
	__u64 rounds = shaken(_metadata, &self->vcpu, self->mem, 1000, shake_off);
	int i;

	for (i = 0; i < PAGES; i++)
		EXPECT_GE(rounds, self->mem[i * WORDS]);
	/* Guest and host still look at the same pages. */
	for (i = 0; i < PAGES; i++)
		ASSERT_LOAD(BASE + i * PAGE_SIZE, self->mem[i * WORDS]);
}
