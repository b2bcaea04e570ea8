/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a 64-bit entry of a table mhv made can mean.
 *
 *	absent	no permission bit: nothing is mapped
 *	table	a present entry above level 1 without the large bit
 *	leaf	a present entry at level 1, or with the large bit
 *
 * Levels count from 1, a 4 KiB page; an entry at level n spans 9 * (n - 1) more bits.
 * Where the bits lie is the vendor's business and set once at load.
 */
#ifndef MHV_MMU_SPTE_H
#define MHV_MMU_SPTE_H

#include <linux/bits.h>
#include <linux/types.h>

/**
 * struct mhv_spte_format - the vendor's bits
 * @read: permissions
 * @write: likewise
 * @exec: likewise
 * @large: leaf above level 1
 * @accessed: set by the CPU, 0 where it does not
 * @dirty: likewise
 * @leaf: memory type of every leaf
 * @max_leaf: highest level that may hold a leaf
 * @large_nx: leaves above level 1 must not be executable (iTLB multihit)
 */
struct mhv_spte_format {
	u64 read, write, exec;
	u64 large;
	u64 accessed, dirty;
	u64 leaf;
	int max_leaf;
	bool large_nx;
};

extern struct mhv_spte_format mhv_spte;

#define SPTE_ADDR_MASK		GENMASK_ULL(51, 12)
#define SPTE_LEVELS		4
#define SPTE_ENTRIES		512
#define SPTE_LEVEL_PAGES(level)	(1ull << (9 * ((level) - 1)))

static inline unsigned int spte_index(u64 gfn, int level)
{
	return (gfn >> (9 * (level - 1))) & (SPTE_ENTRIES - 1);
}

static inline bool spte_present(u64 spte)
{
	return spte & (mhv_spte.read | mhv_spte.write | mhv_spte.exec);
}

static inline bool spte_leaf(u64 spte, int level)
{
	return level == 1 || (spte & mhv_spte.large);
}

static inline u64 spte_make_table(u64 pa)
{
	return pa | mhv_spte.read | mhv_spte.write | mhv_spte.exec;
}

static inline u64 spte_make_leaf(u64 pa, int level, bool writable)
{
	u64 spte = pa | mhv_spte.read | mhv_spte.leaf;

	if (level == 1 || !mhv_spte.large_nx)
		spte |= mhv_spte.exec;
	if (level > 1)
		spte |= mhv_spte.large;
	return writable ? spte | mhv_spte.write : spte;
}

#endif /* MHV_MMU_SPTE_H */
