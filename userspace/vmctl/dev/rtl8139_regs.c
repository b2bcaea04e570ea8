// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers: a table of what there is, and what reading and writing it means.
 *
 * An access may have any size and begin anywhere: it touches the registers that it covers,
 * each once and in ascending order, and each is told which of its bits were written.  What
 * is not in the table reads as 0 and cannot be written.
 */
#include <string.h>

#include "rtl8139_impl.h"

/**
 * struct rtl_reg - a register
 * @off: @size:	offset, and bytes: 1, 2 or 4
 * @name:	as the datasheet has it
 * @writable:	bits that are but memory; 0: @write knows
 * @locked:	can be written only while 9346CR says so
 * @read:	its value; NULL: it is memory
 * @write:	@mask has the bits that were written, @val is 0 elsewhere; NULL: memory
 */
struct rtl_reg {
	u8 off, size;
	const char *name;
	u32 writable;
	bool locked;
	u32 (*read)(struct rtl8139 *rtl, unsigned int off);
	void (*write)(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask);
};

static u32 rtl_merge(u32 old, u32 val, u32 mask)
{
	return (old & ~mask) | (val & mask);
}

/* half of a 64-bit register */
static u32 half_get(u64 whole, unsigned int off)
{
	return whole >> (off & 4 ? 32 : 0);
}

static u64 half_set(u64 whole, unsigned int off, u32 val, u32 mask)
{
	unsigned int shift = off & 4 ? 32 : 0;

	return (whole & ~((u64)mask << shift)) | (u64)(val & mask) << shift;
}

static bool rtl_plus_tx(const struct rtl8139 *rtl)
{
	return rtl->cpcr & CPCR_TX;
}

/* ---- transmit --------------------------------------------------------------- */

static u32 read_tsd(struct rtl8139 *rtl, unsigned int off)
{
	if (rtl_plus_tx(rtl))
		return off < RTL_DTCCR + 8 ? half_get(rtl->dump, off) : 0;
	return rtl->tsd[(off - RTL_TSD0) / 4];
}

static void write_dtccr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	if (off >= RTL_DTCCR + 8)
		return;
	rtl->dump = half_set(rtl->dump, off, val, mask);
	if (off == RTL_DTCCR)
		rtl_dump_stats(rtl);
}

#define TSD_WRITABLE	0x003f3fffu	/* size, OWN, threshold; the rest is status */

static void write_tsd(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	u32 *tsd = &rtl->tsd[(off - RTL_TSD0) / 4];

	if (rtl_plus_tx(rtl)) {
		write_dtccr(rtl, off, val, mask);
		return;
	}
	*tsd = rtl_merge(*tsd, val, mask) & TSD_WRITABLE;
	rtl_tx_buffers(rtl);
}

static u32 read_tsad(struct rtl8139 *rtl, unsigned int off)
{
	if (rtl_plus_tx(rtl))
		return half_get(off < RTL_THPDS ? rtl->tnpds : rtl->thpds, off);
	return rtl->tsad[(off - RTL_TSAD0) / 4];
}

#define RING_ALIGN	255u

static void write_tsad(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	bool high = off >= RTL_THPDS;
	u64 *ring = high ? &rtl->thpds : &rtl->tnpds;
	u32 *tsad = &rtl->tsad[(off - RTL_TSAD0) / 4];

	if (!rtl_plus_tx(rtl)) {
		*tsad = rtl_merge(*tsad, val, mask);
		return;
	}
	*ring = half_set(*ring, off, val, mask) & ~(u64)RING_ALIGN;
	rtl->tx_index[high] = 0;
}

/* OWN, TABT, TUN and TOK of all four buffers */
static u32 read_summary(struct rtl8139 *rtl, unsigned int off)
{
	u32 val = 0;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		val |= (rtl->tsd[i] & TSD_OWN ? BIT(0) : 0) << i;
		val |= (rtl->tsd[i] & TSD_TABT ? BIT(4) : 0) << i;
		val |= (rtl->tsd[i] & TSD_TUN ? BIT(8) : 0) << i;
		val |= (rtl->tsd[i] & TSD_TOK ? BIT(12) : 0) << i;
	}
	return val;
}

static void write_tppoll(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	if (val & TPPOLL_HIGH)
		rtl_tx_poll(rtl, true);
	if (val & TPPOLL_NORMAL)
		rtl_tx_poll(rtl, false);
	if (val & TPPOLL_SWINT)
		rtl_interrupt(rtl, INT_SWINT);
}

#define TCR_WRITABLE	0x030707f0u

static u32 read_tcr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->tcr;
}

static void write_tcr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->tcr = rtl_merge(rtl->tcr, val, mask & TCR_WRITABLE);
}

