/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shadow paging: tables that mhv makes from the guest's, for CPUs without TDP.
 *
 * A shadow page holds the 512 entries that one guest table, or a part of it, stands for:
 *
 *	guest paging	shadow tables
 *	4 levels	one for each guest table
 *	PAE		likewise; the four PDPTEs are held in the vCPU
 *	32-bit		two for a page table, four for a directory: the entries of the
 *			guest's are half as wide (quadrant)
 *	none		made of nothing (direct): gpa is gva
 *
 * A large guest page is shadowed by direct tables as well.  Leaves are 4 KiB pages.
 *
 * Two kinds of guest table:
 *
 *	synced		what is shadowed of it is what it says.  Guests cannot write it: a
 *			write faults, is emulated, and drops the entries it changes.
 *	unsync		a last-level table that the guest may write.  What is shadowed of
 *			it may be old until the guest does what drops TLB entries.
 *
 * Entries are of the CPU's own format, and one of
 *
 *	absent	nothing is known: the access faults and the guest's tables are walked
 *	link	to the shadow page of the next level; all rights
 *	leaf	a host frame with the rights of all levels
 *	mmio	the frame is a device: rights, gfn, generation (spte.h)
 *	gnp	guest-not-present: the guest's entry is not present.  The CPU delivers
 *		the fault to the guest itself, without an exit.  Synced tables alone.
 *
 * With gnp the absent entry has a reserved bit, and faults without present entries do
 * not exit; else absent is 0, and all faults exit.
 */
#ifndef MHV_MMU_SHADOW_H
#define MHV_MMU_SHADOW_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "mmu.h"
#include "shadow_spte.h"

extern struct mhv_spte_format mhv_shadow_spte;

/* What happens to a shadow page: tracepoint mhv_shadow_page. */
enum shadow_what {
	MHV_SHADOW_NEW,
	MHV_SHADOW_FOUND,
	MHV_SHADOW_ZAP,
	MHV_SHADOW_SYNC,
	MHV_SHADOW_UNSYNC,
};

/**
 * struct shadow_role - what a shadow page is a shadow of, besides its frame
 * @level: of its entries, 1 to 4
 * @direct: not made from a guest table
 * @quadrant: 32-bit paging: which part
 * @access: GUEST_RIGHT_* that the levels above grant
 * @paging: enum guest_paging, of the table's format
 * @nxe: EFER.NXE
 * @pse: CR4.PSE, in 32-bit paging
 */
union shadow_role {
	u32 word;
	struct {
		u32 level : 3;
		u32 direct : 1;
		u32 quadrant : 2;
		u32 access : 3;
		u32 paging : 3;
		u32 nxe : 1;
		u32 pse : 1;
	};
};

/**
 * struct shadow_entry - what belongs to one entry of a shadow page
 * @node: among the parents of the child, or the mappings of the frame; none: unhashed
 * @gpte: guest entry that it was made from
 * @gfn: leaf: guest frame
 */
struct shadow_entry {
	struct hlist_node node;
	u64 gpte;
	gfn_t gfn;
};

/**
 * struct shadow_page - a shadow page; all under mmu_lock
 * @hash: by @gfn in shadow->hash
 * @link: in shadow->pages, least recently used last, or in a list of zapped ones
 * @unsync_link: in shadow->unsync
 * @gfn: of the guest table; direct: first guest frame of what it maps
 * @role: likewise
 * @table: read by the CPU, and without lock under RCU
 * @entry: SPTE_ENTRIES of them
 * @parents: entries that link to it
 * @roots: how often vCPUs run on it, or keep it to do so again
 * @writes: emulated ones since it was last of use
 * @nr_gnp: entries that are gnp
 * @counted: shadow->counts when mhv_shadow_count() last came by
 * @unsync: the guest may write the table
 * @zapped: waits for @roots to become 0
 * @rcu: for freeing
 */
struct shadow_page {
	struct hlist_node hash;
	struct list_head link;
	struct list_head unsync_link;
	gfn_t gfn;
	union shadow_role role;
	u64 *table;
	struct shadow_entry *entry;
	struct hlist_head parents;
	u32 roots;
	u32 writes;
	u32 nr_gnp;
	u64 counted;
	bool unsync;
	bool zapped;
	struct rcu_head rcu;
};

#define SHADOW_HASH_BITS	10
#define SHADOW_RMAP_BITS	13

