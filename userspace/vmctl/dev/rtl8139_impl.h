/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the RTL8139C+ share: offsets and bits of its registers, its state.
 */
#ifndef VMCTL_RTL8139_IMPL_H
#define VMCTL_RTL8139_IMPL_H

#include "../shared.h"
#include "rtl8139.h"

/* registers that are not only memory */
enum {
	RTL_IDR0	= 0x00,
	RTL_MAR0	= 0x08,
	RTL_TSD0	= 0x10,		/* ring mode: four */
	RTL_DTCCR	= 0x10,		/* descriptor mode: dump statistics; 64 bits */
	RTL_TSAD0	= 0x20,		/* ring mode: four */
	RTL_TNPDS	= 0x20,		/* descriptor mode: 64 bits each */
	RTL_THPDS	= 0x28,
	RTL_RBSTART	= 0x30,
	RTL_CR		= 0x37,
	RTL_CAPR	= 0x38,
	RTL_CBR		= 0x3a,
	RTL_IMR		= 0x3c,
	RTL_ISR		= 0x3e,
	RTL_TCR		= 0x40,
	RTL_RCR		= 0x44,
	RTL_TCTR	= 0x48,
	RTL_MPC		= 0x4c,
	RTL_9346CR	= 0x50,
	RTL_CONFIG1	= 0x52,
	RTL_CONFIG3	= 0x59,
	RTL_TIMERINT	= 0x54,
	RTL_MSR		= 0x58,
	RTL_TSAD	= 0x60,		/* summary of TSD0 to TSD3 */
	RTL_BMCR	= 0x62,
	RTL_NWAYTR	= 0x70,
	RTL_TDOKLA	= 0x82,
	RTL_TPPOLL	= 0xd9,
	RTL_CPCR	= 0xe0,
	RTL_RDSAR	= 0xe4,		/* 64 bits */
};

/* ISR and IMR */
#define INT_ROK			BIT(0)
#define INT_RER			BIT(1)
#define INT_TOK			BIT(2)
#define INT_TER			BIT(3)
#define INT_RXOVW		BIT(4)	/* descriptor mode: none is available */
#define INT_PUN			BIT(5)	/* link change, too */
#define INT_FOVW		BIT(6)
#define INT_TDU			BIT(7)	/* descriptor mode */
#define INT_SWINT		BIT(8)
#define INT_TIMEOUT		BIT(14)
#define INT_SERR		BIT(15)
#define INT_ALL			0xe1ffu

#define CR_BUFE			BIT(0)
#define CR_TE			BIT(2)
#define CR_RE			BIT(3)
#define CR_RST			BIT(4)

#define CPCR_TX			BIT(0)
#define CPCR_RX			BIT(1)
#define CPCR_DAC		BIT(4)
#define CPCR_RX_CHECKSUM	BIT(5)
#define CPCR_RX_VLAN		BIT(6)

#define RCR_AAP			BIT(0)
#define RCR_APM			BIT(1)
#define RCR_AM			BIT(2)
#define RCR_AB			BIT(3)
#define RCR_AER			BIT(5)
#define RCR_WRAP		BIT(7)
#define RCR_RBLEN(rcr)		((rcr) >> 11 & 3)

#define TCR_CRC			BIT(16)	/* software has appended it */
#define TCR_LOOPBACK		(3u << 17)
#define TCR_VERSION		0x7cc00000u

#define TSD_SIZE		0x1fffu
#define TSD_OWN			BIT(13)
#define TSD_TUN			BIT(14)
#define TSD_TOK			BIT(15)
#define TSD_TABT		BIT(30)

#define TPPOLL_SWINT		BIT(0)
#define TPPOLL_NORMAL		BIT(6)
#define TPPOLL_HIGH		BIT(7)

#define EE_DO			BIT(0)
#define EE_DI			BIT(1)
#define EE_SK			BIT(2)
#define EE_CS			BIT(3)
#define EE_MODE			0xc0u
#define EE_MODE_AUTOLOAD	0x40u
#define EE_MODE_PROGRAM		0x80u
#define EE_MODE_CONFIG		0xc0u

#define MSR_LINKB		BIT(2)	/* no link */
#define MSR_SPEED_10		BIT(3)

/*
 * What the kernel answers by itself: reads of what is asked at each interrupt, and writes
 * that the guest need not wait for.  No posted write changes the registers of the file
 * but ISR and BUFE, which may change at any time.
 */
#define RTL_REGFILE		RTL_RBSTART	/* up to ISR */
#define RTL_REGFILE_SIZE	16
#define RTL_POSTED		RTL_TSD0	/* the four of them */
#define RTL_POSTED_SIZE		16

/* a descriptor in the guest's memory; EOR, FS and LS are the same both ways */
struct rtl_desc {
	u32 status;
	u32 vlan;
	u64 addr;
};

#define DESC_OWN		BIT(31)
#define DESC_EOR		BIT(30)
#define DESC_FS			BIT(29)
#define DESC_LS			BIT(28)
#define RTL_RING		64u	/* descriptors of a ring at most */

#define ETH_ALEN		6u
#define ETH_CRC			4u
#define ETH_MIN			60u	/* bytes before the check sequence */
#define VLAN_TAG		4u
/* with the check sequence: longer is an error in ring mode; 13 bits of a descriptor */
#define RTL_RX_MAX_RING		4096u
#define RTL_RX_MAX		8191u
#define RTL_TX_MAX		NET_FRAME_MAX