/* ---- receive ---------------------------------------------------------------- */

static u32 read_rbstart(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->rbstart;
}

static void write_rbstart(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->rbstart = rtl_merge(rtl->rbstart, val, mask);
	rtl->cbr = 0;
	rtl->capr = -16;
}

static u32 read_capr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->capr;
}

static void write_capr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	/* there was nothing to read */
	if ((rtl->cr & CR_RE) && rtl_rx_empty(rtl))
		rtl_interrupt(rtl, INT_PUN);
	rtl->capr = rtl_merge(rtl->capr, val, mask);
	net_deliver(&rtl->net);
}

static u32 read_cbr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->cbr;
}

#define RCR_WRITABLE	0x0101ffbfu

static u32 read_rcr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->rcr;
}

static void write_rcr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->rcr = rtl_merge(rtl->rcr, val, mask & RCR_WRITABLE);
}

static u32 read_rdsar(struct rtl8139 *rtl, unsigned int off)
{
	return half_get(rtl->rdsar, off - RTL_RDSAR);
}

static void write_rdsar(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->rdsar = half_set(rtl->rdsar, off - RTL_RDSAR, val, mask) & ~(u64)RING_ALIGN;
	rtl->rx_index = 0;
}

static u32 read_mpc(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->missed;
}

static void write_mpc(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->missed = 0;
}

/* ---- commands and interrupts ------------------------------------------------ */

static u32 read_cr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->cr | (rtl_rx_empty(rtl) ? CR_BUFE : 0);
}

static void write_cr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	if (val & CR_RST) {
		rtl_reset(rtl);
		return;
	}
	rtl->cr = val & (CR_RE | CR_TE);
	if (!(rtl->cr & CR_RE))
		rtl->rx_index = 0;
	if (!(rtl->cr & CR_TE)) {
		rtl->tx_index[0] = 0;
		rtl->tx_index[1] = 0;
	}
	if (!rtl_plus_tx(rtl))
		rtl_tx_buffers(rtl);
	net_deliver(&rtl->net);
}

static u32 read_cpcr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->cpcr;
}

#define CPCR_WRITABLE	0x007bu

static void write_cpcr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->cpcr = rtl_merge(rtl->cpcr, val, mask & CPCR_WRITABLE);
}

static u32 read_imr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->imr;
}

static void write_imr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->imr = rtl_merge(rtl->imr, val, mask) & INT_ALL;
	rtl_update_irq(rtl);
	net_deliver(&rtl->net);
}

static u32 read_isr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->isr;
}

static void write_isr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->isr &= ~val;
	rtl_update_irq(rtl);
}

/* ---- timer ------------------------------------------------------------------ */

static u32 read_tctr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl_timer_now(rtl);
}

static void write_tctr(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl_timer_restart(rtl);
}

static u32 read_timer_int(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->timer_int;
}

static void write_timer_int(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->timer_int = rtl_merge(rtl->timer_int, val, mask);
	rtl_timer_arm(rtl);
}

/* ---- EEPROM and transceiver ------------------------------------------------- */

/**
 * rtl_load_eeprom - take over what the EEPROM says of the device
 * @rtl:	the device
 */
void rtl_load_eeprom(struct rtl8139 *rtl)
{
	unsigned int i;

	for (i = 0; i < ETH_ALEN; i++)
		rtl->reg[RTL_IDR0 + i] = rtl->eeprom.word[7 + i / 2] >> (i % 2 ? 8 : 0);
}

static bool ee_programs(const struct rtl8139 *rtl)
{
	return (rtl->ee_control & EE_MODE) == EE_MODE_PROGRAM;
}

static u32 read_9346(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->ee_control | (ee_programs(rtl) && rtl->eeprom.out ? EE_DO : 0);
}

static void write_9346(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	rtl->ee_control = val & (EE_MODE | EE_CS | EE_SK | EE_DI);
	if ((val & EE_MODE) == EE_MODE_AUTOLOAD) {
		rtl_load_eeprom(rtl);
		rtl->ee_control = 0;
	}
	val = ee_programs(rtl) ? val : 0;
	rtl_eeprom_set(&rtl->eeprom, val & EE_CS, val & EE_SK, val & EE_DI);
}

static u32 read_msr(struct rtl8139 *rtl, unsigned int off)
{
	return rtl->reg[RTL_MSR] | (rtl_phy_link(&rtl->phy) ? 0 : MSR_LINKB) |
	       (rtl_phy_slow(&rtl->phy) ? MSR_SPEED_10 : 0);
}

static u32 read_phy(struct rtl8139 *rtl, unsigned int off)
{
	return rtl_phy_read(&rtl->phy, off);
}

