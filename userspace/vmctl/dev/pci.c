// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI Local Bus Specification 2.2: a host bridge with configuration mechanism 1, one bus,
 * and the interrupt pins on two inputs of the 8259 pair.
 *
 * No firmware runs in the guest: pci_add() places a device's ranges and enables them, as
 * firmware would have.  All of this runs under the device lock, and after the start only in
 * the vCPU's thread, but for pci_set_irq() and pci_dma().
 */
#include <string.h>

#include "../msg.h"
#include "pci.h"

#define ADDRESS_ENABLE		BIT(31)
#define ADDRESS_BUS(a)		((a) >> 16 & 0xff)
#define ADDRESS_SLOT(a)		((a) >> 11 & 0x1f)
#define ADDRESS_FUNCTION(a)	((a) >> 8 & 7)
#define ADDRESS_REG(a)		((a) & 0xfc)

#define BAR_IO			BIT(0)
#define BAR_IO_FLAGS		3u
#define BAR_MEM_FLAGS		15u

#define CLASS_HOST_BRIDGE	0x0600

/* ---- configuration space ---------------------------------------------------- */

/**
 * pci_get16 - a register of 16 bits, as the guest reads it
 * @dev:	the device
 * @reg:	offset of the register
 *
 * Return: the value.
 */
u16 pci_get16(const struct pci_dev *dev, unsigned int reg)
{
	return dev->config[reg] | dev->config[reg + 1] << 8;
}

/**
 * pci_set16 - set a register of 16 bits
 * @dev:	the device
 * @reg:	offset of the register
 * @val:	what the guest will read
 */
void pci_set16(struct pci_dev *dev, unsigned int reg, u16 val)
{
	dev->config[reg] = val;
	dev->config[reg + 1] = val >> 8;
}

/**
 * pci_get32 - a register of 32 bits, as the guest reads it
 * @dev:	the device
 * @reg:	offset of the register
 *
 * Return: the value.
 */
u32 pci_get32(const struct pci_dev *dev, unsigned int reg)
{
	return pci_get16(dev, reg) | (u32)pci_get16(dev, reg + 2) << 16;
}

/**
 * pci_set32 - set a register of 32 bits
 * @dev:	the device
 * @reg:	offset of the register
 * @val:	what the guest will read
 */
void pci_set32(struct pci_dev *dev, unsigned int reg, u32 val)
{
	pci_set16(dev, reg, val);
	pci_set16(dev, reg + 2, val >> 16);
}

/**
 * pci_set_ids - what the device is
 * @dev:	zeroed, or with ranges already
 * @vendor: @device: @revision:	as they are assigned
 * @class:	base class and subclass
 */
void pci_set_ids(struct pci_dev *dev, u16 vendor, u16 device, u8 revision, u16 class)
{
	pci_set16(dev, PCI_VENDOR, vendor);
	pci_set16(dev, PCI_DEVICE, device);
	dev->config[PCI_REVISION] = revision;
	pci_set16(dev, PCI_CLASS, class);
}

/**
 * pci_set_pm - give a device the power management capability
 * @dev:	not added yet, without another capability
 * @offset:	of the capability, a multiple of 4 from 0x40 on
 *
 * Its states are D0 and D3: it decodes nothing but in D0.
 */
void pci_set_pm(struct pci_dev *dev, u8 offset)
{
	dev->pm = offset;
	dev->config[PCI_CAPABILITIES] = offset;
	pci_set16(dev, PCI_STATUS, pci_get16(dev, PCI_STATUS) | PCI_STATUS_CAP);
	dev->config[offset] = PCI_CAP_PM;
	pci_set16(dev, offset + PCI_PM_CAPS, 2);	/* PCI PM 1.1; no PME */
	dev->writable[offset + PCI_PM_CONTROL] = PCI_PM_STATE;
}

/* ---- ranges ----------------------------------------------------------------- */

static bool pci_is_on(const struct pci_dev *dev)
{
	return !dev->pm || !(dev->config[dev->pm + PCI_PM_CONTROL] & PCI_PM_STATE);
}

static bool pci_decodes(const struct pci_dev *dev, u16 what)
{
	return pci_is_on(dev) && (pci_get16(dev, PCI_COMMAND) & what);
}

static bool pci_hides_ram(const struct pci *pci, u64 base, u64 size)
{
	return base < pci->mem->low || (pci->mem->high && base + size > MEM_ABOVE_HOLE);
}

