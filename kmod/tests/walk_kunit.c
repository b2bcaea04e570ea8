// SPDX-License-Identifier: GPL-2.0-only
/* guest_walk() in the kernel: the cases of walk_cases.c. */
#include <kunit/test.h>

#include "walk_cases.h"

static void walk_cases_test(struct kunit *test)
{
	const char *wrong;
	unsigned int i;

	KUNIT_ASSERT_GT(test, nr_walk_cases, 0u);
	for (i = 0; i < nr_walk_cases; i++) {
		wrong = walk_case_run(&walk_cases[i]);
		KUNIT_EXPECT_TRUE_MSG(test, !wrong, "%s: %s", walk_cases[i].name, wrong);
	}
}

static struct kunit_case walk_kunit_cases[] = {
	KUNIT_CASE(walk_cases_test),
	{}
};

static struct kunit_suite walk_kunit_suite = {
	.name = "mhv_guest_walk",
	.test_cases = walk_kunit_cases,
};

kunit_test_suites(&walk_kunit_suite);
