// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI: configuration space by every size, ranges that are sized, moved and put where they
 * must not be, interrupts that share a line, and memory that a device must not reach.
 */
#include "fixture.h"

#include <string.h>

#include "dev/pci.h"
#include "soft.h"

#define RAM_SIZE	(16 * MIB)
#define MEM0		0xf0000000u	/* where the first device's memory is at first */
#define IO0		0xc000u

static struct bus ports;
static struct mmio mmio;
static struct memory mem;
static struct pic pic;
static struct pci pci;

/* a device whose registers say who it is and what was written */
static struct card {
	struct pci_dev dev;
	struct dev_mmio mmio;
	u64 port_val, mem_val;
	unsigned int posted, changes;
} card[2];

static u64 card_port_read(void *owner, u64 off, unsigned int size)
{
	return 0x10000000u | (u32)off;
}

static void card_port_write(void *owner, u64 off, u64 val, unsigned int size)
{
	container_of(owner, struct card, dev)->port_val = val;
}

static const struct bus_ops card_ports = { card_port_read, card_port_write, 4 };

static u64 card_mem_read(struct dev_mmio *dev, u64 off, unsigned int size)
{
	return 0xca4d0000u | (u32)(container_of(dev, struct card, mmio) - card) << 12 | off;
}

static void card_mem_write(struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	struct card *c = container_of(dev, struct card, mmio);

	c->posted += off >= 0x40 && off < 0x50;
	c->mem_val = val;
}

static void card_changed(struct pci_dev *dev)
{
	container_of(dev, struct card, dev)->changes++;
}

static void card_init(struct card *c)
{
	memset(c, 0, sizeof(*c));
	c->mmio = (struct dev_mmio){
		.name = "card", .size = 256, .read = card_mem_read, .write = card_mem_write,
		.max_size = 4, .regfile = { 0x10, 8 }, .posted = { 0x40, 16 },
	};
	assert_int_equal(mmio_attach(&mmio, &c->mmio), 0);
	mmio_set_reg(&c->mmio, 0x10, 0x600d, 8);
	c->dev.name = "card";
	c->dev.changed = card_changed;
	c->dev.bar[0] = (struct pci_bar){ .size = 256, .ops = &card_ports };
	c->dev.bar[1] = (struct pci_bar){ .size = 256, .mmio = &c->mmio };
	pci_set_ids(&c->dev, 0x1234, 0x5678, 0x9a, 0x0200);
	pci_set_pm(&c->dev, 0x50);
	assert_int_equal(pci_add(&pci, &c->dev), 0);
}

static u64 reset_read(void *dev, u64 off, unsigned int size)
{
	return 0x77;
}

static u64 reset_val;

static void reset_write(void *dev, u64 off, u64 val, unsigned int size)
{
	assert_int_equal(size, 1);
	reset_val = val;
}

static const struct bus_ops reset_ops = { reset_read, reset_write, 1 };

static int setup(void **state)
{
	unsigned int i;

	memset(&soft, 0, sizeof(soft));
	mmio_init(&mmio, &soft_accel, soft_accel.open(PAGING_AUTO), NULL);
	if (memory_create(&mem, RAM_SIZE) || pic_init(&pic, &ports, NULL, NULL) ||
	    bus_add(&ports, 0xcf9, 1, &reset_ops, NULL) ||
	    pci_init(&pci, &ports, &mmio, &mem, &pic))
		return -1;
	for (i = 0; i < ARRAY_SIZE(card); i++)
		card_init(&card[i]);
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(card); i++)
		pci_remove(&card[i].dev);
	pci_destroy(&pci);
	mmio_destroy(&mmio);
	bus_destroy(&ports);
	memory_destroy(&mem);
	assert_int_equal(soft_routes(), 0);
	return 0;
}

static void select_reg(unsigned int slot, unsigned int reg)
{
	port_out(&ports, 0xcf8, 0x80000000u | slot << 11 | reg, 4);
}

