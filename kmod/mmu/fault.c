// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault path, from a guest access to what becomes of it:
 *
 *	1  the memslot of the gpa: none, or a write to a read-only one, is a device
 *	2  the host frame behind it, and how large a page the host has there
 *	3  the entry, made under mmu_lock unless the host took the frame meanwhile
 *	4  what the outcome means: run on, emulate, or tell user space
 */
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "mmu.h"
#include "spte.h"

/* What a fault came to. */
enum mhv_pf {
	MHV_PF_RETRY,		/* something changed: let the guest try again */
	MHV_PF_FIXED,		/* mapped: let the guest try again */
	MHV_PF_MMIO,		/* a device: emulate the instruction */
	MHV_PF_NO_MEMORY,	/* the slot's memory is not to be had */
	MHV_PF_OOM,		/* no memory for tables */
};

/**
 * struct mhv_frame - the host frame behind a guest frame
 * @slot: memslot it came from
 * @hva: address it came from
 * @page: the frame, with a reference
 * @writable: the host lets it be written
 * @seq: notifier sequence it was looked up at
 * @error: MHV_PF_NO_MEMORY: why
 */
struct mhv_frame {
	const struct mhv_slot *slot;
	unsigned long hva;
	struct page *page;
	bool writable;
	unsigned long seq;
	int error;
};

/* ---- 1: the memslot -------------------------------------------------------- */

static enum mhv_pf fault_find_slot(struct mhv_vcpu *v, const struct mhv_fault *fault,
				   struct mhv_frame *frame)
{
	gfn_t gfn = gpa_to_gfn(fault->gpa);

	frame->slot = mhv_find_slot(mhv_slots(v->vm), gfn);
	if (!frame->slot)
		return MHV_PF_MMIO;
	if (fault->write && (frame->slot->flags & MHV_MEM_READONLY))
		return MHV_PF_MMIO;
	frame->hva = slot_gfn_to_hva(frame->slot, gfn);
	return MHV_PF_FIXED;
}

/* ---- 2: the host frame ----------------------------------------------------- */

/* A read fault maps writable all the same, where that costs the host nothing. */
static void fault_try_writable(struct mhv_frame *frame)
{
	struct page *page;

	if (frame->slot->flags & MHV_MEM_READONLY)
		return;
	if (get_user_pages_fast_only(frame->hva, 1, FOLL_WRITE, &page) != 1)
		return;
	put_page(frame->page);
	frame->page = page;
	frame->writable = true;
}

static enum mhv_pf fault_get_frame(struct mhv_vcpu *v, const struct mhv_fault *fault,
				   struct mhv_frame *frame)
{
	int ret;

	/* the sequence before the frame: pairs with mhv_notifier_ended() */
	frame->seq = smp_load_acquire(&v->vm->notifier_seq);
	ret = get_user_pages_fast(frame->hva, 1, fault->write ? FOLL_WRITE : 0, &frame->page);
	if (ret == -EINTR || ret == -EAGAIN || ret == 0)
		return MHV_PF_RETRY;
	if (ret < 0) {
		frame->error = -ret;
		return MHV_PF_NO_MEMORY;
	}
	frame->writable = fault->write;
	if (!fault->write)
		fault_try_writable(frame);
	/* the guest will write it without our hearing of it */
	if (frame->writable && !PageDirty(frame->page))
		set_page_dirty_lock(frame->page);
	return MHV_PF_FIXED;
}

/*
 * Size of the page that the host's own tables have at an address.  Interrupts off
 * keep the tables from being freed, mmu_lock and the sequence from being outdated.
 */
static int fault_host_level(struct mm_struct *mm, unsigned long hva)
{
	unsigned long flags;
	int level = 1;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(mm, hva));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		level = 3;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (!pmd_none(pmd) && pmd_present(pmd) && pmd_leaf(pmd))
		level = 2;
out:
	local_irq_restore(flags);
	return level;
}

/* Did the host take back any of the page of this size that holds the frame? */
static bool fault_outdated(struct mhv_vm *vm, const struct mhv_frame *frame, int level)
{
	unsigned long size = SPTE_LEVEL_PAGES(level) << PAGE_SHIFT;
	unsigned long start = round_down(frame->hva, size);

	return mhv_notifier_retry(vm, frame->seq, start, start + size);
}

