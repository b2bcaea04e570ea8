// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers of the devices: one queue sorted by deadline, under the device lock.
 *
 * A machine has a handful of timers, so a sorted list is both the simplest and
 * the fastest structure.
 */
#include "timer.h"

static void timer_unlink(struct timer_queue *queue, struct timer *timer)
{
	struct timer **link = &queue->head;

	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
	timer->armed = false;
}

static void timer_insert(struct timer_queue *queue, struct timer *timer)
{
	struct timer **link = &queue->head;

	while (*link && (*link)->deadline <= timer->deadline)
		link = &(*link)->next;
	timer->next = *link;
	*link = timer;
	timer->armed = true;
}

static void timer_tell(struct timer_queue *queue, u64 before)
{
	if (queue->changed && timer_next(queue) != before)
		queue->changed(queue);
}

/**
 * timer_arm - make a timer fire at a time
 * @queue:	the machine's timers
 * @timer:	with @fire set; may be armed already, then it is moved
 * @deadline:	clock_now() value; one that has passed fires at the next chance
 */
void timer_arm(struct timer_queue *queue, struct timer *timer, u64 deadline)
{
	u64 before = timer_next(queue);

	if (timer->armed)
		timer_unlink(queue, timer);
	timer->deadline = deadline;
	timer_insert(queue, timer);
	timer_tell(queue, before);
}

/**
 * timer_cancel - make sure that a timer does not fire
 * @queue:	the machine's timers
 * @timer:	armed or not
 */
void timer_cancel(struct timer_queue *queue, struct timer *timer)
{
	u64 before = timer_next(queue);

	if (!timer->armed)
		return;
	timer_unlink(queue, timer);
	timer_tell(queue, before);
}

/**
 * timer_next - when the queue wants attention
 * @queue:	the machine's timers
 *
 * Return: the earliest deadline, TIMER_NEVER when none is armed.
 */
u64 timer_next(const struct timer_queue *queue)
{
	return queue->head ? queue->head->deadline : TIMER_NEVER;
}

/**
 * timer_run - fire what is due
 * @queue:	the machine's timers
 * @now:	the present; timers that a callback arms for no later than this
 *		fire too
 */
void timer_run(struct timer_queue *queue, u64 now)
{
	struct timer *timer;

	while (queue->head && queue->head->deadline <= now) {
		timer = queue->head;
		timer_unlink(queue, timer);
		timer->fire(timer);
	}
	if (queue->changed)
		queue->changed(queue);
}
