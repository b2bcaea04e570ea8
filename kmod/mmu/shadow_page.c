// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow pages: found by frame and role, linked to each other, taken from a pool.
 *
 * Every present entry is on one list: a link among the parents of the page it leads to,
 * a leaf among the mappings of its frame (the reverse map).  So a page or a frame that
 * goes takes away all that leads to it.
 *
 * An entry that is taken away may live on in TLBs.  That is the guest's affair until it
 * flushes them - but the host must not give the memory to anyone else before.
 * shadow->tlb_seq counts what was taken away, v->tlb_seen how far a vCPU has flushed.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../trace.h"
#include "mmu.h"
#include "shadow.h"

#define SHADOW_ENTRY_ORDER	get_order(SPTE_ENTRIES * sizeof(struct shadow_entry))
#define SHADOW_FLOOD		3	/* emulated writes to a table that is not used */

/* ---- allocation ------------------------------------------------------------- */

static void shadow_free_page(struct shadow_page *sp)
{
	if (sp->table)
		free_page((unsigned long)sp->table);
	if (sp->entry)
		free_pages((unsigned long)sp->entry, SHADOW_ENTRY_ORDER);
	kfree(sp);
}

static struct shadow_page *shadow_alloc_page(void)
{
	struct shadow_page *sp = kzalloc(sizeof(*sp), GFP_KERNEL_ACCOUNT);

	if (!sp)
		return NULL;
	sp->table = (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT);
	sp->entry = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_ZERO,
					     SHADOW_ENTRY_ORDER);
	if (!sp->table || !sp->entry) {
		shadow_free_page(sp);
		return NULL;
	}
	set_page_private(virt_to_page(sp->table), (unsigned long)sp);
	set_page_private(virt_to_page(sp->entry), (unsigned long)sp);
	return sp;
}

/**
 * shadow_fill_cache - make sure that the next fault does not lack a shadow page
 * @v: the vCPU about to take mmu_lock
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shadow_fill_cache(struct mhv_vcpu *v)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;

	while (sv->nr_cache < MHV_SHADOW_CACHE) {
		struct shadow_page *sp = shadow_alloc_page();

		if (!sp)
			return -ENOMEM;
		sv->cache[sv->nr_cache++] = sp;
	}
	return 0;
}

/**
 * shadow_drain_cache - give back what shadow_fill_cache() took
 * @v: a vCPU that runs no more
 */
void shadow_drain_cache(struct mhv_vcpu *v)
{
	while (v->shadow.nr_cache)
		shadow_free_page(v->shadow.cache[--v->shadow.nr_cache]);
}

static void shadow_free_rcu(struct rcu_head *head)
{
	shadow_free_page(container_of(head, struct shadow_page, rcu));
}

/**
 * mhv_shadow_free - free pages that were zapped
 * @freed: list of them, after the TLBs were flushed
 */
void mhv_shadow_free(struct list_head *freed)
{
	struct shadow_page *sp, *next;

	list_for_each_entry_safe(sp, next, freed, link) {
		list_del(&sp->link);
		call_rcu(&sp->rcu, shadow_free_rcu);
	}
}

/* ---- one entry ---------------------------------------------------------------- */

/**
 * shadow_drop - make an entry absent
 * @vm: the VM, mmu_lock held
 * @sp: page that holds it
 * @index: of the entry
 *
 * Return: true when TLBs may hold what was there.
 */
bool shadow_drop(struct mhv_vm *vm, struct shadow_page *sp, u32 index)
{
	struct mhv_shadow *s = vm->shadow;
	struct shadow_entry *e = &sp->entry[index];
	u64 spte = sp->table[index];

	lockdep_assert_held(&vm->mmu_lock);
	if (spte == s->absent)
		return false;
	WRITE_ONCE(sp->table[index], s->absent);
	if (s->gnp && spte == SHADOW_GNP)
		sp->nr_gnp--;
	if (!shadow_present(spte))
		return false;
	hlist_del_init(&e->node);
	if (shadow_leaf(spte, sp->role.level))
		s->nr_rmap--;
	WRITE_ONCE(s->tlb_seq, s->tlb_seq + 1);
	return true;
}

/**
 * shadow_link - let an entry lead to another shadow page
 * @vm: the VM, mmu_lock held
 * @sp: page that holds the entry
 * @index: of the entry
 * @child: where it leads
 * @gpte: guest entry it stands for
 */
