// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow paging: the roots that a vCPU runs on, and what loads of CR3 and flushes of all
 * translations do.
 *
 * In four-level paging a vCPU keeps the roots that it ran on before.  To go back to one of
 * them takes neither a lock nor a walk, if no table is unsync: what is shadowed is what the
 * guest's tables say.  All roots kept count in shadow_page.roots, so that they stay as long
 * as somebody might load them.  One that is zapped meanwhile is given up as the vCPU sees to
 * MHV_REQ_ROOT; while that is asked for, and in any other mode, the long way is gone.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "../trace.h"
#include "mmu.h"
#include "shadow.h"

/* ---- where the tables begin --------------------------------------------------- */

static void shadow_put_one(struct mhv_vcpu *v, struct shadow_page **root, struct list_head *freed)
{
	if (*root)
		shadow_put_root(v->vm, *root, freed);
	*root = NULL;
}

/**
 * shadow_put_roots - a vCPU runs on none, and keeps none
 * @v: the vCPU, mmu_lock held
 * @freed: as for shadow_zap()
 */
void shadow_put_roots(struct mhv_vcpu *v, struct list_head *freed)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	int i;

	for (i = 0; i < ARRAY_SIZE(sv->root); i++)
		shadow_put_one(v, &sv->root[i], freed);
	for (i = 0; i < ARRAY_SIZE(sv->kept); i++)
		shadow_put_one(v, &sv->kept[i].root, freed);
}

/* Keep the root that is left, instead of the one kept longest. */
static void shadow_keep_root(struct mhv_vcpu *v, u64 cr3, struct list_head *freed)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	struct mhv_shadow_kept *k = &sv->kept[sv->next_kept++ % MHV_SHADOW_KEPT];

	shadow_put_one(v, &k->root, freed);
	*k = (struct mhv_shadow_kept){ .cr3 = cr3, .root = sv->root[0] };
	sv->root[0] = NULL;
}

/* The roots that @v ran on until now, in the mode @role, from @cr3. */
static void shadow_leave_roots(struct mhv_vcpu *v, u32 role, u64 cr3, struct list_head *freed)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	bool same_mode = sv->role == role && sv->mode.paging == GUEST_PAGING_4LEVEL;
	int i;

	for (i = 0; i < ARRAY_SIZE(sv->kept); i++) {
		struct shadow_page *root = sv->kept[i].root;

		if (root && (!same_mode || root->zapped || sv->kept[i].cr3 == sv->guest.cr3))
			shadow_put_one(v, &sv->kept[i].root, freed);
	}
	if (same_mode && sv->root[0] && !sv->root[0]->zapped && cr3 != sv->guest.cr3)
		shadow_keep_root(v, cr3, freed);
	for (i = 0; i < ARRAY_SIZE(sv->root); i++)
		shadow_put_one(v, &sv->root[i], freed);
}

/**
 * shadow_vcpus - how many vCPUs run on a page now
 * @vm: the VM
 * @sp: a root
 *
 * Only a hint: a vCPU that changes to or from it at this moment may count or not.
 */
u32 shadow_vcpus(struct mhv_vm *vm, const struct shadow_page *sp)
{
	u32 nr = 0;
	int i, j;

	for (i = 0; sp->roots && i < MHV_MAX_VCPUS; i++) {
		struct mhv_vcpu *v = mhv_vm_vcpu(vm, i);

		for (j = 0; v && j < ARRAY_SIZE(v->shadow.root); j++)
			nr += READ_ONCE(v->shadow.root[j]) == sp;
	}
	return nr;
}

static struct shadow_page *shadow_get_root(struct mhv_vcpu *v, gfn_t gfn, union shadow_role role,
					   bool *flush)
{
	struct shadow_page *sp = shadow_get(v, gfn, role, flush);

	if (sp)
		sp->roots++;
	return sp;
}

/* The shadow pages of the table that CR3 or a PDPTE leads to, one for each GiB. */
static void shadow_get_small_roots(struct mhv_vcpu *v, struct shadow_page *root[4], bool *flush)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	union shadow_role role = { .word = sv->role };
	u32 i;

	role.level = 2;
	role.access = GUEST_RIGHT_ALL;
	for (i = 0; i < 4; i++) {
		gfn_t gfn = gpa_to_gfn(sv->guest.cr3 & GENMASK(31, 12));

		if (sv->mode.paging == GUEST_PAGING_PAE) {
			if (!(sv->guest.pdpte[i] & GPTE_P))
				continue;
			gfn = gpa_to_gfn(guest_pte_addr(&sv->mode, sv->guest.pdpte[i], 3));
		} else if (sv->mode.paging == GUEST_PAGING_32BIT) {
			role.quadrant = i;
		} else {
			role.direct = 1;
			gfn = (gfn_t)i << (30 - PAGE_SHIFT);
		}
		root[i] = shadow_get_root(v, gfn, role, flush);
	}
}

static void shadow_get_roots(struct mhv_vcpu *v, struct shadow_page *root[4], bool *flush)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	union shadow_role role = { .word = sv->role };

	if (sv->mode.paging != GUEST_PAGING_4LEVEL) {
		shadow_get_small_roots(v, root, flush);
		return;
	}
	role.level = 4;
	role.access = GUEST_RIGHT_ALL;
	root[0] = shadow_get_root(v, gpa_to_gfn(sv->guest.cr3 & SPTE_ADDR_MASK), role, flush);
}

