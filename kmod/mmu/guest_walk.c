// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest page-table walker.  Read from the bottom: guest_walk() repeats
 * walk_once(), which descends, asks for rights, then marks A and D.
 *
 * When A and D are set.  The processor may set A in an entry as soon as it has
 * used it, also when a deeper level then faults (SDM "Accessed and Dirty Flags");
 * it need not.  This walker sets nothing until the whole access is known to be
 * allowed, so that a walk that faults leaves guest memory as it was.  A and D of
 * the leaf are set in one step, entries above get A first, from the root down.
 *
 * A PDPTE of PAE paging is a register by the time it is used: it has neither
 * rights nor A, and its reserved bits were checked when it was loaded.
 */
#include "guest_walk.h"

/* Walks that lose a race this often are given up: the guest can be run instead. */
#define MAX_RACES	8

#define PAGE_BITS	12

/* PSE-36: bits 20:13 of a 4 MiB entry are address bits 39:32. */
#define PSE36_SHIFT	13
#define PSE36_BITS	8

struct format {
	u8 levels;
	u8 index_bits;
	u8 pte_size;
};

static const struct format formats[] = {
	[GUEST_PAGING_32BIT]	= { .levels = 2, .index_bits = 10, .pte_size = 4 },
	[GUEST_PAGING_PAE]	= { .levels = 3, .index_bits =  9, .pte_size = 8 },
	[GUEST_PAGING_4LEVEL]	= { .levels = 4, .index_bits =  9, .pte_size = 8 },
};

static unsigned int level_shift(const struct guest_mmu_mode *mode, int level)
{
	return PAGE_BITS + (level - 1) * formats[mode->paging].index_bits;
}

/* Bits high:low; none when high < low. */
static u64 bits(int high, int low)
{
	return high < low ? 0 : GENMASK_ULL(high, low);
}

static bool is_pdpte_register(const struct guest_mmu_mode *mode, int level)
{
	return mode->paging == GUEST_PAGING_PAE && level == 3;
}

/**
 * guest_pte_is_leaf() - does a present entry map a page?
 * @mode:	the vCPU's mode, paging on
 * @gpte:	the entry
 * @level:	its level
 *
 * A PS bit where there is no such page (PML4E, 1 GiB without @mode->gbpages) does
 * not make a leaf; it is a reserved bit there.
 */
bool guest_pte_is_leaf(const struct guest_mmu_mode *mode, u64 gpte, int level)
{
	if (level == 1)
		return true;
	if (!(gpte & GPTE_PS))
		return false;
	if (mode->paging == GUEST_PAGING_32BIT)
		return mode->pse;
	return level == 2 ||
	       (level == 3 && mode->paging == GUEST_PAGING_4LEVEL && mode->gbpages);
}

/* A 4 MiB entry: bit 21, and those of 20:13 that pass the physical width. */
static u64 reserved_32bit(const struct guest_mmu_mode *mode, u64 gpte, int level)
{
	if (level == 1 || !guest_pte_is_leaf(mode, gpte, level))
		return 0;
	return bits(21, PSE36_SHIFT + (mode->phys_bits < 40 ? mode->phys_bits - 32 : PSE36_BITS));
}

static u64 reserved_64bit(const struct guest_mmu_mode *mode, u64 gpte, int level)
{
	bool pae = mode->paging == GUEST_PAGING_PAE;
	u64 rsvd = bits(pae ? 62 : 51, mode->phys_bits);

	if (!mode->nxe)
		rsvd |= GPTE_NX;
	if (level == 1)
		return rsvd;
	if (guest_pte_is_leaf(mode, gpte, level))
		return rsvd | bits(level_shift(mode, level) - 1, PAGE_BITS + 1);
	return rsvd | GPTE_PS;
}

/**
 * guest_pte_reserved() - reserved bits that are set in a present entry
 * @mode:	the vCPU's mode, paging on
 * @gpte:	the entry
 * @level:	its level; not a PDPTE of PAE
 */
u64 guest_pte_reserved(const struct guest_mmu_mode *mode, u64 gpte, int level)
{
	if (mode->paging == GUEST_PAGING_32BIT)
		return gpte & reserved_32bit(mode, gpte, level);
	return gpte & reserved_64bit(mode, gpte, level);
}

/**
 * guest_pte_addr() - gpa of the page or table that a present entry points to
 * @mode:	the vCPU's mode, paging on
 * @gpte:	the entry, without reserved bits set
 * @level:	its level
 */