/* where the range should be now; false: nowhere */
static bool pci_bar_wanted(const struct pci_dev *dev, unsigned int i, u32 *base)
{
	const struct pci_bar *bar = &dev->bar[i];
	u32 val = pci_get32(dev, PCI_BAR0 + 4 * i);

	*base = val & -bar->size;
	if (!bar->size || !*base || *base == -bar->size)
		return false;
	if (bar->mmio)
		return pci_decodes(dev, PCI_COMMAND_MEM) &&
		       !pci_hides_ram(dev->pci, *base, bar->size);
	return pci_decodes(dev, PCI_COMMAND_IO) && (u64)*base + bar->size <= 0x10000;
}

static void pci_bar_unmap(struct pci_dev *dev, struct pci_bar *bar)
{
	if (bar->mmio)
		mmio_unmap(bar->mmio);
	else
		bus_remove(dev->pci->ports, bar->base);
	bar->mapped = false;
}

static void pci_bar_map(struct pci_dev *dev, struct pci_bar *bar, u32 base)
{
	if (bar->mmio)
		bar->mapped = !mmio_map(bar->mmio, base);
	else
		bar->mapped = !bus_add(dev->pci->ports, base, bar->size, bar->ops, dev);
	bar->base = base;
}

static void pci_unmap_moved(struct pci_dev *dev)
{
	unsigned int i;
	u32 base;

	for (i = 0; i < PCI_BARS; i++)
		if (dev->bar[i].mapped &&
		    (!pci_bar_wanted(dev, i, &base) || base != dev->bar[i].base))
			pci_bar_unmap(dev, &dev->bar[i]);
}

static void pci_map_missing(struct pci_dev *dev)
{
	unsigned int i;
	u32 base;

	for (i = 0; i < PCI_BARS; i++)
		if (!dev->bar[i].mapped && pci_bar_wanted(dev, i, &base))
			pci_bar_map(dev, &dev->bar[i], base);
}

/* brings all ranges to where they belong; one that leaves makes room for another */
static void pci_update(struct pci *pci)
{
	unsigned int i;

	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i])
			pci_unmap_moved(pci->slot[i]);
	for (i = 0; i < PCI_SLOTS; i++)
		if (pci->slot[i])
			pci_map_missing(pci->slot[i]);
}

/* ---- the ports -------------------------------------------------------------- */

/* the device that the address register names, or NULL */
static struct pci_dev *pci_selected(const struct pci *pci)
{
	u32 address = pci->address;

	if (!(address & ADDRESS_ENABLE) || ADDRESS_BUS(address) || ADDRESS_FUNCTION(address) ||
	    ADDRESS_SLOT(address) >= PCI_SLOTS)
		return NULL;
	return pci->slot[ADDRESS_SLOT(address)];
}

static void pci_config_write(struct pci_dev *dev, unsigned int reg, u64 val, unsigned int size)
{
	unsigned int i;

	for (i = reg; i < reg + size; i++, val >>= 8) {
		u8 keep = ~dev->writable[i], byte = val;

		dev->config[i] = (dev->config[i] & keep) | (byte & dev->writable[i]);
		dev->config[i] &= ~(byte & dev->clearable[i]);
	}
	pci_update(dev->pci);
	if (dev->changed)
		dev->changed(dev);
}

static bool pci_is_below(const struct pci *pci, u64 port)
{
	return pci->below.ops && port - pci->below.base < pci->below.len;
}

/* a byte that is neither the address register nor configuration data */
static u8 pci_read_below(struct pci *pci, u64 port)
{
	if (!pci_is_below(pci, port))
		return 0xff;
	return pci->below.ops->read(pci->below.dev, port - pci->below.base, 1);
}

static u64 pci_port_read(void *owner, u64 off, unsigned int size)
{
	struct pci *pci = owner;
	struct pci_dev *dev = pci_selected(pci);
	u64 val = 0;
	unsigned int i;

	if (off == 0 && size == 4)
		return pci->address;
	for (i = 0; i < size; i++) {
		u8 byte = 0xff;

		if (off + i < 4)
			byte = pci_read_below(pci, PCI_PORT + off + i);
		else if (dev)
			byte = dev->config[ADDRESS_REG(pci->address) + off + i - 4];
		val |= (u64)byte << (8 * i);
	}
	return val;
}

