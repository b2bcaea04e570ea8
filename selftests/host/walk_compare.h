/* SPDX-License-Identifier: GPL-2.0-only */
/* One comparison of guest_walk() and ref_walk(), drawn from a source of numbers. */
#ifndef HOST_WALK_COMPARE_H
#define HOST_WALK_COMPARE_H

#include <linux/types.h>

/* A source of numbers: random ones, or those of a fuzzer. */
struct numbers {
	u64 (*next)(struct numbers *n);
	u64 state;
	const u8 *data;
	size_t left;
};

/* How often each kind of outcome was compared, to see that all are. */
struct walk_tally {
	u64 ok, fault, no_memory, marked;
	u64 by_mode[4];
	u64 by_shift[64];
	u64 by_error[32];
};

void walk_new_world(struct numbers *n);
const char *walk_compare(struct numbers *n, struct walk_tally *tally);

#endif
