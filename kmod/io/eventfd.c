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
 * mhv_eventfd_write - signal the eventfd that waits for a write
 * @v: the vCPU
 * @gpa: address
 * @size: bytes
 * @data: value
 *
 * Of several that match, the one with a value goes first, then one with a size.
 * Context: RCU read side.
 * Return: true when one was signalled.
 */
bool mhv_eventfd_write(struct mhv_vcpu *v, gpa_t gpa, u32 size, u64 data)
{
	const struct mhv_route_list *list = mhv_routes(v, MHV_ROUTE_EVENTFD);
	const struct mhv_route_entry *e, *best = NULL;
	u32 i;

	if (!list)
		return false;
	for (i = doorbell_first(list, gpa); i < list->nr && list->entry[i].gpa == gpa; i++) {
		e = &list->entry[i];
		if (!doorbell_matches(e, gpa, size, data))
			continue;
		if (!best || e->match || (!best->match && e->size))
			best = e;
	}
	if (!best)
		return false;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(best->eventfd);
#else
	eventfd_signal(best->eventfd, 1);
#endif
	trace_mhv_eventfd(v, gpa, size, data);
	return true;
}
