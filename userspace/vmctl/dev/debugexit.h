/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_DEBUGEXIT_H
#define VMCTL_DEBUGEXIT_H

#include "../power.h"
#include "bus.h"

#define DEBUG_EXIT_PORT		0xf4

int debugexit_init(struct bus *ports, struct power *power);

#endif
