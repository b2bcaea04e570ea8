// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two-dimensional paging: one table per VM that maps guest frames to host frames.
 *
 * A guest frame has one place in the table, so that a range is zapped by walking it
 * from the top; there is no reverse map.  Entries change under mmu_lock, and are read
 * without it under RCU.  A table that is taken out is put on a list and freed only
 * after the TLBs that may still lead through it were flushed, and an RCU grace period.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

#include "../trace.h"
#include "mmu.h"
#include "spte.h"

struct mhv_spte_format mhv_spte __read_mostly;

static u64 *tdp_child(u64 spte)
{
	return __va(spte & SPTE_ADDR_MASK);
}

/**
 * mhv_fill_page_cache - make sure that the next fault does not lack a page
 * @v: the vCPU about to take mmu_lock
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int mhv_fill_page_cache(struct mhv_vcpu *v)
{
	while (v->nr_page_cache < MHV_PAGE_CACHE) {
		u64 *page = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

		if (!page)
			return -ENOMEM;
		v->page_cache[v->nr_page_cache++] = page;
	}
	return 0;
}

/* Take a whole subtree out of use. */
static void tdp_collect(struct mhv_vm *vm, u64 *table, int level, struct list_head *freed)
{
	int i;

	for (i = 0; level > 1 && i < SPTE_ENTRIES; i++)
		if (spte_present(table[i]) && !spte_leaf(table[i], level))
			tdp_collect(vm, tdp_child(table[i]), level - 1, freed);
	vm->tdp_tables--;
	list_add(&virt_to_page(table)->lru, freed);
}

/* Clear one entry; true when something was there. */
static bool tdp_clear(struct mhv_vm *vm, u64 *sptep, int level, struct list_head *freed)
{
	u64 spte = *sptep;

	if (!spte_present(spte))
		return false;
	WRITE_ONCE(*sptep, 0);
	if (!spte_leaf(spte, level))
		tdp_collect(vm, tdp_child(spte), level - 1, freed);
	return true;
}

static bool tdp_zap_table(struct mhv_vm *vm, u64 *table, int level, gfn_t base,
			  gfn_t start, gfn_t end, struct list_head *freed)
{
	u64 span = SPTE_LEVEL_PAGES(level);
	gfn_t gfn = max(base, round_down(start, span));
	gfn_t stop = min(base + span * SPTE_ENTRIES, end);
	bool flush = false;

	for (; gfn < stop; gfn += span) {
		u64 *sptep = &table[spte_index(gfn, level)];
		bool whole = gfn >= start && gfn + span <= end;

		if (!spte_present(*sptep))
			continue;
		if (whole || spte_leaf(*sptep, level))
			flush |= tdp_clear(vm, sptep, level, freed);
		else
			flush |= tdp_zap_table(vm, tdp_child(*sptep), level - 1, gfn, start,
					       end, freed);
	}
	return flush;
}

/**
 * mhv_tdp_zap - unmap a range of guest frames
 * @vm: the VM, mmu_lock held
 * @start: first gfn
 * @end: one past the last
 * @freed: tables that mhv_tdp_free() may have after the flush
 *
 * Return: true when TLBs must be flushed before the memory or @freed goes.
 */
bool mhv_tdp_zap(struct mhv_vm *vm, gfn_t start, gfn_t end, struct list_head *freed)
{
	lockdep_assert_held(&vm->mmu_lock);
	return tdp_zap_table(vm, vm->tdp, SPTE_LEVELS, 0, start, end, freed);
}

static bool tdp_age_table(u64 *table, int level, gfn_t base, gfn_t start, gfn_t end, bool clear)
{
	u64 span = SPTE_LEVEL_PAGES(level);
	gfn_t gfn = max(base, round_down(start, span));
	gfn_t stop = min(base + span * SPTE_ENTRIES, end);
	bool young = false;

	for (; gfn < stop; gfn += span) {
		u64 *sptep = &table[spte_index(gfn, level)];

		if (!spte_present(*sptep))
			continue;
		if (!spte_leaf(*sptep, level)) {
			young |= tdp_age_table(tdp_child(*sptep), level - 1, gfn, start, end,
					       clear);
			continue;
		}
		if (!(*sptep & mhv_spte.accessed))
			continue;
		young = true;
		/* the CPU may set the dirty bit at this moment */
		if (clear)
			clear_bit(__ffs64(mhv_spte.accessed), (unsigned long *)sptep);
	}
	return young;
}

