/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_MSG_H
#define VMCTL_MSG_H

#include "types.h"

void msg_set_name(const char *name);
int fail(const char *fmt, ...) __printf(1, 2);
void note(const char *fmt, ...) __printf(1, 2);

#endif
