/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_IRQ_H
#define VMCTL_IRQ_H

#include "../types.h"

/**
 * struct irq - an interrupt line, as a device sees it
 * @set:	drive line @line of the controller high or low
 * @controller:	passed to @set
 * @line:	number of the line
 */
struct irq {
	void (*set)(void *controller, unsigned int line, bool high);
	void *controller;
	unsigned int line;
};

static inline void irq_set(const struct irq *irq, bool high)
{
	irq->set(irq->controller, irq->line, high);
}

/* a new edge, whatever the line was; it stays high */
static inline void irq_pulse(const struct irq *irq)
{
	irq_set(irq, false);
	irq_set(irq, true);
}

#endif