/**
 * mhv_tdp_age - was any frame of a range accessed
 * @vm: the VM, mmu_lock held
 * @start: first gfn
 * @end: one past the last
 * @clear: forget it
 *
 * Where the CPU sets no accessed bits, what is mapped counts as accessed no more.
 */
bool mhv_tdp_age(struct mhv_vm *vm, gfn_t start, gfn_t end, bool clear)
{
	lockdep_assert_held(&vm->mmu_lock);
	if (!mhv_spte.accessed)
		return false;
	return tdp_age_table(vm->tdp, SPTE_LEVELS, 0, start, end, clear);
}

/**
 * mhv_tdp_flush - no CPU uses what was zapped before this call when it returns
 * @vm: the VM
 *
 * Context: mmu_lock may be held; interrupts on.
 */
void mhv_tdp_flush(struct mhv_vm *vm)
{
	trace_mhv_flush(-1, MHV_FLUSH_VM, 0);
	mhv_request_all(vm, MHV_REQ_TLB_FLUSH);
}

static void tdp_free_rcu(struct rcu_head *head)
{
	__free_page(container_of(head, struct page, rcu_head));
}

/**
 * mhv_tdp_free - free tables that were taken out
 * @freed: list that mhv_tdp_zap() filled, after the flush
 */
void mhv_tdp_free(struct list_head *freed)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, freed, lru) {
		list_del(&page->lru);
		call_rcu(&page->rcu_head, tdp_free_rcu);
	}
}

/**
 * mhv_tdp_read - the level 1 entry of a frame, without a lock
 * @vm: the VM
 * @gfn: guest frame
 *
 * Return: the entry as it was at some moment of the call; 0 where there is none, or a
 * large page.
 */
u64 mhv_tdp_read(struct mhv_vm *vm, gfn_t gfn)
{
	const u64 *table = vm->tdp;
	u64 spte = 0;
	int level;

	rcu_read_lock();
	for (level = SPTE_LEVELS; level; level--) {
		spte = READ_ONCE(table[spte_index(gfn, level)]);
		if (level == 1)
			break;
		if (!spte_present(spte) || spte_leaf(spte, level)) {
			spte = 0;
			break;
		}
		table = tdp_child(spte);
	}
	rcu_read_unlock();
	return spte;
}

static void tdp_zap_mmio_table(u64 *table, int level)
{
	int i;

	for (i = 0; i < SPTE_ENTRIES; i++) {
		if (level == 1 && spte_is_mmio(&mhv_spte, table[i]))
			WRITE_ONCE(table[i], 0);
		else if (level > 1 && spte_present(table[i]) && !spte_leaf(table[i], level))
			tdp_zap_mmio_table(tdp_child(table[i]), level - 1);
	}
}

/**
 * mhv_tdp_zap_mmio - forget every device frame
 * @vm: the VM, mmu_lock held
 *
 * No flush is owed: the CPU does not keep an entry that faults.
 */
void mhv_tdp_zap_mmio(struct mhv_vm *vm)
{
	lockdep_assert_held(&vm->mmu_lock);
	tdp_zap_mmio_table(vm->tdp, SPTE_LEVELS);
}

static u64 *tdp_new_table(struct mhv_vcpu *v)
{
	if (WARN_ON_ONCE(!v->nr_page_cache))
		return NULL;
	v->vm->tdp_tables++;
	return v->page_cache[--v->nr_page_cache];
}

/*
 * Go down to the entry that is to hold the leaf, making tables on the way.  Where a
 * table stands at *level already, small pages were needed: it is kept, *level lowered.
 */
static u64 *tdp_descend(struct mhv_vcpu *v, gfn_t gfn, int *level, bool *flush,
			struct list_head *freed)
{
	u64 *table = v->vm->tdp;
	int at;

