// SPDX-License-Identifier: GPL-2.0-only
/* Doorbells: writes that signal an eventfd and are done. */
#include <linux/version.h>

#include "../trace.h"
#include "route.h"

static bool doorbell_matches(const struct mhv_route_entry *e, gpa_t gpa, u32 size, u64 data)
{
	return e->gpa == gpa && (!e->size || e->size == size) && (!e->match || e->value == data);
}

/* Index of the first entry at @gpa or after. */
static u32 doorbell_first(const struct mhv_route_list *list, gpa_t gpa)
{
	u32 low = 0, high = list->nr;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (list->entry[mid].gpa < gpa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/**
 * mhv_doorbell_find - the eventfd that waits for a write
 * @list: eventfds, or NULL
 * @gpa: address
 * @size: bytes
 * @data: value
 * @only: out: any write that this one matches goes to it
 *
 * Of several that match, the one with a value goes first, then one with a size.
 * Context: RCU read side.
 */
const struct mhv_route_entry *mhv_doorbell_find(const struct mhv_route_list *list, u64 gpa,
						u32 size, u64 data, bool *only)
{
	const struct mhv_route_entry *e, *best = NULL;
	u32 i, first;

	if (!list)
		return NULL;
	first = doorbell_first(list, gpa);
	for (i = first; i < list->nr && list->entry[i].gpa == gpa; i++) {
		e = &list->entry[i];
		if (!doorbell_matches(e, gpa, size, data))
			continue;
		if (!best || e->match || (!best->match && e->size))
			best = e;
	}
	*only = best && (best->match || i - first == 1);
	return best;
}

/**
 * mhv_doorbell_ring - signal an eventfd
 * @eventfd: of a doorbell or a ring
 *
 * Context: any.
 */
void mhv_doorbell_ring(struct eventfd_ctx *eventfd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(eventfd);
#else
	eventfd_signal(eventfd, 1);
#endif
}

/**
 * mhv_eventfd_write - signal a doorbell
 * @v: the vCPU
 * @e: what mhv_doorbell_find() found
 * @gpa: address
 * @size: bytes
 * @data: value
 *
 * Context: RCU read side; interrupts may be off.
 */
void mhv_eventfd_write(struct mhv_vcpu *v, const struct mhv_route_entry *e, gpa_t gpa,
		       u32 size, u64 data)
{
	mhv_doorbell_ring(e->eventfd);
	trace_mhv_eventfd(v, gpa, size, data);
}
