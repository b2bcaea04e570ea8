// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a system expects to find in memory because firmware has run: the BIOS data
 * area and the ACPI tables.  No firmware code runs in the guest.
 */
#include <string.h>

#include "../dev/uart16550.h"
#include "acpi_tables.h"
#include "firmware.h"

/* BIOS data area, addresses of 16-bit words */
#define BDA_COM1		0x400
#define BDA_EBDA_SEGMENT	0x40e
#define BDA_MEMORY_KIB		0x413

static void put16(const struct memory *mem, u64 gpa, u16 val)
{
	memcpy(memory_ptr(mem, gpa, sizeof(val)), &val, sizeof(val));
}

/**
 * firmware_install - write what firmware leaves in memory
 * @mem:	guest RAM
 * @firmware:	out: where it is
 *
 * Return: 0, or -1 with a message.
 */
int firmware_install(const struct memory *mem, struct firmware *firmware)
{
	put16(mem, BDA_COM1, UART_COM1);
	put16(mem, BDA_EBDA_SEGMENT, MEM_EBDA >> 4);
	put16(mem, BDA_MEMORY_KIB, MEM_EBDA / KIB);
	put16(mem, MEM_EBDA, (0xa0000 - MEM_EBDA) / KIB);	/* size of the EBDA */
	firmware->rsdp = acpi_tables_install(mem);
	return firmware->rsdp ? 0 : -1;
}
