/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_PVPANIC_H
#define VMCTL_PVPANIC_H

#include "../power.h"
#include "bus.h"

#define PVPANIC_PORT		0x505

int pvpanic_init(struct bus *ports, struct power *power);

#endif
