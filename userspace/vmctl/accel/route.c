// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes and what they share with the kernel: register files and posted rings.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../msg.h"
#include "../shared.h"
#include "route.h"

static int area_create(struct accel_area *area, u32 kind, u64 size,
		       const struct route_host *host)
{
	memset(area, 0, sizeof(*area));
	if (host->ops->create_area(host->accel, kind, area))
		return -1;
	if (area->size >= size)
		return 0;
	munmap(area->mem, area->size);
	area->mem = NULL;
	return fail("the module shares too little memory: use both of one build");
}

static void area_destroy(struct accel_area *area)
{
	if (area->mem)
		munmap(area->mem, area->size);
	area->mem = NULL;
}

/**
 * regfile_create - make a page of registers, all zero
 * @regs:	out; regfile_destroy() it, also after an error
 * @host:	whose
 *
 * Return: 0, or -1 with a message.
 */
int regfile_create(struct regfile *regs, const struct route_host *host)
{
	return area_create(&regs->area, MHV_AREA_REGFILE, GUEST_PAGE, host);
}

/**
 * regfile_destroy - give the page back; its routes are gone
 * @regs:	from regfile_create()
 */
void regfile_destroy(struct regfile *regs)
{
	area_destroy(&regs->area);
}

/**
 * regfile_load - what the guest finds in a register
 * @regs:	the page
 * @off:	byte offset; @off + @size lies within the page
 * @size:	1, 2, 4 or 8; atomic where @off is aligned to it
 *
 * Return: the value.
 */
u64 regfile_load(const struct regfile *regs, u32 off, unsigned int size)
{
	return shared_load((u8 *)regs->area.mem + off, size);
}

/**
 * regfile_store - set a register; the guest's next read finds it
 * @regs:	the page
 * @off:	byte offset; @off + @size lies within the page
 * @val:	value, low @size bytes
 * @size:	1, 2, 4 or 8; atomic where @off is aligned to it
 *
 * A release: whoever sees @val sees what was stored before.
 */
void regfile_store(struct regfile *regs, u32 off, u64 val, unsigned int size)
{
	shared_store((u8 *)regs->area.mem + off, val, size);
}

/**
 * ring_create - make a posted ring and its doorbell
 * @ring:	out; ring_destroy() it, also after an error
 * @host:	whose
 *
 * Return: 0, or -1 with a message.
 */
int ring_create(struct ring *ring, const struct route_host *host)
{
	memset(ring, 0, sizeof(*ring));
	pthread_mutex_init(&ring->lock, NULL);
	ring->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (ring->fd < 0)
		return fail("cannot make an eventfd: %s", strerror(errno));
	if (area_create(&ring->area, MHV_AREA_RING, sizeof(*ring->shared), host))
		return -1;
	ring->shared = ring->area.mem;
	return 0;
}

/**
 * ring_destroy - give the ring back; its routes are gone
 * @ring:	from ring_create()
 */
void ring_destroy(struct ring *ring)
{
	area_destroy(&ring->area);
	ring->shared = NULL;
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
	pthread_mutex_destroy(&ring->lock);
}

static bool posted_sane(const struct mhv_posted *write, u32 seq)
{
	u32 size = write->size;

	return write->seq == seq && size && size <= 8 && !(size & (size - 1));
}

static void ring_give_back(struct ring *ring, u32 consumer)
{
	__atomic_store_n(&ring->taken, consumer, __ATOMIC_RELEASE);
	__atomic_store_n(&ring->shared->consumer, consumer, __ATOMIC_RELEASE);
}

/*
 * The writes up to @producer.  An entry is copied before it is looked at, and its place
 * is given back only after it took effect: then who finds the ring empty knows that
 * everything is done.
 */
static void ring_take_to(struct ring *ring, u32 producer, ring_write_fn *write, void *owner)
{
	struct mhv_posted entry;
	u32 seq = ring->taken;

	if (producer - seq > MHV_RING_ENTRIES) {
		ring->bad++;
		ring_give_back(ring, producer);
		return;
	}
	for (; seq != producer; seq++) {
		entry = ring->shared->entry[seq % MHV_RING_ENTRIES];
		if (posted_sane(&entry, seq))
			write(owner, &entry);
		else
			ring->bad++;
		ring_give_back(ring, seq + 1);
	}
}

