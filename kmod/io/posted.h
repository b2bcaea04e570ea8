/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Posted rings: writes appended to a ring and drained by the device model later.
 *
 * The ring is shared with user space and may hold anything.  The kernel's own count of
 * what it appended is the truth; of the page it reads the consumer index alone, once,
 * and takes a value that makes no sense for a full ring.
 *
 * The doorbell rings when the ring was empty: the device model stores its index, then
 * looks for new entries; here the entry goes out before the index is read.  One of the
 * two sees the other.
 */
#ifndef MHV_IO_POSTED_H
#define MHV_IO_POSTED_H

#include "../trace.h"
#include "route.h"

/*
 * User space drains a ring without telling: what it took since a producer last looked is
 * reported with the next write.  Under the area's lock.
 */
static inline void posted_trace_drain(struct mhv_vcpu *v, struct mhv_shared *area, u32 consumer)
{
	if (consumer == area->consumer)
		return;
	trace_mhv_posted_drain(v, area->consumer, consumer);
	area->consumer = consumer;
}

/**
 * mhv_posted_write - append a write to a ring
 * @v: the vCPU
 * @e: ring that covers the access
 * @gpa: address
 * @size: bytes, at most 8
 * @data: value
 *
 * Inline, for it is the whole of a posted access.
 * Context: RCU read side; interrupts may be off.
 * Return: false when the ring has no room.
 */
static inline bool mhv_posted_write(struct mhv_vcpu *v, const struct mhv_route_entry *e,
				    gpa_t gpa, u32 size, u64 data)
{
	struct mhv_shared *area = e->area;
	struct mhv_ring *ring = area->page;
	struct mhv_posted *entry;
	u32 seq, consumer;

	spin_lock(&area->lock);
	seq = area->producer;
	consumer = READ_ONCE(ring->consumer);
	if (trace_mhv_posted_drain_enabled())
		posted_trace_drain(v, area, consumer);
	if (unlikely(seq - consumer >= MHV_RING_ENTRIES)) {
		spin_unlock(&area->lock);
		return false;
	}
	entry = &ring->entry[seq % MHV_RING_ENTRIES];
	entry->gpa = gpa;
	entry->data = data;
	entry->seq = seq;
	entry->size = size;
	entry->vcpu = v->id;
	area->producer = seq + 1;
	/* the entry before the index that shows it */
	smp_store_release(&ring->producer, seq + 1);
	spin_unlock(&area->lock);
	if (trace_mhv_posted_enabled())
		trace_mhv_posted(v, gpa, size, data, seq, seq + 1 - READ_ONCE(ring->consumer));
	if (!e->eventfd)
		return true;
	/* the entry is out before the index is read */
	smp_mb();
	if (unlikely(READ_ONCE(ring->consumer) == seq))
		mhv_doorbell_ring(e->eventfd);
	return true;
}

#endif /* MHV_IO_POSTED_H */
