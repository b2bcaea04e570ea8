/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_PIC_H
#define VMCTL_PIC_H

#include "bus.h"
#include "irq.h"

/**
 * struct pic_chip - one 8259A
 * @lines:	level of each input
 * @irr:	interrupts requested
 * @isr:	interrupts in service
 * @imr:	interrupts masked
 * @elcr:	inputs that are level-triggered
 * @elcr_mask:	inputs that may be
 * @base:	vector of input 0
 * @lowest:	input of the lowest priority
 * @icw:	initialisation word expected next at the odd port: 2 to 4; 0 none
 * @wants_icw4: from ICW1
 * @single:	from ICW1: no cascade, so no ICW3
 * @auto_eoi: @nested: from ICW4: automatic EOI, special fully nested mode
 * @rotate_aeoi: automatic EOI rotates the priorities
 * @special_mask: an interrupt in service blocks only itself
 * @read_isr:	the even port reads @isr instead of @irr
 * @poll:	the next read is a poll
 * @slave:	this is the second chip
 */
struct pic_chip {
	u8 lines, irr, isr, imr, elcr, elcr_mask;
	u8 base, lowest, icw;
	bool wants_icw4, single, auto_eoi, nested, rotate_aeoi;
	bool special_mask, read_isr, poll, slave;
};

/**
 * struct pic - the pair of a PC; IRQ 2 of the first takes the second
 * @chip:	first and second
 * @intr:	level of the output to the CPU
 * @raised:	called when @intr goes up
 * @owner:	passed to @raised
 */
struct pic {
	struct pic_chip chip[2];
	bool intr;
	void (*raised)(void *owner);
	void *owner;
};

int pic_init(struct pic *pic, struct bus *ports, void (*raised)(void *owner),
	     void *owner);
struct irq pic_irq(struct pic *pic, unsigned int line);
void pic_set_level(struct pic *pic, unsigned int line);
bool pic_intr(const struct pic *pic);
u8 pic_ack(struct pic *pic);

#endif
