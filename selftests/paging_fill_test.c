// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow entries that are made without a fault of their own, as neighbours of one that
 * faults or when a guest table is synchronised; and roots that a vCPU keeps.  What they may
 * hold is told by the guest's entries alone.
 */
#include "mhv_test.h"

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_RSVD	BIT_ULL(51)
#define PTE_NX		BIT_ULL(63)
#define PTE_TABLE	(PTE_P | PTE_W | PTE_U)
#define PTE_PAGE	(PTE_TABLE | PTE_A | PTE_D)

/* A window of pages below tables of its own: the leaf first, the one of level 3 last */
#define TABLES		0x80000000ull
#define NR_TABLES	3
#define WINDOW		BIT_ULL(39)
#define PAGES		96
#define FRAME(n)	(0x400000ull + (n) * PAGE_SIZE)
#define DEVICE		0xfe000000ull
#define GVA(page)	(WINDOW + (page) * PAGE_SIZE)
#define GROUP		16		/* entries that a fault makes */

/* Tables in the memory that the guest maps one to one: a second space, and a spare */
#define ROOT_B		0x200000ull
#define PDPT_B		0x201000ull
#define PD_B		0x202000ull
#define PT_B(n)		(0x203000ull + (n) * PAGE_SIZE)
#define PDPT_C		0x206000ull
#define PD_C		0x207000ull

/* What the guest and the test share, at GUEST_DATA */
struct shared {
	__u64 rounds;
	__u64 stop;
	__u64 published[GROUP];
	__u64 seen, wrong, want, got;
};

FIXTURE(fill) {
	struct vm vm;
	struct vcpu vcpu;
	__u64 (*table)[512];
	volatile struct shared *shared;
};

FIXTURE_SETUP(fill)
{
	const char *paging = getenv("MHV_PAGING");
	struct vm *vm = &self->vm;
	int i;

	/* it is all about shadow paging */
	if (!paging || !*paging || !strcmp(paging, "ept"))
		setenv("MHV_PAGING", "shadow", 1);
	vm_create(vm);
	vcpu_create(vm, &self->vcpu, 0);
	self->table = host_alloc(NR_TABLES * PAGE_SIZE);
	vm_set_slot(vm, 1, TABLES, NR_TABLES * PAGE_SIZE, self->table);
	self->table[1][0] = TABLES | PTE_TABLE;
	self->table[2][0] = (TABLES + PAGE_SIZE) | PTE_TABLE;
	*((__u64 *)vm_ptr(vm, GUEST_PML4) + 1) = (TABLES + 2 * PAGE_SIZE) | PTE_TABLE;
	for (i = 0; i < PAGES; i++)
		*(__u64 *)vm_ptr(vm, FRAME(i)) = FRAME(i);
	vm_log(vm)->skip[PF_VECTOR] = 3;
	self->shared = vm_ptr(vm, GUEST_DATA);
}

FIXTURE_TEARDOWN(fill)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
	munmap(self->table, NR_TABLES * PAGE_SIZE);
}

static struct mhv_walk_level leaf_of(struct vcpu *vcpu, __u64 gva)
{
	struct mhv_walk walk = { .gva = gva };

	if (ioctl(vcpu->fd, MHV_WALK, &walk))
		die("MHV_WALK");
	return walk.level[0];
}

#define ASSERT_LOADED(want, page)					\
	do {								\
		__u64 __value = 0;					\
									\
		ASSERT_EQ(0, vcpu_load(&self->vcpu, GVA(page), &__value)); \
		ASSERT_EQ(want, __value);				\
	} while (0)

#define ASSERT_AUDIT_SILENT()						\
	do {								\
		struct mhv_audit __audit = {};				\
									\
		ASSERT_EQ(0, ioctl(self->vm.fd, MHV_AUDIT, &__audit));	\
		EXPECT_EQ(0, __audit.errors);				\
	} while (0)

/* ---- what neighbours may hold ------------------------------------------------------ */

