// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus: finds the device at an address and cuts accesses to what it can take.
 *
 * Reads that nobody claims give all ones, writes go nowhere, as on a PC.
 */
#include <stdlib.h>
#include <string.h>

#include "../mark.h"
#include "bus.h"

/* index of the first range that ends above @addr; bus->nr when none does */
static unsigned int bus_search(const struct bus *bus, u64 addr)
{
	unsigned int lo = 0, hi = bus->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		const struct bus_range *range = &bus->ranges[mid];

		if (addr - range->base < range->len || addr < range->base)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/**
 * bus_find - who is at an address
 * @bus:	the bus
 * @addr:	any address
 *
 * Return: the range; valid until the bus changes.  NULL: nobody.
 */
const struct bus_range *bus_find(const struct bus *bus, u64 addr)
{
	unsigned int at = bus_search(bus, addr);

	return at < bus->nr && addr >= bus->ranges[at].base ? &bus->ranges[at] : NULL;
}

/**
 * bus_is_free - is nobody in a range
 * @bus:	the bus
 * @base:	first address
 * @len:	addresses, not 0
 *
 * Return: true if bus_add() would find room there.
 */
bool bus_is_free(const struct bus *bus, u64 base, u64 len)
{
	unsigned int at = bus_search(bus, base);

	return at == bus->nr || bus->ranges[at].base > base + (len - 1);
}

/**
 * bus_add - put a device on the bus
 * @bus:	zeroed, or with devices already
 * @base:	first address
 * @len:	addresses, not 0
 * @ops:	what the device does; must stay
 * @dev:	passed to @ops
 *
 * Return: 0, or -1 when another device is there or memory ran out.
 */
int bus_add(struct bus *bus, u64 base, u64 len, const struct bus_ops *ops, void *dev)
{
	unsigned int at = bus_search(bus, base);
	struct bus_range *ranges;

	if (!bus_is_free(bus, base, len))
		return -1;
	if (bus->nr == bus->room) {
		ranges = reallocarray(bus->ranges, bus->room + 16, sizeof(*ranges));
		if (!ranges)
			return -1;
		bus->ranges = ranges;
		bus->room += 16;
	}
	memmove(&bus->ranges[at + 1], &bus->ranges[at],
		(bus->nr - at) * sizeof(*bus->ranges));
	bus->ranges[at] = (struct bus_range){ base, len, ops, dev };
	bus->nr++;
	if (ops->name)
		mark("device %s port 0x%llx 0x%llx", ops->name, base, len);
	return 0;
}

/**
 * bus_remove - take a device off the bus
 * @bus:	the bus
 * @base:	first address of its range
 *
 * Return: 0, or -1 when no range begins there.
 */
int bus_remove(struct bus *bus, u64 base)
{
	unsigned int at = bus_search(bus, base);

	if (at == bus->nr || bus->ranges[at].base != base)
		return -1;
	if (bus->ranges[at].ops->name)
		mark("gone port 0x%llx", base);
	bus->nr--;
	memmove(&bus->ranges[at], &bus->ranges[at + 1],
		(bus->nr - at) * sizeof(*bus->ranges));
	return 0;
}

/**
 * bus_destroy - forget all devices
 * @bus:	the bus
 */
void bus_destroy(struct bus *bus)
{
	free(bus->ranges);
	memset(bus, 0, sizeof(*bus));
}

/* how many of @size bytes at @addr one call of @range may take: a power of two */
static unsigned int bus_piece(const struct bus_range *range, u64 addr, unsigned int size)
{
	u64 left = range->len - (addr - range->base);
	unsigned int piece = range->ops->max_size;

	while (piece > size || piece > left)
		piece /= 2;
	return piece;
}

static unsigned int bus_read(const struct bus_range *range, u64 addr, u8 *data,
			     unsigned int size)
{
	unsigned int piece = bus_piece(range, addr, size);
	u64 val = range->ops->read(range->dev, addr - range->base, piece);

	memcpy(data, &val, piece);
	return piece;
}

static unsigned int bus_write(const struct bus_range *range, u64 addr, const u8 *data,
			      unsigned int size)
{
	unsigned int piece = bus_piece(range, addr, size);
	u64 val = 0;

	memcpy(&val, data, piece);
	range->ops->write(range->dev, addr - range->base, val, piece);
	return piece;
}

static void bus_element(struct bus *bus, u64 addr, u8 *data, unsigned int size, bool write)
{
	const struct bus_range *range;
	bool unclaimed = false;
	unsigned int piece;

	for (; size; addr += piece, data += piece, size -= piece) {
		/* looked up each time: a write may move a range */
		range = bus_find(bus, addr);
		if (!range) {
			unclaimed = true;
			piece = 1;
			if (!write)
				*data = 0xff;
		} else if (write) {
			piece = bus_write(range, addr, data, size);
		} else {
			piece = bus_read(range, addr, data, size);
		}
	}
	bus->unclaimed[write] += unclaimed;
}

/**
 * bus_access - do what the guest asked
 * @bus:	the bus
 * @access:	the request; for reads its data is filled in
 */
void bus_access(struct bus *bus, const struct access *access)
{
	u64 addr = access->addr;
	u8 *data = access->data;
	u32 i;

	for (i = 0; i < access->count; i++) {
		bus_element(bus, addr, data, access->size, access->write);
		addr += access->step;
		data += access->size;
	}
}
