// SPDX-License-Identifier: GPL-2.0-only
/*
 * One access after the other through page tables that differ in one thing or two: is
 * it a #PF or not, with what error code and CR2, which frame is reached, which entries
 * get A and D?  All of it against ref_walk(), in every paging mode.
 *
 * Under EPT it is the CPU that is compared with the reference, so that what this says
 * of shadow paging stands on more than our own reading of the SDM.
 */
#include "mhv_test.h"
#include "paging_batch.h"
#include "host/ref_walk.h"

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_PWT		BIT_ULL(3)
#define PTE_PCD		BIT_ULL(4)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_G		BIT_ULL(8)
#define PTE_NX		BIT_ULL(63)
#define PTE_PWU		(PTE_P | PTE_W | PTE_U)

/* Guest physical memory past GUEST_FREE */
#define ROOT		0x100000	/* PML4, the PDPTEs of PAE, the page directory */
#define TABLE3		0x101000
#define TABLE2		0x102000
#define TABLE1		0x103000
#define KERNEL_PDPT	0x104000
#define KERNEL_PD	0x105000
#define USER_PD		0x106000
#define KERNEL_PT	0x108000	/* four of them, for 32-bit entries */
#define USER_PT		0x10c000
#define CASES		0x200000
#define MAX_CASES	(0x200000 / CASE_SIZE)
#define FRAME_4M	0x800000
#define FRAME_2M	0xa00000
#define FRAME_4K	0xc00000
#define FRAME_1G	0

/* The low 16 MiB, the kernel's alone; and once more what is the user's */
#define USER_ALIAS	0x40000000ull

/* The address under test; no two indices are the same. */
#define GVA_LOW		(2ull << 21 | 0x133ull << 12 | 0xa48)
#define GVA32		(0x80000000ull + GVA_LOW)
#define GVA64		(0xffffull << 48 | 0x1a5ull << 39 | 0xf3ull << 30 | GVA_LOW)

/* PSE-36: the same memory once more, at 4 GiB */
#define HIGH_SLOT	1
#define HIGH_GPA	(4ull << 30)

#define MAX_COMPLAINTS	8

enum op { READ, WRITE, XCHG, FETCH, LSL, NR_OPS };

static const char *const op_names[] = { "read", "write", "xchg", "fetch", "LSL" };

struct access {
	enum op op;
	bool user, ac;
};

/* The control registers' bits that matter to a walk */
struct control {
	bool wp, nxe, smep, smap;
};

struct torture {
	struct vm vm;
	struct vcpu vcpu;
	int tables;			/* as in struct ref_cpu */
	bool pse;
	int levels;
	__u64 gva, slot[4];
	int phys_bits;
	bool gbpages, smep, smap;
	struct control ctl;
	struct ref_cpu cpu;
	struct access *access;		/* of each case of the batch */
	unsigned int nr, stride, turn;
	unsigned int cases, wrong, deviations;
	unsigned int translated, faults[32], marked;
};

/* ---- memory and modes ------------------------------------------------------ */

/* A page that tells who it is when it is read, executed or taken for a descriptor. */
static void make_frame(struct torture *t, __u64 gpa)
{
	__u8 *p = vm_ptr(&t->vm, gpa + t->gva % PAGE_SIZE);
	__u32 id = gpa / PAGE_SIZE;

	p[0] = 0xb8;					/* mov $id, %eax */
	memcpy(p + 1, &id, 4);
	p[5] = 0xcd;					/* int */
	p[6] = PAGING_VECTOR;
	*(__u64 *)(p + 8) = id | 0xf3ull << 40;		/* data, privilege 3, limit id */
}

static __u32 frame_word(__u64 pa)
{
	return 0xb8 | (__u32)(pa % GUEST_MEM_SIZE / PAGE_SIZE) << 8;
}

static void make_frames(struct torture *t)
{
	make_frame(t, FRAME_4K);
	make_frame(t, FRAME_2M + t->gva % (2 << 20) / PAGE_SIZE * PAGE_SIZE);
	make_frame(t, FRAME_4M + t->gva % (4 << 20) / PAGE_SIZE * PAGE_SIZE);
	make_frame(t, FRAME_1G + t->gva % (1 << 30) / PAGE_SIZE * PAGE_SIZE);
}

