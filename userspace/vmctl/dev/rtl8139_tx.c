// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transmit: four buffers in turn, or descriptors of two priorities.
 *
 * Everything is sent at once: when the write that starts it is done, so is the frame.
 * What a guest may ask for at once is bounded all the same: another of its CPUs could give
 * descriptors back as fast as they are sent.
 */
#include <string.h>

#include "../clock.h"
#include "checksum.h"
#include "rtl8139_impl.h"

#define TSD_MAX		1792u		/* bytes of a buffer in ring mode */
#define TX_BATCH	(2 * RTL_RING)	/* descriptors before others have their turn */

#define TX_PAUSE_NS		10000u		/* their turn */
#define HEADS_MAX	(14u + 60 + 60)	/* Ethernet, IPv4, TCP */

#define DESC_LARGE	BIT(27)
#define DESC_MSS(s)	((s) >> 16 & 0x7ff)
#define DESC_IPCS	BIT(18)		/* without DESC_LARGE */
#define DESC_UDPCS	BIT(17)
#define DESC_TCPCS	BIT(16)
#define DESC_LEN	0xffffu
#define DESC_TAG	BIT(17)		/* in the VLAN word */
#define DESC_ERROR	BIT(23)		/* when done */

/* ---- frames ----------------------------------------------------------------- */

static void tx_cable(struct rtl8139 *rtl, const u8 *frame, unsigned int len)
{
	if ((rtl->tcr & TCR_LOOPBACK) == TCR_LOOPBACK)
		rtl_rx(&rtl->port, frame, len);
	else if (rtl_phy_link(&rtl->phy))
		net_send(&rtl->net, frame, len);
}

/* @frame has room for a tag and for padding */
static void tx_frame(struct rtl8139 *rtl, u8 *frame, unsigned int len, u32 vlan)
{
	/* the check sequence is there already; the cable has none */
	if ((rtl->tcr & TCR_CRC) && len >= ETH_CRC)
		len -= ETH_CRC;
	if (len < NET_FRAME_MIN)
		return;
	if (vlan & DESC_TAG) {
		memmove(frame + 12 + VLAN_TAG, frame + 12, len - 12);
		frame[12] = 0x81;
		frame[13] = 0x00;
		frame[14] = vlan;
		frame[15] = vlan >> 8;
		len += VLAN_TAG;
	}
	if (len < ETH_MIN) {
		memset(frame + len, 0, ETH_MIN - len);
		len = ETH_MIN;
	}
	tx_cable(rtl, frame, len);
}

/* ---- ring mode -------------------------------------------------------------- */

static bool tx_buffer(struct rtl8139 *rtl, u32 addr, unsigned int len)
{
	u8 frame[TSD_MAX + VLAN_TAG];
	const u8 *from = rtl_dma(rtl, addr, len);

	if (!from)
		return false;
	memcpy(frame, from, len);
	tx_frame(rtl, frame, len, 0);
	return true;
}

/**
 * rtl_tx_buffers - send the buffers that are due
 * @rtl:	the device
 *
 * They go in their order: one that is not given holds up those after it.
 */
void rtl_tx_buffers(struct rtl8139 *rtl)
{
	while ((rtl->cr & CR_TE) && !(rtl->tsd[rtl->tx_next] & TSD_OWN)) {
		u32 *tsd = &rtl->tsd[rtl->tx_next];
		unsigned int len = *tsd & TSD_SIZE;

		if (len && len <= TSD_MAX && tx_buffer(rtl, rtl->tsad[rtl->tx_next], len)) {
			*tsd |= TSD_OWN | TSD_TOK;
			rtl->stats.tx_ok++;
			rtl_interrupt(rtl, INT_TOK);
		} else {
			*tsd |= TSD_OWN | TSD_TABT;
			rtl->stats.tx_error++;
			rtl->stats.tx_abort++;
			rtl_interrupt(rtl, INT_TER);
		}
		rtl->tx_next = (rtl->tx_next + 1) % 4;
	}
}

/* ---- descriptor mode -------------------------------------------------------- */

/* one frame's descriptors, read once */
struct tx_batch {
	struct rtl_desc *desc[RTL_RING];
	u32 status[RTL_RING], vlan;
	unsigned int nr, next, len;
	bool fits;
};

enum tx_result { TX_NONE, TX_FRAME, TX_STUCK };

/* copies a part of the frame; false: not RAM */
static bool tx_take(struct rtl8139 *rtl, struct tx_batch *batch, u64 addr, unsigned int len)
{
	const u8 *from = rtl_dma(rtl, addr, len);

	if (!from)
		return false;
	if (len > RTL_TX_MAX - VLAN_TAG - batch->len) {
		batch->fits = false;
		return true;
	}
	memcpy(rtl->tx + batch->len, from, len);
	batch->len += len;
	return true;
}

