/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network cable: a network device of the guest at one end, a backend at the other, and a
 * capture file that sees all frames between them.  All of it is under the device lock.
 *
 * Frames are Ethernet frames without their check sequence.
 */
#ifndef VMCTL_NET_H
#define VMCTL_NET_H

#include "../evloop.h"
#include "pcap.h"

#define NET_FRAME_MIN	14u		/* addresses and type */
#define NET_FRAME_MAX	65550u		/* an IP packet at its longest */
#define NET_QUEUE	512u		/* frames that wait for the guest */
#define NET_FORWARDS	8u

struct net;

/**
 * struct net_backend - the far end of the cable
 * @send:	a frame comes from the guest
 * @hold:	the guest has no room for frames, or has again; may be NULL
 * @destroy:	end it
 */
struct net_backend {
	void (*send)(struct net_backend *backend, const u8 *frame, unsigned int len);
	void (*hold)(struct net_backend *backend, bool hold);
	void (*destroy)(struct net_backend *backend);
};

/**
 * struct net_port - the guest's end: what a network device offers
 * @ready:	would a frame be received now?  A device that does not receive at all is
 *		ready: frames are lost there.
 * @receive:	a frame comes for the guest
 * @stalled:	frames have waited for @ready for a while; called again as long as they do
 */
struct net_port {
	bool (*ready)(struct net_port *port);
	void (*receive)(struct net_port *port, const u8 *frame, unsigned int len);
	void (*stalled)(struct net_port *port);
};

/* a frame that waits */
struct net_frame {
	struct net_frame *next;
	unsigned int len;
	u8 data[];
};

/**
 * struct net_counters - what has passed a cable
 * @sent: @sent_bytes:	frames by the guest
 * @received: @received_bytes:	frames to the guest, those that were lost on the way as well
 * @dropped:	frames for the guest that were lost: too many waited
 */
struct net_counters {
	u64 sent, sent_bytes, received, received_bytes, dropped;
};

/**
 * struct net - the cable
 * @backend:	far end; NULL: nobody
 * @port:	the guest's end
 * @loop:	main loop
 * @retry:	tries again to deliver what waits
 * @pcap:	capture file
 * @head: @tail: @waiting:	frames for the guest, the oldest first
 * @delivering:	in the middle of it
 * @counters:	for statistics
 */
struct net {
	struct net_backend *backend;
	struct net_port *port;
	struct evloop *loop;
	struct timer retry;
	struct pcap pcap;
	struct net_frame *head, **tail;
	unsigned int waiting;
	bool delivering;
	struct net_counters counters;
};

enum net_kind { NET_NONE, NET_USER, NET_TAP };

/* one hostfwd: connections to a port of the host go to the guest */
struct net_forward {
	u32 host_addr;		/* network byte order, as is @guest_addr */
	u16 host_port, guest_port;
	u32 guest_addr;
};

/**
 * struct net_option - one --net
 * @kind:	what is at the far end
 * @tap:	with NET_TAP: name of the interface
 * @pcap:	capture file; NULL: none
 * @mac:	address of the guest's device
 * @mac_given:	the user chose it
 * @plus:	the guest's device is an RTL8139C+; else it says it is an RTL8139C
 * @forward: @nr_forwards:	with NET_USER
 * @text:	what the strings point into
 */
struct net_option {
	enum net_kind kind;
	const char *tap, *pcap;
	u8 mac[6];
	bool mac_given, plus;
	struct net_forward forward[NET_FORWARDS];
	unsigned int nr_forwards;
	char *text;
};

int net_option_parse(const char *text, struct net_option *option);
void net_option_free(struct net_option *option);

int net_init(struct net *net, const struct net_option *option, struct evloop *loop,
	     struct net_port *port);
void net_destroy(struct net *net);
void net_send(struct net *net, const u8 *frame, unsigned int len);
void net_receive(struct net *net, const u8 *frame, unsigned int len);
void net_deliver(struct net *net);

/* backends */
struct net_backend *slirp_create(struct net *net, const struct net_option *option);
struct net_backend *tap_create(struct net *net, const struct net_option *option);

#endif
