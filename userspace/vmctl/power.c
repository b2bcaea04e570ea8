// SPDX-License-Identifier: GPL-2.0-only
#include "power.h"

static const struct {
	const char *name;
	int status;
} ends[] = {
	[END_NONE]		= { "running", STATUS_FAILED },
	[END_POWEROFF]		= { "poweroff", STATUS_OK },
	[END_RESET]		= { "reset", STATUS_RESET },
	[END_TRIPLE_FAULT]	= { "triple-fault", STATUS_FAULT },
	[END_ENTRY_FAILED]	= { "entry-failed", STATUS_FAULT },
	[END_PANIC]		= { "panic", STATUS_PANIC },
	[END_DEBUG_EXIT]	= { "debug-exit", STATUS_DEBUG_EXIT },
	[END_TIMEOUT]		= { "timeout", STATUS_TIMEOUT },
	[END_QUIT]		= { "quit", STATUS_OK },
	[END_SIGNAL]		= { "signal", STATUS_SIGNAL },
	[END_ERROR]		= { "error", STATUS_FAILED },
};

/**
 * end_status - exit status of vmctl for an end
 * @cause:	how the machine ended
 * @value:	what belongs to the cause
 *
 * Return: the status, as the manual page lists it.
 */
int end_status(enum end_cause cause, u32 value)
{
	if (cause == END_DEBUG_EXIT)
		return value ? STATUS_DEBUG_EXIT | (value & 63) : STATUS_OK;
	if (cause == END_SIGNAL)
		return STATUS_SIGNAL + value;
	return ends[cause].status;
}

/**
 * end_name - one word for an end
 * @cause:	how the machine ended
 *
 * Return: a constant string.
 */
const char *end_name(enum end_cause cause)
{
	return ends[cause].name;
}
