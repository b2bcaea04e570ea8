// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real-time clock of a PC (Motorola MC146818) and its CMOS memory.
 *
 * The time of day is the host's UTC plus an offset that the guest moves when it
 * sets the clock.  Nothing ticks: registers are worked out when they are read,
 * and the flags of register C from the time that has passed since they were looked
 * at last.  A timer runs only while the guest has an interrupt enabled.
 */
#include <string.h>
#include <time.h>

#include "../clock.h"
#include "cmos.h"

enum {	/* registers */
	RTC_SEC		= 0,
	RTC_SEC_ALARM	= 1,
	RTC_MIN		= 2,
	RTC_MIN_ALARM	= 3,
	RTC_HOUR	= 4,
	RTC_HOUR_ALARM	= 5,
	RTC_WDAY	= 6,	/* 1 is Sunday */
	RTC_DAY		= 7,
	RTC_MONTH	= 8,
	RTC_YEAR	= 9,
	RTC_A		= 10,
	RTC_B		= 11,
	RTC_C		= 12,
	RTC_D		= 13,
};

#define A_UPDATING		BIT(7)
#define A_RATE			0x0f
#define B_SET			BIT(7)
#define B_PERIODIC		BIT(6)	/* enables, and flags of register C */
#define B_ALARM			BIT(5)
#define B_UPDATE		BIT(4)
#define B_FLAGS			(B_PERIODIC | B_ALARM | B_UPDATE)
#define B_BINARY		BIT(2)
#define B_24H			BIT(1)
#define C_IRQ			BIT(7)
#define D_VALID			BIT(7)
#define HOUR_PM			BIT(7)
#define ALARM_ANY		0xc0	/* both bits: matches every value */

#define UPDATE_NS		244000ull	/* A_UPDATING precedes the change */
#define CATCH_UP_MAX		86400		/* an alarm comes once a day */
#define SECONDS_MAX		7258118399	/* end of 2199: fits @offset in ns */

static u64 cmos_now(const struct cmos *cmos)
{
	return clock_realtime() + cmos->offset;
}

static u8 cmos_encode(const struct cmos *cmos, unsigned int val)
{
	return cmos->ram[RTC_B] & B_BINARY ? val : val / 10 << 4 | val % 10;
}

static unsigned int cmos_decode(const struct cmos *cmos, u8 val)
{
	return cmos->ram[RTC_B] & B_BINARY ? val : (val >> 4) * 10 + (val & 15);
}

