/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reproducible random numbers (xorshift64*): a seed gives the same tests everywhere.
 */
#ifndef EMUL_RANDOM_H
#define EMUL_RANDOM_H

#include <linux/types.h>
#include <string.h>

struct random {
	u64 state;
};

static inline struct random random_seed(u64 seed)
{
	return (struct random) { seed * 0x9e3779b97f4a7c15ULL + 1 };
}

static inline u64 random_u64(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dULL;
}

/* 0 .. below - 1 */
static inline u32 random_below(struct random *r, u32 below)
{
	return (random_u64(r) >> 32) * below >> 32;
}

static inline void random_fill(struct random *r, void *to, size_t size)
{
	u8 *p = to;

	for (; size >= 8; p += 8, size -= 8) {
		u64 value = random_u64(r);

		memcpy(p, &value, 8);
	}
	if (size) {
		u64 value = random_u64(r);

		memcpy(p, &value, size);
	}
}

#endif
