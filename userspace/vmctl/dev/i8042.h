/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_I8042_H
#define VMCTL_I8042_H

#include "../power.h"
#include "bus.h"

/**
 * struct i8042 - keyboard controller without keyboard and mouse
 * @power:	machine's power switch
 * @config:	command byte
 * @output:	what port 0x60 reads
 * @full:	@output has not been read yet
 * @command:	command that waits for its data byte; 0 none
 * @port_a:	what port 0x92 reads
 */
struct i8042 {
	struct power *power;
	u8 config, output, command, port_a;
	bool full;
};

int i8042_init(struct i8042 *kbc, struct bus *ports, struct power *power);

#endif
