/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a 64-bit entry of a table mhv made can mean.
 *
 *	absent	nothing is mapped, nothing is known
 *	table	a present entry above level 1 without the large bit
 *	leaf	a present entry at level 1, or with the large bit
 *	mmio	at level 1: the frame is a device, or was at some generation
 *
 * Levels count from 1, a 4 KiB page; an entry at level n spans 9 * (n - 1) more bits.
 * Where the bits lie is the vendor's business and set once at load.
 *
 * An MMIO entry makes every access fault in a way of its own, and carries the frame
 * and the generation of the memslots it was made in:
 *
 *	 63 62             c  c-1   c-5               low 0
 *	+--+-----------------+---------+-----------------+
 *	| 0| payload, high   |  11111  | payload, low    | marks
 *	+--+-----------------+---------+-----------------+
 *
 * payload = gfn | generation << 36; it leaves out bit 51 where that is a mark.  A CPU with the L1TF flaw may read, from its L1
 * cache, the physical address that a faulting entry holds.  The five ones end at the
 * highest address bit that caches hold (c is one above it): memory that high is never
 * populated on a CPU that has the flaw.
 */
#ifndef MHV_MMU_SPTE_H
#define MHV_MMU_SPTE_H

#include <linux/bits.h>
#include <linux/types.h>

/**
 * struct mhv_spte_format - the vendor's bits
 * @read: permission; set in every present entry
 * @write: permission
 * @exec: permission
 * @large: leaf above level 1
 * @accessed: set by the CPU, 0 where it does not
 * @dirty: likewise
 * @leaf: memory type of every leaf
 * @max_leaf: highest level that may hold a leaf
 * @large_nx: leaves above level 1 must not be executable (iTLB multihit)
 * @mmio_mask: bits that tell an MMIO entry
 * @mmio_value: their value; @mmio_mask 0: the CPU can have no MMIO entry
 * @mmio_low: lowest bit of the payload
 * @mmio_window: lowest of the five ones
 * @mmio_hole: bit above them that the payload leaves out; 64 none
 */
struct mhv_spte_format {
	u64 read, write, exec;
	u64 large;
	u64 accessed, dirty;
	u64 leaf;
	int max_leaf;
	bool large_nx;
	u64 mmio_mask, mmio_value;
	int mmio_low, mmio_window, mmio_hole;
};

extern struct mhv_spte_format mhv_spte;

#define SPTE_ADDR_MASK		GENMASK_ULL(51, 12)
#define SPTE_LEVELS		4
#define SPTE_ENTRIES		512
#define SPTE_LEVEL_PAGES(level)	(1ull << (9 * ((level) - 1)))

#define SPTE_GFN_BITS		36
#define SPTE_GEN_BITS		18
#define SPTE_ONES		5

static inline unsigned int spte_index(u64 gfn, int level)
{
	return (gfn >> (9 * (level - 1))) & (SPTE_ENTRIES - 1);
}

static inline bool spte_present(u64 spte)
{
	return spte & mhv_spte.read;
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

/* ---- MMIO entries --------------------------------------------------------- */

/* The format's own, so that two-dimensional and shadow paging share the layout. */
static inline bool spte_is_mmio(const struct mhv_spte_format *f, u64 spte)
{
	return f->mmio_mask && (spte & f->mmio_mask) == f->mmio_value;
}

/**
 * spte_make_mmio - an entry that says: this frame is a device
 * @f: format of the entry
 * @gfn: guest frame
 * @gen: generation, SPTE_GEN_BITS
 */
static inline u64 spte_make_mmio(const struct mhv_spte_format *f, u64 gfn, u64 gen)
{
	u64 payload = gfn | gen << SPTE_GFN_BITS;
	int low_bits = f->mmio_window - f->mmio_low, first = f->mmio_window + SPTE_ONES;
	int below = f->mmio_hole - first;
	u64 high = payload >> low_bits;

	return f->mmio_value |
	       (payload & GENMASK_ULL(low_bits - 1, 0)) << f->mmio_low |
	       GENMASK_ULL(first - 1, f->mmio_window) |
	       (high & GENMASK_ULL(below - 1, 0)) << first |
	       high >> below << (f->mmio_hole & 63) << 1;
}

static inline u64 spte_mmio_payload(const struct mhv_spte_format *f, u64 spte)
{
	int low_bits = f->mmio_window - f->mmio_low, first = f->mmio_window + SPTE_ONES;
	int below = f->mmio_hole - first;
	u64 high = spte >> first;

	high = (high & GENMASK_ULL(below - 1, 0)) | high >> below >> 1 << below;
	return ((spte >> f->mmio_low) & GENMASK_ULL(low_bits - 1, 0)) | high << low_bits;
}

static inline u64 spte_mmio_gfn(const struct mhv_spte_format *f, u64 spte)
{
	return spte_mmio_payload(f, spte) & GENMASK_ULL(SPTE_GFN_BITS - 1, 0);
}

static inline u64 spte_mmio_gen(const struct mhv_spte_format *f, u64 spte)
{
	return spte_mmio_payload(f, spte) >> SPTE_GFN_BITS;
}

#endif /* MHV_MMU_SPTE_H */