/* The first of each group is touched; the others are all combinations of bits. */
static __u64 combination(int c)
{
	static const __u64 bit[] = { PTE_P, PTE_W, PTE_U, PTE_A, PTE_D, PTE_NX };
	__u64 bits = 0;
	int i;

	for (i = 0; i < 6; i++)
		bits |= c >> i & 1 ? bit[i] : 0;
	return bits;
}

static int place_of(int c)
{
	return c / (GROUP - 1) * GROUP + 1 + c % (GROUP - 1);
}

static void check_neighbour(struct __test_metadata *_metadata, struct vcpu *vcpu, int page,
			    __u64 gpte, __u64 above)
{
	const struct mhv_walk_level l = leaf_of(vcpu, GVA(page));
	const __u64 rights = gpte & above;

	EXPECT_EQ(gpte, l.gpte);
	if (!(gpte & PTE_P) || !(gpte & PTE_A)) {
		EXPECT_EQ(MHV_ENTRY_ABSENT, l.kind)
			TH_LOG("guest entry 0x%llx", gpte);
		return;
	}
	ASSERT_EQ(MHV_ENTRY_LEAF, l.kind)
		TH_LOG("guest entry 0x%llx", gpte);
	EXPECT_EQ(FRAME(page) >> 12, l.gfn);
	EXPECT_EQ(gpte, l.made_from);
	EXPECT_EQ(rights & PTE_W && gpte & PTE_D ? PTE_W : 0, l.spte & PTE_W);
	EXPECT_EQ(rights & PTE_U, l.spte & PTE_U);
	EXPECT_EQ(gpte & PTE_NX, l.spte & PTE_NX);
	/* the host asks whether it is used: not yet */
	EXPECT_EQ(0, l.spte & PTE_A);
}

static void check_rights(struct __test_metadata *_metadata, FIXTURE_DATA(fill) *self,
			 __u64 above)
{
	const int pages = place_of(63) + 1;
	int c, page;

	self->table[1][0] = TABLES | PTE_P | above;
	for (page = 0; page < pages; page += GROUP)
		self->table[0][page] = FRAME(page) | PTE_PAGE;
	for (c = 0; c < 64; c++)
		self->table[0][place_of(c)] = FRAME(place_of(c)) | combination(c);
	for (page = 0; page < pages; page += GROUP)
		ASSERT_LOADED(FRAME(page), page);
	for (c = 0; c < 64; c++) {
		page = place_of(c);
		ASSERT_EQ(FRAME(page) | combination(c), self->table[0][page]);
		check_neighbour(_metadata, &self->vcpu, page, FRAME(page) | combination(c),
				above);
	}
	ASSERT_AUDIT_SILENT();
}

TEST_F(fill, rights)
{
	check_rights(_metadata, self, PTE_W | PTE_U);
}

TEST_F(fill, rights_of_levels_above)
{
	check_rights(_metadata, self, PTE_U);
}

/* devices, guest tables, reserved bits, and what other groups hold */
TEST_F(fill, left_alone)
{
	int page;

	for (page = 0; page < 2 * GROUP; page++)
		self->table[0][page] = FRAME(page) | PTE_PAGE;
	self->table[0][1] = DEVICE | PTE_PAGE;
	self->table[0][2] = TABLES | PTE_PAGE;
	self->table[0][3] = GUEST_PML4 | PTE_PAGE;
	self->table[0][4] = FRAME(4) | PTE_PAGE | PTE_RSVD;
	ASSERT_LOADED(FRAME(0), 0);
	for (page = 1; page < 5; page++)
		EXPECT_EQ(MHV_ENTRY_ABSENT, leaf_of(&self->vcpu, GVA(page)).kind)
			TH_LOG("page %d", page);
	EXPECT_EQ(MHV_ENTRY_LEAF, leaf_of(&self->vcpu, GVA(5)).kind);
	EXPECT_EQ(MHV_ENTRY_ABSENT, leaf_of(&self->vcpu, GVA(GROUP)).kind);
	EXPECT_EQ(0, vcpu_stat(&self->vcpu, "pf_mmio_made"));
	ASSERT_AUDIT_SILENT();
}

