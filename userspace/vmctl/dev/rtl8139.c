// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RTL8139C+ on PCI: where it is, how it resets, its interrupt, timer and statistics.
 */
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../mark.h"
#include "../msg.h"
#include "rtl8139_impl.h"

#define PCI_CLOCK_HZ		33000000ull	/* of the timer */

#define REVISION_C		0x10
#define REVISION_C_PLUS		0x20
#define VERSION_C		0x74000000u	/* in TCR */
#define VERSION_C_PLUS		0x74800000u

#define CONFIG1_RANGES		0x0c	/* has ports and memory */
#define CONFIG1_PM		BIT(0)
#define CONFIG3_PARAMETERS	BIT(6)

#define DUMP_COMMAND		BIT(3)
#define DUMP_ALIGN		63u

/* ---- registers that the kernel answers -------------------------------------- */

/**
 * rtl_publish - bring the register file up to date, after what changed registers
 * @rtl:	the device
 */
void rtl_publish(struct rtl8139 *rtl)
{
	unsigned int i;
	u64 val;

	for (i = 0; i < ARRAY_SIZE(rtl->published); i++) {
		val = rtl_read(rtl, RTL_REGFILE + 8 * i, 8);
		if (val == rtl->published[i])
			continue;
		rtl->published[i] = val;
		mmio_set_reg(&rtl->mmio, RTL_REGFILE + 8 * i, val, 8);
	}
}

/* ---- interrupts ------------------------------------------------------------- */

/**
 * rtl_update_irq - drive the interrupt line as status and mask say
 * @rtl:	the device
 */
void rtl_update_irq(struct rtl8139 *rtl)
{
	/* who takes the interrupt finds its cause */
	rtl_publish(rtl);
	pci_set_irq(&rtl->pci, rtl->isr & rtl->imr);
}

/**
 * rtl_interrupt - something happened
 * @rtl:	the device
 * @causes:	bits of ISR
 */
void rtl_interrupt(struct rtl8139 *rtl, u16 causes)
{
	rtl->isr |= causes;
	rtl_update_irq(rtl);
}

/* ---- access to memory ------------------------------------------------------- */

/**
 * rtl_dma - guest RAM that the guest has named
 * @rtl:	the device
 * @addr:	any address
 * @size:	bytes; 0: @addr does not matter
 *
 * Return: where it is; NULL, with a system error: not all of it is RAM.
 */
void *rtl_dma(struct rtl8139 *rtl, u64 addr, u64 size)
{
	void *mem;

	/* without dual address cycles the upper half never gets on the bus */
	if (!(rtl->cpcr & CPCR_DAC))
		addr = (u32)addr;
	mem = size ? pci_dma(&rtl->pci, addr, size) : rtl;
	if (!mem)
		rtl_interrupt(rtl, INT_SERR);
	return mem;
}

/**
 * rtl_desc - a descriptor
 * @rtl:	the device
 * @ring:	address of its ring, aligned
 * @index:	its number
 *
 * Return: where it is; NULL, with a system error: not in RAM.
 */
struct rtl_desc *rtl_desc(struct rtl8139 *rtl, u64 ring, unsigned int index)
{
	return rtl_dma(rtl, ring + index * sizeof(struct rtl_desc), sizeof(struct rtl_desc));
}

/**
 * rtl_dump_stats - write the statistics to memory if DTCCR says so
 * @rtl:	the device
 */
void rtl_dump_stats(struct rtl8139 *rtl)
{
	void *to;

	if (!(rtl->dump & DUMP_COMMAND))
		return;
	rtl->dump &= ~(u64)DUMP_COMMAND;
	to = rtl_dma(rtl, rtl->dump & ~(u64)DUMP_ALIGN, sizeof(rtl->stats));
	if (to)
		memcpy(to, &rtl->stats, sizeof(rtl->stats));
}

/* ---- timer ------------------------------------------------------------------ */

/**
 * rtl_timer_now - the timer
 * @rtl:	the device
 *
 * Return: value of TCTR.
 */
u32 rtl_timer_now(const struct rtl8139 *rtl)
{
	return clock_scale(clock_now() - rtl->timer_epoch, PCI_CLOCK_HZ, NSEC_PER_SEC);
}

/**
 * rtl_timer_arm - wait until the timer is at TimerInt, unless that is 0
 * @rtl:	the device
 */
