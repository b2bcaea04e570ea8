// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event loop of the main thread: descriptors, timers and wake-ups by other threads.
 *
 * It sleeps without the device lock and calls everything with it.  What the loop waits
 * for is read under the lock before each sleep; a thread that changes it later calls
 * evloop_wake(), whose eventfd stays readable until the loop has seen it.  The timer
 * descriptor needs no wake-up: setting it acts on a poll that is under way.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "evloop.h"
#include "msg.h"

static void evloop_set_timer(struct timer_queue *timers)
{
	struct evloop *loop = container_of(timers, struct evloop, timers);
	u64 next = timer_next(timers);
	struct itimerspec when = { 0 };

	if (next != TIMER_NEVER) {
		/* the value 0 would disarm; 1 ns after boot is long past */
		next = max_u64(next, 1);
		when.it_value.tv_sec = next / NSEC_PER_SEC;
		when.it_value.tv_nsec = next % NSEC_PER_SEC;
	}
	timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/**
 * evloop_init - build the loop
 * @loop:	out
 * @lock:	the device lock
 *
 * Return: 0, or -1 with a message.
 */
int evloop_init(struct evloop *loop, pthread_mutex_t *lock)
{
	memset(loop, 0, sizeof(*loop));
	loop->lock = lock;
	loop->timers.changed = evloop_set_timer;
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->timer_fd < 0 || loop->wake_fd < 0)
		return fail("cannot make an event loop: %s", strerror(errno));
	return 0;
}

/**
 * evloop_destroy - close what the loop opened
 * @loop:	from evloop_init(), also a failed one
 */
void evloop_destroy(struct evloop *loop)
{
	if (loop->timer_fd >= 0)
		close(loop->timer_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
}

/**
 * evloop_add - look after a descriptor
 * @loop:	the loop
 * @watch:	must stay
 *
 * Return: 0, or -1 when there are too many.
 */
int evloop_add(struct evloop *loop, struct evloop_watch *watch)
{
	if (loop->nr == EVLOOP_MAX)
		return fail("too many descriptors to watch");
	loop->watch[loop->nr++] = watch;
	return 0;
}

/**
 * evloop_remove - no longer look after a descriptor
 * @loop:	the loop; not from a @ready
 * @watch:	maybe added earlier
 */
void evloop_remove(struct evloop *loop, struct evloop_watch *watch)
{
	unsigned int i, kept = 0;

	for (i = 0; i < loop->nr; i++)
		if (loop->watch[i] != watch)
			loop->watch[kept++] = loop->watch[i];
	loop->nr = kept;
}

/**
 * evloop_add_poller - sleep on what a library wants, too
 * @loop:	the loop
 * @poller:	must stay until it is removed
 */
void evloop_add_poller(struct evloop *loop, struct evloop_poller *poller)
{
	poller->next = loop->pollers;
	loop->pollers = poller;
}

/**
 * evloop_remove_poller - forget a library
 * @loop:	the loop; not from a callback of it
 * @poller:	maybe added earlier
 */
void evloop_remove_poller(struct evloop *loop, struct evloop_poller *poller)
{
	struct evloop_poller **at;

	for (at = &loop->pollers; *at; at = &(*at)->next) {
		if (*at != poller)
			continue;
		*at = poller->next;
		break;
	}
}

/**
 * evloop_poll - sleep on a descriptor, this time
 * @set:	from the loop
 * @fd:		descriptor
 * @events:	what to wait for
 *
 * Return: its number for @polled; -1: there are too many, it has to wait for others.
 */
int evloop_poll(struct evloop_set *set, int fd, short events)
{
	if (set->nr == ARRAY_SIZE(set->fd))
		return -1;
	set->fd[set->nr] = (struct pollfd){ .fd = fd, .events = events };
	return set->nr++;
}

/**
 * evloop_wake - make the loop look again; from any thread, never lost
 * @loop:	the loop
 */
void evloop_wake(struct evloop *loop)
{
	/* can fail only when 2^64 - 2 wake-ups wait already */
	eventfd_write(loop->wake_fd, 1);
}

/* what to sleep on: first the watches, in the order of @watched; returns their end */
static unsigned int evloop_collect(const struct evloop *loop, struct evloop_set *set,
				   struct evloop_watch **watched)
{
	struct evloop_poller *poller;
	unsigned int i, nr;

	set->nr = 0;
	evloop_poll(set, loop->wake_fd, POLLIN);
	evloop_poll(set, loop->timer_fd, POLLIN);
	for (i = 0; i < loop->nr; i++) {
		struct evloop_watch *watch = loop->watch[i];

		if (watch->events)
			watched[evloop_poll(set, watch->fd, watch->events)] = watch;
	}
	nr = set->nr;
	for (poller = loop->pollers; poller; poller = poller->next)
		poller->collect(poller, set);
	return nr;
}

static void evloop_dispatch(struct evloop *loop, const struct pollfd *polled,
			    struct evloop_watch **watched, unsigned int nr)
{
	struct evloop_poller *poller;
	eventfd_t wakes;
	u64 expirations;
	unsigned int i;

	/* emptied only; the reason is found by looking at everything again */
	if (polled[0].revents)
		eventfd_read(loop->wake_fd, &wakes);
	if (polled[1].revents)
		(void)!read(loop->timer_fd, &expirations, sizeof(expirations));
	timer_run(&loop->timers, clock_now());
	for (i = 2; i < nr; i++)
		if (polled[i].revents && watched[i]->events)
			watched[i]->ready(watched[i]);
	for (poller = loop->pollers; poller; poller = poller->next)
		poller->polled(poller, polled);
}

/**
 * evloop_once - sleep until something happens, then deal with it
 * @loop:	the loop; its lock is held by the caller, and is let go meanwhile
 *
 * Return: 0, or -1 with a message.
 */
int evloop_once(struct evloop *loop)
{
	struct evloop_watch *watched[EVLOOP_MAX + 2];
	struct evloop_set set;
	unsigned int nr = evloop_collect(loop, &set, watched);
	int ready;

	pthread_mutex_unlock(loop->lock);
	ready = poll(set.fd, set.nr, -1);
	pthread_mutex_lock(loop->lock);
	if (ready < 0)
		return errno == EINTR ? 0 : fail("poll: %s", strerror(errno));
	evloop_dispatch(loop, set.fd, watched, nr);
	return 0;
}
