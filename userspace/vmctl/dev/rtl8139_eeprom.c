// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 93C46 serial EEPROM: 64 words of 16 bits over four wires.
 *
 * On each rising edge of the clock while it is selected it takes a bit: a start bit (1),
 * two of the command, six of the address, and for writes sixteen of data.  It answers a
 * read with a 0 and then the word, highest bit first, and the words after it.  Writing
 * takes no time here, so that the output says ready whenever it says anything else.
 */
#include <string.h>

#include "rtl8139_impl.h"

#define COMMAND_BITS	8	/* after the start bit */
#define DATA_BITS	16

enum { EE_EXTENDED, EE_WRITE, EE_READ, EE_ERASE };	/* commands */
enum { EE_DISABLE, EE_WRITE_ALL, EE_ERASE_ALL, EE_ENABLE };	/* extended: address bits 5:4 */

/**
 * rtl_eeprom_init - program the memory as the board's maker did
 * @eeprom:	out
 * @mac:	address of the device
 */
void rtl_eeprom_init(struct rtl_eeprom *eeprom, const u8 mac[6])
{
	unsigned int i;

	memset(eeprom, 0, sizeof(*eeprom));
	eeprom->out = true;
	eeprom->word[0] = 0x8129;	/* it holds something */
	eeprom->word[1] = 0x10ec;	/* IDs, twice: own, and subsystem */
	eeprom->word[2] = 0x8139;
	eeprom->word[3] = 0x10ec;
	eeprom->word[4] = 0x8139;
	for (i = 0; i < 3; i++)
		eeprom->word[7 + i] = mac[2 * i] | mac[2 * i + 1] << 8;
}

static void eeprom_fill(struct rtl_eeprom *eeprom, u16 val)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(eeprom->word); i++)
		eeprom->word[i] = val;
}

/* a command without data is complete */
static void eeprom_command(struct rtl_eeprom *eeprom, unsigned int command, unsigned int addr)
{
	if (command == EE_READ) {
		eeprom->reading = true;
		eeprom->out = false;
	} else if (command == EE_ERASE && eeprom->writable) {
		eeprom->word[addr] = 0xffff;
	} else if (command == EE_EXTENDED && addr >> 4 == EE_ERASE_ALL && eeprom->writable) {
		eeprom_fill(eeprom, 0xffff);
	} else if (command == EE_EXTENDED && addr >> 4 == EE_ENABLE) {
		eeprom->writable = true;
	} else if (command == EE_EXTENDED && addr >> 4 == EE_DISABLE) {
		eeprom->writable = false;
	}
}

/* a command and sixteen bits of data are complete */
static void eeprom_store(struct rtl_eeprom *eeprom)
{
	unsigned int command = eeprom->shift >> (DATA_BITS + 6) & 3;
	unsigned int addr = eeprom->shift >> DATA_BITS & 63;

	if (!eeprom->writable)
		return;
	if (command == EE_WRITE)
		eeprom->word[addr] = eeprom->shift;
	else if (command == EE_EXTENDED && addr >> 4 == EE_WRITE_ALL)
		eeprom_fill(eeprom, eeprom->shift);
}

/* the next bit of what is read; @bits counts on from the command's end */
static void eeprom_read_bit(struct rtl_eeprom *eeprom)
{
	unsigned int at = eeprom->bits - COMMAND_BITS - 1;
	unsigned int addr = (eeprom->shift & 63) + at / DATA_BITS;

	eeprom->out = eeprom->word[addr % 64] >> (DATA_BITS - 1 - at % DATA_BITS) & 1;
}

static void eeprom_clock(struct rtl_eeprom *eeprom, bool in)
{
	if (!eeprom->bits) {
		/* the start bit counts as the first one */
		eeprom->bits = in;
		eeprom->shift = 0;
		return;
	}
	if (eeprom->reading) {
		eeprom_read_bit(eeprom);
		/* the words come round again */
		if (++eeprom->bits > COMMAND_BITS + 64 * DATA_BITS)
			eeprom->bits = COMMAND_BITS + 1;
		return;
	}
	if (eeprom->bits > COMMAND_BITS + DATA_BITS)
		return;
	eeprom->shift = eeprom->shift << 1 | in;
	if (eeprom->bits == COMMAND_BITS)
		eeprom_command(eeprom, eeprom->shift >> 6 & 3, eeprom->shift & 63);
	else if (eeprom->bits == COMMAND_BITS + DATA_BITS)
		eeprom_store(eeprom);
	eeprom->bits++;
}

/**
 * rtl_eeprom_set - drive the inputs
 * @eeprom:	the memory
 * @select: @clock: @in:	its pins CS, SK and DI
 *
 * Afterwards @eeprom->out is the level of its output.
 */
void rtl_eeprom_set(struct rtl_eeprom *eeprom, bool select, bool clock, bool in)
{
	bool edge = clock && !eeprom->clock;

	if (!select || !eeprom->select) {
		eeprom->bits = 0;
		eeprom->reading = false;
		eeprom->out = true;
	}
	if (select && edge)
		eeprom_clock(eeprom, in);
	eeprom->select = select;
	eeprom->clock = clock;
}