void rtl_timer_arm(struct rtl8139 *rtl)
{
	struct timer_queue *timers = &rtl->loop->timers;
	u64 now, wait;

	timer_cancel(timers, &rtl->timer);
	if (!rtl->timer_int)
		return;
	now = clock_now();
	wait = (u32)(rtl->timer_int - rtl_timer_now(rtl));
	if (!wait)
		wait = 1ull << 32;
	/* not early: the timer must be there when it is read then */
	timer_arm(timers, &rtl->timer, now + clock_scale(wait, NSEC_PER_SEC, PCI_CLOCK_HZ) + 1);
}

/**
 * rtl_timer_restart - the timer counts from 0 again
 * @rtl:	the device
 */
void rtl_timer_restart(struct rtl8139 *rtl)
{
	rtl->timer_epoch = clock_now();
	rtl_timer_arm(rtl);
}

static void rtl_timer_fire(struct timer *timer)
{
	struct rtl8139 *rtl = container_of(timer, struct rtl8139, timer);

	rtl_interrupt(rtl, INT_TIMEOUT);
	rtl_timer_arm(rtl);
}

/* ---- accesses --------------------------------------------------------------- */

static u64 rtl_mmio_read(struct dev_mmio *dev, u64 off, unsigned int size)
{
	return rtl_read(container_of(dev, struct rtl8139, mmio), off, size);
}

static void rtl_mmio_write(struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	rtl_write(container_of(dev, struct rtl8139, mmio), off, val, size);
}

static u64 rtl_port_read(void *owner, u64 off, unsigned int size)
{
	struct rtl8139 *rtl = container_of(owner, struct rtl8139, pci);

	mmio_drain(&rtl->mmio);
	return rtl_read(rtl, off, size);
}

static void rtl_port_write(void *owner, u64 off, u64 val, unsigned int size)
{
	struct rtl8139 *rtl = container_of(owner, struct rtl8139, pci);

	mmio_drain(&rtl->mmio);
	rtl_write(rtl, off, val, size);
}

static const struct bus_ops rtl_port_ops = { rtl_port_read, rtl_port_write, 4, "rtl8139" };

/* the doorbell: TxPoll with the bit of the normal ring alone */
static void rtl_ring(struct dev_mmio *dev, struct mmio_bell *bell, u64 count)
{
	struct rtl8139 *rtl = container_of(dev, struct rtl8139, mmio);

	mmio_drain(dev);
	rtl_tx_poll(rtl, false);
}

/* what was left over */
static void rtl_again(struct timer *timer)
{
	struct rtl8139 *rtl = container_of(timer, struct rtl8139, again);

	u8 rings = rtl->again_rings;

	rtl->again_rings = 0;
	if (rings & BIT(1))
		rtl_tx_poll(rtl, true);
	if (rings & BIT(0))
		rtl_tx_poll(rtl, false);
}

/* ---- life ------------------------------------------------------------------- */

/**
 * rtl_reset - as CR.RST does it: all but addresses, configuration and transceiver
 * @rtl:	the device
 */
void rtl_reset(struct rtl8139 *rtl)
{
	unsigned int i;

	timer_cancel(&rtl->loop->timers, &rtl->again);
	rtl->again_rings = 0;
	rtl->isr = 0;
	rtl->imr = 0;
	rtl->tcr = rtl->plus ? VERSION_C_PLUS : VERSION_C;
	rtl->rcr = 0;
	rtl->cr = 0;
	rtl->cpcr = 0;
	for (i = 0; i < 4; i++) {
		rtl->tsd[i] = TSD_OWN;
		rtl->tsad[i] = 0;
	}
	rtl->tx_next = 0;
	rtl->tnpds = 0;
	rtl->thpds = 0;
	rtl->rdsar = 0;
	memset(rtl->tx_index, 0, sizeof(rtl->tx_index));
	rtl->rx_index = 0;
	rtl->dump = 0;
	rtl->rbstart = 0;
	rtl->capr = -16;
	rtl->cbr = 0;
	rtl->missed = 0;
	rtl->timer_int = 0;
	rtl_timer_restart(rtl);
	rtl_update_irq(rtl);
}

static void rtl_destroy(struct pci_dev *dev)
{
	struct rtl8139 *rtl = container_of(dev, struct rtl8139, pci);

	net_destroy(&rtl->net);
	timer_cancel(&rtl->loop->timers, &rtl->timer);
	timer_cancel(&rtl->loop->timers, &rtl->again);
	pci_remove(dev);
	mmio_remove(&rtl->mmio);
	free(rtl);
}

