// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register files: reads of registers without side effects, served from a page that
 * the device model writes.  A read is one load of its size, so it is never torn.
 */
#include "route.h"

/**
 * mhv_regfile_read - serve a read from a register file
 * @e: register file that covers the access
 * @gpa: address
 * @size: bytes
 * @data: out
 *
 * Context: RCU read side.
 * Return: false when the access is not aligned, or wider than 8 bytes.
 */
bool mhv_regfile_read(const struct mhv_route_entry *e, gpa_t gpa, u32 size, u64 *data)
{
	const void *reg = e->area->page + e->offset + (gpa - e->gpa);

	if (gpa & (size - 1))
		return false;
	switch (size) {
	case 1:
		*data = READ_ONCE(*(const u8 *)reg);
		return true;
	case 2:
		*data = READ_ONCE(*(const u16 *)reg);
		return true;
	case 4:
		*data = READ_ONCE(*(const u32 *)reg);
		return true;
	case 8:
		*data = READ_ONCE(*(const u64 *)reg);
		return true;
	}
	return false;
}