static void pci_port_write(void *owner, u64 off, u64 val, unsigned int size)
{
	struct pci *pci = owner;
	struct pci_dev *dev = pci_selected(pci);

	if (off == 0 && size == 4) {
		pci->address = val & ~3u;
		return;
	}
	for (; size && off < 4; off++, val >>= 8, size--)
		if (pci_is_below(pci, PCI_PORT + off))
			pci->below.ops->write(pci->below.dev, PCI_PORT + off - pci->below.base,
					      val & 0xff, 1);
	if (size && dev)
		pci_config_write(dev, ADDRESS_REG(pci->address) + off - 4, val, size);
}

static const struct bus_ops pci_port_ops = { pci_port_read, pci_port_write, 4, "pci-config" };

/* ---- interrupts ------------------------------------------------------------- */

static const u8 pci_irqs[] = { 10, 11 };

/**
 * pci_slot_irq - where an interrupt pin leads to
 * @slot:	of the device
 * @pin:	0 for INTA# to 3 for INTD#
 *
 * Return: input of the 8259 pair.
 */
unsigned int pci_slot_irq(unsigned int slot, unsigned int pin)
{
	return pci_irqs[(slot + pin) % ARRAY_SIZE(pci_irqs)];
}

/**
 * pci_set_irq - drive a device's INTA#
 * @dev:	the device
 * @high:	asserted
 *
 * Several devices may share an input: it is a level, high while one of them wants it.
 */
void pci_set_irq(struct pci_dev *dev, bool high)
{
	unsigned int i, line = pci_slot_irq(dev->slot, 0);
	struct pci *pci = dev->pci;
	struct irq irq;

	if (dev->intx == high)
		return;
	dev->intx = high;
	irq = pic_irq(pci->pic, line);
	for (i = 0; i < PCI_SLOTS && !high; i++)
		high = pci->slot[i] && pci->slot[i]->intx && pci_slot_irq(i, 0) == line;
	irq_set(&irq, high);
}

/* ---- access to memory ------------------------------------------------------- */

/**
 * pci_dma - guest RAM that a device reads or writes
 * @dev:	the device
 * @gpa:	as the guest says: any value
 * @size:	bytes
 *
 * Return: where it is; NULL: not all of it is RAM, and the transfer ended in a master
 * abort, or the device may not be bus master.
 */
void *pci_dma(struct pci_dev *dev, u64 gpa, u64 size)
{
	void *mem;

	if (!pci_decodes(dev, PCI_COMMAND_MASTER))
		return NULL;
	mem = memory_ptr(dev->pci->mem, gpa, size);
	if (!mem)
		pci_set16(dev, PCI_STATUS, pci_get16(dev, PCI_STATUS) | PCI_STATUS_MASTER_ABORT);
	return mem;
}

/* ---- devices ---------------------------------------------------------------- */

/* the next free aligned range; the guest may choose another one */
static int pci_place_bar(struct pci *pci, struct pci_dev *dev, unsigned int i)
{
	struct pci_bar *bar = &dev->bar[i];
	const struct bus *bus = bar->mmio ? &pci->mmio->bus : pci->ports;
	u32 *next = bar->mmio ? &pci->next_mem : &pci->next_io;
	u64 end = bar->mmio ? PCI_MEM_END : 0x10000, base;
	/* a page each: a guest may map one to a process without the others */
	u64 align = bar->mmio ? max_u64(bar->size, GUEST_PAGE) : bar->size;

	for (base = align_up(*next, align); base + align <= end; base += align)
		if (bus_is_free(bus, base, align))
			break;
	if (base + align > end)
		return fail("%s: no room for its %s", dev->name, bar->mmio ? "memory" : "ports");
	*next = base + align;
	pci_set32(dev, PCI_BAR0 + 4 * i, base | (bar->mmio ? 0 : BAR_IO));
	return 0;
}

static void pci_init_bar(struct pci_dev *dev, unsigned int i)
{
	const struct pci_bar *bar = &dev->bar[i];
	u32 mask = -bar->size & ~(bar->mmio ? BAR_MEM_FLAGS : BAR_IO_FLAGS);
	unsigned int byte;

	for (byte = 0; byte < 4; byte++, mask >>= 8)
		dev->writable[PCI_BAR0 + 4 * i + byte] = mask;
	dev->writable[PCI_COMMAND] |= bar->mmio ? PCI_COMMAND_MEM : PCI_COMMAND_IO;
	dev->config[PCI_COMMAND] |= bar->mmio ? PCI_COMMAND_MEM : PCI_COMMAND_IO;
}

