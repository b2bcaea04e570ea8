// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow paging: guest tables that the guest writes, and how what is shadowed of them
 * becomes true again.  What synced and unsync mean is told in shadow.h.
 *
 * All shadow pages of one frame are of one kind: a frame becomes unsync with all of them,
 * and a new one is made only after the others were synced.
 */
#include <linux/mm.h>

#include "../trace.h"
#include "mmu.h"
#include "shadow.h"

/**
 * shadow_is_table - is a frame a guest table that is shadowed
 * @vm: the VM, mmu_lock held
 * @gfn: guest frame
 * @last_level: out: of the last level, in all its uses
 */
bool shadow_is_table(struct mhv_vm *vm, gfn_t gfn, bool *last_level)
{
	struct shadow_page *sp;
	bool found = false;

	*last_level = true;
	hlist_for_each_entry(sp, shadow_bucket(vm->shadow, gfn), hash) {
		if (sp->gfn != gfn || sp->role.direct)
			continue;
		found = true;
		if (sp->role.level > 1)
			*last_level = false;
	}
	return found;
}

/**
 * shadow_unsync_gfn - let the guest write a table of the last level
 * @vm: the VM, mmu_lock held
 * @gfn: its frame
 *
 * What is not present now may become so without our hearing of it.
 */
void shadow_unsync_gfn(struct mhv_vm *vm, gfn_t gfn)
{
	struct mhv_shadow *s = vm->shadow;
	struct shadow_page *sp;
	u32 i;

	hlist_for_each_entry(sp, shadow_bucket(s, gfn), hash) {
		if (sp->gfn != gfn || sp->role.direct || sp->unsync)
			continue;
		trace_mhv_shadow_page(sp, MHV_SHADOW_UNSYNC);
		sp->unsync = true;
		list_add(&sp->unsync_link, &s->unsync);
		for (i = 0; sp->nr_gnp && i < SPTE_ENTRIES; i++)
			if (sp->table[i] == SHADOW_GNP)
				shadow_drop(vm, sp, i);
	}
}

/**
 * shadow_is_synced_table - is a frame a guest table that the guest must not write
 * @vm: the VM, mmu_lock held
 * @gfn: guest frame
 */
bool shadow_is_synced_table(struct mhv_vm *vm, gfn_t gfn)
{
	struct shadow_page *sp;

	hlist_for_each_entry(sp, shadow_bucket(vm->shadow, gfn), hash)
		if (sp->gfn == gfn && !sp->role.direct && !sp->unsync)
			return true;
	return false;
}

/**
 * shadow_get_table - a guest table in the kernel's address space
 * @vm: the VM, in srcu
 * @gfn: its frame
 * @page: out: to be put
 *
 * Return: the table, or NULL when its memory is not to be had now.
 */
const void *shadow_get_table(struct mhv_vm *vm, gfn_t gfn, struct page **page)
{
	const struct mhv_slot *slot = mhv_find_slot(mhv_slots(vm), gfn);

	if (!slot || get_user_pages_fast_only(slot_gfn_to_hva(slot, gfn), 1, 0, page) != 1)
		return NULL;
	return page_address(*page);
}

/*
 * Drop what no longer stands for the guest's entries.  With a vCPU, what the guest has
 * changed it to is made at once: it would fault soon.
 */
static void shadow_compare(struct mhv_vm *vm, struct shadow_page *sp, struct mhv_vcpu *v)
{
	const bool refill = v && shadow_may_fill(v, sp);
	const u64 absent = vm->shadow->absent;
	struct shadow_fill fill;
	const void *table;
	struct page *page;
	u64 now;
	u32 i;

	shadow_fill_begin(&fill, v, sp, MHV_STAT_SHADOW_RESYNCED);
	table = shadow_get_table(vm, sp->gfn, &page);
	for (i = 0; i < SPTE_ENTRIES; i++) {
		if (sp->table[i] == absent)
			continue;
		now = table ? shadow_table_gpte(sp, table, i) : 0;
		if (table && shadow_gpte_same(sp->entry[i].gpte, now))
			continue;
		shadow_drop(vm, sp, i);
		if (table && refill)
			shadow_fill_add(&fill, i, now);
	}
	shadow_fill_make(&fill);
	if (table)
		put_page(page);
}

