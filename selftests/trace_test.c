// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl trace: a guest whose accesses are known is recorded, and the report must tell all of
 * them; its totals must be the module's counters.  vmctl and vmctl-trace have to be in the
 * PATH.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "command.h"
#include "mhv_vm.h"
#include "testdev_guest.h"

#define TRACE		"/tmp/mhv-selftest.dat"
#define RCU_EXPEDITED	"/sys/kernel/rcu_expedited"
#define EVENTS		"/sys/kernel/tracing/events/mhv"
#define INSTANCES	"/sys/kernel/tracing/instances"

FIXTURE(trace) {
};

FIXTURE_SETUP(trace)
{
	if (COMMAND("vmctl", "trace", "--help"))
		SKIP(longjmp(_metadata->env, 1), "vmctl-trace is not in the PATH");
}

FIXTURE_TEARDOWN(trace)
{
	unlink(TRACE);
}

static int record_testdev(void)
{
	if (command_kernel(testdev_guest, testdev_guest_end))
		return -1;
	return COMMAND("vmctl", "trace", "record", "-o", TRACE, "--", "vmctl", "run", "--kernel",
		       KERNEL_PATH, "--debug-exit", "--device", "testdev", "--timeout", "100");
}

/* nothing of a recorder is left in the kernel */
static bool no_instance(void)
{
	return !COMMAND("ls", INSTANCES) && !strstr(output, "vmctl-");
}

/* adds up the counts of those lines of `report --csv` that begin with @begin */
static long long csv_sum(const char *begin, int field)
{
	long long sum = 0;
	char *line, *at;
	int i;

	for (line = output; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, begin, strlen(begin)))
			continue;
		at = line;
		for (i = 0; i < field && at; i++)
			at = strchr(at + 1, ',');
		sum += at ? strtoll(at + 1, NULL, 10) : 0;
	}
	return sum;
}

/* what the guest did, as it is written in guest/testdev.S */
TEST_F_TIMEOUT(trace, report, 300)
{
	char hex[2 * 256 + 1];
	int i;

	ASSERT_EQ(0, record_testdev()) TH_LOG("%s", output);
	EXPECT_TRUE(no_instance());
	ASSERT_EQ(0, COMMAND("vmctl", "trace", "report", "--csv", "--check", TRACE))
		TH_LOG("%s", output);
	EXPECT_EQ(0, csv_sum("summary,lost events,", 2));
	/* posted writes, by the ring or by request where it was full */
	EXPECT_EQ(1000, csv_sum("mmio,testdev POSTED+", 4) -
		  csv_sum("mmio,testdev POSTED+3996 r4,", 4));
	EXPECT_LT(128, csv_sum("counters,route_posted,", 3));
	EXPECT_EQ(csv_sum("counters,route_posted,", 2), csv_sum("counters,route_posted,", 3));
	EXPECT_EQ(3, csv_sum("mmio,testdev BELLS+8 w4,eventfd,", 4));
	EXPECT_EQ(1, csv_sum("mmio,testdev BELLS+8 w4,ioreq,", 4));
	EXPECT_EQ(1, csv_sum("mmio,testdev REGFILE+16 r4,regfile,", 4));
	/* the string is the guest's first bytes */
	for (i = 0; i < 256; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)testdev_guest[i]);
	EXPECT_NE(NULL, strstr(output, hex)) TH_LOG("no data of the string: %s", hex);
}

/* names of the kernel's own enumerations tell user space nothing */
TEST_F(trace, formats_have_numbers)
{
	EXPECT_EQ(1, COMMAND("sh", "-c", "grep -E 'XR_|MHV_' " EVENTS "/*/format"))
		TH_LOG("%s", output);
	EXPECT_EQ(0, COMMAND("sh", "-c", "grep -q tdp_misconfig " EVENTS "/mhv_exit/format"));
}

/*
 * trace-cmd record, its exit status.  It waits for dozens of RCU grace periods, each of
 * which takes seconds where CPUs are idle, unless they are expedited.
 */
static int trace_cmd_record(void)
{
	int status, usual = host_write(RCU_EXPEDITED, "1");

	status = COMMAND("trace-cmd", "record", "-q", "-e", "mhv", "-o", TRACE, "vmctl", "run",
			 "--kernel", KERNEL_PATH, "--debug-exit", "--device", "testdev",
			 "--timeout", "100");
	if (!usual)
		host_write(RCU_EXPEDITED, "0");
	return status;
}

