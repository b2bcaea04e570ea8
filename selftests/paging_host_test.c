// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's page tables are in memory that the host makes read-only, drops, swaps,
 * copies and replaces.
 */
#include <sched.h>
#include <time.h>

#include "mhv_test.h"
#include "paging_window.h"

#define NR_TABLES	4			/* with the root */

FIXTURE(host) {
	struct vm vm;
	struct vcpu vcpu;
	window_table *table;
};

FIXTURE_SETUP(host)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	self->table = window_create(&self->vm, NR_TABLES);
}

FIXTURE_TEARDOWN(host)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
	window_destroy(self->table, NR_TABLES);
}

static void use_tables(struct vcpu *vcpu, const void *code)
{
	struct mhv_sregs s;

	vcpu_set_long(vcpu, code);
	s = vcpu_sregs(vcpu);
	s.cr3 = TABLES + 3 * PAGE_SIZE;
	vcpu_set_sregs(vcpu, &s);
}

/* #PF is logged, and the access (3 bytes) skipped. */
GUEST_ASM(guest_load3, 64, "mov (%rcx), %rax\n" G_DONE);
GUEST_ASM(guest_store3, 64, "mov %rax, (%rcx)\n" G_DONE);

static int access_page(struct vcpu *vcpu, const void *code, int page, __u64 *value)
{
	struct mhv_regs regs;

	vm_log(vcpu->vm)->count = 0;
	use_tables(vcpu, code);
	regs = vcpu_regs(vcpu);
	regs.rcx = GVA(page);
	regs.rax = *value;
	vcpu_set_regs(vcpu, &regs);
	return vcpu_again(vcpu, value);
}

/* The page is there, and its frame the right one. */
#define ASSERT_THERE(page)							\
	do {									\
		__u64 __value = 0;						\
										\
		ASSERT_EQ(0, access_page(&self->vcpu, guest_load3, page, &__value)) \
			vcpu_dump(&self->vcpu);					\
		ASSERT_EQ(0, vm_log(&self->vm)->count)				\
			vcpu_dump(&self->vcpu);					\
		ASSERT_EQ(FRAME(page), __value);				\
	} while (0)

#define ASSERT_STORED(page)							\
	do {									\
		__u64 __value = FRAME(page);					\
										\
		ASSERT_EQ(0, access_page(&self->vcpu, guest_store3, page, &__value)) \
			vcpu_dump(&self->vcpu);					\
		ASSERT_EQ(0, vm_log(&self->vm)->count)				\
			vcpu_dump(&self->vcpu);					\
	} while (0)

#define ASSERT_PF(page, code)							\
	do {									\
		__u64 __value = 0;						\
										\
		ASSERT_EQ(0, access_page(&self->vcpu, guest_load3, page, &__value)) \
			vcpu_dump(&self->vcpu);					\
		ASSERT_EQ(1, vm_log(&self->vm)->count);				\
		EXPECT_EQ(PF_VECTOR, vm_log(&self->vm)->entry[0].vector);	\
		EXPECT_EQ(code, vm_log(&self->vm)->entry[0].error);		\
		EXPECT_EQ(GVA(page), vm_log(&self->vm)->entry[0].cr2); \
	} while (0)

/* ---- tables in ROM ---------------------------------------------------------------- */

static void make_rom(struct vm *vm, void *mem)
{
	if (vm_slot(vm, 1, 0, 0, 0, NULL) ||
	    vm_slot(vm, 1, MHV_MEM_READONLY, TABLES, NR_TABLES * PAGE_SIZE, mem))
		die("tables in a read-only memslot");
}

/*
 * A CPU with accessed and dirty bits in its EPT entries takes every look at a guest
 * table for a write (SDM "EPT and Accessed/Dirty Flags"), others write only what has to
 * be marked.  A write to ROM would be lost, but the CPU cannot be told so: user space is.
 * Shadow paging walks the tables itself, and marks nothing.
 */
static bool rom_walk_exits(const struct vm *vm, bool marked)
{
	if (vm_paging() == MHV_PAGING_SHADOW)
		return false;
	return !marked || vm->info.features & BIT_ULL(MHV_FEAT_EPT_AD);
}

/*
 * Bochs 2.7 with EPT entries that have no accessed and dirty bits: it marks guest entries
 * in memory that EPT lets it read alone.
 */
static const char *marks_what_it_may_not(const struct vm *vm)
{
	if (vm_paging() == MHV_PAGING_SHADOW || vm->info.features & BIT_ULL(MHV_FEAT_EPT_AD))
		return NULL;
	return "an emulated CPU without EPT accessed bits marks entries in read-only memory";
}