u64 guest_pte_addr(const struct guest_mmu_mode *mode, u64 gpte, int level)
{
	int low = guest_pte_is_leaf(mode, gpte, level) ? level_shift(mode, level) : PAGE_BITS;
	u64 high;

	if (mode->paging != GUEST_PAGING_32BIT)
		return gpte & bits(mode->phys_bits - 1, low);

	high = low == PAGE_BITS ? 0 : gpte & bits(PSE36_SHIFT + PSE36_BITS - 1, PSE36_SHIFT);
	return (gpte & bits(31, low)) | high << (32 - PSE36_SHIFT);
}

/**
 * guest_pte_rights() - what a present entry grants by itself
 * @gpte:	the entry, without reserved bits set
 */
u8 guest_pte_rights(u64 gpte)
{
	u8 rights = GUEST_RIGHT_X;

	if (gpte & GPTE_W)
		rights |= GUEST_RIGHT_W;
	if (gpte & GPTE_U)
		rights |= GUEST_RIGHT_U;
	if (gpte & GPTE_NX)
		rights &= ~GUEST_RIGHT_X;
	return rights;
}

/* A supervisor's access to a user page: what SMEP and SMAP forbid. */
static bool supervisor_on_user_fault(const struct guest_mmu_mode *mode, u32 access)
{
	if (access & GUEST_ACCESS_FETCH)
		return mode->smep;
	if (!mode->smap)
		return false;
	return (access & GUEST_ACCESS_IMPLICIT) || !(access & GUEST_ACCESS_AC);
}

/**
 * guest_access_fault() - do rights forbid an access?
 * @mode:	the vCPU's mode
 * @rights:	GUEST_RIGHT_* of a translation
 * @access:	GUEST_ACCESS_*
 *
 * Return: true when the access ends in a #PF (SDM "Determination of Access Rights").
 */
bool guest_access_fault(const struct guest_mmu_mode *mode, u8 rights, u32 access)
{
	bool user = access & GUEST_ACCESS_USER;

	if (mode->paging == GUEST_PAGING_NONE)
		return false;
	if (user && !(rights & GUEST_RIGHT_U))
		return true;
	if (!user && (rights & GUEST_RIGHT_U) && supervisor_on_user_fault(mode, access))
		return true;
	if ((access & GUEST_ACCESS_FETCH) && !(rights & GUEST_RIGHT_X))
		return true;
	return (access & GUEST_ACCESS_WRITE) && !(rights & GUEST_RIGHT_W) && (user || mode->wp);
}

/**
 * guest_fault_code() - error code of a #PF
 * @mode:	the vCPU's mode
 * @access:	GUEST_ACCESS_*
 * @cause:	PFERR_P, PFERR_P | PFERR_RSVD, or 0 for not present
 *
 * The fetch bit exists only where fetches have rights of their own.
 */
u32 guest_fault_code(const struct guest_mmu_mode *mode, u32 access, u32 cause)
{
	bool nx = mode->nxe && mode->paging != GUEST_PAGING_32BIT;
	u32 code = cause;

	if (access & GUEST_ACCESS_WRITE)
		code |= PFERR_W;
	if (access & GUEST_ACCESS_USER)
		code |= PFERR_U;
	if ((access & GUEST_ACCESS_FETCH) && (nx || mode->smep))
		code |= PFERR_I;
	return code;
}

static enum guest_walk_result fault(const struct guest_walk_req *req,
				    struct guest_walk *walk, u32 cause)
{
	walk->error_code = guest_fault_code(req->mode, req->access, cause);
	return GUEST_WALK_FAULT;
}

static enum guest_walk_result no_memory(struct guest_walk *walk, u64 gpa)
{
	walk->gpa = gpa;
	return GUEST_WALK_NO_MEMORY;
}

static u64 root_table(const struct guest_walk_req *req)
{
	switch (req->mode->paging) {
	case GUEST_PAGING_32BIT:
		return req->root->cr3 & bits(31, PAGE_BITS);
	case GUEST_PAGING_PAE:
		return req->root->cr3 & bits(31, 5);
	default:
		return req->root->cr3 & bits(req->mode->phys_bits - 1, PAGE_BITS);
	}
}

/* Reads the entry of @gva at walk->level in the table at @table. */
static enum guest_walk_result read_entry(const struct guest_walk_req *req,
					 struct guest_walk *walk, u64 gva, u64 table)
{
	const struct format *fmt = &formats[req->mode->paging];
	u64 index = gva >> level_shift(req->mode, walk->level) & bits(fmt->index_bits - 1, 0);
	u64 gpa = table + index * fmt->pte_size;
	u64 *gpte = &walk->gpte[walk->level - 1];

	walk->gpte_gpa[walk->level - 1] = gpa;
	if (is_pdpte_register(req->mode, walk->level))
		*gpte = req->root->pdpte[index];
	else if (req->ops->read_pte(req->ctx, gpa, fmt->pte_size, gpte) != GUEST_PTE_OK)
		return no_memory(walk, gpa);
	return GUEST_WALK_OK;
}

