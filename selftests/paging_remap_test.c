// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that changes its page tables all the time, in all the ways there are, and
 * after each change looks whether memory is what the tables say: every frame holds its
 * own address, so that a load tells which one was reached.
 *
 * Only what was invalidated is looked at: that an old translation lives on without
 * that is neither asked for nor forbidden.
 */
#include "mhv_test.h"

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_G		BIT_ULL(8)
#define PTE_TABLE	(PTE_P | PTE_W | PTE_U)
#define PTE_ADDR	0xffffffffff000ull

/* Two address spaces that have the kernel's memory in common, and more */
#define ROOT(space)	(0x100000ull + (space) * PAGE_SIZE)
#define PDPT(space)	(0x102000ull + (space) * PAGE_SIZE)
#define PD(space)	(0x104000ull + (space) * PAGE_SIZE)
#define SPARE		0x106000ull
/* 0-3: of space 0, 4-7: of both, 8-11: of space 1 */
#define PT(n)		(0x110000ull + (n) * PAGE_SIZE)
#define NR_PD		8
#define FIRST_SHARED	4
#define FRAME(n)	(0x400000ull + (n) * PAGE_SIZE)
#define NR_FRAMES	64
#define LARGE_FRAME	0x800000ull

#define WINDOW		BIT_ULL(39)		/* entry 1 of the root */
#define SELF		510			/* the root's entry that is the root */
#define SELF_TABLES	(0xffffull << 48 | (__u64)SELF << 39)
#define POISON		0xdead0000beef0067ull	/* looks like an entry */

enum { RUNNING, THROUGH, WRONG };

/* What the guest and the test share, at GUEST_DATA */
struct remap {
	__u64 seed, steps;
	__u64 state;
	/* the first thing that was wrong */
	const char *what;
	__u64 step, gva, want, got;
	/* the guest's own */
	__u64 space, spare;
	__u64 split[2][FIRST_SHARED];	/* tables of what is one large page now */
	__u64 loads, stores, faults;
	__u64 buffer[8];
	/* of two vCPUs */
	__u64 asked, answered, frame;
};

struct found {
	__u64 gpa;
	volatile __u64 *entry[4];
	int level;
	bool present, writable;
};

FIXTURE(remap) {
	struct vm vm;
	struct vcpu vcpu;
	volatile struct remap *r;
};

/* Any exception but #PF ends the guest with its state still RUNNING. */
GUEST_ASM(guest_lost, 64, G_DONE);

static void own_frames(struct vm *vm, __u64 gpa, int pages)
{
	for (; pages--; gpa += PAGE_SIZE)
		*(__u64 *)vm_ptr(vm, gpa) = gpa;
}

static void build_spaces(struct vm *vm)
{
	__u64 *root, *pd;
	int space, i;

	for (space = 0; space < 2; space++) {
		root = vm_ptr(vm, ROOT(space));
		root[0] = GUEST_PDPT | PTE_TABLE;
		root[1] = PDPT(space) | PTE_TABLE;
		root[SELF] = ROOT(space) | PTE_TABLE;
		*(__u64 *)vm_ptr(vm, PDPT(space)) = PD(space) | PTE_TABLE;
		pd = vm_ptr(vm, PD(space));
		for (i = 0; i < NR_PD; i++)
			pd[i] = PT(i < FIRST_SHARED && space ? i + NR_PD : i) | PTE_TABLE;
	}
}

FIXTURE_SETUP(remap)
{
	struct vm *vm = &self->vm;
	int vector;

	vm_create(vm);
	vcpu_create(vm, &self->vcpu, 0);
	build_spaces(vm);
	own_frames(vm, FRAME(0), NR_FRAMES);
	own_frames(vm, LARGE_FRAME, 512);
	for (vector = 0; vector < 32; vector++)
		if (vector != PF_VECTOR)
			vm_set_gate(vm, vector, GUEST_ADDR(guest_lost), 0, 1);
	vm_log(vm)->skip[PF_VECTOR] = 3;
	self->r = vm_ptr(vm, GUEST_DATA);
	self->r->spare = SPARE;
}

FIXTURE_TEARDOWN(remap)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* ---- the guest's side: what the CPU does --------------------------------------- */

#define LOG	((volatile struct guest_log *)GUEST_LOG)

