// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254 interval timer of a PC and the speaker gate at port 0x61.
 *
 * Intel 8254 datasheet, order number 231164.  Nothing ticks: a counter is the
 * tick at which its count began, and count and output are worked out from the
 * time that has passed since.  One timer waits for the next rising edge of
 * counter 0's output.  Edges that this process slept through become one interrupt.
 */
#include <string.h>

#include "../clock.h"
#include "pit.h"

#define PORT61_GATE		BIT(0)	/* counter 2 counts */
#define PORT61_SPEAKER		BIT(1)
#define PORT61_REFRESH		BIT(4)	/* toggles every 15 us */
#define PORT61_OUT2		BIT(5)

#define ACCESS_LOW		1
#define ACCESS_HIGH		2
#define ACCESS_BOTH		3

#define STATUS_OUT		BIT(7)
#define STATUS_NULL		BIT(6)	/* the count is not loaded yet */

#define READ_BACK		3	/* in place of a counter's number */
#define READ_BACK_NO_COUNT	BIT(5)
#define READ_BACK_NO_STATUS	BIT(4)

static u64 pit_now(const struct pit *pit)
{
	return clock_scale(clock_now() - pit->epoch, PIT_HZ, NSEC_PER_SEC);
}

/* clock_now() value at which tick @tick has been reached */
static u64 pit_time(const struct pit *pit, u64 tick)
{
	return pit->epoch + clock_scale(tick, NSEC_PER_SEC, PIT_HZ) + 1;
}

static bool counter_periodic(const struct pit_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* modes 1 and 5 begin to count when the gate rises, the others by the write */
static bool counter_triggered(const struct pit_counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

static bool counter_running(const struct pit_counter *c)
{
	return c->loaded && c->start != TIMER_NEVER;
}

/* ticks counted so far */
static u64 counter_ticks(const struct pit_counter *c, u64 now)
{
	return c->stopped ? c->start : now - c->start;
}

static bool counter_out(const struct pit_counter *c, u64 now)
{
	u64 ticks;

	if (!counter_running(c))
		return c->mode != 0;
	ticks = counter_ticks(c, now);
	switch (c->mode) {
	case 0:
	case 1:
		return ticks >= c->count;
	case 2:
		return c->stopped || ticks % c->count != c->count - 1;
	case 3:
		return c->stopped || ticks % c->count < (c->count + 1) / 2;
	default:
		return ticks != c->count;
	}
}

static u16 to_bcd(u32 val)
{
	return val % 10 | val / 10 % 10 << 4 | val / 100 % 10 << 8 | val / 1000 % 10 << 12;
}

static u32 from_bcd(u16 val)
{
	return (val & 15) + (val >> 4 & 15) * 10 + (val >> 8 & 15) * 100 +
	       (val >> 12) * 1000;
}

/* what the guest reads from the counting element */
static u16 counter_value(const struct pit_counter *c, u64 now)
{
	u32 modulus = c->bcd ? 10000 : 0x10000;
	u64 ticks = counter_running(c) ? counter_ticks(c, now) : 0;
	u32 left;

	if (c->mode == 2)
		left = c->count - ticks % c->count;
	else if (c->mode == 3)
		left = c->count - 2 * ticks % c->count;
	else	/* goes on past zero */
		left = c->count + modulus - ticks % modulus;
	left %= modulus;
	return c->bcd ? to_bcd(left) : left;
}

/* the tick of the first rising edge after @now; TIMER_NEVER when none comes */
static u64 counter_next_edge(const struct pit_counter *c, u64 now)
{
	u64 ticks;

	if (!counter_running(c) || c->stopped)
		return TIMER_NEVER;
	ticks = counter_ticks(c, now);
	if (counter_periodic(c))
		return c->start + (ticks / c->count + 1) * c->count;
	return ticks < c->count ? c->start + c->count : TIMER_NEVER;
}

static void pit_rearm(struct pit *pit)
{
	u64 tick = counter_next_edge(&pit->counter[0], pit_now(pit));

	if (tick == TIMER_NEVER)
		timer_cancel(pit->timers, &pit->edge);
	else
		timer_arm(pit->timers, &pit->edge, pit_time(pit, tick));
}

static void pit_edge(struct timer *timer)
{
	struct pit *pit = container_of(timer, struct pit, edge);

	irq_pulse(&pit->irq);
	pit_rearm(pit);
}

/* an edge that has passed counts, also when its timer has not run yet */
static void pit_catch_up(struct pit *pit)
{
	if (pit->edge.armed && pit->edge.deadline <= clock_now())
		irq_pulse(&pit->irq);
}

static void counter_gate(struct pit_counter *c, bool gate, u64 now)
{
	bool rises = gate && !c->gate;

	c->gate = gate;
	if (counter_triggered(c)) {
		if (rises)
			c->start = now;
		return;
	}
	if (!c->stopped && !gate) {
		if (counter_running(c))
			c->start = counter_ticks(c, now);
		c->stopped = true;
	} else if (c->stopped && gate) {
		/* modes 2 and 3 begin anew, 0 and 4 go on */
		if (counter_running(c))
			c->start = counter_periodic(c) ? now : now - c->start;
		c->stopped = false;
	}
}

/*
 * A whole count has been written.  It holds at once; an 8254 in mode 2 or 3 would
 * finish the period under way first.
 */
static void counter_load(struct pit_counter *c, u16 val, u64 now)
{
	u32 count = c->bcd ? from_bcd(val) : val;

	if (!count)
		count = c->bcd ? 10000 : 0x10000;
	c->count = count;
	c->loaded = true;
	if (!counter_triggered(c))
		c->start = c->stopped ? 0 : now;
}

static void counter_write(struct pit_counter *c, u8 val, u64 now)
{
	switch (c->access) {
	case ACCESS_LOW:
		counter_load(c, val, now);
		break;
	case ACCESS_HIGH:
		counter_load(c, val << 8, now);
		break;
	default:
		if (c->high_next)
			counter_load(c, val << 8 | c->low, now);
		else if (c->mode == 0)
			c->loaded = false;	/* the first byte stops the count */
		c->low = val;
		c->high_next = !c->high_next;
	}
}

static u8 counter_read(struct pit_counter *c, u64 now)
{
	u16 val;
	bool high;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latched) {
		high = !(c->latched & ACCESS_LOW);
		c->latched &= high ? 0 : ACCESS_HIGH;
		return high ? c->latch >> 8 : c->latch;
	}
	val = counter_value(c, now);
	high = c->access == ACCESS_HIGH;
	if (c->access == ACCESS_BOTH) {
		high = c->read_high;
		c->read_high = !high;
	}
	return high ? val >> 8 : val;
}

static void counter_latch(struct pit_counter *c, u64 now)
{
	if (c->latched)
		return;		/* the first latch stays until it is read */
	c->latch = counter_value(c, now);
	c->latched = c->access;
}

static void counter_latch_status(struct pit_counter *c, u64 now)
{
	if (c->status_latched)
		return;
	c->status = (counter_out(c, now) ? STATUS_OUT : 0) |
		    (c->loaded ? 0 : STATUS_NULL) |
		    c->access << 4 | c->mode << 1 | c->bcd;
	c->status_latched = true;
}

static void counter_control(struct pit_counter *c, u8 val)
{
	bool gate = c->gate;

	memset(c, 0, sizeof(*c));
	c->access = val >> 4 & 3;
	c->mode = val >> 1 & 7;
	if (c->mode > 5)	/* bit 2 means nothing to modes 2 and 3 */
		c->mode -= 4;
	c->bcd = val & 1;
	c->gate = gate;
	c->stopped = !gate && !counter_triggered(c);
	c->count = 0x10000;
	c->start = TIMER_NEVER;
}

static void pit_read_back(struct pit *pit, u8 val, u64 now)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (!(val & BIT(i + 1)))
			continue;
		if (!(val & READ_BACK_NO_COUNT))
			counter_latch(&pit->counter[i], now);
		if (!(val & READ_BACK_NO_STATUS))
			counter_latch_status(&pit->counter[i], now);
	}
}

