/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_ACPI_TABLES_H
#define VMCTL_ACPI_TABLES_H

#include "../memory.h"

u64 acpi_tables_install(const struct memory *mem);

#endif
