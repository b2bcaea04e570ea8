// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mhv remembers - which frames are devices, what the instruction at an address
 * is - must be forgotten when it is no longer true.
 */
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mhv_test.h"
#include "mmio.h"

#define BASE		0x80000000ull		/* a device, or RAM, as the slots say */
#define RAM_VALUE	0x5a5a5a5a5a5a5a5aull
#define DEV_VALUE	0xd5d5d5d5d5d5d5d5ull
#define SLOT		1
#define OTHER_SLOT	2
#define OTHER_BASE	0x90000000ull

static void fill(void *mem, __u64 size, __u64 value)
{
	__u64 i;

	for (i = 0; i < size / 8; i++)
		((__u64 *)mem)[i] = value;
}

FIXTURE(cache) {
	struct vm vm;
	struct vcpu vcpu;
	struct mmio_dev dev;
	__u8 *ram;			/* four pages for slots */
};

FIXTURE_SETUP(cache)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	mmio_dev_init(&self->dev, BASE, 4 * PAGE_SIZE);
	self->ram = host_alloc(4 * PAGE_SIZE);
	fill(self->dev.mem, self->dev.size, DEV_VALUE);
	fill(self->ram, 4 * PAGE_SIZE, RAM_VALUE);
}

FIXTURE_TEARDOWN(cache)
{
	munmap(self->ram, 4 * PAGE_SIZE);
	mmio_dev_free(&self->dev);
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* ---- device or RAM ----------------------------------------------------------------- */

/* Reports what it reads, for ever. */
GUEST_ASM(guest_cache_watch, 64,
	  "1: mov (%rcx), %eax\n"
	  G_REPORT
	  "jmp 1b\n");

/* The guest's next report must be of the device, or of RAM. */
static void want_seen(struct __test_metadata *t, int line, struct vcpu *vcpu,
		      struct mmio_dev *dev, __u32 value, __u64 reads)
{
	__u64 before = dev->reads;

	mhv_want(t, line, vcpu, "exit", MHV_EXIT_IO, mmio_run(vcpu, dev));
	mhv_want(t, line, vcpu, "port", PORT_REPORT, vcpu->run->ioreq.addr);
	mhv_want(t, line, vcpu, "value", value, (__u32)vcpu->run->ioreq.data);
	mhv_want(t, line, vcpu, "reads of the device", reads, dev->reads - before);
	vcpu_done_io(vcpu);
}

#define ASSERT_DEVICE()	\
	want_seen(_metadata, __LINE__, &self->vcpu, &self->dev, (__u32)DEV_VALUE, 1)
#define ASSERT_RAM() \
	want_seen(_metadata, __LINE__, &self->vcpu, &self->dev, (__u32)RAM_VALUE, 0)

static void put_slot(struct vm *vm, __u64 gpa, void *ram)
{
	vm_set_slot(vm, SLOT, gpa, PAGE_SIZE, ram);
}

static int put_read_only(struct vm *vm, void *ram)
{
	return vm_slot(vm, SLOT, MHV_MEM_READONLY, BASE, PAGE_SIZE, ram);
}

static void drop_slot(struct vm *vm, __u32 slot)
{
	if (vm_slot(vm, slot, 0, 0, 0, NULL))
		die("cannot delete slot %u", slot);
}

/* A change that has nothing to do with BASE */
static void change_elsewhere(struct vm *vm, void *ram)
{
	static bool there;

	if (there)
		drop_slot(vm, OTHER_SLOT);
	else
		vm_set_slot(vm, OTHER_SLOT, OTHER_BASE, PAGE_SIZE, ram);
	there = !there;
}

TEST_F(cache, slot_created_and_deleted)
{
	__u64 off;
	int i;

	vcpu_start(&self->vcpu, guest_cache_watch, 0, BASE, 0);
	for (off = 0; off < 4; off++) {
		mmio_set_options(&self->vm, off);
		for (i = 0; i < 4; i++) {
			ASSERT_DEVICE();
			ASSERT_DEVICE();
			put_slot(&self->vm, BASE, self->ram);
			ASSERT_RAM();
			ASSERT_RAM();
			drop_slot(&self->vm, SLOT);
		}
	}
	ASSERT_DEVICE();
}

TEST_F(cache, slot_moved)
{
	int i;

	vcpu_start(&self->vcpu, guest_cache_watch, 0, BASE, 0);
	for (i = 0; i < 4; i++) {
		put_slot(&self->vm, BASE + PAGE_SIZE, self->ram);
		ASSERT_DEVICE();
		ASSERT_DEVICE();
		put_slot(&self->vm, BASE, self->ram);
		ASSERT_RAM();
		ASSERT_RAM();
	}
}

TEST_F(cache, change_elsewhere)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before;
	int i;

	vcpu_start(vcpu, guest_cache_watch, 0, BASE, 0);
	ASSERT_DEVICE();
	ASSERT_DEVICE();
	before = mmio_stats(vcpu);
	for (i = 1; i <= 5; i++) {
		change_elsewhere(&self->vm, self->ram);
		ASSERT_DEVICE();
		ASSERT_DEVICE();
		ASSERT_DEVICE();
		/* Known no more, looked up, and known again */
		ASSERT_COUNTED(vcpu, &before, pf_mmio_stale, i);
		ASSERT_COUNTED(vcpu, &before, pf_mmio_slow, i);
		ASSERT_COUNTED(vcpu, &before, pf_mmio_made, i);
		ASSERT_COUNTED(vcpu, &before, pf_vcpu_cache, 2 * i);
	}
}

