/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_DISASM_H
#define VMCTL_DISASM_H

#include "types.h"

#define DISASM_TEXT	256

void disasm(char text[DISASM_TEXT], const u8 *bytes, unsigned int nr, unsigned int bits,
	    u64 rip);

#endif
