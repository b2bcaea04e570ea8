// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keyboard controller of a PC, for what is left of it in a machine without
 * keyboard: reset of the CPU, the A20 gate (always open) and self tests.  Also
 * system control port A (0x92), which has a reset of its own.
 */
#include <string.h>

#include "i8042.h"

#define STATUS_OUTPUT_FULL	BIT(0)
#define STATUS_SYSTEM		BIT(2)	/* self test passed */
#define STATUS_COMMAND		BIT(3)	/* the last write was a command */
#define STATUS_UNLOCKED		BIT(4)

enum {	/* commands, port 0x64 */
	CMD_READ_CONFIG		= 0x20,
	CMD_WRITE_CONFIG	= 0x60,
	CMD_TEST_AUX		= 0xa9,
	CMD_SELF_TEST		= 0xaa,
	CMD_TEST_KEYBOARD	= 0xab,
	CMD_READ_OUTPUT		= 0xd0,
	CMD_WRITE_OUTPUT	= 0xd1,
	CMD_LOOP_KEYBOARD	= 0xd2,
	CMD_PULSE		= 0xf0,	/* to 0xff: low bits pulse output lines */
};

#define OUTPUT_NO_RESET		BIT(0)	/* output port, active low */
#define OUTPUT_A20		BIT(1)

#define PORT_A_RESET		BIT(0)
#define PORT_A_A20		BIT(1)

static void kbc_answer(struct i8042 *kbc, u8 val)
{
	kbc->output = val;
	kbc->full = true;
}

static void kbc_command(struct i8042 *kbc, u8 val)
{
	kbc->command = 0;
	switch (val) {
	case CMD_READ_CONFIG:
		kbc_answer(kbc, kbc->config);
		break;
	case CMD_SELF_TEST:
		kbc_answer(kbc, 0x55);
		break;
	case CMD_TEST_KEYBOARD:
		kbc_answer(kbc, 0);
		break;
	case CMD_TEST_AUX:
		kbc_answer(kbc, 0xff);	/* no second port */
		break;
	case CMD_READ_OUTPUT:
		kbc_answer(kbc, OUTPUT_NO_RESET | OUTPUT_A20);
		break;
	case CMD_WRITE_CONFIG:
	case CMD_WRITE_OUTPUT:
	case CMD_LOOP_KEYBOARD:
		kbc->command = val;
		break;
	default:
		if (val >= CMD_PULSE && !(val & OUTPUT_NO_RESET))
			power_end(kbc->power, END_RESET, 0);
	}
}

static void kbc_data(struct i8042 *kbc, u8 val)
{
	switch (kbc->command) {
	case CMD_WRITE_CONFIG:
		kbc->config = val;
		break;
	case CMD_WRITE_OUTPUT:
		if (!(val & OUTPUT_NO_RESET))
			power_end(kbc->power, END_RESET, 0);
		break;
	case CMD_LOOP_KEYBOARD:
		kbc_answer(kbc, val);
		break;
	}
	kbc->command = 0;
}

static u64 kbc_read_data(void *dev, u64 off, unsigned int size)
{
	struct i8042 *kbc = dev;

	kbc->full = false;
	return kbc->output;
}

static void kbc_write_data(void *dev, u64 off, u64 val, unsigned int size)
{
	kbc_data(dev, val);
}

static u64 kbc_read_status(void *dev, u64 off, unsigned int size)
{
	struct i8042 *kbc = dev;

	return STATUS_SYSTEM | STATUS_UNLOCKED | (kbc->full ? STATUS_OUTPUT_FULL : 0) |
	       (kbc->command ? STATUS_COMMAND : 0);
}

static void kbc_write_command(void *dev, u64 off, u64 val, unsigned int size)
{
	kbc_command(dev, val);
}

static u64 port_a_read(void *dev, u64 off, unsigned int size)
{
	struct i8042 *kbc = dev;

	return kbc->port_a;
}

static void port_a_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct i8042 *kbc = dev;

	kbc->port_a = val & PORT_A_A20;
	if (val & PORT_A_RESET)
		power_end(kbc->power, END_RESET, 0);
}

static const struct bus_ops data_ops = { kbc_read_data, kbc_write_data, 1, "i8042" };
static const struct bus_ops command_ops = { kbc_read_status, kbc_write_command, 1, "i8042" };
static const struct bus_ops port_a_ops = { port_a_read, port_a_write, 1, "port-a" };

/**
 * i8042_init - build the controller and put it on the bus
 * @kbc:	out
 * @ports:	port bus
 * @power:	told of a reset
 *
 * Return: 0, or -1 when the ports are taken.
 */
int i8042_init(struct i8042 *kbc, struct bus *ports, struct power *power)
{
	memset(kbc, 0, sizeof(*kbc));
	kbc->power = power;
	kbc->port_a = PORT_A_A20;
	if (bus_add(ports, 0x60, 1, &data_ops, kbc) ||
	    bus_add(ports, 0x64, 1, &command_ops, kbc) ||
	    bus_add(ports, 0x92, 1, &port_a_ops, kbc))
		return -1;
	return 0;
}
