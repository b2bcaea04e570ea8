// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow paging: roots, and what faults, flushes and writes do to the shadow tables.
 * What shadow tables are is explained in shadow.h.
 *
 * A fault walks the guest's tables without a lock.  Under mmu_lock it then
 *
 *	1  finds or makes the shadow page of every level on the way: from then on the
 *	   guest cannot write the tables unseen
 *	2  reads the guest's entries again: if one has changed, the guest tries again
 *	3  links the pages and sets the entry
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>

#include "../trace.h"
#include "mmu.h"
#include "shadow.h"

struct mhv_spte_format mhv_shadow_spte __read_mostly;

/* A reserved bit is what device entries and gnp are made of. */
static bool shadow_has_reserved_bit(void)
{
	return mhv_shadow_spte.mmio_mask;
}

/**
 * mhv_shadow_init - find out what entries may look like here
 *
 * Context: module init.
 */
void mhv_shadow_init(void)
{
	u32 bits = boot_cpu_data.x86_phys_bits;

	if (cpuid_eax(0x80000000) >= 0x80000008)
		bits = cpuid_eax(0x80000008) & 0xff;
	mhv_shadow_spte = shadow_spte_format(bits, boot_cpu_data.x86_cache_bits);
}

/* ---- finding the entry of an address -------------------------------------------- */

/**
 * shadow_root - the root that holds an address
 * @v: a vCPU
 * @gva: linear address
 *
 * Return: NULL where there is none.
 */
struct shadow_page *shadow_root(struct mhv_vcpu *v, gva_t gva)
{
	if (v->shadow.mode.paging == GUEST_PAGING_4LEVEL)
		return v->shadow.root[0];
	return v->shadow.root[(gva >> 30) & 3];
}

/**
 * mhv_shadow_read - the last-level entry of an address, without a lock
 * @v: a loaded vCPU
 * @gva: linear address
 *
 * Return: the entry as it was at some moment of the call; absent where there is none.
 */
u64 mhv_shadow_read(struct mhv_vcpu *v, gva_t gva)
{
	const struct shadow_page *root = shadow_root(v, gva);
	const u64 *table;
	u64 spte = v->vm->shadow->absent;
	int level;

	if (!root)
		return spte;
	rcu_read_lock();
	table = root->table;
	for (level = root->role.level; level; level--) {
		spte = READ_ONCE(table[shadow_index(gva, level)]);
		if (level == 1 || !shadow_present(spte))
			break;
		table = __va(spte & SPTE_ADDR_MASK);
	}
	rcu_read_unlock();
	return spte;
}

/**
 * mhv_shadow_guest_fault - is a fault the guest's own, by its last-level entry alone
 * @v: a loaded vCPU
 * @gva: linear address
 * @access: GUEST_ACCESS_* of the access
 * @error: out: error code for the guest
 *
 * Linked entries stand for what the guest's tables of the levels above say, as the CPU's own
 * caches of them would; the last one is read anew.
 * Context: interrupts off: they keep the tables from being freed.  Does not sleep.
 * Return: false when the guest's tables must be walked to know.
 */
bool mhv_shadow_guest_fault(struct mhv_vcpu *v, gva_t gva, u32 access, u32 *error)
{
	const struct guest_mmu_mode *mode = &v->shadow.mode;
	const struct shadow_page *sp = shadow_root(v, gva);
	u32 cause = 0;
	bool read;
	u64 gpte;
	int idx;

	while (sp && sp->role.level > 1) {
		u64 spte = READ_ONCE(sp->table[shadow_index(gva, sp->role.level)]);

		sp = shadow_present(spte) ? shadow_of(spte) : NULL;
	}
	if (!sp || sp->role.direct)
		return false;
	idx = srcu_read_lock(&v->vm->srcu);
	read = shadow_read_gptes(v->vm, sp, shadow_index(gva, 1), 1, &gpte);
	srcu_read_unlock(&v->vm->srcu, idx);
	if (!read)
		return false;
	if (gpte & GPTE_P) {
		if (guest_pte_reserved(mode, gpte, 1) ||
		    !guest_access_fault(mode, sp->role.access & guest_pte_rights(gpte), access))
			return false;
		cause = PFERR_P;
	} else if (v->vm->shadow->gnp && !READ_ONCE(sp->unsync)) {
		/* an entry is to be made that spares the next exit */
		return false;
	}
	*error = guest_fault_code(mode, access, cause);
	return true;
}