static void write_phy(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
	bool link = rtl_phy_link(&rtl->phy);

	rtl_phy_write(&rtl->phy, off, rtl_merge(rtl_phy_read(&rtl->phy, off), val, mask));
	if (rtl_phy_link(&rtl->phy) != link)
		rtl_interrupt(rtl, INT_PUN);
}

/* ---- the table -------------------------------------------------------------- */

#define ALL		UINT32_MAX
#define MEMORY(_off, _size, _name, _writable)	{ _off, _size, _name, _writable }
#define LOCKED(_off, _size, _name, _writable)	{ _off, _size, _name, _writable, true }
#define CALLS(_off, _size, _name, _read, _write) { _off, _size, _name, 0, false, _read, _write }
/* a pattern or mask for waking up, of eight bytes */
#define WAKE_UP(_off, _name)	MEMORY(_off, 4, _name, ALL), MEMORY(_off + 4, 4, _name "+4", ALL)

static void write_nothing(struct rtl8139 *rtl, unsigned int off, u32 val, u32 mask)
{
}

static const struct rtl_reg regs[] = {
	LOCKED(0x00, 4, "IDR0", ALL),
	LOCKED(0x04, 2, "IDR4", 0xffff),
	MEMORY(0x08, 4, "MAR0", ALL),
	MEMORY(0x0c, 4, "MAR4", ALL),
	CALLS(0x10, 4, "TSD0/DTCCR", read_tsd, write_tsd),
	CALLS(0x14, 4, "TSD1/DTCCR+4", read_tsd, write_tsd),
	CALLS(0x18, 4, "TSD2", read_tsd, write_tsd),
	CALLS(0x1c, 4, "TSD3", read_tsd, write_tsd),
	CALLS(0x20, 4, "TSAD0/TNPDS", read_tsad, write_tsad),
	CALLS(0x24, 4, "TSAD1/TNPDS+4", read_tsad, write_tsad),
	CALLS(0x28, 4, "TSAD2/THPDS", read_tsad, write_tsad),
	CALLS(0x2c, 4, "TSAD3/THPDS+4", read_tsad, write_tsad),
	CALLS(0x30, 4, "RBSTART", read_rbstart, write_rbstart),
	MEMORY(0x34, 2, "ERBCR", 0),
	MEMORY(0x36, 1, "ERSR", 0),
	CALLS(0x37, 1, "CR", read_cr, write_cr),
	CALLS(0x38, 2, "CAPR", read_capr, write_capr),
	CALLS(0x3a, 2, "CBR", read_cbr, write_nothing),
	CALLS(0x3c, 2, "IMR", read_imr, write_imr),
	CALLS(0x3e, 2, "ISR", read_isr, write_isr),
	CALLS(0x40, 4, "TCR", read_tcr, write_tcr),
	CALLS(0x44, 4, "RCR", read_rcr, write_rcr),
	CALLS(0x48, 4, "TCTR", read_tctr, write_tctr),
	CALLS(0x4c, 4, "MPC", read_mpc, write_mpc),
	CALLS(0x50, 1, "9346CR", read_9346, write_9346),
	LOCKED(0x51, 1, "CONFIG0", 0),
	LOCKED(0x52, 1, "CONFIG1", 0xf3),
	CALLS(0x54, 4, "TimerInt", read_timer_int, write_timer_int),
	{ 0x58, 1, "MSR", 0xc0, false, read_msr },
	LOCKED(0x59, 1, "CONFIG3", 0x71),
	LOCKED(0x5a, 1, "CONFIG4", 0xf7),
	MEMORY(0x5c, 2, "MULINT", 0x0fff),
	MEMORY(0x5e, 1, "RERID", 0),
	CALLS(0x60, 2, "TSAD", read_summary, write_nothing),
	{ 0x62, 2, "BMCR", 0, true, read_phy, write_phy },
	CALLS(0x64, 2, "BMSR", read_phy, write_nothing),
	CALLS(0x66, 2, "ANAR", read_phy, write_phy),
	CALLS(0x68, 2, "ANLPAR", read_phy, write_nothing),
	CALLS(0x6a, 2, "ANER", read_phy, write_nothing),
	MEMORY(0x6c, 2, "DIS", 0),
	MEMORY(0x6e, 2, "FCSC", 0),
	CALLS(0x70, 2, "NWAYTR", read_phy, write_phy),
	MEMORY(0x72, 2, "REC", 0),
	MEMORY(0x74, 2, "CSCR", 0x03ff),
	MEMORY(0x78, 4, "PHY1_PARM", ALL),
	MEMORY(0x7c, 4, "TW_PARM", ALL),
	MEMORY(0x80, 1, "PHY2_PARM", 0xff),
	MEMORY(0x82, 2, "TDOKLADDR", 0),
	MEMORY(0x84, 4, "CRC0", ALL),
	MEMORY(0x88, 4, "CRC4", ALL),
	WAKE_UP(0x8c, "Wakeup0"),
	WAKE_UP(0x94, "Wakeup1"),
	WAKE_UP(0x9c, "Wakeup2"),
	WAKE_UP(0xa4, "Wakeup3"),
	WAKE_UP(0xac, "Wakeup4"),
	WAKE_UP(0xb4, "Wakeup5"),
	WAKE_UP(0xbc, "Wakeup6"),
	WAKE_UP(0xc4, "Wakeup7"),
	MEMORY(0xcc, 4, "LSBCRC0", ALL),
	MEMORY(0xd0, 4, "LSBCRC4", ALL),
	MEMORY(0xd4, 4, "FLASH", 0),
	MEMORY(0xd8, 1, "CONFIG5", 0x7f),
	{ 0xd9, 1, "TxPoll", 0, false, NULL, write_tppoll },
	CALLS(0xe0, 2, "CPCR", read_cpcr, write_cpcr),
	CALLS(0xe4, 4, "RDSAR", read_rdsar, write_rdsar),
	CALLS(0xe8, 4, "RDSAR+4", read_rdsar, write_rdsar),
	MEMORY(0xec, 1, "ETThR", 0x3f),
};