/*
 * The descriptors from the next one to that of a last segment.  A frame whose end is not
 * given yet stays where it is, until the guest says that there is more.
 */
static enum tx_result tx_gather(struct rtl8139 *rtl, u64 ring, unsigned int at,
				struct tx_batch *batch)
{
	batch->nr = 0;
	batch->vlan = 0;
	batch->len = 0;
	batch->fits = true;
	do {
		struct rtl_desc *desc = rtl_desc(rtl, ring, at);
		u32 status;

		if (!desc)
			return TX_STUCK;
		status = shared_load(&desc->status, 4);
		if (!(status & DESC_OWN))
			return TX_NONE;
		if (!batch->nr)
			batch->vlan = shared_load(&desc->vlan, 4);
		if (!tx_take(rtl, batch, shared_load(&desc->addr, 8), status & DESC_LEN))
			batch->fits = false;
		batch->desc[batch->nr] = desc;
		batch->status[batch->nr++] = status;
		at = status & DESC_EOR || at + 1 == RTL_RING ? 0 : at + 1;
		if (status & DESC_LS)
			break;
	} while (batch->nr < RTL_RING);
	batch->next = at;
	return TX_FRAME;
}

static void tx_segments(struct rtl8139 *rtl, const struct tx_batch *batch)
{
	u8 out[HEADS_MAX + 0x7ff + ETH_MIN];
	struct segments segments;
	unsigned int len;

	if (!segments_init(&segments, rtl->tx, batch->len, DESC_MSS(batch->status[0])))
		return;
	while ((len = segments_next(&segments, out, sizeof(out) - ETH_MIN)))
		tx_frame(rtl, out, len, batch->vlan);
}

static void tx_checksums(struct rtl8139 *rtl, unsigned int len, u32 status)
{
	struct packet packet;

	packet_parse(&packet, rtl->tx, len);
	if (packet.kind == PACKET_OTHER)
		return;
	if (status & DESC_IPCS)
		packet_set_ip_sum(&packet, rtl->tx);
	if (((status & DESC_TCPCS) && packet.kind == PACKET_TCP) ||
	    ((status & DESC_UDPCS) && packet.kind == PACKET_UDP))
		packet_set_payload_sum(&packet, rtl->tx);
}

static bool tx_send(struct rtl8139 *rtl, const struct tx_batch *batch)
{
	u32 status = batch->status[0];

	if (!batch->fits || !batch->len || !(status & DESC_FS) ||
	    !(batch->status[batch->nr - 1] & DESC_LS))
		return false;
	if (status & DESC_LARGE) {
		tx_segments(rtl, batch);
		return true;
	}
	tx_checksums(rtl, batch->len, status);
	tx_frame(rtl, rtl->tx, batch->len, batch->vlan);
	return true;
}

/* gives the descriptors back, the first one last: the guest looks at it first */
static void tx_done(struct rtl8139 *rtl, const struct tx_batch *batch, bool sent)
{
	unsigned int i;

	for (i = batch->nr; i--;)
		shared_store(&batch->desc[i]->status,
			     (batch->status[i] & (DESC_EOR | DESC_FS | DESC_LS)) |
			     (sent ? 0 : DESC_ERROR), 4);
	if (sent)
		rtl->stats.tx_ok++;
	else
		rtl->stats.tx_error++;
	rtl_interrupt(rtl, sent ? INT_TOK : INT_TER);
}

/**
 * rtl_tx_poll - send what a ring of descriptors holds
 * @rtl:	the device
 * @high:	the ring of high priority
 */
void rtl_tx_poll(struct rtl8139 *rtl, bool high)
{
	u64 ring = high ? rtl->thpds : rtl->tnpds;
	unsigned int *index = &rtl->tx_index[high], done = 0;
	struct tx_batch batch;
	enum tx_result result;

	if (!(rtl->cr & CR_TE) || !(rtl->cpcr & CPCR_TX))
		return;
	while ((result = tx_gather(rtl, ring, *index, &batch)) == TX_FRAME) {
		*index = batch.next;
		tx_done(rtl, &batch, tx_send(rtl, &batch));
		done += batch.nr;
		if (done >= TX_BATCH) {
			rtl->again_rings |= 1 << high;
			timer_arm(&rtl->loop->timers, &rtl->again, clock_now() + TX_PAUSE_NS);
			return;
		}
	}
	if (result == TX_NONE)
		rtl_interrupt(rtl, INT_TDU);
}