/**
 * struct mhv_shadow - shadow paging of a VM; all under mmu_lock
 * @absent: entry that knows nothing
 * @gnp: guest-not-present entries are made
 * @limit: pages that it may have
 * @nr_pages: pages in use
 * @nr_rmap: leaves
 * @pages: in use, least recently used last
 * @unsync: those that the guest may write
 * @shrunk: pages that the host's memory management took back
 * @vms: in the list of shrink.c, under its lock
 * @vm: whose it is
 * @counts: calls of mhv_shadow_count() so far
 * @tlb_seq: changes when an entry was taken away that TLBs may still hold
 * @writing: writes under way on the guest's behalf, not yet told to the tables
 * @hash: shadow pages by gfn
 * @rmap: leaves by gfn
 */
struct mhv_shadow {
	u64 absent;
	bool gnp;
	unsigned long limit;
	unsigned long nr_pages;
	unsigned long nr_rmap;
	struct list_head pages;
	struct list_head unsync;
	u64 shrunk;
	struct list_head vms;
	struct mhv_vm *vm;
	u64 counts;
	u64 tlb_seq;
	atomic_t writing;
	struct hlist_head hash[1 << SHADOW_HASH_BITS];
	struct hlist_head rmap[1 << SHADOW_RMAP_BITS];
};

static inline bool shadow_leaf(u64 spte, int level)
{
	return level == 1 && shadow_present(spte);
}

static inline bool shadow_is_mmio(u64 spte)
{
	return spte_is_mmio(&mhv_shadow_spte, spte);
}

/* The shadow page that a table belongs to. */
static inline struct shadow_page *shadow_of(u64 spte)
{
	return (struct shadow_page *)page_private(pfn_to_page((spte & SPTE_ADDR_MASK) >>
							      PAGE_SHIFT));
}

/* Where an entry lies in its page. */
static inline struct shadow_page *shadow_entry_page(struct shadow_entry *e, u32 *index)
{
	struct page *head = virt_to_head_page(e);

	*index = e - (struct shadow_entry *)page_address(head);
	return (struct shadow_page *)page_private(head);
}

/* Which entry of the guest's table an entry stands for. */
static inline u32 shadow_guest_index(const struct shadow_page *sp, u32 index)
{
	if (sp->role.paging != GUEST_PAGING_32BIT)
		return index;
	if (sp->role.level == 1)
		return sp->role.quadrant * SPTE_ENTRIES + index;
	return sp->role.quadrant * (SPTE_ENTRIES / 2) + index / 2;
}

static inline u32 shadow_gpte_size(const struct shadow_page *sp)
{
	return sp->role.paging == GUEST_PAGING_32BIT ? 4 : 8;
}

static inline u64 shadow_table_gpte(const struct shadow_page *sp, const void *table, u32 index)
{
	u32 i = shadow_guest_index(sp, index);

	return shadow_gpte_size(sp) == 4 ? READ_ONCE(((const u32 *)table)[i]) :
	       READ_ONCE(((const u64 *)table)[i]);
}

static inline struct hlist_head *shadow_bucket(struct mhv_shadow *s, gfn_t gfn)
{
	return &s->hash[hash_64(gfn, SHADOW_HASH_BITS)];
}

static inline struct hlist_head *shadow_rmap(struct mhv_shadow *s, gfn_t gfn)
{
	return &s->rmap[hash_64(gfn, SHADOW_RMAP_BITS)];
}

/* A page is of use: it is not the next to be reclaimed, nor flooded with writes. */
static inline void shadow_used(struct mhv_vm *vm, struct shadow_page *sp)
{
	list_move(&sp->link, &vm->shadow->pages);
	sp->writes = 0;
}

/* A guest entry that differs by A or D set in addition is still the same. */
static inline bool shadow_gpte_same(u64 made_from, u64 now)
{
	return now == made_from || now == (made_from | (now & (GPTE_A | GPTE_D)));
}

static inline u32 shadow_index(gva_t gva, int level)
{
	return (gva >> (PAGE_SHIFT + 9 * (level - 1))) & (SPTE_ENTRIES - 1);
}

/* shadow.c */
struct shadow_page *shadow_root(struct mhv_vcpu *v, gva_t gva);

/* shadow_root.c */
void shadow_put_roots(struct mhv_vcpu *v, struct list_head *freed);
u32 shadow_vcpus(struct mhv_vm *vm, const struct shadow_page *sp);

