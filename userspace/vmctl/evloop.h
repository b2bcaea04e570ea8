/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_EVLOOP_H
#define VMCTL_EVLOOP_H

#include <poll.h>
#include <pthread.h>

#include "timer.h"

#define EVLOOP_MAX	32

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

/**
 * struct evloop - what the main thread does while vCPU threads run the guest
 * @lock:	the device lock
 * @timers:	timers of the devices
 * @timer_fd:	goes off at their earliest deadline
 * @wake_fd:	eventfd: makes the loop look at everything again
 * @watch:	descriptors
 * @nr:		how many
 *
 * All but @wake_fd is under @lock.
 */
struct evloop {
	pthread_mutex_t *lock;
	struct timer_queue timers;
	int timer_fd, wake_fd;
	struct evloop_watch *watch[EVLOOP_MAX];
	unsigned int nr;
};

int evloop_init(struct evloop *loop, pthread_mutex_t *lock);
void evloop_destroy(struct evloop *loop);
int evloop_add(struct evloop *loop, struct evloop_watch *watch);
void evloop_remove(struct evloop *loop, struct evloop_watch *watch);
void evloop_wake(struct evloop *loop);
int evloop_once(struct evloop *loop);

#endif