/**
 * rtl8139_reg_names - the registers, for people
 * @names:	out, ascending
 * @max:	room there
 *
 * Return: how many there are.
 */
unsigned int rtl8139_reg_names(struct rtl_reg_name *names, unsigned int max)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs) && i < max; i++)
		names[i] = (struct rtl_reg_name){ regs[i].off, regs[i].size, regs[i].name };
	return ARRAY_SIZE(regs);
}

static u32 reg_value(struct rtl8139 *rtl, const struct rtl_reg *reg)
{
	return reg->read ? reg->read(rtl, reg->off) : shared_load(rtl->reg + reg->off, reg->size);
}

static bool reg_unlocked(const struct rtl8139 *rtl, const struct rtl_reg *reg)
{
	return !reg->locked || (rtl->ee_control & EE_MODE) == EE_MODE_CONFIG;
}

static void reg_set(struct rtl8139 *rtl, const struct rtl_reg *reg, u32 val, u32 mask)
{
	if (!reg_unlocked(rtl, reg))
		return;
	if (reg->write)
		reg->write(rtl, reg->off, val & mask, mask);
	else
		shared_store(rtl->reg + reg->off,
			     rtl_merge(shared_load(rtl->reg + reg->off, reg->size), val,
				       mask & reg->writable), reg->size);
}

/* the first register that ends past @off */
static const struct rtl_reg *reg_find(unsigned int off)
{
	unsigned int lo = 0, hi = ARRAY_SIZE(regs);

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (off < (unsigned int)regs[mid].off + regs[mid].size)
			hi = mid;
		else
			lo = mid + 1;
	}
	return &regs[lo];
}

/**
 * rtl_read - read registers
 * @rtl:	the device
 * @off:	offset
 * @size:	bytes, up to 8, that lie within the device
 *
 * Return: the value; 0 where there is no register.
 */
u64 rtl_read(struct rtl8139 *rtl, unsigned int off, unsigned int size)
{
	const struct rtl_reg *reg = reg_find(off), *end = regs + ARRAY_SIZE(regs);
	u64 val = 0, part;

	for (; reg < end && reg->off < off + size; reg++) {
		part = reg_value(rtl, reg);
		val |= reg->off < off ? part >> (8 * (off - reg->off)) :
		       part << (8 * (reg->off - off));
	}
	return val & (UINT64_MAX >> (64 - 8 * size));
}

/**
 * rtl_write - write registers
 * @rtl:	the device
 * @off:	offset
 * @val:	value
 * @size:	bytes, up to 8, that lie within the device
 */
void rtl_write(struct rtl8139 *rtl, unsigned int off, u64 val, unsigned int size)
{
	const struct rtl_reg *reg = reg_find(off), *end = regs + ARRAY_SIZE(regs);
	u64 mask = UINT64_MAX >> (64 - 8 * size), all;

	val &= mask;
	for (; reg < end && reg->off < off + size; reg++) {
		all = UINT32_MAX >> (32 - 8 * reg->size);
		if (reg->off < off)
			reg_set(rtl, reg, val << (8 * (off - reg->off)) & all,
				mask << (8 * (off - reg->off)) & all);
		else
			reg_set(rtl, reg, val >> (8 * (reg->off - off)) & all,
				mask >> (8 * (reg->off - off)) & all);
	}
	rtl_publish(rtl);
}
