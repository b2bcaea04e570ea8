/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of device memory, and until when: the generation of the memslots and
 * the per-vCPU cache of device frames.
 *
 * The contract
 *
 * vm->mmio_gen counts memslot changes.  It is even while the memslots stand and odd
 * while a change is under way:
 *
 *	begin	gen becomes odd		before the new memslots are published
 *	end	gen becomes even	after the last reader of the old ones is gone
 *
 * Whoever finds that a frame has no memslot notes the generation it read *before* it
 * looked the frame up.  The note - a cache entry here, or an MMIO SPTE with as many
 * low bits of gen / 2 as it has room for - is good while the generation is the noted
 * one and even.
 *
 * Why that is right.  A note made from memslots that are no longer the current ones
 * carries a generation from before their successor's "end".  If it was even, "begin"
 * has made it old.  If it was odd, it is never good: odd matches nothing, and gen / 2
 * of an odd generation is the predecessor's, which "end" has made old.
 *
 * An SPTE has room for a few bits only, so that generations come round.  When the low
 * bits wrap, every MMIO SPTE is zapped, and that before the wrapped generation is
 * published: no entry of the previous round can meet it.  A vCPU cache holds the
 * whole number.
 *
 * An entry for a read-only memslot covers writes alone; reads of it are memory.
 *
 * The CPU does not tell the linear address of an access that finds a device entry.  An
 * entry keeps the page that a walk has found to lead to its frame; an access by that page
 * and at that offset is taken for the one that faulted.  What would look the same, and is
 * not, is a walk of guest tables that lie in device memory: it has another page.
 */
#ifndef MHV_MMU_MMIO_CACHE_H
#define MHV_MMU_MMIO_CACHE_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/mhv.h>

#define MHV_MMIO_CACHE		8	/* frames, by their low bits */
#define MHV_NR_ROUTE_KINDS	(MHV_ROUTE_EVENTFD + 1)

struct mhv_route_entry;

/**
 * struct mhv_mmio_entry - a frame known to be a device
 * @gfn: guest frame
 * @gen: generation it was looked up in; 0 nothing
 * @la: linear address of the page that leads here, MHV_NO_LA none
 * @rights: shadow paging: GUEST_RIGHT_* that the guest's tables grant
 * @write_only: reads are memory
 * @kinds: route kinds that lie in the page, by bit, where @routes_gen is current
 * @routes_gen: vm->routes_gen that @kinds and @hit are good for
 * @hit: by kind, the route used last
 */
struct mhv_mmio_entry {
	u64 gfn;
	u64 gen;
	u64 la;
	bool write_only;
	u8 rights;
	u8 kinds;
	u32 routes_gen;
	const struct mhv_route_entry *hit[MHV_NR_ROUTE_KINDS];
} __aligned(64);

#define MHV_NO_LA	(~0ull)		/* no page begins there */

struct mhv_mmio_cache {
	struct mhv_mmio_entry entry[MHV_MMIO_CACHE];
};

extern unsigned int mhv_mmio_gen_bits;

static inline bool mhv_gen_changing(u64 gen)
{
	return gen & 1;
}

/* The part of a generation that an SPTE holds. */
static inline u64 mhv_gen_spte(u64 gen)
{
	return (gen >> 1) & ((1ull << mhv_mmio_gen_bits) - 1);
}

/* Is what an SPTE says of generation @spte_gen true at @gen? */
static inline bool mhv_gen_current(u64 spte_gen, u64 gen)
{
	return !mhv_gen_changing(gen) && spte_gen == mhv_gen_spte(gen);
}

static inline bool mhv_mmio_cache_match(const struct mhv_mmio_cache *cache, u64 gfn, u64 gen,
					bool write)
{
	const struct mhv_mmio_entry *e = &cache->entry[gfn % MHV_MMIO_CACHE];

	/* an entry never has an odd generation */
	return e->gfn == gfn && e->gen == gen && (write || !e->write_only);
}

static inline void mhv_mmio_cache_fill(struct mhv_mmio_cache *cache, u64 gfn, u64 gen,
				       bool write_only)
{
	if (mhv_gen_changing(gen))
		return;
	cache->entry[gfn % MHV_MMIO_CACHE] = (struct mhv_mmio_entry){
		.gfn = gfn, .gen = gen, .la = MHV_NO_LA, .write_only = write_only,
	};
}

/* Shadow paging keeps entries by linear page: the CPU tells no guest-physical address. */
static inline struct mhv_mmio_entry *mhv_mmio_cache_by_la(struct mhv_mmio_cache *cache, u64 la)
{
	return &cache->entry[(la >> 12) % MHV_MMIO_CACHE];
}

static inline void mhv_mmio_cache_fill_la(struct mhv_mmio_cache *cache, u64 la, u64 gfn, u64 gen,
					  bool write_only, u8 rights)
{
	if (mhv_gen_changing(gen))
		return;
	*mhv_mmio_cache_by_la(cache, la) = (struct mhv_mmio_entry){
		.gfn = gfn, .gen = gen, .la = la & ~0xfffull, .write_only = write_only,
		.rights = rights,
	};
}

/* A translation is no more: INVLPG. */
static inline void mhv_mmio_cache_forget(struct mhv_mmio_cache *cache, u64 la)
{
	mhv_mmio_cache_by_la(cache, la)->gen = 0;
}

/* All are: CR3 was loaded, or the mode has changed. */
static inline void mhv_mmio_cache_clear(struct mhv_mmio_cache *cache)
{
	int i;

	for (i = 0; i < MHV_MMIO_CACHE; i++)
		cache->entry[i].gen = 0;
}

#endif /* MHV_MMU_MMIO_CACHE_H */
