// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at the page tables of a VM that runs: what the guest's tables and mhv's say of
 * an address, level by level, and what mhv's hold altogether.  Nothing is changed here.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mmu.h"
#include "shadow.h"

static_assert(MHV_WALK_OK == (int)GUEST_WALK_OK && MHV_WALK_FAULT == (int)GUEST_WALK_FAULT &&
	      MHV_WALK_NO_MEMORY == (int)GUEST_WALK_NO_MEMORY &&
	      MHV_WALK_RACED == (int)GUEST_WALK_RACED);

/* ---- one address: the guest's side ------------------------------------------------ */

static void inspect_guest(struct mhv_vcpu *v, struct mhv_walk *arg)
{
	struct guest_root root;
	struct guest_walk walk;
	int level;

	arg->result = mhv_look_gva(v, arg->gva, &root, &walk);
	arg->error_code = arg->result == MHV_WALK_FAULT ? walk.error_code : 0;
	arg->top = walk.top;
	arg->bottom = walk.level;
	arg->page_shift = walk.page_shift;
	arg->gpa = walk.gpa;
	arg->cr3 = root.cr3;
	for (level = walk.top; walk.level && level >= walk.level; level--) {
		arg->level[level - 1].gpte = walk.gpte[level - 1];
		arg->level[level - 1].gpte_gpa = walk.gpte_gpa[level - 1];
	}
}

/* ---- one address: shadow tables ---------------------------------------------------- */

static u32 inspect_shadow_kind(const struct mhv_shadow *s, u64 spte, int level)
{
	if (spte == s->absent)
		return MHV_ENTRY_ABSENT;
	if (shadow_is_mmio(spte))
		return MHV_ENTRY_MMIO;
	if (!shadow_present(spte))
		return MHV_ENTRY_GNP;
	return level > 1 ? MHV_ENTRY_TABLE : MHV_ENTRY_LEAF;
}

static u32 inspect_table_flags(const struct shadow_page *sp)
{
	return (sp->unsync ? MHV_TABLE_UNSYNC : 0) | (sp->role.direct ? MHV_TABLE_DIRECT : 0);
}

static bool inspect_stale(const struct mhv_vm *vm, u64 gen)
{
	return !mhv_gen_current(gen, READ_ONCE(vm->mmio_gen));
}

static void inspect_shadow_entry(struct mhv_vm *vm, const struct shadow_page *sp, u32 index,
				 struct mhv_walk_level *l)
{
	u64 spte = sp->table[index];

	l->spte = spte;
	l->kind = inspect_shadow_kind(vm->shadow, spte, sp->role.level);
	l->flags = inspect_table_flags(sp);
	if (l->kind != MHV_ENTRY_ABSENT)
		l->made_from = sp->entry[index].gpte;
	switch (l->kind) {
	case MHV_ENTRY_TABLE:
		l->gfn = shadow_of(spte)->gfn;
		break;
	case MHV_ENTRY_LEAF:
		l->gfn = sp->entry[index].gfn;
		if (shadow_is_synced_table(vm, l->gfn))
			l->flags |= MHV_ENTRY_GUARDED;
		break;
	case MHV_ENTRY_MMIO:
		l->gfn = spte_mmio_gfn(&mhv_shadow_spte, spte);
		if (inspect_stale(vm, spte_mmio_gen(&mhv_shadow_spte, spte)))
			l->flags |= MHV_ENTRY_STALE;
		break;
	}
}

static void inspect_shadow(struct mhv_vcpu *v, struct mhv_walk *arg)
{
	struct mhv_vm *vm = v->vm;
	struct shadow_page *sp;
	int level;

	spin_lock(&vm->mmu_lock);
	sp = shadow_root(v, arg->gva);
	if (sp)
		arg->host_top = sp->role.level;
	while (sp) {
		u32 index = shadow_index(arg->gva, sp->role.level);

		level = sp->role.level;
		inspect_shadow_entry(vm, sp, index, &arg->level[level - 1]);
		sp = level > 1 && shadow_present(sp->table[index]) ?
		     shadow_of(sp->table[index]) : NULL;
	}
	spin_unlock(&vm->mmu_lock);
}

/* ---- one address: TDP ----------------------------------------------------------------- */

static void inspect_tdp_entry(struct mhv_vm *vm, gfn_t gfn, int level, u64 spte,
			      struct mhv_walk_level *l)
{
	l->spte = spte;
	l->gfn = gfn & ~(SPTE_LEVEL_PAGES(level) - 1);
	if (spte_present(spte)) {
		l->kind = spte_leaf(spte, level) ? MHV_ENTRY_LEAF : MHV_ENTRY_TABLE;
	} else if (level == 1 && spte_is_mmio(&mhv_spte, spte)) {
		l->kind = MHV_ENTRY_MMIO;
		if (inspect_stale(vm, spte_mmio_gen(&mhv_spte, spte)))
			l->flags |= MHV_ENTRY_STALE;
	} else {
		l->kind = MHV_ENTRY_ABSENT;
	}
}

