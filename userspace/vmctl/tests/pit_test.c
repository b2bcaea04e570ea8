// SPDX-License-Identifier: GPL-2.0-only
/* the 8254 and the speaker port, on a clock that the test moves */
#include "fixture.h"

#include <string.h>

#include "clock.h"
#include "dev/pit.h"

static struct bus bus;
static struct pit pit;
static struct timer_queue timers;
static struct test_line irq0;

static int setup(void **state)
{
	memset(&timers, 0, sizeof(timers));
	assert_int_equal(pit_init(&pit, &bus, &timers, test_irq(&irq0)), 0);
	return 0;
}

static int teardown(void **state)
{
	bus_destroy(&bus);
	return 0;
}

/* lets the counters count @ticks more, whatever the rounding was before */
static void ticks(u64 nr)
{
	u64 since = test_now - pit.epoch;
	u64 now = clock_scale(since, PIT_HZ, NSEC_PER_SEC);

	test_advance(&timers, clock_scale(now + nr, NSEC_PER_SEC, PIT_HZ) + 1 - since);
}

static void load(unsigned int counter, u8 mode, u16 count)
{
	outb(&bus, 0x43, counter << 6 | 3 << 4 | mode << 1);
	outb(&bus, 0x40 + counter, count);
	outb(&bus, 0x40 + counter, count >> 8);
}

static u16 latched(unsigned int counter)
{
	u8 low;

	outb(&bus, 0x43, counter << 6);
	low = inb(&bus, 0x40 + counter);
	return low | inb(&bus, 0x40 + counter) << 8;
}

static u8 status(unsigned int counter)
{
	outb(&bus, 0x43, 0xe0 | 2 << counter);
	return inb(&bus, 0x40 + counter);
}

static void rate_generator(void **state)
{
	load(0, 2, 1000);
	ticks(999);
	assert_int_equal(irq0.edges, 0);
	ticks(1);
	assert_int_equal(irq0.edges, 1);
	ticks(5000);
	assert_int_equal(irq0.edges, 6);
	assert_true(irq0.high);
	ticks(300);
	assert_int_equal(latched(0), 700);
}

/* 100 periods slept through give one edge, and the rhythm stays */
static void missed_periods(void **state)
{
	load(0, 2, 1000);
	test_now += 100 * NSEC_PER_SEC;
	timer_run(&timers, test_now);
	assert_int_equal(irq0.edges, 1);
	ticks(1000);
	assert_int_equal(irq0.edges, 2);
}

static void largest_count(void **state)
{
	load(0, 2, 0);
	ticks(65535);
	assert_int_equal(irq0.edges, 0);
	ticks(1);
	assert_int_equal(irq0.edges, 1);
	assert_int_equal(latched(0), 0);
	ticks(1);
	assert_int_equal(latched(0), 65535);
}

static void one_shot(void **state)
{
	load(0, 0, 500);
	assert_int_equal(status(0), 0x30);		/* output low */
	ticks(499);
	assert_int_equal(irq0.edges, 0);
	assert_int_equal(latched(0), 1);
	ticks(1);
	assert_int_equal(irq0.edges, 1);
	assert_int_equal(status(0), 0xb0);		/* and high */
	ticks(1);
	assert_int_equal(latched(0), 0xffff);		/* goes on */
	ticks(200000);
	assert_int_equal(irq0.edges, 1);
}

/* the mode that tickless systems program for each event */
static void strobe(void **state)
{
	load(0, 4, 300);
	ticks(300);
	assert_int_equal(irq0.edges, 1);
	ticks(100000);
	assert_int_equal(irq0.edges, 1);
	outb(&bus, 0x40, 200);		/* again, without control word */
	outb(&bus, 0x40, 0);
	ticks(199);
	assert_int_equal(irq0.edges, 1);
	ticks(1);
	assert_int_equal(irq0.edges, 2);
}

static void half_written(void **state)
{
	load(0, 0, 500);
	ticks(100);
	outb(&bus, 0x40, 50);		/* mode 0 stops at the first byte */
	ticks(1000);
	assert_int_equal(irq0.edges, 0);
	assert_int_equal(status(0), 0x70);		/* count not loaded */
	outb(&bus, 0x40, 0);
	ticks(50);
	assert_int_equal(irq0.edges, 1);
}

/* an edge that is due counts even when the guest programs before the timer ran */
static void overdue_edge(void **state)
{
	load(0, 2, 1000);
	test_now += clock_scale(1000, NSEC_PER_SEC, PIT_HZ) + 2;
	outb(&bus, 0x43, 0x80);		/* latch of another counter: nothing */
	assert_int_equal(irq0.edges, 0);
	load(0, 4, 1000);
	assert_int_equal(irq0.edges, 1);
	ticks(1000);
	assert_int_equal(irq0.edges, 2);
}

static void other_counters_leave_irq(void **state)
{
	load(0, 2, 1000);
	ticks(999);
	load(2, 3, 77);
	load(1, 2, 18);
	latched(0);
	status(0);
	ticks(1);
	assert_int_equal(irq0.edges, 1);
}

static void square_wave(void **state)
{
	outb(&bus, 0x61, 1);
	load(2, 3, 10);
	assert_true(inb(&bus, 0x61) & 0x20);
	ticks(4);
	assert_true(inb(&bus, 0x61) & 0x20);
	assert_int_equal(latched(2), 2);
	ticks(1);
	assert_false(inb(&bus, 0x61) & 0x20);
	assert_int_equal(latched(2), 10);
	ticks(5);
	assert_true(inb(&bus, 0x61) & 0x20);
}

