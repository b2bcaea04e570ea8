// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

#define WORD	48

/* VMs are told apart by their processes */
struct map_device {
	char name[WORD];
	bool mmio;
	u64 base, size;
	int vm;
};

struct map_register {
	char device[WORD], name[WORD];
	u64 off, size;
	int vm;
};

/* a vCPU's, and the one that a VM begins with */
struct map_thread {
	int tid, vm;
};

static void map_add_thread(struct map *map, int tid, int vm)
{
	struct map_thread *thread = vec_add(&map->threads, sizeof(*thread));

	thread->tid = tid;
	thread->vm = vm;
}

/* the one of a thread; 0 if it is none's.  The last one told: numbers are used again */
static int map_vm(const struct map *map, int tid)
{
	bool several = false;
	int vm = 0, only = 0;

	vec_each(struct map_thread, thread, &map->threads) {
		if (thread->tid == tid)
			vm = thread->vm;
		several |= only && only != thread->vm;
		only = thread->vm;
	}
	return vm || several ? vm : only;
}

static struct map_device *map_find(const struct map *map, int vm, bool mmio, u64 addr)
{
	vec_each(struct map_device, d, &map->devices)
		if (d->vm == vm && d->mmio == mmio && addr - d->base < d->size)
			return d;
	return NULL;
}

static void map_remove(struct map *map, int vm, bool mmio, u64 base)
{
	struct map_device *d = map_find(map, vm, mmio, base);

	if (d)
		d->size = 0;
}

static void map_add(struct map *map, int vm, const char *name, bool mmio, u64 base, u64 size)
{
	struct map_device *d;

	/* what is said again has moved, or begins anew */
	map_remove(map, vm, mmio, base);
	d = vec_add(&map->devices, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->mmio = mmio;
	d->base = base;
	d->size = size;
	d->vm = vm;
}

static struct map_register *map_register(const struct map *map, int vm, const char *device,
					 u64 off)
{
	vec_each(struct map_register, r, &map->registers)
		if (r->vm == vm && off - r->off < r->size && !strcmp(r->device, device))
			return r;
	return NULL;
}

static void map_add_register(struct map *map, int vm, const char *device, u64 off, u64 size,
			     const char *name)
{
	struct map_register *r = map_register(map, vm, device, off);

	if (!r)
		r = vec_add(&map->registers, sizeof(*r));
	snprintf(r->device, sizeof(r->device), "%s", device);
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->off = off;
	r->size = size;
	r->vm = vm;
}

/* of 64 bits, in C's notation */
static u64 number(const char *text)
{
	return strtoull(text, NULL, 0);
}

/**
 * map_mark - take in a mark
 * @map:	zeroed at first
 * @text:	after the prefix
 *
 * Return: the mark without its process, for the caller to take in; NULL if it was one
 * that only tells what is where.
 */
const char *map_mark(struct map *map, const char *text)
{
	char name[WORD], word[WORD], a[WORD], b[WORD];
	int vm = 0, tid, len = 0;

	if (sscanf(text, "%d %n", &vm, &len) != 1 || !len)
		return "";
	text += len;
	if (!strncmp(text, "vm ", 3))
		map_add_thread(map, vm, vm);
	if (sscanf(text, "vcpu %d", &tid) == 1)
		map_add_thread(map, tid, vm);
	else if (sscanf(text, "device %47s %47s %47s %47s", name, word, a, b) == 4)
		map_add(map, vm, name, !strcmp(word, "mmio"), number(a), number(b));
	else if (sscanf(text, "gone %47s %47s", word, a) == 2)
		map_remove(map, vm, !strcmp(word, "mmio"), number(a));
	else if (sscanf(text, "register %47s %47s %47s %47s", name, a, b, word) == 4)
		map_add_register(map, vm, name, number(a), number(b), word);
	else
		return text;
	return NULL;
}

/**
 * map_device - the device at an address
 * @map:	devices
 * @tid:	thread that accesses it
 * @mmio:	in device memory, else at a port
 * @addr:	address
 *
 * Return: its name, or NULL.
 */
const char *map_device(const struct map *map, int tid, bool mmio, u64 addr)
{
	const struct map_device *d = map_find(map, map_vm(map, tid), mmio, addr);

	return d ? d->name : NULL;
}

/**
 * map_name - name an address
 * @map:	devices
 * @tid:	thread that accesses it
 * @mmio:	in device memory, else a port
 * @addr:	address
 * @name:	out: device and register; the offset where there is no such register, the
 *		address where there is no device
 */
void map_name(const struct map *map, int tid, bool mmio, u64 addr, char name[MAP_NAME])
{
	int vm = map_vm(map, tid);
	const struct map_device *d = map_find(map, vm, mmio, addr);
	const struct map_register *r;
	u64 off;

	if (!d) {
		snprintf(name, MAP_NAME, mmio ? "0x%llx" : "port 0x%llx", addr);
		return;
	}
	off = addr - d->base;
	r = map_register(map, vm, d->name, off);
	if (!r)
		snprintf(name, MAP_NAME, "%s 0x%llx", d->name, off);
	else if (r->off == off)
		snprintf(name, MAP_NAME, "%s %s", d->name, r->name);
	else
		snprintf(name, MAP_NAME, "%s %s+%llu", d->name, r->name, off - r->off);
}

/**
 * map_free - forget all
 * @map:	devices
 */
void map_free(struct map *map)
{
	vec_free(&map->devices);
	vec_free(&map->registers);
	vec_free(&map->threads);
}
