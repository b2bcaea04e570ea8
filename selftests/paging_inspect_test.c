// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at page tables: MHV_WALK, MHV_DUMP_MMU and MHV_AUDIT tell what the guest's
 * accesses have made; and the host takes shadow pages back while the guest runs.
 */
#include <sched.h>

#include "mhv_test.h"
#include "paging_window.h"

/* In the window, behind its pages */
#define NR_TABLES	3
#define PAGE_DEVICE	64
#define PAGE_MISSING	65
#define PAGE_TABLE	66		/* the leaf table itself */
#define DEVICE		0xfe000000ull

FIXTURE(inspect) {
	struct vm vm;
	struct vcpu vcpu;
	window_table *table;
	bool shadow;
};

FIXTURE_SETUP(inspect)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	self->table = window_create(&self->vm, NR_TABLES);
	self->table[0][PAGE_DEVICE] = DEVICE | PTE_TABLE;
	self->table[0][PAGE_TABLE] = TABLES | PTE_TABLE;
	((__u64 *)vm_ptr(&self->vm, GUEST_PML4))[1] = (TABLES + 2 * PAGE_SIZE) | PTE_TABLE;
	self->shadow = vm_is_shadowed(&self->vm);
}

FIXTURE_TEARDOWN(inspect)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
	window_destroy(self->table, NR_TABLES);
}

static struct mhv_walk walk_gva(struct vcpu *vcpu, __u64 gva)
{
	struct mhv_walk walk = { .gva = gva };

	if (ioctl(vcpu->fd, MHV_WALK, &walk))
		die("MHV_WALK");
	return walk;
}

static struct mhv_mmu dump(struct vm *vm, __u32 what, struct mhv_mmu_table *table, __u32 room)
{
	struct mhv_mmu mmu = {
		.what = what, .nr = room, .entries = (__u64)(unsigned long)table,
	};

	if (ioctl(vm->fd, MHV_DUMP_MMU, &mmu))
		die("MHV_DUMP_MMU");
	return mmu;
}

#define ASSERT_AUDIT_SILENT()						\
	do {								\
		struct mhv_audit __audit = {};				\
									\
		ASSERT_EQ(0, ioctl(self->vm.fd, MHV_AUDIT, &__audit));	\
		EXPECT_EQ(0, __audit.errors);				\
		EXPECT_LT(0, __audit.tables);				\
	} while (0)

#define ASSERT_LOADED(page)						\
	do {								\
		__u64 __value = 0;					\
									\
		ASSERT_EQ(0, vcpu_load(&self->vcpu, GVA(page), &__value)); \
		ASSERT_EQ(FRAME(page), __value);			\
	} while (0)

/* ---- one address --------------------------------------------------------------------- */

TEST_F(inspect, translated)
{
	struct mhv_walk walk;
	int level;

	ASSERT_LOADED(3);
	walk = walk_gva(&self->vcpu, GVA(3) + 0x123);
	EXPECT_EQ(MHV_WALK_OK, walk.result);
	EXPECT_EQ(FRAME(3) + 0x123, walk.gpa);
	EXPECT_EQ(GUEST_PML4, walk.cr3);
	EXPECT_EQ(4, walk.top);
	EXPECT_EQ(1, walk.bottom);
	EXPECT_EQ(12, walk.page_shift);
	EXPECT_EQ(self->shadow ? MHV_PAGING_SHADOW : MHV_PAGING_TDP, walk.paging);
	for (level = 1; level <= NR_TABLES; level++) {
		EXPECT_EQ(self->table[level - 1][level == 1 ? 3 : 0],
			  walk.level[level - 1].gpte);
		EXPECT_EQ(TABLES + (level - 1) * PAGE_SIZE + (level == 1 ? 3 * 8 : 0),
			  walk.level[level - 1].gpte_gpa);
	}
	if (!self->shadow)
		return;
	EXPECT_EQ(MHV_ENTRY_LEAF, walk.level[0].kind);
	EXPECT_EQ(FRAME(3) >> 12, walk.level[0].gfn);
	EXPECT_EQ(walk.level[0].gpte, walk.level[0].made_from);
	for (level = 2; level <= 4; level++) {
		EXPECT_EQ(MHV_ENTRY_TABLE, walk.level[level - 1].kind);
		EXPECT_EQ((TABLES >> 12) + level - 2, walk.level[level - 1].gfn);
		EXPECT_EQ(0, walk.level[level - 1].flags);
	}
}

