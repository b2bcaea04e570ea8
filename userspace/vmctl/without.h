/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_WITHOUT_H
#define VMCTL_WITHOUT_H

#include "types.h"

const char *without_name(unsigned int option);
int without_parse(const char *text, u64 *disabled);

#endif
