// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a network device can do for its driver: IPv4, TCP and UDP checksums (RFC 1071), TCP
 * segments, the Ethernet check sequence.
 *
 * Frames come from the guest or the network: every length in them is held against that of
 * the frame before it is used.
 */
#include <string.h>

#include "checksum.h"

#define TYPE_AT		12	/* in an Ethernet header */
#define TYPE_IPV4	0x0800
#define ETHERNET_HEAD	14
#define IP_HEAD_MIN	20
#define IP_PROTO_TCP	6
#define IP_PROTO_UDP	17
#define TCP_HEAD_MIN	20
#define TCP_FIN_PSH	0x09
#define TCP_CWR		0x80

static unsigned int get16(const u8 *at)
{
	return at[0] << 8 | at[1];
}

static u32 get32(const u8 *at)
{
	return (u32)get16(at) << 16 | get16(at + 2);
}

static void put16(u8 *at, u16 val)
{
	at[0] = val >> 8;
	at[1] = val;
}

static void put32(u8 *at, u32 val)
{
	put16(at, val >> 16);
	put16(at + 2, val);
}

/* the sum of 16-bit words, not folded; at most 64 KiB of them fit */
static u32 sum_words(u32 sum, const u8 *data, unsigned int len)
{
	for (; len > 1; data += 2, len -= 2)
		sum += get16(data);
	return len ? sum + (data[0] << 8) : sum;
}