static u8 cmos_encode_hour(const struct cmos *cmos, unsigned int hour)
{
	if (cmos->ram[RTC_B] & B_24H)
		return cmos_encode(cmos, hour);
	return cmos_encode(cmos, (hour + 11) % 12 + 1) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned int cmos_decode_hour(const struct cmos *cmos, u8 val)
{
	if (cmos->ram[RTC_B] & B_24H)
		return cmos_decode(cmos, val);
	return cmos_decode(cmos, val & ~HOUR_PM) % 12 + (val & HOUR_PM ? 12 : 0);
}

/* writes the time @now to the registers */
static void cmos_store_time(struct cmos *cmos, u64 now)
{
	time_t seconds = now / NSEC_PER_SEC;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	cmos->ram[RTC_SEC] = cmos_encode(cmos, tm.tm_sec);
	cmos->ram[RTC_MIN] = cmos_encode(cmos, tm.tm_min);
	cmos->ram[RTC_HOUR] = cmos_encode_hour(cmos, tm.tm_hour);
	cmos->ram[RTC_WDAY] = tm.tm_wday + 1;
	cmos->ram[RTC_DAY] = cmos_encode(cmos, tm.tm_mday);
	cmos->ram[RTC_MONTH] = cmos_encode(cmos, tm.tm_mon + 1);
	cmos->ram[RTC_YEAR] = cmos_encode(cmos, tm.tm_year % 100);
	cmos->ram[CMOS_CENTURY] = cmos_encode(cmos, tm.tm_year / 100 + 19);
}

/* takes the time from the registers; nonsense comes out as timegm() has it */
static void cmos_load_time(struct cmos *cmos)
{
	struct tm tm = {
		.tm_sec = cmos_decode(cmos, cmos->ram[RTC_SEC]),
		.tm_min = cmos_decode(cmos, cmos->ram[RTC_MIN]),
		.tm_hour = cmos_decode_hour(cmos, cmos->ram[RTC_HOUR]),
		.tm_mday = cmos_decode(cmos, cmos->ram[RTC_DAY]),
		.tm_mon = (int)cmos_decode(cmos, cmos->ram[RTC_MONTH]) - 1,
		.tm_year = cmos_decode(cmos, cmos->ram[RTC_YEAR]) +
			   ((int)cmos_decode(cmos, cmos->ram[CMOS_CENTURY]) - 19) * 100,
	};
	u64 real = clock_realtime();
	time_t seconds = timegm(&tm);

	if (seconds < 0)
		seconds = 0;
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	/* the fraction of the second goes on as it was */
	cmos->offset = ((s64)seconds - (s64)(real / NSEC_PER_SEC)) * (s64)NSEC_PER_SEC;
	cmos->seen = cmos_now(cmos);
}

static bool alarm_matches(u8 alarm, u8 now)
{
	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == now;
}

static bool cmos_alarm_at(const struct cmos *cmos, u64 second)
{
	unsigned int sec = second % 60, min = second / 60 % 60, hour = second / 3600 % 24;

	return alarm_matches(cmos->ram[RTC_SEC_ALARM], cmos_encode(cmos, sec)) &&
	       alarm_matches(cmos->ram[RTC_MIN_ALARM], cmos_encode(cmos, min)) &&
	       alarm_matches(cmos->ram[RTC_HOUR_ALARM], cmos_encode_hour(cmos, hour));
}

/* period of the square wave in 1/32768 s; 0 when it is off */
static u32 cmos_period(const struct cmos *cmos)
{
	unsigned int rate = cmos->ram[RTC_A] & A_RATE;

	if (!rate)
		return 0;
	return 1u << (rate <= 2 ? rate + 6 : rate - 1);
}

static u64 cmos_cycles(u64 ns)
{
	return clock_scale(ns, 32768, NSEC_PER_SEC);
}

/* brings register C and the interrupt line up to date */
static void cmos_catch_up(struct cmos *cmos)
{
	u64 now = cmos_now(cmos), second = now / NSEC_PER_SEC;
	u64 from = cmos->seen / NSEC_PER_SEC;
	u32 period = cmos_period(cmos);
	u8 *c = &cmos->ram[RTC_C];

	/* the host's clock may have been set back */
	if (now < cmos->seen || cmos->ram[RTC_B] & B_SET)
		from = second;
	if (second > from)
		*c |= B_UPDATE;
	if (second - from > CATCH_UP_MAX)
		from = second - CATCH_UP_MAX;
	for (; from < second; from++)
		if (cmos_alarm_at(cmos, from + 1))
			*c |= B_ALARM;
	if (period && cmos_cycles(now) / period != cmos_cycles(cmos->seen) / period)
		*c |= B_PERIODIC;
	cmos->seen = now;
	if (*c & cmos->ram[RTC_B] & B_FLAGS)
		*c |= C_IRQ;
	irq_set(&cmos->irq, *c & C_IRQ);
}

/* waits for the next moment at which an enabled flag could be set */
static void cmos_rearm(struct cmos *cmos)
{
	u8 wanted = cmos->ram[RTC_B] & B_FLAGS & ~cmos->ram[RTC_C];
	u32 period = cmos_period(cmos);
	u64 now = cmos_now(cmos), left = TIMER_NEVER, next;

	if ((wanted & (B_ALARM | B_UPDATE)) && !(cmos->ram[RTC_B] & B_SET))
		left = NSEC_PER_SEC - now % NSEC_PER_SEC;
	if ((wanted & B_PERIODIC) && period) {
		next = (cmos_cycles(now) / period + 1) * period;
		left = min_u64(left, clock_scale(next, NSEC_PER_SEC, 32768) + 1 - now);
	}
	if (left == TIMER_NEVER)
		timer_cancel(cmos->timers, &cmos->event);
	else
		timer_arm(cmos->timers, &cmos->event, clock_now() + left);
}

static void cmos_event(struct timer *timer)
{
	struct cmos *cmos = container_of(timer, struct cmos, event);

	cmos_catch_up(cmos);
	cmos_rearm(cmos);
}

static bool is_time(u8 index)
{
	return index == CMOS_CENTURY ||
	       (index <= RTC_YEAR && index != RTC_SEC_ALARM &&
		index != RTC_MIN_ALARM && index != RTC_HOUR_ALARM);
}

static u8 cmos_read_a(const struct cmos *cmos)
{
	u64 left = NSEC_PER_SEC - cmos_now(cmos) % NSEC_PER_SEC;

	if (left <= UPDATE_NS && !(cmos->ram[RTC_B] & B_SET))
		return cmos->ram[RTC_A] | A_UPDATING;
	return cmos->ram[RTC_A];
}

static u8 cmos_read_c(struct cmos *cmos)
{
	u8 val;

	cmos_catch_up(cmos);
	val = cmos->ram[RTC_C];
	cmos->ram[RTC_C] = 0;
	irq_set(&cmos->irq, false);
	cmos_rearm(cmos);
	return val;
}

static u64 cmos_read(void *dev, u64 off, unsigned int size)
{
	struct cmos *cmos = dev;

	if (off == 0)
		return 0xff;	/* the index cannot be read back */
	if (is_time(cmos->index) && !(cmos->ram[RTC_B] & B_SET))
		cmos_store_time(cmos, cmos_now(cmos));
	if (cmos->index == RTC_A)
		return cmos_read_a(cmos);
	if (cmos->index == RTC_C)
		return cmos_read_c(cmos);
	return cmos->ram[cmos->index];
}

static void cmos_write_time(struct cmos *cmos, u8 val)
{
	if (!(cmos->ram[RTC_B] & B_SET))
		cmos_store_time(cmos, cmos_now(cmos));
	cmos->ram[cmos->index] = val;
	if (!(cmos->ram[RTC_B] & B_SET))
		cmos_load_time(cmos);
}

static void cmos_write_b(struct cmos *cmos, u8 val)
{
	u8 before = cmos->ram[RTC_B];

	if (!(before & B_SET) && (val & B_SET))
		cmos_store_time(cmos, cmos_now(cmos));
	if (val & B_SET)
		val &= ~B_UPDATE;	/* setting the clock ends update interrupts */
	cmos->ram[RTC_B] = val;
	if ((before & B_SET) && !(val & B_SET))
		cmos_load_time(cmos);
}

static void cmos_write_register(struct cmos *cmos, u8 val)
{
	switch (cmos->index) {
	case RTC_A:
		cmos->ram[RTC_A] = val & ~A_UPDATING;
		break;
	case RTC_B:
		cmos_write_b(cmos, val);
		break;
	case RTC_C:
	case RTC_D:
		break;
	default:
		if (is_time(cmos->index))
			cmos_write_time(cmos, val);
		else
			cmos->ram[cmos->index] = val;
	}
}

static void cmos_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct cmos *cmos = dev;

	if (off == 0) {
		cmos->index = val & 0x7f;	/* bit 7 masks NMI: there is none */
		return;
	}
	cmos_catch_up(cmos);
	cmos_write_register(cmos, val);
	cmos_catch_up(cmos);
	cmos_rearm(cmos);
}

