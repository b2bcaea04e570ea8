// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550A serial port.
 *
 * National Semiconductor PC16550D datasheet.  Bytes pass at once, whatever the
 * divisor says.  When the other end cannot take a whole FIFO more, the transmitter
 * reads as busy, so the guest waits as it would for a slow line and nothing is lost.
 * The receive time-out counts as reached at once: data below the trigger level
 * interrupt without delay.
 */
#include <string.h>

#include "uart16550.h"

enum {	/* offsets */
	UART_DATA	= 0,	/* divisor low with DLAB */
	UART_IER	= 1,	/* divisor high with DLAB */
	UART_IIR	= 2,	/* read; write: FIFO control */
	UART_LCR	= 3,
	UART_MCR	= 4,
	UART_LSR	= 5,
	UART_MSR	= 6,
	UART_SCRATCH	= 7,
};

#define IER_RX			BIT(0)
#define IER_TX			BIT(1)
#define IER_LINE		BIT(2)
#define IER_MODEM		BIT(3)

#define IIR_NONE		0x01
#define IIR_MODEM		0x00
#define IIR_TX			0x02
#define IIR_RX			0x04
#define IIR_LINE		0x06
#define IIR_RX_TIMEOUT		0x0c
#define IIR_FIFO_ON		0xc0

#define FCR_ENABLE		BIT(0)
#define FCR_CLEAR_RX		BIT(1)

#define LCR_DLAB		BIT(7)

#define MCR_DTR			BIT(0)
#define MCR_RTS			BIT(1)
#define MCR_OUT1		BIT(2)
#define MCR_OUT2		BIT(3)	/* on a PC: gates the interrupt */
#define MCR_LOOP		BIT(4)
#define MCR_MASK		0x1f

#define LSR_DATA		BIT(0)
#define LSR_OVERRUN		BIT(1)
#define LSR_TX_EMPTY		(BIT(5) | BIT(6))

#define MSR_CTS			BIT(4)
#define MSR_DSR			BIT(5)
#define MSR_RI			BIT(6)
#define MSR_DCD			BIT(7)

static u8 uart_iir(const struct uart *uart)
{
	if ((uart->ier & IER_LINE) && uart->overrun)
		return IIR_LINE;
	if ((uart->ier & IER_RX) && uart->count)
		return uart->count >= uart->trigger ? IIR_RX : IIR_RX_TIMEOUT;
	if ((uart->ier & IER_TX) && uart->tx_event)
		return IIR_TX;
	if ((uart->ier & IER_MODEM) && uart->delta)
		return IIR_MODEM;
	return IIR_NONE;
}

static void uart_update(struct uart *uart)
{
	irq_set(&uart->irq, uart_iir(uart) != IIR_NONE && (uart->mcr & MCR_OUT2));
}

