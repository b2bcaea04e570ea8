// SPDX-License-Identifier: GPL-2.0-only
/* vmx_check() in the kernel: the cases of check_cases.c. */
#include <kunit/test.h>

#include "check_cases.h"

static struct check_run *new_run(struct kunit *test)
{
	struct check_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, run);
	return run;
}

static void check_cases_test(struct kunit *test)
{
	struct check_run *run = new_run(test);
	unsigned int i;

	KUNIT_ASSERT_GT(test, nr_check_cases, 0u);
	for (i = 0; i < nr_check_cases; i++)
		KUNIT_EXPECT_TRUE_MSG(test, check_case_run(&check_cases[i], run),
				      "case %u: %s\n%s", i, run->text, run->report);
}

static void check_truncation_test(struct kunit *test)
{
	struct check_run *run = new_run(test);
	unsigned int size;

	for (size = 0; size <= sizeof(run->report); size += size < 100 ? 9 : 61)
		KUNIT_EXPECT_TRUE_MSG(test, check_case_truncation(size, run),
				      "buffer of %u bytes: %s", size, run->text);
}

static struct kunit_case check_kunit_cases[] = {
	KUNIT_CASE(check_cases_test),
	KUNIT_CASE(check_truncation_test),
	{}
};

static struct kunit_suite check_kunit_suite = {
	.name = "mhv_vmx_check",
	.test_cases = check_kunit_cases,
};

kunit_test_suites(&check_kunit_suite);
