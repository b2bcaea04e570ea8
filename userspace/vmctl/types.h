/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Short names for fixed-width integers and the few macros every file needs.
 *
 * Addresses in the guest are u64 and named gpa; sizes are in bytes; times are in
 * nanoseconds of CLOCK_MONOTONIC unless a name says otherwise.
 */
#ifndef VMCTL_TYPES_H
#define VMCTL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;	/* unsigned long long: prints with %llu */
typedef __s32 s32;
typedef __s64 s64;

#define KIB			1024ull
#define MIB			(1024 * KIB)
#define GIB			(1024 * MIB)
#define GUEST_PAGE		4096ull

#define NSEC_PER_SEC		1000000000ull
#define NSEC_PER_MSEC		1000000ull

#define BIT(n)			(1u << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#define __packed		__attribute((__packed__))
#define __noinline		__attribute((__noinline__))
#define __printf(fmt, first)	__attribute((__format__(__printf__, fmt, first)))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

static inline u64 align_down(u64 x, u64 align)
{
	return x & ~(align - 1);
}

/* wraps to 0 when there is no aligned value above @x */
static inline u64 align_up(u64 x, u64 align)
{
	return align_down(x + align - 1, align);
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif
