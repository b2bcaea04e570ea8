// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pair of 8259A interrupt controllers of a PC, with the edge/level registers.
 *
 * Intel 8259A datasheet, order number 231468.  Every change of state ends in
 * pic_update(), which works out the output anew: there is no other path by which
 * an interrupt could get lost.
 *
 * The output goes to the CPU in user space, which asks pic_intr() and calls
 * pic_ack() in one step under the device lock; so the spurious interrupt of a
 * line that falls before it is acknowledged cannot happen on that side.
 */
#include <string.h>

#include "pic.h"

#define CASCADE		2		/* input of the first chip */

#define ICW1		BIT(4)		/* even port */
#define ICW1_ICW4	BIT(0)
#define ICW1_SINGLE	BIT(1)
#define ICW4_AUTO_EOI	BIT(1)
#define ICW4_NESTED	BIT(4)
#define OCW3		BIT(3)		/* even port */
#define OCW3_READ	BIT(1)
#define OCW3_READ_ISR	BIT(0)
#define OCW3_POLL	BIT(2)
#define OCW3_MASK_SET	BIT(6)
#define OCW3_MASK_MODE	BIT(5)
#define POLL_REQUEST	BIT(7)

/* priority of @bits' best input: 0 the highest, 8 for none */
static unsigned int chip_priority(const struct pic_chip *chip, u8 bits)
{
	unsigned int prio = 0;

	while (prio < 8 && !(bits & BIT((chip->lowest + 1 + prio) & 7)))
		prio++;
	return prio;
}

static unsigned int chip_input(const struct pic_chip *chip, unsigned int prio)
{
	return (chip->lowest + 1 + prio) & 7;
}

/* the input that wants service and may have it; -1 for none */
static int chip_pending(const struct pic_chip *chip)
{
	unsigned int request, busy;
	u8 isr = chip->isr;

	if (chip->icw)
		return -1;
	/* special mask mode: what is masked in service blocks nobody */
	if (chip->special_mask)
		isr &= ~chip->imr;
	/* special fully nested: the second chip may interrupt itself */
	if (chip->nested && !chip->slave)
		isr &= ~BIT(CASCADE);
	request = chip_priority(chip, chip->irr & ~chip->imr);
	busy = chip_priority(chip, isr);
	return request < busy ? (int)chip_input(chip, request) : -1;
}

static void chip_set_line(struct pic_chip *chip, unsigned int input, bool high)
{
	u8 bit = BIT(input);
	bool was = chip->lines & bit;

	chip->lines = high ? chip->lines | bit : chip->lines & ~bit;
	if (!high)
		chip->irr &= ~bit;
	else if (!was || (chip->elcr & bit))
		chip->irr |= bit;
}

static void pic_update(struct pic *pic)
{
	bool was = pic->intr;

	chip_set_line(&pic->chip[0], CASCADE, chip_pending(&pic->chip[1]) >= 0);
	pic->intr = chip_pending(&pic->chip[0]) >= 0;
	if (pic->intr && !was && pic->raised)
		pic->raised(pic->owner);
}

static void pic_set(void *controller, unsigned int line, bool high)
{
	struct pic *pic = controller;

	chip_set_line(&pic->chip[line >> 3], line & 7, high);
	pic_update(pic);
}

/**
 * pic_irq - an input of the pair
 * @pic:	the pair
 * @line:	0 to 15, not the cascade (2)
 *
 * Return: the line for a device to drive.
 */
struct irq pic_irq(struct pic *pic, unsigned int line)
{
	return (struct irq){ pic_set, pic, line };
}

/**
 * pic_set_level - make an input level-triggered, as firmware does for those of PCI
 * @pic:	the pair
 * @line:	one that may be
 */
void pic_set_level(struct pic *pic, unsigned int line)
{
	struct pic_chip *chip = &pic->chip[line >> 3];

	chip->elcr |= BIT(line & 7) & chip->elcr_mask;
}

/**
 * pic_intr - is there an interrupt for the CPU
 * @pic:	the pair
 *
 * Return: level of the output.
 */
bool pic_intr(const struct pic *pic)
{
	return pic->intr;
}

/* ends the service of @input; @rotate makes it the lowest in priority */
static void chip_eoi(struct pic_chip *chip, unsigned int input, bool rotate)
{
	chip->isr &= ~BIT(input);
	if (rotate)
		chip->lowest = input;
}

/* the CPU takes the best request; 7 when it went away */
static unsigned int chip_ack(struct pic_chip *chip)
{
	int input = chip_pending(chip);

	if (input < 0)
		return 7;
	if (!(chip->elcr & BIT(input)))
		chip->irr &= ~BIT(input);
	if (chip->auto_eoi) {
		if (chip->rotate_aeoi)
			chip->lowest = input;
	} else {
		chip->isr |= BIT(input);
	}
	return input;
}

/**
 * pic_ack - the CPU takes an interrupt
 * @pic:	the pair
 *
 * Return: its vector; that of a spurious interrupt when there is none.
 */
u8 pic_ack(struct pic *pic)
{
	unsigned int chip = 0, input = chip_ack(&pic->chip[0]);

	if (input == CASCADE) {
		chip = 1;
		input = chip_ack(&pic->chip[1]);
	}
	/* the cascade is a level inside: another request keeps it up */
	pic->chip[0].lines &= ~BIT(CASCADE);
	pic_update(pic);
	return pic->chip[chip].base | input;
}

static void chip_icw1(struct pic_chip *chip, u8 val)
{
	chip->imr = 0;
	chip->isr = 0;
	/* edges seen before are forgotten, levels stay */
	chip->irr = chip->lines & chip->elcr;
	chip->lowest = 7;
	chip->special_mask = false;
	chip->read_isr = false;
	chip->poll = false;
	chip->auto_eoi = false;
	chip->rotate_aeoi = false;
	chip->nested = false;
	chip->wants_icw4 = val & ICW1_ICW4;
	chip->single = val & ICW1_SINGLE;
	chip->icw = 2;
}

static void chip_ocw2(struct pic_chip *chip, u8 val)
{
	unsigned int best = chip_priority(chip, chip->isr);
	bool rotate = val & BIT(7);

	switch (val >> 5) {
	case 1:		/* end of interrupt, not specific */
	case 5:
		if (best < 8)
			chip_eoi(chip, chip_input(chip, best), rotate);
		break;
	case 3:		/* specific */
	case 7:
		chip_eoi(chip, val & 7, rotate);
		break;
	case 6:
		chip->lowest = val & 7;
		break;
	case 0:
	case 4:
		chip->rotate_aeoi = rotate;
		break;
	}
}

static void chip_ocw3(struct pic_chip *chip, u8 val)
{
	chip->poll = val & OCW3_POLL;
	if (val & OCW3_READ)
		chip->read_isr = val & OCW3_READ_ISR;
	if (val & OCW3_MASK_SET)
		chip->special_mask = val & OCW3_MASK_MODE;
}

static void chip_write_odd(struct pic_chip *chip, u8 val)
{
	switch (chip->icw) {
	case 0:
		chip->imr = val;
		break;
	case 2:
		chip->base = val & 0xf8;
		chip->icw = !chip->single ? 3 : chip->wants_icw4 ? 4 : 0;
		break;
	case 3:		/* the wiring of a PC is fixed */
		chip->icw = chip->wants_icw4 ? 4 : 0;
		break;
	case 4:
		chip->auto_eoi = val & ICW4_AUTO_EOI;
		chip->nested = val & ICW4_NESTED;
		chip->icw = 0;
		break;
	}
}

static struct pic_chip *pic_chip(struct pic *pic, u64 port)
{
	return &pic->chip[port & 0x80 ? 1 : 0];
}

static void pic_write(struct pic *pic, u64 port, u8 val)
{
	struct pic_chip *chip = pic_chip(pic, port);

	if (port & 1)
		chip_write_odd(chip, val);
	else if (val & ICW1)
		chip_icw1(chip, val);
	else if (val & OCW3)
		chip_ocw3(chip, val);
	else
		chip_ocw2(chip, val);
	pic_update(pic);
}

static u8 pic_read(struct pic *pic, u64 port)
{
	struct pic_chip *chip = pic_chip(pic, port);
	int input;

	if (chip->poll) {
		chip->poll = false;
		input = chip_pending(chip);
		if (input < 0)
			return 0;
		chip_ack(chip);
		pic_update(pic);
		return POLL_REQUEST | input;
	}
	if (port & 1)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

/* the ranges are ports 0x20, 0xa0 and 0x4d0, two each; dev tells the first two */

static u64 pic_master_read(void *dev, u64 off, unsigned int size)
{
	return pic_read(dev, off);
}

static void pic_master_write(void *dev, u64 off, u64 val, unsigned int size)
{
	pic_write(dev, off, val);
}

static u64 pic_slave_read(void *dev, u64 off, unsigned int size)
{
	return pic_read(dev, 0x80 | off);
}

static void pic_slave_write(void *dev, u64 off, u64 val, unsigned int size)
{
	pic_write(dev, 0x80 | off, val);
}

static u64 elcr_read(void *dev, u64 off, unsigned int size)
{
	struct pic *pic = dev;

	return pic->chip[off].elcr;
}

static void elcr_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct pic *pic = dev;
	struct pic_chip *chip = &pic->chip[off];

	chip->elcr = val & chip->elcr_mask;
	chip->irr |= chip->lines & chip->elcr;
	pic_update(pic);
}

static const struct bus_ops pic_master_ops = { pic_master_read, pic_master_write, 1, "pic1" };
static const struct bus_ops pic_slave_ops = { pic_slave_read, pic_slave_write, 1, "pic2" };
static const struct bus_ops elcr_ops = { elcr_read, elcr_write, 1, "elcr" };

/**
 * pic_init - build the pair and put it on the bus
 * @pic:	out
 * @ports:	port bus
 * @raised:	called under the device lock when there is an interrupt for the CPU
 *		and there was none before
 * @owner:	passed to @raised
 *
 * Return: 0, or -1 when the ports are taken.
 */
int pic_init(struct pic *pic, struct bus *ports, void (*raised)(void *owner),
	     void *owner)
{
	memset(pic, 0, sizeof(*pic));
	pic->raised = raised;
	pic->owner = owner;
	pic->chip[0].lowest = 7;
	pic->chip[1].lowest = 7;
	pic->chip[1].slave = true;
	/* IRQ 0, 1, 2, 8 and 13 are edges on every PC */
	pic->chip[0].elcr_mask = 0xf8;
	pic->chip[1].elcr_mask = 0xde;
	/* silent until initialised, as the firmware would leave it */
	pic->chip[0].imr = 0xff;
	pic->chip[1].imr = 0xff;
	if (bus_add(ports, 0x20, 2, &pic_master_ops, pic) ||
	    bus_add(ports, 0xa0, 2, &pic_slave_ops, pic) ||
	    bus_add(ports, 0x4d0, 2, &elcr_ops, pic))
		return -1;
	return 0;
}
