// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console: bytes between the guest's serial port and the user.
 *
 * Output goes through a ring.  The vCPU thread puts bytes in; the main thread writes
 * them out when a line is complete, the ring is half full, or a few milliseconds have
 * passed, so that a guest's message costs one system call and not one a byte.  A ring
 * without room makes the port's transmitter busy: a slow reader slows the guest down,
 * and no byte is lost.
 *
 * Input is read only while the port has room for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "console.h"
#include "msg.h"
#include "terminal.h"

#define FLUSH_DELAY	(5 * NSEC_PER_MSEC)
#define WRITE_MAX	512	/* what a terminal takes without blocking, mostly */
#define DRAIN_TIMEOUT	2000	/* milliseconds without progress at the end */
#define KEY_ESCAPE	1	/* Ctrl-a */

static const char key_help[] =
	"\r\nCtrl-a x  quit\r\nCtrl-a a  send Ctrl-a\r\nCtrl-a h  this help\r\n";

static u32 console_fill(const struct console *console)
{
	return console->head - console->tail;
}

static void console_flush(struct console *console)
{
	if (console->flushing || !console_fill(console))
		return;
	console->flushing = true;
	console->out.events = POLLOUT;
	evloop_wake(console->loop);
}

static void console_flush_late(struct timer *timer)
{
	console_flush(container_of(timer, struct console, flush));
}

static unsigned int console_room(struct uart_line *line)
{
	struct console *console = container_of(line, struct console, line);

	return CONSOLE_RING - console_fill(console);
}

static void console_put(struct console *console, u8 byte)
{
	console->ring[console->head++ % CONSOLE_RING] = byte;
	if (byte == '\n' || console_fill(console) > CONSOLE_RING / 2)
		console_flush(console);
	else if (!console->flushing && !console->flush.armed)
		timer_arm(&console->loop->timers, &console->flush,
			  clock_now() + FLUSH_DELAY);
}

static void console_send(struct uart_line *line, u8 byte)
{
	struct console *console = container_of(line, struct console, line);

	if (console->out.fd >= 0)
		console_put(console, byte);
}

/* watches the input exactly while there is room for it */
static void console_input_update(struct console *console)
{
	short events = console->input_over || !uart_room(console->uart) ? 0 : POLLIN;

	if (console->in.fd < 0 || events == console->in.events)
		return;
	console->in.events = events;
	if (events)
		evloop_wake(console->loop);
}

static void console_drained(struct uart_line *line)
{
	console_input_update(container_of(line, struct console, line));
}

/* output failed for good: say so once, and do not go on as if all were well */
static void console_output_error(struct console *console, int error)
{
	fail("cannot write the console's output: %s", strerror(error));
	console->tail = console->head;
	console->out.fd = -1;
	power_end(console->power, END_ERROR, 0);
}

/* one write of what waits; the lock is let go meanwhile */
static void console_write_some(struct console *console)
{
	u32 at = console->tail % CONSOLE_RING;
	u32 len = min_u64(console_fill(console), CONSOLE_RING - at);
	ssize_t done;

	len = min_u64(len, WRITE_MAX);
	if (!len || console->out.fd < 0)
		return;
	pthread_mutex_unlock(console->loop->lock);
	done = write(console->out.fd, console->ring + at, len);
	pthread_mutex_lock(console->loop->lock);
	if (done > 0) {
		console->last = console->ring[at + done - 1];
		console->tail += done;
	} else if (errno != EINTR && errno != EAGAIN) {
		console_output_error(console, errno);
	}
}

static void console_out_ready(struct evloop_watch *watch)
{
	struct console *console = container_of(watch, struct console, out);

	console_write_some(console);
	if (!console_fill(console)) {
		console->flushing = false;
		console->out.events = 0;
	}
	uart_resume(console->uart);
}

static void console_help(struct console *console)
{
	const char *text;

	for (text = key_help; *text; text++)
		if (console_fill(console) < CONSOLE_RING)
			console_send(&console->line, *text);
}

/* a key after Ctrl-a */
static void console_command(struct console *console, u8 key)
{
	switch (key) {
	case 'x':
		power_end(console->power, END_QUIT, 0);
		break;
	case 'a':
	case KEY_ESCAPE:
		uart_receive(console->uart, KEY_ESCAPE);
		break;
	case 'h':
	case '?':
		console_help(console);
		break;
	}
}

