// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages for people: one line each on stderr, "vmctl: [VM: ]what: remedy".
 */
#include <stdarg.h>
#include <stdio.h>

#include "msg.h"
#include "terminal.h"

static const char *vm_name;

/**
 * msg_set_name - name the VM that later messages speak of
 * @name:	must live as long as the program; NULL for none
 */
void msg_set_name(const char *name)
{
	vm_name = name;
}

static void vmsg(const char *fmt, va_list args)
{
	char line[2048];

	vsnprintf(line, sizeof(line), fmt, args);
	/* a raw terminal does not return the carriage by itself */
	fprintf(stderr, "vmctl: %s%s%s%s", vm_name ? vm_name : "",
		vm_name ? ": " : "", line, terminal_is_raw() ? "\r\n" : "\n");
}

/**
 * fail - say what went wrong and what to do
 * @fmt:	printf format, no newline
 *
 * Return: -1, so that a caller can write "return fail(...)".
 */
int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vmsg(fmt, args);
	va_end(args);
	return -1;
}

/**
 * note - tell the user something that is not an error
 * @fmt:	printf format, no newline
 */
void note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vmsg(fmt, args);
	va_end(args);
}
