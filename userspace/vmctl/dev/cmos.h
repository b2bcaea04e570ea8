/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_CMOS_H
#define VMCTL_CMOS_H

#include "../memory.h"
#include "../timer.h"
#include "bus.h"
#include "irq.h"

#define CMOS_CENTURY	0x32
#define CMOS_IRQ	8

/**
 * struct cmos - MC146818 clock and its battery-backed memory
 * @index:	register that port 0x71 is about
 * @ram:	all 128 registers; the time of day only while the guest sets it
 * @offset:	guest's time of day less UTC, nanoseconds
 * @seen:	guest's time up to which flags C hold
 * @irq:	IRQ 8
 * @timers:	machine's timers
 * @event:	fires when an enabled interrupt may be due
 */
struct cmos {
	u8 index;
	u8 ram[128];
	s64 offset;
	u64 seen;
	struct irq irq;
	struct timer_queue *timers;
	struct timer event;
};

int cmos_init(struct cmos *cmos, struct bus *ports, struct timer_queue *timers,
	      struct irq irq, const struct memory *mem);

#endif