static void make_tables_32(struct torture *t)
{
	__u32 *root = vm_ptr(&t->vm, ROOT), *pt = vm_ptr(&t->vm, KERNEL_PT), i;
	__u32 *user = vm_ptr(&t->vm, USER_PT);

	for (i = 0; i < 4; i++)
		root[i] = (KERNEL_PT + i * PAGE_SIZE) | PTE_P | PTE_W;
	root[USER_ALIAS >> 22] = USER_PT | PTE_PWU;
	for (i = 0; i < 4 * 1024; i++)
		pt[i] = i * PAGE_SIZE | PTE_P | PTE_W;
	for (i = 0; i < 1024; i++)
		user[i] = i * PAGE_SIZE | PTE_PWU;
	t->slot[1] = ROOT + (t->gva >> 22) * 4;
	t->slot[0] = TABLE1 + (t->gva >> 12) % 1024 * 4;
}

static void make_tables_64(struct torture *t)
{
	__u64 *root = vm_ptr(&t->vm, ROOT), *pdpt = vm_ptr(&t->vm, KERNEL_PDPT);
	__u64 *kernel = vm_ptr(&t->vm, KERNEL_PD), *user = vm_ptr(&t->vm, USER_PD), i;

	for (i = 0; i < 8; i++)
		kernel[i] = i << 21 | PTE_P | PTE_W | PTE_PS;
	user[0] = PTE_PWU | PTE_PS;
	if (t->tables == 36) {
		root[0] = KERNEL_PD | PTE_P;
		root[USER_ALIAS >> 30] = USER_PD | PTE_P;
		root[t->gva >> 30] = TABLE2 | PTE_P;
	} else {
		root[0] = KERNEL_PDPT | PTE_PWU;
		pdpt[0] = KERNEL_PD | PTE_P | PTE_W;
		pdpt[USER_ALIAS >> 30] = USER_PD | PTE_PWU;
	}
	t->slot[3] = ROOT + (t->gva >> 39) % 512 * 8;
	t->slot[2] = TABLE3 + (t->gva >> 30) % 512 * 8;
	t->slot[1] = TABLE2 + (t->gva >> 21) % 512 * 8;
	t->slot[0] = TABLE1 + (t->gva >> 12) % 512 * 8;
}

static __u64 gate32(const char *handler, __u64 type)
{
	return (GUEST_ADDR(handler) & 0xffff) | SEL_CODE32 << 16 | type << 40 |
	       (GUEST_ADDR(handler) & 0xffff0000) << 32;
}

static void make_gates(struct torture *t)
{
	__u64 *idt32 = vm_ptr(&t->vm, GUEST_IDT32);
	int i;

	for (i = 0; i < 256; i++) {
		vm_set_gate(&t->vm, i, GUEST_ADDR(paging_other64), 0, 0);
		idt32[i] = gate32(paging_other32, 0x8e);
	}
	vm_set_gate(&t->vm, PF_VECTOR, GUEST_ADDR(paging_fault64), 0, 0);
	vm_set_gate(&t->vm, PAGING_VECTOR, GUEST_ADDR(paging_done64), 3, 0);
	idt32[PF_VECTOR] = gate32(paging_fault32, 0x8e);
	idt32[PAGING_VECTOR] = gate32(paging_done32, 0xee);
	/* ss0 of a 32-bit TSS is the high half of a 64-bit one's rsp0 */
	if (t->tables != 48)
		*(__u32 *)vm_ptr(&t->vm, GUEST_TSS + 8) = SEL_DATA;
}

static void set_mode(struct torture *t)
{
	struct mhv_sregs s;

	if (t->tables == 48)
		vcpu_set_long(&t->vcpu, paging_engine64);
	else
		vcpu_set_prot32(&t->vcpu, paging_engine32, t->tables == 36 ? PAE32 : PSE32);
	s = vcpu_sregs(&t->vcpu);
	s.cr3 = ROOT;
	/* flat data segments that both privilege levels may use */
	s.ds.selector = SEL_UDATA | 3;
	s.ds.dpl = 3;
	s.es = s.ds;
	s.ldt = (struct mhv_segment){
		.base = t->gva,
		.limit = 0xff,
		.type = 2,
		.present = 1,
	};
	vcpu_set_sregs(&t->vcpu, &s);
	vcpu_set_flags(&t->vcpu, RFLAGS_IF);
}

