// SPDX-License-Identifier: GPL-2.0-only
/* the 16550A, as drivers use it */
#include "fixture.h"

#include <string.h>

#include "dev/uart16550.h"

#define COM	0x3f8

static struct bus bus;
static struct uart uart;
static struct test_line irq4;
static u8 sent[64];
static unsigned int nr_sent, room, drains;

static unsigned int line_room(struct uart_line *line)
{
	return room;
}

static void line_send(struct uart_line *line, u8 byte)
{
	assert_true(room > 0);
	sent[nr_sent++ % sizeof(sent)] = byte;
	room--;
}

static void line_drained(struct uart_line *line)
{
	drains++;
}

static struct uart_line line = { line_room, line_send, line_drained };

static int setup(void **state)
{
	nr_sent = 0;
	drains = 0;
	room = 1000;
	assert_int_equal(uart_init(&uart, &bus, COM, test_irq(&irq4), &line), 0);
	outb(&bus, COM + 2, 0x07);	/* FIFOs on and empty, trigger at 1 */
	outb(&bus, COM + 4, 0x0b);	/* DTR, RTS, OUT2 */
	return 0;
}

static int teardown(void **state)
{
	bus_destroy(&bus);
	return 0;
}

static u8 iir(void)
{
	return inb(&bus, COM + 2);
}

static void polled_output(void **state)
{
	const char *text = "hello";

	for (; *text; text++) {
		assert_int_equal(inb(&bus, COM + 5), 0x60);
		outb(&bus, COM, *text);
	}
	assert_int_equal(nr_sent, 5);
	assert_memory_equal(sent, "hello", 5);
	assert_false(irq4.high);
}

static void string_output(void **state)
{
	u8 text[] = "string";
	struct access access = {
		.addr = COM, .data = text, .size = 1, .count = 6, .write = true,
	};

	bus_access(&bus, &access);
	assert_int_equal(nr_sent, 6);
	assert_memory_equal(sent, "string", 6);
}

static void divisor_latch(void **state)
{
	outb(&bus, COM + 3, 0x83);
	outb(&bus, COM, 0x34);
	outb(&bus, COM + 1, 0x12);
	assert_int_equal(inb(&bus, COM), 0x34);
	assert_int_equal(inb(&bus, COM + 1), 0x12);
	outb(&bus, COM + 3, 0x03);
	assert_int_equal(inb(&bus, COM + 1), 0);
	assert_int_equal(nr_sent, 0);
	assert_int_equal(inb(&bus, COM + 3), 0x03);
}

static void transmit_interrupt(void **state)
{
	outb(&bus, COM + 1, 0x02);
	assert_true(irq4.high);			/* empty: at once */
	assert_int_equal(iir(), 0xc2);
	assert_false(irq4.high);		/* reading IIR clears it */
	assert_int_equal(iir(), 0xc1);
	outb(&bus, COM, 'a');
	assert_true(irq4.high);
	assert_int_equal(irq4.edges, 2);
	outb(&bus, COM + 1, 0);
	assert_false(irq4.high);
	outb(&bus, COM + 1, 0x02);		/* off and on: raised again */
	assert_true(irq4.high);
}

static void transmit_back_pressure(void **state)
{
	unsigned int i;

	outb(&bus, COM + 1, 0x02);
	iir();
	room = 20;
	for (i = 0; i < 16; i++)		/* a whole FIFO always fits */
		outb(&bus, COM, 'a' + i);
	assert_int_equal(nr_sent, 16);
	assert_int_equal(inb(&bus, COM + 5), 0);
	assert_false(irq4.high);
	uart_resume(&uart);
	assert_false(irq4.high);
	room = 16;
	uart_resume(&uart);
	assert_true(irq4.high);
	assert_int_equal(inb(&bus, COM + 5), 0x60);
	assert_int_equal(iir(), 0xc2);
	uart_resume(&uart);
	assert_false(irq4.high);
}

static void receive(void **state)
{
	outb(&bus, COM + 1, 0x01);
	assert_int_equal(uart_room(&uart), 16);
	uart_receive(&uart, 'x');
	assert_true(irq4.high);
	assert_int_equal(iir(), 0xc4);
	assert_int_equal(inb(&bus, COM + 5), 0x61);
	uart_receive(&uart, 'y');
	assert_int_equal(inb(&bus, COM), 'x');
	assert_true(irq4.high);
	assert_int_equal(inb(&bus, COM), 'y');
	assert_false(irq4.high);
	assert_int_equal(inb(&bus, COM + 5), 0x60);
	assert_int_equal(inb(&bus, COM), 0);		/* empty: harmless */
	assert_true(drains >= 2);
}

static void receive_trigger(void **state)
{
	unsigned int i;

	outb(&bus, COM + 2, 0xc1);		/* trigger at 14 */
	outb(&bus, COM + 1, 0x01);
	for (i = 0; i < 13; i++)
		uart_receive(&uart, i);
	assert_int_equal(iir(), 0xcc);		/* time-out indication */
	uart_receive(&uart, 13);
	assert_int_equal(iir(), 0xc4);
	assert_int_equal(uart_room(&uart), 2);
	for (i = 0; i < 14; i++)
		assert_int_equal(inb(&bus, COM), i);
}

