// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device memory through vmctl: a guest works its way through the registers of
 * `--device testdev`, with everything on and with each optimisation off, and
 * `vmctl bench mmio` measures.  vmctl has to be in the PATH.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "mhv_test.h"
#include "testdev_guest.h"

#define OPTIONS		6

static const char *const options[OPTIONS] = {
	"vcpu-cache", "mmio-spte", "decode-cache", "regfile", "posted", "eventfd",
};

FIXTURE(vmctl) {
};

FIXTURE_SETUP(vmctl)
{
	if (COMMAND("vmctl", "--help"))
		SKIP(return, "vmctl is not in the PATH");
}

FIXTURE_TEARDOWN(vmctl)
{
}

static int run_testdev(const char *without)
{
	const char *const argv[] = {
		"vmctl", "run", "--kernel", KERNEL_PATH, "--debug-exit", "--device", "testdev",
		"--timeout", "120", "--stats", "--json", without ? "--without" : NULL, without,
		NULL,
	};

	return command_run(argv);
}

/* the number that follows @key in @output; -1 unless it is there */
static long long number(const char *from, const char *key)
{
	const char *at = strstr(from, key);

	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

static long long counter(const char *name)
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\": ", name);
	return number(output, key);
}

TEST_F(vmctl, testdev)
{
	ASSERT_EQ(0, command_kernel(testdev_guest, testdev_guest_end));
	ASSERT_EQ(0, run_testdev(NULL)) TH_LOG("%s", output);
	/* each posted write went by the ring but those that found it full */
	EXPECT_EQ(1000, counter("route_posted") + counter("route_posted_full"));
	EXPECT_LT(128, counter("route_posted"));
	EXPECT_EQ(3, counter("route_eventfd"));
	EXPECT_EQ(1, counter("route_regfile"));
	EXPECT_EQ(1, counter("mmio_unclaimed_read"));
	EXPECT_EQ(1, counter("mmio_unclaimed_write"));
}

/* the guest sees the same, and no access goes the way that is closed */
TEST_F(vmctl, testdev_without)
{
	static const char *const counters[OPTIONS] = {
		"pf_vcpu_cache", "pf_mmio_spte", "decode_cache_hit", "route_regfile",
		"route_posted", "route_eventfd",
	};
	int i;

	ASSERT_EQ(0, command_kernel(testdev_guest, testdev_guest_end));
	for (i = 0; i < OPTIONS; i++) {
		ASSERT_EQ(0, run_testdev(options[i])) TH_LOG("%s: %s", options[i], output);
		EXPECT_EQ(0, counter(counters[i])) TH_LOG("%s", options[i]);
	}
	ASSERT_EQ(0, run_testdev("vcpu-cache,mmio-spte,decode-cache,regfile,posted,eventfd"))
		TH_LOG("%s", output);
}

/* vmctl says which instruction it was, at least its bytes */
TEST_F(vmctl, not_emulated)
{
	ASSERT_EQ(0, command_kernel(fxsave_guest, fxsave_guest_end));
	EXPECT_EQ(1, run_testdev(NULL));
	EXPECT_NE(NULL, strstr(output, "cannot emulate")) TH_LOG("%s", output);
	EXPECT_NE(NULL, strstr(output, "0f ae 07"));
	EXPECT_NE(NULL, strstr(output, "rip 0x200025 (32-bit code)"));
	EXPECT_NE(NULL, strstr(output, "gpa 0xd0000000"));
}

/* the median of a row of `vmctl bench mmio --json` in @output; -1: no such row */
static long long median(const char *op, const char *without)
{
	char row[128];

	snprintf(row, sizeof(row), "{\"op\": \"%s\", \"without\": %s%s%s, ", op,
		 without ? "\"" : "", without ? without : "null", without ? "\"" : "");
	return strstr(output, row) ? number(strstr(output, row), "\"guest_median\": ") : -1;
}

TEST_F(vmctl, bench)
{
	static const struct { const char *op, *route; } ops[] = {
		{ "write-ioreq", NULL }, { "read-ioreq", NULL }, { "write-eventfd", "eventfd" },
		{ "write-posted", "posted" }, { "read-regfile", "regfile" },
	};
	unsigned int i;

	ASSERT_EQ(0, COMMAND("vmctl", "bench", "mmio", "--json", "--iterations", "200"))
		TH_LOG("%s", output);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		const char *op = ops[i].op;

		EXPECT_LT(0, median(op, NULL)) TH_LOG("%s", op);
		EXPECT_LT(median(op, NULL), median(op, "vcpu-cache")) TH_LOG("%s", op);
		EXPECT_LT(median(op, NULL), median(op, "decode-cache")) TH_LOG("%s", op);
		EXPECT_LT(0, median(op, "mmio-spte")) TH_LOG("%s", op);
		/* what the kernel answers by itself costs at most half of an exit */
		if (ops[i].route)
			EXPECT_LT(2 * median(op, NULL), median(op, ops[i].route))
				TH_LOG("%s", op);
	}
}
