// SPDX-License-Identifier: GPL-2.0-only
/* guest_walk(): chosen cases, and a long comparison with a second walker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/kernel.h>

#include "tests/walk_cases.h"
#include "walk_compare.h"

#define WORLDS		4000
#define WALKS		128	/* in each world */

static void cases(void **state)
{
	const char *wrong;
	unsigned int i;

	(void)state;
	for (i = 0; i < nr_walk_cases; i++) {
		wrong = walk_case_run(&walk_cases[i]);
		if (wrong)
			fail_msg("%s: %s", walk_cases[i].name, wrong);
	}
}

/* xorshift64*: the same numbers on every machine */
static u64 next_random(struct numbers *n)
{
	n->state ^= n->state >> 12;
	n->state ^= n->state << 25;
	n->state ^= n->state >> 27;
	return (n->state * 0x2545f4914f6cdd1dull) >> 8 ^ n->state << 40;
}

static void all_outcomes_seen(const struct walk_tally *t)
{
	static const u8 shifts[] = { 12, 21, 22, 30 };
	/* user or not, by read, write and fetch: not present, protection, reserved */
	static const u8 errors[] = {
		0, 2, 4, 6, 16, 20, 1, 3, 5, 7, 17, 21, 9, 11, 13, 15, 25, 29,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t->by_mode); i++)
		assert_true(t->by_mode[i] > 1000);
	for (i = 0; i < ARRAY_SIZE(shifts); i++)
		assert_true(t->by_shift[shifts[i]] > 1000);
	for (i = 0; i < ARRAY_SIZE(errors); i++)
		assert_true(t->by_error[errors[i]] > 100);
	for (i = 0; i < ARRAY_SIZE(t->by_feature); i++)
		if (t->by_feature[i] <= 100)
			fail_msg("feature %u was seen %llu times", i,
				 (unsigned long long)t->by_feature[i]);
	assert_true(t->no_memory > 1000);
	assert_true(t->marked > 10000);
}

static void against_reference(void **state)
{
	struct numbers n = { .next = next_random, .state = 20060712 };
	struct walk_tally tally = { 0 };
	const char *differ;
	int world, i;

	(void)state;
	for (world = 0; world < WORLDS; world++) {
		walk_new_world(&n);
		for (i = 0; i < WALKS; i++) {
			differ = walk_compare(&n, &tally);
			if (differ)
				fail_msg("world %d, walk %d: %s", world, i, differ);
		}
	}
	all_outcomes_seen(&tally);
	print_message("# %d walks: %llu translated, %llu faults, %llu entries marked\n",
		      WORLDS * WALKS, (unsigned long long)tally.ok,
		      (unsigned long long)tally.fault, (unsigned long long)tally.marked);
}

static enum guest_pte_result read_own_address(void *ctx, u64 gpa, unsigned int size, u64 *val)
{
	(void)ctx;
	(void)size;
	*val = (gpa + 0x10000) | GPTE_P | GPTE_A | (gpa < 0x20000 ? GPTE_W | GPTE_U : GPTE_U);
	*val &= ~0xf80ull;
	return GUEST_PTE_OK;
}

/* What the walk tells of each level: shadow paging is built on it. */
static void levels(void **state)
{
	static const struct guest_walk_ops ops = { .read_pte = read_own_address };
	static const struct guest_mmu_mode mode = { .paging = GUEST_PAGING_PAE, .phys_bits = 40 };
	static const struct guest_root root = { .cr3 = 0x7e20, .pdpte = { 0, 0x10001, 0, 0 } };
	const struct guest_walk_req req = {
		.mode = &mode, .root = &root, .ops = &ops, .gva = 0x40403000,
	};
	struct guest_walk walk;

	(void)state;
	assert_int_equal(guest_walk(&req, &walk), GUEST_WALK_OK);
	assert_int_equal(walk.top, 3);
	assert_int_equal(walk.level, 1);
	assert_int_equal(walk.gpte_gpa[2], 0x7e28);
	assert_int_equal(walk.gpte_gpa[1], 0x10010);
	assert_int_equal(walk.gpte_gpa[0], 0x20018);
	assert_int_equal(walk.gpte[2], 0x10001);
	assert_int_equal(walk.gpte[1], 0x20037);
	assert_int_equal(walk.gpte[0], 0x3003d);
	assert_int_equal(walk.rights[2], GUEST_RIGHT_ALL);
	assert_int_equal(walk.rights[1], GUEST_RIGHT_ALL);
	assert_int_equal(walk.rights[0], GUEST_RIGHT_U | GUEST_RIGHT_X);
	assert_int_equal(walk.gpa, 0x30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(levels),
		cmocka_unit_test(against_reference),
	};

	return cmocka_run_group_tests_name("guest_walk", tests, NULL, NULL);
}
