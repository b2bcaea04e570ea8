// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer: entries of shadow tables, against a CPU that reads them bit by bit.  The input
 * says how wide addresses are and what an entry is to hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/shadow_spte.h"

struct input {
	u8 phys_bits, cache_bits, rights, access;
	u64 frame, gen;
};

#define CHECK(ok)							\
	do {								\
		if (!(ok)) {						\
			fprintf(stderr, "%s\n", #ok);			\
			abort();					\
		}							\
	} while (0)

static bool bit(u64 value, int n)
{
	return value >> n & 1;
}

/* What a CPU with WP and NXE set makes of an entry, all levels above granting all. */
static bool cpu_allows(u64 spte, int phys_bits, bool user, bool write, bool fetch)
{
	int i;

	for (i = phys_bits; i < 52; i++)
		if (bit(spte, i))
			return false;
	return bit(spte, 0) && (!write || bit(spte, 1)) && (!user || bit(spte, 2)) &&
	       (!fetch || !bit(spte, 63));
}

/* Bit 51 tells what is not memory: with 52 bits, none is that high up. */
static u64 memory_frame(const struct input *in)
{
	int bits = in->phys_bits < 52 ? in->phys_bits : 51;

	return in->frame & ((1ull << (bits - 12)) - 1);
}

static void check_leaf(const struct input *in)
{
	u64 pfn = memory_frame(in);
	u64 spte = shadow_make_leaf(pfn, in->rights);
	int access;

	CHECK(shadow_present(spte));
	CHECK((spte & SPTE_ADDR_MASK) >> 12 == pfn);
	for (access = 0; access < 8; access++) {
		bool user = access & 1, write = access & 2, fetch = access & 4;
		bool may = (!user || in->rights & GUEST_RIGHT_U) &&
			   (!write || in->rights & GUEST_RIGHT_W) &&
			   (!fetch || in->rights & GUEST_RIGHT_X);

		CHECK(cpu_allows(spte, in->phys_bits, user, write, fetch) == may);
	}
}

/* The payload of a device entry, gathered bit by bit: all but marks and ones. */
static u64 gather(u64 spte, int ones)
{
	u64 payload = 0;
	int from, to = 0;

	for (from = 4; from < 64; from++)
		if (from != 51 && (from < ones || from >= ones + SPTE_ONES))
			payload |= (u64)bit(spte, from) << to++;
	return payload;
}

static void check_mmio(const struct input *in)
{
	const struct mhv_spte_format f = shadow_spte_format(in->phys_bits, in->cache_bits);
	u64 gfn = in->frame & ((1ull << SPTE_GFN_BITS) - 1);
	u64 gen = in->gen & ((1ull << SPTE_GEN_BITS) - 1);
	int ones = f.mmio_window, i;
	u64 spte;

	if (in->phys_bits == 52) {
		CHECK(!spte_is_mmio(&f, in->frame));
		return;
	}
	spte = spte_make_mmio(&f, gfn, gen);
	/* the rights of a device are kept in the bits that a mapping has them in */
	spte |= in->rights & GUEST_RIGHT_W ? PTE_W : 0;
	spte |= in->rights & GUEST_RIGHT_U ? PTE_U : 0;
	CHECK(spte_is_mmio(&f, spte));
	CHECK(spte_mmio_gfn(&f, spte) == gfn && spte_mmio_gen(&f, spte) == gen);
	CHECK(gather(spte, ones) == (gfn | gen << SPTE_GFN_BITS));
	for (i = 0; i < SPTE_ONES; i++)
		CHECK(bit(spte, ones + i));
	CHECK(!shadow_present(spte) && spte != SHADOW_TRAP && spte != SHADOW_GNP);
	for (i = 0; i < 8; i++)
		CHECK(!cpu_allows(spte, in->phys_bits, i & 1, i & 2, i & 4));
	CHECK(!spte_is_mmio(&f, SHADOW_TRAP) && !spte_is_mmio(&f, SHADOW_GNP));
	CHECK(!spte_is_mmio(&f, shadow_make_leaf(memory_frame(in), in->rights)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { 0 };

	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	in.phys_bits = 36 + in.phys_bits % 17;
	in.cache_bits = in.phys_bits + in.cache_bits % (53 - in.phys_bits);
	in.rights &= GUEST_RIGHT_ALL;
	check_leaf(&in);
	check_mmio(&in);
	return 0;
}