static void find_features(struct torture *t)
{
	struct mhv_cpuid_entry leaf;

	t->phys_bits = vcpu_cpuid(&t->vcpu, 0x80000008, 0, &leaf) ? leaf.eax & 0xff : 36;
	t->gbpages = vcpu_cpuid(&t->vcpu, 0x80000001, 0, &leaf) && leaf.edx >> 26 & 1;
	if (!vcpu_cpuid(&t->vcpu, 7, 0, &leaf))
		return;
	t->smep = leaf.ebx >> 7 & 1;
	t->smap = leaf.ebx >> 20 & 1;
}

/* ---- cases ----------------------------------------------------------------- */

/* Does an entry of this kind end the walk, where nothing about it is wrong? */
static bool is_leaf(const struct torture *t, int level, __u64 flags)
{
	if (level == 0)
		return true;
	if (!(flags & PTE_PS))
		return false;
	return level == 1 ? t->tables != 32 || t->pse : level == 2 && t->gbpages;
}

static __u64 entry_address(const struct torture *t, int level, __u64 flags)
{
	static const __u64 tables[] = { 0, TABLE1, TABLE2, TABLE3 };

	if (!is_leaf(t, level, flags))
		return tables[level];
	if (level == 1)
		return t->tables == 32 ? FRAME_4M : FRAME_2M;
	return level ? FRAME_1G : FRAME_4K;
}

static const struct paging_case *current;
static const struct torture *current_torture;

/* The tables as the reference sees them: the entries of the case and no others */
static bool load_entry(__u64 addr, int bytes, __u64 *value)
{
	const struct torture *t = current_torture;

	for (int i = 0; i < t->levels; i++) {
		if (t->slot[i] == addr) {
			*value = bytes == 4 ? (__u32)current->entry[i] : current->entry[i];
			return true;
		}
	}
	return false;
}

static struct ref_answer ask_reference(struct torture *t, const struct paging_case *c,
				       const struct access *a)
{
	struct ref_cpu *cpu = &t->cpu;

	current = c;
	current_torture = t;
	cpu->is_write = a->op == WRITE || a->op == XCHG;
	cpu->is_fetch = a->op == FETCH;
	cpu->implicit = a->op == LSL;
	cpu->cpl3 = a->user && !cpu->implicit;
	cpu->eflags_ac = a->ac;
	return ref_walk(cpu, t->gva + (a->op == LSL ? 8 : 0));
}

/* Where the guest's kernel sees the word that is accessed, or would be */
static __u64 word_address(const struct torture *t, const struct ref_answer *want)
{
	__u64 pa = want->outcome == REF_OK ? want->addr % GUEST_MEM_SIZE : FRAME_4K;

	return pa / PAGE_SIZE * PAGE_SIZE + t->gva % PAGE_SIZE;
}

static void fill_case(struct torture *t, struct paging_case *c, const __u64 *flags,
		      const struct access *a)
{
	static const char *const code[] = {
		paging_read, paging_write, paging_xchg, paging_fetch, paging_lsl,
	};
	struct ref_answer want;
	int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < t->levels; i++)
		c->entry[i] = flags[i] | entry_address(t, i, flags[i]);
	c->code = GUEST_ADDR(code[a->op]) + (a->user ? USER_ALIAS : 0);
	if (t->tables == 48)
		c->cs = a->user ? SEL_UCODE64 | 3 : SEL_CODE64;
	else
		c->cs = a->user ? SEL_UCODE32 | 3 : SEL_CODE32;
	c->ss = a->user ? SEL_UDATA | 3 : SEL_DATA;
	c->flags = RFLAGS_FIXED | RFLAGS_IF | (a->ac ? RFLAGS_AC : 0);
	want = ask_reference(t, c, a);
	if (want.outcome == REF_NO_MEMORY)
		die("a case of ours leads to %#llx", want.addr);
	c->mem = word_address(t, &want);
}

/* ---- comparing ------------------------------------------------------------- */

