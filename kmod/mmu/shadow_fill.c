// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow paging: entries that are made without a fault of their own.
 *
 *	neighbours	of an entry that a fault makes: a group of SHADOW_FILL entries
 *	resync		what the guest has changed the entries of an unsync table to
 *
 * A CPU may load a TLB entry at any time of its own accord, but only from entries that are
 * present, free of reserved bits, and accessed; and it may write by it only where they are
 * dirty.  So no bit has to be set in the guest's tables here, and no right is given that the
 * guest's entry does not give at that moment.
 *
 * Only frames behind memslots are mapped, which the host's page tables hold with the right
 * to write where the guest has it: nothing sleeps, and the host breaks no page up for it.
 * mmu_lock is held throughout, so that no invalidation begins or ends meanwhile; one that is
 * under way is asked for.  Guest tables are left to faults, which know what to do about
 * writes.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "../trace.h"
#include "mmu.h"
#include "shadow.h"

/**
 * shadow_may_fill - can entries of a page be made from what the guest's say
 * @v: the vCPU for which it is done
 * @sp: the page
 */
bool shadow_may_fill(struct mhv_vcpu *v, const struct shadow_page *sp)
{
	union shadow_role mode = {
		.paging = sp->role.paging, .nxe = sp->role.nxe, .pse = sp->role.pse,
	};

	if (sp->role.level != 1 || mhv_opt_off(v->vm, MHV_OPT_PREFETCH))
		return false;
	/* the guest's entries are read as this vCPU reads them now */
	return sp->role.direct || mode.word == v->shadow.role;
}

/* ---- frames ------------------------------------------------------------------- */

static void shadow_fill_one(struct shadow_fill *fill, const struct shadow_want *w,
			    struct page *page, u32 rights)
{
	struct mhv_vm *vm = fill->v->vm;
	bool last_level;
	u64 spte;

	if (shadow_is_table(vm, w->gfn, &last_level))
		return;
	/* the guest will write it without our hearing of it */
	if ((rights & GUEST_RIGHT_W) && !PageDirty(page))
		set_page_dirty(page);
	spte = shadow_make_leaf(page_to_pfn(page), rights);
	shadow_set_leaf(vm, fill->sp, w->index, spte, w->gfn, w->gpte);
	mhv_count(fill->v, fill->stat);
}

/* How many of those from @w on are one after the other in a memslot, of the same rights. */
static u32 shadow_run_length(const struct shadow_fill *fill, const struct shadow_want *w,
			     const struct mhv_slot *slot)
{
	const struct shadow_want *end = fill->want + fill->nr;
	u64 left = slot->base + slot->npages - w->gfn;
	u32 n = 1;

	while (w + n < end && n < left && w[n].gfn == w->gfn + n && w[n].rights == w->rights)
		n++;
	return n;
}

/* Make those that can be looked up at once.  Returns how many were dealt with. */
static u32 shadow_fill_run(struct shadow_fill *fill, const struct shadow_want *w)
{
	struct page *page[SHADOW_FILL];
	struct mhv_vm *vm = fill->v->vm;
	const struct mhv_slot *slot = mhv_find_slot(mhv_slots(vm), w->gfn);
	u32 rights = w->rights, n;
	unsigned long hva;
	int i, got;

	if (!slot)
		return 1;
	if (slot->flags & MHV_MEM_READONLY)
		rights &= ~GUEST_RIGHT_W;
	n = shadow_run_length(fill, w, slot);
	hva = slot_gfn_to_hva(slot, w->gfn);
	if (mhv_notifier_retry(vm, vm->notifier_seq, hva, hva + n * PAGE_SIZE))
		return n;
	got = get_user_pages_fast_only(hva, n, rights & GUEST_RIGHT_W ? FOLL_WRITE : 0, page);
	for (i = 0; i < got; i++) {
		shadow_fill_one(fill, &w[i], page[i], rights);
		put_page(page[i]);
	}
	/* the first one that was not to be had is left to a fault */
	return max(got, 0) + 1;
}

/**
 * shadow_fill_make - make what was collected
 * @fill: entries, of a page of level 1
 *
 * Context: mmu_lock held, in srcu, in a thread of the VM's owner.
 */