/* A vCPU that slept while the slots changed */
TEST_F(cache, other_vcpu)
{
	struct vcpu other;
	int i;

	vcpu_create(&self->vm, &other, 1);
	vcpu_start(&other, guest_cache_watch, 0, BASE, 0);
	vcpu_start(&self->vcpu, guest_cache_watch, 0, BASE, 0);
	for (i = 0; i < 3; i++) {
		ASSERT_DEVICE();
		want_seen(_metadata, __LINE__, &other, &self->dev, (__u32)DEV_VALUE, 1);
		put_slot(&self->vm, BASE, self->ram);
		ASSERT_RAM();
		want_seen(_metadata, __LINE__, &other, &self->dev, (__u32)RAM_VALUE, 0);
		drop_slot(&self->vm, SLOT);
		want_seen(_metadata, __LINE__, &other, &self->dev, (__u32)DEV_VALUE, 1);
	}
	vcpu_destroy(&other);
}

/* A vCPU's entry in the page tables is of use to the others. */
TEST_F(cache, entry_is_shared)
{
	struct mmio_stats before;
	struct vcpu other;

	vcpu_create(&self->vm, &other, 1);
	vcpu_start(&self->vcpu, guest_cache_watch, 0, BASE, 0);
	ASSERT_DEVICE();
	before = mmio_stats(&other);
	vcpu_start(&other, guest_cache_watch, 0, BASE, 0);
	want_seen(_metadata, __LINE__, &other, &self->dev, (__u32)DEV_VALUE, 1);
	ASSERT_COUNTED(&other, &before, pf_mmio_spte, 1);
	ASSERT_COUNTED(&other, &before, pf_mmio_slow, 0);
	vcpu_destroy(&other);
}

/* ---- read-only slots --------------------------------------------------------------- */

/* rdx times: read, write, add to memory; what was read adds up in rbx. */
GUEST_ASM(guest_cache_read_only, 64,
	  "xor %ebx, %ebx\n"
	  "1: mov (%rcx), %eax\n"
	  "add %rax, %rbx\n"
	  "mov %edx, (%rcx)\n"
	  "mov (%rcx), %eax\n"
	  "add %rax, %rbx\n"
	  "addl $1, 0x10(%rcx)\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE);

#define TIMES	100

TEST_F(cache, read_only)
{
	const __u32 ram_value = (__u32)RAM_VALUE;
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before, s;
	__u64 off, writes;

	ASSERT_EQ(0, put_read_only(&self->vm, self->ram));
	for (off = 0; off < 4; off++) {
		mmio_set_options(&self->vm, off);
		before = mmio_stats(vcpu);
		writes = self->dev.writes;
		vcpu_start(vcpu, guest_cache_read_only, 0, BASE, TIMES);
		ASSERT_EQ(MHV_EXIT_IO, mmio_run(vcpu, &self->dev));
		ASSERT_EQ(PORT_DONE, vcpu->run->ioreq.addr);
		/* Reads are RAM's, writes the device's, however often they take turns. */
		EXPECT_EQ(2ull * TIMES * ram_value, vcpu_regs(vcpu).rbx);
		EXPECT_EQ(0, self->dev.reads);
		EXPECT_EQ(2 * TIMES, self->dev.writes - writes);
		EXPECT_EQ(1, *(__u32 *)self->dev.mem);
		EXPECT_EQ(ram_value + 1, *(__u32 *)(self->dev.mem + 0x10));
		EXPECT_EQ(RAM_VALUE, *(__u64 *)self->ram);
		EXPECT_EQ(RAM_VALUE, *(__u64 *)(self->ram + 0x10));
		s = mmio_since(vcpu, &before);
		EXPECT_EQ(2 * TIMES, s.mmio_write);
		EXPECT_EQ(0, s.mmio_read);
		/* An entry in the page tables would make reads exit. */
		EXPECT_EQ(0, s.pf_mmio_made);
		EXPECT_EQ(0, s.pf_mmio_spte);
		EXPECT_LE(off & 1 ? 0 : 2 * TIMES - 1, s.pf_vcpu_cache);
	}
}

TEST_F(cache, read_only_and_back)
{
	struct vcpu *vcpu = &self->vcpu;
	__u64 value;
	int i;

	for (i = 0; i < 3; i++) {
		/* A device, known as one to reads and writes */
		vcpu_start(vcpu, guest_cache_read_only, 0, BASE, 2);
		self->dev.reads = 0;
		ASSERT_EQ(MHV_EXIT_IO, mmio_run(vcpu, &self->dev));
		EXPECT_EQ(6, self->dev.reads);
		/* Becomes RAM that is read-only */
		ASSERT_EQ(0, put_read_only(&self->vm, self->ram));
		ASSERT_EQ(0, vcpu_load(vcpu, BASE, &value));
		EXPECT_EQ(RAM_VALUE, value);
		ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(vcpu, BASE + 8, i));
		ASSERT_TRUE(mmio_answer(vcpu, &self->dev));
		ASSERT_DONE(vcpu);
		EXPECT_EQ(RAM_VALUE, *(__u64 *)(self->ram + 8));
		/* Becomes RAM */
		ASSERT_EQ(0, vm_slot(&self->vm, SLOT, 0, BASE, PAGE_SIZE, self->ram));
		ASSERT_EQ(0, vcpu_store(vcpu, BASE + 8, i));
		EXPECT_EQ(i, *(__u64 *)(self->ram + 8));
		*(__u64 *)(self->ram + 8) = RAM_VALUE;
		/* Becomes read-only, while the guest can write */
		ASSERT_EQ(0, put_read_only(&self->vm, self->ram));
		ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(vcpu, BASE + 8, i));
		ASSERT_TRUE(mmio_answer(vcpu, &self->dev));
		ASSERT_DONE(vcpu);
		EXPECT_EQ(RAM_VALUE, *(__u64 *)(self->ram + 8));
		drop_slot(&self->vm, SLOT);
	}
}

