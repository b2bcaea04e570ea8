/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI: the host bridge and what a device on its bus is made of.
 *
 * A base address register decodes where the guest has put it while the command register
 * says so.  These addresses decode nothing, and the guest finds what it would find
 * without the device:
 *
 * - 0, and all ones, which a guest writes to learn the size;
 * - guest RAM, or the end of the address space within the range;
 * - ports from 0x10000 on;
 * - another device's range.  Who was there first stays; the other one appears when the
 *   first goes away.
 */
#ifndef VMCTL_PCI_H
#define VMCTL_PCI_H

#include "../memory.h"
#include "mmio.h"
#include "pic.h"

#define PCI_SLOTS		8
#define PCI_BARS		6
#define PCI_PORT		0xcf8	/* address; data from 0xcfc on */

/* what firmware would hand out, and the guest is told in ACPI */
#define PCI_MEM_BASE		MEM_HOLE
#define PCI_MEM_END		0xfec00000ull
#define PCI_MEM_FIRST		0xf0000000ull
#define PCI_IO_FIRST		0xc000u

/* registers of configuration space */
#define PCI_VENDOR		0x00
#define PCI_DEVICE		0x02
#define PCI_COMMAND		0x04
#define PCI_STATUS		0x06
#define PCI_REVISION		0x08
#define PCI_CLASS		0x0a
#define PCI_CACHE_LINE		0x0c
#define PCI_LATENCY		0x0d
#define PCI_BAR0		0x10
#define PCI_SUBSYSTEM_VENDOR	0x2c
#define PCI_SUBSYSTEM		0x2e
#define PCI_CAPABILITIES	0x34
#define PCI_IRQ_LINE		0x3c
#define PCI_IRQ_PIN		0x3d

#define PCI_COMMAND_IO		BIT(0)
#define PCI_COMMAND_MEM		BIT(1)
#define PCI_COMMAND_MASTER	BIT(2)
#define PCI_COMMAND_INVALIDATE	BIT(4)
#define PCI_COMMAND_PARITY	BIT(6)
#define PCI_COMMAND_SERR	BIT(8)
#define PCI_STATUS_CAP		BIT(4)
#define PCI_STATUS_MASTER_ABORT	BIT(13)

/* power management capability: offsets in it, and its state */
#define PCI_CAP_PM		1
#define PCI_PM_CAPS		2
#define PCI_PM_CONTROL		4
#define PCI_PM_SIZE		8
#define PCI_PM_STATE		3u

struct pci;

/**
 * struct pci_bar - a range of ports or device memory that the guest places
 * @size:	bytes, a power of two from 16 on; 0: there is none
 * @mmio:	what is there in device memory, attached; NULL: it is ports
 * @ops:	what is at the ports; the device is passed
 * @mapped:	it is on a bus
 * @base:	where, while @mapped
 */
struct pci_bar {
	u32 size;
	struct dev_mmio *mmio;
	const struct bus_ops *ops;

	bool mapped;
	u32 base;
};

/**
 * struct pci_dev - a device on the bus, with one function
 * @name:	for messages
 * @bar:	its ranges
 * @config:	configuration space as the guest reads it
 * @writable:	bits the guest may write
 * @clearable:	bits the guest clears by writing 1
 * @pm:		offset of the power management capability; 0: none
 * @changed:	the guest wrote to configuration space; NULL: does not matter
 * @destroy:	called by pci_destroy()
 * @pci:	from here on pci's own: its bus
 * @slot:	where on the bus
 * @intx:	its interrupt pin is asserted
 */
struct pci_dev {
	const char *name;
	struct pci_bar bar[PCI_BARS];
	u8 config[256], writable[256], clearable[256];
	u8 pm;
	void (*changed)(struct pci_dev *dev);
	void (*destroy)(struct pci_dev *dev);

	struct pci *pci;
	unsigned int slot;
	bool intx;
};

/**
 * struct pci - the host bridge and its bus
 * @ports: @mmio: @mem:	where devices appear, and the RAM they must not hide
 * @pic:	takes the interrupts
 * @address:	configuration address register
 * @below:	who was at the ports 0xcf8 to 0xcff before: it keeps its bytes
 * @bridge:	the bridge's own configuration space
 * @slot:	devices by number
 * @next_mem: @next_io:	where the next range goes
 */
struct pci {
	struct bus *ports;
	struct mmio *mmio;
	const struct memory *mem;
	struct pic *pic;
	u32 address;
	struct bus_range below;
	struct pci_dev bridge;
	struct pci_dev *slot[PCI_SLOTS];
	u32 next_mem, next_io;
};

int pci_init(struct pci *pci, struct bus *ports, struct mmio *mmio, const struct memory *mem,
	     struct pic *pic);
void pci_destroy(struct pci *pci);
void pci_set_ids(struct pci_dev *dev, u16 vendor, u16 device, u8 revision, u16 class);
void pci_set_pm(struct pci_dev *dev, u8 offset);
int pci_add(struct pci *pci, struct pci_dev *dev);
void pci_remove(struct pci_dev *dev);
void pci_set_irq(struct pci_dev *dev, bool high);
void *pci_dma(struct pci_dev *dev, u64 gpa, u64 size);
unsigned int pci_slot_irq(unsigned int slot, unsigned int pin);

u16 pci_get16(const struct pci_dev *dev, unsigned int reg);
void pci_set16(struct pci_dev *dev, unsigned int reg, u16 val);
u32 pci_get32(const struct pci_dev *dev, unsigned int reg);
void pci_set32(struct pci_dev *dev, unsigned int reg, u32 val);

#endif