/* memory that the guest must not write stays so, though its entries allow it */
TEST_F(fill, read_only_slot)
{
	void *rom = host_alloc(GROUP * PAGE_SIZE);
	int page;

	ASSERT_EQ(0, vm_slot(&self->vm, 2, MHV_MEM_READONLY, 0x90000000, GROUP * PAGE_SIZE, rom));
	memset(rom, 0x5a, GROUP * PAGE_SIZE);
	for (page = 0; page < GROUP; page++)
		self->table[0][page] = (0x90000000 + page * PAGE_SIZE) | PTE_PAGE;
	ASSERT_LOADED(0x5a5a5a5a5a5a5a5aull, 3);
	for (page = 0; page < GROUP; page++) {
		EXPECT_EQ(MHV_ENTRY_LEAF, leaf_of(&self->vcpu, GVA(page)).kind);
		EXPECT_EQ(0, leaf_of(&self->vcpu, GVA(page)).spte & PTE_W);
	}
	munmap(rom, GROUP * PAGE_SIZE);
}

/* no fault, no entry: with --without prefetch each page has one of its own */
TEST_F(fill, counted)
{
	struct mhv_options off = { .disabled = BIT_ULL(MHV_OPT_PREFETCH) };
	__u64 faults, made;
	int page;

	for (page = 0; page < 2 * GROUP; page++)
		self->table[0][page] = FRAME(page) | PTE_PAGE;
	made = vcpu_stat(&self->vcpu, "shadow_prefetched");
	ASSERT_LOADED(FRAME(1), 1);
	/* of the guest's code, there are some as well */
	EXPECT_LE(made + GROUP - 1, vcpu_stat(&self->vcpu, "shadow_prefetched"));
	faults = vcpu_stat(&self->vcpu, "pf_mapped");
	for (page = 0; page < GROUP; page++)
		ASSERT_LOADED(FRAME(page), page);
	EXPECT_EQ(faults, vcpu_stat(&self->vcpu, "pf_mapped"));

	ASSERT_EQ(0, ioctl(self->vm.fd, MHV_SET_OPTIONS, &off));
	made = vcpu_stat(&self->vcpu, "shadow_prefetched");
	for (page = GROUP; page < 2 * GROUP; page++)
		ASSERT_LOADED(FRAME(page), page);
	EXPECT_EQ(faults + GROUP, vcpu_stat(&self->vcpu, "pf_mapped"));
	EXPECT_EQ(made, vcpu_stat(&self->vcpu, "shadow_prefetched"));
}

/* ---- what the host takes back -------------------------------------------------------- */

TEST_F(fill, dropped_by_the_host)
{
	int page;

	for (page = 0; page < GROUP; page++)
		self->table[0][page] = FRAME(page) | PTE_PAGE;
	ASSERT_LOADED(FRAME(0), 0);
	ASSERT_EQ(MHV_ENTRY_LEAF, leaf_of(&self->vcpu, GVA(7)).kind);
	ASSERT_EQ(0, madvise(vm_ptr(&self->vm, FRAME(7)), PAGE_SIZE, MADV_DONTNEED));
	EXPECT_EQ(MHV_ENTRY_ABSENT, leaf_of(&self->vcpu, GVA(7)).kind);
	ASSERT_LOADED(0, 7);
	ASSERT_LOADED(FRAME(8), 8);
	ASSERT_AUDIT_SILENT();
}

#define SHARED	((volatile struct shared *)GUEST_DATA)

/* A page that was published has its number, a newer one, or is being replaced. */
static __guest void guest_watch(void)
{
	__u64 want, got, i;

	while (!SHARED->stop)
		for (i = 0; i < GROUP; i++) {
			want = SHARED->published[i];
			got = *(volatile __u64 *)GVA(i);
			SHARED->seen++;
			if (got && got < want) {
				SHARED->want = want;
				SHARED->got = got;
				SHARED->wrong++;
			}
		}
	guest_done();
}