static void show_case(const struct torture *t, const struct paging_case *c,
		      const struct access *a, const char *what, const struct ref_answer *want)
{
	fprintf(stderr, "# %s: tables %d pse %d wp %d nxe %d smep %d smap %d: %s %s%s\n", what,
		t->tables, t->pse, t->ctl.wp, t->ctl.nxe, t->ctl.smep, t->ctl.smap,
		a->user ? "user" : "supervisor", op_names[a->op], a->ac ? ", AC" : "");
	for (int i = t->levels - 1; i >= 0; i--)
		fprintf(stderr, "#   level %d: %016llx, afterwards %016llx\n", i + 1,
			c->entry[i], c->after[i]);
	fprintf(stderr, "#   wanted: %s error %x address %llx\n",
		want->outcome == REF_OK ? "ok" : "#PF", want->error, want->addr);
	fprintf(stderr, "#   got: vector %x error %x cr2 %llx value %x word %x\n", c->vector,
		c->error, c->cr2, c->value, c->found);
}

static const char *compare_access(const struct paging_case *c, const struct access *a,
				  const struct ref_answer *want)
{
	__u64 id = want->addr % GUEST_MEM_SIZE / PAGE_SIZE;
	__u32 value = frame_word(want->addr);

	if (c->vector != PAGING_VECTOR)
		return "a fault";
	if (a->op == FETCH || a->op == LSL)
		value = id;
	else if (a->op == WRITE)
		value = PAGING_VALUE;
	if (c->value != value)
		return "another frame";
	if (a->op == WRITE || a->op == XCHG)
		return c->found == PAGING_VALUE ? NULL : "not written";
	return c->found == frame_word(c->mem) ? NULL : "memory changed";
}

static const char *compare_fault(const struct torture *t, const struct paging_case *c,
				 const struct access *a, const struct ref_answer *want)
{
	__u64 cr2 = t->gva + (a->op == LSL ? 8 : 0);

	if (c->vector != PF_VECTOR)
		return "no fault";
	if (c->error != want->error)
		return "another error code";
	if (c->cr2 != cr2)
		return "another CR2";
	return c->found == frame_word(c->mem) ? NULL : "memory changed";
}

/*
 * A fault may leave A behind in entries that were used before the one at fault; the
 * SDM leaves it to the processor.  It must not leave D.
 */
static const char *compare_marks(struct torture *t, const struct paging_case *c,
				 const struct ref_answer *want)
{
	__u64 before, after, wanted;
	int i, k;

	for (i = 0; i < t->levels; i++) {
		before = c->entry[i];
		after = c->after[i];
		wanted = before;
		for (k = 0; k < want->nr_writes; k++)
			if (want->write[k].addr == t->slot[i])
				wanted = want->write[k].value;
		if (wanted != before)
			t->marked++;
		if (want->outcome == REF_FAULT && before & PTE_P)
			after &= ~(PTE_A & ~before);
		if (after != wanted)
			return "another entry";
	}
	return NULL;
}

static const char *compare(struct torture *t, const struct paging_case *c,
			   const struct access *a, const struct ref_answer *want)
{
	const char *wrong = want->outcome == REF_OK ? compare_access(c, a, want) :
						      compare_fault(t, c, a, want);

	return wrong ?: compare_marks(t, c, want);
}

/*
 * SMAP: RFLAGS.AC lets explicit accesses alone pass (SDM "Determination of Access
 * Rights").  Bochs 2.7 lets implicit ones pass too.
 */
static bool ac_lets_implicit_pass(struct torture *t, const struct paging_case *c,
				  const struct access *a)
{
	struct access explicit = { .op = READ, .ac = true };
	struct ref_answer want;

	if (!t->ctl.smap || a->op != LSL || !a->ac)
		return false;
	want = ask_reference(t, c, &explicit);
	want.addr += 8;
	return want.outcome == REF_OK && !compare(t, c, a, &want);
}

static void check_case(struct torture *t, const struct paging_case *c, const struct access *a)
{
	struct ref_answer want = ask_reference(t, c, a);
	const char *wrong = compare(t, c, a, &want);

	if (want.outcome == REF_OK)
		t->translated++;
	else
		t->faults[want.error & 31]++;
	if (wrong && ac_lets_implicit_pass(t, c, a))
		t->deviations++;
	else if (wrong && t->wrong++ < MAX_COMPLAINTS)
		show_case(t, c, a, wrong, &want);
}

/* ---- batches --------------------------------------------------------------- */

