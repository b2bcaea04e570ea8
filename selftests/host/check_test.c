// SPDX-License-Identifier: GPL-2.0-only
/* vmx_check(): valid VMCSs, each rule broken by itself, reports in small buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/check_cases.h"

static struct check_run run;

static void valid(void **state)
{
	unsigned int i, nr = 0;

	(void)state;
	for (i = 0; i < nr_check_cases; i++) {
		if (check_cases[i].findings)
			continue;
		nr++;
		if (!check_case_run(&check_cases[i], &run))
			fail_msg("case %u: %s\n%s", i, run.text, run.report);
		assert_string_equal(run.report, "");
	}
	assert_true(nr > CHECK_BASES);
}

static void broken_rules(void **state)
{
	unsigned int i, nr = 0;

	(void)state;
	for (i = 0; i < nr_check_cases; i++) {
		if (!check_cases[i].findings)
			continue;
		nr++;
		if (!check_case_run(&check_cases[i], &run))
			fail_msg("case %u: %s\n%s", i, run.text, run.report);
	}
	assert_true(nr > 200);
}

static void truncation(void **state)
{
	unsigned int size;

	(void)state;
	for (size = 0; size <= sizeof(run.report); size++)
		if (!check_case_truncation(size, &run))
			fail_msg("buffer of %u bytes: %s", size, run.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid),
		cmocka_unit_test(broken_rules),
		cmocka_unit_test(truncation),
	};

	return cmocka_run_group_tests_name("vmx_check", tests, NULL, NULL);
}
