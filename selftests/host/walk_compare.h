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

/* What makes the outcome of a walk; each must have been compared often. */
enum walk_feature {
	WALK_PSE36,		/* a 4 MiB page above 4 GiB */
	WALK_NO_PSE,		/* PS, ignored in 32-bit paging */
	WALK_NO_1G,		/* PS, reserved in a PDPTE */
	WALK_NXE_OFF,		/* NX, reserved */
	WALK_NX,		/* a fetch forbidden by NX alone */
	WALK_WP_OFF,		/* a supervisor writes what is read-only */
	WALK_SMEP,		/* a fetch forbidden by SMEP alone */
	WALK_SMAP,		/* an access forbidden by SMAP alone */
	WALK_SMAP_AC,		/* ... allowed by AC */
	WALK_SMAP_IMPLICIT,	/* ... forbidden in spite of AC */
	WALK_DIRTY,		/* D set in a page of 4 KiB */
	WALK_DIRTY_LARGE,	/* ... in a larger one */
	WALK_MARKED_ALREADY,	/* allowed, and nothing to mark */
	WALK_FEATURES,
};

/* How often each kind of outcome was compared, to see that all are. */
struct walk_tally {
	u64 ok, fault, no_memory, marked;
	u64 by_mode[4];
	u64 by_shift[64];
	u64 by_error[32];
	u64 by_feature[WALK_FEATURES];
};

void walk_new_world(struct numbers *n);
const char *walk_compare(struct numbers *n, struct walk_tally *tally);

#endif
