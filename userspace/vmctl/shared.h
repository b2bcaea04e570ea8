/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers in memory that several threads, or the kernel, use at once: a value of 1,
 * 2, 4 or 8 bytes is loaded (acquire) and stored (release) whole where its address is
 * aligned, byte by byte elsewhere.
 */
#ifndef VMCTL_SHARED_H
#define VMCTL_SHARED_H

#include "types.h"

static inline u64 shared_load_bytes(const u8 *from, unsigned int size)
{
	u64 val = 0;

	while (size--)
		val = val << 8 | __atomic_load_n(&from[size], __ATOMIC_ACQUIRE);
	return val;
}

static inline void shared_store_bytes(u8 *to, u64 val, unsigned int size)
{
	for (; size--; val >>= 8)
		__atomic_store_n(to++, (u8)val, __ATOMIC_RELEASE);
}

static inline u64 shared_load(const void *from, unsigned int size)
{
	if ((uintptr_t)from & (size - 1))
		return shared_load_bytes(from, size);
	switch (size) {
	case 1:
		return __atomic_load_n((const u8 *)from, __ATOMIC_ACQUIRE);
	case 2:
		return __atomic_load_n((const u16 *)from, __ATOMIC_ACQUIRE);
	case 4:
		return __atomic_load_n((const u32 *)from, __ATOMIC_ACQUIRE);
	default:
		return __atomic_load_n((const u64 *)from, __ATOMIC_ACQUIRE);
	}
}

static inline void shared_store(void *to, u64 val, unsigned int size)
{
	if ((uintptr_t)to & (size - 1)) {
		shared_store_bytes(to, val, size);
		return;
	}
	switch (size) {
	case 1:
		__atomic_store_n((u8 *)to, val, __ATOMIC_RELEASE);
		break;
	case 2:
		__atomic_store_n((u16 *)to, val, __ATOMIC_RELEASE);
		break;
	case 4:
		__atomic_store_n((u32 *)to, val, __ATOMIC_RELEASE);
		break;
	default:
		__atomic_store_n((u64 *)to, val, __ATOMIC_RELEASE);
		break;
	}
}

#endif
