/* SPDX-License-Identifier: GPL-2.0-only */
/* What is at an address: devices and registers, as a trace's marks tell them. */
#ifndef VMCTL_TRACE_MAP_H
#define VMCTL_TRACE_MAP_H

#include "vec.h"

#define MAP_NAME	128

/**
 * struct map - devices of each VM, and the registers of each kind
 * @devices: @registers: @threads:	struct map_device, struct map_register, struct map_thread
 *
 * Who accesses something is given as a thread: vCPUs are known by theirs.
 */
struct map {
	struct vec devices, registers, threads;
};

const char *map_mark(struct map *map, const char *text);
void map_name(const struct map *map, int tid, bool mmio, u64 addr, char name[MAP_NAME]);
const char *map_device(const struct map *map, int tid, bool mmio, u64 addr);
void map_free(struct map *map);

#endif