/* by gpa: the leaf is of whatever size the host has there */
TEST_F(inspect, two_dimensional)
{
	struct mhv_walk walk;
	int level;

	if (self->shadow)
		SKIP(return, "the VM has shadow paging");
	ASSERT_LOADED(3);
	walk = walk_gva(&self->vcpu, GVA(3));
	for (level = 4; level > 1 && walk.level[level - 1].kind == MHV_ENTRY_TABLE; level--)
		EXPECT_NE(0, walk.level[level - 1].spte);
	EXPECT_EQ(MHV_ENTRY_LEAF, walk.level[level - 1].kind);
	EXPECT_EQ(FRAME(3) >> 12 >> 9 * (level - 1) << 9 * (level - 1),
		  walk.level[level - 1].gfn);
}

/* a look changes nothing: neither the guest's entries nor mhv's */
TEST_F(inspect, not_yet_accessed)
{
	struct mhv_walk walk;
	int i;

	ASSERT_LOADED(3);
	for (i = 0; i < 2; i++) {
		walk = walk_gva(&self->vcpu, GVA(5));
		EXPECT_EQ(MHV_WALK_OK, walk.result);
		EXPECT_EQ(FRAME(5) | PTE_TABLE, self->table[0][5]);
		if (self->shadow)
			EXPECT_EQ(MHV_ENTRY_ABSENT, walk.level[0].kind);
	}
}

TEST_F(inspect, missing)
{
	const bool gnp = getenv("MHV_PAGING") && strstr(getenv("MHV_PAGING"), "gnp");
	struct mhv_walk walk;
	__u64 value;

	ASSERT_LOADED(3);
	ASSERT_EQ(0, vcpu_load(&self->vcpu, GVA(PAGE_MISSING), &value));
	ASSERT_EQ(1, vm_log(&self->vm)->count);
	walk = walk_gva(&self->vcpu, GVA(PAGE_MISSING));
	EXPECT_EQ(MHV_WALK_FAULT, walk.result);
	EXPECT_EQ(0, walk.error_code);
	EXPECT_EQ(1, walk.bottom);
	if (self->shadow)
		EXPECT_EQ(gnp ? MHV_ENTRY_GNP : MHV_ENTRY_ABSENT, walk.level[0].kind);
	/* nothing at all above */
	walk = walk_gva(&self->vcpu, 3 * WINDOW);
	EXPECT_EQ(MHV_WALK_FAULT, walk.result);
	EXPECT_EQ(4, walk.bottom);
	EXPECT_EQ(MHV_ENTRY_NONE, walk.level[0].kind);
}

TEST_F(inspect, device)
{
	struct mhv_walk walk;
	__u64 value;

	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_load(&self->vcpu, GVA(PAGE_DEVICE), &value));
	walk = walk_gva(&self->vcpu, GVA(PAGE_DEVICE));
	EXPECT_EQ(MHV_WALK_OK, walk.result);
	EXPECT_EQ(DEVICE, walk.gpa);
	EXPECT_EQ(MHV_ENTRY_MMIO, walk.level[0].kind);
	EXPECT_EQ(0, walk.level[0].flags & MHV_ENTRY_STALE);
	if (self->shadow)
		EXPECT_EQ(DEVICE >> 12, walk.level[0].gfn);
}

