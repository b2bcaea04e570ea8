// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the network device as a hostile guest and a hostile network use it.
 *
 * The input is a list of actions: accesses to registers by memory and by ports, of any size
 * and at any offset; configuration space; guest memory, descriptors above all; frames;
 * time.  The sanitizers watch vmctl's own memory; afterwards some things must still hold.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "nic.h"
#include "soft.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define WINDOW		0x40000u	/* most addresses point in here */

/* what is left of the input; zeros when there is nothing */
struct input {
	const u8 *at, *end;
};

static u8 next8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static u16 next16(struct input *in)
{
	u16 low = next8(in);

	return low | next8(in) << 8;
}

static u32 next32(struct input *in)
{
	u32 low = next16(in);

	return low | (u32)next16(in) << 16;
}

/* an address as a guest may give it: mostly one that leads somewhere */
static u64 next_addr(struct input *in)
{
	u32 val = next32(in);

	switch (val >> 29) {
	case 0:
		return val << 3;			/* up to 4 GiB */
	case 1:
		return NIC_RAM - (val & 0xff);		/* the end of RAM */
	case 2:
		return (u64)next32(in) << 32 | val;
	default:
		return (val & (WINDOW - 1)) & ~15u;
	}
}

static void do_mmio(struct input *in, bool write)
{
	u8 off = next8(in), code = next8(in);
	u64 val = 0;
	struct access access = {
		.addr = nic.rtl->mmio.base + off, .data = (u8 *)&val, .size = 1 << (code & 3),
		.count = 1, .write = write,
	};

	if (write)
		val = code & 4 ? next_addr(in) : next32(in);
	mmio_access(&nic.mmio, &access);
}

static void do_port(struct input *in)
{
	u16 off = next16(in);
	u32 size = 1 << ((off >> 9) % 3), port = nic.rtl->pci.bar[0].base + (off & 0xff);

	if (off & 0x8000)
		port_out(&nic.ports, port, next32(in), size);
	else
		port_in(&nic.ports, port, size);
}

static void do_config(struct input *in)
{
	u8 reg = next8(in), size = 1 << (next8(in) % 3);

	port_out(&nic.ports, 0xcf8, 0x80000800 | (reg & 0xfc), 4);
	port_out(&nic.ports, 0xcfc + (reg & 3 & ~(size - 1)), next32(in), size);
	port_in(&nic.ports, 0xcfc, 4);
}

/* the guest's own memory, descriptors or packets */
static void do_poke(struct input *in)
{
	u64 gpa = next32(in) & (WINDOW - 1);
	u8 len = next8(in);

	while (len--)
		nic.mem.base[gpa++] = next8(in);
}

/* a descriptor in the ring that the device is to use next */
static void do_desc(struct input *in)
{
	struct rtl8139 *rtl = nic.rtl;
	u8 which = next8(in);
	u64 ring = which % 3 == 0 ? rtl->rdsar : which % 3 == 1 ? rtl->tnpds : rtl->thpds;

	ring &= (WINDOW - 1) & ~15u;
	nic_desc(ring, which / 3 % 64, next32(in), next32(in), next_addr(in));
}

static void do_frame(struct input *in)
{
	static u8 frame[70000];
	unsigned int i, given = next8(in), len = next16(in);

	if (next8(in) & 1)
		len %= 1600;
	memcpy(frame, nic.rtl->reg + RTL_IDR0, 6);
	for (i = 6; i < given; i++)
		frame[i] = next8(in);
	if (given & 1)
		frame[0] |= 1;
	nic_receive(frame, len);
}

static void do_posted(struct input *in)
{
	u8 code = next8(in);

	if (nic.rtl->mmio.mapped)
		soft_post(nic.rtl->mmio.ring.area.id,
			  nic.rtl->mmio.base + RTL_TSD0 + (code & 15), next32(in),
			  1 << (code >> 6), nic.rtl->mmio.ring.fd);
}

static void act(struct input *in)
{
	switch (next8(in) % 12) {
	case 0:
		do_mmio(in, false);
		break;
	case 1:
	case 2:
	case 3:
		do_mmio(in, true);
		break;
	case 4:
		do_port(in);
		break;
	case 5:
		do_config(in);
		break;
	case 6:
		do_poke(in);
		break;
	case 7:
	case 8:
		do_desc(in);
		break;
	case 9:
		do_frame(in);
		break;
	case 10:
		do_posted(in);
		break;
	case 11:
		test_advance(&nic.loop.timers, next16(in) * 1000ull);
		nic_settle();
		break;
	}
}

/* after anything */
static void check(void)
{
	struct rtl8139 *rtl = nic.rtl;
	unsigned int off;

	mmio_drain(&rtl->mmio);
	for (off = RTL_REGFILE; off < RTL_REGFILE + RTL_REGFILE_SIZE; off += 8)
		if (mmio_get_reg(&rtl->mmio, off, 8) != rtl_read(rtl, off, 8))
			abort();
	if (rtl->tx_next > 3 || rtl->tx_index[0] >= RTL_RING || rtl->tx_index[1] >= RTL_RING ||
	    rtl->rx_index >= RTL_RING || rtl->net.waiting > NET_QUEUE)
		abort();
	if (rtl->pci.intx != !!(rtl->isr & rtl->imr))
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };

	nic_create(NULL);
	nic_start(next8(&in));
	nic_out(RTL_RBSTART, 0x20000, 4);
	nic_out(RTL_TNPDS, 0x1000, 8);
	nic_out(RTL_THPDS, 0x2000, 8);
	nic_out(RTL_RDSAR, 0x3000, 8);
	while (in.at < in.end)
		act(&in);
	check();
	nic_destroy();
	return 0;
}
