/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_EVLOOP_H
#define VMCTL_EVLOOP_H

#include <poll.h>
#include <pthread.h>

#include "timer.h"

#define EVLOOP_MAX	32	/* watches */
#define EVLOOP_POLLED	512	/* descriptors of pollers */

/**
 * struct evloop_watch - a file descriptor the loop looks after
 * @fd:		descriptor
 * @events:	what to wait for: POLLIN, POLLOUT or 0; may change at any time under
 *		the device lock (evloop_wake() from other threads)
 * @ready:	called with the device lock held
 */
struct evloop_watch {
	int fd;
	short events;
	void (*ready)(struct evloop_watch *watch);
};

/* descriptors to sleep on */
struct evloop_set {
	struct pollfd fd[2 + EVLOOP_MAX + EVLOOP_POLLED];
	unsigned int nr;
};

/**
 * struct evloop_poller - a library with descriptors of its own
 * @collect:	called before each sleep: evloop_poll() what to sleep on
 * @polled:	called after each sleep, with the descriptors by the numbers that
 *		evloop_poll() gave
 * @next:	another one
 *
 * Both are called with the device lock held.
 */
struct evloop_poller {
	void (*collect)(struct evloop_poller *poller, struct evloop_set *set);
	void (*polled)(struct evloop_poller *poller, const struct pollfd *fds);
	struct evloop_poller *next;
};

/**
 * struct evloop - what the main thread does while vCPU threads run the guest
 * @lock:	the device lock
 * @timers:	timers of the devices
 * @timer_fd:	goes off at their earliest deadline
 * @wake_fd:	eventfd: makes the loop look at everything again
 * @watch:	descriptors
 * @nr:		how many
 * @pollers:	called around each sleep
 *
 * All but @wake_fd is under @lock.
 */
struct evloop {
	pthread_mutex_t *lock;
	struct timer_queue timers;
	int timer_fd, wake_fd;
	struct evloop_watch *watch[EVLOOP_MAX];
	unsigned int nr;
	struct evloop_poller *pollers;
};

int evloop_init(struct evloop *loop, pthread_mutex_t *lock);
void evloop_destroy(struct evloop *loop);
int evloop_add(struct evloop *loop, struct evloop_watch *watch);
void evloop_remove(struct evloop *loop, struct evloop_watch *watch);
void evloop_add_poller(struct evloop *loop, struct evloop_poller *poller);
void evloop_remove_poller(struct evloop *loop, struct evloop_poller *poller);
int evloop_poll(struct evloop_set *set, int fd, short events);
void evloop_wake(struct evloop *loop);
int evloop_once(struct evloop *loop);

#endif