void shadow_fill_make(struct shadow_fill *fill)
{
	u32 i;

	for (i = 0; i < fill->nr; )
		i += shadow_fill_run(fill, &fill->want[i]);
	fill->nr = 0;
}

/**
 * shadow_fill_add - collect an entry, if it may be made
 * @fill: the others; made if there is no room for more
 * @index: of the entry, which is absent
 * @gpte: what the guest's says; not of direct pages
 *
 * Context: as for shadow_fill_make().
 */
void shadow_fill_add(struct shadow_fill *fill, u32 index, u64 gpte)
{
	const struct guest_mmu_mode *mode = &fill->v->shadow.mode;
	const u64 needed = GPTE_P | GPTE_A;
	struct shadow_page *sp = fill->sp;
	struct shadow_want *w = &fill->want[fill->nr];

	*w = (struct shadow_want){ .index = index, .rights = sp->role.access };
	if (sp->role.direct) {
		w->gfn = sp->gfn + index;
	} else {
		if ((gpte & needed) != needed || guest_pte_reserved(mode, gpte, 1))
			return;
		w->gpte = gpte;
		w->gfn = gpa_to_gfn(guest_pte_addr(mode, gpte, 1));
		w->rights &= guest_pte_rights(gpte);
		if (!(gpte & GPTE_D))
			w->rights &= ~GUEST_RIGHT_W;
	}
	if (++fill->nr == SHADOW_FILL)
		shadow_fill_make(fill);
}

/* ---- the guest's entries --------------------------------------------------------- */

/**
 * shadow_read_gptes - guest entries that a page stands for
 * @vm: the VM, in srcu
 * @sp: not a direct one, of level 1
 * @first: index of the first in @sp
 * @nr: how many, in one page of the guest
 * @gpte: out
 *
 * Return: false where they are not to be had now.  Entries in read-only memory cannot be
 * marked, and count as marked.
 */
bool shadow_read_gptes(struct mhv_vm *vm, const struct shadow_page *sp, u32 first, u32 nr,
		       u64 *gpte)
{
	const struct mhv_slot *slot = mhv_find_slot(mhv_slots(vm), sp->gfn);
	const u32 size = shadow_gpte_size(sp);
	unsigned long hva;
	u64 marks;
	u32 i, gpte32;

	if (!slot)
		return false;
	marks = slot->flags & MHV_MEM_READONLY ? GPTE_A | GPTE_D : 0;
	hva = slot_gfn_to_hva(slot, sp->gfn) + shadow_guest_index(sp, first) * size;
	pagefault_disable();
	if (!user_read_access_begin((void __user *)hva, nr * size))
		goto refused;
	for (i = 0; i < nr; i++, hva += size) {
		if (size == 8) {
			unsafe_get_user(gpte[i], (u64 __user *)hva, failed);
		} else {
			unsafe_get_user(gpte32, (u32 __user *)hva, failed);
			gpte[i] = gpte32;
		}
		gpte[i] |= marks;
	}
	user_read_access_end();
	pagefault_enable();
	return true;
failed:
	user_read_access_end();
refused:
	pagefault_enable();
	return false;
}

/**
 * shadow_prefetch - make the neighbours of an entry
 * @v: the vCPU that faulted
 * @sp: page of level 1 on the way of the fault
 * @index: of the entry that was made for it
 *
 * Context: as for shadow_fill_make().
 */
void shadow_prefetch(struct mhv_vcpu *v, struct shadow_page *sp, u32 index)
{
	struct shadow_fill fill = { .v = v, .sp = sp, .stat = MHV_STAT_SHADOW_PREFETCHED };
	const u32 first = round_down(index, SHADOW_FILL);
	const u64 absent = v->vm->shadow->absent;
	u64 gpte[SHADOW_FILL] = {};
	u32 i;

	if (!shadow_may_fill(v, sp))
		return;
	if (!sp->role.direct && !shadow_read_gptes(v->vm, sp, first, SHADOW_FILL, gpte))
		return;
	for (i = 0; i < SHADOW_FILL; i++)
		if (sp->table[first + i] == absent)
			shadow_fill_add(&fill, first + i, gpte[i]);
	shadow_fill_make(&fill);
}