static void cmos_put16(struct cmos *cmos, u8 index, u64 val)
{
	val = min_u64(val, 0xffff);
	cmos->ram[index] = val;
	cmos->ram[index + 1] = val >> 8;
}

/* memory sizes where firmware leaves them for systems that look here */
static void cmos_store_memory(struct cmos *cmos, const struct memory *mem)
{
	u64 above_16m = mem->low > 16 * MIB ? mem->low - 16 * MIB : 0;
	u64 chunks = mem->high / (64 * KIB);

	cmos_put16(cmos, 0x15, MEM_EBDA / KIB);
	cmos_put16(cmos, 0x17, (mem->low - MEM_HIGH) / KIB);
	cmos_put16(cmos, 0x30, (mem->low - MEM_HIGH) / KIB);
	cmos_put16(cmos, 0x34, above_16m / (64 * KIB));
	cmos_put16(cmos, 0x5b, chunks & 0xffff);
	cmos->ram[0x5d] = chunks >> 16;
}

static const struct bus_ops cmos_ops = { cmos_read, cmos_write, 1, "cmos" };

/**
 * cmos_init - build the clock and put it on the bus
 * @cmos:	out
 * @ports:	port bus
 * @timers:	machine's timers
 * @irq:	IRQ 8
 * @mem:	its size is told in the CMOS memory
 *
 * Return: 0, or -1 when the ports are taken.
 */
int cmos_init(struct cmos *cmos, struct bus *ports, struct timer_queue *timers,
	      struct irq irq, const struct memory *mem)
{
	memset(cmos, 0, sizeof(*cmos));
	cmos->irq = irq;
	cmos->timers = timers;
	cmos->event.fire = cmos_event;
	cmos->ram[RTC_A] = 0x26;	/* 32768 Hz crystal, 1024 Hz square wave */
	cmos->ram[RTC_B] = B_24H;
	cmos->ram[RTC_D] = D_VALID;
	cmos_store_memory(cmos, mem);
	cmos->seen = cmos_now(cmos);
	return bus_add(ports, 0x70, 2, &cmos_ops, cmos);
}
