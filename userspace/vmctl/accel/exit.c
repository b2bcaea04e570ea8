// SPDX-License-Identifier: GPL-2.0-only
/* What all backends say of an exit. */
#include <stdarg.h>
#include <stdio.h>

#include "accel.h"

/**
 * exit_text - an exit that people are told of
 * @exit:	out
 * @kind:	VCPU_EXIT_ENTRY_FAILED or VCPU_EXIT_ERROR
 * @fmt:	what to tell, as for printf()
 */
void exit_text(struct vcpu_exit *exit, enum vcpu_exit_kind kind, const char *fmt, ...)
{
	va_list args;

	exit->kind = kind;
	va_start(args, fmt);
	vsnprintf(exit->text, sizeof(exit->text), fmt, args);
	va_end(args);
}