static u16 sum_fold(u32 sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

/**
 * packet_parse - look for an IPv4 packet
 * @packet:	out
 * @frame:	Ethernet frame without a VLAN tag
 * @len:	its bytes
 *
 * Fragments, and TCP or UDP headers that do not fit, are only IP.
 */
void packet_parse(struct packet *packet, const u8 *frame, unsigned int len)
{
	const u8 *ip = frame + ETHERNET_HEAD;
	unsigned int head, total;

	packet->kind = PACKET_OTHER;
	if (len < ETHERNET_HEAD + IP_HEAD_MIN || get16(frame + TYPE_AT) != TYPE_IPV4 ||
	    ip[0] >> 4 != 4)
		return;
	head = (ip[0] & 15) * 4;
	total = get16(ip + 2);
	if (head < IP_HEAD_MIN || total < head || total > len - ETHERNET_HEAD)
		return;
	packet->kind = PACKET_IP;
	packet->ip = ETHERNET_HEAD;
	packet->payload = ETHERNET_HEAD + head;
	packet->end = ETHERNET_HEAD + total;
	if (get16(ip + 6) & 0x3fff)	/* more fragments, or not the first */
		return;
	if (ip[9] == IP_PROTO_TCP && total - head >= TCP_HEAD_MIN)
		packet->kind = PACKET_TCP;
	else if (ip[9] == IP_PROTO_UDP && total - head >= 8)
		packet->kind = PACKET_UDP;
}

/**
 * packet_ip_sum - sum of the IPv4 header, its checksum included
 * @packet:	one of any kind but PACKET_OTHER
 * @frame:	its frame
 *
 * Return: 0xffff if the checksum is right.
 */
u16 packet_ip_sum(const struct packet *packet, const u8 *frame)
{
	return sum_fold(sum_words(0, frame + packet->ip, packet->payload - packet->ip));
}

/**
 * packet_payload_sum - sum of pseudo header and TCP or UDP packet, checksum included
 * @packet:	of kind PACKET_TCP or PACKET_UDP
 * @frame:	its frame
 *
 * Return: 0xffff if the checksum is right.
 */
u16 packet_payload_sum(const struct packet *packet, const u8 *frame)
{
	const u8 *ip = frame + packet->ip;
	unsigned int len = packet->end - packet->payload;
	u32 sum = ip[9] + len;

	sum = sum_words(sum, ip + 12, 8);	/* both addresses */
	return sum_fold(sum_words(sum, frame + packet->payload, len));
}

static unsigned int packet_sum_at(const struct packet *packet)
{
	return packet->payload + (packet->kind == PACKET_TCP ? 16 : 6);
}

/**
 * packet_set_ip_sum - fill in the checksum of the IPv4 header
 * @packet:	one of any kind but PACKET_OTHER
 * @frame:	its frame
 */
void packet_set_ip_sum(const struct packet *packet, u8 *frame)
{
	u8 *at = frame + packet->ip + 10;

	put16(at, 0);
	put16(at, ~packet_ip_sum(packet, frame));
}

/**
 * packet_set_payload_sum - fill in the checksum of TCP or UDP
 * @packet:	of kind PACKET_TCP or PACKET_UDP
 * @frame:	its frame
 */
void packet_set_payload_sum(const struct packet *packet, u8 *frame)
{
	u8 *at = frame + packet_sum_at(packet);
	u16 sum;

	put16(at, 0);
	sum = ~packet_payload_sum(packet, frame);
	/* in UDP 0 means that there is none */
	put16(at, !sum && packet->kind == PACKET_UDP ? 0xffff : sum);
}

/**
 * packet_ip_ok - check the IPv4 header's checksum
 * @packet:	one of any kind but PACKET_OTHER
 * @frame:	its frame
 *
 * Return: true if it is right.
 */
bool packet_ip_ok(const struct packet *packet, const u8 *frame)
{
	return packet_ip_sum(packet, frame) == 0xffff;
}

/**
 * packet_payload_ok - check the checksum of TCP or UDP
 * @packet:	of kind PACKET_TCP or PACKET_UDP
 * @frame:	its frame
 *
 * Return: true if it is right, or UDP has none.
 */
bool packet_payload_ok(const struct packet *packet, const u8 *frame)
{
	if (packet->kind == PACKET_UDP && !get16(frame + packet_sum_at(packet)))
		return true;
	return packet_payload_sum(packet, frame) == 0xffff;
}

/**
 * segments_init - begin to cut a TCP packet
 * @segments:	out
 * @frame:	Ethernet frame without a VLAN tag; must stay
 * @len:	its bytes
 * @mss:	bytes of data of a segment at most
 *
 * Return: false if it is no TCP packet, or @mss is 0.
 */
bool segments_init(struct segments *segments, const u8 *frame, unsigned int len,
		   unsigned int mss)
{
	struct packet *packet = &segments->packet;
	unsigned int head;

	packet_parse(packet, frame, len);
	if (packet->kind != PACKET_TCP || !mss)
		return false;
	head = (frame[packet->payload + 12] >> 4) * 4;
	if (head < TCP_HEAD_MIN || head > packet->end - packet->payload)
		return false;
	segments->frame = frame;
	segments->mss = mss;
	segments->head = packet->payload + head;
	segments->at = segments->head;
	return true;
}

/* what differs from segment to segment */
static void segment_fix(const struct segments *segments, u8 *out, unsigned int data)
{
	const u8 *frame = segments->frame;
	struct packet packet = segments->packet;
	unsigned int done = segments->at - segments->head;
	u8 *ip = out + packet.ip, *tcp = out + packet.payload;

	packet.end = segments->head + data;
	put16(ip + 2, packet.end - packet.ip);
	put16(ip + 4, get16(frame + packet.ip + 4) + done / segments->mss);
	put32(tcp + 4, get32(frame + packet.payload + 4) + done);
	if (done)
		tcp[13] &= ~TCP_CWR;
	if (segments->at + data < segments->packet.end)
		tcp[13] &= ~TCP_FIN_PSH;
	packet_set_ip_sum(&packet, out);
	packet_set_payload_sum(&packet, out);
}

/**
 * segments_next - the next segment as a frame of its own
 * @segments:	from segments_init()
 * @out:	where to
 * @size:	room there
 *
 * Return: bytes of the frame; 0: that was all, or there is no room.
 */
unsigned int segments_next(struct segments *segments, u8 *out, unsigned int size)
{
	unsigned int head = segments->head;
	unsigned int data = min_u64(segments->mss, segments->packet.end - segments->at);
	bool first = segments->at == head;

	if ((!data && !first) || segments->at > segments->packet.end || data > size ||
	    head > size - data)
		return 0;
	memcpy(out, segments->frame, head);
	memcpy(out + head, segments->frame + segments->at, data);
	segment_fix(segments, out, data);
	/* a packet without data is a segment, too, but only once */
	segments->at += data ? data : 1;
	return head + data;
}

/**
 * ethernet_crc - the check sequence of a frame (IEEE 802.3, 3.2.9)
 * @data:	the frame
 * @len:	its bytes
 *
 * Return: as it is sent, lowest byte first.
 */
u32 ethernet_crc(const u8 *data, unsigned int len)
{
	static u32 table[256];
	u32 crc = UINT32_MAX;
	unsigned int i, bit;

	if (!table[1]) {
		for (i = 0; i < 256; i++) {
			u32 val = i;

			for (bit = 0; bit < 8; bit++)
				val = val >> 1 ^ (val & 1 ? 0xedb88320 : 0);
			table[i] = val;
		}
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *data++) & 0xff];
	return ~crc;
}