/* ---- generations come round -------------------------------------------------------- */

static long reload_module(const char *params)
{
	const char *path = host_module_path();
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		die("open %s", path);
	ret = RET(syscall(SYS_delete_module, "mhv", O_NONBLOCK));
	if (!ret || ret == -ENOENT)
		ret = RET(syscall(SYS_finit_module, fd, params, 0));
	close(fd);
	return ret;
}

static bool module_can_be_loaded(void)
{
	return host_module_path() && host_module_loaded("mhv") &&
	       !access("/sys/module/mhv/parameters/mmio_gen_bits", F_OK);
}

FIXTURE(wrap) {
	struct vm vm;
	struct vcpu vcpu;
	struct mmio_dev dev;
	__u8 *ram;
	bool made;
};

FIXTURE_VARIANT(wrap) {
	int bits;
};

FIXTURE_VARIANT_ADD(wrap, bits2) { .bits = 2 };
FIXTURE_VARIANT_ADD(wrap, bits3) { .bits = 3 };

FIXTURE_SETUP(wrap)
{
	char params[32];

	if (!module_can_be_loaded())
		SKIP(longjmp(_metadata->env, 1), "no mhv.ko to load again: name it in MHV_KO");
	snprintf(params, sizeof(params), "mmio_gen_bits=%d", variant->bits);
	ASSERT_EQ(0, reload_module(params));
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	mmio_dev_init(&self->dev, BASE, 4 * PAGE_SIZE);
	self->ram = host_alloc(4 * PAGE_SIZE);
	fill(self->dev.mem, self->dev.size, DEV_VALUE);
	fill(self->ram, 4 * PAGE_SIZE, RAM_VALUE);
	self->made = true;
}

FIXTURE_TEARDOWN(wrap)
{
	if (self->made) {
		munmap(self->ram, 4 * PAGE_SIZE);
		mmio_dev_free(&self->dev);
		vcpu_destroy(&self->vcpu);
		vm_destroy(&self->vm);
	}
	if (module_can_be_loaded())
		ASSERT_EQ(0, reload_module(""));
}

/*
 * An entry made in one generation, then RAM at its place, then so many changes that the
 * generation is the same again but for what an entry cannot hold.
 */
TEST_F(wrap, old_entry_is_not_believed)
{
	const int round = 1 << variant->bits;
	int changes, i;
	__u64 off;

	vcpu_start(&self->vcpu, guest_cache_watch, 0, BASE, 0);
	for (off = 0; off < 2; off++) {
		/* With the vCPU's cache, and with the entry alone */
		mmio_set_options(&self->vm, off);
		for (changes = 1; changes <= 3 * round + 1; changes++) {
			ASSERT_DEVICE();
			ASSERT_DEVICE();
			put_slot(&self->vm, BASE, self->ram);
			for (i = 1; i < changes; i++)
				change_elsewhere(&self->vm, self->ram + PAGE_SIZE);
			ASSERT_RAM();
			drop_slot(&self->vm, SLOT);
		}
	}
}

TEST_F(wrap, device_stays_one)
{
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu), s;
	const int changes = 5 << variant->bits;
	int i;

	vcpu_start(vcpu, guest_cache_watch, 0, BASE, 0);
	for (i = 0; i < changes; i++) {
		ASSERT_DEVICE();
		ASSERT_DEVICE();
		change_elsewhere(&self->vm, self->ram);
	}
	/* Each generation was looked up anew, whether it has been there before or not. */
	s = mmio_since(vcpu, &before);
	EXPECT_EQ(changes, s.pf_mmio_slow);
	EXPECT_EQ(changes, s.pf_vcpu_cache + s.pf_mmio_spte);
	/* Most found an old entry; some the wrap had taken away. */
	EXPECT_LT(0, s.pf_mmio_stale);
	EXPECT_GT(changes - 1, s.pf_mmio_stale);
}

TEST(gen_bits_refused)
{
	static const char *const bad[] = {
		"mmio_gen_bits=1", "mmio_gen_bits=19",
	};
	unsigned int i;

	if (!module_can_be_loaded())
		SKIP(return, "no mhv.ko to load again: name it in MHV_KO");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, reload_module(bad[i]));
	EXPECT_EQ(0, reload_module(""));
}

/* ---- code that changes ------------------------------------------------------------- */

/* An instruction that accesses (%rdi), padded to eight bytes with a RET behind it */
struct snippet {
	__u8 bytes[8];
	__u32 flags, size;
};

static const struct snippet snippets[] = {
	/* mov %ebx, (%rdi); %bx; %rbx; %bl */
	{ { 0x89, 0x1f, 0xc3 }, MHV_IOREQ_WRITE, 4 },
	{ { 0x66, 0x89, 0x1f, 0xc3 }, MHV_IOREQ_WRITE, 2 },
	{ { 0x48, 0x89, 0x1f, 0xc3 }, MHV_IOREQ_WRITE, 8 },
	{ { 0x88, 0x1f, 0xc3 }, MHV_IOREQ_WRITE, 1 },
	/* mov (%rdi), %ebx */
	{ { 0x8b, 0x1f, 0xc3 }, 0, 4 },
	/* movb $0x77, (%rdi); movw */
	{ { 0xc6, 0x07, 0x77, 0xc3 }, MHV_IOREQ_WRITE, 1 },
	{ { 0x66, 0xc7, 0x07, 0x77, 0x00, 0xc3 }, MHV_IOREQ_WRITE, 2 },
};

#define NR_SNIPPETS	ARRAY_SIZE(snippets)
#define CODE_A		(GUEST_FREE + 0x0000)	/* pages with a snippet each */
#define CODE_B		(GUEST_FREE + 0x1000)
#define CODE_LA		GUEST_WINDOW		/* where one of them is mapped */