static u32 config_in(unsigned int slot, unsigned int reg, unsigned int size)
{
	select_reg(slot, reg & ~3u);
	return port_in(&ports, 0xcfc + (reg & 3), size);
}

static void config_out(unsigned int slot, unsigned int reg, u32 val, unsigned int size)
{
	select_reg(slot, reg & ~3u);
	port_out(&ports, 0xcfc + (reg & 3), val, size);
}

static u32 mem_in(u64 addr)
{
	u32 val = 0;
	struct access access = { .addr = addr, .data = (u8 *)&val, .size = 4, .count = 1 };

	mmio_access(&mmio, &access);
	return val;
}

static void config_space(void **state)
{
	unsigned int slot, reg;

	assert_int_equal(config_in(0, 0, 4), 0x00081b36);
	assert_int_equal(config_in(0, 0x0a, 2), 0x0600);
	for (slot = 1; slot <= 2; slot++) {
		assert_int_equal(config_in(slot, 0, 4), 0x56781234);
		assert_int_equal(config_in(slot, 1, 1), 0x12);
		assert_int_equal(config_in(slot, 2, 2), 0x5678);
		assert_int_equal(config_in(slot, 1, 2), 0x7812);	/* not aligned */
		assert_int_equal(config_in(slot, 8, 1), 0x9a);
		assert_int_equal(config_in(slot, 0x3d, 1), 1);
		assert_int_equal(config_in(slot, 0x3c, 1), slot == 1 ? 11 : 10);
	}
	assert_int_equal(config_in(3, 0, 4), 0xffffffff);
	assert_int_equal(config_in(31, 0, 4), 0xffffffff);
	select_reg(1 | 1 << 5, 0);				/* bus 1 */
	assert_int_equal(port_in(&ports, 0xcfc, 4), 0xffffffff);
	port_out(&ports, 0xcf8, 0x80000900, 4);			/* function 1 */
	assert_int_equal(port_in(&ports, 0xcfc, 4), 0xffffffff);
	port_out(&ports, 0xcf8, 0x00000800, 4);			/* not enabled */
	assert_int_equal(port_in(&ports, 0xcfc, 4), 0xffffffff);
	assert_int_equal(port_in(&ports, 0xcf8, 4), 0x00000800);
	/* what nobody may write stays */
	for (reg = 0; reg < 256; reg += 4) {
		if (reg == 4 || (reg >= 0x0c && reg < 0x18) || reg == 0x3c || reg == 0x54)
			continue;
		slot = config_in(1, reg, 4);
		config_out(1, reg, ~slot, 4);
		assert_int_equal(config_in(1, reg, 4), slot);
	}
}

static void address_register(void **state)
{
	port_out(&ports, 0xcf8, 0x80000803, 4);
	assert_int_equal(port_in(&ports, 0xcf8, 4), 0x80000800);
	/* other sizes are not for the bridge: the reset register is among them */
	assert_int_equal(port_in(&ports, 0xcf9, 1), 0x77);
	assert_int_equal(port_in(&ports, 0xcf8, 2), 0x77ff);
	assert_int_equal(port_in(&ports, 0xcfa, 2), 0xffff);
	outb(&ports, 0xcf9, 6);
	assert_int_equal(reset_val, 6);
	outb(&ports, 0xcf8, 0x55);
	port_out(&ports, 0xcfa, 0x5555, 2);
	assert_int_equal(port_in(&ports, 0xcf8, 4), 0x80000800);
	/* over the border to the data */
	assert_int_equal(port_in(&ports, 0xcfa, 4), 0x1234ffff);
	/* and over its end */
	assert_int_equal(port_in(&ports, 0xcfe, 4), 0xffff5678);
}

