// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pvpanic port: the guest tells that it panicked.  Reads give the events that
 * the device knows; a guest that goes on into its crash kernel says so with the
 * second one and is left alone.
 */
#include "pvpanic.h"

#define PVPANIC_PANICKED	BIT(0)
#define PVPANIC_CRASH_LOADED	BIT(1)

static u64 pvpanic_read(void *dev, u64 off, unsigned int size)
{
	return PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

static void pvpanic_write(void *dev, u64 off, u64 val, unsigned int size)
{
	if (val & PVPANIC_PANICKED)
		power_end(dev, END_PANIC, 0);
}

static const struct bus_ops pvpanic_ops = { pvpanic_read, pvpanic_write, 1, "pvpanic" };

/**
 * pvpanic_init - put the port on the bus
 * @ports:	port bus
 * @power:	told of a panic
 *
 * Return: 0, or -1 when the port is taken.
 */
int pvpanic_init(struct bus *ports, struct power *power)
{
	return bus_add(ports, PVPANIC_PORT, 1, &pvpanic_ops, power);
}