static void run_batch(struct torture *t)
{
	const __u64 wide = t->tables != 32;
	struct batch *b = vm_ptr(&t->vm, GUEST_DATA);
	struct paging_case *c = vm_ptr(&t->vm, CASES);
	struct mhv_sregs s;
	unsigned int i;

	if (!t->nr)
		return;
	set_mode(t);
	s = vcpu_sregs(&t->vcpu);
	*b = (struct batch){
		.left = t->nr,
		.next = CASES,
		.gva = t->gva,
		.levels = t->levels,
		.wide = wide,
		.cr0 = (s.cr0 & ~CR0_WP) | (t->ctl.wp ? CR0_WP : 0),
		.cr4 = (s.cr4 & ~CR4_PSE) | (t->pse ? CR4_PSE : 0) |
		       (t->ctl.smep ? CR4_SMEP : 0) | (t->ctl.smap ? CR4_SMAP : 0),
		.efer = (s.efer & ~EFER_NXE) | (t->ctl.nxe ? EFER_NXE : 0),
	};
	memcpy(b->slot, t->slot, sizeof(b->slot));
	if (vcpu_run(&t->vcpu) || t->vcpu.run->exit != MHV_EXIT_IO ||
	    t->vcpu.run->ioreq.addr != PORT_DONE || b->left) {
		vcpu_dump(&t->vcpu);
		die("case %llu of %u did not end", t->nr - b->left, t->nr);
	}
	vcpu_done_io(&t->vcpu);
	for (i = 0; i < t->nr; i++)
		check_case(t, &c[i], &t->access[i]);
	t->cases += t->nr;
	t->nr = 0;
}

/* @flags: of each level's entry, all but the address */
static void add_case(struct torture *t, const __u64 *flags, enum op op, bool user, bool ac)
{
	struct paging_case *c = vm_ptr(&t->vm, CASES);

	if (t->turn++ % t->stride)
		return;
	t->access[t->nr] = (struct access){ .op = op, .user = user, .ac = ac };
	fill_case(t, &c[t->nr], flags, &t->access[t->nr]);
	if (++t->nr == MAX_CASES)
		run_batch(t);
}

static void set_control(struct torture *t, struct control ctl)
{
	run_batch(t);
	t->ctl = ctl;
	t->cpu = (struct ref_cpu){
		.tables = t->tables,
		.maxphyaddr = t->phys_bits,
		.cr0_wp = ctl.wp,
		.cr4_pse = t->pse,
		.cr4_smep = ctl.smep,
		.cr4_smap = ctl.smap,
		.efer_nxe = ctl.nxe,
		.page1gb = t->gbpages,
		.cr3 = ROOT,
		.pdpte = { [2] = TABLE2 | PTE_P },
		.load = load_entry,
	};
}

static void each_control(struct torture *t, void (*add)(struct torture *t))
{
	int i;

	for (i = 0; i < 16; i++) {
		if ((i & 4 && !t->smep) || (i & 8 && !t->smap))
			continue;
		set_control(t, (struct control){ i & 1, i & 2, i & 4, i & 8 });
		add(t);
	}
	run_batch(t);
}

/* ---- what is tried ---------------------------------------------------------- */

static void all_allowed(const struct torture *t, __u64 *flags, int leaf)
{
	int i;

	for (i = 0; i < t->levels; i++)
		flags[i] = PTE_PWU;
	if (leaf)
		flags[leaf] |= PTE_PS;
}

/* The level of the largest page of the mode */
static int top_leaf(const struct torture *t)
{
	return t->levels == 4 && t->gbpages ? 2 : 1;
}

static __u64 bound_to(const struct torture *t, __u64 flags)
{
	return t->tables == 32 ? (__u32)flags : flags;
}

static void add_rights(struct torture *t, const __u64 *flags)
{
	int k;

	for (k = 0; k < NR_OPS * 4; k++)
		add_case(t, flags, k % NR_OPS, k / NR_OPS & 1, k / NR_OPS & 2);
}

/* W, U and NX in any two levels, in all ways */
static const __u64 rights[] = {
	PTE_PWU, PTE_P | PTE_W, PTE_P | PTE_U, PTE_P,
	PTE_PWU | PTE_NX, PTE_P | PTE_W | PTE_NX, PTE_P | PTE_U | PTE_NX, PTE_P | PTE_NX,
};

static void rights_of_two(struct torture *t, int leaf, int a, int b)
{
	const __u64 ps = leaf ? PTE_PS : 0;
	__u64 flags[4];
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(rights); i++) {
		for (k = 0; k < ARRAY_SIZE(rights); k++) {
			all_allowed(t, flags, leaf);
			flags[a] = bound_to(t, rights[i] | (a == leaf ? ps : 0));
			flags[b] = bound_to(t, rights[k] | (b == leaf ? ps : 0));
			add_rights(t, flags);
		}
	}
}