static void try_rom(struct __test_metadata *_metadata, struct vm *vm, struct vcpu *vcpu,
		    const void *code, bool marked)
{
	const bool exits = rom_walk_exits(vm, marked);
	__u64 value = 0, gpa;
	int ret, i;

	ret = access_page(vcpu, code, 3, &value);
	EXPECT_EQ(exits ? MHV_EXIT_INSN : 0, ret)
		vcpu_dump(vcpu);
	EXPECT_EQ(0, vm_log(vm)->count);
	if (!exits)
		return;
	/* the same again, as often as it is tried */
	for (i = 0; i < 3; i++) {
		gpa = vcpu->run->insn.gpa;
		EXPECT_LE(TABLES, gpa);
		EXPECT_GT(TABLES + NR_TABLES * PAGE_SIZE, gpa);
		EXPECT_EQ(0, vcpu->run->insn.gva_valid);
		EXPECT_EQ(1, vcpu->run->insn.is_write);
		EXPECT_EQ(MHV_EXIT_INSN, vcpu_again(vcpu, &value));
	}
}

TEST_F(host, rom_marked)
{
	struct vm *vm = &self->vm;

	window_fill(self->table, NR_TABLES, PTE_A | PTE_D);
	make_rom(vm, self->table);
	try_rom(_metadata, vm, &self->vcpu, guest_load3, true);
	try_rom(_metadata, vm, &self->vcpu, guest_store3, true);
	/* as ordinary memory they serve again */
	vm_slot(vm, 1, 0, 0, 0, NULL);
	vm_set_slot(vm, 1, TABLES, NR_TABLES * PAGE_SIZE, self->table);
	ASSERT_STORED(3);
	ASSERT_THERE(3);
}

TEST_F(host, rom_unmarked)
{
	const char *missing = marks_what_it_may_not(&self->vm);
	struct vm *vm = &self->vm;
	__u64 before[NR_TABLES][512];

	if (missing)
		SKIP(return, "%s", missing);
	make_rom(vm, self->table);
	memcpy(before, self->table, sizeof(before));
	try_rom(_metadata, vm, &self->vcpu, guest_load3, false);
	try_rom(_metadata, vm, &self->vcpu, guest_store3, false);
	EXPECT_EQ(0, memcmp(before, self->table, sizeof(before)));
	vm_slot(vm, 1, 0, 0, 0, NULL);
	vm_set_slot(vm, 1, TABLES, NR_TABLES * PAGE_SIZE, self->table);
	ASSERT_STORED(3);
	EXPECT_EQ(FRAME(3) | PTE_TABLE | PTE_A | PTE_D, self->table[0][3]);
}

/* ---- between two accesses ---------------------------------------------------------- */

/* What user space writes to the tables is what the guest has. */
TEST_F(host, rewritten)
{
	int i;

	for (i = 0; i < 50; i += mhv_stride(10)) {
		ASSERT_THERE(1);
		self->table[0][1] = 0;
		ASSERT_PF(1, 0);
		self->table[0][1] = FRAME(1) | PTE_TABLE;
		self->table[1][0] &= ~PTE_P;
		ASSERT_PF(1, 0);
		self->table[1][0] |= PTE_P | BIT_ULL(51);
		ASSERT_PF(1, 9);
		self->table[1][0] &= ~BIT_ULL(51);
		ASSERT_STORED(1);
		EXPECT_EQ(FRAME(1) | PTE_TABLE | PTE_A | PTE_D, self->table[0][1]);
	}
}

/* Dropped tables are empty ones. */
TEST_F(host, dropped)
{
	int level, i;

	for (i = 0; i < 20; i += mhv_stride(10)) {
		for (level = 0; level < NR_TABLES - 1; level++) {
			ASSERT_STORED(5);
			ASSERT_EQ(0, madvise(self->table[level], PAGE_SIZE, MADV_DONTNEED));
			ASSERT_PF(5, 0);
			EXPECT_EQ(0, self->table[level][0]);
			window_fill(self->table, NR_TABLES, 0);
			ASSERT_THERE(5);
			EXPECT_EQ(FRAME(5) | PTE_TABLE | PTE_A, self->table[0][5]);
		}
	}
}

TEST_F(host, replaced)
{
	__u64 *other;
	int i;

	for (i = 0; i < 20; i += mhv_stride(10)) {
		ASSERT_THERE(2);
		other = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, other);
		other[7] = FRAME(7) | PTE_TABLE;
		ASSERT_EQ((void *)self->table[0],
			  mremap(other, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				 self->table[0]));
		ASSERT_PF(2, 0);
		ASSERT_STORED(7);
		EXPECT_EQ(FRAME(7) | PTE_TABLE | PTE_A | PTE_D, self->table[0][7]);
		window_fill(self->table, NR_TABLES, 0);
	}
}

