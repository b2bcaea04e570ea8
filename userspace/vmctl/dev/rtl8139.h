/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RTL8139C+: a PCI Fast Ethernet controller (Realtek, RTL8139C+ datasheet, rev. 1.6).
 *
 *   rtl8139.c		the device on PCI: ranges, reset, interrupt line, routes
 *   rtl8139_regs.c	registers: which bits there are, and what a write starts
 *   rtl8139_rx.c	receive: filter, ring buffer, descriptors
 *   rtl8139_tx.c	transmit: four buffers, descriptors of two priorities
 *   rtl8139_eeprom.c	the serial EEPROM 93C46
 *   rtl8139_phy.c	the transceiver's MII registers
 *   checksum.c		checksums and TCP segments, as the chip makes them
 *
 * Everything runs under the device lock.
 */
#ifndef VMCTL_RTL8139_H
#define VMCTL_RTL8139_H

#include "../net/net.h"
#include "pci.h"

#define RTL_SIZE	256	/* of both ranges */

/**
 * struct rtl_reg_name - a register, for people
 * @off:	offset in both ranges
 * @size:	bytes
 * @name:	as the datasheet calls it; names that differ by mode have a slash
 */
struct rtl_reg_name {
	u8 off, size;
	const char *name;
};

unsigned int rtl8139_reg_names(struct rtl_reg_name *names, unsigned int max);

struct rtl8139;

struct rtl8139 *rtl8139_create(struct pci *pci, struct evloop *loop,
			       const struct net_option *option);
void rtl8139_count(const struct rtl8139 *rtl, struct net_counters *sum);

#endif
