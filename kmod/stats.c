// SPDX-License-Identifier: GPL-2.0-only
/* Names of the counters. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "stats.h"

static const char *const names[] = {
#define X(id, name) [MHV_STAT_##id] = name,
	MHV_STATS(X)
#undef X
};

static_assert(MHV_NR_STATS * sizeof(u64) <= PAGE_SIZE);

/**
 * mhv_stat_name - name of a counter
 * @arg: index in, name out
 *
 * Return: 0, or -EINVAL for an index past the last.
 */
int mhv_stat_name(struct mhv_stat_name *arg)
{
	u32 index = arg->index;

	if (index >= MHV_NR_STATS || arg->reserved)
		return -EINVAL;
	index = array_index_nospec(index, MHV_NR_STATS);
	memset(arg->name, 0, sizeof(arg->name));
	strscpy(arg->name, names[index], sizeof(arg->name));
	return 0;
}
