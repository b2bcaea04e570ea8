// SPDX-License-Identifier: GPL-2.0-only
/*
 * The debug-exit port: a test kernel writes its result there and is gone.
 */
#include "debugexit.h"

static u64 debugexit_read(void *dev, u64 off, unsigned int size)
{
	return 0;
}

static void debugexit_write(void *dev, u64 off, u64 val, unsigned int size)
{
	if (off == 0)
		power_end(dev, END_DEBUG_EXIT, val);
}

static const struct bus_ops debugexit_ops = { debugexit_read, debugexit_write, 4, "debugexit" };

/**
 * debugexit_init - put the port on the bus
 * @ports:	port bus
 * @power:	told of the value written
 *
 * Return: 0, or -1 when the port is taken.
 */
int debugexit_init(struct bus *ports, struct power *power)
{
	/* as wide as the widest write, so that a value arrives in one piece */
	return bus_add(ports, DEBUG_EXIT_PORT, 4, &debugexit_ops, power);
}
