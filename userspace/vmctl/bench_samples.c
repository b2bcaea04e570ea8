// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl bench: what the samples of a row amount to.
 */
#include <stdlib.h>

#include "bench.h"

static int compare_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/**
 * bench_samples_sort - the smallest first
 * @samples: @nr:	samples
 */
void bench_samples_sort(u64 *samples, u32 nr)
{
	qsort(samples, nr, sizeof(*samples), compare_u64);
}

/**
 * bench_samples_mean - their mean, rounded
 * @samples: @nr:	samples, one at least
 */
u64 bench_samples_mean(const u64 *samples, u32 nr)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		sum += samples[i];
	return (sum + nr / 2) / nr;
}