static void inspect_tdp(struct mhv_vm *vm, struct mhv_walk *arg)
{
	gfn_t gfn = gpa_to_gfn(arg->gpa);
	const u64 *table = vm->tdp;
	int level;

	arg->host_top = SPTE_LEVELS;
	/* without a translation there is no frame to look for */
	if (arg->result == MHV_WALK_FAULT || arg->result == MHV_WALK_RACED)
		return;
	spin_lock(&vm->mmu_lock);
	for (level = SPTE_LEVELS; level; level--) {
		u64 spte = table[spte_index(gfn, level)];

		inspect_tdp_entry(vm, gfn, level, spte, &arg->level[level - 1]);
		if (arg->level[level - 1].kind != MHV_ENTRY_TABLE)
			break;
		table = __va(spte & SPTE_ADDR_MASK);
	}
	spin_unlock(&vm->mmu_lock);
}

/**
 * mhv_walk - MHV_WALK
 * @v: a loaded vCPU
 * @arg: in and out, as the uapi header says
 *
 * Context: may sleep.
 * Return: 0 or -EINVAL.
 */
int mhv_walk(struct mhv_vcpu *v, struct mhv_walk *arg)
{
	struct mhv_walk out = { .gva = arg->gva, .paging = v->vm->paging };

	if (arg->flags || memchr_inv(arg->reserved, 0, sizeof(arg->reserved)) ||
	    (s64)arg->gva << 16 >> 16 != (s64)arg->gva)
		return -EINVAL;
	*arg = out;
	inspect_guest(v, arg);
	if (v->vm->shadow)
		inspect_shadow(v, arg);
	else
		inspect_tdp(v->vm, arg);
	return 0;
}

/* ---- all of it -------------------------------------------------------------------------- */

static void inspect_count(struct mhv_mmu_table *t, u64 spte, u64 write, u64 accessed, u64 dirty)
{
	t->present++;
	t->writable += !!(spte & write);
	t->accessed += !!(spte & accessed);
	t->dirty += !!(spte & dirty);
}

/* A page that many ways lead to counts once: there may be more ways than time. */
static void inspect_count_shadow(struct mhv_vm *vm, struct shadow_page *sp, bool deep,
				 struct mhv_mmu_table *t)
{
	u32 i;

	if (sp->counted == vm->shadow->counts)
		return;
	sp->counted = vm->shadow->counts;
	t->tables++;
	for (i = 0; i < SPTE_ENTRIES; i++) {
		u64 spte = sp->table[i];

		switch (inspect_shadow_kind(vm->shadow, spte, sp->role.level)) {
		case MHV_ENTRY_TABLE:
			if (deep)
				inspect_count_shadow(vm, shadow_of(spte), deep, t);
			break;
		case MHV_ENTRY_LEAF:
			inspect_count(t, spte, PTE_W, PTE_A, PTE_D);
			break;
		case MHV_ENTRY_MMIO:
			t->mmio++;
			break;
		case MHV_ENTRY_GNP:
			t->gnp++;
			break;
		}
	}
}

/**
 * mhv_shadow_count - what a shadow page holds
 * @vm: the VM, mmu_lock held
 * @sp: the page
 * @deep: with all that it leads to
 * @t: added to
 */
void mhv_shadow_count(struct mhv_vm *vm, struct shadow_page *sp, bool deep,
		      struct mhv_mmu_table *t)
{
	lockdep_assert_held(&vm->mmu_lock);
	vm->shadow->counts++;
	inspect_count_shadow(vm, sp, deep, t);
}

/*
 * What there is at @gfn: a table of level 1, a large page, or nothing.  A table above counts
 * where it begins.  Returns the first frame after that.
 */
static gfn_t inspect_count_tdp(const u64 *table, gfn_t gfn, struct mhv_mmu_table *t)
{
	int level, i;

	for (level = SPTE_LEVELS; level > 1; level--) {
		u64 spte = table[spte_index(gfn, level)];

		t->tables += !(gfn & (SPTE_LEVEL_PAGES(level + 1) - 1));
		if (!spte_present(spte) || spte_leaf(spte, level)) {
			if (spte_present(spte))
				inspect_count(t, spte, mhv_spte.write, mhv_spte.accessed,
					      mhv_spte.dirty);
			return gfn + SPTE_LEVEL_PAGES(level);
		}
		table = __va(spte & SPTE_ADDR_MASK);
	}
	t->tables++;
	for (i = 0; i < SPTE_ENTRIES; i++)
		if (spte_present(table[i]))
			inspect_count(t, table[i], mhv_spte.write, mhv_spte.accessed,
				      mhv_spte.dirty);
		else
			t->mmio += spte_is_mmio(&mhv_spte, table[i]);
	return gfn + SPTE_ENTRIES;
}

/* What CR3 or a PDPTE can lead to: the highest level of its kind, all rights. */
static bool inspect_is_root(const struct shadow_page *sp)
{
	int top = sp->role.paging == GUEST_PAGING_4LEVEL ? 4 : 2;

	return sp->roots || (sp->role.level == top && sp->role.access == GUEST_RIGHT_ALL &&
			     hlist_empty(&sp->parents));
}

