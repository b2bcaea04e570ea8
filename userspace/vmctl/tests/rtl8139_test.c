// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RTL8139C+: registers by every size and offset, EEPROM, transceiver, timer, both
 * modes of both directions, and guests that give it nonsense.
 */
#include "fixture.h"

#include <string.h>

#include "nic.h"
#include "soft.h"

#define RING		0x10000u	/* receive ring buffer or descriptors */
#define TX_RING		0x40000u
#define HIGH_RING	0x41000u
#define BUFFER		0x50000u
#define BUFFER_SIZE	0x1000u

#define OWN		0x80000000u
#define EOR		0x40000000u
#define FS		0x20000000u
#define LS		0x10000000u
#define LARGE		0x08000000u

static int setup(void **state)
{
	nic_create(NULL);
	return 0;
}

static int teardown(void **state)
{
	nic_destroy();
	assert_int_equal(soft_routes(), 0);
	return 0;
}

static bool line(void)
{
	return nic.pic.chip[1].lines & BIT(3);	/* IRQ 11 */
}

/* a frame to the device, with bytes that tell their place */
static void make_frame(u8 *frame, const u8 *to, unsigned int len)
{
	static const u8 from[6] = { 2, 3, 4, 5, 6, 7 };
	unsigned int i;

	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	frame[12] = 0x12;
	frame[13] = 0x34;
	for (i = 14; i < len; i++)
		frame[i] = i * 7 + (i >> 8);
}

/* the check sequence, bit by bit */
static u32 slow_crc(const u8 *data, unsigned int len)
{
	u32 crc = 0xffffffff;
	unsigned int i, bit;

	for (i = 0; i < len; i++)
		for (bit = 0; bit < 8; bit++) {
			bool one = (crc ^ (u32)(data[i] >> bit)) & 1;

			crc = crc >> 1 ^ (one ? 0xedb88320 : 0);
		}
	return ~crc;
}

/* ---- registers -------------------------------------------------------------- */

static void identity(void **state)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		assert_int_equal(nic_in(i, 1), nic_mac[i]);
	assert_int_equal(nic_in(RTL_TCR, 4) & 0x7cc00000, 0x74800000);
	assert_int_equal(nic.rtl->pci.config[PCI_REVISION], 0x20);
	assert_int_equal(port_in(&nic.ports, NIC_IO, 4), nic_in(0, 4));
	/* the older chip */
	nic_destroy();
	nic_create("none,model=8139c");
	assert_int_equal(nic_in(RTL_TCR, 4) & 0x7cc00000, 0x74000000);
	assert_int_equal(nic.rtl->pci.config[PCI_REVISION], 0x10);
}

/* reads of any size say the same as reads of bytes; there is no register twice */
static void every_size(void **state)
{
	struct rtl_reg_name name[128];
	unsigned int nr = rtl8139_reg_names(name, ARRAY_SIZE(name)), off, size, i;

	assert_in_range(nr, 50, ARRAY_SIZE(name));
	for (i = 1; i < nr; i++)
		assert_true(name[i - 1].off + name[i - 1].size <= name[i].off);
	nic_out(RTL_9346CR, EE_MODE_CONFIG, 1);
	for (off = 0; off < 256; off++) {
		if (off != RTL_CR && off != RTL_9346CR && off != 0xd9)
			nic_out(off, 0x5a ^ off, 1);
		if (off == RTL_9346CR)
			continue;
	}
	for (size = 2; size <= 8; size *= 2) {
		for (off = 0; off + size <= 256; off++) {
			u64 whole = nic_in(off, size), parts = 0;

			for (i = 0; i < size; i++)
				parts |= nic_in(off + i, 1) << (8 * i);
			if (off + size > RTL_TCTR && off < RTL_TCTR + 4)
				continue;	/* it counts */
			assert_true(whole == parts);
		}
	}
}

/* writes of any size to any place: nothing bad, and the same as their bytes in memory */
static void every_write(void **state)
{
	unsigned int off, size, i;

	for (size = 1; size <= 8; size *= 2)
		for (off = 0; off + size <= 256; off++) {
			nic_out(off, UINT64_MAX, size);
			nic_out(off, 0x0123456789abcdef, size);
			nic_out(off, 0, size);
			nic_out(RTL_CR, CR_RST, 1);
		}
	for (off = 0x8c; off < 0xcc; off++)
		nic_out(off, off, 1);
	for (size = 1; size <= 8; size *= 2)
		for (off = 0x8c; off + size <= 0xcc; off++) {
			nic_out(off, 0xf0e1d2c3b4a59687, size);
			for (i = 0; i < size; i++) {
				assert_int_equal(nic_in(off + i, 1), 0x87 + i * 0x0f);
				nic_out(off + i, off + i, 1);
			}
			assert_int_equal(nic_in(off - 1, 1), off == 0x8c ? 0 : off - 1);
		}
	/* beyond the end */
	assert_int_equal(nic_in(254, 4), 0xffff0000);
}

/* what is not a register reads as 0 and stays so */
static void reserved(void **state)
{
	static const u8 holes[] = { 6, 7, 0x53, 0x5b, 0x76, 0xda, 0xdf, 0xe2, 0xed, 0xf0, 0xff };
	unsigned int i;

	for (i = 0; i < sizeof(holes); i++) {
		nic_out(holes[i], 0xff, 1);
		assert_int_equal(nic_in(holes[i], 1), 0);
	}
}

static void config_lock(void **state)
{
	nic_out(0, 0x44332211, 4);
	nic_out(RTL_CONFIG1, 0x20, 1);
	nic_out(RTL_BMCR, 0, 2);
	assert_int_equal(nic_in(0, 1), nic_mac[0]);
	assert_int_equal(nic_in(RTL_CONFIG1, 1), 0x0d);
	assert_int_equal(nic_in(RTL_BMCR, 2), 0x3100);
	nic_out(RTL_9346CR, EE_MODE_CONFIG, 1);
	nic_out(0, 0x44332211, 4);
	nic_out(4, 0x6655, 2);
	nic_out(RTL_CONFIG1, 0xff, 1);
	assert_int_equal(nic_in(0, 8), 0x665544332211);
	assert_int_equal(nic_in(RTL_CONFIG1, 1), 0xff);
	nic_out(RTL_CONFIG1, 0, 1);
	assert_int_equal(nic_in(RTL_CONFIG1, 1), 0x0c);	/* where it is does not change */
	nic_out(RTL_9346CR, 0, 1);
	nic_out(RTL_CONFIG1, 0x20, 1);
	assert_int_equal(nic_in(RTL_CONFIG1, 1), 0x0c);
	/* wake-up frames need no key: CONFIG5, and the patterns */
	nic_out(0xd8, 0xff, 1);
	assert_int_equal(nic_in(0xd8, 1), 0x7f);
	/* reset keeps all of that; auto-load brings the address back */
	nic_out(RTL_CR, CR_RST, 1);
	assert_int_equal(nic_in(RTL_CR, 1), CR_BUFE);
	assert_int_equal(nic_in(0, 8), 0x665544332211);
	nic_out(RTL_9346CR, EE_MODE_AUTOLOAD, 1);
	assert_int_equal(nic_in(RTL_9346CR, 1), 0);
	assert_int_equal(nic_in(0, 1), nic_mac[0]);
}

static void interrupts(void **state)
{
	unsigned int bit;

	nic_out(RTL_IMR, 0xffff, 2);
	assert_int_equal(nic_in(RTL_IMR, 2), INT_ALL);
	for (bit = 0; bit < 16; bit++) {
		if (!(INT_ALL & BIT(bit)))
			continue;
		nic_out(RTL_IMR, INT_ALL & ~BIT(bit), 2);
		rtl_interrupt(nic.rtl, BIT(bit));
		assert_int_equal(nic_in(RTL_ISR, 2), BIT(bit));
		assert_false(line());
		nic_out(RTL_IMR, BIT(bit), 2);
		assert_true(line());
		nic_out(RTL_ISR, INT_ALL & ~BIT(bit), 2);
		assert_true(line());
		nic_out(RTL_ISR, BIT(bit), 2);
		assert_false(line());
		assert_int_equal(nic_in(RTL_ISR, 2), 0);
	}
	/* by software; and both registers in one access */
	nic_out(RTL_IMR, INT_SWINT, 2);
	nic_out(RTL_TPPOLL, TPPOLL_SWINT, 1);
	assert_int_equal(nic_in(RTL_IMR, 4), (u32)INT_SWINT << 16 | INT_SWINT);
	assert_true(line());
	nic_out(RTL_IMR, (u32)INT_SWINT << 16 | INT_ROK, 4);
	assert_int_equal(nic_in(RTL_IMR, 4), INT_ROK);
	assert_false(line());
}

