// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive: which frames are for the guest, and where they go.
 *
 * Ring mode: one buffer of 8 to 64 KiB that the guest reads behind us; each frame has a
 * header of four bytes and begins at a multiple of four.  Descriptor mode: a ring of
 * buffers; a frame that exceeds one goes on in the next.
 *
 * What is in the guest's memory is read once and never trusted: a frame is written only
 * when all of its places are known, and those are at most a ring full.
 */
#include <string.h>

#include "checksum.h"
#include "rtl8139_impl.h"

#define RX_PAM		BIT(14)		/* header, ring mode */
#define RX_BAR		BIT(13)
#define RX_MAR		BIT(15)
#define RX_OK		BIT(0)
#define RX_HEAD		4u

#define DESC_SIZE	0x1fffu		/* descriptor mode */
#define DESC_MAR	BIT(26)
#define DESC_PAM	BIT(25)
#define DESC_BAR	BIT(24)
#define DESC_PROTO(kind) ((kind) << 16)
#define DESC_IP_BAD	BIT(15)
#define DESC_UDP_BAD	BIT(14)
#define DESC_TCP_BAD	BIT(13)
#define DESC_TAGGED	BIT(16)		/* in the VLAN word */

/* whom a frame is for */
enum rx_kind { RX_NOT_OURS, RX_PHYSICAL, RX_MULTICAST, RX_BROADCAST };

static bool rx_is_on(const struct rtl8139 *rtl)
{
	return rtl->cr & CR_RE;
}

static bool rx_has_descriptors(const struct rtl8139 *rtl)
{
	return rtl->cpcr & CPCR_RX;
}

/* ---- filter ----------------------------------------------------------------- */

/* the filter's bit is the top six of the check sequence over the address, bit-reversed */
static unsigned int rx_hash(const u8 *addr)
{
	u32 crc = ~ethernet_crc(addr, ETH_ALEN);
	unsigned int i, hash = 0;

	for (i = 0; i < 6; i++)
		hash = hash << 1 | (crc >> i & 1);
	return hash;
}

static bool rx_in_filter(const struct rtl8139 *rtl, const u8 *addr)
{
	unsigned int hash = rx_hash(addr);

	return rtl->reg[RTL_MAR0 + hash / 8] >> (hash % 8) & 1;
}

static bool rx_is_broadcast(const u8 *frame)
{
	static const u8 all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return !memcmp(frame, all, ETH_ALEN);
}

static enum rx_kind rx_filter(const struct rtl8139 *rtl, const u8 *frame)
{
	bool own = !memcmp(frame, rtl->reg + RTL_IDR0, ETH_ALEN);

	if (rx_is_broadcast(frame))
		return rtl->rcr & RCR_AB ? RX_BROADCAST : RX_NOT_OURS;
	if (frame[0] & 1)
		return (rtl->rcr & RCR_AM) && rx_in_filter(rtl, frame) ? RX_MULTICAST :
		       RX_NOT_OURS;
	return (rtl->rcr & RCR_AAP) || ((rtl->rcr & RCR_APM) && own) ? RX_PHYSICAL :
	       RX_NOT_OURS;
}

static void rx_count(struct rtl8139 *rtl, enum rx_kind kind)
{
	rtl->stats.rx_ok++;
	rtl->stats.rx_ok_physical += kind == RX_PHYSICAL;
	rtl->stats.rx_ok_broadcast += kind == RX_BROADCAST;
	rtl->stats.rx_ok_multicast += kind == RX_MULTICAST;
}

/* no place for a frame */
static void rx_miss(struct rtl8139 *rtl)
{
	rtl->missed = (rtl->missed + 1) & 0xffffff;
	rtl->stats.rx_missed++;
	rtl_interrupt(rtl, INT_RXOVW);
}

/* ---- ring mode -------------------------------------------------------------- */

static u32 rx_ring_size(const struct rtl8139 *rtl)
{
	return 8 * KIB << RCR_RBLEN(rtl->rcr);
}

/* how far the guest has read: the register is 16 bytes behind */
static u32 rx_ring_read(const struct rtl8139 *rtl)
{
	return (rtl->capr + 16) & (rx_ring_size(rtl) - 1);
}

/**
 * rtl_rx_empty - has the guest read all of the ring buffer
 * @rtl:	the device
 *
 * Return: true if so.
 */
bool rtl_rx_empty(const struct rtl8139 *rtl)
{
	return rx_ring_read(rtl) == (rtl->cbr & (rx_ring_size(rtl) - 1));
}

/**
 * rtl_rx_space - room in the ring buffer
 * @rtl:	the device
 *
 * Return: bytes; less than that is written, since a full buffer would look empty.
 */
u32 rtl_rx_space(const struct rtl8139 *rtl)
{
	u32 size = rx_ring_size(rtl);

	return size - ((rtl->cbr - rx_ring_read(rtl)) & (size - 1));
}

