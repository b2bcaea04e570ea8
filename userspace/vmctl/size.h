/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_SIZE_H
#define VMCTL_SIZE_H

#include "types.h"

#define SIZE_TEXT	16

int size_parse(const char *text, u64 *bytes);
const char *size_text(u64 bytes, char text[SIZE_TEXT]);

#endif