void shadow_link(struct mhv_vm *vm, struct shadow_page *sp, u32 index, struct shadow_page *child,
		 u64 gpte)
{
	struct shadow_entry *e = &sp->entry[index];

	e->gpte = gpte;
	if (shadow_present(sp->table[index]) && shadow_of(sp->table[index]) == child)
		return;
	shadow_drop(vm, sp, index);
	hlist_add_head(&e->node, &child->parents);
	/* the CPU may walk it at once */
	smp_store_release(&sp->table[index], __pa(child->table) | PTE_LINK);
}

/**
 * shadow_set_leaf - map a frame
 * @vm: the VM, mmu_lock held
 * @sp: page of level 1
 * @index: of the entry
 * @spte: its value
 * @gfn: guest frame
 * @gpte: guest entry it stands for
 */
void shadow_set_leaf(struct mhv_vm *vm, struct shadow_page *sp, u32 index, u64 spte, gfn_t gfn,
		     u64 gpte)
{
	struct shadow_entry *e = &sp->entry[index];
	u64 old = sp->table[index];

	/* more rights for the same frame: what TLBs hold faults, and is looked up anew */
	if (shadow_present(old) && e->gfn == gfn && !((old ^ spte) & SPTE_ADDR_MASK) &&
	    !(old & ~spte & (PTE_W | PTE_U)) && !(spte & ~old & PTE_NX)) {
		e->gpte = gpte;
		WRITE_ONCE(sp->table[index], spte);
		return;
	}
	shadow_drop(vm, sp, index);
	e->gpte = gpte;
	e->gfn = gfn;
	hlist_add_head(&e->node, shadow_rmap(vm->shadow, gfn));
	vm->shadow->nr_rmap++;
	WRITE_ONCE(sp->table[index], spte);
}

/**
 * shadow_set_special - an entry that maps nothing but says something
 * @vm: the VM, mmu_lock held
 * @sp: page that holds it
 * @index: of the entry
 * @spte: its value: mmio or gnp
 * @gpte: guest entry it stands for
 */
void shadow_set_special(struct mhv_vm *vm, struct shadow_page *sp, u32 index, u64 spte, u64 gpte)
{
	shadow_drop(vm, sp, index);
	sp->entry[index].gpte = gpte;
	if (vm->shadow->gnp && spte == SHADOW_GNP)
		sp->nr_gnp++;
	WRITE_ONCE(sp->table[index], spte);
}

/* ---- frames -------------------------------------------------------------------- */

/**
 * shadow_write_protect - take the right to write a frame away from all its mappings
 * @vm: the VM, mmu_lock held
 * @gfn: guest frame
 *
 * Return: true when TLBs must be flushed for it to hold.
 */
bool shadow_write_protect(struct mhv_vm *vm, gfn_t gfn)
{
	struct shadow_entry *e;
	bool flush = false;

	lockdep_assert_held(&vm->mmu_lock);
	hlist_for_each_entry(e, shadow_rmap(vm->shadow, gfn), node) {
		struct shadow_page *sp;
		u32 index;

		if (e->gfn != gfn)
			continue;
		sp = shadow_entry_page(e, &index);
		if (!(sp->table[index] & PTE_W))
			continue;
		WRITE_ONCE(sp->table[index], sp->table[index] & ~(PTE_W | PTE_D));
		flush = true;
	}
	return flush;
}

static bool shadow_unmap_gfn(struct mhv_vm *vm, gfn_t gfn)
{
	struct shadow_entry *e;
	struct hlist_node *next;
	bool flush = false;

	hlist_for_each_entry_safe(e, next, shadow_rmap(vm->shadow, gfn), node) {
		struct shadow_page *sp;
		u32 index;

		if (e->gfn != gfn)
			continue;
		sp = shadow_entry_page(e, &index);
		flush |= shadow_drop(vm, sp, index);
	}
	return flush;
}