/* What the roots hold that the guest leaves: asked for by switching the tracepoint on. */
static void shadow_sample_roots(struct mhv_vcpu *v)
{
	struct mhv_mmu_table t = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(v->shadow.root); i++)
		if (v->shadow.root[i])
			mhv_shadow_count(v->vm, v->shadow.root[i], true, &t);
	trace_mhv_shadow_root(v, v->shadow.guest.cr3, &t);
}

/* What the CPU's CR3 is to be. */
static u64 shadow_hardware_root(struct mhv_shadow_vcpu *sv)
{
	int i;

	if (sv->mode.paging == GUEST_PAGING_4LEVEL)
		return __pa(sv->root[0]->table);
	for (i = 0; i < 4; i++)
		sv->pdpt[i] = sv->root[i] ? __pa(sv->root[i]->table) | PTE_P : 0;
	return __pa(sv->pdpt);
}

static void shadow_note_mode(struct mhv_vcpu *v)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	union shadow_role role = {};

	mhv_get_guest_mode(v, &sv->mode, &sv->guest);
	if (sv->mode.paging != GUEST_PAGING_NONE) {
		role.paging = sv->mode.paging;
		role.nxe = sv->mode.nxe;
		role.pse = sv->mode.pse && sv->mode.paging == GUEST_PAGING_32BIT;
	}
	sv->role = role.word;
}

static int shadow_alloc_pdpt(struct mhv_shadow_vcpu *sv)
{
	if (sv->pdpt)
		return 0;
	/* outside of long mode CR3 has 32 bits */
	sv->pdpt = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT | GFP_DMA32);
	return sv->pdpt ? 0 : -ENOMEM;
}

/**
 * mhv_shadow_load_root - run on the tables that CR3 names now
 * @v: a loaded vCPU
 *
 * Also what a flush of all translations does: synchronises what the guest may write.
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int mhv_shadow_load_root(struct mhv_vcpu *v)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	struct shadow_page *root[4] = {};
	u64 left = sv->guest.cr3;
	u32 role = sv->role;
	struct mhv_vm *vm = v->vm;
	bool flush = false;
	LIST_HEAD(freed);
	int idx;

	if (shadow_fill_cache(v) || shadow_alloc_pdpt(sv))
		return -ENOMEM;
	shadow_make_room(v);
	mhv_mmio_cache_clear(&v->mmio);

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu_lock);
	if (trace_mhv_shadow_root_enabled())
		shadow_sample_roots(v);
	shadow_note_mode(v);
	shadow_sync_all(vm, v);
	shadow_get_roots(v, root, &flush);
	shadow_leave_roots(v, role, left, &freed);
	memcpy(sv->root, root, sizeof(sv->root));
	if (flush)
		mhv_tdp_flush(vm);
	spin_unlock(&vm->mmu_lock);
	srcu_read_unlock(&vm->srcu, idx);
	mhv_shadow_free(&freed);

	mhv_op(set_root)(v, shadow_hardware_root(sv));
	set_bit(MHV_REQ_TLB_FLUSH, &v->requests);
	return 0;
}

/**
 * mhv_shadow_flush - the guest flushes all its translations and stays on its tables
 * @v: a loaded vCPU
 *
 * The CPU is flushed only where entries were taken away: those that are left stand for
 * what the guest's tables say.
 * Context: may sleep.
 */
void mhv_shadow_flush(struct mhv_vcpu *v)
{
	struct mhv_vm *vm = v->vm;
	bool stale;
	int idx;

	mhv_mmio_cache_clear(&v->mmio);
	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu_lock);
	shadow_sync_all(vm, v);
	stale = mhv_shadow_stale(v);
	spin_unlock(&vm->mmu_lock);
	srcu_read_unlock(&vm->srcu, idx);
	if (stale)
		set_bit(MHV_REQ_TLB_FLUSH, &v->requests);
}

/* ---- the short way ------------------------------------------------------------ */

/**
 * mhv_shadow_short - may translations be flushed without looking at tables
 * @v: a loaded vCPU
 *
 * If the guest has made sure that a write by another vCPU comes before what it does now,
 * that vCPU had made the table unsync, and that is seen here.
 * Context: interrupts off.
 */
bool mhv_shadow_short(struct mhv_vcpu *v)
{
	return list_empty(&v->vm->shadow->unsync) && !READ_ONCE(v->requests) &&
	       !trace_mhv_shadow_root_enabled() && !trace_mhv_flush_enabled();
}

/**
 * mhv_shadow_switch - load CR3, if its root is kept
 * @v: a loaded vCPU, for which mhv_shadow_short() said so
 * @cr3: a valid value
 *
 * Context: interrupts off.
 * Return: false: mhv_shadow_load_root() has to do it.  True: all is done but the flush.
 */
bool mhv_shadow_switch(struct mhv_vcpu *v, u64 cr3)
{
	struct mhv_shadow_vcpu *sv = &v->shadow;
	struct mhv_shadow_kept *k = sv->kept;

	if (sv->mode.paging != GUEST_PAGING_4LEVEL || !sv->root[0])
		return false;
	if (cr3 == sv->guest.cr3)
		return true;
	while (!k->root || k->cr3 != cr3)
		if (++k == sv->kept + MHV_SHADOW_KEPT)
			return false;
	k->cr3 = sv->guest.cr3;
	sv->guest.cr3 = cr3;
	swap(sv->root[0], k->root);
	mhv_op(set_root)(v, __pa(sv->root[0]->table));
	return true;
}