static void bars_are_placed(void **state)
{
	assert_int_equal(config_in(1, 4, 2), 3);
	assert_int_equal(config_in(1, 0x10, 4), IO0 | 1);
	assert_int_equal(config_in(1, 0x14, 4), MEM0);
	assert_int_equal(config_in(1, 0x18, 4), 0);
	assert_int_equal(port_in(&ports, IO0 + 4, 4), 0x10000004);
	assert_int_equal(mem_in(MEM0 + 8), 0xca4d0008);
	assert_int_equal(mem_in(MEM0 + 0x1000 + 8), 0xca4d1008);
	/* sizes */
	config_out(1, 0x10, 0xffffffff, 4);
	assert_int_equal(config_in(1, 0x10, 4), 0xffffff01);
	config_out(1, 0x14, 0xffffffff, 4);
	assert_int_equal(config_in(1, 0x14, 4), 0xffffff00);
	config_out(1, 0x18, 0xffffffff, 4);
	assert_int_equal(config_in(1, 0x18, 4), 0);
	/* all ones is a question, not an address */
	assert_int_equal(mem_in(0xffffff00), 0xffffffff);
	assert_int_equal(mem_in(MEM0), 0xffffffff);
}

static bool routed_at(u64 gpa)
{
	unsigned int i;

	for (i = 0; i < SOFT_ROUTES; i++)
		if (soft.route[i].kind && soft.route[i].gpa == gpa)
			return true;
	return false;
}

/* a move takes the routes along, loses nothing that was posted, and keeps registers */
static void bars_move(void **state)
{
	u32 ring = card[0].mmio.ring.area.id;

	assert_true(routed_at(MEM0 + 0x10) && routed_at(MEM0 + 0x40));
	assert_true(soft_post(ring, MEM0 + 0x44, 0xabcd, 4, -1));
	config_out(1, 0x14, 0xe0000000, 4);
	assert_int_equal(card[0].posted, 1);
	assert_int_equal(card[0].mem_val, 0xabcd);
	assert_int_equal(mem_in(MEM0 + 8), 0xffffffff);
	assert_int_equal(mem_in(0xe0000008), 0xca4d0008);
	assert_int_equal(mem_in(0xe0000010), 0x600d);
	assert_false(routed_at(MEM0 + 0x10) || routed_at(MEM0 + 0x40));
	assert_true(routed_at(0xe0000010) && routed_at(0xe0000040));
	/* byte by byte it passes through other places */
	config_out(1, 0x17, 0xd0, 1);
	assert_int_equal(mem_in(0xd0000008), 0xca4d0008);
	config_out(1, 0x10, 0xd000, 4);
	assert_int_equal(port_in(&ports, 0xd004, 4), 0x10000004);
	assert_int_equal(port_in(&ports, IO0 + 4, 4), 0xffffffff);
	/* decoding off and on */
	config_out(1, 4, 0, 2);
	assert_int_equal(mem_in(0xd0000008), 0xffffffff);
	assert_int_equal(port_in(&ports, 0xd004, 4), 0xffffffff);
	assert_false(routed_at(0xd0000010));
	config_out(1, 4, 2, 2);
	assert_int_equal(mem_in(0xd0000008), 0xca4d0008);
	assert_int_equal(port_in(&ports, 0xd004, 4), 0xffffffff);
	assert_true(card[0].changes > 0);
}