static bool shadow_age_gfn(struct mhv_vm *vm, gfn_t gfn, bool clear)
{
	struct shadow_entry *e;
	bool young = false;

	hlist_for_each_entry(e, shadow_rmap(vm->shadow, gfn), node) {
		struct shadow_page *sp;
		u32 index;

		if (e->gfn != gfn)
			continue;
		sp = shadow_entry_page(e, &index);
		if (!(sp->table[index] & PTE_A))
			continue;
		young = true;
		/* the CPU may set the dirty bit at this moment */
		if (clear)
			clear_bit(__ffs64(PTE_A), (unsigned long *)&sp->table[index]);
	}
	return young;
}

/* ---- pages ---------------------------------------------------------------------- */

/**
 * shadow_find - look a shadow page up
 * @vm: the VM, mmu_lock held
 * @gfn: frame of the guest table, or of what a direct one maps
 * @role: likewise
 */
struct shadow_page *shadow_find(struct mhv_vm *vm, gfn_t gfn, union shadow_role role)
{
	struct shadow_page *sp;

	lockdep_assert_held(&vm->mmu_lock);
	hlist_for_each_entry(sp, shadow_bucket(vm->shadow, gfn), hash)
		if (sp->gfn == gfn && sp->role.word == role.word)
			return sp;
	return NULL;
}

static struct shadow_page *shadow_new(struct mhv_vcpu *v, gfn_t gfn, union shadow_role role)
{
	struct mhv_shadow *s = v->vm->shadow;
	struct shadow_page *sp;
	u32 i;

	if (WARN_ON_ONCE(!v->shadow.nr_cache))
		return NULL;
	sp = v->shadow.cache[--v->shadow.nr_cache];
	for (i = 0; i < SPTE_ENTRIES; i++)
		sp->table[i] = s->absent;
	sp->gfn = gfn;
	sp->role = role;
	hlist_add_head(&sp->hash, shadow_bucket(s, gfn));
	list_add(&sp->link, &s->pages);
	s->nr_pages++;
	mhv_count(v, MHV_STAT_SHADOW_PAGE_NEW);
	trace_mhv_shadow_page(sp, MHV_SHADOW_NEW);
	return sp;
}

/**
 * shadow_get - find or make a shadow page, synced
 * @v: the vCPU that needs it; its cache was filled
 * @gfn: frame of the guest table, or of what a direct one maps
 * @role: likewise
 * @flush: set when TLBs must be flushed before the guest's table is read
 *
 * Context: mmu_lock held, in srcu.
 * Return: the page; NULL when the cache was not filled, a bug that is told once.
 */
struct shadow_page *shadow_get(struct mhv_vcpu *v, gfn_t gfn, union shadow_role role, bool *flush)
{
	struct mhv_vm *vm = v->vm;
	struct shadow_page *sp;

	if (!role.direct)
		shadow_sync_gfn(v, gfn);
	sp = shadow_find(vm, gfn, role);
	if (sp) {
		trace_mhv_shadow_page(sp, MHV_SHADOW_FOUND);
		shadow_used(vm, sp);
		return sp;
	}
	sp = shadow_new(v, gfn, role);
	if (sp && !role.direct)
		*flush |= shadow_write_protect(vm, gfn);
	return sp;
}

/**
 * shadow_zap - take a page out of use with all that leads to it and from it
 * @vm: the VM, mmu_lock held
 * @sp: the page
 * @freed: list that it is put on when no vCPU runs on it; to be freed after a flush
 *
 * vCPUs that run on it, or keep it, are asked to load their root anew.
 */
void shadow_zap(struct mhv_vm *vm, struct shadow_page *sp, struct list_head *freed)
{
	struct shadow_entry *e;
	struct hlist_node *next;
	u32 i;

	trace_mhv_shadow_page(sp, MHV_SHADOW_ZAP);
	for (i = 0; i < SPTE_ENTRIES; i++)
		shadow_drop(vm, sp, i);
	hlist_for_each_entry_safe(e, next, &sp->parents, node) {
		struct shadow_page *parent = shadow_entry_page(e, &i);

		shadow_drop(vm, parent, i);
	}
	hlist_del(&sp->hash);
	list_del(&sp->link);
	if (sp->unsync)
		list_del(&sp->unsync_link);
	vm->shadow->nr_pages--;
	if (sp->roots) {
		sp->zapped = true;
		mhv_request_all(vm, MHV_REQ_ROOT);
	} else {
		list_add(&sp->link, freed);
	}
}

