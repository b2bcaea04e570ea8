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
 * Only frames behind memslots are mapped, which the host's page tables hold, with the right
 * to write where the guest has it: nothing sleeps, and no page is brought in for it.  Guest
 * tables are left to faults, which know what to do about writes.
 *
 * No reference to a frame is taken.  mmu_lock is held from the look at the host's table until
 * the entry is made, and whoever takes a frame or a right away asks the notifier before,
 * which takes mmu_lock.  Those that have done so already are known: mhv_notifier_retry().
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
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

/* The entry of level 2 for an address; one that maps 1 GiB as if it were in pieces. */
static pmd_t shadow_host_pmd(struct mm_struct *mm, unsigned long hva)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;

	if (pgd_none(pgd))
		return __pmd(0);
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return __pmd(0);
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		return __pmd(0);
	if (pud_leaf(pud))
		return __pmd(pud_val(pud) + (hva & ~PUD_MASK & PMD_MASK));
	return READ_ONCE(*pmd_offset(&pud, hva));
}

/*
 * Host frames of pages that follow each other, all in one table of the host's.  Interrupts off
 * keep the tables from being freed.  Returns how many may be accessed, from the first on.
 */
static u32 shadow_host_frames(struct mm_struct *mm, unsigned long hva, u32 n, bool write,
			      u64 *pfn)
{
	unsigned long flags;
	const pte_t *table;
	u32 i = 0;
	pmd_t pmd;
	pte_t pte;

	local_irq_save(flags);
	pmd = shadow_host_pmd(mm, hva);
	if (pmd_none(pmd) || !pmd_present(pmd))
		goto out;
	if (pmd_leaf(pmd)) {
		if (!pmd_access_permitted(pmd, write) || pmd_devmap(pmd))
			goto out;
		for (; i < n; i++)
			pfn[i] = pmd_pfn(pmd) + pte_index(hva) + i;
		goto out;
	}
	table = pte_offset_kernel(&pmd, hva);
	for (; i < n; i++) {
		pte = READ_ONCE(table[i]);
		if (!pte_access_permitted(pte, write) || pte_special(pte) || pte_devmap(pte))
			break;
		pfn[i] = pte_pfn(pte);
	}
out:
	local_irq_restore(flags);
	return i;
}

static void shadow_fill_one(struct shadow_fill *fill, const struct shadow_want *w, u64 pfn,
			    u32 rights)
{
	struct page *page = pfn_to_page(pfn);
	struct mhv_vm *vm = fill->v->vm;
	bool last_level;

	if (shadow_is_table(vm, w->gfn, &last_level))
		return;
	/* the guest will write it without our hearing of it */
	if ((rights & GUEST_RIGHT_W) && !PageDirty(page))
		set_page_dirty(page);
	shadow_set_leaf(vm, fill->sp, w->index, shadow_make_leaf(pfn, rights), w->gfn, w->gpte);
	mhv_count(fill->v, fill->stat);
}

/*
 * How many of those from @w on are one after the other in a memslot and in one table of the
 * host's, with the same rights.
 */
static u32 shadow_run_length(const struct shadow_fill *fill, const struct shadow_want *w,
			     const struct mhv_slot *slot, unsigned long hva)
{
	u64 max = min3((u64)(fill->want + fill->nr - w), slot->base + slot->npages - w->gfn,
		       (u64)PTRS_PER_PTE - pte_index(hva));
	u32 n = 1;

	while (n < max && w[n].gfn == w->gfn + n && w[n].rights == w->rights)
		n++;
	return n;
}

/* Make those that can be looked up at once.  Returns how many were dealt with. */
static u32 shadow_fill_run(struct shadow_fill *fill, const struct shadow_want *w)
{
	struct mhv_vm *vm = fill->v->vm;
	const struct mhv_slot *slot = mhv_find_slot(mhv_slots(vm), w->gfn);
	u32 rights = w->rights, n, i, got;
	u64 pfn[SHADOW_FILL];
	unsigned long hva;

	if (!slot)
		return 1;
	if (slot->flags & MHV_MEM_READONLY)
		rights &= ~GUEST_RIGHT_W;
	hva = slot_gfn_to_hva(slot, w->gfn);
	n = shadow_run_length(fill, w, slot, hva);
	if (mhv_notifier_retry(vm, vm->notifier_seq, hva, hva + n * PAGE_SIZE))
		return n;
	got = shadow_host_frames(vm->mm, hva, n, rights & GUEST_RIGHT_W, pfn);
	for (i = 0; i < got; i++)
		shadow_fill_one(fill, &w[i], pfn[i], rights);
	/* the first one that was not to be had is left to a fault */
	return min(got + 1, n);
}

/**
 * shadow_fill_begin - nothing is collected yet
 * @fill: out
 * @v: the vCPU for which it is done
 * @sp: page that will hold the entries
 * @stat: counter
 */
void shadow_fill_begin(struct shadow_fill *fill, struct mhv_vcpu *v, struct shadow_page *sp,
		       enum mhv_stat stat)
{
	fill->v = v;
	fill->sp = sp;
	fill->stat = stat;
	fill->nr = 0;
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
 * @gpte: what the guest's says; 0 for direct pages
 *
 * Context: as for shadow_fill_make().
 */
void shadow_fill_add(struct shadow_fill *fill, u32 index, u64 gpte)
{
	const struct guest_mmu_mode *mode = &fill->v->shadow.mode;
	const u64 needed = GPTE_P | GPTE_A;
	struct shadow_page *sp = fill->sp;
	struct shadow_want *w = &fill->want[fill->nr];

	w->index = index;
	w->gpte = gpte;
	w->rights = sp->role.access;
	if (sp->role.direct) {
		w->gfn = sp->gfn + index;
	} else {
		if ((gpte & needed) != needed || guest_pte_reserved(mode, gpte, 1))
			return;
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
	const u32 first = round_down(index, SHADOW_FILL);
	const u64 absent = v->vm->shadow->absent;
	struct shadow_fill fill;
	u64 gpte[SHADOW_FILL];
	u32 i;

	if (!shadow_may_fill(v, sp))
		return;
	if (!sp->role.direct && !shadow_read_gptes(v->vm, sp, first, SHADOW_FILL, gpte))
		return;
	shadow_fill_begin(&fill, v, sp, MHV_STAT_SHADOW_PREFETCHED);
	for (i = 0; i < SHADOW_FILL; i++)
		if (sp->table[first + i] == absent)
			shadow_fill_add(&fill, first + i, sp->role.direct ? 0 : gpte[i]);
	shadow_fill_make(&fill);
}
