// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker: shadow pages go back to the host when its memory runs low.
 *
 * Shadow tables are a cache of the guest's: all but those that vCPUs run on can be made
 * again.  The VMs are asked in turn, each gives those used longest ago.  A VM whose
 * mmu_lock is taken is passed over: reclaim may have come from a fault of its own thread,
 * or from the holder's CPU, and must not wait.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include <linux/version.h>

#include "../trace.h"
#include "mmu.h"
#include "shadow.h"

static DEFINE_SPINLOCK(shrink_lock);
static LIST_HEAD(shrink_vms);	/* mhv_shadow.vms, shrink_lock */

/* Pages that vCPUs do not run on; nearly, and without mmu_lock. */
static unsigned long shrink_spare(const struct mhv_shadow *s)
{
	unsigned long nr = READ_ONCE(s->nr_pages);

	return nr > SPTE_LEVELS ? nr - SPTE_LEVELS : 0;
}

static unsigned long shrink_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct mhv_shadow *s;
	unsigned long nr = 0;

	spin_lock(&shrink_lock);
	list_for_each_entry(s, &shrink_vms, vms)
		nr += shrink_spare(s);
	spin_unlock(&shrink_lock);
	return nr ?: SHRINK_EMPTY;
}

static unsigned long shrink_vm(struct mhv_shadow *s, unsigned long want)
{
	unsigned long freed;

	if (!shrink_spare(s) || !spin_trylock(&s->vm->mmu_lock))
		return 0;
	freed = shadow_shrink_to(s->vm, s->nr_pages - min(want, shrink_spare(s)));
	s->shrunk += freed;
	trace_mhv_shadow_shrink(freed, s->nr_pages);
	spin_unlock(&s->vm->mmu_lock);
	return freed;
}

/* The VM stays while it is in the list: shadow_shrinker_remove() takes the lock. */
static unsigned long shrink_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct mhv_shadow *s, *next;
	unsigned long freed = 0;
	LIST_HEAD(asked);

	spin_lock(&shrink_lock);
	list_for_each_entry_safe(s, next, &shrink_vms, vms) {
		if (freed >= sc->nr_to_scan)
			break;
		freed += shrink_vm(s, sc->nr_to_scan - freed);
		list_move_tail(&s->vms, &asked);
	}
	/* those that have given are the last to be asked again */
	list_splice_tail(&asked, &shrink_vms);
	spin_unlock(&shrink_lock);
	return freed ?: SHRINK_STOP;
}

/**
 * shadow_shrinker_add - let a VM's shadow pages be taken back
 * @vm: a VM with shadow paging
 */
void shadow_shrinker_add(struct mhv_vm *vm)
{
	spin_lock(&shrink_lock);
	list_add(&vm->shadow->vms, &shrink_vms);
	spin_unlock(&shrink_lock);
}

/**
 * shadow_shrinker_remove - the opposite; nobody looks at the VM when it returns
 * @vm: the VM
 */
void shadow_shrinker_remove(struct mhv_vm *vm)
{
	spin_lock(&shrink_lock);
	list_del(&vm->shadow->vms);
	spin_unlock(&shrink_lock);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
static struct shrinker *shrinker;

static int shrink_register(void)
{
	shrinker = shrinker_alloc(0, "mhv-shadow");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = shrink_count;
	shrinker->scan_objects = shrink_scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	return 0;
}

static void shrink_unregister(void)
{
	shrinker_free(shrinker);
}
#else
static struct shrinker shrinker = {
	.count_objects = shrink_count,
	.scan_objects = shrink_scan,
	.seeks = DEFAULT_SEEKS,
};

static int shrink_register(void)
{
	return register_shrinker(&shrinker, "mhv-shadow");
}

static void shrink_unregister(void)
{
	unregister_shrinker(&shrinker);
}
#endif

/**
 * mhv_shrinker_init - offer shadow pages to the host's reclaim
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int mhv_shrinker_init(void)
{
	return shrink_register();
}

/**
 * mhv_shrinker_exit - the opposite
 *
 * Context: module exit; there are no VMs.
 */
void mhv_shrinker_exit(void)
{
	shrink_unregister();
}
