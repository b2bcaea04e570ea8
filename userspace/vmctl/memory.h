/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_MEMORY_H
#define VMCTL_MEMORY_H

#include "types.h"

/*
 * Guest physical address space, as on a PC:
 *
 *   0          0x9fc00		RAM
 *   0x9fc00    0xa0000		RAM, reserved: extended BIOS data area
 *   0xa0000    0x100000	RAM, reserved: firmware tables live here
 *   1 MiB      min(size, 3 GiB) RAM
 *   3 GiB      4 GiB		hole for devices
 *   4 GiB      ...		RAM: what did not fit below the hole
 */
#define MEM_EBDA		0x9fc00ull
#define MEM_FIRMWARE		0xe0000ull
#define MEM_HIGH		(1 * MIB)
#define MEM_HOLE		(3 * GIB)
#define MEM_ABOVE_HOLE		(4 * GIB)
#define MEM_MIN			(2 * MIB)

/**
 * struct memory - the guest's RAM, one anonymous mapping cut in two at the hole
 * @base:	where gpa 0 lies in this process
 * @size:	bytes of RAM
 * @low:	bytes below the hole
 * @high:	bytes from MEM_ABOVE_HOLE on
 */
struct memory {
	u8 *base;
	u64 size, low, high;
};

enum mem_kind {
	MEM_RAM		= 1,	/* the values are those of E820 and multiboot */
	MEM_RESERVED	= 2,
};

/**
 * struct mem_range - one entry of the memory map given to the guest
 * @gpa:	start
 * @size:	bytes
 * @kind:	what is there
 */
struct mem_range {
	u64 gpa, size;
	enum mem_kind kind;
};

#define MEM_MAP_MAX		5

int memory_create(struct memory *mem, u64 size);
void memory_destroy(struct memory *mem);
u64 memory_top(u64 size);
void *memory_ptr(const struct memory *mem, u64 gpa, u64 size);
unsigned int memory_map(const struct memory *mem, struct mem_range map[MEM_MAP_MAX]);

#endif