/* The shadow page of @level that linked entries lead to, or NULL. */
static struct shadow_page *shadow_linked(struct mhv_vcpu *v, gva_t gva, int level)
{
	struct shadow_page *sp = shadow_root(v, gva);

	lockdep_assert_held(&v->vm->mmu_lock);
	while (sp && sp->role.level > level) {
		u64 spte = sp->table[shadow_index(gva, sp->role.level)];

		sp = shadow_present(spte) ? shadow_of(spte) : NULL;
	}
	return sp && sp->role.level == level ? sp : NULL;
}

/* ---- the guest's entries, read again ------------------------------------------------ */

static bool shadow_read_gpte(struct mhv_vm *vm, gpa_t gpa, u32 size, u64 *gpte, bool *readonly)
{
	const struct mhv_slot *slot = mhv_find_slot(mhv_slots(vm), gpa_to_gfn(gpa));
	unsigned long hva;
	u32 gpte32 = 0;
	int ret;

	if (!slot)
		return false;
	*readonly = slot->flags & MHV_MEM_READONLY;
	hva = slot_gfn_to_hva(slot, gpa_to_gfn(gpa)) + offset_in_page(gpa);
	pagefault_disable();
	if (size == 8) {
		ret = get_user(*gpte, (u64 __user *)hva);
	} else {
		ret = get_user(gpte32, (u32 __user *)hva);
		*gpte = gpte32;
	}
	pagefault_enable();
	/* the walk's marks were lost there: that they are missing is no change */
	if (slot->flags & MHV_MEM_READONLY)
		*gpte |= GPTE_A | GPTE_D;
	return !ret;
}

/* Are the guest's entries from level @top down still those of the walk? */
static bool shadow_walk_true(struct mhv_vcpu *v, const struct guest_walk *walk, int top)
{
	u32 size = v->shadow.mode.paging == GUEST_PAGING_32BIT ? 4 : 8;
	bool readonly;
	int level;
	u64 now;

	for (level = top; walk->level && level >= walk->level; level--) {
		if (level == 3 && v->shadow.mode.paging == GUEST_PAGING_PAE)
			continue;
		if (!shadow_read_gpte(v->vm, walk->gpte_gpa[level - 1], size, &now, &readonly))
			return false;
		/* entries in read-only memory cannot be marked, and count as marked */
		if (readonly)
			now |= walk->gpte[level - 1] & (GPTE_A | GPTE_D);
		if (!shadow_gpte_same(walk->gpte[level - 1], now))
			return false;
	}
	return true;
}

/* ---- the way to an entry ------------------------------------------------------------ */

/* Rights of a page; it may be written only where the guest's entry says dirty. */
static u32 shadow_rights(const struct guest_walk *walk)
{
	u32 rights = guest_walk_rights(walk);

	if (walk->level && !(walk->gpte[walk->level - 1] & GPTE_D))
		rights &= ~GUEST_RIGHT_W;
	return rights;
}

/* What an entry of @level on the way leads to. */
static gfn_t shadow_child(struct mhv_vcpu *v, const struct guest_walk *walk, gva_t gva, int level,
			  union shadow_role *role)
{
	role->word = v->shadow.role;
	role->level = level - 1;
	if (walk->level && level - 1 >= walk->level) {
		role->access = walk->rights[level - 1];
		if (role->paging == GUEST_PAGING_32BIT)
			role->quadrant = shadow_index(gva, level) & 1;
		return gpa_to_gfn(walk->gpte_gpa[level - 2]);
	}
	/* inside of a large page, or without paging */
	role->word = 0;
	role->level = level - 1;
	role->direct = 1;
	role->access = shadow_rights(walk);
	return gpa_to_gfn(walk->gpa) & ~(SPTE_LEVEL_PAGES(level) - 1);
}

static u64 shadow_walk_gpte(const struct guest_walk *walk, int level)
{
	return walk->level && level >= walk->level ? walk->gpte[level - 1] : 0;
}