static void put_snippet(struct vm *vm, __u64 gpa, unsigned int nr)
{
	memcpy(vm_ptr(vm, gpa), snippets[nr].bytes, sizeof(snippets[nr].bytes));
}

/* The guest must make the access of a snippet. */
#define ASSERT_SNIPPET(__nr) do {					\
	const struct snippet *__s = &snippets[__nr];			\
									\
	ASSERT_MMIO(&self->vcpu, __s->flags, BASE, __s->size);		\
	vcpu_done_io(&self->vcpu);					\
} while (0)

/* Calls rsi, for ever, with a report each time. */
GUEST_ASM(guest_cache_call, 64,
	  "1: call *%rsi\n"
	  G_REPORT
	  "jmp 1b\n");

static void start_calls(struct vcpu *vcpu, const void *code, __u64 target)
{
	struct mhv_regs r;

	vcpu_start(vcpu, code, 0, 0, 0);
	r = vcpu_regs(vcpu);
	r.rsi = target;
	r.rdi = BASE;
	r.rbx = 0x1122334455667788;
	vcpu_set_regs(vcpu, &r);
}

#define ASSERT_REPORTED() GET_REPORT(&self->vcpu)

/* The guest forgets what it knew of its page tables. */
static void flush_guest(struct vcpu *vcpu)
{
	struct mhv_sregs s = vcpu_sregs(vcpu);

	vcpu_set_sregs(vcpu, &s);
}

TEST_F(cache, code_written_by_the_host)
{
	struct mmio_stats before = mmio_stats(&self->vcpu), s;
	unsigned int i, k, changes = 0;

	start_calls(&self->vcpu, guest_cache_call, CODE_A);
	for (i = 0; i < 5 * NR_SNIPPETS; i++) {
		put_snippet(&self->vm, CODE_A, i * 3 % NR_SNIPPETS);
		changes++;
		for (k = 0; k < 3; k++) {
			ASSERT_SNIPPET(i * 3 % NR_SNIPPETS);
			ASSERT_REPORTED();
		}
	}
	s = mmio_since(&self->vcpu, &before);
	EXPECT_EQ(changes, s.decode_cache_changed + s.decode_cache_miss);
	EXPECT_LE(changes - 1, s.decode_cache_changed);
	EXPECT_EQ(2 * changes, s.decode_cache_hit);
}

#define PLACES		"16"
#define ROUNDS		50

/* r8 times: the same access at places whose addresses differ in a few bits only */
GUEST_ASM(guest_cache_places, 64,
	  "1: .rept " PLACES "\n"
	  "mov (%rcx), %eax\n"
	  ".fill 254, 1, 0x90\n"
	  ".endr\n"
	  "dec %r8\n"
	  "jnz 1b\n"
	  G_DONE);

/* A driver whose functions are aligned: its instructions do not push each other out. */
TEST_F(cache, code_at_many_places)
{
	const unsigned int places = atoi(PLACES), accesses = ROUNDS * places;
	struct mmio_stats before = mmio_stats(&self->vcpu), s;
	struct mhv_regs r;

	vcpu_start(&self->vcpu, guest_cache_places, 0, BASE, 0);
	r = vcpu_regs(&self->vcpu);
	r.r8 = ROUNDS;
	vcpu_set_regs(&self->vcpu, &r);
	mmio_run(&self->vcpu, &self->dev);
	ASSERT_EQ(PORT_DONE, self->vcpu.run->ioreq.addr);
	ASSERT_EQ(accesses, self->dev.reads);
	s = mmio_since(&self->vcpu, &before);
	EXPECT_EQ(accesses, s.decode_cache_hit + s.decode_cache_miss);
	/* two in one place now and then */
	EXPECT_LE(places, s.decode_cache_miss);
	EXPECT_GT(accesses / 4, s.decode_cache_miss);
}

/* r8 times: copy a snippet from the table at rdx to rsi, call it. */
GUEST_ASM(guest_cache_patch, 64,
	  "1: mov (%rdx), %rax\n"
	  "mov %rax, (%rsi)\n"
	  "add $8, %rdx\n"
	  "call *%rsi\n"
	  "dec %r8\n"
	  "jnz 1b\n"
	  G_DONE);

TEST_F(cache, code_written_by_the_guest)
{
	const unsigned int n = 6 * NR_SNIPPETS;
	__u64 at = GUEST_DATA;
	struct mhv_regs r;
	unsigned int i;

	for (i = 0; i < n; i++)
		put_snippet(&self->vm, at + 8 * i, i * i % NR_SNIPPETS);
	start_calls(&self->vcpu, guest_cache_patch, CODE_A + 0x123);
	r = vcpu_regs(&self->vcpu);
	r.rdx = at;
	r.r8 = n;
	vcpu_set_regs(&self->vcpu, &r);
	for (i = 0; i < n; i++)
		ASSERT_SNIPPET(i * i % NR_SNIPPETS);
	ASSERT_DONE(&self->vcpu);
}