static void timer(void **state)
{
	nic_out(RTL_IMR, INT_TIMEOUT, 2);
	nic_out(RTL_TCTR, 1234, 4);
	assert_int_equal(nic_in(RTL_TCTR, 4), 0);
	test_advance(&nic.loop.timers, NSEC_PER_MSEC);
	assert_int_equal(nic_in(RTL_TCTR, 4), 33000);
	nic_out(RTL_TIMERINT, 66000, 4);
	test_advance(&nic.loop.timers, NSEC_PER_MSEC - 10);
	assert_false(line());
	test_advance(&nic.loop.timers, 11);
	assert_true(line());
	assert_int_equal(nic_in(RTL_TCTR, 4), 66000);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_TIMEOUT);
	nic_out(RTL_ISR, INT_TIMEOUT, 2);
	/* again when it has come round, 130 s later */
	test_advance(&nic.loop.timers, 130 * NSEC_PER_SEC);
	assert_false(line());
	test_advance(&nic.loop.timers, NSEC_PER_SEC);
	assert_true(line());
	nic_out(RTL_ISR, INT_TIMEOUT, 2);
	nic_out(RTL_TIMERINT, 0, 4);
	test_advance(&nic.loop.timers, 200 * NSEC_PER_SEC);
	assert_false(line());
}

/* ---- EEPROM and transceiver ------------------------------------------------- */

static unsigned int ee_clock(bool in)
{
	u8 out = EE_MODE_PROGRAM | EE_CS | (in ? EE_DI : 0);

	nic_out(RTL_9346CR, out, 1);
	nic_out(RTL_9346CR, out | EE_SK, 1);
	return nic_in(RTL_9346CR, 1) & EE_DO;
}

static void ee_send(u32 bits, unsigned int nr)
{
	nic_out(RTL_9346CR, EE_MODE_PROGRAM, 1);
	nic_out(RTL_9346CR, EE_MODE_PROGRAM | EE_CS, 1);
	while (nr--)
		ee_clock(bits >> nr & 1);
}

static u16 ee_word(void)
{
	unsigned int i;
	u16 val = 0;

	for (i = 0; i < 16; i++)
		val = val << 1 | ee_clock(false);
	return val;
}

static u16 ee_read(unsigned int addr)
{
	ee_send(6 << 6 | addr, 9);
	assert_int_equal(nic_in(RTL_9346CR, 1) & EE_DO, 0);	/* the bit before the word */
	return ee_word();
}

static void eeprom(void **state)
{
	unsigned int i;

	assert_int_equal(ee_read(0), 0x8129);
	assert_int_equal(ee_read(1), 0x10ec);
	for (i = 0; i < 3; i++)
		assert_int_equal(ee_read(7 + i), nic_mac[2 * i] | nic_mac[2 * i + 1] << 8);
	/* on and on */
	assert_int_equal(ee_read(63), 0);
	assert_int_equal(ee_word(), 0x8129);
	assert_int_equal(ee_word(), 0x10ec);
	/* with eight address bits, as for a larger one, something else comes */
	ee_send(6 << 8, 11);
	assert_int_not_equal(ee_word(), 0x8129);
	/* zeros before the start bit do not count */
	ee_send(6 << 6 | 1, 15);
	assert_int_equal(ee_word(), 0x10ec);

	ee_send((5 << 6 | 0x20) << 16 | 0xbeef, 25);		/* not enabled */
	assert_int_equal(ee_read(0x20), 0);
	ee_send(4 << 6 | 0x30, 9);				/* EWEN */
	ee_send((5 << 6 | 0x20) << 16 | 0xbeef, 25);
	assert_int_equal(ee_read(0x20), 0xbeef);
	assert_int_equal(ee_read(0x21), 0);
	ee_send((5 << 6 | 0x21) << 16 | 0xffff, 24);		/* a bit short */
	assert_int_equal(ee_read(0x21), 0);
	ee_send(7 << 6 | 0x20, 9);				/* ERASE */
	assert_int_equal(ee_read(0x20), 0xffff);
	ee_send((4 << 6 | 0x10) << 16 | 0x1234, 25);		/* WRAL */
	for (i = 0; i < 64; i++)
		assert_int_equal(ee_read(i), 0x1234);
	ee_send(4 << 6 | 0x00, 9);				/* EWDS */
	ee_send(4 << 6 | 0x20, 9);				/* ERAL */
	assert_int_equal(ee_read(5), 0x1234);
	ee_send(4 << 6 | 0x30, 9);
	ee_send(4 << 6 | 0x20, 9);
	assert_int_equal(ee_read(5), 0xffff);
	/* not while the pins are not ours */
	nic_out(RTL_9346CR, EE_CS | EE_SK, 1);
	assert_int_equal(nic_in(RTL_9346CR, 1), EE_CS | EE_SK);
}

static void transceiver(void **state)
{
	assert_int_equal(nic_in(0x64, 2), 0x782d);
	assert_int_equal(nic_in(0x66, 2) & 0x01e1, 0x01e1);
	assert_int_equal(nic_in(0x68, 2) & 0x41e1, 0x41e1);
	assert_int_equal(nic_in(RTL_MSR, 1), 0);
	nic_out(0x64, 0, 2);
	assert_int_equal(nic_in(0x64, 2), 0x782d);
	nic_out(RTL_9346CR, EE_MODE_CONFIG, 1);
	nic_out(RTL_IMR, INT_PUN, 2);
	nic_out(RTL_BMCR, 0x0800, 2);		/* power down */
	assert_true(line());
	assert_int_equal(nic_in(0x64, 2) & 0x24, 0);
	assert_int_equal(nic_in(RTL_MSR, 1) & MSR_LINKB, MSR_LINKB);
	nic_out(RTL_ISR, INT_PUN, 2);
	nic_out(RTL_BMCR, 0, 2);		/* 10 Mbit/s, by order */
	assert_true(line());
	assert_int_equal(nic_in(0x64, 2) & 0x24, 4);
	assert_int_equal(nic_in(RTL_MSR, 1), MSR_SPEED_10);
	nic_out(RTL_BMCR, 0x8000, 2);
	assert_int_equal(nic_in(RTL_BMCR, 2), 0x3100);
	nic_out(RTL_BMCR, 0x1200, 2);		/* restarts, and is done */
	assert_int_equal(nic_in(RTL_BMCR, 2), 0x1000);
	assert_int_equal(nic_in(0x64, 2), 0x782d);
	nic_out(RTL_BMCR + 1, 0x08, 1);		/* a byte of it */
	assert_int_equal(nic_in(RTL_BMCR, 2), 0x0800);
}

/* ---- receive: filter and ring mode ------------------------------------------ */

/* by polynomial division, highest bit first, as textbooks have it */
static unsigned int slow_hash(const u8 *addr)
{
	u32 crc = 0xffffffff;
	unsigned int i, bit;

	for (i = 0; i < 6; i++)
		for (bit = 0; bit < 8; bit++) {
			bool one = (crc >> 31) ^ (addr[i] >> bit & 1);

			crc = crc << 1 ^ (one ? 0x04c11db7 : 0);
		}
	return crc >> 26;
}

static bool arrives(const u8 *to)
{
	u64 before = nic.rtl->stats.rx_ok;
	u8 frame[64];

	make_frame(frame, to, sizeof(frame));
	nic_out(RTL_RBSTART, RING, 4);
	nic_receive(frame, sizeof(frame));
	return nic.rtl->stats.rx_ok != before;
}

