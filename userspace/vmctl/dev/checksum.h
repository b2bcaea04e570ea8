/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_CHECKSUM_H
#define VMCTL_CHECKSUM_H

#include "../types.h"

/* what a frame holds, as far as its headers are whole; values of the chip's status */
enum packet_kind { PACKET_OTHER, PACKET_TCP, PACKET_UDP, PACKET_IP };

/**
 * struct packet - an IPv4 packet in an Ethernet frame
 * @kind:	PACKET_OTHER: it is none, and the rest is not set
 * @ip:		offset of its header in the frame
 * @payload:	offset of what follows the IPv4 header
 * @end:	offset of the packet's end; what comes then is padding
 */
struct packet {
	enum packet_kind kind;
	unsigned int ip, payload, end;
};

void packet_parse(struct packet *packet, const u8 *frame, unsigned int len);
u16 packet_ip_sum(const struct packet *packet, const u8 *frame);
u16 packet_payload_sum(const struct packet *packet, const u8 *frame);
void packet_set_ip_sum(const struct packet *packet, u8 *frame);
void packet_set_payload_sum(const struct packet *packet, u8 *frame);
bool packet_ip_ok(const struct packet *packet, const u8 *frame);
bool packet_payload_ok(const struct packet *packet, const u8 *frame);
u32 ethernet_crc(const u8 *data, unsigned int len);

/**
 * struct segments - a long TCP packet that is cut
 * @frame: @packet:	the whole
 * @mss:	bytes of data of a segment at most
 * @head:	bytes of all headers
 * @at:		offset of the next segment's data
 */
struct segments {
	const u8 *frame;
	struct packet packet;
	unsigned int mss, head, at;
};

bool segments_init(struct segments *segments, const u8 *frame, unsigned int len,
		   unsigned int mss);
unsigned int segments_next(struct segments *segments, u8 *out, unsigned int size);

#endif
