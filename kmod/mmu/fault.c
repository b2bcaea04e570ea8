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
 *
 * With shadow paging (mhv_shadow_fault()) the CPU tells the linear address.  The cache
 * and the entry are asked by it, and with rights; and before step 3
 *
 *	2a the guest's tables are walked: the fault may be the guest's own -> inject
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/processor-flags.h>

#include "../trace.h"
#include "mmu.h"
#include "shadow.h"

/* What a fault came to. */
enum mhv_pf {
	MHV_PF_RETRY,		/* something changed: let the guest try again */
	MHV_PF_FIXED,		/* mapped: let the guest try again */
	MHV_PF_MMIO,		/* a device: emulate the instruction */
	MHV_PF_NO_MEMORY,	/* the slot's memory is not to be had */
	MHV_PF_TABLE,		/* shadow paging: do the write for the guest */
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

static bool fault_cached_gva(struct mhv_vcpu *v, struct mhv_fault *fault, u32 code)
{
	const struct mhv_mmio_entry *e = mhv_mmio_cache_by_la(&v->mmio, fault->gva);

	if (e->la != (fault->gva & PAGE_MASK) || e->gen != READ_ONCE(v->vm->mmio_gen) ||
	    (e->write_only && !fault->write) || mhv_opt_off(v->vm, MHV_OPT_VCPU_CACHE) ||
	    !mhv_shadow_rights_allow(v, e->rights, code))
		return false;
	fault->gpa = gfn_to_gpa(e->gfn) | offset_in_page(fault->gva);
	return true;
}

/* ---- 2: the entry --------------------------------------------------------- */

static enum mhv_verdict_pf fault_read_entry(struct mhv_vcpu *v, gfn_t gfn)
{
	u64 gen = READ_ONCE(v->vm->mmio_gen);
	u64 spte = mhv_tdp_read(v->vm, gfn);
	enum mhv_verdict_pf verdict = MHV_VERDICT_SPTE;

