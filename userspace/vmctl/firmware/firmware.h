/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_FIRMWARE_H
#define VMCTL_FIRMWARE_H

#include "../memory.h"

/**
 * struct firmware - what firmware leaves behind for the loaders
 * @rsdp:	gpa of the ACPI root pointer
 */
struct firmware {
	u64 rsdp;
};

int firmware_install(const struct memory *mem, struct firmware *firmware);

#endif
