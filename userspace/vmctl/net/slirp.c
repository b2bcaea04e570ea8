// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network in user space as the far end of the cable, by libslirp: it needs no rights.
 * The guest is 10.0.2.15, the gateway and the host 10.0.2.2, the name server 10.0.2.3.
 *
 * The library polls descriptors of its own, others each time: the main loop asks it.
 */
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../msg.h"
#include "net.h"

#if __has_include(<slirp/libslirp.h>)
#include <arpa/inet.h>
#include <slirp/libslirp.h>

/**
 * struct user - a network in user space
 * @backend:	the far end of @net
 * @net:	the cable
 * @slirp:	the library's state
 * @poller:	its descriptors
 * @timeout:	the library wants to be called then
 * @set:	while the loop collects
 * @fds:	while the loop tells what is ready
 */
struct user {
	struct net_backend backend;
	struct net *net;
	Slirp *slirp;
	struct evloop_poller poller;
	struct timer timeout;
	struct evloop_set *set;
	const struct pollfd *fds;
};

/* a timer of the library */
struct user_timer {
	struct timer timer;
	SlirpTimerCb fire;
	void *opaque;
};

/* ---- what the library asks for ---------------------------------------------- */

static ssize_t user_receive(const void *frame, size_t len, void *opaque)
{
	struct user *user = opaque;

	net_receive(user->net, frame, len);
	return len;
}

/* a guest's mistakes are the guest's */
static void user_error(const char *msg, void *opaque)
{
}

static int64_t user_clock(void *opaque)
{
	return clock_now();
}

static void user_fire(struct timer *timer)
{
	struct user_timer *mine = container_of(timer, struct user_timer, timer);

	mine->fire(mine->opaque);
}

static void *user_timer_new(SlirpTimerCb fire, void *cb_opaque, void *opaque)
{
	struct user_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		abort();	/* as the library does when memory is out */
	timer->timer.fire = user_fire;
	timer->fire = fire;
	timer->opaque = cb_opaque;
	return timer;
}

static void user_timer_free(void *owner, void *opaque)
{
	struct user_timer *timer = owner;
	struct user *user = opaque;

	timer_cancel(&user->net->loop->timers, &timer->timer);
	free(timer);
}

static void user_timer_set(void *owner, int64_t ms, void *opaque)
{
	struct user_timer *timer = owner;
	struct user *user = opaque;

	timer_arm(&user->net->loop->timers, &timer->timer, ms * NSEC_PER_MSEC);
}

/* all descriptors are collected before each sleep */
static void user_fd(int fd, void *opaque)
{
}

static void user_notify(void *opaque)
{
	struct user *user = opaque;

	evloop_wake(user->net->loop);
}

static const SlirpCb user_callbacks = {
	.send_packet = user_receive,
	.guest_error = user_error,
	.clock_get_ns = user_clock,
	.timer_new = user_timer_new,
	.timer_free = user_timer_free,
	.timer_mod = user_timer_set,
	.register_poll_fd = user_fd,
	.unregister_poll_fd = user_fd,
	.notify = user_notify,
};

/* ---- the main loop ---------------------------------------------------------- */

static const struct {
	int slirp;
	short poll;
} user_events[] = {
	{ SLIRP_POLL_IN, POLLIN }, { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int user_add_poll(int fd, int events, void *opaque)
{
	struct user *user = opaque;
	short wanted = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(user_events); i++)
		if (events & user_events[i].slirp)
			wanted |= user_events[i].poll;
	return evloop_poll(user->set, fd, wanted);
}

static int user_get_events(int index, void *opaque)
{
	struct user *user = opaque;
	int events = 0;
	unsigned int i;

	for (i = 0; index >= 0 && i < ARRAY_SIZE(user_events); i++)
		if (user->fds[index].revents & user_events[i].poll)
			events |= user_events[i].slirp;
	return events;
}

static void user_collect(struct evloop_poller *poller, struct evloop_set *set)
{
	struct user *user = container_of(poller, struct user, poller);
	u32 ms = UINT32_MAX;

	user->set = set;
	slirp_pollfds_fill(user->slirp, &ms, user_add_poll, user);
	if (ms != UINT32_MAX)
		timer_arm(&user->net->loop->timers, &user->timeout,
			  clock_now() + ms * NSEC_PER_MSEC);
}

static void user_polled(struct evloop_poller *poller, const struct pollfd *fds)
{
	struct user *user = container_of(poller, struct user, poller);

	user->fds = fds;
	slirp_pollfds_poll(user->slirp, 0, user_get_events, user);
}

/* the loop woke up, and that is all there is to do */
static void user_timeout(struct timer *timer)
{
}

/* ---- the cable -------------------------------------------------------------- */

/* may open a connection, whose descriptor the loop has to learn of */
static void user_send(struct net_backend *backend, const u8 *frame, unsigned int len)
{
	struct user *user = container_of(backend, struct user, backend);

	slirp_input(user->slirp, frame, len);
	evloop_wake(user->net->loop);
}

static void user_destroy(struct net_backend *backend)
{
	struct user *user = container_of(backend, struct user, backend);

	evloop_remove_poller(user->net->loop, &user->poller);
	slirp_cleanup(user->slirp);
	timer_cancel(&user->net->loop->timers, &user->timeout);
	free(user);
}

static int user_add_forwards(struct user *user, const struct net_option *option)
{
	const struct net_forward *forward;
	char host[INET_ADDRSTRLEN];
	unsigned int i;

	for (i = 0; i < option->nr_forwards; i++) {
		struct in_addr from, to;

		forward = &option->forward[i];
		from.s_addr = forward->host_addr;
		to.s_addr = forward->guest_addr;
		if (!slirp_add_hostfwd(user->slirp, 0, from, forward->host_port, to,
				       forward->guest_port))
			continue;
		inet_ntop(AF_INET, &from, host, sizeof(host));
		return fail("--net user: hostfwd: port %u of %s is in use, or not yours",
			    forward->host_port, host);
	}
	return 0;
}

static struct in_addr user_addr(const char *text)
{
	struct in_addr addr;

	inet_aton(text, &addr);
	return addr;
}

/**
 * slirp_create - make a network in user space the far end
 * @net:	the cable
 * @option:	says which ports lead to the guest
 *
 * Return: the backend, or NULL with a message.
 */
struct net_backend *slirp_create(struct net *net, const struct net_option *option)
{
	SlirpConfig config = {
		.version = 1,
		.in_enabled = true,
		.vnetwork = user_addr("10.0.2.0"),
		.vnetmask = user_addr("255.255.255.0"),
		.vhost = user_addr("10.0.2.2"),
		.vdhcp_start = user_addr("10.0.2.15"),
		.vnameserver = user_addr("10.0.2.3"),
	};
	struct user *user = calloc(1, sizeof(*user));

	if (!user) {
		fail("out of memory");
		return NULL;
	}
	user->net = net;
	user->backend = (struct net_backend){ user_send, NULL, user_destroy };
	user->poller = (struct evloop_poller){ user_collect, user_polled };
	user->timeout.fire = user_timeout;
	user->slirp = slirp_new(&config, &user_callbacks, user);
	if (!user->slirp) {
		fail("--net user: libslirp failed");
		free(user);
		return NULL;
	}
	evloop_add_poller(net->loop, &user->poller);
	if (!user_add_forwards(user, option))
		return &user->backend;
	user_destroy(&user->backend);
	return NULL;
}
#else
struct net_backend *slirp_create(struct net *net, const struct net_option *option)
{
	fail("--net user: built without libslirp: install libslirp-dev, build again");
	return NULL;
}
#endif