/* movl $imm32, (%rdi) with its immediate in the next page, where alone it changes */
TEST_F(cache, code_across_a_page)
{
	static const __u8 code[] = { 0xc7, 0x07 };
	__u8 *second = vm_ptr(&self->vm, CODE_A + PAGE_SIZE);
	__u64 *pt;
	__u32 i;

	memcpy(vm_ptr(&self->vm, CODE_A + PAGE_SIZE - 2), code, 2);
	second[4] = 0xc3;
	start_calls(&self->vcpu, guest_cache_call, CODE_A + PAGE_SIZE - 2);
	for (i = 0; i < 10; i++) {
		*(__u32 *)second = i / 2;
		ASSERT_MMIO_WRITE(&self->vcpu, BASE, 4, i / 2);
		ASSERT_REPORTED();
	}
	/* Now the page is another one. */
	pt = mmio_page_table(&self->vm, CODE_LA, GUEST_PT);
	pt[0] = CODE_A | PTE_ALL;
	start_calls(&self->vcpu, guest_cache_call, CODE_LA + PAGE_SIZE - 2);
	for (i = 0; i < 10; i++) {
		__u64 page = CODE_A + (1 + i % 3) * PAGE_SIZE;

		*(__u32 *)vm_ptr(&self->vm, page) = 0x100 + i % 3;
		*(__u8 *)vm_ptr(&self->vm, page + 4) = 0xc3;
		pt[1] = page | PTE_ALL;
		flush_guest(&self->vcpu);
		ASSERT_MMIO_WRITE(&self->vcpu, BASE, 4, 0x100 + i % 3);
		ASSERT_REPORTED();
	}
}

/* Maps CODE_A and CODE_B in turn at CODE_LA, and calls it. */
GUEST_ASM(guest_cache_remap, 64,
	  "1: mov %r10, (%r9)\n"
	  "invlpg (%rsi)\n"
	  "call *%rsi\n"
	  "call *%rsi\n"
	  "mov %r11, (%r9)\n"
	  "invlpg (%rsi)\n"
	  "call *%rsi\n"
	  "dec %r8\n"
	  "jnz 1b\n"
	  G_DONE);

static void start_remap(struct vcpu *vcpu, const void *code, __u64 entry, __u64 a, __u64 b,
			__u64 times)
{
	struct mhv_regs r;

	put_snippet(vcpu->vm, CODE_A, 0);
	put_snippet(vcpu->vm, CODE_B, 2);
	start_calls(vcpu, code, CODE_LA);
	r = vcpu_regs(vcpu);
	r.r8 = times;
	r.r9 = entry;
	r.r10 = a;
	r.r11 = b;
	vcpu_set_regs(vcpu, &r);
}

TEST_F(cache, code_remapped_by_the_guest)
{
	int i;

	mmio_page_table(&self->vm, CODE_LA, GUEST_PT);
	start_remap(&self->vcpu, guest_cache_remap, GUEST_PT, CODE_A | PTE_ALL,
		    CODE_B | PTE_ALL, 10);
	for (i = 0; i < 10; i++) {
		ASSERT_SNIPPET(0);
		ASSERT_SNIPPET(0);
		ASSERT_SNIPPET(2);
	}
	ASSERT_DONE(&self->vcpu);
}

/* The same by an entry of the level above: another table, a large page */
TEST_F(cache, code_remapped_a_level_up)
{
	const __u64 entry = GUEST_PD + 512 * 8, table_b = GUEST_PT + PAGE_SIZE;
	__u64 *pt = mmio_page_table(&self->vm, CODE_LA, GUEST_PT);
	__u64 *pt_b = vm_ptr(&self->vm, table_b);
	int i;

	pt[0] = CODE_A | PTE_ALL;
	pt_b[0] = CODE_B | PTE_ALL;
	start_remap(&self->vcpu, guest_cache_remap, entry, GUEST_PT | PTE_ALL,
		    table_b | PTE_ALL, 5);
	for (i = 0; i < 5; i++) {
		ASSERT_SNIPPET(0);
		ASSERT_SNIPPET(0);
		ASSERT_SNIPPET(2);
	}
	ASSERT_DONE(&self->vcpu);
	/* Large pages of 2 MiB each */
	put_snippet(&self->vm, 0x600000, 4);
	put_snippet(&self->vm, 0x800000, 5);
	start_remap(&self->vcpu, guest_cache_remap, entry, 0x600000 | PTE_ALL | PTE_PS,
		    0x800000 | PTE_ALL | PTE_PS, 5);
	for (i = 0; i < 5; i++) {
		ASSERT_SNIPPET(4);
		ASSERT_SNIPPET(4);
		ASSERT_SNIPPET(5);
	}
	ASSERT_DONE(&self->vcpu);
}

/*
 * Without INVLPG the CPU may go on with the old translation, or not; what is emulated
 * is one of the two, and after INVLPG the new one.
 */
GUEST_ASM(guest_cache_remap_late, 64,
	  "1: mov %r10, (%r9)\n"
	  "invlpg (%rsi)\n"
	  "call *%rsi\n"
	  "mov %r11, (%r9)\n"
	  "call *%rsi\n"
	  "invlpg (%rsi)\n"
	  "call *%rsi\n"
	  "dec %r8\n"
	  "jnz 1b\n"
	  G_DONE);

TEST_F(cache, code_remapped_without_invlpg)
{
	int i;

	/* and may fetch the instruction behind it by the old one again */
	if (vm_is_shadowed(&self->vm))
		SKIP(return, "the CPU may fetch by the old translation what is decoded by the new");
	mmio_page_table(&self->vm, CODE_LA, GUEST_PT);
	start_remap(&self->vcpu, guest_cache_remap_late, GUEST_PT, CODE_A | PTE_ALL,
		    CODE_B | PTE_ALL, 10);
	for (i = 0; i < 10; i++) {
		ASSERT_SNIPPET(0);
		ASSERT_EXIT(&self->vcpu, MHV_EXIT_MMIO);
		EXPECT_TRUE(self->vcpu.run->ioreq.size == snippets[0].size ||
			    self->vcpu.run->ioreq.size == snippets[2].size);
		vcpu_done_io(&self->vcpu);
		ASSERT_SNIPPET(2);
	}
	ASSERT_DONE(&self->vcpu);
}

/* Takes turns between the tables at r10 and r11. */
GUEST_ASM(guest_cache_cr3, 64,
	  "1: mov %r10, %cr3\n"
	  "call *%rsi\n"
	  "mov %r11, %cr3\n"
	  "call *%rsi\n"
	  "call *%rsi\n"
	  "dec %r8\n"
	  "jnz 1b\n"
	  G_DONE);