	if (!spte_is_mmio(&mhv_spte, spte))
		verdict = MHV_VERDICT_FALSE_ALARM;
	else if (mhv_opt_off(v->vm, MHV_OPT_MMIO_SPTE) ||
		 !mhv_gen_current(spte_mmio_gen(&mhv_spte, spte), gen))
		verdict = MHV_VERDICT_STALE;
	trace_mhv_mmio_spte_check(gfn, spte, gen, verdict);
	if (verdict != MHV_VERDICT_SPTE)
		return verdict;
	WARN_ON_ONCE(spte_mmio_gfn(&mhv_spte, spte) != gfn);
	fault_fill_cache(v, gfn, gen, false);
	return verdict;
}

static enum mhv_verdict_pf fault_read_shadow(struct mhv_vcpu *v, struct mhv_fault *fault,
					     u32 code)
{
	u64 gen = READ_ONCE(v->vm->mmio_gen);
	u64 spte = mhv_shadow_read(v, fault->gva);
	enum mhv_verdict_pf verdict = MHV_VERDICT_SPTE;
	u32 rights = GUEST_RIGHT_X;
	gfn_t gfn;

	if (spte == v->vm->shadow->absent)
		return MHV_VERDICT_SLOW;
	if (!shadow_is_mmio(spte))
		return MHV_VERDICT_FALSE_ALARM;
	gfn = spte_mmio_gfn(&mhv_shadow_spte, spte);
	rights |= spte & PTE_W ? GUEST_RIGHT_W : 0;
	rights |= spte & PTE_U ? GUEST_RIGHT_U : 0;
	if (mhv_opt_off(v->vm, MHV_OPT_MMIO_SPTE) ||
	    !mhv_gen_current(spte_mmio_gen(&mhv_shadow_spte, spte), gen))
		verdict = MHV_VERDICT_STALE;
	trace_mhv_mmio_spte_check(gfn, spte, gen, verdict);
	if (verdict != MHV_VERDICT_SPTE)
		return verdict;
	if (!mhv_opt_off(v->vm, MHV_OPT_VCPU_CACHE))
		mhv_mmio_cache_fill_la(&v->mmio, fault->gva, gfn, gen, false, rights);
	fault->gpa = gfn_to_gpa(gfn) | offset_in_page(fault->gva);
	return mhv_shadow_rights_allow(v, rights, code) ? verdict : MHV_VERDICT_SLOW;
}

/* ---- 2a: the guest's tables ------------------------------------------------ */

/* The kind of access that the error code of a fault tells. */
static u32 fault_guest_access(struct mhv_vcpu *v, u32 code)
{
	struct mhv_paging_state p = {};
	u32 access = 0;

	if (code & PFERR_W)
		access |= GUEST_ACCESS_WRITE;
	if (code & PFERR_I)
		access |= GUEST_ACCESS_FETCH;
	if (code & PFERR_U)
		return access | GUEST_ACCESS_USER;
	if (!v->shadow.mode.smap)
		return access;
	mhv_op(get_paging)(v, &p);
	if (p.rflags & X86_EFLAGS_AC)
		access |= GUEST_ACCESS_AC;
	if (p.cpl == 3)
		access |= GUEST_ACCESS_IMPLICIT;
	return access;
}

static enum mhv_next fault_guest(struct mhv_vcpu *v, const struct mhv_fault *fault,
				 const struct guest_walk *walk)
{
	mhv_count(v, MHV_STAT_PF_GUEST);
	trace_mhv_page_fault(v, fault, MHV_VERDICT_GUEST);
	if (v->vm->shadow->gnp && !(walk->error_code & PFERR_P))
		mhv_shadow_map_gnp(v, fault->gva, walk);
	mhv_queue_page_fault(v, walk->error_code, fault->gva);
	return MHV_NEXT_RESUME;
}

/* ---- 3: the memslot ------------------------------------------------------- */

static void fault_note_device_gva(struct mhv_vcpu *v, const struct mhv_fault *fault, u64 gen,
				  bool write_only)
{
	const struct guest_walk *walk = fault->walked;
	u32 rights = guest_walk_rights(walk);
	gfn_t gfn = gpa_to_gfn(fault->gpa);

	/* a write must set the dirty bit first */
	if (walk->level && !(walk->gpte[walk->level - 1] & GPTE_D))
		rights &= ~GUEST_RIGHT_W;
	if (!mhv_opt_off(v->vm, MHV_OPT_VCPU_CACHE))
		mhv_mmio_cache_fill_la(&v->mmio, fault->gva, gfn, gen, write_only, rights);
	if (write_only || !mhv_shadow_spte.mmio_mask || mhv_opt_off(v->vm, MHV_OPT_MMIO_SPTE) ||
	    mhv_gen_changing(gen))
		return;
	if (shadow_fill_cache(v))
		return;
	shadow_make_room(v);
	spin_lock(&v->vm->mmu_lock);
	mhv_shadow_map_mmio(v, fault, gen);
	spin_unlock(&v->vm->mmu_lock);
	mhv_count(v, MHV_STAT_PF_MMIO_MADE);
	trace_mhv_mmio_spte(gfn, gen);
}

static void fault_note_device(struct mhv_vcpu *v, const struct mhv_fault *fault, u64 gen,
			      bool write_only)
{
	gfn_t gfn = gpa_to_gfn(fault->gpa);

	if (v->vm->shadow) {
		fault_note_device_gva(v, fault, gen, write_only);
		return;
	}
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
		fault_note_device(v, fault, gen, false);
		return MHV_PF_MMIO;
	}
	if (fault->write && (frame->slot->flags & MHV_MEM_READONLY)) {
		fault_note_device(v, fault, gen, true);
		return MHV_PF_MMIO;
	}
	frame->hva = slot_gfn_to_hva(frame->slot, gfn);
	return MHV_PF_FIXED;
}

/* ---- 4: the host frame ----------------------------------------------------- */

/* A read fault maps writable all the same, where that costs the host nothing. */
static bool fault_writable_frame(struct mhv_frame *frame)
{
	if (frame->slot->flags & MHV_MEM_READONLY)
		return false;
	frame->writable = get_user_pages_fast_only(frame->hva, 1, FOLL_WRITE, &frame->page) == 1;
	return frame->writable;
}

