// SPDX-License-Identifier: GPL-2.0-only
/*
 * The audit of shadow paging: every entry of every shadow page against the guest's
 * tables, the reverse map, the links and the accounting of the pool.
 *
 * What must hold, under mmu_lock:
 *
 *	- an entry that is present is on one list: a link among the parents of its child,
 *	  a leaf among the mappings of its frame
 *	- a link leads to a page of the next level that is in use
 *	- an entry of a synced table was made from what the guest's entry says now
 *	- no mapping lets the guest write the frame of a synced table
 *	- a leaf grants no right that its guest entry or its page's role does not
 *	- a device entry holds its frame; gnp is found where the guest's is not present
 *	- pages and leaves in use are as many as are counted
 *
 * A mismatch is told once with both entries, and counted.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

#include "mmu.h"
#include "shadow.h"

static unsigned int audit_every;
module_param_named(audit, audit_every, uint, 0644);
MODULE_PARM_DESC(audit, "shadow paging: check all tables after so many faults; 0: never");

/**
 * struct audit - one audit
 * @vm: the VM
 * @errors: mismatches found
 * @leaves: counted
 * @pages: likewise
 * @skipped: pages whose guest table could not be read: their leaves were not counted
 */
struct audit {
	struct mhv_vm *vm;
	u64 errors;
	unsigned long leaves;
	unsigned long pages;
	unsigned long skipped;
};

static void audit_error(struct audit *a, const struct shadow_page *sp, u32 index, const char *what,
			u64 now)
{
	a->errors++;
	WARN_ONCE(1, "mhv: audit: %s: gfn %#llx level %u entry %u: shadow %#llx made from %#llx, guest %#llx\n",
		  what, sp->gfn, sp->role.level, index, sp->table[index], sp->entry[index].gpte,
		  now);
}

static void audit_accounting(struct audit *a)
{
	const struct mhv_shadow *s = a->vm->shadow;

	if (a->pages == s->nr_pages && (a->skipped || a->leaves == s->nr_rmap))
		return;
	a->errors++;
	WARN_ONCE(1, "mhv: audit: accounting: %lu pages of %lu, %lu leaves of %lu\n", a->pages,
		  s->nr_pages, a->leaves, s->nr_rmap);
}

static bool audit_on_list(const struct hlist_head *head, const struct shadow_entry *e)
{
	const struct shadow_entry *other;

	hlist_for_each_entry(other, head, node)
		if (other == e)
			return true;
	return false;
}

static void audit_link(struct audit *a, struct shadow_page *sp, u32 i, u64 now)
{
	const struct shadow_page *child = shadow_of(sp->table[i]);

	if (child->zapped || child->role.level != sp->role.level - 1)
		audit_error(a, sp, i, "a link to no page of the next level", now);
	else if (!audit_on_list(&child->parents, &sp->entry[i]))
		audit_error(a, sp, i, "a link that its child does not know", now);
}

/* Does the guest's entry or the page's role refuse what the leaf grants? */
static bool audit_rights_exceeded(const struct shadow_page *sp, u64 spte, u64 gpte)
{
	u32 access = sp->role.access;

	if (!sp->role.direct) {
		access &= (gpte & GPTE_W && gpte & GPTE_D ? GUEST_RIGHT_W : 0) |
			  (gpte & GPTE_U ? GUEST_RIGHT_U : 0) |
			  (gpte & GPTE_NX ? 0 : GUEST_RIGHT_X);
	}
	return ((spte & PTE_W) && !(access & GUEST_RIGHT_W)) ||
	       ((spte & PTE_U) && !(access & GUEST_RIGHT_U)) ||
	       (!(spte & PTE_NX) && !(access & GUEST_RIGHT_X));
}

static void audit_leaf(struct audit *a, struct shadow_page *sp, u32 i, u64 now)
{
	const struct shadow_entry *e = &sp->entry[i];

	a->leaves++;
	if (!audit_on_list(shadow_rmap(a->vm->shadow, e->gfn), e))
		audit_error(a, sp, i, "a leaf that the reverse map does not know", now);
	if (audit_rights_exceeded(sp, sp->table[i], e->gpte))
		audit_error(a, sp, i, "a leaf with more rights than the guest's", now);
	if ((sp->table[i] & PTE_W) && shadow_is_synced_table(a->vm, e->gfn))
		audit_error(a, sp, i, "a synced table that can be written", now);
}

/* A write that is in memory already, and waits for mmu_lock to be told. */
static bool audit_write_under_way(struct mhv_vm *vm)
{
	/* memory before the count: pairs with mhv_shadow_write_begin() */
	smp_rmb();
	return atomic_read(&vm->shadow->writing);
}

static void audit_entry(struct audit *a, struct shadow_page *sp, u32 i, u64 now)
{
	u64 spte = sp->table[i];

	if (spte == a->vm->shadow->absent)
		return;
	if (!sp->role.direct && !sp->unsync && !shadow_gpte_same(sp->entry[i].gpte, now) &&
	    !audit_write_under_way(a->vm))
		audit_error(a, sp, i, "an entry of another guest entry", now);
	if (shadow_is_mmio(spte))
		return;
	if (!shadow_present(spte)) {
		if (sp->unsync || (sp->entry[i].gpte & GPTE_P))
			audit_error(a, sp, i, "not present, but not for the guest", now);
	} else if (sp->role.level > 1) {
		audit_link(a, sp, i, now);
	} else {
		audit_leaf(a, sp, i, now);
	}
}

static void audit_page(struct audit *a, struct shadow_page *sp)
{
	const void *table = NULL;
	struct page *page;
	u32 i;

	a->pages++;
	if (!sp->role.direct) {
		table = shadow_get_table(a->vm, sp->gfn, &page);
		/* swapped out, or the host is changing it: another time */
		if (!table) {
			a->skipped++;
			return;
		}
	}
	for (i = 0; i < SPTE_ENTRIES; i++)
		audit_entry(a, sp, i, table ? shadow_table_gpte(sp, table, i) : 0);
	if (table)
		put_page(page);
}

/**
 * mhv_shadow_audit - check all shadow tables of a VM
 * @vm: a VM with shadow paging
 * @result: out: what was looked at, and the number of mismatches
 *
 * Context: interrupts on; takes mmu_lock.
 */
void mhv_shadow_audit(struct mhv_vm *vm, struct mhv_audit *result)
{
	struct audit a = { .vm = vm };
	struct shadow_page *sp;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu_lock);
	/* an invalidation under way has not come to the tables yet */
	if (!vm->notifier_count) {
		list_for_each_entry(sp, &vm->shadow->pages, link)
			audit_page(&a, sp);
		audit_accounting(&a);
	}
	spin_unlock(&vm->mmu_lock);
	srcu_read_unlock(&vm->srcu, idx);
	*result = (struct mhv_audit){
		.errors = a.errors, .tables = a.pages, .leaves = a.leaves,
	};
}

/**
 * mhv_shadow_audit_fault - audit now and then
 * @v: the vCPU that has just faulted
 *
 * Context: interrupts on.
 */
void mhv_shadow_audit_fault(struct mhv_vcpu *v)
{
	unsigned int every = READ_ONCE(audit_every);
	struct mhv_audit result;

	if (likely(!every) || ++v->shadow.faults < every)
		return;
	v->shadow.faults = 0;
	mhv_count(v, MHV_STAT_SHADOW_AUDITS);
	mhv_shadow_audit(v->vm, &result);
	v->stat[MHV_STAT_SHADOW_AUDIT_ERRORS] += result.errors;
}