/* A copy of the tables at @gpa, in which CODE_LA is CODE_B; its root */
static __u64 second_root(struct vm *vm, __u64 gpa)
{
	__u64 *pml4 = vm_ptr(vm, gpa), *pdpt = vm_ptr(vm, gpa + PAGE_SIZE);
	__u64 *pd = vm_ptr(vm, gpa + 2 * PAGE_SIZE), *pt = vm_ptr(vm, gpa + 3 * PAGE_SIZE);

	memcpy(pdpt, vm_ptr(vm, GUEST_PDPT), PAGE_SIZE);
	memcpy(pd, vm_ptr(vm, GUEST_PD + PAGE_SIZE), PAGE_SIZE);
	pml4[0] = (gpa + PAGE_SIZE) | PTE_ALL;
	pdpt[1] = (gpa + 2 * PAGE_SIZE) | PTE_ALL;
	pd[0] = (gpa + 3 * PAGE_SIZE) | PTE_ALL;
	pt[0] = CODE_B | PTE_ALL;
	return gpa;
}

TEST_F(cache, code_under_another_cr3)
{
	__u64 *pt = mmio_page_table(&self->vm, CODE_LA, GUEST_PT);
	__u64 root = second_root(&self->vm, 0x300000);
	int i;

	pt[0] = CODE_A | PTE_ALL;
	start_remap(&self->vcpu, guest_cache_cr3, 0, GUEST_PML4, root, 10);
	for (i = 0; i < 10; i++) {
		ASSERT_SNIPPET(0);
		ASSERT_SNIPPET(2);
		ASSERT_SNIPPET(2);
	}
	ASSERT_DONE(&self->vcpu);
}

