// SPDX-License-Identifier: GPL-2.0-only
/*
 * Posted rings: writes appended to a ring and drained by the device model later.
 *
 * The ring is shared with user space and may hold anything.  The kernel's own count of
 * what it appended is the truth; of the page it reads the consumer index alone, once,
 * and takes a value that makes no sense for a full ring.
 */
#include <linux/version.h>

#include "../trace.h"
#include "route.h"

static void posted_signal(struct eventfd_ctx *eventfd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(eventfd);
#else
	eventfd_signal(eventfd, 1);
#endif
}

/*
 * Was the ring empty before entry @seq came?  The device model stores its index, then
 * looks for new entries; here it is the other way round: one sees the other.
 */
static bool posted_was_empty(struct mhv_ring *ring, u32 seq)
{
	/* the entry is out before the index is read */
	smp_mb();
	return READ_ONCE(ring->consumer) == seq;
}

/**
 * mhv_posted_write - append a write to a ring
 * @v: the vCPU
 * @e: ring that covers the access
 * @gpa: address
 * @size: bytes, at most 8
 * @data: value
 *
 * Context: RCU read side; interrupts may be off.
 * Return: false when the ring has no room.
 */
bool mhv_posted_write(struct mhv_vcpu *v, const struct mhv_route_entry *e, gpa_t gpa,
		      u32 size, u64 data)
{
	struct mhv_ring *ring = e->area->page;
	struct mhv_posted *entry;
	u32 seq;

	spin_lock(&e->area->lock);
	seq = e->area->producer;
	if (seq - READ_ONCE(ring->consumer) >= MHV_RING_ENTRIES) {
		spin_unlock(&e->area->lock);
		return false;
	}
	entry = &ring->entry[seq % MHV_RING_ENTRIES];
	entry->gpa = gpa;
	entry->data = data;
	entry->seq = seq;
	entry->size = size;
	entry->vcpu = v->id;
	e->area->producer = seq + 1;
	/* the entry before the index that shows it */
	smp_store_release(&ring->producer, seq + 1);
	spin_unlock(&e->area->lock);
	if (trace_mhv_posted_enabled())
		trace_mhv_posted(v, gpa, size, data, seq, seq + 1 - READ_ONCE(ring->consumer));
	if (e->eventfd && posted_was_empty(ring, seq))
		posted_signal(e->eventfd);
	return true;
}