static void *replace_pages(void *arg)
{
	FIXTURE_DATA(fill) *self = arg;
	__u64 n, i;

	host_pin(host_cpus() - 1);
	for (n = 1; n <= self->shared->rounds; n++) {
		/* none of them the same twice: what is mapped together is dropped one by one */
		i = n * 7 % GROUP;
		if (madvise(vm_ptr(&self->vm, FRAME(i)), PAGE_SIZE, MADV_DONTNEED))
			die("madvise");
		*(volatile __u64 *)vm_ptr(&self->vm, FRAME(i)) = n;
		self->shared->published[i] = n;
	}
	self->shared->stop = 1;
	return NULL;
}

TEST_F(fill, replaced_meanwhile)
{
	pthread_t thread;
	int page;

	for (page = 0; page < GROUP; page++) {
		self->table[0][page] = FRAME(page) | PTE_PAGE;
		*(__u64 *)vm_ptr(&self->vm, FRAME(page)) = 0;
	}
	self->shared->rounds = 2000;
	vcpu_set_long(&self->vcpu, guest_watch);
	host_start(&thread, replace_pages, self);
	ASSERT_EQ(0, vcpu_run(&self->vcpu));
	ASSERT_EQ(MHV_EXIT_IO, self->vcpu.run->exit)
		vcpu_dump(&self->vcpu);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, self->shared->wrong)
		TH_LOG("%llu read, %llu was published", self->shared->got, self->shared->want);
	TH_LOG("%llu loads, %llu entries made in advance", self->shared->seen,
	       vcpu_stat(&self->vcpu, "shadow_prefetched"));
	ASSERT_AUDIT_SILENT();
}

/* ---- synchronisation ------------------------------------------------------------------- */

/* rcx a PTE, rax its new value, rdx the page; the table becomes unsync by the first store */
GUEST_ASM(guest_change_cr3, 64,
	  "mov %rax, (%rcx)\n"
	  "mov %cr3, %rbx\n"
	  "mov %rbx, %cr3\n"
	  "mov (%rdx), %rax\n" G_DONE);
GUEST_ASM(guest_change_invlpg, 64,
	  "mov %rax, (%rcx)\n"
	  "invlpg (%rdx)\n"
	  "mov (%rdx), %rax\n" G_DONE);

/* The leaf table is seen by the guest at a page of the second group. */
static void change_entry(struct vcpu *vcpu, const void *code, int page, __u64 gpte, __u64 *got)
{
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	regs = vcpu_regs(vcpu);
	regs.rax = gpte;
	regs.rcx = GVA(GROUP) + page * 8;
	regs.rdx = GVA(page);
	vcpu_set_regs(vcpu, &regs);
	if (vcpu_again(vcpu, got))
		die("the guest did not change its entry");
}

static void check_change(struct __test_metadata *_metadata, FIXTURE_DATA(fill) *self,
			 const void *code)
{
	const __u64 marks[] = { PTE_PAGE, PTE_P | PTE_A | PTE_W, PTE_P | PTE_A | PTE_U };
	struct mhv_walk_level l;
	__u64 made, gpte, got;
	unsigned int i;
	int page;

	for (page = 0; page < GROUP; page++)
		self->table[0][page] = FRAME(page) | PTE_PAGE;
	self->table[0][GROUP] = TABLES | PTE_PAGE;
	ASSERT_LOADED(FRAME(0), 0);
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		gpte = FRAME(20 + i) | marks[i];
		made = vcpu_stat(&self->vcpu, "shadow_resynced");
		change_entry(&self->vcpu, code, 3, gpte, &got);
		EXPECT_EQ(FRAME(20 + i), got);
		EXPECT_EQ(made + 1, vcpu_stat(&self->vcpu, "shadow_resynced"));
		l = leaf_of(&self->vcpu, GVA(3));
		EXPECT_EQ(MHV_ENTRY_LEAF, l.kind);
		EXPECT_EQ(gpte, l.made_from);
		EXPECT_EQ(gpte & PTE_W && gpte & PTE_D ? PTE_W : 0, l.spte & PTE_W);
		EXPECT_EQ(gpte & PTE_U, l.spte & PTE_U);
	}
	/* not accessed: the walk of a fault sets the bit, nobody else may */
	made = vcpu_stat(&self->vcpu, "shadow_resynced");
	change_entry(&self->vcpu, code, 3, FRAME(30) | PTE_P, &got);
	EXPECT_EQ(FRAME(30), got);
	EXPECT_EQ(made, vcpu_stat(&self->vcpu, "shadow_resynced"));
	EXPECT_EQ(FRAME(30) | PTE_P | PTE_A, self->table[0][3]);
	ASSERT_AUDIT_SILENT();
}