/* modem lines; in loop-back they are wired to the modem control outputs */
static u8 uart_modem(const struct uart *uart)
{
	if (!(uart->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
	       (uart->mcr & MCR_OUT1 ? MSR_RI : 0) | (uart->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void uart_push(struct uart *uart, u8 byte)
{
	if (uart->count == (uart->fifo_on ? UART_FIFO : 1)) {
		uart->overrun = true;
		return;
	}
	uart->fifo[(uart->head + uart->count++) % UART_FIFO] = byte;
}

static u8 uart_pull(struct uart *uart)
{
	u8 byte = uart->fifo[uart->head];

	if (!uart->count)
		return 0;
	uart->head = (uart->head + 1) % UART_FIFO;
	uart->count--;
	uart->line->drained(uart->line);
	return byte;
}

static void uart_transmit(struct uart *uart, u8 byte)
{
	struct uart_line *line = uart->line;

	if (uart->mcr & MCR_LOOP)
		uart_push(uart, byte);
	else if (line->room(line))
		line->send(line, byte);
	/* the driver of a FIFO writes all of it once it reads as empty */
	uart->tx_busy = line->room(line) < UART_FIFO;
	uart->tx_event = !uart->tx_busy;
}

/**
 * uart_resume - the other end has room again
 * @uart:	the port
 */
void uart_resume(struct uart *uart)
{
	if (!uart->tx_busy || uart->line->room(uart->line) < UART_FIFO)
		return;
	uart->tx_busy = false;
	uart->tx_event = true;
	uart_update(uart);
}

/**
 * uart_room - how much input the guest's port takes now
 * @uart:	the port
 *
 * Input waits for RTS: what came before a system has opened the port would be thrown
 * away when it does.
 *
 * Return: bytes that uart_receive() takes without loss; 0 in loop-back, when the
 * port does not listen.
 */
unsigned int uart_room(const struct uart *uart)
{
	unsigned int size = uart->fifo_on ? UART_FIFO : 1;

	if ((uart->mcr & (MCR_LOOP | MCR_RTS)) != MCR_RTS || uart->count > size)
		return 0;
	return size - uart->count;
}

/**
 * uart_receive - a byte arrives for the guest
 * @uart:	the port
 * @byte:	lost, with an overrun error, when there is no room
 */
void uart_receive(struct uart *uart, u8 byte)
{
	uart_push(uart, byte);
	uart_update(uart);
}

static void uart_write_ier(struct uart *uart, u8 val)
{
	bool tx_enabled = (val & ~uart->ier) & IER_TX;

	uart->ier = val & 0x0f;
	/* enabling the interrupt of an empty transmitter raises it */
	if (tx_enabled && !uart->tx_busy)
		uart->tx_event = true;
}

static void uart_write_fcr(struct uart *uart, u8 val)
{
	static const u8 triggers[] = { 1, 4, 8, 14 };
	bool on = val & FCR_ENABLE;

	if (on != uart->fifo_on || (val & FCR_CLEAR_RX)) {
		uart->count = 0;
		uart->line->drained(uart->line);
	}
	uart->fifo_on = on;
	uart->trigger = on ? triggers[val >> 6] : 1;
}

static void uart_write_mcr(struct uart *uart, u8 val)
{
	u8 before = uart_modem(uart), changed;

	uart->mcr = val & MCR_MASK;
	changed = before ^ uart_modem(uart);
	/* the ring indicator counts only when it goes away */
	changed &= ~MSR_RI | (before & MSR_RI);
	uart->delta |= changed >> 4;
	uart->line->drained(uart->line);
}

static void uart_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct uart *uart = dev;
	bool dlab = uart->lcr & LCR_DLAB;

	switch (off) {
	case UART_DATA:
		if (dlab)
			uart->divisor = (uart->divisor & 0xff00) | val;
		else
			uart_transmit(uart, val);
		break;
	case UART_IER:
		if (dlab)
			uart->divisor = (uart->divisor & 0xff) | val << 8;
		else
			uart_write_ier(uart, val);
		break;
	case UART_IIR:
		uart_write_fcr(uart, val);
		break;
	case UART_LCR:
		uart->lcr = val;
		break;
	case UART_MCR:
		uart_write_mcr(uart, val);
		break;
	case UART_SCRATCH:
		uart->scratch = val;
		break;
	}
	uart_update(uart);
}

static u8 uart_read_iir(struct uart *uart)
{
	u8 iir = uart_iir(uart);

	if (iir == IIR_TX)
		uart->tx_event = false;
	return iir | (uart->fifo_on ? IIR_FIFO_ON : 0);
}

static u8 uart_read_lsr(struct uart *uart)
{
	u8 lsr = (uart->count ? LSR_DATA : 0) | (uart->overrun ? LSR_OVERRUN : 0) |
		 (uart->tx_busy ? 0 : LSR_TX_EMPTY);

	uart->overrun = false;
	return lsr;
}

static u8 uart_read_msr(struct uart *uart)
{
	u8 msr = uart_modem(uart) | uart->delta;

	uart->delta = 0;
	return msr;
}

static u8 uart_read_register(struct uart *uart, u64 off)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (off) {
	case UART_DATA:
		return dlab ? uart->divisor & 0xff : uart_pull(uart);
	case UART_IER:
		return dlab ? uart->divisor >> 8 : uart->ier;
	case UART_IIR:
		return uart_read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return uart_read_lsr(uart);
	case UART_MSR:
		return uart_read_msr(uart);
	default:
		return uart->scratch;
	}
}

static u64 uart_read(void *dev, u64 off, unsigned int size)
{
	struct uart *uart = dev;
	u8 val = uart_read_register(uart, off);

	uart_update(uart);
	return val;
}

static const struct bus_ops uart_ops = { uart_read, uart_write, 1, "uart16550" };

/**
 * uart_init - build a serial port and put it on the bus
 * @uart:	out
 * @ports:	port bus
 * @port:	first of its eight ports
 * @irq:	its interrupt
 * @line:	other end of the cable
 *
 * Return: 0, or -1 when the ports are taken.
 */
int uart_init(struct uart *uart, struct bus *ports, u16 port, struct irq irq,
	      struct uart_line *line)
{
	memset(uart, 0, sizeof(*uart));
	uart->irq = irq;
	uart->line = line;
	uart->divisor = 12;	/* 9600 baud */
	uart->trigger = 1;
	return bus_add(ports, port, 8, &uart_ops, uart);
}
