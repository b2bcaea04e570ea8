/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_PHASES_H
#define VMCTL_PHASES_H

#include "json.h"

#define PHASE_PORT	0xf5
#define PHASES_MAX	16

struct machine;

int phases_init(struct machine *machine);
void phases_json(struct json *json);

#endif
