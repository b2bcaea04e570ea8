// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fixed hardware of ACPI (ACPI 6.4, chapter 4.8): PM1 registers with power-off,
 * the power management timer, and the reset register.
 *
 * The machine has no legacy mode: it is in ACPI mode from the start.  The one event
 * there is comes from the timer; no system enables its interrupt, so the status bit
 * is worked out when it is read and no host timer waits for it.
 */
#include <string.h>

#include "../clock.h"
#include "acpi_pm.h"

#define PM_TIMER_HZ		3579545ull
#define PM_TIMER_TOP		31	/* the status bit follows this bit */

#define PM1_TIMER		BIT(0)	/* status and enable */
#define PM1_SCI_ENABLED		BIT(0)	/* control */
#define PM1_SLEEP_TYPE(val)	((val) >> 10 & 7)
#define PM1_SLEEP		BIT(13)

#define RESET_CPU		BIT(2)	/* of the reset register */

static u64 pm_ticks(const struct acpi_pm *pm)
{
	return clock_scale(clock_now() - pm->epoch, PM_TIMER_HZ, NSEC_PER_SEC);
}

static void pm_update(struct acpi_pm *pm)
{
	u64 now = pm_ticks(pm);

	if (now >> PM_TIMER_TOP != pm->seen >> PM_TIMER_TOP)
		pm->status |= PM1_TIMER;
	pm->seen = now;
	irq_set(&pm->sci, pm->status & pm->enable & PM1_TIMER);
}

static u64 pm_event_read(void *dev, u64 off, unsigned int size)
{
	struct acpi_pm *pm = dev;
	u32 both;

	pm_update(pm);
	both = pm->status | (u32)pm->enable << 16;
	return both >> (8 * off);
}

/* @off and @size fall within the two registers: the bus sees to that */
static void pm_event_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct acpi_pm *pm = dev;
	u32 mask = (size == 4 ? 0 : 1u << (8 * size)) - 1;
	u32 enable = (u32)pm->enable << 16;

	pm_update(pm);
	val <<= 8 * off;
	mask <<= 8 * off;
	pm->status &= ~val;	/* writing 1 clears */
	pm->enable = ((enable & ~mask) | (val & mask)) >> 16;
	pm_update(pm);
}

static u64 pm_control_read(void *dev, u64 off, unsigned int size)
{
	struct acpi_pm *pm = dev;

	return (pm->control | PM1_SCI_ENABLED) >> (8 * off);
}

static void pm_control_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct acpi_pm *pm = dev;
	u16 control = val;

	if (size == 1)
		control = off ? (pm->control & 0xff) | val << 8 :
				(pm->control & 0xff00) | val;
	pm->control = control & ~PM1_SLEEP;
	if ((control & PM1_SLEEP) && PM1_SLEEP_TYPE(control) == ACPI_S5_TYPE)
		power_end(pm->power, END_POWEROFF, 0);
}

static u64 pm_timer_read(void *dev, u64 off, unsigned int size)
{
	return (u32)pm_ticks(dev) >> (8 * off);
}

static void pm_timer_write(void *dev, u64 off, u64 val, unsigned int size)
{
}

static u64 reset_read(void *dev, u64 off, unsigned int size)
{
	return 0;
}

static void reset_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct acpi_pm *pm = dev;

	if (val & RESET_CPU)
		power_end(pm->power, END_RESET, 0);
}

static const struct bus_ops event_ops = { pm_event_read, pm_event_write, 4, "acpi-event" };
static const struct bus_ops control_ops = { pm_control_read, pm_control_write, 2, "acpi-control" };
static const struct bus_ops timer_ops = { pm_timer_read, pm_timer_write, 4, "acpi-timer" };
static const struct bus_ops reset_ops = { reset_read, reset_write, 1, "reset" };

/**
 * acpi_pm_init - build the registers and put them on the bus
 * @pm:		out
 * @ports:	port bus
 * @sci:	system control interrupt
 * @power:	told of power-off and reset
 *
 * Return: 0, or -1 when the ports are taken.
 */
int acpi_pm_init(struct acpi_pm *pm, struct bus *ports, struct irq sci,
		 struct power *power)
{
	memset(pm, 0, sizeof(*pm));
	pm->power = power;
	pm->sci = sci;
	pm->epoch = clock_now();
	if (bus_add(ports, ACPI_PM1_EVENT, 4, &event_ops, pm) ||
	    bus_add(ports, ACPI_PM1_CONTROL, 2, &control_ops, pm) ||
	    bus_add(ports, ACPI_PM_TIMER, 4, &timer_ops, pm) ||
	    bus_add(ports, ACPI_RESET, 1, &reset_ops, pm))
		return -1;
	return 0;
}
