// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory management speaks: pages go away, or are asked whether they are
 * in use.
 *
 * A fault looks a frame up without a lock and maps it later under mmu_lock.  Between
 * the two the host may take the frame back.  notifier_count is raised for as long as
 * an invalidation is under way, notifier_seq changes when it ends; a fault that finds
 * one of them to have touched its address gives up its frame and starts again
 * (mhv_notifier_retry()).  The addresses of those under way are kept as one range that
 * only grows, those of the last few that ended one by one.
 */
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>

#include "mmu.h"

static struct mhv_vm *notifier_vm(struct mmu_notifier *mn)
{
	return container_of(mn, struct mhv_vm, notifier);
}

static bool range_meets(const struct mhv_hva_range *range, unsigned long start,
			unsigned long end)
{
	return start < range->end && range->start < end;
}

/**
 * mhv_notifier_began - memory is about to go
 * @vm: the VM, mmu_lock held
 * @start: first address
 * @end: one past the last
 */
void mhv_notifier_began(struct mhv_vm *vm, unsigned long start, unsigned long end)
{
	struct mhv_hva_range *range = &vm->notifier_range;

	lockdep_assert_held(&vm->mmu_lock);
	if (!vm->notifier_count++)
		*range = (struct mhv_hva_range){ .start = start, .end = end };
	range->start = min(range->start, start);
	range->end = max(range->end, end);
}

/**
 * mhv_notifier_ended - what is looked up from now on may be mapped
 * @vm: the VM, mmu_lock held
 * @start: as for mhv_notifier_began()
 * @end: likewise
 */
void mhv_notifier_ended(struct mhv_vm *vm, unsigned long start, unsigned long end)
{
	unsigned long seq = vm->notifier_seq;

	lockdep_assert_held(&vm->mmu_lock);
	WARN_ON_ONCE(!vm->notifier_count);
	vm->notifier_count--;
	vm->notifier_ended[seq % MHV_NOTIFIER_ENDED] =
		(struct mhv_hva_range){ .start = start, .end = end };
	/* a fault that reads the new sequence must see the host's new page tables */
	smp_store_release(&vm->notifier_seq, seq + 1);
}

/**
 * mhv_notifier_retry - may memory have gone since it was looked up
 * @vm: the VM, mmu_lock held
 * @seq: notifier_seq before it was looked up
 * @start: its first address
 * @end: one past the last
 */
bool mhv_notifier_retry(struct mhv_vm *vm, unsigned long seq, unsigned long start,
			unsigned long end)
{
	lockdep_assert_held(&vm->mmu_lock);
	if (vm->notifier_count && range_meets(&vm->notifier_range, start, end))
		return true;
	if (vm->notifier_seq - seq > MHV_NOTIFIER_ENDED)
		return true;
	for (; seq != vm->notifier_seq; seq++)
		if (range_meets(&vm->notifier_ended[seq % MHV_NOTIFIER_ENDED], start, end))
			return true;
	return false;
}

/* Call @fn for the guest frames that a range of hva backs; the answers or-ed. */
static bool notifier_for_each(struct mhv_vm *vm, unsigned long start, unsigned long end,
			      bool (*fn)(struct mhv_vm *vm, gfn_t start, gfn_t end, void *arg),
			      void *arg)
{
	const struct mhv_slots *slots = mhv_slots(vm);
	bool any = false;
	u32 i;

	for (i = 0; i < slots->nr; i++) {
		const struct mhv_slot *slot = &slots->slot[i];
		unsigned long slot_end = slot->hva + (slot->npages << PAGE_SHIFT);
		unsigned long from = max(start, slot->hva), to = min(end, slot_end);

		if (from >= to)
			continue;
		any |= fn(vm, slot->base + ((from - slot->hva) >> PAGE_SHIFT),
			  slot->base + ((to - slot->hva + PAGE_SIZE - 1) >> PAGE_SHIFT), arg);
	}
	return any;
}

static bool notifier_zap(struct mhv_vm *vm, gfn_t start, gfn_t end, void *freed)
{
	mhv_mapping_changed(vm);
	return mhv_mmu_zap(vm, start, end, freed);
}

static bool notifier_age(struct mhv_vm *vm, gfn_t start, gfn_t end, void *clear)
{
	return mhv_mmu_age(vm, start, end, *(bool *)clear);
}

static int notifier_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct mhv_vm *vm = notifier_vm(mn);
	LIST_HEAD(freed);
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu_lock);
	mhv_notifier_began(vm, range->start, range->end);
	if (notifier_for_each(vm, range->start, range->end, notifier_zap, &freed))
		mhv_tdp_flush(vm);
	spin_unlock(&vm->mmu_lock);
	srcu_read_unlock(&vm->srcu, idx);
	mhv_mmu_free(vm, &freed);
	return 0;
}

static void notifier_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct mhv_vm *vm = notifier_vm(mn);

	spin_lock(&vm->mmu_lock);
	mhv_notifier_ended(vm, range->start, range->end);
	spin_unlock(&vm->mmu_lock);
}

static bool notifier_young(struct mhv_vm *vm, unsigned long start, unsigned long end,
			   bool clear)
{
	bool young;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu_lock);
	young = notifier_for_each(vm, start, end, notifier_age, &clear);
	spin_unlock(&vm->mmu_lock);
	srcu_read_unlock(&vm->srcu, idx);
	return young;
}

static int notifier_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
				      unsigned long start, unsigned long end)
{
	struct mhv_vm *vm = notifier_vm(mn);
	bool young = notifier_young(vm, start, end, true);

	if (young)
		mhv_tdp_flush(vm);
	return young;
}

/* The next access may go unseen until its TLB entry is gone: a hint, no more. */
static int notifier_clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
				unsigned long start, unsigned long end)
{
	return notifier_young(notifier_vm(mn), start, end, true);
}

static int notifier_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
			       unsigned long address)
{
	return notifier_young(notifier_vm(mn), address, address + PAGE_SIZE, false);
}

/* The address space ends before the VM's file descriptors do. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct mhv_vm *vm = notifier_vm(mn);
	LIST_HEAD(freed);

	spin_lock(&vm->mmu_lock);
	mhv_mapping_changed(vm);
	if (mhv_mmu_zap(vm, 0, 1ull << (48 - PAGE_SHIFT), &freed))
		mhv_tdp_flush(vm);
	spin_unlock(&vm->mmu_lock);
	mhv_mmu_free(vm, &freed);
}

static const struct mmu_notifier_ops notifier_ops = {
	.release		= notifier_release,
	.invalidate_range_start	= notifier_start,
	.invalidate_range_end	= notifier_end,
	.clear_flush_young	= notifier_clear_flush_young,
	.clear_young		= notifier_clear_young,
	.test_young		= notifier_test_young,
};

/**
 * mhv_notifier_register - hear of changes to the owner's memory
 * @vm: a VM under construction, owned by the current process
 *
 * Return: 0 or an error of mmu_notifier_register().
 */
int mhv_notifier_register(struct mhv_vm *vm)
{
	vm->notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->notifier, vm->mm);
}

/**
 * mhv_notifier_unregister - hear no more
 * @vm: the VM; no callback is under way when this returns
 */
void mhv_notifier_unregister(struct mhv_vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
}