	for (at = SPTE_LEVELS; at > 1; at--) {
		u64 *sptep = &table[spte_index(gfn, at)];

		if (at <= *level) {
			if (!spte_present(*sptep) || spte_leaf(*sptep, at))
				break;
			*level = at - 1;
		}
		/* a large page gives way to smaller ones */
		if (spte_present(*sptep) && spte_leaf(*sptep, at))
			*flush |= tdp_clear(v->vm, sptep, at, freed);
		if (!spte_present(*sptep)) {
			table = tdp_new_table(v);
			if (!table)
				return NULL;
			/* the CPU may walk it at once */
			smp_store_release(sptep, spte_make_table(__pa(table)));
		} else {
			table = tdp_child(*sptep);
		}
	}
	return &table[spte_index(gfn, *level)];
}

/**
 * mhv_tdp_map - map a guest frame
 * @v: the vCPU that faulted; its page cache is full
 * @gfn: guest frame
 * @pfn: host frame behind @gfn
 * @level: largest size the mapping may have; out, the size it has
 * @writable: may the guest write
 *
 * Context: mmu_lock held, the frame looked up at a notifier sequence that is current.
 */
enum mhv_map mhv_tdp_map(struct mhv_vcpu *v, gfn_t gfn, u64 pfn, int *level, bool writable)
{
	struct mhv_vm *vm = v->vm;
	bool flush = false;
	LIST_HEAD(freed);
	u64 *sptep, spte;

	lockdep_assert_held(&vm->mmu_lock);
	sptep = tdp_descend(v, gfn, level, &flush, &freed);
	if (!sptep)
		return MHV_MAP_SPURIOUS;
	pfn &= ~(SPTE_LEVEL_PAGES(*level) - 1);
	spte = spte_make_leaf(pfn << PAGE_SHIFT, *level, writable);
	if ((*sptep & ~(mhv_spte.accessed | mhv_spte.dirty)) == spte) {
		if (flush)
			mhv_tdp_flush(vm);
		return MHV_MAP_SPURIOUS;
	}
	/* never from one frame or size to another without an absent entry between */
	if (spte_present(*sptep))
		flush |= tdp_clear(vm, sptep, *level, &freed);
	if (flush)
		mhv_tdp_flush(vm);
	WRITE_ONCE(*sptep, spte);
	mhv_tdp_free(&freed);
	return MHV_MAP_DONE;
}

/**
 * mhv_tdp_map_mmio - note that a frame is a device
 * @v: the vCPU that faulted; its page cache is full
 * @gfn: guest frame
 * @gen: generation read before the memslots were asked
 *
 * Context: mmu_lock held.
 */
void mhv_tdp_map_mmio(struct mhv_vcpu *v, gfn_t gfn, u64 gen)
{
	struct mhv_vm *vm = v->vm;
	bool flush = false;
	LIST_HEAD(freed);
	int level = 1;
	u64 *sptep;

	lockdep_assert_held(&vm->mmu_lock);
	sptep = tdp_descend(v, gfn, &level, &flush, &freed);
	/* memory that is still mapped here belongs to a newer generation than ours */
	if (sptep && !flush && !spte_present(*sptep))
		WRITE_ONCE(*sptep, spte_make_mmio(&mhv_spte, gfn, mhv_gen_spte(gen)));
	if (flush)
		mhv_tdp_flush(vm);
	mhv_tdp_free(&freed);
}

/**
 * mhv_tdp_create - an empty table
 * @vm: a VM under construction
 *
 * Return: 0 or -ENOMEM.
 */
int mhv_tdp_create(struct mhv_vm *vm)
{
	vm->tdp = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vm->tdp)
		return -ENOMEM;
	vm->tdp_tables = 1;
	return 0;
}

/**
 * mhv_tdp_destroy - free the table
 * @vm: a VM that nobody runs any more
 */
void mhv_tdp_destroy(struct mhv_vm *vm)
{
	LIST_HEAD(freed);

	if (!vm->tdp)
		return;
	tdp_collect(vm, vm->tdp, SPTE_LEVELS, &freed);
	vm->tdp = NULL;
	mhv_tdp_free(&freed);
	WARN_ON_ONCE(vm->tdp_tables);
}
