// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal in raw mode, and back to what it was on every path out: return, exit(),
 * a fatal signal, a stop.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "msg.h"
#include "terminal.h"

static int raw_fd = -1;
static struct termios cooked;
static atomic_bool raw;

/* the machine's own faults: the terminal comes first, then the core dump */
static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };

static void terminal_fatal(int sig)
{
	terminal_restore();
	raise(sig);	/* SA_RESETHAND: the default action this time */
}

static void terminal_guard(void)
{
	struct sigaction action = { .sa_handler = terminal_fatal,
				    .sa_flags = SA_RESETHAND };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		sigaction(fatal_signals[i], &action, NULL);
	atexit(terminal_restore);
}

/**
 * terminal_usable - may this process read from a terminal
 * @fd:		the terminal
 *
 * Return: false when @fd is none, or when we run in its background.
 */
bool terminal_usable(int fd)
{
	return isatty(fd) && tcgetpgrp(fd) == getpgrp();
}

static int terminal_set_raw(void)
{
	struct termios mode = cooked;

	cfmakeraw(&mode);
	if (tcsetattr(raw_fd, TCSANOW, &mode))
		return -1;
	raw = true;
	return 0;
}

/**
 * terminal_raw - pass every key on and every byte out unchanged
 * @fd:		the terminal
 *
 * Return: 0, or -1 with a message.
 */
int terminal_raw(int fd)
{
	if (tcgetattr(fd, &cooked))
		return fail("cannot read the terminal's mode: %s", strerror(errno));
	if (raw_fd < 0)
		terminal_guard();
	raw_fd = fd;
	if (terminal_set_raw())
		return fail("cannot set the terminal's mode: %s", strerror(errno));
	return 0;
}

/**
 * terminal_restore - give the terminal back as it was; safe in a signal handler
 */
void terminal_restore(void)
{
	if (!raw)
		return;
	raw = false;
	tcsetattr(raw_fd, TCSANOW, &cooked);
}

/**
 * terminal_is_raw - does a line need its own carriage return
 *
 * Return: true between terminal_raw() and terminal_restore().
 */
bool terminal_is_raw(void)
{
	return raw;
}

/**
 * terminal_stop - job control's stop: give the terminal back, sleep, take it again
 */
void terminal_stop(void)
{
	bool was = raw;

	terminal_restore();
	raise(SIGSTOP);
	if (was)
		terminal_set_raw();
}
