// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault path, from a guest access to what becomes of it:
 *
 *	1  the vCPU's own cache of device frames		-> emulate
 *	2  the entry, read without a lock: a device of this
 *	   generation; fills 1					-> emulate
 *	3  the memslot: none, or a write to a read-only one, is a
 *	   device; fills 1 and the entry			-> emulate
 *	4  the host frame behind the memslot, and how large a page
 *	   the host has there
 *	5  the entry, made under mmu_lock unless the host took the
 *	   frame meanwhile					-> run on
 *	6  what the outcome means: run on, emulate, tell user space
 *
 * The CPU tells a device entry (mhv_mmio_fault()) from an absent one (mhv_fault()), so
 * that step 2 is asked only where it has an answer.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "../trace.h"
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

/* ---- 1: the vCPU's cache ------------------------------------------------- */

static bool fault_cached(struct mhv_vcpu *v, gfn_t gfn, bool write)
{
	if (mhv_opt_off(v->vm, MHV_OPT_VCPU_CACHE))
		return false;
	return mhv_mmio_cache_match(&v->mmio, gfn, READ_ONCE(v->vm->mmio_gen), write);
}

static void fault_fill_cache(struct mhv_vcpu *v, gfn_t gfn, u64 gen, bool write_only)
{
	if (!mhv_opt_off(v->vm, MHV_OPT_VCPU_CACHE))
		mhv_mmio_cache_fill(&v->mmio, gfn, gen, write_only);
}

/* ---- 2: the entry --------------------------------------------------------- */

static enum mhv_verdict_pf fault_read_entry(struct mhv_vcpu *v, gfn_t gfn)
{
	u64 gen = READ_ONCE(v->vm->mmio_gen);
	u64 spte = mhv_tdp_read(v->vm, gfn);
	enum mhv_verdict_pf verdict = MHV_VERDICT_SPTE;

	if (!spte_mmio(spte))
		verdict = MHV_VERDICT_FALSE_ALARM;
	else if (mhv_opt_off(v->vm, MHV_OPT_MMIO_SPTE) ||
		 !mhv_gen_current(spte_mmio_gen(spte), gen))
		verdict = MHV_VERDICT_STALE;
	trace_mhv_mmio_spte_check(gfn, spte, gen, verdict);
	if (verdict != MHV_VERDICT_SPTE)
		return verdict;
	WARN_ON_ONCE(spte_mmio_gfn(spte) != gfn);
	fault_fill_cache(v, gfn, gen, false);
	return verdict;
}

/* ---- 3: the memslot ------------------------------------------------------- */

static void fault_note_device(struct mhv_vcpu *v, gfn_t gfn, u64 gen, bool write_only)
{
	fault_fill_cache(v, gfn, gen, write_only);
	if (write_only || !mhv_spte.mmio_mask || mhv_opt_off(v->vm, MHV_OPT_MMIO_SPTE))
		return;
	/* without a page for tables the note is not made, and nothing is lost */
	if (mhv_fill_page_cache(v))
		return;
	spin_lock(&v->vm->mmu_lock);
	mhv_tdp_map_mmio(v, gfn, gen);
	spin_unlock(&v->vm->mmu_lock);
	mhv_count(v, MHV_STAT_PF_MMIO_MADE);
	trace_mhv_mmio_spte(gfn, gen);
}

static enum mhv_pf fault_find_slot(struct mhv_vcpu *v, const struct mhv_fault *fault,
				   struct mhv_frame *frame)
{
	gfn_t gfn = gpa_to_gfn(fault->gpa);
	u64 gen = READ_ONCE(v->vm->mmio_gen);

	/* the generation before the memslots: see mmio_cache.h */
	smp_rmb();
	frame->slot = mhv_find_slot(mhv_slots(v->vm), gfn);
	if (!frame->slot) {
		fault_note_device(v, gfn, gen, false);
		return MHV_PF_MMIO;
	}
	if (fault->write && (frame->slot->flags & MHV_MEM_READONLY)) {
		fault_note_device(v, gfn, gen, true);
		return MHV_PF_MMIO;
	}
	frame->hva = slot_gfn_to_hva(frame->slot, gfn);
	return MHV_PF_FIXED;
}

