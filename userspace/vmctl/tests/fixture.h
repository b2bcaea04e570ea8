/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests share: a clock that stands still until a test moves it, port
 * accesses, a power switch that remembers, and files made up on the spot.
 */
#ifndef VMCTL_TEST_FIXTURE_H
#define VMCTL_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dev/bus.h"
#include "dev/irq.h"
#include "power.h"
#include "timer.h"

extern u64 test_now;		/* clock_now() */
extern u64 test_cpu;		/* clock_cpu() */
extern u64 test_realtime;	/* clock_realtime() */
extern bool test_clock_real;	/* use the host's clocks instead */

void test_advance(struct timer_queue *timers, u64 ns);

u32 port_in(struct bus *bus, u16 port, u32 size);
void port_out(struct bus *bus, u16 port, u32 val, u32 size);
#define inb(bus, port)		port_in(bus, port, 1)
#define outb(bus, port, val)	port_out(bus, port, val, 1)

/* a line that counts its rising edges */
struct test_line {
	bool high;
	unsigned int edges;
};

struct irq test_irq(struct test_line *line);

struct test_power {
	struct power power;
	unsigned int ends;
	enum end_cause cause;
	u32 value;
};

void test_power_init(struct test_power *power);

const char *test_file(const void *data, size_t len);
void test_silence(void);

#define HANG_SECONDS	60	/* after this a test has failed */

int test_main(const char *name, const struct CMUnitTest *tests, size_t nr);

#endif