static __always_inline __guest_regs void invalidate(__u64 gva)
{
	asm volatile("invlpg (%0)" : : "r"(gva) : "memory");
}

static __always_inline __guest_regs void set_cr3(__u64 root)
{
	asm volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

/* Forget all translations, global ones as well. */
static __always_inline __guest_regs void flush_all(void)
{
	__u64 cr4;

	asm volatile("mov %%cr4, %0\n"
		     "xor %1, %0\n"
		     "mov %0, %%cr4\n"
		     "xor %1, %0\n"
		     "mov %0, %%cr4" : "=&r"(cr4) : "i"(CR4_PGE) : "memory", "cc");
}

/* Both have 3 bytes: the handler of #PF skips them. */
static __always_inline __guest_regs __u64 load(__u64 gva)
{
	__u64 value = POISON;

	asm volatile(".byte 0x48, 0x8b, 0x07" : "+a"(value) : "D"(gva) : "memory");
	return value;
}

static __always_inline __guest_regs void store(__u64 gva, __u64 value)
{
	asm volatile(".byte 0x48, 0x89, 0x07" : : "a"(value), "D"(gva) : "memory");
}

/* ---- the guest's side: what its tables say ------------------------------------- */

static __guest void look_up(__u64 root, __u64 gva, struct found *f)
{
	__u64 table = root, value;

	f->writable = true;
	f->present = false;
	for (f->level = 3; ; f->level--) {
		f->entry[f->level] = (void *)(table + (gva >> (12 + 9 * f->level)) % 512 * 8);
		value = *f->entry[f->level];
		if (!(value & PTE_P))
			return;
		f->writable = f->writable && value & PTE_W;
		table = value & PTE_ADDR;
		if (!f->level || value & PTE_PS)
			break;
	}
	f->gpa = table + gva % (1ull << (12 + 9 * f->level));
	f->present = true;
}

static __guest void wrong(volatile struct remap *r, const char *what, __u64 gva, __u64 want,
			  __u64 got)
{
	r->what = what;
	r->gva = gva;
	r->want = want;
	r->got = got;
	r->state = WRONG;
	guest_done();
}

/* The access of a moment ago must have ended in this #PF, or, with -1, in none. */
static __guest void want_fault(volatile struct remap *r, __u64 gva, __u64 before, __s64 error)
{
	volatile struct guest_log_entry *e = &LOG->entry[before % LOG_ENTRIES];

	if (error < 0 && LOG->count != before)
		wrong(r, "a fault", gva, 0, e->error);
	if (error < 0)
		return;
	r->faults++;
	if (LOG->count != before + 1)
		wrong(r, "no fault", gva, error, 0);
	if (e->error != (__u64)error)
		wrong(r, "error code", gva, error, e->error);
	if (e->cr2 != gva)
		wrong(r, "CR2", gva, gva, e->cr2);
}

static __guest void want_marks(volatile struct remap *r, __u64 gva, const struct found *f)
{
	int i;

	for (i = 3; i >= f->level; i--)
		if (!(*f->entry[i] & PTE_A))
			wrong(r, "A is missing", gva, i, *f->entry[i]);
	if (!(*f->entry[f->level] & PTE_D))
		wrong(r, "D is missing", gva, f->level, *f->entry[f->level]);
}

/* A page of the current space must be what the tables say. */
static __guest void look(volatile struct remap *r, __u64 gva)
{
	__u64 before = LOG->count, value = gva ^ r->seed;
	struct found f;

	look_up(ROOT(r->space), gva, &f);
	r->loads++;
	if (load(gva) != (f.present ? f.gpa : POISON) && LOG->count == before)
		wrong(r, "frame", gva, f.present ? f.gpa : 0, load(gva));
	want_fault(r, gva, before, f.present ? -1 : 0);

	before = LOG->count;
	store(gva + 8, value);
	want_fault(r, gva + 8, before, !f.present ? 2 : f.writable ? -1 : 3);
	if (!f.present || !f.writable)
		return;
	r->stores++;
	if (load(f.gpa + 8) != value)
		wrong(r, "where a store went", gva, value, load(f.gpa + 8));
	want_marks(r, gva, &f);
}

/* ---- the guest's side: ways to write an entry ---------------------------------- */

static __guest void write_entry(volatile __u64 *p, __u64 value, unsigned int how)
{
	volatile __u32 *half = (volatile __u32 *)p;
	__u64 old = *p, other;

	switch (how) {
	case 0:
		*p = value;
		break;
	case 1:
		asm volatile("xchg %0, %1" : "+r"(value), "+m"(*p));
		break;
	case 2:
		asm volatile("lock cmpxchg %2, %1" : "+a"(old), "+m"(*p) : "r"(value) : "cc");
		break;
	case 3:
		asm volatile("mov %%rsp, %%r8\n"
			     "lea 8(%0), %%rsp\n"
			     "push %1\n"
			     "mov %%r8, %%rsp" : : "r"(p), "a"(value) : "r8", "memory");
		break;
	case 4:
		half[0] = 0;
		half[1] = value >> 32;
		half[0] = value;
		break;
	case 5:
		asm volatile("movnti %1, %0" : "=m"(*p) : "r"(value));
		break;
	case 6:
		/* the entry and its neighbour, which stays as it is */
		p = (volatile __u64 *)((__u64)p & ~15ull);
		other = (void *)half == (void *)p ? p[1] : p[0];
		asm volatile("lock cmpxchg16b %0" : "+m"(*p), "+m"(p[1])
			     : "a"(p[0]), "d"(p[1]),
			       "b"((void *)half == (void *)p ? value : other),
			       "c"((void *)half == (void *)p ? other : value) : "cc");
		break;
	case 7:
		asm volatile("lock andq $0, %0\n"
			     "lock orq %1, %0" : "+m"(*p) : "r"(value) : "cc");
		break;
	case 8:
		asm volatile("lock xadd %0, %1" : "=&r"(other), "+m"(*p)
			     : "0"(value - *p) : "cc");
		break;
	case 9:
		asm volatile("pushq %1\n"
			     "popq %0" : "=m"(*p) : "r"(value));
		break;
	}
}

#define NR_HOW 10

static __always_inline __guest_regs void fill(__u64 to, __u64 value, __u64 count)
{
	asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

static __always_inline __guest_regs void copy(__u64 to, __u64 from, __u64 count)
{
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* ---- the guest's side: steps ---------------------------------------------------- */

static __guest __u64 next_number(volatile struct remap *r)
{
	__u64 n = r->seed;

	n ^= n << 13;
	n ^= n >> 7;
	n ^= n << 17;
	r->seed = n;
	return n;
}

static __guest __u64 random_leaf(volatile struct remap *r, unsigned int pd)
{
	__u64 n = next_number(r), flags = PTE_U;

	if (n & 7)
		flags |= PTE_P;
	if (n & 0x18)
		flags |= PTE_W;
	/* what both spaces have at one address may be global */
	if (pd >= FIRST_SHARED && !(n & 0x60))
		flags |= PTE_G;
	return FRAME((n >> 8) % NR_FRAMES) | flags;
}

/* The first and the last 8 entries of a table are in use. */
static __guest unsigned int random_index(volatile struct remap *r)
{
	__u64 n = next_number(r) >> 20;

	return n & 8 ? 504 + n % 8 : n % 8;
}

static __always_inline __guest_regs __u64 window(unsigned int pd, unsigned int pt)
{
	return WINDOW + ((__u64)pd << 21) + ((__u64)pt << 12);
}

/* The entry as the root's entry for itself shows it, where that can be written */
static __guest __u64 entry_address(unsigned int pd, const struct found *f, bool self)
{
	__u64 gva = (__u64)f->entry[0];

	if (!self || !(*f->entry[1] & PTE_W))
		return gva;
	return SELF_TABLES | 1ull << 30 | (__u64)pd << 12 | gva % PAGE_SIZE;
}

/* One entry, or a few by a string instruction */
static __guest void step_remap(volatile struct remap *r)
{
	__u64 n = next_number(r), p, value;
	unsigned int pd = n % NR_PD, pt = random_index(r), count = 1, i;
	struct found f;

	look_up(ROOT(r->space), window(pd, pt), &f);
	if (f.level)
		return;
	p = entry_address(pd, &f, n & 0x100);
	value = random_leaf(r, pd);
	switch (n >> 16 & 7) {
	case 0:
		count = 1 + (n >> 20) % 4;
		if (pt + count > 512)
			count = 1;
		fill(p, value, count);
		break;
	case 1:
		count = 1 + (n >> 20) % 4;
		if (pt + count > 512)
			count = 1;
		for (i = 0; i < count; i++)
			r->buffer[i] = random_leaf(r, pd);
		copy(p, (__u64)r->buffer, count);
		break;
	default:
		write_entry((void *)p, value, (n >> 20) % NR_HOW);
	}
	for (i = 0; i < count; i++) {
		invalidate(window(pd, pt + i));
		look(r, window(pd, pt + i));
	}
}

/* 8 bytes at once: half of a table's last entry and half of the next one's first */
static __guest void step_cross(volatile struct remap *r)
{
	__u64 table = PT(next_number(r) % 7), first, last;

	/* the next table may be one that both spaces have: nothing is global */
	first = random_leaf(r, 0);
	last = random_leaf(r, 0);
	*(volatile __u32 *)(table + 0xff8) = 0;
	asm volatile("movq %1, %0" : "=m"(*(volatile __u64 *)(table + 0xffc))
		     : "r"(last >> 32 | first << 32));
	*(volatile __u32 *)(table + 0xff8) = last;
	flush_all();
}

/* 2 MiB in one piece, and back; not where there are two entries for one table */
static __guest void step_split(volatile struct remap *r)
{
	__u64 n = next_number(r), table;
	unsigned int pd = n % FIRST_SHARED, i;
	volatile __u64 *entry;
	struct found f;

	look_up(ROOT(r->space), window(pd, 0), &f);
	entry = f.entry[1];
	if (*entry & PTE_PS) {
		table = r->split[r->space][pd];
		for (i = 0; i < 512 && n & 0x100; i++)
			*(volatile __u64 *)(table + i * 8) =
				(LARGE_FRAME + i * PAGE_SIZE) | PTE_TABLE;
		*(volatile __u64 *)(table + random_index(r) * 8) = random_leaf(r, pd);
		write_entry(entry, table | PTE_TABLE, (n >> 20) % NR_HOW);
	} else {
		r->split[r->space][pd] = *entry & PTE_ADDR;
		write_entry(entry, LARGE_FRAME | PTE_P | PTE_U | PTE_PS | (n & 0x200 ? PTE_W : 0),
			    (n >> 20) % NR_HOW);
	}
	flush_all();
}

/*
 * Take W from 2 MiB, or give it back; where there may be global entries, in both
 * spaces.
 */
static __guest void step_protect(volatile struct remap *r)
{
	unsigned int pd = next_number(r) % NR_PD;
	struct found f;

	look_up(ROOT(r->space), window(pd, 0), &f);
	asm volatile("lock btcq $1, %0" : "+m"(*f.entry[1]) : : "cc");
	if (pd < FIRST_SHARED) {
		set_cr3(ROOT(r->space));
		return;
	}
	look_up(ROOT(!r->space), window(pd, 0), &f);
	asm volatile("lock btcq $1, %0" : "+m"(*f.entry[1]) : : "cc");
	flush_all();
}

/* Two tables change places. */
static __guest void step_swap(volatile struct remap *r)
{
	__u64 n = next_number(r), first;
	struct found a, b;

	look_up(ROOT(r->space), window(n % FIRST_SHARED, 0), &a);
	look_up(ROOT(r->space), window((n >> 8) % FIRST_SHARED, 0), &b);
	if ((*a.entry[1] | *b.entry[1]) & PTE_PS)
		return;
	first = *a.entry[1];
	write_entry(a.entry[1], *b.entry[1], (n >> 20) % NR_HOW);
	write_entry(b.entry[1], first, (n >> 24) % NR_HOW);
	set_cr3(ROOT(r->space));
}

/* The page directory or what is above it moves; its old page is free for anything. */
static __guest void step_move(volatile struct remap *r)
{
	__u64 n = next_number(r), old, new = r->spare;
	int level = 2 + n % 2;
	struct found f;

	look_up(ROOT(r->space), WINDOW, &f);
	old = *f.entry[level] & PTE_ADDR;
	copy(new, old, 512);
	write_entry(f.entry[level], new | PTE_TABLE, (n >> 20) % NR_HOW);
	flush_all();
	fill(old, POISON, 512);
	r->spare = old;
}

static __guest void step_switch(volatile struct remap *r)
{
	r->space ^= 1;
	set_cr3(ROOT(r->space));
}

static __guest void step(volatile struct remap *r)
{
	switch (next_number(r) % 16) {
	case 0:
		step_cross(r);
		break;
	case 1:
		step_split(r);
		break;
	case 2:
		step_protect(r);
		break;
	case 3:
		step_swap(r);
		break;
	case 4:
		step_move(r);
		break;
	case 5:
	case 6:
		step_switch(r);
		break;
	default:
		step_remap(r);
	}
}

static __guest void guest_remap(volatile struct remap *r)
{
	int i;

	for (r->step = 0; r->step < r->steps; r->step++) {
		step(r);
		for (i = 0; i < 4; i++)
			look(r, window(next_number(r) % NR_PD, random_index(r)));
	}
	r->state = THROUGH;
	guest_done();
}

/* ---- one thing at a time ---------------------------------------------------------- */

/* Not even all of its stack is the guest's own: an entry is where the stack is. */
static __guest void guest_stack_in_table(volatile struct remap *r)
{
	__u64 gva = window(0, 100), frame;

	for (r->step = 0; r->step < r->steps; r->step++) {
		frame = FRAME(r->step % NR_FRAMES) | PTE_TABLE;
		/* by a call: the return address is no entry, what is below it will be one */
		asm volatile("mov %%rsp, %%r8\n"
			     "lea 16(%0), %%rsp\n"
			     "push $0\n"
			     "call 1f\n"
			     "1: pop %%rax\n"
			     "push %1\n"
			     "mov %%r8, %%rsp\n"
			     : : "r"(PT(0) + 100 * 8), "r"(frame) : "rax", "r8", "memory");
		invalidate(gva);
		invalidate(gva + PAGE_SIZE);
		look(r, gva);
		look(r, gva + PAGE_SIZE);
	}
	r->state = THROUGH;
	guest_done();
}

/* mov %rsi, (%rdi); invlpg (%rdx); mov (%rdx), %rax; ret */
#define CODE_IN_TABLE "\x48\x89\x37\x0f\x01\x3a\x48\x8b\x02\xc3"

/* Code that lies in the table that it writes to */
static __guest void guest_code_in_table(volatile struct remap *r)
{
	__u64 gva = window(0, 100), code = PT(0) + 300 * 8, entry = PT(0) + 100 * 8, got;
	__u64 value, frame;

	for (r->step = 0; r->step < r->steps; r->step++) {
		frame = FRAME(r->step % NR_FRAMES);
		value = frame | PTE_TABLE;
		asm volatile("call *%1" : "=a"(got)
			     : "r"(code), "D"(entry), "S"(value), "d"(gva) : "memory");
		if (got != frame)
			wrong(r, "frame", gva, frame, got);
		look(r, gva);
	}
	r->state = THROUGH;
	guest_done();
}

/* Global entries: gone by INVLPG, and by CR4.PGE either way. */
static __guest void guest_global(volatile struct remap *r)
{
	volatile __u64 *entry = (void *)(PT(FIRST_SHARED) + 7 * 8);
	__u64 gva = window(FIRST_SHARED, 7);

	for (r->step = 0; r->step < r->steps; r->step++) {
		*entry = FRAME(next_number(r) % NR_FRAMES) | PTE_TABLE | PTE_G;
		if (r->step & 1)
			invalidate(gva);
		else
			flush_all();
		look(r, gva);
		if (r->step & 2)
			step_switch(r);
		look(r, gva);
	}
	r->state = THROUGH;
	guest_done();
}

/* A large page whose table is never freed: split, one page changed, joined again */
static __guest void guest_split(volatile struct remap *r)
{
	volatile __u64 *pde = (void *)PD(0), *entry;
	int i;

	for (i = 0; i < 512; i++)
		*(volatile __u64 *)(PT(0) + i * 8) = (LARGE_FRAME + i * PAGE_SIZE) | PTE_TABLE;
	for (r->step = 0; r->step < r->steps; r->step++) {
		write_entry(pde, LARGE_FRAME | PTE_TABLE | PTE_PS, r->step % NR_HOW);
		flush_all();
		look(r, window(0, r->step % 512));
		look(r, window(0, next_number(r) % 512));

		entry = (void *)(PT(0) + next_number(r) % 512 * 8);
		*entry = random_leaf(r, 0);
		write_entry(pde, PT(0) | PTE_TABLE, (r->step + 3) % NR_HOW);
		flush_all();
		for (i = 0; i < 512; i += 61)
			look(r, window(0, i));
		look(r, window(0, ((__u64)entry - PT(0)) / 8));
		*entry = (LARGE_FRAME + ((__u64)entry - PT(0)) / 8 * PAGE_SIZE) | PTE_TABLE;
		invalidate(window(0, ((__u64)entry - PT(0)) / 8));
	}
	r->state = THROUGH;
	guest_done();
}

/* ---- two vCPUs ------------------------------------------------------------------- */

#define SHARED_GVA	window(0, 9)
#define UNTOUCHED	0x1111

static __guest void ask_other(volatile struct remap *r, __u64 frame)
{
	r->frame = frame;
	r->asked++;
	while (r->answered != r->asked && r->state == RUNNING)
		asm volatile("pause");
}

/*
 * Changes what both have mapped, or the table that it is in, and asks the other vCPU to
 * forget it.  After the answer the old page is free: nobody may read or write it.
 */
static __guest void guest_shoot(volatile struct remap *r)
{
	volatile __u64 *pde = (void *)PD(0);
	__u64 table = PT(0), old = 0, frame = FRAME(0), other;

	for (r->step = 0; r->step < r->steps && r->state == RUNNING; r->step++) {
		if (r->step % 4 == 3) {
			other = r->spare;
			copy(other, table, 512);
			*pde = other | PTE_TABLE;
			invalidate(SHARED_GVA);
			ask_other(r, frame);
			fill(table, POISON, 512);
			r->spare = table;
			table = other;
			continue;
		}
		old = frame;
		frame = FRAME(1 + r->step % (NR_FRAMES - 1));
		if (r->step > NR_FRAMES * 2 && ((volatile __u64 *)frame)[1] != UNTOUCHED)
			wrong(r, "a store went to a free page", SHARED_GVA, UNTOUCHED,
			      ((volatile __u64 *)frame)[1]);
		*(volatile __u64 *)frame = frame;
		/* in one piece, and whatever the other CPU marks meanwhile: MOV or XCHG */
		write_entry((void *)(table + 9 * 8), frame | PTE_TABLE, r->step % 2);
		invalidate(SHARED_GVA);
		ask_other(r, frame);
		((volatile __u64 *)old)[0] = POISON;
		((volatile __u64 *)old)[1] = UNTOUCHED;
		if (load(SHARED_GVA) != frame)
			wrong(r, "frame", SHARED_GVA, frame, load(SHARED_GVA));
	}
	if (r->state == RUNNING)
		r->state = THROUGH;
	guest_done();
}

/* The other vCPU: uses the page all the time. */
static __guest void guest_target(volatile struct remap *r)
{
	__u64 value, asked;

	while (r->state == RUNNING) {
		value = load(SHARED_GVA);
		if (value < FRAME(0) || value > FRAME(NR_FRAMES))
			wrong(r, "a free page was read", SHARED_GVA, r->frame, value);
		store(SHARED_GVA + 8, value);
		r->loads++;
		asked = r->asked;
		if (asked == r->answered)
			continue;
		invalidate(SHARED_GVA);
		value = load(SHARED_GVA);
		if (value != r->frame)
			wrong(r, "frame after INVLPG", SHARED_GVA, r->frame, value);
		r->answered = asked;
	}
	guest_done();
}

/* ---- the tests ------------------------------------------------------------------- */

static void start(struct vcpu *vcpu, const void *code)
{
	struct mhv_sregs s;
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	s = vcpu_sregs(vcpu);
	s.cr3 = ROOT(0);
	s.cr4 |= CR4_PGE;
	vcpu_set_sregs(vcpu, &s);
	regs = vcpu_regs(vcpu);
	regs.rdi = GUEST_DATA;
	vcpu_set_regs(vcpu, &regs);
}

/* Each step is some instructions under EPT, and some exits more under shadow paging. */
static __u64 steps(__u64 nr)
{
	return nr / mhv_stride(20) / (vm_paging() == MHV_PAGING_SHADOW ? 10 : 1);
}

/* @r->what is an address in the guest's copy of this binary, which is right here too. */
static void show(const volatile struct remap *r)
{
	if (r->state == WRONG)
		fprintf(stderr, "# step %llu, space %llu: %s at %llx: wanted %llx, got %llx\n",
			r->step, r->space, r->what, r->gva, r->want, r->got);
	else
		fprintf(stderr, "# step %llu: lost\n", r->step);
}

#define RUN(code, nr)								\
	do {									\
		self->r->steps = steps(nr);					\
		self->r->seed = 20260815;					\
		start(&self->vcpu, code);					\
		ASSERT_DONE(&self->vcpu);					\
		EXPECT_EQ(THROUGH, self->r->state) {				\
			show(self->r);						\
			vcpu_dump(&self->vcpu);					\
		}								\
		TH_LOG("%llu steps, %llu loads, %llu stores, %llu faults",	\
		       self->r->step, self->r->loads, self->r->stores,		\
		       self->r->faults);					\
	} while (0)

GUEST_ASM(guest_invlpg, 64, "invlpg (%rcx)\n" G_DONE);

/* An address that is not canonical is no error, neither the guest's nor the host's. */
TEST_F(remap, invlpg_of_no_address)
{
	static const __u64 gva[] = { BIT_ULL(47), BIT_ULL(63), ~0ull << 48, BIT_ULL(62) | 0x1000 };
	struct mhv_regs regs;
	__u64 value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gva); i++) {
		vcpu_set_long(&self->vcpu, guest_invlpg);
		regs = vcpu_regs(&self->vcpu);
		regs.rcx = gva[i];
		vcpu_set_regs(&self->vcpu, &regs);
		ASSERT_EQ(0, vcpu_again(&self->vcpu, &value))
			vcpu_dump(&self->vcpu);
	}
	EXPECT_EQ(0, vm_log(&self->vm)->count);
	if (vm_is_shadowed(&self->vm))
		EXPECT_EQ(ARRAY_SIZE(gva), vcpu_stat(&self->vcpu, "exit_invlpg"));
}

TEST_F(remap, anything)
{
	RUN(guest_remap, 100000);
	EXPECT_LT(self->r->steps / 2, self->r->stores);
	EXPECT_LT(self->r->steps / 8, self->r->faults);
}

TEST_F(remap, split)
{
	RUN(guest_split, 10000);
}

TEST_F(remap, global)
{
	RUN(guest_global, 20000);
}

TEST_F(remap, stack_in_table)
{
	RUN(guest_stack_in_table, 20000);
}

TEST_F(remap, code_in_table)
{
	memcpy(vm_ptr(&self->vm, PT(0) + 300 * 8), CODE_IN_TABLE, sizeof(CODE_IN_TABLE) - 1);
	RUN(guest_code_in_table, 20000);
}

struct runner {
	struct vcpu *vcpu;
	int cpu, ret;
	__u32 exit;
};

static void *runner_thread(void *arg)
{
	struct runner *r = arg;

	host_pin(r->cpu);
	r->ret = vcpu_run(r->vcpu);
	r->exit = r->vcpu->run->exit;
	return NULL;
}

TEST_F(remap, shootdown)
{
	static const char *const code[] = { (char *)guest_shoot, (char *)guest_target };
	struct vcpu second, *vcpu[] = { &self->vcpu, &second };
	struct mhv_regs regs;
	struct runner r[2];
	pthread_t thread[2];
	int i;

	if (host_cpus() < 2)
		SKIP(return, "the host has one CPU");
	vcpu_create(&self->vm, &second, 1);
	self->r->steps = steps(20000);
	self->r->frame = FRAME(0);
	*(__u64 *)vm_ptr(&self->vm, PT(0) + 9 * 8) = FRAME(0) | PTE_TABLE;
	for (i = 0; i < 2; i++) {
		start(vcpu[i], code[i]);
		r[i] = (struct runner){ .vcpu = vcpu[i], .cpu = i };
	}
	regs = vcpu_regs(&second);
	regs.rsp = GUEST_USTACK - 8;
	vcpu_set_regs(&second, &regs);
	for (i = 0; i < 2; i++)
		host_start(&thread[i], runner_thread, &r[i]);
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, r[i].ret);
		EXPECT_EQ(MHV_EXIT_IO, r[i].exit)
			vcpu_dump(vcpu[i]);
	}
	EXPECT_EQ(THROUGH, self->r->state)
		show(self->r);
	EXPECT_EQ(self->r->steps, self->r->asked);
	EXPECT_EQ(self->r->steps, self->r->answered);
	TH_LOG("%llu steps, %llu loads by the other", self->r->step, self->r->loads);
	vcpu_destroy(&second);
}