static void console_key(struct console *console, u8 key)
{
	if (!console->terminal) {
		uart_receive(console->uart, key);
	} else if (console->escaped) {
		console->escaped = false;
		console_command(console, key);
	} else if (key == KEY_ESCAPE) {
		console->escaped = true;
	} else {
		uart_receive(console->uart, key);
	}
}

static void console_in_ready(struct evloop_watch *watch)
{
	struct console *console = container_of(watch, struct console, in);
	u8 keys[UART_FIFO];
	unsigned int room = uart_room(console->uart);
	ssize_t i, nr;

	if (!room)
		return;
	/* never more than there is room for; poll() said that this does not block */
	nr = read(watch->fd, keys, room);
	if (nr < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	for (i = 0; i < nr; i++)
		console_key(console, keys[i]);
	/* a terminal that hung up, or the end of a file: the guest goes on */
	console->input_over = nr <= 0;
	console_input_update(console);
}

static int console_open_file(struct console *console, const char *path)
{
	console->out.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (console->out.fd < 0)
		return fail("console file %s: %s: give --console file:PATH another path",
			    path, strerror(errno));
	console->close_out = true;
	return 0;
}

/* a terminal whose foreground is not ours is left to its owner */
static bool console_wants_input(void)
{
	return isatty(STDIN_FILENO) ? terminal_usable(STDIN_FILENO) :
				      fcntl(STDIN_FILENO, F_GETFD) >= 0;
}

/**
 * console_open - open the user's end
 * @console:	out; console_close() it, also after an error
 * @where:	"stdio", "none" or "file:PATH"
 * @loop:	main thread's loop
 * @power:	told when the user quits
 *
 * Return: 0, or -1 with a message.
 */
int console_open(struct console *console, const char *where, struct evloop *loop,
		 struct power *power)
{
	memset(console, 0, sizeof(*console));
	console->line = (struct uart_line){ console_room, console_send, console_drained };
	console->loop = loop;
	console->power = power;
	console->in = (struct evloop_watch){ .fd = -1, .ready = console_in_ready };
	console->out = (struct evloop_watch){ .fd = -1, .ready = console_out_ready };
	console->flush.fire = console_flush_late;
	console->last = '\n';
	if (!strncmp(where, "file:", 5))
		return console_open_file(console, where + 5);
	if (!strcmp(where, "stdio")) {
		console->out.fd = STDOUT_FILENO;
		if (console_wants_input())
			console->in.fd = STDIN_FILENO;
	}
	return 0;
}

/**
 * console_start - connect the port and take the terminal
 * @console:	open
 * @uart:	the guest's port
 *
 * Return: 0, or -1 with a message.
 */
int console_start(struct console *console, struct uart *uart)
{
	console->uart = uart;
	console->terminal = console->in.fd >= 0 && isatty(console->in.fd);
	if (console->terminal && terminal_raw(console->in.fd))
		return -1;
	console_input_update(console);
	return evloop_add(console->loop, &console->in) ||
	       evloop_add(console->loop, &console->out) ? -1 : 0;
}

/* writes out what waits; gives up on a reader that does not read */
static void console_drain(struct console *console)
{
	struct pollfd polled = { .fd = console->out.fd, .events = POLLOUT };

	while (console->out.fd >= 0 && console_fill(console)) {
		if (poll(&polled, 1, DRAIN_TIMEOUT) == 0) {
			fail("nobody reads the console's output: %u bytes are lost",
			     console_fill(console));
			return;
		}
		console_write_some(console);
	}
}

/**
 * console_close - write out all output and give the terminal back
 * @console:	the console; the device lock is held, no vCPU runs any more
 */
void console_close(struct console *console)
{
	static const u8 newline = '\n';

	timer_cancel(&console->loop->timers, &console->flush);
	console_drain(console);
	terminal_restore();
	/* what vmctl says next begins on a line of its own */
	if (console->out.fd == STDOUT_FILENO && console->last != '\n')
		(void)!write(STDOUT_FILENO, &newline, 1);
	if (console->close_out)
		close(console->out.fd);
}