/* The host lets nobody write, and nobody read. */
TEST_F(host, protected)
{
	const char *missing = marks_what_it_may_not(&self->vm);
	static const int levels[] = { 0, 1, 2 };
	__u64 value;
	unsigned int i;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		window_fill(self->table, NR_TABLES, 0);
		ASSERT_EQ(0, mprotect(self->table[levels[i]], PAGE_SIZE, PROT_NONE));
		value = 0;
		ret = access_page(&self->vcpu, guest_load3, 6, &value);
		ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, ret);
		EXPECT_EQ(TABLES / PAGE_SIZE + levels[i],
			  self->vcpu.run->memory_fault.gpa / PAGE_SIZE);
		ASSERT_EQ(0, mprotect(self->table[levels[i]], PAGE_SIZE, PROT_READ));
		/* A is to be set */
		ret = vcpu_again(&self->vcpu, &value);
		ASSERT_EQ(MHV_EXIT_MEMORY_FAULT, ret);
		EXPECT_EQ(TABLES / PAGE_SIZE + levels[i],
			  self->vcpu.run->memory_fault.gpa / PAGE_SIZE);
		ASSERT_EQ(0, mprotect(self->table[levels[i]], PAGE_SIZE, PROT_READ | PROT_WRITE));
		ASSERT_EQ(0, vcpu_again(&self->vcpu, &value));
		EXPECT_EQ(FRAME(6), value);
		EXPECT_EQ(0, vm_log(&self->vm)->count);
		EXPECT_EQ(FRAME(6) | PTE_TABLE | PTE_A, self->table[0][6]);
	}
}

/* A and D that the CPU sets are the parent's alone. */
TEST_F(host, forked)
{
	const char *missing = marks_what_it_may_not(&self->vm);
	int to_child[2], status;
	pid_t pid;
	char go;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_THERE(8);
	ASSERT_EQ(0, pipe(to_child));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(to_child[1]);
		if (read(to_child[0], &go, 1) != 1)
			_exit(1);
		_exit(self->table[0][9] == (FRAME(9) | PTE_TABLE) ? 0 : 2);
	}
	close(to_child[0]);
	ASSERT_STORED(9);
	EXPECT_EQ(FRAME(9) | PTE_TABLE | PTE_A | PTE_D, self->table[0][9]);
	ASSERT_EQ(1, write(to_child[1], "g", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	close(to_child[1]);
}

/* The tables go to swap; a page that is still being written there takes a moment. */
static int page_out(__u64 (*table)[512])
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	int out, tries = 20;

	for (;;) {
		if (madvise(table, NR_TABLES * PAGE_SIZE, MADV_PAGEOUT))
			die("MADV_PAGEOUT");
		out = host_pages_in_swap(table, NR_TABLES);
		if (out == NR_TABLES || !--tries)
			return out;
		nanosleep(&tick, NULL);
	}
}

TEST_F(host, swapped)
{
	struct host_swap swap;
	const char *missing = host_swap_on(&swap);
	int round, out = 0;

	if (missing)
		SKIP(return, "%s", missing);
	for (round = 0; round < PAGES; round += mhv_stride(7)) {
		out += page_out(self->table);
		if (round % 2)
			ASSERT_THERE(round);
		else
			ASSERT_STORED(round);
		EXPECT_EQ(FRAME(round) | PTE_TABLE | PTE_A | (round % 2 ? 0 : PTE_D),
			  self->table[0][round]);
	}
	host_swap_off(&swap);
	EXPECT_LT(PAGES / mhv_stride(7), out);
}

/* ---- while the guest runs ------------------------------------------------------------ */

/* ---- merged with pages that say the same ------------------------------------------ */

#define KSM	"/sys/kernel/mm/ksm/"