/**
 * struct inspect_key - names a shadow page while mmu_lock is let go
 * @gfn: of the guest table
 * @role: likewise
 */
struct inspect_key {
	gfn_t gfn;
	union shadow_role role;
};

static u32 inspect_list(struct mhv_vm *vm, u32 what, struct inspect_key *key, u32 room)
{
	struct shadow_page *sp;
	u32 nr = 0;

	spin_lock(&vm->mmu_lock);
	list_for_each_entry(sp, &vm->shadow->pages, link) {
		if (what == MHV_DUMP_ROOTS && !inspect_is_root(sp))
			continue;
		if (nr < room)
			key[nr] = (struct inspect_key){ sp->gfn, sp->role };
		nr++;
	}
	spin_unlock(&vm->mmu_lock);
	return nr;
}

/* False: it is gone meanwhile. */
static bool inspect_table(struct mhv_vm *vm, u32 what, const struct inspect_key *key,
			  struct mhv_mmu_table *t)
{
	struct shadow_page *sp;

	*t = (struct mhv_mmu_table){
		.gfn = key->gfn, .level = key->role.level, .quadrant = key->role.quadrant,
	};
	spin_lock(&vm->mmu_lock);
	sp = shadow_find(vm, key->gfn, key->role);
	if (sp) {
		t->flags = inspect_table_flags(sp);
		t->vcpus = shadow_vcpus(vm, sp);
		mhv_shadow_count(vm, sp, what == MHV_DUMP_ROOTS, t);
	}
	spin_unlock(&vm->mmu_lock);
	cond_resched();
	return sp;
}

static int inspect_copy(struct mhv_mmu *arg, u32 i, const struct mhv_mmu_table *t)
{
	struct mhv_mmu_table __user *to = u64_to_user_ptr(arg->entries);

	return copy_to_user(to + i, t, sizeof(*t)) ? -EFAULT : 0;
}

static int inspect_dump_shadow(struct mhv_vm *vm, struct mhv_mmu *arg)
{
	u32 room = min_t(unsigned long, arg->nr, READ_ONCE(vm->shadow->nr_pages) + 1);
	struct inspect_key *key = kvcalloc(room + 1, sizeof(*key), GFP_KERNEL_ACCOUNT);
	u32 i, nr, done = 0;
	int ret = 0;

	if (!key)
		return -ENOMEM;
	nr = inspect_list(vm, arg->what, key, room);
	for (i = 0; i < min(nr, room) && !ret; i++) {
		struct mhv_mmu_table t;

		if (inspect_table(vm, arg->what, &key[i], &t))
			ret = inspect_copy(arg, done++, &t);
	}
	kvfree(key);
	arg->nr = nr > room ? nr : done;
	return ret;
}

static int inspect_dump_tdp(struct mhv_vm *vm, struct mhv_mmu *arg)
{
	struct mhv_mmu_table t = { .level = SPTE_LEVELS };
	u32 room = arg->nr;
	gfn_t gfn = 0;
	int i;

	arg->nr = 0;
	if (arg->what != MHV_DUMP_ROOTS)
		return 0;
	arg->nr = 1;
	if (!room)
		return 0;
	for (i = 0; i < MHV_MAX_VCPUS; i++)
		t.vcpus += !!mhv_vm_vcpu(vm, i);
	while (gfn < SPTE_LEVEL_PAGES(SPTE_LEVELS + 1)) {
		spin_lock(&vm->mmu_lock);
		gfn = inspect_count_tdp(vm->tdp, gfn, &t);
		spin_unlock(&vm->mmu_lock);
		cond_resched();
	}
	return inspect_copy(arg, 0, &t);
}

static void inspect_totals(struct mhv_vm *vm, struct mhv_mmu *arg)
{
	struct mhv_shadow *s = vm->shadow;
	struct shadow_page *sp;

	spin_lock(&vm->mmu_lock);
	arg->tables = s ? s->nr_pages : vm->tdp_tables;
	arg->limit = s ? s->limit : 0;
	arg->leaves = s ? s->nr_rmap : 0;
	arg->shrunk = s ? s->shrunk : 0;
	arg->unsync = 0;
	if (s)
		list_for_each_entry(sp, &s->unsync, unsync_link)
			arg->unsync++;
	spin_unlock(&vm->mmu_lock);
}

/**
 * mhv_dump_mmu - MHV_DUMP_MMU
 * @vm: the VM
 * @arg: in and out, as the uapi header says
 *
 * Context: may sleep.  mmu_lock is let go between tables, so that what is told of each
 * is of one moment, but not of the same for all.
 * Return: 0, -EINVAL, -ENOMEM or -EFAULT.
 */
int mhv_dump_mmu(struct mhv_vm *vm, struct mhv_mmu *arg)
{
	if (arg->what > MHV_DUMP_TABLES || memchr_inv(arg->reserved, 0, sizeof(arg->reserved)))
		return -EINVAL;
	arg->paging = vm->paging;
	inspect_totals(vm, arg);
	return vm->shadow ? inspect_dump_shadow(vm, arg) : inspect_dump_tdp(vm, arg);
}
