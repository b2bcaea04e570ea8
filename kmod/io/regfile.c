// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register files: reads of registers without side effects, served from a page that
 * the device model writes.  A read is one load of its size, so it is never torn.
 */
#include "route.h"

/**
 * mhv_regfile_read - serve a read from a register file
 * @e: register file that covers the access
 * @gpa: address, aligned to @size
 * @size: 1, 2, 4 or 8 bytes
 *
 * Context: RCU read side.
 * Return: the register's value.
 */
u64 mhv_regfile_read(const struct mhv_route_entry *e, gpa_t gpa, u32 size)
{
	const void *reg = e->area->page + e->offset + (gpa - e->gpa);

	switch (size) {
	case 1:
		return READ_ONCE(*(const u8 *)reg);
	case 2:
		return READ_ONCE(*(const u16 *)reg);
	case 4:
		return READ_ONCE(*(const u32 *)reg);
	default:
		return READ_ONCE(*(const u64 *)reg);
	}
}