static u32 rx_ring_need(unsigned int len)
{
	return align_up(RX_HEAD + len + ETH_CRC, 4);
}

/* header, frame and check sequence: in one piece if the guest wants that */
static bool rx_ring_put(struct rtl8139 *rtl, u32 header, const u8 *frame, unsigned int len,
			u32 crc)
{
	u32 size = rx_ring_size(rtl), at = rtl->cbr & (size - 1), total = RX_HEAD + len + ETH_CRC;
	bool wrap = RCR_RBLEN(rtl->rcr) == 3 || !(rtl->rcr & RCR_WRAP);
	u32 first = wrap ? min_u64(total, size - at) : total;
	u8 *to = rtl_dma(rtl, rtl->rbstart + (u64)at, first);
	u8 *rest = to && first < total ? rtl_dma(rtl, rtl->rbstart, total - first) : to;
	u8 packed[RX_HEAD + RTL_RX_MAX_RING];

	if (!to || !rest)
		return false;
	memcpy(packed, &header, RX_HEAD);
	memcpy(packed + RX_HEAD, frame, len);
	memcpy(packed + RX_HEAD + len, &crc, ETH_CRC);
	memcpy(to, packed, first);
	memcpy(rest, packed + first, total - first);
	return true;
}

static void rx_ring(struct rtl8139 *rtl, const u8 *frame, unsigned int len, enum rx_kind kind)
{
	static const u32 kinds[] = {
		[RX_PHYSICAL] = RX_PAM, [RX_MULTICAST] = RX_MAR, [RX_BROADCAST] = RX_BAR,
	};
	u32 need = rx_ring_need(len), header = RX_OK | kinds[kind] | (len + ETH_CRC) << 16;

	if (need >= rtl_rx_space(rtl)) {
		rx_miss(rtl);
		return;
	}
	if (!rx_ring_put(rtl, header, frame, len, ethernet_crc(frame, len)))
		return;
	/* once the guest sees the new end, the frame is there */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	rtl->cbr = (rtl->cbr + need) & (rx_ring_size(rtl) - 1);
	rx_count(rtl, kind);
	rtl_interrupt(rtl, INT_ROK);
}

/* ---- descriptor mode -------------------------------------------------------- */

/* a descriptor and its buffer, read once */
struct rx_part {
	struct rtl_desc *desc;
	u32 status;
	u8 *buffer;
	unsigned int len;
};

/* what the guest gives for a frame of @len bytes; 0: not enough, or nonsense */
static unsigned int rx_gather(struct rtl8139 *rtl, unsigned int len, struct rx_part *part)
{
	unsigned int nr, at = rtl->rx_index, room;

	for (nr = 0; nr < RTL_RING && (len || !nr); nr++) {
		struct rtl_desc *desc = rtl_desc(rtl, rtl->rdsar, at);

		if (!desc)
			return 0;
		part[nr].desc = desc;
		part[nr].status = shared_load(&desc->status, 4);
		if (!(part[nr].status & DESC_OWN)) {
			rx_miss(rtl);
			return 0;
		}
		room = part[nr].status & DESC_SIZE;
		part[nr].len = min_u64(room, len);
		part[nr].buffer = rtl_dma(rtl, shared_load(&desc->addr, 8), part[nr].len);
		if (!part[nr].buffer)
			return 0;
		len -= part[nr].len;
		at = part[nr].status & DESC_EOR || at + 1 == RTL_RING ? 0 : at + 1;
	}
	if (!len)
		return nr;
	/* a whole ring is too little for it */
	rx_miss(rtl);
	return 0;
}

/* where the guest looks first, the status, is written last */
static void rx_scatter(struct rtl8139 *rtl, const u8 *frame, unsigned int len, u32 status,
		       u32 vlan, const struct rx_part *part, unsigned int nr)
{
	unsigned int i, done = 0;

	for (i = 0; i < nr; i++) {
		u32 val = status | (part[i].status & DESC_EOR);

		memcpy(part[i].buffer, frame + done, part[i].len);
		done += part[i].len;
		val |= i == 0 ? DESC_FS : 0;
		val |= i + 1 == nr ? DESC_LS | len : part[i].len;
		shared_store(&part[i].desc->vlan, vlan, 4);
		shared_store(&part[i].desc->status, val, 4);
		rtl->rx_index = part[i].status & DESC_EOR || rtl->rx_index + 1 == RTL_RING ? 0 :
				rtl->rx_index + 1;
	}
}

