/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_BUS_H
#define VMCTL_BUS_H

#include "../types.h"

/**
 * struct access - one exit's worth of bus traffic
 * @addr:	port number or gpa of the first element
 * @data:	@count elements of @size bytes, packed in the order of the transfer;
 *		read by writes, filled by reads
 * @size:	bytes of an element, 1 to 32
 * @count:	elements
 * @step:	from one element's address to the next: 0 for ports
 * @write:	the guest writes to the device
 */
struct access {
	u64 addr;
	u8 *data;
	u32 size, count;
	s32 step;
	bool write;
};

/**
 * struct bus_ops - what a device does when the guest reads or writes it
 * @read:	bytes at @off of the device's range; upper bytes are ignored
 * @write:	@val is masked to @size
 * @max_size:	widest access that the device knows: 1, 2, 4 or 8; the bus cuts
 *		others in pieces
 * @name:	what a trace calls the device; NULL: it has it from elsewhere
 *
 * Both run under the device lock.
 */
struct bus_ops {
	u64 (*read)(void *dev, u64 off, unsigned int size);
	void (*write)(void *dev, u64 off, u64 val, unsigned int size);
	unsigned int max_size;
	const char *name;
};

struct bus_range {
	u64 base, len;
	const struct bus_ops *ops;
	void *dev;
};

/**
 * struct bus - an address space with devices in it: ports, or device memory
 * @ranges:	ascending, without overlap
 * @nr:		ranges in use
 * @room:	ranges there is memory for
 * @unclaimed:	reads [0] and writes [1] that met nobody, or not only devices
 */
struct bus {
	struct bus_range *ranges;
	unsigned int nr, room;
	u64 unclaimed[2];
};

int bus_add(struct bus *bus, u64 base, u64 len, const struct bus_ops *ops, void *dev);
bool bus_is_free(const struct bus *bus, u64 base, u64 len);
int bus_remove(struct bus *bus, u64 base);
void bus_destroy(struct bus *bus);
const struct bus_range *bus_find(const struct bus *bus, u64 addr);
void bus_access(struct bus *bus, const struct access *access);

#endif