/* what a device with ranges has besides; some bits have no effect here */
static void pci_init_master(struct pci_dev *dev)
{
	unsigned int irq = pci_slot_irq(dev->slot, 0);

	dev->writable[PCI_COMMAND] |= PCI_COMMAND_MASTER | PCI_COMMAND_INVALIDATE |
				      PCI_COMMAND_PARITY;
	dev->writable[PCI_COMMAND + 1] |= PCI_COMMAND_SERR >> 8;
	dev->clearable[PCI_STATUS + 1] |= PCI_STATUS_MASTER_ABORT >> 8;
	dev->writable[PCI_CACHE_LINE] = 0xff;
	dev->writable[PCI_LATENCY] = 0xf8;
	dev->writable[PCI_IRQ_LINE] = 0xff;
	dev->config[PCI_IRQ_LINE] = irq;
	dev->config[PCI_IRQ_PIN] = 1;
	pic_set_level(dev->pci->pic, irq);
}

static int pci_find_slot(const struct pci *pci)
{
	unsigned int slot;

	for (slot = 0; slot < PCI_SLOTS; slot++)
		if (!pci->slot[slot])
			return slot;
	return -1;
}

/**
 * pci_add - put a device on the bus
 * @pci:	the bus
 * @dev:	filled in up to @destroy; must stay until pci_remove()
 *
 * It gets the next free slot, its ranges places, and, if it has ranges, INTA#.
 *
 * Return: 0, or -1 with a message; then it is not there.
 */
int pci_add(struct pci *pci, struct pci_dev *dev)
{
	int slot = pci_find_slot(pci);
	bool ranges = false;
	unsigned int i;

	if (slot < 0)
		return fail("%s: all PCI slots are taken", dev->name);
	dev->pci = pci;
	dev->slot = slot;
	for (i = 0; i < PCI_BARS; i++) {
		if (!dev->bar[i].size)
			continue;
		if (pci_place_bar(pci, dev, i))
			return -1;
		pci_init_bar(dev, i);
		ranges = true;
	}
	if (ranges)
		pci_init_master(dev);
	pci->slot[slot] = dev;
	pci_update(pci);
	return 0;
}

/**
 * pci_remove - take a device off the bus
 * @dev:	from pci_add()
 */
void pci_remove(struct pci_dev *dev)
{
	unsigned int i;

	for (i = 0; i < PCI_BARS; i++)
		if (dev->bar[i].mapped)
			pci_bar_unmap(dev, &dev->bar[i]);
	dev->pci->slot[dev->slot] = NULL;
}

/**
 * pci_init - build the host bridge and put it on the bus
 * @pci:	out; pci_destroy() it, also after an error
 * @ports:	port bus; who is within 0xcf8 to 0xcff, as a PC's reset register is,
 *		keeps getting accesses of one byte
 * @mmio:	device memory
 * @mem:	guest RAM
 * @pic:	interrupt controllers
 *
 * Return: 0, or -1 when the ports are taken.
 */
int pci_init(struct pci *pci, struct bus *ports, struct mmio *mmio, const struct memory *mem,
	     struct pic *pic)
{
	const struct bus_range *below;
	u64 port;

	memset(pci, 0, sizeof(*pci));
	pci->ports = ports;
	pci->mmio = mmio;
	pci->mem = mem;
	pci->pic = pic;
	pci->next_mem = PCI_MEM_FIRST;
	pci->next_io = PCI_IO_FIRST;
	for (port = PCI_PORT; port < PCI_PORT + 4 && !pci->below.ops; port++) {
		below = bus_find(ports, port);
		if (!below)
			continue;
		pci->below = *below;
		bus_remove(ports, below->base);
	}
	pci->bridge.name = "host bridge";
	/* the generic host bridge of virtual machines: systems have no quirks for it */
	pci_set_ids(&pci->bridge, 0x1b36, 0x0008, 0, CLASS_HOST_BRIDGE);
	if (bus_add(ports, PCI_PORT, 8, &pci_port_ops, pci))
		return -1;
	return pci_add(pci, &pci->bridge);
}

/**
 * pci_destroy - take the bus apart
 * @pci:	from pci_init(), or zeroed; before mmio_destroy()
 */
void pci_destroy(struct pci *pci)
{
	unsigned int i;

	for (i = PCI_SLOTS; i--;)
		if (pci->slot[i] && pci->slot[i]->destroy)
			pci->slot[i]->destroy(pci->slot[i]);
}