/* a trace of trace-cmd, with its own clock; vmctl's marks are in it as well */
TEST_F_TIMEOUT(trace, trace_cmd, 300)
{
	if (COMMAND("trace-cmd", "--version") == 127)
		SKIP(return, "trace-cmd is not in the PATH");
	ASSERT_EQ(0, command_kernel(testdev_guest, testdev_guest_end));
	ASSERT_EQ(0, trace_cmd_record()) TH_LOG("%s", output);
	ASSERT_EQ(0, COMMAND("vmctl", "trace", "report", "--csv", TRACE))
		TH_LOG("%s", output);
	EXPECT_EQ(3, csv_sum("mmio,testdev BELLS+8 w4,eventfd,", 4)) TH_LOG("%s", output);
	EXPECT_EQ(3, csv_sum("counters,route_eventfd,", 2));
	EXPECT_NE(NULL, strstr(output, "summary,duration,")) TH_LOG("%s", output);
	/* it understands all formats by itself: none "FAILED TO PARSE" */
	EXPECT_EQ(0, COMMAND("sh", "-c", "trace-cmd report " TRACE " | grep -c mhv_exit"));
	EXPECT_EQ(1, COMMAND("sh", "-c", "trace-cmd report " TRACE " 2>&1 | grep -F PARSE"))
		TH_LOG("%s", output);
}

#define SHOW_ENABLED	"cd $VMCTL_TRACE/events/mhv; " \
			"cat mhv_exit/enable mhv_shadow_root/enable; "

/*
 * The recorder ends as its command does, and leaves nothing behind.  A debugging kernel
 * takes up to a minute for the ten thousand files of a tracing instance.
 */
TEST_F_TIMEOUT(trace, command_status, 600)
{
	/* the event that looks at all tables is not for the report */
	EXPECT_EQ(7, COMMAND("vmctl", "trace", "record", "-o", TRACE, "--", "sh", "-c",
			     SHOW_ENABLED "exit 7"));
	EXPECT_STREQ("1\n0\n", output);
	EXPECT_EQ(0, access(TRACE, R_OK));
	/* without a guest there is nothing to report */
	EXPECT_EQ(1, COMMAND("vmctl", "trace", "report", TRACE));
	EXPECT_NE(NULL, strstr(output, "no event of mhv")) TH_LOG("%s", output);
	EXPECT_EQ(127, COMMAND("vmctl", "trace", "record", "-o", TRACE, "--", "/no/such"));
	EXPECT_EQ(128 + 15, COMMAND("vmctl", "trace", "record", "--all", "-o", TRACE, "--", "sh",
				    "-c", SHOW_ENABLED "kill $$"));
	EXPECT_STREQ("1\n1\n", output);
	EXPECT_EQ(0, COMMAND("vmctl", "trace", "record", "--roots", "-o", TRACE, "--", "sh",
			     "-c", SHOW_ENABLED));
	EXPECT_STREQ("1\n1\n", output);
	EXPECT_TRUE(no_instance());
}

TEST_F_TIMEOUT(trace, bad_arguments, 120)
{
	EXPECT_EQ(2, COMMAND("vmctl", "trace"));
	EXPECT_EQ(2, COMMAND("vmctl", "trace", "no-such-verb"));
	EXPECT_EQ(2, COMMAND("vmctl", "trace", "record", "-o", TRACE));
	EXPECT_EQ(2, COMMAND("vmctl", "trace", "report"));
	EXPECT_EQ(2, COMMAND("vmctl", "trace", "report", "--interval", "0", TRACE));
	EXPECT_EQ(1, COMMAND("vmctl", "trace", "record", "-o", TRACE, "--clock", "sundial",
			     "--", "true"));
	EXPECT_NE(NULL, strstr(output, "no such clock")) TH_LOG("%s", output);
	EXPECT_EQ(1, COMMAND("vmctl", "trace", "record", "-o", "/no/such/file", "--", "true"));
	EXPECT_EQ(1, COMMAND("vmctl", "trace", "report", TRACE));
	EXPECT_NE(0, access(TRACE, F_OK));
	EXPECT_TRUE(no_instance());
}

TEST_HARNESS_MAIN