static void filter(void **state)
{
	static const u8 all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const u8 other[6] = { 0x52, 0x54, 0, 1, 2, 3 };
	u8 group[6] = { 1, 0, 0x5e };
	unsigned int i, hash;

	nic_start(0);
	nic_out(RTL_RCR, 0, 4);
	assert_false(arrives(nic_mac) || arrives(other) || arrives(all) || arrives(group));
	nic_out(RTL_RCR, RCR_APM, 4);
	assert_true(arrives(nic_mac));
	assert_false(arrives(other) || arrives(all) || arrives(group));
	nic_out(RTL_RCR, RCR_AB, 4);
	assert_true(arrives(all));
	assert_false(arrives(nic_mac) || arrives(other) || arrives(group));
	nic_out(RTL_RCR, RCR_AAP, 4);
	assert_true(arrives(nic_mac) && arrives(other));
	assert_false(arrives(all) || arrives(group));
	nic_out(RTL_RCR, RCR_AM, 4);
	for (i = 0; i < 500; i++) {
		group[3] = i * 37;
		group[4] = i >> 3;
		group[5] = i;
		hash = slow_hash(group);
		nic_out(RTL_MAR0, hash < 32 ? BIT(hash) : 0, 4);
		nic_out(RTL_MAR0 + 4, hash < 32 ? 0 : BIT(hash - 32), 4);
		assert_true(arrives(group));
		nic_out(RTL_MAR0, ~nic_in(RTL_MAR0, 8), 8);
		assert_false(arrives(group));
	}
	assert_false(arrives(all) || arrives(nic_mac));
	/* who does not receive at all */
	nic_out(RTL_RCR, RCR_AAP, 4);
	nic_out(RTL_CR, CR_TE, 1);
	assert_false(arrives(nic_mac));
}

/* the frame at the read pointer; moves that on, as a driver does */
static unsigned int ring_frame(u8 *frame, u32 size)
{
	unsigned int at = (u16)(nic_in(RTL_CAPR, 2) + 16) & (size - 1), len, i;
	u8 header[4];

	assert_int_equal(nic_in(RTL_CR, 1) & CR_BUFE, 0);
	for (i = 0; i < 4; i++)
		header[i] = nic.mem.base[RING + (at + i) % size];
	assert_int_equal(header[0] | header[1] << 8, 0x4001);
	len = header[2] | header[3] << 8;
	for (i = 0; i < len; i++)
		frame[i] = nic.mem.base[RING + (at + 4 + i) % size];
	at = ((at + 4 + len + 3) & ~3u) & (size - 1);
	nic_out(RTL_CAPR, (u16)(at - 16), 2);
	return len;
}

static void ring_wraps(void **state)
{
	u8 frame[1514], got[2000];
	unsigned int i, len, code;

	for (code = 0; code < 4; code++) {
		u32 size = 8192 << code, crc;

		nic_start(0);
		nic_out(RTL_RCR, RCR_APM | code << 11, 4);
		nic_out(RTL_RBSTART, RING, 4);
		for (i = 0; i < 300; i++) {
			len = 14 + (i * 131) % 1501;
			make_frame(frame, nic_mac, len);
			nic_receive(frame, len);
			assert_int_equal(nic_in(RTL_ISR, 2), INT_ROK);
			nic_out(RTL_ISR, INT_ROK, 2);
			assert_int_equal(ring_frame(got, size), (len < 60 ? 60 : len) + 4);
			assert_memory_equal(got, frame, len);
			for (; len < 60; len++)
				assert_int_equal(got[len], 0);
			crc = slow_crc(got, len);
			assert_memory_equal(got + len, &crc, 4);
		}
		assert_true(nic_in(RTL_CR, 1) & CR_BUFE);
		assert_int_equal(nic.mem.base[RING + size], 0);	/* never behind its end */
	}
}

/* RCR.WRAP: the frame is whole, behind the end of the ring */
static void ring_in_one_piece(void **state)
{
	u8 frame[1000], got[2000];
	unsigned int i;

	nic_start(0);
	nic_out(RTL_RCR, RCR_APM | RCR_WRAP, 4);
	nic_out(RTL_RBSTART, RING, 4);
	make_frame(frame, nic_mac, sizeof(frame));
	for (i = 0; i < 8; i++) {
		nic_receive(frame, sizeof(frame));
		ring_frame(got, 8192);
	}
	/* eight of 1008 bytes each: the ninth crosses the end */
	assert_int_equal(nic_in(RTL_CBR, 2), 8064);
	nic_receive(frame, sizeof(frame));
	assert_memory_equal(nic.mem.base + RING + 8064 + 4, frame, sizeof(frame));
	assert_int_equal(nic_in(RTL_CBR, 2), 8064 + 1008 - 8192);
}

/*
 * As 8139too reads: 32 KiB, in one piece, a pointer that is never brought back; and 64
 * frames at a time, each acknowledged, if one was received at all.  What it
 * leaves in a full ring it must be told of again.
 */
static void ring_as_a_driver_reads(void **state)
{
	unsigned int sent, read = 0, i;
	u8 frame[1514];
	u32 at = 0;

	nic_start(0);
	nic_out(RTL_RCR, RCR_APM | RCR_WRAP | 2 << 11, 4);
	nic_out(RTL_RBSTART, RING, 4);
	nic_out(RTL_IMR, INT_ROK, 2);
	make_frame(frame, nic_mac, sizeof(frame));
	for (sent = 0; sent < 300; sent++) {
		frame[20] = sent;
		nic_receive(frame, sizeof(frame));
	}
	while (read < sent) {
		if (!line())
			test_advance(&nic.loop.timers, 2 * NSEC_PER_MSEC);
		assert_true(line());
		for (i = 0; i < 64 && !(nic_in(RTL_CR, 1) & CR_BUFE); i++) {
			assert_int_equal(nic_get32(RING + at % 32768), 0x4001 | 1518 << 16);
			assert_int_equal(nic.mem.base[RING + at % 32768 + 4 + 20], read++ & 0xff);
			at = (at + 1518 + 4 + 3) & ~3u;
			nic_out(RTL_CAPR, (u16)(at - 16), 2);
			nic_out(RTL_ISR, INT_ROK | INT_RXOVW | INT_FOVW, 2);
		}
	}
	assert_int_equal(nic_in(RTL_MPC, 4), 0);
	test_advance(&nic.loop.timers, NSEC_PER_SEC);
	assert_int_equal(nic_in(RTL_ISR, 2), 0);
}

static void ring_overflows(void **state)
{
	u8 frame[1000], got[2000];
	unsigned int i;

	nic_start(0);
	nic_out(RTL_RCR, RCR_APM, 4);
	nic_out(RTL_RBSTART, RING, 4);
	make_frame(frame, nic_mac, sizeof(frame));
	for (i = 0; i < 8; i++)
		rtl_rx(&nic.rtl->port, frame, sizeof(frame));
	assert_int_equal(nic_in(RTL_ISR, 2), INT_ROK);
	rtl_rx(&nic.rtl->port, frame, sizeof(frame));
	assert_int_equal(nic_in(RTL_ISR, 2), INT_ROK | INT_RXOVW);
	assert_int_equal(nic_in(RTL_MPC, 4), 1);
	nic_out(RTL_MPC, 0, 4);
	assert_int_equal(nic_in(RTL_MPC, 4), 0);
	nic_out(RTL_ISR, INT_RXOVW, 2);
	for (i = 0; i < 8; i++) {
		assert_int_equal(ring_frame(got, 8192), sizeof(frame) + 4);
		assert_memory_equal(got, frame, sizeof(frame));
	}
	/* reading when there is nothing */
	nic_out(RTL_CAPR, nic_in(RTL_CAPR, 2), 2);
	assert_true(nic_in(RTL_ISR, 2) & INT_PUN);
}

