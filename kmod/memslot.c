// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: which guest frames are backed by which user memory.
 *
 * The set is immutable and replaced whole.  A slot that goes or changes is zapped
 * first, and nothing is mapped again until no reader of the old set is left: in
 * between, an invalidation of its memory by the host would look it up in the new set
 * and not find what the guest could still reach.
 */
#include <linux/bsearch.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "mhv.h"
#include "mmu/mmu.h"
#include "mmu/spte.h"
#include "trace.h"

unsigned int mhv_mmio_gen_bits __read_mostly = SPTE_GEN_BITS;

/**
 * mhv_slots - the current set
 * @vm: the VM; srcu read lock, slots_lock or nobody else
 */
const struct mhv_slots *mhv_slots(struct mhv_vm *vm)
{
	return srcu_dereference_check(vm->slots, &vm->srcu,
				      lockdep_is_held(&vm->slots_lock));
}

/**
 * mhv_find_slot - the slot that holds a frame
 * @slots: a set
 * @gfn: guest frame
 *
 * Return: the slot or NULL.
 */
const struct mhv_slot *mhv_find_slot(const struct mhv_slots *slots, gfn_t gfn)
{
	u32 low = 0, high = slots->nr;

	/* the last slot that does not begin after gfn */
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (slots->slot[mid].base <= gfn)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	low--;
	return gfn - slots->slot[low].base < slots->slot[low].npages ? &slots->slot[low] : NULL;
}

static int memslot_check(struct mhv_vm *vm, const struct mhv_memslot *arg)
{
	u64 limit = 1ull << min_t(u32, boot_cpu_data.x86_phys_bits, 48);

	if (arg->slot >= MHV_MAX_MEMSLOTS || (arg->flags & ~MHV_MEM_READONLY) ||
	    memchr_inv(arg->reserved, 0, sizeof(arg->reserved)))
		return -EINVAL;
	if ((arg->gpa | arg->size | arg->hva) & ~PAGE_MASK)
		return -EINVAL;
	if (arg->gpa >= limit || arg->size > limit - arg->gpa)
		return -EINVAL;
	if (!arg->size)
		return 0;
	if (arg->hva >= TASK_SIZE_MAX || arg->size > TASK_SIZE_MAX - arg->hva)
		return -EINVAL;
	return 0;
}

static bool memslot_overlaps(const struct mhv_slots *slots, const struct mhv_memslot *arg)
{
	gfn_t base = gpa_to_gfn(arg->gpa), end = base + (arg->size >> PAGE_SHIFT);
	u32 i;

	for (i = 0; i < slots->nr; i++) {
		const struct mhv_slot *slot = &slots->slot[i];

		if (slot->id != arg->slot && base < slot->base + slot->npages &&
		    slot->base < end)
			return true;
	}
	return false;
}

/* The old set less the slot named, with it as it is to be. */
static struct mhv_slots *memslot_replace(const struct mhv_slots *old,
					 const struct mhv_memslot *arg)
{
	struct mhv_slot new = {
		.base = gpa_to_gfn(arg->gpa),
		.npages = arg->size >> PAGE_SHIFT,
		.hva = arg->hva,
		.id = arg->slot,
		.flags = arg->flags,
	};
	struct mhv_slots *slots;
	bool placed = !arg->size;
	u32 i;

	slots = kvmalloc(struct_size(slots, slot, old->nr + 1), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return NULL;
	slots->nr = 0;
	for (i = 0; i < old->nr; i++) {
		if (old->slot[i].id == arg->slot)
			continue;
		if (!placed && old->slot[i].base > new.base) {
			slots->slot[slots->nr++] = new;
			placed = true;
		}
		slots->slot[slots->nr++] = old->slot[i];
	}
	if (!placed)
		slots->slot[slots->nr++] = new;
	return slots;
}

static const struct mhv_slot *memslot_by_id(const struct mhv_slots *slots, u32 id)
{
	u32 i;

	for (i = 0; i < slots->nr; i++)
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	return NULL;
}

/* What was noted of device memory is old from now on, and nothing is noted anew. */
static void memslot_gen_begin(struct mhv_vm *vm)
{
	WRITE_ONCE(vm->mmio_gen, vm->mmio_gen + 1);
	/* odd before the new set is out */
	smp_wmb();
}

static void memslot_gen_end(struct mhv_vm *vm)
{
	u64 gen = vm->mmio_gen + 1;

	if (!mhv_gen_spte(gen)) {
		spin_lock(&vm->mmu_lock);
		mhv_mmu_zap_mmio(vm);
		spin_unlock(&vm->mmu_lock);
	}
	/* pairs with the reader's order: generation, then memslots */
	smp_store_release(&vm->mmio_gen, gen);
}

/* Unmap a slot and keep faults from mapping anything until memslot_unblock(). */
static void memslot_zap_and_block(struct mhv_vm *vm, const struct mhv_slot *slot)
{
	LIST_HEAD(freed);

	spin_lock(&vm->mmu_lock);
	mhv_notifier_began(vm, 0, ULONG_MAX);
	mhv_mapping_changed(vm);
	if (mhv_mmu_zap(vm, slot->base, slot->base + slot->npages, &freed))
		mhv_tdp_flush(vm);
	spin_unlock(&vm->mmu_lock);
	mhv_mmu_free(vm, &freed);
}

static void memslot_unblock(struct mhv_vm *vm)
{
	spin_lock(&vm->mmu_lock);
	mhv_notifier_ended(vm, 0, ULONG_MAX);
	spin_unlock(&vm->mmu_lock);
}

static int memslot_change(struct mhv_vm *vm, const struct mhv_memslot *arg)
{
	const struct mhv_slots *old = mhv_slots(vm);
	const struct mhv_slot *slot = memslot_by_id(old, arg->slot);
	struct mhv_slots *new;

	if (!arg->size && !slot)
		return -ENOENT;
	if (arg->size && memslot_overlaps(old, arg))
		return -EEXIST;
	new = memslot_replace(old, arg);
	if (!new)
		return -ENOMEM;

	if (slot)
		memslot_zap_and_block(vm, slot);
	memslot_gen_begin(vm);
	rcu_assign_pointer(vm->slots, new);
	synchronize_srcu_expedited(&vm->srcu);
	memslot_gen_end(vm);
	if (slot)
		memslot_unblock(vm);
	trace_mhv_memslot(arg, vm->mmio_gen);
	kvfree(old);
	return 0;
}

/**
 * mhv_set_memslot - MHV_SET_MEMSLOT
 * @vm: the VM
 * @arg: as user space gave it
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOENT, -EEXIST or -ENOMEM as the interface says.
 */
int mhv_set_memslot(struct mhv_vm *vm, const struct mhv_memslot *arg)
{
	int ret = memslot_check(vm, arg);

	if (ret)
		return ret;
	mutex_lock(&vm->slots_lock);
	ret = memslot_change(vm, arg);
	mutex_unlock(&vm->slots_lock);
	return ret;
}
