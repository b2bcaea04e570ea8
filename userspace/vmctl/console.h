/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_CONSOLE_H
#define VMCTL_CONSOLE_H

#include "dev/uart16550.h"
#include "evloop.h"
#include "power.h"

#define CONSOLE_RING	16384	/* power of two */

/**
 * struct console - the user's end of the serial cable
 * @line:	what the port sees of us
 * @uart:	the port
 * @loop:	main thread's loop
 * @power:	told when the user quits or output fails
 * @in:		standard input; watched while the port has room
 * @out:	where output goes, fd -1: nowhere; watched while @flushing
 * @terminal:	input is a terminal in raw mode: keys after Ctrl-a are for us
 * @escaped:	the last key was Ctrl-a
 * @input_over:	end of file
 * @flushing:	the main thread is to write
 * @flush:	timer: output does not wait longer than this
 * @last:	last byte written
 * @head: @tail: free-running indices of @ring: written, read
 * @ring:	output that waits
 *
 * Under the device lock.  Only the main thread moves @tail, so it writes from the
 * ring without the lock.
 */
struct console {
	struct uart_line line;
	struct uart *uart;
	struct evloop *loop;
	struct power *power;
	struct evloop_watch in, out;
	bool terminal, escaped, input_over, flushing, close_out;
	struct timer flush;
	u8 last;
	u32 head, tail;
	u8 ring[CONSOLE_RING];
};

int console_open(struct console *console, const char *where, struct evloop *loop,
		 struct power *power);
int console_start(struct console *console, struct uart *uart);
void console_close(struct console *console);

#endif
