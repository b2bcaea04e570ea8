/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes: how the kernel answers accesses to device memory without the vCPU coming
 * back to user space.  Devices use them by way of dev/mmio.h.
 */
#ifndef VMCTL_ROUTE_H
#define VMCTL_ROUTE_H

#include <pthread.h>

#include "accel.h"

/**
 * struct route_host - whose routes they are
 * @ops: @accel:	backend and its VM
 */
struct route_host {
	const struct accel_ops *ops;
	struct accel *accel;
};

/**
 * struct regfile - a page of registers that the kernel reads for the guest
 * @area:	the page
 * @routed:	for its owner: has a route
 */
struct regfile {
	struct accel_area area;
	bool routed;
};

int regfile_create(struct regfile *regs, const struct route_host *host);
void regfile_destroy(struct regfile *regs);
u64 regfile_load(const struct regfile *regs, u32 off, unsigned int size);
void regfile_store(struct regfile *regs, u32 off, u64 val, unsigned int size);

/**
 * struct ring - writes that the kernel has posted for the device model
 * @area:	holds @shared
 * @shared:	the ring itself
 * @fd:		doorbell, an eventfd: the ring was empty and no longer is
 * @lock:	one thread at a time takes from the ring
 * @routed:	for its owner: has a route
 * @taken:	writes carried out; changed under @lock
 * @bad:	writes left out because the ring made no sense; under @lock
 */
struct ring {
	struct accel_area area;
	struct mhv_ring *shared;
	int fd;
	bool routed;
	pthread_mutex_t lock;
	u32 taken;
	u64 bad;
};

/* carries out one posted write; under @lock of the ring */
typedef void ring_write_fn(void *owner, const struct mhv_posted *write);

int ring_create(struct ring *ring, const struct route_host *host);
void ring_destroy(struct ring *ring);
void ring_take(struct ring *ring, ring_write_fn *write, void *owner);

/**
 * ring_pending - writes that wait in the ring
 * @ring:	the ring
 *
 * Return: how many; 0 also means that all earlier ones are carried out.
 */
static inline u32 ring_pending(const struct ring *ring)
{
	u32 producer = __atomic_load_n(&ring->shared->producer, __ATOMIC_ACQUIRE);

	return producer - __atomic_load_n(&ring->taken, __ATOMIC_ACQUIRE);
}

/**
 * ring_drain - carry out what waits in the ring
 * @ring:	the ring
 * @write:	does one write
 * @owner:	passed to @write
 *
 * On return all writes are done that were posted before the call, also those another
 * thread was at.  Without any it costs two loads.
 */
static inline void ring_drain(struct ring *ring, ring_write_fn *write, void *owner)
{
	if (ring_pending(ring))
		ring_take(ring, write, owner);
}

int route_regfile(const struct route_host *host, u64 gpa, u64 size,
		  const struct regfile *regs, u32 offset);
int route_posted(const struct route_host *host, u64 gpa, u64 size,
		 const struct ring *ring);
int route_eventfd(const struct route_host *host, u64 gpa, u64 size, const u64 *value,
		  int fd);
int route_remove(const struct route_host *host, u32 kind, u64 gpa, u64 size,
		 const u64 *value);

#endif
