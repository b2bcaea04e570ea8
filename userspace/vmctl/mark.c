// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks go to the trace only while it takes the module's events: otherwise nobody wants
 * them.  A mark that cannot be written is left out; the report says what it lacks.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mark.h"

static int marker = -1;

/* reads the beginning of a file; false when it cannot be read */
static bool mark_read(const char *dir, const char *file, char *text, size_t len)
{
	char path[512];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, len - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* the clock in use is the one in brackets */
static void mark_clock(const char *dir, char *clock, size_t len)
{
	char text[256], *begin, *end;

	snprintf(clock, len, "unknown");
	if (!mark_read(dir, "trace_clock", text, sizeof(text)))
		return;
	begin = strchr(text, '[');
	end = begin ? strchr(begin, ']') : NULL;
	if (end)
		snprintf(clock, len, "%.*s", (int)(end - begin - 1), begin + 1);
}

/**
 * mark_open - mark the trace from now on, if it takes the module's events
 * @dir:	where the files of the trace are
 *
 * Return: true if it does.
 */
bool mark_open(const char *dir)
{
	char path[512], on[8];

	if (marker >= 0 || !mark_read(dir, "events/mhv/enable", on, sizeof(on)) || *on == '0')
		return false;
	snprintf(path, sizeof(path), "%s/trace_marker", dir);
	marker = open(path, O_WRONLY | O_CLOEXEC);
	return marker >= 0;
}

/**
 * mark_vm - say that a VM begins
 * @dir:	as for mark_open()
 * @tsc_khz:	rate of its TSC
 */
void mark_vm(const char *dir, u32 tsc_khz)
{
	char clock[32];

	mark_clock(dir, clock, sizeof(clock));
	mark("vm %u %s", tsc_khz, clock);
}

/**
 * mark - write a mark
 * @fmt:	printf format of what follows prefix and process; nothing happens unless
 *		mark_open() was successful
 */
void mark(const char *fmt, ...)
{
	char line[256];
	size_t used;
	va_list args;
	int len;

	if (marker < 0)
		return;
	used = snprintf(line, sizeof(line), MARK_PREFIX "%d ", getpid());
	va_start(args, fmt);
	len = vsnprintf(line + used, sizeof(line) - used, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line) - used ||
	    write(marker, line, used + len) < 0)
		return;
}

/**
 * mark_is_open - are there marks?
 *
 * Return: true after mark_open() was successful.
 */
bool mark_is_open(void)
{
	return marker >= 0;
}

/**
 * mark_close - no marks from now on
 */
void mark_close(void)
{
	if (marker < 0)
		return;
	mark("end");
	close(marker);
	marker = -1;
}