/**
 * shadow_put_root - a vCPU neither runs on a page nor keeps it any more
 * @vm: the VM, mmu_lock held
 * @sp: the page
 * @freed: as for shadow_zap()
 */
void shadow_put_root(struct mhv_vm *vm, struct shadow_page *sp, struct list_head *freed)
{
	lockdep_assert_held(&vm->mmu_lock);
	if (!--sp->roots && sp->zapped)
		list_add(&sp->link, freed);
}

/**
 * shadow_zap_gfn - a frame is no guest table any more
 * @vm: the VM, mmu_lock held
 * @gfn: guest frame
 * @freed: as for shadow_zap()
 */
void shadow_zap_gfn(struct mhv_vm *vm, gfn_t gfn, struct list_head *freed)
{
	struct shadow_page *sp;
	struct hlist_node *next;

	hlist_for_each_entry_safe(sp, next, shadow_bucket(vm->shadow, gfn), hash)
		if (sp->gfn == gfn && !sp->role.direct)
			shadow_zap(vm, sp, freed);
}

/**
 * shadow_shrink_to - zap pages from the end of the list
 * @vm: the VM, mmu_lock held
 * @nr: until so many are in use
 *
 * What vCPUs run on stays.
 * Return: pages zapped.
 */
unsigned long shadow_shrink_to(struct mhv_vm *vm, unsigned long nr)
{
	unsigned long before = vm->shadow->nr_pages;
	struct shadow_page *sp, *next;
	LIST_HEAD(freed);

	list_for_each_entry_safe_reverse(sp, next, &vm->shadow->pages, link) {
		if (vm->shadow->nr_pages <= nr)
			break;
		if (!shadow_vcpus(vm, sp))
			shadow_zap(vm, sp, &freed);
	}
	if (!list_empty(&freed))
		mhv_tdp_flush(vm);
	mhv_shadow_free(&freed);
	return before - vm->shadow->nr_pages;
}

/**
 * shadow_make_room - make sure that the next fault stays within the pool
 * @v: the vCPU about to take mmu_lock
 */
void shadow_make_room(struct mhv_vcpu *v)
{
	struct mhv_vm *vm = v->vm;
	struct mhv_shadow *s = vm->shadow;

	if (likely(READ_ONCE(s->nr_pages) + MHV_SHADOW_CACHE <= s->limit))
		return;
	mhv_count(v, MHV_STAT_SHADOW_RECLAIM);
	spin_lock(&vm->mmu_lock);
	shadow_shrink_to(vm, s->limit - MHV_SHADOW_CACHE);
	spin_unlock(&vm->mmu_lock);
}

/* ---- ranges ---------------------------------------------------------------------- */

static bool shadow_zap_leaves(struct mhv_vm *vm, struct shadow_page *sp, gfn_t start, gfn_t end)
{
	bool flush = false;
	u32 i;

	for (i = 0; sp->role.level == 1 && i < SPTE_ENTRIES; i++)
		if (shadow_present(sp->table[i]) && sp->entry[i].gfn >= start &&
		    sp->entry[i].gfn < end)
			flush |= shadow_drop(vm, sp, i);
	return flush;
}

static bool shadow_flush_owed(struct mhv_vm *vm)
{
	int i;

	for (i = 0; i < MHV_MAX_VCPUS; i++) {
		struct mhv_vcpu *v = mhv_vm_vcpu(vm, i);

		if (v && READ_ONCE(v->shadow.tlb_seen) != vm->shadow->tlb_seq)
			return true;
	}
	return false;
}

/**
 * mhv_shadow_zap - unmap a range of guest frames, and forget the tables in it
 * @vm: the VM, mmu_lock held
 * @start: first gfn
 * @end: one past the last
 * @freed: pages that mhv_shadow_free() may have after the flush
 *
 * Return: true when TLBs must be flushed before the memory or @freed goes.
 */
bool mhv_shadow_zap(struct mhv_vm *vm, gfn_t start, gfn_t end, struct list_head *freed)
{
	struct shadow_page *sp, *next;
	gfn_t gfn;

	lockdep_assert_held(&vm->mmu_lock);
	if (end - start <= vm->shadow->nr_pages) {
		for (gfn = start; gfn < end; gfn++) {
			shadow_unmap_gfn(vm, gfn);
			shadow_zap_gfn(vm, gfn, freed);
		}
		return shadow_flush_owed(vm);
	}
	list_for_each_entry_safe(sp, next, &vm->shadow->pages, link) {
		shadow_zap_leaves(vm, sp, start, end);
		if (!sp->role.direct && sp->gfn >= start && sp->gfn < end)
			shadow_zap(vm, sp, freed);
	}
	return shadow_flush_owed(vm);
}