static long ksm_sharing(void)
{
	FILE *f = fopen(KSM "pages_sharing", "re");
	long n = -1;

	if (!f || fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* Until the host has merged something; false when it does not within a minute */
static bool ksm_wait(void)
{
	time_t end = time(NULL) + 60;

	while (ksm_sharing() < 1) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

TEST_F(host, merged)
{
	const size_t size = NR_TABLES * PAGE_SIZE;
	__u64 (*twin)[512];
	bool merged;
	int i;

	if (host_write(KSM "sleep_millisecs", "1") || host_write(KSM "run", "1"))
		SKIP(return, "the host's kernel merges no pages");
	ASSERT_THERE(0);
	twin = host_alloc(size);
	memcpy(twin, self->table, size);
	ASSERT_EQ(0, madvise(twin, size, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(self->table, size, MADV_MERGEABLE));
	merged = ksm_wait();
	EXPECT_TRUE(merged);
	/* what the guest or mhv marks is not marked in the twin */
	for (i = 0; i < PAGES; i++)
		ASSERT_STORED(i);
	for (i = 1; i < PAGES; i++) {
		EXPECT_EQ(FRAME(i) | PTE_TABLE | PTE_A | PTE_D, self->table[0][i]);
		EXPECT_EQ(FRAME(i) | PTE_TABLE, twin[0][i]);
	}
	EXPECT_EQ(0, host_write(KSM "run", "2"));
	for (i = 0; i < PAGES; i++)
		ASSERT_THERE(i);
	munmap(twin, size);
}

#define STOP		GUEST_DATA
#define TURNS		(GUEST_DATA + 64)

/*
 * Round after round over the window: each page must hold its frame's address, and takes
 * a store.  Half of the rounds begin with all translations forgotten.
 */
GUEST_ASM(guest_use_window, 64,
	  "1: testb $1, " STR(TURNS) "\n"
	  "jz 2f\n"
	  "mov %cr3, %rax\n"
	  "mov %rax, %cr3\n"
	  "2: xor %ecx, %ecx\n"
	  "3: mov %ecx, %edx\n"
	  "shl $12, %edx\n"
	  "lea 0x400000(%rdx), %rax\n"
	  "bts $39, %rdx\n"
	  "cmp %rax, (%rdx)\n"
	  "jne 8f\n"
	  "incq 8(%rdx)\n"
	  "invlpg (%rdx)\n"
	  "inc %ecx\n"
	  "cmp $64, %ecx\n"
	  "jb 3b\n"
	  "incq " STR(TURNS) "\n"
	  "cmpb $0, " STR(STOP) "\n"
	  "je 1b\n"
	  G_DONE
	  "8: mov %ecx, %eax\n"
	  G_REPORT
	  G_DONE);

static void *window_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	const char *wrong = NULL;

	do {
		if (vcpu_run(vcpu))
			return "MHV_RUN";
		/* the host has the tables protected just now */
		if (vcpu->run->exit == MHV_EXIT_MEMORY_FAULT)
			continue;
		if (vcpu->run->exit != MHV_EXIT_IO)
			return "exit";
		if (vcpu->run->ioreq.addr == PORT_REPORT)
			wrong = "another frame";
		vcpu_done_io(vcpu);
	} while (vcpu->run->exit != MHV_EXIT_IO || vcpu->run->ioreq.addr != PORT_DONE);
	return (void *)wrong;
}

static __u64 turns(struct vm *vm)
{
	return __atomic_load_n((__u64 *)vm_ptr(vm, TURNS), __ATOMIC_RELAXED);
}

/* The tables are what they were, wherever the host has put them. */
static void disturb(struct __test_metadata *_metadata, __u64 (*table)[512], int round)
{
	const size_t size = NR_TABLES * PAGE_SIZE;
	int status;
	pid_t pid;

	switch (round % 3) {
	case 0:
		ASSERT_EQ(0, madvise(table, size, MADV_PAGEOUT));
		break;
	case 1:
		ASSERT_EQ(0, mprotect(table, size, PROT_READ));
		sched_yield();
		ASSERT_EQ(0, mprotect(table, size, PROT_READ | PROT_WRITE));
		break;
	case 2:
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(0);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		break;
	}
}

TEST_F(host, while_it_runs)
{
	struct host_swap swap;
	const char *missing = host_swap_on(&swap);
	pthread_t thread;
	void *wrong;
	__u64 last;
	int i;

	if (missing)
		TH_LOG("without swap: %s", missing);
	use_tables(&self->vcpu, guest_use_window);
	host_start(&thread, window_thread, &self->vcpu);
	for (i = 0; i < 60; i += mhv_stride(4)) {
		last = turns(&self->vm);
		while (turns(&self->vm) < last + 2 && !vm_log(&self->vm)->count &&
		       self->vcpu.run->exit != MHV_EXIT_IO)
			sched_yield();
		disturb(_metadata, self->table, i);
	}
	*(__u8 *)vm_ptr(&self->vm, STOP) = 1;
	pthread_join(thread, &wrong);
	if (!missing)
		host_swap_off(&swap);
	EXPECT_EQ(NULL, wrong) {
		TH_LOG("%s", (char *)wrong);
		vcpu_dump(&self->vcpu);
	}
	EXPECT_EQ(0, vm_log(&self->vm)->count);
	EXPECT_LT(100, turns(&self->vm));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(FRAME(i) | PTE_TABLE | PTE_A | PTE_D, self->table[0][i]);
}
