// SPDX-License-Identifier: GPL-2.0-only
/* the real-time clock, on a clock that the test moves */
#include "fixture.h"

#include <string.h>
#include <time.h>

#include "dev/cmos.h"

static struct bus bus;
static struct cmos cmos;
static struct timer_queue timers;
static struct test_line irq8;
static const struct memory mem = { NULL, 5 * GIB, 3 * GIB, 2 * GIB };

static u64 utc(int year, int month, int day, int hour, int min, int sec)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day,
			 .tm_hour = hour, .tm_min = min, .tm_sec = sec };

	return timegm(&tm) * NSEC_PER_SEC;
}

static u8 get(u8 reg)
{
	outb(&bus, 0x70, reg);
	return inb(&bus, 0x71);
}

static void set(u8 reg, u8 val)
{
	outb(&bus, 0x70, reg);
	outb(&bus, 0x71, val);
}

static int setup(void **state)
{
	memset(&timers, 0, sizeof(timers));
	test_realtime = utc(2031, 12, 31, 23, 59, 58) + NSEC_PER_SEC / 2;
	assert_int_equal(cmos_init(&cmos, &bus, &timers, test_irq(&irq8), &mem), 0);
	return 0;
}

static int teardown(void **state)
{
	bus_destroy(&bus);
	return 0;
}

static void assert_time(const u8 want[8])
{
	static const u8 regs[] = { 0x32, 9, 8, 7, 6, 4, 2, 0 };
	unsigned int i;

	for (i = 0; i < 8; i++)
		assert_int_equal(get(regs[i]), want[i]);
}

static void reads_utc(void **state)
{
	/* century, year, month, day, weekday, hour, minute, second; BCD */
	static const u8 before[] = { 0x20, 0x31, 0x12, 0x31, 4, 0x23, 0x59, 0x58 };
	static const u8 after[] = { 0x20, 0x32, 0x01, 0x01, 5, 0x00, 0x00, 0x00 };

	assert_time(before);
	test_advance(&timers, 3 * NSEC_PER_SEC / 2);
	assert_time(after);
}

static void binary_and_12_hours(void **state)
{
	static const u8 binary[] = { 20, 31, 12, 31, 4, 23, 59, 58 };

	set(11, 0x06);
	assert_time(binary);
	set(11, 0x04);
	assert_int_equal(get(4), 0x80 | 11);
	set(11, 0x00);
	assert_int_equal(get(4), 0x80 | 0x11);
	test_advance(&timers, 2 * NSEC_PER_SEC);
	assert_int_equal(get(4), 0x12);			/* midnight */
	test_advance(&timers, 12 * 3600 * NSEC_PER_SEC);
	assert_int_equal(get(4), 0x92);			/* noon */
}

static void update_in_progress(void **state)
{
	assert_int_equal(get(10), 0x26);
	test_advance(&timers, NSEC_PER_SEC / 2 - 244000);
	assert_int_equal(get(10), 0xa6);
	assert_int_equal(get(0), 0x58);
	test_advance(&timers, 244000);
	assert_int_equal(get(10), 0x26);
	assert_int_equal(get(0), 0x59);
}

static void sets_the_time(void **state)
{
	static const u8 want[] = { 0x19, 0x99, 0x02, 0x28, 1, 0x12, 0x34, 0x56 };
	static const u8 later[] = { 0x19, 0x99, 0x03, 0x01, 2, 0x00, 0x00, 0x00 };

	set(11, 0x82);
	set(0x32, 0x19);
	set(9, 0x99);
	set(8, 0x02);
	set(7, 0x28);
	set(4, 0x12);
	set(2, 0x34);
	set(0, 0x56);
	test_advance(&timers, 10 * NSEC_PER_SEC);	/* stands still meanwhile */
	assert_int_equal(get(0), 0x56);
	set(11, 0x02);
	assert_time(want);
	test_advance(&timers, (11 * 3600 + 25 * 60 + 4) * NSEC_PER_SEC);
	assert_time(later);
}

static void sets_without_stopping(void **state)
{
	set(4, 0x05);
	assert_int_equal(get(4), 0x05);
	assert_int_equal(get(2), 0x59);
	assert_int_equal(get(0), 0x58);
}

static void hostile_time(void **state)
{
	unsigned int i;

	set(11, 0x82);
	for (i = 0; i < 10; i++)
		set(i, 0xff);
	set(0x32, 0xff);
	set(11, 0x02);
	for (i = 0; i < 14; i++)
		get(i);
	set(11, 0x82);
	for (i = 0; i < 10; i++)
		set(i, 0);
	set(0x32, 0);
	set(11, 0x02);
	test_advance(&timers, NSEC_PER_SEC);
	get(0);
}