static enum mhv_pf fault_get_frame(struct mhv_vcpu *v, const struct mhv_fault *fault,
				   struct mhv_frame *frame)
{
	int ret = 1;

	/* the sequence before the frame: pairs with mhv_notifier_ended() */
	frame->seq = smp_load_acquire(&v->vm->notifier_seq);
	if (!fault_writable_frame(frame)) {
		ret = get_user_pages_fast(frame->hva, 1, fault->write ? FOLL_WRITE : 0,
					  &frame->page);
		frame->writable = fault->write;
	}
	if (ret == -EINTR || ret == -EAGAIN || ret == 0)
		return MHV_PF_RETRY;
	if (ret < 0) {
		frame->error = -ret;
		return MHV_PF_NO_MEMORY;
	}
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

static int fault_prepare(struct mhv_vcpu *v)
{
	if (!v->vm->shadow)
		return mhv_fill_page_cache(v);
	shadow_make_room(v);
	return shadow_fill_cache(v);
}

static enum mhv_map fault_set_entry(struct mhv_vcpu *v, const struct mhv_fault *fault,
				    struct mhv_frame *frame, int *level)
{
	u64 pfn = page_to_pfn(frame->page);

	*level = 1;
	if (v->vm->shadow)
		return mhv_shadow_map(v, fault, pfn, frame->writable);
	*level = fault_level(v, fault, frame);
	return mhv_tdp_map(v, gpa_to_gfn(fault->gpa), pfn, level, frame->writable);
}

static enum mhv_pf fault_map(struct mhv_vcpu *v, const struct mhv_fault *fault,
			     struct mhv_frame *frame)
{
	enum mhv_map map = MHV_MAP_RETRY;
	struct mhv_vm *vm = v->vm;
	int level;

	if (fault_prepare(v))
		return MHV_PF_OOM;
	spin_lock(&vm->mmu_lock);
	if (!fault_outdated(vm, frame, 1))
		map = fault_set_entry(v, fault, frame, &level);
	spin_unlock(&vm->mmu_lock);

	switch (map) {
	case MHV_MAP_DONE:
		fault_count_mapped(v, level);
		return MHV_PF_FIXED;
	case MHV_MAP_SPURIOUS:
		mhv_count(v, MHV_STAT_PF_SPURIOUS);
		return MHV_PF_FIXED;
	case MHV_MAP_EMULATE:
		return MHV_PF_TABLE;
	case MHV_MAP_RETRY:
		break;
	}
	return MHV_PF_RETRY;
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
		[MHV_VERDICT_TABLE] = MHV_STAT_PF_SHADOW_WRITE,
	};

	mhv_count(v, stat[verdict]);
	trace_mhv_page_fault(v, fault, verdict);
	return mhv_mmio(v, fault, verdict);
}

/* A write that the CPU must not do: the executor does it. */
static enum mhv_next fault_emulate_write(struct mhv_vcpu *v, const struct mhv_fault *fault)
{
	struct mhv_fault table = *fault;

	table.table = true;
	return fault_emulate(v, &table, MHV_VERDICT_TABLE);
}

/* Steps 3 to 6 */
static enum mhv_next fault_slow(struct mhv_vcpu *v, const struct mhv_fault *fault)
{
	struct mhv_frame frame = {};
	enum mhv_pf pf;
	int idx;

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
	case MHV_PF_TABLE:
		return fault_emulate_write(v, fault);
	case MHV_PF_OOM:
		break;
	}
	v->run_error = -ENOMEM;
	return MHV_NEXT_FAIL;
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
	if (fault_cached(v, gpa_to_gfn(fault->gpa), fault->write))
		return fault_emulate(v, fault, MHV_VERDICT_VCPU_CACHE);
	return fault_slow(v, fault);
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

/* A guest table that cannot be read: no memslot, or its memory is not to be had. */
static enum mhv_next fault_no_table(struct mhv_vcpu *v, struct mhv_fault *fault, gpa_t gpa)
{
	struct mhv_frame frame = { .error = EFAULT };
	int idx;