/* ---- 4: the host frame ----------------------------------------------------- */

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

/* ---- 5: the entry ---------------------------------------------------------- */

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

/* ---- 6: what it means ------------------------------------------------------ */

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

/* Emulate the instruction that accesses a device. */
static enum mhv_next fault_emulate(struct mhv_vcpu *v, const struct mhv_fault *fault,
				   enum mhv_verdict_pf verdict)
{
	static const enum mhv_stat stat[] = {
		[MHV_VERDICT_VCPU_CACHE] = MHV_STAT_PF_VCPU_CACHE,
		[MHV_VERDICT_SPTE] = MHV_STAT_PF_MMIO_SPTE,
		[MHV_VERDICT_SLOW] = MHV_STAT_PF_MMIO_SLOW,
	};

	mhv_count(v, stat[verdict]);
	trace_mhv_page_fault(v, fault, verdict);
	return mhv_mmio(v, fault, verdict);
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

	if (fault_cached(v, gpa_to_gfn(fault->gpa), fault->write))
		return fault_emulate(v, fault, MHV_VERDICT_VCPU_CACHE);

	idx = srcu_read_lock(&v->vm->srcu);
	pf = fault_resolve(v, fault, &frame);
	srcu_read_unlock(&v->vm->srcu, idx);

	switch (pf) {
	case MHV_PF_FIXED:
		trace_mhv_page_fault(v, fault, MHV_VERDICT_MAPPED);
		return MHV_NEXT_RESUME;
	case MHV_PF_RETRY:
		mhv_count(v, MHV_STAT_PF_RETRY);
		trace_mhv_page_fault(v, fault, MHV_VERDICT_RETRY);
		return MHV_NEXT_RESUME;
	case MHV_PF_MMIO:
		return fault_emulate(v, fault, MHV_VERDICT_SLOW);
	case MHV_PF_NO_MEMORY:
		mhv_count(v, MHV_STAT_PF_NO_MEMORY);
		trace_mhv_page_fault(v, fault, MHV_VERDICT_NO_MEMORY);
		return fault_no_memory(v, fault, &frame);
	case MHV_PF_OOM:
		break;
	}
	v->run_error = -ENOMEM;
	return MHV_NEXT_FAIL;
}

/* A device entry that is old, or none at all: what kind of access it was is not told. */
static enum mhv_next fault_stale(struct mhv_vcpu *v, const struct mhv_fault *fault,
				 enum mhv_verdict_pf verdict)
{
	struct mhv_fault slow = *fault;

	trace_mhv_page_fault(v, fault, verdict);
	if (verdict == MHV_VERDICT_FALSE_ALARM) {
		/* it was replaced on another CPU: the guest finds out by trying again */
		mhv_count(v, MHV_STAT_PF_FALSE_ALARM);
		return MHV_NEXT_RESUME;
	}
	mhv_count(v, MHV_STAT_PF_MMIO_STALE);
	/* as a read: a write that the memslot does not let pass faults again */
	slow.write = false;
	return mhv_fault(v, &slow);
}

/**
 * mhv_mmio_fault - handle a guest access that found a device entry
 * @v: a loaded vCPU that has just exited for it
 * @gpa: address accessed
 *
 * Context: may sleep.
 */
enum mhv_next mhv_mmio_fault(struct mhv_vcpu *v, gpa_t gpa)
{
	struct mhv_fault fault = { .gpa = gpa };
	enum mhv_verdict_pf verdict;

	if (fault_cached(v, gpa_to_gfn(gpa), false))
		return fault_emulate(v, &fault, MHV_VERDICT_VCPU_CACHE);
	verdict = fault_read_entry(v, gpa_to_gfn(gpa));
	if (verdict == MHV_VERDICT_SPTE)
		return fault_emulate(v, &fault, verdict);
	return fault_stale(v, &fault, verdict);
}