/* by the cable nothing is lost: frames wait until the ring is read */
static void cable_holds_back(void **state)
{
	u8 frame[1000], got[2000];
	unsigned int i;

	nic_start(0);
	nic_out(RTL_RCR, RCR_APM, 4);
	nic_out(RTL_RBSTART, RING, 4);
	for (i = 0; i < 100; i++) {
		make_frame(frame, nic_mac, sizeof(frame));
		frame[20] = i;
		nic_receive(frame, sizeof(frame));
	}
	for (i = 0; i < 100; i++) {
		ring_frame(got, 8192);
		assert_int_equal(got[20], i);
	}
	assert_int_equal(nic_in(RTL_MPC, 4), 0);
	assert_true(nic_in(RTL_CR, 1) & CR_BUFE);
	/* but not without end */
	for (i = 0; i < NET_QUEUE + 20; i++)
		nic_receive(frame, sizeof(frame));
	assert_in_range(nic.rtl->net.counters.dropped, 1, 20);
}

static void ring_nowhere(void **state)
{
	static const u32 bad[] = { NIC_RAM - 16, NIC_RAM, 0xffffff00, 0xf0000000 };
	u8 frame[100];
	unsigned int i;

	make_frame(frame, nic_mac, sizeof(frame));
	nic_start(0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		nic_out(RTL_RBSTART, bad[i], 4);
		nic_receive(frame, sizeof(frame));
		assert_int_equal(nic_in(RTL_ISR, 2), INT_SERR);
		assert_int_equal(nic_in(RTL_CBR, 2), 0);
		nic_out(RTL_ISR, INT_SERR, 2);
	}
	/* read pointers that make no sense */
	nic_out(RTL_RBSTART, RING, 4);
	for (i = 0; i < 65536; i += 77) {
		nic_out(RTL_CAPR, i, 2);
		rtl_rx(&nic.rtl->port, frame, sizeof(frame));
		assert_true(nic_in(RTL_CBR, 2) < 8192);
	}
	/* a device that may not be bus master */
	pci_set16(&nic.rtl->pci, PCI_COMMAND, PCI_COMMAND_MEM);
	nic_out(RTL_RBSTART, RING, 4);
	memset(nic.mem.base + RING, 0, 256);
	nic_receive(frame, sizeof(frame));
	assert_int_equal(nic_get32(RING), 0);
}

static void lengths(void **state)
{
	static u8 frame[70000];

	nic_start(0);
	nic_out(RTL_RBSTART, RING, 4);
	make_frame(frame, nic_mac, sizeof(frame));
	nic_receive(frame, 0);
	nic_receive(frame, 13);
	nic_receive(frame, sizeof(frame));
	assert_int_equal(nic_in(RTL_ISR, 2), 0);
	nic_receive(frame, 65535);
	nic_receive(frame, 4093);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_RER);
	assert_int_equal(nic_in(RTL_CBR, 2), 0);
	nic_receive(frame, 4092);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_RER | INT_ROK);
}

/* ---- receive: descriptors --------------------------------------------------- */

static void rx_ring(unsigned int nr, u32 size)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		nic_desc(RING, i, OWN | (i + 1 == nr ? EOR : 0) | size, 0,
			 BUFFER + i * BUFFER_SIZE);
	nic_out(RTL_RDSAR, RING, 4);
	nic_out(RTL_RDSAR + 4, 0, 4);
}

static void descriptors_receive(void **state)
{
	u8 frame[1514];
	unsigned int i, at, len;
	u32 status, crc;

	nic_start(CPCR_RX | CPCR_TX);
	rx_ring(8, 1536);
	for (i = 0; i < 50; i++) {
		at = i % 8;
		len = 60 + (i * 97) % 1455;
		make_frame(frame, nic_mac, len);
		nic_receive(frame, len);
		status = nic_get32(RING + 16 * at);
		assert_int_equal(status, FS | LS | 0x02000000 | (at == 7 ? EOR : 0) | (len + 4));
		assert_memory_equal(nic.mem.base + BUFFER + at * BUFFER_SIZE, frame, len);
		crc = slow_crc(frame, len);
		assert_int_equal(nic_get32(BUFFER + at * BUFFER_SIZE + len), crc);
		assert_int_equal(nic_in(RTL_ISR, 2), INT_ROK);
		nic_out(RTL_ISR, INT_ROK, 2);
		nic_put32(RING + 16 * at, OWN | (at == 7 ? EOR : 0) | 1536);
	}
	/* no descriptor */
	nic_put32(RING + 16 * (i % 8), 0);
	rtl_rx(&nic.rtl->port, frame, 100);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_RXOVW);
	assert_int_equal(nic_in(RTL_MPC, 4), 1);
	assert_int_equal(nic_get32(RING + 16 * (i % 8)), 0);
}

/* 8139cp with its largest MTU, 4096, takes frames of 4110 bytes; a descriptor tells 8191 */
static void descriptors_receive_long(void **state)
{
	static const unsigned int lens[] = { 4093, 4110, 8187 };
	static u8 frame[8188];
	unsigned int i;
	u32 crc;

	make_frame(frame, nic_mac, sizeof(frame));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		nic_start(CPCR_RX);
		nic_desc(RING, 0, OWN | EOR | 0x1fff, 0, BUFFER);
		nic_out(RTL_RDSAR, RING, 4);
		nic_out(RTL_RDSAR + 4, 0, 4);
		nic_receive(frame, lens[i]);
		assert_int_equal(nic_in(RTL_ISR, 2), INT_ROK);
		assert_int_equal(nic_get32(RING), FS | LS | 0x02000000 | EOR | (lens[i] + 4));
		assert_memory_equal(nic.mem.base + BUFFER, frame, lens[i]);
		crc = slow_crc(frame, lens[i]);
		assert_memory_equal(nic.mem.base + BUFFER + lens[i], &crc, 4);
		nic_destroy();
		nic_create("none");
	}
	nic_start(CPCR_RX);
	nic_desc(RING, 0, OWN | EOR | 0x1fff, 0, BUFFER);
	nic_out(RTL_RDSAR, RING, 4);
	nic_receive(frame, 8188);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_RER);
	assert_true(nic_get32(RING) & OWN);
}

/* a driver that waits to be told that there is no descriptor: no frame is lost */
static void descriptors_run_out(void **state)
{
	u8 frame[100];

	nic_start(CPCR_RX);
	rx_ring(1, 1536);
	nic_put32(RING, EOR | 1536);
	make_frame(frame, nic_mac, sizeof(frame));
	nic_receive(frame, sizeof(frame));
	assert_int_equal(nic_in(RTL_ISR, 2), 0);
	test_advance(&nic.loop.timers, 2 * NSEC_PER_MSEC);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_RXOVW);
	nic_put32(RING, OWN | EOR | 1536);
	test_advance(&nic.loop.timers, 2 * NSEC_PER_MSEC);
	assert_true(nic_in(RTL_ISR, 2) & INT_ROK);
	assert_int_equal(nic_get32(RING) & OWN, 0);
	assert_int_equal(nic_in(RTL_MPC, 4), 0);
}

static void descriptors_in_pieces(void **state)
{
	u8 frame[1000];
	unsigned int i;

	nic_start(CPCR_RX);
	rx_ring(16, 128);
	make_frame(frame, nic_mac, sizeof(frame));
	nic_receive(frame, sizeof(frame));
	for (i = 0; i < 8; i++) {
		u32 want = i ? 0 : FS;

		want |= i == 7 ? LS | 1004 : 128;
		assert_int_equal(nic_get32(RING + 16 * i), want | 0x02000000);
		assert_memory_equal(nic.mem.base + BUFFER + i * BUFFER_SIZE, frame + 128 * i,
				    i == 7 ? 104 : 128);
	}
	/* the ring ends before the frame does: it is as if it had not come */
	nic_put32(RING + 16 * 12, 128);
	rtl_rx(&nic.rtl->port, frame, sizeof(frame));
	assert_int_equal(nic_get32(RING + 16 * 8), OWN | 128);
	assert_true(nic_in(RTL_ISR, 2) & INT_RXOVW);
}