static void overrun(void **state)
{
	unsigned int i;

	outb(&bus, COM + 1, 0x04);
	for (i = 0; i < 17; i++)
		uart_receive(&uart, i);
	assert_int_equal(uart_room(&uart), 0);
	assert_int_equal(iir(), 0xc6);
	assert_int_equal(inb(&bus, COM + 5), 0x63);
	assert_int_equal(inb(&bus, COM + 5), 0x61);	/* reading clears it */
	for (i = 0; i < 16; i++)
		assert_int_equal(inb(&bus, COM), i);
}

static void no_fifo(void **state)
{
	outb(&bus, COM + 2, 0);
	assert_int_equal(iir(), 0x01);
	assert_int_equal(uart_room(&uart), 1);
	uart_receive(&uart, 'a');
	assert_int_equal(uart_room(&uart), 0);
	uart_receive(&uart, 'b');
	assert_int_equal(inb(&bus, COM + 5), 0x63);
	assert_int_equal(inb(&bus, COM), 'a');
}

static void fifo_reset(void **state)
{
	uart_receive(&uart, 'a');
	outb(&bus, COM + 2, 0x03);
	assert_int_equal(inb(&bus, COM + 5), 0x60);
	assert_int_equal(uart_room(&uart), 16);
}

static void interrupt_priority(void **state)
{
	outb(&bus, COM + 1, 0x0f);
	outb(&bus, COM + 4, 0x1b);		/* loop-back: the modem lines move */
	outb(&bus, COM + 4, 0x0b);
	uart_receive(&uart, 'a');
	assert_int_equal(iir(), 0xc4);
	inb(&bus, COM);
	assert_int_equal(iir(), 0xc2);
	assert_int_equal(iir(), 0xc1);
}

static void modem_status(void **state)
{
	assert_int_equal(inb(&bus, COM + 6), 0xb0);
	outb(&bus, COM + 1, 0x08);
	outb(&bus, COM + 4, 0x18);		/* loop: only OUT2, hence DCD */
	assert_int_equal(inb(&bus, COM + 6), 0x83);	/* CTS and DSR fell */
	assert_int_equal(inb(&bus, COM + 6), 0x80);
	outb(&bus, COM + 4, 0x1b);
	assert_true(irq4.high);
	assert_int_equal(iir(), 0xc0);
	assert_int_equal(inb(&bus, COM + 6), 0xb3);
	assert_false(irq4.high);
}

/* what Linux does to find out whether there is a port at all */
static void probe_like_linux(void **state)
{
	outb(&bus, COM + 1, 0);
	assert_int_equal(inb(&bus, COM + 1), 0);
	outb(&bus, COM + 1, 0xff);
	assert_int_equal(inb(&bus, COM + 1) & 0x0f, 0x0f);
	assert_int_equal(inb(&bus, COM + 1) & 0xf0, 0);	/* no vendor's extensions */
	outb(&bus, COM + 1, 0);
	outb(&bus, COM + 4, 0x1a);
	assert_int_equal(inb(&bus, COM + 6) & 0xf0, 0x90);
	outb(&bus, COM + 4, 0);
	outb(&bus, COM + 2, 1);
	assert_int_equal(iir() >> 6, 3);
	outb(&bus, COM + 3, 0xbf);
	assert_int_not_equal(inb(&bus, COM + 2), 0);	/* no EFR */
	outb(&bus, COM + 3, 0x80);
	outb(&bus, COM + 2, 0x21);
	assert_int_equal(iir() & 0xe0, 0xc0);		/* no 64-byte FIFO */
	outb(&bus, COM + 7, 0xa5);
	assert_int_equal(inb(&bus, COM + 7), 0xa5);
}

static void loop_back(void **state)
{
	outb(&bus, COM + 4, 0x13);
	assert_int_equal(uart_room(&uart), 0);	/* does not listen to the line */
	outb(&bus, COM, 'l');
	assert_int_equal(nr_sent, 0);
	assert_int_equal(inb(&bus, COM), 'l');
	outb(&bus, COM + 4, 0x0b);
	assert_int_equal(uart_room(&uart), 16);
}

static void input_waits_for_rts(void **state)
{
	unsigned int before;

	outb(&bus, COM + 4, 0x08);
	assert_int_equal(uart_room(&uart), 0);
	before = drains;
	outb(&bus, COM + 4, 0x0b);
	assert_int_equal(uart_room(&uart), 16);
	assert_true(drains > before);		/* and the line is told */
}

static void out2_gates_interrupt(void **state)
{
	outb(&bus, COM + 4, 0x03);
	outb(&bus, COM + 1, 0x02);
	assert_false(irq4.high);
	outb(&bus, COM + 4, 0x0b);
	assert_true(irq4.high);
}

#define UART_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	UART_TEST(polled_output),
	UART_TEST(string_output),
	UART_TEST(divisor_latch),
	UART_TEST(transmit_interrupt),
	UART_TEST(transmit_back_pressure),
	UART_TEST(receive),
	UART_TEST(receive_trigger),
	UART_TEST(overrun),
	UART_TEST(no_fifo),
	UART_TEST(fifo_reset),
	UART_TEST(interrupt_priority),
	UART_TEST(modem_status),
	UART_TEST(probe_like_linux),
	UART_TEST(loop_back),
	UART_TEST(input_waits_for_rts),
	UART_TEST(out2_gates_interrupt),
};

int main(void)
{
	return test_main("uart", tests, ARRAY_SIZE(tests));
}