static void try_rights(struct torture *t)
{
	int leaf, a, b;

	for (leaf = 0; leaf <= top_leaf(t); leaf++)
		for (a = leaf; a < t->levels; a++)
			for (b = a + 1; b < t->levels; b++)
				rights_of_two(t, leaf, a, b);
}

/* What else an entry can have: ignored, reserved, or for the CPU to set */
static void add_entries(struct torture *t, const __u64 *flags)
{
	static const enum op ops[] = { READ, WRITE, FETCH, LSL };
	unsigned int k;

	for (k = 0; k < ARRAY_SIZE(ops) * 2; k++)
		add_case(t, flags, ops[k / 2], k & 1, false);
}

static void entries_of(struct torture *t, int leaf, int level)
{
	const __u64 change[] = {
		PTE_A, PTE_D, PTE_A | PTE_D, PTE_G, PTE_PWT, PTE_PCD, PTE_PS, PTE_NX,
		BIT_ULL(9), BIT_ULL(10), BIT_ULL(11),
		/* not present, and anything besides */
		PTE_P, PTE_P | PTE_A, PTE_P | PTE_PS, PTE_P | PTE_NX, PTE_P | BIT_ULL(51),
		PTE_P | BIT_ULL(62), PTE_P | PTE_W | PTE_U,
		/* reserved somewhere */
		BIT_ULL(t->phys_bits), BIT_ULL(51), BIT_ULL(51) | PTE_A, BIT_ULL(51) | PTE_U,
		BIT_ULL(52), BIT_ULL(58), BIT_ULL(59), BIT_ULL(62),
	};
	/* PAT, PSE-36, misaligned; of what maps no large page these are address */
	static const __u64 large[] = {
		BIT_ULL(12), BIT_ULL(13), BIT_ULL(20), BIT_ULL(21), BIT_ULL(13) | PTE_NX,
		BIT_ULL(29) | BIT_ULL(17),
	};
	__u64 flags[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(change); i++) {
		all_allowed(t, flags, leaf);
		flags[level] = bound_to(t, flags[level] ^ change[i]);
		add_entries(t, flags);
	}
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		all_allowed(t, flags, leaf);
		flags[level] ^= bound_to(t, large[i]);
		/* a larger page that is aligned lies elsewhere */
		if (!level || !is_leaf(t, level, flags[level]) ||
		    (large[i] & BIT_ULL(21) && t->tables != 32) ||
		    (large[i] & (BIT_ULL(20) | BIT_ULL(29)) && t->tables == 32))
			continue;
		add_entries(t, flags);
	}
}

static void try_entries(struct torture *t)
{
	int leaf, level;

	for (leaf = 0; leaf <= top_leaf(t); leaf++)
		for (level = leaf; level < t->levels; level++)
			entries_of(t, leaf, level);
}