static void update_interrupt(void **state)
{
	set(11, 0x12);
	assert_false(irq8.high);
	test_advance(&timers, NSEC_PER_SEC / 2);
	assert_true(irq8.high);
	assert_int_equal(get(12) & 0x90, 0x90);
	assert_false(irq8.high);
	assert_int_equal(get(12), 0);
	test_advance(&timers, NSEC_PER_SEC);
	assert_int_equal(irq8.edges, 2);
	test_advance(&timers, 5 * NSEC_PER_SEC);	/* not acknowledged */
	assert_int_equal(irq8.edges, 2);
}

static void alarm_interrupt(void **state)
{
	set(1, 0x05);
	set(3, 0x00);
	set(5, 0x00);
	set(11, 0x22);
	test_advance(&timers, 6 * NSEC_PER_SEC);
	assert_false(irq8.high);
	test_advance(&timers, NSEC_PER_SEC);
	assert_true(irq8.high);
	assert_int_equal(get(12) & 0xa0, 0xa0);
	test_advance(&timers, 23 * 3600 * NSEC_PER_SEC);
	assert_int_equal(irq8.edges, 1);
	test_advance(&timers, 3600 * NSEC_PER_SEC);
	assert_int_equal(irq8.edges, 2);
}

static void alarm_any(void **state)
{
	set(1, 0x30);
	set(3, 0xff);
	set(5, 0xc0);
	set(11, 0x22);
	test_advance(&timers, 32 * NSEC_PER_SEC);
	assert_int_equal(irq8.edges, 1);
	get(12);
	test_advance(&timers, 60 * NSEC_PER_SEC);
	assert_int_equal(irq8.edges, 2);
}

static void periodic_interrupt(void **state)
{
	unsigned int i;

	set(10, 0x2f);			/* 2 Hz */
	set(11, 0x42);
	get(12);
	for (i = 0; i < 20; i++) {
		test_advance(&timers, NSEC_PER_SEC / 2);
		assert_int_equal(get(12) & 0xc0, 0xc0);
	}
	assert_int_equal(irq8.edges, 20);
	set(10, 0x20);			/* off */
	test_advance(&timers, NSEC_PER_SEC);
	assert_int_equal(irq8.edges, 20);
	assert_int_equal(timer_next(&timers), TIMER_NEVER);
}

static void flags_without_interrupt(void **state)
{
	get(12);
	test_advance(&timers, NSEC_PER_SEC);
	assert_int_equal(get(12) & 0xf0, 0x50);		/* seen by polling */
	assert_int_equal(irq8.edges, 0);
}

static void read_only_registers(void **state)
{
	set(13, 0);
	assert_int_equal(get(13), 0x80);
	set(12, 0xff);
	assert_int_equal(get(12) & 0x80, 0);
	set(10, 0xff);
	assert_int_equal(get(10) & 0x80, 0);
}

static void battery_memory(void **state)
{
	set(0x40, 0x5a);
	set(0xc0, 0xa5);		/* the top bit is the NMI mask */
	assert_int_equal(get(0x40), 0xa5);
	assert_int_equal(inb(&bus, 0x70), 0xff);
}

static void memory_sizes(void **state)
{
	assert_int_equal(get(0x15) | get(0x16) << 8, 639);
	assert_int_equal(get(0x30) | get(0x31) << 8, 0xffff);
	assert_int_equal(get(0x34) | get(0x35) << 8, (3 * GIB - 16 * MIB) / (64 * KIB));
	assert_int_equal(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16, 2 * GIB / (64 * KIB));
}

#define CMOS_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	CMOS_TEST(reads_utc),
	CMOS_TEST(binary_and_12_hours),
	CMOS_TEST(update_in_progress),
	CMOS_TEST(sets_the_time),
	CMOS_TEST(sets_without_stopping),
	CMOS_TEST(hostile_time),
	CMOS_TEST(update_interrupt),
	CMOS_TEST(alarm_interrupt),
	CMOS_TEST(alarm_any),
	CMOS_TEST(periodic_interrupt),
	CMOS_TEST(flags_without_interrupt),
	CMOS_TEST(read_only_registers),
	CMOS_TEST(battery_memory),
	CMOS_TEST(memory_sizes),
};

int main(void)
{
	return test_main("cmos", tests, ARRAY_SIZE(tests));
}
