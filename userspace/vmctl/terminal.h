/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_TERMINAL_H
#define VMCTL_TERMINAL_H

#include "types.h"

bool terminal_usable(int fd);
int terminal_raw(int fd);
void terminal_restore(void);
bool terminal_is_raw(void);
void terminal_stop(void);

#endif
