/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two clocks devices run on, and the one that tells what that took.  The host tests
 * link their own.
 */
#ifndef VMCTL_CLOCK_H
#define VMCTL_CLOCK_H

#include "types.h"

u64 clock_now(void);		/* CLOCK_MONOTONIC */
u64 clock_cpu(void);		/* nanoseconds of all threads */
u64 clock_realtime(void);	/* nanoseconds of UTC since 1970 */

/**
 * clock_scale - rescale a time: @value * @mul / @div without overflow
 * @value:	any
 * @mul:	rate wanted
 * @div:	rate of @value, not 0
 *
 * Return: the product, rounded down, low 64 bits.
 */
static inline u64 clock_scale(u64 value, u64 mul, u64 div)
{
	return (__uint128_t)value * mul / div;
}

#endif