/*
 * A last-level page on the way that the guest is writing stays unsynced: only the entry of
 * the fault has to be true, and shadow_walk_true() sees to that.  Where it is not linked
 * yet it must be synced first: nothing stale may appear at an address that never had it.
 */
static struct shadow_page *shadow_unsynced(struct mhv_vcpu *v, gva_t gva, gfn_t gfn,
					   union shadow_role role)
{
	struct shadow_page *sp;

	if (role.level != 1 || role.direct || list_empty(&v->vm->shadow->unsync))
		return NULL;
	sp = shadow_linked(v, gva, 1);
	return sp && sp->unsync && sp->gfn == gfn && sp->role.word == role.word ? sp : NULL;
}

/* The page of level 1, all on the way to it found or made, and linked. */
static struct shadow_page *shadow_new_way(struct mhv_vcpu *v, gva_t gva,
					  const struct guest_walk *walk)
{
	struct shadow_page *sp[SPTE_LEVELS + 1] = {}, *root = shadow_root(v, gva);
	union shadow_role role;
	bool flush = false;
	int level, top;
	gfn_t gfn;

	top = root->role.level;
	sp[top] = root;
	for (level = top; level > 1; level--) {
		gfn = shadow_child(v, walk, gva, level, &role);
		sp[level - 1] = shadow_unsynced(v, gva, gfn, role) ?:
				shadow_get(v, gfn, role, &flush);
		if (!sp[level - 1])
			return NULL;
	}
	/* from here on the guest cannot write its tables without our hearing of it */
	if (flush)
		mhv_tdp_flush(v->vm);
	if (!shadow_walk_true(v, walk, walk->top))
		return NULL;
	for (level = top; level > 1; level--)
		shadow_link(v->vm, sp[level], shadow_index(gva, level), sp[level - 1],
			    shadow_walk_gpte(walk, level));
	return sp[1];
}

/*
 * The page of level 1, if all on the way to it is linked already, and was made from what the
 * walk has read: all tables above are synced.
 */
static struct shadow_page *shadow_linked_way(struct mhv_vcpu *v, gva_t gva,
					     const struct guest_walk *walk)
{
	struct shadow_page *sp = shadow_root(v, gva);
	union shadow_role role;
	int level;
	gfn_t gfn;

	for (level = sp->role.level; level > 1; level--) {
		u32 index = shadow_index(gva, level);

		if (!shadow_present(sp->table[index]) ||
		    !shadow_gpte_same(sp->entry[index].gpte, shadow_walk_gpte(walk, level)))
			return NULL;
		gfn = shadow_child(v, walk, gva, level, &role);
		sp = shadow_of(sp->table[index]);
		if (sp->gfn != gfn || sp->role.word != role.word)
			return NULL;
		shadow_used(v->vm, sp);
	}
	return sp;
}

/*
 * The page of level 1 that holds the entry of an address, all on the way to it linked.
 * NULL: something changed, let the guest try again.
 */
static struct shadow_page *shadow_way(struct mhv_vcpu *v, gva_t gva, const struct guest_walk *walk)
{
	struct shadow_page *sp, *root = shadow_root(v, gva);

	if (!root || root->zapped)
		return NULL;
	sp = shadow_linked_way(v, gva, walk);
	if (!sp)
		return shadow_new_way(v, gva, walk);
	/* a large page's entry is above */
	return walk->level != 1 || shadow_walk_true(v, walk, 1) ? sp : NULL;
}

/* ---- setting an entry ------------------------------------------------------------------ */

/* May a frame be written where it is a guest table? */
static bool shadow_may_write(struct mhv_vm *vm, gfn_t gfn, bool write)
{
	bool last_level;

	if (!shadow_is_table(vm, gfn, &last_level))
		return true;
	if (!write || !last_level || mhv_opt_off(vm, MHV_OPT_UNSYNC))
		return false;
	shadow_unsync_gfn(vm, gfn);
	return true;
}

/**
 * mhv_shadow_map - map the page of a fault
 * @v: the vCPU that faulted; its cache was filled
 * @fault: the access, with the walk of the guest's tables
 * @pfn: host frame behind it
 * @writable: the host lets it be written
 *
 * Context: mmu_lock held, in srcu, the frame looked up at a notifier sequence that is
 * current.
 */
