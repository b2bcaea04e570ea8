/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_TIMER_H
#define VMCTL_TIMER_H

#include "types.h"

#define TIMER_NEVER	UINT64_MAX

/**
 * struct timer - a callback at a point in time; embed it in the device
 * @fire:	called with the device lock held, once per timer_arm()
 * @deadline:	clock_now() value at which it is due
 * @next:	next in order of deadline; valid while @armed
 * @armed:	is in a queue
 */
struct timer {
	void (*fire)(struct timer *timer);
	u64 deadline;
	struct timer *next;
	bool armed;
};

/**
 * struct timer_queue - armed timers, the earliest first
 * @head:	the earliest
 * @changed:	called when the earliest deadline is another one than before
 */
struct timer_queue {
	struct timer *head;
	void (*changed)(struct timer_queue *queue);
};

void timer_arm(struct timer_queue *queue, struct timer *timer, u64 deadline);
void timer_cancel(struct timer_queue *queue, struct timer *timer);
u64 timer_next(const struct timer_queue *queue);
void timer_run(struct timer_queue *queue, u64 now);

#endif