/* rings without an end, without room, out of memory, on top of their buffers */
static void descriptors_bad(void **state)
{
	u8 frame[1000];
	unsigned int i;

	make_frame(frame, nic_mac, sizeof(frame));
	nic_start(CPCR_RX | CPCR_DAC);
	for (i = 0; i < 70; i++)
		nic_desc(RING, i, OWN | 2000, 0, BUFFER);
	nic_out(RTL_RDSAR, RING, 8);
	for (i = 0; i < 64; i++)
		rtl_rx(&nic.rtl->port, frame, 100);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_ROK);
	rtl_rx(&nic.rtl->port, frame, 100);	/* the 65th is the first again */
	assert_int_equal(nic_in(RTL_ISR, 2), INT_ROK | INT_RXOVW);
	assert_int_equal(nic_get32(RING + 16 * 64), OWN | 2000);

	nic_out(RTL_ISR, INT_ALL, 2);
	nic_desc(RING, 0, OWN | EOR, 0, BUFFER);	/* no room, for ever */
	nic_out(RTL_RDSAR, RING, 8);
	rtl_rx(&nic.rtl->port, frame, 100);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_RXOVW);
	assert_int_equal(nic_get32(RING), OWN | EOR);

	nic_out(RTL_ISR, INT_ALL, 2);
	nic_desc(RING, 0, OWN | 2000, 0, NIC_RAM - 50);
	rtl_rx(&nic.rtl->port, frame, 100);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_SERR);
	assert_int_equal(nic_get32(RING), OWN | 2000);
	nic_desc(RING, 0, OWN | 2000, 0, 0x100000000 | BUFFER);
	rtl_rx(&nic.rtl->port, frame, 100);
	assert_int_equal(nic_get32(RING), OWN | 2000);
	/* without dual address cycles that is BUFFER */
	nic_out(RTL_CPCR, CPCR_RX, 2);
	rtl_rx(&nic.rtl->port, frame, 100);
	assert_int_equal(nic_get32(RING) & OWN, 0);

	nic_out(RTL_ISR, INT_ALL, 2);
	nic_out(RTL_RDSAR, NIC_RAM, 4);
	rtl_rx(&nic.rtl->port, frame, 100);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_SERR);
	assert_true(pci_get16(&nic.rtl->pci, PCI_STATUS) & PCI_STATUS_MASTER_ABORT);
	nic_out(RTL_RDSAR, UINT64_MAX, 8);
	nic_out(RTL_CPCR, CPCR_RX | CPCR_DAC, 2);
	rtl_rx(&nic.rtl->port, frame, 100);

	/* the buffer is the ring: what is read once is what counts */
	for (i = 0; i < 64; i++)
		nic_desc(RING, i, OWN | 64, 0, RING + 16 * i);
	nic_out(RTL_RDSAR, RING, 8);
	for (i = 0; i < 100; i++)
		rtl_rx(&nic.rtl->port, frame, sizeof(frame));
}

/* ---- checksums -------------------------------------------------------------- */

