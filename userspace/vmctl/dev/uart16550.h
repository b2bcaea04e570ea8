/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_UART16550_H
#define VMCTL_UART16550_H

#include "bus.h"
#include "irq.h"

#define UART_FIFO	16
#define UART_COM1	0x3f8
#define UART_COM1_IRQ	4

/**
 * struct uart_line - the other end of the serial cable
 * @room:	bytes that @send would take now
 * @send:	take a byte
 * @drained:	the guest has read: there is room for input again
 */
struct uart_line {
	unsigned int (*room)(struct uart_line *line);
	void (*send)(struct uart_line *line, u8 byte);
	void (*drained)(struct uart_line *line);
};

/**
 * struct uart - a 16550A
 * @ier: @lcr: @mcr: @scratch: @divisor: registers as written
 * @fifo_on:	FIFO control: FIFOs enabled
 * @trigger:	received bytes that raise the interrupt
 * @overrun:	a byte came that did not fit
 * @delta:	modem status: lines that changed, low four bits
 * @fifo:	received bytes, oldest at @head
 * @head: @count: of @fifo
 * @tx_busy:	the line has no room for a whole FIFO
 * @tx_event:	the transmitter became empty and nobody asked yet
 * @irq:	to the interrupt controller
 * @line:	other end
 */
struct uart {
	u8 ier, lcr, mcr, scratch;
	u16 divisor;
	bool fifo_on;
	u8 trigger;
	bool overrun;
	u8 delta;
	u8 fifo[UART_FIFO];
	u8 head, count;
	bool tx_busy;
	bool tx_event;
	struct irq irq;
	struct uart_line *line;
};

int uart_init(struct uart *uart, struct bus *ports, u16 port, struct irq irq,
	      struct uart_line *line);
unsigned int uart_room(const struct uart *uart);
void uart_receive(struct uart *uart, u8 byte);
void uart_resume(struct uart *uart);

#endif
