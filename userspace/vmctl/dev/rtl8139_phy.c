// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transceiver's registers (IEEE 802.3, clause 22), which the chip has at offsets of
 * its own.  Negotiation ends at once, with 100 Mbit/s both ways when both ends may.
 */
#include "rtl8139_impl.h"

enum {
	PHY_BMCR	= RTL_BMCR,
	PHY_BMSR	= 0x64,
	PHY_ANAR	= 0x66,
	PHY_ANLPAR	= 0x68,
	PHY_ANER	= 0x6a,
	PHY_NWAYTR	= RTL_NWAYTR,
};

#define BMCR_RESET		BIT(15)
#define BMCR_SPEED_100		BIT(13)
#define BMCR_NEGOTIATE		BIT(12)
#define BMCR_POWER_DOWN		BIT(11)
#define BMCR_RESTART		BIT(9)
#define BMCR_DUPLEX		BIT(8)
#define BMCR_WRITABLE		(BMCR_SPEED_100 | BMCR_NEGOTIATE | BMCR_POWER_DOWN | BMCR_DUPLEX)

#define BMSR_CAN		0x7809	/* 10 and 100 Mbit/s, half and full duplex; registers */
#define BMSR_DONE		BIT(5)
#define BMSR_LINK		BIT(2)

#define ANAR_SELECTOR		0x0001
#define ANAR_SPEEDS		0x01e0	/* 100 full, 100 half, 10 full, 10 half */
#define ANAR_100		0x0180
#define ANAR_PAUSE		0x0400
#define ANAR_FAULT		0x2000
#define ANAR_ACK		0x4000

/**
 * rtl_phy_init - reset the transceiver
 * @phy:	out
 */
void rtl_phy_init(struct rtl_phy *phy)
{
	*phy = (struct rtl_phy){
		.control = BMCR_SPEED_100 | BMCR_NEGOTIATE | BMCR_DUPLEX,
		.advertise = ANAR_SELECTOR | ANAR_SPEEDS | ANAR_PAUSE,
	};
}

/**
 * rtl_phy_link - is there a link
 * @phy:	the transceiver
 *
 * Return: true if frames get through.
 */
bool rtl_phy_link(const struct rtl_phy *phy)
{
	if (phy->control & BMCR_POWER_DOWN)
		return false;
	return !(phy->control & BMCR_NEGOTIATE) || (phy->advertise & ANAR_SPEEDS);
}

/**
 * rtl_phy_slow - is it one of 10 Mbit/s
 * @phy:	the transceiver
 *
 * Return: true for 10, false for 100 Mbit/s.
 */
bool rtl_phy_slow(const struct rtl_phy *phy)
{
	if (phy->control & BMCR_NEGOTIATE)
		return !(phy->advertise & ANAR_100);
	return !(phy->control & BMCR_SPEED_100);
}

/**
 * rtl_phy_read - read a register
 * @phy:	the transceiver
 * @off:	its offset in the chip
 *
 * Return: the value; 0 where there is none.
 */
u16 rtl_phy_read(const struct rtl_phy *phy, unsigned int off)
{
	bool link = rtl_phy_link(phy), done = link && (phy->control & BMCR_NEGOTIATE);

	switch (off) {
	case PHY_BMCR:
		return phy->control;
	case PHY_BMSR:
		return BMSR_CAN | (link ? BMSR_LINK : 0) | (done ? BMSR_DONE : 0);
	case PHY_ANAR:
		return phy->advertise;
	case PHY_ANLPAR:
		return done ? ANAR_SELECTOR | ANAR_SPEEDS | ANAR_PAUSE | ANAR_ACK : 0;
	case PHY_ANER:
		return done;		/* the other end can negotiate */
	case PHY_NWAYTR:
		return phy->test;
	default:
		return 0;
	}
}

/**
 * rtl_phy_write - write a register
 * @phy:	the transceiver
 * @off:	its offset in the chip
 * @val:	value; bits that cannot be written are ignored
 */
void rtl_phy_write(struct rtl_phy *phy, unsigned int off, u16 val)
{
	switch (off) {
	case PHY_BMCR:
		if (val & BMCR_RESET)
			rtl_phy_init(phy);
		else
			phy->control = val & BMCR_WRITABLE;
		break;
	case PHY_ANAR:
		phy->advertise = ANAR_SELECTOR | (val & (ANAR_SPEEDS | ANAR_PAUSE | ANAR_FAULT));
		break;
	case PHY_NWAYTR:
		phy->test = val & 0xff;
		break;
	}
}