/* as Linux calibrates: gate on, mode 0, wait for the output */
static void speaker_gate(void **state)
{
	outb(&bus, 0x61, 0);
	load(2, 0, 11932);
	ticks(20000);
	assert_false(inb(&bus, 0x61) & 0x20);		/* the gate is closed */
	assert_int_equal(latched(2), 11932);
	outb(&bus, 0x61, 1);
	assert_int_equal(inb(&bus, 0x61) & 3, 1);
	ticks(11931);
	assert_false(inb(&bus, 0x61) & 0x20);
	ticks(1);
	assert_true(inb(&bus, 0x61) & 0x20);
}

static void gate_pauses(void **state)
{
	outb(&bus, 0x61, 1);
	load(2, 0, 1000);
	ticks(400);
	outb(&bus, 0x61, 0);
	ticks(5000);
	assert_int_equal(latched(2), 600);
	outb(&bus, 0x61, 1);
	ticks(600);
	assert_true(inb(&bus, 0x61) & 0x20);
}

static void gate_restarts(void **state)
{
	outb(&bus, 0x61, 1);
	load(2, 2, 1000);
	ticks(400);
	outb(&bus, 0x61, 0);
	assert_true(inb(&bus, 0x61) & 0x20);
	outb(&bus, 0x61, 1);
	assert_int_equal(latched(2), 1000);
}

static void retriggerable(void **state)
{
	outb(&bus, 0x61, 0);
	load(2, 1, 1000);
	ticks(5000);
	assert_true(inb(&bus, 0x61) & 0x20);		/* waits for the trigger */
	outb(&bus, 0x61, 1);
	assert_false(inb(&bus, 0x61) & 0x20);
	ticks(999);
	outb(&bus, 0x61, 0);
	outb(&bus, 0x61, 1);
	ticks(999);
	assert_false(inb(&bus, 0x61) & 0x20);
	ticks(1);
	assert_true(inb(&bus, 0x61) & 0x20);
}

static void latches(void **state)
{
	load(0, 2, 1000);
	ticks(100);
	outb(&bus, 0x43, 0x00);
	ticks(100);
	outb(&bus, 0x43, 0x00);		/* ignored: the first is not read yet */
	assert_int_equal(inb(&bus, 0x40), 900 & 0xff);
	assert_int_equal(inb(&bus, 0x40), 900 >> 8);
	assert_int_equal(inb(&bus, 0x40), 800 & 0xff);
	assert_int_equal(inb(&bus, 0x40), 800 >> 8);
	/* status and count at once: the status comes first */
	outb(&bus, 0x43, 0xc2);
	assert_int_equal(inb(&bus, 0x40), 0xb4);
	assert_int_equal(inb(&bus, 0x40), 800 & 0xff);
	assert_int_equal(inb(&bus, 0x40), 800 >> 8);
}

static void single_bytes(void **state)
{
	outb(&bus, 0x43, 0x14);		/* low byte only, mode 2 */
	outb(&bus, 0x40, 100);
	ticks(30);
	assert_int_equal(inb(&bus, 0x40), 70);
	assert_int_equal(inb(&bus, 0x40), 70);
	outb(&bus, 0x43, 0x24);		/* high byte only */
	outb(&bus, 0x40, 2);
	ticks(1);
	assert_int_equal(inb(&bus, 0x40), 1);
	outb(&bus, 0x43, 0x00);
	assert_int_equal(inb(&bus, 0x40), 1);
	assert_int_equal(inb(&bus, 0x40), 1);
}

static void decimal(void **state)
{
	outb(&bus, 0x43, 0x35);		/* both bytes, mode 2, BCD */
	outb(&bus, 0x40, 0x00);
	outb(&bus, 0x40, 0x10);		/* 1000 */
	ticks(1);
	assert_int_equal(latched(0), 0x0999);
	ticks(999);
	assert_int_equal(irq0.edges, 1);
	outb(&bus, 0x43, 0x35);
	outb(&bus, 0x40, 0);
	outb(&bus, 0x40, 0);		/* 10000 */
	ticks(1);
	assert_int_equal(latched(0), 0x9999);
}

static void refresh_toggles(void **state)
{
	unsigned int i, changes = 0;
	u8 before = inb(&bus, 0x61), now;

	for (i = 0; i < 1000; i++) {
		test_now += 1000;
		now = inb(&bus, 0x61);
		changes += (before ^ now) >> 4 & 1;
		before = now;
	}
	assert_in_range(changes, 66, 67);
}

/* an hour of 1 kHz interrupts drifts by less than one of them */
static void no_drift(void **state)
{
	u64 edges = 0, end = test_now + 3600 * NSEC_PER_SEC, begin = test_now;

	load(0, 2, 1193);
	while (timer_next(&timers) <= end) {
		test_now = timer_next(&timers);
		timer_run(&timers, test_now);
		edges++;
	}
	assert_int_equal(irq0.edges, edges);
	assert_int_equal(edges, clock_scale(end - begin, PIT_HZ, NSEC_PER_SEC) / 1193);
}

#define PIT_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	PIT_TEST(rate_generator),
	PIT_TEST(missed_periods),
	PIT_TEST(largest_count),
	PIT_TEST(one_shot),
	PIT_TEST(strobe),
	PIT_TEST(half_written),
	PIT_TEST(overdue_edge),
	PIT_TEST(other_counters_leave_irq),
	PIT_TEST(square_wave),
	PIT_TEST(speaker_gate),
	PIT_TEST(gate_pauses),
	PIT_TEST(gate_restarts),
	PIT_TEST(retriggerable),
	PIT_TEST(latches),
	PIT_TEST(single_bytes),
	PIT_TEST(decimal),
	PIT_TEST(refresh_toggles),
	PIT_TEST(no_drift),
};

int main(void)
{
	return test_main("pit", tests, ARRAY_SIZE(tests));
}