static void rtl_init(struct rtl8139 *rtl, struct evloop *loop, const struct net_option *option)
{
	rtl->loop = loop;
	rtl->timer.fire = rtl_timer_fire;
	rtl->again.fire = rtl_again;
	rtl->port = (struct net_port){ rtl_rx_ready, rtl_rx, rtl_rx_stalled };
	rtl->plus = option->plus;
	rtl->bells[0] = (struct mmio_bell){
		RTL_TPPOLL, .size = 1, .match = true, .value = TPPOLL_NORMAL, .ring = rtl_ring,
	};
	rtl->mmio = (struct dev_mmio){
		.name = "rtl8139", .size = RTL_SIZE, .read = rtl_mmio_read,
		.write = rtl_mmio_write, .regfile = { RTL_REGFILE, RTL_REGFILE_SIZE },
		.posted = { RTL_POSTED, RTL_POSTED_SIZE },
		.bells = rtl->bells, .nr_bells = ARRAY_SIZE(rtl->bells),
	};
	rtl->pci.name = "rtl8139";
	rtl->pci.destroy = rtl_destroy;
	rtl->pci.bar[0] = (struct pci_bar){ .size = RTL_SIZE, .ops = &rtl_port_ops };
	rtl->pci.bar[1] = (struct pci_bar){ .size = RTL_SIZE, .mmio = &rtl->mmio };
	pci_set_ids(&rtl->pci, 0x10ec, 0x8139, rtl->plus ? REVISION_C_PLUS : REVISION_C, 0x0200);
	pci_set16(&rtl->pci, PCI_SUBSYSTEM_VENDOR, 0x10ec);
	pci_set16(&rtl->pci, PCI_SUBSYSTEM, 0x8139);
	pci_set_pm(&rtl->pci, 0x50);
	rtl_eeprom_init(&rtl->eeprom, option->mac);
	rtl_load_eeprom(rtl);
	rtl_phy_init(&rtl->phy);
	rtl->reg[RTL_CONFIG1] = CONFIG1_RANGES | CONFIG1_PM;
	rtl->reg[RTL_CONFIG3] = CONFIG3_PARAMETERS;
}

static void rtl_mark_registers(const struct dev_mmio *dev)
{
	struct rtl_reg_name name[RTL_SIZE];
	unsigned int i, nr;

	if (!mark_is_open())
		return;
	nr = rtl8139_reg_names(name, ARRAY_SIZE(name));
	for (i = 0; i < nr; i++)
		mark("register %s 0x%x %u %s", dev->name, name[i].off, name[i].size, name[i].name);
}

/**
 * rtl8139_create - put a network device on the bus
 * @pci:	the bus
 * @loop:	main loop
 * @option:	its address, and what its cable leads to; must stay
 *
 * Return: the device, which pci_destroy() ends; NULL with a message.
 */
struct rtl8139 *rtl8139_create(struct pci *pci, struct evloop *loop,
			       const struct net_option *option)
{
	struct rtl8139 *rtl = calloc(1, sizeof(*rtl));

	if (!rtl) {
		fail("rtl8139: out of memory");
		return NULL;
	}
	rtl_init(rtl, loop, option);
	rtl_mark_registers(&rtl->mmio);
	if (mmio_attach(pci->mmio, &rtl->mmio))
		goto out_free;
	if (pci_add(pci, &rtl->pci))
		goto out_mmio;
	rtl_reset(rtl);
	if (!net_init(&rtl->net, option, loop, &rtl->port))
		return rtl;
	rtl_destroy(&rtl->pci);
	return NULL;

out_mmio:
	mmio_remove(&rtl->mmio);
out_free:
	free(rtl);
	return NULL;
}

/**
 * rtl8139_count - add what has passed the device's cable
 * @rtl:	the device
 * @sum:	in and out
 */
void rtl8139_count(const struct rtl8139 *rtl, struct net_counters *sum)
{
	const struct net_counters *counters = &rtl->net.counters;

	sum->sent += counters->sent;
	sum->sent_bytes += counters->sent_bytes;
	sum->received += counters->received;
	sum->received_bytes += counters->received_bytes;
	sum->dropped += counters->dropped;
}