/* what the chip found out about the packet */
static u32 rx_checksums(const u8 *frame, unsigned int len)
{
	struct packet packet;
	u32 status;

	packet_parse(&packet, frame, len);
	if (packet.kind == PACKET_OTHER)
		return 0;
	status = DESC_PROTO(packet.kind);
	if (!packet_ip_ok(&packet, frame))
		status |= DESC_IP_BAD;
	if (packet.kind == PACKET_TCP && !packet_payload_ok(&packet, frame))
		status |= DESC_TCP_BAD;
	if (packet.kind == PACKET_UDP && !packet_payload_ok(&packet, frame))
		status |= DESC_UDP_BAD;
	return status;
}

/* takes the tag out of @frame, if there is one; it has its bytes as they were sent */
static u32 rx_untag(u8 *frame, unsigned int *len)
{
	u32 vlan;

	if (frame[12] != 0x81 || frame[13] != 0x00)
		return 0;
	vlan = DESC_TAGGED | frame[14] | frame[15] << 8;
	*len -= VLAN_TAG;
	memmove(frame + 12, frame + 12 + VLAN_TAG, *len - 12);
	return vlan;
}

static void rx_descriptors(struct rtl8139 *rtl, const u8 *frame, unsigned int len,
			   enum rx_kind kind)
{
	static const u32 kinds[] = {
		[RX_PHYSICAL] = DESC_PAM, [RX_MULTICAST] = DESC_MAR, [RX_BROADCAST] = DESC_BAR,
	};
	struct rx_part part[RTL_RING];
	u32 status = kinds[kind], vlan = 0, crc;
	unsigned int nr;

	memcpy(rtl->rx, frame, len);
	if (rtl->cpcr & CPCR_RX_VLAN)
		vlan = rx_untag(rtl->rx, &len);
	if (rtl->cpcr & CPCR_RX_CHECKSUM)
		status |= rx_checksums(rtl->rx, len);
	crc = ethernet_crc(rtl->rx, len);
	memcpy(rtl->rx + len, &crc, ETH_CRC);
	len += ETH_CRC;
	nr = rx_gather(rtl, len, part);
	if (!nr)
		return;
	rx_scatter(rtl, rtl->rx, len, status, vlan, part, nr);
	rx_count(rtl, kind);
	rtl_interrupt(rtl, INT_ROK);
}

/* ---- from the cable --------------------------------------------------------- */

static bool rx_descriptor_ready(struct rtl8139 *rtl)
{
	struct rtl_desc *desc = rtl_desc(rtl, rtl->rdsar, rtl->rx_index);

	/* a bad address is for the next frame to find */
	return !desc || (shared_load(&desc->status, 4) & DESC_OWN);
}

/**
 * rtl_rx_ready - is there room for a frame
 * @port:	our end of the cable
 *
 * Return: false if it had better wait.
 */
bool rtl_rx_ready(struct net_port *port)
{
	struct rtl8139 *rtl = container_of(port, struct rtl8139, port);

	if (!rx_is_on(rtl))
		return true;
	if (rx_has_descriptors(rtl))
		return rx_descriptor_ready(rtl);
	return rtl_rx_space(rtl) > rx_ring_need(RTL_RX_MAX_RING - ETH_CRC) || rtl_rx_empty(rtl);
}

/**
 * rtl_rx_stalled - frames have waited for room in vain
 * @port:	our end of the cable
 *
 * The chip would have lost one, and said so.  Here none is lost; but a driver may have
 * stopped reading with frames left, or may wait to be told that it has to make room.
 * 8139too does the former: it acknowledges before each frame, reads a limited number, and
 * goes on only if another one arrives.
 */
void rtl_rx_stalled(struct net_port *port)
{
	struct rtl8139 *rtl = container_of(port, struct rtl8139, port);

	rtl_interrupt(rtl, rx_has_descriptors(rtl) ? INT_RXOVW : INT_ROK);
}

/**
 * rtl_rx - a frame arrives
 * @port:	our end of the cable
 * @frame:	at least an Ethernet header
 * @len:	its bytes
 *
 * A short frame was padded by who sent it.
 */
void rtl_rx(struct net_port *port, const u8 *frame, unsigned int len)
{
	struct rtl8139 *rtl = container_of(port, struct rtl8139, port);
	unsigned int most = rx_has_descriptors(rtl) ? RTL_RX_MAX : RTL_RX_MAX_RING;
	u8 padded[ETH_MIN] = { 0 };
	enum rx_kind kind;

	if (!rx_is_on(rtl) || !rtl_phy_link(&rtl->phy))
		return;
	kind = rx_filter(rtl, frame);
	if (kind == RX_NOT_OURS)
		return;
	if (len > most - ETH_CRC) {
		rtl->stats.rx_error++;
		rtl_interrupt(rtl, INT_RER);
	} else {
		if (len < ETH_MIN) {
			memcpy(padded, frame, len);
			frame = padded;
			len = ETH_MIN;
		}
		if (rx_has_descriptors(rtl))
			rx_descriptors(rtl, frame, len, kind);
		else
			rx_ring(rtl, frame, len, kind);
	}
}
