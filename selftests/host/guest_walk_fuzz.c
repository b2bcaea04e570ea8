// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer: the input makes the tables, the mode and the accesses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk_compare.h"

#define WALKS	16

/* The input while it lasts, then numbers made of where it ended. */
static u64 next_input(struct numbers *n)
{
	u64 value = 0;

	if (n->left >= sizeof(u32)) {
		memcpy(&value, n->data, sizeof(u32));
		n->data += sizeof(u32);
		n->left -= sizeof(u32);
	}
	n->state = n->state * 6364136223846793005ull + value + 1442695040888963407ull;
	return n->state >> 33 ^ n->state << 31;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct numbers n = { .next = next_input, .data = data, .left = size };
	struct walk_tally tally = { 0 };
	const char *differ;

	walk_new_world(&n);
	for (int i = 0; i < WALKS; i++) {
		differ = walk_compare(&n, &tally);
		if (differ) {
			fprintf(stderr, "walk %d: %s\n", i, differ);
			abort();
		}
	}
	return 0;
}
