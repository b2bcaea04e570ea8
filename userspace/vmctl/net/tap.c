// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TAP interface of the host as the far end of the cable.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../msg.h"
#include "net.h"

#define TAP_BATCH	64	/* frames read before others have their turn */

/**
 * struct tap - the interface
 * @backend:	the far end of @net
 * @net:	the cable
 * @watch:	its descriptor; not watched while the guest has no room
 */
struct tap {
	struct net_backend backend;
	struct net *net;
	struct evloop_watch watch;
};

/* a full queue or an interface that is down loses the frame, as any cable may */
static void tap_send(struct net_backend *backend, const u8 *frame, unsigned int len)
{
	struct tap *tap = container_of(backend, struct tap, backend);

	while (write(tap->watch.fd, frame, len) < 0 && errno == EINTR)
		;
}

static void tap_hold(struct net_backend *backend, bool hold)
{
	struct tap *tap = container_of(backend, struct tap, backend);
	short events = hold ? 0 : POLLIN;

	if (tap->watch.events == events)
		return;
	tap->watch.events = events;
	evloop_wake(tap->net->loop);
}

static void tap_ready(struct evloop_watch *watch)
{
	struct tap *tap = container_of(watch, struct tap, watch);
	u8 frame[NET_FRAME_MAX];
	unsigned int i;
	ssize_t len;

	for (i = 0; i < TAP_BATCH && watch->events; i++) {
		len = read(watch->fd, frame, sizeof(frame));
		if (len > 0) {
			net_receive(tap->net, frame, len);
			continue;
		}
		if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
			fail("--net tap: the interface is gone");
			watch->events = 0;
		}
		break;
	}
}

static void tap_destroy(struct net_backend *backend)
{
	struct tap *tap = container_of(backend, struct tap, backend);

	evloop_remove(tap->net->loop, &tap->watch);
	if (tap->watch.fd >= 0)
		close(tap->watch.fd);
	free(tap);
}

static int tap_open(struct tap *tap, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	tap->watch.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->watch.fd < 0)
		return fail("--net tap=%s: /dev/net/tun: %s", name, strerror(errno));
	memcpy(request.ifr_name, name, strlen(name));	/* its length was looked at */
	if (ioctl(tap->watch.fd, TUNSETIFF, &request))
		return fail("--net tap=%s: %s", name, strerror(errno));
	return evloop_add(tap->net->loop, &tap->watch);
}

/**
 * tap_create - make a TAP interface the far end
 * @net:	the cable
 * @option:	names the interface, which is made if there is none
 *
 * Return: the backend, or NULL with a message.
 */
struct net_backend *tap_create(struct net *net, const struct net_option *option)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap) {
		fail("out of memory");
		return NULL;
	}
	tap->backend = (struct net_backend){ tap_send, tap_hold, tap_destroy };
	tap->net = net;
	tap->watch = (struct evloop_watch){ .fd = -1, .events = POLLIN, .ready = tap_ready };
	if (!tap_open(tap, option->tap))
		return &tap->backend;
	tap_destroy(&tap->backend);
	return NULL;
}
