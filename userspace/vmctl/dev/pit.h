/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_PIT_H
#define VMCTL_PIT_H

#include "../timer.h"
#include "bus.h"
#include "irq.h"

#define PIT_HZ		1193182ull

/**
 * struct pit_counter - one of the three counters of an 8254
 * @mode:	0 to 5
 * @access:	bytes that reads and writes move: 1 low, 2 high, 3 both
 * @bcd:	counts in decimal
 * @gate:	level of the gate input
 * @loaded:	a whole count was written since the control word
 * @high_next:	@access 3: the next write is the high byte
 * @read_high:	@access 3: the next read is the high byte
 * @low:	@access 3: low byte written first
 * @count:	initial count, 1 to 0x10000
 * @start:	PIT tick at which the count began; while a low gate stops it,
 *		the number of ticks that had passed instead
 * @stopped:	a low gate stops the count
 * @latched:	bytes of @latch that are still to be read: as @access
 * @latch:	count held by the latch command
 * @status_latched: @status waits to be read
 * @status:	held by the read-back command
 */
struct pit_counter {
	u8 mode, access;
	bool bcd, gate, loaded, high_next, read_high;
	u8 low;
	u32 count;
	u64 start;
	bool stopped;
	u8 latched;
	u16 latch;
	bool status_latched;
	u8 status;
};

/**
 * struct pit - 8254 timer and the port that gates the speaker
 * @counter:	0 drives IRQ 0, 2 the speaker
 * @irq:	IRQ 0
 * @timers:	machine's timers
 * @edge:	fires at counter 0's next rising edge
 * @epoch:	clock_now() at power-on, tick 0
 * @port61:	what was written to the speaker port
 */
struct pit {
	struct pit_counter counter[3];
	struct irq irq;
	struct timer_queue *timers;
	struct timer edge;
	u64 epoch;
	u8 port61;
};

int pit_init(struct pit *pit, struct bus *ports, struct timer_queue *timers,
	     struct irq irq);

#endif
