// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "clock.h"

static u64 clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/**
 * clock_now - the time that timers and counters run on
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
u64 clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/**
 * clock_cpu - CPU time of this process
 *
 * Return: nanoseconds, of all its threads, in guests as well.
 */
u64 clock_cpu(void)
{
	return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

/**
 * clock_realtime - the time of day
 *
 * Return: nanoseconds since 1970-01-01 00:00 UTC.
 */
u64 clock_realtime(void)
{
	return clock_read(CLOCK_REALTIME);
}