/* shrink.c */
void shadow_shrinker_add(struct mhv_vm *vm);
void shadow_shrinker_remove(struct mhv_vm *vm);

/* shadow_page.c */
struct shadow_page *shadow_find(struct mhv_vm *vm, gfn_t gfn, union shadow_role role);
struct shadow_page *shadow_get(struct mhv_vcpu *v, gfn_t gfn, union shadow_role role,
			       bool *flush);
bool shadow_drop(struct mhv_vm *vm, struct shadow_page *sp, u32 index);
void shadow_link(struct mhv_vm *vm, struct shadow_page *sp, u32 index, struct shadow_page *child,
		 u64 gpte);
void shadow_set_leaf(struct mhv_vm *vm, struct shadow_page *sp, u32 index, u64 spte, gfn_t gfn,
		     u64 gpte);
void shadow_set_special(struct mhv_vm *vm, struct shadow_page *sp, u32 index, u64 spte,
			u64 gpte);
void shadow_zap(struct mhv_vm *vm, struct shadow_page *sp, struct list_head *freed);
void shadow_zap_gfn(struct mhv_vm *vm, gfn_t gfn, struct list_head *freed);
void shadow_put_root(struct mhv_vm *vm, struct shadow_page *sp, struct list_head *freed);
unsigned long shadow_shrink_to(struct mhv_vm *vm, unsigned long nr);
bool shadow_write_protect(struct mhv_vm *vm, gfn_t gfn);

/* shadow_sync.c */
bool shadow_is_synced_table(struct mhv_vm *vm, gfn_t gfn);
const void *shadow_get_table(struct mhv_vm *vm, gfn_t gfn, struct page **page);
bool shadow_is_table(struct mhv_vm *vm, gfn_t gfn, bool *last_level);
void shadow_unsync_gfn(struct mhv_vm *vm, gfn_t gfn);
void shadow_sync_gfn(struct mhv_vcpu *v, gfn_t gfn);
void shadow_sync_all(struct mhv_vm *vm, struct mhv_vcpu *v);
void shadow_sync_entry(struct mhv_vcpu *v, struct shadow_page *sp, u32 index);

/* shadow_fill.c */

#define SHADOW_FILL	16	/* entries, at most, that a fault makes */

/**
 * struct shadow_fill - entries that are to be made without a fault of their own
 * @v: the vCPU for which it is done
 * @sp: page of level 1 that holds them
 * @stat: counter
 * @nr: collected so far
 * @want: those
 */
struct shadow_fill {
	struct mhv_vcpu *v;
	struct shadow_page *sp;
	enum mhv_stat stat;
	u32 nr;
	struct shadow_want {
		u32 index;
		u32 rights;
		gfn_t gfn;
		u64 gpte;
	} want[SHADOW_FILL];
};

bool shadow_may_fill(struct mhv_vcpu *v, const struct shadow_page *sp);
void shadow_fill_begin(struct shadow_fill *fill, struct mhv_vcpu *v, struct shadow_page *sp,
		       enum mhv_stat stat);
void shadow_fill_add(struct shadow_fill *fill, u32 index, u64 gpte);
void shadow_fill_make(struct shadow_fill *fill);
bool shadow_read_gptes(struct mhv_vm *vm, const struct shadow_page *sp, u32 first, u32 nr,
		       u64 *gpte);
void shadow_prefetch(struct mhv_vcpu *v, struct shadow_page *sp, u32 index);

/**
 * mhv_shadow_rights_allow - do the rights of a device's page let an access pass?
 * @v: the vCPU
 * @rights: GUEST_RIGHT_*
 * @code: PFERR_* of the access
 *
 * Return: false as well where it takes a walk to know.
 */
static inline bool mhv_shadow_rights_allow(struct mhv_vcpu *v, u32 rights, u32 code)
{
	if (code & PFERR_I)
		return false;
	if ((code & PFERR_W) && !(rights & GUEST_RIGHT_W))
		return false;
	if (code & PFERR_U)
		return rights & GUEST_RIGHT_U;
	return !(rights & GUEST_RIGHT_U) || !v->shadow.mode.smap;
}

/* Has something been taken away that this vCPU's TLB entries may still hold? */
static inline bool mhv_shadow_stale(struct mhv_vcpu *v)
{
	return v->shadow.tlb_seen != READ_ONCE(v->vm->shadow->tlb_seq);
}

#endif /* MHV_MMU_SHADOW_H */