/* Checks the entry just read and adds up rights. */
static enum guest_walk_result check_entry(const struct guest_walk_req *req,
					  struct guest_walk *walk)
{
	int level = walk->level;
	u64 gpte = walk->gpte[level - 1];
	u8 above = level == walk->top ? GUEST_RIGHT_ALL : walk->rights[level];

	if (!(gpte & GPTE_P))
		return fault(req, walk, 0);
	if (is_pdpte_register(req->mode, level)) {
		walk->rights[level - 1] = above;
		return GUEST_WALK_OK;
	}
	if (guest_pte_reserved(req->mode, gpte, level))
		return fault(req, walk, PFERR_P | PFERR_RSVD);
	walk->rights[level - 1] = above & guest_pte_rights(gpte);
	return GUEST_WALK_OK;
}

/* From the root to the leaf; sets gpa and page_shift there. */
static enum guest_walk_result descend(const struct guest_walk_req *req,
				      struct guest_walk *walk, u64 gva)
{
	u64 next = root_table(req);
	enum guest_walk_result ret;
	u64 gpte;

	for (walk->level = walk->top; ; walk->level--) {
		ret = read_entry(req, walk, gva, next);
		if (ret == GUEST_WALK_OK)
			ret = check_entry(req, walk);
		if (ret != GUEST_WALK_OK)
			return ret;

		gpte = walk->gpte[walk->level - 1];
		next = guest_pte_addr(req->mode, gpte, walk->level);
		if (guest_pte_is_leaf(req->mode, gpte, walk->level))
			break;
	}
	walk->page_shift = level_shift(req->mode, walk->level);
	walk->gpa = next | (gva & bits(walk->page_shift - 1, 0));
	return GUEST_WALK_OK;
}

/* Sets @flags in the entry at @level if any of them is missing. */
static enum guest_walk_result mark_entry(const struct guest_walk_req *req,
					 struct guest_walk *walk, int level, u64 flags)
{
	u64 gpa = walk->gpte_gpa[level - 1];
	u64 old = walk->gpte[level - 1];
	u64 new = old | flags;

	if (old == new)
		return GUEST_WALK_OK;

	switch (req->ops->cmpxchg_pte(req->ctx, gpa, formats[req->mode->paging].pte_size,
				      old, new)) {
	case GUEST_PTE_OK:
		walk->gpte[level - 1] = new;
		return GUEST_WALK_OK;
	case GUEST_PTE_CHANGED:
		return GUEST_WALK_RACED;
	default:
		return no_memory(walk, gpa);
	}
}

static enum guest_walk_result mark_accessed(const struct guest_walk_req *req,
					    struct guest_walk *walk)
{
	bool write = req->access & GUEST_ACCESS_WRITE;
	enum guest_walk_result ret = GUEST_WALK_OK;
	u64 flags;
	int level;

	for (level = walk->top; level >= walk->level && ret == GUEST_WALK_OK; level--) {
		if (is_pdpte_register(req->mode, level))
			continue;
		flags = GPTE_A;
		if (level == walk->level && write)
			flags |= GPTE_D;
		ret = mark_entry(req, walk, level, flags);
	}
	return ret;
}

static enum guest_walk_result walk_once(const struct guest_walk_req *req,
					struct guest_walk *walk)
{
	bool wide = req->mode->paging == GUEST_PAGING_4LEVEL;
	u64 gva = wide ? req->gva : (u32)req->gva;
	enum guest_walk_result ret;

	*walk = (struct guest_walk){ .top = formats[req->mode->paging].levels };
	if (req->mode->paging == GUEST_PAGING_NONE) {
		walk->gpa = gva;
		walk->page_shift = PAGE_BITS;
		return GUEST_WALK_OK;
	}

	ret = descend(req, walk, gva);
	if (ret != GUEST_WALK_OK)
		return ret;
	if (guest_access_fault(req->mode, guest_walk_rights(walk), req->access))
		return fault(req, walk, PFERR_P);
	if (req->access & GUEST_ACCESS_NO_AD)
		return GUEST_WALK_OK;
	return mark_accessed(req, walk);
}

/**
 * guest_walk() - translate a gva as the guest's processor would
 * @req:	what is asked
 * @walk:	out: what was found, filled whatever the result
 *
 * Context: that of the callbacks.
 * Return: enum guest_walk_result.
 */
enum guest_walk_result guest_walk(const struct guest_walk_req *req, struct guest_walk *walk)
{
	enum guest_walk_result ret;
	int tries = MAX_RACES;

	do {
		ret = walk_once(req, walk);
	} while (ret == GUEST_WALK_RACED && --tries);
	return ret;
}