enum mhv_map mhv_shadow_map(struct mhv_vcpu *v, const struct mhv_fault *fault, u64 pfn,
			    bool writable)
{
	const struct guest_walk *walk = fault->walked;
	u32 rights = shadow_rights(walk), index = shadow_index(fault->gva, 1);
	gfn_t gfn = gpa_to_gfn(fault->gpa);
	struct shadow_page *sp;
	u64 spte;

	sp = shadow_way(v, fault->gva, walk);
	if (!sp)
		return MHV_MAP_RETRY;
	if (!writable || !(rights & GUEST_RIGHT_W) || !shadow_may_write(v->vm, gfn, fault->write))
		rights &= ~GUEST_RIGHT_W;
	/* a table that is synced, or CR0.WP clear: the write is done for the guest */
	if (fault->write && !(rights & GUEST_RIGHT_W))
		return MHV_MAP_EMULATE;
	spte = shadow_make_leaf(pfn, rights) | PTE_A;
	if (((sp->table[index] ^ spte) & ~(PTE_A | PTE_D)) == 0)
		return MHV_MAP_SPURIOUS;
	shadow_set_leaf(v->vm, sp, index, spte, gfn, shadow_walk_gpte(walk, 1));
	trace_mhv_shadow_spte(v, fault->gva, spte, shadow_walk_gpte(walk, walk->level));
	shadow_prefetch(v, sp, index);
	return MHV_MAP_DONE;
}

/**
 * mhv_shadow_map_mmio - note that the page of a fault is a device
 * @v: the vCPU that faulted; its cache was filled
 * @fault: the access, with the walk of the guest's tables
 * @gen: generation read before the memslots were asked
 *
 * Context: mmu_lock held, in srcu.
 */
void mhv_shadow_map_mmio(struct mhv_vcpu *v, const struct mhv_fault *fault, u64 gen)
{
	const struct guest_walk *walk = fault->walked;
	u32 rights = shadow_rights(walk);
	struct shadow_page *sp;
	u64 spte;

	sp = shadow_way(v, fault->gva, walk);
	if (!sp)
		return;
	spte = spte_make_mmio(&mhv_shadow_spte, gpa_to_gfn(fault->gpa), mhv_gen_spte(gen));
	if (rights & GUEST_RIGHT_W)
		spte |= PTE_W;
	if (rights & GUEST_RIGHT_U)
		spte |= PTE_U;
	shadow_set_special(v->vm, sp, shadow_index(fault->gva, 1), spte,
			   shadow_walk_gpte(walk, 1));
	trace_mhv_shadow_spte(v, fault->gva, spte, shadow_walk_gpte(walk, walk->level));
}

/**
 * mhv_shadow_map_gnp - note that the guest's entry is not present
 * @v: the vCPU that faulted
 * @gva: where
 * @walk: a walk that ended at an entry that is not present
 *
 * Made only where the shadow tables lead there, and the guest's is synced.
 * Context: may sleep.
 */
void mhv_shadow_map_gnp(struct mhv_vcpu *v, gva_t gva, const struct guest_walk *walk)
{
	u32 index = shadow_index(gva, walk->level);
	struct mhv_vm *vm = v->vm;
	struct shadow_page *sp;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu_lock);
	sp = shadow_linked(v, gva, walk->level);
	if (sp && !sp->role.direct && !sp->unsync &&
	    shadow_walk_true(v, walk, walk->top)) {
		shadow_set_special(vm, sp, index, SHADOW_GNP, walk->gpte[walk->level - 1]);
		mhv_count(v, MHV_STAT_SHADOW_GNP_MADE);
		trace_mhv_shadow_spte(v, gva, SHADOW_GNP, walk->gpte[walk->level - 1]);
	}
	spin_unlock(&vm->mmu_lock);
	srcu_read_unlock(&vm->srcu, idx);
}

/* ---- what the guest and the host do to tables -------------------------------------------- */

/**
 * mhv_shadow_invlpg - INVLPG
 * @v: a loaded vCPU
 * @gva: linear address
 */