/* a table that the guest writes, and what was made from an entry before that */
TEST_F(inspect, unsynced)
{
	const __u64 was = FRAME(3) | PTE_TABLE | PTE_A, now = FRAME(4) | PTE_TABLE | PTE_A;
	struct mhv_walk walk;

	if (!self->shadow)
		SKIP(return, "the VM has no shadow paging");
	ASSERT_LOADED(3);
	walk = walk_gva(&self->vcpu, GVA(PAGE_TABLE));
	EXPECT_EQ(MHV_ENTRY_ABSENT, walk.level[0].kind);
	ASSERT_EQ(0, vcpu_store(&self->vcpu, GVA(PAGE_TABLE) + 3 * 8, now));
	walk = walk_gva(&self->vcpu, GVA(3));
	EXPECT_EQ(FRAME(4), walk.gpa);
	EXPECT_EQ(MHV_TABLE_UNSYNC, walk.level[0].flags);
	EXPECT_EQ(MHV_ENTRY_LEAF, walk.level[0].kind);
	EXPECT_EQ(FRAME(3) >> 12, walk.level[0].gfn);
	EXPECT_EQ(was, walk.level[0].made_from);
	EXPECT_EQ(now, walk.level[0].gpte);
	EXPECT_EQ(1, dump(&self->vm, MHV_DUMP_ROOTS, NULL, 0).unsync);
	ASSERT_AUDIT_SILENT();
}

TEST_F(inspect, refused)
{
	struct mhv_walk walk = { .gva = WINDOW };
	struct mhv_audit audit = {};
	struct mhv_mmu mmu = {};

#define REFUSED(fd, cmd, arg, field, value)				\
	do {								\
		typeof(arg) __bad = arg;				\
									\
		__bad.field = value;					\
		EXPECT_EQ(-1, ioctl(fd, cmd, &__bad));			\
		EXPECT_EQ(EINVAL, errno);				\
	} while (0)

	REFUSED(self->vcpu.fd, MHV_WALK, walk, flags, 1);
	REFUSED(self->vcpu.fd, MHV_WALK, walk, reserved[3], 1);
	REFUSED(self->vcpu.fd, MHV_WALK, walk, gva, BIT_ULL(47));
	REFUSED(self->vcpu.fd, MHV_WALK, walk, gva, BIT_ULL(63));
	REFUSED(self->vm.fd, MHV_DUMP_MMU, mmu, what, MHV_DUMP_TABLES + 1);
	REFUSED(self->vm.fd, MHV_DUMP_MMU, mmu, reserved[0], 1);
	REFUSED(self->vm.fd, MHV_AUDIT, audit, errors, 1);
	REFUSED(self->vm.fd, MHV_AUDIT, audit, reserved[4], 1);
#undef REFUSED
	mmu.nr = 8;
	mmu.entries = 8;
	if (!self->shadow) {
		EXPECT_EQ(-1, ioctl(self->vm.fd, MHV_AUDIT, &audit));
		EXPECT_EQ(EOPNOTSUPP, errno);
	}
	ASSERT_LOADED(3);
	EXPECT_EQ(-1, ioctl(self->vm.fd, MHV_DUMP_MMU, &mmu));
	EXPECT_EQ(EFAULT, errno);
}

/* ---- all of it ----------------------------------------------------------------------------- */

#define ROOM	512

TEST_F(inspect, counted)
{
	struct mhv_mmu_table table[ROOM], sum = {};
	struct mhv_mmu before, mmu;
	__u64 value, tables;
	__u32 i;

	ASSERT_LOADED(0);
	before = dump(&self->vm, MHV_DUMP_TABLES, table, ROOM);
	for (i = 1; i < 11; i++)
		ASSERT_LOADED(i);
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_load(&self->vcpu, GVA(PAGE_DEVICE), &value));

	mmu = dump(&self->vm, MHV_DUMP_ROOTS, table, ROOM);
	ASSERT_LE(1, mmu.nr);
	for (i = 0; i < mmu.nr && !table[i].vcpus; i++)
		;
	ASSERT_LT(i, mmu.nr);
	EXPECT_EQ(1, table[i].vcpus);
	EXPECT_EQ(4, table[i].level);
	EXPECT_EQ(1, table[i].mmio);
	tables = table[i].tables;
	if (!self->shadow) {
		EXPECT_EQ(1, mmu.nr);
		EXPECT_EQ(mmu.tables, tables);
		return;
	}
	EXPECT_EQ(GUEST_PML4 >> 12, table[i].gfn);
	EXPECT_LE(before.leaves + 10, mmu.leaves);
	EXPECT_LE(11, table[i].accessed);

	mmu = dump(&self->vm, MHV_DUMP_TABLES, table, ROOM);
	ASSERT_EQ(mmu.tables, mmu.nr);
	for (i = 0; i < mmu.nr; i++) {
		EXPECT_EQ(1, table[i].tables);
		sum.present += table[i].present;
		sum.mmio += table[i].mmio;
	}
	EXPECT_EQ(mmu.leaves, sum.present);
	EXPECT_EQ(1, sum.mmio);
	EXPECT_LE(tables, mmu.nr);
	/* too little room: nothing beyond it is written, and all are counted */
	memset(&table[1], 0x5a, sizeof(table[1]));
	EXPECT_EQ(mmu.nr, dump(&self->vm, MHV_DUMP_TABLES, table, 1).nr);
	EXPECT_EQ(0x5a5a5a5a, table[1].level);
	ASSERT_AUDIT_SILENT();
}

