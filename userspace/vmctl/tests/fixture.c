// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"

u64 test_now = 1000 * NSEC_PER_SEC;
u64 test_cpu;
u64 test_realtime;
bool test_clock_real;

static u64 host_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

u64 clock_cpu(void)
{
	return test_cpu;
}

u64 clock_now(void)
{
	return test_clock_real ? host_clock(CLOCK_MONOTONIC) : test_now;
}

u64 clock_realtime(void)
{
	return test_clock_real ? host_clock(CLOCK_REALTIME) : test_realtime;
}

/* lets time pass, each timer firing at its time */
void test_advance(struct timer_queue *timers, u64 ns)
{
	u64 end = test_now + ns, step;

	while (test_now < end) {
		step = min_u64(timer_next(timers), end);
		step = max_u64(step, test_now);
		test_realtime += step - test_now;
		test_now = step;
		timer_run(timers, test_now);
		if (step == end)
			break;
	}
}

u32 port_in(struct bus *bus, u16 port, u32 size)
{
	u8 data[4] = { 0 };
	struct access access = { .addr = port, .data = data, .size = size, .count = 1 };
	u32 val;

	bus_access(bus, &access);
	memcpy(&val, data, sizeof(val));
	return val;
}

void port_out(struct bus *bus, u16 port, u32 val, u32 size)
{
	struct access access = {
		.addr = port, .data = (u8 *)&val, .size = size, .count = 1, .write = true,
	};

	bus_access(bus, &access);
}

static void test_line_set(void *controller, unsigned int line, bool high)
{
	struct test_line *test = controller;

	test->edges += high && !test->high;
	test->high = high;
}

struct irq test_irq(struct test_line *line)
{
	memset(line, 0, sizeof(*line));
	return (struct irq){ test_line_set, line, 0 };
}

static void test_power_end(struct power *power, enum end_cause cause, u32 value)
{
	struct test_power *test = container_of(power, struct test_power, power);

	test->ends++;
	test->cause = cause;
	test->value = value;
}

void test_power_init(struct test_power *power)
{
	memset(power, 0, sizeof(*power));
	power->power.end = test_power_end;
}

/* a file that holds @data; gone with the process */
const char *test_file(const void *data, size_t len)
{
	static char path[64];
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = memfd_create("vmctl-test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* the messages of tests that provoke errors are of no interest */
void test_silence(void)
{
	if (!getenv("VMCTL_TEST_VERBOSE") && !freopen("/dev/null", "w", stderr))
		abort();
}

/* runs the tests of one file and reports them by the Test Anything Protocol */
int test_main(const char *name, const struct CMUnitTest *tests, size_t nr)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests(name, tests, nr, NULL, NULL) ? 1 : 0;
}