#define TAKE_ROUNDS	4

/**
 * ring_take - the slow part of ring_drain()
 * @ring:	the ring
 * @write:	does one write
 * @owner:	passed to @write
 *
 * The kernel rings the doorbell only for a ring that was empty.  So what it appends
 * while this is at work has to be found here: @producer is looked at again after
 * @consumer is out (the fence; the kernel does both the other way round).  A guest that
 * posts all the time does not hold the caller for ever: after some rounds the doorbell is
 * rung for what is left.
 *
 * A producer further ahead than the ring is long was stamped on: what was in the ring is
 * lost, and that is counted.
 */
void ring_take(struct ring *ring, ring_write_fn *write, void *owner)
{
	unsigned int round;
	u32 producer;

	pthread_mutex_lock(&ring->lock);
	for (round = 0; ring_pending(ring); round++) {
		if (round == TAKE_ROUNDS) {
			eventfd_write(ring->fd, 1);
			break;
		}
		producer = __atomic_load_n(&ring->shared->producer, __ATOMIC_ACQUIRE);
		ring_take_to(ring, producer, write, owner);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&ring->lock);
}

/**
 * route_regfile - have the kernel answer reads from a register file
 * @host:	whose
 * @gpa: @size:	the range
 * @regs:	the page
 * @offset:	where @gpa lies in the page
 *
 * Return: 0, or -1 with a message.
 */
int route_regfile(const struct route_host *host, u64 gpa, u64 size,
		  const struct regfile *regs, u32 offset)
{
	struct mhv_route route = {
		.kind = MHV_ROUTE_REGFILE, .gpa = gpa, .size = size,
		.area = regs->area.id, .offset = offset, .fd = -1,
	};

	return host->ops->set_route(host->accel, &route);
}

/**
 * route_posted - have the kernel append writes to a ring
 * @host:	whose
 * @gpa: @size:	the range; several ranges may share a ring
 * @ring:	the ring
 *
 * Return: 0, or -1 with a message.
 */
int route_posted(const struct route_host *host, u64 gpa, u64 size,
		 const struct ring *ring)
{
	struct mhv_route route = {
		.kind = MHV_ROUTE_POSTED, .gpa = gpa, .size = size,
		.area = ring->area.id, .fd = ring->fd,
	};

	return host->ops->set_route(host->accel, &route);
}

/**
 * route_eventfd - have the kernel signal writes
 * @host:	whose
 * @gpa:	address of the writes
 * @size:	of the writes: 1, 2, 4 or 8; 0: any
 * @value:	only writes of this value; NULL: of any
 * @fd:		eventfd
 *
 * Return: 0, or -1 with a message.
 */
int route_eventfd(const struct route_host *host, u64 gpa, u64 size, const u64 *value,
		  int fd)
{
	struct mhv_route route = {
		.kind = MHV_ROUTE_EVENTFD, .flags = value ? MHV_ROUTE_MATCH_VALUE : 0,
		.gpa = gpa, .size = size, .fd = fd, .value = value ? *value : 0,
	};

	return host->ops->set_route(host->accel, &route);
}

/**
 * route_remove - take a route away
 * @host:	whose
 * @kind:	enum mhv_route_kind
 * @gpa: @size: @value:	as it was made; @value NULL but for eventfds
 *
 * Return: 0, or -1 with a message.
 */
int route_remove(const struct route_host *host, u32 kind, u64 gpa, u64 size,
		 const u64 *value)
{
	struct mhv_route route = {
		.kind = kind,
		.flags = MHV_ROUTE_REMOVE | (value ? MHV_ROUTE_MATCH_VALUE : 0),
		.gpa = gpa, .size = size, .fd = -1, .value = value ? *value : 0,
	};

	return host->ops->set_route(host->accel, &route);
}