/* one's complement sum over 16-bit words, the slow way */
static u16 slow_sum(const u8 *data, unsigned int len, u32 sum)
{
	unsigned int i;

	for (i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : data[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

#define TCP	6
#define UDP	17

/* an IPv4 packet; all checksums right */
static void make_packet(u8 *frame, unsigned int proto, unsigned int len, unsigned int options)
{
	u8 *ip = frame + 14, *data = ip + 20 + options;
	unsigned int total = len - 14, bytes = total - 20 - options, at = proto == TCP ? 16 : 6;
	u16 sum;

	make_frame(frame, nic_mac, len);
	frame[12] = 8;
	frame[13] = 0;
	ip[0] = 0x45 + options / 4;
	ip[2] = total >> 8;
	ip[3] = total;
	ip[6] = 0x40;
	ip[7] = 0;
	ip[9] = proto;
	ip[10] = 0;
	ip[11] = 0;
	sum = ~slow_sum(ip, 20 + options, 0);
	ip[10] = sum >> 8;
	ip[11] = sum;
	if (proto != TCP && proto != UDP)
		return;
	data[12] = 0x50;
	data[at] = 0;
	data[at + 1] = 0;
	if (proto == UDP) {
		data[4] = bytes >> 8;
		data[5] = bytes;
	}
	sum = ~slow_sum(data, bytes, slow_sum(ip + 12, 8, proto + bytes));
	data[at] = sum >> 8;
	data[at + 1] = sum;
}

/* status bits that the frame gets: protocol and failures */
static u32 rx_verdict(const u8 *frame, unsigned int len)
{
	rx_ring(1, 2000);
	nic_receive(frame, len);
	return nic_get32(RING) & 0x0003e000;
}

static void checksums_received(void **state)
{
	u8 frame[1514];
	unsigned int len, options;

	nic_start(CPCR_RX | CPCR_RX_CHECKSUM);
	for (options = 0; options <= 40; options += 4) {
		for (len = 100; len < 1514; len += 113) {
			make_packet(frame, TCP, len, options);
			assert_int_equal(rx_verdict(frame, len), 1 << 16);
			frame[len - 1] ^= 0x10;
			assert_int_equal(rx_verdict(frame, len), 1 << 16 | 1 << 13);
			make_packet(frame, UDP, len, options);
			assert_int_equal(rx_verdict(frame, len), 2 << 16);
			frame[len - 1] ^= 0x10;
			assert_int_equal(rx_verdict(frame, len), 2 << 16 | 1 << 14);
			frame[14 + 20 + options + 6] = 0;	/* UDP without */
			frame[14 + 20 + options + 7] = 0;
			assert_int_equal(rx_verdict(frame, len), 2 << 16);
			frame[14 + 8] ^= 1;
			assert_int_equal(rx_verdict(frame, len), 2 << 16 | 1 << 15);
			make_packet(frame, 1, len, options);
			assert_int_equal(rx_verdict(frame, len), 3 << 16);
		}
	}
	make_packet(frame, TCP, 100, 0);
	frame[14 + 6] = 0x20;		/* a fragment */
	assert_int_equal(rx_verdict(frame, 100), 3 << 16 | 1 << 15);
	make_packet(frame, TCP, 100, 0);
	frame[14] = 0x44;		/* headers that are no headers */
	assert_int_equal(rx_verdict(frame, 100), 0);
	frame[14] = 0x4f;
	frame[17] = 40;
	assert_int_equal(rx_verdict(frame, 100), 0);
	frame[14] = 0x65;
	assert_int_equal(rx_verdict(frame, 100), 0);
	make_packet(frame, TCP, 100, 0);
	frame[16] = 1;			/* longer than the frame */
	assert_int_equal(rx_verdict(frame, 100), 0);
	make_packet(frame, TCP, 100, 0);
	frame[12] = 0x86;
	assert_int_equal(rx_verdict(frame, 100), 0);
	nic_out(RTL_CPCR, CPCR_RX, 2);
	make_packet(frame, TCP, 100, 0);
	assert_int_equal(rx_verdict(frame, 100), 0);
}

static void vlan_received(void **state)
{
	u8 frame[100], tagged[104];

	make_packet(frame, UDP, sizeof(frame), 0);
	memcpy(tagged, frame, 12);
	memcpy(tagged + 12, "\x81\x00\xa1\x23", 4);
	memcpy(tagged + 16, frame + 12, sizeof(frame) - 12);
	nic_start(CPCR_RX | CPCR_RX_VLAN | CPCR_RX_CHECKSUM);
	assert_int_equal(rx_verdict(tagged, sizeof(tagged)), 2 << 16);
	assert_int_equal(nic_get32(RING + 4), 0x10000 | 0x23a1);
	assert_int_equal(nic_get32(RING) & 0x1fff, sizeof(frame) + 4);
	assert_memory_equal(nic.mem.base + BUFFER, frame, sizeof(frame));
	assert_int_equal(rx_verdict(frame, sizeof(frame)), 2 << 16);
	assert_int_equal(nic_get32(RING + 4), 0);
	nic_out(RTL_CPCR, CPCR_RX, 2);
	rx_verdict(tagged, sizeof(tagged));
	assert_int_equal(nic_get32(RING + 4), 0);
	assert_memory_equal(nic.mem.base + BUFFER, tagged, sizeof(tagged));
}

/* ---- transmit: ring mode ---------------------------------------------------- */

static void buffers_send(void **state)
{
	u8 frame[1514];
	unsigned int i, at, len;

	nic_start(0);
	for (i = 0; i < 50; i++) {
		at = i % 4;
		len = 60 + i * 29;
		make_frame(frame, nic_mac, len);
		nic_put(BUFFER + at * BUFFER_SIZE, frame, len);
		nic_out(RTL_TSAD0 + 4 * at, BUFFER + at * BUFFER_SIZE, 4);
		nic_out(RTL_TSD0 + 4 * at, 0x80000 | len, 4);
		assert_int_equal(nic_in(RTL_TSD0 + 4 * at, 4), 0x8a000 | len);
		assert_int_equal(nic_in(RTL_ISR, 2), INT_TOK);
		nic_out(RTL_ISR, INT_TOK, 2);
		assert_int_equal(nic.nr_sent, i + 1);
		assert_int_equal(nic.sent[i].len, len);
		assert_memory_equal(nic.sent[i].data, frame, len);
	}
	assert_int_equal(nic_in(RTL_TSAD, 2), 0xf00f);
}

/* out of order they wait for those before them; without a transmitter, for that */
static void buffers_in_order(void **state)
{
	unsigned int i;

	nic_start(0);
	for (i = 0; i < 4; i++) {
		nic.mem.base[BUFFER + i * BUFFER_SIZE] = i;
		nic_out(RTL_TSAD0 + 4 * i, BUFFER + i * BUFFER_SIZE, 4);
	}
	nic_out(RTL_TSD0 + 4, 60, 4);
	nic_out(RTL_TSD0 + 8, 60, 4);
	assert_int_equal(nic.nr_sent, 0);
	assert_int_equal(nic_in(RTL_TSAD, 2) & 15, 9);
	nic_out(RTL_TSD0, 60, 4);
	assert_int_equal(nic.nr_sent, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(nic.sent[i].data[0], i);
	nic_out(RTL_CR, 0, 1);
	nic_out(RTL_TSD0 + 12, 60, 4);
	assert_int_equal(nic.nr_sent, 3);
	nic_out(RTL_CR, CR_TE, 1);
	assert_int_equal(nic.nr_sent, 4);
	assert_int_equal(nic.sent[3].data[0], 3);
	/* software has appended the check sequence */
	nic_out(RTL_TCR, TCR_CRC, 4);
	nic_out(RTL_TSD0, 104, 4);
	assert_int_equal(nic.sent[4].len, 100);
}

static void buffers_bad(void **state)
{
	static const struct { u32 size, addr; u16 isr; } bad[] = {
		{ 0, BUFFER, INT_TER }, { 1793, BUFFER, INT_TER }, { 8191, BUFFER, INT_TER },
		{ 100, NIC_RAM - 99, INT_TER | INT_SERR }, { 100, 0xffffffff, INT_TER | INT_SERR },
	};
	unsigned int i;

	nic_start(0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		nic_out(RTL_TSAD0 + i % 4 * 4, bad[i].addr, 4);
		nic_out(RTL_TSD0 + i % 4 * 4, bad[i].size, 4);
		assert_int_equal(nic_in(RTL_TSD0 + i % 4 * 4, 4), 0x40002000 | bad[i].size);
		assert_int_equal(nic_in(RTL_ISR, 2), bad[i].isr);
		nic_out(RTL_ISR, INT_ALL, 2);
	}
	nic_out(RTL_TSAD0 + 4, BUFFER, 4);
	nic_out(RTL_TSD0 + 4, 8, 4);	/* not even a header: nothing goes out */
	assert_int_equal(nic.nr_sent, 0);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_TOK);
	nic_out(RTL_TSAD0 + 8, BUFFER, 4);
	nic_out(RTL_TSD0 + 8, 14, 4);
	assert_int_equal(nic.sent[0].len, 60);
}

static void loopback(void **state)
{
	u8 frame[200], got[2000];

	nic_start(0);
	nic_out(RTL_RCR, RCR_APM, 4);
	nic_out(RTL_RBSTART, RING, 4);
	nic_out(RTL_TCR, TCR_LOOPBACK, 4);
	make_frame(frame, nic_mac, sizeof(frame));
	nic_put(BUFFER, frame, sizeof(frame));
	nic_out(RTL_TSAD0, BUFFER, 4);
	nic_out(RTL_TSD0, sizeof(frame), 4);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_TOK | INT_ROK);
	assert_int_equal(nic.nr_sent, 0);
	assert_int_equal(ring_frame(got, 8192), sizeof(frame) + 4);
	assert_memory_equal(got, frame, sizeof(frame));
}

/* ---- transmit: descriptors -------------------------------------------------- */

static void tx_start(void)
{
	nic_start(CPCR_TX | CPCR_RX);
	nic_out(RTL_TNPDS, TX_RING, 4);
	nic_out(RTL_TNPDS + 4, 0, 4);
	nic_out(RTL_THPDS, HIGH_RING, 4);
	nic_out(RTL_THPDS + 4, 0, 4);
}

static void tx_poll(void)
{
	nic_out(RTL_TPPOLL, TPPOLL_NORMAL, 1);
	nic_settle();
}

static void descriptors_send(void **state)
{
	u8 frame[1514];
	unsigned int i, at, len;
	u32 eor;

	tx_start();
	for (i = 0; i < 40; i++) {
		at = i % 4;
		eor = at == 3 ? EOR : 0;
		len = 20 + i * 37;
		make_frame(frame, nic_mac, len);
		nic_put(BUFFER + at * BUFFER_SIZE, frame, len);
		nic_desc(TX_RING, at, OWN | FS | LS | eor | len, 0, BUFFER + at * BUFFER_SIZE);
		tx_poll();
		assert_int_equal(nic_get32(TX_RING + 16 * at), FS | LS | eor);
		assert_int_equal(nic_in(RTL_ISR, 2), INT_TOK | INT_TDU);
		nic_out(RTL_ISR, INT_ALL, 2);
		assert_int_equal(nic.nr_sent, i + 1);
		assert_int_equal(nic.sent[i].len, len < 60 ? 60 : len);
		assert_memory_equal(nic.sent[i].data, frame, len);
	}
}

static void descriptors_of_both_priorities(void **state)
{
	unsigned int i;

	tx_start();
	for (i = 0; i < 3; i++) {
		nic.mem.base[BUFFER + 64 * i] = 0x10 + i;
		nic.mem.base[BUFFER + 0x1000 + 64 * i] = 0x20 + i;
		nic_desc(TX_RING, i, OWN | FS | LS | 60, 0, BUFFER + 64 * i);
		nic_desc(HIGH_RING, i, OWN | FS | LS | 60, 0, BUFFER + 0x1000 + 64 * i);
	}
	nic_out(RTL_TPPOLL, TPPOLL_NORMAL | TPPOLL_HIGH, 1);
	assert_int_equal(nic.nr_sent, 6);
	for (i = 0; i < 6; i++)
		assert_int_equal(nic.sent[i].data[0], i < 3 ? 0x20 + i : 0x10 + i - 3);
	assert_int_equal(nic_in(RTL_TPPOLL, 1), 0);
}

static void descriptors_join(void **state)
{
	u8 frame[1200];
	unsigned int i;

	tx_start();
	make_frame(frame, nic_mac, sizeof(frame));
	nic_put(BUFFER, frame, sizeof(frame));
	/* the last of three comes later; one is empty */
	nic_desc(TX_RING, 0, OWN | FS | 500, 0, BUFFER);
	nic_desc(TX_RING, 1, OWN | 0, 0, 0xffffffff);
	tx_poll();
	assert_int_equal(nic.nr_sent, 0);
	assert_int_equal(nic_get32(TX_RING), OWN | FS | 500);
	nic_desc(TX_RING, 2, OWN | LS | 700, 0, BUFFER + 500);
	tx_poll();
	assert_int_equal(nic.nr_sent, 1);
	assert_int_equal(nic.sent[0].len, sizeof(frame));
	assert_memory_equal(nic.sent[0].data, frame, sizeof(frame));
	for (i = 0; i < 3; i++)
		assert_int_equal(nic_get32(TX_RING + 16 * i) & OWN, 0);
}

static void descriptors_send_bad(void **state)
{
	unsigned int i;

	tx_start();
	/* no end: all 64 of them go back, nothing goes out */
	for (i = 0; i < 70; i++)
		nic_desc(TX_RING, i, OWN | FS | 60, 0, BUFFER);
	tx_poll();
	assert_int_equal(nic.nr_sent, 0);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_TER | INT_TDU);
	for (i = 0; i < 64; i++)
		assert_int_equal(nic_get32(TX_RING + 16 * i), FS | 0x00800000);
	assert_int_equal(nic_get32(TX_RING + 16 * 64), OWN | FS | 60);
	/* one that points to itself */
	nic_out(RTL_ISR, INT_ALL, 2);
	nic_desc(TX_RING, 0, OWN | EOR | FS | 60, 0, BUFFER);
	tx_poll();
	assert_int_equal(nic_in(RTL_ISR, 2), INT_TER | INT_TDU);
	/* no beginning, no byte, too many bytes, bytes that are not there */
	nic_out(RTL_TNPDS, TX_RING, 4);
	nic_desc(TX_RING, 0, OWN | LS | 60, 0, BUFFER);
	nic_desc(TX_RING, 1, OWN | FS | LS | 0, 0, BUFFER);
	nic_desc(TX_RING, 2, OWN | FS | 0xffff, 0, BUFFER);
	nic_desc(TX_RING, 3, OWN | LS | 0xffff, 0, BUFFER);
	nic_desc(TX_RING, 4, OWN | FS | LS | 100, 0, NIC_RAM - 99);
	nic_desc(TX_RING, 5, OWN | FS | LS | EOR | 65535, 0, BUFFER);
	nic_out(RTL_ISR, INT_ALL, 2);
	tx_poll();
	assert_int_equal(nic_in(RTL_ISR, 2), INT_TER | INT_TDU | INT_SERR | INT_TOK);
	for (i = 0; i < 5; i++)
		assert_int_equal(nic_get32(TX_RING + 16 * i) & (OWN | 0x00800000), 0x00800000);
	assert_int_equal(nic_get32(TX_RING + 16 * 5), FS | LS | EOR);
	assert_int_equal(nic.nr_sent, 1);	/* the last one, longest of all */
	/* a ring that is not there */
	nic_out(RTL_ISR, INT_ALL, 2);
	nic_out(RTL_TNPDS, 0xff000000, 4);
	tx_poll();
	assert_int_equal(nic_in(RTL_ISR, 2), INT_SERR);
	/* not enabled */
	nic_out(RTL_ISR, INT_ALL, 2);
	nic_out(RTL_CPCR, CPCR_RX, 2);
	tx_poll();
	assert_int_equal(nic_in(RTL_ISR, 2), 0);
}

/* another CPU that gives descriptors back as fast as they are sent: always the other one */
static void give_back(struct net_backend *backend, const u8 *frame, unsigned int len)
{
	bool other = !(nic.nr_sent++ % 2);

	nic_put32(TX_RING + 16 * other, OWN | FS | LS | (other ? EOR : 0) | 60);
}

/* there is an end to it; then others have their turn, and it goes on */
static void tx_is_bounded(void **state)
{
	nic.backend.send = give_back;
	tx_start();
	nic_desc(TX_RING, 0, OWN | FS | LS | 60, 0, BUFFER);
	nic_desc(TX_RING, 1, EOR, 0, BUFFER);
	nic_out(RTL_TPPOLL, TPPOLL_NORMAL | TPPOLL_SWINT, 1);
	assert_int_equal(nic.nr_sent, 128);
	test_advance(&nic.loop.timers, 25000);
	assert_int_equal(nic.nr_sent, 3 * 128);
	/* a reset ends it */
	nic_out(RTL_CR, CR_RST, 1);
	nic.nr_sent = 0;
	test_advance(&nic.loop.timers, 25000);
	assert_int_equal(nic.nr_sent, 0);
}

static void checksums_sent(void **state)
{
	u8 frame[1514], sent[1514];
	unsigned int len, options, proto;

	tx_start();
	for (proto = TCP; proto <= UDP; proto += UDP - TCP) {
		for (options = 0; options <= 40; options += 20) {
			for (len = 100; len < 1514; len += 201) {
				make_packet(frame, proto, len, options);
				memcpy(sent, frame, len);
				/* what the driver leaves there does not matter */
				sent[14 + 10] = 0xde;
				sent[14 + 20 + options + (proto == TCP ? 17 : 7)] ^= 0x5a;
				nic_put(BUFFER, sent, len);
				nic_desc(TX_RING, 0, OWN | EOR | FS | LS | BIT(18) |
					 (proto == TCP ? BIT(16) : BIT(17)) | len, 0, BUFFER);
				nic.nr_sent = 0;
				tx_poll();
				assert_int_equal(nic.nr_sent, 1);
				assert_memory_equal(nic.sent[0].data, frame, len);
				/* not asked for */
				nic_put32(TX_RING, OWN | EOR | FS | LS | len);
				tx_poll();
				assert_memory_equal(nic.sent[1].data, sent, len);
			}
		}
	}
	/* UDP whose sum is 0 says 0xffff */
	make_packet(frame, UDP, 60, 0);
	frame[58] = 0;
	frame[59] = 0;
	frame[40] = 0;
	frame[41] = 0;
	len = (u16)~slow_sum(frame + 34, 26, slow_sum(frame + 26, 8, UDP + 26));
	frame[58] = len >> 8;
	frame[59] = len;
	nic_put(BUFFER, frame, 60);
	nic_desc(TX_RING, 0, OWN | EOR | FS | LS | BIT(17) | 60, 0, BUFFER);
	nic.nr_sent = 0;
	tx_poll();
	assert_int_equal(nic.sent[0].data[40] << 8 | nic.sent[0].data[41], 0xffff);
}

static void vlan_sent(void **state)
{
	u8 frame[100];

	tx_start();
	make_packet(frame, TCP, sizeof(frame), 0);
	nic_put(BUFFER, frame, sizeof(frame));
	nic_desc(TX_RING, 0, OWN | EOR | FS | LS | sizeof(frame), 0x20000 | 0x23a1, BUFFER);
	tx_poll();
	assert_int_equal(nic.sent[0].len, sizeof(frame) + 4);
	assert_memory_equal(nic.sent[0].data, frame, 12);
	assert_memory_equal(nic.sent[0].data + 12, "\x81\x00\xa1\x23", 4);
	assert_memory_equal(nic.sent[0].data + 16, frame + 12, sizeof(frame) - 12);
}

static unsigned int be16(const u8 *at)
{
	return at[0] << 8 | at[1];
}

/* each segment is a packet of its own, right in all its sums; together they are the data */
static void large_send(void **state)
{
	static u8 frame[40000];
	unsigned int i, at = 54, data;
	const u8 *ip, *tcp;

	tx_start();
	make_packet(frame, TCP, sizeof(frame), 0);
	memcpy(frame + 38, "\xff\xff\xfe\x00", 4);	/* the sequence number wraps */
	frame[34 + 13] = 0x99;				/* CWR, ACK, PSH, FIN */
	nic_put(BUFFER, frame, sizeof(frame));
	nic_desc(TX_RING, 0, OWN | FS | LARGE | 1448 << 16 | 30000, 0, BUFFER);
	nic_desc(TX_RING, 1, OWN | LS | EOR | LARGE | 1448 << 16 | 10000, 0, BUFFER + 30000);
	tx_poll();
	assert_int_equal(nic_in(RTL_ISR, 2), INT_TOK | INT_TDU);
	assert_int_equal(nic.nr_sent, (sizeof(frame) - 54 + 1447) / 1448);
	for (i = 0; i < nic.nr_sent; i++) {
		struct nic_frame *sent = &nic.sent[i];
		bool last = i + 1 == nic.nr_sent;

		ip = sent->data + 14;
		tcp = ip + 20;
		data = be16(ip + 2) - 40;
		assert_int_equal(data, last ? sizeof(frame) - at : 1448);
		assert_int_equal(sent->len, data + 54);
		assert_memory_equal(sent->data + 54, frame + at, data);
		assert_int_equal((u16)(be16(ip + 4) - be16(frame + 18)), i);
		assert_int_equal((u32)(be16(tcp + 4) << 16 | be16(tcp + 6)),
				 (u32)(0xfffffe00 + at - 54));
		assert_int_equal(tcp[13], 0x10 | (i ? 0 : 0x80) | (last ? 9 : 0));
		assert_int_equal(slow_sum(ip, 20, 0), 0xffff);
		assert_int_equal(slow_sum(tcp, 20 + data, slow_sum(ip + 12, 8, TCP + 20 + data)),
				 0xffff);
		at += data;
	}
	assert_int_equal(at, sizeof(frame));
	/* no size, no TCP, no data */
	nic_desc(TX_RING, 0, OWN | FS | LS | LARGE | EOR | 2000, 0, BUFFER);
	nic_out(RTL_TNPDS, TX_RING, 4);
	nic.nr_sent = 0;
	tx_poll();
	assert_int_equal(nic.nr_sent, 0);
	make_packet(frame, UDP, 1000, 0);
	nic_put(BUFFER, frame, 1000);
	nic_put32(TX_RING, OWN | FS | LS | LARGE | EOR | 100 << 16 | 1000);
	tx_poll();
	assert_int_equal(nic.nr_sent, 0);
	make_packet(frame, TCP, 54, 0);
	nic_put(BUFFER, frame, 54);
	nic_put32(TX_RING, OWN | FS | LS | LARGE | EOR | 100 << 16 | 54);
	tx_poll();
	assert_int_equal(nic.nr_sent, 1);
	assert_int_equal(nic.sent[0].len, 60);
	/* one byte at a time: as many frames as there are bytes */
	make_packet(frame, TCP, 154, 0);
	nic_put(BUFFER, frame, 154);
	nic_put32(TX_RING, OWN | FS | LS | LARGE | EOR | 1 << 16 | 154);
	nic.nr_sent = 0;
	tx_poll();
	assert_int_equal(nic.nr_sent, 100);
}

/* ---- statistics ------------------------------------------------------------- */

static void statistics(void **state)
{
	static const u8 all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	u8 frame[60];

	tx_start();
	rx_ring(4, 2000);
	make_frame(frame, nic_mac, 60);
	nic_receive(frame, 60);
	nic_receive(frame, 60);
	make_frame(frame, all, 60);
	nic_receive(frame, 60);
	nic_desc(TX_RING, 0, OWN | FS | LS | 60, 0, BUFFER);
	nic_desc(TX_RING, 1, OWN | FS | LS | EOR | 0, 0, BUFFER);
	tx_poll();
	memset(nic.mem.base + 0x2000, 0xee, 128);
	nic_out(RTL_DTCCR + 4, 0, 4);
	nic_out(RTL_DTCCR, 0x2000, 4);
	assert_int_equal(nic_get32(0x2000), 0xeeeeeeee);
	nic_out(RTL_DTCCR, 0x2008, 4);
	assert_int_equal(nic_in(RTL_DTCCR, 4), 0x2000);
	assert_int_equal(nic_get32(0x2000), 1);		/* sent */
	assert_int_equal(nic_get32(0x2008), 3);		/* received */
	assert_int_equal(nic_get32(0x2010), 1);		/* not sent */
	assert_int_equal(nic_get32(0x2028), 2);		/* to us */
	assert_int_equal(nic_get32(0x2030), 1);		/* to all */
	assert_int_equal(nic_get32(0x203c), 0);
	assert_int_equal(nic_get32(0x2040), 0xeeeeeeee);
	nic_out(RTL_ISR, INT_ALL, 2);
	nic_out(RTL_DTCCR, NIC_RAM | 8, 4);
	assert_int_equal(nic_in(RTL_ISR, 2), INT_SERR);
	assert_int_equal(nic_in(RTL_DTCCR, 4) & 8, 0);
}

/* ---- routes ----------------------------------------------------------------- */

/* the interrupt registers as the kernel answers them are always those of the device */
static void register_file(void **state)
{
	unsigned int off;
	u8 frame[60];

	nic_start(0);
	nic_out(RTL_RBSTART, RING, 4);
	make_frame(frame, nic_mac, 60);
	nic_receive(frame, 60);
	test_advance(&nic.loop.timers, NSEC_PER_MSEC);
	for (off = RTL_RBSTART; off <= RTL_ISR; off += 2)
		assert_int_equal(mmio_get_reg(&nic.rtl->mmio, off, 2), rtl_read(nic.rtl, off, 2));
	assert_int_equal(mmio_get_reg(&nic.rtl->mmio, RTL_ISR, 2), INT_ROK);
	port_out(&nic.ports, NIC_IO + RTL_ISR, INT_ROK, 2);
	assert_int_equal(mmio_get_reg(&nic.rtl->mmio, RTL_ISR, 2), 0);
}

/* what is posted comes before whatever reaches the device later, by ports as well */
static void posted_writes(void **state)
{
	u32 ring = nic.rtl->mmio.ring.area.id;
	int fd = nic.rtl->mmio.ring.fd;

	nic_start(0);
	nic_out(RTL_TSAD0, BUFFER, 4);
	nic_out(RTL_TSAD0 + 4, BUFFER, 4);
	assert_true(soft_post(ring, NIC_MEM + RTL_TSD0, 60, 4, fd));
	assert_int_equal(nic.nr_sent, 0);
	assert_int_equal(port_in(&nic.ports, NIC_IO + RTL_TSD0, 4), 0xa000 | 60);
	assert_int_equal(nic.nr_sent, 1);
	assert_true(soft_post(ring, NIC_MEM + RTL_TSD0 + 4, 60, 4, fd));
	nic_settle();
	assert_int_equal(nic.nr_sent, 2);
}

/* ---- what cannot be --------------------------------------------------------- */

/* no cable, no slot: no device, and nothing of it remains */
static void refused(void **state)
{
	static struct pci_dev fill[PCI_SLOTS];
	unsigned int watched = nic.loop.nr, routes = soft_routes(), i;
	struct net_option option;

	assert_int_equal(net_option_parse("tap=no/name", &option), 0);
	assert_null(rtl8139_create(&nic.pci, &nic.loop, &option));
	assert_null(nic.pci.slot[2]);
	net_option_free(&option);
	assert_int_equal(net_option_parse("none", &option), 0);
	for (i = 2; i < PCI_SLOTS; i++) {
		fill[i] = (struct pci_dev){ .name = "fill" };
		assert_int_equal(pci_add(&nic.pci, &fill[i]), 0);
	}
	assert_null(rtl8139_create(&nic.pci, &nic.loop, &option));
	for (i = 2; i < PCI_SLOTS; i++)
		pci_remove(&fill[i]);
	assert_int_equal(nic.loop.nr, watched);
	assert_int_equal(soft_routes(), routes);
	assert_ptr_equal(nic.mmio.devices, &nic.rtl->mmio);
	net_option_free(&option);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(identity),
	TEST(every_size),
	TEST(every_write),
	TEST(reserved),
	TEST(config_lock),
	TEST(interrupts),
	TEST(timer),
	TEST(eeprom),
	TEST(transceiver),
	TEST(filter),
	TEST(ring_wraps),
	TEST(ring_in_one_piece),
	TEST(ring_as_a_driver_reads),
	TEST(ring_overflows),
	TEST(cable_holds_back),
	TEST(ring_nowhere),
	TEST(lengths),
	TEST(descriptors_receive),
	TEST(descriptors_receive_long),
	TEST(descriptors_run_out),
	TEST(descriptors_in_pieces),
	TEST(descriptors_bad),
	TEST(checksums_received),
	TEST(vlan_received),
	TEST(buffers_send),
	TEST(buffers_in_order),
	TEST(buffers_bad),
	TEST(loopback),
	TEST(descriptors_send),
	TEST(descriptors_of_both_priorities),
	TEST(descriptors_join),
	TEST(descriptors_send_bad),
	TEST(tx_is_bounded),
	TEST(checksums_sent),
	TEST(vlan_sent),
	TEST(large_send),
	TEST(statistics),
	TEST(register_file),
	TEST(posted_writes),
	TEST(refused),
};

int main(void)
{
	test_silence();
	return test_main("rtl8139", tests, ARRAY_SIZE(tests));
}