/* The code's memslot moves to other memory; the host maps other memory there. */
TEST_F(cache, code_replaced_by_the_host)
{
	const __u64 code = 0x70000000;
	unsigned int i;
	void *p;

	for (i = 0; i < NR_SNIPPETS; i++) {
		memcpy(self->ram + (i & 1) * PAGE_SIZE, snippets[i].bytes, 8);
		vm_set_slot(&self->vm, SLOT, code, PAGE_SIZE, self->ram + (i & 1) * PAGE_SIZE);
		if (!i)
			start_calls(&self->vcpu, guest_cache_call, code);
		ASSERT_SNIPPET(i);
		ASSERT_REPORTED();
		ASSERT_SNIPPET(i);
		ASSERT_REPORTED();
	}
	for (i = 0; i < NR_SNIPPETS; i++) {
		void *at = self->ram + ((NR_SNIPPETS - 1) & 1) * PAGE_SIZE;

		p = mmap(at, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_EQ(at, p);
		memcpy(p, snippets[i].bytes, 8);
		ASSERT_SNIPPET(i);
		ASSERT_REPORTED();
		ASSERT_SNIPPET(i);
		ASSERT_REPORTED();
	}
}

/* A child shares the page, so that the parent's next write moves it. */
TEST_F(cache, code_copied_on_write)
{
	unsigned int i;
	int hold[2];
	pid_t pid;

	start_calls(&self->vcpu, guest_cache_call, CODE_A);
	for (i = 0; i < 2 * NR_SNIPPETS; i++) {
		ASSERT_EQ(0, pipe(hold));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			close(hold[1]);
			_exit(read(hold[0], &pid, 1) < 0);
		}
		put_snippet(&self->vm, CODE_A, i % NR_SNIPPETS);
		ASSERT_SNIPPET(i % NR_SNIPPETS);
		ASSERT_REPORTED();
		ASSERT_SNIPPET(i % NR_SNIPPETS);
		ASSERT_REPORTED();
		close(hold[0]);
		close(hold[1]);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
}

/* The guest's page tables move in the host, with other contents than before. */
TEST_F(cache, page_table_replaced_by_the_host)
{
	__u64 *pt = mmio_page_table(&self->vm, CODE_LA, GUEST_PT);
	unsigned int i;
	void *p;

	put_snippet(&self->vm, CODE_A, 1);
	put_snippet(&self->vm, CODE_B, 3);
	pt[0] = CODE_A | PTE_ALL;
	start_calls(&self->vcpu, guest_cache_call, CODE_LA);
	for (i = 0; i < 6; i++) {
		ASSERT_SNIPPET(i & 1 ? 3 : 1);
		ASSERT_REPORTED();
		ASSERT_SNIPPET(i & 1 ? 3 : 1);
		ASSERT_REPORTED();
		p = mmap(pt, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_EQ((void *)pt, p);
		pt[0] = (i & 1 ? CODE_A : CODE_B) | PTE_ALL;
		flush_guest(&self->vcpu);
	}
}

/* ---- one address, two modes -------------------------------------------------------- */

/*
 * At one address: in 64-bit mode a store to what RIP and a displacement say, in 32-bit
 * mode to what the displacement says; then a far return.
 */
static const __u8 relative_store[] = { 0x89, 0x05, 0, 0, 0, 0, 0xcb };

#define MODE_CODE	(GUEST_FREE + 0x4000)

/* r8 times: into MODE_CODE as 64-bit code, as 32-bit code, and back each time */
GUEST_ASM(guest_cache_modes, 64,
	  "mov $0x1234, %eax\n"
	  "1: mov $" STR(SEL_CODE64) ", %edx\n"
	  "2: sub $16, %rsp\n"
	  "movl $" STR(GUEST_FREE) " + 0x4000, (%rsp)\n"
	  "mov %edx, 4(%rsp)\n"
	  "lea 3f(%rip), %rcx\n"
	  "mov %ecx, 8(%rsp)\n"
	  "movl $" STR(SEL_CODE64) ", 12(%rsp)\n"
	  "lretl\n"
	  "3: cmp $" STR(SEL_CODE32) ", %edx\n"
	  "mov $" STR(SEL_CODE32) ", %edx\n"
	  "jne 2b\n"
	  "dec %r8\n"
	  "jnz 1b\n"
	  G_DONE);

TEST_F(cache, mode_changed_by_the_guest)
{
	__u8 *code = vm_ptr(&self->vm, MODE_CODE);
	const __u32 low = 0x70000000;
	struct mhv_regs r;
	int i;

	memcpy(code, relative_store, sizeof(relative_store));
	memcpy(code + 2, &low, 4);
	vcpu_start(&self->vcpu, guest_cache_modes, 0, 0, 0);
	r = vcpu_regs(&self->vcpu);
	r.r8 = 10;
	vcpu_set_regs(&self->vcpu, &r);
	for (i = 0; i < 10; i++) {
		ASSERT_MMIO_WRITE(&self->vcpu, MODE_CODE + 6 + low, 4, 0x1234);
		ASSERT_MMIO_WRITE(&self->vcpu, low, 4, 0x1234);
	}
	ASSERT_DONE(&self->vcpu);
}

/* 89 07: mov %eax, (%rdi) or (%edi); in 16-bit code mov %ax, (%bx) */
GUEST_ASM(guest_cache_store, 64, "mov %eax, (%rdi)\n" G_DONE);

static void start_in_mode(struct vcpu *vcpu, int mode)
{
	struct mhv_regs r;
	struct mhv_sregs s;

	if (mode == 0)
		vcpu_set_long(vcpu, guest_cache_store);
	else if (mode == 1)
		vcpu_set_prot32(vcpu, guest_cache_store, FLAT32);
	else if (mode == 2)
		vcpu_set_prot32(vcpu, guest_cache_store, PSE32);
	else
		vcpu_set_real(vcpu, guest_cache_store);
	if (mode == 3) {
		s = vcpu_sregs(vcpu);
		s.ds.base = BASE;
		vcpu_set_sregs(vcpu, &s);
	}
	r = vcpu_regs(vcpu);
	r.rax = 0x11223344;
	r.rbx = 0x40;
	r.rdi = BASE;
	vcpu_set_regs(vcpu, &r);
}

TEST_F(cache, mode_changed_by_the_host)
{
	int i, mode;

	if (vm_is_shadowed(&self->vm))
		SKIP(return, NO_REAL_MODE);
	for (i = 0; i < 32; i++) {
		mode = (i ^ i >> 2) & 3;
		start_in_mode(&self->vcpu, mode);
		if (mode == 3)
			ASSERT_MMIO_WRITE(&self->vcpu, BASE + 0x40, 2, 0x3344);
		else
			ASSERT_MMIO_WRITE(&self->vcpu, BASE, 4, 0x11223344);
		ASSERT_DONE(&self->vcpu);
	}
}

/* ---- races ------------------------------------------------------------------------- */

/* A number that goes up with each change; its low bits say what is at BASE. */
#define STATE		GUEST_DATA
#define STOP		(GUEST_DATA + 64)
#define COUNT(n)	(GUEST_DATA + 128 + (n) * 64)

enum { IS_DEVICE, IS_CHANGING, IS_RAM };

/*
 * rcx BASE, rdx COUNT: read, with the state before and after.  What was read must be
 * the RAM's or the device's, and what the state says unless that has changed.
 */
GUEST_ASM(guest_cache_race, 64,
	  "1: mov " STR(STATE) ", %r8\n"
	  "mov (%rcx), %rax\n"
	  "mov " STR(STATE) ", %r9\n"
	  "mov $2, %ebx\n"
	  "cmp %r10, %rax\n"
	  "je 2f\n"
	  "mov $0, %ebx\n"
	  "cmp %r11, %rax\n"
	  "jne 8f\n"
	  "2: mov %rax, 8(%rcx)\n"
	  "incq (%rdx)\n"
	  "cmp %r8, %r9\n"
	  "jne 3f\n"
	  "and $3, %r8d\n"
	  "cmp $1, %r8d\n"
	  "je 3f\n"
	  "cmp %r8d, %ebx\n"
	  "jne 8f\n"
	  "3: cmpb $0, " STR(STOP) "\n"
	  "je 1b\n"
	  G_DONE
	  "8: mov %ebx, %eax\n"
	  G_REPORT
	  G_DONE);

struct racer {
	struct vcpu *vcpu;
	struct mmio_dev dev;
	int cpu;
	int ended;
};

static void *race_thread(void *arg)
{
	struct racer *r = arg;

	host_pin(r->cpu);
	r->ended = mmio_run(r->vcpu, &r->dev);
	/* Nobody is to wait for one that has failed. */
	__atomic_store_n((__u8 *)vm_ptr(r->vcpu->vm, STOP), 1, __ATOMIC_RELAXED);
	return NULL;
}

static void start_racer(struct racer *r, struct vcpu *vcpu, int nr, pthread_t *thread)
{
	struct mhv_regs regs;

	mmio_dev_init(&r->dev, BASE, PAGE_SIZE);
	fill(r->dev.mem, r->dev.size, DEV_VALUE);
	r->vcpu = vcpu;
	r->cpu = nr % host_cpus();
	vcpu_start(vcpu, guest_cache_race, 0, BASE, COUNT(nr));
	regs = vcpu_regs(vcpu);
	regs.r10 = RAM_VALUE;
	regs.r11 = DEV_VALUE;
	regs.rsp -= nr * 0x1000;
	vcpu_set_regs(vcpu, &regs);
	host_start(thread, race_thread, r);
}

static __u64 raced(struct vm *vm, int nr)
{
	return __atomic_load_n((__u64 *)vm_ptr(vm, COUNT(nr)), __ATOMIC_RELAXED);
}

/* Each racer must have got on. */
static void wait_for_racers(struct vm *vm, int racers)
{
	__u64 before[2];
	int i;

	for (i = 0; i < racers; i++)
		before[i] = raced(vm, i);
	for (i = 0; i < racers; i++)
		while (raced(vm, i) < before[i] + 3 &&
		       !__atomic_load_n((__u8 *)vm_ptr(vm, STOP), __ATOMIC_RELAXED))
			sched_yield();
}

static void set_state(struct vm *vm, __u64 *change, int is)
{
	*change += 4;
	__atomic_store_n((__u64 *)vm_ptr(vm, STATE), *change + is, __ATOMIC_SEQ_CST);
}

static void race(struct vm *vm, void *ram, int racers, int rounds)
{
	__u64 change = 0;
	int i;

	for (i = 0; i < rounds; i++) {
		set_state(vm, &change, IS_CHANGING);
		put_slot(vm, BASE, ram);
		set_state(vm, &change, IS_RAM);
		wait_for_racers(vm, racers);
		/* Options on top of it all */
		mmio_set_options(vm, i % 8);
		set_state(vm, &change, IS_CHANGING);
		if (i & 1) {
			/* Away by a move, and by being deleted */
			put_slot(vm, BASE + 2 * PAGE_SIZE, ram);
			set_state(vm, &change, IS_DEVICE);
			wait_for_racers(vm, racers);
			set_state(vm, &change, IS_CHANGING);
			continue;
		}
		drop_slot(vm, SLOT);
		set_state(vm, &change, IS_DEVICE);
		wait_for_racers(vm, racers);
	}
}

TEST_F(cache, vcpus_race_with_changes)
{
	struct racer r[2];
	pthread_t thread[2];
	struct vcpu other;
	int i;

	if (host_cpus() < 2)
		SKIP(return, "the host has one CPU");
	vcpu_create(&self->vm, &other, 1);
	*(__u64 *)vm_ptr(&self->vm, STATE) = IS_CHANGING;
	for (i = 0; i < 2; i++)
		start_racer(&r[i], i ? &other : &self->vcpu, i, &thread[i]);
	race(&self->vm, self->ram, 2, 40);
	*(__u8 *)vm_ptr(&self->vm, STOP) = 1;
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(MHV_EXIT_IO, r[i].ended);
		EXPECT_EQ(PORT_DONE, r[i].vcpu->run->ioreq.addr)
			vcpu_dump(r[i].vcpu);
		EXPECT_EQ(NULL, r[i].dev.wrong);
		EXPECT_LT(0, r[i].dev.reads);
		EXPECT_LT(r[i].dev.reads, raced(&self->vm, i));
		mmio_dev_free(&r[i].dev);
	}
	vcpu_destroy(&other);
}

struct switcher {
	struct vm *vm;
	bool stop;
	int switches;
};

static void *switch_options(void *arg)
{
	struct switcher *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		mmio_set_options(s->vm, s->switches * 5 % (1 << MHV_OPT_COUNT));
		s->switches++;
		sched_yield();
	}
	mmio_set_options(s->vm, 0);
	return NULL;
}