static void bars_misplaced(void **state)
{
	static const u32 bad[] = { 0, 0x1000, 0xa0000, RAM_SIZE - 256, 0xffffff00 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		config_out(1, 0x14, bad[i], 4);
		assert_int_equal(config_in(1, 0x14, 4), bad[i]);
		assert_false(card[0].mmio.mapped);
		assert_false(routed_at(bad[i] + 0x10));
	}
	/* the first addresses past RAM and the last ones below 4 GiB are fine */
	config_out(1, 0x14, RAM_SIZE, 4);
	assert_int_equal(mem_in(RAM_SIZE + 8), 0xca4d0008);
	config_out(1, 0x14, 0xfffffe00, 4);
	assert_int_equal(mem_in(0xfffffe08), 0xca4d0008);
	/* 4 GiB and up cannot be said: the upper half is not there */
	config_out(1, 0x18, 1, 4);
	assert_int_equal(config_in(1, 0x18, 4), 0);
	assert_int_equal(mem_in(0xfffffe08), 0xca4d0008);
	assert_int_equal(mem_in(0x1fffffe08), 0xffffffff);
	/* ports: 0, the bridge's own, those of the interrupt controller, past 64 Ki */
	config_out(1, 0x10, 0, 4);
	assert_false(card[0].dev.bar[0].mapped);
	config_out(1, 0x10, 0x0c00, 4);
	assert_false(card[0].dev.bar[0].mapped);
	assert_int_equal(config_in(1, 0, 4), 0x56781234);
	config_out(1, 0x10, 0x400, 4);
	assert_false(card[0].dev.bar[0].mapped);
	config_out(1, 0x10, 0x10000, 4);
	assert_false(card[0].dev.bar[0].mapped);
	assert_int_equal(config_in(1, 0x10, 4), 0x10001);
	config_out(1, 0x10, 0xff00, 4);
	assert_int_equal(port_in(&ports, 0xff04, 4), 0x10000004);
}

/* RAM above 4 GiB is out of reach; 3 GiB of RAM end where the hole begins */
static void bars_above_ram(void **state)
{
	const struct memory small = mem;

	mem.low = MEM_HOLE;
	mem.high = MEM_ABOVE_HOLE;
	config_out(1, 0x14, MEM_HOLE - 256, 4);
	assert_false(card[0].mmio.mapped);
	config_out(1, 0x14, MEM_HOLE, 4);
	assert_true(card[0].mmio.mapped);
	config_out(1, 0x14, 0xfffffe00, 4);
	assert_true(card[0].mmio.mapped);
	mem = small;
}

static void bars_collide(void **state)
{
	/* who was there first stays; the other appears when that one leaves */
	config_out(2, 0x14, MEM0, 4);
	assert_int_equal(mem_in(MEM0 + 8), 0xca4d0008);
	assert_int_equal(mem_in(MEM0 + 0x1008), 0xffffffff);
	assert_false(card[1].mmio.mapped);
	config_out(1, 0x14, MEM0 + 0x100, 4);
	assert_int_equal(mem_in(MEM0 + 8), 0xca4d1008);
	assert_int_equal(mem_in(MEM0 + 0x108), 0xca4d0008);
	/* they change places */
	config_out(1, 0x14, MEM0, 4);
	assert_false(card[0].mmio.mapped);
	config_out(2, 0x14, MEM0 + 0x100, 4);
	assert_int_equal(mem_in(MEM0 + 8), 0xca4d0008);
	assert_int_equal(mem_in(MEM0 + 0x108), 0xca4d1008);
	config_out(2, 0x10, IO0, 4);
	assert_false(card[1].dev.bar[0].mapped);
	config_out(1, 4, 2, 2);
	assert_true(card[1].dev.bar[0].mapped);
}

/* a route that the module refuses: nowhere, and no trace of it */
static void bar_refused(void **state)
{
	soft.refuse_route = 2;
	config_out(1, 0x14, 0xe0000000, 4);
	assert_false(card[0].mmio.mapped);
	assert_false(routed_at(0xe0000010));
	config_out(1, 0x14, 0xe0001000, 4);
	assert_int_equal(mem_in(0xe0001008), 0xca4d0008);
}

static void power_states(void **state)
{
	assert_int_equal(config_in(1, 6, 2) & 0x10, 0x10);
	assert_int_equal(config_in(1, 0x34, 1), 0x50);
	assert_int_equal(config_in(1, 0x50, 2), 1);
	config_out(1, 4, 7, 2);
	assert_non_null(pci_dma(&card[0].dev, 0, 16));
	config_out(1, 0x54, 3, 2);
	assert_false(card[0].mmio.mapped);
	assert_null(pci_dma(&card[0].dev, 0, 16));
	config_out(1, 0x54, 0, 2);
	assert_true(card[0].mmio.mapped);
}