static void shadow_sync(struct mhv_vm *vm, struct shadow_page *sp, struct mhv_vcpu *v)
{
	trace_mhv_shadow_page(sp, MHV_SHADOW_SYNC);
	sp->unsync = false;
	list_del(&sp->unsync_link);
	shadow_compare(vm, sp, v);
}

/**
 * shadow_sync_entry - compare one entry of an unsync page, which stays unsync
 * @v: the vCPU that does INVLPG, in srcu
 * @sp: the page, mmu_lock held
 * @index: of the entry
 */
void shadow_sync_entry(struct mhv_vcpu *v, struct shadow_page *sp, u32 index)
{
	struct shadow_fill fill;
	u64 now;

	if (sp->table[index] == v->vm->shadow->absent)
		return;
	if (!shadow_read_gptes(v->vm, sp, index, 1, &now)) {
		shadow_drop(v->vm, sp, index);
		return;
	}
	if (shadow_gpte_same(sp->entry[index].gpte, now))
		return;
	shadow_drop(v->vm, sp, index);
	if (!shadow_may_fill(v, sp))
		return;
	shadow_fill_begin(&fill, v, sp, MHV_STAT_SHADOW_RESYNCED);
	shadow_fill_add(&fill, index, now);
	shadow_fill_make(&fill);
}

/**
 * shadow_sync_gfn - make all that is shadowed of a frame synced
 * @v: the vCPU that needs it, in srcu
 * @gfn: the frame; mmu_lock held
 */
void shadow_sync_gfn(struct mhv_vcpu *v, gfn_t gfn)
{
	struct mhv_vm *vm = v->vm;
	struct shadow_page *sp;
	bool any = false;

	if (list_empty(&vm->shadow->unsync))
		return;
	hlist_for_each_entry(sp, shadow_bucket(vm->shadow, gfn), hash)
		any |= sp->gfn == gfn && sp->unsync;
	if (!any)
		return;
	if (shadow_write_protect(vm, gfn))
		mhv_tdp_flush(vm);
	hlist_for_each_entry(sp, shadow_bucket(vm->shadow, gfn), hash)
		if (sp->gfn == gfn && sp->unsync)
			shadow_sync(vm, sp, v);
}

/**
 * shadow_sync_all - make every shadow page synced
 * @vm: the VM, mmu_lock held, in srcu
 * @v: the vCPU that does it, or NULL
 */
void shadow_sync_all(struct mhv_vm *vm, struct mhv_vcpu *v)
{
	struct mhv_shadow *s = vm->shadow;
	struct shadow_page *sp, *next;
	bool flush = false;

	lockdep_assert_held(&vm->mmu_lock);
	if (list_empty(&s->unsync))
		return;
	list_for_each_entry(sp, &s->unsync, unsync_link)
		flush |= shadow_write_protect(vm, sp->gfn);
	/* nobody writes while they are compared */
	if (flush)
		mhv_tdp_flush(vm);
	list_for_each_entry_safe(sp, next, &s->unsync, unsync_link)
		shadow_sync(vm, sp, v);
}

/**
 * mhv_shadow_compare_all - find out what user space wrote to guest tables
 * @vm: the VM
 *
 * Context: interrupts on.
 */
void mhv_shadow_compare_all(struct mhv_vm *vm)
{
	struct shadow_page *sp;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu_lock);
	shadow_sync_all(vm, NULL);
	list_for_each_entry(sp, &vm->shadow->pages, link)
		if (!sp->role.direct)
			shadow_compare(vm, sp, NULL);
	mhv_tdp_flush(vm);
	spin_unlock(&vm->mmu_lock);
	srcu_read_unlock(&vm->srcu, idx);
}
