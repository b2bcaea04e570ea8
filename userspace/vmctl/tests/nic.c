// SPDX-License-Identifier: GPL-2.0-only
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nic.h"
#include "soft.h"

struct nic nic;
const u8 nic_mac[6] = { 0x52, 0x54, 0x00, 0xab, 0xcd, 0xef };

static pthread_mutex_t nic_lock = PTHREAD_MUTEX_INITIALIZER;
static struct net_option nic_option;

static void nic_sent(struct net_backend *backend, const u8 *frame, unsigned int len)
{
	struct nic_frame *slot = &nic.sent[nic.nr_sent];

	nic.nr_sent++;
	if (nic.nr_sent > NIC_SENT || len > sizeof(slot->data))
		return;
	slot->len = len;
	memcpy(slot->data, frame, len);
}

static void nic_no_destroy(struct net_backend *backend)
{
}

/* @option as for --net; with NULL the far end is ours */
void nic_create(const char *option)
{
	memset(&soft, 0, sizeof(soft));
	memset(&nic, 0, sizeof(nic));
	if (net_option_parse(option ? option : "none,mac=52:54:00:ab:cd:ef", &nic_option) ||
	    evloop_init(&nic.loop, &nic_lock) || memory_create(&nic.mem, NIC_RAM))
		abort();
	mmio_init(&nic.mmio, &soft_accel, soft_accel.open(PAGING_AUTO), &nic.loop);
	if (pic_init(&nic.pic, &nic.ports, NULL, NULL) ||
	    pci_init(&nic.pci, &nic.ports, &nic.mmio, &nic.mem, &nic.pic))
		abort();
	nic.rtl = rtl8139_create(&nic.pci, &nic.loop, &nic_option);
	if (!nic.rtl)
		abort();
	nic.backend = (struct net_backend){ nic_sent, NULL, nic_no_destroy };
	if (!option)
		nic.rtl->net.backend = &nic.backend;
	pci_set16(&nic.rtl->pci, PCI_COMMAND,
		  PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
}

void nic_destroy(void)
{
	pci_destroy(&nic.pci);
	mmio_destroy(&nic.mmio);
	bus_destroy(&nic.ports);
	memory_destroy(&nic.mem);
	evloop_destroy(&nic.loop);
	net_option_free(&nic_option);
}

u64 nic_in(unsigned int off, unsigned int size)
{
	u64 val = 0;
	struct access access = {
		.addr = NIC_MEM + off, .data = (u8 *)&val, .size = size, .count = 1,
	};

	mmio_access(&nic.mmio, &access);
	return val;
}

void nic_out(unsigned int off, u64 val, unsigned int size)
{
	struct access access = {
		.addr = NIC_MEM + off, .data = (u8 *)&val, .size = size, .count = 1,
		.write = true,
	};

	mmio_access(&nic.mmio, &access);
}

/* a frame arrives by the cable */
void nic_receive(const void *frame, unsigned int len)
{
	net_receive(&nic.rtl->net, frame, len);
}

/* lets the main loop do what is to be done now */
void nic_settle(void)
{
	pthread_mutex_lock(&nic_lock);
	evloop_wake(&nic.loop);
	if (evloop_once(&nic.loop))
		abort();
	pthread_mutex_unlock(&nic_lock);
}

void nic_put(u64 gpa, const void *data, unsigned int len)
{
	memcpy(nic.mem.base + gpa, data, len);
}

u32 nic_get32(u64 gpa)
{
	u32 val;

	memcpy(&val, nic.mem.base + gpa, sizeof(val));
	return val;
}

void nic_put32(u64 gpa, u32 val)
{
	memcpy(nic.mem.base + gpa, &val, sizeof(val));
}

void nic_desc(u64 ring, unsigned int index, u32 status, u32 vlan, u64 addr)
{
	u64 at = ring + 16 * index;

	nic_put32(at + 4, vlan);
	nic_put32(at + 8, addr);
	nic_put32(at + 12, addr >> 32);
	nic_put32(at, status);
}

/* what a driver does before the first frame; all frames are accepted */
void nic_start(u16 cpcr)
{
	nic_out(RTL_CPCR, cpcr, 2);
	nic_out(RTL_CR, CR_RE | CR_TE, 1);
	nic_out(RTL_RCR, RCR_AAP | RCR_APM | RCR_AM | RCR_AB, 4);
	nic_out(RTL_IMR, INT_ALL, 2);
}