	fault->gpa = gpa;
	fault->walk = true;
	idx = srcu_read_lock(&v->vm->srcu);
	frame.slot = mhv_find_slot(mhv_slots(v->vm), gpa_to_gfn(gpa));
	if (frame.slot)
		frame.hva = slot_gfn_to_hva(frame.slot, gpa_to_gfn(gpa));
	srcu_read_unlock(&v->vm->srcu, idx);
	if (!frame.hva)
		return fault_emulate(v, fault, MHV_VERDICT_SLOW);
	mhv_count(v, MHV_STAT_PF_NO_MEMORY);
	trace_mhv_page_fault(v, fault, MHV_VERDICT_NO_MEMORY);
	return fault_no_memory(v, fault, &frame);
}

static enum mhv_next fault_walk(struct mhv_vcpu *v, struct mhv_fault *fault, u32 code)
{
	u32 access = fault_guest_access(v, code);
	enum guest_walk_result result;
	struct guest_walk walk;

	result = mhv_walk_as(v, fault->gva, access, &walk);
	trace_mhv_walk(v, fault->gva, access, result, &walk);
	switch (result) {
	case GUEST_WALK_OK:
		break;
	case GUEST_WALK_FAULT:
		return fault_guest(v, fault, &walk);
	case GUEST_WALK_NO_MEMORY:
		return fault_no_table(v, fault, walk.gpa);
	case GUEST_WALK_RACED:
		mhv_count(v, MHV_STAT_PF_RETRY);
		trace_mhv_page_fault(v, fault, MHV_VERDICT_RETRY);
		return MHV_NEXT_RESUME;
	}
	fault->gpa = walk.gpa;
	fault->walked = &walk;
	return fault_slow(v, fault);
}

/**
 * mhv_shadow_fault - handle a #PF of the guest with shadow paging
 * @v: a loaded vCPU that has just exited for it
 * @gva: linear address
 * @code: error code, PFERR_*, as the CPU made it of the shadow tables
 *
 * Context: may sleep.
 */
enum mhv_next mhv_shadow_fault(struct mhv_vcpu *v, gva_t gva, u32 code)
{
	struct mhv_fault fault = {
		.gva = gva, .gva_valid = true, .write = code & PFERR_W, .fetch = code & PFERR_I,
	};

	mhv_shadow_audit_fault(v);
	if (fault_cached_gva(v, &fault, code))
		return fault_emulate(v, &fault, MHV_VERDICT_VCPU_CACHE);
	if (!(code & PFERR_RSVD))
		return fault_walk(v, &fault, code);

	switch (fault_read_shadow(v, &fault, code)) {
	case MHV_VERDICT_SPTE:
		return fault_emulate(v, &fault, MHV_VERDICT_SPTE);
	case MHV_VERDICT_FALSE_ALARM:
		trace_mhv_page_fault(v, &fault, MHV_VERDICT_FALSE_ALARM);
		mhv_count(v, MHV_STAT_PF_FALSE_ALARM);
		return MHV_NEXT_RESUME;
	case MHV_VERDICT_STALE:
		trace_mhv_page_fault(v, &fault, MHV_VERDICT_STALE);
		mhv_count(v, MHV_STAT_PF_MMIO_STALE);
		break;
	default:
		break;
	}
	return fault_walk(v, &fault, code);
}

/**
 * mhv_shadow_plain_fault - find out the short way that a fault is the guest's own
 * @v: a loaded vCPU that has just exited for it
 * @gva: linear address
 * @code: as above
 * @error: out: error code for the guest
 *
 * Context: interrupts off.
 * Return: false: it is for mhv_shadow_fault().
 */
bool mhv_shadow_plain_fault(struct mhv_vcpu *v, gva_t gva, u32 code, u32 *error)
{
	if ((code & PFERR_RSVD) || trace_mhv_walk_enabled() || trace_mhv_inject_enabled())
		return false;
	return mhv_shadow_guest_fault(v, gva, fault_guest_access(v, code), error);
}
