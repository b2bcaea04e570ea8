/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes: who answers an access to device memory without an exit to user space.
 *
 * The set is immutable and replaced whole (RCU); each kind is a sorted array, so that
 * a lookup costs the logarithm of their number.
 */
#ifndef MHV_IO_ROUTE_H
#define MHV_IO_ROUTE_H

#include <linux/eventfd.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../mhv.h"

/**
 * struct mhv_shared - an area: memory that the kernel and a device model share
 * @kind: enum mhv_area_kind
 * @page: kernel address of its pages
 * @lock: ring: serialises producers
 * @producer: ring: entries appended, the kernel's own count
 * @consumer: ring: user space's index when last looked at; for tracing alone
 */
struct mhv_shared {
	u32 kind;
	void *page;
	spinlock_t lock;		/* @producer and the ring's entries */
	u32 producer;
	u32 consumer;
};

/**
 * struct mhv_route_entry - one route
 * @gpa: first address
 * @size: bytes covered; eventfds: 0 any size at @gpa
 * @area: register file, ring
 * @offset: register file: of @gpa in the page
 * @match: eventfd: only writes of @value
 * @value: likewise
 * @eventfd: eventfd, or the ring's doorbell, or NULL
 */
struct mhv_route_entry {
	u64 gpa;
	u64 size;
	struct mhv_shared *area;
	u32 offset;
	bool match;
	u64 value;
	struct eventfd_ctx *eventfd;
};

/**
 * struct mhv_route_list - the routes of one kind
 * @older: replaced before, when this one is replaced
 * @nr: of them
 * @entry: sorted by @gpa, then size and value
 */
struct mhv_route_list {
	struct mhv_route_list *older;
	u32 nr;
	struct mhv_route_entry entry[];
};

const struct mhv_route_entry *mhv_route_find(const struct mhv_route_list *list, u64 gpa,
					     u32 size);
const struct mhv_route_entry *mhv_doorbell_find(const struct mhv_route_list *list, u64 gpa,
						u32 size, u64 data, bool *only);
u8 mhv_route_kinds(struct mhv_vm *vm, u64 gfn);
u64 mhv_regfile_read(const struct mhv_route_entry *e, gpa_t gpa, u32 size);
void mhv_doorbell_ring(struct eventfd_ctx *eventfd);
void mhv_eventfd_write(struct mhv_vcpu *v, const struct mhv_route_entry *e, gpa_t gpa,
		       u32 size, u64 data);

/* The routes of a kind.  Context: RCU read side. */
static inline const struct mhv_route_list *mhv_routes(struct mhv_vm *vm, u32 kind)
{
	return rcu_dereference_check(vm->routes[kind], rcu_read_lock_any_held());
}

static inline bool mhv_route_covers(const struct mhv_route_entry *e, u64 gpa, u32 size)
{
	return gpa - e->gpa < e->size && e->size - (gpa - e->gpa) >= size;
}

#endif /* MHV_IO_ROUTE_H */