TEST_F(fill, resync_by_cr3)
{
	check_change(_metadata, self, guest_change_cr3);
}

TEST_F(fill, resync_by_invlpg)
{
	check_change(_metadata, self, guest_change_invlpg);
}

/* ---- roots that are kept ------------------------------------------------------------- */

static __always_inline __guest_regs void set_cr3(__u64 root)
{
	asm volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

static __always_inline __guest_regs void expect(__u64 want)
{
	__u64 got = *(volatile __u64 *)GVA(0);

	SHARED->seen++;
	if (got != want && !SHARED->wrong++) {
		SHARED->want = want;
		SHARED->got = got;
	}
}

/* Between two spaces; the root of the second one changes while the first is in use. */
static __guest void guest_switch(void)
{
	volatile __u64 *root = (volatile __u64 *)ROOT_B;
	__u64 n, i;

	for (n = 0; n < SHARED->rounds; n++) {
		set_cr3(ROOT_B);
		expect(n % 2 ? FRAME(2) : FRAME(1));
		set_cr3(GUEST_PML4);
		expect(FRAME(0));
		set_cr3(ROOT_B);
		expect(n % 2 ? FRAME(2) : FRAME(1));
		set_cr3(GUEST_PML4);
		/* once is emulated, many times is no table any more */
		for (i = 0; i <= n % 8; i++) {
			root[1] = PDPT_C | PTE_TABLE;
			root[1] = (n % 2 ? PDPT_B : PDPT_C) | PTE_TABLE;
		}
	}
	guest_done();
}

TEST_F(fill, kept_roots)
{
	__u64 *root = vm_ptr(&self->vm, ROOT_B);

	self->table[0][0] = FRAME(0) | PTE_PAGE;
	root[0] = GUEST_PDPT | PTE_TABLE;
	root[1] = PDPT_B | PTE_TABLE;
	*(__u64 *)vm_ptr(&self->vm, PDPT_B) = PD_B | PTE_TABLE;
	*(__u64 *)vm_ptr(&self->vm, PDPT_C) = PD_C | PTE_TABLE;
	*(__u64 *)vm_ptr(&self->vm, PD_B) = PT_B(0) | PTE_TABLE;
	*(__u64 *)vm_ptr(&self->vm, PD_C) = PT_B(1) | PTE_TABLE;
	*(__u64 *)vm_ptr(&self->vm, PT_B(0)) = FRAME(1) | PTE_PAGE;
	*(__u64 *)vm_ptr(&self->vm, PT_B(1)) = FRAME(2) | PTE_PAGE;
	self->shared->rounds = 64;
	vcpu_set_long(&self->vcpu, guest_switch);
	ASSERT_EQ(0, vcpu_run(&self->vcpu));
	ASSERT_EQ(MHV_EXIT_IO, self->vcpu.run->exit)
		vcpu_dump(&self->vcpu);
	EXPECT_EQ(0, self->shared->wrong)
		TH_LOG("0x%llx read, it should be 0x%llx", self->shared->got,
		       self->shared->want);
	EXPECT_EQ(3 * self->shared->rounds, self->shared->seen);
	ASSERT_AUDIT_SILENT();
}
