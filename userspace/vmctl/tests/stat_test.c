// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl stat: text, JSON, CSV, differences, with a machine that only counts.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "power.h"
#include "stats.h"
#include "verbs.h"

#define NAME	"stat-test"

static struct run_options opt;
static struct machine machine;
static pthread_t thread;
static unsigned int reads, last;
static bool stop;

/* the machine ends when its counters were read @last times */
static unsigned int count(struct accel_vcpu *vcpu, struct accel_counter *counter,
			  unsigned int max)
{
	const struct accel_counter all[] = {
		{ "other", 7 }, { "exit_io", 300 * ++reads }, { "exit_hlt", 100 },
	};

	test_now += NSEC_PER_SEC;
	test_cpu = 5 * reads;
	memcpy(counter, all, sizeof(all));
	return ARRAY_SIZE(all);
}

static const struct accel_ops ops = { .name = "counts", .counters = count };

static bool answering(void)
{
	unsigned int i;

	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (machine.control.client[i].answer)
			return true;
	return false;
}

static void *serve(void *unused)
{
	pthread_mutex_lock(&machine.lock);
	while (!stop && (reads != last || answering()))
		assert_int_equal(evloop_once(&machine.loop), 0);
	/* as at the end of a machine */
	control_close(&machine.control);
	pthread_mutex_unlock(&machine.lock);
	return NULL;
}

static int setup(void **state)
{
	memset(&machine, 0, sizeof(machine));
	machine.ops = &ops;
	machine.opt = &opt;
	machine.started_at = test_now - NSEC_PER_SEC / 4;
	stop = false;
	reads = 0;
	last = UINT32_MAX;
	pthread_mutex_init(&machine.lock, NULL);
	assert_int_equal(evloop_init(&machine.loop, &machine.lock), 0);
	assert_int_equal(control_open(&machine.control, &machine, NAME), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	pthread_mutex_lock(&machine.lock);
	stop = true;
	evloop_wake(&machine.loop);
	pthread_mutex_unlock(&machine.lock);
	pthread_join(thread, NULL);
	evloop_destroy(&machine.loop);
	return 0;
}

#define STAT(status, ...)	stat_says(status, (char *[]){ "stat", __VA_ARGS__, NULL })

static char said[16384];

static void stat_says(int status, char **argv)
{
	FILE *saved = stdout;
	int argc = 0, got;

	while (argv[argc])
		argc++;
	memset(said, 0, sizeof(said));
	stdout = fmemopen(said, sizeof(said), "w");
	got = verb_stat(argc, argv);
	fclose(stdout);
	stdout = saved;
	assert_int_equal(got, status);
}

static void stat_once(void **state)
{
	STAT(STATUS_OK, "--name", NAME);
	assert_string_equal(said,
			    NAME ": 1.250 s\n\n"
			    "counter                                   count\n"
			    "other                                         7\n"
			    "cpu_ns                                        5\n\n"
			    "exits by reason                           count  percent\n"
			    "io                                          300   75.00%\n"
			    "hlt                                         100   25.00%\n"
			    "total                                       400  100.00%\n");
	STAT(STATUS_OK, "--name", NAME, "--json");
	assert_non_null(strstr(said, "{\"name\": \"" NAME "\", \"seconds\": 2.250, \"exits\": ["));
	assert_non_null(strstr(said, "{\"reason\": \"io\", \"count\": 600, \"percent\": 85.71}"));
	assert_non_null(strstr(said, "\"counters\": {\"exit_io\": 600, \"exit_hlt\": 100, "));
	assert_non_null(strstr(said, ", \"net_sent_bytes\": 0, \"cpu_ns\": 10, \"other\": 7}}\n"));
}

/* the guest ends while it is watched: that is no error */
static void stat_to_the_end(void **state)
{
	char *line;

	last = 3;
	STAT(STATUS_OK, "--name", NAME, "--csv", "-i", "0.01");
	assert_memory_equal(said, "seconds,other,exit_io,exit_hlt,mmio_unclaimed_read,", 51);
	line = strchr(said, '\n');
	assert_non_null(line);
	assert_memory_equal(line - 19, ",net_dropped,cpu_ns", 19);
	assert_string_equal(line + 1,
			    "1.250,7,300,100,0,0,0,0,0,0,0,5\n"
			    "2.250,7,600,100,0,0,0,0,0,0,0,10\n"
			    "3.250,7,900,100,0,0,0,0,0,0,0,15\n");
}

/* what was added, not the totals */
static void stat_differences(void **state)
{
	const char *second;

	last = 2;
	STAT(STATUS_OK, "--name", NAME, "--interval", "0.01");
	second = strstr(said, NAME ": 2.250 s, the last 1.000 s\n");
	assert_non_null(second);
	assert_non_null(strstr(second, "io                                          300  100.00%"));
	assert_null(strstr(second, "hlt"));
	assert_null(strstr(second, "other"));
}

static void stat_refusals(void **state)
{
	STAT(STATUS_FAILED, "--name", "nobody-of-that-name");
	STAT(STATUS_USAGE, "--json");
	STAT(STATUS_USAGE, "--name", NAME, "more");
	STAT(STATUS_USAGE, "--name", NAME, "-i", "0");
	STAT(STATUS_USAGE, "--name", NAME, "-i", "1s");
	STAT(STATUS_USAGE, "--name", NAME, "-i", "nan");
	STAT(STATUS_USAGE, "--name", NAME, "-i");
	STAT(STATUS_USAGE, "--bogus");
	STAT(STATUS_OK, "--help");
	assert_memory_equal(said, "usage: vmctl stat", 17);
	assert_int_equal(reads, 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(stat_once),
	TEST(stat_to_the_end),
	TEST(stat_differences),
	TEST(stat_refusals),
};

int main(void)
{
	char dir[] = "/tmp/stat_test.XXXXXX";
	int failed;

	assert_non_null(mkdtemp(dir));
	setenv("MHV_RUN_DIR", dir, 1);
	test_silence();
	failed = test_main("stat", tests, ARRAY_SIZE(tests));
	return rmdir(dir) ? 1 : failed;
}