void mhv_shadow_invlpg(struct mhv_vcpu *v, gva_t gva)
{
	struct mhv_shadow *s = v->vm->shadow;
	u32 index = shadow_index(gva, 1);
	struct shadow_page *sp;
	bool all;
	int idx;

	mhv_mmio_cache_forget(&v->mmio, gva);
	idx = srcu_read_lock(&v->vm->srcu);
	spin_lock(&v->vm->mmu_lock);
	all = mhv_shadow_stale(v);
	sp = shadow_linked(v, gva, 1);
	if (sp && sp->unsync)
		shadow_sync_entry(v, sp, index);
	/* the one that was dropped is flushed below */
	if (!all)
		v->shadow.tlb_seen = s->tlb_seq;
	spin_unlock(&v->vm->mmu_lock);
	srcu_read_unlock(&v->vm->srcu, idx);
	if (all) {
		set_bit(MHV_REQ_TLB_FLUSH, &v->requests);
		return;
	}
	trace_mhv_flush(v->id, MHV_FLUSH_GVA, gva);
	mhv_op(flush_gva)(v, gva);
}

/**
 * mhv_shadow_unshadow - give a table up whose write could not be emulated
 * @v: a loaded vCPU
 * @gfn: frame of the table
 *
 * Return: true when the guest may try again.
 */
bool mhv_shadow_unshadow(struct mhv_vcpu *v, gfn_t gfn)
{
	struct mhv_vm *vm = v->vm;
	bool table, last_level;
	LIST_HEAD(freed);

	/* the same again: the instruction needs the table that it writes */
	if (v->shadow.unshadowed == gfn && v->shadow.unshadowed_rip == v->rip)
		return false;
	v->shadow.unshadowed = gfn;
	v->shadow.unshadowed_rip = v->rip;
	spin_lock(&vm->mmu_lock);
	table = shadow_is_table(vm, gfn, &last_level);
	shadow_zap_gfn(vm, gfn, &freed);
	mhv_tdp_flush(vm);
	spin_unlock(&vm->mmu_lock);
	mhv_shadow_free(&freed);
	return table;
}

/* ---- create and destroy ------------------------------------------------------------------ */

#define SHADOW_DEFAULT_PAGES	4096

/**
 * mhv_shadow_create - shadow paging for a VM
 * @vm: a VM under construction
 * @config: pages the pool may have, and what it is to do
 *
 * Return: 0, -ENOMEM, -EINVAL for too small a pool, -EOPNOTSUPP where the CPU has no
 * reserved bit for what is asked.
 */
int mhv_shadow_create(struct mhv_vm *vm, const struct mhv_vm_config *config)
{
	struct mhv_shadow *s;
	bool gnp = config->flags & MHV_VM_GNP;

	if (config->shadow_pages && config->shadow_pages < MHV_MIN_SHADOW_PAGES)
		return -EINVAL;
	if (gnp && !shadow_has_reserved_bit())
		return -EOPNOTSUPP;
	s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	INIT_LIST_HEAD(&s->pages);
	INIT_LIST_HEAD(&s->unsync);
	s->limit = config->shadow_pages ?: SHADOW_DEFAULT_PAGES;
	s->gnp = gnp;
	s->absent = gnp ? SHADOW_TRAP : 0;
	s->vm = vm;
	vm->shadow = s;
	shadow_shrinker_add(vm);
	return 0;
}

/**
 * mhv_shadow_destroy - the opposite
 * @vm: a VM whose vCPUs are gone
 */
void mhv_shadow_destroy(struct mhv_vm *vm)
{
	if (!vm->shadow)
		return;
	shadow_shrinker_remove(vm);
	mhv_shadow_zap_all(vm);
	WARN_ON_ONCE(vm->shadow->nr_pages || vm->shadow->nr_rmap);
	kvfree(vm->shadow);
	vm->shadow = NULL;
}

/**
 * mhv_shadow_vcpu_free - a vCPU runs no more
 * @v: the vCPU
 */
void mhv_shadow_vcpu_free(struct mhv_vcpu *v)
{
	LIST_HEAD(freed);

	if (!v->vm->shadow)
		return;
	spin_lock(&v->vm->mmu_lock);
	shadow_put_roots(v, &freed);
	spin_unlock(&v->vm->mmu_lock);
	mhv_shadow_free(&freed);
	shadow_drain_cache(v);
	free_page((unsigned long)v->shadow.pdpt);
}
