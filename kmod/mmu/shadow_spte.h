/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of shadow tables as numbers: see shadow.h for what they mean. */
#ifndef MHV_MMU_SHADOW_SPTE_H
#define MHV_MMU_SHADOW_SPTE_H

#include "guest_walk.h"
#include "spte.h"

/* Bits of an entry, the CPU's own. */
#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_NX		BIT_ULL(63)
#define PTE_RSVD	BIT_ULL(51)	/* where the CPU has fewer address bits */
#define PTE_LINK	(PTE_P | PTE_W | PTE_U | PTE_A)

#define SHADOW_TRAP	(PTE_P | SPTE_ADDR_MASK)	/* absent, with gnp */
#define SHADOW_GNP	0ull

static inline bool shadow_present(u64 spte)
{
	return (spte & (PTE_P | PTE_RSVD)) == PTE_P;
}

/**
 * shadow_make_leaf - an entry that maps a frame
 * @pfn: host frame
 * @rights: GUEST_RIGHT_*
 *
 * The CPU sets PTE_A as it uses it, as for any table.
 */
static inline u64 shadow_make_leaf(u64 pfn, u32 rights)
{
	u64 spte = (pfn << 12 & SPTE_ADDR_MASK) | PTE_P;

	if (rights & GUEST_RIGHT_W)
		spte |= PTE_W | PTE_D;
	if (rights & GUEST_RIGHT_U)
		spte |= PTE_U;
	if (!(rights & GUEST_RIGHT_X))
		spte |= PTE_NX;
	return spte;
}

/**
 * shadow_spte_format - what device entries look like
 * @phys_bits: width of a physical address
 * @cache_bits: width of the addresses that the CPU's caches hold
 *
 * With 52 address bits there is no reserved one, and no device entry.  CPUs with the
 * L1TF flaw have 46 at most; above, the five ones need no place of their own.
 */
static inline struct mhv_spte_format shadow_spte_format(int phys_bits, int cache_bits)
{
	/* bit 3 tells it from SHADOW_TRAP, where it is 0 */
	const u64 marks = PTE_P | BIT_ULL(3) | PTE_RSVD;
	int top = cache_bits < 36 ? 36 : cache_bits > 46 ? 46 : cache_bits;

	return (struct mhv_spte_format){
		.mmio_mask = phys_bits < 52 ? marks : 0,
		.mmio_value = phys_bits < 52 ? marks : 0,
		.mmio_low = 4,
		.mmio_window = top - SPTE_ONES,
		.mmio_hole = 51,
	};
}

#endif /* MHV_MMU_SHADOW_SPTE_H */