/* The largest page that the host, the slot and the CPU allow. */
static int fault_level(struct mhv_vcpu *v, const struct mhv_fault *fault,
		       const struct mhv_frame *frame)
{
	const struct mhv_slot *slot = frame->slot;
	gfn_t gfn = gpa_to_gfn(fault->gpa);
	int level;

	if (fault->fetch && mhv_spte.large_nx)
		return 1;
	level = min(fault_host_level(v->vm->mm, frame->hva), mhv_spte.max_leaf);
	/* all of a large page must be as it was, not only what was accessed */
	if (fault_outdated(v->vm, frame, level))
		return 1;
	for (; level > 1; level--) {
		u64 mask = SPTE_LEVEL_PAGES(level) - 1;
		gfn_t first = gfn & ~mask;

		if (first >= slot->base && first + mask < slot->base + slot->npages &&
		    !((slot->base ^ (slot->hva >> PAGE_SHIFT)) & mask))
			break;
	}
	return level;
}

/* ---- 3: the entry ---------------------------------------------------------- */

static void fault_count_mapped(struct mhv_vcpu *v, int level)
{
	mhv_count(v, level == 3 ? MHV_STAT_PF_MAPPED_1G :
		  level == 2 ? MHV_STAT_PF_MAPPED_2M : MHV_STAT_PF_MAPPED);
}

static enum mhv_pf fault_map(struct mhv_vcpu *v, const struct mhv_fault *fault,
			     struct mhv_frame *frame)
{
	gfn_t gfn = gpa_to_gfn(fault->gpa);
	struct mhv_vm *vm = v->vm;
	enum mhv_pf pf = MHV_PF_RETRY;
	int level;

	if (mhv_fill_page_cache(v))
		return MHV_PF_OOM;
	spin_lock(&vm->mmu_lock);
	if (!fault_outdated(vm, frame, 1)) {
		level = fault_level(v, fault, frame);
		if (mhv_tdp_map(v, gfn, page_to_pfn(frame->page), &level, frame->writable) ==
		    MHV_MAP_DONE)
			fault_count_mapped(v, level);
		else
			mhv_count(v, MHV_STAT_PF_SPURIOUS);
		pf = MHV_PF_FIXED;
	}
	spin_unlock(&vm->mmu_lock);
	return pf;
}

/* ---- 4: what it means ------------------------------------------------------ */

static enum mhv_next fault_no_memory(struct mhv_vcpu *v, const struct mhv_fault *fault,
				     const struct mhv_frame *frame)
{
	v->run->exit = MHV_EXIT_MEMORY_FAULT;
	v->run->memory_fault.gpa = fault->gpa;
	v->run->memory_fault.hva = frame->hva;
	v->run->memory_fault.error = frame->error;
	v->run->memory_fault.is_write = fault->write;
	return MHV_NEXT_USER;
}

static enum mhv_pf fault_resolve(struct mhv_vcpu *v, const struct mhv_fault *fault,
				 struct mhv_frame *frame)
{
	enum mhv_pf pf;

	pf = fault_find_slot(v, fault, frame);
	if (pf != MHV_PF_FIXED)
		return pf;
	pf = fault_get_frame(v, fault, frame);
	if (pf != MHV_PF_FIXED)
		return pf;
	pf = fault_map(v, fault, frame);
	put_page(frame->page);
	return pf;
}

/**
 * mhv_fault - handle a guest access that found no usable entry
 * @v: a loaded vCPU that has just exited for it
 * @fault: the access
 *
 * Context: may sleep.
 */
enum mhv_next mhv_fault(struct mhv_vcpu *v, const struct mhv_fault *fault)
{
	struct mhv_frame frame = {};
	enum mhv_pf pf;
	int idx;

	idx = srcu_read_lock(&v->vm->srcu);
	pf = fault_resolve(v, fault, &frame);
	srcu_read_unlock(&v->vm->srcu, idx);

	switch (pf) {
	case MHV_PF_FIXED:
		return MHV_NEXT_RESUME;
	case MHV_PF_RETRY:
		mhv_count(v, MHV_STAT_PF_RETRY);
		return MHV_NEXT_RESUME;
	case MHV_PF_MMIO:
		mhv_count(v, MHV_STAT_PF_MMIO);
		return mhv_exit_insn(v, fault->gva_valid, fault->gva, fault->gpa, fault->write);
	case MHV_PF_NO_MEMORY:
		mhv_count(v, MHV_STAT_PF_NO_MEMORY);
		return fault_no_memory(v, fault, &frame);
	case MHV_PF_OOM:
		break;
	}
	v->run_error = -ENOMEM;
	return MHV_NEXT_FAIL;
}
