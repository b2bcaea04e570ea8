// SPDX-License-Identifier: GPL-2.0-only
/* Device entries as numbers: what goes in comes out, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/types.h>

#include "mmu/shadow_spte.h"

#define ROUNDS		200000

static u64 random64(void)
{
	return (u64)random() << 42 ^ (u64)random() << 21 ^ random();
}

/* The EPT's, as the module makes it */
static struct mhv_spte_format ept_format(int cache_bits)
{
	return (struct mhv_spte_format){
		.mmio_mask = 7, .mmio_value = 6, .mmio_low = 3,
		.mmio_window = cache_bits - SPTE_ONES, .mmio_hole = 64,
	};
}

static void check_one(const struct mhv_spte_format *f, int cache_bits, u64 gfn, u64 gen)
{
	u64 spte = spte_make_mmio(f, gfn, gen);
	u64 ones = ((1ull << SPTE_ONES) - 1) << (cache_bits - SPTE_ONES);

	assert_true(spte_is_mmio(f, spte));
	assert_true(spte_mmio_gfn(f, spte) == gfn);
	assert_true(spte_mmio_gen(f, spte) == gen);
	/* the address that a CPU with the L1TF flaw may read is high */
	assert_true((spte & ones) == ones);
	assert_true((spte & f->mmio_mask) == f->mmio_value);
}

static void check_format(const struct mhv_spte_format *f, int cache_bits)
{
	const u64 gfns = (1ull << SPTE_GFN_BITS) - 1, gens = (1ull << SPTE_GEN_BITS) - 1;
	int i;

	check_one(f, cache_bits, 0, 0);
	check_one(f, cache_bits, gfns, gens);
	check_one(f, cache_bits, gfns, 0);
	check_one(f, cache_bits, 0, gens);
	for (i = 0; i < SPTE_GFN_BITS; i++)
		check_one(f, cache_bits, 1ull << i, 0);
	for (i = 0; i < SPTE_GEN_BITS; i++)
		check_one(f, cache_bits, 0, 1ull << i);
	for (i = 0; i < ROUNDS; i++)
		check_one(f, cache_bits, random64() & gfns, random64() & gens);
}

static void ept(void **state)
{
	int bits;

	(void)state;
	for (bits = 36; bits <= 52; bits++) {
		struct mhv_spte_format f = ept_format(bits);

		check_format(&f, bits);
	}
}

static void shadow(void **state)
{
	int bits;

	(void)state;
	for (bits = 36; bits <= 51; bits++) {
		struct mhv_spte_format f = shadow_spte_format(bits, bits);

		check_format(&f, bits < 46 ? bits : 46);
	}
}

/* Rights are kept beside the payload. */
static void shadow_rights(void **state)
{
	struct mhv_spte_format f = shadow_spte_format(40, 44);
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		u64 gfn = random64() & ((1ull << SPTE_GFN_BITS) - 1), rights = random() & 6;
		u64 spte = spte_make_mmio(&f, gfn, i & 0x3ffff) | rights;

		assert_true(spte_mmio_gfn(&f, spte) == gfn);
		assert_true((spte & (PTE_W | PTE_U)) == rights);
		assert_true(spte & PTE_P && spte & PTE_RSVD);
		assert_false(shadow_present(spte));
	}
}

/* The other kinds of entry, and a CPU without a reserved bit */
static void not_devices(void **state)
{
	struct mhv_spte_format f = shadow_spte_format(40, 44), none = shadow_spte_format(52, 52);
	int i;

	(void)state;
	assert_false(spte_is_mmio(&f, SHADOW_TRAP));
	assert_false(spte_is_mmio(&f, SHADOW_GNP));
	assert_false(shadow_present(SHADOW_TRAP));
	assert_false(shadow_present(SHADOW_GNP));
	assert_true(SHADOW_TRAP & PTE_P && SHADOW_TRAP & PTE_RSVD);
	for (i = 0; i < ROUNDS; i++) {
		u64 leaf = (random64() & ((1ull << 40) - 1) & ~0xfffull) | PTE_LINK | PTE_D;

		assert_true(shadow_present(leaf));
		assert_false(spte_is_mmio(&f, leaf));
		assert_false(spte_is_mmio(&none, random64()));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ept),
		cmocka_unit_test(shadow),
		cmocka_unit_test(shadow_rights),
		cmocka_unit_test(not_devices),
	};

	return cmocka_run_group_tests_name("spte", tests, NULL, NULL);
}