static void interrupts(void **state)
{
	assert_int_equal(inb(&ports, 0x4d1), 0x0c);	/* 10 and 11: levels */
	/* two devices on one line */
	card[1].dev.slot = 1;
	pci.slot[3] = &card[1].dev;
	card[1].dev.slot = 3;
	pci_set_irq(&card[0].dev, true);
	assert_int_equal(pic.chip[1].lines, 0x08);
	pci_set_irq(&card[1].dev, true);
	pci_set_irq(&card[0].dev, false);
	assert_int_equal(pic.chip[1].lines, 0x08);
	pci_set_irq(&card[1].dev, false);
	assert_int_equal(pic.chip[1].lines, 0);
	card[1].dev.slot = 2;
	pci.slot[3] = NULL;
}

static void dma(void **state)
{
	struct pci_dev *dev = &card[0].dev;

	assert_null(pci_dma(dev, 0x1000, 4096));	/* not bus master */
	assert_int_equal(config_in(1, 6, 2) & 0x2000, 0);
	config_out(1, 4, 7, 2);
	assert_ptr_equal(pci_dma(dev, 0x1000, 4096), mem.base + 0x1000);
	assert_ptr_equal(pci_dma(dev, RAM_SIZE - 1, 1), mem.base + RAM_SIZE - 1);
	assert_int_equal(config_in(1, 6, 2) & 0x2000, 0);
	assert_null(pci_dma(dev, RAM_SIZE - 1, 2));
	assert_int_equal(config_in(1, 6, 2) & 0x2000, 0x2000);
	config_out(1, 6, 0x2000, 2);
	assert_int_equal(config_in(1, 6, 2) & 0x2000, 0);
	assert_null(pci_dma(dev, RAM_SIZE, 1));
	assert_null(pci_dma(dev, MEM0, 1));
	assert_null(pci_dma(dev, MEM_ABOVE_HOLE, 1));
	assert_null(pci_dma(dev, UINT64_MAX, 1));
	assert_null(pci_dma(dev, UINT64_MAX - 3, 16));
	assert_null(pci_dma(dev, 0, UINT64_MAX));
}

/* a device that the user put where ranges go first */
static void bars_give_way(void **state)
{
	static struct card late;
	struct dev_mmio there = {
		.name = "there", .base = MEM0 + 0x2000, .size = 0x2000,
		.read = card_mem_read, .write = card_mem_write,
	};

	assert_int_equal(mmio_add(&mmio, &there), 0);
	card_init(&late);
	assert_int_equal(config_in(3, 0x14, 4), MEM0 + 0x4000);
	assert_true(late.mmio.mapped);
	pci_remove(&late.dev);
	mmio_remove(&late.mmio);
	mmio_remove(&there);
}

/* every slot taken, and no room for a range */
static void too_many(void **state)
{
	static struct pci_dev more[PCI_SLOTS];
	struct pci_dev large = {
		.name = "large", .bar[0] = { .size = 0x8000, .ops = &card_ports },
	};
	unsigned int i;

	assert_int_equal(pci_add(&pci, &large), -1);
	assert_int_equal(config_in(3, 0, 4), 0xffffffff);
	for (i = 0; i < PCI_SLOTS - 3; i++) {
		more[i] = (struct pci_dev){ .name = "more" };
		assert_int_equal(pci_add(&pci, &more[i]), 0);
	}
	more[i].name = "one too many";
	assert_int_equal(pci_add(&pci, &more[i]), -1);
	while (i--)
		pci_remove(&more[i]);
	assert_int_equal(config_in(3, 0, 4), 0xffffffff);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(config_space),
	TEST(address_register),
	TEST(bars_are_placed),
	TEST(bars_move),
	TEST(bars_misplaced),
	TEST(bars_above_ram),
	TEST(bars_collide),
	TEST(bar_refused),
	TEST(power_states),
	TEST(interrupts),
	TEST(dma),
	TEST(bars_give_way),
	TEST(too_many),
};

int main(void)
{
	test_silence();
	return test_main("pci", tests, ARRAY_SIZE(tests));
}