/**
 * struct rtl_eeprom - a 93C46
 * @word:	contents
 * @clock: @select:	its inputs as they were last
 * @out:	its output
 * @writable:	EWEN has been given
 * @reading:	the rest of the clocks gives data
 * @bits:	clocks since it was selected and got a start bit; 0: it waits for one
 * @shift:	bits that came in
 */
struct rtl_eeprom {
	u16 word[64];
	bool clock, select, out, writable, reading;
	unsigned int bits;
	u32 shift;
};

/**
 * struct rtl_phy - the transceiver
 * @control: @advertise: @test:	registers BMCR, ANAR, NWAYTR
 */
struct rtl_phy {
	u16 control, advertise, test;
};

/**
 * struct rtl_stats - statistics as DTCCR has them written to memory
 */
struct rtl_stats {
	u64 tx_ok, rx_ok, tx_error;
	u32 rx_error;
	u16 rx_missed, align_error;
	u32 tx_one_collision, tx_collisions;
	u64 rx_ok_physical, rx_ok_broadcast;
	u32 rx_ok_multicast;
	u16 tx_abort, tx_underrun;
} __packed;

/**
 * struct rtl8139 - the device
 * @pci: @mmio: @bells:	its place in the machine
 * @loop:	for the timers
 * @net: @port:	the cable, and our end of it
 * @plus:	the revision says C+
 * @reg:	registers that are but memory, at their offsets
 * @published:	what the register file holds
 * @isr: @imr:	interrupts: status, mask
 * @tcr: @rcr:	transmit and receive configuration
 * @cr: @cpcr:	enabled: transmitter, receiver; and in descriptor mode
 * @tsd: @tsad: @tx_next:	ring mode: the four buffers, and the one that is next
 * @tnpds: @thpds: @rdsar:	descriptor mode: the rings
 * @tx_index: @rx_index:	next descriptor of each; [0] normal, [1] high priority
 * @dump:	DTCCR
 * @rbstart: @capr: @cbr:	ring mode: the buffer, how far it is read, how far written
 * @missed:	MPC
 * @ee_control:	9346CR
 * @timer: @timer_epoch: @timer_int:	goes off when TCTR, 0 at the epoch, is TimerInt
 * @again: @again_rings:	there is more to transmit than is done at once; on which rings
 * @eeprom: @phy: @stats:	see there
 * @tx: @rx:	a frame under construction
 */
struct rtl8139 {
	struct pci_dev pci;
	struct dev_mmio mmio;
	struct mmio_bell bells[1];
	struct evloop *loop;
	struct net net;
	struct net_port port;
	bool plus;
	u8 reg[RTL_SIZE];
	u64 published[RTL_REGFILE_SIZE / 8];
	u16 isr, imr;
	u32 tcr, rcr;
	u8 cr;
	u16 cpcr;
	u32 tsd[4], tsad[4];
	unsigned int tx_next;
	u64 tnpds, thpds, rdsar;
	unsigned int tx_index[2], rx_index;
	u64 dump;
	u32 rbstart;
	u16 capr, cbr;
	u32 missed;
	u8 ee_control;
	struct timer timer, again;
	u8 again_rings;
	u64 timer_epoch;
	u32 timer_int;
	struct rtl_eeprom eeprom;
	struct rtl_phy phy;
	struct rtl_stats stats;
	u8 tx[RTL_TX_MAX], rx[RTL_RX_MAX];
};

/* rtl8139.c */
void rtl_interrupt(struct rtl8139 *rtl, u16 causes);
void rtl_update_irq(struct rtl8139 *rtl);
void rtl_publish(struct rtl8139 *rtl);
void rtl_reset(struct rtl8139 *rtl);
void rtl_dump_stats(struct rtl8139 *rtl);
void *rtl_dma(struct rtl8139 *rtl, u64 addr, u64 size);
struct rtl_desc *rtl_desc(struct rtl8139 *rtl, u64 ring, unsigned int index);
u32 rtl_timer_now(const struct rtl8139 *rtl);
void rtl_timer_restart(struct rtl8139 *rtl);
void rtl_timer_arm(struct rtl8139 *rtl);

/* rtl8139_regs.c */
u64 rtl_read(struct rtl8139 *rtl, unsigned int off, unsigned int size);
void rtl_write(struct rtl8139 *rtl, unsigned int off, u64 val, unsigned int size);
void rtl_load_eeprom(struct rtl8139 *rtl);

/* rtl8139_rx.c */
bool rtl_rx_ready(struct net_port *port);
void rtl_rx_stalled(struct net_port *port);
void rtl_rx(struct net_port *port, const u8 *frame, unsigned int len);
u32 rtl_rx_space(const struct rtl8139 *rtl);
bool rtl_rx_empty(const struct rtl8139 *rtl);

/* rtl8139_tx.c */
void rtl_tx_buffers(struct rtl8139 *rtl);
void rtl_tx_poll(struct rtl8139 *rtl, bool high);

/* rtl8139_eeprom.c */
void rtl_eeprom_init(struct rtl_eeprom *eeprom, const u8 mac[6]);
void rtl_eeprom_set(struct rtl_eeprom *eeprom, bool select, bool clock, bool in);

/* rtl8139_phy.c */
void rtl_phy_init(struct rtl_phy *phy);
u16 rtl_phy_read(const struct rtl_phy *phy, unsigned int off);
void rtl_phy_write(struct rtl_phy *phy, unsigned int off, u16 val);
bool rtl_phy_link(const struct rtl_phy *phy);
bool rtl_phy_slow(const struct rtl_phy *phy);

#endif
