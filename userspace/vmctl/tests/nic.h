/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network device alone: the machine around it, and a far end of the cable that keeps
 * what the device sends.
 */
#ifndef VMCTL_TEST_NIC_H
#define VMCTL_TEST_NIC_H

#include "dev/rtl8139_impl.h"

#define NIC_RAM		(16 * MIB)
#define NIC_MEM		0xf0000000ull	/* where its memory is */
#define NIC_IO		0xc000u
#define NIC_SENT	128

struct nic_frame {
	unsigned int len;
	u8 data[4096];
};

/**
 * struct nic - the device and what is around it
 * @sent: @nr_sent:	frames it sent; the oldest NIC_SENT of them are kept
 */
struct nic {
	struct bus ports;
	struct mmio mmio;
	struct memory mem;
	struct pic pic;
	struct pci pci;
	struct evloop loop;
	struct rtl8139 *rtl;
	struct net_backend backend;
	struct nic_frame sent[NIC_SENT];
	unsigned int nr_sent;
};

extern struct nic nic;
extern const u8 nic_mac[6];

void nic_create(const char *option);
void nic_destroy(void);
u64 nic_in(unsigned int off, unsigned int size);
void nic_out(unsigned int off, u64 val, unsigned int size);
void nic_receive(const void *frame, unsigned int len);
void nic_settle(void);
void nic_put(u64 gpa, const void *data, unsigned int len);
u32 nic_get32(u64 gpa);
void nic_put32(u64 gpa, u32 val);
void nic_desc(u64 ring, unsigned int index, u32 status, u32 vlan, u64 addr);
void nic_start(u16 cpcr);

#endif