/* r8 times: read, add up, write the sum */
GUEST_ASM(guest_cache_hammer, 64,
	  "xor %ebx, %ebx\n"
	  "1: mov (%rcx), %rax\n"
	  "add %rax, %rbx\n"
	  "mov %rbx, 8(%rcx)\n"
	  "addl $1, 0x20(%rcx)\n"
	  "mov %ebx, 0x1000(%rcx)\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE);

#define HAMMERED	1500

TEST_F(cache, options_switched_meanwhile)
{
	struct switcher s = { .vm = &self->vm };
	struct vcpu *vcpu = &self->vcpu;
	struct mmio_stats before = mmio_stats(vcpu), since;
	pthread_t thread;
	int i;

	*(__u64 *)self->dev.mem = 3;
	*(__u32 *)(self->dev.mem + 0x20) = 0;
	host_start(&thread, switch_options, &s);
	vcpu_start(vcpu, guest_cache_hammer, 0, BASE, HAMMERED);
	for (i = 0;; i++) {
		ASSERT_EQ(0, vcpu_run(vcpu));
		if (vcpu->run->exit != MHV_EXIT_MMIO)
			break;
		ASSERT_TRUE(mmio_answer(vcpu, &self->dev));
		if (i % 20 == 0)
			sched_yield();
	}
	s.stop = true;
	pthread_join(thread, NULL);
	ASSERT_EQ(PORT_DONE, vcpu->run->ioreq.addr);
	EXPECT_EQ(3 * HAMMERED, *(__u64 *)(self->dev.mem + 8));
	EXPECT_EQ(HAMMERED, *(__u32 *)(self->dev.mem + 0x20));
	EXPECT_EQ(3 * HAMMERED, *(__u32 *)(self->dev.mem + 0x1000));
	EXPECT_EQ(2 * HAMMERED, self->dev.reads);
	EXPECT_EQ(3 * HAMMERED, self->dev.writes);
	EXPECT_LT(10, s.switches);
	since = mmio_since(vcpu, &before);
	EXPECT_EQ(2 * HAMMERED, since.mmio_read);
	EXPECT_EQ(3 * HAMMERED, since.mmio_write);
	/* Each way was taken now and then. */
	EXPECT_LT(0, since.pf_vcpu_cache);
	EXPECT_LT(1, since.pf_mmio_slow);
	EXPECT_LT(0, since.decode_cache_hit);
	EXPECT_LT(4, since.decode_cache_miss);
}