/* Many ways lead to a table, and it counts once: there may be more ways than time. */
TEST_F(inspect, shared_tables)
{
	struct mhv_mmu_table table[ROOM];
	struct mhv_mmu mmu;
	__u64 value, i;

	if (!self->shadow)
		SKIP(return, "the VM has no shadow paging");
	for (i = 1; i < 8; i++) {
		self->table[1][i] = self->table[1][0];
		self->table[2][i] = self->table[2][0];
	}
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, vcpu_load(&self->vcpu, WINDOW + (i / 8 << 30) + (i % 8 << 21),
				       &value));
		ASSERT_EQ(FRAME(0), value);
	}
	mmu = dump(&self->vm, MHV_DUMP_ROOTS, table, ROOM);
	ASSERT_LE(1, mmu.nr);
	for (i = 0; i < mmu.nr; i++) {
		EXPECT_LE(table[i].tables, mmu.tables);
		EXPECT_LE(table[i].present, mmu.leaves);
	}
}

/* ---- the host's memory runs low --------------------------------------------------- */

#define STOP		GUEST_DATA
#define TURNS		(GUEST_DATA + 64)

/* Round after round over the window: each page must hold its frame's address. */
GUEST_ASM(guest_use_pages, 64,
	  "1: mov %cr3, %rax\n"
	  "mov %rax, %cr3\n"
	  "xor %ecx, %ecx\n"
	  "3: mov %ecx, %edx\n"
	  "shl $12, %edx\n"
	  "lea 0x400000(%rdx), %rax\n"
	  "bts $39, %rdx\n"
	  "cmp %rax, (%rdx)\n"
	  "jne 8f\n"
	  "incq 8(%rdx)\n"
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

static void *use_pages(void *arg)
{
	struct vcpu *vcpu = arg;

	if (vcpu_run(vcpu))
		return "MHV_RUN";
	if (vcpu->run->exit != MHV_EXIT_IO || vcpu->run->ioreq.addr != PORT_DONE)
		return "another frame";
	return NULL;
}

static __u64 turns(struct vm *vm)
{
	return __atomic_load_n((__u64 *)vm_ptr(vm, TURNS), __ATOMIC_RELAXED);
}

TEST_F(inspect, shrunk)
{
	pthread_t thread;
	void *wrong;
	__u64 last;
	int i;

	if (!self->shadow)
		SKIP(return, "the VM has no shadow paging");
	vcpu_set_long(&self->vcpu, guest_use_pages);
	host_start(&thread, use_pages, &self->vcpu);
	for (i = 0; i < 8; i++) {
		last = turns(&self->vm);
		while (turns(&self->vm) < last + 2 && !vm_log(&self->vm)->count &&
		       self->vcpu.run->exit != MHV_EXIT_IO)
			sched_yield();
		ASSERT_EQ(0, host_write("/proc/sys/vm/drop_caches", "2"));
	}
	last = turns(&self->vm);
	while (turns(&self->vm) < last + 2 && self->vcpu.run->exit != MHV_EXIT_IO)
		sched_yield();
	*(__u8 *)vm_ptr(&self->vm, STOP) = 1;
	pthread_join(thread, &wrong);
	EXPECT_EQ(NULL, wrong) {
		TH_LOG("%s", (char *)wrong);
		vcpu_dump(&self->vcpu);
	}
	EXPECT_EQ(0, vm_log(&self->vm)->count);
	EXPECT_LT(0, dump(&self->vm, MHV_DUMP_ROOTS, NULL, 0).shrunk);
	ASSERT_AUDIT_SILENT();
}