static void pit_control(struct pit *pit, u8 val, u64 now)
{
	unsigned int nr = val >> 6;

	if (nr == READ_BACK) {
		pit_read_back(pit, val, now);
	} else if (!(val >> 4 & 3)) {
		counter_latch(&pit->counter[nr], now);
	} else {
		counter_control(&pit->counter[nr], val);
		if (nr == 0)
			irq_set(&pit->irq, false);
	}
}

static void pit_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct pit *pit = dev;
	bool channel0 = off == 0 || (off == 3 && val >> 6 == 0 && val >> 4);
	u64 now = pit_now(pit);

	if (channel0)
		pit_catch_up(pit);
	if (off == 3)
		pit_control(pit, val, now);
	else
		counter_write(&pit->counter[off], val, now);
	if (channel0)
		pit_rearm(pit);
}

static u64 pit_read(void *dev, u64 off, unsigned int size)
{
	struct pit *pit = dev;

	if (off == 3)
		return 0xff;
	return counter_read(&pit->counter[off], pit_now(pit));
}

static u64 port61_read(void *dev, u64 off, unsigned int size)
{
	struct pit *pit = dev;
	u8 val = pit->port61;

	if (counter_out(&pit->counter[2], pit_now(pit)))
		val |= PORT61_OUT2;
	if (clock_now() / 15000 & 1)
		val |= PORT61_REFRESH;
	return val;
}

static void port61_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct pit *pit = dev;

	pit->port61 = val & (PORT61_GATE | PORT61_SPEAKER);
	counter_gate(&pit->counter[2], val & PORT61_GATE, pit_now(pit));
}

static const struct bus_ops pit_ops = { pit_read, pit_write, 1, "pit" };
static const struct bus_ops port61_ops = { port61_read, port61_write, 1, "port-b" };

/**
 * pit_init - build the timer and put it on the bus
 * @pit:	out
 * @ports:	port bus
 * @timers:	machine's timers
 * @irq:	driven by counter 0
 *
 * Return: 0, or -1 when the ports are taken.
 */
int pit_init(struct pit *pit, struct bus *ports, struct timer_queue *timers,
	     struct irq irq)
{
	int i;

	memset(pit, 0, sizeof(*pit));
	pit->irq = irq;
	pit->timers = timers;
	pit->edge.fire = pit_edge;
	pit->epoch = clock_now();
	for (i = 0; i < 3; i++) {
		pit->counter[i].gate = i != 2;
		counter_control(&pit->counter[i], ACCESS_BOTH << 4 | 3 << 1);
	}
	if (bus_add(ports, 0x40, 4, &pit_ops, pit) ||
	    bus_add(ports, 0x61, 1, &port61_ops, pit))
		return -1;
	return 0;
}