/**
 * mhv_shadow_age - was any frame of a range accessed
 * @vm: the VM, mmu_lock held
 * @start: first gfn
 * @end: one past the last
 * @clear: forget it
 */
bool mhv_shadow_age(struct mhv_vm *vm, gfn_t start, gfn_t end, bool clear)
{
	bool young = false;
	gfn_t gfn;

	lockdep_assert_held(&vm->mmu_lock);
	for (gfn = start; gfn < end; gfn++)
		young |= shadow_age_gfn(vm, gfn, clear);
	return young;
}

/**
 * mhv_shadow_zap_mmio - forget every device frame
 * @vm: the VM, mmu_lock held
 */
void mhv_shadow_zap_mmio(struct mhv_vm *vm)
{
	struct shadow_page *sp;
	u32 i;

	lockdep_assert_held(&vm->mmu_lock);
	list_for_each_entry(sp, &vm->shadow->pages, link)
		for (i = 0; sp->role.level == 1 && i < SPTE_ENTRIES; i++)
			if (shadow_is_mmio(sp->table[i]))
				shadow_drop(vm, sp, i);
}

/**
 * mhv_shadow_zap_all - forget everything
 * @vm: the VM
 *
 * Context: interrupts on.
 */
void mhv_shadow_zap_all(struct mhv_vm *vm)
{
	struct shadow_page *sp, *next;
	LIST_HEAD(freed);

	spin_lock(&vm->mmu_lock);
	list_for_each_entry_safe(sp, next, &vm->shadow->pages, link)
		shadow_zap(vm, sp, &freed);
	mhv_tdp_flush(vm);
	spin_unlock(&vm->mmu_lock);
	mhv_shadow_free(&freed);
}

/* Entries of @sp that stand for the bytes written, made absent. */
static void shadow_drop_written(struct mhv_vm *vm, struct shadow_page *sp, u32 offset, u32 len)
{
	u32 first = offset / shadow_gpte_size(sp), last = (offset + len - 1) / shadow_gpte_size(sp);
	u32 i;

	if (shadow_gpte_size(sp) == 8) {
		for (i = first; i <= last; i++)
			shadow_drop(vm, sp, i);
		return;
	}
	for (i = 0; i < SPTE_ENTRIES; i++)
		if (shadow_guest_index(sp, i) >= first && shadow_guest_index(sp, i) <= last)
			shadow_drop(vm, sp, i);
}

/**
 * mhv_shadow_write_begin - memory is about to be written on the guest's behalf
 * @vm: the VM
 */
void mhv_shadow_write_begin(struct mhv_vm *vm)
{
	atomic_inc(&vm->shadow->writing);
	/* whoever finds the new value in memory finds this as well: mhv_shadow_audit() */
	smp_mb__after_atomic();
}

/**
 * mhv_shadow_write_end - it was written, in one page
 * @vm: the VM
 * @gpa: first byte
 * @len: bytes
 *
 * A table that is written again and again without being used is one no more.
 */
void mhv_shadow_write_end(struct mhv_vm *vm, gpa_t gpa, u32 len)
{
	gfn_t gfn = gpa_to_gfn(gpa);
	struct shadow_page *sp;
	struct hlist_node *next;
	LIST_HEAD(freed);

	spin_lock(&vm->mmu_lock);
	hlist_for_each_entry_safe(sp, next, shadow_bucket(vm->shadow, gfn), hash) {
		if (sp->gfn != gfn || sp->role.direct)
			continue;
		shadow_drop_written(vm, sp, offset_in_page(gpa), len);
		if (++sp->writes > SHADOW_FLOOD && !shadow_vcpus(vm, sp))
			shadow_zap(vm, sp, &freed);
	}
	if (!list_empty(&freed))
		mhv_tdp_flush(vm);
	atomic_dec(&vm->shadow->writing);
	spin_unlock(&vm->mmu_lock);
	mhv_shadow_free(&freed);
}