/* Anything, at all levels at once */
static __u64 next_number(void)
{
	static __u64 state = 20260704;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static __u64 random_flags(struct torture *t, int level, int leaf)
{
	__u64 n = next_number(), flags = PTE_P | (n & (PTE_A | PTE_D | PTE_G | PTE_PCD | PTE_PWT));

	if (n >> 20 & 7)
		flags |= PTE_W;
	if (n >> 23 & 7)
		flags |= PTE_U;
	if (!(n >> 26 & 7))
		flags |= PTE_NX;
	if (!(n >> 29 & 15))
		flags &= ~PTE_P;
	if (!(n >> 33 & 15))
		flags |= BIT_ULL(52 + (n >> 37) % 11);
	if (!(n >> 41 & 31))
		flags |= BIT_ULL(t->phys_bits + (n >> 46) % (52 - t->phys_bits));
	if ((level == leaf && level) || !(n >> 52 & 31))
		flags |= PTE_PS;
	return bound_to(t, flags);
}

static void try_random(struct torture *t)
{
	__u64 flags[4], n;
	int i, k, leaf;

	for (i = 0; i < 4000; i++) {
		n = next_number();
		leaf = (n & 255) % (top_leaf(t) + 1);
		for (k = 0; k < t->levels; k++)
			flags[k] = random_flags(t, k, leaf);
		add_case(t, flags, (n >> 8 & 255) % NR_OPS, n >> 16 & 1, n >> 17 & 1);
	}
}

/* ---- the tests ------------------------------------------------------------- */

FIXTURE(walk) {
	struct torture t;
};

FIXTURE_VARIANT(walk) {
	int tables, levels;
	bool pse;
};

FIXTURE_VARIANT_ADD(walk, four_level) { .tables = 48, .levels = 4 };
FIXTURE_VARIANT_ADD(walk, pae) { .tables = 36, .levels = 2 };
FIXTURE_VARIANT_ADD(walk, two_level) { .tables = 32, .levels = 2, .pse = true };
FIXTURE_VARIANT_ADD(walk, two_level_without_pse) { .tables = 32, .levels = 2 };

FIXTURE_SETUP(walk)
{
	struct torture *t = &self->t;

	memset(t, 0, sizeof(*t));
	t->tables = variant->tables;
	t->levels = variant->levels;
	t->pse = variant->pse;
	t->gva = t->tables == 48 ? GVA64 : GVA32;
	/* shadow paging takes an exit or more for each entry that is written */
	t->stride = mhv_stride(7) * (vm_paging() == MHV_PAGING_SHADOW ? 3 : 1);
	vm_create(&t->vm);
	vcpu_create(&t->vm, &t->vcpu, 0);
	t->access = host_alloc(MAX_CASES * sizeof(*t->access));
	vm_set_slot(&t->vm, HIGH_SLOT, HIGH_GPA, t->vm.size, t->vm.mem);
	find_features(t);
	make_frames(t);
	if (t->tables == 32)
		make_tables_32(t);
	else
		make_tables_64(t);
	make_gates(t);
}

FIXTURE_TEARDOWN(walk)
{
	munmap(self->t.access, MAX_CASES * sizeof(*self->t.access));
	vcpu_destroy(&self->t.vcpu);
	vm_destroy(&self->t.vm);
}

static unsigned int sum(const unsigned int *counts, unsigned int nr)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr; i++)
		n += counts[i];
	return n;
}

#define FINISH(t)								\
	do {									\
		TH_LOG("%u cases: %u translated, %u faults, %u entries marked",	\
		       (t)->cases, (t)->translated, sum((t)->faults, 32),	\
		       (t)->marked);						\
		if ((t)->deviations)						\
			TH_LOG("%u as the emulator has it", (t)->deviations);	\
		EXPECT_EQ(0, (t)->wrong);					\
	} while (0)

TEST_F(walk, rights)
{
	static const unsigned int errors[] = { 1, 3, 5, 7 };
	struct torture *t = &self->t;
	unsigned int i;

	each_control(t, try_rights);
	FINISH(t);
	EXPECT_LT(5000 / t->stride, t->cases);
	EXPECT_LT(100, t->translated);
	/* what a part of the cases need not have */
	if (t->stride > 1)
		return;
	/* a supervisor's read is forbidden by SMAP alone */
	for (i = !t->smap; i < ARRAY_SIZE(errors); i++)
		EXPECT_LT(0, t->faults[errors[i]]);
	/* fetches: of a user, and of a supervisor by SMEP or NX */
	if (t->smep || t->tables != 32) {
		EXPECT_LT(0, t->faults[17]);
		EXPECT_LT(0, t->faults[21]);
	}
}

TEST_F(walk, entries)
{
	static const unsigned int errors[] = { 0, 2, 4, 6 };
	struct torture *t = &self->t;
	unsigned int i;

	each_control(t, try_entries);
	FINISH(t);
	EXPECT_LT(2000 / t->stride, t->cases);
	EXPECT_LT(100, t->translated);
	EXPECT_LT(100, t->marked);
	if (t->stride > 1)
		return;
	for (i = 0; i < ARRAY_SIZE(errors); i++)
		EXPECT_LT(0, t->faults[errors[i]]);
	/* reserved bits: 32-bit entries have some in large pages alone */
	for (i = 0; i < ARRAY_SIZE(errors) && (t->tables != 32 || t->pse); i++)
		EXPECT_LT(0, t->faults[errors[i] | 9]);
}

TEST_F(walk, anything)
{
	struct torture *t = &self->t;

	each_control(t, try_random);
	FINISH(t);
	EXPECT_LT(3000 / t->stride, t->cases);
	EXPECT_LT(100, t->translated);
	EXPECT_LT(100, t->marked);
}
