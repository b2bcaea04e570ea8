// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cable: frames to the guest wait here while its device has no room, so that a burst
 * is not lost in a ring of a few buffers; then the backend is asked to hold back.
 *
 * A device need not say when it has room again (in descriptor mode the chip itself does
 * not know): net_deliver() is called where it is likely, and by a timer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../mark.h"
#include "../msg.h"
#include "net.h"

#define RETRY_NS	(2 * NSEC_PER_MSEC)

static void net_hold(struct net *net, bool hold)
{
	if (net->backend && net->backend->hold)
		net->backend->hold(net->backend, hold);
}

/**
 * net_deliver - bring frames that wait to the guest, as far as it has room
 * @net:	the cable
 */
void net_deliver(struct net *net)
{
	struct net_frame *frame;

	/* receiving a frame may bring us here again */
	if (!net->head || net->delivering)
		return;
	net->delivering = true;
	while ((frame = net->head) && net->port->ready(net->port)) {
		net->head = frame->next;
		if (!net->head)
			net->tail = &net->head;
		net->waiting--;
		mark("packet rx %u", frame->len);
		net->port->receive(net->port, frame->data, frame->len);
		free(frame);
	}
	net->delivering = false;
	if (net->head)
		timer_arm(&net->loop->timers, &net->retry, clock_now() + RETRY_NS);
	else
		net_hold(net, false);
}

static void net_retry(struct timer *timer)
{
	struct net *net = container_of(timer, struct net, retry);

	net_deliver(net);
	if (net->head)
		net->port->stalled(net->port);
}

/**
 * net_receive - a frame comes for the guest
 * @net:	the cable
 * @frame:	the frame; too short or too long ones are lost
 * @len:	its bytes
 */
void net_receive(struct net *net, const u8 *frame, unsigned int len)
{
	struct net_frame *copy;

	if (len < NET_FRAME_MIN || len > NET_FRAME_MAX)
		return;
	net->counters.received++;
	net->counters.received_bytes += len;
	pcap_write(&net->pcap, frame, len);
	if (!net->head && !net->delivering && net->port->ready(net->port)) {
		net->delivering = true;
		mark("packet rx %u", len);
		net->port->receive(net->port, frame, len);
		net->delivering = false;
		net_deliver(net);
		return;
	}
	copy = net->waiting < NET_QUEUE ? malloc(sizeof(*copy) + len) : NULL;
	if (!copy) {
		net->counters.dropped++;
		return;
	}
	copy->next = NULL;
	copy->len = len;
	memcpy(copy->data, frame, len);
	*net->tail = copy;
	net->tail = &copy->next;
	if (!net->waiting++)
		timer_arm(&net->loop->timers, &net->retry, clock_now() + RETRY_NS);
	if (net->waiting == NET_QUEUE / 2)
		net_hold(net, true);
}

/**
 * net_send - a frame comes from the guest
 * @net:	the cable
 * @frame:	the frame; too short or too long ones are lost
 * @len:	its bytes
 */
void net_send(struct net *net, const u8 *frame, unsigned int len)
{
	if (len < NET_FRAME_MIN || len > NET_FRAME_MAX)
		return;
	net->counters.sent++;
	net->counters.sent_bytes += len;
	mark("packet tx %u", len);
	pcap_write(&net->pcap, frame, len);
	if (net->backend)
		net->backend->send(net->backend, frame, len);
}

/**
 * net_init - lay the cable
 * @net:	out; net_destroy() it, also after an error
 * @option:	what is at the far end; must stay
 * @loop:	main loop
 * @port:	the guest's end
 *
 * Return: 0, or -1 with a message.
 */
int net_init(struct net *net, const struct net_option *option, struct evloop *loop,
	     struct net_port *port)
{
	memset(net, 0, sizeof(*net));
	net->port = port;
	net->loop = loop;
	net->retry.fire = net_retry;
	net->tail = &net->head;
	if (pcap_open(&net->pcap, option->pcap))
		return -1;
	if (option->kind == NET_NONE)
		return 0;
	net->backend = option->kind == NET_USER ? slirp_create(net, option) :
		       tap_create(net, option);
	return net->backend ? 0 : -1;
}

/**
 * net_destroy - take the cable away
 * @net:	from net_init()
 */
void net_destroy(struct net *net)
{
	struct net_frame *frame;

	if (net->backend)
		net->backend->destroy(net->backend);
	net->backend = NULL;
	timer_cancel(&net->loop->timers, &net->retry);
	while ((frame = net->head)) {
		net->head = frame->next;
		free(frame);
	}
	pcap_close(&net->pcap);
}
